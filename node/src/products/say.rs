//! A word of this node. Comes in: what a person says of a text. Goes out: the same, signed by the node, on record before anybody can
//! collect it. Must never sign what names a person, nor a word of a text that has not been read here.

use accord_proto::{
    id::ProductId,
    identity::Role,
    journal::Act,
    product::{Said, Word},
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
};
use tracing::info;

use super::{entry, own_words, readable};
use crate::{answer::Node, ingest::guard};

/// Says it of exactly this text; gives its name. The same with the same nonce is one.
pub async fn say(
    node: &Node,
    by: &Peer,
    (id, content, nonce): (ProductId, Digest, [u8; 16]),
    said: Said,
) -> Result<Digest, Invalid> {
    let digest = sign(node, by, (id, content, nonce), said)?;
    node.store.settled().await?;
    Ok(digest)
}

fn sign(
    node: &Node,
    by: &Peer,
    (id, content, nonce): (ProductId, Digest, [u8; 16]),
    said: Said,
) -> Result<Digest, Invalid> {
    check_role(by, &said)?;
    check_texts(&said)?;
    let dossier = readable(node, id)?;
    let course = dossier.course();
    for (envelope, word) in own_words(node, id)? {
        if word.nonce == nonce && word.content == content && word.said == said {
            return Ok(Digest::of(&envelope.payload));
        }
    }
    if course.content.digest() != content {
        let detail =
            format!("{} stands, and {content} was read: read it again", course.content.digest());
        return Err(Invalid::new(Reason::ProductChanged, "content_sha256", detail));
    }
    if !course.may_be_said(&said) {
        let detail = format!("it is {}, and no time for: {}", course.state.as_str(), said.kind());
        return Err(Invalid::new(Reason::ProductState, "product", detail));
    }
    course.check_said(&said, node.jurisdiction, node.lists)?;
    let word = Word {
        node: node.name().clone(),
        jurisdiction: node.jurisdiction,
        product: id,
        content,
        at: node.clock.now(),
        nonce,
        said,
    };
    let late = course.window.is_some_and(|(_, closes)| word.at > closes);
    if late && !matches!(word.said, Said::Feedback(..) | Said::Contribution(..) | Said::Report(_)) {
        return Err(Invalid::new(Reason::ProductState, "product", "its time is over"));
    }
    let signed = word.sign(&node.seal_key());
    let digest = Digest::of(&signed.payload);
    let mut change = node.store.begin_release()?;
    change.keep_word(id, &signed, &by.identity)?;
    let mut entry = entry(node, by, Act::Disclosure, &dossier);
    entry.to = "whoever reviews or reads the product".to_owned();
    entry.why = word.said.kind().to_owned();
    entry.digest = digest;
    change.commit(entry)?;
    info!(product = %id, says = word.said.kind(), "signed");
    Ok(digest)
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
fn check_texts(said: &Said) -> Result<(), Invalid> {
    let texts = match said {
        Said::Comment(comment) => vec![&comment.place, &comment.text],
        Said::Endorsement(_, text) => vec![text],
        Said::Feedback(used_for, _, gap) => vec![used_for, gap],
        Said::Contribution(heading, text) => vec![heading, text],
        Said::AgreeToSilence => Vec::new(),
        // Its texts are inside: read as a whole.
        Said::Report(report) => return check_text(&String::from_utf8_lossy(report)),
    };
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
