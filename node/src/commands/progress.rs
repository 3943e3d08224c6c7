//! Progress of a file on its way. Comes in: bytes sent. Goes out: a bar for people at a terminal, otherwise
//! a line for every tenth, on stderr. Nothing for a file that is sent at once.

use std::io::{IsTerminal as _, Write as _, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// Files below this are sent before anybody could look.
const WORTH_SHOWING_BYTES: u64 = 4 * 1024 * 1024;

/// How far one file is.
pub(super) struct Progress {
    name: String,
    bytes: u64,
    sent: u64,
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Progress {
    /// Of a file with this name and length.
    pub(super) fn of(name: &str, bytes: u64) -> Self {
        let quiet = bytes < WORTH_SHOWING_BYTES;
        let bar = (!quiet && stderr().is_terminal()).then(|| {
            let style = "{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
            let style = ProgressStyle::with_template(style);
            let bar = ProgressBar::new(bytes).with_message(name.to_owned());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { name: name.to_owned(), bytes, sent: 0, bar, quiet }
    }

    /// So many bytes more are on their way.
    pub(super) fn advance(&mut self, bytes: u64) {
        let tenth = |sent: u64| sent.saturating_mul(10) / self.bytes.max(1);
        let before = tenth(self.sent);
        let now = tenth(self.sent + bytes);
        self.sent += bytes;
        match &self.bar {
            Some(bar) => bar.set_position(self.sent),
            None if !self.quiet && now > before => {
                let _ = writeln!(stderr(), "{}: {} % sent", self.name, now * 10);
            }
            None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
