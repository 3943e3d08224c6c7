//! What an edition offers as bulletins, and what a person signed. Comes in: exact figures of a pattern that was audited
//! ([`super::tables`]). Goes out: the same, kept with the edition; and, once somebody else has signed it, the figures that
//! stand in it. Must never hold the figure of a cell that is not published.
//!
//! # Why this is enough
//! *Claim:* of an indicator and period there is one bulletin for ever, and nobody has a noisy figure beside it. *Argument:*
//! a signature names indicator, period and the edition that was frozen; there is no second one. A later edition does
//! not correct the figures, for the difference to the first would be the record that came late: it carries the signed
//! bulletin on, or shows nothing, if it must be feared that some record in it may not count any more. Of a noisy
//! figure of a cell that the bulletin hides, or of a sum of such cells, the audit knows nothing; so an indicator of
//! which anything was shown in mode protected for an overlapping period is frozen as closed instead of a bulletin, and one
//! that was signed as a bulletin is frozen as closed instead of protected ([`Signed::bars`]). *Known limit:* two
//! indicators may count the same units; the audit takes each for itself. A store that is restored from a backup knows no
//! signature that came after it.

use std::collections::BTreeMap;

use accord_proto::{
    clock::Timestamp,
    id::EditionId,
    identity::Identity,
    seal::Digest,
    taxonomy::{AudienceCode, IndicatorCode, Period},
};

use crate::record::CellKey;

/// What an edition has to offer of one indicator in bulletin mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Periods whose signed bulletins it was audited together with, ascending.
    pub beside: Vec<Period>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Tables that a person may sign.
    Proposed(Bulletin),
    /// The bulletin that was signed for an earlier edition.
    Carried(EditionId),
    /// Nothing; why, for the node's own eyes.
    Refused(String),
}

impl Offer {
    /// Is it the bulletin that was made for this edition?
    pub fn is_of(&self, edition: EditionId) -> bool {
        match &self.outcome {
            Outcome::Proposed(bulletin) => bulletin.edition == edition,
            Outcome::Carried(carried) => *carried == edition,
            Outcome::Refused(_) => false,
        }
    }
}

/// A fixed set of tables with exact figures.
#[derive(Clone, PartialEq)]
pub struct Bulletin {
    /// The edition that it was made for.
    pub edition: EditionId,
    /// Whoever may get it, ascending. Only records that count for all of them are in it.
    pub audiences: Vec<AudienceCode>,
    /// Digest of the rules by which its records were chosen.
    pub handling: Digest,
    /// Every cell of the tables; the figure only where it is published.
    pub cells: BTreeMap<CellKey, Option<i64>>,
}

impl std::fmt::Debug for Bulletin {
    /// Prints no number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bulletin(_)")
    }
}

impl Bulletin {
    /// How many of its cells are published.
    pub fn published(&self) -> usize {
        self.cells.values().flatten().count()
    }
}

/// Who signed a bulletin, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The edition that it was made for.
    pub edition: EditionId,
    /// A releaser, not the one who froze that edition.
    pub by: Identity,
    /// When.
    pub at: Timestamp,
    /// Why, as the releaser says.
    pub why: String,
}

/// Every bulletin that was ever signed, with its signature.
#[derive(Clone, Debug, Default)]
pub struct Signed {
    signatures: BTreeMap<(IndicatorCode, Period), Signature>,
    bulletins: BTreeMap<(IndicatorCode, Period), Bulletin>,
}

impl Signed {
    /// Takes in a signature. The first one stands.
    pub fn sign(&mut self, indicator: IndicatorCode, period: Period, signature: Signature) {
        self.signatures.entry((indicator, period)).or_insert(signature);
    }

    /// Takes in a bulletin, if it is the one that was signed.
    pub fn take(&mut self, indicator: IndicatorCode, period: Period, bulletin: &Bulletin) {
        let key = (indicator, period);
        if self.signatures.get(&key).is_some_and(|signature| signature.edition == bulletin.edition)
        {
            self.bulletins.insert(key, bulletin.clone());
        }
    }

    /// The signature of an indicator and period.
    pub fn signature(&self, indicator: IndicatorCode, period: Period) -> Option<&Signature> {
        self.signatures.get(&(indicator, period))
    }

    /// The signed bulletin of an indicator and period.
    pub fn bulletin(&self, indicator: IndicatorCode, period: Period) -> Option<&Bulletin> {
        self.bulletins.get(&(indicator, period))
    }

    /// Signed bulletins of other periods that overlap with this one, and those that overlap with these in turn,
    /// ascending: equations may hold between them.
    pub fn beside(
        &self,
        indicator: IndicatorCode,
        period: Period,
    ) -> Vec<(Period, Option<&Bulletin>)> {
        let of_indicator = self.signatures.keys().filter(|(code, _)| *code == indicator);
        let mut others: Vec<Period> =
            of_indicator.map(|key| key.1).filter(|other| *other != period).collect();
        let mut linked = vec![period];
        let mut at = 0;
        while let Some(of) = linked.get(at).copied() {
            let (near, far) = others.into_iter().partition(|other| overlap(*other, of));
            let near: Vec<Period> = near;
            linked.extend(near);
            others = far;
            at += 1;
        }
        linked.retain(|other| *other != period);
        linked.sort_unstable();
        linked.into_iter().map(|other| (other, self.bulletin(indicator, other))).collect()
    }

    /// Was a bulletin of an overlapping period signed? Then nothing noisy is shown for this one any more.
    pub fn bars(&self, indicator: IndicatorCode, period: Period) -> bool {
        let mut signed = self.signatures.keys();
        signed.any(|(code, other)| *code == indicator && overlap(*other, period))
    }
}

fn overlap(one: Period, other: Period) -> bool {
    one.holds(other) || other.holds(one)
}
