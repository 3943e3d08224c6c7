//! One row of a file → one record, as the mapping says. Comes in: fields by position. Goes out: a record, or
//! the field that is wrong.

use std::collections::{BTreeMap, HashMap, HashSet};

use accord_proto::{
    guard,
    limits::{CONTEXTS_MAX, DATES_REMEMBERED_MAX, NAME_BYTES_MAX},
    reason::{Invalid, Reason, quoted},
    taxonomy::Granularity,
};

use super::{
    Home,
    mapping::{Dates, Given, Mapping, Rows, Target},
    sheet::Row,
};
use crate::record::{Quality, RawKind, RawRecord, RawValue, Reader, Record};

/// Where a target stands in this file.
struct Place<'m> {
    at: Option<usize>,
    given: &'m Given,
}

impl<'m> Place<'m> {
    fn find(given: &'m Given, names: &[String]) -> Self {
        let named = given.column.as_ref();
        Self { at: named.and_then(|column| names.iter().position(|name| name == column)), given }
    }

    fn text<'r>(&self, row: &'r Row<'_>) -> &'r str
    where
        'm: 'r,
    {
        let text = match self.at {
            Some(at) => row.field(at).unwrap_or_default(),
            None => &self.given.constant,
        };
        if self.given.codes.is_empty() {
            return text;
        }
        self.given.codes.get(text).map_or(text, String::as_str)
    }
}

/// Translates the rows of one file.
pub(super) struct Translator<'m> {
    plan: Plan<'m>,
    calendar: Calendar<'m>,
    /// Services that are known to be no person: a file has few.
    services: HashSet<String>,
}

/// What does not change from row to row.
struct Plan<'m> {
    mapping: &'m Mapping,
    home: Home<'m>,
    places: BTreeMap<Target, Place<'m>>,
    dimensions: Vec<(&'m str, Place<'m>)>,
}

/// Dates of the file as reporting periods. Remembers what it has seen: a file has few.
struct Calendar<'m> {
    dates: Option<&'m Dates>,
    seen: HashMap<String, String>,
}

/// What the status of a row says.
enum Status {
    Figure(Quality),
    Missing,
    NotCollected,
    NotApplicable,
}

impl<'m> Translator<'m> {
    pub(super) fn new(mapping: &'m Mapping, names: &[String], home: Home<'m>) -> Self {
        let targets = mapping.targets.iter();
        let dimensions = mapping.dimensions.iter();
        let plan = Plan {
            mapping,
            home,
            places: targets.map(|(target, given)| (*target, Place::find(given, names))).collect(),
            dimensions: dimensions
                .map(|(dimension, given)| (dimension.as_str(), Place::find(given, names)))
                .collect(),
        };
        let calendar = Calendar { dates: mapping.dates.as_ref(), seen: HashMap::new() };
        Self { plan, calendar, services: HashSet::new() }
    }

    /// The record of a row; the error names the column of the file.
    pub(super) fn record(
        &mut self,
        row: &Row<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Record, Invalid> {
        let Self { plan, calendar, services } = self;
        let period = check_service(services, plan.text(Target::Origin, row))
            .and_then(|()| calendar.period(plan.text(Target::Period, row)));
        period
            .and_then(|period| plan.translate(row, period, reader))
            .map_err(|error| Invalid { field: plan.mapping.place_of(&error.field), ..error })
    }
}

impl Calendar<'_> {
    fn period<'t>(&'t mut self, text: &'t str) -> Result<&'t str, Invalid> {
        let Some(dates) = self.dates else {
            return Ok(text);
        };
        if !self.seen.contains_key(text) {
            if self.seen.len() >= DATES_REMEMBERED_MAX {
                self.seen.clear();
            }
            self.seen.insert(text.to_owned(), period_of(dates, text)?);
        }
        Ok(self.seen.get(text).map_or("", String::as_str))
    }
}

fn period_of(dates: &Dates, text: &str) -> Result<String, Invalid> {
    let date = jiff::civil::Date::strptime(&dates.format, text).map_err(|_| {
        let detail = format!("{} is not a date written as {}", quoted(text), dates.format);
        Invalid::new(Reason::PeriodInvalid, "period", detail)
    })?;
    let (year, month) = (date.year(), date.month());
    Ok(match dates.granularity {
        Granularity::Year => format!("{year:04}"),
        Granularity::Half => format!("{year:04}-H{}", (month - 1) / 6 + 1),
        Granularity::Quarter => format!("{year:04}-Q{}", (month - 1) / 3 + 1),
        Granularity::Month => format!("{year:04}-{month:02}"),
    })
}

impl Plan<'_> {
    fn translate(
        &self,
        row: &Row<'_>,
        period: &str,
        reader: &mut Reader<'_>,
    ) -> Result<Record, Invalid> {
        self.check_owner(row)?;
        let (value, quality) = self.value(row)?;
        let number;
        let value = match value {
            RawValue::Number(text) if self.mapping.decimal_comma => {
                if text.contains('.') {
                    let detail = format!("{} has a point beside decimal commas", quoted(text));
                    return Err(Invalid::new(Reason::FieldInvalid, "value", detail));
                }
                number = text.replacen(',', ".", 1);
                RawValue::Number(&number)
            }
            other @ (RawValue::Number(_)
            | RawValue::Between(..)
            | RawValue::Missing
            | RawValue::NotCollected
            | RawValue::NotApplicable) => other,
        };
        let categories: Vec<_> = self
            .dimensions
            .iter()
            .map(|(dimension, place)| (*dimension, place.text(row)))
            .collect();
        let region = self.text(Target::Region, row);
        let own = self.home.jurisdiction;
        let raw = RawRecord {
            indicator: self.text(Target::Indicator, row),
            crime_area: self.text(Target::CrimeArea, row),
            region: if region.is_empty() { own.as_str() } else { region },
            period,
            categories: &categories,
            kind: self.kind(row)?,
            value,
            quality,
            source: self.given(Target::Source, row),
            origin: self.text(Target::Origin, row),
            handling: self.text(Target::Handling, row),
        };
        impersonal(Target::Source, self.text(Target::Source, row))?;
        short(Target::Handling, self.text(Target::Handling, row))?;
        reader.read(&raw).map_err(|error| self.about_comma(error, self.text(Target::Value, row)))
    }

    /// A figure is named as it stands in the file; a comma in it may be a decimal one.
    fn about_comma(&self, error: Invalid, written: &str) -> Invalid {
        if error.field != Target::Value.name() || !written.contains(',') {
            return error;
        }
        let read = quoted(&written.replacen(',', ".", 1));
        let mut detail = error.detail.replacen(&read, &quoted(written), 1);
        if !self.mapping.decimal_comma {
            detail.push_str(
                "; if the comma is a decimal one, write decimal_comma = true in the mapping",
            );
        }
        Invalid { detail, ..error }
    }

    fn kind<'r>(&'r self, row: &'r Row<'_>) -> Result<RawKind<'r>, Invalid> {
        Ok(match self.mapping.rows {
            Rows::Totals => RawKind::Total {
                units: self.given(Target::Units, row),
                largest: self.given(Target::Largest, row),
                second: self.given(Target::Second, row),
            },
            Rows::Events => {
                let (unit, event) = (self.text(Target::Unit, row), self.given(Target::Event, row));
                impersonal(Target::Unit, unit)?;
                impersonal(Target::Event, event.unwrap_or_default())?;
                RawKind::Event { unit, event }
            }
        })
    }

    fn check_owner(&self, row: &Row<'_>) -> Result<(), Invalid> {
        let own = self.home.jurisdiction;
        match self.given(Target::Jurisdiction, row) {
            Some(whose) if whose != own.as_str() => {
                let detail = format!("{} is not {own}, whom this node speaks for", quoted(whose));
                Err(Invalid::new(Reason::CodeUnknown, "jurisdiction", detail))
            }
            _ => Ok(()),
        }
    }

    fn value<'r>(&'r self, row: &'r Row<'_>) -> Result<(RawValue<'r>, Quality), Invalid> {
        let text = self.text(Target::Value, row);
        let status = match self.given(Target::Status, row) {
            // An event without a figure is one event.
            None if text.is_empty() && self.mapping.rows == Rows::Events => {
                return Ok((RawValue::Number("1"), Quality::Normal));
            }
            None if text.is_empty() => Status::Missing,
            None => Status::Figure(Quality::Normal),
            Some(status) => status_of(status)?,
        };
        let beside = |what: &str| {
            let detail = format!("{} beside the status {what}", quoted(text));
            Err(Invalid::new(Reason::FieldInvalid, "value", detail))
        };
        let (value, what) = match status {
            Status::Figure(quality) => {
                let value = match self.mapping.masks.get(text) {
                    Some([low, high]) => RawValue::Between(low, high),
                    None => RawValue::Number(text),
                };
                return Ok((value, quality));
            }
            Status::Missing => (RawValue::Missing, "missing"),
            Status::NotCollected => (RawValue::NotCollected, "not_collected"),
            Status::NotApplicable => (RawValue::NotApplicable, "not_applicable"),
        };
        if text.is_empty() { Ok((value, Quality::Normal)) } else { beside(what) }
    }

    /// Text of a target; empty if the mapping does not give it.
    fn text<'r>(&'r self, target: Target, row: &'r Row<'_>) -> &'r str {
        self.places.get(&target).map_or("", |place| place.text(row))
    }

    /// Text of a target, if there is any.
    fn given<'r>(&'r self, target: Target, row: &'r Row<'_>) -> Option<&'r str> {
        Some(self.text(target, row)).filter(|text| !text.is_empty())
    }
}

/// Texts that tell things apart must not be about a person.
fn impersonal(target: Target, text: &str) -> Result<(), Invalid> {
    match guard::in_identifier(text) {
        None => Ok(()),
        Some(personal) => {
            let detail = format!(
                "looks like {}; use a number of your own that stands for it",
                personal.name()
            );
            Err(Invalid::new(Reason::PersonalData, target.name(), detail))
        }
    }
}

/// Names of services and handling codes are kept once for each, and stand in every block that uses them.
fn short(target: Target, text: &str) -> Result<(), Invalid> {
    if text.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("longer than {NAME_BYTES_MAX} bytes");
    Err(Invalid::new(Reason::FieldInvalid, target.name(), detail))
}

/// A service is short and not a person, neither as an identifier nor within a text.
fn check_service(known: &mut HashSet<String>, text: &str) -> Result<(), Invalid> {
    if text.is_empty() || known.contains(text) {
        return Ok(());
    }
    short(Target::Origin, text)?;
    impersonal(Target::Origin, text)?;
    if let Some(personal) = guard::in_text(text) {
        let detail = format!("holds what looks like {}; name the service", personal.name());
        return Err(Invalid::new(Reason::PersonalData, Target::Origin.name(), detail));
    }
    if known.len() >= CONTEXTS_MAX {
        known.clear();
    }
    known.insert(text.to_owned());
    Ok(())
}

fn status_of(text: &str) -> Result<Status, Invalid> {
    Ok(match text {
        "value" => Status::Figure(Quality::Normal),
        "estimated" => Status::Figure(Quality::Estimated),
        "provisional" => Status::Figure(Quality::Provisional),
        "break" => Status::Figure(Quality::Break),
        "low_reliability" => Status::Figure(Quality::LowReliability),
        "missing" => Status::Missing,
        "not_collected" => Status::NotCollected,
        "not_applicable" => Status::NotApplicable,
        other => {
            let detail = format!(
                "{} is not a status; map it to value, estimated, provisional, break, low_reliability, \
                 missing, not_collected or not_applicable",
                quoted(other)
            );
            return Err(Invalid::new(Reason::CodeUnknown, "status", detail));
        }
    })
}
