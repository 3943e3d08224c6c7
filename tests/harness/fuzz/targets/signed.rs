//! Everything that is signed. As it came: whatever is changed in an envelope, it is refused, or says the very same. Signed by its
//! rightful owner, whatever it says: it is refused, or it has one spelling, and nothing panics. The second half matters more: a
//! mutation of an envelope seldom gets past its signature.

use std::rc::Rc;

use accord_proto::{
    answer::{Decline, Seal, SealedTable},
    delivery::PictureReceipt,
    evidence,
    identity::Name,
    question::{Cancellation, SignedRequirement},
    reason::Invalid,
    roster::{Roster, RosterFile},
    seal::{Digest, Kind, SecretKey},
    standing::{Departure, Given, Holding, Holdings, Notice},
    strict,
    taxonomy::Lists,
    wire::{Contacts, Envelope, Roster as WireRoster, SealedTable as WireTable},
};
use anyhow::{Context as _, Result};
use prost::Message as _;

use super::{accepted, refused, target};
use crate::fuzz::{
    Form, Target, Verdict,
    scene::{Scene, now},
};

/// Opens a document. Goes out: the payload that it would be written as again.
type Open = Box<dyn Fn(&Scene, Envelope) -> Result<Vec<u8>, Invalid>>;

/// One kind of signed document.
struct Document {
    /// Names of its two targets.
    names: [&'static str; 2],
    kind: Kind,
    honest: Envelope,
    /// Whose signature it takes.
    key: fn(&Scene) -> Option<&SecretKey>,
    open: Open,
}

pub(super) fn targets(scene: &Rc<Scene>) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    let documents = parties(scene)?.into_iter().chain(answers(scene)?).chain(standing(scene)?);
    for document in documents {
        let Document { names: [came, resigned], kind, honest, key, open } = document;
        let open = Rc::new(open);
        let (here, read) = (Rc::clone(scene), Rc::clone(&open));
        let payload = honest.payload.clone();
        targets.push(as_it_came(came, &honest, move |envelope: Envelope| {
            let same = envelope.payload == payload;
            read(&here, envelope).map(|_| same)
        }));
        let here = Rc::clone(scene);
        let signed = target(resigned, Form::Wire, vec![honest.payload], move |payload| {
            let Some(key) = key(&here) else { return Err("there is no key".to_owned()) };
            match open(&here, key.sign(kind, payload.to_vec())) {
                Ok(again) => accepted(again == payload, "it has two spellings"),
                Err(error) => refused(error),
            }
        });
        targets.push(signed.slow());
    }
    targets.extend(roster_file(scene)?);
    targets.extend(tables(scene)?);
    Ok(targets)
}

/// A roster's file as it came; and whatever contacts the root signs for.
fn roster_file(scene: &Rc<Scene>) -> Result<[Target; 2]> {
    let read = |scene: &Scene, file: &[u8]| {
        Roster::read(("roster", file), &scene.root.public(), Lists::builtin(), 7, now())
    };
    let here = Rc::clone(scene);
    let came =
        target("roster-file", Form::Wire, vec![scene.roster_file.clone()], move |file| match read(
            &here, file,
        ) {
            Ok((_, signed)) => accepted(
                signed.payload == here.roster_envelope.payload,
                "it was changed, and is accepted",
            ),
            Err(error) => refused(error),
        });
    let here = Rc::clone(scene);
    let honest = RosterFile::decode(scene.roster_file.as_slice())?.contacts;
    let paper = WireRoster::decode(scene.roster_envelope.payload.as_slice())?;
    let signed = target("contacts-signed", Form::Wire, vec![honest], move |contacts| {
        let contacts_sha256 = Digest::of(contacts).0.to_vec();
        let roster = WireRoster { contacts_sha256, ..paper.clone() };
        let roster = Some(here.root.sign(Kind::Roster, roster.encode_to_vec()));
        let file = RosterFile { roster, contacts: contacts.to_vec() }.encode_to_vec();
        let again = Contacts::decode(contacts).map(|contacts| contacts.encode_to_vec());
        match read(&here, &file) {
            Ok(_) => accepted(again.is_ok_and(|again| again == contacts), "it has two spellings"),
            Err(error) => refused(error),
        }
    });
    Ok([came.slow(), signed.slow()])
}

/// Changes of the whole envelope.
fn as_it_came(
    name: &'static str,
    honest: &Envelope,
    open: impl Fn(Envelope) -> Result<bool, Invalid> + 'static,
) -> Target {
    let judge = move |bytes: &[u8]| -> Verdict {
        match strict::decode::<Envelope>("envelope", bytes).and_then(&open) {
            Ok(same) => accepted(same, "it was changed, and is accepted"),
            Err(error) => refused(error),
        }
    };
    target(name, Form::Wire, vec![honest.encode_to_vec()], judge).slow()
}

/// Roster, requirement and what takes it back.
fn parties(scene: &Scene) -> Result<Vec<Document>> {
    let asked = scene.asked.requirement();
    let of = (asked.id, scene.asked.digest());
    let why = "A test is over";
    let cancelled = Cancellation::sign(of, &asked.authority, why, now(), &scene.authority)?;
    Ok(vec![
        Document {
            names: ["roster", "roster-signed"],
            kind: Kind::Roster,
            honest: scene.roster_envelope.clone(),
            key: |scene| Some(&scene.root),
            open: Box::new(|scene, envelope| {
                Roster::open(&envelope, &scene.root.public(), Lists::builtin(), 7, now())?;
                Ok(envelope.payload)
            }),
        },
        Document {
            names: ["requirement", "requirement-signed"],
            kind: Kind::Requirement,
            honest: scene.asked.envelope().clone(),
            key: |scene| Some(&scene.authority),
            open: Box::new(|scene, envelope| {
                let asked = SignedRequirement::open(envelope, &scene.roster, Lists::builtin())?;
                asked.check_open(now())?;
                asked.question_digest();
                Ok(asked.envelope().payload.clone())
            }),
        },
        Document {
            names: ["cancellation", "cancellation-signed"],
            kind: Kind::Cancellation,
            honest: cancelled,
            key: |scene| Some(&scene.authority),
            open: Box::new(|scene, envelope| {
                let read = Cancellation::open(envelope, &scene.asked, &scene.roster)?;
                let asked = scene.asked.requirement();
                let of = (asked.id, scene.asked.digest());
                let (by, key) = (&asked.authority, &scene.authority);
                Ok(Cancellation::sign(of, by, read.why(), read.at(), key)?.payload)
            }),
        },
    ])
}

/// What a member signs of a requirement.
fn answers(scene: &Scene) -> Result<Vec<Document>> {
    let seal = scene.answers.first().and_then(|(_, sealed)| sealed.seal.clone());
    let (member, key) = scene.member(0)?;
    let receipt = PictureReceipt {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        requirement: scene.asked.requirement().id,
        version: 3,
        picture: Digest::of(&scene.picture.payload),
        evidence: Digest([9; 32]),
    };
    Ok(vec![
        Document {
            names: ["seal", "seal-signed"],
            kind: Kind::Seal,
            honest: seal.context("no seal")?,
            key: |scene| scene.keys.first(),
            open: Box::new(|scene, envelope| {
                let (member, key) = first(scene)?;
                let seal = Seal::open(&envelope, &member.seal_keys, Lists::builtin())?;
                Ok(seal.sign(key).payload)
            }),
        },
        Document {
            names: ["decline", "decline-signed"],
            kind: Kind::Decline,
            honest: scene.decline.clone(),
            key: |scene| scene.keys.get(2),
            open: Box::new(|scene, envelope| {
                let (member, key) = scene.member(2).map_err(absent)?;
                let decline = Decline::open(&envelope, member, &scene.asked, Lists::builtin())?;
                Ok(decline.sign(key).payload)
            }),
        },
        Document {
            names: ["receipt", "receipt-signed"],
            kind: Kind::PictureReceipt,
            honest: receipt.sign(key),
            key: |scene| scene.keys.first(),
            open: Box::new(|scene, envelope| {
                let (member, key) = first(scene)?;
                let receipt = PictureReceipt::open(&envelope, member, Lists::builtin())?;
                Ok(receipt.sign(key).payload)
            }),
        },
    ])
}

/// What is said of answers later.
fn standing(scene: &Scene) -> Result<Vec<Document>> {
    let ((member, key), asked) = (scene.member(0)?, scene.asked.requirement());
    let held = Holding {
        requirement: asked.id,
        table_digest: Digest([1; 32]),
        pictures: vec![(1, Digest([2; 32])), (2, Digest([3; 32]))],
    };
    let centre = Name::parse("centre", "coordinator")?;
    let holdings = Holdings { centre, node: member.node.clone(), at: now(), holdings: vec![held] };
    let holdings = holdings.sign(&scene.centre);
    let given = Given {
        requirement: asked.id,
        authority: asked.authority.clone(),
        audience: asked.audience,
        table_digest: Digest([1; 32]),
        sealed_at: now(),
    };
    let departure = Departure {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        at: now(),
        given: vec![given],
        holdings: vec![holdings.clone()],
    };
    Ok(vec![
        Document {
            names: ["notice", "notice-signed"],
            kind: Kind::Notice,
            honest: scene.notice.clone(),
            key: |scene| scene.keys.first(),
            open: Box::new(|scene, envelope| {
                let (member, key) = first(scene)?;
                Ok(Notice::open(&envelope, &member.seal_keys, Lists::builtin())?.sign(key).payload)
            }),
        },
        Document {
            names: ["holdings", "holdings-signed"],
            kind: Kind::Holdings,
            honest: holdings,
            key: |scene| Some(&scene.centre),
            open: Box::new(|scene, envelope| {
                let keys = [scene.centre.public()];
                Ok(Holdings::open(&envelope, &keys)?.sign(&scene.centre).payload)
            }),
        },
        Document {
            names: ["departure", "departure-signed"],
            kind: Kind::Departure,
            honest: departure.sign(key),
            key: |scene| scene.keys.first(),
            open: Box::new(|scene, envelope| {
                let (member, key) = first(scene)?;
                let read = Departure::open(&envelope, &member.seal_keys, Lists::builtin())?;
                Ok(read.sign(key).payload)
            }),
        },
    ])
}

/// A sealed table, alone and as the file that a releaser hands out.
fn tables(scene: &Rc<Scene>) -> Result<Vec<Target>> {
    let honest = scene.answers.first().map(|(_, sealed)| sealed.clone()).context("no answer")?;
    let open = |scene: &Rc<Scene>, honest: &WireTable| {
        let (scene, honest) = (Rc::clone(scene), honest.clone());
        move |sealed: WireTable| {
            let (member, _) = first(&scene)?;
            let said = (sealed.table.clone(), sealed.cells.clone());
            SealedTable::open(sealed, &member.seal_keys, Lists::builtin())?;
            Ok::<_, Invalid>(said == (honest.table.clone(), honest.cells.clone()))
        }
    };
    let judged = |same: Result<bool, Invalid>| match same {
        Ok(same) => accepted(same, "a table was changed, and is accepted"),
        Err(error) => refused(error),
    };
    let (table, file) = (open(scene, &honest), open(scene, &honest));
    let sealed = target("sealed-table", Form::Wire, vec![honest.encode_to_vec()], move |bytes| {
        judged(strict::decode::<WireTable>("sealed", bytes).and_then(&table))
    });
    let handed_out = vec![evidence::write_answer(honest)];
    let handed_out = target("answer-file", Form::Wire, handed_out, move |bytes| {
        judged(evidence::read_answer(bytes).and_then(&file))
    });
    Ok(vec![sealed.slow(), handed_out.slow()])
}

fn first(scene: &Scene) -> Result<(&accord_proto::roster::Member, &SecretKey), Invalid> {
    scene.member(0).map_err(absent)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn absent(error: anyhow::Error) -> Invalid {
    Invalid::new(accord_proto::reason::Reason::Internal, "scene", error.to_string())
}
