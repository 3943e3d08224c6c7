//! A scoring method with its parameters (domain.md §2.8). Comes in: a JSON file, or one that the method's owner signed. Goes out:
//! a [`Method`] in which every number fits every other, known by the SHA-256 of its one spelling. Must never change under
//! the same version: other parameters are another version.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    bands::{Bands, BandsWritten},
    fixed::Fixed,
    method::{FACTORS, Formula, Reading, Side},
    subject::SubjectKind,
};
use crate::{
    limits::{METHOD_BYTES_MAX, METHOD_INPUTS_MAX, METHOD_VALUES_MAX, SUMMARY_TEXT_CHARS_MAX},
    reason::{Invalid, Reason, quoted},
    roster::bounded,
    seal::{self, Digest, Kind, PublicKey, SecretKey},
    taxonomy::TermCode,
    wire,
};

/// Where a method comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Basis {
    /// Formula and numbers are published by somebody else.
    Published,
    /// After something published, with numbers of our own.
    Adapted,
    /// A federation's own.
    Local,
}

/// What an input counts as where the point is worked out, if it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownRule {
    /// It is left out.
    Omit,
    /// As this value.
    As(Fixed),
}

impl Serialize for UnknownRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Omit => serializer.serialize_str("OMIT"),
            Self::As(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for UnknownRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "OMIT" {
            return Ok(Self::Omit);
        }
        let wrong = || de::Error::custom(format!("{} is neither OMIT nor a number", quoted(&text)));
        Fixed::parse(&text).map(Self::As).ok_or_else(wrong)
    }
}

/// Values that an input may have: a list, or steps from one to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Its name among the scales of the method.
    pub code: String,
    /// Every value, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Fixed>,
    /// A word for each value; none: numbers speak for themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<String>,
    /// The least, if there is no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Fixed>,
    /// The largest, if there is no list; none: there is no largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Fixed>,
    /// From one to the next, if there is no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Fixed>,
}

impl Scale {
    /// The least value.
    pub fn least(&self) -> Fixed {
        self.values.first().copied().or(self.from).unwrap_or_default()
    }

    /// The largest value, if there is one.
    pub fn most(&self) -> Option<Fixed> {
        self.values.last().copied().or(self.to)
    }

    /// The value of a word or of a number of the scale.
    pub fn value(&self, text: &str) -> Option<Fixed> {
        let term = self.terms.iter().position(|term| term == text);
        if let Some(at) = term {
            return self.values.get(at).copied();
        }
        let value = Fixed::parse(text)?;
        let holds = match (self.from, self.step) {
            (Some(from), Some(step)) => {
                let above = value.millionths() - from.millionths();
                above.rem_euclid(step.millionths()) == 0
                    && above >= 0
                    && self.to.is_none_or(|to| value <= to)
            }
            (_, _) => self.values.contains(&value),
        };
        holds.then_some(value)
    }

    fn check(&self) -> Result<(), Invalid> {
        let wrong = |detail: &str| Err(Invalid::new(Reason::FieldInvalid, "scale", detail));
        bounded("values", self.values.len(), METHOD_VALUES_MAX)?;
        let steps = (self.from, self.step, self.to);
        match steps {
            (None, None, None) if self.values.len() > 1 => {}
            (Some(from), Some(step), to) if self.values.is_empty() => {
                let whole = |to: Fixed| {
                    (to.millionths() - from.millionths()).rem_euclid(step.millionths()) == 0
                };
                if step <= Fixed::ZERO || to.is_some_and(|to| to <= from || !whole(to)) {
                    return wrong("does not lead from its least to its largest in whole steps");
                }
            }
            (_, _, _) => return wrong("needs two values or more, or else from and step"),
        }
        if !self.values.is_sorted_by(|a, b| a < b) {
            return wrong("values must ascend");
        }
        let distinct: std::collections::BTreeSet<_> = self.terms.iter().collect();
        let one_each = self.terms.is_empty() || self.terms.len() == self.values.len();
        if !one_each || distinct.len() != self.terms.len() {
            return wrong("needs one word for each value, or none at all");
        }
        Ok(())
    }
}

/// What a method asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its code.
    pub code: String,
    /// Its name.
    pub label: String,
    /// Which part of the formula it belongs to.
    pub group: String,
    /// Code of its scale.
    pub scale: String,
    /// What it counts within its group; not below 0.
    pub weight: Fixed,
    /// It has to be spoken of, if only as unknown.
    pub required: bool,
    /// What it counts as in the point if it is unknown.
    pub unknown: UnknownRule,
}

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    version: String,
    title: String,
    basis: Basis,
    citation: String,
    note: String,
    subject: SubjectKind,
    /// More than this share unknown, and there is no band.
    white_spot_above: Fixed,
    /// From this band on, low confidence asks for more intelligence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ask_more_from: Option<String>,
    formula: Formula,
    bands: BandsWritten,
    scales: Vec<Scale>,
    inputs: Vec<Input>,
}

/// A scoring method with its parameters, checked. Made by [`Method::read`] and [`Method::open`] only.
#[derive(Clone)]
pub struct Method {
    written: Written,
    bands: Bands,
    /// A scale for each input.
    scales: Vec<Scale>,
    digest: Digest,
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Method({} {} {})", self.id(), self.version(), self.digest)
    }
}

impl Method {
    /// Reads a file, however its blanks lie.
    pub fn read(field: &str, bytes: &[u8]) -> Result<Self, Invalid> {
        Self::of(document(field, bytes)?).map_err(|error| error.within(field))
    }

    /// Reads one that the owner of the method signed: one spelling only.
    pub fn open(
        envelope: &wire::Envelope,
        keys: &[PublicKey],
        field: &str,
    ) -> Result<Self, Invalid> {
        Self::read(
            field,
            opened(envelope, keys, field, |bytes| Ok(Self::read(field, bytes)?.bytes()))?,
        )
    }

    /// Signs it as its owner.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        key.sign(Kind::Method, self.bytes())
    }

    /// Its one spelling: what is hashed and signed.
    pub fn bytes(&self) -> Vec<u8> {
        canonical(&self.written)
    }

    fn of(written: Written) -> Result<Self, Invalid> {
        let digest = Digest::of(&canonical(&written));
        heading(&written.id, &written.version, &written.title, &written.citation)?;
        let wrong = |field: &str, detail: String| Invalid::new(Reason::FieldInvalid, field, detail);
        if written.white_spot_above < Fixed::ZERO || written.white_spot_above > one() {
            return Err(wrong("white_spot_above", "must lie from 0 to 1".to_owned()));
        }
        bounded("inputs", written.inputs.len(), METHOD_INPUTS_MAX)?;
        bounded("scales", written.scales.len(), METHOD_INPUTS_MAX)?;
        for scale in &written.scales {
            scale.check().map_err(|error| error.within(format!("scales[{}]", scale.code)))?;
        }
        let mut scales = Vec::with_capacity(written.inputs.len());
        for (at, input) in written.inputs.iter().enumerate() {
            let field = format!("inputs[{}]", input.code);
            let scale = written.scales.iter().find(|scale| scale.code == input.scale);
            let scale = scale.ok_or_else(|| {
                wrong(&field, format!("there is no scale {}", quoted(&input.scale)))
            })?;
            if TermCode::parse(&input.code).is_none() {
                return Err(wrong(&field, "is no code: at most 24 letters and digits".to_owned()));
            }
            if written.inputs.iter().take(at).any(|other| other.code == input.code) {
                return Err(wrong(&field, "stands there twice".to_owned()));
            }
            if scale.least() < Fixed::ZERO && input.group != FACTORS {
                return Err(wrong(&field, "a level below 0 would turn more into less".to_owned()));
            }
            if input.weight < Fixed::ZERO {
                return Err(wrong(&field, "a weight below 0 would turn more into less".to_owned()));
            }
            if let UnknownRule::As(value) = input.unknown
                && (value < scale.least() || scale.most().is_some_and(|most| value > most))
            {
                return Err(wrong(&field, format!("unknown counts as {value}, off its scale")));
            }
            scales.push(scale.clone());
        }
        written.formula.check(&written.inputs)?;
        let mut method = Self { written, bands: Bands::default(), scales, digest };
        let range = method.range()?;
        method.bands = Bands::check("bands", method.written.bands.clone(), range)?;
        if let Some(from) = &method.written.ask_more_from
            && !method.bands.has(from)
        {
            return Err(wrong("ask_more_from", format!("there is no band {}", quoted(from))));
        }
        Ok(method)
    }

    /// Least and largest score.
    fn range(&self) -> Result<(Fixed, Option<Fixed>), Invalid> {
        let all = vec![None; self.written.inputs.len()];
        let at = |side| Reading::new(self, &all, side).figures(&self.written.formula);
        let least = at(Side::Low)?.map(|figures| figures.point);
        let most = at(Side::High)?.map(|figures| figures.point);
        let detail = "the formula gives nothing where every input is at its least";
        let least = least.ok_or_else(|| Invalid::new(Reason::FieldInvalid, "formula", detail))?;
        Ok((least, most))
    }

    /// The largest score; none: there is none.
    pub fn max(&self) -> Result<Option<Fixed>, Invalid> {
        Ok(self.range()?.1)
    }

    /// Its name in the registry.
    pub fn id(&self) -> &str {
        &self.written.id
    }

    /// Its version, like 1.0.0.
    pub fn version(&self) -> &str {
        &self.written.version
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.written.title
    }

    /// Where it comes from.
    pub fn basis(&self) -> Basis {
        self.written.basis
    }

    /// What to cite.
    pub fn citation(&self) -> &str {
        &self.written.citation
    }

    /// What a reader has to know of it.
    pub fn note(&self) -> &str {
        &self.written.note
    }

    /// What it scores.
    pub fn subject(&self) -> SubjectKind {
        self.written.subject
    }

    /// SHA-256 of its one spelling.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What it asks for, each with its scale.
    pub fn inputs(&self) -> impl Iterator<Item = (&Input, &Scale)> {
        self.written.inputs.iter().zip(&self.scales)
    }

    /// More than this share unknown is a white spot.
    pub fn white_spot_above(&self) -> Fixed {
        self.written.white_spot_above
    }

    pub(super) fn formula(&self) -> &Formula {
        &self.written.formula
    }

    pub(super) fn bands(&self) -> &Bands {
        &self.bands
    }

    /// Does a score in this band, with low confidence, ask for more intelligence?
    pub(super) fn asks_more(&self, band: &str) -> bool {
        let from = self.written.ask_more_from.as_deref();
        from.is_some_and(|from| self.bands.reaches(band, from))
    }
}

/// 1.
pub(super) fn one() -> Fixed {
    Fixed::whole(1).unwrap_or_default()
}

/// Reads a JSON document. What nobody knows is refused by name.
pub(super) fn document<T: for<'de> Deserialize<'de>>(
    field: &str,
    bytes: &[u8],
) -> Result<T, Invalid> {
    bounded(field, bytes.len(), METHOD_BYTES_MAX)?;
    serde_json::from_slice(bytes).map_err(|error| {
        let detail = error.to_string();
        let unknown = detail.starts_with("unknown field");
        let reason = if unknown { Reason::FieldUnknown } else { Reason::FieldInvalid };
        Invalid::new(reason, field, detail)
    })
}

/// The one spelling of a document: no blanks, fields in the order of the type.
pub(super) fn canonical<T: Serialize>(document: &T) -> Vec<u8> {
    // Strings, numbers as strings and lists: there is nothing that could fail.
    serde_json::to_vec(document).unwrap_or_default()
}

/// The payload of a signed document of parameters, if it is in the one spelling that `again` writes.
pub(super) fn opened<'a>(
    envelope: &'a wire::Envelope,
    keys: &[PublicKey],
    field: &str,
    again: impl Fn(&[u8]) -> Result<Vec<u8>, Invalid>,
) -> Result<&'a [u8], Invalid> {
    let payload = seal::open(envelope, Kind::Method, keys, field)?;
    if again(payload)? != payload {
        let detail =
            "is not in its one spelling: no blanks, fields in the order of proto/README.md";
        return Err(Invalid::new(Reason::FieldInvalid, field, detail));
    }
    Ok(payload)
}

/// Checks what every document of parameters says of itself.
pub(super) fn heading(id: &str, version: &str, title: &str, citation: &str) -> Result<(), Invalid> {
    let wrong = |field, detail: &str| Err(Invalid::new(Reason::FieldInvalid, field, detail));
    if TermCode::parse(id).is_none() {
        return wrong("id", "is no code: at most 24 letters and digits");
    }
    let number = |part: &str| part.parse::<u32>().is_ok_and(|number| number.to_string() == part);
    let parts: Vec<_> = version.split('.').collect();
    if parts.len() != 3 || !parts.iter().all(|part| number(part)) {
        return wrong("version", "is not three numbers, like 1.0.0");
    }
    for (field, text) in [("title", title), ("citation", citation)] {
        if text.trim().is_empty() || text.chars().count() > SUMMARY_TEXT_CHARS_MAX {
            return wrong(field, "must say something, in at most 2000 characters");
        }
    }
    Ok(())
}
