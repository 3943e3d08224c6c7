//! Imports, mappings and templates from the command line. Files are read piece by piece, and only here:
//! the node gets bytes and a name, never a path.

use std::{
    fs::File,
    io::{ErrorKind, Read as _, Write as _, stderr},
    path::{Path, PathBuf},
};

use accord_proto::{
    client::within,
    clock::Timestamp,
    limits::{CALL_TIMEOUT, IMPORT_CHUNK_BYTES, LONG_CALL_TIMEOUT, PAGE_SIZE_MAX},
    reason::{Invalid, Reason, quoted},
    seal::Hasher,
    wire::desk as wire,
};
use serde_json::{Value, json};

use super::{DeskClient, connect, done, failed, hex, print, progress::Progress};
use crate::{
    cli::{
        Client, Format, Outcome,
        import::{Action, Import, Mapping, Template},
    },
    ingest::{self, annotate, sheet::Sheet},
};

/// `accord-node import …`
pub(crate) async fn run(import: Import) -> Result<Outcome, Invalid> {
    let Import { action, files, mapping, dry_run, annotate, keep_until, client } = import;
    match action {
        Some(Action::List { client }) => list(&client).await,
        Some(Action::Show { import, client }) => show(&client, import).await,
        Some(Action::Undo { import, why, client }) => undo(&client, import, why).await,
        None => {
            let client = client.ok_or_else(|| missing("--client", ", here or in ACCORD_CLIENT"))?;
            let mut desk = connect(&client).await?;
            let mapping = mapping.ok_or_else(|| missing("--mapping", ""))?;
            let mapping = mapping_text(&mut desk, &mapping).await?;
            let retention_until_s = match keep_until {
                Some(until) => Timestamp::parse("--keep-until", &until)?.as_s(),
                None => 0,
            };
            let header =
                wire::ImportHeader { mapping, dry_run, retention_until_s, ..Default::default() };
            send(&client, &mut desk, &files, &header, annotate).await
        }
    }
}

fn missing(what: &str, or: &str) -> Invalid {
    Invalid::new(Reason::FieldMissing, what, format!("is needed{or}"))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Invalid {
    Invalid::new(Reason::ImportUnreadable, path.display().to_string(), error.to_string())
}

/// A mapping file, or the name of a mapping that the node keeps.
async fn mapping_text(desk: &mut DeskClient, mapping: &str) -> Result<String, Invalid> {
    let path = Path::new(mapping);
    let error = match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    if error.kind() != ErrorKind::NotFound {
        return Err(unreadable(path, &error));
    }
    kept(desk, mapping).await.map_err(|refused| {
        if refused.reason != Reason::NotFound {
            return refused;
        }
        if mapping.contains('/') || mapping.ends_with(".toml") {
            return unreadable(path, &error);
        }
        let detail = "is neither a file nor a mapping that the node keeps; see `mapping list`";
        Invalid::new(Reason::NotFound, quoted(mapping), detail)
    })
}

/// File by file; what goes wrong with one ends it, and what was taken in until then is shown all the same.
async fn send(
    client: &Client,
    desk: &mut DeskClient,
    files: &[PathBuf],
    header: &wire::ImportHeader,
    annotate: bool,
) -> Result<Outcome, Invalid> {
    let mut outcome = Outcome::default();
    let mut all = Vec::new();
    for file in files {
        let shown = match one(desk, file, header, annotate).await {
            Ok(reply) => {
                outcome.partial |= reply.rows_quarantined > 0;
                imported(client.format, file, header.dry_run, &reply)
            }
            Err(error) if all.is_empty() => return Err(error),
            Err(error) => {
                outcome.failure = Some(error);
                break;
            }
        };
        all.push(shown);
    }
    if header.dry_run {
        outcome.remarks.push("dry run: nothing stored".to_owned());
    }
    let data = if let ([one], [_]) = (all.as_slice(), files) { one.clone() } else { all.into() };
    outcome.data = print(client.format, &data);
    Ok(outcome)
}

/// Sends one file, and says how it went as soon as it is known.
async fn one(
    desk: &mut DeskClient,
    file: &Path,
    header: &wire::ImportHeader,
    annotate: bool,
) -> Result<wire::ImportResponse, Invalid> {
    let parts = Parts::open(file, header.clone())?;
    let request = within(LONG_CALL_TIMEOUT, tokio_stream::iter(parts));
    let reply = desk.import(request).await.map_err(|status| not_taken_in(file, failed(status)))?;
    let reply = reply.into_inner();
    let mut remarks = remarks_of(header, &reply);
    if annotate && !reply.quarantined.is_empty() {
        let copy = annotated(file, &header.mapping, &reply.quarantined)?;
        remarks.push(format!("written: {}", copy.display()));
    }
    for remark in remarks {
        let _ = writeln!(stderr(), "{}: {remark}", file.display());
    }
    Ok(reply)
}

/// Why a file was not taken in; which one is named.
fn not_taken_in(file: &Path, error: Invalid) -> Invalid {
    let field = format!("{}: {}", file.display(), error.field);
    if error.reason == Reason::NoConnection {
        let detail = "the node went away; run the same import again: it is taken in once";
        return Invalid { field, detail: detail.to_owned(), ..error };
    }
    Invalid { field, ..error }
}

fn remarks_of(header: &wire::ImportHeader, reply: &wire::ImportResponse) -> Vec<String> {
    /// More would scroll the summary out of sight; `import show` has them all.
    const SHOWN_MAX: usize = 100;
    let row = |row: &wire::Quarantined| {
        format!("row {} field {}: {}: {}", row.row, row.field, row.reason, row.hint)
    };
    let mut remarks: Vec<_> = reply.quarantined.iter().take(SHOWN_MAX).map(row).collect();
    let more = reply.rows_quarantined.saturating_sub(remarks.len() as u64);
    if more > 0 {
        remarks.push(format!("… and {more} more quarantined rows"));
    }
    if reply.already_imported {
        remarks.push(format!("already imported as import {}; nothing changed", reply.import));
        if header.retention_until_s != 0 {
            remarks.push("--keep-until was not changed either".to_owned());
        }
    }
    remarks
}

fn imported(format: Format, file: &Path, dry_run: bool, reply: &wire::ImportResponse) -> Value {
    let mut shown = json!({
        "file": file.display().to_string(),
        "import": reply.import,
        "recognised": reply.recognised,
        "import_sha256": hex(&reply.import_sha256),
        "already_imported": reply.already_imported,
        "rows_read": reply.rows_read,
        "rows_left_out": reply.rows_left_out,
        "rows_unchanged": reply.rows_unchanged,
        "rows_replaced": reply.rows_replaced,
        "rows_accepted": reply.rows_accepted,
        "rows_quarantined": reply.rows_quarantined,
        "quarantined": quarantine(&reply.quarantined),
    });
    if let Value::Object(shown) = &mut shown {
        if dry_run {
            // It has no number.
            shown.shift_remove("import");
        }
        if format == Format::Table {
            // People have read them as remarks.
            shown.shift_remove("quarantined");
        }
    }
    shown
}

fn quarantine(rows: &[wire::Quarantined]) -> Vec<Value> {
    let row = |row: &wire::Quarantined| json!({"row": row.row, "field": row.field, "reason": row.reason, "hint": row.hint});
    rows.iter().map(row).collect()
}

/// The messages of an import: header, then the file in chunks, read as they are wanted, then its end.
struct Parts {
    header: Option<wire::ImportHeader>,
    file: Option<File>,
    hasher: Hasher,
    bytes: u64,
    progress: Progress,
}

impl Parts {
    fn open(path: &Path, header: wire::ImportHeader) -> Result<Self, Invalid> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            return Err(unreadable(path, &std::io::Error::other("is a folder; name its files")));
        }
        let bytes = metadata.len();
        let file_name =
            path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
        let progress = Progress::of(&file_name, bytes);
        let header = wire::ImportHeader { file_name, ..header };
        let hasher = Hasher::default();
        Ok(Self { header: Some(header), file: Some(file), hasher, bytes: 0, progress })
    }
}

impl Iterator for Parts {
    type Item = wire::ImportRequest;

    fn next(&mut self) -> Option<wire::ImportRequest> {
        use wire::import_request::Part;
        if let Some(header) = self.header.take() {
            return Some(wire::ImportRequest { part: Some(Part::Header(header)) });
        }
        let mut chunk = Vec::with_capacity(IMPORT_CHUNK_BYTES);
        let file = self.file.as_mut()?;
        match file.take(IMPORT_CHUNK_BYTES as u64).read_to_end(&mut chunk) {
            Ok(0) => {
                self.file = None;
                let sha256 = std::mem::take(&mut self.hasher).finish().0.to_vec();
                let end = wire::ImportEnd { bytes: self.bytes, sha256 };
                Some(wire::ImportRequest { part: Some(Part::End(end)) })
            }
            Ok(bytes) => {
                self.hasher.update(&chunk);
                self.bytes += bytes as u64;
                self.progress.advance(bytes as u64);
                Some(wire::ImportRequest { part: Some(Part::Chunk(chunk)) })
            }
            Err(_) => {
                // Half a file must not look like a whole one: what is no part of an import ends it.
                self.file = None;
                Some(wire::ImportRequest { part: None })
            }
        }
    }
}

/// A copy of the file beside it, with every refused row and why.
fn annotated(
    path: &Path,
    mapping: &str,
    refused: &[wire::Quarantined],
) -> Result<PathBuf, Invalid> {
    let mapping = ingest::Mapping::parse(mapping)?;
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut sheet = Sheet::open(Box::new(file), &mapping.options)?;
    let header = sheet.header().to_vec();
    let mut rows = Vec::new();
    while let Some(row) = sheet.next()? {
        let remark = refused.iter().find(|refused| refused.row == row.place());
        rows.push(annotate::Row {
            place: row.place(),
            fields: (0..row.len()).map(|at| row.field(at).unwrap_or_default().to_owned()).collect(),
            remark: remark.map(|refused| annotate::Remark {
                field: refused.field.clone(),
                code: refused.reason.clone(),
                hint: refused.hint.clone(),
            }),
        });
    }
    let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let stem = name.split('.').next().unwrap_or_default();
    let copy = path.with_file_name(format!("{stem}.checked.xlsx"));
    write(&copy, &annotate::annotate(&header, rows.into_iter())?)?;
    Ok(copy)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Invalid> {
    std::fs::write(path, bytes).map_err(|error| {
        Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
    })
}

fn stands_there(path: &Path) -> Invalid {
    let detail = "exists already; nothing was overwritten";
    Invalid::new(Reason::FileExists, path.display().to_string(), detail)
}

/// Never in the place of another file.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Invalid> {
    let file = File::create_new(path).and_then(|mut file| file.write_all(bytes));
    file.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return stands_there(path);
        }
        Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
    })
}

async fn list(client: &Client) -> Result<Outcome, Invalid> {
    let mut desk = connect(client).await?;
    let (mut imports, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = wire::ListImportsRequest { page_size: PAGE_SIZE_MAX, page_token };
        let page =
            desk.list_imports(within(CALL_TIMEOUT, request)).await.map_err(failed)?.into_inner();
        imports.extend(page.imports.iter().map(entry));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(done(client, &Value::Array(imports)));
        }
    }
}

pub(super) fn entry(import: &wire::ImportEntry) -> Value {
    let time = |s| Timestamp::from_s("at", s).map_or(String::new(), |at| at.to_string());
    let (at, keep_until) = (time(import.at_s), time(import.retention_until_s));
    json!({
        "import": import.import,
        "at": at,
        "file": import.file_name,
        "source": import.source,
        "rows_read": import.rows_read,
        "rows_accepted": import.rows_accepted,
        "rows_quarantined": import.rows_quarantined,
        "undone": import.undone,
        "keep_until": keep_until,
        "erased": import.erased,
    })
}

async fn show(client: &Client, import: u64) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetImportRequest { import });
    let reply = connect(client).await?.get_import(request).await.map_err(failed)?.into_inner();
    let mut shown = reply.entry.as_ref().map_or(Value::Null, entry);
    shown["recognised"] =
        reply.entry.as_ref().map_or(Value::Null, |entry| entry.recognised.clone().into());
    shown["import_sha256"] =
        reply.entry.as_ref().map_or(Value::Null, |entry| hex(&entry.import_sha256).into());
    shown["quarantined"] = quarantine(&reply.quarantined).into();
    Ok(done(client, &shown))
}

async fn undo(client: &Client, import: u64, why: String) -> Result<Outcome, Invalid> {
    let request = within(LONG_CALL_TIMEOUT, wire::UndoImportRequest { import, why });
    let reply = connect(client).await?.undo_import(request).await.map_err(failed)?.into_inner();
    Ok(done(client, &json!({"undone": import, "observations_left": reply.observations})))
}

/// `accord-node mapping …`
pub(crate) async fn mapping(mapping: Mapping) -> Result<Outcome, Invalid> {
    match mapping {
        Mapping::Save { name, file, client } => {
            let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
            let request =
                within(CALL_TIMEOUT, wire::SaveMappingRequest { name: name.clone(), text });
            connect(&client).await?.save_mapping(request).await.map_err(failed)?;
            Ok(done(&client, &json!({"saved": name})))
        }
        Mapping::List { client } => {
            let request = within(CALL_TIMEOUT, wire::ListMappingsRequest {});
            let reply = connect(&client).await?.list_mappings(request).await.map_err(failed)?;
            let row = |kept: &wire::MappingEntry| json!({"name": kept.name, "lines": kept.lines});
            let mappings = reply.into_inner().mappings.iter().map(row).collect();
            Ok(done(&client, &Value::Array(mappings)))
        }
        Mapping::Show { name, client } => {
            let text = kept(&mut connect(&client).await?, &name).await?;
            Ok(Outcome { data: text, ..Outcome::default() })
        }
    }
}

/// The text of a mapping that the node keeps.
async fn kept(desk: &mut DeskClient, name: &str) -> Result<String, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetMappingRequest { name: name.to_owned() });
    Ok(desk.get_mapping(request).await.map_err(failed)?.into_inner().text)
}

/// `accord-node template …`
pub(crate) async fn template(wanted: Template) -> Result<Outcome, Invalid> {
    let Template { indicator, out, events, client } = wanted;
    let ending = out.extension().map_or(String::new(), |e| e.to_string_lossy().to_lowercase());
    if ending != "xlsx" && ending != "csv" {
        let detail = "must end in .xlsx or .csv";
        return Err(Invalid::new(Reason::FieldInvalid, "--out", detail));
    }
    let mapping = out.with_extension("toml");
    for path in [&out, &mapping] {
        if path.exists() {
            return Err(stands_there(path));
        }
    }
    let request = wire::GetTemplateRequest { indicator, events, csv: ending == "csv" };
    let mut desk = connect(&client).await?;
    let reply =
        desk.get_template(within(CALL_TIMEOUT, request)).await.map_err(failed)?.into_inner();
    write_new(&out, &reply.file)?;
    write_new(&mapping, reply.mapping.as_bytes())?;
    let (file, mapping) = (out.display().to_string(), mapping.display().to_string());
    Ok(done(&client, &json!({"file": file, "mapping": mapping})))
}
