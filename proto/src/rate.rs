//! Rates per 100,000 inhabitants. Comes in: a population table, as a file that names its source, and a cell of a picture. Goes out: the
//! rate of those who contribute to the cell, with its interval. Pure. Must never divide by the population of somebody whose
//! figure is not in the cell, nor rank jurisdictions.
//!
//! ```text
//! # title: Population on 1 January
//! # source: Eurostat, table demo_gind
//! jurisdiction,year,population
//! AL,2020,2845955
//! ```

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    limits::LIST_BYTES_MAX,
    reason::{Invalid, Reason, quoted},
    rounding::half_to_even,
    seal::Digest,
    taxonomy::{JurisdictionCode, Lists, Period, Semantics, decimal},
    wire::region::{self, PictureStatus},
};

/// Inhabitants that a rate is for.
const PER: i128 = 100_000;
/// Decimals that a rate has beyond those of its figure.
const MORE_DECIMALS: u32 = 2;

/// Inhabitants by jurisdiction and year.
#[derive(Clone, Debug)]
pub struct Population {
    title: String,
    source: String,
    digest: Digest,
    inhabitants: BTreeMap<(JurisdictionCode, u16), u64>,
}

/// A rate, in units of 10^-decimals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// Per 100,000 inhabitants of those who contribute.
    pub rate: Option<String>,
    /// From and to, as far as the figure's own interval goes; population is taken as exact.
    pub lower: String,
    /// See `lower`.
    pub upper: String,
    /// How many inhabitants those are.
    pub population: u64,
}

impl Population {
    /// Reads a table. Whoever made it and where from must stand in it: a rate without its source is none.
    pub fn parse(field: &str, bytes: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        let wrong = |detail: String| Invalid::new(Reason::FieldInvalid, field, detail);
        if bytes.len() > LIST_BYTES_MAX {
            let detail = format!("{} bytes where {LIST_BYTES_MAX} is the most", bytes.len());
            return Err(Invalid::new(Reason::LimitExceeded, field, detail));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("is not text".to_owned()))?;
        let said = |name: &str| {
            let lines = text.lines().take_while(|line| line.starts_with('#'));
            let mut values = lines.filter_map(|line| line[1..].trim().strip_prefix(name));
            values.next().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let missing = |name| {
            Invalid::new(Reason::FieldMissing, field, format!("a line \"# {name} …\" must say it"))
        };
        let mut rows = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = rows.headers().map_err(|error| wrong(error.to_string()))?;
        if header != ["jurisdiction", "year", "population"].as_slice() {
            return Err(wrong("its columns are not jurisdiction, year, population".to_owned()));
        }
        let mut inhabitants = BTreeMap::new();
        for row in rows.records() {
            let row = row.map_err(|error| wrong(error.to_string()))?;
            let line = row.position().map_or(0, csv::Position::line);
            let at = |column: usize| row.get(column).unwrap_or_default();
            let of = lists.jurisdiction(&format!("{field} line {line}"), at(0))?.code;
            let number = |column: usize| {
                let text = at(column);
                text.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(|| {
                    wrong(format!("line {line}: {} is no whole number above zero", quoted(text)))
                })
            };
            let year =
                u16::try_from(number(1)?).map_err(|_| wrong(format!("line {line}: no year")))?;
            if inhabitants.insert((of, year), number(2)?).is_some() {
                return Err(wrong(format!("line {line}: {of} {year} stands there twice")));
            }
        }
        Ok(Self {
            title: said("title:").ok_or_else(|| missing("title:"))?,
            source: said("source:").ok_or_else(|| missing("source:"))?,
            digest: Digest::of(bytes),
            inhabitants,
        })
    }

    /// Its title, source and SHA-256: they stand beside every rate.
    pub fn name(&self) -> String {
        format!("{}; {}; SHA-256 {}", self.title, self.source, self.digest)
    }

    /// The rate of a cell; none for what is not counted, without a figure, or where somebody's population is not in the table.
    pub fn rate(&self, cell: &region::PictureCell, lists: &Lists) -> Option<Rate> {
        let indicator = lists.indicator("", &cell.indicator).ok()?;
        let counted = matches!(indicator.semantics, Semantics::Flow | Semantics::Magnitude);
        let shown = match cell.status() {
            PictureStatus::Value | PictureStatus::Partial => Some(cell.value),
            PictureStatus::Between => None,
            PictureStatus::Missing
            | PictureStatus::NotShown
            | PictureStatus::NotApplicable
            | PictureStatus::Unspecified => return None,
        };
        let year = Period::parse("", &cell.period).ok()?.year();
        let of = |code: &String| {
            let code = lists.jurisdiction("", code).ok()?.code;
            self.inhabitants.get(&(code, year)).copied()
        };
        let population =
            cell.contributors.iter().try_fold(0_u64, |sum, code| sum.checked_add(of(code)?));
        let population = population.filter(|population| counted && *population > 0)?;
        let decimals = indicator.decimals + MORE_DECIMALS;
        let rate = |value| Some(decimal(rated(value, population)?, decimals));
        Some(Rate {
            rate: shown.and_then(rate),
            lower: rate(cell.lower?)?,
            upper: rate(cell.upper?)?,
            population,
        })
    }
}

/// Half to even.
fn rated(value: i64, population: u64) -> Option<i64> {
    let scaled = i128::from(value) * PER * 10_i128.pow(MORE_DECIMALS);
    let of = i128::from(population);
    i64::try_from(half_to_even(scaled, of)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# title: Made-up inhabitants\n# source: a test\n\
        jurisdiction,year,population\nAL,2016,2000000\nBA,2016,3000000\n";

    fn population(text: &str) -> Result<Population, Invalid> {
        Population::parse("--population", text.as_bytes(), Lists::builtin())
    }

    fn cell(contributors: &[&str]) -> region::PictureCell {
        region::PictureCell {
            indicator: "PUB.OFF.N".to_owned(),
            period: "2016".to_owned(),
            status: PictureStatus::Value.into(),
            value: 113,
            lower: Some(113),
            upper: Some(113),
            contributors: contributors.iter().map(|of| (*of).to_owned()).collect(),
            ..region::PictureCell::default()
        }
    }

    #[test]
    fn a_rate_is_of_the_population_of_those_who_contribute() {
        let table = population(TABLE).unwrap();
        let rate = table.rate(&cell(&["AL", "BA"]), Lists::builtin()).unwrap();
        assert_eq!((rate.rate.as_deref(), rate.population), (Some("2.26"), 5_000_000));
        let one = table.rate(&cell(&["AL"]), Lists::builtin()).unwrap();
        assert_eq!(one.rate.as_deref(), Some("5.65"));
        assert!(table.rate(&cell(&["AL", "RS"]), Lists::builtin()).is_none(), "RS is not in it");
        assert!(table.name().starts_with("Made-up inhabitants; a test; SHA-256 "));
    }

    #[test]
    fn a_table_without_its_source_or_with_nonsense_is_refused_by_line() {
        for (text, says) in [
            (TABLE.replace("# source: a test\n", ""), "source:"),
            (TABLE.replace("2000000", "-3"), "line 4"),
            (TABLE.replace("BA,", "AL,"), "twice"),
            (TABLE.replace("BA,", "QQ,"), "line 5"),
            (TABLE.replace("year", "when"), "columns"),
        ] {
            let error = population(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
    }
}
