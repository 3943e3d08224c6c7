//! The federation under simulated faults: seeds by the hundred, every one a whole life.

use std::sync::Arc;

use accord_tests::simulation::{Template, play};

#[test]
fn whatever_goes_wrong_every_promise_is_kept() {
    let template = Arc::new(Template::make().unwrap());
    for seed in 0..20 {
        if let Err(broken) = play(&template, seed, None) {
            panic!("{broken}");
        }
    }
}
