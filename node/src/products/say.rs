//! A word of this node. Comes in: what a person says of a text. Goes out: the same, signed by the node, on record before anybody can
//! collect it. Must never sign what names a person, nor a word of a text that has not been read here.

use accord_proto::{
    cycle::Report,
    guard,
    id::ProductId,
    identity::Role,
    journal::Act,
    limits::{COMMENTS_MAX, WORDS_MAX},
    product::{Course, Said, Word, harvest::Waiting},
    reason::{Invalid, Reason},
    seal::{Digest, Envelope},
    transport::Peer,
};
use tracing::info;

use super::{entry, own_words, readable};
use crate::answer::Node;

/// Says it of exactly this text; gives its name. The same said again is one.
pub async fn say(
    node: &Node,
    by: &Peer,
    (id, content, nonce): (ProductId, Digest, [u8; 16]),
    said: Said,
) -> Result<Digest, Invalid> {
    let signed = accord_proto::busy::here(|| sign(node, by, (id, content, nonce), said));
    node.store.settled().await?;
    signed
}

fn sign(
    node: &Node,
    by: &Peer,
    (id, content, nonce): (ProductId, Digest, [u8; 16]),
    said: Said,
) -> Result<Digest, Invalid> {
    check_role(by, &said)?;
    check_texts(node, &said)?;
    let dossier = readable(node, id)?;
    let word = Word {
        node: node.name().clone(),
        jurisdiction: node.jurisdiction,
        product: id,
        content,
        at: node.clock.now(),
        nonce,
        said,
    };
    // From here on nobody else says anything: the same twice at the same time is one as well.
    let mut change = node.store.begin_release()?;
    let own = own_words(node, id)?;
    // Under a key that was replaced it would not count any more: then it is signed again.
    let roster = node.roster();
    let member = roster.member(node.name());
    let counts = |(envelope, _): &&Waiting| {
        member.is_some_and(|member| Word::open(envelope, member, node.lists).is_ok())
    };
    let standing: Vec<_> = own.iter().filter(counts).collect();
    if let Some(envelope) = said_before(&standing, &word) {
        return Ok(Digest::of(&envelope.payload));
    }
    let course = dossier.course();
    check_now(node, course, &word)?;
    check_room(&own, &word.said)?;
    let signed = word.sign(&node.seal_key());
    check_share(course, &own, (&word.said, signed.payload.len()))?;
    // What could not be read again would hide all others.
    Word::unchecked(&signed, node.lists)?;
    let digest = Digest::of(&signed.payload);
    change.keep_word(id, &signed, &by.identity)?;
    let mut entry = entry(node, by, Act::Disclosure, &dossier);
    entry.to = "whoever reviews or reads the product".to_owned();
    entry.why = word.said.kind().to_owned();
    entry.digest = digest;
    change.commit(entry)?;
    info!(product = %id, says = word.said.kind(), "signed");
    Ok(digest)
}

/// The same, said before: whoever heard no answer says it again. Of what a later word replaces it is the last one.
fn said_before<'a>(own: &[&'a Waiting], word: &Word) -> Option<&'a Envelope> {
    let mut of_text = own.iter().copied().filter(|(_, held)| held.content == word.content);
    let found = match word.said {
        Said::Endorsement(..) => of_text
            .filter(|(_, held)| matches!(held.said, Said::Endorsement(..)))
            .max_by_key(|(_, held)| (held.at, held.digest()))
            .filter(|(_, held)| held.said == word.said),
        Said::Comment(_)
        | Said::AgreeToSilence
        | Said::Feedback(..)
        | Said::Contribution(..)
        | Said::Report(_) => of_text.find(|(_, held)| held.said == word.said),
    };
    found.map(|(envelope, _)| envelope)
}

/// It is of the text that stands, and its time is now.
fn check_now(node: &Node, course: &Course, word: &Word) -> Result<(), Invalid> {
    let Word { content, said, .. } = word;
    let stands = course.content.digest();
    if stands != *content {
        let detail = format!("{stands} stands, and {content} was read: read it again");
        return Err(Invalid::new(Reason::ProductChanged, "content_sha256", detail));
    }
    if !course.may_be_said(said) {
        let detail = format!("it is {}, and no time for: {}", course.state.as_str(), said.kind());
        return Err(Invalid::new(Reason::ProductState, "product", detail));
    }
    // With a clock that is wrong it would be signed and never count.
    if !said.is_beside() {
        course.check_within(word)?;
    }
    course.check_said(said, node.jurisdiction, node.lists)
}

/// More than the step takes in that is to take it in would keep everybody's words out.
fn check_room(own: &[Waiting], said: &Said) -> Result<(), Invalid> {
    let count = |like: fn(&Said, &Said) -> bool| {
        own.iter().filter(|(_, word)| like(&word.said, said)).count()
    };
    let (held, most) = match said {
        Said::Comment(_) => (count(of_one_round), COMMENTS_MAX),
        Said::Feedback(..) | Said::Contribution(..) | Said::Report(_) => {
            (count(|held, _| held.is_beside()), WORDS_MAX)
        }
        // Of these the last one counts.
        Said::Endorsement(..) | Said::AgreeToSilence => return Ok(()),
    };
    if held < most {
        return Ok(());
    }
    let detail = format!("{held} of this kind are said, and {most} are the most");
    Err(Invalid::new(Reason::LimitExceeded, "words", detail))
}

/// Nor more than this member's share of the product.
fn check_share(
    course: &Course,
    own: &[Waiting],
    (said, bytes): (&Said, usize),
) -> Result<(), Invalid> {
    let left = course.share_left(own);
    if matches!(said, Said::Endorsement(..) | Said::AgreeToSilence) || bytes <= left {
        return Ok(());
    }
    let detail = format!(
        "{bytes} bytes, and {left} of {} are left that each member may say in this product",
        course.share()
    );
    Err(Invalid::new(Reason::LimitExceeded, "words", detail))
}

fn of_one_round(held: &Said, said: &Said) -> bool {
    matches!((held, said), (Said::Comment(held), Said::Comment(said)) if held.round == said.round)
}

/// How the side stands is a releaser's word; remarks and reports an analyst's as well.
fn check_role(by: &Peer, said: &Said) -> Result<(), Invalid> {
    let analysts = match said {
        Said::Comment(_) | Said::Feedback(..) | Said::Report(_) => true,
        Said::Endorsement(..) | Said::AgreeToSilence | Said::Contribution(..) => false,
    };
    if analysts || by.identity.role == Role::Releaser {
        return Ok(());
    }
    let detail = format!("{} may not: {} is a releaser's", by.identity, said.kind());
    Err(Invalid::new(Reason::CertificateRole, "certificate", detail))
}

/// No text names a person.
fn check_texts(node: &Node, said: &Said) -> Result<(), Invalid> {
    match said {
        Said::Comment(comment) => check_each([&comment.text]),
        Said::Endorsement(_, text) => check_each([text]),
        Said::Feedback(used_for, _, gap) => check_each([used_for, gap]),
        Said::Contribution(heading, text) => check_each([heading, text]),
        Said::AgreeToSilence => Ok(()),
        Said::Report(report) => {
            let report = Report::read(report, node.lists)?;
            let Report { progress, obstacles, lessons, next_steps, .. } = &report;
            check_each([progress, obstacles, lessons, next_steps])
        }
    }
}

fn check_each<const N: usize>(texts: [&String; N]) -> Result<(), Invalid> {
    texts.into_iter().try_for_each(|text| check_text(text))
}

fn check_text(text: &str) -> Result<(), Invalid> {
    match guard::in_text(text) {
        None => Ok(()),
        Some(found) => {
            let detail = format!("looks as if it held {}: leave it out", found.name());
            Err(Invalid::new(Reason::PersonalData, "text", detail))
        }
    }
}
