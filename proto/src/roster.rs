//! The roster: who is a member, who may ask, with which keys. Comes in: an envelope signed by the
//! federation root. Goes out: a validated list, newer than any seen before.
//!
//! Pinned at every node: the coordinator can neither enrol nor alter anybody.

use std::collections::BTreeSet;

use prost::Message as _;

use crate::{
    clock::Timestamp,
    identity::{Federation, Identity, Name, Place, Role},
    limits::{AUTHORITIES_MAX, KEYS_PER_PARTY_MAX, MEMBERS_MAX, TEXT_BYTES_MAX},
    reason::{Invalid, Reason, quoted},
    seal::{self, Digest, Kind, PublicKey, SecretKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    wire,
};

/// Instead of an address: this node has none, it connects to the coordinator.
pub const DIALS_IN: &str = "dials-in";

/// A national node.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name, the same as in its certificate.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// host:port of its Exchange service; [`DIALS_IN`] of one that opens the connection itself.
    pub address: String,
    /// SHA-256 of the public key of each certificate it may present.
    pub tls_spki_sha256: Vec<Digest>,
    /// Keys that may seal its answers.
    pub seal_keys: Vec<PublicKey>,
    /// Since when.
    pub since: Timestamp,
}

impl Member {
    /// Does it open the connection, rather than the coordinator?
    pub fn dials_in(&self) -> bool {
        self.address == DIALS_IN
    }
}

/// An authority that may issue requirements.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its name.
    pub authority: Name,
    /// What it is called.
    pub title: String,
    /// Keys that may sign its requirements.
    pub keys: Vec<PublicKey>,
    /// Since when.
    pub since: Timestamp,
}

/// A coordinator that may call the nodes.
#[derive(Clone, Debug)]
pub struct Centre {
    /// Its name, the same as in its certificate.
    pub name: Name,
    /// SHA-256 of the public key of each certificate it may present.
    pub tls_spki_sha256: Vec<Digest>,
    /// Keys that may sign pictures.
    pub keys: Vec<PublicKey>,
}

/// The validated roster.
#[derive(Clone, Debug)]
pub struct Roster {
    /// Trust domain.
    pub federation: Federation,
    /// Strictly increasing.
    pub version: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// After this nobody may rely on it.
    pub expires_at: Timestamp,
    /// Nodes, ascending by name.
    pub members: Vec<Member>,
    /// Authorities, ascending by name.
    pub authorities: Vec<Authority>,
    /// Coordinators, ascending by name.
    pub centres: Vec<Centre>,
}

impl Roster {
    /// Checks the root's signature and every entry. `seen` is the highest version relied on before.
    pub fn open(
        envelope: &wire::Envelope,
        root: &PublicKey,
        lists: &Lists,
        seen: u64,
        now: Timestamp,
    ) -> Result<Self, Invalid> {
        let roster = Self::open_of_any_time(envelope, root, lists)?;
        if roster.version < seen {
            return Err(Invalid::new(
                Reason::RosterRollback,
                "roster.version",
                format!("{} is older than {seen}, which was relied on before", roster.version),
            ));
        }
        roster.check_current(now)?;
        Ok(roster)
    }

    /// The same whenever it was signed: for looking back, never to rely on.
    pub fn open_of_any_time(
        envelope: &wire::Envelope,
        root: &PublicKey,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::Roster, std::slice::from_ref(root), "roster")
            .map_err(|error| Invalid { reason: Reason::RosterInvalid, ..error })?;
        Self::from_wire(strict::decode_signed("roster", payload)?, lists)
    }

    /// The same where whoever gave it is believed: whose signature is on it is not checked.
    pub(crate) fn believed(envelope: &wire::Envelope, lists: &Lists) -> Result<Self, Invalid> {
        Self::from_wire(strict::decode_signed("roster", &envelope.payload)?, lists)
    }

    /// Refuses an expired roster: called at start and before every use.
    pub fn check_current(&self, now: Timestamp) -> Result<(), Invalid> {
        if now < self.expires_at {
            return Ok(());
        }
        Err(Invalid::new(
            Reason::RosterInvalid,
            "roster.expires_at_s",
            format!("expired at {}; ask the federation root for a new one", self.expires_at),
        ))
    }

    /// Signs a roster. The root key is kept offline; this runs where the root is.
    pub fn sign(
        roster: &wire::Roster,
        lists: &Lists,
        root: &SecretKey,
    ) -> Result<wire::Envelope, Invalid> {
        Self::from_wire(roster.clone(), lists)?;
        Ok(root.sign(Kind::Roster, roster.encode_to_vec()))
    }

    /// The member with this node name.
    pub fn member(&self, node: &Name) -> Option<&Member> {
        self.members.iter().find(|member| member.node == *node)
    }

    /// The authority with this name.
    pub fn authority(&self, name: &Name) -> Option<&Authority> {
        self.authorities.iter().find(|authority| authority.authority == *name)
    }

    /// Is this certificate (identity and public key) the one registered for a service?
    pub fn registers(&self, identity: &Identity, spki: &Digest) -> bool {
        let registered = match (identity.role, identity.place) {
            (Role::Node, Place::Jurisdiction(jurisdiction)) => self
                .member(&identity.name)
                .filter(|member| member.jurisdiction == jurisdiction)
                .map(|member| &member.tls_spki_sha256),
            (Role::Coordinator, Place::Region) => self
                .centres
                .iter()
                .find(|centre| centre.name == identity.name)
                .map(|centre| &centre.tls_spki_sha256),
            _ => None,
        };
        identity.federation == self.federation && registered.is_some_and(|keys| keys.contains(spki))
    }

    /// The identity that a member's certificate must carry.
    pub fn identity_of(&self, member: &Member) -> Identity {
        Identity {
            federation: self.federation.clone(),
            place: Place::Jurisdiction(member.jurisdiction),
            name: member.node.clone(),
            role: Role::Node,
        }
    }

    fn from_wire(roster: wire::Roster, lists: &Lists) -> Result<Self, Invalid> {
        let wire::Roster {
            federation,
            version,
            issued_at_s,
            expires_at_s,
            members,
            authorities,
            centres,
        } = roster;
        bounded("roster.members", members.len(), MEMBERS_MAX)?;
        bounded("roster.authorities", authorities.len(), AUTHORITIES_MAX)?;
        bounded("roster.centres", centres.len(), KEYS_PER_PARTY_MAX)?;
        let roster = Self {
            federation: Federation::parse("roster.federation", &federation)?,
            version,
            issued_at: Timestamp::from_s("roster.issued_at_s", issued_at_s)?,
            expires_at: Timestamp::from_s("roster.expires_at_s", expires_at_s)?,
            members: each("roster.members", members, |entry| member(entry, lists))?,
            authorities: each("roster.authorities", authorities, authority)?,
            centres: each("roster.centres", centres, centre)?,
        };
        ascending("roster.members", roster.members.iter().map(|member| &member.node))?;
        ascending(
            "roster.authorities",
            roster.authorities.iter().map(|authority| &authority.authority),
        )?;
        ascending("roster.centres", roster.centres.iter().map(|centre| &centre.name))?;
        roster.check_keys_apart()?;
        Ok(roster)
    }

    /// One key, one party: otherwise one could speak for another.
    fn check_keys_apart(&self) -> Result<(), Invalid> {
        let members = self.members.iter().flat_map(|member| &member.seal_keys);
        let authorities = self.authorities.iter().flat_map(|authority| &authority.keys);
        let centres = self.centres.iter().flat_map(|centre| &centre.keys);
        let mut seen = BTreeSet::new();
        for key in members.chain(authorities).chain(centres) {
            if !seen.insert(key.to_bytes()) {
                return Err(Invalid::new(
                    Reason::RosterInvalid,
                    "roster",
                    format!("key {} stands twice; every party has keys of its own", key.id()),
                ));
            }
        }
        Ok(())
    }
}

fn member(entry: wire::Member, lists: &Lists) -> Result<Member, Invalid> {
    let wire::Member { node, jurisdiction, address, tls_spki_sha256, seal_keys, since_s } = entry;
    check_address(&address)?;
    Ok(Member {
        node: Name::parse("node", &node)?,
        jurisdiction: lists.jurisdiction("jurisdiction", &jurisdiction)?.code,
        address,
        tls_spki_sha256: digests(&tls_spki_sha256)?,
        seal_keys: keys("seal_keys", &seal_keys)?,
        since: Timestamp::from_s("since_s", since_s)?,
    })
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

fn authority(entry: wire::Authority) -> Result<Authority, Invalid> {
    let wire::Authority { authority, title, keys: signing, since_s } = entry;
    bounded("title", title.len(), TEXT_BYTES_MAX)?;
    Ok(Authority {
        authority: Name::parse("authority", &authority)?,
        title,
        keys: keys("keys", &signing)?,
        since: Timestamp::from_s("since_s", since_s)?,
    })
}

fn centre(entry: wire::Centre) -> Result<Centre, Invalid> {
    let wire::Centre { name, tls_spki_sha256, keys: signing } = entry;
    Ok(Centre {
        name: Name::parse("name", &name)?,
        tls_spki_sha256: digests(&tls_spki_sha256)?,
        keys: keys("keys", &signing)?,
    })
}

fn digests(list: &[Vec<u8>]) -> Result<Vec<Digest>, Invalid> {
    bounded("tls_spki_sha256", list.len(), KEYS_PER_PARTY_MAX)?;
    list.iter().map(|bytes| Digest::from_wire("tls_spki_sha256", bytes)).collect()
}

fn keys(field: &str, list: &[Vec<u8>]) -> Result<Vec<PublicKey>, Invalid> {
    bounded(field, list.len(), KEYS_PER_PARTY_MAX)?;
    if list.is_empty() {
        return Err(Invalid::new(Reason::FieldMissing, field, "at least one key"));
    }
    list.iter().map(|bytes| PublicKey::from_wire(field, bytes)).collect()
}

/// Validates every entry of a list; an error names its place.
pub(crate) fn each<A, B>(
    field: &str,
    list: Vec<A>,
    parse: impl Fn(A) -> Result<B, Invalid>,
) -> Result<Vec<B>, Invalid> {
    let place = |at: usize| format!("{field}[{at}]");
    list.into_iter()
        .enumerate()
        .map(|(at, entry)| parse(entry).map_err(|error| error.within(place(at))))
        .collect()
}

/// Refuses more than `most` of something.
pub(crate) fn bounded(field: &str, found: usize, most: usize) -> Result<(), Invalid> {
    if found <= most {
        return Ok(());
    }
    Err(Invalid::new(Reason::LimitExceeded, field, format!("{found} where {most} is the most")))
}

/// Refuses repeats and any other order than ascending: one set has one spelling.
pub(crate) fn ascending<T: Ord>(
    field: &str,
    list: impl IntoIterator<Item = T>,
) -> Result<(), Invalid> {
    if list.into_iter().is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(Invalid::new(Reason::FieldInvalid, field, "must be in ascending order without repeats"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn a_member_has_an_address_or_dials_in_and_nothing_between() {
        let listed = |address: &str| {
            let entry = wire::Member {
                node: "al-police".to_owned(),
                jurisdiction: "AL".to_owned(),
                address: address.to_owned(),
                seal_keys: vec![
                    SecretKey::generate(&SystemEntropy).unwrap().public().to_bytes().to_vec(),
                ],
                since_s: Timestamp::EARLIEST.as_s(),
                ..Default::default()
            };
            member(entry, Lists::builtin()).map(|member| member.dials_in())
        };
        assert_eq!(listed("node.example:7101"), Ok(false));
        assert_eq!(listed(DIALS_IN), Ok(true));
        for wrong in ["", "dials", "dials-in:0", ":7101", "node.example", "node.example:0"] {
            assert_eq!(listed(wrong).unwrap_err().field, "address", "{wrong}");
        }
    }
}
