//! What a cell of a picture says of itself. Comes in: the cell, as it was signed. Goes out: the figure and who stands how to it, as
//! a coordinator had them that wrote the cell so; nothing if no coordinator can have. Whether they are true is not asked here.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    combine::{Combined, Method, Within},
    regional::{Precision, Standing},
    taxonomy::{JurisdictionCode, Lists},
    wire::region,
};

/// Reads a cell backwards.
pub(super) fn of(cell: &region::PictureCell, lists: &Lists) -> Option<(Combined, Standing)> {
    let within = || Some(Within { lower: cell.lower?, upper: cell.upper? });
    let method = || match cell.method() {
        region::Method::Sum => Some(Method::Sum),
        region::Method::Mean => Some(Method::Mean),
        region::Method::Median => Some(Method::Median),
        // A ratio stands beside a picture, never in it.
        region::Method::Ratio | region::Method::Unspecified => None,
    };
    let standard_error_milli = cell.standard_error_milli;
    let combined = match cell.status() {
        region::PictureStatus::Value | region::PictureStatus::Partial => Combined::Figure {
            value: cell.value,
            standard_error_milli,
            within: within()?,
            method: method()?,
        },
        region::PictureStatus::Between => {
            Combined::Between { standard_error_milli, within: within()?, method: method()? }
        }
        region::PictureStatus::Missing => Combined::Nothing,
        // Nothing at all and too few are written the same.
        region::PictureStatus::NotShown => Combined::TooFew,
        region::PictureStatus::NotApplicable => Combined::NotApplicable,
        region::PictureStatus::Unspecified => return None,
    };
    let standing = Standing {
        contributors: jurisdictions(&cell.contributors, lists)?,
        missing: jurisdictions(&cell.missing, lists)?,
        not_shown: jurisdictions(&cell.not_shown, lists)?,
        whole: true,
        basis: basis(&cell.basis, lists)?,
    };
    Some((combined, standing))
}

/// Ascending, nobody twice.
fn jurisdictions(codes: &[String], lists: &Lists) -> Option<Vec<JurisdictionCode>> {
    let read = |code: &String| Some(lists.jurisdiction("", code).ok()?.code);
    let read = codes.iter().map(read).collect::<Option<Vec<_>>>()?;
    read.is_sorted_by(|a, b| a < b).then_some(read)
}

fn basis(
    basis: &[region::Basis],
    lists: &Lists,
) -> Option<BTreeMap<Precision, BTreeSet<JurisdictionCode>>> {
    let read = |basis: &region::Basis| {
        let precision = match basis.precision() {
            region::Precision::Open => Precision::Open,
            region::Precision::Masked => Precision::Masked,
            region::Precision::Protected => Precision::Protected,
            region::Precision::Bulletin => Precision::Bulletin,
            region::Precision::Unspecified => return None,
        };
        Some((precision, jurisdictions(&basis.jurisdictions, lists)?.into_iter().collect()))
    };
    basis.iter().map(read).collect()
}
