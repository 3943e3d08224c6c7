//! The log of a service. Comes in: how much and in which form; later another level. Goes out: lines on stderr, for people or as
//! JSON for a journal. Must never log what a store prints of itself: that would be content.
//!
//! Fields have the same names everywhere: `peer`, `node`, `requirement`, `trace`, `what`, `error`.

use std::{io::IsTerminal as _, path::Path};

use tracing_subscriber::{
    EnvFilter, Registry, fmt, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use super::settings::Log;

/// What may change while a service runs.
#[derive(Clone, Debug)]
pub struct Logging {
    handle: reload::Handle<EnvFilter, Registry>,
    level: std::sync::Arc<std::sync::Mutex<String>>,
    silent: &'static str,
}

/// Reads a level; `silent` is stronger.
pub fn filter(level: &str, silent: &str) -> Result<EnvFilter, String> {
    let filter = EnvFilter::try_new(level).map_err(|error| error.to_string())?;
    let silent = silent.parse().map_err(|_| "cannot be combined".to_owned())?;
    Ok(filter.add_directive(silent))
}

impl Logging {
    /// Begins to log, once in a process. `ACCORD_LOG` is stronger than the configuration, until that changes; `silent` is the
    /// directive that keeps a database from printing content.
    pub fn begin(log: &Log, silent: &'static str) -> Self {
        let wanted = std::env::var("ACCORD_LOG").unwrap_or_else(|_| log.level.clone());
        let first = filter(&wanted, silent).or_else(|_| filter("info", silent)).unwrap_or_default();
        let (first, handle) = reload::Layer::new(first);
        let registry = tracing_subscriber::registry().with(first);
        let layer = fmt::layer().with_writer(std::io::stderr);
        // Whoever has begun before, as a test does, goes on.
        let _ = if log.json {
            registry.with(layer.json().flatten_event(true)).try_init()
        } else {
            registry.with(layer.with_ansi(std::io::stderr().is_terminal())).try_init()
        };
        let level = std::sync::Arc::new(std::sync::Mutex::new(log.level.clone()));
        Self { handle, level, silent }
    }

    /// Takes the level that a configuration says now, if it is another one.
    pub fn take(&self, log: &Log) {
        let mut level = self.level.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *level == log.level {
            return;
        }
        match filter(&log.level, self.silent).map(|filter| self.handle.reload(filter)) {
            Ok(Ok(())) => {
                tracing::info!(wanted = log.level, "logs by another level from here on");
                level.clone_from(&log.level);
            }
            Ok(Err(error)) => tracing::warn!(%error, "the level of the log stays"),
            Err(error) => tracing::warn!(%error, "the level of the log stays"),
        }
    }

    /// The same at every SIGHUP, for ever; `read` reads the configuration again.
    pub async fn keep_taking<E: std::fmt::Display>(
        self,
        path: std::path::PathBuf,
        read: impl Fn(&Path) -> Result<Log, E>,
    ) {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
        while hangup.recv().await.is_some() {
            super::supervise::reloading();
            match read(&path) {
                Ok(log) => self.take(&log),
                Err(error) => {
                    tracing::warn!(%error, "the configuration cannot be read: nothing of it was taken");
                }
            }
            super::supervise::ready();
        }
    }
}
