//! What is signed and what is not, and files that nobody may rely on.

use prost::Message as _;

use super::*;
use crate::{
    clock::SystemEntropy,
    limits::TEXT_BYTES_MAX,
    seal::{Envelope, SecretKey},
};

const NODES: [(&str, &str, &str); 2] =
    [("al-police", "AL", "node.al.example:7101"), ("mk-police", "MK", DIALS_IN)];

fn key() -> SecretKey {
    SecretKey::generate(&SystemEntropy).unwrap()
}

fn public() -> Vec<Vec<u8>> {
    vec![key().public().to_bytes().to_vec()]
}

/// As in a certificate of somebody.
fn spki(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

fn paper() -> Paper {
    let since_s = Timestamp::EARLIEST.as_s();
    let member = |(node, jurisdiction, address): (&str, &str, &str)| PaperMember {
        node: node.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
        address: address.to_owned(),
        tls_spki_sha256: vec![spki(node).0.to_vec()],
        seal_keys: public(),
        since_s,
    };
    Paper {
        federation: "wb6.example".to_owned(),
        version: 1,
        issued_at_s: since_s,
        expires_at_s: since_s + 86_400,
        members: NODES.map(member).into(),
        authorities: Vec::new(),
        centres: vec![PaperCentre {
            name: "coordinator".to_owned(),
            tls_spki_sha256: vec![spki("coordinator").0.to_vec()],
            keys: public(),
        }],
    }
}

/// A root with a file that it has signed.
struct Root(SecretKey, RosterFile);

impl Root {
    fn new() -> Self {
        let root = key();
        let file = Roster::sign(&paper(), Lists::builtin(), &root, &SystemEntropy).unwrap();
        Self(root, file)
    }

    fn read(&self, file: &RosterFile) -> Result<Roster, Invalid> {
        let (bytes, key, now) = (file.encode_to_vec(), self.0.public(), Timestamp::EARLIEST);
        Roster::read(("roster", &bytes), &key, Lists::builtin(), 0, now).map(|(roster, _)| roster)
    }

    fn envelope(&self) -> Envelope {
        self.1.roster.clone().unwrap()
    }

    /// Why nobody reads a file whose contacts are changed. With `signs` the root has signed for just these.
    fn refused(&self, signs: bool, change: impl FnOnce(&mut wire::Contacts)) -> Invalid {
        let mut contacts = wire::Contacts::decode(self.1.contacts.as_slice()).unwrap();
        change(&mut contacts);
        let contacts = contacts.encode_to_vec();
        let mut envelope = self.envelope();
        if signs {
            let mut roster = wire::Roster::decode(envelope.payload.as_slice()).unwrap();
            roster.contacts_sha256 = Digest::of(&contacts).0.to_vec();
            envelope = self.0.sign(Kind::Roster, roster.encode_to_vec());
        }
        self.read(&RosterFile { roster: Some(envelope), contacts }).unwrap_err()
    }
}

#[test]
fn what_a_root_signs_holds_no_address_and_no_certificate() {
    let root = Root::new();
    let shown = root.envelope().encode_to_vec();
    let file = root.1.encode_to_vec();
    let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|at| at == part);
    for (node, _, address) in NODES {
        for secret in [address.as_bytes(), &spki(node).0] {
            assert!(holds(&file, secret), "{node}: those who take part know it");
            assert!(!holds(&shown, secret), "{node}");
        }
        assert!(holds(&shown, node.as_bytes()));
    }
    assert!(holds(&file, &spki("coordinator").0) && !holds(&shown, &spki("coordinator").0));
    // Nor does the digest of contacts that are the same say that they are the same.
    let again = Roster::sign(&paper(), Lists::builtin(), &root.0, &SystemEntropy).unwrap();
    assert_ne!(root.read(&again).unwrap().contacts, root.read(&root.1).unwrap().contacts);
}

#[test]
fn a_roster_without_contacts_reaches_nobody_and_knows_no_certificate() {
    let root = Root::new();
    let read = root.read(&root.1).unwrap();
    let (lists, now) = (Lists::builtin(), Timestamp::EARLIEST);
    let bare = Roster::open(&root.envelope(), &root.0.public(), lists, 0, now).unwrap();
    for (node, _, address) in NODES {
        let name = Name::parse("", node).unwrap();
        let (known, unknown) = (read.member(&name).unwrap(), bare.member(&name).unwrap());
        assert_eq!((&*known.contact.address, known.dials_in()), (address, address == DIALS_IN));
        assert_eq!((&*unknown.contact.address, unknown.dials_in()), ("", false));
        let identity = read.identity_of(known);
        assert!(read.registers(&identity, &spki(node)));
        assert!(!bare.registers(&identity, &spki(node)));
    }
    let centre = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
    let centre = Identity::parse(centre).unwrap();
    assert!(read.registers(&centre, &spki("coordinator")));
    assert!(!bare.registers(&centre, &spki("coordinator")));
}

#[test]
fn contacts_that_the_root_has_not_signed_for_are_refused() {
    let root = Root::new();
    let changes: [fn(&mut wire::Contacts); 5] = [
        |of| of.contacts[0].address = "elsewhere.example:7101".to_owned(),
        |of| of.contacts[2].tls_spki_sha256[0][0] ^= 1,
        |of| of.salt[0] ^= 1,
        |of| of.contacts.truncate(2),
        |of| of.contacts.clear(),
    ];
    for change in changes {
        let error = root.refused(false, change);
        assert_eq!((error.reason, &*error.field), (Reason::RosterInvalid, "roster.contacts"));
        assert!(error.detail.contains("has signed for"), "{error}");
    }
    // Nor a file without the signed part, one of another root, or the bare document of evidence.
    let none = RosterFile { roster: None, ..root.1.clone() };
    assert_eq!(root.read(&none).unwrap_err().reason, Reason::FieldMissing);
    assert_eq!(Root::new().read(&root.1).unwrap_err().reason, Reason::RosterInvalid);
    let (bare, key) = (root.envelope().encode_to_vec(), root.0.public());
    assert!(Roster::read_of_any_time(("roster", &bare), &key, Lists::builtin()).is_err());
}

#[test]
fn everybody_has_one_contact_and_nobody_else_has() {
    let root = Root::new();
    let other = |name: &str| wire::Contact {
        name: name.to_owned(),
        address: DIALS_IN.to_owned(),
        ..Default::default()
    };
    let said = |change: &dyn Fn(&mut wire::Contacts)| root.refused(true, change).to_string();
    for (change, expected) in [
        (&|of| drop(of.contacts.remove(0)), "none of al-police"),
        (&|of| drop(of.contacts.remove(1)), "none of coordinator"),
        (&|of| of.contacts.push(other("xk-police")), "name xk-police, who is not"),
        (&|of| of.contacts.push(other("mk-police")), "ascending order"),
        (&|of| of.contacts.swap(0, 1), "ascending order"),
        (&|of| of.contacts[1].address = DIALS_IN.to_owned(), "nobody calls a centre"),
        (&|of| of.contacts[0].address.clear(), "al-police.address"),
        (&|of| of.contacts[0].address = "x".repeat(TEXT_BYTES_MAX + 1), "is the most"),
        (&|of| of.contacts[0].tls_spki_sha256 = vec![vec![0; 32]; 5], "5 where 4"),
        (&|of| of.contacts[0].tls_spki_sha256 = vec![vec![0; 31]], "contacts[0].tls_spki_sha256"),
        (&|of| of.contacts = vec![other("xk-police"); 205], "205 where 204"),
        (&|of| of.salt.clear(), "a salt of 0 bytes"),
    ] as [(&dyn Fn(&mut wire::Contacts), &str); 12]
    {
        let said = said(change);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // The root does not sign such a one in the first place: a member that is called like a centre has no contact alone.
    let mut paper = paper();
    paper.centres[0].name = "al-police".to_owned();
    assert!(Roster::sign(&paper, Lists::builtin(), &root.0, &SystemEntropy).is_err());
}

#[test]
fn a_member_has_an_address_or_dials_in_and_nothing_between() {
    let signed = |address: &str| {
        let mut paper = paper();
        paper.members[0].address = address.to_owned();
        Roster::sign(&paper, Lists::builtin(), &key(), &SystemEntropy).map(drop)
    };
    assert_eq!(signed("node.example:7101"), Ok(()));
    assert_eq!(signed(DIALS_IN), Ok(()));
    for wrong in ["", "dials", "dials-in:0", ":7101", "node.example", "node.example:0"] {
        assert_eq!(signed(wrong).unwrap_err().field, "al-police.address", "{wrong}");
    }
}
