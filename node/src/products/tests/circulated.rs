//! What the coordinator delivers: kept once, refused by name, never lost, and seen from its moment on.

use accord_proto::limits::ROSTER_GRACE_S;

use super::*;

#[tokio::test]
async fn a_product_is_kept_once_and_whoever_delivers_a_beginning_hears_what_is_held() {
    let home = Home::new();
    let dossier = home.circulated();
    let receipt = home.deliver(&dossier).await.unwrap();
    assert_eq!((receipt.steps, receipt.head), (2, dossier.head()));
    let entries = home.journal();
    assert_eq!(home.deliver(&dossier).await.unwrap(), receipt, "the same twice is one");
    assert_eq!(home.journal(), entries);

    home.turn_to(25);
    let closed = home.closed(&dossier, &[home.word(1, &dossier, (12, comment("Hm.")))]);
    assert_eq!(home.deliver(&closed).await.unwrap().steps, 3);
    assert_eq!(home.journal(), entries + 1);
    let shorter = home.deliver_file(&closed.write_first(2)).await.unwrap();
    assert_eq!((shorter.steps, shorter.head), (3, closed.head()), "nothing is lost");
    assert_eq!(home.journal(), entries + 1);
    assert_eq!(kept(&home.node, id()).unwrap().write(), closed.write());

    // What is acknowledged is there after a start, with its line.
    let line = home.node.store.product_line(id()).unwrap().unwrap();
    let Home { node, dir, .. } = home;
    let pinned = node.pinned.get();
    drop(node);
    let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
    let trust = Trust { root: &pinned.root, lists: Lists::builtin() };
    assert_eq!(store.product(id(), trust).unwrap().unwrap().write(), closed.write());
    assert_eq!(store.product_lines(None, 9).unwrap(), [(id(), line.clone())]);
    assert_eq!((line.entry.unwrap().steps, line.received_at_s), (3, at(0).as_s()));
}

#[tokio::test]
async fn a_second_chain_is_refused_and_put_on_record_once_and_the_first_one_stays() {
    let home = Home::new();
    let dossier = home.circulated();
    let closed = home.closed(&dossier, &[]);
    let other = home.closed(&dossier, &[home.word(1, &dossier, (12, comment("Hm.")))]);
    home.deliver(&closed).await.unwrap();
    let entries = home.journal();
    for _ in 0..2 {
        assert_eq!(reason(home.deliver(&other).await), Reason::ProductForked);
        assert_eq!(home.journal(), entries + 1);
    }
    let line = home.node.store.product_line(id()).unwrap().unwrap();
    assert_eq!(line.contradicted_by, other.head().0);
    assert_eq!(kept(&home.node, id()).unwrap().write(), closed.write());
    // A third one adds nothing: the centre does not fill the node with chains.
    let third = home.closed(&dossier, &[home.word(1, &dossier, (12, comment("Well.")))]);
    assert_eq!(reason(home.deliver(&third).await), Reason::ProductForked);
    assert_eq!(home.journal(), entries + 1);
    // Both are shown to whoever asks, each under the owner's signature.
    let pinned = home.node.pinned.get();
    let trust = Trust { root: &pinned.root, lists: Lists::builtin() };
    let second = Dossier::open(&second(&home.node, id()).unwrap(), trust).unwrap();
    assert_eq!(second.head(), other.head());
    assert_eq!(second.check_continues(&closed).unwrap_err().reason, Reason::ProductForked);
    // The evidence stays when the first one goes on.
    let longer = home.take(&closed, 21, Deed::Finalise(wire::product::Finalise {}));
    assert_eq!(home.deliver(&longer).await.unwrap().steps, 4);
    let line = home.node.store.product_line(id()).unwrap().unwrap();
    assert_eq!(line.contradicted_by, other.head().0);
}

#[tokio::test]
async fn what_this_node_has_not_said_at_home_is_not_put_into_its_mouth() {
    let home = Home::new();
    home.turn_to(12);
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    // Its very key has signed it, and nobody here has said it.
    let forged = home.word(0, &dossier, (12, comment("We agree.")));
    let closed = home.closed(&dossier, &[forged]);
    assert_eq!(reason(home.deliver(&closed).await), Reason::ProductFalse);
    assert_eq!(kept(&home.node, id()).unwrap().write(), dossier.write());

    home.say("ana/analyst", 1, comment("We do not.")).await.unwrap();
    let closed = home.closed(&dossier, &own_words(&home.node, id()).unwrap());
    assert_eq!(home.deliver(&closed).await.unwrap().steps, 3);
}

#[tokio::test]
async fn what_is_not_for_this_node_not_of_a_centre_or_not_whole_is_refused() {
    let home = Home::new();
    let others = home.begin(1, draft("coordinator", &MEMBERS[1..], "First."));
    let others = home.take(&others, 2, circulate(&others, 1, 10, 20));
    assert_eq!(reason(home.deliver(&others).await), Reason::RequirementNotForMember);

    let take = |hand: Hand<'_>| Dossier::begin(id(), draft("ba-police", &MEMBERS[1..2], "."), hand);
    let of_a_node = home.hand(1, &home.keys[1], take).unwrap();
    assert_eq!(reason(home.deliver(&of_a_node).await), Reason::AnswerIdentity);

    let (dossier, caller) = (home.circulated(), coordinator());
    let file = dossier.write();
    let other = ProductId::parse("", OTHER).unwrap();
    let named = take_in(&home.node, &caller, other, &file).await;
    assert_eq!(reason(named), Reason::FieldInvalid, "another one was announced");
    for cut in [0, 1, file.len() / 2, file.len() - 1] {
        assert!(home.deliver_file(&file[..cut]).await.is_err(), "{cut} bytes");
    }
    let strange = Home::new_with_root(77);
    let refused = strange.deliver(&dossier).await.unwrap_err();
    assert_eq!(refused.reason, Reason::ProductFalse, "no trouble of the node's own: {refused}");

    assert!(home.node.store.product_line(id()).unwrap().is_none());
    assert_eq!(home.journal(), 0);
    home.deliver(&dossier).await.unwrap();
}

#[tokio::test]
async fn whoever_is_not_asked_any_more_still_learns_what_has_become_of_it() {
    let home = Home::new();
    let bulletin = |members: &[(&str, &str)], text| {
        draft_of(wire::product::Kind::Bulletin, ("coordinator", members), text)
    };
    let dossier = home.begin(1, bulletin(&MEMBERS, "First."));
    let dossier = home.take(&dossier, 2, Deed::Finalise(wire::product::Finalise {}));
    let dossier = home.take(&dossier, 3, Deed::Draft(bulletin(&MEMBERS[1..], "Second.")));
    let dossier = home.take(&dossier, 4, Deed::Finalise(wire::product::Finalise {}));
    assert_eq!(home.deliver(&dossier).await.unwrap().steps, 4);
}

#[tokio::test]
async fn nothing_of_it_is_seen_before_its_moment() {
    let home = Home::new();
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    home.turn_to(9);
    assert_eq!(list(&home.node, None, 9).unwrap(), (Vec::new(), None));
    assert_eq!(reason(readable(&home.node, id())), Reason::ProductState);
    assert_eq!(reason(home.say("ana/analyst", 1, comment("Early.")).await), Reason::ProductState);
    home.turn_to(10);
    let (listed, _) = list(&home.node, None, 9).unwrap();
    assert_eq!(listed, [line(&dossier)]);
    assert_eq!(readable(&home.node, id()).unwrap().write(), dossier.write());

    // The next round has come, and its moment has not: the one before is seen as it was.
    let closed = home.closed(&dossier, &[]);
    let second = Deed::Draft(draft("coordinator", &MEMBERS, "Second."));
    let next = home.take(&closed, 21, second);
    let next = home.take(&next, 22, circulate(&next, 2, 100, 200));
    home.deliver(&next).await.unwrap();
    home.turn_to(99);
    let (listed, _) = list(&home.node, None, 9).unwrap();
    assert_eq!(listed, [line(&closed)]);
    assert_eq!(readable(&home.node, id()).unwrap().write(), closed.write());
    home.turn_to(100);
    let (listed, next_page) = list(&home.node, None, 1).unwrap();
    assert_eq!((listed, next_page), (vec![line(&next)], Some(id())));
    assert_eq!(list(&home.node, next_page, 1).unwrap(), (Vec::new(), None));
}

#[tokio::test]
async fn a_step_of_a_time_that_has_not_come_is_not_taken_in() {
    let home = Home::new();
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    // The centre ends the round before its time, and dates the step as if it were over.
    let early = home.take(&dossier, 1_000, dossier.course().harvest_round(&[], &[]));
    home.turn_to(12);
    assert_eq!(reason(home.deliver(&early).await), Reason::ClockSkew);
    assert_eq!(kept(&home.node, id()).unwrap().write(), dossier.write());
    home.turn_to(1_000);
    assert_eq!(home.deliver(&early).await.unwrap().steps, 3);
}

#[tokio::test]
async fn a_comment_that_is_told_without_its_name_is_told_with_its_words() {
    let home = Home::new();
    home.turn_to(12);
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    let Said::Comment(unnamed) = comment("Too long.") else { panic!("no comment") };
    let unnamed = Said::Comment(Comment { attributed: false, ..unnamed });
    home.say("ana/analyst", 1, unnamed).await.unwrap();
    let deed = dossier.course().harvest_round(&own_words(&home.node, id()).unwrap(), &[]);
    let Deed::CloseRound(mut reworded) = deed.clone() else { panic!("no end of a round") };
    let told = reworded.unattributed.first_mut().and_then(|of| of.comment.as_mut()).unwrap();
    told.text = "As it is.".to_owned();
    home.turn_to(20);
    let reworded = home.take(&dossier, 20, Deed::CloseRound(reworded));
    assert_eq!(reason(home.deliver(&reworded).await), Reason::ProductFalse);
    assert_eq!(home.deliver(&home.take(&dossier, 20, deed)).await.unwrap().steps, 3);
}

#[tokio::test]
async fn after_a_restore_a_node_finds_its_own_words_again() {
    let home = Home::new();
    home.turn_to(12);
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    let forgotten = home.word(0, &dossier, (12, comment("We do not.")));
    let closed = home.closed(&dossier, std::slice::from_ref(&forgotten));
    home.turn_to(20);
    assert_eq!(reason(home.deliver(&closed).await), Reason::ProductFalse);
    let mut change = home.node.store.begin().unwrap();
    change.doubt();
    change.commit(entry(&home.node, &coordinator(), Act::Alteration, &dossier)).unwrap();
    assert_eq!(home.deliver(&closed).await.unwrap().steps, 3);
    assert!(home.node.store.has_said(id(), forgotten.1.digest()).unwrap());
    assert!(kept(&home.node, id()).unwrap().course().left_out(&[forgotten]).is_empty());
}

#[tokio::test]
async fn a_restore_that_was_confirmed_keeps_no_product_out_that_holds_what_was_said_before() {
    let home = Home::new();
    home.turn_to(12);
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    let mut change = home.node.store.begin().unwrap();
    change.doubt();
    change.commit(entry(&home.node, &coordinator(), Act::Alteration, &dossier)).unwrap();
    home.turn_to(15);
    let releaser = person("bea/releaser");
    crate::desk::confirm::confirm(&home.node, &releaser, "looked at the centre").await.unwrap();
    home.turn_to(20);
    let later = home.word(0, &dossier, (18, comment("We do.")));
    let forged = home.closed(&dossier, &[later]);
    assert_eq!(reason(home.deliver(&forged).await), Reason::ProductFalse, "said since");
    let before = home.word(0, &dossier, (12, comment("We do not.")));
    let closed = home.closed(&dossier, &[before]);
    assert_eq!(home.deliver(&closed).await.unwrap().steps, 3);
}

#[tokio::test]
async fn an_owner_that_gets_the_roster_late_loses_nothing_and_a_key_of_the_past_makes_no_step() {
    let home = Home::new();
    home.turn_to(12);
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    let late = ROSTER_GRACE_S + 100;
    let closed = home.take(&dossier, late, dossier.course().harvest_round(&[], &[]));
    let ours = home.word(1, &dossier, (12, comment("Hm.")));
    let with_word = home.take(&dossier, late, dossier.course().harvest_round(&[ours], &[]));
    let fresh = || SecretKey::generate(&SystemEntropy).unwrap();
    let [own, _, third] = [0, 1, 2].map(|at: usize| again(&home.keys[at]));
    home.turn_to(late);
    // The centre's key was replaced, or that of whoever is said to have spoken.
    home.renewed(20, &fresh(), &[0, 1, 2].map(|at: usize| again(&home.keys[at])));
    assert_eq!(reason(home.deliver(&closed).await), Reason::RosterRollback);
    home.renewed(20, &home.centre, &[own, fresh(), third]);
    assert_eq!(reason(home.deliver(&with_word).await), Reason::RosterRollback);
    assert_eq!(home.deliver(&closed).await.unwrap().steps, 3);
}

#[tokio::test]
async fn a_node_whose_word_was_left_out_says_so_in_its_receipt() {
    let home = Home::new();
    home.turn_to(12);
    let dossier = home.circulated();
    assert_eq!(home.deliver(&dossier).await.unwrap().left_out, []);
    let said = home.say("ana/analyst", 1, comment("We do not agree.")).await.unwrap();
    home.turn_to(25);
    let without = home.closed(&dossier, &[]);
    assert_eq!(home.deliver(&without).await.unwrap().left_out, [said]);
}

#[tokio::test]
async fn a_node_says_no_more_than_its_share_of_a_product() {
    let home = Home::new();
    home.turn_to(12);
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    let long = |nonce: u8| Said::Contribution(format!("Part {nonce}"), "x".repeat(60_000));
    let most = dossier.course().share() / 60_000;
    let mut refused = None;
    for nonce in 0..=most {
        let nonce = u8::try_from(nonce).unwrap();
        refused = home.say("bea/releaser", nonce, long(nonce)).await.err();
        assert_eq!(refused.is_some(), usize::from(nonce) == most, "{nonce} of {most}");
    }
    assert_eq!(refused.unwrap().reason, Reason::LimitExceeded);
    // What counts most is said all the same.
    home.say("ana/analyst", 99, comment("Short.")).await.unwrap();
}
