//! Backups on an operator's machine. Comes in: a stream from a running service, or a file. Goes out: a file that only its owner may
//! read, and its recipients if there are any; or the stream again. Must never leave a file under its name that was not whole when it was
//! written, nor write a byte in the clear that is meant for recipients.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::cli::{Client, Outcome};
use crate::{
    backup::{Header, Kind, Reader},
    clock::Timestamp,
    identity::Identity,
    limits::BACKUP_CHUNKS_WAITING_MAX,
    print,
    reason::{Invalid, Reason},
    seal::{Digest, Hasher},
};

mod last;
mod sealed;

pub use last::{last, note};
pub use sealed::{Source, new_key};

use sealed::{Recipients, Sealing};

/// A backup of a running service.
#[derive(Debug, Args)]
pub struct Backup {
    /// Folder to write it to; the file is named after service and time.
    #[arg(long)]
    pub to: PathBuf,
    /// Who may read it (age1…; `backup-key` makes one); once for each. It is encrypted before anything is written.
    #[arg(long)]
    pub recipient: Vec<String>,
    /// A file of such recipients, one a line.
    #[arg(long)]
    pub recipients_file: Option<PathBuf>,
    /// Whom to ask, and how to print.
    #[command(flatten)]
    pub client: Client,
}

/// A data folder out of a backup; works on files, no service runs.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// The data folder, as the configuration names it; nothing may be in it.
    #[arg(long, required_unless_present = "check")]
    pub data: Option<PathBuf>,
    /// Only read the backup to its end and say what it holds.
    #[arg(long, conflicts_with = "data")]
    pub check: bool,
    /// The key of one of its recipients, if it is encrypted (mode 0600).
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// The file of keys that the configuration names at `[store] key`, if it names one: what is restored is sealed with the first.
    #[arg(long, conflicts_with = "check")]
    pub store_key: Option<PathBuf>,
}

impl Restore {
    /// Where it is read from.
    pub fn source(&self) -> Source {
        Source { path: self.file.clone(), identity: self.identity.clone() }
    }
}

/// Is there a folder for it, and can it be encrypted as is wanted? Asked before the service begins, and writes down that it did.
pub fn check(wanted: &Backup) -> Result<(), Invalid> {
    Recipients::parse(&wanted.recipient, wanted.recipients_file.as_deref())?;
    if wanted.to.is_dir() {
        return Ok(());
    }
    let detail = format!("{} is no folder", wanted.to.display());
    Err(Invalid::new(Reason::FieldInvalid, "--to", detail))
}

/// Takes a backup that comes in pieces, and says what it holds.
pub async fn take(
    kind: &'static Kind,
    wanted: &Backup,
    mut next: impl AsyncFnMut() -> Result<Option<Vec<u8>>, Invalid>,
) -> Result<Outcome, Invalid> {
    let recipients = Recipients::parse(&wanted.recipient, wanted.recipients_file.as_deref())?;
    let encrypted = !recipients.is_empty();
    // Whose it is and when it was made stands in the file; it gets its name from there.
    let partial = wanted.to.join(format!("{}.{}.partial", kind.program, std::process::id()));
    let (send, pieces) = mpsc::channel(BACKUP_CHUNKS_WAITING_MAX);
    let path = partial.clone();
    let writing = tokio::task::spawn_blocking(move || write(kind, &path, &recipients, pieces));
    let mut came = Ok(());
    loop {
        match next().await {
            Ok(Some(piece)) => {
                // Nobody takes it any more: the writer says why.
                if send.send(piece).await.is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                came = Err(error);
                break;
            }
        }
    }
    drop(send);
    let written = writing.await.map_err(|_| unwritable(&partial, &"the writer has ended"))?;
    let taken = came.and(written).and_then(|(header, digest)| {
        let path = named(kind, &partial, &header, encrypted)?;
        Ok((path, header, digest))
    });
    if taken.is_err() {
        // Half a backup must not be mistaken for one.
        let _ = fs::remove_file(&partial);
    }
    let (path, header, digest) = taken?;
    let bytes = fs::metadata(&path).map_err(|error| unwritable(&path, &error))?.len();
    let mut shown = json!({
        "backup": path.display().to_string(),
        "bytes": bytes,
        "encrypted": encrypted,
    });
    extend(kind, &mut shown, (&header, digest));
    let open =
        "not encrypted: the file holds all that the store holds; --recipient age1… closes it";
    let remarks = if encrypted { Vec::new() } else { vec![open.to_owned()] };
    let data = print::rows(wanted.client.format, &shown);
    Ok(Outcome { data, remarks, ..Outcome::default() })
}

/// Says what a backup holds.
pub fn extend(kind: &Kind, shown: &mut Value, (header, digest): (&Header, Digest)) {
    let created = Timestamp::from_s("created", header.created_s);
    let service = kind.program.trim_start_matches("accord-");
    shown[service] = header.owner.clone().into();
    shown["created"] = created.map_or(String::new(), |at| at.to_string()).into();
    shown["format"] = header.format.clone().into();
    if service == "node" {
        shown["imports"] = header.imports.into();
    }
    shown["journal_size"] = header.journal_size.into();
    shown["journal_root"] = hex::encode(&header.journal_root).into();
    shown["sha256"] = digest.to_string().into();
}

/// Writes what comes, and reads it on its way: a backup that is not whole is an error. What then lies on the disk is what was written.
fn write(
    kind: &'static Kind,
    path: &Path,
    recipients: &Recipients,
    pieces: mpsc::Receiver<Vec<u8>>,
) -> Result<(Header, Digest), Invalid> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| unwritable(path, &error))?;
    let summed = Summed { to: BufWriter::new(file), hasher: Hasher::default() };
    let mut to = Sealing::begin(recipients, summed)?;
    let came = Came { pieces, piece: Vec::new(), at: 0, to: &mut to };
    let read = Reader::open(kind, came)?.values(|_, _, _| Ok(()))?;
    let put = |error: io::Error| unwritable(path, &error);
    let mut summed = to.finish().map_err(put)?;
    summed.to.flush().map_err(put)?;
    let file = summed.to.into_inner().map_err(|error| unwritable(path, &error.error()))?;
    file.sync_all().map_err(put)?;
    if sum_of(path).map_err(put)? != summed.hasher.finish() {
        return Err(unwritable(path, &"what lies there is not what was written"));
    }
    Ok(read)
}

/// What came, handed on to be read and written.
struct Came<'a, To> {
    pieces: mpsc::Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    to: &'a mut To,
}

impl<To: Write> Read for Came<'_, To> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            let Some(piece) = self.pieces.blocking_recv() else { return Ok(0) };
            self.to.write_all(&piece)?;
            (self.piece, self.at) = (piece, 0);
        }
        let read = (&self.piece[self.at..]).read(into)?;
        self.at += read;
        Ok(read)
    }
}

/// What is written, summed up.
struct Summed<To> {
    to: To,
    hasher: Hasher,
}

impl<To: Write> Write for Summed<To> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn sum_of(path: &Path) -> io::Result<Digest> {
    let mut summed = Summed { to: io::sink(), hasher: Hasher::default() };
    io::copy(&mut File::open(path)?, &mut summed)?;
    Ok(summed.hasher.finish())
}

/// Gives it its name; never in the place of another file.
fn named(
    kind: &Kind,
    partial: &Path,
    header: &Header,
    encrypted: bool,
) -> Result<PathBuf, Invalid> {
    let owner = Identity::parse(&header.owner)?.name;
    let at = Timestamp::from_s("backup.created_s", header.created_s)?.to_string();
    let at: String = at.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let (name, ending) = (kind.program, if encrypted { ".age" } else { "" });
    let mut path = partial.with_file_name(format!("{name}-{owner}-{at}.backup{ending}"));
    if path.exists() {
        // Taken within the same second: the journal has grown since.
        let size = header.journal_size;
        path.set_file_name(format!("{name}-{owner}-{at}.{size}.backup{ending}"));
    }
    let linked = fs::hard_link(partial, &path)
        .and_then(|()| fs::remove_file(partial))
        .and_then(|()| File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all());
    linked.map_err(|error| unwritable(&path, &error))?;
    Ok(path)
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Invalid {
    Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
}
