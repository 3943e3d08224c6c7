//! A reply on its way. Comes in: the body of a reply, and the place of its call. Goes out: the same bytes; the place is given back
//! when the last of them has gone, not when they have been handed to HTTP/2, which keeps them for whoever does not read.
//! Must never hold more for one identity than its places allow: of large replies it has a few.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use super::door::{Counted, Place};
use crate::{
    limits::{LARGE_REPLIES_MAX, LARGE_REPLIES_PER_IDENTITY_MAX, LARGE_REPLY_BYTES},
    reason::{Invalid, Reason},
    seal::Digest,
};

/// The body of a reply.
pub(super) struct Reply<B: Body<Data = Bytes>> {
    body: B,
    /// None: whose reply it is does not matter.
    held: Option<Held>,
    /// Made before anybody asked for it.
    first: Option<Next<B>>,
}

/// What a body gives next; nothing at its end.
type Next<B> = Option<Result<Frame<Bytes>, <B as Body>::Error>>;

/// What a reply takes of its caller's.
pub(super) struct Held {
    caller: Digest,
    call: Arc<Place<Digest>>,
    large: LargeReplies,
}

/// Large replies that wait to be taken: a few of each identity, and a bound on all.
#[derive(Clone)]
pub(super) struct LargeReplies {
    of_each: Counted<Digest>,
    all: Arc<Semaphore>,
}

/// Places of a large reply.
type Large = (Place<Digest>, OwnedSemaphorePermit);

impl LargeReplies {
    pub(super) fn new() -> Self {
        Self {
            of_each: Counted::new(LARGE_REPLIES_PER_IDENTITY_MAX),
            all: Arc::new(Semaphore::new(LARGE_REPLIES_MAX)),
        }
    }

    fn take(&self, caller: Digest) -> Option<Large> {
        Some((self.of_each.take(caller)?, Arc::clone(&self.all).try_acquire_owned().ok()?))
    }
}

/// Bytes, and what they take as long as they are there.
struct Piece {
    bytes: Bytes,
    _call: Arc<Place<Digest>>,
    _large: Option<Large>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Held {
    pub(super) fn new(caller: Digest, call: Place<Digest>, large: LargeReplies) -> Self {
        Self { caller, call: Arc::new(call), large }
    }

    fn frame(&self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(bytes) => self.bytes(bytes).map_or_else(too_many, Frame::data),
            Err(trailers) => trailers,
        }
    }

    /// The same bytes; none if its caller reads too little of what was large.
    fn bytes(&self, bytes: Bytes) -> Option<Bytes> {
        let large = if bytes.len() > LARGE_REPLY_BYTES {
            Some(self.large.take(self.caller)?)
        } else {
            None
        };
        Some(Bytes::from_owner(Piece { bytes, _call: Arc::clone(&self.call), _large: large }))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Reply<B> {
    pub(super) fn new(body: B, held: Option<Held>) -> Self {
        Self { body, held, first: None }
    }

    /// Makes what is there of it, where the call is done: messages become bytes when they are first asked for.
    pub(super) async fn begun(mut self) -> Self {
        self.first = std::future::poll_fn(|cx| match self.poll_next(cx) {
            Poll::Ready(first) => Poll::Ready(Some(first)),
            // The rest comes by and by, to whoever waits for it then.
            Poll::Pending => Poll::Ready(None),
        })
        .await;
        self
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next<B>> {
        let next = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let Some(held) = &self.held else { return Poll::Ready(next) };
        Poll::Ready(next.map(|frame| Ok(held.frame(frame?))))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Reply<B>
where
    B::Error: Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(first),
            None => self.poll_next(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// The end of a reply that is not given.
fn too_many() -> Frame<Bytes> {
    let most = LARGE_REPLIES_PER_IDENTITY_MAX;
    let detail = format!(
        "more than {most} large replies of one identity, or too many of all, wait to be read"
    );
    let status = Status::from(Invalid::new(Reason::Overloaded, "calls", detail));
    let mut trailers = http::HeaderMap::new();
    // Only text that cannot be in a header keeps a status from it; there is none here.
    let _ = status.add_header(&mut trailers);
    Frame::trailers(trailers)
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::limits::CALLS_PER_IDENTITY_MAX;

    const CALLER: Digest = Digest([7; 32]);

    fn next(reply: &mut Reply<String>) -> Frame<Bytes> {
        let next = Pin::new(reply).poll_frame(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Some(Ok(frame))) = next else { panic!("no frame") };
        frame
    }

    #[test]
    fn a_call_counts_until_the_last_byte_of_its_reply_has_gone() {
        let calls = Counted::new(1);
        let held = Held::new(CALLER, calls.take(CALLER).unwrap(), LargeReplies::new());
        let mut reply = Reply::new("a reply".to_owned(), Some(held));
        let waits = next(&mut reply).into_data().unwrap();
        drop(reply);
        assert_eq!(waits, "a reply");
        assert!(calls.take(CALLER).is_none(), "bytes wait, and the call counts no more");
        drop(waits);
        assert!(calls.take(CALLER).is_some());
    }

    #[test]
    fn large_replies_that_wait_for_one_identity_are_few_and_the_next_one_says_so() {
        let calls = Counted::new(CALLS_PER_IDENTITY_MAX);
        let large = LargeReplies::new();
        let reply = |bytes: usize| {
            let held = Held::new(CALLER, calls.take(CALLER).unwrap(), large.clone());
            next(&mut Reply::new("x".repeat(bytes), Some(held)))
        };
        let waiting: Vec<_> =
            (0..LARGE_REPLIES_PER_IDENTITY_MAX).map(|_| reply(LARGE_REPLY_BYTES + 1)).collect();
        assert!(waiting.iter().all(Frame::is_data));
        let refused = reply(LARGE_REPLY_BYTES + 1).into_trailers().unwrap();
        let status = Status::from_header_map(&refused).unwrap();
        assert_eq!(crate::status::from_status(&status).reason, Reason::Overloaded);
        assert!(reply(LARGE_REPLY_BYTES).is_data(), "what is not large is given");
        drop(waiting);
        assert!(reply(LARGE_REPLY_BYTES + 1).is_data());
    }

    #[test]
    fn large_replies_of_everybody_together_are_bounded() {
        let large = LargeReplies::new();
        let digest = |at: usize| Digest::of(&at.to_be_bytes());
        let waiting: Vec<_> =
            (0..2 * LARGE_REPLIES_MAX).filter_map(|at| large.take(digest(at))).collect();
        assert_eq!(waiting.len(), LARGE_REPLIES_MAX);
    }
}
