//! A rolling restart: six nodes end and begin again one by one while somebody gathers all the time. No gather fails, each says
//! whom it missed, and what was missed is there when everybody is back.

use std::sync::atomic::{AtomicBool, Ordering};

use accord_tests::federation::{QUESTION, SIX};
use serde_json::Value;

use crate::with_sample;

#[test]
fn six_nodes_restart_one_by_one_and_no_gather_fails() {
    let mut running = with_sample(&SIX);
    let names: Vec<_> = running.nodes.keys().cloned().collect();
    let requirement = running.issue(&[QUESTION]).unwrap();
    let other = running.issue(&[QUESTION]).unwrap();
    let over = AtomicBool::new(false);
    // The servers are restarted on this thread; gathers go on beside, over the same wire.
    let gathering = running.gathering(&requirement);
    std::thread::scope(|scope| {
        let gathers = scope.spawn(|| {
            let mut whole = 0;
            let mut all = 0;
            while !over.load(Ordering::SeqCst) || all == 0 {
                let shown: Value = gathering().unwrap();
                let members = shown["members"].as_array().unwrap();
                let away = members.iter().filter(|member| member["state"] != "answered");
                // A gather may see the end of one and the beginning of the next.
                for member in away.clone() {
                    assert_eq!(member["state"], "unreachable", "{member}");
                }
                whole += usize::from(away.count() == 0);
                all += 1;
            }
            (all, whole)
        });
        for name in &names {
            let server = running.node_server(name).unwrap().clone();
            server.signal(rustix::process::Signal::TERM).unwrap();
            assert!(server.wait().unwrap().success(), "{name} does not end well");
            running.federation.start_node(name).unwrap();
        }
        over.store(true, Ordering::SeqCst);
        let (all, whole) = gathers.join().unwrap();
        eprintln!("{all} gathers, {whole} of them whole");
    });
    let shown = running.gather(&other).unwrap();
    let members = shown["members"].as_array().unwrap();
    assert!(members.iter().all(|member| member["state"] == "answered"), "{shown}");
}
