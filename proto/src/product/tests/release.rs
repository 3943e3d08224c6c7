//! What a release promises: it withholds sections and nothing that a member has signed, and a changed byte is found.

use super::*;
use crate::product::{
    release::{self, Release},
    rendition::Extent,
};

fn opened(region: &Region, file: &[u8]) -> Result<Release, Invalid> {
    let root = region.root.public();
    Release::open(file, Trust { root: &root, lists: Lists::builtin() })
}

#[test]
fn a_public_release_withholds_a_section_and_no_reservation() {
    let region = Region::new();
    let dossier = region.published();
    let file = release::write(&dossier, Extent::Public).unwrap();
    let release = opened(&region, &file).unwrap();
    let names: Vec<_> = release
        .sections
        .iter()
        .map(|section| section.as_ref().map(|section| section.name.as_str()))
        .collect();
    assert_eq!(names, [Some("open"), None]);
    assert!(!String::from_utf8_lossy(&file).contains("First."), "nothing of it is there");
    assert_eq!(release.endorsed, dossier.course().endorsed);
    let words: Vec<_> = release
        .endorsed
        .iter()
        .flat_map(|endorsed| &endorsed.stands)
        .flat_map(|stand| &stand.said)
        .filter(|(_, _, text)| !text.is_empty())
        .map(|(_, _, text)| text.as_str())
        .collect();
    assert_eq!(words, ["al-police has a reason", "rs-police has a reason"]);
    let whole = opened(&region, &release::write(&dossier, Extent::Restricted).unwrap()).unwrap();
    assert!(whole.sections.iter().all(Option::is_some));
}

#[test]
fn changing_any_byte_of_a_release_is_found() {
    let region = Region::new();
    let file = release::write(&region.published(), Extent::Public).unwrap();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(opened(&region, &changed).is_err(), "byte {at} of {}", file.len());
    }
}

#[test]
fn a_reservation_cannot_be_stripped() {
    let region = Region::new();
    let file = release::write(&region.published(), Extent::Restricted).unwrap();
    let whole = product::Release::decode(file.as_slice()).unwrap();
    // The owner itself signs the end of the endorsement once more, without the reservation, or with another outcome.
    let step = product::Step::decode(whole.steps[0].payload.as_slice()).unwrap();
    let Some(product::step::Deed::Close(close)) = step.deed.clone() else { panic!() };
    let resigned = |close: product::Close| {
        let step = product::Step { deed: Some(product::step::Deed::Close(close)), ..step.clone() };
        let mut release = whole.clone();
        release.steps[0] = region.centre.sign(crate::seal::Kind::ProductStep, step.encode_to_vec());
        opened(&region, &release.encode_to_vec())
    };
    let mut without = close.clone();
    without.endorsements.remove(0);
    assert_eq!(reason(resigned(without)), Reason::ProductFalse);
    let mut reworded = close.clone();
    let word = Word::unchecked(&reworded.endorsements[0], Lists::builtin()).unwrap();
    let milder = Word { said: Said::Endorsement(Position::Endorse, String::new()), ..word };
    reworded.endorsements[0] = milder.sign(&region.centre);
    assert_eq!(reason(resigned(reworded)), Reason::SignatureInvalid);
    let stated = product::Close { outcome: product::Outcome::Endorsed.into(), ..close.clone() };
    assert_eq!(reason(resigned(stated)), Reason::ProductFalse);
    // Publication names the end of the endorsement by its digest, so not even the very same words in another step pass.
    let step = product::Step { at_s: step.at_s + 1, ..step };
    let mut release = whole.clone();
    release.steps[0] = region.centre.sign(crate::seal::Kind::ProductStep, step.encode_to_vec());
    assert_eq!(reason(opened(&region, &release.encode_to_vec())), Reason::ProductFalse);
}

#[test]
fn errata_and_a_recall_travel_with_it() {
    let region = Region::new();
    let published = region.published();
    let corrected = published
        .take(
            Deed::Correct(product::Correct {
                section: "inner".to_owned(),
                text: "Read: second.".to_owned(),
            }),
            region.hand(60),
        )
        .unwrap();
    let word = region.say(
        "al-police",
        61,
        &corrected,
        Said::Feedback("planning".to_owned(), 4, String::new()),
    );
    let heard = corrected.course().harvest_beside(&[word]).unwrap();
    let heard = corrected.take(heard, region.hand(62)).unwrap();
    let recall = Deed::Recall(product::Recall { why: "The figures were withdrawn.".to_owned() });
    let recalled = heard.take(recall, region.hand(70)).unwrap();
    let opened_as = |extent| opened(&region, &release::write(&recalled, extent).unwrap()).unwrap();
    let release = opened_as(Extent::Restricted);
    assert_eq!(release.state, State::Recalled);
    assert_eq!(release.errata[0].text, "Read: second.");
    assert_eq!(release.recalled.as_deref(), Some("The figures were withdrawn."));
    assert_eq!(release.as_of, at(70));
    // What is corrected in a section that is withheld is withheld with it.
    assert_eq!(opened_as(Extent::Public).errata, []);
    let opened = region.opened(region.draft("First."));
    assert_eq!(reason(release::write(&opened, Extent::Public)), Reason::ProductState);
}

#[test]
fn a_guest_reads_the_draft_of_the_round_as_far_as_its_rendition_goes() {
    let region = Region::new();
    let dossier = region.circulated();
    let agency = dossier.course().content.extent_for(&name("agency"));
    assert_eq!(agency, Some(Extent::Restricted));
    assert_eq!(dossier.course().content.extent_for(&name("donor")), Some(Extent::Public));
    assert_eq!(dossier.course().content.extent_for(&name("nobody")), None);
    let release = opened(&region, &release::write(&dossier, Extent::Public).unwrap()).unwrap();
    assert_eq!((release.state, release.endorsed), (State::Circulated, None));
    assert_eq!(release.sections.iter().flatten().count(), 1);
    // Nobody is invited who could not read it.
    let draft = region.begin(region.draft("First."));
    let Deed::Circulate(mut invited) = circulate(&draft, 1, 10, 20) else { panic!() };
    invited.guests = vec!["nobody".to_owned()];
    let refused = draft.take(Deed::Circulate(invited), region.hand(10));
    assert_eq!(reason(refused), Reason::NotFound);
}

#[test]
fn a_public_release_tells_nothing_of_the_other_rendition() {
    let region = Region::new();
    let file = release::write(&region.published(), Extent::Public).unwrap();
    let text = String::from_utf8_lossy(&file);
    assert!(text.contains("donor") && !text.contains("agency") && !text.contains("POLICE"));
    let release = opened(&region, &file).unwrap();
    let extents: Vec<_> = release.content.renditions.iter().map(|of| of.extent).collect();
    assert_eq!(extents, [Extent::Public]);
    // With the other one in it it is refused, and without its own as well.
    let whole = product::Release::decode(file.as_slice()).unwrap();
    let restricted = release::write(&region.published(), Extent::Restricted).unwrap();
    let restricted = product::Release::decode(restricted.as_slice()).unwrap();
    for renditions in [
        vec![Vec::new(), Vec::new()],
        vec![whole.text.as_ref().unwrap().renditions[0].clone(), {
            restricted.text.as_ref().unwrap().renditions[1].clone()
        }],
    ] {
        let text = product::Text { renditions, ..whole.text.clone().unwrap() };
        let forged = product::Release { text: Some(text), ..whole.clone() };
        assert_eq!(reason(opened(&region, &forged.encode_to_vec())), Reason::ProductFalse);
    }
}

#[test]
fn who_was_shown_another_end_of_the_endorsement_is_seen_to_have_confirmed_none() {
    let region = Region::new();
    let opened_for = region.opened(region.draft("First."));
    let words = region.all(&opened_for, Position::Endorse);
    // Two ends of one endorsement, for two members: the second keeps a dissent back.
    let one = region.closed(&opened_for, &words, 35).unwrap();
    let other = region.closed(&opened_for, &words[..3], 40).unwrap();
    let Deed::Publish(publish) = publish(&one, 50) else { panic!() };
    let with = |receipts: Vec<Envelope>| {
        one.take(Deed::Publish(product::Publish { receipts, ..publish.clone() }), region.hand(50))
    };
    let [al, rs] = [&one, &other].map(|of| {
        let node = if of.head() == one.head() { "al-police" } else { "rs-police" };
        region.receipt(node, of, Vec::new())
    });
    assert_eq!(reason(with(vec![al.clone(), rs])), Reason::ProductFalse, "it confirms the other");
    assert_eq!(reason(with(vec![al.clone(), al.clone()])), Reason::FieldInvalid, "one each");
    let mut forged = al.clone();
    forged.payload[3] ^= 1;
    assert!(with(vec![forged]).is_err());
    let published = with(vec![al]).unwrap();
    let file = release::write(&published, Extent::Public).unwrap();
    let confirmed = opened(&region, &file).unwrap().confirmed.unwrap();
    assert_eq!(confirmed.keys().map(Name::as_str).collect::<Vec<_>>(), ["al-police"]);
    // Nobody at all has confirmed it, and putting it away hides nothing.
    let alone = with(Vec::new()).unwrap();
    let away = Deed::Archive(product::Archive { why: "Over.".to_owned() });
    let away = alone.take(away, region.hand(60)).unwrap();
    let release = opened(&region, &release::write(&away, Extent::Public).unwrap()).unwrap();
    assert_eq!((release.state, release.confirmed.unwrap().len()), (State::Archived, 0));
}

#[test]
fn a_member_whose_word_was_left_out_says_so_in_every_release() {
    let region = Region::new();
    let dossier = region.opened(region.draft("First."));
    let words = region.all(&dossier, Position::Endorse);
    let dissent = region.position("rs-police", 32, &dossier, Position::Dissent);
    let closed = region.closed(&dossier, &words[..3], 40).unwrap();
    let own = [dissent.clone()];
    let missing: Vec<_> =
        closed.course().left_out(&own).into_iter().map(|(_, word)| word.digest()).collect();
    assert_eq!(missing, [dissent.1.digest()]);
    let Deed::Publish(publish) = publish(&closed, 50) else { panic!() };
    let receipts = vec![region.receipt("rs-police", &closed, missing.clone())];
    let publish = Deed::Publish(product::Publish { receipts, ..publish });
    let published = closed.take(publish, region.hand(50)).unwrap();
    let release = release::write(&published, Extent::Public).unwrap();
    assert_eq!(
        opened(&region, &release).unwrap().confirmed.unwrap(),
        [(name("rs-police"), missing)].into()
    );
}

#[test]
fn nothing_comes_between_the_end_of_an_endorsement_and_its_publication() {
    let region = Region::new();
    let dossier = region.opened(region.draft("First."));
    let closed = region.closed(&dossier, &region.all(&dossier, Position::Endorse), 35).unwrap();
    let more = Said::Contribution("More".to_owned(), "It goes on.".to_owned());
    let word = region.say("al-police", 36, &closed, more);
    let heard = closed.course().harvest_beside(&[word]).unwrap();
    assert_eq!(reason(closed.take(heard, region.hand(37))), Reason::ProductState);
    // A release whose publication has another number does not pass, whatever stood between.
    let file = release::write(&region.published(), Extent::Public).unwrap();
    let mut forged = product::Release::decode(file.as_slice()).unwrap();
    let mut step = product::Step::decode(forged.steps[1].payload.as_slice()).unwrap();
    step.number += 1;
    // Without receipts, which would give it away by themselves.
    let Some(product::step::Deed::Publish(publish)) = &mut step.deed else { panic!() };
    publish.receipts.clear();
    forged.steps[1] = region.centre.sign(crate::seal::Kind::ProductStep, step.encode_to_vec());
    assert_eq!(reason(opened(&region, &forged.encode_to_vec())), Reason::ProductFalse);
}

#[test]
fn nobody_on_its_way_takes_a_section_out_of_a_release() {
    let region = Region::new();
    let dossier = region.published();
    for (extent, at) in [(Extent::Restricted, 0), (Extent::Restricted, 1), (Extent::Public, 0)] {
        let file = release::write(&dossier, extent).unwrap();
        let mut changed = product::Release::decode(file.as_slice()).unwrap();
        changed.text.as_mut().unwrap().sections[at].clear();
        assert_eq!(reason(opened(&region, &changed.encode_to_vec())), Reason::ProductFalse);
    }
    // Nor does a content pass whose sections are of another extent than it says: what is public stays so in every release.
    let other = region.rewritten(region.draft("First."), |content| content.extents.reverse());
    let begun = Dossier::begin(dossier.product(), other, region.hand(1));
    assert_eq!(reason(begun), Reason::ProductFalse);
}

#[test]
fn what_is_recalled_is_not_made_good_by_a_step_that_no_product_may_take() {
    let region = Region::new();
    let recall = Deed::Recall(product::Recall { why: "The figures were withdrawn.".to_owned() });
    let recalled = region.published().take(recall, region.hand(60)).unwrap();
    let correct = product::Correct { section: String::new(), text: "All is well.".to_owned() };
    let refused = recalled.take(Deed::Correct(correct.clone()), region.hand(70));
    assert_eq!(reason(refused), Reason::ProductState);
    // Its owner signs it all the same, for readers who hold no chain.
    let file = release::write(&recalled, Extent::Public).unwrap();
    let mut forged = product::Release::decode(file.as_slice()).unwrap();
    let last = forged.steps.last().unwrap();
    let step = product::Step::decode(last.payload.as_slice()).unwrap();
    let step = product::Step {
        number: step.number + 1,
        previous_sha256: Digest::of(&last.payload).0.to_vec(),
        deed: Some(product::step::Deed::Correct(correct)),
        ..step
    };
    let signed = region.centre.sign(crate::seal::Kind::ProductStep, step.encode_to_vec());
    forged.steps.push(signed);
    assert_eq!(reason(opened(&region, &forged.encode_to_vec())), Reason::ProductFalse);
}
