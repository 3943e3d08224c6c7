//! A file on the wire: a stream of pieces. Comes in: what the coordinator sends. Goes out: the file, whole and as it was announced.
//! Must never take more than was announced, and never for longer than a call may last.

use accord_proto::{
    limits::{CALL_TIMEOUT, DELIVERY_PIECE_BYTES_MAX, DELIVERY_SILENCE_MAX},
    reason::{Invalid, Reason},
    seal::Digest,
    status::from_status,
};
use tokio::time::{Instant, timeout_at};
use tonic::Streaming;

/// A message of a delivery.
pub(super) enum Part<H> {
    /// First and once.
    Head(H),
    /// The next piece of the file.
    Piece(Vec<u8>),
}

/// What a head says of the file that follows.
pub(super) trait Announces {
    /// Field of the head that has the SHA-256.
    const DIGEST: &'static str;

    /// Its length and its SHA-256.
    fn file(&self) -> (usize, Digest);
}

/// Takes in a streamed file; `read` makes a part of a message.
pub(super) async fn receive<M, H: Announces>(
    stream: Streaming<M>,
    read: impl Fn(M) -> Result<Part<H>, Invalid>,
) -> Result<(H, Vec<u8>), Invalid> {
    let mut messages = Messages { stream, until: Instant::now() + CALL_TIMEOUT };
    let Some(Part::Head(head)) = messages.next().await?.map(&read).transpose()? else {
        let detail = "send the head first and once, then the file in pieces";
        return Err(Invalid::new(Reason::FieldMissing, "head", detail));
    };
    let announced = head.file();
    let mut file = Vec::new();
    while let Some(message) = messages.next().await? {
        let Part::Piece(piece) = read(message)? else {
            return Err(Invalid::new(Reason::FieldInvalid, "head", "comes a second time"));
        };
        take(&mut file, &piece, announced)?;
    }
    check_whole(&file, announced, H::DIGEST)?;
    Ok((head, file))
}

/// A message without either.
pub(super) fn neither() -> Invalid {
    Invalid::new(Reason::FieldMissing, "part", "is neither head nor piece")
}

fn take(file: &mut Vec<u8>, piece: &[u8], (bytes, _): (usize, Digest)) -> Result<(), Invalid> {
    if piece.len() > DELIVERY_PIECE_BYTES_MAX {
        let detail = format!("{} where {DELIVERY_PIECE_BYTES_MAX} is the most", piece.len());
        return Err(Invalid::new(Reason::LimitExceeded, "piece", detail));
    }
    if file.len() + piece.len() > bytes {
        let detail = format!("more than the {bytes} bytes that were announced");
        return Err(Invalid::new(Reason::LimitExceeded, "piece", detail));
    }
    file.extend_from_slice(piece);
    Ok(())
}

/// A call that is broken off ends its stream like one that is done.
fn check_whole(
    file: &[u8],
    (bytes, digest): (usize, Digest),
    field: &'static str,
) -> Result<(), Invalid> {
    if file.len() != bytes {
        let detail = format!("was cut: {} of {bytes} bytes came", file.len());
        return Err(Invalid::new(Reason::FieldInvalid, "file", detail));
    }
    if Digest::of(file) != digest {
        let detail = "is not of the bytes that came";
        return Err(Invalid::new(Reason::FieldInvalid, field, detail));
    }
    Ok(())
}

/// What comes, with a bound on each silence and on the whole.
struct Messages<M> {
    stream: Streaming<M>,
    until: Instant,
}

impl<M> Messages<M> {
    async fn next(&mut self) -> Result<Option<M>, Invalid> {
        let until = self.until.min(Instant::now() + DELIVERY_SILENCE_MAX);
        match timeout_at(until, self.stream.message()).await {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(status)) => Err(from_status(&status)),
            Err(_) => {
                let detail = "the sender fell silent, or took too long";
                Err(Invalid::new(Reason::DeadlineExceeded, "file", detail))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(announced: &[u8], pieces: &[&[u8]]) -> Result<Vec<u8>, Reason> {
        let announced = (announced.len(), Digest::of(announced));
        let mut file = Vec::new();
        let taken = pieces.iter().try_for_each(|piece| take(&mut file, piece, announced));
        taken.and_then(|()| check_whole(&file, announced, "head")).map_err(|error| error.reason)?;
        Ok(file)
    }

    #[test]
    fn a_file_is_taken_only_whole_and_as_it_was_announced() {
        assert_eq!(file(b"abc", &[b"ab", b"", b"c"]).unwrap(), b"abc");
        assert_eq!(file(b"abc", &[b"ab"]), Err(Reason::FieldInvalid), "cut");
        assert_eq!(file(b"abc", &[b"ab", b"d"]), Err(Reason::FieldInvalid), "another");
        assert_eq!(file(b"abc", &[b"ab", b"cd"]), Err(Reason::LimitExceeded), "too much");
        let large = vec![0; DELIVERY_PIECE_BYTES_MAX + 1];
        assert_eq!(file(&large, &[&large]), Err(Reason::LimitExceeded), "too large a piece");
    }
}
