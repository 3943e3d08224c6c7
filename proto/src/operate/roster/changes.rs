//! What is new in a roster. Comes in: the one before and the one that was signed. Goes out: a sentence for each difference,
//! for the eyes of the root before it hands the file out.

use std::collections::BTreeMap;

use crate::{
    roster::{Authority, Centre, Member, Roster},
    seal::{Digest, PublicKey},
};

/// What is said of one party: names of things, and how each stands.
type Facts = BTreeMap<&'static str, Vec<String>>;

/// Every difference.
pub(super) fn between(before: Option<&Roster>, now: &Roster) -> Vec<String> {
    let Some(before) = before else {
        return vec![format!("version {}, the first", now.version)];
    };
    let mut said = vec![format!("version {} after {}", now.version, before.version)];
    let (known, new) = (parties(before), parties(now));
    for (party, facts) in &new {
        match known.get(party) {
            None => said.push(format!("{party}: new")),
            Some(known) => said.extend(differences(party, known, facts)),
        }
    }
    let gone = known.keys().filter(|party| !new.contains_key(*party));
    said.extend(gone.map(|party| format!("{party}: not in it any more")));
    if said.len() == 1 {
        said.push("nobody and nothing else has changed".to_owned());
    }
    said
}

fn differences(party: &str, known: &Facts, facts: &Facts) -> Vec<String> {
    let mut said = Vec::new();
    for (what, now) in facts {
        let before = known.get(what).map_or([].as_slice(), Vec::as_slice);
        let gone = before.iter().filter(|value| !now.contains(value));
        let new = now.iter().filter(|value| !before.contains(value));
        said.extend(gone.map(|value| format!("{party}: {what} {value} taken out")));
        said.extend(new.map(|value| format!("{party}: {what} {value} new")));
    }
    said
}

fn parties(roster: &Roster) -> BTreeMap<String, Facts> {
    let members = roster.members.iter().map(member);
    let authorities = roster.authorities.iter().map(authority);
    members.chain(authorities).chain(roster.centres.iter().map(centre)).collect()
}

fn member(member: &Member) -> (String, Facts) {
    let Member { node, jurisdiction, contact, seal_keys, since } = member;
    let facts = Facts::from([
        ("jurisdiction", vec![jurisdiction.to_string()]),
        ("address", vec![contact.address.clone()]),
        ("TLS key", digests(&contact.tls_spki_sha256)),
        ("seal key", keys(seal_keys)),
        ("since", vec![since.to_string()]),
    ]);
    (format!("member {node}"), facts)
}

fn authority(authority: &Authority) -> (String, Facts) {
    let Authority { authority, title, keys: signing, since } = authority;
    let facts = Facts::from([
        ("title", vec![title.clone()]),
        ("key", keys(signing)),
        ("since", vec![since.to_string()]),
    ]);
    (format!("authority {authority}"), facts)
}

fn centre(centre: &Centre) -> (String, Facts) {
    let Centre { name, contact, keys: signing } = centre;
    let facts =
        Facts::from([("TLS key", digests(&contact.tls_spki_sha256)), ("key", keys(signing))]);
    (format!("centre {name}"), facts)
}

fn digests(list: &[Digest]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn keys(list: &[PublicKey]) -> Vec<String> {
    list.iter().map(|key| hex::encode(key.to_bytes())).collect()
}
