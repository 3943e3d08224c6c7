//! Rankings of pictures: intervals, ties, white spots, agreement, dissent, replay; and that a ranking tells nothing that its
//! pictures do not.

use std::time::Instant;

use prost::Message as _;

use super::*;
use crate::{
    clock::{SystemEntropy, Timestamp},
    identity::Name,
    reason::Reason,
    roster::Member,
    seal::{Kind, SecretKey},
    wire::{
        region::{self, PictureCell, PictureStatus, Precision, Share, ShareStatus},
        threat::{LeftOut, RankedArea, Sensitivity, WhiteSpotReason},
    },
};

const FIVE: [&str; 5] = ["AL", "BA", "ME", "MK", "RS"];

/// A cell of an index: its members' own figures stand in it, in hundredths.
pub(super) fn index(area: &str, figures: &[(&str, i64)]) -> PictureCell {
    let of = |(code, value): &(&str, i64)| Share {
        node: format!("{}-police", code.to_lowercase()),
        jurisdiction: (*code).to_owned(),
        region: (*code).to_owned(),
        status: ShareStatus::Value.into(),
        value: *value,
        precision: Precision::Open.into(),
        ..Share::default()
    };
    let (count, sum) = (figures.len() as i64, figures.iter().map(|(_, value)| value).sum::<i64>());
    let (lower, upper) = (sum.div_euclid(count), -(-sum).div_euclid(count));
    PictureCell {
        indicator: "PUB.OCI.SCORE".to_owned(),
        crime_area: area.to_owned(),
        region: "REGION".to_owned(),
        period: "2021".to_owned(),
        categories: "_T".to_owned(),
        status: PictureStatus::Value.into(),
        value: lower,
        decimals: 2,
        contributors: figures.iter().map(|(code, _)| (*code).to_owned()).collect(),
        method: region::Method::Mean.into(),
        lower: Some(lower),
        upper: Some(upper),
        whole_lower: Some(lower),
        whole_upper: Some(upper),
        shares: figures.iter().map(of).collect(),
        ..PictureCell::default()
    }
}

/// A cell of a count, of which only the region's figure is told.
fn pooled(area: &str, value: i64, (lower, upper): (i64, i64)) -> PictureCell {
    PictureCell {
        indicator: "DRG.SEIZ.N".to_owned(),
        period: "2021".to_owned(),
        decimals: 0,
        value,
        method: region::Method::Sum.into(),
        lower: Some(lower),
        upper: Some(upper),
        whole_lower: Some(lower),
        whole_upper: Some(upper),
        shares: Vec::new(),
        ..index(area, &FIVE.map(|of| (of, 0)))
    }
}

pub(super) fn picture(cells: Vec<PictureCell>, members: &[&str]) -> Vec<u8> {
    let member = |code: &&str| region::MemberState {
        node: format!("{}-police", code.to_lowercase()),
        jurisdiction: (*code).to_owned(),
        ..region::MemberState::default()
    };
    let picture = region::Picture {
        federation: "wb6.example".to_owned(),
        requirement: "0190b1f7-0000-7000-8000-000000000000".to_owned(),
        lists: Lists::builtin().name().to_owned(),
        members: members.iter().map(member).collect(),
        cells,
        ..region::Picture::default()
    };
    picture.encode_to_vec()
}

pub(super) fn ranked(
    indicator: &str,
    pictures: &[&[u8]],
    areas: &[&str],
    order: Order,
) -> Result<Ranking, Invalid> {
    let lists = Lists::builtin();
    let areas: Vec<_> = areas.iter().map(|area| (*area).to_owned()).collect();
    let ask = Ask::read((indicator, "2021", "_T"), &areas, lists)?;
    rank(&ask, &Sources::read(pictures)?, (Rules::builtin(order), None), lists)
}

/// Area, rank, how many share it, best and worst of all.
fn places(ranking: &Ranking) -> Vec<(&str, [u32; 4])> {
    let of = |area: &RankedArea| [area.rank, area.tied, area.whole_best, area.whole_worst];
    ranking.order().areas.iter().map(|area| (area.crime_area.as_str(), of(area))).collect()
}

fn with(figures: [i64; 5]) -> Vec<(&'static str, i64)> {
    FIVE.into_iter().zip(figures).collect()
}

/// Four areas of five members: two of them tie.
fn four() -> Vec<u8> {
    let cells = vec![
        index("ARM", &with([500, 600, 700, 400, 300])),
        index("DRG.CAN", &with([900, 800, 850, 700, 750])),
        index("MIG", &with([300, 700, 600, 500, 400])),
        index("THB", &with([450, 450, 500, 400, 550])),
    ];
    picture(cells, &FIVE)
}

#[test]
fn areas_are_ordered_by_the_exact_mean_and_who_ties_shares_the_rank() {
    let ranking = ranked("PUB.OCI.SCORE", &[&four()], &[], Order::Figure).unwrap();
    let expected = [
        ("DRG.CAN", [1, 1, 1, 1]),
        ("ARM", [2, 2, 2, 2]),
        ("MIG", [2, 2, 2, 2]),
        ("THB", [4, 1, 4, 4]),
    ];
    assert_eq!(places(&ranking), expected);
    let order = ranking.order();
    assert_eq!((order.asked, order.raters), (5, 5));
    assert_eq!(order.sensitivity(), Sensitivity::Exact);
    // Other weights put ARM before MIG or behind it, and let THB draw level with MIG: none puts it ahead of ARM.
    let stable: Vec<_> = order.areas.iter().map(|of| (of.stable_best, of.stable_worst)).collect();
    assert_eq!(stable, [(1, 1), (2, 3), (2, 3), (3, 4)]);
}

#[test]
fn borda_points_medians_and_agreement_share_the_mean_of_ties() {
    let ranking = ranked("PUB.OCI.SCORE", &[&four()], &[], Order::Borda).unwrap();
    // Ranks of ARM 2 3 2 3.5 4, DRG.CAN 1 1 1 1 1, MIG 4 2 3 2 3, THB 3 4 4 3.5 2.
    let of = |area: &str| {
        let found = ranking.order().areas.iter().find(|of| of.crime_area == area).unwrap();
        (found.rank, found.borda_half_points.unwrap(), found.median_quarter_rank.unwrap())
    };
    assert_eq!(of("DRG.CAN"), (1, 30, 4));
    assert_eq!(of("MIG"), (2, 12, 12));
    assert_eq!(of("ARM"), (3, 11, 12));
    assert_eq!(of("THB"), (4, 7, 14));
    // R 14.5, 5, 14, 16.5; S = 78.5 (mean 12.5); T = 6; W = 12·78.5 / (25·60 − 5·6).
    assert_eq!(ranking.order().agreement_millionths, Some(640_816));
}

#[test]
fn agreement_and_points_are_withheld_of_fewer_than_three_and_medians_of_fewer_than_five() {
    let of = |count: usize| {
        let cells = ["ARM", "MIG"].map(|area| index(area, &with([5, 4, 6, 7, 3])[..count]));
        let bytes = picture(cells.to_vec(), &FIVE[..count]);
        let ranking = ranked("PUB.OCI.SCORE", &[&bytes], &[], Order::Figure).unwrap();
        let first = ranking.order().areas[0].clone();
        let borda = ranked("PUB.OCI.SCORE", &[&bytes], &[], Order::Borda);
        (first.borda_half_points.is_some(), first.median_quarter_rank.is_some(), borda.is_ok())
    };
    assert_eq!(
        [2, 3, 4, 5].map(of),
        [(false, false, false), (true, false, true), (true, false, true), (true, true, true)]
    );
    // Whom nobody else can be told from is not left out either.
    let cells =
        vec![index("ARM", &with([9, 1, 1, 1, 1])[..3]), index("MIG", &with([1, 3, 3, 1, 1])[..3])];
    let three = picture(cells, &FIVE[..3]);
    let ranking = ranked("PUB.OCI.SCORE", &[&three], &[], Order::Figure).unwrap();
    assert!(ranking.order().areas.iter().all(|of| of.left_out() == LeftOut::Unspecified));
}

#[test]
fn an_area_that_one_jurisdiction_decides_is_said_to_and_nobody_is_named() {
    let cells = vec![
        index("ARM", &with([600, 600, 600, 600, 100])),
        index("MIG", &with([500, 500, 500, 500, 900])),
        index("THB", &with([300, 300, 300, 300, 300])),
    ];
    let ranking = ranked("PUB.OCI.SCORE", &[&picture(cells, &FIVE)], &[], Order::Figure).unwrap();
    let of: Vec<_> =
        ranking.order().areas.iter().map(|of| (of.crime_area.as_str(), of.left_out())).collect();
    assert_eq!(of, [("MIG", LeftOut::Moves), ("ARM", LeftOut::Moves), ("THB", LeftOut::Holds)]);
    let text = format!("{:?}", ranking.order());
    assert!(FIVE.iter().all(|code| !text.contains(&format!("\"{code}\""))), "{text}");
}

#[test]
fn noise_gaps_and_masks_are_in_the_interval_of_ranks_and_gaps_are_white_spots() {
    let partial = PictureCell {
        status: PictureStatus::Partial.into(),
        silent: vec!["RS".to_owned()],
        whole_upper: None,
        ..pooled("DRG.SYN", 10, (8, 12))
    };
    let masked =
        PictureCell { status: PictureStatus::Between.into(), ..pooled("DRG.HER", 0, (20, 60)) };
    let gap = PictureCell {
        status: PictureStatus::NotShown.into(),
        lower: None,
        upper: None,
        ..pooled("DRG.COC", 0, (0, 0))
    };
    let bytes = picture(vec![partial, masked, pooled("DRG.CAN", 50, (45, 55)), gap], &FIVE);
    let areas = ["DRG.CAN", "DRG.COC", "DRG.HER", "DRG.PRE", "DRG.SYN"];
    let ranking = ranked("DRG.SEIZ.N", &[&bytes], &areas, Order::Figure).unwrap();
    let of = |area: &RankedArea| {
        let RankedArea { rank, best, worst, whole_best, whole_worst, .. } = *area;
        [rank, best, worst, whole_best, whole_worst]
    };
    let order = ranking.order();
    let found: Vec<_> =
        order.areas.iter().map(|area| (area.crime_area.as_str(), of(area))).collect();
    // Whoever is silent may bring synthetic drugs to the top.
    let expected =
        [("DRG.CAN", [1, 1, 2, 1, 3]), ("DRG.HER", [2, 1, 2, 1, 3]), ("DRG.SYN", [3, 3, 3, 1, 3])];
    assert_eq!(found, expected);
    assert!(order.areas[1].placed_by_middle && !order.areas[0].placed_by_middle);
    // Of sums alone a bound is known: 20 · 1.2 stays below 45 · 0.8, and 55 · 1.2 may pass 60 · 0.8.
    assert_eq!(order.sensitivity(), Sensitivity::Bound);
    let stable: Vec<_> = order.areas.iter().map(|of| (of.stable_best, of.stable_worst)).collect();
    assert_eq!(stable, [(1, 2), (1, 2), (3, 3)]);
    assert!(order.areas.iter().all(|area| area.left_out() == LeftOut::Unspecified));
    let white: Vec<_> =
        order.white_spots.iter().map(|spot| (spot.crime_area.as_str(), spot.reason())).collect();
    let expected = [("DRG.COC", WhiteSpotReason::NotShown), ("DRG.PRE", WhiteSpotReason::NotAsked)];
    assert_eq!(white, expected);
}

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
fn rows_tell_no_rank_without_its_range_and_end_with_white_spots() {
    let areas = ["ARM", "DRG.CAN", "DRG.HER", "MIG", "THB"];
    let ranking = ranked("PUB.OCI.SCORE", &[&four()], &areas, Order::Borda).unwrap();
    let rows = rows(&ranking, Lists::builtin());
    let codes: Vec<_> = rows.iter().map(|row| row.crime_area.as_str()).collect();
    assert_eq!(codes, ["DRG.CAN", "MIG", "ARM", "THB", "DRG.HER"]);
    let of = |row: &Row| (row.rank, row.whole_range.clone(), row.borda.clone(), row.white_spot);
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(of(&rows[2]), (Some(3), is("3..3"), is("5.5"), None));
    assert_eq!(
        (rows[2].median_rank.clone(), rows[2].label.as_str()),
        (is("3.00"), "Firearms and explosives")
    );
    assert_eq!(of(&rows[4]), (None, None, None, Some("not asked")));
    assert!(rows.iter().all(|row| row.rank.is_none() || row.range.is_some()));
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

#[test]
fn dissent_is_the_nodes_own_word_and_cannot_be_taken_off() {
    let lists = Lists::builtin();
    let [node, centre, stranger] = [(); 3].map(|()| SecretKey::generate(&SystemEntropy).unwrap());
    let member = Member {
        node: Name::parse("", "al-police").unwrap(),
        jurisdiction: lists.jurisdiction("", "AL").unwrap().code,
        address: "dials-in".to_owned(),
        tls_spki_sha256: Vec::new(),
        seal_keys: vec![node.public()],
        since: Timestamp::EARLIEST,
    };
    let bytes = four();
    let ranking = ranked("PUB.OCI.SCORE", &[&bytes], &[], Order::Figure).unwrap();
    let dissent = |order, text: &str| Dissent {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        order,
        text: Justified::read("text", text).unwrap(),
    };
    let ours = dissent(ranking.digest(), "Seizures rose because controls did.");
    let attach = |envelope| ranking.clone().with_dissent(envelope, &member, lists);
    let with = attach(ours.sign(&node)).unwrap();
    assert!(attach(ours.sign(&stranger)).is_err());
    let elsewhere = dissent(crate::seal::Digest([7; 32]), "Of another order.");
    assert_eq!(attach(elsewhere.sign(&node)).unwrap_err().reason, Reason::RankingFalse);
    // Of one node there is one.
    let later = dissent(ranking.digest(), "On second thoughts.").sign(&node);
    let twice = with.clone().with_dissent(later, &member, lists).unwrap();
    assert_eq!(twice.dissents().len(), 1);

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

/// Prints the time; fails only where something has gone badly wrong, on an unoptimised build too.
#[test]
fn two_hundred_members_and_sixty_areas_are_ranked_in_passing() {
    const SEED: u64 = 0x0000_beec;
    println!("seed {SEED:#x}");
    let codes: Vec<_> = (0..200).map(|at| format!("Q{at:03}")).collect();
    let rows =
        |row: &dyn Fn(&str) -> String| codes.iter().map(|code| row(code)).collect::<String>();
    let own = |list: &str, head: &str, rows: String| (list.to_owned(), format!("{head}\n{rows}"));
    let markets = (0..60).map(|at| format!("M{at:02},,Market {at}\n")).collect();
    let lists = Lists::with_own(&[
        own("jurisdictions", "code,iso3,label,footnote", rows(&|of| format!("{of},{of},{of},\n"))),
        own(
            "regions",
            "code,parent,level,jurisdiction,label",
            rows(&|of| format!("{of},,0,{of},{of}\n")),
        ),
        own("crime_areas", "code,parent,label", markets),
    ])
    .unwrap();
    let mut below = dice(SEED);
    let cells = (0..60).map(|at| {
        let figures: Vec<_> = codes
            .iter()
            .map(|code| (code.as_str(), i64::try_from(100 + below(900)).unwrap()))
            .collect();
        let silent =
            PictureCell { whole_lower: Some(100), whole_upper: Some(1_000), ..index("", &figures) };
        PictureCell { crime_area: format!("M{at:02}"), ..silent }
    });
    let members: Vec<_> = codes.iter().map(String::as_str).collect();
    let mut drawn = region::Picture::decode(&*picture(cells.collect(), &members)).unwrap();
    drawn.lists = lists.name().to_owned();
    let bytes = drawn.encode_to_vec();
    for order in [Order::Figure, Order::Borda] {
        let begun = Instant::now();
        let ask = Ask::read(("PUB.OCI.SCORE", "2021", "_T"), &[], &lists).unwrap();
        let sources = Sources::read(&[&bytes]).unwrap();
        let ranking = rank(&ask, &sources, (Rules::builtin(order), None), &lists).unwrap();
        let took = begun.elapsed();
        let told = ranking.order();
        println!("{order:?}: 200 members, 60 areas, a picture of {} bytes: {took:?}", bytes.len());
        assert_eq!(
            (told.areas.len(), told.raters, told.sensitivity()),
            (60, 200, Sensitivity::Exact)
        );
        assert!(took.as_secs() < 2, "{took:?}");
    }
}
