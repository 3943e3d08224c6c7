//! Whatever comes from outside, changed at random: a short run of every reader, with fixed seeds, and twins that were weakened on
//! purpose and must be found out. `cargo soak fuzz` is the long run.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use accord_proto::{roster::Roster, strict, taxonomy::Lists, wire};
use accord_tests::fuzz::{
    Budget, Form, Judged, Target, Verdict, fuzz, live,
    scene::{Scene, now},
    schema::Schema,
    targets,
};
use prost::Message as _;

const SEED: u64 = 20_261_124;

fn short(names: impl Fn(&str) -> bool) {
    let (mut ran, mut broken) = (0, Vec::new());
    for target in targets::all().unwrap().iter().filter(|target| names(target.name)) {
        match fuzz(target, SEED, Budget::Rounds(target.rounds)) {
            // A target that accepts everything tries nothing.
            Ok(found) => assert!(found.reasons > 0, "{}: {found:?}", target.name),
            Err(error) => broken.push(error.to_string()),
        }
        ran += 1;
    }
    assert!(ran > 0 && broken.is_empty(), "{ran} targets: {}", broken.join("\n"));
}

fn is_import(name: &str) -> bool {
    name.starts_with("import-")
}

fn lies(name: &str) -> bool {
    name.ends_with("-lies") || name == "evidence"
}

#[test]
fn no_file_that_is_imported_makes_a_reader_panic_or_take_long() {
    short(is_import);
}

#[test]
fn whoever_signs_whatever_he_likes_proves_no_false_figure() {
    short(lies);
}

#[test]
fn nothing_that_comes_from_outside_makes_a_reader_panic_take_long_or_believe_what_was_changed() {
    short(|name| !is_import(name) && !lies(name));
}

#[test]
fn every_message_that_a_call_takes_or_gives_is_fuzzed() {
    let fuzzed: BTreeSet<_> = targets::messages().into_iter().map(|(name, _)| name).collect();
    let of_calls = Schema::read().unwrap().of_calls;
    let absent: Vec<_> = of_calls.iter().filter(|name| !fuzzed.contains(*name)).collect();
    assert!(absent.is_empty(), "add them to tests/harness/fuzz/targets/wire.rs: {absent:?}");
}

/// A reader that was weakened; what fuzzing says of it.
fn broken(
    name: &'static str,
    form: Form,
    specimen: Vec<u8>,
    judge: impl Fn(&[u8]) -> Verdict + 'static,
) -> String {
    let one_max = Duration::from_millis(100);
    let specimens = vec![specimen];
    let target = Target { name, form, specimens, judge: Box::new(judge), rounds: 0, one_max };
    let found = fuzz(&target, SEED, Budget::Rounds(3_000_000));
    found.expect_err("the weakness was not found").to_string()
}

fn refused(why: &str) -> Verdict {
    Ok(Judged::Refused(why.to_owned()))
}

#[test]
fn a_reader_that_panics_behind_three_right_bytes_is_found_and_its_input_made_small() {
    let said = broken("twin-panics", Form::Raw, vec![b'a'; 4], |bytes| {
        // Each byte that is right is refused in a way of its own: that is what leads there.
        match bytes {
            [0xfe, 0x37, 0x99, ..] => panic!("planted"),
            [0xfe, 0x37, ..] => refused("third"),
            [0xfe, ..] => refused("second"),
            [b'a', ..] => Ok(Judged::Accepted),
            _ => refused("first"),
        }
    });
    assert!(said.contains("panicked: planted") && said.contains(&SEED.to_string()), "{said}");
    assert!(said.ends_with("3 bytes: fe3799"), "{said}");
}

#[test]
fn a_reader_that_takes_a_second_spelling_is_found() {
    let notice = Scene::set(SEED).unwrap().notice;
    let said = broken("twin-spellings", Form::Wire, notice.payload, |bytes| {
        match strict::decode::<wire::Notice>("notice", bytes) {
            Ok(notice) if notice.encode_to_vec() == bytes => Ok(Judged::Accepted),
            Ok(_) => Err("two spellings".to_owned()),
            Err(error) => refused(&error.to_string()),
        }
    });
    assert!(said.contains("two spellings"), "{said}");
}

#[test]
fn a_reader_that_forgets_the_signature_is_found() {
    let scene = Scene::set(SEED).unwrap();
    let honest = scene.roster_envelope.clone();
    let said = broken("twin-unsigned", Form::Wire, honest.encode_to_vec(), move |bytes| {
        let Ok(mut envelope) = strict::decode::<wire::Envelope>("roster", bytes) else {
            return refused("no envelope");
        };
        // The weakness: whatever is in it is signed here.
        let changed = envelope.payload != honest.payload;
        envelope = scene.root.sign(accord_proto::seal::Kind::Roster, envelope.payload);
        match Roster::open(&envelope, &scene.root.public(), Lists::builtin(), 0, now()) {
            Ok(_) if changed => Err("another roster".to_owned()),
            Ok(_) => Ok(Judged::Accepted),
            Err(error) => refused(&error.to_string()),
        }
    });
    assert!(said.contains("another roster"), "{said}");
}

#[test]
fn a_reader_whose_time_grows_too_fast_is_found() {
    let said = broken("twin-slow", Form::Text, b"name,value\nAL,1\n".to_vec(), |bytes| {
        let deep = bytes.iter().filter(|byte| **byte == b'[').count();
        if deep > 1_000 {
            let until = Instant::now() + Duration::from_millis(110);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
        }
        Ok(Judged::Accepted)
    });
    assert!(said.contains("takes") && said.contains("twin-slow"), "{said}");
}

#[test]
fn whatever_stands_in_a_call_it_is_refused_by_name_and_the_services_go_on() {
    let running = crate::with_sample(&["AL", "BA"]);
    let ended = live::calls(&running, SEED, 1_500).unwrap();
    assert!(ended.contains_key("OK") && ended.len() > 5, "{ended:?}");
    for log in ["al-police/log", "coordinator/log"] {
        let log = std::fs::read_to_string(running.dir.join(log)).unwrap();
        assert!(!log.contains("panicked"), "{log}");
    }
    let asked = running.issue(&[accord_tests::federation::QUESTION]).unwrap();
    running.gather(&asked).unwrap();
}
