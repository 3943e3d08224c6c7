//! A node inside this process: the whole of it but its listeners. Comes in: a folder for its store, code
//! lists, a jurisdiction. Goes out: the desk's own functions, run as its staff. For measurements, which want
//! no time of a network in their figures.

use std::{
    fs::File,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use accord_node::{
    answer::{Held, Node},
    consent::RawGrant,
    desk::{self, imports},
    policy::Policy,
    store::Store,
};
use accord_proto::{
    clock::{Clock as _, SystemClock, SystemEntropy},
    id::GrantId,
    identity::Identity,
    limits::STORE_FREE_BYTES_MIN,
    question::SignedRequirement,
    reason::Invalid,
    roster::Roster,
    seal::{Digest, SecretKey},
    taxonomy::{JurisdictionCode, Lists},
    transport::Peer,
    wire,
};
use anyhow::{Context as _, Result};

const AUTHORITY: &str = "analysis-unit";
const PURPOSE: &str = "THREAT-ASSESSMENT";
const AUDIENCE: &str = "POLICE";
const NODE: &str = "police";
/// Roster, grants and requirements hold this long.
const VALID_S: i64 = 30 * 86_400;

/// A node without listeners.
pub struct Resident {
    /// The node.
    pub node: Node,
    authority: SecretKey,
    staff: Peer,
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
        let (seal_key, authority) =
            (SecretKey::generate(&SystemEntropy)?, SecretKey::generate(&SystemEntropy)?);
        let store = open_store(path, jurisdiction)?;
        let policy = Policy::parse(policy, lists)?;
        let held = Held::read(&store, jurisdiction, lists, &policy)?;
        let node = Node {
            identity: identity(jurisdiction, "node", NODE, "node")?,
            jurisdiction,
            roster: roster(jurisdiction, lists, &seal_key, &authority)?,
            lists,
            classification_ceiling: "RESTRICTED".to_owned(),
            policy,
            seal_key,
            store,
            held: RwLock::new(held),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        };
        let analyst = identity(jurisdiction, "staff", "test-analyst", "analyst")?;
        Ok(Self {
            node,
            authority,
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

    /// Consents to every question about an indicator.
    pub fn grant(&self, indicator: &str) -> Result<()> {
        let now = SystemClock.now();
        let grant = RawGrant {
            grant: GrantId::mint(&SystemClock, &SystemEntropy)?.to_string(),
            indicator: indicator.to_owned(),
            purpose: PURPOSE.to_owned(),
            audience: AUDIENCE.to_owned(),
            from_s: now.plus_s(-1).as_s(),
            until_s: now.plus_s(VALID_S).as_s(),
            ..RawGrant::default()
        };
        self.on_a_worker(desk::grant(&self.node, &self.staff, grant))?;
        Ok(())
    }

    /// A requirement of these question blocks, signed by the authority and checked as a node does.
    pub fn requirement(&self, blocks: &str) -> Result<SignedRequirement> {
        let closes = SystemClock.now().plus_s(VALID_S);
        let text = format!(
            "authority = \"{AUTHORITY}\"\nwhy = \"Measurement\"\npurpose = \"{PURPOSE}\"\n\
             legal_basis = \"None, a measurement\"\naudience = \"{AUDIENCE}\"\ncloses = \"{closes}\"\n{blocks}"
        );
        let signed = accord_coordinator::requirement::sign(
            &text,
            &[NODE.to_owned()],
            &self.authority,
            self.node.lists,
            &SystemClock,
            &SystemEntropy,
        )?;
        Ok(SignedRequirement::open(signed, &self.node.roster, self.node.lists)?)
    }

    /// What the node holds in memory.
    pub fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.node.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn on_a_worker<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }
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
    seal_key: &SecretKey,
    authority: &SecretKey,
) -> Result<Roster> {
    let (root, now) = (SecretKey::generate(&SystemEntropy)?, SystemClock.now());
    let roster = wire::Roster {
        federation: "wb6.example".to_owned(),
        version: 1,
        issued_at_s: now.as_s(),
        expires_at_s: now.plus_s(VALID_S).as_s(),
        members: vec![wire::Member {
            node: NODE.to_owned(),
            jurisdiction: jurisdiction.to_string(),
            address: "127.0.0.1:7101".to_owned(),
            tls_spki_sha256: Vec::new(),
            seal_keys: vec![seal_key.public().to_bytes().to_vec()],
            since_s: now.as_s(),
        }],
        authorities: vec![wire::Authority {
            authority: AUTHORITY.to_owned(),
            title: "Measurements".to_owned(),
            keys: vec![authority.public().to_bytes().to_vec()],
            since_s: now.as_s(),
        }],
        centres: Vec::new(),
    };
    let signed = Roster::sign(&roster, lists, &root)?;
    Ok(Roster::open(&signed, &root.public(), lists, 0, now)?)
}
