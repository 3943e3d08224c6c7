//! What both programs need to be run by somebody: keys, certificates, the roster, a folder to begin with; and, of a service that runs, a
//! log, measures, an answer to "is it well?", findings with cause and fix. Comes in: files, the words of an operator, how a
//! service is doing. Goes out: files, and what is said about them. Must never overwrite what somebody else has made, send anything
//! anywhere, put a private key into words, nor show content: no figure, no crime area, no name of a person.

pub mod backup;
#[cfg(feature = "chart")]
pub mod chart;
pub mod cli;
#[cfg(feature = "chart")]
pub mod cycle;
pub mod document;
pub mod doctor;
pub mod harden;
pub mod health;
pub mod init;
pub mod journal;
pub mod log;
pub mod maintenance;
pub mod measures;
pub mod pki;
#[cfg(feature = "chart")]
pub mod product;
pub mod roster;
pub mod settings;
pub mod store_key;
pub mod supervise;
pub mod threat;
pub mod trace;
mod files;
mod pem;
mod written;

use serde_json::Value;

use crate::{
    clock::{Clock, Entropy},
    print,
};

/// What a command has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Data, for stdout.
    pub data: String,
    /// Remarks, for stderr.
    pub remarks: Vec<String>,
}

impl Done {
    fn of(format: print::Format, rows: &Value) -> Self {
        Self { data: print::rows(format, rows), remarks: Vec::new() }
    }

    fn with(mut self, remarks: impl IntoIterator<Item = String>) -> Self {
        self.remarks.extend(remarks);
        self
    }
}

/// How to print.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Printed {
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    format: print::Format,
}

/// Where now and chance come from.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The time.
    pub clock: &'a dyn Clock,
    /// Chance.
    pub entropy: &'a dyn Entropy,
}

impl std::fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Around")
    }
}
