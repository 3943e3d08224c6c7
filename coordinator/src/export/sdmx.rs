//! SDMX-CSV 2.0. Comes in: header and observations. Goes out: a file of the dataflow `ACCORD:PICTURE(1.0.0)`, which
//! pysdmx and sdmx1 read as it is. A gap is `NaN`, never empty and never 0; a text never breaks its line, because
//! readers split there first.
//!
//! Dimensions are every one of the code lists, so that all pictures of a federation have the same structure: `_T` is
//! the total over a dimension, `_Z` one that the indicator does not have.

use std::borrow::Cow;

use accord_proto::taxonomy::{Granularity, Period};

use super::{Basis, Exact, Header, Observation, State, csv};

const STRUCTURE: [&str; 3] = ["STRUCTURE", "STRUCTURE_ID", "ACTION"];
const DATAFLOW: [&str; 3] = ["dataflow", "ACCORD:PICTURE(1.0.0)", "I"];
const KEY: [&str; 4] = ["FREQ", "REF_AREA", "INDICATOR", "CRIME_AREA"];
const REST: [&str; 16] = [
    "TIME_PERIOD",
    "OBS_VALUE",
    "OBS_STATUS",
    "CONF_STATUS",
    "UNIT_MEASURE",
    "DECIMALS",
    "STD_ERROR",
    "LOWER",
    "UPPER",
    "WHOLE_LOWER",
    "WHOLE_UPPER",
    "CONTRIBUTORS",
    "COMMENT_OBS",
    "COVERAGE",
    "PICTURE",
    "PICTURE_SHA256",
];
/// The indicator does not have the dimension.
const NOT_APPLICABLE: &str = "_Z";

/// The bytes of the file.
pub(super) fn write(header: &Header, observations: &[Observation]) -> Vec<u8> {
    let dimensions = header.dimensions.iter().map(String::as_str);
    let names = STRUCTURE.into_iter().chain(KEY).chain(dimensions).chain(REST).map(Cow::from);
    let rows = observations.iter().map(|cell| row(header, cell));
    csv::lines(b',', std::iter::once(names.collect()).chain(rows))
}

fn row<'a>(header: &'a Header, cell: &'a Observation) -> Vec<Cow<'a, str>> {
    let mut row: Vec<Cow<'_, str>> = DATAFLOW.into_iter().map(Cow::from).collect();
    let (frequency, time) = time(cell.period);
    row.extend(
        [frequency, &cell.region.code, &cell.indicator.code, &cell.crime_area.code].map(Cow::from),
    );
    let dimensions = header.dimensions.iter();
    row.extend(dimensions.map(|of| Cow::from(cell.category(of).unwrap_or(NOT_APPLICABLE))));
    let ([lower, upper], [whole_lower, whole_upper]) = (cell.interval(), cell.whole());
    row.extend([
        time.into(),
        number(cell.figure()),
        observation_status(cell).into(),
        confidentiality(cell).into(),
        one_line(&cell.unit).into(),
        cell.decimals.to_string().into(),
        number(cell.standard_error()),
        number(lower),
        number(upper),
        number(whole_lower),
        number(whole_upper),
        cell.contributors.join(" ").into(),
        one_line(&comment(cell)).into(),
        format!("{}/{}", header.answered, header.asked).into(),
        format!("{}/{}", header.requirement, header.version).into(),
        header.digest.to_string().into(),
    ]);
    row
}

/// Code of `CL_FREQ`, and the period as SDMX writes it: a half-year is `2016-S1`.
fn time(period: Period) -> (&'static str, String) {
    let text = period.to_string();
    match period.granularity() {
        Granularity::Year => ("A", text),
        Granularity::Half => ("S", text.replace('H', "S")),
        Granularity::Quarter => ("Q", text),
        Granularity::Month => ("M", text),
    }
}

fn number(exact: Option<Exact>) -> Cow<'static, str> {
    exact.map_or(Cow::from("NaN"), |exact| exact.to_string().into())
}

/// Code of `CL_OBS_STATUS` 2.2. A part is "definition differs": it covers less than the region that the key names, and
/// `COMMENT_OBS` says what. It is no estimate of the whole, and nobody has announced a revision. A figure with noise is
/// an estimate; of an interval the value is suppressed, and `LOWER` and `UPPER` say where it lies; of a part with noise the code says that it is a part, and `STD_ERROR` the rest.
fn observation_status(cell: &Observation) -> &'static str {
    match cell.state {
        State::Value if cell.standard_error_milli > 0 => "E",
        State::Value => "A",
        State::Partial => "D",
        State::Missing | State::Waiting => "O",
        State::NotShown | State::Between => "Q",
        State::NotApplicable => "M",
    }
}

/// Code of `CL_CONF_STATUS` 1.2: free is only what is known to be public; what is withheld is confidential, whatever
/// the reason; everything else is for those who received the picture.
fn confidentiality(cell: &Observation) -> &'static str {
    let public = cell.published_nationally || cell.basis == Some(Basis::Open);
    match cell.state {
        State::Value | State::Partial | State::Between if !public => "N",
        State::NotShown => "C",
        State::Value
        | State::Partial
        | State::Between
        | State::Missing
        | State::NotApplicable
        | State::Waiting => "F",
    }
}

/// For people: what the codes do not say.
fn comment(cell: &Observation) -> String {
    let mut said = Vec::new();
    if cell.state != State::Value {
        said.push(cell.state.meaning().to_owned());
    }
    if cell.published_nationally {
        said.push("Published by the jurisdiction itself.".to_owned());
    }
    let lists = [
        ("Not available", &cell.missing),
        ("Not shown", &cell.not_shown),
        ("No answer", &cell.silent),
    ];
    let told = lists.into_iter().filter(|(_, codes)| !codes.is_empty());
    said.extend(told.map(|(what, codes)| format!("{what}: {}.", codes.join(" "))));
    said.extend(cell.footnotes.iter().cloned());
    said.join(" ")
}

/// Readers split a file at every kind of line break, also between quotation marks.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.replace(breaks, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_written_as_sdmx_has_it() {
        for (ours, wanted) in [
            ("2016", ("A", "2016")),
            ("2016-H1", ("S", "2016-S1")),
            ("2016-Q3", ("Q", "2016-Q3")),
            ("2016-05", ("M", "2016-05")),
        ] {
            let (frequency, text) = time(Period::parse("period", ours).unwrap());
            assert_eq!((frequency, text.as_str()), wanted);
        }
    }

    #[test]
    fn a_text_never_breaks_its_line() {
        assert_eq!(one_line("a\r\nb\u{2028}c\u{85}d\u{b}e"), "a  b c d e");
    }
}
