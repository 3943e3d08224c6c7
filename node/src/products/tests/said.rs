//! What the node says of a product: signed once, on record, and never what no step could hold.

use accord_proto::limits::{COMMENTS_MAX, WORD_BYTES_MAX, WORDS_MAX};

use super::*;

/// In a round of comments, at second 12.
async fn in_a_round() -> (Home, Dossier) {
    let home = Home::new();
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    home.turn_to(12);
    (home, dossier)
}

#[tokio::test]
async fn a_word_is_signed_once_on_record_as_a_disclosure_and_waits_until_a_step_has_it() {
    let (home, dossier) = in_a_round().await;
    let entries = home.journal();
    let digest = home.say("ana/analyst", 1, comment("Hm.")).await.unwrap();
    home.turn_to(13);
    // Whoever heard no answer says it again, with another nonce.
    assert_eq!(home.say("ana/analyst", 2, comment("Hm.")).await.unwrap(), digest, "twice is one");
    assert_eq!(home.journal(), entries + 1);
    let record = accord_proto::journal::Logged::decode(&home.node.store.entry(entries).unwrap())
        .unwrap()
        .entry;
    assert_eq!((record.act, record.digest), (Act::Disclosure, digest));

    let waits = waiting(&home.node, id()).unwrap();
    assert_eq!(waits.iter().map(|word| Digest::of(&word.payload)).collect::<Vec<_>>(), [digest]);
    let member = home.node.roster().member(home.node.name()).unwrap().clone();
    assert_eq!(Word::open(&waits[0], &member, home.node.lists).unwrap().said, comment("Hm."));
    let other = ProductId::parse("", OTHER).unwrap();
    assert!(waiting(&home.node, other).unwrap().is_empty(), "nobody has said anything of it");

    let closed = home.closed(&dossier, &own_words(&home.node, id()).unwrap());
    home.deliver(&closed).await.unwrap();
    assert!(waiting(&home.node, id()).unwrap().is_empty());
}

#[tokio::test]
async fn nobody_speaks_of_a_text_that_was_not_read_or_at_another_time_or_names_a_person() {
    let (home, _) = in_a_round().await;
    let (by, other) = (person("ana/analyst"), (id(), Digest([3; 32]), [1; 16]));
    let unread = say::say(&home.node, &by, other, comment("Hm.")).await;
    assert_eq!(reason(unread), Reason::ProductChanged);
    let said = async |by, said| reason(home.say(by, 1, said).await);
    assert_eq!(said("ana/releaser", endorse()).await, Reason::ProductState);
    assert_eq!(said("ana/analyst", endorse()).await, Reason::CertificateRole);
    let email = "Ask ana@police.example.";
    assert_eq!(said("ana/analyst", comment(email)).await, Reason::PersonalData);
    let feedback = Said::Feedback("planning".to_owned(), 4, email.to_owned());
    assert_eq!(said("ana/analyst", feedback).await, Reason::PersonalData);
    let Said::Comment(nowhere) = comment("Hm.") else { panic!() };
    let nowhere = Said::Comment(Comment { section: Some("gone".to_owned()), ..nowhere });
    assert_eq!(said("ana/analyst", nowhere).await, Reason::NotFound);
    assert_eq!(said("ana/analyst", Said::Report(vec![1])).await, Reason::FieldInvalid);
    home.turn_to(21);
    assert_eq!(said("ana/analyst", comment("Late.")).await, Reason::ProductState);
    assert!(waiting(&home.node, id()).unwrap().is_empty());
}

#[tokio::test]
async fn more_than_a_step_takes_in_or_than_can_be_read_again_is_not_signed() {
    let (home, dossier) = in_a_round().await;
    for number in 0..COMMENTS_MAX {
        let number = u8::try_from(number).unwrap();
        home.say("ana/analyst", number, comment(&format!("Hm {number}."))).await.unwrap();
    }
    assert_eq!(reason(home.say("ana/analyst", 255, comment("Hm!")).await), Reason::LimitExceeded);
    let long = Said::Contribution("More".to_owned(), "a".repeat(WORD_BYTES_MAX));
    assert_eq!(reason(home.say("ana/releaser", 254, long).await), Reason::LimitExceeded);
    for number in 0..WORDS_MAX {
        let said = Said::Contribution("More".to_owned(), format!("Point {number}."));
        home.say("ana/releaser", 0, said).await.unwrap();
    }
    let one_more = Said::Contribution("More".to_owned(), "One more.".to_owned());
    assert_eq!(reason(home.say("ana/releaser", 0, one_more).await), Reason::LimitExceeded);
    let own = own_words(&home.node, id()).unwrap();
    assert_eq!(own.len(), COMMENTS_MAX + WORDS_MAX);
    // The round ends, with all of them.
    let closed = home.closed(&dossier, &own);
    assert_eq!(closed.course().remarks.len(), COMMENTS_MAX);
    assert_eq!(home.deliver(&closed).await.unwrap().steps, 3);
}

#[tokio::test]
async fn the_newest_endorsement_counts_and_nobody_says_more_when_its_time_is_over() {
    let home = Home::new();
    let dossier = home.opened();
    home.deliver(&dossier).await.unwrap();
    home.turn_to(31);
    home.say("ana/releaser", 1, endorse()).await.unwrap();
    home.turn_to(32);
    let dissent = Said::Endorsement(Position::Dissent, "It is too early.".to_owned());
    let newest = home.say("bea/releaser", 2, dissent).await.unwrap();
    let own = own_words(&home.node, id()).unwrap();
    let roster = home.node.roster();
    let Deed::Close(close) = dossier.course().harvest_endorsement(&own, &roster) else { panic!() };
    let named: Vec<_> = close.endorsements.iter().map(|word| Digest::of(&word.payload)).collect();
    assert_eq!(named, [newest]);
    // Whoever comes back to what it said first says something new.
    home.turn_to(33);
    let back = home.say("ana/releaser", 3, endorse()).await.unwrap();
    assert_eq!(home.say("bea/releaser", 4, endorse()).await.unwrap(), back);
    assert_eq!(own_words(&home.node, id()).unwrap().len(), 3);
    home.turn_to(41);
    let text = Said::Endorsement(Position::Dissent, "Too late.".to_owned());
    assert_eq!(reason(home.say("ana/releaser", 5, text).await), Reason::ProductState);
}

#[tokio::test]
async fn a_word_under_a_key_that_was_replaced_is_signed_again() {
    let home = Home::new();
    let dossier = home.opened();
    home.deliver(&dossier).await.unwrap();
    home.turn_to(31);
    let dissent = || Said::Endorsement(Position::Dissent, "It is too early.".to_owned());
    let first = home.say("bea/releaser", 1, dissent()).await.unwrap();
    let [_, other, third] = [0, 1, 2].map(|at: usize| again(&home.keys[at]));
    let key = SecretKey::generate(&SystemEntropy).unwrap();
    home.renewed(32, &home.centre, &[key, other, third]);
    home.turn_to(33);
    let second = home.say("bea/releaser", 2, dissent()).await.unwrap();
    assert_ne!(second, first, "under the old key it counts no more");
    assert_eq!(home.say("bea/releaser", 3, dissent()).await.unwrap(), second);
}

#[test]
fn a_reply_holds_as_many_words_as_fit_and_no_more() {
    let word = || Envelope { payload: vec![0; WORD_BYTES_MAX], ..Default::default() };
    let mut reply = Reply::default();
    let mut count = 0;
    while reply.add(word()) {
        count += 1;
    }
    let words = reply.words();
    assert_eq!(words.len(), count);
    let whole = wire::product::CollectResponse { words }.encoded_len();
    assert!(whole <= REPLY_BYTES_MAX && whole > REPLY_BYTES_MAX - 3 * WORD_BYTES_MAX, "{whole}");
}
