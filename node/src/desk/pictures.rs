//! Delivered pictures, for the node's own staff. Comes in: a person's request. Goes out: a picture with the node's own share of
//! it, or its file. Must never show the share to anybody else, and never a figure before the journal says who looks.

use accord_proto::{
    evidence,
    id::RequirementId,
    reason::{Invalid, Reason},
    seal::{Digest, Envelope},
    table::Placed,
    transport::Peer,
};

use super::summaries::consulted;
use crate::{
    answer::Node,
    pictures::{check, own, trust},
    seal::SealedAnswer,
    store::Delivered,
};

/// A picture as it is shown.
#[derive(Debug)]
pub struct Shown {
    /// Its line.
    pub delivered: Delivered,
    /// As the coordinator signed it.
    pub picture: Envelope,
    /// What members have said since.
    pub notices: Vec<Envelope>,
    /// None: it rests on no answer of this node.
    pub own: Option<OwnShare>,
}

/// What the node itself has released of a picture.
pub struct OwnShare {
    /// The table that the picture rests on.
    pub table: Digest,
    /// Another one took its place since, and these are its figures.
    pub superseded: bool,
    /// For each cell of the picture, in its order.
    pub cells: Vec<Vec<Placed>>,
}

impl std::fmt::Debug for OwnShare {
    /// Prints no figure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnShare({} cells)", self.cells.len())
    }
}

/// One picture; the newest if no version is named.
pub async fn show(
    node: &Node,
    caller: &Peer,
    (requirement, version): (RequirementId, Option<u32>),
) -> Result<Shown, Invalid> {
    let (delivered, file) = find(node, requirement, version)?;
    look(node, caller, "show", requirement, &delivered).await?;
    let parts = evidence::read(&file)?;
    let own = match delivered.own_table.as_slice() {
        [] => None,
        table => {
            let pinned = node.pinned.get();
            let question =
                check::asked(&parts, trust(&pinned, node.lists))?.requirement().question.clone();
            let table = Digest::from_wire("store.picture", table)?;
            released(node, requirement, table)?.map(|(superseded, held)| {
                let cells = own::share(&question, &held);
                OwnShare { table, superseded, cells }
            })
        }
    };
    Ok(Shown { delivered, picture: parts.picture, notices: parts.notices, own })
}

/// The file that a picture came in; of the newest if no version is named.
pub async fn file(
    node: &Node,
    caller: &Peer,
    (requirement, version): (RequirementId, Option<u32>),
) -> Result<(Delivered, Vec<u8>), Invalid> {
    let (delivered, file) = find(node, requirement, version)?;
    look(node, caller, "evidence", requirement, &delivered).await?;
    Ok((delivered, file))
}

/// The table that the node holds for a requirement: does it differ from the one that was released first?
fn released(
    node: &Node,
    requirement: RequirementId,
    table: Digest,
) -> Result<Option<(bool, accord_proto::table::Table)>, Invalid> {
    let Some(released) = node.store.released(requirement)? else { return Ok(None) };
    let held = SealedAnswer::reopen(&released.response, &node.seal_keys(), node.lists)?;
    Ok(Some((held.seal().table_digest != table, held.table().clone())))
}

fn find(
    node: &Node,
    requirement: RequirementId,
    version: Option<u32>,
) -> Result<(Delivered, Vec<u8>), Invalid> {
    let found = node.store.delivered(requirement, version)?.ok_or_else(|| {
        let detail = format!("no such picture of {requirement} was delivered here");
        Invalid::new(Reason::NotFound, "picture", detail)
    })?;
    node.store.picture_file(requirement, found.version)
}

async fn look(
    node: &Node,
    caller: &Peer,
    verb: &str,
    requirement: RequirementId,
    delivered: &Delivered,
) -> Result<(), Invalid> {
    let subject = format!("picture {requirement} version {}", delivered.version);
    let digest = Digest::from_wire("store.picture", &delivered.evidence)?;
    consulted(node, caller, verb, &subject, digest).await
}
