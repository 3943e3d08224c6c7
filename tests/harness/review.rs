//! Products in a federation that runs: drafted, commented, endorsed, published by the commands that staff would type. Comes in: texts
//! and positions. Goes out: what the programs say. Waits for what members are given time for, and no longer.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::federation::Federation;

/// How long a round of comments is open.
pub const ROUND: &str = "3s";
/// Within this time one is closed, or a product has arrived, on a loaded machine.
const WITHIN: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// A comment: node, words, and what else the command is given.
pub type Comment<'a> = (&'a str, &'a str, &'a [&'a str]);

/// Whoever plays the staff of a federation.
#[derive(Clone, Copy)]
pub struct Review<'a> {
    /// The federation.
    pub federation: &'a Federation,
}

impl Review<'_> {
    /// A command at the centre, which must succeed.
    pub fn region(&self, role: &str, arguments: &[&str]) -> Result<Value> {
        let done = self.federation.region(role, "json", arguments)?;
        done.json(&[0, 3]).with_context(|| arguments.join(" "))
    }

    /// A command at a node, which must succeed.
    pub fn desk(&self, node: &str, role: &str, arguments: &[&str]) -> Result<Value> {
        let done = self.federation.desk(node, role, arguments)?;
        done.json(&[0, 3]).with_context(|| format!("{node}: {}", arguments.join(" ")))
    }

    /// Sends a text; the product's id.
    pub fn drafted(&self, file: &Path, why: &str, product: Option<&str>) -> Result<String> {
        let file = file.display().to_string();
        let of = product.map(|id| vec!["--product", id]).unwrap_or_default();
        let arguments = [&["product", "draft", &file, "--why", why][..], &of].concat();
        let entry = self.region("editor", &arguments)?;
        Ok(entry["product"].as_str().context("no product")?.to_owned())
    }

    /// Takes a step that waits for its time, or for words.
    pub fn closed(&self, product: &str, step: &str) -> Result<Value> {
        let began = Instant::now();
        loop {
            let done = self.federation.region("editor", "json", &["product", step, product])?;
            if done.code == Some(0) {
                return done.json(&[0]);
            }
            let waits =
                ["PRODUCT_STATE", "NOT_FOUND"].iter().any(|code| done.stderr.contains(code));
            if began.elapsed() > WITHIN || !waits {
                bail!("{step}: {}", done.stderr.trim_end());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Every member holds all of it.
    pub fn arrived(&self, product: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let shown = self.region("editor", &["product", "show", product])?;
            let steps = shown["steps"].as_u64().unwrap_or(u64::MAX);
            let holders = shown["holders"].as_array().cloned().unwrap_or_default();
            let there = holders.iter().filter(|of| of["steps"].as_u64() == Some(steps)).count();
            if there == holders.len() {
                return Ok(());
            }
            if began.elapsed() > WITHIN {
                bail!("{there} of {} members hold it: {shown}", holders.len());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// A round of comments, each decided; how many there are by then.
    pub fn round(&self, product: &str, said: &[Comment<'_>]) -> Result<usize> {
        self.region("editor", &["product", "circulate", product, "--until", ROUND])?;
        self.arrived(product)?;
        for (node, text, more) in said {
            let comment = ["product", "comment", product, "--text", text];
            self.desk(node, "analyst", &[&comment[..], more].concat())?;
        }
        self.closed(product, "close-round")?;
        self.decided(product)
    }

    /// Decides every comment that waits.
    pub fn decided(&self, product: &str) -> Result<usize> {
        let comments = self.region("editor", &["product", "comments", product])?;
        let comments = comments.as_array().cloned().unwrap_or_default();
        for comment in comments.iter().filter(|comment| comment["decision"].is_null()) {
            let digest = comment["comment"].as_str().context("no comment")?;
            let resolve = ["product", "resolve", product, "--comment", digest];
            let decision = ["--decision", "accepted", "--text", "The next text says so."];
            self.region("editor", &[&resolve[..], &decision].concat())?;
        }
        Ok(comments.len())
    }

    /// The end of the writing, and the endorsement opened: by another editor than the one who wrote it.
    pub fn opened(&self, product: &str) -> Result<()> {
        self.region("editor", &["product", "finalise", product])?;
        self.region("second-editor", &["product", "open", product, "--until", "1h"])?;
        self.arrived(product)
    }

    /// How a node stands.
    pub fn endorse(&self, node: &str, product: &str, position: &str, text: &str) -> Result<Value> {
        let endorse = ["product", "endorse", product, "--position", position];
        let words = if text.is_empty() { vec![] } else { vec!["--text", text] };
        self.desk(node, "releaser", &[&endorse[..], &words].concat())
    }

    /// Opened, endorsed by all, closed and published; the state after the endorsement.
    pub fn endorsed(
        &self,
        product: &str,
        position: impl Fn(&str) -> (&'static str, &'static str),
    ) -> Result<String> {
        self.opened(product)?;
        for node in self.federation.nodes.keys() {
            let (position, text) = position(node);
            self.endorse(node, product, position, text)?;
        }
        let closed = self.closed(product, "close")?;
        self.region("second-editor", &["product", "publish", product])?;
        self.arrived(product)?;
        Ok(closed["state"].as_str().context("no state")?.to_owned())
    }
}
