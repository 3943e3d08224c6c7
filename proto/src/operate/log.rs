//! The log of a service. Comes in: how much and in which form; later another level. Goes out: lines on stderr, for people or as
//! JSON for a journal. Must never log what a store prints of itself: that would be content.
//!
//! Fields have the same names everywhere: `peer`, `node`, `requirement`, `trace`, `what`, `error`.

use std::{io::IsTerminal as _, path::Path};

use tracing_subscriber::{
    EnvFilter, Layer as _, Registry,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    reload,
    util::SubscriberInitExt as _,
};

use super::settings::Log;

/// What may change while a service runs.
#[derive(Clone, Debug)]
pub struct Logging {
    handle: reload::Handle<EnvFilter, Registry>,
    level: std::sync::Arc<std::sync::Mutex<String>>,
}

/// Levels, from the least said to the most.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads a level: one for all, and others for parts. A word that is none would be taken for a part, and silence everything.
pub fn filter(level: &str) -> Result<EnvFilter, String> {
    let is_level = |part: &str| {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        LEVELS.contains(&level.trim())
    };
    if let Some(part) = level.split(',').find(|part| !is_level(part)) {
        return Err(format!("{part:?} is none of {}", LEVELS.join(", ")));
    }
    EnvFilter::try_new(level).map_err(|error| error.to_string())
}

impl Logging {
    /// Begins to log, once in a process. `ACCORD_LOG` is stronger than the configuration, until that changes; a part of
    /// the program that prints content says nothing, whatever the level is.
    pub fn begin(log: &Log, silent: &'static str) -> Self {
        let wanted = std::env::var("ACCORD_LOG").unwrap_or_else(|_| log.level.clone());
        let first = filter(&wanted).or_else(|_| filter("info")).unwrap_or_default();
        let (first, handle) = reload::Layer::new(first);
        let registry = tracing_subscriber::registry().with(first);
        // A filter of its own: in the same one a longer directive, like `sled::pagecache=trace`, would be stronger.
        let said =
            Targets::new().with_default(LevelFilter::TRACE).with_target(silent, LevelFilter::OFF);
        let layer = fmt::layer().with_writer(std::io::stderr);
        // Whoever has begun before, as a test does, goes on.
        let _ = if log.json {
            registry.with(layer.json().flatten_event(true).with_filter(said)).try_init()
        } else {
            registry
                .with(layer.with_ansi(std::io::stderr().is_terminal()).with_filter(said))
                .try_init()
        };
        let level = std::sync::Arc::new(std::sync::Mutex::new(log.level.clone()));
        Self { handle, level }
    }

    /// Takes the level that a configuration says now, if it is another one.
    pub fn take(&self, log: &Log) {
        let mut level = self.level.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *level == log.level {
            return;
        }
        match filter(&log.level).map(|filter| self.handle.reload(filter)) {
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
            let told = super::supervise::reloading();
            match read(&path) {
                Ok(log) => self.take(&log),
                Err(error) => {
                    tracing::warn!(%error, "the configuration cannot be read: nothing of it was taken");
                }
            }
            if told {
                super::supervise::ready();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_none_is_refused_and_does_not_silence_everything() {
        for level in ["info", "info,accord_node=debug", "warn,h2=off", "trace"] {
            filter(level).unwrap();
        }
        for level in ["inof", "", "loud", "info,accord_node", "accord_node=loud", "info,"] {
            filter(level).unwrap_err();
        }
    }
}
