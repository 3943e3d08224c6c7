//! What was written in `node.toml` → what can run. Every mistake is reported at once; secrets stand
//! there as paths, never as values. Paths are relative to the file.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use accord_proto::{
    limits::STORE_FREE_BYTES_MIN,
    operate::{
        document::{self, Mistakes},
        settings::{Log, RawLog, RawOps, RawStore, located},
    },
    reason::{Invalid, Reason},
    transport::{TlsFiles, dial::Way},
};
use serde::Deserialize;

use crate::{
    notify::{self, RawNotify},
    port::Reached,
    summary::DEFAULT_CEILING,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    node: RawNode,
    exchange: RawListener,
    #[serde(default)]
    dial: RawDial,
    desk: RawStaffListener,
    tls: RawTls,
    seal: RawSeal,
    roster: RawRoster,
    #[serde(default)]
    lists: RawLists,
    #[serde(default)]
    release: RawRelease,
    #[serde(default)]
    notify: RawNotify,
    #[serde(default)]
    ops: RawOps,
    #[serde(default)]
    log: RawLog,
    #[serde(default)]
    store: RawStore,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRelease {
    #[serde(default)]
    by_hand: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLists {
    #[serde(default)]
    folder: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    data: PathBuf,
    policy: PathBuf,
    #[serde(default)]
    policy_secret: Option<PathBuf>,
    #[serde(default = "free_bytes_min")]
    free_bytes_min: u64,
    #[serde(default = "classification_ceiling")]
    classification_ceiling: String,
}

fn classification_ceiling() -> String {
    DEFAULT_CEILING.to_owned()
}

fn free_bytes_min() -> u64 {
    STORE_FREE_BYTES_MIN
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDial {
    #[serde(default)]
    coordinator: String,
    #[serde(default)]
    proxy: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawListener {
    #[serde(default)]
    listen: String,
    #[serde(default)]
    reflection: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStaffListener {
    listen: String,
    ca: PathBuf,
    #[serde(default)]
    crl: PathBuf,
    #[serde(default)]
    reflection: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTls {
    certificate: PathBuf,
    key: PathBuf,
    ca: PathBuf,
    #[serde(default)]
    crl: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeal {
    key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoster {
    file: PathBuf,
    root: PathBuf,
}

/// A port of this node.
#[derive(Clone, Debug)]
pub struct Listener {
    /// host:port.
    pub listen: String,
    /// Offer the schema to callers.
    pub reflection: bool,
}

/// What a node needs to run. Who it is stands in its certificate, not here.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the store.
    pub data: PathBuf,
    /// The published policy.
    pub policy: PathBuf,
    /// Its secret part. None: `policy.secret.toml` beside the policy, if there is one, else the floors that are shipped.
    pub policy_secret: Option<PathBuf>,
    /// Below this much free space nothing more is written.
    pub free_bytes_min: u64,
    /// Code of the highest classification that a summary may have here.
    pub classification_ceiling: String,
    /// How the coordinator reaches this node.
    pub exchange: Reached,
    /// Offer it the schema.
    pub exchange_reflection: bool,
    /// Where national staff call.
    pub desk: Listener,
    /// The CA of this node's own staff.
    pub staff_ca: PathBuf,
    /// What that authority has revoked; none: it is not looked at.
    pub staff_crl: Option<PathBuf>,
    /// Certificate, key, CA.
    pub tls: TlsFiles,
    /// The key that seals answers.
    pub seal_key: PathBuf,
    /// The signed roster.
    pub roster: PathBuf,
    /// The federation root's public key, in hexadecimal.
    pub root: PathBuf,
    /// Folder of the federation\'s own code lists.
    pub lists: Option<PathBuf>,
    /// Nothing leaves before two people have looked at it.
    pub by_hand: bool,
    /// Who is told what.
    pub notify: notify::Settings,
    /// Where operators ask how it is doing; none: nowhere.
    pub ops: Option<SocketAddr>,
    /// What is logged, and how.
    pub log: Log,
    /// The file of keys that the store is sealed with; none: it lies bare on its disk.
    pub store_key: Option<PathBuf>,
}

impl Config {
    /// Reads `node.toml`.
    pub fn load(path: &Path) -> Result<Self, Invalid> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Invalid::new(Reason::FieldInvalid, &name, error.to_string()))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new(".")))
            .map_err(|error| Invalid { field: name, ..error })
    }

    /// What is logged, of a file that may have changed.
    pub fn log_of(path: &Path) -> Result<Log, Invalid> {
        Self::load(path).map(|config| config.log)
    }

    /// Reads the text of a `node.toml` that stands in `home`.
    pub fn parse(text: &str, home: &Path) -> Result<Self, Invalid> {
        Self::check(text, home).map_err(|mistakes| {
            Invalid::new(Reason::FieldInvalid, "node.toml", mistakes.to_string())
        })
    }

    /// The same; says every mistake with its line.
    pub fn check(text: &str, home: &Path) -> Result<Self, Mistakes> {
        let raw: RawConfig = document::read(text)?;
        let RawConfig { node, exchange, dial, desk, tls, seal, roster, lists, .. } = raw;
        let RawConfig { release, notify, ops, log, store, .. } = raw;
        let mut mistakes = Mistakes::default();
        let reached = reached(&exchange.listen, &dial, &mut mistakes);
        check_address("desk.listen", &desk.listen, &mut mistakes);
        if exchange.listen == desk.listen {
            mistakes.push("desk.listen", "is the same as exchange.listen");
        }
        let notify = notify.checked(home, &mut mistakes);
        let (ops, log) = (ops.checked(&mut mistakes), log.checked(&mut mistakes));
        if ops.is_some_and(|ops| [&exchange.listen, &desk.listen].contains(&&ops.to_string())) {
            mistakes.push("ops.listen", "is the same as exchange.listen or desk.listen");
        }
        let Some(reached) = reached.filter(|_| mistakes.is_empty()) else {
            return Err(mistakes.placed(text));
        };
        let named = |path: PathBuf| (path != PathBuf::new()).then(|| located(home, &path));
        Ok(Self {
            data: located(home, &node.data),
            policy: located(home, &node.policy),
            policy_secret: node.policy_secret.map(|secret| located(home, &secret)),
            free_bytes_min: node.free_bytes_min,
            classification_ceiling: node.classification_ceiling,
            exchange: reached,
            exchange_reflection: exchange.reflection,
            desk: Listener { listen: desk.listen, reflection: desk.reflection },
            staff_ca: located(home, &desk.ca),
            staff_crl: named(desk.crl),
            tls: TlsFiles {
                certificate: located(home, &tls.certificate),
                key: located(home, &tls.key),
                ca: located(home, &tls.ca),
                crl: named(tls.crl),
            },
            seal_key: located(home, &seal.key),
            roster: located(home, &roster.file),
            root: located(home, &roster.root),
            by_hand: release.by_hand,
            notify,
            ops,
            log,
            store_key: store.key(home),
            lists: named(lists.folder),
        })
    }
}

/// It listens or it dials: never both, never neither.
fn reached(listen: &str, dial: &RawDial, mistakes: &mut Mistakes) -> Option<Reached> {
    let RawDial { coordinator, proxy } = dial;
    if coordinator.is_empty() && proxy.is_empty() {
        check_address("exchange.listen", listen, mistakes);
        return Some(Reached::At(listen.to_owned()));
    }
    if !listen.is_empty() {
        mistakes.push("exchange.listen", "a node listens or dials: dial.coordinator is set, too");
    }
    let way = Way::parse(coordinator, proxy);
    way.map(Reached::Dialling).map_err(|error| mistakes.push(&error.field, error.detail)).ok()
}

fn check_address(field: &str, listen: &str, mistakes: &mut Mistakes) {
    if listen.parse::<std::net::SocketAddr>().is_err() {
        mistakes.push(field, format!("\"{listen}\" is not address:port, like 0.0.0.0:7101"));
    }
}
