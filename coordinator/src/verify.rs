//! Verifying: identity, seal, freshness, right question. Comes in: what a member said. Goes out: a
//! [`VerifiedAnswer`], or a silence with its reason. Nothing else can be combined.

use accord_proto::{
    answer::{Answer, Seal, SealedTable},
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

/// What was accepted of a member for the same requirement before: it cannot be made to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// SHA-256 of the table.
    pub table: Digest,
    /// The state of consent that it was sealed under.
    pub consent_epoch: u64,
    /// The sequence of its seal.
    pub sequence: u64,
}

/// A sealed table that answers the question, of the member that was asked. Made here only.
#[derive(Debug)]
pub struct VerifiedAnswer {
    sealed: SealedTable,
    single_handed: bool,
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

    /// Did one person there both decide and release, as it says itself?
    pub fn single_handed(&self) -> bool {
        self.single_handed
    }

    /// Whose answer this is.
    pub fn jurisdiction(&self) -> JurisdictionCode {
        self.sealed.table().jurisdiction
    }
}

/// Why there is no answer of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// A person there has to decide.
    Pending,
    /// It does not answer, and wants that known.
    Declined,
    /// It did not answer within the collection window.
    Late,
    /// It could not be reached, or not in time.
    Unreachable(Invalid),
    /// What it said is not believed.
    Rejected(Invalid),
}

impl Silence {
    /// The stable code that the picture shows.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Declined => "DECLINED",
            Self::Late => "LATE",
            Self::Unreachable(why) | Self::Rejected(why) => why.reason.code(),
        }
    }
}

/// Checks one reply.
pub fn verify(
    reply: Reply,
    asked: &SignedRequirement,
    seen: Option<Seen>,
    lists: &Lists,
    now: Timestamp,
) -> Result<VerifiedAnswer, Silence> {
    let Reply { member, said } = reply;
    let (sealed, single_handed) = match said {
        Ok(Answer::Sealed { sealed, single_handed }) => (sealed, single_handed),
        Ok(Answer::Pending) => return Err(Silence::Pending),
        Ok(Answer::Declined) => return Err(Silence::Declined),
        Err(error) => return Err(silence(error)),
    };
    let sealed = check(sealed, &member, asked, seen, lists, now).map_err(Silence::Rejected)?;
    Ok(VerifiedAnswer { sealed, single_handed })
}

fn check(
    sealed: wire::SealedTable,
    member: &Member,
    asked: &SignedRequirement,
    seen: Option<Seen>,
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
    let bound = seal.requirement == requirement.id
        && seal.requirement_digest == asked.digest()
        && seal.authority == requirement.authority
        && seal.audience == requirement.audience;
    if !bound {
        return refuse(
            Reason::AnswerStale,
            "seal.requirement",
            "was sealed for another requirement",
        );
    }
    if seal.expires_at <= now {
        return refuse(Reason::AnswerStale, "seal.expires_at_s", "is over");
    }
    if seal.issued_at > now.plus_s(CLOCK_SKEW_S) {
        return refuse(Reason::ClockSkew, "seal.issued_at_s", "lies in the future");
    }
    if let Some(seen) = seen {
        if seal.sequence < seen.sequence {
            return refuse(Reason::AnswerStale, "seal.sequence", "is lower than one seen before");
        }
        // The same requirement has the same table for ever; only consent taken back since may narrow it.
        if seal.table_digest != seen.table && seal.consent_epoch <= seen.consent_epoch {
            return refuse(
                Reason::AnswerChanged,
                "seal.table_sha256",
                "is not the one sealed before",
            );
        }
    }
    table.check_answers(&requirement.question, lists)?;
    Ok(opened)
}

/// Did the member fail to answer, or answer something that is not believed?
#[expect(clippy::wildcard_enum_match_arm, reason = "every other reason is one of not believing")]
fn silence(error: Invalid) -> Silence {
    match error.reason {
        Reason::NoConnection
        | Reason::DeadlineExceeded
        | Reason::Overloaded
        | Reason::StoreFailed
        | Reason::PeerFailed => Silence::Unreachable(error),
        Reason::RequirementClosed => Silence::Late,
        _ => Silence::Rejected(error),
    }
}
