//! A record: one observation, every code of which exists. Comes in: text of a file or of the store.
//! Goes out: a value that the node may believe. Must never be built past its one checked constructor.

use accord_proto::{
    reason::{Invalid, Reason, quoted},
    taxonomy::{
        CrimeAreaCode, Indicator, IndicatorCode, JurisdictionCode, Lists, Period, RegionCode,
    },
};

/// Coordinates of a cell of the lattice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellKey {
    /// Reporting period; first, so that one edition's cells stand together.
    pub period: Period,
    /// What is counted or measured.
    pub indicator: IndicatorCode,
    /// Crime area of the indicator's list.
    pub crime_area: CrimeAreaCode,
    /// Region of the node's jurisdiction.
    pub region: RegionCode,
}

/// What was observed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// In units of 10^-decimals of the indicator.
    Value(i64),
    /// Known not to be available.
    Missing,
}

impl std::fmt::Debug for Observed {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value(_)",
            Self::Missing => "Missing",
        })
    }
}

/// One validated observation: a ready total at its own level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    key: CellKey,
    observed: Observed,
}

/// The fields of a record as text.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// Code of the list `indicators`.
    pub indicator: &'a str,
    /// Code of the list that the indicator names.
    pub crime_area: &'a str,
    /// Code of the list `regions`, within the jurisdiction.
    pub region: &'a str,
    /// Reporting period.
    pub period: &'a str,
    /// Decimal number; none where the figure is missing.
    pub value: Option<&'a str>,
}

impl Record {
    /// Checks every field against the lists; the error names the first that is wrong.
    pub fn parse(
        raw: RawRecord<'_>,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let indicator = lists.indicator("indicator", raw.indicator)?;
        let region = lists.region("region", raw.region)?;
        if region.jurisdiction != jurisdiction {
            return Err(Invalid::new(
                Reason::LatticeUnknownCell,
                "region",
                format!(
                    "{} belongs to {}, not to {jurisdiction}",
                    region.code, region.jurisdiction
                ),
            ));
        }
        if !indicator.levels.contains(&region.level) {
            return Err(Invalid::new(
                Reason::LatticeUnknownCell,
                "region",
                format!(
                    "{} is not collected at level {} ({})",
                    indicator.code, region.level, region.code
                ),
            ));
        }
        Ok(Self {
            key: CellKey {
                period: lists.period("period", indicator, raw.period)?,
                indicator: indicator.code,
                crime_area: lists.crime_area("crime_area", indicator, raw.crime_area)?,
                region: region.code,
            },
            observed: match raw.value {
                None => Observed::Missing,
                Some(text) => Observed::Value(number(text, indicator)?),
            },
        })
    }

    /// Which cell.
    pub fn key(&self) -> CellKey {
        self.key
    }

    /// What was observed.
    pub fn observed(&self) -> Observed {
        self.observed
    }
}

/// Reads a plain decimal number exactly: no exponent, no thousands separator, no sign, no rounding.
fn number(text: &str, indicator: &Indicator) -> Result<i64, Invalid> {
    let wrong = |what: String| Invalid::new(Reason::FieldInvalid, "value", what);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return Err(wrong(format!("{} is not a plain number like 12 or 12.5", quoted(text))));
    }
    let fraction = fraction.trim_end_matches('0');
    let decimals = usize::try_from(indicator.decimals).unwrap_or(0);
    if fraction.len() > decimals {
        return Err(wrong(format!(
            "{} has more than the {decimals} decimals that {} is kept with",
            quoted(text),
            indicator.code
        )));
    }
    let scaled = format!("{whole}{fraction:0<decimals$}");
    let value = scaled.parse::<i64>().ok().filter(|value| *value <= indicator.value_max);
    value.ok_or_else(|| {
        wrong(format!("{} is above the plausible range of {}", quoted(text), indicator.code))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(indicator: &str, area: &str, value: &str) -> Result<Record, Invalid> {
        let lists = Lists::builtin();
        let raw = RawRecord {
            indicator,
            crime_area: area,
            region: "AL",
            period: "2016",
            value: Some(value),
        };
        Record::parse(raw, lists.jurisdiction("", "AL").unwrap().code, lists)
    }

    #[test]
    fn numbers_are_read_exactly_or_not_at_all() {
        for (text, expected) in [("0", 0), ("71", 71), ("71.0", 71), ("0071", 71)] {
            let record = parse("PUB.OFF.N", "ICCS0101", text).unwrap();
            assert!(record.observed() == Observed::Value(expected), "{text}");
        }
        for text in
            ["", "-1", "+1", "1e3", "1,000", "1.", ".5", "0.5", " 1", "٣", "99999999999999999999"]
        {
            assert!(parse("PUB.OFF.N", "ICCS0101", text).is_err(), "{text:?}");
        }
        let seized = parse("PUB.SEIZ.KG", "DRG.COC", "12.5").unwrap();
        assert!(seized.observed() == Observed::Value(12_500));
        assert!(parse("PUB.SEIZ.KG", "DRG.COC", "0.0001").is_err());
    }

    #[test]
    fn another_jurisdictions_region_is_refused() {
        let lists = Lists::builtin();
        let raw = RawRecord {
            indicator: "PUB.OFF.N",
            crime_area: "ICCS0101",
            region: "RS",
            period: "2016",
            value: Some("1"),
        };
        let error =
            Record::parse(raw, lists.jurisdiction("", "AL").unwrap().code, lists).unwrap_err();
        assert_eq!(error.field, "region");
    }
}
