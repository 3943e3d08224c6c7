//! A roster as the root writes it, everything of a party in one place. Comes in: who takes part, the root's key. Goes out:
//! the file for those who take part, in which contacts stand apart from what is signed. Must never sign what its readers
//! would refuse, nor an address.

use prost::Message as _;

use super::{Roster, RosterFile, contacts::SALT_BYTES};
use crate::{
    clock::Entropy,
    reason::Invalid,
    seal::{Digest, Kind, SecretKey},
    taxonomy::Lists,
    wire,
};

/// What is to be signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Paper {
    /// Trust domain.
    pub federation: String,
    /// Higher than any before.
    pub version: u64,
    /// When it is signed.
    pub issued_at_s: i64,
    /// After this nobody may rely on it.
    pub expires_at_s: i64,
    /// Nodes, ascending by name.
    pub members: Vec<PaperMember>,
    /// Authorities, ascending by name.
    pub authorities: Vec<wire::Authority>,
    /// Coordinators, ascending by name.
    pub centres: Vec<PaperCentre>,
}

/// A national node, with its contact.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperMember {
    /// Its name.
    pub node: String,
    /// Whom it speaks for.
    pub jurisdiction: String,
    /// host:port, or that it dials in.
    pub address: String,
    /// Of each certificate it may present.
    pub tls_spki_sha256: Vec<Vec<u8>>,
    /// Keys that may seal its answers.
    pub seal_keys: Vec<Vec<u8>>,
    /// Since when.
    pub since_s: i64,
}

/// A coordinator, with its contact.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperCentre {
    /// Its name.
    pub name: String,
    /// Of each certificate it may present.
    pub tls_spki_sha256: Vec<Vec<u8>>,
    /// Keys that may sign pictures.
    pub keys: Vec<Vec<u8>>,
}

impl Roster {
    /// Signs a roster. The root key is kept offline; this runs where the root is.
    pub fn sign(
        paper: &Paper,
        lists: &Lists,
        root: &SecretKey,
        entropy: &dyn Entropy,
    ) -> Result<RosterFile, Invalid> {
        let mut salt = vec![0; SALT_BYTES];
        entropy.fill(&mut salt)?;
        let contacts = wire::Contacts { salt, contacts: contacts(paper) }.encode_to_vec();
        let roster = signed(paper, Digest::of(&contacts));
        Self::from_wire(roster.clone(), lists)?.take(&contacts)?;
        let envelope = root.sign(Kind::Roster, roster.encode_to_vec());
        Ok(RosterFile { roster: Some(envelope), contacts })
    }
}

/// What stays among those who take part.
fn contacts(paper: &Paper) -> Vec<wire::Contact> {
    let members = paper.members.iter().map(|member| wire::Contact {
        name: member.node.clone(),
        address: member.address.clone(),
        tls_spki_sha256: member.tls_spki_sha256.clone(),
    });
    let centres = paper.centres.iter().map(|centre| wire::Contact {
        name: centre.name.clone(),
        address: String::new(),
        tls_spki_sha256: centre.tls_spki_sha256.clone(),
    });
    let mut contacts: Vec<_> = members.chain(centres).collect();
    contacts.sort_by(|a, b| a.name.cmp(&b.name));
    contacts
}

/// What everybody may see.
fn signed(paper: &Paper, contacts: Digest) -> wire::Roster {
    let member = |member: &PaperMember| wire::Member {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction.clone(),
        seal_keys: member.seal_keys.clone(),
        since_s: member.since_s,
    };
    let centre = |centre: &PaperCentre| wire::Centre {
        name: centre.name.clone(),
        keys: centre.keys.clone(),
    };
    wire::Roster {
        federation: paper.federation.clone(),
        version: paper.version,
        issued_at_s: paper.issued_at_s,
        expires_at_s: paper.expires_at_s,
        members: paper.members.iter().map(member).collect(),
        authorities: paper.authorities.clone(),
        centres: paper.centres.iter().map(centre).collect(),
        contacts_sha256: contacts.0.to_vec(),
    }
}
