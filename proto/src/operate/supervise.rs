//! What a supervisor is told (systemd's protocol, `sd_notify`). Comes in: the state of a service. Goes out: a datagram, where a
//! supervisor wants one. Must never keep a service from running: whoever does not listen is not told.

use std::sync::atomic::{AtomicBool, Ordering};

use sd_notify::NotifyState;
use tracing::warn;

/// It has been said that it serves, and not yet that it ends.
static SERVES: AtomicBool = AtomicBool::new(false);

/// It serves.
pub fn ready() {
    SERVES.store(true, Ordering::SeqCst);
    tell(&[NotifyState::Ready]);
}

/// It takes in what has been replaced, and says [`ready`] after that. Not while it starts or ends: the supervisor would take it for
/// one that serves.
#[must_use]
pub fn reloading() -> bool {
    if !SERVES.load(Ordering::SeqCst) {
        return false;
    }
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
    true
}

/// It ends.
pub fn stopping() {
    SERVES.store(false, Ordering::SeqCst);
    tell(&[NotifyState::Stopping]);
}

/// Says for ever, as often as the supervisor wants it, that it is alive. A service whose threads are all stuck says nothing.
pub async fn keep_alive() {
    let Some(within) = sd_notify::watchdog_enabled() else { return };
    let mut pace = tokio::time::interval(within / 3);
    loop {
        pace.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "the supervisor cannot be told");
    }
}
