//! What both programs need to be operated, without any service: keys, certificates, the roster, a folder to begin with.
//! Comes in: files and the words of an operator. Goes out: files, and what is said about them. Must never overwrite what
//! somebody else has made, send anything anywhere, or put a private key into words.

pub mod init;
pub mod pki;
pub mod roster;
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
