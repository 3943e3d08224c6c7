// The lie: a figure is put beside a key, and nobody has looked at its codes.
use accord_node::record::{CellKey, Observed, Record};

fn unchecked(key: CellKey, observed: Observed) -> Record {
    Record { key, observed }
}
