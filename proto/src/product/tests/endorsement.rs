//! What an endorsement promises: it is of one text, counted by the product's own rule, and nobody signs for another.

use super::*;
use crate::taxonomy::JurisdictionCode;

fn outcome(dossier: &Dossier) -> Outcome {
    dossier.course().endorsed.as_ref().unwrap().outcome
}

fn code(text: &str) -> JurisdictionCode {
    JurisdictionCode::parse(text).unwrap()
}

#[test]
fn any_edit_voids_every_endorsement() {
    let region = Region::new();
    let before = region.opened(region.draft("First."));
    let words = region.all(&before, Position::Endorse);
    // The same text but for one letter.
    let after = region.opened(region.draft("First!"));
    let deed = after.course().harvest_endorsement(&words, &region.roster);
    let Deed::Close(close) = deed.clone() else { panic!() };
    assert_eq!(close.endorsements, [], "none of them is of this text");
    assert_eq!(outcome(&after.take(deed, region.hand(40)).unwrap()), Outcome::NotEndorsed);
    let forced = Deed::Close(product::Close {
        endorsements: words.iter().map(|(envelope, _)| envelope.clone()).collect(),
        outcome: product::Outcome::Endorsed.into(),
        ..close
    });
    assert_eq!(reason(after.take(forced, region.hand(40))), Reason::ProductFalse);
}

#[test]
fn jurisdictions_are_counted_and_the_strongest_word_of_their_nodes_is_theirs() {
    let region = Region::new();
    let dossier = region.opened(region.draft("First."));
    let words = [
        region.position("al-police", 31, &dossier, Position::Endorse),
        region.position("ba-border", 31, &dossier, Position::Dissent),
        region.position("ba-police", 31, &dossier, Position::Endorse),
        region.position("rs-police", 31, &dossier, Position::EndorseWithReservation),
    ];
    let dossier = region.closed(&dossier, &words, 35).unwrap();
    assert_eq!(outcome(&dossier), Outcome::EndorsedWithDissent, "all but one");
    let course = dossier.course();
    assert_eq!(course.position(code("BA")), Some(Position::Dissent));
    let said = &course.endorsed.as_ref().unwrap().stands[1].said;
    let said: Vec<_> = said.iter().map(|(node, _, text)| (node.as_str(), text.as_str())).collect();
    assert_eq!(said, [("ba-border", "ba-border has a reason"), ("ba-police", "")]);
}

#[test]
fn an_endorsement_ends_at_its_time_or_when_all_have_spoken() {
    let region = Region::new();
    let dossier = region.opened(region.draft("First."));
    let all = region.all(&dossier, Position::Endorse);
    assert_eq!(reason(region.closed(&dossier, &all[1..], 39)), Reason::ProductState);
    assert_eq!(outcome(&region.closed(&dossier, &all, 32).unwrap()), Outcome::Endorsed);
    assert_eq!(outcome(&region.closed(&dossier, &all[1..], 40).unwrap()), Outcome::Endorsed);
    // What is said after the time does not count, nor what was said before it was opened.
    let late = [region.position("al-police", 41, &dossier, Position::Endorse)];
    assert_eq!(outcome(&region.closed(&dossier, &late, 45).unwrap()), Outcome::NotEndorsed);
}

#[test]
fn silence_endorses_for_nobody_but_those_who_have_agreed_to_it() {
    let region = Region::new();
    let all = product::RuleKind::All;
    let dossier = region.opened(region.draft_by("First.", all, 0, true));
    let agrees = |node: &str| region.say(node, 31, &dossier, Said::AgreeToSilence);
    let mut words = vec![region.position("al-police", 31, &dossier, Position::Endorse)];
    words.extend([agrees("ba-border"), agrees("rs-police")]);
    let one_of_two = region.closed(&dossier, &words, 40).unwrap();
    assert_eq!(outcome(&one_of_two), Outcome::NotEndorsed, "one node of two has agreed");
    words.push(agrees("ba-police"));
    let closed = region.closed(&dossier, &words, 40).unwrap();
    assert_eq!(outcome(&closed), Outcome::Endorsed);
    let stands = &closed.course().endorsed.as_ref().unwrap().stands;
    let silent: Vec<_> = stands.iter().map(|stand| stand.by_silence).collect();
    assert_eq!(silent, [false, true, true]);
    // Whoever has agreed may still dissent.
    words.push(region.position("rs-police", 33, &dossier, Position::Dissent));
    assert_eq!(outcome(&region.closed(&dossier, &words, 40).unwrap()), Outcome::NotEndorsed);
    // By a rule without silence an agreement counts for nothing, and may not be brought.
    let strict = region.opened(region.draft_by("First.", all, 0, false));
    let word = region.say("al-police", 31, &strict, Said::AgreeToSilence);
    let Deed::Close(close) = strict.course().harvest_endorsement(&[], &region.roster) else {
        panic!()
    };
    let forced = Deed::Close(product::Close { agreements: vec![word.0], ..close });
    assert_eq!(reason(strict.take(forced, region.hand(40))), Reason::ProductFalse);
}

#[test]
fn the_outcome_is_what_the_rule_makes_of_the_words() {
    use super::super::rule::{Rule, Wanted};
    use Position::{Abstain, Dissent, Endorse, EndorseWithReservation};
    let table: [(Wanted, [Option<Position>; 3], Outcome); 10] = [
        (Wanted::All, [Some(Endorse); 3], Outcome::Endorsed),
        (
            Wanted::All,
            [Some(Endorse), Some(EndorseWithReservation), Some(Endorse)],
            Outcome::Endorsed,
        ),
        (Wanted::All, [Some(Endorse), Some(Abstain), Some(Endorse)], Outcome::NotEndorsed),
        (Wanted::All, [Some(Endorse), None, Some(Endorse)], Outcome::NotEndorsed),
        (Wanted::AllBut(1), [Some(Endorse), None, Some(Endorse)], Outcome::Endorsed),
        (
            Wanted::AllBut(1),
            [Some(Endorse), Some(Dissent), Some(Endorse)],
            Outcome::EndorsedWithDissent,
        ),
        (Wanted::AllBut(1), [None, Some(Dissent), Some(Endorse)], Outcome::NotEndorsed),
        (Wanted::Quorum(1), [None, Some(Abstain), Some(Endorse)], Outcome::Endorsed),
        (
            Wanted::Quorum(2),
            [Some(Dissent), Some(Endorse), Some(Endorse)],
            Outcome::EndorsedWithDissent,
        ),
        (Wanted::Quorum(1), [None; 3], Outcome::NotEndorsed),
    ];
    for (wanted, positions, outcome) in table {
        let positions = ["AL", "BA", "RS"].map(code).into_iter().zip(positions).collect();
        let rule = Rule { wanted, silence: false };
        assert_eq!(rule.outcome(&positions, |_| true), outcome, "{wanted:?} {positions:?}");
    }
}

#[test]
fn nobody_signs_for_another_member() {
    let region = Region::new();
    let dossier = region.opened(region.draft("First."));
    let (_, word) = region.position("rs-police", 31, &dossier, Position::Endorse);
    let forged = word.sign(&region.keys["al-police"]);
    let deed = dossier.course().harvest_endorsement(&[(forged, word)], &region.roster);
    assert_eq!(reason(dossier.take(deed, region.hand(40))), Reason::SignatureInvalid);
}

#[test]
fn a_word_that_a_later_one_has_replaced_waits_for_no_step() {
    let region = Region::new();
    let dossier = region.opened(region.draft("First."));
    let first = region.position("rs-police", 31, &dossier, Position::Endorse);
    let last = region.position("rs-police", 32, &dossier, Position::Dissent);
    let words = [region.all(&dossier, Position::Endorse), vec![first.clone(), last.clone()]];
    let waits = |dossier: &Dossier| [&first, &last].map(|(_, word)| dossier.course().waits(word));
    assert_eq!(waits(&dossier), [true, true], "either may count as long as it is open");
    let closed = region.closed(&dossier, &words.concat(), 35).unwrap();
    assert_eq!(waits(&closed), [false, false]);
    let feedback = Said::Feedback("planning".to_owned(), 4, String::new());
    let beside = region.say("rs-police", 36, &closed, feedback);
    assert!(closed.course().waits(&beside.1), "published it may be taken in");
}
