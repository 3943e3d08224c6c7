//! How members and coordinators reach and know each other. Comes in: a roster's file. Goes out: the roster with a contact
//! at everybody whom the root lists. Must never give an address or a certificate that the root has not signed for, nor
//! take one over into anything that is signed or kept as evidence.

use std::collections::BTreeMap;

use super::{Roster, RosterFile, ascending, bounded, each};
use crate::{
    clock::Timestamp,
    identity::Name,
    limits::{KEYS_PER_PARTY_MAX, MEMBERS_MAX, TEXT_BYTES_MAX},
    reason::{Invalid, Reason, quoted},
    seal::{Digest, Envelope, PublicKey},
    strict,
    taxonomy::Lists,
    wire,
};

/// Instead of an address: this node has none, it connects to the coordinator.
pub const DIALS_IN: &str = "dials-in";
/// Makes the digest of the contacts one that nobody finds by guessing at them.
pub(super) const SALT_BYTES: usize = 16;

/// How somebody is reached and known. The default reaches nobody, and knows no certificate.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Contact {
    /// host:port of a member's Exchange service; [`DIALS_IN`] of one that opens the connection itself. Empty of a centre.
    pub address: String,
    /// SHA-256 of the public key of each certificate it may present.
    pub tls_spki_sha256: Vec<Digest>,
}

impl Roster {
    /// Reads a roster's file: as [`Roster::open`], with contacts. Gives the roster as it was signed, too.
    pub fn read(
        file: (&str, &[u8]),
        root: &PublicKey,
        lists: &Lists,
        seen: u64,
        now: Timestamp,
    ) -> Result<(Self, Envelope), Invalid> {
        let (roster, signed, contacts) = Self::read_parts(file, root, lists)?;
        let mut roster = roster.current(seen, now)?;
        roster.take(&contacts)?;
        Ok((roster, signed))
    }

    /// The same whenever it was signed, and without contacts where the file has none: for looking back, never to rely on.
    pub fn read_of_any_time(
        file: (&str, &[u8]),
        root: &PublicKey,
        lists: &Lists,
    ) -> Result<(Self, Envelope), Invalid> {
        let (mut roster, signed, contacts) = Self::read_parts(file, root, lists)?;
        if !contacts.is_empty() {
            roster.take(&contacts)?;
        }
        Ok((roster, signed))
    }

    /// The file for whoever verifies what its members have signed, and reaches none of them.
    pub fn for_readers(signed: Envelope) -> RosterFile {
        RosterFile { roster: Some(signed), contacts: Vec::new() }
    }

    fn read_parts(
        (field, bytes): (&str, &[u8]),
        root: &PublicKey,
        lists: &Lists,
    ) -> Result<(Self, Envelope, Vec<u8>), Invalid> {
        let RosterFile { roster, contacts } = strict::decode(field, bytes)?;
        let signed = roster.ok_or_else(|| {
            Invalid::new(Reason::FieldMissing, field, "holds no roster that was signed")
        })?;
        let roster = Self::open_of_any_time(&signed, root, lists)?;
        Ok((roster, signed, contacts))
    }

    /// Gives everybody a contact, if these are the contacts that the root has signed for.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Invalid> {
        let wrong = |what: String| Invalid::new(Reason::RosterInvalid, "roster.contacts", what);
        if Digest::of(bytes) != self.contacts {
            return Err(wrong("are not the ones that the root has signed for".to_owned()));
        }
        let wire::Contacts { salt, contacts } = strict::decode_signed("roster.contacts", bytes)?;
        if salt.len() != SALT_BYTES {
            return Err(wrong(format!("have a salt of {} bytes, not {SALT_BYTES}", salt.len())));
        }
        bounded("roster.contacts", contacts.len(), MEMBERS_MAX + KEYS_PER_PARTY_MAX)?;
        let contacts = each("roster.contacts", contacts, contact)?;
        ascending("roster.contacts", contacts.iter().map(|(name, _)| name))?;
        let mut contacts: BTreeMap<_, _> = contacts.into_iter().collect();
        let mut of = |name: &Name| {
            contacts.remove(name).ok_or_else(|| wrong(format!("have none of {name} alone")))
        };
        for member in &mut self.members {
            member.contact = of(&member.node)?;
            check_address(&member.contact.address).map_err(|error| error.within(&member.node))?;
        }
        for centre in &mut self.centres {
            centre.contact = of(&centre.name)?;
            if !centre.contact.address.is_empty() {
                return Err(wrong(format!("say where {} is: nobody calls a centre", centre.name)));
            }
        }
        match contacts.keys().next() {
            None => Ok(()),
            Some(stranger) => Err(wrong(format!("name {stranger}, who is not in the roster"))),
        }
    }
}

fn contact(entry: wire::Contact) -> Result<(Name, Contact), Invalid> {
    let wire::Contact { name, address, tls_spki_sha256: keys } = entry;
    bounded("address", address.len(), TEXT_BYTES_MAX)?;
    bounded("tls_spki_sha256", keys.len(), KEYS_PER_PARTY_MAX)?;
    let key = |bytes: &Vec<u8>| Digest::from_wire("tls_spki_sha256", bytes);
    let tls_spki_sha256 = keys.iter().map(key).collect::<Result<_, _>>()?;
    Ok((Name::parse("name", &name)?, Contact { address, tls_spki_sha256 }))
}

/// Where a member can be called, or that it dials in.
pub(crate) fn check_address(address: &str) -> Result<(), Invalid> {
    if is_address(address) || address == DIALS_IN {
        return Ok(());
    }
    let detail = format!("{} is neither host:port nor {DIALS_IN}", quoted(address));
    Err(Invalid::new(Reason::FieldInvalid, "address", detail))
}

/// Is it host:port?
pub fn is_address(address: &str) -> bool {
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0))
}
