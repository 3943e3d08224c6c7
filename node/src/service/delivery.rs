//! A picture on the wire: a stream of pieces. Comes in: what the coordinator sends. Goes out: the file, whole and as it was
//! announced. Must never take more than was announced, and never for longer than a call may last.

use accord_proto::{
    delivery::Head,
    limits::{CALL_TIMEOUT, DELIVERY_PIECE_BYTES_MAX, DELIVERY_SILENCE_MAX},
    reason::{Invalid, Reason},
    seal::Digest,
    status::from_status,
    wire::{DeliverPictureRequest, deliver_picture_request::Part},
};
use tokio::time::{Instant, timeout_at};
use tonic::Streaming;

/// Takes in a streamed file.
pub(super) async fn receive(
    stream: Streaming<DeliverPictureRequest>,
) -> Result<(Head, Vec<u8>), Invalid> {
    let mut parts = Parts { stream, until: Instant::now() + CALL_TIMEOUT };
    let Some(Part::Head(head)) = parts.next().await? else {
        let detail = "send the head first and once, then the file in pieces";
        return Err(Invalid::new(Reason::FieldMissing, "head", detail));
    };
    let head = Head::from_wire(head)?;
    let mut file = Vec::new();
    while let Some(part) = parts.next().await? {
        let Part::Piece(piece) = part else {
            return Err(Invalid::new(Reason::FieldInvalid, "head", "comes a second time"));
        };
        take(&mut file, &piece, &head)?;
    }
    check_whole(&file, &head)?;
    Ok((head, file))
}

fn take(file: &mut Vec<u8>, piece: &[u8], head: &Head) -> Result<(), Invalid> {
    if piece.len() > DELIVERY_PIECE_BYTES_MAX {
        let detail = format!("{} where {DELIVERY_PIECE_BYTES_MAX} is the most", piece.len());
        return Err(Invalid::new(Reason::LimitExceeded, "piece", detail));
    }
    if file.len() + piece.len() > head.bytes {
        let detail = format!("more than the {} bytes that were announced", head.bytes);
        return Err(Invalid::new(Reason::LimitExceeded, "piece", detail));
    }
    file.extend_from_slice(piece);
    Ok(())
}

/// A call that is broken off ends its stream like one that is done.
fn check_whole(file: &[u8], head: &Head) -> Result<(), Invalid> {
    if file.len() != head.bytes {
        let detail = format!("was cut: {} of {} bytes came", file.len(), head.bytes);
        return Err(Invalid::new(Reason::FieldInvalid, "file", detail));
    }
    if Digest::of(file) != head.evidence {
        let detail = "is not of the bytes that came";
        return Err(Invalid::new(Reason::FieldInvalid, "head.evidence_sha256", detail));
    }
    Ok(())
}

/// What comes, with a bound on each silence and on the whole.
struct Parts {
    stream: Streaming<DeliverPictureRequest>,
    until: Instant,
}

impl Parts {
    async fn next(&mut self) -> Result<Option<Part>, Invalid> {
        let until = self.until.min(Instant::now() + DELIVERY_SILENCE_MAX);
        match timeout_at(until, self.stream.message()).await {
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(DeliverPictureRequest { part: Some(part) }))) => Ok(Some(part)),
            Ok(Ok(Some(DeliverPictureRequest { part: None }))) => {
                Err(Invalid::new(Reason::FieldMissing, "part", "is neither head nor piece"))
            }
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
    use accord_proto::{clock::Timestamp, id::RequirementId};

    use super::*;

    fn file(announced: &[u8], pieces: &[&[u8]]) -> Result<Vec<u8>, Reason> {
        let id = "01a20b74-b718-7a08-a333-9c5c982785a0";
        let head = Head {
            requirement: RequirementId::parse("", id).unwrap(),
            version: 1,
            drawn_at: Timestamp::EARLIEST,
            bytes: announced.len(),
            evidence: Digest::of(announced),
        };
        let mut file = Vec::new();
        let taken = pieces.iter().try_for_each(|piece| take(&mut file, piece, &head));
        taken.and_then(|()| check_whole(&file, &head)).map_err(|error| error.reason)?;
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
