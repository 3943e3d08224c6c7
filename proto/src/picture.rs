//! A cell of a picture, as it is signed. Comes in: what became of a regional cell, and who is silent. Goes out: the one way to
//! write it. Pure: whoever checks a picture writes it again. No gap is drawn as zero, no part as the whole.

use std::collections::BTreeSet;

use crate::{
    combine::{self, Combined, Method},
    regional::{RegionalKey, Share, Standing},
    taxonomy::{JurisdictionCode, Lists, WHOLE_REGION},
    wire::region,
};

/// What is to be written of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// What became of it.
    pub combined: Combined,
    /// Who stands how to it; nobody, where the gate withholds it.
    pub standing: &'a Standing,
    /// Members' own figures under their name.
    pub shares: &'a [Share],
    /// Jurisdictions that were asked and have not answered.
    pub silent: &'a BTreeSet<JurisdictionCode>,
}

/// Writes a cell.
pub fn write_cell(key: RegionalKey, cell: Written<'_>, lists: &Lists) -> region::PictureCell {
    let RegionalKey { indicator: code, crime_area, period, categories } = key;
    let Written { combined, standing, shares, silent } = cell;
    let indicator = lists.indicator_of(code);
    let (value, standard_error_milli, within, method) = match combined {
        Combined::Figure { value, standard_error_milli, within, method } => {
            (value, standard_error_milli, Some(within), Some(method))
        }
        Combined::Between { standard_error_milli, within, method } => {
            (0, standard_error_milli, Some(within), Some(method))
        }
        Combined::Nothing | Combined::TooFew | Combined::NotApplicable => (0, 0, None, None),
    };
    let of_all = |indicator| {
        combine::of_all(combined, (standing.contributors.len(), absent(cell)), indicator)
    };
    let (whole_lower, whole_upper) = indicator.map_or((None, None), of_all);
    let names = |list: &[JurisdictionCode]| list.iter().map(ToString::to_string).collect();
    let basis = standing.basis.iter().map(|(precision, jurisdictions)| region::Basis {
        precision: precision.to_wire().into(),
        jurisdictions: jurisdictions.iter().map(ToString::to_string).collect(),
    });
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
        method: method.map_or(region::Method::Unspecified, written).into(),
        lower: within.map(|within| within.lower),
        upper: within.map(|within| within.upper),
        whole_lower,
        whole_upper,
        basis: if within.is_some() { basis.collect() } else { Vec::new() },
        shares: shares.iter().map(Share::to_wire).collect(),
    }
}

fn written(method: Method) -> region::Method {
    match method {
        Method::Sum => region::Method::Sum,
        Method::Mean => region::Method::Mean,
        Method::Median => region::Method::Median,
    }
}

/// Jurisdictions that were asked and bring nothing; of one with two nodes of which one brings nothing, a part.
fn absent(Written { standing, silent, .. }: Written<'_>) -> usize {
    let contributes = |of: &&JurisdictionCode| standing.contributors.contains(of);
    let in_part = silent.iter().filter(contributes).count();
    let absent = silent.len() - in_part + standing.missing.len() + standing.not_shown.len();
    if absent == 0 && (in_part > 0 || !standing.whole) { 1 } else { absent }
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
        Combined::Between { .. } => region::PictureStatus::Between,
        Combined::NotApplicable => region::PictureStatus::NotApplicable,
        Combined::Nothing if all_missing => region::PictureStatus::Missing,
        Combined::Nothing | Combined::TooFew => region::PictureStatus::NotShown,
    }
}
