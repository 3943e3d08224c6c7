//! The state machine by itself: no clock but the argument, no store.

use accord_proto::{
    clock::{Entropy as _, FixedClock, SystemEntropy},
    limits::BREAK_GLASS_S,
    taxonomy::Lists,
};

use super::*;

const DAY_S: i64 = 86_400;

fn begin() -> Timestamp {
    Timestamp::parse("", "2026-11-24").unwrap()
}

fn item() -> Item {
    let lists = Lists::builtin();
    let asked = Asked {
        id: RequirementId::mint(&FixedClock(begin()), &SystemEntropy).unwrap(),
        digest: Digest([7; 32]),
        authority: Name::parse("", "analysis-unit").unwrap(),
        purpose: lists.purpose("", "THREAT-ASSESSMENT").unwrap(),
        audience: lists.audience("", "POLICE").unwrap(),
        closes_at: begin().plus_s(30 * DAY_S),
    };
    Item::receive(asked, begin())
}

fn person(name: &str, role: &str) -> Identity {
    Identity::parse(&format!("spiffe://wb6.example/AL/staff/{name}/{role}")).unwrap()
}

fn event(by: &Identity, at: Timestamp, step: Step) -> Event {
    Event { at, by: by.clone(), step, why: "a test".to_owned(), single_handed: false }
}

fn decline(tell: bool) -> Step {
    Step::Decline(Decline { code: None, tell })
}

const TABLE: Digest = Digest([1; 32]);
const OTHER: Digest = Digest([2; 32]);

/// Accepted and proposed by `by`, on the first day.
fn proposed(by: &Identity) -> Item {
    let mut item = item();
    for step in [Step::Await, Step::Accept(Extent::whole()), Step::Propose(TABLE)] {
        item.step(event(by, begin(), step), &[]).unwrap();
    }
    item
}

#[test]
fn what_one_person_proposed_another_releases_and_nobody_else() {
    let (ana, bo) = (person("ana", "analyst"), person("bo", "releaser"));
    let release = |by: &Identity, digest| {
        let mut item = proposed(&ana);
        let done = item.step(event(by, begin(), Step::Release(digest)), &[]);
        done.map(|()| item.verdict(begin()).unwrap()).map_err(|error| error.reason)
    };
    assert_eq!(release(&bo, TABLE), Ok(Verdict::Answer(Extent::whole())));
    assert_eq!(release(&bo, OTHER), Err(Reason::ReleaseChanged));
    assert_eq!(release(&ana, TABLE), Err(Reason::CertificateRole));
    // Another certificate is not another person.
    assert_eq!(release(&person("ana", "releaser"), TABLE), Err(Reason::FourEyes));
    for role in ["auditor", "operator"] {
        assert_eq!(release(&person("cy", role), TABLE), Err(Reason::CertificateRole));
    }
}

#[test]
fn an_unfinished_requirement_ends_with_its_window_whatever_state_it_is_in() {
    let (ana, bo) = (person("ana", "analyst"), person("bo", "releaser"));
    let close = begin().plus_s(30 * DAY_S);
    let until = begin().plus_s(2 * DAY_S);
    let paths: [&[Step]; 6] = [
        &[],
        &[Step::Await],
        &[Step::Defer(until)],
        &[Step::Accept(Extent::whole())],
        &[Step::Accept(Extent::whole()), Step::Propose(TABLE)],
        &[Step::Await, Step::Defer(until), Step::Accept(Extent::whole())],
    ];
    for path in paths {
        let mut item = item();
        for step in path {
            item.step(event(&ana, begin(), step.clone()), &[]).unwrap();
        }
        assert!(item.deadline(begin()).is_some_and(|deadline| deadline <= close), "{path:?}");
        assert_eq!(item.state(close), State::Expired, "{path:?}");
        assert_eq!(item.verdict(close).unwrap_err().reason, Reason::RequirementClosed);
        let late = item.step(event(&bo, close, decline(false)), &[]).unwrap_err();
        assert_eq!(late.reason, Reason::InboxState, "{path:?}");
        assert!(!item.state(begin()).reason().is_empty());
    }
    // Put off, it comes back by itself.
    let mut item = item();
    item.step(event(&ana, begin(), Step::Defer(until)), &[]).unwrap();
    assert_eq!(item.state(until.plus_s(-1)), State::Deferred(until));
    assert_eq!(item.state(until), State::Awaiting);
    for wrong in [begin(), close, close.plus_s(1)] {
        let wrong = item.step(event(&ana, begin(), Step::Defer(wrong)), &[]).unwrap_err();
        assert_eq!(wrong.reason, Reason::FieldInvalid);
    }
}

#[test]
fn a_later_decision_narrows_and_never_widens() {
    let bo = person("bo", "releaser");
    let mut item = item();
    for extent in [
        Extent::parse([2], false, true).unwrap(),
        Extent::whole(),
        Extent::parse([3], true, false).unwrap(),
    ] {
        item.step(event(&bo, begin(), Step::Accept(extent)), &[]).unwrap();
    }
    assert_eq!(item.terms(), Extent::parse([2, 3], true, true).unwrap());
    assert_eq!(Extent::parse([0], false, false).unwrap_err().reason, Reason::FieldInvalid);
}

#[test]
fn a_person_who_broke_the_glass_acts_alone_for_four_hours_and_it_shows() {
    let bo = person("bo", "releaser");
    let glass = [Glass { by: bo.clone(), at: begin(), why: "urgent".to_owned() }];
    let release = |at, glass: &[Glass]| {
        let mut item = proposed(&bo);
        let done = item.step(event(&bo, at, Step::Release(TABLE)), glass);
        done.map(|()| item.single_handed()).map_err(|error| error.reason)
    };
    assert_eq!(release(begin(), &[]), Err(Reason::FourEyes));
    assert_eq!(release(begin(), &glass), Ok(true));
    assert_eq!(release(begin().plus_s(BREAK_GLASS_S - 1), &glass), Ok(true));
    for over in [BREAK_GLASS_S, 5 * 3_600, -1] {
        assert_eq!(release(begin().plus_s(over), &glass), Err(Reason::FourEyes), "{over}");
    }
    let others = [Glass { by: person("cy", "releaser"), ..glass[0].clone() }];
    assert_eq!(release(begin(), &others), Err(Reason::FourEyes));
    // With two people it is not needed, and does not show.
    let mut item = proposed(&person("ana", "analyst"));
    item.step(event(&bo, begin(), Step::Release(TABLE)), &glass).unwrap();
    assert!(!item.single_handed());
}

#[test]
fn what_could_not_have_happened_is_a_damaged_store() {
    let bo = person("bo", "releaser");
    let whole = proposed(&person("ana", "analyst"));
    let replayed = |events| Item::replay(whole.asked.clone(), begin(), events);
    assert_eq!(replayed(whole.events.clone()).unwrap(), whole);
    let alone = vec![event(&bo, begin(), Step::Release(TABLE))];
    assert_eq!(replayed(alone).unwrap_err().reason, Reason::StoreFailed);
    let mut after = whole.events.clone();
    after.insert(0, event(&bo, begin(), decline(true)));
    assert_eq!(replayed(after).unwrap_err().reason, Reason::StoreFailed);
}

/// A small generator (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one table of what may happen, and what must hold after it"
)]
fn no_sequence_of_steps_lets_anything_go_without_two_people_or_broken_glass() {
    // Two of them hold two certificates.
    let people = [
        person("ana", "analyst"),
        person("ana", "releaser"),
        person("bo", "analyst"),
        person("bo", "releaser"),
        person("cy", "releaser"),
        person("cy", "auditor"),
    ];
    let mut seed = [0; 8];
    SystemEntropy.fill(&mut seed).unwrap();
    let seed = u64::from_be_bytes(seed);
    let (mut released, mut alone) = (0, 0);
    for round in 0..2_000 {
        let mut dice = Dice(seed.wrapping_add(round));
        let mut item = item();
        let mut glass: Vec<Glass> = Vec::new();
        let mut now = begin();
        // As an auditor would note it, apart from the machine: who wanted which bytes, who ever said yes.
        let (mut gate_one, mut wanted): (Vec<String>, Option<Digest>) = (Vec::new(), None);
        for _ in 0..dice.below(24) {
            now = now.plus_s(i64::try_from(dice.below(3 * 3_600)).unwrap());
            let by = dice.of(&people).clone();
            if dice.below(8) == 0 && by.role == Role::Releaser {
                glass.push(Glass { by: by.clone(), at: now, why: "urgent".to_owned() });
                continue;
            }
            let digest = *dice.of(&[TABLE, TABLE, TABLE, OTHER]);
            let often =
                [Step::Accept(Extent::whole()), Step::Propose(digest), Step::Release(digest)];
            let seldom = [
                Step::Await,
                Step::Defer(now.plus_s(3_600)),
                decline(digest == TABLE),
                Step::Withdraw,
            ];
            let steps = if dice.below(16) == 0 { &seldom[..] } else { &often };
            let step = dice.of(steps).clone();
            let before = item.clone();
            let done = item.step(event(&by, now, step.clone()), &glass);
            if done.is_err() {
                assert_eq!(item, before, "a refused step changes nothing; seed {seed}");
                continue;
            }
            let name = by.name.to_string();
            match step {
                Step::Accept(_) => gate_one.push(name),
                Step::Propose(digest) => {
                    gate_one.push(name);
                    wanted = Some(digest);
                }
                Step::Release(digest) => {
                    released += 1;
                    assert_eq!(by.role, Role::Releaser, "seed {seed}, round {round}");
                    assert_eq!(wanted, Some(digest), "other bytes; seed {seed}, round {round}");
                    let same = gate_one.contains(&name);
                    let open = glass.iter().any(|glass| {
                        let since = now.as_s() - glass.at.as_s();
                        glass.by.name == by.name && (0..4 * 3_600).contains(&since)
                    });
                    assert!(!same || open, "one person alone; seed {seed}, round {round}");
                    assert_eq!(item.single_handed(), same, "seed {seed}, round {round}");
                    alone += u32::from(same);
                }
                Step::Await | Step::Answer | Step::Defer(_) | Step::Decline(_) | Step::Withdraw => {
                }
            }
            let says = item.verdict(now);
            let answers =
                matches!(&says, Ok(Verdict::Answer(extent)) if *extent != Extent::nothing());
            let let_go = matches!(item.state(now), State::Released(_));
            assert_eq!(answers, let_go, "seed {seed}, round {round}: {says:?}");
            assert_eq!(
                Item::replay(item.asked.clone(), begin(), item.events.clone()).unwrap(),
                item
            );
        }
    }
    assert!(released > 20 && alone > 0, "{released} released, {alone} alone: tries too little");
}
