//! The `roster` commands of both programs: how a root makes the list that everybody relies on. Comes in: `roster.toml`, and
//! the files that it names. Goes out: a roster that the root has signed, and what is new in it. Must never sign what its
//! readers would refuse, nor go back in version.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use prost::Message as _;
use serde_json::{Value, json};

mod changes;
mod text;
#[cfg(test)]
mod tests;

pub use text::{Sources, read, write};

use super::{Around, Done, Printed, files};
use crate::{
    limits::ROSTER_TEXT_BYTES_MAX,
    own_lists, print,
    reason::{Invalid, Reason},
    roster::{Contact, Roster},
    seal::{Envelope, PublicKey, SecretKey},
    taxonomy::Lists,
    transport::read_secret,
};

/// Who is a member, who may ask, with which keys: written by the root, on a computer without a network.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Write roster.toml, with comments, to fill in.
    #[command(after_help = "Example:\n  roster new --out roster.toml")]
    New(New),
    /// Write roster.toml as a signed roster has it, one version higher.
    #[command(
        after_help = "Example:\n  roster edit roster.signed --root root.pub --out roster.toml"
    )]
    Edit(Edit),
    /// Sign roster.toml; says what is new.
    #[command(
        after_help = "Examples:\n  roster sign roster.toml --root-key root.key --out roster.signed\n  roster sign roster.toml --root-key root.key --previous old/roster.signed --out roster.signed"
    )]
    Sign(Sign),
    /// Check a signed roster, and show who stands in it.
    #[command(after_help = "Example:\n  roster show roster.signed --root root.pub -o csv")]
    Show(Show),
    /// Write a signed roster without contacts, for whoever verifies what members have signed and reaches none of them.
    #[command(
        after_help = "Example:\n  roster for-readers roster.signed --root root.pub --out roster.readers"
    )]
    ForReaders(ForReaders),
}

/// A new text.
#[derive(Clone, Debug, Args)]
pub struct New {
    /// The file; must not exist.
    #[arg(long)]
    out: PathBuf,
}

/// A text of what is signed.
#[derive(Clone, Debug, Args)]
pub struct Edit {
    #[command(flatten)]
    signed: Signed,
    /// The file; must not exist.
    #[arg(long)]
    out: PathBuf,
}

/// A roster without contacts.
#[derive(Clone, Debug, Args)]
pub struct ForReaders {
    #[command(flatten)]
    signed: Signed,
    /// The file; must not exist.
    #[arg(long)]
    out: PathBuf,
}

/// A signed roster.
#[derive(Clone, Debug, Args)]
struct Signed {
    /// The signed roster.
    roster: PathBuf,
    /// The root's public key.
    #[arg(long)]
    root: PathBuf,
    /// Folder of the federation's own code lists, if members stand there.
    #[arg(long)]
    lists: Option<PathBuf>,
}

/// Signing.
#[derive(Clone, Debug, Args)]
pub struct Sign {
    /// The text; see deploy/roster.toml. Files that it names are looked for beside it.
    text: PathBuf,
    /// The root's key (PKCS#8 PEM, mode 0600).
    #[arg(long)]
    root_key: PathBuf,
    /// The signed roster. One that stands there is the one before, and is replaced.
    #[arg(long)]
    out: PathBuf,
    /// The roster before, if it stands elsewhere.
    #[arg(long)]
    previous: Option<PathBuf>,
    /// Folder of the federation's own code lists, if members stand there.
    #[arg(long)]
    lists: Option<PathBuf>,
    #[command(flatten)]
    printed: Printed,
}

/// Looking.
#[derive(Clone, Debug, Args)]
pub struct Show {
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    printed: Printed,
}

/// Does one of them.
pub fn run(command: Command, around: Around<'_>) -> Result<Done, Invalid> {
    let now = around.clock.now();
    match command {
        Command::New(New { out }) => {
            files::write_new(&out, include_str!("../../../deploy/roster.toml").as_bytes())?;
            Ok(written(&out, "fill in who takes part, then roster sign"))
        }
        Command::Edit(Edit { signed, out }) => {
            files::write_new(&out, write(&signed.open()?).as_bytes())?;
            Ok(written(&out, "change what is to change, then roster sign"))
        }
        Command::ForReaders(ForReaders { signed, out }) => {
            let (_, envelope) = signed.read()?;
            files::write_new(&out, &Roster::for_readers(envelope).encode_to_vec())?;
            Ok(written(&out, "give it to whoever verifies; nobody is reached with it"))
        }
        Command::Sign(wanted) => sign(&wanted, around),
        Command::Show(Show { signed, printed }) => {
            let roster = signed.open()?;
            let over = roster.check_current(now).err().map(|error| error.to_string());
            Ok(shown(&roster, printed.format).with(over))
        }
    }
}

fn written(file: &Path, next: &str) -> Done {
    Done { data: file.display().to_string(), remarks: vec![next.to_owned()] }
}

impl Signed {
    /// Whenever it was signed: for looking.
    fn open(&self) -> Result<Roster, Invalid> {
        self.read().map(|(roster, _)| roster)
    }

    fn read(&self) -> Result<(Roster, Envelope), Invalid> {
        let root = PublicKey::from_hex("--root", &files::read_text(&self.root)?)?;
        opened(&self.roster, &root, own_lists::load(self.lists.as_deref())?)
    }
}

fn opened(file: &Path, root: &PublicKey, lists: &Lists) -> Result<(Roster, Envelope), Invalid> {
    let name = file.display().to_string();
    let named = |error: Invalid| Invalid { field: format!("{name}: {}", error.field), ..error };
    Roster::read_of_any_time(("roster", &files::read(file)?), root, lists).map_err(named)
}

fn sign(wanted: &Sign, around: Around<'_>) -> Result<Done, Invalid> {
    let Sign { text, root_key, out, previous, lists, printed } = wanted;
    let (lists, now) = (own_lists::load(lists.as_deref())?, around.clock.now());
    let root = SecretKey::from_pem("--root-key", &read_secret(root_key)?)?;
    let before = |file: Option<&PathBuf>| {
        file.map(|file| Ok(opened(file, &root.public(), lists)?.0)).transpose()
    };
    let there = before(Some(out).filter(|out| out.exists()))?;
    let named = before(previous.as_ref())?;
    // Whichever is newer: what stands in the place of the new one is never replaced by an older one.
    let previous = [there, named].into_iter().flatten().max_by_key(|roster| roster.version);
    let home = text.parent().unwrap_or(Path::new("."));
    let sources = Sources {
        file: &|name| files::read(&home.join(name)),
        previous: previous.as_ref(),
        now,
        lists,
    };
    let written = files::read_text(text)?;
    if written.len() > ROSTER_TEXT_BYTES_MAX {
        let detail = format!("is larger than {ROSTER_TEXT_BYTES_MAX} bytes");
        return Err(Invalid::new(Reason::LimitExceeded, text.display().to_string(), detail));
    }
    let name = text.display().to_string();
    let roster = read(&written, &sources).map_err(|error| Invalid { field: name, ..error })?;
    let signed = Roster::sign(&roster, lists, &root, around.entropy)?.encode_to_vec();
    // What every reader does with it.
    let seen = previous.as_ref().map_or(0, |previous| previous.version.saturating_add(1));
    let (opened, _) = Roster::read(("roster", &signed), &root.public(), lists, seen, now)?;
    files::replace(out, &signed)?;
    let said = json!({
        "roster": out.display().to_string(),
        "version": opened.version,
        "until": opened.expires_at.to_string(),
        "members": opened.members.len(),
        "authorities": opened.authorities.len(),
        "centres": opened.centres.len(),
    });
    let new = changes::between(previous.as_ref(), &opened);
    Ok(Done::of(printed.format, &said).with(new))
}

/// Everybody who stands in it.
fn shown(roster: &Roster, format: print::Format) -> Done {
    // Sixteen digits are enough to compare by eye; programs get all of them.
    let short = format == print::Format::Table;
    let cut = |text: String| if short { text.chars().take(16).collect() } else { text };
    let key = |key: &PublicKey| cut(hex::encode(key.to_bytes()));
    let tls = |contact: &Contact| {
        let keys = contact.tls_spki_sha256.iter();
        keys.map(|of| cut(of.to_string())).collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    for member in &roster.members {
        rows.push(json!({
            "is": "member",
            "name": member.node.to_string(),
            "jurisdiction": member.jurisdiction.to_string(),
            "address": member.contact.address,
            "tls_keys": tls(&member.contact),
            "keys": member.seal_keys.iter().map(key).collect::<Vec<_>>(),
            "since": member.since.to_string(),
        }));
    }
    for authority in &roster.authorities {
        rows.push(json!({
            "is": "authority",
            "name": authority.authority.to_string(),
            "jurisdiction": "",
            "address": "",
            "tls_keys": [],
            "keys": authority.keys.iter().map(key).collect::<Vec<_>>(),
            "since": authority.since.to_string(),
        }));
    }
    for centre in &roster.centres {
        rows.push(json!({
            "is": "centre",
            "name": centre.name.to_string(),
            "jurisdiction": "",
            "address": "",
            "tls_keys": tls(&centre.contact),
            "keys": centre.keys.iter().map(key).collect::<Vec<_>>(),
            "since": "",
        }));
    }
    let Roster { federation, version, issued_at, expires_at, .. } = roster;
    let head =
        format!("roster of {federation}, version {version}, from {issued_at} until {expires_at}");
    let rows = match format {
        print::Format::Json => json!({
            "federation": federation.to_string(),
            "version": version,
            "issued_at": issued_at.to_string(),
            "expires_at": expires_at.to_string(),
            "parties": rows,
        }),
        print::Format::Table | print::Format::Jsonl | print::Format::Csv => Value::Array(rows),
    };
    Done::of(format, &rows).with([head])
}
