//! The journal from the command line: what is asked for, handed to [`accord_proto::audit`], and printed.

use accord_proto::{
    audit::{self, Said},
    reason::Invalid,
};

use super::print;
use crate::cli::{Format, Outcome, journal::Journal};

/// `accord-node journal …`
pub(crate) async fn run(command: Journal) -> Result<Outcome, Invalid> {
    let (command, client, format) = command.parse()?;
    let Said { data, text, remarks } = audit::run(command, client.as_deref()).await?;
    let data = match (format, text) {
        (Format::Table, Some(text)) => text,
        (Format::Table | Format::Json | Format::Jsonl | Format::Csv, _) => print(format, &data),
    };
    Ok(Outcome { data, remarks, ..Outcome::default() })
}
