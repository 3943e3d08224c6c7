// The lie: the coordinator holds true figures.
use accord_coordinator::cube::Cube;

fn held(cube: &Cube) -> usize {
    cube.len()
}
