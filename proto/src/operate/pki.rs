//! The `pki` commands of both programs: keys, requests, certificates, revocation lists, all from files. Comes in: what an
//! operator has typed. Goes out: files, and what is said of them.
//!
//! Small on purpose: an authority here knows no database of what it has signed. What it has revoked stands in its list.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rcgen::{KeyPair, PublicKeyData as _};
use serde_json::{Value, json};

mod authority;
mod request;
mod revoke;
mod rotate;
mod show;
#[cfg(test)]
mod tests;

pub use authority::{Ca, Issued};
pub use request::Request;
pub use revoke::Revoked;

use super::{Around, Done, Printed, files, pem};
use crate::{
    identity::Identity,
    print,
    reason::{Invalid, Reason},
    roster,
    seal::{Digest, SecretKey},
    transport::read_secret,
};

/// Keys, certificates and revocation lists; everything works on files, on a computer without a network.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// A certificate authority: ca.key (mode 0600) and ca.crt. The federation's and each organisation's own for its staff.
    #[command(
        after_help = "Examples:\n  pki authority --name \"wb6 federation\" --out federation\n  pki authority --name \"mk-police staff\" --days 730 --out staff-ca"
    )]
    Authority(Authority),
    /// A key and a certificate request of a service or a person: tls.key (mode 0600) and tls.csr. Only the request travels.
    #[command(
        after_help = "Examples:\n  pki request --uri spiffe://wb6.example/MK/node/mk-police/node --out keys\n  pki request --uri spiffe://wb6.example/MK/node/mk-police/node --key keys/tls.key --out renewal\n  pki request --uri spiffe://wb6.example/MK/staff/ana/releaser --out ana --server spiffe://wb6.example/MK/node/mk-police/node --address desk.example:7201"
    )]
    Request(Ask),
    /// Sign a request as an authority, after making sure who asks and that the URI is theirs.
    #[command(
        after_help = "Example:\n  pki sign mk.csr --uri spiffe://wb6.example/MK/node/mk-police/node --ca ca.crt --ca-key ca.key --out mk.crt"
    )]
    Sign(Sign),
    /// Put certificates on an authority's revocation list; without one, the same list with a new date.
    #[command(
        after_help = "Examples:\n  pki revoke --ca ca.crt --ca-key ca.key --crl ca.crl lost.crt\n  pki revoke --ca ca.crt --ca-key ca.key --crl ca.crl --next-days 7"
    )]
    Revoke(Revoke),
    /// A new key in the place of one that is in use: first beside it, with a request; then, signed and known, in its place.
    #[command(
        after_help = "Examples:\n  pki rotate keys                # keys/tls.key.next and keys/tls.csr.next\n  pki rotate keys --finish --roster roster.signed --root root.pub"
    )]
    Rotate(Rotate),
    /// What certificates, requests, revocation lists and keys say.
    #[command(after_help = "Example:\n  pki show keys/tls.crt keys/ca.crt keys/ca.crl -o json")]
    Show(Show),
    /// An Ed25519 key (mode 0600) with its public half beside it: of the root, an authority, a coordinator.
    #[command(after_help = "Example:\n  pki keys --out root.key     # and root.pub")]
    Keys(Keys),
}

/// A new authority.
#[derive(Clone, Debug, Args)]
pub struct Authority {
    /// What it is called.
    #[arg(long)]
    name: String,
    /// Folder of its two files; nothing in it is overwritten.
    #[arg(long)]
    out: PathBuf,
    /// Days that it is valid.
    #[arg(long, default_value_t = 1825)]
    days: i64,
    #[command(flatten)]
    printed: Printed,
}

/// A new request.
#[derive(Clone, Debug, Args)]
pub struct Ask {
    /// Who asks.
    #[arg(
        long,
        help = "Who asks: spiffe://<federation>/<jurisdiction or REGION>/<node|staff>/<name>/<role>"
    )]
    uri: String,
    /// Folder of the files; nothing in it is overwritten.
    #[arg(long)]
    out: PathBuf,
    /// A key that is there already, instead of a new one.
    #[arg(long)]
    key: Option<PathBuf>,
    /// For a person: the URI of the service to call; writes client.toml.
    #[arg(long, requires = "address")]
    server: Option<String>,
    /// For a person: host:port of that service.
    #[arg(long, requires = "server")]
    address: Option<String>,
    #[command(flatten)]
    printed: Printed,
}

/// The key of an authority.
#[derive(Clone, Debug, Args)]
struct CaFiles {
    /// The authority's certificate; of several in the file, the one of the key.
    #[arg(long)]
    ca: PathBuf,
    /// The authority's key, PEM, mode 0600.
    #[arg(long)]
    ca_key: PathBuf,
}

/// Signing a request.
#[derive(Clone, Debug, Args)]
pub struct Sign {
    /// The request.
    request: PathBuf,
    #[command(flatten)]
    ca: CaFiles,
    /// Who it must be; a request of anybody else is refused.
    #[arg(long)]
    uri: String,
    /// Days that the certificate is valid: 365 of a service and 90 of a person, if left out.
    #[arg(long)]
    days: Option<i64>,
    /// The certificate; must not exist.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    printed: Printed,
}

/// Revoking certificates.
#[derive(Clone, Debug, Args)]
pub struct Revoke {
    /// Certificates that count no more.
    certificates: Vec<PathBuf>,
    #[command(flatten)]
    ca: CaFiles,
    /// The list; made if it is not there, else replaced by one that goes on from it.
    #[arg(long)]
    crl: PathBuf,
    /// Days until the next list is due; a day later services admit nobody.
    #[arg(long, default_value_t = 7)]
    next_days: i64,
    #[command(flatten)]
    printed: Printed,
}

/// Replacing a key.
#[derive(Clone, Debug, Args)]
pub struct Rotate {
    /// The folder that holds tls.key and tls.crt.
    dir: PathBuf,
    /// Put tls.key.next and tls.crt.next in their place.
    #[arg(long)]
    finish: bool,
    /// For a service: the roster that lists the new key.
    #[arg(long, requires = "finish")]
    roster: Option<PathBuf>,
    /// The federation root's public key.
    #[arg(long, requires = "finish")]
    root: Option<PathBuf>,
    /// Authorities, one of which has signed the new certificate; of a service, ca.crt beside it if left out.
    #[arg(long, requires = "finish")]
    ca: Option<PathBuf>,
    /// Folder of the federation's own code lists, if members stand there.
    #[arg(long, requires = "finish")]
    lists: Option<PathBuf>,
    #[command(flatten)]
    printed: Printed,
}

/// Looking at files.
#[derive(Clone, Debug, Args)]
pub struct Show {
    /// What to look at.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    printed: Printed,
}

/// A new Ed25519 key.
#[derive(Clone, Debug, Args)]
pub struct Keys {
    /// The key's file, like root.key; must not exist. Its public half is written beside it, like root.pub.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    printed: Printed,
}

/// Does one of them.
pub fn run(command: Command, around: Around<'_>) -> Result<Done, Invalid> {
    match command {
        Command::Authority(wanted) => authority(&wanted, around),
        Command::Request(wanted) => request(&wanted),
        Command::Sign(wanted) => sign(&wanted, around),
        Command::Revoke(wanted) => revoke(&wanted, around),
        Command::Rotate(wanted) => rotate(&wanted, around),
        Command::Show(Show { files, printed }) => {
            let now = around.clock.now();
            let rows = files.iter().map(|file| show::rows(file, now));
            let mut rows = rows.collect::<Result<Vec<_>, _>>()?.concat();
            // One thing fits a screen better with a line for each word.
            let alone = rows.len() == 1 && printed.format == print::Format::Table;
            let rows = if alone { rows.remove(0) } else { Value::Array(rows) };
            Ok(Done::of(printed.format, &rows))
        }
        Command::Keys(Keys { out, printed }) => {
            let (key, public) = new_key(&out, around)?;
            let said = json!({"key": path(&out), "public": path(&public), "public_key": key});
            Ok(Done::of(printed.format, &said))
        }
    }
}

fn authority(wanted: &Authority, around: Around<'_>) -> Result<Done, Invalid> {
    let Authority { name, out, days, printed } = wanted;
    let (certificate, key) = (out.join("ca.crt"), out.join("ca.key"));
    [&certificate, &key].into_iter().try_for_each(|path| files::check_new(path))?;
    let (certificate_pem, key_pem) = Ca::make(name, *days, around)?;
    files::make_dir(out)?;
    files::write_new_secret(&key, &key_pem)?;
    files::write_new(&certificate, certificate_pem.as_bytes())?;
    let said = json!({"key": path(&key), "certificate": path(&certificate), "days": days});
    let remark = "keep the key offline; whoever has it makes certificates that others believe";
    Ok(Done::of(printed.format, &said).with([remark.to_owned()]))
}

fn request(wanted: &Ask) -> Result<Done, Invalid> {
    let Ask { uri, out, key, server, address, printed } = wanted;
    let identity = Identity::parse(uri).map_err(|error| at("--uri", error))?;
    let client = server.as_ref().zip(address.as_ref());
    let client = client.map(|(server, address)| client_file(&identity, server, address));
    let client = client.transpose()?;
    let file = out.join("client.toml");
    if client.is_some() {
        files::check_new(&file)?;
    }
    files::make_dir(out)?;
    let made = request_in(out, key.as_deref(), &identity)?;
    let mut said = made.said(&identity);
    if let Some(text) = client {
        files::write_new(&file, text.as_bytes())?;
        said["client"] = json!(path(&file));
    }
    Ok(Done::of(printed.format, &said))
}

/// A request and its key, in files.
pub(super) struct Made {
    pub(super) request: PathBuf,
    pub(super) key: PathBuf,
    pub(super) spki: Digest,
}

impl Made {
    fn said(&self, identity: &Identity) -> Value {
        json!({
            "request": path(&self.request),
            "key": path(&self.key),
            "who": identity.to_string(),
            "key_sha256": self.spki.to_string(),
        })
    }
}

/// A request in a folder, for a new key there or for one that is there already. The same request is not written twice.
pub(super) fn request_in(
    dir: &Path,
    known: Option<&Path>,
    identity: &Identity,
) -> Result<Made, Invalid> {
    let (file, new) = (dir.join("tls.csr"), dir.join("tls.key"));
    let (key, key_file) = match known {
        Some(known) => {
            let unread = |_| files::unusable(known, "holds no private key in PEM form");
            (KeyPair::from_pem(&read_secret(known)?).map_err(unread)?, known.to_owned())
        }
        None => {
            files::check_new(&file)?;
            let exists = |error| Invalid { detail: hint(), ..error };
            files::check_new(&new).map_err(exists)?;
            let key = KeyPair::generate().map_err(authority::failed)?;
            files::write_new_secret(&new, &key.serialize_pem())?;
            (key, new)
        }
    };
    let spki = key.subject_public_key_info();
    let digest = Digest::of(&spki);
    let asked = Request { identity: identity.clone(), spki };
    let stands = file.exists() && Request::read(&files::read(&file)?).as_ref() == Ok(&asked);
    if !stands {
        files::write_new(&file, Request::write(identity, &key)?.as_bytes())?;
    }
    Ok(Made { request: file, key: key_file, spki: digest })
}

fn hint() -> String {
    "exists already; for a request of the same key give --key, for a new key see pki rotate"
        .to_owned()
}

/// A person's client file.
fn client_file(person: &Identity, server: &str, address: &str) -> Result<String, Invalid> {
    let service = Identity::parse(server).map_err(|error| at("--server", error))?;
    if !person.role.is_staff() || service.role.is_staff() {
        let detail = "a client file is for a person who calls a service";
        return Err(Invalid::new(Reason::FieldInvalid, "--server", detail));
    }
    if !roster::is_address(address) {
        return Err(Invalid::new(Reason::FieldInvalid, "--address", "is not host:port"));
    }
    let address = toml::Value::from(address);
    Ok(format!(
        "# Whom to talk to, and as whom. Paths are relative to this file.\n\
         server = \"{service}\"\naddress = {address}\n\
         certificate = \"tls.crt\"\nkey = \"tls.key\"\n\
         # The federation's CA, to check the server; not the one that signed tls.crt.\nca = \"ca.crt\"\n"
    ))
}

fn sign(wanted: &Sign, around: Around<'_>) -> Result<Done, Invalid> {
    let Sign { request, ca, uri, days, out, printed } = wanted;
    let expected = Identity::parse(uri).map_err(|error| at("--uri", error))?;
    files::check_new(out)?;
    let named = |error: Invalid| at(&path(request), error);
    let asked = Request::read(&files::read(request)?).map_err(named)?;
    let days = days.unwrap_or(if expected.role.is_staff() { 90 } else { 365 });
    let ca = Ca::load(&ca.ca, &ca.ca_key, around.clock.now())?;
    let issued = ca.sign(&asked, &expected, days, around)?;
    files::write_new(out, issued.certificate_pem.as_bytes())?;
    let said = json!({
        "certificate": path(out),
        "who": issued.peer.identity.to_string(),
        "until": issued.ends.to_string(),
        "key_sha256": issued.peer.spki.to_string(),
    });
    Ok(Done::of(printed.format, &said))
}

fn revoke(wanted: &Revoke, around: Around<'_>) -> Result<Done, Invalid> {
    let Revoke { certificates, ca, crl, next_days, printed } = wanted;
    let now = around.clock.now();
    let ca = Ca::load(&ca.ca, &ca.ca_key, now)?;
    let known = if crl.exists() { Some(files::read(crl)?) } else { None };
    let mut revoked = Vec::new();
    for file in certificates {
        let wrong = |what: &str| files::unusable(file, what);
        let chain = pem::certificates(&files::read(file)?).map_err(wrong)?;
        // Behind it may stand authorities between it and the one that is trusted.
        revoked.extend(chain.into_iter().take(1));
    }
    let made = ca.revoke(known.as_deref(), &revoked, *next_days, now)?;
    files::replace(crl, made.pem.as_bytes())?;
    let said = json!({
        "crl": path(crl),
        "number": made.number,
        "revoked": made.entries,
        "new": made.added,
        "next_due": made.next.to_string(),
    });
    Ok(Done::of(printed.format, &said))
}

fn rotate(wanted: &Rotate, around: Around<'_>) -> Result<Done, Invalid> {
    let Rotate { dir, finish, roster, root, ca, lists, printed } = wanted;
    let rotation = rotate::Rotation::of(dir);
    let [roster, root, ca, lists] = [roster, root, ca, lists].map(|path| path.as_deref());
    let ((identity, key), remark) = if *finish {
        let knowing = rotate::Knowing { roster, root, lists, ca };
        let done = rotation.finish(&knowing, around.clock.now())?;
        (done, "in place; a service takes it in within seconds".to_owned())
    } else {
        let begun = rotation.begin()?;
        let next = if begun.0.role.is_staff() {
            "your organisation's CA signs it"
        } else {
            "the federation's CA signs it, and the next roster lists this key beside the old one"
        };
        let request = path(&rotation.request);
        (
            begun,
            format!(
                "{request}: {next}; put the certificate beside it as tls.crt.next, then --finish"
            ),
        )
    };
    let said = json!({"who": identity.to_string(), "key_sha256": key.to_string()});
    Ok(Done::of(printed.format, &said).with([remark]))
}

/// An Ed25519 key, and its public half beside it. Neither may be there.
fn new_key(file: &Path, around: Around<'_>) -> Result<(String, PathBuf), Invalid> {
    let public = public_of(file);
    [file, &public].into_iter().try_for_each(files::check_new)?;
    if let Some(dir) = file.parent() {
        files::make_dir(dir)?;
    }
    let key = SecretKey::generate(around.entropy)?;
    files::write_new_secret(file, &key.to_pem()?)?;
    let text = hex::encode(key.public().to_bytes());
    files::write_new(&public, format!("{text}\n").as_bytes())?;
    Ok((text, public))
}

/// Where the public half of a key stands: root.pub of root.key.
pub(super) fn public_of(file: &Path) -> PathBuf {
    if file.extension().is_some_and(|ending| ending == "key") {
        file.with_extension("pub")
    } else {
        files::beside(file, ".pub")
    }
}

fn at(field: &str, error: Invalid) -> Invalid {
    Invalid { field: field.to_owned(), ..error }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
