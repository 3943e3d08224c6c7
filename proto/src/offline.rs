//! Verifying from files, for both programs. Comes in: paths. Goes out: what is proven, ready to print, or the first thing that is
//! wrong. No network, no store: whoever has these files can do it.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    limits::{EVIDENCE_BYTES_MAX, MEMBERS_MAX},
    own_lists,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::PublicKey,
    taxonomy::decimal,
    verify::{self, CellProof, MemberProof, Proof, Report, Trust},
    wire::region::PictureStatus,
};

/// What to verify, and whom to believe.
#[derive(Clone, Debug)]
pub struct Files {
    /// Evidence of a picture.
    pub file: PathBuf,
    /// The roster's file.
    pub roster: PathBuf,
    /// The federation root's public key, in hexadecimal.
    pub root: PathBuf,
    /// Answers that nodes have handed out.
    pub answers: Vec<PathBuf>,
    /// Folder of the federation's own code lists.
    pub lists: Option<PathBuf>,
}

/// What is proven, ready to print.
#[derive(Clone, Debug, Serialize)]
pub struct Proven {
    /// The requirement that was asked.
    pub requirement: String,
    /// SHA-256 of the picture's signed bytes.
    pub picture_sha256: String,
    /// Version of the roster that the picture rests on.
    pub roster_version: u64,
    /// Everybody who was asked.
    pub members: Vec<MemberLine>,
    /// Every cell.
    pub cells: Vec<CellLine>,
    /// In sentences.
    #[serde(skip)]
    pub remarks: Vec<String>,
    /// Some figures rest on contributions that are not at hand.
    #[serde(skip)]
    pub partial: bool,
}

/// A member's part in the proof.
#[derive(Clone, Debug, Serialize)]
pub struct MemberLine {
    node: String,
    jurisdiction: String,
    answered: bool,
    table_sha256: String,
    sequence: u64,
    blocks_whole: usize,
    blocks_by_digest: usize,
    single_handed: bool,
    declined: bool,
    standing: &'static str,
}

/// A cell and what is proven of it.
#[derive(Clone, Debug, Serialize)]
pub struct CellLine {
    indicator: String,
    crime_area: String,
    period: String,
    categories: String,
    value: Option<String>,
    proof: &'static str,
    by_digest: Vec<String>,
}

/// Reads the files and verifies them.
pub fn verify(files: &Files) -> Result<Proven, Invalid> {
    report(files).map(Proven::of)
}

/// The same, for whoever goes on with what is proven.
pub fn report(files: &Files) -> Result<Report, Invalid> {
    let lists = own_lists::load(files.lists.as_deref())?;
    let root = String::from_utf8(read(&files.root)?)
        .map_err(|_| Invalid::new(Reason::FieldInvalid, "--root", "is not text"))?;
    let root = PublicKey::from_hex("--root", &root)?;
    let file = read(&files.roster)?;
    let (_, roster) = Roster::read_of_any_time(("roster", &file), &root, lists)
        .map_err(|error| error.within("--roster"))?;
    let trust = Trust { roster: &roster, root: &root, lists };
    proven(&read(&files.file)?, &files.answers, trust)
}

/// The same for a file that is at hand already.
pub fn prove(file: &[u8], answers: &[PathBuf], trust: Trust<'_>) -> Result<Proven, Invalid> {
    proven(file, answers, trust).map(Proven::of)
}

fn proven(file: &[u8], answers: &[PathBuf], trust: Trust<'_>) -> Result<Report, Invalid> {
    if answers.len() > MEMBERS_MAX {
        let detail = format!("{} where {MEMBERS_MAX} is the most", answers.len());
        return Err(Invalid::new(Reason::LimitExceeded, "--answer", detail));
    }
    let answers = answers.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    verify::verify(file, &answers, trust)
}

impl Proven {
    fn of(report: Report) -> Self {
        Self {
            remarks: remarks(&report),
            partial: report.count(Proof::ByDigest) > 0,
            requirement: report.requirement,
            picture_sha256: report.picture.to_string(),
            roster_version: report.roster_version,
            members: report.members.iter().map(MemberLine::of).collect(),
            cells: report.cells.iter().map(CellLine::of).collect(),
        }
    }
}

impl MemberLine {
    fn of(member: &MemberProof) -> Self {
        let sealed = member.sealed;
        Self {
            node: member.node.to_string(),
            jurisdiction: member.jurisdiction.to_string(),
            answered: sealed.is_some(),
            table_sha256: sealed.map_or_else(String::new, |sealed| sealed.table.to_string()),
            sequence: sealed.map_or(0, |sealed| sealed.sequence),
            blocks_whole: sealed.map_or(0, |sealed| sealed.whole),
            blocks_by_digest: sealed.map_or(0, |sealed| sealed.by_digest),
            single_handed: sealed.is_some_and(|sealed| sealed.single_handed),
            declined: member.declined,
            standing: match (sealed, member.standing) {
                (_, Some(standing)) => standing.as_str(),
                (Some(_), None) => "stands",
                (None, None) => "",
            },
        }
    }
}

impl CellLine {
    fn of(proven: &CellProof) -> Self {
        let cell = &proven.cell;
        let shown = matches!(cell.status(), PictureStatus::Value | PictureStatus::Partial);
        Self {
            indicator: cell.indicator.clone(),
            crime_area: cell.crime_area.clone(),
            period: cell.period.clone(),
            categories: cell.categories.clone(),
            value: shown.then(|| decimal(cell.value, cell.decimals)),
            proof: proven.proof.as_str(),
            by_digest: proven.by_digest.iter().map(ToString::to_string).collect(),
        }
    }
}

fn remarks(report: &Report) -> Vec<String> {
    let sealed = report.members.iter().filter(|member| member.sealed.is_some()).count();
    let mut remarks = vec![
        format!(
            "roster version {}, requirement, picture and {sealed} seals of {} members: every signature verifies",
            report.roster_version,
            report.members.len()
        ),
        format!(
            "{} of {} cells worked out again, bit for bit, from sealed tables",
            report.count(Proof::Recomputed),
            report.cells.len()
        ),
    ];
    let withheld = report.count(Proof::Withheld);
    if withheld > 0 {
        remarks.push(format!(
            "{withheld} not shown: that the gate withholds them is the coordinator's word, under its signature"
        ));
    }
    let by_digest = report.count(Proof::ByDigest);
    if by_digest > 0 {
        remarks.push(format!(
            "{by_digest} signed by the coordinator; contributions by digest only: give the nodes' own answers with --answer"
        ));
    }
    for member in &report.members {
        if let Some(standing) = member.standing {
            remarks.push(format!(
                "{} has signed since that its answer is {}: what was published remains, and may not be used any more as far as it says",
                member.node,
                standing.as_str()
            ));
        }
    }
    if report.held_version != report.roster_version {
        remarks.push(format!(
            "the picture rests on version {} of the roster, and yours is version {}: keys may have been taken back since",
            report.roster_version, report.held_version
        ));
    }
    remarks
}

/// Reads a file, up to a bound.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Invalid> {
    let name = path.display().to_string();
    let unreadable =
        |error: std::io::Error| Invalid::new(Reason::FieldInvalid, &name, error.to_string());
    let mut bytes = Vec::new();
    let most = EVIDENCE_BYTES_MAX as u64 + 1;
    fs::File::open(path)
        .map_err(unreadable)?
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}
