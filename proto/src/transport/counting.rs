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

/// As gRPC writes it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
