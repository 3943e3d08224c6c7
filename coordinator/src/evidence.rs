//! The evidence of a picture. Comes in: what the archive keeps. Goes out: one file that anybody can verify with the roster and the
//! root's key alone. Must never hold a figure that is not public: it has only what the archive may keep.

use accord_proto::{
    evidence,
    id::RequirementId,
    reason::{Invalid, Reason},
    seal::Digest,
    strict,
    wire::{self, region},
};

use crate::{
    archive::{Archive, Drawn},
    standing,
};

/// The file of a picture; of the newest if no version is named.
pub fn of(
    archive: &Archive,
    requirement: RequirementId,
    version: Option<u32>,
) -> Result<Vec<u8>, Invalid> {
    let drawn = archive.picture(requirement, version)?;
    let payload = drawn.envelope.as_ref().map_or(&[][..], |envelope| &envelope.payload);
    let notices = standing::concerning(archive, requirement, payload)?;
    write(archive, requirement, &drawn, &notices)
}

/// The same with what is said of its answers, which somebody has looked up.
pub fn write(
    archive: &Archive,
    requirement: RequirementId,
    drawn: &Drawn,
    notices: &[wire::Envelope],
) -> Result<Vec<u8>, Invalid> {
    let roster = archive.roster(drawn.roster_version)?.ok_or_else(|| not_kept("roster"))?;
    let envelope = drawn.envelope.clone().ok_or_else(|| not_kept("picture"))?;
    let picture: region::Picture = strict::decode_signed("picture", &envelope.payload)?;
    let mut tables = Vec::new();
    for state in &picture.members {
        if state.state() == region::State::Answered {
            tables.push(table_of(archive, requirement, state)?);
        }
    }
    let asked = archive.requirement(requirement)?;
    Ok(evidence::write(roster, asked, envelope, tables, notices.to_vec()))
}

/// What is kept of a member's table, under the seal that the picture names: it may have been sealed anew since.
fn table_of(
    archive: &Archive,
    requirement: RequirementId,
    state: &region::MemberState,
) -> Result<wire::SealedTable, Invalid> {
    let digest = Digest::from_wire("picture.members.table_sha256", &state.table_sha256)?;
    let kept = archive.kept(requirement, digest)?.ok_or_else(|| not_kept(&state.node))?;
    Ok(wire::SealedTable { seal: state.seal.clone(), ..kept })
}

fn not_kept(what: &str) -> Invalid {
    let detail = format!(
        "{what}: not kept; pictures that were drawn before evidence was kept have none, so gather again"
    );
    Invalid::new(Reason::NotFound, "evidence", detail)
}
