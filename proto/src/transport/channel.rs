//! A connection as its callers use it. Comes in: calls. Goes out: calls that say which protocol is spoken here, and answers of servers
//! that speak one that is read here. Must never give a caller the answer of anybody else.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use http::{HeaderMap, HeaderValue};
use tonic::{Status, body::Body, transport};
use tower::Service;

use super::{
    handshake::Said,
    heard::{Heard, Peers, offset_ms, refused_until, time_ms, version},
};
use crate::{
    identity::Name,
    operate::trace,
    protocol::{HEADER, MAINTENANCE_HEADER, Side, Speaks, TIME_HEADER},
};

/// A connection to exactly one server.
#[derive(Clone, Debug)]
pub struct Channel {
    inner: transport::Channel,
    speaks: Speaks,
    noted: Option<(Peers, Name)>,
    /// What the server has said to the certificate that it was shown.
    said: Option<Said>,
}

impl Channel {
    pub(super) fn over(inner: transport::Channel) -> Self {
        Self { inner, speaks: Speaks::OURS, noted: None, said: None }
    }

    /// What the server says to the certificate that it was shown is heard there.
    pub(super) fn shown(self, said: Said) -> Self {
        Self { said: Some(said), ..self }
    }

    /// What is heard of the server is noted under this name; it is told what time it is here.
    #[must_use]
    pub fn noted(self, peers: &Peers, server: &Name) -> Self {
        Self { noted: Some((peers.clone(), server.clone())), ..self }
    }

    /// Other versions than this software's: what software before or after it would say.
    #[must_use]
    pub fn speaking(self, speaks: Speaks) -> Self {
        Self { speaks, ..self }
    }
}

/// Does the server not admit this side?
fn refused(said: Option<&Said>) -> Option<http::Response<Body>> {
    Some(Status::from(said?.refusal()?).into_http())
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self.inner.poll_ready(cx) {
            // The call says why.
            Poll::Ready(Err(_)) if refused(self.said.as_ref()).is_some() => Poll::Ready(Ok(())),
            ready @ (Poll::Ready(_) | Poll::Pending) => ready,
        }
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        if let Some(refused) = refused(self.said.as_ref()) {
            return Box::pin(std::future::ready(Ok(refused)));
        }
        let (speaks, noted, said) = (self.speaks, self.noted.clone(), self.said.clone());
        say(request.headers_mut(), speaks, noted.as_ref().map(|(peers, _)| peers.now_ms()));
        if let Some(own) = noted.as_ref().and_then(|(peers, _)| peers.own_maintenance()) {
            let until_s = HeaderValue::from(own.until.as_s());
            request.headers_mut().insert(MAINTENANCE_HEADER, until_s);
        }
        trace::say(request.headers_mut());
        let sent = noted.as_ref().map(|(peers, _)| (peers.now_ms(), Instant::now()));
        let answered = self.inner.call(request);
        Box::pin(async move {
            let answer = match answered.await {
                Ok(answer) => answer,
                Err(error) => return refused(said.as_ref()).ok_or(error),
            };
            let headers = answer.headers();
            // An error may come from below the services, which says nothing of them; it speaks for itself.
            if headers.contains_key(Status::GRPC_STATUS) && !headers.contains_key(HEADER) {
                return Ok(answer);
            }
            let protocol = match version(speaks, Side::Server, headers) {
                Ok(protocol) => protocol,
                Err(refused) => return Ok(Status::from(refused).into_http()),
            };
            if let (Some((peers, server)), Some((sent_ms, since))) = (noted, sent) {
                let theirs = time_ms(headers);
                let clock_offset_ms =
                    theirs.map(|theirs| offset_ms(theirs, sent_ms, since.elapsed()));
                let maintenance_until = refused_until(headers);
                peers.note(&server, Heard { protocol, clock_offset_ms, maintenance_until });
            }
            Ok(answer)
        })
    }
}

/// Says what is spoken here, and what time it is.
pub(super) fn say(headers: &mut HeaderMap, speaks: Speaks, now_ms: Option<i64>) {
    if let Some(newest) = speaks.says() {
        headers.insert(HEADER, HeaderValue::from(newest));
        if let Some(now_ms) = now_ms {
            headers.insert(TIME_HEADER, HeaderValue::from(now_ms));
        }
    }
}
