//! Imports on the wire. Comes in: a stream of chunks. Goes out: how it ended. The file is never held whole:
//! chunks go through a short queue to the parser, and a slow parser slows the sender down.

use std::io::{self, Read};

use accord_proto::{
    limits::{IMPORT_CHUNKS_WAITING_MAX, PAGE_SIZE_MAX, QUARANTINE_REPORTED_MAX},
    reason::{Invalid, Reason},
    transport::Peer,
    wire::desk as wire,
};
use tokio::sync::mpsc;
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
    mut stream: Streaming<wire::ImportRequest>,
) -> Result<Imported, Status> {
    let wanted = header(stream.message().await?)?;
    let (chunks, arriving) = mpsc::channel(IMPORT_CHUNKS_WAITING_MAX);
    // Ends with the stream, or when the parser has gone and nobody takes the next chunk.
    tokio::spawn(forward(stream, chunks));
    let file = Chunks { arriving, current: Vec::new(), at: 0 };
    let imported = imports::import(node, peer, &wanted, file).await.map_err(refused)?;
    let ImportSummary { rows_accepted, rows_quarantined, .. } = &imported.summary;
    info!(accepted = rows_accepted, quarantined = rows_quarantined, wanted.dry_run, "imported");
    Ok(imported)
}

fn header(first: Option<wire::ImportRequest>) -> Result<Wanted, Invalid> {
    use wire::import_request::Part;
    let Some(wire::ImportRequest { part: Some(Part::Header(header)) }) = first else {
        let detail = "send the header first and once, then chunks";
        return Err(Invalid::new(Reason::FieldMissing, "header", detail));
    };
    let wire::ImportHeader { file_name, mapping, dry_run, retention_until_s } = header;
    Ok(Wanted { file_name, mapping, dry_run, retention_until_s })
}

/// A chunk of the file, or why there will be no more.
type Chunk = Result<Vec<u8>, String>;

async fn forward(mut stream: Streaming<wire::ImportRequest>, chunks: mpsc::Sender<Chunk>) {
    use wire::import_request::Part;
    loop {
        let chunk = match stream.message().await {
            Ok(None) => return,
            Ok(Some(wire::ImportRequest { part: Some(Part::Chunk(chunk)) })) => Ok(chunk),
            Ok(Some(_)) => Err("it could not be read to its end where it was sent from".to_owned()),
            Err(status) => Err(format!("the sender stopped: {}", status.message())),
        };
        let last = chunk.is_err();
        if chunks.send(chunk).await.is_err() || last {
            return;
        }
    }
}

/// The file as the parser reads it.
struct Chunks {
    arriving: mpsc::Receiver<Chunk>,
    current: Vec<u8>,
    at: usize,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() {
            match self.arriving.blocking_recv() {
                None => return Ok(0),
                Some(Err(problem)) => return Err(io::Error::other(problem)),
                Some(Ok(chunk)) => (self.current, self.at) = (chunk, 0),
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
    let reported = quarantined.iter().take(QUARANTINE_REPORTED_MAX);
    wire::ImportResponse {
        import_sha256: summary.digest,
        already_imported: already,
        rows_read: summary.rows_read,
        rows_left_out: summary.rows_left_out,
        rows_unchanged: summary.rows_unchanged,
        rows_accepted: summary.rows_accepted,
        rows_quarantined: summary.rows_quarantined,
        quarantined: reported.map(|row| quarantine(QuarantinedRow::from(row))).collect(),
        import: summary.number,
        recognised: summary.recognised,
        rows_replaced: replaced,
    }
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
    let rows = node.store.quarantine(number)?.into_iter().take(QUARANTINE_REPORTED_MAX);
    let quarantined = rows.map(quarantine).collect();
    Ok(wire::GetImportResponse { entry: Some(entry(import)), quarantined })
}
