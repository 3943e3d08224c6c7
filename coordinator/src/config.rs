//! What was written in `coordinator.toml` → what can run. Secrets stand there as paths, never as values.
//! Paths are relative to the file.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use accord_proto::{
    limits::{
        CALL_TIMEOUT, COLLECT_PAUSE_MAX, NODE_CALL_DEADLINE, STANDING_EVERY_MAX,
        STORE_FREE_BYTES_MIN,
    },
    operate::{
        document::{self, Mistakes},
        settings::{Log, RawLog, RawOps, RawStore, located},
    },
    reason::{Invalid, Reason},
    transport::TlsFiles,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    coordinator: RawCoordinator,
    region: RawListener,
    #[serde(default)]
    dial: RawDial,
    tls: RawTls,
    sign: RawSign,
    roster: RawRoster,
    #[serde(default)]
    gate: RawGate,
    #[serde(default)]
    lists: RawLists,
    #[serde(default)]
    ops: RawOps,
    #[serde(default)]
    log: RawLog,
    #[serde(default)]
    store: RawStore,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDial {
    #[serde(default)]
    listen: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGate {
    #[serde(default)]
    policy: PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLists {
    #[serde(default)]
    folder: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCoordinator {
    data: PathBuf,
    #[serde(default = "free_bytes_min")]
    free_bytes_min: u64,
    #[serde(default = "call_deadline_ms")]
    call_deadline_ms: u64,
    #[serde(default = "standing_every_s")]
    standing_every_s: u64,
    #[serde(default = "retry_s")]
    retry_s: u64,
}

impl RawCoordinator {
    fn check_times(&self, mistakes: &mut Mistakes) {
        let call_deadline = Duration::from_millis(self.call_deadline_ms);
        if call_deadline.is_zero() || call_deadline > CALL_TIMEOUT {
            let most = CALL_TIMEOUT.as_millis();
            mistakes.push("coordinator.call_deadline_ms", format!("must be from 1 to {most}"));
        }
        if !(1..=STANDING_EVERY_MAX.as_secs()).contains(&self.standing_every_s) {
            let most = STANDING_EVERY_MAX.as_secs();
            mistakes.push("coordinator.standing_every_s", format!("must be from 1 to {most}"));
        }
        if !(1..=COLLECT_PAUSE_MAX.as_secs()).contains(&self.retry_s) {
            let most = COLLECT_PAUSE_MAX.as_secs();
            mistakes.push("coordinator.retry_s", format!("must be from 1 to {most}"));
        }
    }
}

fn retry_s() -> u64 {
    30
}

fn free_bytes_min() -> u64 {
    STORE_FREE_BYTES_MIN
}

fn standing_every_s() -> u64 {
    300
}

fn call_deadline_ms() -> u64 {
    u64::try_from(NODE_CALL_DEADLINE.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawListener {
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
struct RawSign {
    key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoster {
    file: PathBuf,
    root: PathBuf,
}

/// What a coordinator needs to run. Who it is stands in its certificate, not here.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the archive.
    pub data: PathBuf,
    /// Below this much free space nothing more is written.
    pub free_bytes_min: u64,
    /// Bound of one call to a node.
    pub call_deadline: Duration,
    /// How often members are asked whether their answers still stand.
    pub standing_every: Duration,
    /// Shortest pause before a member that was away is asked again.
    pub retry: Duration,
    /// host:port where regional staff call.
    pub listen: String,
    /// host:port where members connect that nobody can call; none: no member dials in.
    pub dial: Option<String>,
    /// The CA of regional staff.
    pub staff_ca: PathBuf,
    /// What that authority has revoked; none: it is not looked at.
    pub staff_crl: Option<PathBuf>,
    /// Offer the schema to callers.
    pub reflection: bool,
    /// Certificate, key, CA.
    pub tls: TlsFiles,
    /// The key that signs pictures.
    pub sign_key: PathBuf,
    /// The signed roster.
    pub roster: PathBuf,
    /// The federation root's public key, in hexadecimal.
    pub root: PathBuf,
    /// The gate's secret parameters; none: what is shipped.
    pub gate: Option<PathBuf>,
    /// Folder of the federation\'s own code lists.
    pub lists: Option<PathBuf>,
    /// Where operators ask how it is doing; none: nowhere.
    pub ops: Option<SocketAddr>,
    /// What is logged, and how.
    pub log: Log,
    /// The file of keys that the store is sealed with; none: it lies bare on its disk.
    pub store_key: Option<PathBuf>,
}

impl Config {
    /// Reads `coordinator.toml`.
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

    /// Reads the text of a `coordinator.toml` that stands in `home`.
    pub fn parse(text: &str, home: &Path) -> Result<Self, Invalid> {
        Self::check(text, home).map_err(|mistakes| {
            Invalid::new(Reason::FieldInvalid, "coordinator.toml", mistakes.to_string())
        })
    }

    /// The same; says every mistake with its line.
    pub fn check(text: &str, home: &Path) -> Result<Self, Mistakes> {
        let raw: RawConfig = document::read(text)?;
        let RawConfig {
            coordinator,
            region,
            dial,
            tls,
            sign,
            roster,
            gate,
            lists,
            ops,
            log,
            store,
        } = raw;
        let call_deadline = Duration::from_millis(coordinator.call_deadline_ms);
        let mut mistakes = Mistakes::default();
        let dial = Some(dial.listen).filter(|listen| !listen.is_empty());
        let ports = [("region.listen", Some(&region.listen)), ("dial.listen", dial.as_ref())];
        for (field, listen) in ports.into_iter().filter_map(|(field, at)| Some((field, at?))) {
            if listen.parse::<std::net::SocketAddr>().is_err() {
                let wanted = "is not address:port, like 0.0.0.0:7100";
                mistakes.push(field, format!("\"{listen}\" {wanted}"));
            }
        }
        if dial.as_ref() == Some(&region.listen) {
            mistakes.push("dial.listen", "is the same as region.listen");
        }
        coordinator.check_times(&mut mistakes);
        let (ops, log) = (ops.checked(&mut mistakes), log.checked(&mut mistakes));
        let taken = [Some(&region.listen), dial.as_ref()];
        if ops.is_some_and(|ops| taken.contains(&Some(&ops.to_string()))) {
            mistakes.push("ops.listen", "is the same as region.listen or dial.listen");
        }
        if !mistakes.is_empty() {
            return Err(mistakes.placed(text));
        }
        let named = |path: PathBuf| (path != PathBuf::new()).then(|| located(home, &path));
        Ok(Self {
            data: located(home, &coordinator.data),
            free_bytes_min: coordinator.free_bytes_min,
            call_deadline,
            standing_every: Duration::from_secs(coordinator.standing_every_s),
            retry: Duration::from_secs(coordinator.retry_s),
            listen: region.listen,
            dial,
            staff_ca: located(home, &region.ca),
            staff_crl: named(region.crl),
            reflection: region.reflection,
            tls: TlsFiles {
                certificate: located(home, &tls.certificate),
                key: located(home, &tls.key),
                ca: located(home, &tls.ca),
                crl: named(tls.crl),
            },
            sign_key: located(home, &sign.key),
            roster: located(home, &roster.file),
            root: located(home, &roster.root),
            gate: named(gate.policy),
            lists: named(lists.folder),
            ops,
            log,
            store_key: store.key(home),
        })
    }
}
