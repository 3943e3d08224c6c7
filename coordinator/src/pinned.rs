//! What the coordinator relies on and can be replaced while it runs: the roster, and the key that it signs with. Comes in: files.
//! Goes out: the newest roster that the root has signed for this coordinator, and a key that this roster lists. Must never go
//! back to an older roster, nor sign with a key that nobody could check.

use std::sync::Arc;

use accord_proto::{
    clock::Clock,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Envelope, PublicKey, SecretKey},
    strict,
    taxonomy::Lists,
    transport::{
        Credentials, Peer, read_secret,
        renewal::{Looks, Replaced},
    },
};

use crate::{archive::Archive, config::Config, survey::Coordinator};

/// Who is a member, and what others believe the coordinator by.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// Members, authorities and coordinators.
    pub roster: Arc<Roster>,
    /// The same as it was signed.
    pub signed: Arc<Envelope>,
    /// The federation root's key.
    pub root: PublicKey,
    /// Signs pictures; the roster lists it.
    pub sign_key: Arc<SecretKey>,
}

impl Pinned {
    /// Reads a roster, and makes sure that it lists this coordinator's certificate and its key.
    pub fn read(
        bytes: &[u8],
        (root, sign_key): (PublicKey, Arc<SecretKey>),
        own: &Peer,
        (archive, lists, clock): (&Archive, &Lists, &dyn Clock),
    ) -> Result<Self, Invalid> {
        let signed: Envelope = strict::decode("roster", bytes)?;
        let roster = Roster::open(&signed, &root, lists, archive.roster_version()?, clock.now())?;
        let pinned = Self { roster: Arc::new(roster), signed: Arc::new(signed), root, sign_key };
        pinned.check(own)?;
        Ok(pinned)
    }

    fn check(&self, own: &Peer) -> Result<(), Invalid> {
        let wrong = |detail: String| Err(Invalid::new(Reason::FieldInvalid, "roster", detail));
        let (roster, own_name) = (&self.roster, &own.identity.name);
        if !roster.registers(&own.identity, &own.spki) {
            let own = &own.identity;
            return wrong(format!(
                "does not list this certificate for {own}; send its key to the root"
            ));
        }
        let centre = roster.centres.iter().find(|centre| centre.name == *own_name);
        if !centre.is_some_and(|centre| centre.keys.contains(&self.sign_key.public())) {
            return wrong(format!("does not list the key {}", self.sign_key.public().id()));
        }
        Ok(())
    }

    /// Refuses another roster under the same number.
    fn check_follows(&self, known: &Self) -> Result<(), Invalid> {
        if self.roster.version > known.roster.version || self.signed == known.signed {
            return Ok(());
        }
        let detail = format!("is another roster with the number {}", self.roster.version);
        Err(Invalid::new(Reason::RosterRollback, "roster", detail))
    }

    /// Keeps the roster, so that an older one is never relied on again; evidence needs each that counted.
    pub async fn rely_on(
        &self,
        own: &Peer,
        archive: &Archive,
        clock: &dyn Clock,
    ) -> Result<(), Invalid> {
        let version = self.roster.version;
        if version <= archive.roster_version()? && archive.roster(version)?.is_some() {
            return Ok(());
        }
        archive.rely_on_roster((version, &self.signed), &own.identity, clock.now()).await
    }
}

/// Looks for ever whether roster, certificates, revocation lists or key have been replaced. In that order they are taken in: a
/// roster that lists the next key comes before that key.
pub async fn keep_renewing(
    coordinator: Arc<Coordinator>,
    credentials: (Credentials, Credentials),
    mut looks: Looks,
    files: Files,
) {
    let Files { mut roster, mut sign_key } = files;
    let (exchange, staff) = credentials;
    loop {
        looks.next().await;
        let own = exchange.own();
        looks.tell("roster", take_roster(&coordinator, &own, &mut roster).await);
        let listed = |own: &Peer| coordinator.pinned.get().check(own);
        looks.renew("certificates", &exchange, listed);
        looks.renew("staff certificates", &staff, listed);
        looks.tell("signing key", take_key(&coordinator, &exchange.own(), &mut sign_key));
    }
}

/// Those that may be replaced, besides certificates.
#[derive(Debug)]
pub struct Files {
    roster: Replaced,
    sign_key: Replaced,
}

impl Files {
    /// As they are named in the configuration.
    pub fn of(config: &Config) -> Self {
        Self { roster: Replaced::at(&config.roster), sign_key: Replaced::at(&config.sign_key) }
    }
}

async fn take_roster(
    coordinator: &Coordinator,
    own: &Peer,
    file: &mut Replaced,
) -> Result<bool, Invalid> {
    let Some(bytes) = file.changed()? else { return Ok(false) };
    let Coordinator { archive, lists, clock, pinned, .. } = coordinator;
    let before = pinned.get();
    let keys = (before.root.clone(), Arc::clone(&before.sign_key));
    let next = Pinned::read(&bytes, keys, own, (archive, lists, clock.as_ref()))?;
    next.check_follows(&before)?;
    next.rely_on(own, archive, clock.as_ref()).await?;
    let is_new = next.signed != before.signed;
    pinned.replace(next);
    file.taken(&bytes);
    Ok(is_new)
}

fn take_key(coordinator: &Coordinator, own: &Peer, file: &mut Replaced) -> Result<bool, Invalid> {
    let Some(bytes) = file.changed()? else { return Ok(false) };
    let pinned = coordinator.pinned.get();
    let sign_key = Arc::new(SecretKey::from_pem("sign.key", &read_secret(file.path())?)?);
    let is_new = sign_key.public() != pinned.sign_key.public();
    let next = Pinned { sign_key, ..Pinned::clone(&pinned) };
    next.check(own)?;
    coordinator.pinned.replace(next);
    file.taken(&bytes);
    Ok(is_new)
}
