//! Imports on the wire. Comes in: a stream of chunks. Goes out: how it ended. The file is never held whole:
//! chunks go through a short queue to the parser, and a slow parser slows the sender down.

use std::io::{self, Read};

use accord_proto::{
    limits::{
        IMPORT_CHUNKS_WAITING_MAX, IMPORT_NAME_BYTES_MAX, IMPORT_SILENCE_MAX, LONG_CALL_TIMEOUT,
        PAGE_SIZE_MAX, QUARANTINE_REPORTED_MAX, REPLY_BYTES_MAX,
    },
    reason::{Invalid, Reason},
    seal::Hasher,
    transport::Peer,
    wire::desk::{self as wire, import_request::Part},
};
use prost::Message as _;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tonic::{Status, Streaming};
use tracing::info;

use super::refused;
use crate::{
    answer::Node,
    desk::imports::{self, Imported, Wanted},
    store::{ImportSummary, QuarantinedRow},
};

/// Takes in a streamed file.
pub(super) async fn receive(
    node: &Node,
    peer: &Peer,
    stream: Streaming<wire::ImportRequest>,
) -> Result<Imported, Status> {
    let mut parts = Parts { stream, until: Instant::now() + LONG_CALL_TIMEOUT };
    let wanted = header(parts.next().await)?;
    let (pieces, arriving) = mpsc::channel(IMPORT_CHUNKS_WAITING_MAX);
    // Ends with the stream, or when the parser has gone and nobody takes the next piece.
    tokio::spawn(forward(parts, pieces));
    let file = Chunks::new(arriving);
    let imported = imports::import(node, peer, &wanted, file).await.map_err(refused)?;
    let ImportSummary { rows_accepted, rows_quarantined, .. } = &imported.summary;
    info!(accepted = rows_accepted, quarantined = rows_quarantined, wanted.dry_run, "imported");
    Ok(imported)
}

fn header(first: Result<Option<Part>, String>) -> Result<Wanted, Invalid> {
    let first = first.map_err(|problem| Invalid::new(Reason::ImportUnreadable, "file", problem))?;
    let Some(Part::Header(header)) = first else {
        let detail = "send the header first and once, then chunks, then the end";
        return Err(Invalid::new(Reason::FieldMissing, "header", detail));
    };
    let wire::ImportHeader { file_name, mapping, dry_run, retention_until_s } = header;
    if file_name.len() > IMPORT_NAME_BYTES_MAX {
        let detail = format!("longer than {IMPORT_NAME_BYTES_MAX} bytes");
        return Err(Invalid::new(Reason::LimitExceeded, "file_name", detail));
    }
    Ok(Wanted { file_name, mapping, dry_run, retention_until_s })
}

/// What a client sends, with a bound on how long it may be silent, and on the whole.
struct Parts {
    stream: Streaming<wire::ImportRequest>,
    until: Instant,
}

impl Parts {
    /// The next part; none at the end of the stream, which may be where it was cut.
    async fn next(&mut self) -> Result<Option<Part>, String> {
        let until = self.until.min(Instant::now() + IMPORT_SILENCE_MAX);
        match timeout_at(until, self.stream.message()).await {
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(wire::ImportRequest { part: Some(part) }))) => Ok(Some(part)),
            Ok(Ok(Some(wire::ImportRequest { part: None }))) => {
                Err("it could not be read to its end where it was sent from".to_owned())
            }
            Ok(Err(status)) => Err(format!("the sender stopped: {}", status.message())),
            Err(_) => Err("the sender fell silent, or took too long; send it again".to_owned()),
        }
    }
}

/// A piece of the file.
enum Piece {
    Bytes(Vec<u8>),
    /// The sender says that this was all of it.
    End(wire::ImportEnd),
}

async fn forward(mut parts: Parts, pieces: mpsc::Sender<Result<Piece, String>>) {
    loop {
        let piece = piece(&mut parts).await;
        let last = !matches!(piece, Ok(Piece::Bytes(_)));
        if pieces.send(piece).await.is_err() || last {
            return;
        }
    }
}

async fn piece(parts: &mut Parts) -> Result<Piece, String> {
    match parts.next().await? {
        Some(Part::Chunk(chunk)) => Ok(Piece::Bytes(chunk)),
        // A call that is broken off ends its stream like one that is done.
        None => Err("it was cut: the sender did not say that this is its end".to_owned()),
        Some(Part::Header(_)) => Err("a second header; send it first and once".to_owned()),
        Some(Part::End(end)) => match parts.next().await? {
            None => Ok(Piece::End(end)),
            Some(_) => Err("something follows its end".to_owned()),
        },
    }
}

/// The file as the parser reads it. It has an end only if the sender said so and all of it arrived.
struct Chunks {
    arriving: mpsc::Receiver<Result<Piece, String>>,
    current: Vec<u8>,
    at: usize,
    hasher: Hasher,
    bytes: u64,
    whole: bool,
}

impl Chunks {
    fn new(arriving: mpsc::Receiver<Result<Piece, String>>) -> Self {
        let hasher = Hasher::default();
        Self { arriving, current: Vec::new(), at: 0, hasher, bytes: 0, whole: false }
    }

    fn check_whole(&mut self, end: &wire::ImportEnd) -> io::Result<()> {
        let arrived = std::mem::take(&mut self.hasher).finish();
        if end.bytes != self.bytes || end.sha256 != arrived.0 {
            let bytes = self.bytes;
            let problem =
                format!("what arrived, {bytes} bytes, is not what the sender says it sent");
            return Err(io::Error::other(problem));
        }
        self.whole = true;
        Ok(())
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() {
            if self.whole {
                return Ok(0);
            }
            match self.arriving.blocking_recv() {
                // After an error, or after the task that forwards has gone: never an end.
                None => return Err(io::Error::other("it was cut")),
                Some(Err(problem)) => return Err(io::Error::other(problem)),
                Some(Ok(Piece::End(end))) => self.check_whole(&end)?,
                Some(Ok(Piece::Bytes(chunk))) => {
                    self.hasher.update(&chunk);
                    self.bytes += chunk.len() as u64;
                    (self.current, self.at) = (chunk, 0);
                }
            }
        }
        let read = self.current.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

/// How an import ended, for the wire.
pub(super) fn response(imported: Imported) -> wire::ImportResponse {
    let Imported { summary, already, replaced, quarantined } = imported;
    wire::ImportResponse {
        import_sha256: summary.digest,
        already_imported: already,
        rows_read: summary.rows_read,
        rows_left_out: summary.rows_left_out,
        rows_unchanged: summary.rows_unchanged,
        rows_accepted: summary.rows_accepted,
        rows_quarantined: summary.rows_quarantined,
        quarantined: reported(quarantined.iter().map(QuarantinedRow::from)),
        import: summary.number,
        recognised: summary.recognised,
        rows_replaced: replaced,
    }
}

/// What may stand in a reply beside the refused rows.
const BESIDE_BYTES_MAX: usize = REPLY_BYTES_MAX / 4;
/// Tag and length of one refused row in a reply.
const FRAME_BYTES_MAX: usize = 8;

/// As many refused rows as a reply may hold.
fn reported(rows: impl Iterator<Item = QuarantinedRow>) -> Vec<wire::Quarantined> {
    let mut left = REPLY_BYTES_MAX - BESIDE_BYTES_MAX;
    let fits = |row: &wire::Quarantined| {
        let bytes = row.encoded_len() + FRAME_BYTES_MAX;
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    };
    rows.take(QUARANTINE_REPORTED_MAX).map(quarantine).take_while(fits).collect()
}

fn quarantine(row: QuarantinedRow) -> wire::Quarantined {
    let QuarantinedRow { row, field, reason, hint } = row;
    wire::Quarantined { row, field, reason, hint }
}

pub(super) fn entry(import: ImportSummary) -> wire::ImportEntry {
    wire::ImportEntry {
        import: import.number,
        file_name: import.file_name,
        source: import.source,
        at_s: import.at_s,
        rows_read: import.rows_read,
        rows_accepted: import.rows_accepted,
        rows_quarantined: import.rows_quarantined,
        undone: import.undone,
        import_sha256: import.digest,
        recognised: import.recognised,
        retention_until_s: import.retention_until_s,
        erased: import.erased,
    }
}

/// A page of imports, newest first; the token is the number of the last one seen.
pub(super) fn list(
    node: &Node,
    request: &wire::ListImportsRequest,
) -> Result<wire::ListImportsResponse, Invalid> {
    let before = match request.page_token.as_str() {
        "" => u64::MAX,
        token => token.parse().map_err(|_| {
            Invalid::new(Reason::FieldInvalid, "page_token", "is not one that was given")
        })?,
    };
    let size = usize::try_from(request.page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
    let mut imports = node.store.imports()?;
    imports.retain(|import| import.number < before);
    imports.reverse();
    let more = imports.len() > size;
    imports.truncate(size);
    let last = imports.last().filter(|_| more);
    let next_page_token = last.map_or(String::new(), |import| import.number.to_string());
    let imports = imports.into_iter().map(entry).collect();
    Ok(wire::ListImportsResponse { imports, next_page_token })
}

/// One import with its quarantine.
pub(super) fn show(node: &Node, number: u64) -> Result<wire::GetImportResponse, Invalid> {
    let import = node.store.import(number)?;
    let quarantined = reported(node.store.quarantine(number)?.into_iter());
    Ok(wire::GetImportResponse { entry: Some(entry(import)), quarantined })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(pieces: Vec<Result<Piece, String>>) -> io::Result<Vec<u8>> {
        let (sender, arriving) = mpsc::channel(IMPORT_CHUNKS_WAITING_MAX);
        pieces.into_iter().for_each(|piece| sender.try_send(piece).ok().unwrap());
        drop(sender);
        let (mut chunks, mut read) = (Chunks::new(arriving), Vec::new());
        let outcome = chunks.read_to_end(&mut read);
        // Whoever reads on after an error must not find an end there.
        assert_eq!(outcome.is_err(), chunks.read(&mut [0; 8]).is_err());
        outcome.map(|_| read)
    }

    #[test]
    fn refused_rows_fit_a_reply() {
        let hint = "x".repeat(1024);
        let row = |row| QuarantinedRow { row, hint: hint.clone(), ..Default::default() };
        let quarantined = reported((0..20_000).map(row));
        assert!(quarantined.len() > 2_000);
        let reply = wire::GetImportResponse { entry: None, quarantined };
        assert!(reply.encoded_len() < REPLY_BYTES_MAX - BESIDE_BYTES_MAX);
        assert_eq!(reported((0..20_000).map(|_| QuarantinedRow::default())).len(), 10_000);
    }

    #[test]
    fn a_file_is_whole_only_if_its_end_was_said_and_fits() {
        let bytes = |bytes: &[u8]| Ok(Piece::Bytes(bytes.to_vec()));
        let end = |bytes, of: &[u8]| {
            let sha256 = accord_proto::seal::Digest::of(of).0.to_vec();
            Ok(Piece::End(wire::ImportEnd { bytes, sha256 }))
        };
        assert_eq!(
            file(vec![bytes(b"a,"), bytes(b""), bytes(b"b"), end(3, b"a,b")]).unwrap(),
            b"a,b"
        );
        assert_eq!(file(vec![end(0, b"")]).unwrap(), b"");
        assert!(file(vec![bytes(b"a,b")]).is_err(), "cut");
        assert!(file(vec![bytes(b"a,"), end(3, b"a,b")]).is_err(), "a chunk is missing");
        assert!(file(vec![bytes(b"a,c"), end(3, b"a,b")]).is_err(), "a chunk is another");
        assert!(file(vec![bytes(b"a"), Err("stopped".to_owned())]).is_err());
    }
}
