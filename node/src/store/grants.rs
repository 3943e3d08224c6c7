//! Grants on disk: one value for each version, under id and number. Comes in: versions. Goes out: the same, read back through
//! the checked constructors. Must never drop a version: an auditor reads what was consented to when.

use accord_proto::{
    clock::Timestamp,
    id::GrantId,
    identity::Identity,
    reason::{Invalid, Reason},
    taxonomy::Lists,
};
use prost::Message;

use super::{Change, Contents, Kept, Room, Store, schema};
use crate::consent::{Deed, Grant, RawGrant, Step, Terms, Version};

const PERMIT: &str = "permit";

/// A version of a grant. Fields 1 to 10 are those of format 5, which had one version of each.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredVersion {
    #[prost(string, tag = "1")]
    grant: String,
    #[prost(string, tag = "2")]
    indicator: String,
    #[prost(string, repeated, tag = "3")]
    crime_areas: Vec<String>,
    #[prost(string, tag = "4")]
    first_period: String,
    #[prost(string, tag = "5")]
    last_period: String,
    #[prost(string, tag = "6")]
    purpose: String,
    #[prost(string, tag = "7")]
    audience: String,
    #[prost(int64, tag = "8")]
    from_s: i64,
    #[prost(int64, tag = "9")]
    until_s: i64,
    /// Of format 5.
    #[prost(bool, tag = "10")]
    withdrawn: bool,
    #[prost(string, tag = "11")]
    effect: String,
    #[prost(uint32, repeated, tag = "12")]
    region_levels: Vec<u32>,
    #[prost(string, repeated, tag = "13")]
    dimensions: Vec<String>,
    #[prost(string, repeated, tag = "14")]
    authorities: Vec<String>,
    #[prost(string, tag = "15")]
    precision: String,
    #[prost(string, tag = "16")]
    contribution: String,
    #[prost(string, tag = "17")]
    release: String,
    #[prost(int64, tag = "18")]
    not_before_s: i64,
    #[prost(uint32, tag = "19")]
    warn_days: u32,
    #[prost(string, tag = "20")]
    conditions: String,
    #[prost(string, repeated, tag = "21")]
    handling: Vec<String>,
    #[prost(string, tag = "22")]
    step: String,
    #[prost(bool, tag = "23")]
    suspended: bool,
    #[prost(uint64, tag = "24")]
    epoch: u64,
    #[prost(int64, tag = "25")]
    at_s: i64,
    /// Who did it; empty in what format 5 left.
    #[prost(string, tag = "26")]
    by: String,
    #[prost(uint32, tag = "27")]
    minimum_contributors: u32,
}

impl StoredVersion {
    fn write(id: GrantId, version: &Version) -> Self {
        let Version { terms, step, suspended, deed } = version;
        let RawGrant {
            grant,
            effect,
            indicator,
            crime_areas,
            region_levels,
            dimensions,
            first_period,
            last_period,
            purpose,
            audience,
            authorities,
            precision,
            contribution,
            release,
            minimum_contributors,
            not_before_s,
            from_s,
            until_s,
            warn_days,
            conditions,
            handling,
        } = terms.to_raw(id);
        Self {
            grant,
            indicator,
            crime_areas,
            first_period,
            last_period,
            purpose,
            audience,
            from_s,
            until_s,
            withdrawn: false,
            effect,
            region_levels,
            dimensions,
            authorities,
            precision,
            contribution,
            release,
            minimum_contributors,
            not_before_s,
            warn_days,
            conditions,
            handling,
            step: step.as_str().to_owned(),
            suspended: *suspended,
            epoch: deed.epoch,
            at_s: deed.at.as_s(),
            by: deed.by.as_ref().map_or(String::new(), ToString::to_string),
        }
    }

    fn read(self, lists: &Lists) -> Result<(GrantId, Version), Invalid> {
        // Format 5 did not name levels: a grant was for all that its indicator has.
        let every = || Ok(lists.indicator("indicator", &self.indicator)?.levels.clone());
        let unnamed = self.region_levels.is_empty() && self.effect == PERMIT;
        let region_levels = if unnamed { every()? } else { self.region_levels };
        let raw = RawGrant {
            grant: self.grant,
            effect: self.effect,
            indicator: self.indicator,
            crime_areas: self.crime_areas,
            region_levels,
            dimensions: self.dimensions,
            first_period: self.first_period,
            last_period: self.last_period,
            purpose: self.purpose,
            audience: self.audience,
            authorities: self.authorities,
            precision: self.precision,
            contribution: self.contribution,
            release: self.release,
            minimum_contributors: self.minimum_contributors,
            not_before_s: self.not_before_s,
            from_s: self.from_s,
            until_s: self.until_s,
            warn_days: self.warn_days,
            conditions: self.conditions,
            handling: self.handling,
        };
        let (id, terms) = Terms::parse(&raw, lists)?;
        let step = Step::parse(&self.step).ok_or_else(|| {
            Invalid::new(Reason::StoreFailed, "step", "damaged: there is no such step")
        })?;
        let by = if self.by.is_empty() { None } else { Some(Identity::parse(&self.by)?) };
        let deed = Deed { epoch: self.epoch, at: Timestamp::from_s("at_s", self.at_s)?, by };
        Ok((id, Version { terms, step, suspended: self.suspended, deed }))
    }
}

impl Store {
    /// Every grant, oldest first, with all its versions.
    pub fn grants(&self, lists: &Lists) -> Result<Vec<Grant>, Invalid> {
        let mut grants: Vec<Grant> = Vec::new();
        for entry in self.scan(Room::Grants, &[]) {
            let stored: StoredVersion = schema::decode(&entry?.1)?;
            let (id, version) = stored.read(lists).map_err(|error| error.within("store.grant"))?;
            let known = grants.pop_if(|known| known.id() == id);
            grants.push(Grant::replay(id, known, version)?);
        }
        Ok(grants)
    }
}

impl Change<'_> {
    /// The newest version of a grant; the ones before stay as they are.
    pub fn grant(&mut self, grant: &Grant) {
        let stored = StoredVersion::write(grant.id(), grant.newest());
        let key = key(grant.id().as_bytes(), grant.number());
        self.write(Room::Grants, &key, stored.encode_to_vec());
    }
}

fn key(id: &[u8], version: u32) -> Vec<u8> {
    [id, &version.to_be_bytes()].concat()
}

/// Format 5 had one version of every grant, which covered every level and breakdown at the tier of its audience. One that was
/// withdrawn is given and withdrawn.
pub(super) fn from_5(rooms: &[Kept]) -> Result<(), Invalid> {
    let (grants, meta) = (&rooms[Room::Grants.at()], &rooms[Room::Meta.at()]);
    let counters = meta.get(schema::COUNTERS_KEY)?;
    let mut counters: schema::Counters = schema::decode(&counters.unwrap_or_default())?;
    let mut contents = Contents::from_bytes(&counters.contents)?;
    let mut batch = grants.batch();
    for entry in grants.scan(&[]) {
        let (id, value) = entry?;
        let old: StoredVersion = schema::decode(&value)?;
        batch.remove(grants.at(&id)?);
        contents.take(Room::Grants, &id, &value);
        for (number, version) in (1_u32..).zip(of_format_5(old)) {
            let (key, value) = (key(&id, number), version.encode_to_vec());
            contents.put(Room::Grants, &key, &value);
            batch.insert(&key, &value)?;
        }
    }
    batch.write()?;
    counters.contents = contents.to_bytes().to_vec();
    let mut batch = meta.batch();
    batch.insert(schema::COUNTERS_KEY.as_bytes(), &counters.encode_to_vec())?;
    batch.write()
}

/// The versions that a grant of format 5 had.
fn of_format_5(old: StoredVersion) -> Vec<StoredVersion> {
    const ALL: &str = crate::consent::ALL;
    let named = old.crime_areas.clone();
    let given = StoredVersion {
        crime_areas: if named.is_empty() { vec![ALL.to_owned()] } else { named },
        dimensions: vec![ALL.to_owned()],
        effect: PERMIT.to_owned(),
        precision: "tier-a".to_owned(),
        contribution: "pooled".to_owned(),
        release: "automatic".to_owned(),
        step: Step::Give.as_str().to_owned(),
        at_s: old.from_s,
        withdrawn: false,
        ..old.clone()
    };
    let mut versions = vec![given.clone()];
    if old.withdrawn {
        versions.push(StoredVersion { step: Step::Withdraw.as_str().to_owned(), ..given });
    }
    versions
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use accord_proto::{
        clock::SystemEntropy,
        journal::{Act, Entry},
        seal::Digest,
    };

    use super::*;
    use crate::{
        consent::{ALL, State},
        store::{Found, kept::sled_when_free},
    };

    const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";
    const IDS: [&str; 3] = [
        "01900000-0000-7000-8000-000000000001",
        "01900000-0000-7000-8000-000000000002",
        "01900000-0000-7000-8000-000000000003",
    ];

    fn now() -> Timestamp {
        Timestamp::parse("now", "2026-11-24").unwrap()
    }

    fn open(dir: &Path) -> Store {
        Store::open(dir, OWNER, 0, &SystemEntropy).unwrap()
    }

    fn deed(epoch: u64) -> Deed {
        let by = Identity::parse("spiffe://wb6.example/AL/staff/test/releaser").unwrap();
        Deed { epoch, at: now(), by: Some(by) }
    }

    fn commit(change: Change<'_>) {
        let entry = Entry {
            at: now(),
            act: Act::Alteration,
            by: Identity::parse(OWNER).unwrap(),
            to: String::new(),
            why: "test".to_owned(),
            subject: "test".to_owned(),
            digest: Digest::of(b""),
        };
        change.commit(entry).unwrap();
    }

    fn raw(grant: &str) -> RawGrant {
        let text = |text: &str| text.to_owned();
        RawGrant {
            grant: text(grant),
            effect: text("permit"),
            indicator: text("THB.VIC.N"),
            crime_areas: vec![text(ALL)],
            region_levels: vec![0, 1, 2, 3],
            dimensions: vec![text("SEX")],
            purpose: text("THREAT-ASSESSMENT"),
            audience: text("POLICE"),
            precision: text("tier-b"),
            contribution: text("named"),
            release: text("by-hand"),
            conditions: text("Not for the press"),
            handling: vec![text("H2")],
            from_s: now().plus_s(-1).as_s(),
            until_s: now().plus_s(1).as_s(),
            ..RawGrant::default()
        }
    }

    #[tokio::test]
    async fn every_version_of_a_grant_is_read_back_as_it_was_and_one_that_is_missing_is_noticed() {
        let (dir, lists) = (tempfile::tempdir().unwrap(), Lists::builtin());
        let given = Grant::give(&raw(IDS[0]), deed(1), lists).unwrap();
        let less = RawGrant { dimensions: Vec::new(), ..raw(IDS[0]) };
        let narrowed = given.narrow(&less, deed(2), lists).unwrap().unwrap();
        let suspended = narrowed.suspend(deed(3)).unwrap().unwrap();
        let other = Grant::give(&raw(IDS[1]), deed(4), lists).unwrap();
        let store = open(dir.path());
        for grant in [&given, &narrowed, &suspended, &other] {
            let mut change = store.begin().unwrap();
            change.grant(grant);
            commit(change);
        }
        store.settled().await.unwrap();
        assert_eq!(store.grants(lists).unwrap(), [suspended.clone(), other.clone()]);
        drop(store);
        let store = open(dir.path());
        assert_eq!(store.grants(lists).unwrap(), [suspended, other]);

        let mut change = store.begin().unwrap();
        let stored = StoredVersion {
            step: "give".to_owned(),
            ..StoredVersion::write(narrowed.id(), narrowed.newest())
        };
        change.write(Room::Grants, &key(given.id().as_bytes(), 4), stored.encode_to_vec());
        commit(change);
        assert_eq!(store.grants(lists).unwrap_err().reason, Reason::StoreFailed);
    }

    /// A grant as format 5 had it.
    fn of_5(grant: &str, crime_areas: &[&str], withdrawn: bool) -> StoredVersion {
        let text = |text: &str| text.to_owned();
        StoredVersion {
            grant: text(grant),
            indicator: text("THB.VIC.N"),
            crime_areas: crime_areas.iter().copied().map(text).collect(),
            purpose: text("THREAT-ASSESSMENT"),
            audience: text("POLICE"),
            from_s: now().plus_s(-1).as_s(),
            until_s: now().plus_s(1).as_s(),
            withdrawn,
            ..StoredVersion::default()
        }
    }

    /// The witness names the format whose sum it saw: behind magic, two numbers and a root, before sum and checksum.
    fn witnessed_by_format_5(data: &Path) {
        let path = data.join("head");
        let mut bytes = fs::read(&path).unwrap();
        for at in [0, 4096] {
            bytes[at + 56..at + 88].copy_from_slice(&Digest::of(b"accord-node 5").0);
            let checksum = Digest::of(&bytes[at..at + 120]).0;
            bytes[at + 120..at + 152].copy_from_slice(&checksum);
        }
        fs::write(path, bytes).unwrap();
    }

    #[tokio::test]
    async fn grants_of_format_5_permit_what_they_permitted_and_the_withdrawn_stay_withdrawn() {
        let (dir, lists) = (tempfile::tempdir().unwrap(), Lists::builtin());
        let data = dir.path();
        let old =
            [of_5(IDS[0], &[], false), of_5(IDS[1], &["THB"], false), of_5(IDS[2], &[], true)];
        {
            let store = open(data);
            let mut change = store.begin().unwrap();
            for (id, grant) in IDS.into_iter().zip(&old) {
                let id = GrantId::parse("", id).unwrap();
                change.write(Room::Grants, id.as_bytes(), grant.encode_to_vec());
            }
            commit(change);
            store.settled().await.unwrap();
        }
        {
            let db = sled_when_free(&sled::Config::new().path(data.join("store"))).unwrap();
            db.open_tree("meta").unwrap().insert(schema::FORMAT_KEY, "accord-node 5").unwrap();
            db.flush().unwrap();
        }
        witnessed_by_format_5(data);
        let store = open(data);
        assert_eq!((store.found(), store.head().journal().size()), (Found::Whole, 1));
        let grants = store.grants(lists).unwrap();
        let states: Vec<_> = grants.iter().map(|grant| grant.state(now())).collect();
        assert_eq!(states, [State::InForce, State::InForce, State::Withdrawn]);
        let every = RawGrant {
            dimensions: vec!["EXPLOITATION".to_owned(), "SEX".to_owned(), "AGE".to_owned()],
            precision: "tier-a".to_owned(),
            contribution: "pooled".to_owned(),
            release: "automatic".to_owned(),
            conditions: String::new(),
            handling: Vec::new(),
            ..raw(IDS[0])
        };
        assert_eq!(grants[0].to_raw(), every);
        assert_eq!(grants[1].to_raw().crime_areas, ["THB"]);
        assert_eq!(grants[2].number(), 2, "given and withdrawn");
        drop(store);
        assert!(data.join("store.accord-node-5").is_dir(), "the old store is kept");
        // The sum over everything is right: it opens again, and can be migrated anew.
        assert_eq!(open(data).grants(lists).unwrap(), grants);
        fs::remove_dir_all(data.join("store")).unwrap();
        fs::rename(data.join("store.accord-node-5"), data.join("store")).unwrap();
        assert_eq!(open(data).grants(lists).unwrap(), grants);
    }
}
