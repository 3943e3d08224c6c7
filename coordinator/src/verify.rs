//! Verifying: identity, seal, freshness, right question. Comes in: what a member said. Goes out: a
//! [`VerifiedAnswer`], or a silence with its reason. Nothing else can be combined.

use accord_proto::{
    answer::{Answer, Decline, RedactedTable, Seal, SealedTable, seal_digest},
    clock::Timestamp,
    limits::CLOCK_SKEW_S,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::Member,
    seal::Digest,
    table::Table,
    taxonomy::{JurisdictionCode, Lists},
    wire,
};

use crate::gather::Reply;

/// What was accepted of a member before: it cannot be made to go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// For the same requirement.
    pub same: Option<SeenTable>,
    /// Of all its seals the one with the highest number, whatever it was for.
    pub newest: Option<SeenSeal>,
}

/// What was accepted for the same requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenTable {
    /// Digest of the table.
    pub table: Digest,
    /// The state of consent that it was sealed under.
    pub consent_epoch: u64,
    /// Number of its seal.
    pub sequence: u64,
    /// Digest of its seal; unknown of what was accepted before seals were remembered.
    pub seal: Option<Digest>,
}

/// A seal, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenSeal {
    /// Its number.
    pub sequence: u64,
    /// Its digest.
    pub digest: Digest,
}

/// A sealed table that answers the question, of the member that was asked. Made here only.
#[derive(Debug)]
pub struct VerifiedAnswer {
    sealed: SealedTable,
}

impl VerifiedAnswer {
    /// The cells.
    pub fn table(&self) -> &Table {
        self.sealed.table()
    }

    /// What they are bound to.
    pub fn seal(&self) -> &Seal {
        self.sealed.seal()
    }

    /// The seal as it was signed.
    pub fn envelope(&self) -> &wire::Envelope {
        self.sealed.envelope()
    }

    /// Did one person there both decide and release, as its seal says?
    pub fn single_handed(&self) -> bool {
        self.seal().single_handed
    }

    /// What of it may be kept: figures that are public, and of all others a digest.
    pub fn redact(&self) -> RedactedTable {
        self.sealed.redact()
    }

    /// What is remembered of it.
    pub fn seen(&self) -> SeenTable {
        let seal = self.seal();
        SeenTable {
            table: seal.table_digest,
            consent_epoch: seal.consent_epoch,
            sequence: seal.sequence,
            seal: Some(seal_digest(self.envelope())),
        }
    }

    /// Whose answer this is.
    pub fn jurisdiction(&self) -> JurisdictionCode {
        self.sealed.table().jurisdiction
    }
}

/// Why there is no answer of a member.
#[derive(Clone, Debug, PartialEq)]
pub enum Silence {
    /// A person there has to decide.
    Pending,
    /// It does not answer, and wants that known: its own word, checked.
    Declined(wire::Envelope),
    /// It did not answer within the collection window.
    Late,
    /// It could not be reached, or not in time.
    Unreachable(Invalid),
    /// What it said is not believed.
    Rejected(Invalid),
}

impl Silence {
    /// Does it refuse because of maintenance? Until when is what is known of peers.
    pub fn is_maintenance(&self) -> bool {
        matches!(self, Self::Unreachable(why) if why.reason == Reason::Maintenance)
    }

    /// The stable code that the picture shows.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Declined(_) => "DECLINED",
            Self::Late => "LATE",
            Self::Unreachable(why) | Self::Rejected(why) => why.reason.code(),
        }
    }
}

/// Checks one reply.
pub fn verify(
    reply: Reply,
    asked: &SignedRequirement,
    seen: Seen,
    lists: &Lists,
    now: Timestamp,
) -> Result<VerifiedAnswer, Silence> {
    let Reply { member, said } = reply;
    let sealed = match said {
        Ok(Answer::Sealed(sealed)) => sealed,
        Ok(Answer::Pending) => return Err(Silence::Pending),
        Ok(Answer::Declined(decline)) => {
            return Err(match Decline::open(&decline, &member, asked, lists) {
                Ok(_) => Silence::Declined(decline),
                Err(error) => Silence::Rejected(error),
            });
        }
        Err(error) => return Err(silence(error)),
    };
    let sealed = check(sealed, &member, asked, seen, lists, now).map_err(Silence::Rejected)?;
    Ok(VerifiedAnswer { sealed })
}

fn check(
    sealed: wire::SealedTable,
    member: &Member,
    asked: &SignedRequirement,
    seen: Seen,
    lists: &Lists,
    now: Timestamp,
) -> Result<SealedTable, Invalid> {
    let opened = SealedTable::open(sealed, &member.seal_keys, lists)?;
    let (seal, table, requirement) = (opened.seal(), opened.table(), asked.requirement());
    let refuse = |reason, field: &str, detail: &str| Err(Invalid::new(reason, field, detail));
    if seal.node != member.node || seal.jurisdiction != member.jurisdiction {
        return refuse(
            Reason::AnswerIdentity,
            "seal.node",
            "speaks for another than the one asked",
        );
    }
    seal.check_bound(asked)?;
    if seal.expires_at <= now {
        return refuse(Reason::AnswerStale, "seal.expires_at_s", "is over");
    }
    if seal.issued_at > now.plus_s(CLOCK_SKEW_S) {
        return refuse(Reason::ClockSkew, "seal.issued_at_s", "lies in the future");
    }
    check_follows(seal, seal_digest(opened.envelope()), seen)?;
    table.check_answers(&requirement.question, lists)?;
    Ok(opened)
}

/// Does it come after what was seen? Neither numbers nor consent go back, no number stands on two seals, and a table
/// that takes the place of another says so.
fn check_follows(seal: &Seal, digest: Digest, seen: Seen) -> Result<(), Invalid> {
    let refuse = |reason, field: &str, detail: &str| Err(Invalid::new(reason, field, detail));
    if let Some(same) = seen.same {
        if seal.sequence < same.sequence {
            return refuse(Reason::AnswerStale, "seal.sequence", "is lower than one seen before");
        }
        if seal.consent_epoch < same.consent_epoch {
            let detail = "consent was further on when this was answered before";
            return refuse(Reason::AnswerStale, "seal.consent_epoch", detail);
        }
        // The same requirement has the same table for ever; only consent taken back since may narrow it.
        let changed = seal.table_digest != same.table;
        if changed && (seal.consent_epoch <= same.consent_epoch || seal.supersedes.is_none()) {
            return refuse(
                Reason::AnswerChanged,
                "seal.table_sha256",
                "is not the one sealed before",
            );
        }
        if seal.sequence == same.sequence && same.seal.is_some_and(|seen| seen != digest) {
            return refuse(Reason::AnswerStale, "seal.sequence", "stands on two different seals");
        }
    }
    if let Some(newest) = seen.newest {
        if seal.sequence == newest.sequence && digest != newest.digest {
            return refuse(Reason::AnswerStale, "seal.sequence", "stands on two different seals");
        }
        let next = seal.sequence == newest.sequence.saturating_add(1);
        if next && seal.previous != Some(newest.digest) {
            let detail = "does not name the seal with the number before";
            return refuse(Reason::AnswerStale, "seal.previous_sha256", detail);
        }
    }
    Ok(())
}

/// Did the member fail to answer, or answer something that is not believed?
#[expect(clippy::wildcard_enum_match_arm, reason = "every other reason is one of not believing")]
fn silence(error: Invalid) -> Silence {
    match error.reason {
        Reason::NoConnection
        | Reason::ProtocolUnsupported
        | Reason::DeadlineExceeded
        | Reason::Overloaded
        | Reason::StoreFailed
        | Reason::Maintenance
        | Reason::PeerFailed => Silence::Unreachable(error),
        Reason::RequirementClosed => Silence::Late,
        _ => Silence::Rejected(error),
    }
}
