//! A summary as its analyst writes it, TOML or JSON → a document that the node may believe: every code
//! exists, every bound is kept, no text looks like personal data, no marking is above the ceiling.
//!
//! It has one canonical text, and a digest over that. Errors name a field and never repeat a text: what is
//! refused for its content must not live on in a log.

use accord_proto::{
    clock::Timestamp,
    limits::SUMMARY_BYTES_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{CrimeAreaCode, IndicatorCode, JurisdictionCode, Lists, Period, RegionCode},
};

mod check;
mod written;

pub use check::{DEFAULT_CEILING, check_ceiling};
pub(super) use check::{area, grade, mark, personal};
pub use written::{
    Evaluation, Grade, Handling, Impact, Judgement, Likelihood, ObservationRef, Response, Score,
    Trend, Written,
};

/// What a deployment asks of a summary before it takes it in.
pub struct Admission<'a, Guard> {
    /// Code of the highest classification that it may hold.
    pub ceiling: &'a str,
    /// Says what a text looks like if it looks like personal data.
    pub guard: Guard,
    /// Now.
    pub now: Timestamp,
}

/// A checked summary.
#[derive(Clone, PartialEq)]
pub struct Document {
    written: Written,
    text: String,
    digest: Digest,
    coordinates: Coordinates,
}

/// What of a document the program itself reads.
#[derive(Clone, Debug, PartialEq)]
struct Coordinates {
    period: Period,
    crime_areas: Vec<CrimeAreaCode>,
    regions: Vec<RegionCode>,
    indicators: Vec<IndicatorCode>,
    review_due: Timestamp,
    retention_until: Timestamp,
}

impl std::fmt::Debug for Document {
    /// Prints no content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({})", self.digest)
    }
}

impl Document {
    /// Reads what an analyst wrote.
    pub fn parse<Guard: Fn(&str) -> Option<&'static str>>(
        text: &str,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
        admission: &Admission<'_, Guard>,
    ) -> Result<Self, Invalid> {
        if text.len() > SUMMARY_BYTES_MAX {
            let detail = format!("{} bytes where {SUMMARY_BYTES_MAX} are the most", text.len());
            return Err(Invalid::new(Reason::LimitExceeded, "summary", detail));
        }
        let written = Written::read(text)?;
        // First, so that no other refusal can quote from what may not be here at all.
        check::ceiling(&written, admission.ceiling, lists)?;
        check::guard(&written, &admission.guard)?;
        let coordinates = check::fields(&written, jurisdiction, lists)?;
        if coordinates.review_due <= admission.now {
            let detail = "lies in the past: the summary would be expired at once";
            return Err(Invalid::new(Reason::FieldInvalid, "review_due", detail));
        }
        let text = written.to_text()?;
        Ok(Self { digest: Digest::of(text.as_bytes()), written, text, coordinates })
    }

    /// Reads back what [`Self::text`] gave: these very bytes, whatever a later version would write.
    pub fn reopen(
        text: String,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let written = Written::read(&text)?;
        let coordinates = check::fields(&written, jurisdiction, lists)?;
        Ok(Self { digest: Digest::of(text.as_bytes()), written, text, coordinates })
    }

    /// Everything, as it was written.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// The canonical text, TOML.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the canonical text.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The period that it is about.
    pub fn period(&self) -> Period {
        self.coordinates.period
    }

    /// Its crime areas.
    pub fn crime_areas(&self) -> &[CrimeAreaCode] {
        &self.coordinates.crime_areas
    }

    /// Its regions.
    pub fn regions(&self) -> &[RegionCode] {
        &self.coordinates.regions
    }

    /// Indicators of the observations that it refers to.
    pub fn indicators(&self) -> &[IndicatorCode] {
        &self.coordinates.indicators
    }

    /// From this day on it is no longer to be relied on: nobody has looked at it again, or it may not be
    /// kept any longer.
    pub fn expires_at(&self) -> Timestamp {
        self.coordinates.review_due.min(self.coordinates.retention_until)
    }

    /// It may not be kept beyond this day.
    pub fn retention_until(&self) -> Timestamp {
        self.coordinates.retention_until
    }

    /// Source and information grade of every judgement and input, like `B2`.
    pub fn grades(&self) -> impl Iterator<Item = String> {
        let judged = self.written.key_judgements.iter().flat_map(|judgement| &judgement.grades);
        let graded = judged.map(|grade| (&grade.source, &grade.information));
        let inputs =
            self.written.evaluation.iter().map(|input| (&input.source, &input.information));
        graded.chain(inputs).map(|(source, information)| format!("{source}{information}"))
    }
}

#[cfg(test)]
mod tests;
