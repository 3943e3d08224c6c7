//! The roster: who is a member, who may ask, with which keys. Comes in: an envelope signed by the
//! federation root. Goes out: a validated list, newer than any seen before. What is signed travels with evidence and
//! must never hold a way to reach anybody: that comes with the file, see [`Contact`].
//!
//! Pinned at every node: the coordinator can neither enrol nor alter anybody.

use std::collections::BTreeSet;

mod contacts;
mod paper;

#[cfg(feature = "transport")]
pub(crate) use contacts::check_address;
pub use contacts::{Contact, DIALS_IN, is_address};
pub use paper::{Paper, PaperCentre, PaperMember};

pub use crate::wire::RosterFile;
use crate::{
    clock::Timestamp,
    identity::{Federation, Identity, Name, Place, Role},
    limits::{AUTHORITIES_MAX, KEYS_PER_PARTY_MAX, MEMBERS_MAX, TEXT_BYTES_MAX},
    reason::{Invalid, Reason},
    seal::{self, Digest, Kind, PublicKey},
    strict,
    taxonomy::{JurisdictionCode, Lists},
    wire,
};

/// A national node.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name, the same as in its certificate.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// How it is reached; nothing where the roster came without contacts.
    pub contact: Contact,
    /// Keys that may seal its answers.
    pub seal_keys: Vec<PublicKey>,
    /// Since when.
    pub since: Timestamp,
}

impl Member {
    /// Does it open the connection, rather than the coordinator?
    pub fn dials_in(&self) -> bool {
        self.contact.address == DIALS_IN
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
    /// How it is known; nothing where the roster came without contacts.
    pub contact: Contact,
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
    /// Of the contacts that belong to it.
    contacts: Digest,
}

impl Roster {
    /// Checks the root's signature and every entry. `seen` is the highest version relied on before. It comes without contacts.
    pub fn open(
        envelope: &wire::Envelope,
        root: &PublicKey,
        lists: &Lists,
        seen: u64,
        now: Timestamp,
    ) -> Result<Self, Invalid> {
        Self::open_of_any_time(envelope, root, lists)?.current(seen, now)
    }

    /// Itself, if it may be relied on.
    fn current(self, seen: u64, now: Timestamp) -> Result<Self, Invalid> {
        if self.version < seen {
            return Err(Invalid::new(
                Reason::RosterRollback,
                "roster.version",
                format!("{} is older than {seen}, which was relied on before", self.version),
            ));
        }
        self.check_current(now)?;
        Ok(self)
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

    /// The member with this node name.
    pub fn member(&self, node: &Name) -> Option<&Member> {
        self.members.iter().find(|member| member.node == *node)
    }

    /// The authority with this name.
    pub fn authority(&self, name: &Name) -> Option<&Authority> {
        self.authorities.iter().find(|authority| authority.authority == *name)
    }

    /// Is this certificate (identity and public key) the one registered for a service? Never where it came without contacts.
    pub fn registers(&self, identity: &Identity, spki: &Digest) -> bool {
        let registered = match (identity.role, identity.place) {
            (Role::Node, Place::Jurisdiction(jurisdiction)) => self
                .member(&identity.name)
                .filter(|member| member.jurisdiction == jurisdiction)
                .map(|member| &member.contact),
            (Role::Coordinator, Place::Region) => self
                .centres
                .iter()
                .find(|centre| centre.name == identity.name)
                .map(|centre| &centre.contact),
            _ => None,
        };
        identity.federation == self.federation
            && registered.is_some_and(|contact| contact.tls_spki_sha256.contains(spki))
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
            contacts_sha256,
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
            contacts: Digest::from_wire("roster.contacts_sha256", &contacts_sha256)?,
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
    let wire::Member { node, jurisdiction, seal_keys, since_s } = entry;
    Ok(Member {
        node: Name::parse("node", &node)?,
        jurisdiction: lists.jurisdiction("jurisdiction", &jurisdiction)?.code,
        contact: Contact::default(),
        seal_keys: keys("seal_keys", &seal_keys)?,
        since: Timestamp::from_s("since_s", since_s)?,
    })
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
    let wire::Centre { name, keys: signing } = entry;
    Ok(Centre {
        name: Name::parse("name", &name)?,
        contact: Contact::default(),
        keys: keys("keys", &signing)?,
    })
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
mod tests;
