//! A node inside this process: the whole of it but its listeners. Comes in: a folder for its store, code
//! lists, a jurisdiction. Goes out: the desk's own functions, run as its staff. For measurements, which want
//! no time of a network in their figures.

use std::{
    fs::File,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use accord_node::{
    answer::{self, Held, Node},
    consent::RawGrant,
    desk::{self, imports},
    peers,
    pinned::Pinned,
    policy::{Files, Policy},
    store::Store,
};
use accord_proto::{
    answer::{Answer, SealedTable},
    client::ShownJournals,
    clock::{Clock, Entropy, SystemClock, SystemEntropy},
    current::Current,
    id::GrantId,
    identity::Identity,
    journal::{Checkpoint, Frontier, origin},
    limits::STORE_FREE_BYTES_MIN,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::{Paper, PaperCentre, PaperMember, Roster},
    seal::{Digest, Envelope, Kind, PublicKey, SecretKey},
    taxonomy::{JurisdictionCode, Lists},
    transport::{Peer, heard::Peers},
    wire,
};
use anyhow::{Context as _, Result};
use prost::Message as _;

const AUTHORITY: &str = "analysis-unit";
const PURPOSE: &str = "THREAT-ASSESSMENT";
const AUDIENCE: &str = "POLICE";
const NODE: &str = "police";
const COORDINATOR: &str = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
/// Requirements hold this long.
const VALID_S: i64 = 30 * 86_400;
/// Roster and grants hold this long.
const CONSENT_S: i64 = 5 * 366 * 86_400;

/// A node without listeners.
pub struct Resident {
    /// The node.
    pub node: Node,
    authority: SecretKey,
    staff: Peer,
    coordinator: Peer,
    sign_key: SecretKey,
    runtime: tokio::runtime::Runtime,
}

impl std::fmt::Debug for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resident({})", self.node.identity)
    }
}

impl Resident {
    /// Opens or makes the store at `path`, with keys made for this once. `policy` as in `policy.toml`.
    pub fn open(
        path: &Path,
        lists: &'static Lists,
        jurisdiction: JurisdictionCode,
        policy: &str,
    ) -> Result<Self> {
        let chance = (Arc::new(SystemClock) as _, Arc::new(SystemEntropy) as _);
        Self::open_as(path, lists, jurisdiction, [policy, ""], chance, &SystemEntropy)
    }

    /// The same with time and dice of one's own, and both files of the policy. The same `keys` make the same keys.
    pub fn open_as(
        path: &Path,
        lists: &'static Lists,
        jurisdiction: JurisdictionCode,
        [public, secret]: [&str; 2],
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        keys: &dyn Entropy,
    ) -> Result<Self> {
        let [seal_key, authority, root, sign_key] = [(); 4].map(|()| SecretKey::generate(keys));
        let (seal_key, authority, sign_key) = (seal_key?, authority?, sign_key?);
        let owner = identity(jurisdiction, "node", NODE, "node")?;
        let store = Store::open(path, &owner.to_string(), STORE_FREE_BYTES_MIN, entropy.as_ref())?;
        store.note_found(&owner, clock.now())?;
        let files = Files { public, secret, salt: store.salt() };
        let policy = Policy::parse(files, jurisdiction, lists)?;
        let held = Held::read(&store, jurisdiction, lists, &policy)?;
        let public = [seal_key.public(), authority.public(), sign_key.public()];
        let root = root?;
        let (roster, signed) = roster(jurisdiction, lists, public, &root, clock.as_ref())?;
        let pinned = Pinned {
            roster: Arc::new(roster),
            signed: Arc::new(signed),
            root: root.public(),
            key: Arc::new(seal_key),
        };
        let node = Node {
            identity: owner,
            jurisdiction,
            pinned: Current::of(pinned),
            endings: Current::of(Vec::new()),
            untaken: Current::of(Default::default()),
            lists,
            classification_ceiling: "RESTRICTED".to_owned(),
            policy,
            release: accord_node::inbox::Rules::default(),
            store,
            held: RwLock::new(held),
            notices: accord_node::notify::Notices::default(),
            proven: accord_node::peers::Proven::default(),
            coordinators: Peers::new(Arc::clone(&clock)),
            clock,
            entropy,
        };
        let analyst = identity(jurisdiction, "staff", "test-analyst", "analyst")?;
        Ok(Self {
            node,
            authority,
            coordinator: Peer { identity: Identity::parse(COORDINATOR)?, spki: Digest([0; 32]) },
            sign_key,
            staff: Peer { identity: analyst, spki: Digest([0; 32]) },
            runtime: tokio::runtime::Runtime::new()?,
        })
    }

    /// Imports a file, as the desk does: acknowledged when it would survive a power cut.
    pub fn import(&self, file: &Path, mapping: &str) -> Result<imports::Imported> {
        let name = file.file_name().context("a file has a name")?.to_string_lossy();
        let wanted = imports::Wanted {
            file_name: name.into_owned(),
            mapping: mapping.to_owned(),
            dry_run: false,
            retention_until_s: 0,
        };
        let file = File::open(file).with_context(|| file.display().to_string())?;
        Ok(self.on_a_worker(imports::import(&self.node, &self.staff, &wanted, file))?)
    }

    /// Freezes the periods from `first` to `last`.
    pub fn freeze(&self, first: &str, last: &str) -> Result<usize> {
        Ok(self.on_a_worker(desk::freeze(&self.node, &self.staff, first, last))?.editions.len())
    }

    /// Consents to every question of the police about an indicator.
    pub fn grant(&self, indicator: &str) -> Result<()> {
        self.grant_to(indicator, AUDIENCE)
    }

    /// Consents to every question of an audience about an indicator.
    pub fn grant_to(&self, indicator: &str, audience: &str) -> Result<()> {
        let now = self.node.clock.now();
        let all = || vec!["ALL".to_owned()];
        let levels = self.node.lists.indicator("indicator", indicator)?.levels.clone();
        self.consent(RawGrant {
            effect: "permit".to_owned(),
            indicator: indicator.to_owned(),
            crime_areas: all(),
            region_levels: levels,
            dimensions: all(),
            precision: "tier-a".to_owned(),
            contribution: "pooled".to_owned(),
            release: "automatic".to_owned(),
            purpose: PURPOSE.to_owned(),
            audience: audience.to_owned(),
            from_s: now.plus_s(-1).as_s(),
            until_s: now.plus_s(CONSENT_S).as_s(),
            ..RawGrant::default()
        })?;
        Ok(())
    }

    /// Gives a consent, or a rule that forbids, under an id of its own, which it returns.
    pub fn consent(&self, raw: RawGrant) -> Result<String> {
        let Node { clock, entropy, .. } = &self.node;
        let grant = GrantId::mint(clock.as_ref(), entropy.as_ref())?.to_string();
        let raw = RawGrant { grant: grant.clone(), ..raw };
        self.on_a_worker(desk::grants::give(&self.node, &self.staff, raw))?;
        Ok(grant)
    }

    /// Leaves a consent with less.
    pub fn narrow(&self, raw: RawGrant) -> Result<u64, Invalid> {
        self.on_a_worker(desk::grants::narrow(&self.node, &self.staff, raw))
    }

    /// Takes a consent back.
    pub fn withdraw(&self, grant: &str) -> Result<u64, Invalid> {
        self.on_a_worker(desk::grants::withdraw(&self.node, &self.staff, grant))
    }

    /// A requirement of these question blocks, signed by the authority and checked as a node does.
    pub fn requirement(&self, blocks: &str) -> Result<SignedRequirement> {
        let signed = self.signed(AUDIENCE, blocks)?;
        Ok(SignedRequirement::open(signed, &self.node.roster(), self.node.lists)?)
    }

    /// A requirement of these question blocks, signed by the authority.
    pub fn signed(&self, audience: &str, blocks: &str) -> Result<wire::Envelope, Invalid> {
        let Node { clock, entropy, lists, .. } = &self.node;
        let closes = clock.now().plus_s(VALID_S);
        let text = format!(
            "authority = \"{AUTHORITY}\"\nwhy = \"Measurement\"\npurpose = \"{PURPOSE}\"\n\
             legal_basis = \"None, a measurement\"\naudience = \"{audience}\"\ncloses = \"{closes}\"\n{blocks}"
        );
        let members = [NODE.to_owned()];
        let (clock, entropy) = (clock.as_ref(), entropy.as_ref());
        let key = &self.authority;
        accord_coordinator::requirement::sign(&text, &members, key, lists, clock, entropy)
    }

    /// Signs whatever it is, as an authority would that checks nothing.
    pub fn sign_unchecked(&self, requirement: &wire::Requirement) -> wire::Envelope {
        self.authority.sign(Kind::Requirement, prost::Message::encode_to_vec(requirement))
    }

    /// Answers, as the coordinator gets it.
    pub fn answer(&self, requirement: wire::Envelope) -> Result<SealedTable, Invalid> {
        let answer = self.ask(requirement)?;
        let keys = [self.node.seal_key().public()];
        match Answer::try_from(wire::AnswerResponse::from(answer))? {
            Answer::Sealed(sealed) => SealedTable::open(sealed, &keys, self.node.lists),
            Answer::Pending | Answer::Declined(_) => {
                Err(Invalid::new(Reason::AnswerMalformed, "answer", "holds no table"))
            }
        }
    }

    /// Answers, or says that people have to decide. A coordinator that is told to shows its journal first.
    pub fn ask(&self, requirement: wire::Envelope) -> Result<answer::Reply, Invalid> {
        let ask =
            || self.on_a_worker(answer::answer(&self.node, &self.coordinator, requirement.clone()));
        match ask() {
            Err(error) if error.reason == Reason::JournalNotShown => {
                self.show_journal()?;
                ask()
            }
            said => said,
        }
    }

    /// The coordinator's journal has no entry, and always the same.
    fn show_journal(&self) -> Result<(), Invalid> {
        let head = Checkpoint::of(origin(&self.coordinator.identity), &Frontier::default());
        let shown = ShownJournals { own: head.sign(&self.sign_key), ..ShownJournals::default() };
        self.on_a_worker(peers::exchange(&self.node, &self.coordinator, shown))?;
        Ok(())
    }

    /// Somebody of the node's staff, by certificate.
    pub fn person(&self, name: &str, role: &str) -> Result<Peer, Invalid> {
        let identity = identity(self.node.jurisdiction, "staff", name, role)?;
        Ok(Peer { identity, spki: Digest([0; 32]) })
    }

    /// Takes a store that may have forgotten charges as it is.
    pub fn confirm(&self, why: &str) -> Result<u64, Invalid> {
        let confirmed = desk::confirm::confirm(&self.node, &self.staff, why);
        Ok(self.on_a_worker(confirmed)?.losses)
    }

    /// Tries another policy.
    pub fn try_policy(
        &self,
        public: &str,
        secret: &str,
    ) -> Result<desk::whatif::Compared, Invalid> {
        self.on_a_worker(desk::whatif::try_policy(&self.node, &self.staff, (public, secret)))
    }

    /// What the node holds in memory.
    pub fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.node.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call of the desk to its end.
    pub fn on_a_worker<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }
}

/// A published policy with the floors that are shipped.
pub fn policy(
    public: &str,
    store: &Store,
    jurisdiction: JurisdictionCode,
    lists: &Lists,
) -> Result<Policy, Invalid> {
    Policy::parse(Files { public, secret: "", salt: store.salt() }, jurisdiction, lists)
}

/// A store as the node of a jurisdiction opens it.
pub fn open_store(path: &Path, jurisdiction: JurisdictionCode) -> Result<Store, Invalid> {
    let owner = identity(jurisdiction, "node", NODE, "node")?.to_string();
    Store::open(path, &owner, STORE_FREE_BYTES_MIN, &SystemEntropy)
}

fn identity(
    jurisdiction: JurisdictionCode,
    kind: &str,
    name: &str,
    role: &str,
) -> Result<Identity, Invalid> {
    Identity::parse(&format!("spiffe://wb6.example/{jurisdiction}/{kind}/{name}/{role}"))
}

/// A roster of one member, under a root that nobody keeps.
fn roster(
    jurisdiction: JurisdictionCode,
    lists: &Lists,
    [seal_key, authority, sign_key]: [PublicKey; 3],
    root: &SecretKey,
    clock: &dyn Clock,
) -> Result<(Roster, Envelope)> {
    let now = clock.now();
    let roster = Paper {
        federation: "wb6.example".to_owned(),
        version: 1,
        issued_at_s: now.as_s(),
        expires_at_s: now.plus_s(CONSENT_S).as_s(),
        members: vec![PaperMember {
            node: NODE.to_owned(),
            jurisdiction: jurisdiction.to_string(),
            address: "127.0.0.1:7101".to_owned(),
            tls_spki_sha256: Vec::new(),
            seal_keys: vec![seal_key.to_bytes().to_vec()],
            since_s: now.as_s(),
        }],
        authorities: vec![wire::Authority {
            authority: AUTHORITY.to_owned(),
            title: "Measurements".to_owned(),
            keys: vec![authority.to_bytes().to_vec()],
            since_s: now.as_s(),
        }],
        centres: vec![PaperCentre {
            name: "coordinator".to_owned(),
            tls_spki_sha256: vec![vec![0; 32]],
            keys: vec![sign_key.to_bytes().to_vec()],
        }],
    };
    let file = Roster::sign(&roster, lists, root, &SystemEntropy)?.encode_to_vec();
    Ok(Roster::read(("roster", &file), &root.public(), lists, 0, now)?)
}
