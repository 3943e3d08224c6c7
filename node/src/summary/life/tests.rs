//! The state machine, cell by cell.

use super::*;

const EXPIRES: &str = "2027-01-31";

fn at(text: &str) -> Timestamp {
    Timestamp::parse("at", text).unwrap()
}

fn person(name: &str, role: &str) -> Identity {
    Identity::parse(&format!("spiffe://wb6.example/AL/staff/{name}/{role}")).unwrap()
}

fn event(step: Step, by: &Identity) -> Event {
    Event { at: at("2026-11-24"), by: by.clone(), step, why: "test".to_owned() }
}

fn author() -> Identity {
    person("author", "analyst")
}

fn releaser() -> Identity {
    person("second", "releaser")
}

/// A history in a state, made by those who may.
fn history(state: State) -> History {
    use Step::{Evaluate, Include, Supersede, Validate, Withdraw};
    let steps: &[Step] = match state {
        State::Draft | State::Expired => &[],
        State::Evaluated => &[Evaluate],
        State::Validated => &[Evaluate, Validate],
        State::InEdition => &[Evaluate, Validate, Include],
        State::Superseded => &[Supersede],
        State::Withdrawn => &[Withdraw],
    };
    let begun = History::begin(event(Step::Write, &author())).unwrap();
    steps
        .iter()
        .fold(begun, |history, step| history.step(event(*step, &releaser()), at(EXPIRES)).unwrap())
}

#[test]
fn every_step_from_every_state_is_as_drawn() {
    use State::{Draft, Evaluated, Expired, InEdition, Superseded, Validated, Withdrawn};
    let drawn = |state, step| match (state, step) {
        (Draft, Step::Evaluate) => Some(Evaluated),
        (Evaluated, Step::Validate) => Some(Validated),
        (Validated | InEdition, Step::Include) => Some(InEdition),
        (Draft | Evaluated | Validated | InEdition | Expired, Step::Supersede) => Some(Superseded),
        (Draft | Evaluated | Validated | InEdition | Expired, Step::Withdraw) => Some(Withdrawn),
        _ => None,
    };
    for (state, _) in State::NAMES {
        for (step, _, _) in Step::NAMES {
            let history = history(state);
            let expires = if state == Expired { at("2026-11-24") } else { at(EXPIRES) };
            assert_eq!(history.state(expires, at("2026-11-24")), state);
            // Writing is the first step or none; this person may not write at all.
            let by = if step == Step::Write { author() } else { releaser() };
            let after = history.step(event(step, &by), expires);
            match drawn(state, step) {
                Some(wanted) => assert_eq!(after.unwrap().state, wanted, "{state} {step}"),
                None => {
                    assert_eq!(after.unwrap_err().reason, Reason::SummaryState, "{state} {step}");
                }
            }
        }
    }
}

#[test]
fn who_wrote_it_never_checks_it() {
    let begun = history(State::Draft);
    let refused = |history: &History, step, by: &Identity| {
        history.step(event(step, by), at(EXPIRES)).unwrap_err().reason
    };
    assert_eq!(refused(&begun, Step::Evaluate, &author()), Reason::FourEyes);
    // The same person with another certificate is the same person.
    let twin = person("author", "releaser");
    assert_eq!(refused(&begun, Step::Evaluate, &twin), Reason::FourEyes);
    assert_eq!(refused(&history(State::Evaluated), Step::Validate, &twin), Reason::FourEyes);
    assert!(begun.step(event(Step::Evaluate, &person("other", "analyst")), at(EXPIRES)).is_ok());
}

#[test]
fn each_step_takes_its_role() {
    for role in ["analyst", "releaser", "auditor", "operator"] {
        let by = person("other", role);
        let may = |history: History, step| history.step(event(step, &by), at(EXPIRES)).is_ok();
        let staff = role == "analyst" || role == "releaser";
        assert_eq!(History::begin(event(Step::Write, &by)).is_ok(), role == "analyst", "{role}");
        assert_eq!(may(history(State::Draft), Step::Evaluate), staff, "{role}");
        assert_eq!(may(history(State::Evaluated), Step::Validate), role == "releaser", "{role}");
        assert_eq!(may(history(State::Validated), Step::Include), role == "releaser", "{role}");
        assert_eq!(may(history(State::Evaluated), Step::Withdraw), staff, "{role}");
        // What others rely on is taken back by a releaser alone.
        assert_eq!(may(history(State::Validated), Step::Withdraw), role == "releaser", "{role}");
    }
}

#[test]
fn the_day_of_review_ends_it_and_nothing_else_does() {
    let day = at(EXPIRES);
    assert_eq!(history(State::Validated).state(day, day.plus_s(-1)), State::Validated);
    assert_eq!(history(State::Validated).state(day, day), State::Expired);
    assert_eq!(history(State::Withdrawn).state(day, day), State::Withdrawn);
    assert_eq!(history(State::Superseded).state(day, day), State::Superseded);
}

#[test]
fn a_history_is_replayed_or_refused() {
    let whole = history(State::InEdition);
    let events: Vec<_> = whole.events().cloned().collect();
    assert_eq!(History::replay(events.clone()).unwrap(), whole);
    for wrong in [vec![], events[1..].to_vec(), vec![events[0].clone(), events[2].clone()]] {
        assert_eq!(History::replay(wrong).unwrap_err().reason, Reason::StoreFailed);
    }
}

#[test]
fn names_are_read_back() {
    for (state, name) in State::NAMES {
        assert_eq!(State::parse("state", name).unwrap(), state);
    }
    for (step, name, _) in Step::NAMES {
        assert_eq!(Step::parse("step", name).unwrap(), step);
    }
    assert!(State::parse("state", "finished").is_err());
}
