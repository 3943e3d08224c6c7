//! What keeps a service from running well, with cause and fix. Comes in: files, the network, a clock. Goes out: findings for people and
//! programs. Must never change anything, nor print content or a secret.

mod running;

use std::{net::SocketAddr, path::Path};

use serde_json::{Value, json};
use tokio::net::{TcpStream, lookup_host};

use super::{document::Mistakes, files};
use crate::{
    at_rest::{KeyId, Keys},
    clock::Timestamp,
    limits::{CLOCK_SKEW_S, CONNECT_TIMEOUT},
    reason::{Invalid, Reason},
    roster::Roster,
    seal::PublicKey,
    taxonomy::Lists,
    transport::{
        Credentials, Expected, Peer, TlsFiles,
        connection::connect,
        pinned::{endings, listed},
        read_secret,
    },
};

pub(super) use running::plain;
pub use running::{ask, running};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing to do.
    Well,
    /// Could not be looked at now.
    Skipped,
    /// Will be a fault soon.
    Warning,
    /// It keeps the service from working.
    Fault,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Fault => "FAULT",
        }
    }
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How bad it is.
    pub state: State,
    /// What was found: of a fault, its cause.
    pub found: String,
    /// What to do; empty where there is nothing to do.
    pub fix: String,
}

/// All that was looked at.
#[derive(Clone, Debug, Default)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    fn push(&mut self, check: &str, state: State, found: impl Into<String>, fix: &str) {
        let (check, found, fix) = (check.to_owned(), found.into(), fix.to_owned());
        self.0.push(Finding { check, state, found, fix });
    }

    /// Nothing to do.
    pub fn well(&mut self, check: &str, found: impl Into<String>) {
        self.push(check, State::Well, found, "");
    }

    /// Could not be looked at.
    pub fn skipped(&mut self, check: &str, why: impl Into<String>) {
        self.push(check, State::Skipped, why, "");
    }

    /// Will be a fault soon.
    pub fn warning(&mut self, check: &str, found: impl Into<String>, fix: &str) {
        self.push(check, State::Warning, found, fix);
    }

    /// Keeps the service from working.
    pub fn fault(&mut self, check: &str, found: impl Into<String>, fix: &str) {
        self.push(check, State::Fault, found, fix);
    }

    /// What came of looking: its value, if all is well.
    pub fn looked<T>(
        &mut self,
        check: &str,
        looked: Result<T, Invalid>,
        (well, fix): (&str, &str),
    ) -> Option<T> {
        match looked {
            Ok(value) => {
                self.well(check, well);
                Some(value)
            }
            Err(error) => {
                self.fault(check, error.to_string(), fix);
                None
            }
        }
    }

    /// Is there a fault?
    pub fn is_well(&self) -> bool {
        self.0.iter().all(|finding| finding.state != State::Fault)
    }

    /// For people and programs.
    pub fn rows(&self) -> Value {
        let row = |of: &Finding| json!({"check": of.check, "state": of.state.name(), "found": of.found, "fix": of.fix});
        Value::Array(self.0.iter().map(row).collect())
    }

    /// One line: how many of each.
    pub fn summary(&self) -> String {
        let count = |state| self.0.iter().filter(|finding| finding.state == state).count();
        let (faults, warnings) = (count(State::Fault), count(State::Warning));
        format!("{} looked at, {faults} faults, {warnings} warnings", self.0.len())
    }
}

/// The configuration itself.
pub fn configuration<C>(
    findings: &mut Findings,
    path: &Path,
    read: impl Fn(&str) -> Result<C, Mistakes>,
) -> Option<C> {
    let name = path.display().to_string();
    let text = match files::read_text(path) {
        Ok(text) => text,
        Err(error) => {
            let fix = "say where it lies: --config FILE; `init` makes one";
            findings.fault("config", error.to_string(), fix);
            return None;
        }
    };
    match read(&text) {
        Ok(config) => {
            findings.well("config", name);
            Some(config)
        }
        Err(mistakes) => {
            for mistake in mistakes.iter() {
                findings.fault("config", format!("{name}:{mistake}"), "mend this line");
            }
            None
        }
    }
}

/// A file that nobody else may read.
pub fn secret(findings: &mut Findings, check: &str, path: &Path) -> Option<String> {
    let fix = "chmod 600, and the service's own user as its owner";
    findings.looked(check, read_secret(path), ("readable by its owner only", fix))
}

/// The keys that a store in a folder is sealed with; none: they cannot be read, and the store not either.
pub fn store_keys(findings: &mut Findings, path: Option<&Path>, data: &Path) -> Option<Keys> {
    const CHECK: &str = "store key";
    let Some(path) = path else {
        findings.well(CHECK, "none is named: the store is as closed as its disk");
        return Some(Keys::none());
    };
    let fix = "chmod 600, the service's own user as its owner; a file that is lost comes from its copy: `store-key` makes new ones only";
    let keys = Keys::load(Some(path));
    let keys = findings.looked(CHECK, keys, ("readable by its owner only, and whole", fix))?;
    let inside =
        |path: &Path| Some(path.canonicalize().ok()?.starts_with(data.canonicalize().ok()?));
    if inside(path) == Some(true) {
        let found = format!("{} lies in the data folder: who copies one has both", path.display());
        findings.warning(CHECK, found, "move it elsewhere and name it there: [store] key");
    }
    Some(keys)
}

/// Is a store that was opened under the first of its keys?
pub fn rotated(findings: &mut Findings, keys: &Keys, key: Option<KeyId>) {
    if keys.first() != key {
        let found = "it is not sealed with the first key of the file yet";
        findings.warning("store key", found, "stop the service and run `rekey`");
    }
}

/// What to do about a store that does not open.
pub fn fix_of_store(error: &Invalid) -> &'static str {
    // It lies in the configuration, not in the store.
    if error.reason == Reason::FieldInvalid {
        return "put the store's keys in their place ([store] key); without the right one only a backup helps";
    }
    "see \"When a store is damaged or old\" on the operator's page"
}

/// Certificate, authority and revocation lists of a service; `staff` is the authority of its staff, and its list.
pub fn certificate(
    findings: &mut Findings,
    files: &TlsFiles,
    staff: (&Path, Option<&Path>),
    now: Timestamp,
) -> Option<Credentials> {
    const REQUEST: &str =
        "make a request with one URI name and have it signed: `pki request`, `pki sign`";
    let credentials = match Credentials::load(files) {
        Ok(credentials) => credentials,
        Err(error) if error.reason == Reason::CertificateIdentity => {
            findings.fault("certificate", error.to_string(), REQUEST);
            return None;
        }
        Err(error) => {
            let fix = "look at the files that [tls] names: certificate, key, ca, crl";
            findings.fault("certificate", error.to_string(), fix);
            return None;
        }
    };
    let for_staff = credentials.admitting(staff.0, staff.1);
    let for_staff = match for_staff {
        Ok(credentials) => credentials,
        Err(error) => {
            let fix = "look at the authority of your staff, and at its revocation list";
            findings.fault("staff authority", error.to_string(), fix);
            credentials.clone()
        }
    };
    findings.well("identity", credentials.own().identity.to_string());
    let (own, staff) = (credentials.examine(now), for_staff.examine(now));
    let mut told = |check, found, fix| match found {
        Ok(found) => findings.well(check, found),
        Err(found) => findings.fault(check, found, fix),
    };
    told(
        "certificate",
        own.validity,
        "renew it (`pki request --key`, `pki sign`), or set the clock",
    );
    told(
        "authority",
        own.authority,
        "put the federation's authority into [tls] ca; ask whoever runs it",
    );
    let fresh = "get the newest list from whoever runs the authority and put it in its place";
    told("revocation", own.revocation.and(staff.revocation), fresh);
    Some(credentials)
}

/// The roster: whose, current, no older than one `seen`; and whether others will know this service by it.
pub fn roster(
    findings: &mut Findings,
    (file, root): (&Path, &Path),
    (own, key): (Option<&Peer>, Option<&PublicKey>),
    (lists, seen, now): (&Lists, u64, Timestamp),
) -> Option<Roster> {
    const GET: &str =
        "get the newest roster, and root.pub by another way, from the federation's root";
    const SEND: &str = "send this service's certificate and its key's public half to the root";
    let read = || {
        let root = PublicKey::from_hex("roster.root", &files::read_text(root)?)?;
        let read = Roster::read(("roster", &files::read(file)?), &root, lists, seen, now);
        read.map(|(roster, _)| roster)
    };
    let roster = findings.looked("roster", read(), ("signed by the root, and not expired", GET))?;
    if let (Some(own), Some(key)) = (own, key) {
        let well = "the roster lists certificate and key";
        findings.looked("member", listed(&roster, own, key), (well, SEND));
    }
    Some(roster)
}

/// What will have to be replaced.
pub fn endings_of(
    findings: &mut Findings,
    credentials: &[&Credentials],
    roster: &Roster,
    now: Timestamp,
) {
    for ending in endings(roster, credentials) {
        let days = ending.days_left(now);
        if ending.ends > now && ending.stage(now).is_some() {
            let found = format!("{} ends on {}, in {days} days", ending.what, ending.ends);
            findings.warning(
                "ends soon",
                found,
                "replace it in time; the service takes it in while it runs",
            );
        }
    }
}

/// A clock that is behind what others have signed, or off from theirs.
pub fn clock(findings: &mut Findings, roster: &Roster, offsets: &[(String, f64)], now: Timestamp) {
    const SET: &str = "set the clock (NTP): documents are refused by their times";
    if now.plus_s(CLOCK_SKEW_S) < roster.issued_at {
        let found = format!("it is {now} here, and the roster was made on {}", roster.issued_at);
        return findings.fault("clock", found, SET);
    }
    let tolerated = f64::from(i32::try_from(CLOCK_SKEW_S).unwrap_or(i32::MAX));
    let mut off = offsets.iter().filter(|(_, offset)| offset.abs() > tolerated).peekable();
    if off.peek().is_none() {
        let heard = offsets.len();
        return findings.well("clock", format!("{now}; as others say, of whom {heard} were heard"));
    }
    for (peer, offset) in off {
        let found = format!("{peer}'s clock is {offset:+.1} s from the one here");
        findings.fault("clock", found, SET);
    }
}

/// Room on the disk of a folder.
pub fn disk(findings: &mut Findings, folder: &Path, free_bytes_min: u64) {
    let there = folder.ancestors().find(|folder| folder.exists());
    let Some(free) = there.and_then(free_bytes) else {
        let found = format!("{} cannot be looked at", folder.display());
        return findings.fault("disk", found, "make the folder, for the service's own user");
    };
    let (mib, least) = (free >> 20, free_bytes_min >> 20);
    let found = format!("{mib} MiB free on the disk of {}; {least} MiB are kept", folder.display());
    let fix = "make room there, or move the store to a disk of its own";
    match free {
        free if free < free_bytes_min => findings.fault("disk", found, fix),
        free if free < free_bytes_min.saturating_mul(4) => findings.warning("disk", found, fix),
        _ => findings.well("disk", found),
    }
}

/// Room on the disk of a folder, in bytes.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Is this the user whose folder it is? Whoever else opens a store leaves files in it that the service cannot read.
pub fn owned(findings: &mut Findings, check: &str, folder: &Path) -> bool {
    match files::other_owner(folder, files::me()) {
        Ok(None) => true,
        Ok(Some(owner)) => {
            let found = format!("{} belongs to user {owner}: run as that one", folder.display());
            findings.skipped(check, found);
            false
        }
        Err(error) => {
            let found = format!("{}: {error}", folder.display());
            findings.fault(check, found, "mount its disk, or give it to the service's own user");
            false
        }
    }
}

/// May this process write there? Makes a file without a name, which is gone at once.
pub fn writable(findings: &mut Findings, check: &str, folder: &Path) -> bool {
    let fix = "give the folder to the service's own user, mode 0700; mount it for writing";
    match tempfile_in(folder) {
        Ok(()) => {
            findings.well(check, format!("{} can be written", folder.display()));
            true
        }
        Err(error) => {
            findings.fault(check, format!("{} cannot be written: {error}", folder.display()), fix);
            false
        }
    }
}

fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR)?;
    Ok(())
}

/// Who is at a port of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Nobody.
    Free,
    /// This very service.
    Ours,
    /// Somebody else, or it cannot be bound.
    Not,
}

/// Can the service listen there? Or does it already?
pub async fn port(
    findings: &mut Findings,
    check: &str,
    at: &str,
    credentials: Option<&Credentials>,
) -> Port {
    let fix = "take another port or address in the configuration, or stop what has it";
    let bound = tokio::net::TcpListener::bind(at).await;
    let error = match bound {
        Ok(_) => {
            let found = format!("{at} is free: the service does not run");
            findings.warning(check, found, "start it, if it should");
            return Port::Free;
        }
        Err(error) => error,
    };
    if error.kind() == std::io::ErrorKind::AddrInUse
        && let Some(credentials) = credentials
    {
        let own = credentials.own();
        let expected = Expected { identity: own.identity, spki: Some(vec![own.spki]) };
        match connect(&reachable(at), credentials, expected).await {
            Ok(_) => {
                findings.well(check, format!("this service serves at {at}"));
                return Port::Ours;
            }
            Err(other) => {
                let found = format!("{at} is taken by something else: {other}");
                findings.fault(check, found, fix);
                return Port::Not;
            }
        }
    }
    if error.kind() == std::io::ErrorKind::AddrInUse {
        findings
            .skipped(check, format!("{at}: without a certificate nobody knows who serves there"));
    } else {
        findings.fault(check, format!("{at}: {error}"), fix);
    }
    Port::Not
}

/// Where somebody on this machine reaches what listens on every address.
fn reachable(at: &str) -> String {
    match at.parse::<SocketAddr>() {
        Ok(at) if at.ip().is_unspecified() && at.is_ipv4() => format!("127.0.0.1:{}", at.port()),
        Ok(at) if at.ip().is_unspecified() => format!("[::1]:{}", at.port()),
        _ => at.to_owned(),
    }
}

/// Can a name be resolved, and is somebody there?
pub async fn reaches(findings: &mut Findings, check: &str, at: &str) -> bool {
    let looked = tokio::time::timeout(CONNECT_TIMEOUT, lookup_host(at)).await;
    let addresses: Vec<_> = match looked {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            findings.fault(
                check,
                format!("{at} has no address: {error}"),
                "look at DNS, or /etc/hosts",
            );
            return false;
        }
        Err(_) => {
            findings.fault(check, format!("{at}: DNS does not answer"), "look at /etc/resolv.conf");
            return false;
        }
    };
    for address in &addresses {
        let tried = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        if matches!(tried, Ok(Ok(_))) {
            findings.well(check, format!("{at} can be reached"));
            return true;
        }
    }
    let fix =
        "ask whoever runs it whether it listens there, and the firewall's people for this port";
    findings.fault(check, format!("{at}: nobody accepts a connection"), fix);
    false
}
