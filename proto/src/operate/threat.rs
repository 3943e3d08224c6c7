//! Command lines of rankings, the same in both programs. Comes in: what somebody typed. Goes out: what is to be ranked, methods,
//! and their rows. Must never take a blank for a reason.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::files;
use crate::{
    offline,
    print::{self, Format},
    reason::{Invalid, Reason},
    taxonomy::TOTAL,
    threat::{Basis, Methods, Order, Wanted},
};

mod assessed;
mod compared;
mod replay;

pub use assessed::assessed;
pub use compared::compared;
pub use replay::Replay;

/// What areas are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The figure of the region, the largest first.
    Figure,
    /// Borda points: the order of each jurisdiction counts the same.
    Borda,
}

/// Which cells are ranked, and how.
#[derive(Clone, Debug, Args)]
pub struct Series {
    /// What is counted or measured.
    #[arg(long)]
    pub indicator: String,
    /// Of which categories, like SEX=F; of all together if left out.
    #[arg(long, default_value = TOTAL, hide_default_value = true)]
    pub categories: String,
    /// Only this crime area, once for each; all that the pictures hold if left out.
    #[arg(long = "area", value_name = "CODE")]
    pub areas: Vec<String>,
    /// What areas are ordered by.
    #[arg(long, value_enum)]
    pub by: By,
    /// The scoring method whose scores are ordered, as ID or ID:VERSION.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub method: String,
}

impl Series {
    /// The same for a period.
    pub fn of(self, period: String) -> Wanted {
        let Self { indicator, categories, areas, by, method } = self;
        let order = match by {
            By::Figure => Order::Figure,
            By::Borda => Order::Borda,
        };
        Wanted { indicator, period, categories, areas, order, method }
    }
}

/// How to print what needs no client.
#[derive(Clone, Debug, Args)]
pub struct Printing {
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    pub format: Format,
}

/// Every scoring method of this version of the contract.
pub fn methods(format: Format) -> String {
    let row = |method: &crate::threat::Method| {
        let basis = match method.basis() {
            Basis::Published => "published",
            Basis::Adapted => "adapted",
            Basis::Local => "local",
        };
        json!({
            "method": method.id(),
            "version": method.version(),
            "title": method.title(),
            "basis": basis,
            "subject": method.subject(),
            "citation": method.citation(),
            "parameters_sha256": method.digest().to_string(),
        })
    };
    print::rows(format, &Methods::builtin().iter().map(row).collect())
}

/// A reason as it was typed: the words, or `@FILE` that holds them.
pub fn reason(typed: &str) -> Result<String, Invalid> {
    match typed.strip_prefix('@') {
        None => Ok(typed.to_owned()),
        // The end of a file's last line is no part of its words.
        Some(path) => Ok(files::read_text(path.as_ref())?.trim_end().to_owned()),
    }
}

/// A picture as it is named on a command line: the id of its requirement, or ID:VERSION. Version 0 is the newest.
pub fn picture(typed: &str) -> Result<(String, u32), Invalid> {
    let Some((id, version)) = typed.split_once(':') else {
        return Ok((typed.to_owned(), 0));
    };
    let number = version.parse().ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| {
        let detail =
            format!("{} is no number of a version, from 1", crate::reason::quoted(version));
        Invalid::new(Reason::FieldInvalid, "requirement", detail)
    })?;
    Ok((id.to_owned(), number))
}

/// A file that a command reads, up to a bound.
pub fn file(path: &std::path::Path) -> Result<Vec<u8>, Invalid> {
    offline::read(path)
}

/// Writes a file that is not there yet.
pub fn write_new(path: &std::path::Path, bytes: &[u8]) -> Result<(), Invalid> {
    files::write_new(path, bytes)
}
