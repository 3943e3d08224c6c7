//! The own position beside the region's ranking. Comes in: cells of pictures, and what the node has released of each. Goes out: for
//! each ranked area the rank that the node's own figures give it. Pure; for the node's own eyes only.

use std::collections::BTreeMap;

use accord_proto::{
    print::OwnPlace,
    taxonomy::decimal,
    threat::{Bounds, Ranking, places},
    wire::{
        CellStatus,
        desk::{OwnFigure, OwnShare},
        region::PictureCell,
    },
};

/// Where own figures put the areas that are ranked, or are white spots in the region, by code. An area without an own figure of
/// the whole jurisdiction is not there.
pub(super) fn places_of<'a>(
    ranking: &Ranking,
    pictures: impl Iterator<Item = (&'a [PictureCell], &'a OwnShare)>,
) -> BTreeMap<String, OwnPlace> {
    let order = ranking.order();
    let asked = |cell: &PictureCell| {
        let told = (&cell.indicator, &cell.period, &cell.categories);
        let ranked = order.areas.iter().map(|area| &area.crime_area);
        let mut areas = ranked.chain(order.white_spots.iter().map(|spot| &spot.crime_area));
        told == (&order.indicator, &order.period, &order.categories)
            && areas.any(|area| *area == cell.crime_area)
    };
    let mut figures = BTreeMap::new();
    for (cells, own) in pictures {
        for (cell, own) in cells.iter().zip(&own.cells).filter(|(cell, _)| asked(cell)) {
            // Several figures are of regions: none of them is the jurisdiction's.
            if let [figure] = own.figures.as_slice()
                && let Some(found) = bounds(figure, cell.decimals)
            {
                figures.insert(cell.crime_area.clone(), found);
            }
        }
    }
    let all: Vec<_> = figures.values().map(|(bounds, _)| *bounds).collect();
    let placed = figures.into_iter().zip(places(&all));
    placed
        .map(|((area, (_, figure)), place)| {
            (area, OwnPlace { rank: (place.rank, place.best, place.worst), figure })
        })
        .collect()
}

/// Where an own figure lies: its noise within 1.96 standard errors, outward.
fn bounds(figure: &OwnFigure, decimals: u32) -> Option<(Bounds, String)> {
    let point = i128::from(figure.value);
    match figure.status() {
        CellStatus::Value => {
            let error =
                i128::from(figure.standard_error_milli.saturating_mul(196).div_ceil(100_000));
            let bounds = Bounds { point, lo: point - error, hi: point + error };
            Some((bounds, decimal(figure.value, decimals)))
        }
        CellStatus::Between => {
            let hi = i128::from(figure.upper);
            let ends = [figure.value, figure.upper].map(|end| decimal(end, decimals));
            Some((Bounds { point: point.midpoint(hi), lo: point, hi }, ends.join("–")))
        }
        CellStatus::NotShown
        | CellStatus::NotApplicable
        | CellStatus::Missing
        | CellStatus::Unspecified => None,
    }
}
