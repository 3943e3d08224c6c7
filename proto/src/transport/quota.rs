//! How much of a listener one caller may take, and what happens when there is too much. Comes in: every call, with its caller. Goes
//! out: the call, or at once a refusal that says when to try again. A call counts until its reply has been taken. Health is
//! always asked, and a few places are kept for operators. Must never make anybody wait in a queue: whoever is refused can go on
//! with something else.

use std::{
    hash::Hash,
    num::NonZeroU32,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use governor::{DefaultKeyedRateLimiter, Quota};
use http_body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tower::{Layer, Service};

use super::{
    Peer,
    door::Counted,
    listener::Caller,
    reply::{Held, LargeReplies, Reply},
    work::Workers,
};
use crate::{
    identity::Role,
    limits::{
        CALLS_KEPT_FOR_OPERATORS, CALLS_MAX, CALLS_PER_IDENTITY_AT_ONCE, CALLS_PER_IDENTITY_MAX,
        CALLS_PER_IDENTITY_SECOND, HEALTH_CALLS_PER_IDENTITY_AT_ONCE,
        HEALTH_CALLS_PER_IDENTITY_MAX, HEALTH_CALLS_PER_IDENTITY_SECOND, REFUSED_REQUEST_WAIT,
    },
    reason::{Invalid, Reason},
    seal::Digest,
};

/// Events after which those who have been quiet are forgotten.
const FORGET_EVERY: usize = 1_024;

/// Pieces of a refused request that are thrown away.
const PIECES_MAX: usize = 16;

/// A place among all calls, given back when a reply begins; and one of the caller's own, when the reply is gone.
type Admitted = (OwnedSemaphorePermit, Held);

/// So many a second of each, and so many at once after a rest.
pub(super) struct Rates<K: Clone + Eq + Hash> {
    of: DefaultKeyedRateLimiter<K>,
    counted: AtomicUsize,
}

impl<K: Clone + Eq + Hash> Rates<K> {
    pub(super) fn new(per_second: u32, at_once: u32) -> Self {
        let [per_second, at_once] = [per_second, at_once]
            .map(|most| NonZeroU32::MIN.saturating_add(most.saturating_sub(1)));
        let of = DefaultKeyedRateLimiter::keyed(Quota::per_second(per_second).allow_burst(at_once));
        Self { of, counted: AtomicUsize::new(0) }
    }

    /// May there be one more now?
    pub(super) fn allow(&self, key: &K) -> bool {
        if self.counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            self.of.retain_recent();
        }
        self.of.check_key(key).is_ok()
    }
}

/// What the calls of one listener share.
#[derive(Clone)]
pub(super) struct Quotas(Arc<Shared>);

struct Shared {
    of_caller: Rates<Digest>,
    /// Under way at the same time: nobody takes every place by calls that never end.
    under_way: Counted<Digest>,
    large_replies: LargeReplies,
    /// Who asks after health, apart from all others.
    health_often: Rates<Digest>,
    health: Counted<Digest>,
    places: Arc<Semaphore>,
    kept: Arc<Semaphore>,
    workers: Workers,
}

impl Quotas {
    pub(super) fn new() -> Result<Self, Invalid> {
        let workers = Workers::new()
            .map_err(|error| Invalid::new(Reason::Internal, "listener", error.to_string()))?;
        Ok(Self(Arc::new(Shared {
            of_caller: Rates::new(CALLS_PER_IDENTITY_SECOND, CALLS_PER_IDENTITY_AT_ONCE),
            under_way: Counted::new(CALLS_PER_IDENTITY_MAX),
            large_replies: LargeReplies::new(),
            health_often: Rates::new(
                HEALTH_CALLS_PER_IDENTITY_SECOND,
                HEALTH_CALLS_PER_IDENTITY_AT_ONCE,
            ),
            health: Counted::new(HEALTH_CALLS_PER_IDENTITY_MAX),
            places: Arc::new(Semaphore::new(CALLS_MAX - CALLS_KEPT_FOR_OPERATORS)),
            kept: Arc::new(Semaphore::new(CALLS_KEPT_FOR_OPERATORS)),
            workers,
        })))
    }

    /// A place for a call of somebody, or why there is none.
    fn admit(&self, caller: Option<&Caller>) -> Result<Admitted, Invalid> {
        let (shared, (peer, key)) = (&self.0, whose(caller));
        // A coordinator asks for a whole region; its connections and the places bound it.
        let bounded = peer.is_none_or(|peer| peer.identity.role != Role::Coordinator);
        if bounded && !shared.of_caller.allow(&key) {
            let most = CALLS_PER_IDENTITY_SECOND;
            return Err(busy(&format!("more than {most} calls a second of one identity")));
        }
        let of_caller = shared.under_way.take(key).ok_or_else(|| {
            busy(&format!("more than {CALLS_PER_IDENTITY_MAX} calls of one identity are under way"))
        })?;
        let operates = peer.is_some_and(|peer| peer.identity.role == Role::Operator);
        let place = Arc::clone(&shared.places).try_acquire_owned();
        let place = match place {
            Err(_) if operates => Arc::clone(&shared.kept).try_acquire_owned(),
            place => place,
        };
        let place =
            place.map_err(|_| busy(&format!("more than {CALLS_MAX} calls are under way")))?;
        Ok((place, Held::new(key, of_caller, shared.large_replies.clone())))
    }

    /// The same for a question after health, which takes no place of a call.
    fn admit_health(&self, caller: Option<&Caller>) -> Result<Held, Invalid> {
        let (shared, (_, key)) = (&self.0, whose(caller));
        if !shared.health_often.allow(&key) {
            let most = HEALTH_CALLS_PER_IDENTITY_SECOND;
            return Err(busy(&format!("more than {most} questions after health a second")));
        }
        let place = shared.health.take(key).ok_or_else(|| {
            let most = HEALTH_CALLS_PER_IDENTITY_MAX;
            busy(&format!("more than {most} questions after health at the same time"))
        })?;
        Ok(Held::new(key, place, shared.large_replies.clone()))
    }
}

/// Whose call it is. Who shows no identity shares one quota with everybody who does not.
fn whose(caller: Option<&Caller>) -> (Option<&Peer>, Digest) {
    let peer = caller.and_then(|caller| caller.0.as_ref().ok());
    let key = peer.map_or(String::new(), |peer| peer.identity.to_string());
    (peer, Digest::of(key.as_bytes()))
}

fn busy(detail: &str) -> Invalid {
    Invalid::new(Reason::Overloaded, "calls", detail)
}

impl<S> Layer<S> for Quotas {
    type Service = Admitting<S>;

    fn layer(&self, inner: S) -> Admitting<S> {
        Admitting { quotas: self.clone(), inner }
    }
}

/// A service behind quotas.
#[derive(Clone)]
pub(super) struct Admitting<S> {
    quotas: Quotas,
    inner: S,
}

impl<S, B, R> Service<http::Request<B>> for Admitting<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Body + Send + Unpin + 'static,
    R: Body<Data = Bytes, Error: Send + Unpin> + Default + Send + Unpin + 'static,
{
    type Response = http::Response<Reply<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let caller = request.extensions().get::<Caller>();
        let admitted = if request.uri().path().starts_with("/grpc.health.") {
            match self.quotas.admit_health(caller) {
                // Here and now, whatever else there is to do.
                Ok(held) => {
                    let answered = self.inner.call(request);
                    return Box::pin(async move {
                        Ok(answered.await?.map(|body| Reply::new(body, Some(held))))
                    });
                }
                Err(error) => Err(error),
            }
        } else {
            self.quotas.admit(caller)
        };
        match admitted {
            Ok((place, held)) => {
                let answered = self.inner.call(request);
                // Places are given back when the work has ended, also if nobody waits for it any more.
                let work = async move {
                    let answered = answered.await?;
                    drop(place);
                    let (head, body) = answered.into_parts();
                    let reply = Reply::new(body, Some(held)).begun().await;
                    Ok(http::Response::from_parts(head, reply))
                };
                let quotas = self.quotas.clone();
                Box::pin(async move {
                    quotas.0.workers.done(work).await.unwrap_or_else(|_| Ok(failed()))
                })
            }
            Err(error) => {
                let refused = Status::from(error).into_http::<R>();
                Box::pin(async move {
                    // To reset what has almost ended would count among the streams that the caller may have open.
                    let ended = ended(request.into_body());
                    let _ = tokio::time::timeout(REFUSED_REQUEST_WAIT, ended).await;
                    Ok(refused.map(|body| Reply::new(body, None)))
                })
            }
        }
    }
}

/// Resolves when a request has been said to its end, or goes on too long to be worth it; throws it away.
async fn ended(mut request: impl Body + Unpin) {
    let mut more = |cx: &mut Context<'_>| {
        let next = Pin::new(&mut request).poll_frame(cx);
        next.map(|frame| frame.is_some_and(|frame| frame.is_ok()))
    };
    for _ in 0..PIECES_MAX {
        if !std::future::poll_fn(&mut more).await {
            return;
        }
    }
}

/// Of a call that has fallen: its own error is in the log.
fn failed<R: Body<Data = Bytes> + Default + Unpin>() -> http::Response<Reply<R>> {
    let failed = Invalid::new(Reason::Internal, "call", "has failed");
    Status::from(failed).into_http::<R>().map(|body| Reply::new(body, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    fn caller(role: &str, name: &str) -> Caller {
        let identity = format!("spiffe://wb6.example/AL/staff/{name}/{role}");
        let identity = Identity::parse(&identity).unwrap();
        Caller(Ok(Peer { identity, spki: Digest::of(name.as_bytes()) }))
    }

    #[test]
    fn whoever_floods_is_refused_at_once_and_nobody_else_is() {
        let quotas = Quotas::new().unwrap();
        let (flood, other) = (caller("analyst", "flood"), caller("analyst", "other"));
        // Each is over before the next one begins.
        let refused = (0..2 * CALLS_PER_IDENTITY_AT_ONCE)
            .filter(|_| quotas.admit(Some(&flood)).is_err())
            .count();
        assert!(refused > 0);
        let error = quotas.admit(Some(&flood)).map(drop).unwrap_err();
        assert_eq!(error.reason, Reason::Overloaded);
        assert!(quotas.admit(Some(&other)).is_ok());
    }

    #[test]
    fn an_address_that_comes_too_often_is_turned_away_and_no_other_is() {
        let often = Rates::new(1, 3);
        assert!((0..3).all(|_| often.allow(&"flood")));
        assert!(!often.allow(&"flood"));
        assert!(often.allow(&"other"));
    }

    #[test]
    fn one_identity_does_not_take_every_place_by_calls_that_never_end() {
        let quotas = Quotas::new().unwrap();
        let slow = caller("analyst", "slow");
        let held: Vec<_> = (0..CALLS_MAX).map_while(|_| quotas.admit(Some(&slow)).ok()).collect();
        assert_eq!(held.len(), CALLS_PER_IDENTITY_MAX);
        assert!(quotas.admit(Some(&caller("analyst", "other"))).is_ok());
        drop(held);
        assert!(quotas.admit(Some(&slow)).is_ok());
    }

    #[test]
    fn whoever_asks_after_health_without_end_is_refused_and_nobody_else_is() {
        let quotas = Quotas::new().unwrap();
        let (watcher, other) = (caller("operator", "watcher"), caller("operator", "other"));
        let watches: Vec<_> =
            (0..CALLS_MAX).map_while(|_| quotas.admit_health(Some(&watcher)).ok()).collect();
        assert_eq!(watches.len(), HEALTH_CALLS_PER_IDENTITY_MAX);
        assert!(quotas.admit_health(Some(&other)).is_ok());
        assert!(quotas.admit(Some(&watcher)).is_ok(), "calls have places of their own");
        drop(watches);
        let asked = 2 * HEALTH_CALLS_PER_IDENTITY_AT_ONCE;
        let refused = (0..asked).filter(|_| quotas.admit_health(Some(&watcher)).is_err()).count();
        assert!(refused > 0);
    }

    #[test]
    fn when_every_place_is_taken_an_operator_still_has_one() {
        let quotas = Quotas::new().unwrap();
        let places: Vec<_> = (0..CALLS_MAX)
            .map_while(|at| quotas.admit(Some(&caller("analyst", &format!("a{at}")))).ok())
            .collect();
        assert_eq!(places.len(), CALLS_MAX - CALLS_KEPT_FOR_OPERATORS);
        assert!(quotas.admit(Some(&caller("auditor", "b"))).is_err());
        let kept = quotas.admit(Some(&caller("operator", "c"))).unwrap();
        drop((places, kept));
        assert!(quotas.admit(Some(&caller("auditor", "b"))).is_ok(), "places are given back");
    }
}
