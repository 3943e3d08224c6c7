//! When to look whether something was replaced. Comes in: the pace, and SIGHUP. Goes out: a tick for each look, and a line in the
//! log whenever something was taken in, or could not be. Must never say the same thing twice.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Interval, MissedTickBehavior},
};
use tracing::{info, warn};

use super::{Credentials, Peer, read_renewed};
use crate::{
    clock::Timestamp,
    expiry::Ending,
    limits::RENEW_EVERY,
    operate::measures::Reading,
    reason::{Invalid, Reason},
    seal::Digest,
};

/// What may be replaced while a service runs, as it is told.
pub const FILES: [&str; 5] =
    ["roster", "certificates", "staff certificates", "seal key", "signing key"];

/// Files that were replaced and cannot be used, by what they are, with the code why: what was there goes on counting.
pub type Untaken = BTreeMap<&'static str, Reason>;

/// What is not taken in, in words.
pub fn check_taken(untaken: &Untaken) -> Result<(), String> {
    let said: Vec<_> = untaken.iter().map(|(what, reason)| format!("{what} ({reason})")).collect();
    if said.is_empty() { Ok(()) } else { Err(format!("not taken in: {}", said.join(", "))) }
}

/// The same as it is measured.
pub fn readings(untaken: &Untaken) -> impl Iterator<Item = Reading> {
    FILES.into_iter().map(|what| {
        let is = f64::from(u8::from(untaken.contains_key(what)));
        Reading::with("accord_not_taken_in", "what", what, is)
    })
}

/// The pace of looking.
#[derive(Debug)]
pub struct Looks {
    pace: Interval,
    hangup: Signal,
    told: BTreeMap<&'static str, String>,
    untaken: Untaken,
    warned: BTreeMap<&'static str, String>,
    /// The stage before its end at which something was warned of.
    ending: BTreeMap<(String, Timestamp), i64>,
}

impl Looks {
    /// Begins; SIGHUP means "look now" from here on, and ends nothing.
    pub fn begin() -> Result<Self, Invalid> {
        let hangup = signal(SignalKind::hangup())
            .map_err(|error| Invalid::new(Reason::Internal, "SIGHUP", error.to_string()))?;
        let mut pace = tokio::time::interval(RENEW_EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (told, untaken, warned, ending) = Default::default();
        Ok(Self { pace, hangup, told, untaken, warned, ending })
    }

    /// Waits until it is time to look.
    pub async fn next(&mut self) {
        let Self { pace, hangup, .. } = self;
        tokio::select! {
            _ = pace.tick() => {}
            _ = hangup.recv() => {}
        }
    }

    /// Certificates, and what has been revoked; `may_be` says whether a party may show this certificate of its own.
    pub fn renew(
        &mut self,
        what: &'static str,
        credentials: &Credentials,
        may_be: impl Fn(&Peer) -> Result<(), Invalid>,
    ) {
        let renewed = tokio::task::block_in_place(|| credentials.renew(may_be));
        self.tell(what, renewed);
        match credentials.warning() {
            Some(warning) if self.warned.get(what) != Some(&warning) => {
                warn!(what, "{warning}");
                self.warned.insert(what, warning);
            }
            Some(_) => {}
            None => drop(self.warned.remove(what)),
        }
    }

    /// What comes to its end: said once at each stage before.
    pub fn warn(&mut self, endings: &[Ending], now: Timestamp) {
        let mut near = BTreeMap::new();
        for ending in endings {
            let Some(stage) = ending.stage(now) else { continue };
            let Ending { what, ends, .. } = ending;
            let key = (what.clone(), *ends);
            if self.ending.get(&key) != Some(&stage) {
                let days_left = ending.days_left(now);
                warn!(what, %ends, days_left, "comes to its end; replace it in time");
            }
            near.insert(key, stage);
        }
        self.ending = near;
    }

    /// What is not taken in, by the last look at each.
    pub fn untaken(&self) -> Untaken {
        self.untaken.clone()
    }

    /// What became of looking at something: nothing new, taken in, or why not.
    pub fn tell(&mut self, what: &'static str, renewed: Result<bool, Invalid>) {
        match &renewed {
            // Also whoever has put back what was there.
            Ok(_) => drop(self.untaken.remove(what)),
            Err(error) => drop(self.untaken.insert(what, error.reason)),
        }
        match renewed {
            Ok(false) => {}
            Ok(true) => {
                self.told.remove(what);
                info!(what, "renewed");
            }
            Err(error) => {
                let error = error.to_string();
                if self.told.get(what) != Some(&error) {
                    warn!(what, %error, "not taken in: what was there goes on counting");
                    self.told.insert(what, error);
                }
            }
        }
    }
}

/// A file that may be replaced.
#[derive(Debug)]
pub struct Replaced {
    path: PathBuf,
    seen: Option<Digest>,
}

impl Replaced {
    /// Nothing was read of it yet: the first look takes what is there.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: None }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds, if that is not what was taken before.
    pub fn changed(&self) -> Result<Option<Vec<u8>>, Invalid> {
        let bytes = read_renewed(&self.path)?;
        Ok((self.seen != Some(Digest::of(&bytes))).then_some(bytes))
    }

    /// That was taken in.
    pub fn taken(&mut self, bytes: &[u8]) {
        self.seen = Some(Digest::of(bytes));
    }
}
