//! A trend over rounds. Comes in: pictures. Goes out: of every cell one point for each period, as the
//! newest round tells it, each compared with the point before. Pure. Must never draw a line over a break: where two points do
//! not compare, there is no difference between them, and it is said why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Flag, figure, has_figure, of_cell, scaled};
use crate::{
    taxonomy::Period,
    wire::region::{self, PictureStatus},
};

/// One period of a series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// What is counted or measured.
    pub indicator: String,
    /// Which crime area.
    pub crime_area: String,
    /// Which categories.
    pub categories: String,
    /// Which period.
    pub period: String,
    /// The round that tells it: id of its requirement.
    pub requirement: String,
    /// The figure, or where it lies; none where there is none.
    pub value: Option<String>,
    /// Where what those who contribute hold lies at least.
    pub lower: Option<String>,
    /// And at most.
    pub upper: Option<String>,
    /// Who contributes.
    pub contributors: Vec<String>,
    /// The period before it; empty: that one was not asked.
    pub since: String,
    /// This figure less that of the period before; none where the two are not comparable.
    pub difference: Option<String>,
    /// That in percent, with four decimals.
    pub percent: Option<String>,
    /// It is more than noise and rounding.
    pub clear: Option<bool>,
    /// What is to be known. *Revised*: an earlier round told another figure of the same period.
    pub flags: Vec<Flag>,
    /// For whoever draws: the cell as it was signed.
    #[serde(skip)]
    pub cell: region::PictureCell,
    /// At least one member had answered in that round.
    #[serde(skip)]
    pub answered: bool,
}

/// Indicator, crime area, categories.
type Series<'a> = (&'a str, &'a str, &'a str);
/// A cell, its round, and whether an earlier round told another figure.
type Told<'a> = (&'a region::Picture, &'a region::PictureCell, bool);

/// Every series, in the order of codes and then of time; periods of one length after those of a longer one.
pub fn trend(rounds: &[region::Picture]) -> Vec<Point> {
    // Ids carry the time: whoever names them in another order gets the same.
    let mut rounds: Vec<_> = rounds.iter().collect();
    rounds.sort_by(|a, b| a.requirement.cmp(&b.requirement));
    let mut series = BTreeMap::<Series<'_>, BTreeMap<Period, Told<'_>>>::new();
    for picture in rounds {
        for cell in &picture.cells {
            // Whoever signed the picture has written a period.
            let Ok(period) = Period::parse("period", &cell.period) else { continue };
            let of = (cell.indicator.as_str(), cell.crime_area.as_str(), cell.categories.as_str());
            let points = series.entry(of).or_default();
            match points.get(&period) {
                // A round in which nothing is told takes nothing away.
                Some(_) if !has_figure(cell) => {}
                known => {
                    let known = known.filter(|(_, known, _)| has_figure(known));
                    let revised = known.is_some_and(|(_, known, revised)| {
                        *revised || figure(known) != figure(cell)
                    });
                    points.insert(period, (picture, cell, revised));
                }
            }
        }
    }
    series.into_values().flat_map(points).collect()
}

fn points(series: BTreeMap<Period, Told<'_>>) -> Vec<Point> {
    let mut points = Vec::new();
    let mut last: Option<(Period, Told<'_>)> = None;
    for (period, told) in series {
        // Over a period that nobody asked for there is no line.
        let before = last.filter(|(last, _)| last.next() == period);
        points.push(point(before.map(|(_, told)| told), told));
        last = Some((period, told));
    }
    points
}

fn point(before: Option<Told<'_>>, (picture, cell, revised): Told<'_>) -> Point {
    let lists_changed = before.is_some_and(|(earlier, _, _)| earlier.lists != picture.lists);
    let change = before.and_then(|(_, earlier, _)| {
        of_cell([Some(earlier), Some(cell)], lists_changed, &super::BTreeSet::new())
    });
    let mut flags = change.as_ref().map_or_else(super::BTreeSet::new, |of| of.flags.clone());
    if revised {
        flags.insert(Flag::Revised);
    }
    if cell.status() == PictureStatus::Partial {
        flags.insert(Flag::Partial);
    }
    Point {
        indicator: cell.indicator.clone(),
        crime_area: cell.crime_area.clone(),
        categories: cell.categories.clone(),
        period: cell.period.clone(),
        requirement: picture.requirement.clone(),
        value: figure(cell),
        lower: scaled(cell.lower, cell),
        upper: scaled(cell.upper, cell),
        contributors: cell.contributors.clone(),
        since: before.map_or_else(String::new, |(_, earlier, _)| earlier.period.clone()),
        difference: change.as_ref().and_then(|of| of.difference.clone()),
        percent: change.as_ref().and_then(|of| of.percent.clone()),
        clear: change.and_then(|of| of.clear),
        flags: flags.into_iter().collect(),
        cell: cell.clone(),
        answered: picture.coverage.is_some_and(|coverage| coverage.answered > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(period: &str, value: i64, contributors: &[&str]) -> region::PictureCell {
        region::PictureCell {
            indicator: "PUB.OFF.N".to_owned(),
            crime_area: "ICCS0101".to_owned(),
            period: period.to_owned(),
            categories: "_T".to_owned(),
            status: PictureStatus::Value.into(),
            value,
            lower: Some(value),
            upper: Some(value),
            contributors: contributors.iter().map(|of| (*of).to_owned()).collect(),
            ..region::PictureCell::default()
        }
    }

    fn round(name: &str, cells: Vec<region::PictureCell>) -> region::Picture {
        region::Picture { requirement: name.to_owned(), cells, ..region::Picture::default() }
    }

    #[test]
    fn every_period_is_told_by_the_newest_round_and_compared_with_the_one_before() {
        let all = ["AL", "BA"];
        let first = round("r1", vec![cell("2016", 100, &all), cell("2017", 110, &all)]);
        let nothing =
            region::PictureCell { status: PictureStatus::NotShown.into(), ..cell("2016", 0, &[]) };
        let second = round("r2", vec![nothing, cell("2017", 111, &all), cell("2018", 50, &["AL"])]);
        let points = trend(&[first, second]);
        let told = |at: usize| {
            let point: &Point = &points[at];
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            (
                point.period.as_str(),
                point.requirement.as_str(),
                text(&point.value),
                text(&point.difference),
                point.flags.clone(),
            )
        };
        let is = |value: &str| value.to_owned();
        assert_eq!(told(0), ("2016", "r1", is("100"), is(""), vec![]));
        assert_eq!(told(1), ("2017", "r2", is("111"), is("11"), vec![Flag::Revised]));
        // Others contribute: no line is drawn to it.
        assert_eq!(told(2), ("2018", "r2", is("50"), is(""), vec![Flag::Contributors]));
    }

    #[test]
    fn quarters_are_not_compared_with_years_nor_over_other_lists() {
        let all = ["AL"];
        let first = round("r1", vec![cell("2016", 100, &all), cell("2016-Q1", 20, &all)]);
        let lists = "others".to_owned();
        let second = region::Picture { lists, ..round("r2", vec![cell("2017", 90, &all)]) };
        let points = trend(&[first, second]);
        let since: Vec<_> =
            points.iter().map(|of| (of.period.as_str(), of.since.as_str())).collect();
        assert_eq!(since, [("2016", ""), ("2017", "2016"), ("2016-Q1", "")]);
        assert_eq!((&points[1].difference, &points[1].flags), (&None, &vec![Flag::Break]));
    }
}
