//! What was written in `node.toml` → what can run. Every mistake is reported at once; secrets stand
//! there as paths, never as values. Paths are relative to the file.

use std::path::{Path, PathBuf};

use accord_proto::{
    limits::STORE_FREE_BYTES_MIN,
    reason::{Invalid, Reason},
    transport::TlsFiles,
};
use serde::Deserialize;

use crate::{
    notify::{self, RawNotify},
    summary::DEFAULT_CEILING,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    node: RawNode,
    exchange: RawListener,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawListener {
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
    /// Where the coordinator calls.
    pub exchange: Listener,
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

    /// Reads the text of a `node.toml` that stands in `home`.
    pub fn parse(text: &str, home: &Path) -> Result<Self, Invalid> {
        let raw: RawConfig = toml::from_str(text)
            .map_err(|error| Invalid::new(Reason::FieldInvalid, "node.toml", error.to_string()))?;
        let RawConfig { node, exchange, desk, tls, seal, roster, lists, release, notify } = raw;
        let mut mistakes: Vec<_> =
            [("exchange.listen", &exchange.listen), ("desk.listen", &desk.listen)]
                .into_iter()
                .filter(|(_, listen)| listen.parse::<std::net::SocketAddr>().is_err())
                .map(|(field, listen)| {
                    format!("{field}: \"{listen}\" is not address:port, like 0.0.0.0:7101")
                })
                .chain(
                    (exchange.listen == desk.listen)
                        .then(|| "exchange.listen and desk.listen are the same".to_owned()),
                )
                .collect();
        let notify = notify.checked(home, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(Invalid::new(Reason::FieldInvalid, "node.toml", mistakes.join("; ")));
        }
        let named = |path: PathBuf| (path != PathBuf::new()).then(|| home.join(path));
        Ok(Self {
            data: home.join(node.data),
            policy: home.join(node.policy),
            policy_secret: node.policy_secret.map(|secret| home.join(secret)),
            free_bytes_min: node.free_bytes_min,
            classification_ceiling: node.classification_ceiling,
            exchange: Listener { listen: exchange.listen, reflection: exchange.reflection },
            desk: Listener { listen: desk.listen, reflection: desk.reflection },
            staff_ca: home.join(desk.ca),
            staff_crl: named(desk.crl),
            tls: TlsFiles {
                certificate: home.join(tls.certificate),
                key: home.join(tls.key),
                ca: home.join(tls.ca),
                crl: named(tls.crl),
            },
            seal_key: home.join(seal.key),
            roster: home.join(roster.file),
            root: home.join(roster.root),
            by_hand: release.by_hand,
            notify,
            lists: named(lists.folder),
        })
    }
}
