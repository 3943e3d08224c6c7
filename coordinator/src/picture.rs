//! The picture: combined cells with their coverage. Comes in: combined figures and the state of every
//! member. Goes out: a [`Picture`], signed. No total without its coverage, no gap drawn as zero, no time
//! inside: the same answers give the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    question::SignedRequirement,
    roster::{Member, Roster},
    seal::{Kind, SecretKey},
    taxonomy::{JurisdictionCode, Lists, WHOLE_REGION},
    wire::{self, region},
};
use prost::Message as _;

use crate::{
    combine::{Combined, RegionalCell},
    gate::{RegionalKey, Standing},
    verify::{Silence, VerifiedAnswer},
};

/// How a member stands in the round.
#[derive(Clone, Debug)]
pub struct MemberState {
    /// Who.
    pub member: Member,
    /// What came of asking it.
    pub outcome: Outcome,
}

/// What came of asking a member.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Its sealed answer was accepted: digest of the table, and the seal.
    Answered {
        /// SHA-256 of the table.
        table: accord_proto::seal::Digest,
        /// The seal as it was signed.
        seal: wire::Envelope,
        /// One person there both decided and released, under break-glass.
        single_handed: bool,
    },
    /// There is no answer.
    Silent(Silence),
}

impl MemberState {
    /// What came of asking, for the picture.
    pub fn of(member: Member, verified: &Result<VerifiedAnswer, Silence>) -> Self {
        let outcome = match verified {
            Ok(answer) => Outcome::Answered {
                table: answer.seal().table_digest,
                seal: answer.envelope().clone(),
                single_handed: answer.single_handed(),
            },
            Err(silence) => Outcome::Silent(silence.clone()),
        };
        Self { member, outcome }
    }

    /// As the wire has it.
    pub fn to_wire(&self) -> region::MemberState {
        let state = match &self.outcome {
            Outcome::Answered { .. } => region::State::Answered,
            Outcome::Silent(Silence::Pending) => region::State::Pending,
            Outcome::Silent(Silence::Declined) => region::State::Declined,
            Outcome::Silent(Silence::Late) => region::State::Late,
            Outcome::Silent(Silence::Unreachable(_)) => region::State::Unreachable,
            Outcome::Silent(Silence::Rejected(_)) => region::State::Rejected,
        };
        let (reason, table_sha256, seal) = match &self.outcome {
            Outcome::Answered { table, seal, .. } => {
                (String::new(), table.0.to_vec(), Some(seal.clone()))
            }
            Outcome::Silent(silence) => (silence.reason().to_owned(), Vec::new(), None),
        };
        region::MemberState {
            node: self.member.node.to_string(),
            jurisdiction: self.member.jurisdiction.to_string(),
            state: state.into(),
            reason,
            table_sha256,
            seal,
            single_handed: self.single_handed(),
        }
    }

    /// Did one person there both decide and release?
    pub fn single_handed(&self) -> bool {
        matches!(self.outcome, Outcome::Answered { single_handed: true, .. })
    }
}

/// A finished picture. Made by [`draw`] only.
#[derive(Debug)]
pub struct Picture {
    envelope: wire::Envelope,
    coverage: region::Coverage,
}

impl Picture {
    /// As it was signed.
    pub fn envelope(&self) -> &wire::Envelope {
        &self.envelope
    }

    /// How many of the members asked it rests on.
    pub fn coverage(&self) -> region::Coverage {
        self.coverage
    }
}

/// Draws the picture of a round. `members` is everybody that the requirement names, ascending.
pub fn draw(
    asked: &SignedRequirement,
    members: &[MemberState],
    figures: &BTreeMap<RegionalKey, RegionalCell>,
    roster: &Roster,
    lists: &Lists,
    key: &SecretKey,
) -> Picture {
    let requirement = asked.requirement();
    let answered = |state: &&MemberState| matches!(state.outcome, Outcome::Answered { .. });
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let round = Round::of(members);
    // Every cell that was asked stands in the picture, also when nobody answered.
    let keys = RegionalKey::asked(&requirement.question);
    let coverage = region::Coverage {
        answered: count(members.iter().filter(answered).count()),
        members: count(members.len()),
    };
    let picture = region::Picture {
        federation: roster.federation.to_string(),
        requirement: requirement.id.to_string(),
        requirement_sha256: asked.digest().0.to_vec(),
        lists: lists.name().to_owned(),
        coverage: Some(coverage),
        members: members.iter().map(MemberState::to_wire).collect(),
        cells: keys.map(|cell| round.cell(cell, figures.get(&cell), lists)).collect(),
    };
    Picture { envelope: key.sign(Kind::Picture, picture.encode_to_vec()), coverage }
}

/// Who was asked and has not answered, by jurisdiction.
struct Round {
    silent: BTreeSet<JurisdictionCode>,
}

impl Round {
    fn of(members: &[MemberState]) -> Self {
        let silent = members.iter().filter(|state| matches!(state.outcome, Outcome::Silent(_)));
        Self { silent: silent.map(|state| state.member.jurisdiction).collect() }
    }

    fn cell(
        &self,
        key: RegionalKey,
        cell: Option<&RegionalCell>,
        lists: &Lists,
    ) -> region::PictureCell {
        let RegionalKey { indicator: code, crime_area, period, categories } = key;
        let indicator = lists.indicator_of(code);
        // Nobody answered: there is no such cell.
        let unanswered =
            RegionalCell { combined: Combined::Nothing, standing: Standing::default() };
        let RegionalCell { combined, standing } = cell.unwrap_or(&unanswered);
        let status = self.status(*combined, standing);
        let (value, standard_error_milli) = match combined {
            Combined::Figure { value, standard_error_milli } => (*value, *standard_error_milli),
            Combined::Nothing | Combined::TooFew | Combined::NotApplicable => (0, 0),
        };
        let names = |list: &[JurisdictionCode]| list.iter().map(ToString::to_string).collect();
        region::PictureCell {
            indicator: code.to_string(),
            crime_area: crime_area.to_string(),
            region: WHOLE_REGION.to_owned(),
            period: period.to_string(),
            status: status.into(),
            value,
            decimals: indicator.map_or(0, |indicator| indicator.decimals),
            unit: indicator.map_or_else(String::new, |indicator| indicator.unit.clone()),
            contributors: names(&standing.contributors),
            missing: names(&standing.missing),
            not_shown: names(&standing.not_shown),
            silent: self.silent.iter().map(ToString::to_string).collect(),
            categories: lists.write_categories(code, &categories),
            standard_error_milli,
        }
    }

    fn status(&self, combined: Combined, standing: &Standing) -> region::PictureStatus {
        let whole = standing.whole && self.silent.is_empty();
        let all_missing = !standing.missing.is_empty() && standing.not_shown.is_empty();
        match combined {
            Combined::Figure { .. } if whole => region::PictureStatus::Value,
            Combined::Figure { .. } => region::PictureStatus::Partial,
            Combined::NotApplicable => region::PictureStatus::NotApplicable,
            Combined::Nothing if all_missing => region::PictureStatus::Missing,
            Combined::Nothing | Combined::TooFew => region::PictureStatus::NotShown,
        }
    }
}
