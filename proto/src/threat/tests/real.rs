//! The published scores of five jurisdictions, where they are at hand: the order of criminal markets by their mean.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    pictures::{index, picture, ranked},
    *,
};
use crate::wire::threat::{LeftOut, Sensitivity};

const MARKETS: [(&str, &str); 10] = [
    ("Arms trafficking", "ARM"),
    ("Cannabis trade", "DRG.CAN"),
    ("Cocaine trade", "DRG.COC"),
    ("Fauna crimes", "ENV.FAUNA"),
    ("Flora crimes", "ENV.FLORA"),
    ("Heroin trade", "DRG.HER"),
    ("Human smuggling", "MIG"),
    ("Human trafficking", "THB"),
    ("Non-renewable resource crimes", "ENV.NRR"),
    ("Synthetic drug trade", "DRG.SYN"),
];

/// Folders of real data, beside the workspace or where ACCORD_DATA says.
fn scores() -> Option<BTreeMap<&'static str, BTreeMap<String, i64>>> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let folder = std::env::var_os("ACCORD_DATA").map_or_else(beside, PathBuf::from);
    let path = folder.join("gitoc_ocindex_2021/ocindex_2021.csv");
    if !path.is_file() {
        eprintln!("SKIPPED: no real data at {}; set ACCORD_DATA to its folder", folder.display());
        return None;
    }
    let mut scores = BTreeMap::<_, BTreeMap<_, _>>::new();
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let market = MARKETS
            .iter()
            .find(|(name, _)| (&row[2], &row[3], &row[4]) == ("market", "score", *name));
        if let Some((_, area)) = market {
            let hundredths =
                Fixed::parse(row[5].trim_end_matches('0').trim_end_matches('.')).unwrap();
            let hundredths = i64::try_from(hundredths.millionths() / 10_000).unwrap();
            scores.entry(*area).or_default().insert(row[0].to_owned(), hundredths);
        }
    }
    assert_eq!(scores.len(), MARKETS.len());
    Some(scores)
}

#[test]
fn criminal_markets_stand_in_the_order_of_their_published_means_with_ties_as_ties() {
    let Some(scores) = scores() else { return };
    let five = ["AL", "BA", "ME", "MK", "RS"];
    let figures = |area: &str| five.map(|code| (code, scores[area][code]));
    let cells = scores.keys().map(|area| index(area, &figures(area))).collect();
    let bytes = picture(cells, &five);
    let ranking = ranked("PUB.OCI.SCORE", &[&bytes], &[], Order::Figure).unwrap();
    let order = ranking.order();
    assert_eq!((order.areas.len(), order.raters, order.sensitivity()), (10, 5, Sensitivity::Exact));

    let sum = |area: &str, without: Option<&str>| {
        let of = figures(area).into_iter().filter(|(code, _)| Some(*code) != without);
        of.map(|(_, value)| value).sum::<i64>()
    };
    let rank = |area: &str, without| {
        let above = scores.keys().filter(|other| sum(other, without) > sum(area, without));
        u32::try_from(1 + above.count()).unwrap()
    };
    for area in &order.areas {
        let code = area.crime_area.as_str();
        let ties = scores.keys().filter(|other| sum(other, None) == sum(code, None)).count();
        assert_eq!((area.rank, area.tied as usize), (rank(code, None), ties), "{code}");
        for [best, worst] in [
            [area.best, area.worst],
            [area.whole_best, area.whole_worst],
            [area.stable_best, area.stable_worst],
        ] {
            assert!(best <= area.rank && area.rank <= worst, "{code}: {best} to {worst}");
        }
        // Whoever is left out: an area that leaves its stated ranks says so, and no other.
        let stated =
            area.stable_best.min(area.whole_best)..=area.stable_worst.max(area.whole_worst);
        let leaves = five.iter().any(|code_out| !stated.contains(&rank(code, Some(code_out))));
        let said = if leaves { LeftOut::Moves } else { LeftOut::Holds };
        assert_eq!(area.left_out(), said, "{code}");
        println!(
            "{code:10} rank {} of {} that tie, stable {} to {}, {:?}",
            area.rank,
            area.tied,
            area.stable_best,
            area.stable_worst,
            area.left_out()
        );
    }
    assert!(order.areas.is_sorted_by_key(|area| area.rank));
    let w = order.agreement_millionths.unwrap();
    println!("Kendall's W {w} millionths");
    assert!((0..=1_000_000).contains(&w));
}
