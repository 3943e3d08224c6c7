//! What every simulation begins with, made once: keys, two rosters, and of each member a store that holds its figures, frozen
//! and consented to. Comes in: nothing. Goes out: folders to copy.
//!
//! Members are told apart by what they hold: the first one counts 1 case, the second one 10, the third one 100. A digit of a
//! total says how often its member was counted.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use accord_node::{
    answer::{Held, Node},
    consent::RawGrant,
    desk::{self, imports},
    inbox, notify, peers,
    pinned::{Pinned, rely_on},
    policy::{Files, Policy},
    store::Store,
};
use accord_proto::{
    clock::{Clock, Entropy},
    current::Current,
    id::GrantId,
    identity::{Federation as Domain, Identity, Name, Role},
    pki::{self, Plan, PlannedNode},
    reason::Invalid,
    roster::{Paper, Roster},
    seal::{Digest, PublicKey, SecretKey},
    taxonomy::{JurisdictionCode, Lists},
    transport::{Credentials, Peer, heard::Peers, read_secret},
};
use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use tempfile::TempDir;

use super::world::{PORT, Seeded, SimClock};
use crate::{federation::SIX, peers as keys};

/// What is counted exactly, and what is protected by noise and has a budget.
pub(super) const INDICATORS: [&str; 2] = ["PUB.OFF.N", "MIG.IBC.N"];
/// What is asked of each.
pub(super) const BLOCKS: [&str; 2] = [
    "[[question]]\nindicator = \"PUB.OFF.N\"\nregion_level = 0\ncrime_areas = [\"ICCS0101\"]\nperiods = [\"2016\"]\n",
    "[[question]]\nindicator = \"MIG.IBC.N\"\nregion_level = 0\ncrime_areas = [\"MIG\"]\nperiods = [\"2024-01\"]\n",
];
const POLICY: &str = "[[indicator]]\ncode = \"PUB.OFF.N\"\nmode = \"open\"\n\
    [[indicator]]\ncode = \"MIG.IBC.N\"\nmode = \"protected\"\ngranularity = [\"year\", \"month\"]\nregion_levels = [0]\n";
const MAPPINGS: [&str; 2] = [
    "source = \"made up for a simulation\"\n[columns]\ncrime_area = \"area\"\nperiod = \"period\"\nvalue = \"n\"\n\
     [constants]\nindicator = \"PUB.OFF.N\"\n",
    "source = \"made up for a simulation\"\nrows = \"events\"\n[columns]\nregion = \"region\"\nperiod = \"period\"\n\
     unit = \"unit\"\n[constants]\nindicator = \"MIG.IBC.N\"\ncrime_area = \"MIG\"\n",
];
/// Cases that are protected, at each member.
pub(super) const UNITS: usize = 60;
/// Nothing of it is real, and nobody has to keep a reserve on its disk.
const FREE_BYTES_MIN: u64 = 0;

/// Everything that is the same in all simulations.
#[derive(Debug)]
pub struct Template {
    /// Goes with it.
    dir: TempDir,
    pub(super) lists: &'static Lists,
    pub(super) members: Vec<Member>,
    /// The second one lists a second key of everybody.
    pub(super) rosters: [Vec<u8>; 2],
    pub(super) root: PublicKey,
    pub(super) authority: SecretKey,
    /// The coordinator's, the second one only in the second roster.
    pub(super) sign_keys: [Arc<SecretKey>; 2],
    pub(super) credentials: Credentials,
    pub(super) analyst: Peer,
}

/// A member, of which every simulation gets a copy.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) node: Name,
    pub(super) jurisdiction: JurisdictionCode,
    pub(super) own: Peer,
    pub(super) seal_keys: [Arc<SecretKey>; 2],
    /// Two, as four eyes need.
    pub(super) releasers: [Peer; 2],
    /// Of each indicator.
    pub(super) grants: [String; 2],
    /// The store as it is when everything begins.
    pub(super) data: PathBuf,
}

/// Which of two rosters and keys somebody has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Generation {
    pub(super) roster: usize,
    pub(super) key: usize,
}

impl Template {
    /// Makes it, in memory where the machine has a file system for that.
    pub fn make() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory)? } else { TempDir::new()? };
        let (lists, clock, dice) = (Lists::builtin(), SimClock::default(), Seeded::new(0, "keys"));
        let planned = SIX.iter().map(|code| {
            let node = format!("{}-police", code.to_lowercase());
            Ok(PlannedNode {
                exchange_address: format!("{node}:{PORT}"),
                desk_address: format!("{node}:7201"),
                node: Name::parse("node", &node)?,
                jurisdiction: lists.jurisdiction("jurisdiction", code)?.code,
            })
        });
        let plan = Plan {
            federation: Domain::parse("federation", "wb6.example")?,
            nodes: planned.collect::<Result<_, Invalid>>()?,
            region_address: "centre:7100".to_owned(),
        };
        let home = dir.path().join("made");
        let roster = pki::development(&plan, &home, lists, (&clock, &dice))?;
        let (rosters, mut seal_keys, sign_key) = later(&home, roster, lists, &dice)?;
        let root = fs::read_to_string(home.join("federation/root.pub"))?;
        let mut members = Vec::new();
        for planned in plan.nodes {
            let later = seal_keys.remove(planned.node.as_str()).context("a key of later")?;
            members.push(member(&home, planned, later)?);
        }
        let centre = home.join("coordinator");
        let first = key(&centre.join("keys/sign.key"))?;
        let mut template = Self {
            lists,
            rosters,
            root: PublicKey::from_hex("root", &root)?,
            authority: key(&home.join("federation/authority.key"))?,
            sign_keys: [Arc::new(first), Arc::new(sign_key)],
            credentials: keys::credentials(&centre.join("keys"))?,
            analyst: keys::credentials(&centre.join("staff/analyst"))?.own(),
            members,
            dir,
        };
        template.members = template.filled(&clock)?;
        Ok(template)
    }

    /// A folder for one simulation.
    pub(super) fn room(&self) -> Result<TempDir> {
        Ok(TempDir::new_in(self.dir.path())?)
    }

    /// A member's node, opened over a copy of its store.
    pub(super) fn open(
        &self,
        member: &Member,
        data: &Path,
        generation: Generation,
        (clock, dice): (Arc<dyn Clock>, Arc<dyn Entropy>),
    ) -> Result<Node, Invalid> {
        let Peer { identity, .. } = &member.own;
        let mut store = Store::open(data, &identity.to_string(), FREE_BYTES_MIN, dice.as_ref())?;
        store.settle_by_whoever_waits();
        store.note_found(identity, clock.now())?;
        let files = Files { public: POLICY, secret: "", salt: store.salt() };
        let policy = Policy::parse(files, member.jurisdiction, self.lists)?;
        let held = Held::read(&store, member.jurisdiction, self.lists, &policy)?;
        let keys = (self.root.clone(), Arc::clone(&member.seal_keys[generation.key]));
        let known = (self.lists, store.head().roster_version(), clock.now());
        let pinned = Pinned::read(&self.rosters[generation.roster], keys, &member.own, known)?;
        rely_on(&pinned, identity, &store, clock.as_ref())?;
        Ok(Node {
            identity: identity.clone(),
            jurisdiction: member.jurisdiction,
            pinned: Current::of(pinned),
            endings: Current::of(Vec::new()),
            untaken: Current::of(Default::default()),
            lists: self.lists,
            classification_ceiling: "RESTRICTED".to_owned(),
            policy,
            release: inbox::Rules::default(),
            store,
            held: RwLock::new(held),
            notices: notify::Notices::default(),
            proven: peers::Proven::default(),
            coordinators: Peers::new(Arc::clone(&clock)),
            clock,
            entropy: dice,
        })
    }

    /// The members, each with a store that holds something.
    fn filled(&self, clock: &SimClock) -> Result<Vec<Member>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut filled = Vec::new();
        for (at, member) in self.members.iter().enumerate() {
            let dice = Arc::new(Seeded::new(0, member.node.as_str()));
            let generation = Generation::default();
            let node =
                self.open(member, &member.data, generation, (Arc::new(clock.clone()), dice))?;
            let grants = runtime.block_on(fill(&node, member, at))?;
            filled.push(Member {
                node: member.node.clone(),
                jurisdiction: member.jurisdiction,
                own: member.own.clone(),
                seal_keys: member.seal_keys.clone(),
                releasers: member.releasers.clone(),
                data: member.data.clone(),
                grants,
            });
        }
        Ok(filled)
    }
}

/// Both rosters, and the keys that only the second one lists: of each member to seal with, and the coordinator's.
type Later = ([Vec<u8>; 2], BTreeMap<String, SecretKey>, SecretKey);

/// The roster of later, which lists a second key of everybody; with all those keys.
fn later(home: &Path, roster: Paper, lists: &Lists, dice: &Seeded) -> Result<Later> {
    let first = fs::read(home.join("federation/roster.signed"))?;
    let root = key(&home.join("federation/root.key"))?;
    let mut later = Paper { version: roster.version + 1, ..roster };
    let mut seal_keys = BTreeMap::new();
    for member in &mut later.members {
        let key = SecretKey::generate(dice)?;
        member.seal_keys.push(key.public().to_bytes().to_vec());
        seal_keys.insert(member.node.clone(), key);
    }
    let sign_key = SecretKey::generate(dice)?;
    for centre in &mut later.centres {
        centre.keys.push(sign_key.public().to_bytes().to_vec());
    }
    let second = Roster::sign(&later, lists, &root, dice)?.encode_to_vec();
    Ok(([first, second], seal_keys, sign_key))
}

fn member(home: &Path, planned: PlannedNode, later: SecretKey) -> Result<Member> {
    let folder = home.join(planned.node.as_str());
    let own = keys::credentials(&folder.join("keys"))?.own();
    ensure!(own.identity.role == Role::Node, "is no node");
    let person = |name: &str| {
        Ok::<_, anyhow::Error>(keys::credentials(&folder.join("staff").join(name))?.own())
    };
    Ok(Member {
        releasers: [person("releaser")?, person("second-releaser")?],
        seal_keys: [Arc::new(key(&folder.join("keys/seal.key"))?), Arc::new(later)],
        data: folder.join("data"),
        grants: Default::default(),
        jurisdiction: planned.jurisdiction,
        node: planned.node,
        own,
    })
}

fn key(file: &Path) -> Result<SecretKey, Invalid> {
    SecretKey::from_pem("key", &read_secret(file)?)
}

/// Figures, an edition of them, and consent to every question about each.
async fn fill(node: &Node, member: &Member, at: usize) -> Result<[String; 2]> {
    let staff = Peer {
        identity: Identity { role: Role::Analyst, ..member.releasers[0].identity.clone() },
        spki: Digest([0; 32]),
    };
    let cases = 10_u64.pow(u32::try_from(at)?);
    let units = (0..UNITS).map(|unit| format!("{},2024-01,P-{unit}\n", member.jurisdiction));
    let files = [
        format!("area,period,n\nICCS0101,2016,{cases}\n"),
        format!("region,period,unit\n{}", units.collect::<String>()),
    ];
    let folder = member.data.parent().context("a folder")?;
    for (number, (text, mapping)) in files.iter().zip(MAPPINGS).enumerate() {
        let file = folder.join(format!("{number}.csv"));
        fs::write(&file, text)?;
        let wanted = imports::Wanted {
            file_name: format!("{number}.csv"),
            mapping: mapping.to_owned(),
            dry_run: false,
            retention_until_s: 0,
        };
        let imported = imports::import(node, &staff, &wanted, fs::File::open(&file)?).await?;
        ensure!(imported.quarantined.is_empty(), "{:?}", imported.quarantined);
    }
    for period in ["2016", "2024-01"] {
        desk::freeze(node, &staff, period, period).await?;
    }
    let mut grants = Vec::new();
    for indicator in INDICATORS {
        grants.push(consent(node, &member.releasers[0], indicator).await?);
    }
    Ok(grants.try_into().unwrap_or_default())
}

async fn consent(node: &Node, releaser: &Peer, indicator: &str) -> Result<String> {
    let (now, all) = (node.clock.now(), || vec!["ALL".to_owned()]);
    let grant = GrantId::mint(node.clock.as_ref(), node.entropy.as_ref())?.to_string();
    let raw = RawGrant {
        grant: grant.clone(),
        effect: "permit".to_owned(),
        indicator: indicator.to_owned(),
        crime_areas: all(),
        region_levels: vec![0],
        dimensions: all(),
        precision: "tier-a".to_owned(),
        contribution: "pooled".to_owned(),
        release: "automatic".to_owned(),
        purpose: "THREAT-ASSESSMENT".to_owned(),
        audience: "POLICE".to_owned(),
        from_s: now.plus_s(-86_400).as_s(),
        until_s: now.plus_s(366 * 86_400).as_s(),
        ..RawGrant::default()
    };
    desk::grants::give(node, releaser, raw).await?;
    Ok(grant)
}
