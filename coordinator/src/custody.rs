//! The custodian's part. Comes in: what the gate remembered when it judged a picture; and on her own computer that file, the
//! picture's evidence, the members' own answers and the gate's secret parameters. Goes out: every verdict, found again.
//! Must never let a verdict that was found again be combined, nor take a reason for withholding anywhere but to her.

use std::collections::BTreeMap;

use accord_proto::{
    id::RequirementId,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::Digest,
    strict,
    taxonomy::Lists,
    verify::{Proof, Report},
    wire::region::{GateMemory, PictureCell, PooledCell},
};
use prost::Message as _;

use crate::{
    archive::{Archive, atom_of_wire, atom_to_wire, cell_key},
    gate::{self, GatePolicy, Pooled, PooledBefore, Why},
};

/// What the gate remembered when it judged a picture, as a file; of the newest if no version is named.
pub fn memory(
    archive: &Archive,
    (roster, lists): (&Roster, &Lists),
    requirement: RequirementId,
    version: Option<u32>,
) -> Result<Vec<u8>, Invalid> {
    let drawn = archive.picture(requirement, version)?;
    if drawn.sequence == 0 {
        let detail = "what the gate remembered was not kept when this picture was drawn";
        return Err(Invalid::new(Reason::NotFound, "gate memory", detail));
    }
    let asked = SignedRequirement::open(archive.requirement(requirement)?, roster, lists)?;
    let question = &asked.requirement().question;
    let before = archive.publication(lists).pooled_before_drawn(question, &drawn)?;
    let cells = before.iter().map(|(key, pooled)| PooledCell {
        indicator: key.indicator.to_string(),
        crime_area: key.crime_area.to_string(),
        period: key.period.to_string(),
        categories: lists.write_categories(key.indicator, &key.categories),
        atoms: pooled.0.iter().map(atom_to_wire).collect(),
    });
    let cells = cells.collect();
    let payload = drawn.envelope.as_ref().map_or(&[][..], |envelope| &envelope.payload);
    let picture_sha256 = Digest::of(payload).0.to_vec();
    Ok(GateMemory { picture_sha256, cells, in_doubt: drawn.in_doubt }.encode_to_vec())
}

/// None: it was in doubt.
fn read(file: &[u8], picture: Digest, lists: &Lists) -> Result<Option<PooledBefore>, Invalid> {
    let GateMemory { picture_sha256, cells, in_doubt } = strict::decode("--memory", file)?;
    if picture_sha256 != picture.0 {
        let detail = "was written for another picture, or another version of it";
        return Err(Invalid::new(Reason::PictureFalse, "--memory", detail));
    }
    let damaged = || Invalid::new(Reason::FieldInvalid, "--memory", "cannot be read");
    let cell = |cell: PooledCell| {
        let PooledCell { indicator, crime_area, period, categories, atoms } = cell;
        let codes = [&indicator, &crime_area, &period, &categories].map(String::as_str);
        let atoms = atoms.into_iter().map(|atom| atom_of_wire(atom).ok_or_else(damaged));
        Ok((cell_key("--memory", codes, lists)?, Pooled(atoms.collect::<Result<_, Invalid>>()?)))
    };
    let before = cells.into_iter().map(cell).collect::<Result<_, Invalid>>()?;
    Ok((!in_doubt).then_some(before))
}

/// A cell that was judged again.
#[derive(Debug)]
pub struct Again<'a> {
    /// As it was signed.
    pub cell: &'a PictureCell,
    /// Does the signed picture show it?
    pub shown: bool,
    /// What the gate says again.
    pub verdict: Result<(), Why>,
}

impl Again<'_> {
    /// Is it the verdict that was signed?
    pub fn is_same(&self) -> bool {
        self.shown == self.verdict.is_ok()
    }
}

/// Judges every cell of a verified picture again. It takes the answers of everybody in whole.
pub fn judge_again<'a>(
    report: &'a Report,
    memory: &[u8],
    policy: &GatePolicy,
    lists: &Lists,
) -> Result<Vec<Again<'a>>, Invalid> {
    let before = read(memory, report.picture, lists)?;
    let tables = report.whole_tables().ok_or_else(|| {
        let missing = report
            .members
            .iter()
            .filter(|member| member.sealed.is_some_and(|seal| seal.by_digest > 0));
        let missing: Vec<_> = missing.map(|member| member.node.to_string()).collect();
        let detail = format!(
            "the gate judged figures that are not in the evidence; give the own answers of {}",
            missing.join(", ")
        );
        Invalid::new(Reason::FieldMissing, "--answer", detail)
    })?;
    let minimum = report.asked.minimum_contributors;
    let mut verdicts = gate::judge_again(tables, minimum, policy, before.as_ref(), lists);
    let mut cells = BTreeMap::new();
    for proven in &report.cells {
        let cell = &proven.cell;
        let codes = [&cell.indicator, &cell.crime_area, &cell.period, &cell.categories];
        cells.insert(cell_key("picture.cells", codes.map(String::as_str), lists)?, proven);
    }
    // Of a cell that nobody answered there is no verdict.
    let again = |(key, proven): (_, &'a accord_proto::verify::CellProof)| {
        let verdict = verdicts.remove(&key)?;
        Some(Again { cell: &proven.cell, shown: proven.proof != Proof::Withheld, verdict })
    };
    Ok(cells.into_iter().filter_map(again).collect())
}
