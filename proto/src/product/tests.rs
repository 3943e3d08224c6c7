//! A federation of four nodes with a product, for the tests of all that can become of one.

use std::collections::BTreeMap;

use prost::Message as _;

use super::{
    dossier::{Dossier, Hand, Trust},
    harvest::Waiting,
    place::Place,
    rule::{Outcome, Position},
    state::State,
    step::Deed,
    word::{Comment, Said, Word},
};
use crate::{
    clock::{Entropy, Timestamp},
    id::ProductId,
    identity::Name,
    reason::{Invalid, Reason},
    roster::{Paper, PaperCentre, PaperMember, Roster},
    seal::{Digest, Envelope, PublicKey, SecretKey},
    taxonomy::Lists,
    wire::product,
};

mod chain;
mod endorsement;
mod impersonal;
mod release;
mod review;

const PRODUCT: &str = "01a20b74-b718-7a08-a333-9c5c982785a0";
/// Node and jurisdiction; two of one.
const MEMBERS: [(&str, &str); 4] =
    [("al-police", "AL"), ("ba-border", "BA"), ("ba-police", "BA"), ("rs-police", "RS")];

/// Bytes that are the same every time, and never twice.
#[derive(Debug, Default)]
struct Counted(std::sync::atomic::AtomicU8);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid> {
        let byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        bytes.fill(byte.wrapping_add(1));
        Ok(())
    }
}

/// A federation of four nodes, and a centre that writes a product.
struct Region {
    root: SecretKey,
    centre: SecretKey,
    keys: BTreeMap<&'static str, SecretKey>,
    signed: Envelope,
    roster: Roster,
    entropy: Counted,
}

/// Seconds after the roster was signed.
fn at(seconds: i64) -> Timestamp {
    Timestamp::parse("", "2026-12-01").unwrap().plus_s(seconds)
}

impl Region {
    fn new() -> Self {
        let entropy = Counted::default();
        let [root, centre] = [(); 2].map(|()| SecretKey::generate(&entropy).unwrap());
        let keys: BTreeMap<_, _> =
            MEMBERS.map(|(node, _)| (node, SecretKey::generate(&entropy).unwrap())).into();
        let member = |(node, jurisdiction): (&str, &str)| PaperMember {
            node: node.to_owned(),
            jurisdiction: jurisdiction.to_owned(),
            address: "dials-in".to_owned(),
            tls_spki_sha256: vec![Digest::of(node.as_bytes()).0.to_vec()],
            seal_keys: vec![keys[node].public().to_bytes().to_vec()],
            since_s: at(0).as_s(),
        };
        let roster = Paper {
            federation: "wb6.example".to_owned(),
            version: 1,
            issued_at_s: at(0).as_s(),
            expires_at_s: at(90 * 86_400).as_s(),
            members: MEMBERS.map(member).into(),
            authorities: Vec::new(),
            centres: vec![PaperCentre {
                name: "coordinator".to_owned(),
                tls_spki_sha256: vec![Digest::of(b"centre").0.to_vec()],
                keys: vec![centre.public().to_bytes().to_vec()],
            }],
        };
        let lists = Lists::builtin();
        let signed = Roster::sign(&roster, lists, &root, &entropy).unwrap().roster.unwrap();
        let roster = Roster::open_of_any_time(&signed, &root.public(), lists).unwrap();
        Self { root, centre, keys, signed, roster, entropy }
    }

    fn hand(&self, seconds: i64) -> Hand<'_> {
        let roster = (&self.signed, &self.roster);
        Hand { at: at(seconds), roster, key: &self.centre, lists: Lists::builtin() }
    }

    fn open(&self, file: &[u8]) -> Result<Dossier, Invalid> {
        let root: PublicKey = self.root.public();
        Dossier::open(file, Trust { root: &root, lists: Lists::builtin() })
    }

    fn salt(&self) -> Vec<u8> {
        let mut salt = vec![0; 16];
        self.entropy.fill(&mut salt).unwrap();
        salt
    }

    /// A section of the text of a product.
    fn section(&self, name: &str, extent: product::Extent, text: &str) -> product::Section {
        product::Section {
            salt: self.salt(),
            section: name.to_owned(),
            heading: format!("About {name}"),
            extent: extent.into(),
            text: text.to_owned(),
            ..Default::default()
        }
    }

    /// A text with a public and a restricted section.
    fn draft(&self, text: &str) -> product::Draft {
        self.draft_by(text, product::RuleKind::AllBut, 1, false)
    }

    fn draft_by(
        &self,
        text: &str,
        kind: product::RuleKind,
        number: u32,
        silence: bool,
    ) -> product::Draft {
        let sections = [
            self.section("open", product::Extent::Public, "Told to everybody."),
            self.section("inner", product::Extent::Restricted, text),
        ];
        let rendition =
            |extent: product::Extent, audience: &str, reader: &str| product::Rendition {
                salt: self.salt(),
                extent: extent.into(),
                audience: audience.to_owned(),
                mark: audience.to_owned(),
                readers: vec![reader.to_owned()],
            };
        let content = product::Content {
            product: PRODUCT.to_owned(),
            kind: product::Kind::ThreatAssessment.into(),
            title: "Regional threat assessment".to_owned(),
            language: "en".to_owned(),
            covers: "2026".to_owned(),
            owner: "coordinator".to_owned(),
            members: MEMBERS.map(|(node, _)| node.to_owned()).into(),
            rule: Some(product::Rule { kind: kind.into(), number, silence }),
            ..Default::default()
        };
        let renditions = [
            rendition(product::Extent::Public, "PUBLIC", "donor"),
            rendition(product::Extent::Restricted, "POLICE", "agency"),
        ];
        let text = Some(super::content::bind(content, &renditions, &sections));
        product::Draft { text, why: "as agreed".to_owned() }
    }

    /// The same draft with another head.
    fn rewritten(
        &self,
        mut draft: product::Draft,
        change: impl FnOnce(&mut product::Content),
    ) -> product::Draft {
        let text = draft.text.as_mut().unwrap();
        let mut content = product::Content::decode(text.content.as_slice()).unwrap();
        change(&mut content);
        text.content = content.encode_to_vec();
        draft
    }

    /// What a node confirms of what it holds.
    fn receipt(&self, node: &str, dossier: &Dossier, left_out: Vec<Digest>) -> Envelope {
        let member = self.roster.member(&name(node)).unwrap();
        let receipt = super::Receipt {
            node: member.node.clone(),
            jurisdiction: member.jurisdiction,
            product: dossier.product(),
            steps: u32::try_from(dossier.steps().len()).unwrap(),
            head: dossier.head(),
            left_out,
        };
        receipt.sign(&self.keys[node])
    }

    /// Published, and everybody confirms what has come of the endorsement.
    fn publish(&self, dossier: &Dossier, from: i64) -> Deed {
        let Deed::Publish(publish) = publish(dossier, from) else { panic!() };
        let receipts = MEMBERS.map(|(node, _)| self.receipt(node, dossier, Vec::new())).into();
        Deed::Publish(product::Publish { receipts, ..publish })
    }

    fn begin(&self, draft: product::Draft) -> Dossier {
        let product = ProductId::parse("", PRODUCT).unwrap();
        Dossier::begin(product, draft, self.hand(1)).unwrap()
    }

    /// In a round of comments that is open from second 10 to 20.
    fn circulated(&self) -> Dossier {
        let draft = self.begin(self.draft("First."));
        draft.take(circulate(&draft, 1, 10, 20), self.hand(10)).unwrap()
    }

    /// To be endorsed from second 30 to 40.
    fn opened(&self, draft: product::Draft) -> Dossier {
        let draft = self.begin(draft);
        let dossier = draft.take(circulate(&draft, 1, 10, 20), self.hand(10)).unwrap();
        let closed = dossier.course().harvest_round(&[], &[]);
        let dossier = dossier.take(closed, self.hand(20)).unwrap();
        let dossier = dossier.take(Deed::Finalise(product::Finalise {}), self.hand(25)).unwrap();
        dossier.take(open(&dossier, 40), self.hand(30)).unwrap()
    }

    fn say(&self, node: &str, seconds: i64, dossier: &Dossier, said: Said) -> Waiting {
        let mut nonce = [0; 16];
        self.entropy.fill(&mut nonce).unwrap();
        let member = self.roster.member(&name(node)).unwrap();
        let word = Word {
            node: member.node.clone(),
            jurisdiction: member.jurisdiction,
            product: dossier.product(),
            content: dossier.course().content.digest(),
            at: at(seconds),
            nonce,
            said,
        };
        (word.sign(&self.keys[node]), word)
    }

    fn position(&self, node: &str, seconds: i64, dossier: &Dossier, position: Position) -> Waiting {
        let text =
            if position.needs_words() { format!("{node} has a reason") } else { String::new() };
        self.say(node, seconds, dossier, Said::Endorsement(position, text))
    }

    /// Everybody says the same.
    fn all(&self, dossier: &Dossier, position: Position) -> Vec<Waiting> {
        MEMBERS.map(|(node, _)| self.position(node, 31, dossier, position)).into()
    }

    fn closed(
        &self,
        dossier: &Dossier,
        words: &[Waiting],
        seconds: i64,
    ) -> Result<Dossier, Invalid> {
        let deed = dossier.course().harvest_endorsement(words, &self.roster);
        dossier.take(deed, self.hand(seconds))
    }

    /// Endorsed with a reservation and a dissent, and published.
    fn published(&self) -> Dossier {
        let dossier = self.opened(self.draft("First."));
        let words = [
            self.position("al-police", 31, &dossier, Position::EndorseWithReservation),
            self.position("ba-border", 31, &dossier, Position::Endorse),
            self.position("ba-police", 31, &dossier, Position::Endorse),
            self.position("rs-police", 31, &dossier, Position::Dissent),
        ];
        let dossier = self.closed(&dossier, &words, 35).unwrap();
        dossier.take(self.publish(&dossier, 50), self.hand(50)).unwrap()
    }
}

fn name(text: &str) -> Name {
    Name::parse("", text).unwrap()
}

fn circulate(dossier: &Dossier, round: u32, from: i64, closes: i64) -> Deed {
    Deed::Circulate(product::Circulate {
        round,
        readable_from_s: at(from).as_s(),
        closes_at_s: at(closes).as_s(),
        content_sha256: dossier.course().content.digest().0.to_vec(),
        guests: vec!["agency".to_owned()],
    })
}

fn open(dossier: &Dossier, closes: i64) -> Deed {
    let content_sha256 = dossier.course().content.digest().0.to_vec();
    Deed::Open(product::Open { closes_at_s: at(closes).as_s(), content_sha256 })
}

fn publish(dossier: &Dossier, from: i64) -> Deed {
    let content_sha256 = dossier.course().content.digest().0.to_vec();
    let readable_from_s = at(from).as_s();
    Deed::Publish(product::Publish { content_sha256, readable_from_s, receipts: Vec::new() })
}

fn comment(round: u32, text: &str, attributed: bool) -> Said {
    Said::Comment(Comment {
        round,
        section: Some("inner".to_owned()),
        place: Place::parse("", "paragraph 1").ok(),
        language: "sq".to_owned(),
        text: text.to_owned(),
        attributed,
    })
}

fn reason<T>(result: Result<T, Invalid>) -> Reason {
    match result {
        Ok(_) => panic!("was taken"),
        Err(error) => error.reason,
    }
}
