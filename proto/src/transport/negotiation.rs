//! Which protocol a caller speaks. Comes in: every call of a listener. Goes out: the call with what its caller said of itself, and the
//! answer with what is spoken here; or a refusal that names both. Must never tell a caller of an older protocol anything that
//! came after it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll},
};

use tonic::Status;
use tower::{Layer, Service};
use tracing::{Instrument as _, warn};

use super::{
    channel::say,
    heard::{Heard, maintenance_until, time_ms, version},
    listener::Caller,
};
use crate::{
    clock::Clock,
    limits::REFUSALS_LOGGED_EVERY,
    operate::trace,
    protocol::{Side, Speaks, V2},
};

/// What a listener says and reads.
#[derive(Clone)]
pub(super) struct Negotiation {
    speaks: Speaks,
    clock: Arc<dyn Clock>,
    /// When a refusal stood in the log last.
    logged_ms: Arc<AtomicI64>,
}

impl Negotiation {
    pub(super) fn new(speaks: Speaks, clock: Arc<dyn Clock>) -> Self {
        Self { speaks, clock, logged_ms: Arc::default() }
    }

    /// Not every refusal stands in the log: whoever is refused again and again must not fill a disk.
    fn is_logged(&self) -> bool {
        let now = self.clock.now_ms();
        let every = u64::try_from(REFUSALS_LOGGED_EVERY.as_millis()).unwrap_or(u64::MAX);
        let logged = self.logged_ms.load(Ordering::Relaxed);
        let due = now.abs_diff(logged) >= every;
        due && self.logged_ms.swap(now, Ordering::Relaxed) == logged
    }
}

impl<S> Layer<S> for Negotiation {
    type Service = Negotiating<S>;

    fn layer(&self, inner: S) -> Negotiating<S> {
        Negotiating { negotiation: self.clone(), inner }
    }
}

/// A service behind it.
#[derive(Clone)]
pub(super) struct Negotiating<S> {
    negotiation: Negotiation,
    inner: S,
}

impl<S, B, R> Service<http::Request<B>> for Negotiating<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        // Health and reflection are everybody's, and have versions of their own.
        if request.uri().path().starts_with("/grpc.") {
            return Box::pin(self.inner.call(request));
        }
        let Negotiation { speaks, clock, .. } = self.negotiation.clone();
        let protocol = match version(speaks, Side::Caller, request.headers()) {
            Ok(protocol) => protocol,
            Err(error) => {
                let caller = request.extensions().get::<Caller>();
                let peer = caller.and_then(|caller| caller.0.as_ref().ok());
                let peer = peer.map(|peer| peer.identity.in_log());
                if self.negotiation.is_logged() {
                    warn!(peer, %error, "refused");
                }
                let mut refused = Status::from(error).into_http();
                say(refused.headers_mut(), speaks, None);
                return Box::pin(std::future::ready(Ok(refused)));
            }
        };
        let ahead = |theirs: i64| theirs.saturating_sub(clock.now_ms());
        let clock_offset_ms = time_ms(request.headers()).map(ahead);
        let maintenance_until = maintenance_until(request.headers());
        request.extensions_mut().insert(Heard { protocol, clock_offset_ms, maintenance_until });
        let span = trace::span(request.headers(), request.extensions().get());
        let answering = span.in_scope(|| self.inner.call(request)).instrument(span.clone());
        Box::pin(async move {
            let mut answer = answering.await?;
            // Whoever is refused is not told what time it is here.
            let refused = answer.headers().contains_key(Status::GRPC_STATUS);
            let now_ms = (protocol >= V2 && !refused).then(|| clock.now_ms());
            say(answer.headers_mut(), speaks, now_ms);
            Ok(answer)
        })
    }
}

/// What the caller said of itself; past our own listener nobody has said anything.
pub fn heard<T>(request: &tonic::Request<T>) -> Heard {
    request.extensions().get().copied().unwrap_or_default()
}
