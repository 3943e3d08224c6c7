//! Signed documents, byte by byte, with keys that are known to all: what others have written a reader for, and what archives hold.
//! Each is written down, and what was written down is opened.

use std::{fs, path::PathBuf};

use accord_proto::{
    answer::Decline,
    delivery::PictureReceipt,
    question::{Requirement, SignedRequirement},
    roster::{Paper, Roster},
    seal::{self, Digest, Kind, SecretKey},
    standing::{Notice, Standing},
    strict,
    taxonomy::Lists,
    wire::{self, region},
};
use accord_tests::fuzz::scene::{self, Seeded, now};
use prost::Message as _;

use super::{KEY, golden, hex};

/// The key that signs every document here; those beside it in the roster come from a seed.
fn key() -> SecretKey {
    SecretKey::from_pem("key", KEY).unwrap()
}

fn others<const N: usize>() -> [SecretKey; N] {
    let entropy = Seeded::new(8_410);
    std::array::from_fn(|_| SecretKey::generate(&entropy).unwrap())
}

/// Compares with the file, and gives back the envelope that stands in it.
fn written_down(name: &str, what: &str, envelope: &wire::Envelope) -> wire::Envelope {
    let wire::Envelope { payload, payload_type, signatures } = envelope;
    let [signature] = signatures.as_slice() else { panic!("{} signatures", signatures.len()) };
    let text = format!(
        "# {what}: Ed25519 over the DSSE pre-authentication encoding, with the key of RFC 8410, 10.3.\n\
         public    {}\ntype      {payload_type}\npayload   {}\nkey id    {}\nsignature {}\n",
        hex(&key().public().to_bytes()),
        hex(payload),
        signature.key_id,
        hex(&signature.signature),
    );
    golden(name, &text);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    let text = fs::read_to_string(path).unwrap();
    let said = |begin: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(begin)).unwrap();
        line.trim().to_owned()
    };
    let signature =
        wire::Signature { key_id: said("key id"), signature: unhex(&said("signature")) };
    wire::Envelope {
        payload: unhex(&said("payload")),
        payload_type: said("type"),
        signatures: vec![signature],
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let at = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    (0..text.len() / 2).map(at).collect()
}

/// A roster in which the key is the authority's, or that of the first member.
fn roster(authority: bool) -> Roster {
    let [root, other, centre, a, b, c, d] = others();
    let (signs, first) = if authority { (key(), a) } else { (other, key()) };
    let paper = scene::roster([&signs, &centre], &[first, b, c, d]);
    Roster::open(&rostered(&paper, &root), &root.public(), Lists::builtin(), 0, now()).unwrap()
}

/// What a root signs of it.
fn rostered(paper: &Paper, root: &SecretKey) -> wire::Envelope {
    let signed = Roster::sign(paper, Lists::builtin(), root, &Seeded::new(7)).unwrap();
    signed.roster.unwrap()
}

fn asked() -> SignedRequirement {
    let lists = Lists::builtin();
    let signed = Requirement::sign(&scene::requirement(), lists, &key()).unwrap();
    SignedRequirement::open(signed, &roster(true), lists).unwrap()
}

#[test]
fn a_requirement_has_the_bytes_that_are_written_down() {
    let signed = Requirement::sign(&scene::requirement(), Lists::builtin(), &key()).unwrap();
    let read = written_down("requirement.txt", "Requirement", &signed);
    let opened = SignedRequirement::open(read, &roster(true), Lists::builtin()).unwrap();
    assert_eq!(opened.requirement().id.to_string(), scene::REQUIREMENT);
}

#[test]
fn a_roster_has_the_bytes_that_are_written_down() {
    let [authority, centre, a, b, c, d] = others();
    let paper = scene::roster([&authority, &centre], &[a, b, c, d]);
    let read = written_down("roster.txt", "Roster", &rostered(&paper, &key()));
    let opened = Roster::open(&read, &key().public(), Lists::builtin(), 7, now()).unwrap();
    assert_eq!((opened.members.len(), opened.version), (4, 7));
}

#[test]
fn a_decline_has_the_bytes_that_are_written_down() {
    let (roster, asked) = (roster(false), asked());
    let member = &roster.members[0];
    let decline = Decline {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        requirement: asked.requirement().id,
        requirement_digest: asked.digest(),
    };
    let read = written_down("decline.txt", "Decline", &decline.sign(&key()));
    assert_eq!(Decline::open(&read, member, &asked, Lists::builtin()).unwrap(), decline);
}

#[test]
fn a_notice_has_the_bytes_that_are_written_down() {
    let (roster, asked) = (roster(false), asked());
    let member = &roster.members[0];
    let notice = Notice {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        requirement: asked.requirement().id,
        requirement_digest: asked.digest(),
        table_digest: Digest([0x22; 32]),
        standing: Standing::Narrowed,
        consent_epoch: 4,
        at: now(),
    };
    let read = written_down("notice.txt", "Notice", &notice.sign(&key()));
    assert_eq!(Notice::open(&read, &member.seal_keys, Lists::builtin()).unwrap(), notice);
}

#[test]
fn a_receipt_of_a_picture_has_the_bytes_that_are_written_down() {
    let roster = roster(false);
    let member = &roster.members[0];
    let receipt = PictureReceipt {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        requirement: asked().requirement().id,
        version: 3,
        picture: Digest([0x22; 32]),
        evidence: Digest([0x33; 32]),
    };
    let read = written_down("receipt.txt", "Receipt of a picture", &receipt.sign(&key()));
    assert_eq!(PictureReceipt::open(&read, member, Lists::builtin()).unwrap(), receipt);
}

#[test]
fn a_picture_has_the_bytes_that_are_written_down() {
    let picture = picture();
    let signed = key().sign(Kind::Picture, picture.encode_to_vec());
    let read = written_down("picture.txt", "Picture, of lists that are not today's", &signed);
    let payload = seal::open(&read, Kind::Picture, &[key().public()], "picture").unwrap();
    assert_eq!(strict::decode_signed::<region::Picture>("picture", payload).unwrap(), picture);
}

/// Two members, one of which is silent; a figure with its error and an open one with a share.
fn picture() -> region::Picture {
    let member = |node: &str, jurisdiction: &str, state: region::State| region::MemberState {
        node: node.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
        state: state.into(),
        ..Default::default()
    };
    let answered = region::MemberState {
        table_sha256: vec![0x22; 32],
        seal: Some(key().sign(Kind::Seal, vec![0x08, 0x01])),
        single_handed: true,
        ..member("al-police", "AL", region::State::Answered)
    };
    let silent = region::MemberState {
        reason: "NO_CONNECTION".to_owned(),
        ..member("ba-police", "BA", region::State::Unreachable)
    };
    let cell = |indicator: &str, area: &str, status: region::PictureStatus| region::PictureCell {
        indicator: indicator.to_owned(),
        crime_area: area.to_owned(),
        region: "REGION".to_owned(),
        period: "2016".to_owned(),
        status: status.into(),
        unit: "N".to_owned(),
        categories: "_T".to_owned(),
        ..Default::default()
    };
    let pooled = region::PictureCell {
        value: 240,
        standard_error_milli: 3_000,
        method: region::Method::Sum.into(),
        lower: Some(234),
        upper: Some(246),
        whole_lower: Some(0),
        whole_upper: Some(999),
        contributors: vec!["AL".to_owned(), "RS".to_owned()],
        silent: vec!["BA".to_owned()],
        basis: vec![region::Basis {
            precision: region::Precision::Protected.into(),
            jurisdictions: vec!["AL".to_owned(), "RS".to_owned()],
        }],
        ..cell("DRG.SEIZ.N", "DRG.COC", region::PictureStatus::Partial)
    };
    let open = region::PictureCell {
        shares: vec![region::Share {
            node: "al-police".to_owned(),
            jurisdiction: "AL".to_owned(),
            region: "AL".to_owned(),
            status: region::ShareStatus::Value.into(),
            value: 71,
            precision: region::Precision::Open.into(),
            ..Default::default()
        }],
        missing: vec!["AL".to_owned()],
        ..cell("PUB.OFF.N", "ICCS0101", region::PictureStatus::Missing)
    };
    region::Picture {
        federation: "wb6.example".to_owned(),
        requirement: scene::REQUIREMENT.to_owned(),
        requirement_sha256: vec![0x11; 32],
        lists: "lists of the vector".to_owned(),
        coverage: Some(region::Coverage { answered: 1, members: 2 }),
        members: vec![answered, silent],
        cells: vec![pooled, open],
        contributors_min: 3,
        ..Default::default()
    }
}
