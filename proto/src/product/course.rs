//! What has become of a product: the sum of its steps. Comes in: the sum so far and the next step, whose signature was checked.
//! Goes out: the sum with it, or why it may not be taken. Whoever has the same steps has the same sum. Must never count a word
//! for a text that its speaker has not named.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    content::{Content, missing},
    difference::{Line, difference},
    rule::{Outcome, Position},
    section::{Section, check_name},
    state::{self, State},
    step::Step,
    word::{Comment, Said, Word},
};
use crate::{
    clock::Timestamp,
    cycle::{Plan, Report},
    identity::Name,
    limits::{CLOCK_SKEW_S, EARLY_WARNING_DAYS_MAX, WORD_CHARS_MAX, WORDS_MAX},
    plain,
    reason::{Invalid, Reason},
    roster::{Roster, bounded},
    seal::{Digest, Envelope},
    taxonomy::{JurisdictionCode, Lists},
    wire::product::{self as wire, step::Deed as Wire},
};

mod endorsement;
mod publication;
mod remark;
mod round;
mod share;

pub use endorsement::Stand;
pub(super) use endorsement::{read_close, weigh};
pub use publication::Confirmed;
pub(super) use publication::read_publish;
pub use remark::{Decision, Remark, Speaker};

/// The end of an endorsement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsed {
    /// What has come of it.
    pub outcome: Outcome,
    /// How each jurisdiction stands, ascending.
    pub stands: Vec<Stand>,
}

/// What was said after publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erratum {
    /// When.
    pub at: Timestamp,
    /// Of which section; none: of the whole.
    pub section: Option<String>,
    /// What is right.
    pub text: String,
}

impl Erratum {
    pub(super) fn of(at: Timestamp, correct: &wire::Correct) -> Result<Self, Invalid> {
        let wire::Correct { section, text } = correct;
        plain::said("correct.text", text, WORD_CHARS_MAX)?;
        if !section.is_empty() {
            check_name("correct.section", section)?;
        }
        let section = (!section.is_empty()).then(|| section.clone());
        Ok(Self { at, section, text: text.clone() })
    }
}

/// What has become of a product. Made by [`super::dossier::Dossier`] only.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Where it stands.
    pub state: State,
    /// Its text.
    pub content: Content,
    /// The sections of that.
    pub sections: Vec<Section>,
    /// Exact bytes of both.
    pub text: wire::Text,
    /// The text of the round before this one, whole: to tell what has changed.
    pub before: Option<(Content, Vec<Section>)>,
    /// The round that is open or was the last; 0: none.
    pub round: u32,
    /// When the round, or the endorsement, was opened and closes; none: neither is open.
    pub window: Option<(Timestamp, Timestamp)>,
    /// Observers that are invited to the round that is open.
    pub guests: Vec<Name>,
    /// Remarks of all rounds that are over.
    pub remarks: Vec<Remark>,
    /// How the endorsement of this text ended.
    pub endorsed: Option<Endorsed>,
    /// Who has confirmed that end, when it was published; none: it is not.
    pub confirmed: Option<Confirmed>,
    /// What is corrected.
    pub errata: Vec<Erratum>,
    /// Why it was recalled.
    pub recalled: Option<String>,
    /// What members have said beside, by name.
    pub heard: BTreeMap<Digest, Word>,
    /// Every word that a step has taken in.
    pub taken: BTreeSet<Digest>,
    /// The text that members have seen last.
    pub circulated: Option<(Content, Vec<Section>)>,
    /// What everybody has said so far, in bytes.
    shares: share::Shares,
    /// Members have been asked what they say of it: whoever was asked stays.
    asked: bool,
}

/// Words and keys that a step is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Against<'a> {
    pub roster: &'a Roster,
    pub lists: &'a Lists,
}

impl Course {
    /// The sum of the first step.
    pub(super) fn begin(step: &Step, against: Against<'_>) -> Result<Self, Invalid> {
        let Wire::Draft(draft) = &step.deed else {
            return Err(not_now(None, step.name()));
        };
        Self::begun(step, draft, against)
    }

    /// The sum with a step more. Where it may not be taken, the sum is of no use any more: whoever tries keeps another one.
    pub(super) fn add(&mut self, step: &Step, against: Against<'_>) -> Result<(), Invalid> {
        let (before, kind) = (self.state, self.content.kind);
        let next = self;
        let deed = match &step.deed {
            Wire::Draft(draft) => {
                next.redraft(step, draft, against)?;
                state::Deed::Draft
            }
            Wire::Circulate(circulate) => {
                next.circulate(step.at, circulate)?;
                state::Deed::Circulate
            }
            Wire::CloseRound(close) => {
                next.close_round(step.at, close, against)?;
                state::Deed::CloseRound
            }
            Wire::Resolve(resolve) => {
                next.resolve(resolve)?;
                state::Deed::Resolve
            }
            Wire::Finalise(wire::Finalise {}) => {
                next.check_resolved()?;
                state::Deed::Finalise
            }
            Wire::Open(open) => {
                next.open(step.at, open)?;
                state::Deed::Open
            }
            Wire::Close(close) => {
                let outcome = next.close(step.at, close, against)?;
                state::Deed::Close(outcome)
            }
            Wire::Publish(publish) => {
                next.confirmed = Some(read_publish(&next.content, (step, publish), against)?);
                state::Deed::Publish
            }
            Wire::Correct(correct) => {
                next.correct(step.at, correct)?;
                state::Deed::Correct
            }
            Wire::Recall(wire::Recall { why }) => {
                plain::said("recall.why", why, WORD_CHARS_MAX)?;
                next.recalled = Some(why.clone());
                state::Deed::Recall
            }
            Wire::Archive(wire::Archive { why }) => {
                plain::said("archive.why", why, WORD_CHARS_MAX)?;
                state::Deed::Archive
            }
            Wire::Hear(hear) => {
                next.hear(hear, against)?;
                state::Deed::Hear
            }
        };
        next.state = state::next(Some(before), deed, kind)
            .ok_or_else(|| not_now(Some(before), deed.as_str()))?;
        Ok(())
    }

    fn begun(step: &Step, draft: &wire::Draft, against: Against<'_>) -> Result<Self, Invalid> {
        let (text, content, sections) = read_draft(step, draft, against)?;
        Ok(Self {
            state: State::Draft,
            content,
            sections,
            text,
            before: None,
            round: 0,
            window: None,
            guests: Vec::new(),
            remarks: Vec::new(),
            endorsed: None,
            confirmed: None,
            errata: Vec::new(),
            recalled: None,
            heard: BTreeMap::new(),
            taken: BTreeSet::new(),
            circulated: None,
            shares: share::Shares::default(),
            asked: false,
        })
    }

    fn redraft(
        &mut self,
        step: &Step,
        draft: &wire::Draft,
        against: Against<'_>,
    ) -> Result<(), Invalid> {
        let (text, content, sections) = read_draft(step, draft, against)?;
        if (content.kind, &content.owner) != (self.content.kind, &self.content.owner) {
            let detail = "kind and owner of a product do not change: begin another one";
            return Err(Invalid::new(Reason::ProductFalse, "draft.content", detail));
        }
        let stays = |node: &&Name| against.roster.member(node).is_some();
        let mut asked = self.content.members.iter().filter(stays);
        let gone = asked.find(|node| !content.members.contains(node));
        if let Some(node) = gone.filter(|_| self.asked) {
            let detail = format!("{node} has been asked to review it, and is still a member");
            return Err(Invalid::new(Reason::ProductFalse, "draft.content.members", detail));
        }
        (self.text, self.content, self.sections) = (text, content, sections);
        self.endorsed = None;
        Ok(())
    }

    fn correct(&mut self, at: Timestamp, correct: &wire::Correct) -> Result<(), Invalid> {
        self.check_section("correct.section", &correct.section)?;
        self.errata.push(Erratum::of(at, correct)?);
        Ok(())
    }

    /// Is there such a section? The whole has no name.
    pub fn check_section(&self, field: &str, name: &str) -> Result<(), Invalid> {
        if name.is_empty() || self.sections.iter().any(|section| section.name == name) {
            return Ok(());
        }
        let detail = format!("the product has no section {}", crate::reason::quoted(name));
        Err(Invalid::new(Reason::NotFound, field, detail))
    }

    /// Is what a comment is anchored to there?
    pub fn check_anchor(&self, comment: &Comment) -> Result<(), Invalid> {
        let Some(name) = comment.section.as_deref() else { return Ok(()) };
        self.check_section("comment.section", name)?;
        let section = self.sections.iter().find(|section| section.name == name);
        match (comment.place, section) {
            (Some(place), Some(section)) => place.check_in("comment.place", section),
            (None, _) | (_, None) => Ok(()),
        }
    }

    fn hear(&mut self, hear: &wire::Hear, against: Against<'_>) -> Result<(), Invalid> {
        if hear.words.is_empty() {
            return Err(missing("hear.words"));
        }
        for ((digest, word), envelope) in
            self.words("hear.words", &hear.words, against)?.into_iter().zip(&hear.words)
        {
            let beside = match &word.said {
                Said::Report(report) => {
                    self.check_report(word.jurisdiction, report, against.lists)?;
                    true
                }
                Said::Feedback(..) | Said::Contribution(..) => true,
                Said::Comment(_) | Said::Endorsement(..) | Said::AgreeToSilence => false,
            };
            if !beside {
                let detail =
                    format!("a word of the kind {} has a step of its own", word.said.kind());
                return Err(Invalid::new(Reason::FieldInvalid, "hear.words", detail));
            }
            let speaker = Speaker::Member(word.node.clone(), word.jurisdiction);
            self.charge(&speaker, envelope.payload.len())?;
            self.heard.insert(digest, word);
        }
        let mut counts = BTreeMap::<_, usize>::new();
        for word in self.heard.values() {
            *counts.entry(&word.node).or_default() += 1;
        }
        counts.into_values().try_for_each(|count| bounded("hear.words", count, WORDS_MAX))
    }

    /// A report is of an action of the plan, by the jurisdiction that has a part in it.
    fn check_report(
        &self,
        by: JurisdictionCode,
        report: &[u8],
        lists: &Lists,
    ) -> Result<(), Invalid> {
        let report = Report::read(report, lists)?;
        let plan = self.plan(lists)?.ok_or_else(|| {
            let detail = "is no plan: there is no action to report of";
            Invalid::new(Reason::ProductState, "product", detail)
        })?;
        report.fits(&plan)?;
        if report.party.jurisdiction() == Some(by) {
            return Ok(());
        }
        let detail = format!("{by} reports for {}", report.party);
        Err(Invalid::new(Reason::AnswerIdentity, "report.party", detail))
    }

    /// Can a member of this jurisdiction say it, whatever the time?
    pub fn check_said(
        &self,
        said: &Said,
        by: JurisdictionCode,
        lists: &Lists,
    ) -> Result<(), Invalid> {
        match said {
            Said::Report(report) => self.check_report(by, report, lists),
            Said::Comment(comment) => self.check_anchor(comment),
            Said::Endorsement(..)
            | Said::AgreeToSilence
            | Said::Feedback(..)
            | Said::Contribution(..) => Ok(()),
        }
    }

    /// Its plan, of a product that is one.
    pub fn plan(&self, lists: &Lists) -> Result<Option<Plan>, Invalid> {
        let plan = self.sections.iter().find_map(|section| section.plan.as_ref());
        plan.map(|plan| Plan::read(plan, lists)).transpose()
    }

    /// What was reported of its actions, in the order in which it was said.
    pub fn reports(&self, lists: &Lists) -> Result<Vec<Report>, Invalid> {
        let mut said: Vec<_> = self
            .heard
            .values()
            .filter_map(|word| match &word.said {
                Said::Report(report) => Some((word.at, report)),
                Said::Comment(_)
                | Said::Endorsement(..)
                | Said::AgreeToSilence
                | Said::Feedback(..)
                | Said::Contribution(..) => None,
            })
            .collect();
        said.sort();
        said.into_iter().map(|(_, report)| Report::read(report, lists)).collect()
    }

    /// Words of members that review it, ascending by digest, none that was taken in before. From now on they are.
    fn words(
        &mut self,
        field: &str,
        envelopes: &[Envelope],
        against: Against<'_>,
    ) -> Result<Vec<(Digest, Word)>, Invalid> {
        let mut words: Vec<(Digest, Word)> = Vec::new();
        for (at, envelope) in envelopes.iter().enumerate() {
            let named = |error: Invalid| error.within(format!("{field}[{at}]"));
            let word = word_of(&self.content, envelope, against).map_err(named)?;
            let digest = Digest::of(&envelope.payload);
            if words.last().is_some_and(|(last, _)| *last >= digest) {
                let detail = "are not ascending by digest, each once";
                return Err(Invalid::new(Reason::FieldInvalid, field, detail));
            }
            self.take_in(field, digest)?;
            words.push((digest, word));
        }
        Ok(words)
    }

    fn take_in(&mut self, field: &str, digest: Digest) -> Result<(), Invalid> {
        if self.taken.insert(digest) {
            return Ok(());
        }
        let detail = "a word that a step has taken in already is not taken in again";
        Err(Invalid::new(Reason::ProductFalse, field, detail))
    }

    /// Is it of the text and the time of what is open?
    pub fn check_within(&self, word: &Word) -> Result<(), Invalid> {
        let (opened, closes) = self.open_window()?;
        if word.content != self.content.digest() {
            let detail = format!("is of the text {}, which is not this one", word.content);
            return Err(Invalid::new(Reason::ProductFalse, "word.content_sha256", detail));
        }
        if word.at < opened.plus_s(-CLOCK_SKEW_S) || word.at > closes {
            let detail = format!("was said at {}, and the time was {opened} to {closes}", word.at);
            return Err(Invalid::new(Reason::ProductState, "word.at_s", detail));
        }
        Ok(())
    }

    fn open_window(&self) -> Result<(Timestamp, Timestamp), Invalid> {
        self.window.ok_or_else(|| {
            Invalid::new(
                Reason::ProductState,
                "product",
                "neither a round nor an endorsement is open",
            )
        })
    }

    /// What has changed: since members have seen it last, or, where they see it now, since the round before.
    pub fn changes(&self) -> Option<Vec<Line>> {
        let now = (&self.content, self.sections.as_slice());
        let of = |seen: &(Content, Vec<Section>)| difference((&seen.0, &seen.1), now);
        match &self.circulated {
            Some(seen) if seen.0 != self.content => Some(of(seen)),
            Some(_) | None => self.before.as_ref().map(of),
        }
    }

    /// Remarks without a decision.
    pub fn unresolved(&self) -> usize {
        self.remarks.iter().filter(|remark| remark.resolution.is_none()).count()
    }

    /// The position of a jurisdiction, if the endorsement of this text has ended.
    pub fn position(&self, jurisdiction: JurisdictionCode) -> Option<Position> {
        let stands = &self.endorsed.as_ref()?.stands;
        stands.iter().find(|stand| stand.jurisdiction == jurisdiction)?.position
    }
}

/// A word of one who reviews this product, of this product.
fn word_of(
    content: &Content,
    envelope: &Envelope,
    Against { roster, lists }: Against<'_>,
) -> Result<Word, Invalid> {
    let node = Word::unchecked(envelope, lists)?.node;
    let member = Some(&node).filter(|node| content.members.contains(node));
    let member = member.and_then(|node| roster.member(node)).ok_or_else(|| {
        let detail = format!("{node} does not review this product");
        Invalid::new(Reason::AnswerIdentity, "word.node", detail)
    })?;
    let word = Word::open(envelope, member, lists)?;
    if word.product != content.product {
        let detail = format!("is of the product {}", word.product);
        return Err(Invalid::new(Reason::ProductFalse, "word.product", detail));
    }
    Ok(word)
}

fn not_now(state: Option<State>, deed: &str) -> Invalid {
    let state = state.map_or("not begun", State::as_str);
    let detail = format!("it is {state}, and `{deed}` is not possible then");
    Invalid::new(Reason::ProductState, "product", detail)
}

fn read_draft(
    step: &Step,
    draft: &wire::Draft,
    Against { roster, lists }: Against<'_>,
) -> Result<(wire::Text, Content, Vec<Section>), Invalid> {
    plain::said("draft.why", &draft.why, WORD_CHARS_MAX)?;
    let text = draft.text.clone().ok_or_else(|| missing("draft.text"))?;
    let (content, sections) =
        Content::whole(&text, lists).map_err(|error| error.within("draft"))?;
    if content.product != step.product {
        let detail = format!("is of the product {}", content.product);
        return Err(Invalid::new(Reason::ProductFalse, "draft.content.product", detail));
    }
    if let Some(node) = content.members.iter().find(|node| roster.member(node).is_none()) {
        let detail = format!("{node} is not in the roster");
        return Err(Invalid::new(Reason::NotFound, "draft.content.members", detail));
    }
    let home = roster.centres.iter().all(|centre| centre.name != content.owner);
    if home && content.members != [content.owner.clone()] {
        let detail = "what a node writes for itself is reviewed by itself";
        return Err(Invalid::new(Reason::FieldInvalid, "draft.content.members", detail));
    }
    let longest = step.at.plus_s(EARLY_WARNING_DAYS_MAX * 86_400);
    let expires = content.valid_until.is_some_and(|until| until <= longest);
    if content.kind == super::content::Kind::EarlyWarning && !expires {
        let detail = format!("an early warning ends within {EARLY_WARNING_DAYS_MAX} days");
        return Err(Invalid::new(Reason::FieldInvalid, "draft.content.valid_until_s", detail));
    }
    Ok((text, content, sections))
}
