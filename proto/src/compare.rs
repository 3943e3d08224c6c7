//! What has changed between two pictures, or between two periods of one. Comes in: cells of both, as they were signed. Goes out:
//! for every cell what can be said of the difference, and what stands against saying more. Pure. Must never give a difference of
//! two figures that rest on different members, different lists or different methods: it would be theirs, not the threat's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    reason::{Invalid, Reason},
    rounding::half_to_even,
    taxonomy::decimal,
    wire::region::{self, PictureStatus},
};

mod trend;

pub use trend::{Point, trend};

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The picture.
    pub picture: &'a region::Picture,
    /// Only cells of this period, whatever it is called on the other side.
    pub period: Option<&'a str>,
}

/// Why two figures are not simply comparable, or what else is to be known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The code lists are others: a definition may have changed.
    Break,
    /// Other jurisdictions contribute, or other nodes of one may.
    Contributors,
    /// Some of those who contribute have sealed another table since for the same question.
    Revised,
    /// The figure is made in another way.
    Method,
    /// The cell is another thing now: a figure where there was none, or the other way round.
    Status,
    /// It stands in one of the two only.
    OneSided,
    /// It rests on some of those who were asked.
    Partial,
}

/// What can be said of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What is counted or measured.
    pub indicator: String,
    /// Which crime area.
    pub crime_area: String,
    /// Of the earlier side, and of the later; empty where it does not stand there.
    pub periods: [String; 2],
    /// Which categories.
    pub categories: String,
    /// The earlier figure.
    pub before: Option<String>,
    /// The later one.
    pub now: Option<String>,
    /// Later minus earlier, in the figure's unit; none where the two are not comparable.
    pub difference: Option<String>,
    /// The difference in percent of the earlier figure, with four decimals, half to even.
    pub percent: Option<String>,
    /// The intervals of the two do not touch: the difference is more than noise and rounding.
    pub clear: Option<bool>,
    /// Who contributes now and did not before.
    pub joined: Vec<String>,
    /// Who contributed before and does not now.
    pub left: Vec<String>,
    /// What is to be known.
    pub flags: BTreeSet<Flag>,
    /// For whoever sorts: size of the change in parts of ten thousand of a percent.
    #[serde(skip)]
    pub size: u128,
}

/// Cells by what they are, without the period where only one is looked at.
type Cells<'a> = BTreeMap<(&'a str, &'a str, &'a str, &'a str), &'a region::PictureCell>;

/// Compares, in the order of codes. `before` is the earlier side.
pub fn compare(before: Side<'_>, now: Side<'_>) -> Vec<Change> {
    let [earlier, later] = [cells(before), cells(now)];
    let lists_changed = before.picture.lists != now.picture.lists;
    let revised = revised(before.picture, now.picture);
    let keys: BTreeSet<_> = earlier.keys().chain(later.keys()).copied().collect();
    let change = |key| {
        let both = [earlier.get(&key).copied(), later.get(&key).copied()];
        of_cell(both, lists_changed, &revised)
    };
    keys.into_iter().filter_map(change).collect()
}

/// Ready to print: all changes, or the `most` largest that are clear.
pub fn rows(before: Side<'_>, now: Side<'_>, most: Option<usize>) -> serde_json::Value {
    let changes = compare(before, now);
    let changes = match most {
        Some(most) => movers(changes, most),
        None => changes,
    };
    // Plain strings and lists: there is nothing that could fail.
    serde_json::to_value(changes).unwrap_or_default()
}

/// The largest clear changes first; then the order of codes.
pub fn movers(mut changes: Vec<Change>, most: usize) -> Vec<Change> {
    changes.retain(|change| change.clear == Some(true));
    changes.sort_by_key(|change| std::cmp::Reverse(change.size));
    changes.truncate(most);
    changes
}

fn cells<'a>(side: Side<'a>) -> Cells<'a> {
    let wanted =
        |cell: &&region::PictureCell| side.period.is_none_or(|period| cell.period == period);
    let named = |cell: &'a region::PictureCell| {
        let region::PictureCell { indicator, crime_area, period, categories, .. } = cell;
        let period = if side.period.is_some() { "" } else { period.as_str() };
        ((indicator.as_str(), crime_area.as_str(), period, categories.as_str()), cell)
    };
    side.picture.cells.iter().filter(wanted).map(named).collect()
}

/// Jurisdictions with a node that answered the same requirement with another table.
fn revised<'a>(before: &'a region::Picture, now: &'a region::Picture) -> BTreeSet<&'a str> {
    if before.requirement != now.requirement {
        return BTreeSet::new();
    }
    let table = |node: &str| {
        let of = before.members.iter().find(|state| state.node == node);
        of.map(|state| state.table_sha256.as_slice())
    };
    let answered = now.members.iter().filter(|state| !state.table_sha256.is_empty());
    let other = answered.filter(|state| {
        table(&state.node).is_some_and(|table| !table.is_empty() && table != state.table_sha256)
    });
    other.map(|state| state.jurisdiction.as_str()).collect()
}

/// What can be said of two cells of one series, `revised` aside.
pub(crate) fn of_cell(
    both: [Option<&region::PictureCell>; 2],
    lists_changed: bool,
    revised: &BTreeSet<&str>,
) -> Option<Change> {
    let [before, now] = both;
    let any = now.or(before)?;
    let mut flags = BTreeSet::new();
    if lists_changed {
        flags.insert(Flag::Break);
    }
    let contributors = |cell: Option<&region::PictureCell>| {
        let cell = cell.map_or(&[][..], |cell| &cell.contributors);
        cell.iter().cloned().collect::<BTreeSet<_>>()
    };
    let [earlier, later] = [contributors(before), contributors(now)];
    if earlier != later || both.into_iter().flatten().any(in_part) {
        flags.insert(Flag::Contributors);
    }
    if later.iter().any(|of| revised.contains(of.as_str())) {
        flags.insert(Flag::Revised);
    }
    match both {
        [Some(before), Some(now)] => {
            if has_figure(before) != has_figure(now) {
                flags.insert(Flag::Status);
            } else if before.method != now.method || before.decimals != now.decimals {
                flags.insert(Flag::Method);
            }
        }
        [_, _] => {
            flags.insert(Flag::OneSided);
        }
    }
    let comparable = [Flag::Break, Flag::Contributors, Flag::Method, Flag::Status, Flag::OneSided];
    let comparable = comparable.iter().all(|flag| !flags.contains(flag));
    let figures = before.zip(now).filter(|(before, _)| comparable && has_figure(before));
    let exact = figures.filter(|(before, now)| is_one_number(before) && is_one_number(now));
    let difference = exact.and_then(|(before, now)| now.value.checked_sub(before.value));
    let percent = exact.and_then(|(before, _)| per_cent(difference?, before.value));
    Some(Change {
        indicator: any.indicator.clone(),
        crime_area: any.crime_area.clone(),
        periods: both.map(|cell| cell.map_or_else(String::new, |cell| cell.period.clone())),
        categories: any.categories.clone(),
        before: before.and_then(figure),
        now: now.and_then(figure),
        difference: difference.map(|difference| decimal(difference, any.decimals)),
        percent: percent.map(|percent| decimal(percent, PERCENT_DECIMALS)),
        clear: figures.and_then(|(before, now)| Some(!touch(before, now)?)),
        joined: later.difference(&earlier).cloned().collect(),
        left: earlier.difference(&later).cloned().collect(),
        flags,
        size: percent.map_or(0, |percent| u128::from(percent.unsigned_abs())),
    })
}

const PERCENT_DECIMALS: u32 = 4;

/// In percent of the earlier figure, with four decimals, half to even; none of nothing.
fn per_cent(difference: i64, before: i64) -> Option<i64> {
    let (scaled, of) = (i128::from(difference) * 1_000_000, i128::from(before));
    if of <= 0 {
        return None;
    }
    i64::try_from(half_to_even(scaled, of)).ok()
}

/// Of a jurisdiction with several nodes, one is not in it: which ones are, the cell does not say.
fn in_part(cell: &region::PictureCell) -> bool {
    let silent = cell.contributors.iter().any(|of| cell.silent.contains(of));
    let gap = !(cell.silent.is_empty() && cell.missing.is_empty() && cell.not_shown.is_empty());
    silent || (cell.status() == PictureStatus::Partial && !gap)
}

fn is_one_number(cell: &region::PictureCell) -> bool {
    matches!(cell.status(), PictureStatus::Value | PictureStatus::Partial)
}

fn has_figure(cell: &region::PictureCell) -> bool {
    is_one_number(cell) || cell.status() == PictureStatus::Between
}

/// Do the intervals of those who contribute have a point in common?
fn touch(before: &region::PictureCell, now: &region::PictureCell) -> Option<bool> {
    Some(before.lower? <= now.upper? && now.lower? <= before.upper?)
}

/// The figure, or where it lies.
fn figure(cell: &region::PictureCell) -> Option<String> {
    let scaled = |bound| scaled(bound, cell);
    if is_one_number(cell) {
        return Some(decimal(cell.value, cell.decimals));
    }
    has_figure(cell).then(|| Some(format!("{}..{}", scaled(cell.lower)?, scaled(cell.upper)?)))?
}

fn scaled(bound: Option<i64>, cell: &region::PictureCell) -> Option<String> {
    bound.map(|bound| decimal(bound, cell.decimals))
}

/// The pictures to compare, by requirement and version: the later one's requirement may be left out.
pub fn pair(
    earlier: (String, u32),
    (later, version): (Option<String>, u32),
    periods: bool,
) -> Result<[(String, u32); 2], Invalid> {
    let later = (later.unwrap_or_else(|| earlier.0.clone()), version);
    if earlier == later && !periods {
        let detail =
            "a picture is the same as itself: name another one, two versions, or two periods";
        return Err(Invalid::new(Reason::FieldMissing, "with", detail));
    }
    Ok([earlier, later])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: i64, error: i64, contributors: &[&str]) -> region::PictureCell {
        region::PictureCell {
            indicator: "PUB.OFF.N".to_owned(),
            crime_area: "ICCS0101".to_owned(),
            period: "2019".to_owned(),
            categories: "_T".to_owned(),
            status: PictureStatus::Value.into(),
            value,
            lower: Some(value - 2 * error),
            upper: Some(value + 2 * error),
            method: region::Method::Sum.into(),
            contributors: contributors.iter().map(|of| (*of).to_owned()).collect(),
            ..region::PictureCell::default()
        }
    }

    fn picture(cells: Vec<region::PictureCell>) -> region::Picture {
        region::Picture { requirement: "r".to_owned(), cells, ..region::Picture::default() }
    }

    fn one(before: region::PictureCell, now: region::PictureCell) -> Change {
        let [before, now] = [before, now].map(|cell| picture(vec![cell]));
        let side = |picture| Side { picture, period: None };
        let mut changes = compare(side(&before), side(&now));
        assert_eq!(changes.len(), 1);
        changes.remove(0)
    }

    #[test]
    fn a_difference_is_exact_and_says_whether_it_is_more_than_noise() {
        let change = one(cell(241, 0, &["AL", "BA"]), cell(224, 0, &["AL", "BA"]));
        assert_eq!(change.difference.as_deref(), Some("-17"));
        assert_eq!(change.percent.as_deref(), Some("-7.0539"));
        assert_eq!((change.clear, change.flags.len()), (Some(true), 0));
        let noisy = one(cell(241, 10, &["AL", "BA"]), cell(224, 10, &["AL", "BA"]));
        assert_eq!(noisy.clear, Some(false));
        let from_nothing = one(cell(0, 0, &["AL"]), cell(3, 0, &["AL"]));
        assert_eq!((from_nothing.difference.as_deref(), from_nothing.percent), (Some("3"), None));
    }

    #[test]
    fn figures_of_other_members_lists_or_methods_have_no_difference() {
        let change = one(cell(241, 0, &["AL", "BA"]), cell(224, 0, &["AL", "ME"]));
        assert_eq!((change.difference, change.percent, change.clear), (None, None, None));
        assert_eq!((change.joined, change.left), (vec!["ME".to_owned()], vec!["BA".to_owned()]));
        assert_eq!(change.flags, [Flag::Contributors].into());

        // One of two nodes of ME is late: the same jurisdictions, and not the same figures.
        let late = region::PictureCell {
            status: PictureStatus::Partial.into(),
            silent: vec!["ME".to_owned()],
            ..cell(60, 0, &["AL", "ME"])
        };
        let quiet = region::PictureCell { silent: Vec::new(), ..late.clone() };
        for later in [late, quiet] {
            let change = one(cell(100, 0, &["AL", "ME"]), later);
            assert_eq!((change.difference, change.clear), (None, None));
            assert_eq!(change.flags, [Flag::Contributors].into());
        }

        let mean =
            region::PictureCell { method: region::Method::Mean.into(), ..cell(2, 0, &["AL"]) };
        assert_eq!(one(cell(1, 0, &["AL"]), mean).flags, [Flag::Method].into());
        let hidden =
            region::PictureCell { status: PictureStatus::NotShown.into(), ..cell(0, 0, &[]) };
        let gone = one(cell(1, 0, &["AL"]), hidden);
        assert_eq!(gone.flags, [Flag::Contributors, Flag::Status].into());
        assert_eq!((gone.before.as_deref(), gone.now), (Some("1"), None));

        let before = picture(vec![cell(1, 0, &["AL"])]);
        let now = region::Picture { lists: "others".to_owned(), ..before.clone() };
        let side = |picture| Side { picture, period: None };
        let change = compare(side(&before), side(&now)).remove(0);
        assert_eq!((change.flags, change.difference), ([Flag::Break].into(), None));
    }

    #[test]
    fn whoever_sealed_another_table_since_is_named_a_revision() {
        let with = |table: u8| region::Picture {
            members: vec![region::MemberState {
                node: "al-police".to_owned(),
                jurisdiction: "AL".to_owned(),
                table_sha256: vec![table; 32],
                ..region::MemberState::default()
            }],
            ..picture(vec![cell(i64::from(table), 0, &["AL"])])
        };
        let (before, now) = (with(1), with(2));
        let side = |picture| Side { picture, period: None };
        let change = compare(side(&before), side(&now)).remove(0);
        assert_eq!(change.flags, [Flag::Revised].into());
        assert_eq!(change.difference.as_deref(), Some("1"));
    }

    #[test]
    fn two_periods_of_one_picture_are_compared_and_the_largest_changes_come_first() {
        let at = |area: &str, period: &str, value| region::PictureCell {
            crime_area: area.to_owned(),
            period: period.to_owned(),
            ..cell(value, 0, &["AL"])
        };
        let picture = picture(vec![
            at("ICCS0101", "2019", 100),
            at("ICCS0101", "2020", 110),
            at("ICCS0102", "2019", 100),
            at("ICCS0102", "2020", 50),
            at("ICCS0103", "2020", 7),
        ]);
        let side = |period| Side { picture: &picture, period: Some(period) };
        let changes = compare(side("2019"), side("2020"));
        assert_eq!(changes.len(), 3);
        assert_eq!(changes[2].flags, [Flag::Contributors, Flag::OneSided].into());
        assert_eq!(changes[2].periods, [String::new(), "2020".to_owned()]);
        let first = movers(changes, 1);
        assert_eq!((first.len(), first[0].percent.as_deref()), (1, Some("-50.0000")));
    }
}
