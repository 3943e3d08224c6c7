//! Products as others hand them over: the whole chain, what is released of it, a word, a receipt. Whatever is changed on the way is
//! refused, or says the very same; and whatever its owner signs next is refused, or has one spelling.

use std::rc::Rc;

use accord_proto::{
    id::ProductId,
    product::{
        Comment, Dossier, Extent, Position, Receipt, Said, Trust, Word,
        dossier::Hand,
        release::{self, Release},
        step::Deed,
    },
    seal::{Envelope, Kind, PublicKey},
    taxonomy::Lists,
    wire::product,
};
use anyhow::{Context as _, Result};
use prost::Message as _;

use super::{accepted, refused, target};
use crate::fuzz::{
    Form, Target, Verdict,
    scene::{REQUIREMENT, Scene, now},
};

/// The chain, what is released of it, and what may come next.
pub(super) fn targets(scene: &Rc<Scene>) -> Result<Vec<Target>> {
    let dossier = published(scene)?;
    let (file, released) = (dossier.write(), release::write(&dossier, Extent::Restricted)?);
    let same = Release::open(&released, trust(&scene.root.public()))?;
    let here = Rc::clone(scene);
    let whole = dossier.clone();
    let chain = target("dossier", Form::Wire, vec![file], move |bytes| {
        match Dossier::open(bytes, trust(&here.root.public())) {
            // One that ends earlier is a beginning of it.
            Ok(read) => accepted(whole.check_continues(&read).is_ok(), "a step was changed"),
            Err(error) => refused(error),
        }
    });
    let here = Rc::clone(scene);
    let released =
        target("release", Form::Wire, vec![released], move |bytes| {
            match Release::open(bytes, trust(&here.root.public())) {
                Ok(read) => {
                    let text = read.content == same.content && read.endorsed == same.endorsed;
                    let mut shown = read.sections.iter().zip(&same.sections);
                    let shown = shown.all(|(read, same)| read.is_none() || read == same);
                    accepted(text && shown, "text or positions were changed")
                }
                Err(error) => refused(error),
            }
        });
    let mut targets = vec![chain.slow(), released.slow()];
    for (name, before) in [("step-signed", 1), ("step-signed-later", dossier.steps().len() - 1)] {
        targets.push(next_step(name, scene, &dossier, before)?);
    }
    targets.extend([word(scene, &dossier)?, receipt(scene, &dossier)?]);
    Ok(targets)
}

fn trust(root: &PublicKey) -> Trust<'_> {
    Trust { root, lists: Lists::builtin() }
}

/// The owner signs whatever it likes after so many steps.
fn next_step(
    name: &'static str,
    scene: &Rc<Scene>,
    dossier: &Dossier,
    before: usize,
) -> Result<Target> {
    let honest = dossier.steps().get(before).context("no such step")?.envelope.payload.clone();
    let begun = product::Dossier::decode(dossier.write_first(before).as_slice())?;
    let here = Rc::clone(scene);
    let judge = move |payload: &[u8]| -> Verdict {
        let mut next = begun.clone();
        next.steps.push(here.centre.sign(Kind::ProductStep, payload.to_vec()));
        let file = next.encode_to_vec();
        match Dossier::open(&file, trust(&here.root.public())) {
            Ok(read) => accepted(read.write() == file, "a step has two spellings"),
            Err(error) => refused(error),
        }
    };
    Ok(target(name, Form::Wire, vec![honest], judge).slow())
}

/// A member signs whatever it likes of a product.
fn word(scene: &Rc<Scene>, dossier: &Dossier) -> Result<Target> {
    let specimens = [
        Said::Endorsement(Position::Dissent, "Not so.".to_owned()),
        Said::Comment(Comment {
            round: 1,
            section: Some("inner".to_owned()),
            place: Some(accord_proto::product::Place::Paragraph(1)),
            language: "sr-Cyrl".to_owned(),
            text: "Hm.".to_owned(),
            attributed: true,
        }),
        Said::Feedback("planning".to_owned(), 4, "nothing".to_owned()),
        Said::Contribution("More".to_owned(), "- it\n- goes on".to_owned()),
    ];
    let signed = |said| Ok::<_, anyhow::Error>(say(scene, 0, dossier, said)?.0.payload);
    let specimens = specimens.into_iter().map(signed).collect::<Result<_>>()?;
    let here = Rc::clone(scene);
    let judge = move |payload: &[u8]| -> Verdict {
        let Ok((member, key)) = here.member(0) else { return Err("no member".to_owned()) };
        let envelope = key.sign(Kind::ProductWord, payload.to_vec());
        match Word::open(&envelope, member, Lists::builtin()) {
            Ok(word) => accepted(word.sign(key).payload == payload, "a word has two spellings"),
            Err(error) => refused(error),
        }
    };
    Ok(target("word-signed", Form::Wire, specimens, judge).slow())
}

/// The same of a receipt.
fn receipt(scene: &Rc<Scene>, dossier: &Dossier) -> Result<Target> {
    let (member, key) = scene.member(0)?;
    let receipt = Receipt {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        product: dossier.product(),
        steps: 3,
        head: dossier.head(),
        left_out: Vec::new(),
    };
    let honest = receipt.sign(key).payload;
    let here = Rc::clone(scene);
    let judge = move |payload: &[u8]| -> Verdict {
        let Ok((member, key)) = here.member(0) else { return Err("no member".to_owned()) };
        let envelope = key.sign(Kind::ProductReceipt, payload.to_vec());
        match Receipt::open(&envelope, member, Lists::builtin()) {
            Ok(read) => accepted(read.sign(key).payload == payload, "a receipt has two spellings"),
            Err(error) => refused(error),
        }
    };
    Ok(target("product-receipt-signed", Form::Wire, vec![honest], judge).slow())
}

fn hand(scene: &Scene, seconds: i64) -> Hand<'_> {
    let roster = (&scene.roster_envelope, &scene.roster);
    Hand { at: now().plus_s(seconds), roster, key: &scene.centre, lists: Lists::builtin() }
}

fn say(scene: &Scene, at: usize, dossier: &Dossier, said: Said) -> Result<(Envelope, Word)> {
    let (member, key) = scene.member(at)?;
    let word = Word {
        node: member.node.clone(),
        jurisdiction: member.jurisdiction,
        product: dossier.product(),
        content: dossier.course().content.digest(),
        at: now().plus_s(4),
        nonce: [u8::try_from(at)?; 16],
        said,
    };
    Ok((word.sign(key), word))
}

/// A bulletin that one member dissents from.
fn published(scene: &Scene) -> Result<Dossier> {
    let id = ProductId::parse("product", REQUIREMENT)?;
    let dossier = Dossier::begin(id, draft(scene), hand(scene, 1))?;
    let take = |dossier: &Dossier, seconds, deed| dossier.take(deed, hand(scene, seconds));
    let dossier = take(&dossier, 2, Deed::Finalise(product::Finalise {}))?;
    let content_sha256 = dossier.course().content.digest().0.to_vec();
    let closes_at_s = now().plus_s(9).as_s();
    let open = product::Open { closes_at_s, content_sha256: content_sha256.clone() };
    let dossier = take(&dossier, 3, Deed::Open(open))?;
    let mut words = Vec::new();
    for at in 0..scene.roster.members.len() {
        let said = match at {
            0 => Said::Endorsement(Position::Dissent, "Not so.".to_owned()),
            _ => Said::Endorsement(Position::Endorse, String::new()),
        };
        words.push(say(scene, at, &dossier, said)?);
    }
    let close = dossier.course().harvest_endorsement(&words, &scene.roster);
    let dossier = take(&dossier, 5, close)?;
    let readable_from_s = now().plus_s(6).as_s();
    let publish = product::Publish { content_sha256, readable_from_s, receipts: Vec::new() };
    let dossier = take(&dossier, 6, Deed::Publish(publish))?;
    let correct = product::Correct { section: "inner".to_owned(), text: "Read: so.".to_owned() };
    Ok(take(&dossier, 7, Deed::Correct(correct))?)
}

fn draft(scene: &Scene) -> product::Draft {
    let section = |name: &str, extent: product::Extent| product::Section {
        salt: vec![7; 16],
        section: name.to_owned(),
        heading: name.to_owned(),
        extent: extent.into(),
        text: "# So\n\n- one\n- *two*".to_owned(),
        ..Default::default()
    };
    let sections =
        [section("open", product::Extent::Public), section("inner", product::Extent::Restricted)];
    let kind = product::RuleKind::AllBut.into();
    let content = product::Content {
        product: REQUIREMENT.to_owned(),
        kind: product::Kind::Bulletin.into(),
        title: "Bulletin".to_owned(),
        language: "en".to_owned(),
        covers: "2026".to_owned(),
        owner: "coordinator".to_owned(),
        members: scene.roster.members.iter().map(|member| member.node.to_string()).collect(),
        rule: Some(product::Rule { kind, number: 1, silence: false }),
        ..Default::default()
    };
    let rendition = product::Rendition {
        salt: vec![7; 16],
        extent: product::Extent::Restricted.into(),
        audience: "POLICE".to_owned(),
        mark: "POLICE".to_owned(),
        readers: Vec::new(),
    };
    let why = "as agreed".to_owned();
    product::Draft {
        text: Some(accord_proto::product::content::bind(content, &[rendition], &sections)),
        why,
    }
}
