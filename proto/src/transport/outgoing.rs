//! A stream that goes out as fast as its reader takes it, and no slower than a bound. Comes in: pieces. Goes
//! out: the same, and an error if they were not all. Must never end like a whole list when it was cut.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{runtime::Handle, sync::mpsc, time::timeout};
use tonic::Status;

use crate::{
    limits::STREAM_SILENCE_MAX,
    reason::{Invalid, Reason},
};

/// A piece; none: that was all.
type Piece<T> = Option<Result<T, Status>>;

/// Where pieces are put in.
pub struct Giver<T> {
    pieces: mpsc::Sender<Piece<T>>,
    silence_max: Duration,
}

/// Where they come out.
pub struct Outgoing<T> {
    pieces: mpsc::Receiver<Piece<T>>,
    ended: bool,
}

/// Nobody takes it any more.
#[derive(Debug)]
pub struct Gone;

/// A stream in which so many pieces wait for a slow reader.
pub fn stream<T>(waiting_max: usize) -> (Giver<T>, Outgoing<T>) {
    stream_with(waiting_max, STREAM_SILENCE_MAX)
}

fn stream_with<T>(waiting_max: usize, silence_max: Duration) -> (Giver<T>, Outgoing<T>) {
    let (giver, pieces) = mpsc::channel(waiting_max);
    (Giver { pieces: giver, silence_max }, Outgoing { pieces, ended: false })
}

/// A stream of what `write` hands over, one piece after the other, on a thread that may block.
pub fn written<T: Send + 'static>(
    waiting_max: usize,
    piece: fn(Vec<u8>) -> T,
    write: impl FnOnce(&mut dyn FnMut(Vec<u8>) -> Result<(), Invalid>) -> Result<(), Status>
    + Send
    + 'static,
) -> Outgoing<T> {
    let (giver, outgoing) = stream(waiting_max);
    tokio::task::spawn_blocking(move || {
        let mut give = |bytes| {
            Handle::current().block_on(giver.give(Ok(piece(bytes)))).map_err(|Gone| {
                Invalid::new(Reason::NoConnection, "stream", "nobody takes it any more")
            })
        };
        let written = write(&mut give);
        Handle::current().block_on(async {
            // Whoever has stopped listening needs no reason.
            match written {
                Ok(()) => drop(giver.end().await),
                Err(error) => drop(giver.give(Err(error)).await),
            }
        });
    });
    outgoing
}

impl<T> Giver<T> {
    /// The next piece. A reader who takes nothing for too long has gone.
    pub async fn give(&self, piece: Result<T, Status>) -> Result<(), Gone> {
        self.put(Some(piece)).await
    }

    /// That was all.
    pub async fn end(self) -> Result<(), Gone> {
        self.put(None).await
    }

    async fn put(&self, piece: Piece<T>) -> Result<(), Gone> {
        match timeout(self.silence_max, self.pieces.send(piece)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

impl<T> tokio_stream::Stream for Outgoing<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(context).map(|piece| {
            // An error, the end, or the end of whoever gave: nothing follows.
            self.ended = !matches!(piece, Some(Some(Ok(_))));
            piece.unwrap_or_else(|| {
                let detail = "was cut because nobody took it; ask again";
                Some(Err(Invalid::new(Reason::NoConnection, "stream", detail).into()))
            })
        })
    }
}

impl<T> std::fmt::Debug for Giver<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Giver")
    }
}

impl<T> std::fmt::Debug for Outgoing<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing(ended: {})", self.ended)
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_reader_who_takes_nothing_loses_the_stream_and_is_told() {
        let (giver, outgoing) = stream_with(1, Duration::from_millis(10));
        giver.give(Ok(1)).await.unwrap();
        giver.give(Ok(2)).await.unwrap_err();
        drop(giver);
        let read: Vec<_> = outgoing.collect().await;
        assert!(matches!(read.as_slice(), [Ok(1), Err(_)]), "cut, and not like a whole list");

        let (giver, outgoing) = stream_with(2, Duration::from_millis(10));
        giver.give(Ok(1)).await.unwrap();
        giver.end().await.unwrap();
        let read: Vec<_> = outgoing.collect().await;
        assert!(matches!(read.as_slice(), [Ok(1)]));
    }
}
