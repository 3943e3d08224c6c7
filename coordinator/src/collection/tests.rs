//! A window of days, step by step, with a clock that nobody waits for.

use accord_proto::{
    question::{Question, Requirement},
    reason::{Invalid, Reason},
    taxonomy::Lists,
};

use super::*;

const HOUR: i64 = 3_600;
const SHORTEST: Duration = Duration::from_secs(30);
const NODES: [(&str, &str); 4] =
    [("al-police", "AL"), ("ba-police", "BA"), ("me-police", "ME"), ("rs-police", "RS")];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_s("", 1_800_000_000 + seconds).unwrap()
}

/// A requirement with a window of so many seconds.
fn requirement(window: i64) -> Requirement {
    let lists = Lists::builtin();
    let name = |text| Name::parse("", text).unwrap();
    Requirement {
        id: RequirementId::mint(&accord_proto::clock::SystemClock, &Zeros).unwrap(),
        authority: name("analysis-unit"),
        why: "Test".to_owned(),
        purpose: lists.purpose("", "THREAT-ASSESSMENT").unwrap(),
        legal_basis: "Test".to_owned(),
        audience: lists.audience("", "POLICE").unwrap(),
        members: NODES.iter().map(|(node, _)| name(*node)).collect(),
        minimum_contributors: 3,
        issued_at: at(0),
        opens_at: at(0),
        closes_at: at(window),
        question: Question { blocks: Vec::new() },
        requester_role: lists.term("", "REQUESTER_ROLE", "ANALYST").unwrap().code,
        tier: lists.tier(lists.audience("", "POLICE").unwrap()),
        valid_until: at(window + 1),
    }
}

struct Zeros;

impl accord_proto::clock::Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid> {
        bytes.fill(7);
        Ok(())
    }
}

fn begun(requirement: &Requirement) -> Collection {
    let of = |(node, jurisdiction): (&str, &str)| {
        (Name::parse("", node).unwrap(), JurisdictionCode::parse(jurisdiction).unwrap())
    };
    Collection::begin(requirement, NODES.map(of), at(0))
}

fn away() -> Silence {
    Silence::Unreachable(Invalid::new(Reason::NoConnection, "", ""))
}

/// What a member says at some moment.
type Says = fn(i64) -> Option<Silence>;

/// Plays a window; every `restart` seconds of it the collection is as the archive would give it back. When each was asked,
/// and the end.
fn play(requirement: &Requirement, says: [Says; 4]) -> (BTreeMap<Name, Vec<i64>>, i64, Collection) {
    let mut collection = begun(requirement);
    let mut asked = BTreeMap::<Name, Vec<i64>>::new();
    let mut now = 0;
    let position = |node: &Name| NODES.iter().position(|(of, _)| *of == node.as_str()).unwrap();
    loop {
        match collection.next(requirement, at(now)) {
            Next::Ask(due) => {
                for node in due {
                    asked.entry(node.clone()).or_default().push(now);
                    let said = says[position(&node)](now);
                    collection.note(&node, said.as_ref(), SHORTEST, at(now));
                }
            }
            Next::Rest(until) => {
                assert!(until > at(now), "a rest that is over");
                now = until.as_s() - at(0).as_s();
            }
            Next::Draw { .. } => {
                let all: Vec<_> = collection.slots.keys().cloned().collect();
                for node in all {
                    let said = says[position(&node)](now);
                    collection.note(&node, said.as_ref(), SHORTEST, at(now));
                }
                if matches!(collection.next(requirement, at(now)), Next::Draw { .. }) {
                    // The picture that was drawn just now rests on whoever has just answered.
                    let shown = collection.slots.iter().filter(|(_, slot)| slot.answered);
                    let shown = (shown.map(|(node, _)| node.clone()).collect(), 3);
                    collection.end = Some(collection.ends(requirement, false, &shown));
                    return (asked, now, collection);
                }
            }
        }
    }
}

#[test]
fn over_seven_days_everybody_is_asked_until_it_answers_and_nobody_is_pestered() {
    let requirement = requirement(7 * 24 * HOUR);
    let says: [Says; 4] = [
        |_| None,
        // People decide on the third day.
        |now| (now < 60 * HOUR).then_some(Silence::Pending),
        // Away for most of the window.
        |now| (now < 150 * HOUR).then(away),
        // Never believed before the fifth day.
        |now| {
            let why = Invalid::new(Reason::AnswerSeal, "", "");
            (now < 100 * HOUR).then_some(Silence::Rejected(why))
        },
    ];
    let (asked, ended, collection) = play(&requirement, says);
    assert_eq!(collection.end, Some(End::Complete));
    let count = |node: &str| asked[&Name::parse("", node).unwrap()].len();
    assert_eq!(count("al-police"), 1, "an answer is had once, and again for the picture");
    assert!((500..1_000).contains(&count("ba-police")), "{}", count("ba-police"));
    assert!((800..1_300).contains(&count("me-police")), "{}", count("me-police"));
    // Within ten minutes of its return.
    assert!((150 * HOUR..150 * HOUR + 750).contains(&ended), "{ended}");
}

#[test]
fn at_the_end_of_the_window_it_ends_with_whoever_is_there() {
    let requirement = requirement(24 * HOUR);
    let none: Says = |_| None;
    let never: Says = |_| Some(away());
    let (_, ended, collection) = play(&requirement, [none, none, none, never]);
    assert_eq!((collection.end, ended), (Some(End::Partial), 24 * HOUR - 300));
    let (_, _, collection) = play(&requirement, [none, none, never, never]);
    assert_eq!(collection.end, Some(End::Insufficient), "fewer than the requirement asks for");
    assert_eq!(collection.slots.values().filter(|slot| slot.answered).count(), 2);
    assert_eq!(collection.ends(&requirement, true, &(BTreeSet::new(), 3)), End::Cancelled);
}

#[test]
fn who_has_answered_and_is_in_no_picture_does_not_count_at_the_end() {
    let requirement = requirement(24 * HOUR);
    let mut collection = begun(&requirement);
    let all: BTreeSet<_> = collection.slots.keys().cloned().collect();
    for node in &all {
        collection.note(node, None, SHORTEST, at(1));
    }
    assert_eq!(collection.ends(&requirement, false, &(all.clone(), 3)), End::Complete);
    let none = (BTreeSet::new(), 3);
    assert_eq!(collection.ends(&requirement, false, &none), End::Insufficient);
    let some: BTreeSet<_> = all.into_iter().take(3).collect();
    assert_eq!(collection.ends(&requirement, false, &(some.clone(), 3)), End::Partial);
    assert_eq!(
        collection.ends(&requirement, false, &(some, 4)),
        End::Insufficient,
        "a member wants more"
    );
}

#[test]
fn whoever_is_away_when_the_picture_is_drawn_is_asked_again() {
    let requirement = requirement(24 * HOUR);
    let none: Says = |_| None;
    let says: [Says; 4] = [
        none,
        none,
        // There at first, away while the last one decides and the picture is drawn.
        |now| (600..1_200).contains(&now).then(away),
        |now| (now < 900).then_some(Silence::Pending),
    ];
    let (_, ended, collection) = play(&requirement, says);
    assert_eq!(collection.end, Some(End::Complete));
    assert!((1_200..2_400).contains(&ended), "{ended}");
}

#[test]
fn pauses_double_up_to_ten_minutes_and_no_two_members_come_at_once() {
    let requirement = requirement(24 * HOUR);
    let mut collection = begun(&requirement);
    let mut nexts = Vec::new();
    for (node, _) in NODES {
        let node = Name::parse("", node).unwrap();
        let mut pauses = Vec::new();
        for _ in 0..8 {
            collection.note(&node, Some(&away()), SHORTEST, at(0));
            pauses.push(collection.slots[&node].next.as_s() - at(0).as_s());
        }
        for (number, pause) in pauses.iter().enumerate() {
            let whole = (30 << number.min(10)).min(600);
            assert!((whole * 3 / 4..=whole * 5 / 4).contains(pause), "{number}: {pause}");
        }
        nexts.push(pauses);
    }
    nexts.dedup();
    assert_eq!(nexts.len(), NODES.len());
}

#[test]
fn one_that_is_always_about_to_be_back_from_maintenance_is_asked_no_more_often_than_one_that_is_away()
 {
    let requirement = requirement(24 * HOUR);
    let asked = |ends_after: i64| {
        let mut collection = begun(&requirement);
        let node = Name::parse("", NODES[0].0).unwrap();
        let (mut now, mut asked) = (0, 0);
        while now < 24 * HOUR {
            asked += 1;
            let heard = (at(now + ends_after), Some(at(now)));
            collection.refused(&node, heard, SHORTEST, at(now));
            let slot = &collection.slots[&node];
            assert_eq!((slot.answered, &*slot.reason), (false, "MAINTENANCE"));
            assert!(slot.next > at(now + ends_after), "asked before its maintenance is over");
            assert_eq!(slot.last_contact, Some(at(now)));
            now = slot.next.as_s() - at(0).as_s();
        }
        asked
    };
    // Every ten minutes, once it has done so for a while.
    assert!((100..250).contains(&asked(1)), "{}", asked(1));
    assert_eq!(asked(25 * HOUR), 1, "whoever says when it is over is asked then");
    let mut collection = begun(&requirement);
    let node = Name::parse("", NODES[0].0).unwrap();
    collection.refused(&node, (at(1), Some(at(0))), SHORTEST, at(0));
    collection.note(&node, None, SHORTEST, at(60));
    assert_eq!(collection.slots[&node].failures, 0, "it has answered");
}
