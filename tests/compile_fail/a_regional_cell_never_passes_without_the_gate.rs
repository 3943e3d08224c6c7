// The lie: figures are declared publishable, and the gate has not judged them.
use accord_coordinator::gate::{Figure, Pooled, Publishable, Standing};

fn ungated(
    standing: Standing,
    figures: Vec<Figure>,
    pooled: Option<Pooled>,
) -> Publishable {
    Publishable { standing, figures, pooled }
}
