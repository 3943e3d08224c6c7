//! Which cells of a picture are exported. Comes in: filters as a person writes them. Goes out: the cells that pass,
//! in the picture's order. Every code is checked: a misspelt one is refused by name, never an empty file.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    reason::{Invalid, Reason, quoted},
    taxonomy::{CrimeAreaCode, DimensionCode, Lists, Period, TOTAL},
};

use super::{Observation, State};

/// Filters as they are written. Of one kind any may hold, of different kinds all must; an empty kind holds.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Codes of indicators.
    pub indicators: Vec<String>,
    /// Codes of crime areas, each with all that is below it.
    pub areas: Vec<String>,
    /// Codes of crime areas, each alone.
    pub exact_areas: Vec<String>,
    /// Periods, each with all that lies within it.
    pub periods: Vec<String>,
    /// Like `SEX=F`, `SEX=_T`, or `_T` for the total alone. Of one dimension any may hold, of several all must.
    pub categories: Vec<String>,
    /// States.
    pub states: Vec<State>,
}

/// Filters whose every code exists.
struct Selection {
    indicators: BTreeSet<String>,
    areas: BTreeSet<CrimeAreaCode>,
    exact_areas: BTreeSet<CrimeAreaCode>,
    periods: Vec<Period>,
    total: bool,
    categories: BTreeMap<String, BTreeSet<String>>,
    states: BTreeSet<State>,
}

/// The cells that pass.
///
/// # Errors `CODE_UNKNOWN`, `FIELD_INVALID` or `PERIOD_INVALID` with the name of the filter; the closest code of the
/// picture is the hint.
pub fn select(
    wanted: &Wanted,
    observations: Vec<Observation>,
    lists: &Lists,
) -> Result<Vec<Observation>, Invalid> {
    let selection = Selection::of(wanted, &observations, lists)?;
    Ok(observations.into_iter().filter(|cell| selection.takes(cell, lists)).collect())
}

impl Wanted {
    /// Each filter in words.
    pub fn words(&self) -> Vec<String> {
        let kinds = [
            ("indicator", &self.indicators),
            ("area", &self.areas),
            ("exact area", &self.exact_areas),
            ("period", &self.periods),
            ("category", &self.categories),
        ];
        let states = self.states.iter().map(|state| format!("state {}", state.as_str()));
        let words = kinds
            .into_iter()
            .flat_map(|(kind, of)| of.iter().map(move |one| format!("{kind} {one}")));
        words.chain(states).collect()
    }
}

impl Selection {
    fn of(wanted: &Wanted, cells: &[Observation], lists: &Lists) -> Result<Self, Invalid> {
        let indicators = wanted.indicators.iter().map(|text| {
            let known = lists.indicator("--indicator", text);
            let codes = || cells.iter().map(|cell| cell.indicator.code.as_str());
            known.map(|known| known.code.to_string()).map_err(|error| hinted(error, text, codes()))
        });
        let area = |field: &'static str| {
            move |text: &String| {
                let known = CrimeAreaCode::parse(text);
                let known = known.filter(|code| lists.crime_area_list(*code).is_some());
                known.ok_or_else(|| {
                    let detail = format!("{} is in no list of crime areas", quoted(text));
                    let error = Invalid::new(Reason::CodeUnknown, field, detail);
                    hinted(error, text, cells.iter().map(|cell| cell.crime_area.code.as_str()))
                })
            }
        };
        let mut categories = BTreeMap::<_, BTreeSet<_>>::new();
        for text in wanted.categories.iter().filter(|text| *text != TOTAL) {
            let (dimension, code) = category(text, cells, lists)?;
            categories.entry(dimension).or_default().insert(code);
        }
        Ok(Self {
            indicators: indicators.collect::<Result<_, _>>()?,
            areas: wanted.areas.iter().map(area("--area")).collect::<Result<_, _>>()?,
            exact_areas: wanted
                .exact_areas
                .iter()
                .map(area("--exact-area"))
                .collect::<Result<_, _>>()?,
            periods: wanted
                .periods
                .iter()
                .map(|text| Period::parse("--period", text))
                .collect::<Result<_, _>>()?,
            total: wanted.categories.iter().any(|text| text == TOTAL),
            categories,
            states: wanted.states.iter().copied().collect(),
        })
    }

    fn takes(&self, cell: &Observation, lists: &Lists) -> bool {
        let indicator =
            self.indicators.is_empty() || self.indicators.contains(&cell.indicator.code);
        let period = self.periods.is_empty() || self.periods.iter().any(|of| of.holds(cell.period));
        let state = self.states.is_empty() || self.states.contains(&cell.state);
        indicator && period && state && self.takes_area(cell, lists) && self.takes_category(cell)
    }

    fn takes_area(&self, cell: &Observation, lists: &Lists) -> bool {
        if self.areas.is_empty() && self.exact_areas.is_empty() {
            return true;
        }
        let code = CrimeAreaCode::parse(&cell.crime_area.code);
        let mut line = std::iter::successors(code, |code| lists.crime_area_parent(*code));
        code.is_some_and(|code| self.exact_areas.contains(&code))
            || line.any(|code| self.areas.contains(&code))
    }

    fn takes_category(&self, cell: &Observation) -> bool {
        if self.categories.is_empty() && !self.total {
            return true;
        }
        let on = |(dimension, codes): (&String, &BTreeSet<String>)| {
            cell.category(dimension).is_some_and(|code| codes.contains(code))
        };
        let total = self.total && cell.categories_text == TOTAL;
        total || (!self.categories.is_empty() && self.categories.iter().all(on))
    }
}

/// A dimension and one of its categories.
fn category(text: &str, cells: &[Observation], lists: &Lists) -> Result<(String, String), Invalid> {
    const FIELD: &str = "--category";
    let Some((name, code)) = text.split_once('=') else {
        let detail = format!("{} is neither {TOTAL} nor like SEX=F", quoted(text));
        return Err(Invalid::new(Reason::FieldInvalid, FIELD, detail));
    };
    let dimension = DimensionCode::parse(name);
    let dimension = dimension.filter(|of| lists.categories(*of).next().is_some());
    let dimension = dimension.ok_or_else(|| {
        let detail = format!("{} is not in the list dimensions", quoted(name));
        let names = cells.iter().flat_map(|cell| &cell.categories);
        let names = names.map(|of| of.dimension.as_str());
        hinted(Invalid::new(Reason::CodeUnknown, FIELD, detail), name, names)
    })?;
    if code != TOTAL {
        lists.category(FIELD, dimension, code)?;
    }
    Ok((name.to_owned(), code.to_owned()))
}

/// The same refusal with the closest code, if one is close.
fn hinted<'a>(error: Invalid, text: &str, codes: impl Iterator<Item = &'a str>) -> Invalid {
    // What somebody wrote may be long, and a code is short.
    let text: String = text.chars().take(64).collect();
    let codes: BTreeSet<_> = codes.collect();
    let near = codes.into_iter().map(|code| (distance(&text.to_uppercase(), code), code)).min();
    match near {
        Some((edits, code)) if edits * 3 <= code.chars().count() => Invalid {
            detail: format!("{}; closest in this picture: {code}", error.detail),
            ..error
        },
        Some(_) | None => error,
    }
}

/// Characters to insert, remove or replace to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<_> = b.chars().collect();
    let mut row: Vec<_> = (0..=b.len()).collect();
    for (above, of_a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, of_b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(of_a != *of_b);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::sample;

    fn codes(wanted: &Wanted) -> Vec<String> {
        let (_, cells) = sample();
        let found = select(wanted, cells, Lists::builtin()).unwrap();
        let name = |cell: &Observation| {
            let (area, period) = (&cell.crime_area.code, cell.period);
            format!("{} {area} {period} {}", cell.indicator.code, cell.categories_text)
        };
        found.iter().map(name).collect()
    }

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn an_area_includes_what_is_below_it_and_an_exact_one_does_not() {
        let of = |areas: &[&str], exact: &[&str]| {
            let wanted =
                Wanted { areas: texts(areas), exact_areas: texts(exact), ..Wanted::default() };
            codes(&wanted).len()
        };
        assert_eq!(of(&["DRG"], &[]), 3);
        assert_eq!(of(&[], &["DRG"]), 1);
        assert_eq!(of(&["DRG.COC"], &[]), 2);
        assert_eq!(of(&[], &["DRG.COC"]), 2);
        assert_eq!(of(&["DRG"], &["ICCS0101"]), 5);
    }

    #[test]
    fn a_period_includes_what_lies_within_it() {
        let of = |periods: &[&str]| {
            codes(&Wanted { periods: texts(periods), ..Wanted::default() }).len()
        };
        assert_eq!(of(&["2016"]), of(&["2016-H1", "2016-H2"]) + 4);
        assert_eq!(of(&["2016-H2"]), 1);
        assert_eq!(of(&["2015"]), 0);
    }

    #[test]
    fn categories_of_one_dimension_are_any_of_several_all() {
        let of = |categories: &[&str]| {
            codes(&Wanted { categories: texts(categories), ..Wanted::default() })
        };
        assert_eq!(of(&["SEX=F"]), ["PUB.THB.VIC.N THB 2016 SEX=F;AGE=CHILD"]);
        assert_eq!(of(&["SEX=F", "SEX=_T"]).len(), 2);
        assert_eq!(of(&["SEX=F", "AGE=CHILD"]).len(), 1);
        assert_eq!(of(&["SEX=F", "AGE=_T"]).len(), 0);
        assert!(of(&["_T"]).iter().all(|name| name.ends_with(" _T")));
        assert_eq!(of(&["_T", "SEX=F"]).len(), of(&["_T"]).len() + 1);
    }

    #[test]
    fn filters_of_different_kinds_must_all_hold_and_are_told_in_words() {
        let wanted = Wanted {
            indicators: texts(&["DRG.SEIZ.COC.KG"]),
            states: vec![State::NotShown, State::Missing],
            ..Wanted::default()
        };
        assert_eq!(codes(&wanted), ["DRG.SEIZ.COC.KG DRG.COC 2016-H2 _T"]);
        let words = ["indicator DRG.SEIZ.COC.KG", "state not_shown", "state missing"];
        assert_eq!(wanted.words(), words);
        assert_eq!(codes(&Wanted::default()).len(), sample().1.len());
    }

    #[test]
    fn a_code_that_there_is_not_is_refused_by_name_with_the_closest() {
        let refused = |wanted: Wanted| {
            let (_, cells) = sample();
            select(&wanted, cells, Lists::builtin()).unwrap_err().to_string()
        };
        let one = |text: &str| texts(&[text]);
        for (wanted, parts) in [
            (
                Wanted { indicators: one("DRG.SEIZ.COK.KG"), ..Wanted::default() },
                [
                    "CODE_UNKNOWN: --indicator",
                    "\"DRG.SEIZ.COK.KG\"",
                    "closest in this picture: DRG.SEIZ.COC.KG",
                ],
            ),
            (
                Wanted { areas: one("iccs0101"), ..Wanted::default() },
                ["CODE_UNKNOWN: --area", "\"iccs0101\"", "ICCS0101"],
            ),
            (
                Wanted { exact_areas: one("THBX"), ..Wanted::default() },
                ["CODE_UNKNOWN: --exact-area", "\"THBX\"", "THB"],
            ),
            (
                Wanted { categories: one("SEXX=F"), ..Wanted::default() },
                ["CODE_UNKNOWN: --category", "\"SEXX\"", "closest in this picture: SEX"],
            ),
            (
                Wanted { categories: one("SEX=X"), ..Wanted::default() },
                ["CODE_UNKNOWN: --category", "\"X\"", "F, M"],
            ),
            (
                Wanted { categories: one("F"), ..Wanted::default() },
                ["FIELD_INVALID: --category", "\"F\"", "SEX=F"],
            ),
            (
                Wanted { periods: one("2016-Q5"), ..Wanted::default() },
                ["PERIOD_INVALID: --period", "\"2016-Q5\"", "2016-Q3"],
            ),
        ] {
            let said = refused(wanted);
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
        // Nothing is close: no hint, and a long text is no work.
        let long = "X".repeat(1_000_000);
        let said = refused(Wanted { indicators: vec![long], ..Wanted::default() });
        assert!(!said.contains("closest") && said.len() < 300, "{said}");
    }
}
