//! Ratios, worked out from their parts. Comes in: a picture. Goes out: cells that stand beside its own wherever both parts of a
//! registered ratio do, of the same contributors. Pure: whoever has the picture gets the same. Nobody signs them and nobody
//! answers them: they tell nothing that the parts do not. Must never average members' ratios (domain.md §7.4), nor
//! divide figures of different contributors.
//!
//! The interval reaches from the least numerator over the largest denominator to the largest over the least. The standard
//! error is that of first order for independent parts, `√(s_n² + (n/d)² s_d²) / d`, rounded up.

use std::collections::BTreeMap;

use crate::{
    rounding::half_to_even,
    taxonomy::{Indicator, Lists},
    wire::region::{Method, Picture, PictureCell, PictureStatus},
};

/// Every ratio of a picture, in the order of the registry and of their numerators.
pub fn of(picture: &Picture, lists: &Lists) -> Vec<PictureCell> {
    let place = |cell: &PictureCell| {
        (cell.crime_area.clone(), cell.period.clone(), cell.categories.clone())
    };
    let mut of_indicator = BTreeMap::<&str, Vec<&PictureCell>>::new();
    for cell in &picture.cells {
        of_indicator.entry(&cell.indicator).or_default().push(cell);
    }
    let mut ratios = Vec::new();
    for indicator in lists.indicators() {
        let Some((above, below)) = indicator.parts else { continue };
        let cells = |code: &str| of_indicator.get(code).map_or(&[][..], Vec::as_slice);
        let below: BTreeMap<_, _> =
            cells(below.as_str()).iter().map(|cell| (place(cell), *cell)).collect();
        let of = |above: &&PictureCell| Some(ratio(indicator, above, below.get(&place(above))?));
        ratios.extend(cells(above.as_str()).iter().filter_map(of));
    }
    ratios
}

/// One of them. Where a part is not shown, it is not; where the parts are not of the same members, or the denominator may be
/// zero, there is none.
fn ratio(indicator: &Indicator, above: &PictureCell, below: &PictureCell) -> PictureCell {
    let status = match (above.status(), below.status()) {
        (PictureStatus::NotShown, _) | (_, PictureStatus::NotShown) => PictureStatus::NotShown,
        (PictureStatus::Missing, _) | (_, PictureStatus::Missing) => PictureStatus::Missing,
        _ => PictureStatus::NotApplicable,
    };
    let empty = PictureCell {
        indicator: indicator.code.to_string(),
        status: status.into(),
        value: 0,
        decimals: indicator.decimals,
        unit: indicator.unit.clone(),
        standard_error_milli: 0,
        method: Method::Unspecified.into(),
        lower: None,
        upper: None,
        whole_lower: None,
        whole_upper: None,
        shares: Vec::new(),
        ..above.clone()
    };
    let lies_somewhere =
        |cell: &PictureCell| is_figure(cell) || cell.status() == PictureStatus::Between;
    if above.contributors != below.contributors || ![above, below].into_iter().all(lies_somewhere) {
        return empty;
    }
    figure(indicator, above, below, &empty).unwrap_or(empty)
}

fn is_figure(cell: &PictureCell) -> bool {
    matches!(cell.status(), PictureStatus::Value | PictureStatus::Partial)
}

/// None: the denominator may be zero, or something does not fit.
fn figure(
    indicator: &Indicator,
    above: &PictureCell,
    below: &PictureCell,
    empty: &PictureCell,
) -> Option<PictureCell> {
    let scale = Scale::of(indicator, above, below)?;
    let lower = scale.divide(above.lower?, below.upper?)?.0.max(indicator.value_min);
    let (down, exact) = scale.divide(above.upper?, below.lower?)?;
    let upper = down.checked_add(i64::from(!exact))?.min(indicator.value_max);
    // Parts that contradict each other, as where somebody counts otherwise: more of them than there are of all.
    if lower > upper {
        return None;
    }
    let between = PictureCell {
        status: PictureStatus::Between.into(),
        method: Method::Ratio.into(),
        lower: Some(lower),
        upper: Some(upper),
        ..empty.clone()
    };
    if !(is_figure(above) && is_figure(below)) {
        return Some(between);
    }
    let partial = [above, below].iter().any(|part| part.status() == PictureStatus::Partial);
    let status = if partial { PictureStatus::Partial } else { PictureStatus::Value };
    let value = scale.nearest(above.value, below.value)?.clamp(lower, upper);
    let standard_error_milli = scale.error(above, below)?;
    Some(PictureCell { status: status.into(), value, standard_error_milli, ..between })
}

/// From units of both parts to those of the ratio: times `up`, over `down`.
struct Scale {
    up: i128,
    down: i128,
}

impl Scale {
    fn of(indicator: &Indicator, above: &PictureCell, below: &PictureCell) -> Option<Self> {
        let per = if indicator.unit == "%" { 100 } else { 1 };
        let ten = |exponent: u32| 10_i128.checked_pow(exponent);
        let up = ten(indicator.decimals.checked_add(below.decimals)?)?.checked_mul(per)?;
        Some(Self { up, down: ten(above.decimals)? })
    }

    /// Rounded down, and whether that is exact.
    fn divide(&self, above: i64, below: i64) -> Option<(i64, bool)> {
        let (above, below) = self.scaled(above, below)?;
        let whole = i64::try_from(above.div_euclid(below)).ok()?;
        Some((whole, above.rem_euclid(below) == 0))
    }

    /// Rounded half to even.
    fn nearest(&self, above: i64, below: i64) -> Option<i64> {
        let (above, below) = self.scaled(above, below)?;
        i64::try_from(half_to_even(above, below)).ok()
    }

    fn scaled(&self, above: i64, below: i64) -> Option<(i128, i128)> {
        let below = i128::from(below).checked_mul(self.down)?;
        (below > 0).then_some((i128::from(above).checked_mul(self.up)?, below))
    }

    /// In thousandths of the ratio's units.
    fn error(&self, above: &PictureCell, below: &PictureCell) -> Option<u64> {
        let [of_above, of_below] = [above, below].map(|part| u128::from(part.standard_error_milli));
        let value = |part: &PictureCell| u128::from(part.value.unsigned_abs());
        let square = |a: u128, b: u128| a.checked_mul(b)?.checked_pow(2);
        let sum = square(of_above, value(below))?.checked_add(square(of_below, value(above))?)?;
        let root = sum.isqrt();
        let root = root + u128::from(root * root < sum);
        let (up, down) = (u128::try_from(self.up).ok()?, u128::try_from(self.down).ok()?);
        let over = value(below).checked_pow(2)?.checked_mul(down)?;
        u64::try_from(root.checked_mul(up)?.div_ceil(over)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cell of a part: figure, standard error in thousandths, interval.
    fn part(indicator: &str, value: i64, error: u64, within: (i64, i64)) -> PictureCell {
        PictureCell {
            indicator: indicator.to_owned(),
            crime_area: "THB".to_owned(),
            period: "2025".to_owned(),
            categories: "_T".to_owned(),
            status: PictureStatus::Value.into(),
            value,
            standard_error_milli: error,
            lower: Some(within.0),
            upper: Some(within.1),
            contributors: ["AL", "MK", "RS"].map(str::to_owned).to_vec(),
            method: Method::Sum.into(),
            ..PictureCell::default()
        }
    }

    fn share(above: PictureCell, below: PictureCell) -> PictureCell {
        let picture = Picture { cells: vec![above, below], ..Picture::default() };
        let ratios = of(&picture, Lists::builtin());
        let [ratio] = ratios.as_slice() else { panic!("{} ratios", ratios.len()) };
        ratio.clone()
    }

    const MINORS: &str = "THB.VIC.MIN.N";
    const ALL: &str = "THB.VIC.N";

    #[test]
    fn a_ratio_is_recomputed_from_its_parts_and_never_averaged() {
        let share = share(part(MINORS, 40, 0, (40, 40)), part(ALL, 120, 0, (120, 120)));
        assert_eq!((share.indicator.as_str(), share.unit.as_str()), ("THB.VIC.MIN.SH", "%"));
        assert_eq!((share.status(), share.value, share.decimals), (PictureStatus::Value, 333, 1));
        assert_eq!((share.lower, share.upper), (Some(333), Some(334)), "rounded outward");
        assert_eq!((share.standard_error_milli, share.method()), (0, Method::Ratio));
    }

    #[test]
    fn what_is_not_exact_in_the_parts_is_not_in_the_ratio() {
        let share = share(part(MINORS, 40, 2_500, (35, 45)), part(ALL, 120, 5_000, (110, 130)));
        assert_eq!((share.value, share.lower, share.upper), (333, Some(269), Some(410)));
        // 100 % / 120 × √(2.5² + (40/120)² 5²) = 2.503…, in thousandths of a tenth.
        assert_eq!(share.standard_error_milli, 25_039);
    }

    #[test]
    fn parts_of_different_members_and_parts_that_are_not_shown_give_no_ratio() {
        let all = || part(ALL, 120, 0, (120, 120));
        let others = PictureCell { contributors: vec!["AL".to_owned()], ..all() };
        let minors = || part(MINORS, 40, 0, (40, 40));
        assert_eq!(share(minors(), others).status(), PictureStatus::NotApplicable);
        let hidden = PictureCell { status: PictureStatus::NotShown.into(), ..all() };
        assert_eq!(share(minors(), hidden).status(), PictureStatus::NotShown);
        let more = share(part(MINORS, 150, 0, (150, 150)), part(ALL, 100, 0, (100, 100)));
        assert_eq!(more.status(), PictureStatus::NotApplicable, "more minors than victims");
        let none = part(ALL, 0, 0, (0, 0));
        assert_eq!(share(part(MINORS, 0, 0, (0, 0)), none).status(), PictureStatus::NotApplicable);
        let elsewhere = PictureCell { period: "2024".to_owned(), ..all() };
        let picture = Picture { cells: vec![minors(), elsewhere], ..Picture::default() };
        assert!(of(&picture, Lists::builtin()).is_empty());
    }
}
