//! Refusals ⇄ gRPC statuses: one exhaustive match, and rich details (`ErrorInfo`, `BadRequest`, `RetryInfo`).

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status, TimeoutExpired};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::reason::{Invalid, Reason};

/// `ErrorInfo.domain` of every error.
pub const DOMAIN: &str = "accord";

/// The gRPC code that stands for a reason.
pub fn code_of(reason: Reason) -> Code {
    match reason {
        Reason::FieldMissing
        | Reason::FieldInvalid
        | Reason::FieldUnknown
        | Reason::CodeUnknown
        | Reason::PeriodInvalid
        | Reason::LatticeUnknownCell
        | Reason::SignatureInvalid
        | Reason::ImportUnreadable
        | Reason::ColumnUnknown
        | Reason::RowDuplicate
        | Reason::PersonalData
        | Reason::AnswerIdentity
        | Reason::AnswerSeal
        | Reason::AnswerStale
        | Reason::AnswerQuestion
        | Reason::AnswerChanged
        | Reason::AnswerMalformed
        | Reason::PictureFalse
        | Reason::MethodUnfit
        | Reason::RankingFalse
        | Reason::ProductFalse
        | Reason::PlanInconsistent
        | Reason::ClassificationAboveCeiling => Code::InvalidArgument,
        Reason::CertificateIdentity | Reason::CertificateUnregistered => Code::Unauthenticated,
        Reason::CertificateRole
        | Reason::AuthorityUnknown
        | Reason::RequirementNotForMember
        | Reason::FourEyes => Code::PermissionDenied,
        Reason::ProtocolUnsupported
        | Reason::RosterInvalid
        | Reason::RosterRollback
        | Reason::RequirementNotOpen
        | Reason::RequirementClosed
        | Reason::RequirementCancelled
        | Reason::ClockSkew
        | Reason::PeriodNotFrozen
        | Reason::ModeUnavailable
        | Reason::PolicyUnsafe
        | Reason::ImportFrozen
        | Reason::InboxState
        | Reason::ReleaseChanged
        | Reason::JournalInconsistent
        | Reason::JournalNotShown
        | Reason::GrantWider
        | Reason::GrantState
        | Reason::SummaryState
        | Reason::ProductState
        | Reason::ProductChanged => Code::FailedPrecondition,
        Reason::RequirementConflict
        | Reason::GrantConflict
        | Reason::SummaryConflict
        | Reason::ProductForked
        | Reason::FileExists => Code::AlreadyExists,
        Reason::NotFound => Code::NotFound,
        Reason::LimitExceeded | Reason::Overloaded | Reason::StoreFull => Code::ResourceExhausted,
        Reason::StoreFailed | Reason::NoConnection | Reason::Maintenance => Code::Unavailable,
        Reason::DeadlineExceeded => Code::DeadlineExceeded,
        Reason::PeerFailed | Reason::Internal => Code::Internal,
    }
}

/// Exit code of a command that ends with this reason: the same grammar for both binaries.
/// 0 done · 1 failed · 2 wrong usage · 3 done in part · 4 refused by policy · 5 not found ·
/// 6 unreachable · 7 not allowed · 78 configuration invalid.
pub fn exit_code(reason: Reason) -> u8 {
    match (reason, code_of(reason)) {
        (Reason::StoreFull | Reason::StoreFailed | Reason::LimitExceeded, _) => 1,
        (Reason::Overloaded, _) => 6,
        (_, Code::Ok) => 0,
        (_, Code::FailedPrecondition | Code::ResourceExhausted | Code::AlreadyExists) => 4,
        (_, Code::NotFound) => 5,
        (_, Code::Unavailable | Code::DeadlineExceeded) => 6,
        (_, Code::Unauthenticated | Code::PermissionDenied) => 7,
        (
            _,
            Code::InvalidArgument
            | Code::Cancelled
            | Code::Unknown
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss,
        ) => 1,
    }
}

/// Exit code of a service that does not start: 78 (`EX_CONFIG`) only where trying again cannot help.
#[expect(clippy::wildcard_enum_match_arm, reason = "everything else stands in a file")]
pub fn exit_code_of_start(reason: Reason) -> u8 {
    const CONFIG_INVALID: u8 = 78;
    match reason {
        Reason::StoreFull | Reason::StoreFailed | Reason::Internal | Reason::NoConnection => 1,
        _ => CONFIG_INVALID,
    }
}

impl From<Invalid> for Status {
    fn from(error: Invalid) -> Self {
        let Invalid { reason, field, detail } = &error;
        let code = code_of(*reason);
        let mut details = ErrorDetails::new();
        details.set_error_info(
            reason.code(),
            DOMAIN,
            HashMap::from([("field".to_owned(), field.clone())]),
        );
        if code == Code::InvalidArgument {
            details.add_bad_request_violation(field, detail);
        }
        if matches!(reason, Reason::Overloaded | Reason::StoreFailed) {
            details.set_retry_info(Some(Duration::from_secs(1)));
        }
        Status::with_error_details(code, format!("{field}: {detail}"), details)
    }
}

/// Reads a peer's status. Its reason is believed only if it is one of ours; its text is kept for people.
pub fn from_status(status: &Status) -> Invalid {
    let info = status.get_details_error_info();
    let ours = info.filter(|info| info.domain == DOMAIN);
    let named = ours
        .as_ref()
        .and_then(|info| Reason::ALL.iter().find(|reason| reason.code() == info.reason));
    let reason = named.copied().unwrap_or_else(|| transport_reason(status));
    let field = ours
        .and_then(|info| info.metadata.get("field").cloned())
        .unwrap_or_else(|| "call".to_owned());
    if status.code() == Code::Unimplemented {
        let detail = "the peer does not serve this; is the client file meant for another service?";
        return Invalid::new(reason, field, detail);
    }
    if named.is_none() && reason == Reason::NoConnection {
        // What the library says of it is for developers.
        let said = status.message();
        let detail =
            format!("the connection broke off before there was an answer ({said}); ask again");
        return Invalid::new(reason, field, detail);
    }
    let detail = status.message().strip_prefix(&format!("{field}: ")).unwrap_or(status.message());
    Invalid::new(reason, field, detail)
}

/// What a status without one of our reasons means.
fn transport_reason(status: &Status) -> Reason {
    match status.code() {
        // tonic says of a call that took longer than its deadline that it was cancelled, here and at the peer.
        Code::Cancelled if status.message() == TimeoutExpired(()).to_string() => {
            Reason::DeadlineExceeded
        }
        Code::Unavailable | Code::Cancelled | Code::Unknown => Reason::NoConnection,
        Code::DeadlineExceeded => Reason::DeadlineExceeded,
        Code::ResourceExhausted => Reason::Overloaded,
        Code::Unauthenticated => Reason::CertificateIdentity,
        Code::PermissionDenied => Reason::CertificateRole,
        Code::NotFound => Reason::NotFound,
        Code::Ok
        | Code::InvalidArgument
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => Reason::PeerFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_the_wire() {
        for reason in Reason::ALL {
            let error = Invalid::new(*reason, "some.field", "some detail");
            assert_eq!(from_status(&Status::from(error.clone())), error);
        }
    }

    #[test]
    fn a_deadline_that_passed_is_not_taken_for_a_connection_that_is_gone() {
        let reason = |status| from_status(&status).reason;
        let passed = Status::from_error(Box::new(TimeoutExpired(())));
        assert_eq!(reason(passed), Reason::DeadlineExceeded);
        assert_eq!(reason(Status::cancelled("whatever else")), Reason::NoConnection);
    }
}
