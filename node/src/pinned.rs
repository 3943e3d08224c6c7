//! What a node relies on and can be replaced while it runs: the roster, and the key that it seals with. Comes in: files. Goes out:
//! the newest roster that the root has signed for this node, and a key that this roster lists. Must never go back to an
//! older roster, nor seal with a key that nobody could check.

use std::sync::Arc;

use accord_proto::{
    clock::Clock,
    current::Current,
    identity::Identity,
    journal::{Act, Entry},
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Digest, Envelope, PublicKey, SecretKey},
    strict,
    taxonomy::Lists,
    transport::{
        Credentials, Peer, read_secret,
        renewal::{Looks, Replaced},
    },
};

use crate::{answer::Node, config::Config, store::Store};

/// Whom a node believes, and what others believe it by.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// Who may ask, and with which keys.
    pub roster: Arc<Roster>,
    /// The same as it was signed.
    pub signed: Arc<Envelope>,
    /// The federation root's key.
    pub root: PublicKey,
    /// Signs answers; the roster lists it.
    pub seal_key: Arc<SecretKey>,
}

impl Pinned {
    /// Reads a roster, and makes sure that it lists this node's certificate and its seal key.
    pub fn read(
        bytes: &[u8],
        (root, seal_key): (PublicKey, Arc<SecretKey>),
        own: &Peer,
        (store, lists, clock): (&Store, &Lists, &dyn Clock),
    ) -> Result<Self, Invalid> {
        let signed: Envelope = strict::decode("roster", bytes)?;
        let seen = store.head().roster_version();
        let roster = Arc::new(Roster::open(&signed, &root, lists, seen, clock.now())?);
        let pinned = Self { roster, signed: Arc::new(signed), root, seal_key };
        pinned.check(own)?;
        Ok(pinned)
    }

    fn check(&self, own: &Peer) -> Result<(), Invalid> {
        let wrong = |detail: String| Err(Invalid::new(Reason::FieldInvalid, "roster", detail));
        let roster = &self.roster;
        let member = roster.member(&own.identity.name);
        let Some(member) = member.filter(|_| roster.registers(&own.identity, &own.spki)) else {
            let own = &own.identity;
            return wrong(format!(
                "does not list this certificate for {own}; send its key to the root"
            ));
        };
        if !member.seal_keys.contains(&self.seal_key.public()) {
            return wrong(format!("does not list the seal key {}", self.seal_key.public().id()));
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

    /// Remembers the roster's version, so that an older one is never relied on again.
    pub fn rely_on(
        &self,
        owner: &Identity,
        store: &Store,
        clock: &dyn Clock,
    ) -> Result<(), Invalid> {
        let version = self.roster.version;
        if version <= store.head().roster_version() {
            return Ok(());
        }
        let mut change = store.begin()?;
        change.rely_on_roster(version);
        change.commit(Entry {
            at: clock.now(),
            act: Act::Alteration,
            by: owner.clone(),
            to: String::new(),
            why: "roster".to_owned(),
            subject: format!("version {version}"),
            digest: Digest::of(&prost::Message::encode_to_vec(&*self.signed)),
        })
    }
}

/// Looks for ever whether roster, certificates, revocation lists or seal key have been replaced. In that order they are
/// taken in: a roster that lists the next key comes before that key.
pub async fn keep_renewing(
    node: Arc<Node>,
    credentials: (Credentials, Credentials),
    mut looks: Looks,
    files: Files,
) {
    let Files { mut roster, mut seal_key } = files;
    let (exchange, staff) = credentials;
    loop {
        looks.next().await;
        let own = exchange.own();
        looks.tell("roster", take_roster(&node, &own, &mut roster).await);
        let listed = |own: &Peer| node.pinned.get().check(own);
        looks.renew("certificates", &exchange, listed);
        looks.renew("staff certificates", &staff, listed);
        looks.tell("seal key", take_key(&node, &exchange.own(), &mut seal_key));
    }
}

/// Those that may be replaced, besides certificates.
#[derive(Debug)]
pub struct Files {
    roster: Replaced,
    seal_key: Replaced,
}

impl Files {
    /// As they are named in the configuration.
    pub fn of(config: &Config) -> Self {
        Self { roster: Replaced::at(&config.roster), seal_key: Replaced::at(&config.seal_key) }
    }
}

async fn take_roster(node: &Node, own: &Peer, file: &mut Replaced) -> Result<bool, Invalid> {
    let Some(bytes) = file.changed()? else { return Ok(false) };
    let pinned = node.pinned.get();
    let keys = (pinned.root.clone(), Arc::clone(&pinned.seal_key));
    let next = Pinned::read(&bytes, keys, own, (&node.store, node.lists, node.clock.as_ref()))?;
    next.check_follows(&pinned)?;
    next.rely_on(&node.identity, &node.store, node.clock.as_ref())?;
    // Nobody acts by it before it can be gone back from no more.
    node.store.settled().await?;
    let is_new = next.signed != pinned.signed;
    node.pinned.replace(next);
    file.taken(&bytes);
    Ok(is_new)
}

fn take_key(node: &Node, own: &Peer, file: &mut Replaced) -> Result<bool, Invalid> {
    let Some(bytes) = file.changed()? else { return Ok(false) };
    let pinned = node.pinned.get();
    let seal_key = Arc::new(SecretKey::from_pem("seal.key", &read_secret(file.path())?)?);
    let is_new = seal_key.public() != pinned.seal_key.public();
    let next = Pinned { seal_key, ..Pinned::clone(&pinned) };
    next.check(own)?;
    node.pinned.replace(next);
    file.taken(&bytes);
    Ok(is_new)
}

/// What counts now.
pub type Pins = Current<Pinned>;
