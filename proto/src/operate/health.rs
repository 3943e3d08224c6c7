//! How a service is doing, for whoever operates it. Comes in: HTTP in the clear, on a port of its own that stays inside. Goes out:
//! `/live` (it answers), `/ready` (what a service needs, checked now), `/metrics`. Must never show content, nor let many who ask
//! take anything away from those who call.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Mutex, Semaphore},
    task::JoinSet,
};
use tracing::debug;

use super::measures::{self, Reading};
use crate::{
    busy,
    clock::Timestamp,
    limits::{OPS_CONNECTIONS_MAX, OPS_HEAD_TIMEOUT, OPS_LOOK_EVERY, OPS_REQUEST_TIMEOUT},
    reason::{Invalid, Reason},
};

/// What `/metrics` is.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that is looked at.
pub const CHECKS: [&str; 8] =
    ["store", "journal", "disk", "keys", "authorities", "clock", "peers", "renewal"];

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// One of [`CHECKS`].
    pub name: &'static str,
    /// Why it is not well; none: it is. Codes and names of members, no content.
    pub cause: Option<String>,
    /// Without it the service is not ready. A node is ready also when its peers are gone.
    pub needed: bool,
}

impl Check {
    /// Something that the service needs.
    pub fn needed(name: &'static str, looked: Result<(), String>) -> Self {
        Self { name, cause: looked.err(), needed: true }
    }

    /// Something that is worth knowing.
    pub fn told(name: &'static str, looked: Result<(), String>) -> Self {
        Self { name, cause: looked.err(), needed: false }
    }
}

/// Who is looked at.
pub trait Vital: Send + Sync + 'static {
    /// Looks at everything now.
    fn checks(&self) -> impl Future<Output = Vec<Check>> + Send;

    /// Until when others are refused because of maintenance; nothing: they are served.
    fn maintenance(&self) -> Option<Timestamp>;

    /// What can be measured now, besides the checks.
    fn readings(&self) -> Vec<Reading>;
}

/// Answers at an address until what it gives is dropped; nowhere, if there is none.
pub async fn watch(at: Option<SocketAddr>, vital: impl Vital) -> Result<JoinSet<()>, Invalid> {
    let mut watching = JoinSet::new();
    if let Some(at) = at {
        let listener = TcpListener::bind(at).await.map_err(|error| {
            let detail = format!("cannot listen: {error}");
            Invalid::new(Reason::NoConnection, format!("ops.listen {at}"), detail)
        })?;
        watching.spawn(serve(listener, vital));
    }
    Ok(watching)
}

/// Whoever is looked at, and what was seen last: many who ask make no more work than one.
struct Looked<V> {
    vital: V,
    last: Mutex<Option<(Instant, Seen)>>,
}

/// Checks, readings, until when there is maintenance.
type Seen = Arc<(Vec<Check>, Vec<Reading>, Option<Timestamp>)>;

impl<V: Vital> Looked<V> {
    async fn look(&self) -> Seen {
        let mut last = self.last.lock().await;
        if let Some((at, seen)) = &*last
            && at.elapsed() < OPS_LOOK_EVERY
        {
            return Arc::clone(seen);
        }
        let checks = self.vital.checks().await;
        // It reads files and the store.
        let readings = busy::here(|| self.vital.readings());
        let seen = Arc::new((checks, readings, self.vital.maintenance()));
        *last = Some((Instant::now(), Arc::clone(&seen)));
        seen
    }
}

/// Answers until it is dropped.
pub async fn serve(listener: TcpListener, vital: impl Vital) {
    let vital = Arc::new(Looked { vital, last: Mutex::new(None) });
    let places = Arc::new(Semaphore::new(OPS_CONNECTIONS_MAX));
    loop {
        // Whoever comes while all places are taken waits in the system's own queue.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let vital = Arc::clone(&vital);
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(Arc::clone(&vital), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(OPS_HEAD_TIMEOUT)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            let served = tokio::time::timeout(OPS_REQUEST_TIMEOUT, connection).await;
            if let Ok(Err(error)) = served {
                debug!(%error, "a question after health came to nothing");
            }
            drop(place);
        });
    }
}

async fn answer(
    vital: Arc<Looked<impl Vital>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let get = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, kind, text) = match (get, request.uri().path()) {
        (true, "/live") => (StatusCode::OK, "text/plain", "live\n".to_owned()),
        (true, "/ready") => {
            let seen = vital.look().await;
            let ready = is_ready(&seen.0);
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, "application/json", document((ready, seen.2), &seen.0))
        }
        (true, "/metrics") => {
            let seen = vital.look().await;
            let (checks, mut readings) = (&seen.0, seen.1.clone());
            let well = |check: &Check| if check.cause.is_none() { 1.0 } else { 0.0 };
            let checks = checks
                .iter()
                .map(|check| Reading::with("accord_ready", "check", check.name, well(check)));
            readings.extend(checks);
            let maintenance = f64::from(u8::from(seen.2.is_some()));
            readings.push(Reading::of("accord_maintenance", maintenance));
            (StatusCode::OK, OPENMETRICS, measures::text(readings))
        }
        (false, _) => {
            (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET and HEAD\n".to_owned())
        }
        (true, _) => {
            (StatusCode::NOT_FOUND, "text/plain", "/live, /ready or /metrics\n".to_owned())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    Ok(response)
}

/// Is everything well that the service needs?
pub fn is_ready(checks: &[Check]) -> bool {
    checks.iter().all(|check| !check.needed || check.cause.is_none())
}

/// Whoever is in maintenance is not unready: at home everything goes on.
fn document((ready, until): (bool, Option<Timestamp>), checks: &[Check]) -> String {
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            json!({
                "check": check.name, "ok": check.cause.is_none(), "needed": check.needed,
                "cause": check.cause.as_deref().unwrap_or_default(),
            })
        })
        .collect();
    let mut document = json!({"ready": ready, "state": "serving"});
    if let Some(until) = until {
        document["state"] = "maintenance".into();
        document["until"] = until.to_string().into();
    }
    document["checks"] = checks.into();
    format!("{document}\n")
}
