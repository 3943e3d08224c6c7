//! The picture: combined cells with their coverage. Comes in: combined figures and the state of every
//! member. Goes out: a [`Picture`], signed. No total without its coverage, no gap drawn as zero, no time
//! inside: the same answers give the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use accord_proto::{
    identity::Name,
    picture::{Written, write_cell},
    question::SignedRequirement,
    reason::{Invalid, Reason},
    regional::Deviation,
    roster::{Member, Roster},
    seal::{Kind, SecretKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    wire::{self, region},
};
use prost::Message as _;

use crate::{
    combine::{Combined, RegionalCell},
    gate::{Named, RegionalKey, Standing},
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
        /// Digest of the table.
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
    /// It was asked, and the deadline passed.
    pub fn ran_out_of_time(&self) -> bool {
        let late = |why: &Invalid| why.reason == Reason::DeadlineExceeded;
        matches!(&self.outcome, Outcome::Silent(Silence::Unreachable(why)) if late(why))
    }

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
            Outcome::Silent(Silence::Declined(_)) => region::State::Declined,
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
        let decline = match &self.outcome {
            Outcome::Silent(Silence::Declined(decline)) => Some(decline.clone()),
            Outcome::Answered { .. } | Outcome::Silent(_) => None,
        };
        region::MemberState {
            node: self.member.node.to_string(),
            jurisdiction: self.member.jurisdiction.to_string(),
            state: state.into(),
            reason,
            table_sha256,
            seal,
            single_handed: self.single_handed(),
            decline,
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

/// What stands in a picture besides its figures.
#[derive(Debug, Default)]
pub struct Beside {
    /// Members' own figures, under their name.
    pub named: Named,
    /// Fewest jurisdictions behind a figure that is not public.
    pub contributors_min: u64,
    /// What members declare to count otherwise than it is defined.
    pub deviations: Vec<Deviation>,
}

/// Draws the picture of a round. `members` is everybody that the requirement names, ascending.
pub fn draw(
    asked: &SignedRequirement,
    members: &[MemberState],
    (figures, beside): (&BTreeMap<RegionalKey, RegionalCell>, &Beside),
    roster: &Roster,
    lists: &Lists,
    key: &SecretKey,
) -> Picture {
    let requirement = asked.requirement();
    let answered = |state: &&MemberState| matches!(state.outcome, Outcome::Answered { .. });
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let silent = silent(members);
    // Nobody answered: there is no such cell.
    let unanswered = RegionalCell { combined: Combined::Nothing, standing: Standing::default() };
    let cell = |key: RegionalKey| {
        let RegionalCell { combined, standing } = figures.get(&key).unwrap_or(&unanswered);
        let (combined, shares) = (*combined, beside.named.of(&key));
        write_cell(key, Written { combined, standing, shares, silent: &silent }, lists)
    };
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
        cells: keys.map(cell).collect(),
        contributors_min: u32::try_from(beside.contributors_min).unwrap_or(u32::MAX),
        deviations: beside.deviations.iter().map(Deviation::to_wire).collect(),
    };
    Picture { envelope: key.sign(Kind::Picture, picture.encode_to_vec()), coverage }
}

/// Members that a picture of this coordinator's own rests on, and how many jurisdictions a figure in it that is not public.
pub fn rests_on(envelope: &wire::Envelope) -> Result<(BTreeSet<Name>, u32), Invalid> {
    let picture: region::Picture = strict::decode_signed("picture", &envelope.payload)?;
    let answered = picture.members.iter().filter(|of| of.state() == region::State::Answered);
    let answered = answered.map(|of| Name::parse("picture.members", &of.node));
    Ok((answered.collect::<Result<_, _>>()?, picture.contributors_min))
}

/// Jurisdictions that were asked and have not answered.
fn silent(members: &[MemberState]) -> BTreeSet<JurisdictionCode> {
    let silent = members.iter().filter(|state| matches!(state.outcome, Outcome::Silent(_)));
    silent.map(|state| state.member.jurisdiction).collect()
}
