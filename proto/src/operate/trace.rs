//! What belongs together in the logs of several services (W3C Trace Context). Comes in: the requirement that something is done for.
//! Goes out: a header on every call that is made for it, and the field `trace` on every line that is logged for it, here and
//! there. Must never say more than the requirement's id, which both sides know.

use std::fmt;

use http::{HeaderMap, HeaderValue};
use tracing::{Instrument as _, Span, info_span};

use crate::{
    clock::{Entropy as _, SystemEntropy},
    id::RequirementId,
    identity::Role,
    transport::{Peer, listener::Caller},
};

/// The header.
const HEADER: &str = "traceparent";

tokio::task_local! {
    static CURRENT: Trace;
}

/// The id that all have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace([u8; 16]);

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Trace {
    /// Of everything that is done for a requirement: its own id, without hyphens.
    pub fn of(requirement: RequirementId) -> Self {
        Self(*requirement.as_bytes())
    }

    /// Reads the header of a call. What is none is no error: logs are not worth a refusal.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let said = headers.get(HEADER)?.to_str().ok()?;
        let mut parts = said.split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let mut bytes = [0; 16];
        hex::decode_to_slice(trace, &mut bytes).ok()?;
        (version == "00" && bytes != [0; 16]).then_some(Self(bytes))
    }

    /// A call of its own within it. Its id is chance: one that counts would tell a member how many calls others were sent.
    fn header(self) -> Option<HeaderValue> {
        let mut call = [0; 8];
        SystemEntropy.fill(&mut call).ok()?;
        HeaderValue::try_from(format!("00-{self}-{}-01", hex::encode(call))).ok()
    }
}

/// Does something for a requirement: its calls and its lines in the log say so.
pub async fn within<T>(requirement: RequirementId, work: impl Future<Output = T>) -> T {
    let trace = Trace::of(requirement);
    CURRENT.scope(trace, work.instrument(info_span!("for", %trace))).await
}

/// Says on a call for what it is made.
pub(crate) fn say(headers: &mut HeaderMap) {
    let header = CURRENT.try_with(|trace| trace.header()).ok().flatten();
    if let Some(header) = header {
        headers.insert(HEADER, header);
    }
}

/// What a call is answered in: its lines in the log say for what it was made. Only a coordinator makes calls for requirements.
pub(crate) fn span(headers: &HeaderMap, caller: Option<&Caller>) -> Span {
    let coordinates = |Caller(peer): &Caller| matches!(peer, Ok(Peer { identity, .. }) if identity.role == Role::Coordinator);
    match Trace::read(headers).filter(|_| caller.is_some_and(coordinates)) {
        Some(trace) => info_span!("for", %trace),
        None => Span::none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_for_a_requirement_says_so_and_any_other_says_nothing() {
        let id = RequirementId::parse("", "0190b0a0-0000-7000-8000-000000000001").unwrap();
        let mut headers = HeaderMap::new();
        say(&mut headers);
        assert!(headers.is_empty());
        within(id, async { say(&mut headers) }).await;
        assert_eq!(Trace::read(&headers), Some(Trace::of(id)));
        let said = headers.get(HEADER).unwrap().to_str().unwrap();
        assert!(said.starts_with("00-0190b0a0000070008000000000000001-"), "{said}");
        assert_eq!((said.len(), said.ends_with("-01")), (55, true), "{said}");
        let mut ids: Vec<_> = Vec::new();
        for _ in 0..64 {
            within(id, async { say(&mut headers) }).await;
            ids.push(headers.get(HEADER).unwrap().to_str().unwrap()[36..52].to_owned());
        }
        // Neither the same ones nor in an order that tells how many there were.
        assert!(!ids.is_sorted(), "{ids:?}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 64);
    }

    #[test]
    fn what_is_no_trace_is_none() {
        for said in [
            "",
            "00",
            "00-0-0-01",
            "01-0190b0a0000070008000000000000001-1-01",
            "00-00000000000000000000000000000000-0000000000000001-01",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(said).unwrap());
            assert_eq!(Trace::read(&headers), None, "{said}");
        }
    }
}
