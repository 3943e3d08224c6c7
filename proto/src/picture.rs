//! A cell of a picture, as it is signed. Comes in: what became of a regional cell, and who is silent. Goes out: the one way to
//! write it. Pure: whoever checks a picture writes it again. No gap is drawn as zero, no part as the whole.

use std::collections::BTreeSet;

use crate::{
    combine::Combined,
    regional::{RegionalKey, Standing},
    taxonomy::{JurisdictionCode, Lists, WHOLE_REGION},
    wire::region,
};

/// Writes a cell. `silent` are jurisdictions that were asked and have not answered.
pub fn write_cell(
    key: RegionalKey,
    (combined, standing): (Combined, &Standing),
    silent: &BTreeSet<JurisdictionCode>,
    lists: &Lists,
) -> region::PictureCell {
    let RegionalKey { indicator: code, crime_area, period, categories } = key;
    let indicator = lists.indicator_of(code);
    let (value, standard_error_milli) = match combined {
        Combined::Figure { value, standard_error_milli } => (value, standard_error_milli),
        Combined::Nothing | Combined::TooFew | Combined::NotApplicable => (0, 0),
    };
    let names = |list: &[JurisdictionCode]| list.iter().map(ToString::to_string).collect();
    region::PictureCell {
        indicator: code.to_string(),
        crime_area: crime_area.to_string(),
        region: WHOLE_REGION.to_owned(),
        period: period.to_string(),
        status: status(combined, standing, silent).into(),
        value,
        decimals: indicator.map_or(0, |indicator| indicator.decimals),
        unit: indicator.map_or_else(String::new, |indicator| indicator.unit.clone()),
        contributors: names(&standing.contributors),
        missing: names(&standing.missing),
        not_shown: names(&standing.not_shown),
        silent: silent.iter().map(ToString::to_string).collect(),
        categories: lists.write_categories(code, &categories),
        standard_error_milli,
    }
}

fn status(
    combined: Combined,
    standing: &Standing,
    silent: &BTreeSet<JurisdictionCode>,
) -> region::PictureStatus {
    let whole = standing.whole && silent.is_empty();
    let all_missing = !standing.missing.is_empty() && standing.not_shown.is_empty();
    match combined {
        Combined::Figure { .. } if whole => region::PictureStatus::Value,
        Combined::Figure { .. } => region::PictureStatus::Partial,
        Combined::NotApplicable => region::PictureStatus::NotApplicable,
        Combined::Nothing if all_missing => region::PictureStatus::Missing,
        Combined::Nothing | Combined::TooFew => region::PictureStatus::NotShown,
    }
}
