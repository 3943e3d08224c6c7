//! Stable codes for everything that can be refused, and the one error type of the contract.
//!
//! A code tells a peer what was wrong with *its request*; it never tells anything about data held.
//! Reasons that stay at home (no consent, too small, …) have no code here on purpose: outside the
//! node they are all the mark *not shown*.

use std::fmt;

/// Declares the codes with their meaning, so that list, text and documentation cannot part.
macro_rules! reasons {
    ($($variant:ident = $code:literal, $meaning:literal;)*) => {
        /// Why something was refused. The text form is stable: scripts may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $(#[doc = $meaning] $variant,)* }

        impl Reason {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The stable code, as in `ErrorInfo.reason`.
            pub fn code(self) -> &'static str {
                match self { $(Reason::$variant => $code,)* }
            }

            /// One sentence for people.
            pub fn meaning(self) -> &'static str {
                match self { $(Reason::$variant => $meaning,)* }
            }
        }
    };
}

reasons! {
    FieldMissing = "FIELD_MISSING", "A field that must be there is empty.";
    FieldInvalid = "FIELD_INVALID", "A field holds something that it may not hold.";
    FieldUnknown = "FIELD_UNKNOWN", "The message has a field that this version does not know.";
    CodeUnknown = "CODE_UNKNOWN", "A code is not in its list.";
    PeriodInvalid = "PERIOD_INVALID", "A period is not written as 2016, 2016-H1, 2016-Q3 or 2016-05, or not one that the indicator has.";
    LatticeUnknownCell = "LATTICE_UNKNOWN_CELL", "The lattice has no such cell: level, list or granularity do not belong to the indicator.";
    LimitExceeded = "LIMIT_EXCEEDED", "A bound of the contract is exceeded.";
    ProtocolUnsupported = "PROTOCOL_UNSUPPORTED", "One side speaks an older protocol than the other one still reads; the older one must be upgraded.";
    CertificateIdentity = "CERTIFICATE_IDENTITY", "The certificate does not carry exactly one well-formed URI SAN of this federation.";
    CertificateUnregistered = "CERTIFICATE_UNREGISTERED", "The roster does not list this certificate for this identity.";
    CertificateRole = "CERTIFICATE_ROLE", "The role in the certificate may not call this.";
    RosterInvalid = "ROSTER_INVALID", "The roster is not signed by the federation root, is expired, or contradicts itself.";
    RosterRollback = "ROSTER_ROLLBACK", "The roster is older than one seen before.";
    SignatureInvalid = "SIGNATURE_INVALID", "A signature does not verify, or its key is not the one registered.";
    AuthorityUnknown = "AUTHORITY_UNKNOWN", "The authority is not in the roster.";
    RequirementNotForMember = "REQUIREMENT_NOT_FOR_MEMBER", "The requirement does not name this member.";
    RequirementNotOpen = "REQUIREMENT_NOT_OPEN", "The collection window has not opened yet.";
    RequirementClosed = "REQUIREMENT_CLOSED", "The collection window is over.";
    RequirementCancelled = "REQUIREMENT_CANCELLED", "The authority has cancelled the requirement.";
    RequirementConflict = "REQUIREMENT_CONFLICT", "Another requirement with this id was taken in before.";
    ClockSkew = "CLOCK_SKEW", "The issue time lies in the future by more than clocks may differ.";
    PeriodNotFrozen = "PERIOD_NOT_FROZEN", "There is nothing to freeze or answer for this period.";
    PolicyUnsafe = "POLICY_UNSAFE", "A setting of the policy would protect too little, or drown what it protects.";
    ModeUnavailable = "MODE_UNAVAILABLE", "The disclosure mode is not available.";
    ImportUnreadable = "IMPORT_UNREADABLE", "The file or its mapping cannot be read.";
    ColumnUnknown = "COLUMN_UNKNOWN", "A column of the file is not in the mapping, or the other way round.";
    RowDuplicate = "ROW_DUPLICATE", "Another row of the same file has another figure for this cell.";
    PersonalData = "PERSONAL_DATA", "A text looks as if it held personal data, which nothing here may hold; it is not repeated.";
    ImportFrozen = "IMPORT_FROZEN", "An edition rests on the import; it cannot be taken back any more.";
    GrantConflict = "GRANT_CONFLICT", "Another grant with this id exists.";
    GrantWider = "GRANT_WIDER", "A grant can only be narrowed: this would be more than was consented to.";
    GrantState = "GRANT_STATE", "The grant is not in a state in which this may be done.";
    SummaryConflict = "SUMMARY_CONFLICT", "Another summary, or another version, stands under this id already.";
    SummaryState = "SUMMARY_STATE", "The summary is not in a state in which this may be done.";
    InboxState = "INBOX_STATE", "The requirement is not in a state in which this may be done.";
    ReleaseChanged = "RELEASE_CHANGED", "What would leave now is not what was previewed; nothing left, look at it again.";
    FourEyes = "FOUR_EYES", "Whoever wrote something may not be the one who checks it.";
    ClassificationAboveCeiling = "CLASSIFICATION_ABOVE_CEILING", "The marking is above what this deployment may hold; nothing of it was kept.";
    FileExists = "FILE_EXISTS", "A file stands there already, or a folder is not empty; nothing was touched.";
    NotFound = "NOT_FOUND", "There is no such thing here.";
    Overloaded = "OVERLOADED", "Too much is under way; try again shortly.";
    StoreFull = "STORE_FULL", "The disk is almost full; nothing was changed.";
    StoreFailed = "STORE_FAILED", "The store or its journal cannot be written or read; nothing was released.";
    NoConnection = "NO_CONNECTION", "The peer could not be reached.";
    Maintenance = "MAINTENANCE", "The service is in maintenance that was announced; it says until when, and answers nothing before.";
    DeadlineExceeded = "DEADLINE_EXCEEDED", "The peer did not answer in time.";
    AnswerIdentity = "ANSWER_IDENTITY", "The answer is sealed by, or speaks for, another than the one asked.";
    AnswerSeal = "ANSWER_SEAL", "The seal does not verify, or does not cover this table.";
    AnswerStale = "ANSWER_STALE", "The seal is expired, of another requirement, or older than one seen.";
    AnswerQuestion = "ANSWER_QUESTION", "The table does not answer the question that was asked.";
    AnswerChanged = "ANSWER_CHANGED", "The table differs from the one that this member sealed before for the same requirement.";
    AnswerMalformed = "ANSWER_MALFORMED", "The answer cannot be read.";
    JournalInconsistent = "JOURNAL_INCONSISTENT", "A journal does not continue what was shown of it before, or an entry is changed, missing or added.";
    JournalNotShown = "JOURNAL_NOT_SHOWN", "Nothing is answered before the asking side has shown that its own journal continues.";
    PictureFalse = "PICTURE_FALSE", "A picture says something else than the sealed tables that it rests on.";
    MethodUnfit = "METHOD_UNFIT", "A method is given what it does not score, or results of unlike methods or parameters would be put together.";
    RankingFalse = "RANKING_FALSE", "A ranking says something else than the pictures and parameters that it rests on.";
    ProductState = "PRODUCT_STATE", "The product is not in a state in which this may be done.";
    ProductChanged = "PRODUCT_CHANGED", "Another step was taken with this product meanwhile; look at it again.";
    ProductFalse = "PRODUCT_FALSE", "A product says something else than the texts, words and rules that it rests on.";
    ProductForked = "PRODUCT_FORKED", "The chain of a product does not continue the one that is held of it.";
    PlanInconsistent = "PLAN_INCONSISTENT", "A plan contradicts itself, or a report its plan: a code stands twice, a reference leads nowhere, a date lies outside.";
    PeerFailed = "PEER_FAILED", "The peer reported an error of its own.";
    Internal = "INTERNAL", "An error of this program; its log says more.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A refusal: which field, what was found, what to do. Safe to show to the peer that caused it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {field}: {detail}")]
pub struct Invalid {
    /// The stable code.
    pub reason: Reason,
    /// Path of the field, e.g. `question.blocks[0].periods[2]`.
    pub field: String,
    /// What was found and what is wanted.
    pub detail: String,
}

impl Invalid {
    /// A refusal of one field.
    pub fn new(reason: Reason, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { reason, field: field.into(), detail: detail.into() }
    }

    /// The same refusal, seen from the message that holds the field.
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

/// Shortens what a peer or a file wrote before it is repeated in an error, and removes control characters.
pub fn quoted(found: &str) -> String {
    const SHOWN_MAX: usize = 60;
    let mut shown: String = found
        .chars()
        .take(SHOWN_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if found.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let codes: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
    }

    #[test]
    fn what_a_peer_wrote_cannot_forge_a_log_line() {
        assert_eq!(quoted("a\r\n\u{1b}[31m"), "\"a\u{fffd}\u{fffd}\u{fffd}[31m\"");
        assert!(quoted(&"x".repeat(1000)).len() < 80);
    }
}
