//! Counts of what a port has answered. Comes in: every call, and its reply. Goes out: the reply as it is, and one more in the tally.
//! Must never count by who has called, nor by what was asked.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tonic::{Code, Status};
use tower::{Layer, Service};

use crate::{operate::measures::Tally, reason::Reason, status::from_status};

/// Counts under the name of a port.
#[derive(Clone)]
pub(super) struct Counting {
    pub(super) port: &'static str,
    pub(super) tally: Tally,
}

impl<S> Layer<S> for Counting {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { counting: self.clone(), inner }
    }
}

/// A service behind it.
#[derive(Clone)]
pub(super) struct Counted<S> {
    counting: Counting,
    inner: S,
}

impl<S, B, R> Service<http::Request<B>> for Counted<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let Counting { port, tally } = self.counting.clone();
        let answering = self.inner.call(request);
        Box::pin(async move {
            let answer = answering.await?;
            // Where a reply begins with messages, how it ends is not known yet: it counts as it began.
            let (code, reason) = match Status::from_header_map(answer.headers()) {
                Some(status) if status.code() != Code::Ok => {
                    (name(status.code()), Some(from_status(&status).reason))
                }
                _ => (name(Code::Ok), None),
            };
            tally.count(port, code, reason.map(Reason::code));
            Ok(answer)
        })
    }
}

/// As gRPC writes them, in the order of their numbers.
pub(crate) const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

fn name(code: Code) -> &'static str {
    usize::try_from(i32::from(code)).ok().and_then(|at| CODES.get(at)).unwrap_or(&"UNKNOWN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_where_their_numbers_say() {
        for (at, written) in CODES.into_iter().enumerate() {
            let code = Code::from_i32(i32::try_from(at).unwrap());
            assert_eq!(name(code), written);
            let plain = written.replace('_', "").to_lowercase();
            assert_eq!(format!("{code:?}").to_lowercase(), plain);
        }
    }
}
