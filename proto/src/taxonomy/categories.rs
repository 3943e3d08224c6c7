//! What a cell is broken down by. Comes in: text. Goes out: at most one category for each of the indicator's
//! dimensions. A cell has one spelling: every other one is refused by name, so that it cannot make a second cell.
//!
//! `_T` is the total over all categories, as SDMX writes it. Everything else names dimensions in the order
//! that the registry gives them for the indicator: `SEX=F`, `SEX=F;AGE=CHILD`.

use super::{CategoryCode, DIMENSIONS_MAX, Indicator, IndicatorCode, Lists};
use crate::{
    limits::AXIS_MAX,
    reason::{Invalid, Reason, quoted},
    roster::{ascending, bounded, each},
};

/// The category in each of an indicator's dimensions, in the registry's order; none: over all of them.
pub type Categories = [Option<CategoryCode>; DIMENSIONS_MAX];

/// Over all categories of all dimensions.
pub const TOTAL: &str = "_T";

const BETWEEN_PAIRS: char = ';';
const WITHIN_PAIR: char = '=';

impl Lists {
    /// Reads the one spelling of a cell's categories.
    pub fn parse_categories(
        &self,
        field: &str,
        indicator: &Indicator,
        text: &str,
    ) -> Result<Categories, Invalid> {
        let wrong = |detail: String| Err(Invalid::new(Reason::FieldInvalid, field, detail));
        let mut categories = Categories::default();
        if text == TOTAL {
            return Ok(categories);
        }
        for pair in text.split(BETWEEN_PAIRS) {
            let Some((dimension, category)) = pair.split_once(WITHIN_PAIR) else {
                return wrong(format!(
                    "{} is neither a dimension with its category, like SEX=F, nor {TOTAL}",
                    quoted(pair)
                ));
            };
            let dimension = self.dimension(field, indicator, dimension)?;
            let category = self.category(field, dimension, category)?;
            let at = indicator.dimensions.iter().position(|of| *of == dimension);
            let Some(place) = at.and_then(|at| categories.get_mut(at)) else {
                return wrong(format!("{dimension} is past {DIMENSIONS_MAX} dimensions"));
            };
            if place.replace(category).is_some() {
                return wrong(format!("names {dimension} twice"));
            }
        }
        let written = self.write_categories(indicator.code, &categories);
        if written == text {
            return Ok(categories);
        }
        wrong(format!("{} is written {written}", quoted(text)))
    }

    /// Writes it. `indicator` is a validated code.
    pub fn write_categories(&self, indicator: IndicatorCode, categories: &Categories) -> String {
        let dimensions = self.indicator_of(indicator).map(|of| of.dimensions.as_slice());
        let pairs: Vec<_> = dimensions
            .unwrap_or_default()
            .iter()
            .zip(categories)
            .filter_map(|(dimension, category)| {
                Some(format!("{dimension}{WITHIN_PAIR}{}", (*category)?))
            })
            .collect();
        if pairs.is_empty() {
            return TOTAL.to_owned();
        }
        pairs.join(&BETWEEN_PAIRS.to_string())
    }

    /// Reads the axis of a block: ascending by its text; empty is the total alone. Never empty.
    pub fn parse_category_axis(
        &self,
        field: &str,
        indicator: &Indicator,
        texts: Vec<String>,
    ) -> Result<Vec<Categories>, Invalid> {
        bounded(field, texts.len(), AXIS_MAX)?;
        ascending(field, &texts)?;
        if texts.is_empty() {
            return Ok(vec![Categories::default()]);
        }
        each(field, texts, |text| self.parse_categories("code", indicator, &text))
    }

    /// Writes it: the total alone is left out.
    pub fn write_category_axis(
        &self,
        indicator: IndicatorCode,
        axis: &[Categories],
    ) -> Vec<String> {
        if axis == [Categories::default()] {
            return Vec::new();
        }
        axis.iter().map(|categories| self.write_categories(indicator, categories)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken down by SEX, AGE and EXPLOITATION, in this order.
    fn victims() -> (&'static Lists, &'static Indicator) {
        let lists = Lists::builtin();
        (lists, lists.indicator("", "PUB.THB.VIC.N").unwrap())
    }

    #[test]
    fn categories_have_one_spelling() {
        let (lists, indicator) = victims();
        for text in ["_T", "SEX=F", "SEX=F;AGE=CHILD", "AGE=CHILD;EXPLOITATION=LABOUR"] {
            let categories = lists.parse_categories("categories", indicator, text).unwrap();
            assert_eq!(lists.write_categories(indicator.code, &categories), text);
        }
        let total = lists.parse_categories("categories", indicator, "_T").unwrap();
        assert_eq!(total, Categories::default());
    }

    #[test]
    fn another_spelling_of_categories_is_refused_by_name() {
        let (lists, indicator) = victims();
        for (text, reason, named) in [
            ("", Reason::FieldInvalid, "_T"),
            ("SEX", Reason::FieldInvalid, "SEX"),
            ("_t", Reason::FieldInvalid, "_t"),
            ("_T;SEX=F", Reason::FieldInvalid, "_T"),
            ("SEX=F;", Reason::FieldInvalid, "SEX=F"),
            ("AGE=CHILD;SEX=F", Reason::FieldInvalid, "SEX=F;AGE=CHILD"),
            ("SEX=F;SEX=F", Reason::FieldInvalid, "SEX twice"),
            ("SEX=F;SEX=M", Reason::FieldInvalid, "SEX twice"),
            ("sex=F", Reason::CodeUnknown, "sex"),
            ("HAIR=RED", Reason::CodeUnknown, "HAIR"),
            ("DRUG=COC", Reason::CodeUnknown, "DRUG"),
            (" SEX=F", Reason::CodeUnknown, " SEX"),
            ("SEX=f", Reason::CodeUnknown, "f"),
            ("SEX=F ", Reason::CodeUnknown, "F "),
            ("SEX=", Reason::CodeUnknown, "SEX"),
            ("SEX==F", Reason::CodeUnknown, "=F"),
            ("SEX=_T", Reason::CodeUnknown, "_T"),
            ("SEX=CHILD", Reason::CodeUnknown, "CHILD"),
        ] {
            let error = lists.parse_categories("categories", indicator, text).unwrap_err();
            assert_eq!(error.reason, reason, "{text:?}: {error}");
            assert!(error.detail.contains(named), "{text:?}: {error}");
        }
        // A dimension that exists and that another indicator has.
        let offences = lists.indicator("", "PUB.OFF.N").unwrap();
        let error = lists.parse_categories("categories", offences, "SEX=F").unwrap_err();
        assert_eq!(error.reason, Reason::LatticeUnknownCell, "{error}");
    }

    #[test]
    fn an_axis_is_ascending_and_the_total_alone_is_left_out() {
        let (lists, indicator) = victims();
        let read = |texts: &[&str]| {
            let texts = texts.iter().map(|text| (*text).to_owned()).collect();
            lists.parse_category_axis("categories", indicator, texts)
        };
        let total = vec![Categories::default()];
        assert_eq!(read(&[]).unwrap(), total);
        assert_eq!(read(&["_T"]).unwrap(), total);
        assert!(lists.write_category_axis(indicator.code, &total).is_empty());

        let texts = ["AGE=CHILD", "SEX=F", "SEX=F;AGE=CHILD", "_T"];
        let axis = read(&texts).unwrap();
        assert_eq!(lists.write_category_axis(indicator.code, &axis), texts);
        for wrong in [&["SEX=M", "SEX=F"], &["SEX=F", "SEX=F"], &["_T", "SEX=F"]] {
            assert_eq!(read(wrong).unwrap_err().reason, Reason::FieldInvalid, "{wrong:?}");
        }
        assert_eq!(read(&["SEX=F", "SEX=f"]).unwrap_err().field, "categories[1].code");
        let many = vec!["SEX=F"; AXIS_MAX + 1];
        assert_eq!(read(&many).unwrap_err().reason, Reason::LimitExceeded);
    }
}
