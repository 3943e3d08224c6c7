//! What ranks tell: intervals, ties, white spots, points and agreement.

use std::time::Instant;

use prost::Message as _;

use super::{
    pictures::{FIVE, four, index, picture, pooled, ranked, with},
    *,
};
use crate::wire::{
    region::{self, PictureCell, PictureStatus},
    threat::{LeftOut, RankedArea, Sensitivity, WhiteSpotReason},
};

/// Area, rank, how many share it, best and worst of all.
fn places(ranking: &Ranking) -> Vec<(&str, [u32; 4])> {
    let of = |area: &RankedArea| [area.rank, area.tied, area.whole_best, area.whole_worst];
    ranking.order().areas.iter().map(|area| (area.crime_area.as_str(), of(area))).collect()
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
