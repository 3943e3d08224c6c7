//! What a chain promises: whoever holds it finds the same, and no step is left out, moved or put in.

use super::*;

#[test]
fn whoever_holds_the_file_finds_the_same() {
    let region = Region::new();
    let dossier = region.published();
    let again = region.open(&dossier.write()).unwrap();
    assert_eq!(again.course(), dossier.course());
    assert_eq!(again.write(), dossier.write());
    assert_eq!(dossier.course().state, State::Published);
}

#[test]
fn changing_any_byte_of_a_product_is_found() {
    let region = Region::new();
    let file = region.published().write();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(region.open(&changed).is_err(), "byte {at} of {}", file.len());
    }
}

#[test]
fn no_step_can_be_left_out_moved_or_put_in_by_another_hand() {
    let region = Region::new();
    let dossier = region.published();
    let file: product::Dossier = product::Dossier::decode(dossier.write().as_slice()).unwrap();
    for gone in 0..file.steps.len() - 1 {
        let mut cut = file.clone();
        cut.steps.remove(gone);
        assert!(region.open(&cut.encode_to_vec()).is_err(), "without step {gone}");
        let mut moved = file.clone();
        moved.steps.swap(gone, gone + 1);
        assert!(region.open(&moved.encode_to_vec()).is_err(), "with step {gone} later");
    }
    // Another key than the owner's signs the last one.
    let mut forged = file.clone();
    let last = forged.steps.pop().unwrap();
    forged.steps.push(region.keys["al-police"].sign(crate::seal::Kind::ProductStep, last.payload));
    assert_eq!(reason(region.open(&forged.encode_to_vec())), Reason::SignatureInvalid);
}

#[test]
fn two_chains_of_one_product_do_not_continue_each_other() {
    let region = Region::new();
    let dossier = region.circulated();
    let closed = dossier.take(dossier.course().harvest_round(&[], &[]), region.hand(20)).unwrap();
    let word = region.say("al-police", 11, &dossier, comment(1, "Hm.", true));
    let deed = dossier.course().harvest_round(&[word], &[]);
    let other = dossier.take(deed, region.hand(21)).unwrap();
    closed.check_continues(&dossier).unwrap();
    closed.check_continues(&closed).unwrap();
    assert_eq!(reason(other.check_continues(&closed)), Reason::ProductForked);
    assert_eq!(reason(dossier.check_continues(&closed)), Reason::ProductForked, "shorter");
}

#[test]
fn a_step_that_was_refused_leaves_everything_as_it_was() {
    let region = Region::new();
    let dossier = region.circulated();
    let before = dossier.write();
    for deed in [
        circulate(&dossier, 2, 30, 40),
        open(&dossier, 40),
        publish(&dossier, 40),
        Deed::Finalise(product::Finalise {}),
        Deed::Recall(product::Recall { why: "x".to_owned() }),
        Deed::Draft(region.draft("Second.")),
    ] {
        assert_eq!(reason(dossier.take(deed, region.hand(15))), Reason::ProductState);
    }
    assert_eq!(dossier.write(), before);
}

#[test]
fn everybody_reads_it_at_the_same_moment_and_no_text_before_it_is_circulated() {
    let region = Region::new();
    let draft = region.begin(region.draft("First."));
    assert_eq!((draft.told(), draft.readable(at(1_000))), (0, 0));
    let dossier = region.circulated();
    assert_eq!(dossier.told(), 2);
    assert_eq!(dossier.readable(at(9)), 0);
    assert_eq!(dossier.readable(at(10)), 2);
    let dossier = dossier.take(dossier.course().harvest_round(&[], &[]), region.hand(20)).unwrap();
    let dossier = dossier.take(Deed::Draft(region.draft("Second.")), region.hand(21)).unwrap();
    assert_eq!(dossier.told(), 3, "what is being written is not told");
    assert_eq!(region.open(&dossier.write_first(3)).unwrap().steps().len(), 3);
    let dossier = dossier.take(circulate(&dossier, 2, 100, 200), region.hand(30)).unwrap();
    assert_eq!((dossier.told(), dossier.readable(at(99))), (5, 3));
    assert_eq!(dossier.readable(at(100)), 5);
}

#[test]
fn a_product_of_a_node_is_signed_and_reviewed_by_itself_alone() {
    let region = Region::new();
    let draft = region.rewritten(region.draft("At home."), |content| {
        content.owner = "al-police".to_owned();
        let kind = product::RuleKind::All.into();
        content.rule = Some(product::Rule { kind, ..Default::default() });
    });
    let hand = Hand { key: &region.keys["al-police"], ..region.hand(1) };
    let id = ProductId::parse("", PRODUCT).unwrap();
    assert_eq!(reason(Dossier::begin(id, draft.clone(), hand)), Reason::FieldInvalid, "of others");
    let alone = |content: &mut product::Content| content.members = vec!["al-police".to_owned()];
    let draft = region.rewritten(draft, alone);
    assert!(Dossier::begin(id, draft.clone(), hand).is_ok());
    assert_eq!(reason(Dossier::begin(id, draft, region.hand(1))), Reason::SignatureInvalid);
}

#[test]
fn a_roster_that_did_not_count_then_signs_nothing() {
    let region = Region::new();
    let dossier = region.circulated();
    let deed = || dossier.course().harvest_round(&[], &[]);
    let late = region.hand(91 * 86_400);
    assert_eq!(reason(dossier.take(deed(), late)), Reason::RosterInvalid);
    // Nor does one of another root.
    let other = Region { root: SecretKey::generate(&region.entropy).unwrap(), ..Region::new() };
    assert_eq!(reason(other.open(&dossier.write())), Reason::RosterInvalid);
}
