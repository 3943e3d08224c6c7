//! Is a delivered file what it says? Comes in: its bytes, what was announced, and whom this node believes. Goes out: what it
//! proves, or the first thing that is wrong with it. Pure; it believes nobody but the root.

use std::collections::BTreeMap;

use accord_proto::{
    delivery::Head,
    evidence::{self, Evidence},
    identity::Name,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Digest, Envelope},
    standing::Notice,
    taxonomy::Lists,
    verify::{Trust, verify},
};

/// What a file proves, for whoever keeps it.
#[derive(Debug)]
pub(super) struct Checked {
    /// SHA-256 of the picture's signed bytes.
    pub(super) picture: Digest,
    /// This node's table that it rests on.
    pub(super) own_table: Option<Digest>,
    /// Who was asked, and who of them answered.
    pub(super) members: u32,
    /// See `members`.
    pub(super) answered: u32,
    /// Members whose answer does not stand any more.
    pub(super) notices: u32,
    /// Purpose and legal basis of what was asked.
    pub(super) why: String,
}

/// Verifies a file like a stranger, and that it is the one that was announced, to this node.
pub(super) fn check(
    file: &[u8],
    head: &Head,
    own: &Name,
    trust: Trust<'_>,
) -> Result<Checked, Invalid> {
    let report = verify(file, &[], trust).map_err(of_the_file)?;
    if report.requirement != head.requirement.to_string() {
        let detail = format!("the picture is of {}", report.requirement);
        return Err(Invalid::new(Reason::PictureFalse, "head.requirement", detail));
    }
    let own = report.members.iter().find(|member| member.node == *own).ok_or_else(|| {
        let detail = format!("{own} is not among those asked");
        Invalid::new(Reason::RequirementNotForMember, "requirement.members", detail)
    })?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let asked = asked(&evidence::read(file)?, trust)?;
    let requirement = asked.requirement();
    Ok(Checked {
        picture: report.picture,
        own_table: own.sealed.map(|sealed| sealed.table),
        members: count(report.members.len()),
        answered: count(report.members.iter().filter(|member| member.sealed.is_some()).count()),
        notices: count(report.members.iter().filter(|member| member.standing.is_some()).count()),
        why: format!("{}; {}", requirement.purpose, requirement.legal_basis),
    })
}

/// The requirement of a file that was verified before.
pub(crate) fn asked(parts: &Evidence, trust: Trust<'_>) -> Result<SignedRequirement, Invalid> {
    let roster = Roster::open_of_any_time(&parts.roster, trust.root, trust.lists)?;
    SignedRequirement::open(parts.requirement.clone(), &roster, trust.lists)
}

/// Of two files of the same picture, both verified: the second one has all that members have said in the first, or
/// later words of theirs, and differs in nothing else.
pub(super) fn check_only_adds(
    before: &[u8],
    after: &[u8],
    trust: Trust<'_>,
) -> Result<(), Invalid> {
    let wrong = |detail: &str| Err(Invalid::new(Reason::PictureFalse, "evidence", detail));
    let (before, after) = (evidence::read(before)?, evidence::read(after)?);
    let same = before.roster == after.roster
        && before.requirement == after.requirement
        && before.picture == after.picture
        && before.tables == after.tables;
    if !same {
        return wrong("is of a picture that is held, and differs from it in more than its notices");
    }
    let roster = Roster::open_of_any_time(&after.roster, trust.root, trust.lists)?;
    let known = said(&before.notices, &roster, trust.lists);
    let now = said(&after.notices, &roster, trust.lists);
    match known.iter().all(|(node, epoch)| now.get(node).is_some_and(|now| now >= epoch)) {
        true => Ok(()),
        false => wrong("lacks what a member has said of its answer, as is known here"),
    }
}

/// Who has said something of its answer, and under which state of its consent.
fn said(notices: &[Envelope], roster: &Roster, lists: &Lists) -> BTreeMap<Name, u64> {
    let mut newest = BTreeMap::new();
    for envelope in notices {
        let open = |keys| Notice::open(envelope, keys, lists).ok();
        let found = roster.members.iter().find_map(|member| open(&member.seal_keys));
        if let Some(Notice { node, consent_epoch, .. }) = found {
            let epoch = newest.entry(node).or_insert(consent_epoch);
            *epoch = consent_epoch.max(*epoch);
        }
    }
    newest
}

/// What is wrong with a file's roster is no trouble of this node's own.
fn of_the_file(error: Invalid) -> Invalid {
    match error.reason == Reason::RosterInvalid {
        true => Invalid { reason: Reason::PictureFalse, ..error },
        false => error,
    }
}
