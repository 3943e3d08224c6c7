//! A federation on paper: keys of every party, and what they sign to each other, all in memory. Comes in: a seed for the keys.
//! Goes out: a roster, a requirement, answers, a picture of them and its evidence, as the program itself makes them.

use std::sync::{Mutex, PoisonError};

use accord_coordinator::{
    combine,
    gate::{self, GatePolicy, PooledBefore},
    gather::Reply,
    picture::{self, Beside, MemberState},
    verify::{Seen, Silence, VerifiedAnswer, verify},
};
use accord_proto::{
    answer::{Answer, Decline, Seal},
    clock::{Entropy, Timestamp},
    evidence,
    id::{EditionId, RequirementId},
    identity::Name,
    question::{Requirement, SignedRequirement},
    reason::Invalid,
    regional,
    roster::{Member, Paper, PaperCentre, PaperMember, Roster},
    seal::{Digest, SecretKey},
    standing::{Notice, Standing},
    table::{Cell, Contribution, EditionRef, Mode, Table, TableBlock},
    taxonomy::{Categories, JurisdictionCode, Lists, Period, Tier},
    tree::{Salting, Tree},
    wire,
};
use anyhow::{Context as _, Result};
use prost::Message as _;

use crate::crash::Dice;

/// Those who answer, and the one who declines.
const MEMBERS: [(&str, &str); 4] =
    [("al-police", "AL"), ("ba-police", "BA"), ("me-police", "ME"), ("rs-police", "RS")];
/// The member that declines.
const DECLINES: usize = 2;
/// Of every text of the scene.
pub const REQUIREMENT: &str = "01900000-0000-7000-8000-000000000003";

/// Randomness that is the same every time. For tests alone.
#[derive(Debug)]
pub struct Seeded(Mutex<Dice>);

impl Seeded {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid> {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.iter_mut().for_each(|byte| *byte = u8::try_from(dice.below(256)).unwrap_or(0));
        Ok(())
    }
}

/// Everything that the parties have signed.
#[derive(Debug)]
pub struct Scene {
    /// The federation root's key.
    pub root: SecretKey,
    /// The asking authority's.
    pub authority: SecretKey,
    /// The coordinator's.
    pub centre: SecretKey,
    /// Each member's seal key, in the order of the roster.
    pub keys: Vec<SecretKey>,
    /// Signed by the root, with contacts.
    pub roster_file: Vec<u8>,
    /// The same without.
    pub roster_envelope: wire::Envelope,
    /// The same, read.
    pub roster: Roster,
    /// Signed by the authority.
    pub asked: SignedRequirement,
    /// The answers of the members that answer, with their places in the roster.
    pub answers: Vec<(usize, wire::SealedTable)>,
    /// Of the member that does not.
    pub decline: wire::Envelope,
    /// What a member has said since.
    pub notice: wire::Envelope,
    /// Signed by the coordinator.
    pub picture: wire::Envelope,
}

/// What a coordinator makes of answers.
#[derive(Debug)]
pub struct Made {
    /// The picture that it draws.
    pub picture: wire::Envelope,
    /// What it keeps of the answers.
    pub kept: Vec<wire::SealedTable>,
    /// Why it does not believe some of them.
    pub not_believed: Vec<String>,
}

/// When everything happens.
pub fn now() -> Timestamp {
    Timestamp::EARLIEST.plus_s(26 * 366 * 86_400)
}

impl Scene {
    /// Keys from a seed, and all that is signed with them.
    pub fn set(seed: u64) -> Result<Self> {
        let (lists, entropy) = (Lists::builtin(), Seeded::new(seed));
        let key = || SecretKey::generate(&entropy);
        let (root, authority, centre) = (key()?, key()?, key()?);
        let keys = MEMBERS.iter().map(|_| key()).collect::<Result<Vec<_>, _>>()?;
        let paper = roster([&authority, &centre], &keys);
        let roster_file = Roster::sign(&paper, lists, &root, &entropy)?.encode_to_vec();
        let (roster, roster_envelope) =
            Roster::read(("roster", &roster_file), &root.public(), lists, 0, now())?;
        let requirement = Requirement::sign(&requirement(), lists, &authority)?;
        let asked = SignedRequirement::open(requirement, &roster, lists)?;
        let mut answers = Vec::new();
        for (at, key) in keys.iter().enumerate().filter(|(at, _)| *at != DECLINES) {
            answers.push((at, sealed(&asked, at, key)?));
        }
        let of = |at: usize| roster.members.get(at).context("no such member");
        let (declines, notices) = (of(DECLINES)?, of(0)?);
        let decline = Decline {
            node: declines.node.clone(),
            jurisdiction: declines.jurisdiction,
            requirement: asked.requirement().id,
            requirement_digest: asked.digest(),
        };
        let decline = decline.sign(keys.get(DECLINES).context("no key")?);
        let notice = Notice {
            node: notices.node.clone(),
            jurisdiction: notices.jurisdiction,
            requirement: asked.requirement().id,
            requirement_digest: asked.digest(),
            table_digest: table_digest(answers.first().map(|(_, sealed)| sealed)),
            standing: Standing::Withdrawn,
            consent_epoch: 4,
            at: now(),
        };
        let notice = notice.sign(keys.first().context("no key")?);
        let empty = wire::Envelope::default();
        let mut scene = Self {
            root,
            authority,
            centre,
            keys,
            roster_file,
            roster_envelope,
            roster,
            asked,
            answers,
            decline,
            notice,
            picture: empty,
        };
        scene.picture = scene.draw(&scene.answers)?.picture;
        Ok(scene)
    }

    /// What the coordinator draws from these answers: verify, gate, combine, picture.
    pub fn draw(&self, answers: &[(usize, wire::SealedTable)]) -> Result<Made> {
        let lists = Lists::builtin();
        let (mut states, mut verified, mut not_believed) = (Vec::new(), Vec::new(), Vec::new());
        for (at, member) in self.roster.members.iter().enumerate() {
            let sealed = answers.iter().find(|(of, _)| *of == at);
            let said = sealed.map_or_else(
                || Answer::Declined(self.decline.clone()),
                |(_, sealed)| Answer::Sealed(sealed.clone()),
            );
            let reply = Reply { member: member.clone(), said: Ok(said) };
            let outcome = verify(reply, &self.asked, Seen::default(), lists, now());
            if let Err(Silence::Rejected(why)) = &outcome {
                not_believed.push(why.to_string());
            }
            states.push(MemberState::of(member.clone(), &outcome));
            verified.extend(outcome);
        }
        let (minimum, policy) = (3, GatePolicy::default());
        let verdicts = gate::judge(&verified, minimum, &policy, &PooledBefore::new(), lists);
        let figures = combine::combine(&verdicts, lists);
        let beside = Beside {
            named: gate::named(&verified),
            contributors_min: gate::contributors_min(&verified, minimum, &policy),
            deviations: regional::deviations(verified.iter().map(VerifiedAnswer::table)),
        };
        let said = (&figures, &beside);
        let drawn = picture::draw(&self.asked, &states, said, &self.roster, lists, &self.centre);
        let kept = verified.iter().map(|answer: &VerifiedAnswer| answer.redact().to_wire());
        Ok(Made { picture: drawn.envelope().clone(), kept: kept.collect(), not_believed })
    }

    /// The file that proves a picture.
    pub fn evidence(&self, made: Made, notices: Vec<wire::Envelope>) -> Vec<u8> {
        let (roster, asked) = (self.roster_envelope.clone(), self.asked.envelope().clone());
        evidence::write(roster, asked, made.picture, made.kept, notices)
    }

    /// A member with its key.
    pub fn member(&self, at: usize) -> Result<(&Member, &SecretKey)> {
        let member = self.roster.members.get(at).context("no such member")?;
        Ok((member, self.keys.get(at).context("no such key")?))
    }

    /// The seal of a member over a table with this head.
    pub fn seal(&self, at: usize, head: &[u8], snapshot: Digest) -> Result<wire::Envelope> {
        let (_, key) = self.member(at)?;
        let table = Digest::of_parts([&b"accord.table.v1"[..], head]);
        Ok(seal(&self.asked, at, (table, snapshot))?.sign(key))
    }
}

/// What a seal or a notice names.
fn table_digest(sealed: Option<&wire::SealedTable>) -> Digest {
    let head = sealed.map_or(&[][..], |sealed| &sealed.table);
    Digest::of_parts([&b"accord.table.v1"[..], head])
}

/// Everybody, with the keys of the authority, the coordinator and the members.
pub fn roster([authority, centre]: [&SecretKey; 2], keys: &[SecretKey]) -> Paper {
    let bytes = |key: &SecretKey| vec![key.public().to_bytes().to_vec()];
    // Another certificate for everybody.
    let certificate = |of: &str| vec![Digest::of(of.as_bytes()).0.to_vec()];
    let since_s = Timestamp::EARLIEST.as_s();
    let member = |((node, jurisdiction), key): (&(&str, &str), &SecretKey)| PaperMember {
        node: (*node).to_owned(),
        jurisdiction: (*jurisdiction).to_owned(),
        address: "127.0.0.1:7101".to_owned(),
        tls_spki_sha256: certificate(node),
        seal_keys: bytes(key),
        since_s,
    };
    Paper {
        federation: "wb6.example".to_owned(),
        version: 7,
        issued_at_s: since_s,
        expires_at_s: now().plus_s(86_400).as_s(),
        members: MEMBERS.iter().zip(keys).map(member).collect(),
        authorities: vec![wire::Authority {
            authority: "analysis-unit".to_owned(),
            title: "Analysis unit of a test".to_owned(),
            keys: bytes(authority),
            since_s,
        }],
        centres: vec![PaperCentre {
            name: "coordinator".to_owned(),
            tls_spki_sha256: certificate("coordinator"),
            keys: bytes(centre),
        }],
    }
}

/// What is asked.
pub fn requirement() -> wire::Requirement {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let block = |indicator: &str, areas: &[&str]| wire::Block {
        indicator: indicator.to_owned(),
        region_level: 0,
        crime_areas: texts(areas),
        periods: texts(&["2016", "2017"]),
        categories: Vec::new(),
    };
    let blocks =
        vec![block("DRG.SEIZ.N", &["DRG.COC"]), block("PUB.OFF.N", &["ICCS0101", "ICCS0401"])];
    wire::Requirement {
        requirement: REQUIREMENT.to_owned(),
        authority: "analysis-unit".to_owned(),
        why: "A test".to_owned(),
        purpose: "THREAT-ASSESSMENT".to_owned(),
        legal_basis: "Test, no legal effect".to_owned(),
        audience: "POLICE".to_owned(),
        members: MEMBERS.iter().map(|(node, _)| (*node).to_owned()).collect(),
        minimum_contributors: 3,
        issued_at_s: now().plus_s(-86_400).as_s(),
        opens_at_s: now().plus_s(-86_400).as_s(),
        closes_at_s: now().plus_s(86_400).as_s(),
        question: Some(wire::Question { blocks }),
        requester_role: "ANALYST".to_owned(),
        tier: "B".to_owned(),
        valid_until_s: now().plus_s(2 * 86_400).as_s(),
    }
}

/// One answer: a protected block that is pooled and an open one, with every mark.
fn table(at: usize) -> Result<Table> {
    let lists = Lists::builtin();
    let (node, jurisdiction) = MEMBERS.get(at).context("no such member")?;
    let region = lists.region("region", jurisdiction)?;
    let periods = vec![Period::parse("period", "2016")?, Period::parse("period", "2017")?];
    let first = i64::try_from(at)? + 1;
    let block = |code: &str, mode: Mode, areas: &[&str]| -> Result<TableBlock, Invalid> {
        let indicator = lists.indicator("indicator", code)?;
        let areas = areas.iter().map(|area| lists.crime_area("area", indicator, area));
        let protected = mode == Mode::Protected;
        Ok(TableBlock {
            indicator: indicator.code,
            mode,
            crime_areas: areas.collect::<Result<_, _>>()?,
            regions: vec![region.code],
            periods: periods.clone(),
            categories: vec![Categories::default()],
            standard_error_milli: if protected { vec![2_500, 3_000] } else { Vec::new() },
            contribution: Contribution::Pooled,
            minimum_contributors: 0,
            deviations: Vec::new(),
            cells: if protected {
                vec![Cell::Value(90 + 5 * first), Cell::NotShown]
            } else {
                vec![Cell::Value(70 + first), Cell::NotShown, Cell::NotApplicable, Cell::Missing]
            },
        })
    };
    let editions = periods.iter().zip(1..).map(|(period, number)| {
        let id = format!("01900000-0000-7000-8000-00000000000{number}");
        Ok::<_, Invalid>(EditionRef {
            period: *period,
            edition: EditionId::parse("edition", &id)?,
            number,
        })
    });
    Ok(Table {
        node: Name::parse("node", node)?,
        jurisdiction: region.jurisdiction,
        lists: lists.name().to_owned(),
        editions: editions.collect::<Result<_, _>>()?,
        blocks: vec![
            block("DRG.SEIZ.N", Mode::Protected, &["DRG.COC"])?,
            block("PUB.OFF.N", Mode::Open, &["ICCS0101", "ICCS0401"])?,
        ],
    })
}

fn sealed(asked: &SignedRequirement, at: usize, key: &SecretKey) -> Result<wire::SealedTable> {
    let table = table(at)?;
    let secret = [u8::try_from(at)?; 32];
    let tree = Tree::of(&table, Salting { secret: &secret, tier: Tier::B }, Lists::builtin());
    Ok(tree.to_wire(seal(asked, at, (tree.digest(), table.snapshot()))?.sign(key)))
}

fn seal(
    asked: &SignedRequirement,
    at: usize,
    (table_digest, snapshot): (Digest, Digest),
) -> Result<Seal> {
    let (node, jurisdiction) = MEMBERS.get(at).context("no such member")?;
    let requirement = asked.requirement();
    Ok(Seal {
        node: Name::parse("node", node)?,
        jurisdiction: JurisdictionCode::parse(jurisdiction).context("no such jurisdiction")?,
        requirement: RequirementId::parse("requirement", REQUIREMENT)?,
        requirement_digest: asked.digest(),
        authority: requirement.authority.clone(),
        audience: requirement.audience,
        table_digest,
        snapshot,
        question_digest: asked.question_digest(),
        consent_epoch: 3,
        consent_digest: Digest([0x33; 32]),
        policy_digest: Digest([0x44; 32]),
        policy_commitment: Digest([0x55; 32]),
        issued_at: now(),
        expires_at: now().plus_s(86_400),
        sequence: 5,
        previous: Some(Digest([0x88; 32])),
        supersedes: None,
        single_handed: false,
    })
}
