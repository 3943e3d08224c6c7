//! What a party relies on and can be replaced while it runs: the roster, and the key that it signs with. Comes in: files. Goes out:
//! the newest roster that the root has signed, and a key that this roster lists for this party. Must never go back to an
//! older roster, nor sign with a key that nobody could check.

use std::{path::Path, sync::Arc};

use super::{
    Credentials, Peer, read_secret,
    renewal::{Looks, Replaced, Untaken},
};
use crate::{
    clock::{Clock, Timestamp},
    current::Current,
    expiry::Ending,
    identity::Role,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Envelope, PublicKey, SecretKey},
    taxonomy::Lists,
};

/// Whom a party believes, and what others believe it by.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// Members, authorities and coordinators.
    pub roster: Arc<Roster>,
    /// The same as it was signed, without contacts: for evidence.
    pub signed: Arc<Envelope>,
    /// The federation root's key.
    pub root: PublicKey,
    /// Signs answers or pictures; the roster lists it.
    pub key: Arc<SecretKey>,
}

impl Pinned {
    /// Reads a roster's file no older than `seen`, and makes sure that it lists this party's certificate and its key.
    pub fn read(
        bytes: &[u8],
        (root, key): (PublicKey, Arc<SecretKey>),
        own: &Peer,
        (lists, seen, now): (&Lists, u64, Timestamp),
    ) -> Result<Self, Invalid> {
        let (roster, signed) = Roster::read(("roster", bytes), &root, lists, seen, now)?;
        let pinned = Self { roster: Arc::new(roster), signed: Arc::new(signed), root, key };
        pinned.check(own)?;
        Ok(pinned)
    }

    fn check(&self, own: &Peer) -> Result<(), Invalid> {
        listed(&self.roster, own, &self.key.public())
    }

    /// Refuses another roster under the same number.
    fn check_follows(&self, known: &Self) -> Result<(), Invalid> {
        if self.roster.version > known.roster.version || self.signed == known.signed {
            return Ok(());
        }
        let detail = format!("is another roster with the number {}", self.roster.version);
        Err(Invalid::new(Reason::RosterRollback, "roster", detail))
    }
}

/// Does a roster list this service's certificate, and the key that it signs with?
pub fn listed(roster: &Roster, own: &Peer, key: &PublicKey) -> Result<(), Invalid> {
    let wrong = |detail: String| Err(Invalid::new(Reason::FieldInvalid, "roster", detail));
    let identity = &own.identity;
    if !roster.registers(identity, &own.spki) {
        return wrong(format!(
            "does not list this certificate for {identity}; send its key to the root"
        ));
    }
    let (name, keys) = if identity.role == Role::Node {
        ("seal key", roster.member(&identity.name).map(|member| &member.seal_keys))
    } else {
        let centre = roster.centres.iter().find(|centre| centre.name == identity.name);
        ("key", centre.map(|centre| &centre.keys))
    };
    if !keys.is_some_and(|keys| keys.contains(key)) {
        return wrong(format!("does not list the {name} {}", key.id()));
    }
    Ok(())
}

/// Who relies on it.
pub trait Party: Send + Sync + 'static {
    /// What counts now.
    fn pinned(&self) -> &Current<Pinned>;

    /// The code lists.
    fn lists(&self) -> &'static Lists;

    /// Now.
    fn clock(&self) -> &dyn Clock;

    /// Remembers a roster's version durably, so that an older one is never relied on again. Nobody acts by it before.
    fn rely_on(
        &self,
        next: &Pinned,
        own: &Peer,
    ) -> impl Future<Output = Result<(), Invalid>> + Send;

    /// Where it is kept what ends when.
    fn endings(&self) -> &Current<Vec<Ending>>;

    /// Where it is kept what was replaced and is not taken in.
    fn untaken(&self) -> &Current<Untaken>;
}

/// Those that may be replaced, besides certificates.
#[derive(Debug)]
pub struct Files {
    roster: Replaced,
    key: Replaced,
    /// How the key is called.
    name: &'static str,
}

impl Files {
    /// As they are named in the configuration.
    pub fn of(roster: &Path, (name, key): (&'static str, &Path)) -> Self {
        Self { roster: Replaced::at(roster), key: Replaced::at(key), name }
    }
}

/// Looks for ever whether roster, certificates, revocation lists or key have been replaced, and whether they come to their
/// end. In that order they are taken in: a roster that lists the next key comes before that key.
pub async fn keep_renewing(
    party: Arc<impl Party>,
    (exchange, staff): (Credentials, Credentials),
    mut looks: Looks,
    mut files: Files,
) {
    loop {
        looks.next().await;
        let own = exchange.own();
        looks.tell("roster", take_roster(&*party, &own, &mut files.roster).await);
        let listed = |own: &Peer| party.pinned().get().check(own);
        looks.renew("certificates", &exchange, listed);
        looks.renew("staff certificates", &staff, listed);
        looks.tell(files.name, take_key(&*party, &exchange.own(), &mut files));
        let endings = endings(&party.pinned().get().roster, &[&exchange, &staff]);
        looks.warn(&endings, party.clock().now());
        party.endings().replace(endings);
        party.untaken().replace(looks.untaken());
    }
}

/// All that a party relies on, by when it ends.
pub fn endings(roster: &Roster, credentials: &[&Credentials]) -> Vec<Ending> {
    let roster = Ending { what: "roster".to_owned(), since: None, ends: roster.expires_at };
    let mut all: Vec<_> =
        credentials.iter().flat_map(|credentials| credentials.endings()).collect();
    all.push(roster);
    all.sort_by(|a, b| (a.ends, &a.what).cmp(&(b.ends, &b.what)));
    all.dedup();
    all
}

async fn take_roster(party: &impl Party, own: &Peer, file: &mut Replaced) -> Result<bool, Invalid> {
    let Some(bytes) = file.changed()? else { return Ok(false) };
    let before = party.pinned().get();
    let keys = (before.root.clone(), Arc::clone(&before.key));
    let known = (party.lists(), before.roster.version, party.clock().now());
    let next = Pinned::read(&bytes, keys, own, known)?;
    next.check_follows(&before)?;
    party.rely_on(&next, own).await?;
    let is_new = next.signed != before.signed;
    party.pinned().replace(next);
    file.taken(&bytes);
    Ok(is_new)
}

fn take_key(party: &impl Party, own: &Peer, files: &mut Files) -> Result<bool, Invalid> {
    let Files { key: file, name, .. } = files;
    let Some(bytes) = file.changed()? else { return Ok(false) };
    let before = party.pinned().get();
    let key = Arc::new(SecretKey::from_pem(name, &read_secret(file.path())?)?);
    let is_new = key.public() != before.key.public();
    let next = Pinned { key, ..Pinned::clone(&before) };
    next.check(own)?;
    party.pinned().replace(next);
    file.taken(&bytes);
    Ok(is_new)
}
