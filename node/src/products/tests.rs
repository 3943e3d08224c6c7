//! Products at a node with a real store: what is taken in, what is said, what is its own; and each refusal by its code.

use std::sync::{
    Arc, RwLock,
    atomic::{AtomicI64, AtomicU8, Ordering},
};

use accord_proto::{
    clock::{Clock, Entropy, SystemEntropy, Timestamp},
    current::Current,
    identity::Identity,
    product::{Comment, Hand, Position, Said, State},
    roster::{Paper, PaperCentre, PaperMember, Roster},
    seal::{Digest, SecretKey},
    taxonomy::Lists,
    transport::heard::Peers,
    wire,
};

use super::*;
use crate::{
    answer::Held,
    inbox::Rules,
    notify::Notices,
    peers::Proven,
    policy::{Files, Policy},
    store::Store,
};

mod circulated;
mod own;
mod said;

const PRODUCT: &str = "01a20b74-b718-7a08-a333-9c5c982785a0";
const OTHER: &str = "01a20b74-b718-7a08-a333-9c5c982785a1";
/// This node comes first.
const MEMBERS: [(&str, &str); 3] = [("al-police", "AL"), ("ba-police", "BA"), ("rs-police", "RS")];

/// A clock that a test turns.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now_ms(&self) -> i64 {
        at(self.0.load(Ordering::Relaxed)).as_s() * 1_000
    }
}

/// Bytes that are the same every time, and never twice.
#[derive(Debug)]
struct Counted(AtomicU8);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid> {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
        Ok(())
    }
}

/// Seconds after the roster was signed.
fn at(seconds: i64) -> Timestamp {
    Timestamp::parse("", "2026-12-01").unwrap().plus_s(seconds)
}

/// A node of a federation of three, and a centre whose key the test holds.
struct Home {
    node: Node,
    hands: Arc<Hands>,
    root: SecretKey,
    centre: SecretKey,
    keys: [SecretKey; 3],
    dir: tempfile::TempDir,
}

const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";

impl Home {
    fn new() -> Self {
        Self::new_with_root(0)
    }

    /// Of another federation, by another root.
    fn new_with_root(first: u8) -> Self {
        let dice = Counted(AtomicU8::new(first));
        let key = || SecretKey::generate(&dice).unwrap();
        let (root, centre, keys) = (key(), key(), [(); 3].map(|()| key()));
        let signed = Arc::new(signed((&root, 1, at(0)), &centre, &keys));
        let lists = Lists::builtin();
        let roster = Roster::open_of_any_time(&signed, &root.public(), lists).unwrap();
        let hands = Arc::new(Hands(AtomicI64::new(0)));
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), OWNER, 0, &SystemEntropy).unwrap();
        let jurisdiction = lists.jurisdiction("", "AL").unwrap().code;
        let files = Files { public: "", secret: "", salt: &[0; 32] };
        let [own, ..] = &keys;
        let pinned = Pinned {
            roster: Arc::new(roster),
            signed,
            root: root.public(),
            key: Arc::new(again(own)),
        };
        let node = Node {
            identity: Identity::parse(OWNER).unwrap(),
            jurisdiction,
            pinned: Current::of(pinned),
            endings: Current::of(Vec::new()),
            untaken: Current::of(Default::default()),
            lists,
            classification_ceiling: String::new(),
            policy: Policy::parse(files, jurisdiction, lists).unwrap(),
            release: Rules { by_hand: false },
            store,
            held: RwLock::new(Held::default()),
            notices: Notices::default(),
            proven: Proven::default(),
            coordinators: Peers::new(Arc::<Hands>::clone(&hands)),
            clock: Arc::<Hands>::clone(&hands),
            entropy: Arc::new(SystemEntropy),
        };
        Self { node, hands, root, centre, keys, dir }
    }

    /// The root signs the next roster, with these keys, and the node takes it in.
    fn renewed(&self, seconds: i64, centre: &SecretKey, keys: &[SecretKey; 3]) {
        let signed = Arc::new(signed((&self.root, 2, at(seconds)), centre, keys));
        let (root, lists) = (self.root.public(), Lists::builtin());
        let roster = Arc::new(Roster::open_of_any_time(&signed, &root, lists).unwrap());
        let key = Arc::new(again(&keys[0]));
        self.node.pinned.replace(Pinned { roster, signed, root, key });
    }

    fn turn_to(&self, seconds: i64) {
        self.hands.0.store(seconds, Ordering::Relaxed);
    }

    /// The centre's hand.
    fn hand<T>(&self, seconds: i64, key: &SecretKey, take: impl FnOnce(Hand<'_>) -> T) -> T {
        let pinned = self.node.pinned.get();
        let roster = (&*pinned.signed, &*pinned.roster);
        take(Hand { at: at(seconds), roster, key, lists: self.node.lists })
    }

    fn begin(&self, seconds: i64, draft: wire::product::Draft) -> Dossier {
        self.hand(seconds, &self.centre, |hand| Dossier::begin(id(), draft, hand)).unwrap()
    }

    fn take(&self, dossier: &Dossier, seconds: i64, deed: Deed) -> Dossier {
        self.hand(seconds, &self.centre, |hand| dossier.take(deed, hand)).unwrap()
    }

    /// In a round of comments that is open from second 10 to 20.
    fn circulated(&self) -> Dossier {
        let draft = self.begin(1, draft("coordinator", &MEMBERS, "First."));
        self.take(&draft, 2, circulate(&draft, 1, 10, 20))
    }

    /// With the round over, and these words in it.
    fn closed(&self, dossier: &Dossier, words: &[Waiting]) -> Dossier {
        self.take(dossier, 20, dossier.course().harvest_round(words, &[]))
    }

    /// To be endorsed from second 30 to 40.
    fn opened(&self) -> Dossier {
        let dossier = self.closed(&self.circulated(), &[]);
        let dossier = self.take(&dossier, 25, Deed::Finalise(wire::product::Finalise {}));
        self.take(&dossier, 30, open(&dossier, 40))
    }

    /// A word that this member's key has signed.
    fn word(&self, member: usize, dossier: &Dossier, (seconds, said): (i64, Said)) -> Waiting {
        let (node, jurisdiction) = MEMBERS[member];
        let word = Word {
            node: accord_proto::identity::Name::parse("", node).unwrap(),
            jurisdiction: self.node.lists.jurisdiction("", jurisdiction).unwrap().code,
            product: dossier.product(),
            content: dossier.course().content.digest(),
            at: at(seconds),
            nonce: [u8::try_from(member).unwrap(); 16],
            said,
        };
        (word.sign(&self.keys[member]), word)
    }

    async fn deliver(&self, dossier: &Dossier) -> Result<Receipt, Invalid> {
        self.deliver_file(&dossier.write()).await
    }

    async fn deliver_file(&self, file: &[u8]) -> Result<Receipt, Invalid> {
        let receipt = take_in(&self.node, &coordinator(), id(), file).await?;
        let member = self.node.roster().member(self.node.name()).unwrap().clone();
        Receipt::open(&receipt, &member, self.node.lists)
    }

    async fn say(&self, by: &str, nonce: u8, said: Said) -> Result<Digest, Invalid> {
        let content = kept(&self.node, id())?.course().content.digest();
        say::say(&self.node, &person(by), (id(), content, [nonce; 16]), said).await
    }

    fn journal(&self) -> u64 {
        self.node.store.head().journal().size()
    }
}

/// Another handle of the same key.
fn again(key: &SecretKey) -> SecretKey {
    SecretKey::from_pem("", &key.to_pem().unwrap()).unwrap()
}

fn signed(
    (root, version, issued_at): (&SecretKey, u64, Timestamp),
    centre: &SecretKey,
    keys: &[SecretKey; 3],
) -> Envelope {
    let member = |((node, jurisdiction), key): ((&str, &str), &SecretKey)| PaperMember {
        node: node.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
        address: "dials-in".to_owned(),
        tls_spki_sha256: vec![Digest::of(node.as_bytes()).0.to_vec()],
        seal_keys: vec![key.public().to_bytes().to_vec()],
        since_s: at(0).as_s(),
    };
    let roster = Paper {
        federation: "wb6.example".to_owned(),
        version,
        issued_at_s: issued_at.as_s(),
        expires_at_s: at(90 * 86_400).as_s(),
        members: MEMBERS.into_iter().zip(keys).map(member).collect(),
        authorities: Vec::new(),
        centres: vec![PaperCentre {
            name: "coordinator".to_owned(),
            tls_spki_sha256: vec![Digest::of(b"centre").0.to_vec()],
            keys: vec![centre.public().to_bytes().to_vec()],
        }],
    };
    Roster::sign(&roster, Lists::builtin(), root, &SystemEntropy).unwrap().roster.unwrap()
}

fn id() -> ProductId {
    ProductId::parse("", PRODUCT).unwrap()
}

fn peer(identity: &str) -> Peer {
    Peer { identity: Identity::parse(identity).unwrap(), spki: Digest([0; 32]) }
}

fn coordinator() -> Peer {
    peer("spiffe://wb6.example/REGION/node/coordinator/coordinator")
}

/// `ana/releaser`.
fn person(name_and_role: &str) -> Peer {
    peer(&format!("spiffe://wb6.example/AL/staff/{name_and_role}"))
}

/// A text with one section.
fn draft(owner: &str, members: &[(&str, &str)], text: &str) -> wire::product::Draft {
    draft_of(wire::product::Kind::ThreatAssessment, (owner, members), text)
}

fn draft_of(
    kind: wire::product::Kind,
    (owner, members): (&str, &[(&str, &str)]),
    text: &str,
) -> wire::product::Draft {
    let section = wire::product::Section {
        salt: vec![7; 16],
        section: "inner".to_owned(),
        heading: "About it".to_owned(),
        extent: wire::product::Extent::Restricted.into(),
        text: text.to_owned(),
        ..Default::default()
    };
    let content = wire::product::Content {
        product: PRODUCT.to_owned(),
        kind: kind.into(),
        title: "Assessment".to_owned(),
        language: "en".to_owned(),
        covers: "2026".to_owned(),
        owner: owner.to_owned(),
        members: members.iter().map(|(node, _)| (*node).to_owned()).collect(),
        rule: Some(wire::product::Rule {
            kind: wire::product::RuleKind::All.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let rendition = wire::product::Rendition {
        salt: vec![7; 16],
        extent: wire::product::Extent::Restricted.into(),
        audience: "POLICE".to_owned(),
        mark: "POLICE".to_owned(),
        readers: Vec::new(),
    };
    let why = "as agreed".to_owned();
    wire::product::Draft {
        text: Some(accord_proto::product::content::bind(content, &[rendition], &[section])),
        why,
    }
}

fn content_of(dossier: &Dossier) -> Vec<u8> {
    dossier.course().content.digest().0.to_vec()
}

fn circulate(dossier: &Dossier, round: u32, from: i64, closes: i64) -> Deed {
    Deed::Circulate(wire::product::Circulate {
        round,
        readable_from_s: at(from).as_s(),
        closes_at_s: at(closes).as_s(),
        content_sha256: content_of(dossier),
        guests: Vec::new(),
    })
}

fn open(dossier: &Dossier, closes: i64) -> Deed {
    let content_sha256 = content_of(dossier);
    Deed::Open(wire::product::Open { closes_at_s: at(closes).as_s(), content_sha256 })
}

fn publish(dossier: &Dossier, from: i64) -> Deed {
    let content_sha256 = content_of(dossier);
    let (readable_from_s, receipts) = (at(from).as_s(), Vec::new());
    Deed::Publish(wire::product::Publish { content_sha256, readable_from_s, receipts })
}

fn comment(text: &str) -> Said {
    Said::Comment(Comment {
        round: 1,
        section: None,
        place: None,
        language: "sq".to_owned(),
        text: text.to_owned(),
        attributed: true,
    })
}

fn endorse() -> Said {
    Said::Endorsement(Position::Endorse, String::new())
}

fn reason<T>(result: Result<T, Invalid>) -> Reason {
    match result {
        Ok(_) => panic!("was taken"),
        Err(error) => error.reason,
    }
}
