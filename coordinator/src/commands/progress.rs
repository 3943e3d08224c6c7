//! Progress of a gather or a collection. Comes in: who has said something so far. Goes out: a line that moves, for people at a terminal,
//! on stderr; nothing where nobody looks. What is worth keeping is said in whole lines, everywhere.

use std::{
    io::{Write as _, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// How far it is. Gone when dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Nobody has said anything yet. indicatif draws to a terminal only.
    pub(super) fn begin() -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(120));
        let begun = Self(bar);
        begun.stands(0, 0, None);
        begun
    }

    /// So many have answered, so many have said why not; of so many, if that is known.
    pub(super) fn stands(&self, answered: usize, silent: usize, all: Option<usize>) {
        let Some(all) = all.filter(|all| *all > 0) else {
            self.0.set_message(words(answered, silent));
            return;
        };
        let style = ProgressStyle::with_template("{spinner} {bar:30} {msg} ({elapsed})");
        if let Ok(style) = style {
            self.0.set_style(style);
        }
        self.0.set_length(all as u64);
        self.0.set_position(answered as u64);
        self.0.set_message(format!("{answered} of {all} have answered"));
    }

    /// A whole line that stays.
    pub(super) fn say(&self, line: &str) {
        self.0.suspend(|| {
            let _ = writeln!(stderr(), "{line}");
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn words(answered: usize, silent: usize) -> String {
    match (answered, silent) {
        (0, 0) => "members are asked".to_owned(),
        (answered, 0) => format!("{answered} have answered"),
        (answered, silent) => format!("{answered} have answered, {silent} say why not"),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn who_is_silent_is_said_beside_who_has_answered() {
        let said = [(0, 0), (2, 0), (2, 1)].map(|(answered, silent)| words(answered, silent));
        assert_eq!(
            said,
            ["members are asked", "2 have answered", "2 have answered, 1 say why not"]
        );
    }
}
