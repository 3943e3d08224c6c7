//! kill -9 and power cuts: what was acknowledged is there, and nothing is there by halves. A few rounds
//! here; `cargo soak` runs the full sizes.

use std::io::Write as _;

use accord_tests::{crash, damage, fulldisk, torn};

use crate::program;

/// Repeat a failing run with this seed; `cargo soak` draws others.
const SEED: u64 = 20_161_124;

#[test]
fn an_acknowledged_import_survives_kill_9_and_no_half_import_is_visible() {
    let dir = tempfile::tempdir().unwrap();
    let survived = crash::kill9(&program(), &dir.path().join("federation"), 6, SEED).unwrap();
    eprintln!("seed {SEED}: {survived:?}");
}

#[test]
fn what_left_before_kill_9_in_the_middle_of_releases_leaves_again_byte_for_byte_and_was_on_record_and_paid()
 {
    let dir = tempfile::tempdir().unwrap();
    let torn = torn::releases(&program(), &dir.path().join("federation"), 2, SEED).unwrap();
    eprintln!("seed {SEED}: {torn:?}");
    assert_eq!(torn.given + torn.unheard + torn.later, 2 * torn::AT_ONCE);
}

#[test]
fn an_acknowledged_import_survives_a_power_cut() {
    if let Some(why) = crash::no_powercut() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: the power cut: {why}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let survived = crash::powercut(&program(), &dir.path().join("federation"), 3, SEED).unwrap();
    eprintln!("seed {SEED}: {survived:?}");
    assert!(survived.acknowledged >= 3);
}

#[test]
fn a_full_disk_loses_nothing_and_leaves_room_to_take_consent_back() {
    if let Some(why) = crash::no_powercut() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: the full disk: {why}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let filled = fulldisk::fulldisk(&program(), &dir.path().join("federation"), 2, SEED).unwrap();
    eprintln!("seed {SEED}: {filled:?}");
    assert!(filled.refused > 0 && filled.failed > 0);
}

#[test]
fn a_damaged_store_opens_with_the_same_content_or_is_refused_and_its_backup_restores_it() {
    let dir = tempfile::tempdir().unwrap();
    let ended = damage::damage(&program(), &dir.path().join("federation"), 12, SEED).unwrap();
    eprintln!("seed {SEED}: {ended:?}");
    assert!(ended.refused > 0);
}
