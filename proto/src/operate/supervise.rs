//! What a supervisor is told (systemd's protocol, `sd_notify`). Comes in: the state of a service. Goes out: a datagram, where a
//! supervisor wants one. Must never keep a service from running: whoever does not listen is not told.

use sd_notify::NotifyState;
use tracing::warn;

/// It serves.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It takes in what has been replaced.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// It ends.
pub fn stopping() {
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
