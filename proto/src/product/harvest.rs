//! What members have said, made into the step that takes it in. Comes in: the words that wait. Goes out: the step, ready to be
//! signed, with all of them that belong into it. Must never leave one out that belongs, nor tell whose a comment is that is not
//! attributed.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;

use super::{
    content::Kind,
    course::{Course, weigh},
    rule::Position,
    state::State,
    step::Deed,
    word::{Comment, Said, Word},
};
use crate::{
    identity::Name,
    limits::{COMMENTS_MAX, WORDS_MAX},
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Digest, Envelope},
    taxonomy::Lists,
    wire::product as wire,
};

/// The language of a comment whose author is not told (BCP 47: undetermined).
const UNDETERMINED: &str = "und";

/// A word that waits, and as it was signed.
pub type Waiting = (Envelope, Word);

/// What an owner has gathered for a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gathered<'a> {
    /// Words of members, whether a step has taken them in or not.
    pub waiting: &'a [Waiting],
    /// Comments of observers.
    pub guests: &'a [wire::GuestComment],
    /// Members that could not be asked, ascending.
    pub not_reached: &'a [Name],
    /// Receipts of members for the last step, ascending by node.
    pub receipts: &'a [Envelope],
}

/// What a deed is filled with by whoever takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// What members have said.
    Words,
    /// Their receipts.
    Receipts,
    /// Nothing.
    Nothing,
}

impl Filling {
    /// Of this deed.
    pub fn of(deed: &Deed) -> Self {
        match deed {
            Deed::CloseRound(_) | Deed::Close(_) | Deed::Hear(_) => Self::Words,
            Deed::Publish(_) => Self::Receipts,
            Deed::Draft(_)
            | Deed::Circulate(_)
            | Deed::Resolve(_)
            | Deed::Finalise(_)
            | Deed::Open(_)
            | Deed::Correct(_)
            | Deed::Recall(_)
            | Deed::Archive(_) => Self::Nothing,
        }
    }
}

/// Is this comment told so, where its author is not told?
pub fn is_told_as(comment: &Comment, told: &wire::Unattributed) -> bool {
    told.comment == Some(without_author(comment))
}

fn without_author(comment: &Comment) -> wire::Comment {
    // A language points at few members: it is told with the author, or not at all.
    wire::Comment { language: UNDETERMINED.to_owned(), ..comment.to_wire() }
}

impl Course {
    /// A deed with what members have said, where it is the server that fills it in; any other as it is. One word that no step may
    /// hold does not keep out all the others: it stays where it is, and its node finds it left out.
    pub fn filled(
        &self,
        deed: Deed,
        gathered: Gathered<'_>,
        (roster, lists): (&Roster, &Lists),
    ) -> Result<Deed, Invalid> {
        let Gathered { waiting, guests, not_reached, receipts } = gathered;
        let may_stand = |found: &&Waiting| self.may_stand(found, roster, lists);
        let sound = || waiting.iter().filter(may_stand).cloned().collect::<Vec<_>>();
        match deed {
            Deed::CloseRound(_) => {
                let closed = self.harvest_remarks(&sound(), guests);
                let not_reached = not_reached.iter().map(ToString::to_string).collect();
                Ok(Deed::CloseRound(wire::CloseRound { not_reached, ..closed }))
            }
            Deed::Close(_) => Ok(self.harvest_closed(&sound(), (roster, not_reached))),
            Deed::Hear(_) => self.harvest_beside(&sound()).ok_or_else(|| {
                let detail = "nobody has said anything that stands outside a round";
                Invalid::new(Reason::NotFound, "words", detail)
            }),
            Deed::Publish(publish) => {
                Ok(Deed::Publish(wire::Publish { receipts: receipts.to_vec(), ..publish }))
            }
            Deed::Draft(_)
            | Deed::Circulate(_)
            | Deed::Resolve(_)
            | Deed::Finalise(_)
            | Deed::Open(_)
            | Deed::Correct(_)
            | Deed::Recall(_)
            | Deed::Archive(_) => Ok(deed),
        }
    }

    /// Is it a member's, under a key of this roster, and of something that is there?
    fn may_stand(&self, (envelope, word): &Waiting, roster: &Roster, lists: &Lists) -> bool {
        let member = roster.member(&word.node);
        member.is_some_and(|member| Word::open(envelope, member, lists).is_ok())
            && self.check_said(&word.said, word.jurisdiction, lists).is_ok()
    }

    /// The end of the round that is open. Words of another text or another time stay where they are, and so do comments of one
    /// node past the most that it may make.
    pub fn harvest_round(&self, waiting: &[Waiting], guests: &[wire::GuestComment]) -> Deed {
        Deed::CloseRound(self.harvest_remarks(waiting, guests))
    }

    fn harvest_remarks(
        &self,
        waiting: &[Waiting],
        guests: &[wire::GuestComment],
    ) -> wire::CloseRound {
        let mut comments: BTreeMap<Digest, Envelope> = BTreeMap::new();
        let mut unattributed: BTreeMap<Digest, wire::Unattributed> = BTreeMap::new();
        let belong = waiting
            .iter()
            .filter(|(_, word)| matches!(word.said, Said::Comment(_)) && self.belongs(word));
        let room = |node: &Name| (COMMENTS_MAX, self.room_of(node, waiting));
        let mut left = self.unattributed_room();
        for (envelope, word) in first_of_each(belong, room) {
            let Said::Comment(comment) = &word.said else { continue };
            let digest = Digest::of(&envelope.payload);
            if comment.attributed {
                comments.insert(digest, envelope.clone());
            } else {
                let comment = Some(without_author(comment));
                let told = wire::Unattributed { word_sha256: digest.0.to_vec(), comment };
                if let Some(rest) = left.checked_sub(told.encoded_len()) {
                    left = rest;
                    unattributed.insert(digest, told);
                }
            }
        }
        let mut guests: Vec<_> =
            guests.iter().filter(|guest| self.is_of_round(guest)).cloned().collect();
        guests.sort_by(|a, b| (&a.reader, a.encode_to_vec()).cmp(&(&b.reader, b.encode_to_vec())));
        guests.dedup();
        // Observers have one share together: of this round, as much as is left of it for each.
        let share = self.room_of_an_observer(self.guests.len());
        let mut counts = BTreeMap::<String, (usize, usize)>::new();
        guests.retain(|guest| {
            let (count, bytes) = counts.entry(guest.reader.clone()).or_default();
            (*count, *bytes) = (*count + 1, *bytes + guest.encoded_len());
            *count <= COMMENTS_MAX && *bytes <= share
        });
        wire::CloseRound {
            comments: comments.into_values().collect(),
            unattributed: unattributed.into_values().collect(),
            guests,
            not_reached: Vec::new(),
        }
    }

    /// The end of the endorsement that is open: of each node its last word.
    pub fn harvest_endorsement(&self, waiting: &[Waiting], roster: &Roster) -> Deed {
        self.harvest_closed(waiting, (roster, &[]))
    }

    fn harvest_closed(&self, waiting: &[Waiting], (roster, away): (&Roster, &[Name])) -> Deed {
        let last = |wanted: fn(&Said) -> bool| {
            let mut last: BTreeMap<&Name, &Waiting> = BTreeMap::new();
            let of = waiting.iter().filter(|(_, word)| self.belongs(word) && wanted(&word.said));
            for found in of {
                let held = last.entry(&found.1.node).or_insert(found);
                // Of two in one second, the one with the greater digest: everybody would choose the same.
                let order = |of: &Waiting| (of.1.at, Digest::of(&of.0.payload));
                if order(found) > order(held) {
                    *held = found;
                }
            }
            last.into_values().collect::<Vec<_>>()
        };
        let endorsements = last(|said| matches!(said, Said::Endorsement(..)));
        let agreements = match self.content.rule.silence {
            true => last(|said| *said == Said::AgreeToSilence),
            false => Vec::new(),
        };
        let said = endorsements.iter().filter_map(|(_, word)| match &word.said {
            Said::Endorsement(position, text) => {
                Some((word.node.clone(), (*position, text.clone())))
            }
            Said::Comment(_)
            | Said::AgreeToSilence
            | Said::Feedback(..)
            | Said::Contribution(..)
            | Said::Report(_) => None,
        });
        let said: BTreeMap<Name, (Position, String)> = said.collect();
        let agreed = agreements.iter().map(|(_, word)| word.node.clone()).collect();
        let not_reached = away.iter().map(Name::as_str).collect();
        let outcome = weigh(&self.content, (&said, &agreed, &not_reached), roster).outcome;
        let envelopes =
            |of: Vec<&Waiting>| of.into_iter().map(|(envelope, _)| envelope.clone()).collect();
        Deed::Close(wire::Close {
            content_sha256: self.content.digest().0.to_vec(),
            endorsements: envelopes(endorsements),
            agreements: envelopes(agreements),
            outcome: outcome.to_wire().into(),
            not_reached: away.iter().map(ToString::to_string).collect(),
        })
    }

    /// What members say beside, if anything waits: of each no more than may stand in a product.
    pub fn harvest_beside(&self, waiting: &[Waiting]) -> Option<Deed> {
        let beside = |(envelope, word): &&Waiting| {
            word.said.is_beside()
                && word.product == self.content.product
                && self.content.members.contains(&word.node)
                && !self.taken.contains(&Digest::of(&envelope.payload))
        };
        let room = |node: &Name| {
            let heard = self.heard.values().filter(|word| word.node == *node).count();
            (WORDS_MAX.saturating_sub(heard), self.room_of(node, waiting))
        };
        let words: BTreeMap<Digest, Envelope> = first_of_each(waiting.iter().filter(beside), room)
            .into_iter()
            .map(|(envelope, _)| (Digest::of(&envelope.payload), envelope.clone()))
            .collect();
        let words: Vec<_> = words.into_values().collect();
        (!words.is_empty()).then_some(Deed::Hear(wire::Hear { words }))
    }

    /// Would the step that ends what is open take this word in?
    pub fn belongs(&self, word: &Word) -> bool {
        let open = match word.said {
            Said::Comment(ref comment) => {
                self.state == State::Circulated && comment.round == self.round
            }
            Said::Endorsement(..) => self.state == State::EndorsementOpen,
            Said::AgreeToSilence => {
                self.state == State::EndorsementOpen && self.content.rule.silence
            }
            Said::Feedback(..) | Said::Contribution(..) | Said::Report(_) => false,
        };
        open && word.product == self.content.product
            && self.content.members.contains(&word.node)
            && !self.taken.contains(&word.digest())
            && self.check_within(word).is_ok()
    }

    /// Does it still wait for a step? Not one that a later word has replaced, nor one whose time is over.
    pub fn waits(&self, word: &Word) -> bool {
        !self.taken.contains(&word.digest()) && (word.said.is_beside() || self.belongs(word))
    }

    fn is_of_round(&self, guest: &wire::GuestComment) -> bool {
        let digest = Digest::of(&guest.encode_to_vec());
        let invited = self.guests.iter().any(|of| of.as_str() == guest.reader);
        let fits = |comment: &wire::Comment| {
            let anchored = Comment::from_wire(comment.clone());
            comment.round == self.round
                && anchored.is_ok_and(|comment| self.check_anchor(&comment).is_ok())
        };
        invited && guest.comment.as_ref().is_some_and(fits) && !self.taken.contains(&digest)
    }

    /// Words of one member that a step of its round or endorsement should have taken in and did not: whoever holds the chain
    /// finds what was left out. Of several endorsements the last one counts, and of several agreements to silence.
    pub fn left_out<'a>(&self, own: &'a [Waiting]) -> Vec<&'a Waiting> {
        let mut left: Vec<&Waiting> = Vec::new();
        let (mut last, mut agreed) = (None::<&Waiting>, None::<&Waiting>);
        for found in own.iter().filter(|(_, word)| word.product == self.content.product) {
            let (_, word) = found;
            match &word.said {
                Said::Comment(comment) => {
                    let over = comment.round < self.round
                        || (comment.round == self.round && self.state != State::Circulated);
                    if over && !self.taken.contains(&word.digest()) {
                        left.push(found);
                    }
                }
                Said::Endorsement(..) if self.endorsed.is_some() => {
                    let newer = last.is_none_or(|(_, last)| last.at <= word.at);
                    if newer && word.content == self.content.digest() {
                        last = Some(found);
                    }
                }
                Said::AgreeToSilence if self.endorsed.is_some() && self.content.rule.silence => {
                    let newer = agreed.is_none_or(|(_, agreed)| agreed.at <= word.at);
                    if newer && word.content == self.content.digest() {
                        agreed = Some(found);
                    }
                }
                Said::Endorsement(..)
                | Said::AgreeToSilence
                | Said::Feedback(..)
                | Said::Contribution(..)
                | Said::Report(_) => {}
            }
        }
        left.extend(agreed.filter(|(_, word)| !self.taken.contains(&word.digest())));
        left.extend(last.filter(|(_, word)| !self.taken.contains(&word.digest())));
        left
    }

    /// May it be said of this product now? For whoever signs it.
    pub fn may_be_said(&self, said: &Said) -> bool {
        match said {
            Said::Comment(comment) => {
                self.state == State::Circulated && comment.round == self.round
            }
            Said::Endorsement(..) => self.state == State::EndorsementOpen,
            Said::AgreeToSilence => {
                self.state == State::EndorsementOpen && self.content.rule.silence
            }
            Said::Feedback(..) => matches!(
                self.state,
                State::Published | State::Corrected | State::Recalled | State::Archived
            ),
            Said::Contribution(..) => {
                !matches!(self.state, State::Draft | State::Recalled | State::Archived)
            }
            Said::Report(_) => {
                self.content.kind == Kind::Plan
                    && matches!(self.state, State::Published | State::Corrected)
            }
        }
    }
}

/// Of each node so many words and bytes, in the order in which they were said; a word that is there twice is one.
fn first_of_each<'a>(
    words: impl Iterator<Item = &'a Waiting>,
    room: impl Fn(&Name) -> (usize, usize),
) -> Vec<&'a Waiting> {
    let mut of_each: BTreeMap<&Name, BTreeSet<_>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for word in words {
        let digest = Digest::of(&word.0.payload);
        of_each.entry(&word.1.node).or_default().insert((word.1.at, digest));
        found.insert(digest, word);
    }
    let mut first = Vec::new();
    for (node, said) in of_each {
        let (most, mut bytes) = room(node);
        let theirs = said.into_iter().filter_map(|(_, digest)| found.remove(&digest));
        first.extend(theirs.take(most).take_while(|(envelope, _)| {
            let fits = envelope.payload.len() <= bytes;
            bytes = bytes.saturating_sub(envelope.payload.len());
            fits
        }));
    }
    first
}
