//! What a ranking refuses: whatever its pictures do not tell, whatever has no common figure, a changed byte, another's dissent.

use prost::Message as _;

use super::{
    pictures::{FIVE, four, index, picture, pooled, ranked, sealed_for, with},
    *,
};
use crate::{
    clock::{SystemEntropy, Timestamp},
    identity::Name,
    limits::CLOCK_SKEW_S,
    reason::Reason,
    roster::{Contact, Member},
    seal::{Digest, Kind, SecretKey},
    wire::region::{self, PictureCell},
};

#[test]
fn an_area_is_never_ranked_against_its_own_part() {
    let bytes = picture(["DRG", "DRG.CAN"].map(|area| pooled(area, 9, (9, 9))).to_vec(), &FIVE);
    for areas in [&["DRG", "DRG.CAN"][..], &[]] {
        let refused = ranked("DRG.SEIZ.N", &[&bytes], areas, Order::Figure).unwrap_err();
        assert_eq!(
            (refused.reason, refused.field.as_str()),
            (Reason::MethodUnfit, "areas[DRG.CAN]")
        );
    }
    assert!(ranked("DRG.SEIZ.N", &[&bytes], &["DRG.CAN"], Order::Figure).is_ok());
}

#[test]
fn nothing_but_published_cells_is_in_a_ranking_and_it_does_not_know_who_is_who() {
    let bytes = four();
    let mut picture = region::Picture::decode(bytes.as_slice()).unwrap();
    let blank = |ranking: Ranking| {
        let mut order = ranking.order().clone();
        order.pictures_sha256.clear();
        order
    };
    for by in [Order::Figure, Order::Borda] {
        let first = blank(ranked("PUB.OCI.SCORE", &[&bytes], &[], by).unwrap());
        // Seals, digests and other cells are nothing to it.
        picture.members.iter_mut().for_each(|member| member.table_sha256 = vec![7; 32]);
        picture.contributors_min = 9;
        let other = PictureCell { period: "2023".to_owned(), ..picture.cells[0].clone() };
        picture.cells.push(other);
        let again = ranked("PUB.OCI.SCORE", &[&picture.encode_to_vec()], &[], by).unwrap();
        assert_eq!(blank(again), first);
        // Every member under its neighbour's name.
        for cell in &mut picture.cells {
            let codes: Vec<_> = cell.shares.iter().map(|of| of.jurisdiction.clone()).collect();
            for (share, code) in cell.shares.iter_mut().zip(codes.iter().cycle().skip(2)) {
                (share.jurisdiction, share.region) = (code.clone(), code.clone());
            }
        }
        let again = ranked("PUB.OCI.SCORE", &[&picture.encode_to_vec()], &[], by).unwrap();
        assert_eq!(blank(again), first);
    }
}

#[test]
fn scores_of_unlike_methods_have_no_common_figure() {
    let score = |categories: &str| PictureCell {
        indicator: "SCO.THREAT".to_owned(),
        categories: categories.to_owned(),
        ..index("THB", &with([1, 2, 3, 4, 5]))
    };
    let lists = Lists::builtin();
    let bytes = picture(vec![score("_T"), score("METHOD=RISK-5X5-C"), score("METHOD=HLO")], &FIVE);
    let sources = Sources::read(&[&bytes]).unwrap();
    let of = |categories, order, id: Option<&str>| {
        let ask = Ask::read(("SCO.THREAT", "2021", categories), &[], lists).unwrap();
        rank(&ask, &sources, (Rules::builtin(order), id.map(method)), lists).map(|_| ())
    };
    let unfit = |found: Result<(), Invalid>| found.unwrap_err().reason == Reason::MethodUnfit;
    assert!(unfit(of("_T", Order::Figure, None)));
    assert!(unfit(of("_T", Order::Figure, Some("HLO"))));
    assert!(unfit(of("METHOD=HLO", Order::Figure, None)));
    assert!(unfit(of("METHOD=HLO", Order::Figure, Some("RISK-5X5-C"))));
    assert_eq!(of("METHOD=HLO", Order::Figure, Some("HLO")), Ok(()));
    assert_eq!(of("_T", Order::Borda, None), Ok(()), "orders of each, whatever the scale");
}

#[test]
fn two_pictures_that_contradict_each_other_are_refused_and_order_of_pictures_is_nothing() {
    let [a, b, c] = [("ARM", 500), ("MIG", 600), ("ARM", 700)]
        .map(|(area, figure)| picture(vec![index(area, &with([figure; 5]))], &FIVE));
    let of = |pictures: &[&[u8]]| ranked("PUB.OCI.SCORE", pictures, &[], Order::Figure);
    assert_eq!(of(&[&a, &b]).unwrap().to_bytes(), of(&[&b, &a, &b]).unwrap().to_bytes());
    let refused = of(&[&a, &b, &c]).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::MethodUnfit, "pictures[ARM]"));
    assert!(of(&[]).is_err());
    let mut false_sum = index("ARM", &with([500; 5]));
    false_sum.shares[0].value = 900;
    let refused = of(&[&picture(vec![false_sum], &FIVE)]).unwrap_err();
    assert_eq!(refused.reason, Reason::PictureFalse);
}

#[test]
fn a_ranking_names_the_audience_of_its_pictures_and_of_two_audiences_there_is_none() {
    let (lists, rules) = (Lists::builtin(), (Rules::builtin(Order::Figure), None));
    let [plain, other] = [("ARM", 500), ("MIG", 600)]
        .map(|(area, figure)| picture(vec![index(area, &with([figure; 5]))], &FIVE));
    let [police, partners] = ["POLICE", "PARTNERS"].map(|of| sealed_for(&plain, of));
    let also = sealed_for(&other, "POLICE");
    let of = |pictures: &[&[u8]]| ranked("PUB.OCI.SCORE", pictures, &["ARM", "MIG"], Order::Figure);
    let ranking = of(&[&police, &also]).unwrap();
    assert_eq!((ranking.order().audience.as_str(), ranking.audience()), ("POLICE", "POLICE"));
    let asked_alone = of(&[&plain]).unwrap();
    assert_eq!(
        (asked_alone.order().audience.as_str(), asked_alone.audience()),
        ("", "only those who asked")
    );
    let mixed = of(&[&also, &partners]).unwrap_err();
    assert_eq!((mixed.reason, mixed.field.as_str()), (Reason::MethodUnfit, "pictures"));
    assert!(mixed.detail.contains("PARTNERS and POLICE"), "{mixed}");

    // Whoever names another audience in it says something else than its pictures.
    let mut order = ranking.order().clone();
    order.audience = "PUBLIC".to_owned();
    let lie = crate::wire::threat::Ranking { order: order.encode_to_vec(), dissents: Vec::new() };
    let lie = lie.encode_to_vec();
    let pictures: [&[u8]; 2] = [&police, &also];
    assert!(replay(&ranking.to_bytes(), &pictures, rules, lists).is_ok());
    let attached = Ranking::read(&lie, lists).unwrap().sources(&pictures).map(|_| ());
    for refused in [replay(&lie, &pictures, rules, lists).map(|_| ()), attached] {
        let refused = refused.unwrap_err();
        let found = (refused.reason, refused.field.as_str());
        assert_eq!(found, (Reason::RankingFalse, "order.audience"));
    }

    // And what has moved is told within one audience only.
    let refused = moves(&of(&[&police]).unwrap(), &of(&[&partners]).unwrap()).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::MethodUnfit, "audience"));
    assert!(refused.detail.contains("one is POLICE, the other PARTNERS"), "{refused}");
}

#[test]
fn a_ranking_is_worked_out_again_bit_for_bit_and_one_changed_byte_is_named() {
    let (lists, rules) = (Lists::builtin(), Rules::builtin(Order::Figure));
    let bytes = four();
    let ranking = ranked(
        "PUB.OCI.SCORE",
        &[&bytes],
        &["ARM", "DRG.CAN", "DRG.HER", "MIG", "THB"],
        Order::Figure,
    );
    let told = ranking.unwrap().to_bytes();
    let again =
        |told: &[u8], pictures: &[&[u8]], rules| replay(told, pictures, (rules, None), lists);
    assert_eq!(again(&told, &[&bytes], rules).unwrap().to_bytes(), told);
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        let refused = again(&told, &[&other], rules).unwrap_err();
        assert_eq!((refused.reason, refused.field.as_str()), (Reason::RankingFalse, "pictures[0]"));
    }
    for at in 0..told.len() {
        let mut other = told.clone();
        other[at] ^= 1;
        assert!(again(&other, &[&bytes], rules).is_err(), "byte {at}");
    }
    let field = |found: Result<Ranking, Invalid>| found.unwrap_err().field;
    assert_eq!(field(again(&told, &[&bytes], Rules::builtin(Order::Borda))), "order.rules_sha256");
    let method = replay(&told, &[&bytes], (rules, Some(method("HLO"))), lists);
    assert_eq!(field(method), "order.method_sha256");
    // A better rank for one area, in a document that is otherwise well-formed.
    let mut ranking = Ranking::read_for_tests(&told);
    ranking.areas[1].whole_best = 1;
    let lie = crate::wire::threat::Ranking { order: ranking.encode_to_vec(), dissents: Vec::new() };
    assert_eq!(field(again(&lie.encode_to_vec(), &[&bytes], rules)), "order.areas[ARM]");
}

#[test]
fn jurisdictions_are_never_ranked_not_even_as_areas_of_a_federations_own() {
    let own = ("crime_areas".to_owned(), "code,parent,label\nAL,,A\nRS,,B\n".to_owned());
    let lists = Lists::with_own(&[own]).unwrap();
    let cells = ["AL", "RS"].map(|area| index(area, &with([1, 2, 3, 4, 5])));
    let mut drawn = region::Picture::decode(&*picture(cells.to_vec(), &FIVE)).unwrap();
    drawn.lists = lists.name().to_owned();
    let bytes = drawn.encode_to_vec();
    let ask = Ask::read(("PUB.OCI.SCORE", "2021", "_T"), &[], &lists).unwrap();
    let rules = (Rules::builtin(Order::Figure), None);
    let refused = rank(&ask, &Sources::read(&[&bytes]).unwrap(), rules, &lists).unwrap_err();
    assert_eq!(refused.reason, Reason::MethodUnfit);
}

#[test]
fn a_move_is_told_between_rankings_of_the_same_rules_and_areas_only() {
    let of = |figures: [(&str, i64); 2], order| {
        let cells = figures.map(|(area, value)| index(area, &with([value; 5])));
        ranked("PUB.OCI.SCORE", &[&picture(cells.to_vec(), &FIVE)], &[], order).unwrap()
    };
    let first = of([("ARM", 500), ("MIG", 600)], Order::Figure);
    let turned = of([("ARM", 700), ("MIG", 600)], Order::Figure);
    let found = moves(&first, &turned).unwrap();
    let told = |of: &Move| (of.before, of.now, of.clear);
    assert_eq!(told(&found[0]), (Some(2), Some(1), Some(true)));
    assert_eq!(moves(&first, &first).unwrap()[0].clear, Some(false));
    let others = of([("ARM", 700), ("THB", 600)], Order::Figure);
    let found = moves(&first, &others).unwrap();
    assert_eq!((found.len(), told(&found[0])), (3, (Some(2), Some(1), None)));
    let points = of([("ARM", 700), ("MIG", 600)], Order::Borda);
    let refused = moves(&first, &points).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::MethodUnfit, "rules_sha256"));
}

#[test]
fn the_same_bytes_come_out_of_every_thread() {
    let bytes = four();
    let run = || ranked("PUB.OCI.SCORE", &[&bytes], &[], Order::Borda).unwrap().to_bytes();
    let first = run();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        all.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), first));
    });
}

fn key() -> SecretKey {
    SecretKey::generate(&SystemEntropy).unwrap()
}

fn member(node: &str, key: &SecretKey) -> Member {
    let code = node.get(..2).unwrap().to_uppercase();
    Member {
        node: Name::parse("", node).unwrap(),
        jurisdiction: Lists::builtin().jurisdiction("", &code).unwrap().code,
        contact: Contact::default(),
        seal_keys: vec![key.public()],
        since: Timestamp::EARLIEST,
    }
}

/// A second of the tests' clock.
fn second(of: i64) -> Timestamp {
    Timestamp::EARLIEST.plus_s(of)
}

fn dissent(member: &Member, order: Digest, (text, at): (&str, i64)) -> Dissent {
    Dissent {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        order,
        text: Justified::read("text", text).unwrap(),
        at: second(at),
    }
}

#[test]
fn of_one_node_only_a_newer_dissent_replaces_the_one_that_stands_and_the_same_again_changes_nothing()
 {
    let lists = Lists::builtin();
    let (node, other) = (key(), key());
    let [ours, theirs] = [member("al-police", &node), member("ba-police", &other)];
    let ranking = ranked("PUB.OCI.SCORE", &[&four()], &[], Order::Figure).unwrap();
    let order = ranking.digest();
    let attach = |ranking: &Ranking, of: &Dissent| {
        let (member, key) = if of.node == ours.node { (&ours, &node) } else { (&theirs, &other) };
        ranking.clone().with_dissent(of.sign(key), member, second(1_000), lists)
    };
    let said = |at, text| dissent(&ours, order, (text, at));
    let with = attach(&ranking, &said(500, "First.")).unwrap();
    assert_eq!(attach(&with, &said(500, "First.")).unwrap().to_bytes(), with.to_bytes());
    for (at, text) in [(499, "Earlier."), (500, "Of the same second.")] {
        let refused = attach(&with, &said(at, text)).unwrap_err();
        assert_eq!((refused.reason, refused.field.as_str()), (Reason::AnswerStale, "dissent.at_s"));
        assert!(refused.detail.contains("2000-01-01T00:08:20Z"), "{refused}");
    }
    let later = attach(&with, &said(501, "On second thoughts.")).unwrap();
    let told = |ranking: &Ranking| {
        let all = ranking.dissent_in_words(lists).unwrap();
        all.iter().map(|of| (of.text.as_str().to_owned(), of.at)).collect::<Vec<_>>()
    };
    assert_eq!(told(&later), [("On second thoughts.".to_owned(), second(501))]);
    assert!(attach(&later, &said(500, "First.")).is_err(), "what was replaced does not come back");
    // Of another node an older one stands beside it.
    let both = attach(&later, &dissent(&theirs, order, ("Ours.", 1))).unwrap();
    assert_eq!(told(&both).len(), 2);
    // One from the time to come would stand for ever.
    assert!(attach(&later, &said(1_000 + CLOCK_SKEW_S, "Now.")).is_ok());
    let refused = attach(&later, &said(1_001 + CLOCK_SKEW_S, "Tomorrow.")).unwrap_err();
    assert_eq!(refused.reason, Reason::ClockSkew);
}

#[test]
fn dissent_is_the_nodes_own_word_and_cannot_be_taken_off() {
    let lists = Lists::builtin();
    let [node, centre, stranger] = [key(), key(), key()];
    let member = member("al-police", &node);
    let bytes = four();
    let ranking = ranked("PUB.OCI.SCORE", &[&bytes], &[], Order::Figure).unwrap();
    let ours = dissent(&member, ranking.digest(), ("Seizures rose because controls did.", 1));
    let attach = |envelope| ranking.clone().with_dissent(envelope, &member, second(1), lists);
    let with = attach(ours.sign(&node)).unwrap();
    assert!(attach(ours.sign(&stranger)).is_err());
    let elsewhere = dissent(&member, Digest([7; 32]), ("Of another order.", 1));
    assert_eq!(attach(elsewhere.sign(&node)).unwrap_err().reason, Reason::RankingFalse);

    let signed = with.sign(&centre);
    let read = Ranking::open(&signed, &[centre.public()], lists).unwrap();
    let read_note = Dissent::open(&read.dissents()[0], &member, read.digest(), lists).unwrap();
    assert_eq!(read_note, ours);
    let mut stripped = signed.clone();
    stripped.payload = ranking.to_bytes();
    assert!(Ranking::open(&stripped, &[centre.public()], lists).is_err());
    let picture = centre.sign(Kind::Picture, signed.payload.clone());
    assert!(Ranking::open(&picture, &[centre.public()], lists).is_err());
    // It does not change the order that is worked out again.
    let rules = (Rules::builtin(Order::Figure), None);
    assert!(replay(&with.to_bytes(), &[&bytes], rules, lists).is_ok());
}
