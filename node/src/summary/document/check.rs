//! Does a field hold what it may hold? Fields in, coordinates or the first refusal out.

use std::collections::BTreeSet;

use accord_proto::{
    clock::Timestamp,
    limits::{
        CODE_BYTES_MAX, SUMMARY_LIST_MAX, SUMMARY_OBSERVATIONS_MAX, SUMMARY_TEXT_CHARS_MAX,
        SUMMARY_TITLE_CHARS_MAX,
    },
    reason::{Invalid, Reason, quoted},
    taxonomy::{CrimeAreaCode, IndicatorCode, JurisdictionCode, Lists, Period, RegionCode},
};

use super::{Coordinates, Grade, Handling, Judgement, ObservationRef, Written};

/// The lowest classification: what a deployment may hold unless it says otherwise.
pub const DEFAULT_CEILING: &str = "UNCLASSIFIED";

const SCALES: [&str; 2] = ["PHIA", "ICD203"];
const SCHEMES: [&str; 4] = ["4X4", "5X5X5", "3X5X2", "6X6"];
const SOURCES_BANDS: [&str; 4] = ["1", "2-4", "5-9", "10+"];
/// What the vocabularies of grades call that which cannot be judged; not the same as "false".
const UNASSESSED: &str = "UNASSESSED";

/// Refuses a ceiling that is no classification.
pub fn check_ceiling(ceiling: &str, lists: &Lists) -> Result<(), Invalid> {
    known(lists, "node.classification_ceiling", "CLASSIFICATION", ceiling)
}

/// Refuses what is marked above the ceiling. The refusal holds nothing of the document.
pub(super) fn ceiling(written: &Written, ceiling: &str, lists: &Lists) -> Result<(), Invalid> {
    let field = "handling.classification";
    let most = rank(lists, "ceiling", ceiling)?;
    if rank(lists, field, &written.handling.classification)? <= most {
        return Ok(());
    }
    let detail = format!(
        "is above {ceiling}, the most that this node may hold; nothing of the summary was kept"
    );
    Err(Invalid::new(Reason::ClassificationAboveCeiling, field, detail))
}

/// Refuses the first text that looks like personal data, by field, without repeating it.
pub(super) fn guard(
    written: &Written,
    looks_like: impl Fn(&str) -> Option<&'static str>,
) -> Result<(), Invalid> {
    for (field, text) in texts(written) {
        personal(&field, text, &looks_like)?;
    }
    Ok(())
}

/// The same for one text that is not part of a document.
pub(in crate::summary) fn personal(
    field: &str,
    text: &str,
    looks_like: impl Fn(&str) -> Option<&'static str>,
) -> Result<(), Invalid> {
    match looks_like(text) {
        None => Ok(()),
        Some(what) => {
            let detail = format!("looks as if it held personal data ({what}); write it without");
            Err(Invalid::new(Reason::PersonalData, field, detail))
        }
    }
}

/// Every free text of a document with the field that it stands in.
fn texts(written: &Written) -> Vec<(String, &str)> {
    let mut texts = vec![("title".to_owned(), written.title.as_str())];
    let judgements = written.key_judgements.iter().map(|judgement| &judgement.text);
    texts.extend(named("key_judgements", ".text", judgements));
    texts.extend(named("gaps", "", written.gaps.iter()));
    let rationales = written.impact.iter().map(|impact| &impact.rationale);
    texts.extend(named("impact", ".rationale", rationales));
    let justifications = written.scores.iter().map(|score| &score.justification);
    texts.extend(named("scores", ".justification", justifications));
    texts.extend(named("handling.caveats", "", written.handling.caveats.iter()));
    texts
}

fn named<'a>(
    list: &'static str,
    field: &'static str,
    texts: impl Iterator<Item = &'a String>,
) -> impl Iterator<Item = (String, &'a str)> {
    texts.enumerate().map(move |(at, text)| (format!("{list}[{at}]{field}"), text.as_str()))
}

/// Checks every field; gives those that the program itself reads.
pub(super) fn fields(
    written: &Written,
    jurisdiction: JurisdictionCode,
    lists: &Lists,
) -> Result<Coordinates, Invalid> {
    bounded("title", &written.title, SUMMARY_TITLE_CHARS_MAX)?;
    for (field, text) in texts(written) {
        bounded(&field, text, SUMMARY_TEXT_CHARS_MAX)?;
    }
    known(lists, "language", "LANGUAGE", &written.language)?;
    known(lists, "product_type", "PRODUCT_TYPE", &written.product_type)?;
    each("factors", &written.factors, |field, code| known(lists, field, "FACTOR", code))?;
    each("enablers", &written.enablers, |field, code| known(lists, field, "ENABLER", code))?;
    few("gaps", written.gaps.len(), SUMMARY_LIST_MAX)?;
    handling(&written.handling, lists)?;
    if let Some(trend) = &written.trend {
        known(lists, "trend.direction", "TREND", &trend.direction)?;
        known(lists, "trend.basis", "TREND_BASIS", &trend.basis)?;
        known(lists, "trend.versus", "TREND_VERSUS", &trend.versus)?;
    }
    if let Some(response) = &written.response {
        level("response.capacity_gap", response.capacity_gap, 4)?;
        level("response.capability_gap", response.capability_gap, 4)?;
    }
    there("key_judgements", written.key_judgements.len())?;
    list("key_judgements", &written.key_judgements, |judgement| judge(judgement, lists))?;
    list("impact", &written.impact, |impact| {
        known(lists, "dimension", "IMPACT", &impact.dimension)?;
        level("level", impact.level, 5)
    })?;
    distinct("impact", written.impact.iter().map(|impact| impact.dimension.as_str()))?;
    list("scores", &written.scores, |score| {
        area(lists, "area", &score.area)?;
        method("method", &score.method)?;
        number("value", &score.value)
    })?;
    list("evaluation", &written.evaluation, |input| {
        graded(&input.scheme, &input.source, &input.information, lists)?;
        there("inputs", usize::try_from(input.inputs).unwrap_or(usize::MAX))
    })?;
    coordinates(written, jurisdiction, lists)
}

fn coordinates(
    written: &Written,
    jurisdiction: JurisdictionCode,
    lists: &Lists,
) -> Result<Coordinates, Invalid> {
    there("crime_areas", written.crime_areas.len())?;
    there("regions", written.regions.len())?;
    let crime_areas =
        each("crime_areas", &written.crime_areas, |field, code| area(lists, field, code))?;
    let regions =
        each("regions", &written.regions, |field, code| own(lists, field, code, jurisdiction))?;
    few("observations", written.observations.len(), SUMMARY_OBSERVATIONS_MAX)?;
    let mut indicators = BTreeSet::new();
    for (at, observation) in written.observations.iter().enumerate() {
        let indicator = observed(observation, jurisdiction, lists)
            .map_err(|error| error.within(format!("observations[{at}]")))?;
        indicators.insert(indicator);
    }
    let review_due = Timestamp::parse("review_due", &written.review_due)?;
    let retention_until = Timestamp::parse("retention_until", &written.retention_until)?;
    if retention_until < review_due {
        let detail = "is before review_due: what may not be kept cannot be reviewed";
        return Err(Invalid::new(Reason::FieldInvalid, "retention_until", detail));
    }
    Ok(Coordinates {
        period: Period::parse("period", &written.period)?,
        crime_areas,
        regions,
        indicators: indicators.into_iter().collect(),
        review_due,
        retention_until,
    })
}

fn judge(judgement: &Judgement, lists: &Lists) -> Result<(), Invalid> {
    let Judgement { text: _, kind, confidence, horizon, sources_band, likelihood, grades } =
        judgement;
    known(lists, "kind", "JUDGEMENT_KIND", kind)?;
    if let Some(likelihood) = likelihood {
        one_of("likelihood.scale", &likelihood.scale, &SCALES)?;
        let vocabulary = format!("LIKELIHOOD.{}", likelihood.scale);
        known(lists, "likelihood.term", &vocabulary, &likelihood.term)?;
    }
    if let Some(confidence) = confidence {
        known(lists, "confidence", "CONFIDENCE", confidence)?;
    }
    if let Some(horizon) = horizon {
        known(lists, "horizon", "HORIZON", horizon)?;
    }
    if let Some(band) = sources_band {
        one_of("sources_band", band, &SOURCES_BANDS)?;
    }
    let assessed = list("grades", grades, |Grade { scheme, source, information }| {
        graded(scheme, source, information, lists)
    })?;
    let assessed = assessed.into_iter().filter(|assessed| *assessed).count();
    let missing =
        |field: &str, detail: &str| Err(Invalid::new(Reason::FieldMissing, field, detail));
    match kind.as_str() {
        "FACT" if likelihood.is_some() => {
            let detail = "a fact has no likelihood; make it an ASSESSMENT, or leave this out";
            return Err(Invalid::new(Reason::FieldInvalid, "likelihood", detail));
        }
        "FORECAST" if likelihood.is_none() => return missing("likelihood", "a forecast has one"),
        "FORECAST" if horizon.is_none() => return missing("horizon", "a forecast has one"),
        _ => {}
    }
    if confidence.as_deref() == Some("HIGH") && assessed == 0 {
        let detail = "HIGH rests on nothing, or only on what cannot be assessed (X4, F6)";
        return Err(Invalid::new(Reason::FieldInvalid, "confidence", detail));
    }
    Ok(())
}

/// Checks a grade; says whether source or information could be judged.
fn graded(scheme: &str, source: &str, information: &str, lists: &Lists) -> Result<bool, Invalid> {
    one_of("scheme", scheme, &SCHEMES)?;
    let source = lists.term("source", &format!("SOURCE.{scheme}"), source)?;
    let information = lists.term("information", &format!("INFO.{scheme}"), information)?;
    Ok([source, information].iter().any(|term| term.group != UNASSESSED))
}

fn handling(handling: &Handling, lists: &Lists) -> Result<(), Invalid> {
    let Handling { tlp, europol_codes, classification, caveats, onward, releasable_to } = handling;
    known(lists, "handling.tlp", "TLP", tlp)?;
    known(lists, "handling.classification", "CLASSIFICATION", classification)?;
    each("handling.europol_codes", europol_codes, |field, code| {
        known(lists, field, "HANDLING.EUROPOL", code)
    })?;
    few("handling.caveats", caveats.len(), SUMMARY_LIST_MAX)?;
    if europol_codes.iter().any(|code| code == "H3") && caveats.is_empty() {
        let detail = "H3 says that there are other restrictions: write them here";
        return Err(Invalid::new(Reason::FieldMissing, "handling.caveats", detail));
    }
    known(lists, "handling.onward", "ONWARD", onward)?;
    each("handling.releasable_to", releasable_to, |field, code| lists.audience(field, code))?;
    if (onward == "LISTED") == releasable_to.is_empty() {
        let detail = "goes with onward LISTED, and only with that";
        return Err(Invalid::new(Reason::FieldInvalid, "handling.releasable_to", detail));
    }
    Ok(())
}

/// An observation's coordinates, checked against the lists; its indicator.
fn observed(
    observation: &ObservationRef,
    jurisdiction: JurisdictionCode,
    lists: &Lists,
) -> Result<IndicatorCode, Invalid> {
    let indicator = lists.indicator("indicator", &observation.indicator)?;
    lists.crime_area("crime_area", indicator, &observation.crime_area)?;
    own(lists, "region", &observation.region, jurisdiction)?;
    lists.period("period", indicator, &observation.period)?;
    if let Some(status) = &observation.status {
        known(lists, "status", "OBS_STATUS", status)?;
    }
    Ok(indicator.code)
}

/// A term of a vocabulary.
fn known(lists: &Lists, field: &str, vocabulary: &str, text: &str) -> Result<(), Invalid> {
    lists.term(field, vocabulary, text).map(drop)
}

/// Where a classification stands; what has no place among the others is above all of them.
fn rank(lists: &Lists, field: &str, text: &str) -> Result<u32, Invalid> {
    Ok(lists.term(field, "CLASSIFICATION", text)?.rank.unwrap_or(u32::MAX))
}

/// A grade like B2, of any scheme.
pub(in crate::summary) fn grade(lists: &Lists, field: &str, text: &str) -> Result<(), Invalid> {
    let of_scheme = |scheme: &&str| {
        lists.terms(&format!("SOURCE.{scheme}")).any(|source| {
            let information = text.strip_prefix(source.code.as_str());
            information.is_some_and(|information| {
                lists.term(field, &format!("INFO.{scheme}"), information).is_ok()
            })
        })
    };
    if SCHEMES.iter().any(of_scheme) {
        return Ok(());
    }
    let detail =
        format!("{} is no grade of {}; write it like B2", quoted(text), SCHEMES.join(", "));
    Err(Invalid::new(Reason::CodeUnknown, field, detail))
}

/// A TLP label, handling code or classification.
pub(in crate::summary) fn mark(lists: &Lists, field: &str, text: &str) -> Result<(), Invalid> {
    const VOCABULARIES: [&str; 3] = ["TLP", "HANDLING.EUROPOL", "CLASSIFICATION"];
    if VOCABULARIES.iter().any(|vocabulary| lists.term(field, vocabulary, text).is_ok()) {
        return Ok(());
    }
    let detail = format!("{} is in none of {}", quoted(text), VOCABULARIES.join(", "));
    Err(Invalid::new(Reason::CodeUnknown, field, detail))
}

/// A crime area of any list.
pub(in crate::summary) fn area(
    lists: &Lists,
    field: &str,
    text: &str,
) -> Result<CrimeAreaCode, Invalid> {
    let code = CrimeAreaCode::parse(text).filter(|code| lists.crime_area_list(*code).is_some());
    code.ok_or_else(|| {
        let detail = format!("{} is in no list of crime areas", quoted(text));
        Invalid::new(Reason::CodeUnknown, field, detail)
    })
}

fn own(
    lists: &Lists,
    field: &str,
    text: &str,
    jurisdiction: JurisdictionCode,
) -> Result<RegionCode, Invalid> {
    let region = lists.region(field, text)?;
    if region.jurisdiction == jurisdiction {
        return Ok(region.code);
    }
    let detail =
        format!("{} belongs to {}, not to {jurisdiction}", region.code, region.jurisdiction);
    Err(Invalid::new(Reason::LatticeUnknownCell, field, detail))
}

/// A text that says something, within its bound.
fn bounded(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(Reason::FieldMissing, field, "says nothing"));
    }
    let length = text.chars().count();
    if length > most {
        let detail = format!("{length} characters where {most} are the most");
        return Err(Invalid::new(Reason::LimitExceeded, field, detail));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Invalid::new(Reason::FieldInvalid, field, "holds control characters"));
    }
    Ok(())
}

/// Checks the codes of a list, each of which may stand there once.
fn each<T>(
    field: &str,
    codes: &[String],
    check: impl Fn(&str, &str) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    few(field, codes.len(), SUMMARY_LIST_MAX)?;
    distinct(field, codes.iter().map(String::as_str))?;
    let codes = codes.iter().enumerate();
    codes.map(|(at, code)| check(&format!("{field}[{at}]"), code)).collect()
}

/// Checks the entries of a list; the refusal names which.
fn list<T, U>(
    field: &str,
    entries: &[T],
    check: impl Fn(&T) -> Result<U, Invalid>,
) -> Result<Vec<U>, Invalid> {
    few(field, entries.len(), SUMMARY_LIST_MAX)?;
    let entries = entries.iter().enumerate();
    entries
        .map(|(at, entry)| check(entry).map_err(|error| error.within(format!("{field}[{at}]"))))
        .collect()
}

fn few(field: &str, length: usize, most: usize) -> Result<(), Invalid> {
    if length <= most {
        return Ok(());
    }
    let detail = format!("{length} entries where {most} are the most");
    Err(Invalid::new(Reason::LimitExceeded, field, detail))
}

fn there(field: &str, length: usize) -> Result<(), Invalid> {
    if length > 0 {
        return Ok(());
    }
    Err(Invalid::new(Reason::FieldMissing, field, "at least one is wanted"))
}

fn distinct<'a>(field: &str, codes: impl Iterator<Item = &'a str>) -> Result<(), Invalid> {
    let mut seen = BTreeSet::new();
    for code in codes {
        if !seen.insert(code) {
            let detail = format!("{} stands twice", quoted(code));
            return Err(Invalid::new(Reason::FieldInvalid, field, detail));
        }
    }
    Ok(())
}

fn one_of(field: &str, text: &str, allowed: &[&str]) -> Result<(), Invalid> {
    if allowed.contains(&text) {
        return Ok(());
    }
    let detail = format!("{} is not one of {}", quoted(text), allowed.join(", "));
    Err(Invalid::new(Reason::CodeUnknown, field, detail))
}

fn level(field: &str, found: u32, most: u32) -> Result<(), Invalid> {
    if found <= most {
        return Ok(());
    }
    Err(Invalid::new(Reason::FieldInvalid, field, format!("{found} is not from 0 to {most}")))
}

fn method(field: &str, text: &str) -> Result<(), Invalid> {
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    if !text.is_empty() && text.len() <= CODE_BYTES_MAX && text.bytes().all(allowed) {
        return Ok(());
    }
    let detail = format!("{} is not the name of a method, like RISK-5X5-C", quoted(text));
    Err(Invalid::new(Reason::FieldInvalid, field, detail))
}

fn number(field: &str, text: &str) -> Result<(), Invalid> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let plain = match text.split_once('.') {
        None => digits(text),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    };
    if plain && text.len() <= CODE_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("{} is not a plain number like \"12\" or \"31.25\"", quoted(text));
    Err(Invalid::new(Reason::FieldInvalid, field, detail))
}
