//! Exports of a picture. Comes in: its cells as [`Observation`]s, and a [`Header`] of what holds for all of them.
//! Goes out: the bytes of a file that pandas, a spreadsheet or an SDMX reader takes as it is. Pure: the same picture
//! is the same bytes. No gap is drawn as zero, no part as the whole, no total stands without its coverage, and no
//! digit is lost on the way.

use accord_proto::{clock::Timestamp, reason::Invalid, seal::Digest};

pub mod document;
pub mod observation;
pub mod select;
mod columns;
mod notes;
mod csv;
mod xlsx;
mod json;
mod sdmx;

pub use observation::{Basis, Exact, Named, Observation, State};

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated, with decimal points and NaN: for programs.
    Csv,
    /// Semicolons, decimal commas and a byte order mark: what Excel opens where a comma marks decimals.
    CsvExcel,
    /// A workbook: data, coverage and notes.
    Xlsx,
    /// One document; figures as text with every digit.
    Json,
    /// One line for each cell, each with its picture.
    Jsonl,
    /// SDMX-CSV 2.0.
    SdmxCsv,
}

/// What holds for every observation of an export.
#[derive(Clone, Debug)]
pub struct Header {
    /// Trust domain.
    pub federation: String,
    /// Id of the requirement.
    pub requirement: String,
    /// Version of the picture.
    pub version: u32,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// SHA-256 of the picture as it was signed.
    pub digest: Digest,
    /// Version and digest of the code lists.
    pub lists: String,
    /// Members whose answer was accepted.
    pub answered: u32,
    /// Members that the requirement names.
    pub asked: u32,
    /// Fewest jurisdictions behind a figure that is not public; 0: the picture does not say.
    pub contributors_min: u32,
    /// How each of them stands.
    pub members: Vec<Member>,
    /// What members declare to count otherwise than it is defined, a sentence each.
    pub deviations: Vec<String>,
    /// What members say since of their answers, a sentence each.
    pub notices: Vec<String>,
    /// Which population table rates rest on, if there are any.
    pub population: Option<String>,
    /// Every dimension that a cell may be broken down by, ascending: the columns of SDMX-CSV.
    pub dimensions: Vec<String>,
    /// Cells of the whole picture.
    pub cells: usize,
    /// By what the observations were chosen out of them, a filter each; empty: all of them.
    pub selection: Vec<String>,
}

/// How a member stands.
#[derive(Clone, Debug)]
pub struct Member {
    /// Whom it speaks for.
    pub jurisdiction: Named,
    /// The footnote that belongs to its name, or empty.
    pub footnote: String,
    /// Its node.
    pub node: String,
    /// `answered`, `pending`, `declined`, `late`, `unreachable` or `rejected`.
    pub state: &'static str,
    /// Stable code; empty when it answered.
    pub reason: String,
    /// One person there both decided and released, under break-glass.
    pub single_handed: bool,
}

/// The bytes of a file.
///
/// # Errors
/// `LIMIT_EXCEEDED` if a workbook cannot hold it.
pub fn write(
    format: Format,
    header: &Header,
    observations: &[Observation],
) -> Result<Vec<u8>, Invalid> {
    Ok(match format {
        Format::Csv => csv::write(&csv::PROGRAMS, header, observations),
        Format::CsvExcel => csv::write(&csv::EXCEL, header, observations),
        Format::Xlsx => xlsx::write(header, observations)?,
        Format::Json => json::document(header, observations),
        Format::Jsonl => json::lines(header, observations),
        Format::SdmxCsv => sdmx::write(header, observations),
    })
}

#[cfg(test)]
mod tests;
