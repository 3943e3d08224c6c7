//! An endorsement. Comes in: when it opens and closes, and what members have signed. Goes out: how every jurisdiction stands, with
//! its words, and the outcome by the product's own rule. Must never leave out words that were signed, nor count a word for
//! another text.

use super::{Against, Course, Endorsed, word_of};
use crate::{
    clock::Timestamp,
    identity::Name,
    product::{
        content::Content,
        rule::{Outcome, Position},
        word::{Said, Word},
    },
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Digest, Envelope},
    taxonomy::JurisdictionCode,
    wire::product as wire,
};
use std::collections::{BTreeMap, BTreeSet};

/// How a jurisdiction stands to a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Which one.
    pub jurisdiction: JurisdictionCode,
    /// The strongest of what its nodes say; none: they say nothing.
    pub position: Option<Position>,
    /// It says nothing, and has agreed that this counts as endorsing.
    pub by_silence: bool,
    /// Its nodes that could not be asked, by the owner's word.
    pub not_reached: Vec<Name>,
    /// What its nodes say, ascending by name: reservations and dissents verbatim.
    pub said: Vec<(Name, Position, String)>,
}

impl Course {
    pub(super) fn open(&mut self, at: Timestamp, open: &wire::Open) -> Result<(), Invalid> {
        self.content.is_this("open.content_sha256", &open.content_sha256)?;
        let closes = Timestamp::from_s("open.closes_at_s", open.closes_at_s)?;
        if closes <= at {
            let detail = "closes before anybody could endorse it";
            return Err(Invalid::new(Reason::FieldInvalid, "open.closes_at_s", detail));
        }
        self.window = Some((at, closes));
        self.asked = true;
        self.circulated = Some((self.content.clone(), self.sections.clone()));
        Ok(())
    }

    pub(super) fn close(
        &mut self,
        at: Timestamp,
        close: &wire::Close,
        against: Against<'_>,
    ) -> Result<Outcome, Invalid> {
        self.check_not_reached("close.not_reached", &close.not_reached)?;
        let (endorsed, words) = read_close(&self.content, close, against)?;
        for (digest, word) in &words {
            self.check_within(word)?;
            self.take_in("close", *digest)?;
        }
        let (_, closes) = self.open_window()?;
        if at < closes && close.endorsements.len() < self.content.members.len() {
            let detail = format!("members were told that they have time until {closes}");
            return Err(Invalid::new(Reason::ProductState, "close", detail));
        }
        let outcome = endorsed.outcome;
        self.endorsed = Some(endorsed);
        self.window = None;
        Ok(outcome)
    }
}

/// How an endorsement of a text ended, with the words that it rests on: each signed by its node, of this very text; and the
/// outcome is what the product's own rule makes of them.
pub(in crate::product) fn read_close(
    content: &Content,
    close: &wire::Close,
    against: Against<'_>,
) -> Result<(Endorsed, Vec<(Digest, Word)>), Invalid> {
    content.is_this("close.content_sha256", &close.content_sha256)?;
    if !close.agreements.is_empty() && !content.rule.silence {
        let detail = "the rule of this product knows no silence";
        return Err(Invalid::new(Reason::ProductFalse, "close.agreements", detail));
    }
    let endorsements = signed("close.endorsements", content, &close.endorsements, against)?;
    let agreements = signed("close.agreements", content, &close.agreements, against)?;
    let mut said = BTreeMap::new();
    for (_, word) in &endorsements {
        let Said::Endorsement(position, text) = &word.said else {
            let detail = format!("a word of the kind {} is no endorsement", word.said.kind());
            return Err(Invalid::new(Reason::FieldInvalid, "close.endorsements", detail));
        };
        said.insert(word.node.clone(), (*position, text.clone()));
    }
    if let Some((_, word)) = agreements.iter().find(|(_, word)| word.said != Said::AgreeToSilence) {
        let detail = format!("a word of the kind {} agrees to nothing", word.said.kind());
        return Err(Invalid::new(Reason::FieldInvalid, "close.agreements", detail));
    }
    let agreed = agreements.iter().map(|(_, word)| word.node.clone()).collect();
    let not_reached: BTreeSet<&str> = close.not_reached.iter().map(String::as_str).collect();
    let endorsed = weigh(content, (&said, &agreed, &not_reached), against.roster);
    let stated = Outcome::from_wire("close.outcome", close.outcome)?;
    if stated != endorsed.outcome {
        let detail = format!("is {stated:?}, and by the rule it is {:?}", endorsed.outcome);
        return Err(Invalid::new(Reason::ProductFalse, "close.outcome", detail));
    }
    Ok((endorsed, [endorsements, agreements].concat()))
}

/// Words of this very text, ascending by node, one each.
fn signed(
    field: &str,
    content: &Content,
    envelopes: &[Envelope],
    against: Against<'_>,
) -> Result<Vec<(Digest, Word)>, Invalid> {
    let mut words: Vec<(Digest, Word)> = Vec::new();
    for (at, envelope) in envelopes.iter().enumerate() {
        let named = |error: Invalid| error.within(format!("{field}[{at}]"));
        let word = word_of(content, envelope, against).map_err(named)?;
        if word.content != content.digest() {
            let detail = format!("is of the text {}, which is not this one", word.content);
            return Err(named(Invalid::new(Reason::ProductFalse, "word.content_sha256", detail)));
        }
        if words.last().is_some_and(|(_, last)| last.node >= word.node) {
            let detail = "are not ascending by node, one each";
            return Err(Invalid::new(Reason::FieldInvalid, field, detail));
        }
        words.push((Digest::of(&envelope.payload), word));
    }
    Ok(words)
}

/// What the nodes of a product's members have said of it.
pub(in crate::product) type Positions = BTreeMap<Name, (Position, String)>;

/// How everybody stands, and what comes of it: what was said, who has agreed to silence, who could not be asked.
pub(in crate::product) fn weigh(
    content: &Content,
    (said, agreed, not_reached): (&Positions, &BTreeSet<Name>, &BTreeSet<&str>),
    roster: &Roster,
) -> Endorsed {
    let mut stands: BTreeMap<JurisdictionCode, Stand> = BTreeMap::new();
    let mut silent = BTreeSet::new();
    let members = content.members.iter().filter_map(|node| roster.member(node));
    for member in members {
        let stand = stands.entry(member.jurisdiction).or_insert_with(|| Stand {
            jurisdiction: member.jurisdiction,
            position: None,
            by_silence: false,
            not_reached: Vec::new(),
            said: Vec::new(),
        });
        let away = not_reached.contains(member.node.as_str());
        if away && !said.contains_key(&member.node) {
            stand.not_reached.push(member.node.clone());
        }
        if let Some((position, text)) = said.get(&member.node) {
            stand.position = stand.position.max(Some(*position));
            stand.said.push((member.node.clone(), *position, text.clone()));
        }
        // Whoever could not be asked may have said something else since.
        if away || !agreed.contains(&member.node) {
            silent.insert(member.jurisdiction);
        }
    }
    let positions = stands.iter().map(|(of, stand)| (*of, stand.position)).collect();
    let agrees = |jurisdiction| !silent.contains(&jurisdiction);
    let outcome = content.rule.outcome(&positions, agrees);
    for stand in stands.values_mut() {
        stand.by_silence =
            stand.position.is_none() && content.rule.silence && agrees(stand.jurisdiction);
    }
    Endorsed { outcome, stands: stands.into_values().collect() }
}
