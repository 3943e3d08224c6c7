//! THE SPINE: a question in, a sealed answer out. Read this file to know what a node does.
//!
//! ```text
//! requirement ─► inbox ─► consent ─► cube.slice, ledger ─► disclose ─► journal ─► seal ─► answer
//! ```
//!
//! Each stage takes what only the stage before can make, so leaving one out does not compile. All
//! branching is here; the stages know nothing of each other.

use std::sync::{Arc, Mutex, RwLock};

use accord_proto::{
    answer::{Decline, Seal},
    clock::{Clock, Entropy},
    current::Current,
    expiry::Ending,
    identity::{Identity, Name},
    journal::{Act, Entry},
    limits::SEAL_VALID_S,
    question::{Requirement, SignedRequirement},
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Digest, PublicKey, SecretKey},
    table::Mode,
    taxonomy::{JurisdictionCode, Lists, Period},
    transport::{Peer, heard::Peers, renewal::Untaken},
    tree::Salting,
    wire,
};

use tracing::warn;

use crate::{
    consent::{self, Consented, Grant},
    cube::{self, Cube},
    disclose::{
        self, Rules,
        ledger::Ledger,
        reserve::{self, Reserved},
    },
    freeze::Editions,
    inbox::{self, Step, Verdict},
    notify::Notices,
    peers,
    pinned::Pinned,
    policy::Policy,
    receipt,
    seal::SealedAnswer,
    store::{Change, Released, Store},
    summary,
};

mod receive;

pub(crate) use receive::step;
use receive::{check_same, received, take_in};

/// A running node: what it holds and what it was set up with.
pub struct Node {
    /// Who it is, as its certificate says.
    pub identity: Identity,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// Who may ask, and by which key others believe the node. May be replaced while it runs.
    pub pinned: Current<Pinned>,
    /// What it relies on, and when that ends.
    pub endings: Current<Vec<Ending>>,
    /// What was replaced and is not taken in.
    pub untaken: Current<Untaken>,
    /// The code lists.
    pub lists: &'static Lists,
    /// Code of the highest classification that it may hold.
    pub classification_ceiling: String,
    /// In which mode each indicator may leave.
    pub policy: Policy,
    /// Whether people have to look at what leaves.
    pub release: inbox::Rules,
    /// What survives.
    pub store: Store,
    /// What the store says, ready in memory.
    pub held: RwLock<Held>,
    /// Who is told at home.
    pub notices: Notices,
    /// Which coordinators have shown their journal lately.
    pub proven: peers::Proven,
    /// What was heard of coordinators beside what they said.
    pub coordinators: Peers,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Dice, for ids.
    pub entropy: Arc<dyn Entropy>,
}

/// What the store says, ready in memory.
#[derive(Debug, Default)]
pub struct Held {
    /// Records, as people still edit them. Never answered from.
    pub live: Cube,
    /// Frozen. The only thing that is answered from.
    pub editions: Editions,
    /// Consents, in force or not.
    pub grants: Vec<Grant>,
    /// What protected units have lost already.
    pub ledger: Mutex<Ledger>,
    /// Strategic summaries. Never answered from.
    pub summaries: summary::Book,
}

impl Held {
    /// Reads everything that a store holds. `policy` says which editions may be answered from.
    pub fn read(
        store: &Store,
        jurisdiction: JurisdictionCode,
        lists: &Lists,
        policy: &Policy,
    ) -> Result<Self, Invalid> {
        let mut held = Self {
            grants: store.grants(lists)?,
            ledger: Mutex::new(store.ledger(lists)?),
            summaries: store.summaries(jurisdiction, lists)?,
            ..Self::default()
        };
        store.records(jurisdiction, lists, |record| held.live.put(record))?;
        for ((indicator, period), signature) in store.signatures(lists)? {
            held.editions.sign(indicator, period, signature);
        }
        store.editions(jurisdiction, lists, |edition| held.editions.put(edition))?;
        held.editions.rely_on(policy.handling());
        for period in store.head().withheld() {
            held.editions.withhold(Period::parse("store.withheld", period)?);
        }
        for (period, number) in store.head().barred()? {
            held.editions.bar(period, number);
        }
        Ok(held)
    }
}

/// What a node says to whoever asks.
#[derive(Debug)]
pub enum Reply {
    /// A sealed table.
    Sealed(Box<SealedAnswer>),
    /// People have not decided yet.
    Pending,
    /// People declined, and want that known: the node's own word, signed.
    Declined(wire::Envelope),
}

impl From<Reply> for wire::AnswerResponse {
    fn from(reply: Reply) -> Self {
        use wire::answer_response::Outcome;
        let outcome = match reply {
            Reply::Sealed(answer) => return (*answer).into(),
            Reply::Pending => Outcome::Pending(wire::Pending {}),
            Reply::Declined(decline) => {
                Outcome::Declined(wire::Declined { decline: Some(decline) })
            }
        };
        Self { outcome: Some(outcome) }
    }
}

/// Answers a requirement. The same requirement gets the same table, for ever; only consent that was taken
/// back since then narrows it.
pub async fn answer(
    node: &Node,
    caller: &Peer,
    requirement: wire::Envelope,
) -> Result<Reply, Invalid> {
    let now = node.clock.now();
    let roster = node.roster();
    roster.check_current(now)?;
    let asked = SignedRequirement::open(requirement, &roster, node.lists)?;
    asked.check_open(now)?;
    check_addressed(node, &asked)?;
    peers::check_proven(node, caller)?;
    take_in(node, caller, &asked)?;
    let reply = release(node, caller, &asked, None)?;
    // The evidence is on disk before the answer leaves.
    node.store.settled().await?;
    Ok(reply)
}

/// What is said at home while the ledger may have forgotten charges.
pub const FORGOTTEN: &str = "the store was restored from a backup, or its witness was gone, or a coordinator has seen a \
    later state of it: it may have forgotten what was shown before, so nothing in mode protected or bulletin is answered until a releaser runs `accord-node \
    confirm-restore --why TEXT`; withdraw first what was withdrawn since the backup";

/// With a ledger that may have forgotten charges, budgets mean nothing. What is open goes on being answered.
fn check_remembered(node: &Node, requirement: &Requirement) -> Result<(), Invalid> {
    let charged = |mode: Mode| match mode {
        Mode::Protected | Mode::Bulletin => true,
        Mode::Open | Mode::Closed => false,
    };
    let mut blocks = requirement.question.blocks.iter();
    if blocks.any(|block| charged(node.policy.mode(block.indicator)))
        && node.store.head().in_doubt()
    {
        return Err(Invalid::new(Reason::StoreFailed, "store", FORGOTTEN));
    }
    Ok(())
}

/// A person lets exactly this table go: gate two.
#[derive(Clone, Debug)]
pub struct Hand {
    /// SHA-256 of the table that was previewed and proposed.
    pub digest: Digest,
    /// Why, for the journal.
    pub why: String,
}

/// Decides, computes, seals and records, in one change of the store: asked twice at once is answered once. With a `hand` it is
/// not the coordinator that asks but a person who releases; both come this way.
pub(crate) fn release(
    node: &Node,
    caller: &Peer,
    asked: &SignedRequirement,
    hand: Option<&Hand>,
) -> Result<Reply, Invalid> {
    let held = node.held.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (requirement, now) = (asked.requirement(), node.clock.now());
    check_remembered(node, requirement)?;
    let mut change = node.store.begin_release()?;
    let consented = consent::decide(requirement, &held.grants, node.jurisdiction, node.lists, now)?;
    if consented.embargoed(now) {
        return embargoed(hand);
    }
    let mut item = received(node, asked)?;
    let before = node.store.released(requirement.id)?;
    let needs_person = before.is_none() && inbox::needs_person(&consented, node.release);
    let done = match hand {
        Some(Hand { digest, why }) => Some(step(node, caller, Step::Release(*digest), why)),
        None if item.state(now) == inbox::State::Received && !needs_person => {
            Some(step(node, caller, Step::Answer, ""))
        }
        None => None,
    };
    if let Some(done) = done {
        item.step(done, &node.store.glass()?)?;
        change.inbox(&item)?;
    }
    let terms = match item.verdict(now)? {
        Verdict::Answer(terms) => terms,
        Verdict::Wait => return Ok(Reply::Pending),
        Verdict::Declined => return Ok(Reply::Declined(decline(node, asked))),
    };
    let consented = terms.narrow(consented, &requirement.question);
    let one_hand = item.single_handed();
    let rules = Rules { editions: &held.editions, policy: &node.policy, lists: node.lists };

    let mut ledger = held.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (answer, paid, cost) = match &before {
        None => first(node, rules, &mut change, asked, (&consented, one_hand), &ledger),
        Some(released) => (again(node, rules, &mut change, asked, &consented, released)?, None, 0),
    };
    check_unchanged(&answer, hand)?;

    let released = Released {
        requirement_digest: asked.digest().0.to_vec(),
        response: answer.encode(),
        audiences: before.as_ref().map_or_else(
            || consented.audiences().map(|audience| audience.to_string()).collect(),
            |before| before.audiences.clone(),
        ),
    };
    if before.as_ref() != Some(&released) {
        change.release(requirement.id, &released);
    }
    if let Some(made) = answer.made() {
        let given_as = released.given_as(node.lists)?;
        let tiers: Vec<_> = given_as.iter().map(|as_whose| node.lists.tier(*as_whose)).collect();
        let under = (consented.grants(), tiers.as_slice(), cost);
        let receipt = receipt::of(made, answer.seal_digest(), under, change.entry_sequence());
        change.sealed(&receipt);
    }
    let entry = Entry {
        at: now,
        act: Act::Disclosure,
        by: caller.identity.clone(),
        to: format!("{} for {}", requirement.audience, requirement.authority),
        why: why(requirement, hand),
        subject: requirement.id.to_string(),
        digest: answer.table_digest(),
    };
    change.commit(entry.class(item.class()))?;
    if let Some(paid) = paid {
        *ledger = paid;
    }
    Ok(Reply::Sealed(Box::new(answer)))
}

/// Until an embargo is over nobody lets anything go.
fn embargoed(hand: Option<&Hand>) -> Result<Reply, Invalid> {
    match hand {
        Some(_) => {
            let detail = "an embargo of a grant is not over yet; `grant list` says until when";
            Err(Invalid::new(Reason::GrantState, "not_before", detail))
        }
        None => Ok(Reply::Pending),
    }
}

/// The first answer to a requirement, the ledger that has paid for it, and how much, in nano-rho.
fn first(
    node: &Node,
    rules: Rules<'_>,
    change: &mut Change<'_>,
    asked: &SignedRequirement,
    (consented, one_hand): (&Consented, bool),
    ledger: &Ledger,
) -> (SealedAnswer, Option<Ledger>, u64) {
    let slice = cube::slice(rules.editions, consented);
    let reserved = reserve::reserve(consented, rules, ledger, node.clock.now());
    let mut cost = 0;
    if let Some((charges, after)) = reserved.charges() {
        change.charge(charges, after);
        cost = charges.iter().map(|charge| charge.nano_rho + charge.beside).sum();
    }
    note_exhausted(&reserved);
    let owner = (&node.identity.name, node.jurisdiction);
    let safe = disclose::disclose(consented, slice, &reserved, rules, owner);
    let bound = bind(node, change, asked, consented, (None, one_hand));
    let salting = node.salting(asked.requirement());
    let answer = SealedAnswer::seal(&safe, salting, node.lists, &node.seal_key(), bound);
    (answer, reserved.into_ledger(), cost)
}

/// Two people looked at a table: that one leaves, or none.
fn check_unchanged(answer: &SealedAnswer, hand: Option<&Hand>) -> Result<(), Invalid> {
    match hand {
        Some(hand) if hand.digest != answer.table_digest() => {
            let detail = "what would leave has changed since it was proposed; preview it again, and propose that";
            Err(Invalid::new(Reason::ReleaseChanged, "digest", detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// For the journal: purpose and law, and a person's own words.
fn why(requirement: &Requirement, hand: Option<&Hand>) -> String {
    let law = format!("{}; {}", requirement.purpose, requirement.legal_basis);
    match hand {
        Some(hand) => format!("{law}; {}", hand.why),
        None => law,
    }
}

/// At home it is said why; outside the cells are not shown, like any other.
fn note_exhausted(reserved: &Reserved) {
    for (indicator, period) in reserved.exhausted() {
        warn!(%indicator, %period, "not shown: the privacy budget has no room for it");
    }
}

/// What was released before, narrowed if consent was taken back, under a new seal if the old one is over.
fn again(
    node: &Node,
    rules: Rules<'_>,
    change: &mut Change<'_>,
    asked: &SignedRequirement,
    consented: &Consented,
    released: &Released,
) -> Result<SealedAnswer, Invalid> {
    check_same(&released.requirement_digest, asked)?;
    let before = SealedAnswer::reopen(&released.response, &node.seal_keys(), node.lists)?;
    let salting = node.salting(asked.requirement());
    let (key, lists, replaced) = (node.seal_key(), node.lists, before.seal().table_digest);
    let one_hand = before.seal().single_handed;
    let given_as = released.given_as(node.lists)?;
    if let Some(safe) = disclose::narrow((before.table(), &given_as), consented, rules) {
        // A consent that ran out by itself or a policy that closed is a new state of consent, too: the
        // coordinator accepts another table for the same requirement only under a higher epoch.
        change.raise_consent_epoch();
        let bind = bind(node, change, asked, consented, (Some(replaced), one_hand));
        return Ok(SealedAnswer::seal(&safe, salting, lists, &key, bind));
    }
    if before.is_old() {
        // The same cells have another digest now, which is another table to whoever asks.
        change.raise_consent_epoch();
        let bind = bind(node, change, asked, consented, (Some(replaced), one_hand));
        return Ok(before.reseal(salting, lists, &key, bind));
    }
    let (over, supersedes) = (before.seal().expires_at, before.seal().supersedes);
    if node.clock.now() >= over {
        let bind = bind(node, change, asked, consented, (supersedes, one_hand));
        return Ok(before.reseal(salting, lists, &key, bind));
    }
    before.again().ok_or_else(|| {
        Invalid::new(Reason::Internal, "answer", "what was released cannot be given again")
    })
}

/// The node's word that it does not answer.
fn decline(node: &Node, asked: &SignedRequirement) -> wire::Envelope {
    let decline = Decline {
        node: node.identity.name.clone(),
        jurisdiction: node.jurisdiction,
        requirement: asked.requirement().id,
        requirement_digest: asked.digest(),
    };
    decline.sign(&node.seal_key())
}

/// What a seal binds a table to: this requirement, this audience, this state of consent.
fn bind(
    node: &Node,
    change: &mut Change<'_>,
    asked: &SignedRequirement,
    consented: &Consented,
    (supersedes, single_handed): (Option<Digest>, bool),
) -> impl FnOnce(Digest, Digest) -> Seal {
    let (requirement, now) = (asked.requirement(), node.clock.now());
    let seal = Seal {
        node: node.identity.name.clone(),
        jurisdiction: node.jurisdiction,
        requirement: requirement.id,
        requirement_digest: asked.digest(),
        authority: requirement.authority.clone(),
        audience: requirement.audience,
        table_digest: Digest([0; 32]),
        snapshot: Digest([0; 32]),
        question_digest: asked.question_digest(),
        consent_epoch: change.consent_epoch(),
        consent_digest: consented.digest(node.store.salt(), requirement.id),
        policy_digest: node.policy.published(),
        policy_commitment: node.policy.commitment(),
        issued_at: now,
        expires_at: now.plus_s(SEAL_VALID_S),
        sequence: change.next_sequence(),
        previous: change.last_seal(),
        supersedes,
        single_handed,
    };
    move |table_digest, snapshot| Seal { table_digest, snapshot, ..seal }
}

impl Node {
    /// Every key that may have sealed its answers, as the roster says.
    pub fn seal_keys(&self) -> Vec<PublicKey> {
        self.roster().member(self.name()).map_or(Vec::new(), |member| member.seal_keys.clone())
    }

    /// The roster that counts now.
    pub fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.pinned.get().roster)
    }

    /// The key that answers are signed with now.
    pub fn seal_key(&self) -> Arc<SecretKey> {
        Arc::clone(&self.pinned.get().key)
    }

    /// What the cells of a table are salted with.
    pub(crate) fn salting(&self, requirement: &Requirement) -> Salting<'_> {
        let tier = self.lists.tier(requirement.audience);
        Salting { secret: self.store.salt(), tier }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.identity.name
    }
}

pub(crate) fn check_addressed(node: &Node, asked: &SignedRequirement) -> Result<(), Invalid> {
    if asked.requirement().members.contains(node.name()) {
        return Ok(());
    }
    let detail = format!("{} is not among those asked", node.name());
    Err(Invalid::new(Reason::RequirementNotForMember, "requirement.members", detail))
}
