//! What a round promises: every comment stands in it once and waits for a decision, and only its author knows one that is not attributed.

use super::*;
use crate::{
    limits::{
        CLOSING_BYTES_MAX, COMMENTS_MAX, DOSSIER_BYTES_MAX, EMBARGO_DAYS_MAX,
        PRODUCT_TEXT_CHARS_MAX, SAID_BYTES_MAX, WORDS_MAX,
    },
    product::{
        course::{Decision, Speaker},
        difference::{Change, Line},
        harvest::Gathered,
    },
};

#[test]
fn comments_of_a_round_stand_in_it_and_wait_for_a_decision_each() {
    let region = Region::new();
    let dossier = region.circulated();
    let words = [
        region.say("al-police", 11, &dossier, comment(1, "Too short.", true)),
        region.say("rs-police", 12, &dossier, comment(1, "Too long.", false)),
        // Too late, of another round, and of another text: they do not belong.
        region.say("rs-police", 21, &dossier, comment(1, "Late.", true)),
        region.say("rs-police", 12, &dossier, comment(2, "Next.", true)),
    ];
    let guest = product::GuestComment {
        reader: "agency".to_owned(),
        at_s: at(12).as_s(),
        comment: Some(product::Comment {
            round: 1,
            language: "en".to_owned(),
            text: "Good.".to_owned(),
            attributed: true,
            ..Default::default()
        }),
    };
    let deed = dossier.course().harvest_round(&words, std::slice::from_ref(&guest));
    assert_eq!(reason(dossier.take(deed.clone(), region.hand(19))), Reason::ProductState, "early");
    let dossier = dossier.take(deed, region.hand(20)).unwrap();
    let course = dossier.course();
    let said: BTreeMap<_, _> =
        course.remarks.iter().map(|of| (of.comment.text.as_str(), &of.speaker)).collect();
    assert_eq!(said.len(), 3);
    assert!(matches!(said["Too short."], Speaker::Member(node, _) if node.as_str() == "al-police"));
    assert_eq!(said["Too long."], &Speaker::Unattributed);
    assert!(matches!(said["Good."], Speaker::Reader(reader) if reader.as_str() == "agency"));

    // Nothing goes on before all are decided; each once.
    let finalise = || Deed::Finalise(product::Finalise {});
    assert_eq!(reason(dossier.take(finalise(), region.hand(22))), Reason::ProductState);
    let mut dossier = dossier;
    for digest in course_digests(&dossier) {
        let deed = resolve(digest);
        dossier = dossier.take(deed.clone(), region.hand(22)).unwrap();
        assert_eq!(reason(dossier.take(deed, region.hand(22))), Reason::ProductState);
    }
    assert!(dossier.course().remarks.iter().all(|of| {
        of.resolution == Some((Decision::Partly, "As far as figures go.".to_owned()))
    }));
    assert_eq!(reason(dossier.take(resolve(Digest::of(b"x")), region.hand(22))), Reason::NotFound);
    assert!(dossier.take(finalise(), region.hand(23)).is_ok());
}

fn gathered(waiting: &[Waiting]) -> Gathered<'_> {
    Gathered { waiting, ..Gathered::default() }
}

fn course_digests(dossier: &Dossier) -> Vec<Digest> {
    dossier.course().remarks.iter().map(|remark| remark.digest).collect()
}

fn resolve(digest: Digest) -> Deed {
    let resolution = product::Resolution {
        comment_sha256: digest.0.to_vec(),
        decision: Decision::Partly.to_wire().into(),
        text: "As far as figures go.".to_owned(),
    };
    Deed::Resolve(product::Resolve { resolutions: vec![resolution] })
}

#[test]
fn nobody_but_its_author_finds_whose_a_comment_is_that_is_not_attributed() {
    let region = Region::new();
    let dossier = region.circulated();
    let word = region.say("rs-police", 12, &dossier, comment(1, "We do not agree.", false));
    let deed = dossier.course().harvest_round(std::slice::from_ref(&word), &[]);
    let dossier = dossier.take(deed, region.hand(20)).unwrap();
    let file = dossier.write();
    let signature = &word.0.signatures[0].signature;
    let nonce = word.1.nonce;
    for secret in [signature.as_slice(), &nonce] {
        assert!(!file.windows(secret.len()).any(|window| window == secret));
    }
    // Without the nonce no other node is a better guess.
    assert!(
        dossier.course().left_out(std::slice::from_ref(&word)).is_empty(),
        "its author finds it"
    );
    let guess = Word { nonce: [0; 16], ..word.1 };
    assert!(!dossier.course().taken.contains(&guess.digest()));
    // And it may not be told with its author by mistake.
    let told = region.circulated();
    let word = region.say("rs-police", 12, &told, comment(1, "No.", false));
    let deed =
        Deed::CloseRound(product::CloseRound { comments: vec![word.0], ..Default::default() });
    assert_eq!(reason(told.take(deed, region.hand(20))), Reason::ProductFalse);
}

#[test]
fn a_member_finds_that_its_words_were_left_out() {
    let region = Region::new();
    let dossier = region.circulated();
    let word = region.say("rs-police", 12, &dossier, comment(1, "Hear me.", true));
    let own = [word];
    assert!(dossier.course().left_out(&own).is_empty(), "the round is open");
    let without = dossier.take(dossier.course().harvest_round(&[], &[]), region.hand(20)).unwrap();
    assert_eq!(without.course().left_out(&own).len(), 1);
    let with = dossier.take(dossier.course().harvest_round(&own, &[]), region.hand(20)).unwrap();
    assert!(with.course().left_out(&own).is_empty());

    let opened = region.opened(region.draft("First."));
    let first = region.position("rs-police", 31, &opened, Position::Endorse);
    let last = region.position("rs-police", 32, &opened, Position::Dissent);
    let own = [first.clone(), last];
    let stale = opened.course().harvest_endorsement(&[first], &region.roster);
    let stale = opened.take(stale, region.hand(40)).unwrap();
    assert_eq!(stale.course().left_out(&own).len(), 1, "its last position was not counted");
}

#[test]
fn a_word_is_taken_in_once_whatever_comes_twice_late_or_in_another_order() {
    let region = Region::new();
    let dossier = region.circulated();
    let words: Vec<_> = (0..3)
        .map(|number| {
            region.say(
                "rs-police",
                12,
                &dossier,
                comment(1, &format!("Point {number}."), number > 0),
            )
        })
        .collect();
    let once = dossier.course().harvest_round(&words, &[]);
    let twice: Vec<_> = words.iter().rev().chain(&words).cloned().collect();
    assert_eq!(dossier.course().harvest_round(&twice, &[]), once);
    let closed = dossier.take(once, region.hand(20)).unwrap();
    // In the next round they are replayed: nothing comes of it.
    let mut dossier = closed;
    for digest in course_digests(&dossier) {
        dossier = dossier.take(resolve(digest), region.hand(21)).unwrap();
    }
    let dossier = dossier.take(Deed::Draft(region.draft("Second.")), region.hand(22)).unwrap();
    let dossier = dossier.take(circulate(&dossier, 2, 30, 40), region.hand(30)).unwrap();
    let Deed::CloseRound(close) = dossier.course().harvest_round(&words, &[]) else { panic!() };
    assert_eq!(close, product::CloseRound::default());
    let replayed = product::CloseRound { comments: vec![words[1].0.clone()], ..close };
    let replayed = dossier.take(Deed::CloseRound(replayed), region.hand(40));
    assert_eq!(reason(replayed), Reason::ProductFalse);
}

#[test]
fn members_that_were_asked_stay_and_one_of_them_cannot_flood_a_round() {
    let region = Region::new();
    let dossier = region.circulated();
    let words: Vec<_> = (0..=COMMENTS_MAX)
        .map(|_| region.say("rs-police", 12, &dossier, comment(1, "Again.", true)))
        .collect();
    let mut comments: Vec<_> = words.iter().map(|(envelope, _)| envelope.clone()).collect();
    comments.sort_by_key(|envelope| Digest::of(&envelope.payload));
    let all = product::CloseRound { comments, ..Default::default() };
    let refused = dossier.take(Deed::CloseRound(all), region.hand(20));
    assert_eq!(reason(refused), Reason::LimitExceeded);
    // Whoever tries it keeps nobody else out: the round ends with the most that it may say, and it sees what was left out.
    let other = region.say("al-police", 13, &dossier, comment(1, "Once.", false));
    let said = [words.clone(), vec![other]].concat();
    let closed = dossier.take(dossier.course().harvest_round(&said, &[]), region.hand(20)).unwrap();
    assert_eq!(closed.course().remarks.len(), COMMENTS_MAX + 1);
    assert_eq!(closed.course().left_out(&words).len(), 1);
    let draft = region.rewritten(region.draft("Without one of them."), |content| {
        content.members.retain(|node| node != "rs-police");
    });
    let refused = closed.take(Deed::Draft(draft), region.hand(21));
    assert_eq!(reason(refused), Reason::ProductFalse);
}

#[test]
fn one_word_that_no_step_may_hold_keeps_no_other_out() {
    let region = Region::new();
    let dossier = region.circulated();
    let sound = region.say("al-police", 12, &dossier, comment(1, "Hm.", true));
    let Said::Comment(elsewhere) = comment(1, "Nowhere.", true) else { panic!() };
    let elsewhere = Said::Comment(Comment { section: Some("gone".to_owned()), ..elsewhere });
    let (_, forged) = region.say("ba-police", 12, &dossier, comment(1, "Not mine.", true));
    let (_, stranger) = region.say("ba-border", 12, &dossier, comment(1, "Who?", false));
    let stranger = Word { node: name("ba-navy"), ..stranger };
    let words = [
        sound.clone(),
        region.say("rs-police", 12, &dossier, elsewhere),
        (forged.sign(&region.keys["rs-police"]), forged),
        (stranger.sign(&region.keys["ba-border"]), stranger),
    ];
    let roster = (&region.roster, Lists::builtin());
    let close = Deed::CloseRound(product::CloseRound::default());
    let deed = dossier.course().filled(close, gathered(&words), roster).unwrap();
    let closed = dossier.take(deed, region.hand(20)).unwrap();
    let found: Vec<_> = course_digests(&closed);
    assert_eq!(found, [sound.1.digest()]);

    let stray = region.say("rs-police", 22, &closed, Said::Report(b"no report".to_vec()));
    let said = || Said::Contribution("More".to_owned(), "It goes on.".to_owned());
    let many: Vec<_> =
        (0..=WORDS_MAX).map(|_| region.say("al-police", 22, &closed, said())).collect();
    let words = [many, vec![stray, region.say("ba-police", 22, &closed, said())]].concat();
    let hear = Deed::Hear(product::Hear::default());
    let deed = closed.course().filled(hear, gathered(&words), roster).unwrap();
    let heard = closed.take(deed, region.hand(23)).unwrap();
    assert_eq!(heard.course().heard.len(), WORDS_MAX + 1);
    assert!(heard.course().harvest_beside(&words[..=WORDS_MAX]).is_none(), "it has said enough");
}

#[test]
fn what_has_changed_between_two_rounds_is_shown() {
    let region = Region::new();
    let dossier = region.circulated();
    let dossier = dossier.take(dossier.course().harvest_round(&[], &[]), region.hand(20)).unwrap();
    let dossier = dossier.take(Deed::Draft(region.draft("Second.")), region.hand(21)).unwrap();
    let dossier = dossier.take(circulate(&dossier, 2, 30, 40), region.hand(30)).unwrap();
    let lines = dossier.course().changes().unwrap();
    assert_eq!(
        lines,
        [
            Line::Section("open".to_owned(), Change::Unchanged),
            Line::Section("inner".to_owned(), Change::Changed),
            Line::Same("[RESTRICTED] About inner".to_owned()),
            Line::Gone("First.".to_owned()),
            Line::New("Second.".to_owned()),
        ]
    );
}

#[test]
fn no_member_fills_a_product_so_that_the_others_find_no_room() {
    let region = Region::new();
    let dossier = region.circulated();
    let share = dossier.course().share();
    assert_eq!(share, SAID_BYTES_MAX / (MEMBERS.len() + 1), "observers have one together");
    let long = "x".repeat(60_000);
    let said = |node: &str| {
        let said = Said::Contribution("More".to_owned(), long.clone());
        region.say(node, 12, &dossier, said)
    };
    let count = share / 60_000 + 5;
    let greedy: Vec<_> = (0..count).map(|_| said("al-police")).collect();
    assert_eq!(dossier.course().share_left(&greedy), 0);
    let words = [greedy, vec![said("rs-police")]].concat();
    let roster = (&region.roster, Lists::builtin());
    let hear = || Deed::Hear(product::Hear::default());
    let deed = dossier.course().filled(hear(), gathered(&words), roster).unwrap();
    let heard = dossier.take(deed, region.hand(13)).unwrap();
    let words_of =
        |node: &str| heard.course().heard.values().filter(|of| of.node.as_str() == node).count();
    assert_eq!((words_of("al-police"), words_of("rs-police")), (count - 5, 1));
    let again = heard.course().filled(hear(), gathered(&words), roster);
    assert_eq!(reason(again), Reason::NotFound, "its share is used up");
    // Nor does an owner pass that lets one have more.
    let mut all: Vec<_> = words.iter().map(|(envelope, _)| envelope.clone()).collect();
    all.sort_by_key(|envelope| Digest::of(&envelope.payload));
    let forged = dossier.take(Deed::Hear(product::Hear { words: all }), region.hand(13));
    assert_eq!(reason(forged), Reason::LimitExceeded);
}

#[test]
fn many_comments_are_decided_in_one_step_and_each_once() {
    let region = Region::new();
    let dossier = region.circulated();
    let words =
        ["One.", "Two."].map(|text| region.say("al-police", 11, &dossier, comment(1, text, true)));
    let dossier =
        dossier.take(dossier.course().harvest_round(&words, &[]), region.hand(20)).unwrap();
    let all = course_digests(&dossier);
    let resolutions = |of: &[Digest]| {
        let each = of.iter().map(|digest| {
            let Deed::Resolve(resolve) = resolve(*digest) else { panic!() };
            resolve.resolutions
        });
        Deed::Resolve(product::Resolve { resolutions: each.flatten().collect() })
    };
    let twice = dossier.take(resolutions(&[all[0], all[0]]), region.hand(21));
    assert_eq!(reason(twice), Reason::ProductState);
    assert_eq!(reason(dossier.take(resolutions(&[]), region.hand(21))), Reason::FieldMissing);
    let decided = dossier.take(resolutions(&all), region.hand(21)).unwrap();
    assert_eq!(decided.course().unresolved(), 0);
}

#[test]
fn texts_leave_room_for_what_members_may_say_and_for_the_end_of_the_endorsement() {
    let region = Region::new();
    let large = |draft: u32| {
        let text = "x".repeat(PRODUCT_TEXT_CHARS_MAX);
        let section =
            |at: usize| region.section(&format!("part-{at}"), product::Extent::Restricted, &text);
        let sections: Vec<_> = (0..45).map(section).collect();
        let text = region.draft("First.").text.unwrap();
        let content = product::Content::decode(text.content.as_slice()).unwrap();
        let content = product::Content { title: format!("Text {draft}"), ..content };
        let renditions: Vec<_> = text
            .renditions
            .iter()
            .map(|part| product::Rendition::decode(part.as_slice()).unwrap())
            .collect();
        let text = Some(crate::product::content::bind(content, &renditions, &sections));
        product::Draft { text, why: "longer".to_owned() }
    };
    let mut dossier = region.begin(large(0));
    let refused = loop {
        match dossier.take(Deed::Draft(large(1)), region.hand(2)) {
            Ok(next) => dossier = next,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.reason, Reason::LimitExceeded);
    let left = DOSSIER_BYTES_MAX - dossier.write().len();
    assert!(left >= SAID_BYTES_MAX + CLOSING_BYTES_MAX, "{left}");
}

#[test]
fn nothing_is_hidden_behind_a_moment_that_nobody_lives_to_see() {
    let region = Region::new();
    let draft = region.begin(region.draft("First."));
    let far = (EMBARGO_DAYS_MAX + 1) * 86_400;
    let refused = draft.take(circulate(&draft, 1, far, far + 10), region.hand(10));
    assert_eq!(reason(refused), Reason::FieldInvalid);
    let opened = region.opened(region.draft("First."));
    let closed = region.closed(&opened, &region.all(&opened, Position::Endorse), 35).unwrap();
    let refused = closed.take(region.publish(&closed, far), region.hand(50));
    assert_eq!(reason(refused), Reason::FieldInvalid);
}
