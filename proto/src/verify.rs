//! Verifying offline. Comes in: the file of a picture, answers that nodes have handed out of their own archives, the roster and
//! the root's key. Goes out: what is proven of every cell, or the first thing that is wrong: which signature, member, block
//! or cell, and where it lies in the file. Pure; it believes nobody but the root.
//!
//! What is *not* proven: that the gate was right to withhold a cell, or that a cell was never pooled with other contributors before. That is the
//! coordinator's word, under its signature.

use std::collections::BTreeMap;

use crate::{
    answer::{RedactedTable, SealedTable},
    evidence::{self, place_of},
    identity::Name,
    question::{Requirement, SignedRequirement},
    reason::{Invalid, Reason},
    roster::{Member, Roster},
    seal::{self, Digest, Kind, PublicKey},
    standing::Standing,
    strict,
    table::Table,
    taxonomy::{JurisdictionCode, Lists},
    wire::{self, region},
};

mod cells;
mod said;
mod words;

pub use cells::{CellProof, Proof};

/// Whom to believe.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The roster that the reader holds.
    pub roster: &'a wire::Envelope,
    /// The federation root's key.
    pub root: &'a PublicKey,
    /// The code lists.
    pub lists: &'a Lists,
}

/// What a member's part in the proof is.
#[derive(Clone, Debug)]
pub struct MemberProof {
    /// Which node.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Its table, if it answered.
    pub sealed: Option<SealProof>,
    /// It has signed that it does not answer.
    pub declined: bool,
    /// What it has signed since: that its answer may not be used any more.
    pub standing: Option<Standing>,
}

/// A seal that verifies.
#[derive(Clone, Copy, Debug)]
pub struct SealProof {
    /// Digest of the table.
    pub table: Digest,
    /// Number of the seal.
    pub sequence: u64,
    /// Blocks of which all cells are at hand.
    pub whole: usize,
    /// Blocks that are known by their digest only.
    pub by_digest: usize,
    /// One person there both decided and released, under break-glass.
    pub single_handed: bool,
}

/// What is proven.
#[derive(Clone, Debug)]
pub struct Report {
    /// The requirement that was asked.
    pub requirement: String,
    /// SHA-256 of the picture's signed bytes.
    pub picture: Digest,
    /// Version of the roster that the picture rests on.
    pub roster_version: u64,
    /// Version of the roster that the reader holds.
    pub held_version: u64,
    /// Everybody who was asked.
    pub members: Vec<MemberProof>,
    /// Every cell of the picture, in its order.
    pub cells: Vec<CellProof>,
    /// What was asked.
    pub asked: Requirement,
    /// The tables, as far as they are at hand.
    tables: Vec<Table>,
}

impl Report {
    /// The members' tables, if all of every one are at hand.
    pub fn whole_tables(&self) -> Option<&[Table]> {
        let seals = self.members.iter().filter_map(|member| member.sealed);
        (seals.map(|seal| seal.by_digest).sum::<usize>() == 0).then_some(&self.tables)
    }

    /// How many cells are proven so.
    pub fn count(&self, proof: Proof) -> usize {
        self.cells.iter().filter(|cell| cell.proof == proof).count()
    }
}

/// Checks a picture's file, with the files of nodes' own answers.
pub fn verify(file: &[u8], answers: &[Vec<u8>], trust: Trust<'_>) -> Result<Report, Invalid> {
    let parts = evidence::read(file)?;
    // Looked for only where something is wrong.
    let placed = |part: &[u8], error| at_place(place_of(part, file), error);
    let held = Roster::open_of_any_time(trust.roster, trust.root, trust.lists)
        .map_err(|error| error.within("--roster"))?;
    let roster = open_roster(&parts.roster, &held, trust)
        .map_err(|error| placed(&parts.roster.payload, error))?;
    let asked = SignedRequirement::open(parts.requirement.clone(), &roster, trust.lists)
        .map_err(|error| placed(&parts.requirement.payload, error))?;
    let picture = open_picture(&parts.picture, &asked, &roster, trust.lists)
        .map_err(|error| placed(&parts.picture.payload, error))?;

    let (mut tables, mut members) = (Vec::new(), Vec::new());
    let mut kept = parts.tables.into_iter();
    let mut given = open_answers(answers, &roster, trust.lists)?;
    for (at, state) in picture.members.iter().enumerate() {
        let field = format!("picture.members[{at}]");
        let member = member_of(state, &asked, at, &roster).map_err(|error| error.within(&field))?;
        words::check_decline(state, member, &asked, trust.lists)
            .map_err(|error| error.within(&field))?;
        let mut table = None;
        if state.state() == region::State::Answered {
            let named = |error: Invalid| error.within(format!("table of {}", member.node));
            let sealed = kept.next().ok_or_else(|| {
                named(Invalid::new(Reason::FieldMissing, "table", "is not in the file"))
            })?;
            let head = sealed.table.clone();
            let opened = open_table(sealed, state, member, &asked, trust.lists)
                .map_err(|error| placed(&head, named(error)))?;
            let whole = given.remove(&member.node);
            table = Some(with_answer(opened, whole)?);
        }
        members.push(MemberProof {
            node: member.node.clone(),
            jurisdiction: member.jurisdiction,
            sealed: table.as_ref().map(Held::proof),
            declined: state.decline.is_some(),
            standing: None,
        });
        tables.extend(table);
    }
    if kept.next().is_some() {
        let detail = "there are more tables than members that answered";
        return Err(Invalid::new(Reason::FieldInvalid, "file.tables", detail));
    }
    if let Some(stranger) = given.keys().next() {
        let detail = "the picture does not rest on an answer of it";
        return Err(Invalid::new(Reason::NotFound, format!("answer of {stranger}"), detail));
    }
    let answered = |member: &MemberProof| Some((member.node.clone(), member.sealed?.table));
    let answered: BTreeMap<_, _> = members.iter().filter_map(answered).collect();
    let says = words::open_notices(&parts.notices, &answered, &asked, (&roster, trust.lists))?;
    for member in &mut members {
        member.standing = says.get(&member.node).copied();
    }
    let cells = cells::prove(&picture, &asked, &tables, trust.lists)
        .map_err(|error| placed(&parts.picture.payload, error))?;
    Ok(Report {
        requirement: asked.requirement().id.to_string(),
        picture: Digest::of(&parts.picture.payload),
        roster_version: roster.version,
        held_version: held.version,
        members,
        cells,
        asked: asked.requirement().clone(),
        tables: tables.into_iter().map(|held| held.table).collect(),
    })
}

/// A member's table, as far as it is at hand.
struct Held {
    table: Table,
    left_out: Vec<bool>,
    proof: SealProof,
}

impl Held {
    fn proof(&self) -> SealProof {
        let by_digest = self.left_out.iter().filter(|left_out| **left_out).count();
        SealProof { by_digest, whole: self.left_out.len() - by_digest, ..self.proof }
    }
}

/// The roster of the file: signed by the root, and no other one under the version that the reader holds.
fn open_roster(
    envelope: &wire::Envelope,
    held: &Roster,
    trust: Trust<'_>,
) -> Result<Roster, Invalid> {
    let roster = Roster::open_of_any_time(envelope, trust.root, trust.lists)?;
    let wrong = |detail: &str| Err(Invalid::new(Reason::RosterInvalid, "roster", detail));
    if roster.federation != held.federation {
        return wrong("is of another federation than the one given");
    }
    if roster.version == held.version && envelope.payload != trust.roster.payload {
        return wrong("is another one than the one given, under the same version");
    }
    Ok(roster)
}

fn open_picture(
    envelope: &wire::Envelope,
    asked: &SignedRequirement,
    roster: &Roster,
    lists: &Lists,
) -> Result<region::Picture, Invalid> {
    let keys: Vec<_> = roster.centres.iter().flat_map(|centre| centre.keys.clone()).collect();
    let payload = seal::open(envelope, Kind::Picture, &keys, "picture")?;
    let picture: region::Picture = strict::decode_signed("picture", payload)?;
    let answered = |state: &&region::MemberState| state.state() == region::State::Answered;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let coverage = region::Coverage {
        answered: count(picture.members.iter().filter(answered).count()),
        members: count(picture.members.len()),
    };
    let says = [
        ("picture.federation", picture.federation == roster.federation.to_string()),
        ("picture.requirement", picture.requirement == asked.requirement().id.to_string()),
        ("picture.requirement_sha256", picture.requirement_sha256 == asked.digest().0),
        ("picture.lists", picture.lists == lists.name()),
        ("picture.members", picture.members.len() == asked.requirement().members.len()),
        ("picture.coverage", picture.coverage == Some(coverage)),
    ];
    match says.into_iter().find(|(_, same)| !same) {
        None => Ok(picture),
        Some((field, _)) => {
            let detail = "does not belong to this requirement, its members and these lists";
            Err(Invalid::new(Reason::PictureFalse, field, detail))
        }
    }
}

/// The member that a line of the picture speaks of: the one that the requirement names there.
fn member_of<'a>(
    state: &region::MemberState,
    asked: &SignedRequirement,
    at: usize,
    roster: &'a Roster,
) -> Result<&'a Member, Invalid> {
    let named = asked.requirement().members.get(at);
    let member = named.and_then(|name| roster.member(name)).ok_or_else(|| {
        Invalid::new(Reason::RosterInvalid, "node", "is not in the roster of the file")
    })?;
    let same =
        state.node == member.node.as_str() && state.jurisdiction == member.jurisdiction.to_string();
    if !same {
        let detail = format!("is not {} of {}", member.node, member.jurisdiction);
        return Err(Invalid::new(Reason::PictureFalse, "node", detail));
    }
    let silent = state.state() != region::State::Answered;
    if silent && (state.seal.is_some() || !state.table_sha256.is_empty()) {
        let detail = "has a seal, and is said not to have answered";
        return Err(Invalid::new(Reason::PictureFalse, "state", detail));
    }
    Ok(member)
}

/// A member's table: sealed by it, for this requirement, as the picture says, with all that is public.
fn open_table(
    sealed: wire::SealedTable,
    state: &region::MemberState,
    member: &Member,
    asked: &SignedRequirement,
    lists: &Lists,
) -> Result<RedactedTable, Invalid> {
    if sealed.seal != state.seal {
        let detail = "is another one than the picture names";
        return Err(Invalid::new(Reason::PictureFalse, "seal", detail));
    }
    let opened = RedactedTable::open(sealed, &member.seal_keys, lists)?;
    let (seal, requirement) = (opened.seal(), asked.requirement());
    if seal.node != member.node || seal.jurisdiction != member.jurisdiction {
        let detail = format!("speaks for {}", seal.node);
        return Err(Invalid::new(Reason::AnswerIdentity, "seal.node", detail));
    }
    seal.check_bound(asked)?;
    if seal.issued_at >= requirement.closes_at || seal.expires_at <= requirement.opens_at {
        let detail = "was not valid while the answers were collected";
        return Err(Invalid::new(Reason::AnswerStale, "seal.issued_at_s", detail));
    }
    if state.single_handed != seal.single_handed {
        let detail =
            "is said to be by one hand where the seal says otherwise, or the other way round";
        return Err(Invalid::new(Reason::PictureFalse, "single_handed", detail));
    }
    if state.table_sha256 != seal.table_digest.0 {
        let detail = "the picture names another table";
        return Err(Invalid::new(Reason::PictureFalse, "table_sha256", detail));
    }
    opened.table().check_answers(&requirement.question, lists)?;
    let blocks = opened.table().blocks.iter().zip(opened.left_out()).enumerate();
    for (at, (block, left_out)) in blocks {
        if *left_out && block.may_be_kept() {
            let detail = "its cells are left out, although they are public";
            return Err(Invalid::new(
                Reason::FieldMissing,
                format!("table.blocks[{at}] ({})", block.indicator),
                detail,
            ));
        }
    }
    Ok(opened)
}

/// Answers that nodes have handed out, by node.
fn open_answers(
    files: &[Vec<u8>],
    roster: &Roster,
    lists: &Lists,
) -> Result<BTreeMap<Name, SealedTable>, Invalid> {
    let mut given = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        let sealed = evidence::read_answer(file).map_err(|error| error.within(nth(at)))?;
        let open = |member: &Member| {
            let opened = SealedTable::open(sealed.clone(), &member.seal_keys, lists)?;
            Ok::<_, Invalid>((member.node.clone(), opened))
        };
        // Whose it is, its key says: what it says of itself is not believed before.
        let key_ids: Vec<_> = sealed
            .seal
            .iter()
            .flat_map(|seal| seal.signatures.iter().map(|signature| signature.key_id.clone()))
            .collect();
        let signs =
            |member: &&Member| member.seal_keys.iter().any(|key| key_ids.contains(&key.id()));
        let member = roster.members.iter().find(signs).ok_or_else(|| {
            let detail = "is sealed by none of the members";
            Invalid::new(Reason::AnswerSeal, nth(at), detail)
        })?;
        let (node, opened) = open(member).map_err(|error| error.within(nth(at)))?;
        if given.insert(node.clone(), opened).is_some() {
            let detail = format!("is the second one of {node}");
            return Err(Invalid::new(Reason::FieldInvalid, nth(at), detail));
        }
    }
    Ok(given)
}

/// The member's own answer in place of what the coordinator keeps of it, if it is the one that was sealed.
fn with_answer(kept: RedactedTable, given: Option<SealedTable>) -> Result<Held, Invalid> {
    let seal = kept.seal();
    let proof = SealProof {
        table: seal.table_digest,
        sequence: seal.sequence,
        whole: 0,
        by_digest: 0,
        single_handed: seal.single_handed,
    };
    let Some(given) = given else {
        let (table, left_out) = (kept.table().clone(), kept.left_out().to_vec());
        return Ok(Held { table, left_out, proof });
    };
    if given.seal().table_digest != seal.table_digest {
        return Err(Invalid::new(
            Reason::AnswerChanged,
            format!("answer of {}", seal.node),
            "is not the one that the picture rests on",
        ));
    }
    let left_out = vec![false; given.table().blocks.len()];
    Ok(Held { table: given.table().clone(), left_out, proof })
}

fn nth(at: usize) -> String {
    format!("answer {}", at + 1)
}

/// The same error, with where in the file its subject lies.
fn at_place(place: Option<(usize, usize)>, error: Invalid) -> Invalid {
    match place {
        Some((from, to)) => Invalid {
            detail: format!("{} (bytes {from} to {to} of the file)", error.detail),
            ..error
        },
        None => error,
    }
}
