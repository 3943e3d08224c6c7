// The lie: figures are declared publishable, and the gate has not judged them.
use accord_coordinator::gate::{Contributors, Figure, Publishable, Standing};

fn ungated(
    standing: Standing,
    figures: Vec<Figure>,
    pooled: Option<Contributors>,
) -> Publishable {
    Publishable { standing, figures, pooled }
}
