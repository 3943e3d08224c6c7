//! How a service is watched, what it logs, and with which keys it keeps its store. Comes in: the tables `[ops]`, `[log]` and `[store]`, the
//! same in both configurations. Goes out: where to listen, how to log and where the keys lie, or what is wrong with them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::document::Mistakes;

/// How a path begins that names a credential of the supervisor (systemd's `LoadCredential=`).
const CREDENTIAL: &str = "credential:";

/// Where a path of a configuration lies: beside the configuration, or, as `credential:NAME`, where the supervisor has put it.
pub fn located(home: &Path, path: &Path) -> PathBuf {
    let name = path.to_str().and_then(|path| path.strip_prefix(CREDENTIAL));
    // One file there, and nothing that leads out of the folder.
    let name = name.filter(|name| !name.contains('/') && *name != "..");
    match (name, crate::transport::credentials_folder()) {
        (Some(name), Some(folder)) => folder.join(name),
        // Said as it is written by whoever cannot read it.
        (Some(_), None) => path.to_owned(),
        (None, _) => home.join(path),
    }
}

/// `[ops]` as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawOps {
    #[serde(default)]
    listen: String,
}

/// `[store]` as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawStore {
    #[serde(default)]
    key: PathBuf,
}

impl RawStore {
    /// The file of keys that the store is sealed with; none: it lies bare on its disk.
    pub fn key(self, home: &Path) -> Option<PathBuf> {
        (self.key != PathBuf::new()).then(|| located(home, &self.key))
    }
}

/// `[log]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLog {
    #[serde(default = "text")]
    format: String,
    #[serde(default = "info")]
    level: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { format: text(), level: info() }
    }
}

fn text() -> String {
    "text".to_owned()
}

fn info() -> String {
    "info".to_owned()
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// One JSON object a line instead of text for people.
    pub json: bool,
    /// A filter like `info` or `info,accord_node=debug`.
    pub level: String,
}

impl RawOps {
    /// Where it is told how the service is doing; none: nowhere.
    pub fn checked(self, mistakes: &mut Mistakes) -> Option<SocketAddr> {
        if self.listen.is_empty() {
            return None;
        }
        let at = self.listen.parse();
        if at.is_err() {
            let wanted = "is not address:port, like 127.0.0.1:7301";
            mistakes.push("ops.listen", format!("\"{}\" {wanted}", self.listen));
        }
        at.ok()
    }
}

impl RawLog {
    /// What is logged.
    pub fn checked(self, mistakes: &mut Mistakes) -> Log {
        if !["text", "json"].contains(&self.format.as_str()) {
            mistakes.push("log.format", format!("\"{}\" is neither text nor json", self.format));
        }
        if let Err(error) = super::log::filter(&self.level) {
            mistakes.push("log.level", format!("\"{}\": {error}", self.level));
        }
        Log { json: self.format == "json", level: self.level }
    }
}
