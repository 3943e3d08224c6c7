//! A ranking for people, and what has moved between two. Comes in: rankings. Goes out: rows to print or export, in the order of
//! ranks, white spots at the end without one. Must never tell a rank without where it may lie, nor a move between rankings
//! of other rules, methods, lists or areas: it would be theirs, not the threat's.

use std::collections::BTreeSet;

use serde::Serialize;

use super::replay::Ranking;
use crate::{
    reason::{Invalid, Reason},
    taxonomy::{CrimeAreaCode, Lists, decimal},
    wire::threat::{LeftOut, Order, RankedArea, WhiteSpotReason},
};

/// One area. Ranges of ranks read like `2..4`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Code of the area.
    pub crime_area: String,
    /// Its name.
    pub label: String,
    /// Its rank; none: a white spot.
    pub rank: Option<u32>,
    /// So many areas share it.
    pub tied: u32,
    /// Where the rank lies, of those who contribute.
    pub range: Option<String>,
    /// Where it lies for everybody who was asked.
    pub whole_range: Option<String>,
    /// Where it lies under other weights; none: what is published does not say.
    pub stable_range: Option<String>,
    /// Does it leave the ranks stated for it without one of the jurisdictions? None: what is published does not say.
    pub moves_without_one: Option<bool>,
    /// Borda points, with one decimal.
    pub borda: Option<String>,
    /// Median of ranks, with two decimals.
    pub median_rank: Option<String>,
    /// Why it has no rank.
    pub white_spot: Option<&'static str>,
    /// What else is to be known.
    pub remarks: Vec<&'static str>,
}

/// How an area has moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Code of the area.
    pub crime_area: String,
    /// Its earlier rank; none: a white spot, or not asked.
    pub before: Option<u32>,
    /// Its later one.
    pub now: Option<u32>,
    /// The ranks that are possible for everybody who was asked do not touch: more than uncertainty. None: not comparable.
    pub clear: Option<bool>,
}

/// Every area of a ranking.
pub fn rows(ranking: &Ranking, lists: &Lists) -> Vec<Row> {
    let order = ranking.order();
    let label = |code: &str| {
        let code = CrimeAreaCode::parse(code);
        code.map_or_else(String::new, |code| lists.crime_area_label(code).to_owned())
    };
    let ranked = order.areas.iter().map(|area| ranked(area, label(&area.crime_area)));
    let white = order.white_spots.iter().map(|spot| Row {
        crime_area: spot.crime_area.clone(),
        label: label(&spot.crime_area),
        rank: None,
        tied: 0,
        range: None,
        whole_range: None,
        stable_range: None,
        moves_without_one: None,
        borda: None,
        median_rank: None,
        white_spot: Some(in_a_word(spot.reason())),
        remarks: Vec::new(),
    });
    ranked.chain(white).collect()
}

fn ranked(area: &RankedArea, label: String) -> Row {
    let range = |best: u32, worst: u32| (best > 0).then(|| format!("{best}..{worst}"));
    let remarks = [
        (area.placed_by_middle, "told as an interval only, and placed by its middle"),
        (area.other_contributors, "other jurisdictions contribute than to the first area"),
    ];
    Row {
        crime_area: area.crime_area.clone(),
        label,
        rank: Some(area.rank),
        tied: area.tied,
        range: range(area.best, area.worst),
        whole_range: range(area.whole_best, area.whole_worst),
        stable_range: range(area.stable_best, area.stable_worst),
        moves_without_one: match area.left_out() {
            LeftOut::Unspecified => None,
            LeftOut::Holds => Some(false),
            LeftOut::Moves => Some(true),
        },
        borda: area.borda_half_points.map(|halves| decimal(i64::from(halves) * 5, 1)),
        median_rank: area.median_quarter_rank.map(|quarters| decimal(i64::from(quarters) * 25, 2)),
        white_spot: None,
        remarks: remarks.into_iter().filter(|(is, _)| *is).map(|(_, remark)| remark).collect(),
    }
}

fn in_a_word(reason: WhiteSpotReason) -> &'static str {
    match reason {
        WhiteSpotReason::Unspecified => "unknown",
        WhiteSpotReason::NotAsked => "not asked",
        WhiteSpotReason::Missing => "not available",
        WhiteSpotReason::NotShown => "not shown",
        WhiteSpotReason::NotApplicable => "not combined across jurisdictions",
    }
}

/// What has moved from one ranking to a later one, in the order of codes. Their periods may differ, and nothing else of what
/// they ask, nor for whom they are.
pub fn moves(before: &Ranking, now: &Ranking) -> Result<Vec<Move>, Invalid> {
    let [earlier, later] = [before, now].map(Ranking::order);
    let same: [(&str, bool); 5] = [
        ("lists", (&earlier.federation, &earlier.lists) == (&later.federation, &later.lists)),
        ("indicator", earlier.indicator == later.indicator),
        ("categories", earlier.categories == later.categories),
        ("rules_sha256", earlier.rules_sha256 == later.rules_sha256),
        ("method_sha256", earlier.method_sha256 == later.method_sha256),
    ];
    if earlier.audience != later.audience {
        let [one, other] = [before, now].map(|of| of.audience().to_owned());
        let detail = format!("one is {one}, the other {other}: compare those of one audience");
        return Err(Invalid::new(Reason::MethodUnfit, "audience", detail));
    }
    if let Some((field, _)) = same.into_iter().find(|(_, same)| !same) {
        let detail =
            "differs between the two rankings: rank the earlier pictures anew to compare them";
        return Err(Invalid::new(Reason::MethodUnfit, field, detail));
    }
    let codes = |order: &Order| {
        order.areas.iter().map(|area| area.crime_area.clone()).collect::<BTreeSet<_>>()
    };
    let [areas, areas_now] = [codes(earlier), codes(later)];
    // A rank among other areas is another rank.
    let comparable = areas == areas_now;
    let of = |order: &Order, code: &str| {
        order.areas.iter().find(|area| area.crime_area == code).cloned()
    };
    let moved = |code: &String| {
        let (before, now) = (of(earlier, code), of(later, code));
        let both = before.as_ref().zip(now.as_ref()).filter(|_| comparable);
        let clear = both.map(|(before, now)| {
            before.whole_worst < now.whole_best || now.whole_worst < before.whole_best
        });
        Move {
            crime_area: code.clone(),
            before: before.map(|area| area.rank),
            now: now.map(|area| area.rank),
            clear,
        }
    };
    Ok(areas.union(&areas_now).map(moved).collect())
}
