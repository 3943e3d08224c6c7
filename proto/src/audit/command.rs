//! What an auditor does with a journal, at his own computer. Comes in: a command and a client file. Goes out: rows, or
//! what was proven. Nothing that a service says of its journal is taken on trust but the key, and that can be given.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{Reader, accept_peer};
use crate::{
    journal::{self, Checkpoint, Filter, Logged, Proof, VerifierKey, leaf, verify_inclusion},
    reason::{Invalid, Reason},
};

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Command {
    /// The newest entries that fit, oldest first; 0: all.
    List(Filter, u64),
    /// One entry, proven.
    Show(u64),
    /// Every entry against the head that was signed, by this key if one is given.
    Verify(Option<VerifierKey>),
    /// The same for an export, without any service.
    VerifyFile(PathBuf, VerifierKey),
    /// Entries that fit as lines into a file, with the checkpoint beside it.
    Export(Filter, PathBuf),
    /// Where the journal stands.
    Checkpoint,
    /// Rely no more on what the service knows of another's journal; and why.
    Accept(String, String),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Said {
    /// A list of objects, or one.
    pub data: Value,
    /// What is shown to people in its place, if it is a text of its own.
    pub text: Option<String>,
    /// Remarks.
    pub remarks: Vec<String>,
}

impl From<Value> for Said {
    fn from(data: Value) -> Self {
        Self { data, text: None, remarks: Vec::new() }
    }
}

/// Runs a command as the person whose client file is given.
pub async fn run(command: Command, client: Option<&Path>) -> Result<Said, Invalid> {
    if let Command::VerifyFile(file, key) = &command {
        return verify_file(file, key).map(Said::from);
    }
    let missing = || Invalid::new(Reason::FieldMissing, "--client", "is needed for this");
    let client = client.ok_or_else(missing)?;
    match command {
        Command::List(filter, last) => list(client, &filter, last).await,
        Command::Show(entry) => show(client, entry).await,
        Command::Verify(key) => verify(client, key).await.map(Said::from),
        Command::VerifyFile(file, key) => verify_file(&file, &key).map(Said::from),
        Command::Export(filter, to) => {
            export(Reader::connect(client).await?, &filter, &to).await.map(Said::from)
        }
        Command::Checkpoint => checkpoint(client).await,
        Command::Accept(service, why) => {
            accept_peer(client, &service, &why).await?;
            Ok(json!({"accepted": service}).into())
        }
    }
}

async fn list(client: &Path, filter: &Filter, last: u64) -> Result<Said, Invalid> {
    let mut reader = Reader::connect(client).await?;
    let (mut rows, size) = (Vec::new(), reader.head.size);
    let keep = if last == 0 { usize::MAX } else { usize::try_from(last).unwrap_or(usize::MAX) };
    let take = |entry: &[u8], _: Option<&Proof>| {
        rows.push(row(&Logged::decode(entry)?));
        // Never much more is held than was asked for.
        if rows.len() > keep.saturating_mul(2) {
            rows.drain(..rows.len() - keep);
        }
        Ok(())
    };
    // Without a filter the newest are the last ones there are.
    let first = if last > 0 && filter.takes_all() { size.saturating_sub(last) } else { 0 };
    reader.read(first..size, filter, false, take).await?;
    rows.drain(..rows.len().saturating_sub(keep));
    Ok(Value::Array(rows).into())
}

async fn show(client: &Path, entry: u64) -> Result<Said, Invalid> {
    let mut reader = Reader::connect(client).await?;
    let mut found = None;
    let take = |bytes: &[u8], proof: Option<&Proof>| {
        found = proof.map(|proof| (bytes.to_vec(), proof.clone()));
        Ok(())
    };
    reader.read(entry..entry.saturating_add(1), &Filter::default(), true, take).await?;
    let (bytes, proof) = found.ok_or_else(|| {
        Invalid::new(Reason::NotFound, "entry", format!("there is no entry {entry}"))
    })?;
    verify_inclusion(leaf(&bytes), entry, &reader.head, &proof)?;
    let size = reader.head.size;
    let remarks = vec![format!("proven to be part of the journal of {size} entries")];
    Ok(Said { remarks, ..whole(&Logged::decode(&bytes)?).into() })
}

async fn checkpoint(client: &Path) -> Result<Said, Invalid> {
    let Reader { note, head, key, .. } = Reader::connect(client).await?;
    let key = key.to_string();
    let data = json!({
        "origin": head.origin,
        "size": head.size,
        "root": head.root.to_string(),
        "note": note,
        "key": key,
    });
    let text = Some(note.trim_end().to_owned());
    Ok(Said { data, text, remarks: vec![format!("key {key}")] })
}

async fn verify(client: &Path, key: Option<VerifierKey>) -> Result<Value, Invalid> {
    let mut reader = Reader::connect(client).await?;
    if key.is_some_and(|key| key != reader.key) {
        let detail = format!("the checkpoint is signed by {}", reader.key);
        return Err(Invalid::new(Reason::SignatureInvalid, "--key", detail));
    }
    reader.verify().await?;
    Ok(verified(&reader.head, (reader.head.size, true), &reader.key))
}

fn verify_file(file: &Path, key: &VerifierKey) -> Result<Value, Invalid> {
    let note = std::fs::read_to_string(beside(file));
    let note = note.map_err(|error| unusable(&beside(file), &error))?;
    let head = Checkpoint::open_by("checkpoint", &note, std::slice::from_ref(key))?;
    let lines = File::open(file).map_err(|error| unusable(file, &error))?;
    let found = journal::read_export(BufReader::new(lines), &head)?;
    Ok(verified(&head, (found.entries, found.whole), key))
}

fn verified(head: &Checkpoint, (entries, whole): (u64, bool), key: &VerifierKey) -> Value {
    json!({
        "journal": head.origin,
        "entries_verified": entries,
        "whole": whole,
        "size": head.size,
        "root": head.root.to_string(),
        "key": key.to_string(),
    })
}

async fn export(mut reader: Reader, filter: &Filter, to: &Path) -> Result<Value, Invalid> {
    let mut lines = BufWriter::new(create(to)?);
    let origin = reader.head.origin.clone();
    // A whole journal proves itself; a part of it needs a proof in each line.
    let (all, prove, mut entries) = (0..reader.head.size, !filter.takes_all(), 0_u64);
    let take = |entry: &[u8], proof: Option<&Proof>| {
        entries += 1;
        let line = journal::write_line(&origin, entry, proof)?;
        writeln!(lines, "{line}").map_err(|error| unusable(to, &error))
    };
    reader.read(all, filter, prove, take).await?;
    let lines = lines.into_inner().map_err(|error| unusable(to, error.error()))?;
    lines.sync_all().map_err(|error| unusable(to, &error))?;
    let checkpoint = beside(to);
    let written = create(&checkpoint)?.write_all(reader.note.as_bytes());
    written.map_err(|error| unusable(&checkpoint, &error))?;
    Ok(json!({
        "file": to.display().to_string(),
        "checkpoint": checkpoint.display().to_string(),
        "entries": entries,
        "key": reader.key.to_string(),
    }))
}

/// Names of persons stand in it: nobody else reads it.
fn create(path: &Path) -> Result<File, Invalid> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            return unusable(path, &error);
        }
        let detail = "is there already; nothing was touched";
        Invalid::new(Reason::FileExists, path.display().to_string(), detail)
    })
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

fn unusable(path: &Path, error: &std::io::Error) -> Invalid {
    Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
}

fn row(logged: &Logged) -> Value {
    let Logged { sequence, entry, outcome, class, .. } = logged;
    json!({
        "entry": sequence,
        "at": entry.at.to_string(),
        "act": entry.act.name(),
        "outcome": outcome.name(),
        "class": class.name(),
        "by": format!("{}/{}", entry.by.name, entry.by.role),
        "to": entry.to,
        "why": entry.why,
        "subject": entry.subject,
    })
}

fn whole(logged: &Logged) -> Value {
    let mut shown = row(logged);
    shown["by"] = logged.entry.by.to_string().into();
    shown["digest"] = logged.entry.digest.to_string().into();
    shown["root_before"] = logged.root_before.to_string().into();
    shown
}
