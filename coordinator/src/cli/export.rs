//! The command line of an export: which picture, which of its cells, as what kind of file.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use accord_proto::{reason::Invalid, status::exit_code};
use clap::Args;

use super::fail;
use crate::export::{Format, State, select::Wanted};

pub(super) const EXAMPLES: &str = "Examples:\n  accord-coordinator picture export 0190… --format xlsx --out picture.xlsx\n  \
    accord-coordinator picture export 0190… --format csv --area DRG --period 2016 --state missing --state not-shown";

/// What to export.
#[derive(Clone, Debug, Args)]
pub(crate) struct Export {
    /// Id of the requirement.
    pub(crate) requirement: String,
    /// Version; the newest if left out.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) version: u32,
    /// What kind of file.
    #[arg(long, short = 'o', value_enum)]
    pub(crate) format: Format,
    /// The file; must not exist. Left out: standard output.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Your client file: whom to talk to, and your certificate.
    #[arg(long, env = "ACCORD_CLIENT")]
    pub(crate) client: PathBuf,
    // Last: its heading holds for whatever follows.
    #[command(flatten)]
    pub(crate) filters: Filters,
}

/// Which cells; each may be given several times. Of one kind any may hold, of different kinds all must.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Which cells (each may be given several times)")]
pub(crate) struct Filters {
    /// Of this indicator.
    #[arg(long, value_name = "CODE")]
    indicator: Vec<String>,
    /// Of this crime area and all below it.
    #[arg(long, value_name = "CODE")]
    area: Vec<String>,
    /// Of this crime area alone.
    #[arg(long, value_name = "CODE")]
    exact_area: Vec<String>,
    /// Of this period and all within it, like 2016 or 2016-Q3.
    #[arg(long)]
    period: Vec<String>,
    /// Of this category, like SEX=F or SEX=_T; _T: not broken down at all.
    #[arg(long, value_name = "DIMENSION=CODE")]
    category: Vec<String>,
    /// In this state.
    #[arg(long, value_enum)]
    state: Vec<State>,
}

impl From<Filters> for Wanted {
    fn from(filters: Filters) -> Self {
        let Filters { indicator, area, exact_area, period, category, state } = filters;
        Self {
            indicators: indicator,
            areas: area,
            exact_areas: exact_area,
            periods: period,
            categories: category,
            states: state,
        }
    }
}

/// What an export hands out, and with which code it ends.
#[derive(Debug)]
pub(crate) struct Exported {
    /// For stdout, byte by byte; empty when they stand in a file.
    pub(crate) bytes: Vec<u8>,
    /// Remarks, for stderr.
    pub(crate) remarks: Vec<String>,
    /// The picture rests on some of the members asked only: exit code 3.
    pub(crate) partial: bool,
}

/// Hands it out.
pub(super) fn finish(exported: Result<Exported, Invalid>) -> ExitCode {
    let Exported { bytes, remarks, partial } = match exported {
        Ok(exported) => exported,
        Err(error) => return fail(exit_code(error.reason), &error.to_string()),
    };
    for remark in remarks {
        let _ = writeln!(std::io::stderr(), "{remark}");
    }
    // A closed pipe is the reader's wish.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(&bytes).and_then(|()| stdout.flush());
    ExitCode::from(if partial { 3 } else { 0 })
}
