// The lie: figures are declared publishable, and the gate has not judged them.
use accord_coordinator::gate::{Publishable, Standing};

fn ungated(standing: Standing, values: Vec<i64>) -> Publishable {
    Publishable { standing, values }
}
