//! The same answers give the same picture, however many threads draw it. Comes in: a requirement that real nodes have
//! answered, open figures and pooled ones. Goes out: the bytes that the coordinator signs, from one thread and from four.

use std::fs;

use accord_proto::evidence;
use accord_tests::federation::QUESTION;

use crate::protected::{SEIZURES, filled};

#[test]
fn coordinators_on_one_thread_and_on_four_draw_the_same_bytes() {
    let mut running = filled("");
    running.with_sample().unwrap();
    let requirement = running.issue(&[SEIZURES, QUESTION]).unwrap();
    let pictures = [1, 4, 1].map(|threads| {
        running.coordinator_server().unwrap().kill();
        running.federation.start_coordinator_on(threads).unwrap();
        let shown = running.gather(&requirement).unwrap();
        assert_eq!(shown["picture"]["version"], 1, "the same picture is no new version: {threads}");
        let out = running.dir.join(format!("{threads}.evidence"));
        let path = out.display().to_string();
        let command = ["picture", "evidence", &requirement, "--out", &path];
        running.region("auditor", "json", &command).unwrap().json(&[0]).unwrap();
        let picture = evidence::read(&fs::read(&out).unwrap()).unwrap().picture;
        fs::remove_file(out).unwrap();
        picture
    });
    assert_eq!(pictures[0], pictures[1]);
    assert_eq!(pictures[1], pictures[2]);
}
