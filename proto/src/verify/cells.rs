//! The figures of a picture, worked out again. Comes in: a signed picture, and the tables behind it as far as they are at hand. Goes
//! out: what is proven of each cell, or the first that says something else than the tables. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Held, said};
use crate::{
    combine::{self, Combined},
    picture::{Written, write_cell},
    question::{CONTRIBUTORS_MIN, SignedRequirement},
    reason::{Invalid, Reason},
    regional::{self, Contribution, Deviation, Parts, RegionalKey, Share, Standing},
    taxonomy::{Indicator, JurisdictionCode, Lists},
    wire::region,
};

/// What is proven of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Worked out again, bit for bit, from sealed tables that are at hand.
    Recomputed,
    /// Not shown. That the gate withholds it is the coordinator's word, under its signature.
    Withheld,
    /// Signed by the coordinator; some contributions are known by their digest only.
    ByDigest,
}

impl Proof {
    /// For people and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recomputed => "recomputed",
            Self::Withheld => "withheld",
            Self::ByDigest => "by_digest",
        }
    }
}

/// A cell of the picture.
#[derive(Clone, Debug)]
pub struct CellProof {
    /// As it was signed.
    pub cell: region::PictureCell,
    /// What is proven of it.
    pub proof: Proof,
    /// Jurisdictions of which the part in it is known by its digest only, ascending.
    pub by_digest: Vec<JurisdictionCode>,
}

/// Checks every cell of the picture.
pub(super) fn prove(
    picture: &region::Picture,
    asked: &SignedRequirement,
    tables: &[Held],
    lists: &Lists,
) -> Result<Vec<CellProof>, Invalid> {
    let requirement = asked.requirement();
    let contributions = regional::contributions(tables.iter().map(|held| &held.table));
    let unknown = left_out(tables);
    let silent = silent(picture, lists)?;
    let required = requirement.minimum_contributors.max(CONTRIBUTORS_MIN);
    let minimum = regional::minimum_of(tables.iter().map(|held| &held.table), required);
    // Pictures that were drawn before it stood in them have none.
    if picture.contributors_min != 0 && picture.contributors_min < minimum {
        let detail =
            format!("is less than the {minimum} that the requirement or a member asks for");
        return Err(Invalid::new(Reason::PictureFalse, "picture.contributors_min", detail));
    }
    let declared = regional::deviations(tables.iter().map(|held| &held.table));
    if !declared.iter().map(Deviation::to_wire).eq(picture.deviations.iter().cloned()) {
        let detail = "are not what the answers declare";
        return Err(Invalid::new(Reason::PictureFalse, "picture.deviations", detail));
    }
    let minimum = minimum.max(picture.contributors_min);
    let minimum = usize::try_from(minimum).unwrap_or(usize::MAX);
    let keys: Vec<_> = RegionalKey::asked(&requirement.question).collect();
    if keys.len() != picture.cells.len() {
        let detail = format!("{} cells where {} were asked", picture.cells.len(), keys.len());
        return Err(Invalid::new(Reason::PictureFalse, "picture.cells", detail));
    }
    let of = |(at, (key, cell)): (usize, (RegionalKey, &region::PictureCell))| {
        let parts = contributions.get(&key).map_or(&[][..], Vec::as_slice);
        let by_digest = unknown.get(&key).cloned().unwrap_or_default();
        let round = Round { minimum, silent: &silent, lists };
        let proof = round.prove(key, cell, parts, &by_digest).map_err(|what| {
            let name = format!("{} {} {}", cell.indicator, cell.crime_area, cell.period);
            let field = format!("picture.cells[{at}] ({name} {})", cell.categories);
            Invalid::new(Reason::PictureFalse, field, what)
        })?;
        let by_digest = by_digest.into_iter().collect();
        Ok(CellProof { cell: cell.clone(), proof, by_digest })
    };
    keys.into_iter().zip(&picture.cells).enumerate().map(of).collect()
}

/// Cells of which some parts are left out, with whose. What is public never is.
fn left_out(tables: &[Held]) -> BTreeMap<RegionalKey, BTreeSet<JurisdictionCode>> {
    let mut unknown = BTreeMap::<RegionalKey, BTreeSet<_>>::new();
    for held in tables {
        let blocks = held.table.blocks.iter().zip(&held.left_out);
        for (block, _) in blocks.filter(|(_, left_out)| **left_out) {
            for (crime_area, _, period, categories) in block.coordinates() {
                let indicator = block.indicator;
                let key = RegionalKey { indicator, crime_area, period, categories };
                unknown.entry(key).or_default().insert(held.table.jurisdiction);
            }
        }
    }
    unknown
}

/// Jurisdictions that were asked and have not answered.
fn silent(picture: &region::Picture, lists: &Lists) -> Result<BTreeSet<JurisdictionCode>, Invalid> {
    let silent = picture.members.iter().filter(|state| state.state() != region::State::Answered);
    silent
        .map(|state| Ok(lists.jurisdiction("picture.members", &state.jurisdiction)?.code))
        .collect()
}

/// What every cell of a round is checked with.
struct Round<'a> {
    minimum: usize,
    silent: &'a BTreeSet<JurisdictionCode>,
    lists: &'a Lists,
}

impl Round<'_> {
    fn prove(
        &self,
        key: RegionalKey,
        cell: &region::PictureCell,
        parts: &[Contribution<'_>],
        by_digest: &BTreeSet<JurisdictionCode>,
    ) -> Result<Proof, &'static str> {
        let Some(indicator) = self.lists.indicator_of(key.indicator) else {
            return Err("is of an indicator that there is not");
        };
        let nobody = Standing::default();
        let shares = Share::of(parts);
        let write = |combined: Combined, standing: &Standing| {
            let cell = Written { combined, standing, shares: &shares, silent: self.silent };
            write_cell(key, cell, self.lists)
        };
        let withheld = write(combine::withheld(indicator), &nobody);
        let must_be = |written: &region::PictureCell, proof| {
            if cell == written { Ok(proof) } else { Err("is not what the sealed tables say") }
        };
        if !by_digest.is_empty() {
            return if *cell == withheld {
                Ok(Proof::Withheld)
            } else {
                self.plausible(cell, (parts, by_digest), indicator, write)
            };
        }
        if parts.is_empty() {
            return must_be(&write(Combined::Nothing, &nobody), Proof::Recomputed);
        }
        let shown = |Parts { standing, figures }: Parts| {
            write(combine::combine(&figures, indicator), &standing)
        };
        if !parts.iter().any(Contribution::is_protected) {
            let written = regional::public(parts).map_or(withheld, shown);
            return must_be(&written, Proof::Recomputed);
        }
        if *cell == withheld {
            return Ok(Proof::Withheld);
        }
        let pooled = regional::pooled(parts, self.minimum);
        let pooled = pooled.ok_or("rests on too few contributors to be shown")?;
        must_be(&shown(pooled), Proof::Recomputed)
    }

    /// A pooled cell whose contributions are not at hand: is it what a coordinator would write that had what the cell says of
    /// itself, and is everything else as it must be?
    fn plausible(
        &self,
        cell: &region::PictureCell,
        (parts, by_digest): (&[Contribution<'_>], &BTreeSet<JurisdictionCode>),
        indicator: &Indicator,
        write: impl Fn(Combined, &Standing) -> region::PictureCell,
    ) -> Result<Proof, &'static str> {
        let at_hand = parts.iter().map(|part| part.jurisdiction);
        let answered: BTreeSet<_> = at_hand.chain(by_digest.iter().copied()).collect();
        let (combined, standing) = said::of(cell, self.lists).ok_or("contradicts itself")?;
        let lists = [&standing.contributors, &standing.missing, &standing.not_shown];
        let named = standing.basis.values().flatten();
        let mut all = lists.iter().copied().flatten().chain(named);
        if !all.all(|of| answered.contains(of)) {
            return Err("names somebody who has not answered");
        }
        let as_said =
            [true, false].map(|whole| write(combined, &Standing { whole, ..standing.clone() }));
        if !as_said.contains(cell) {
            return Err("is not written as a cell with this figure and these members is");
        }
        let open = parts.iter().filter(|part| part.precision().is_some());
        for part in open {
            if !standing.contributors.contains(&part.jurisdiction) {
                return Err("leaves out a figure that is public or named");
            }
        }
        if matches!(combined, Combined::Nothing | Combined::TooFew | Combined::NotApplicable) {
            return Ok(Proof::ByDigest);
        }
        if !combine::is_plausible(combined, standing.contributors.len(), indicator) {
            return Err("has an interval that its figure and its error do not have");
        }
        // Public and named figures hide nobody: so many must bring one that is neither, or nobody.
        let hidden = parts.iter().filter(|part| part.is_hidden()).map(|part| part.jurisdiction);
        let hidden: BTreeSet<_> = by_digest.iter().copied().chain(hidden).collect();
        let hide = standing.contributors.iter().filter(|of| hidden.contains(of)).count();
        if hide > 0 && hide < self.minimum {
            return Err("rests on too few contributors to be shown");
        }
        if hide == 0
            && regional::pooled(parts, 0).map(|of| combine::combine(&of.figures, indicator))
                != Some(combined)
        {
            return Err("is not what the sealed tables say");
        }
        let based: BTreeSet<_> = standing.basis.values().flatten().collect();
        if !standing.contributors.iter().eq(based) {
            return Err("does not say of each contributor how exact its figure is");
        }
        Ok(Proof::ByDigest)
    }
}
