//! A round of comments. Comes in: when it opens and closes, and what was said in it. Goes out: remarks, which wait for a decision
//! each. Must never tell whose a remark is that is not attributed.

use super::{Against, Course, Decision, Remark, Speaker, publication::check_embargo};
use crate::{
    clock::Timestamp,
    identity::Name,
    limits::{COMMENTS_MAX, MEMBERS_MAX, WORD_CHARS_MAX},
    plain,
    product::{
        content::{missing, names},
        word::{Comment, Said},
    },
    reason::{Invalid, Reason},
    roster::bounded,
    seal::Digest,
    wire::product as wire,
};
use prost::Message as _;
use std::collections::BTreeMap;

impl Course {
    pub(super) fn circulate(
        &mut self,
        at: Timestamp,
        circulate: &wire::Circulate,
    ) -> Result<(), Invalid> {
        let wire::Circulate { round, readable_from_s, closes_at_s, content_sha256, guests } =
            circulate;
        let (round, readable_from_s, closes_at_s) = (*round, *readable_from_s, *closes_at_s);
        self.content.is_this("circulate.content_sha256", content_sha256)?;
        let guests = names("circulate.guests", guests.clone())?;
        if let Some(guest) = guests.iter().find(|guest| self.content.extent_for(guest).is_none()) {
            let detail =
                format!("{guest} is a reader of no rendition, and would have nothing to read");
            return Err(Invalid::new(Reason::NotFound, "circulate.guests", detail));
        }
        if round != self.round + 1 {
            let detail = format!("{round} where {} is the next", self.round + 1);
            return Err(Invalid::new(Reason::ProductFalse, "circulate.round", detail));
        }
        self.check_resolved()?;
        let from = check_embargo("circulate.readable_from_s", at, readable_from_s)?;
        let closes = Timestamp::from_s("circulate.closes_at_s", closes_at_s)?;
        if closes <= from || closes <= at {
            let detail = "closes before anybody could read it";
            return Err(Invalid::new(Reason::FieldInvalid, "circulate.closes_at_s", detail));
        }
        self.round = round;
        self.window = Some((from.max(at), closes));
        self.guests = guests;
        self.before = self.circulated.replace((self.content.clone(), self.sections.clone()));
        self.asked = true;
        Ok(())
    }

    pub(super) fn close_round(
        &mut self,
        at: Timestamp,
        close: &wire::CloseRound,
        against: Against<'_>,
    ) -> Result<(), Invalid> {
        let (_, closes) = self.open_window()?;
        if at < closes {
            let detail = format!("members were told that they have time until {closes}");
            return Err(Invalid::new(Reason::ProductState, "close_round", detail));
        }
        let mut counts = BTreeMap::<Name, usize>::new();
        let words = self.words("close_round.comments", &close.comments, against)?;
        for ((digest, word), envelope) in words.into_iter().zip(&close.comments) {
            self.check_within(&word)?;
            let Said::Comment(comment) = word.said else {
                let detail = format!("a word of the kind {} is no comment", word.said.kind());
                return Err(Invalid::new(Reason::FieldInvalid, "close_round.comments", detail));
            };
            if !comment.attributed {
                let detail = "a comment that is not attributed may not be told with its author";
                return Err(Invalid::new(Reason::ProductFalse, "close_round.comments", detail));
            }
            *counts.entry(word.node.clone()).or_default() += 1;
            let speaker = Speaker::Member(word.node, word.jurisdiction);
            self.remark((digest, envelope.payload.len()), speaker, comment)?;
        }
        counts
            .values()
            .try_for_each(|count| bounded("close_round.comments", *count, COMMENTS_MAX))?;
        self.check_not_reached("close_round.not_reached", &close.not_reached)?;
        self.take_unattributed(&close.unattributed)?;
        self.take_guests(&close.guests)?;
        self.guests.clear();
        self.window = None;
        Ok(())
    }

    fn take_unattributed(&mut self, comments: &[wire::Unattributed]) -> Result<(), Invalid> {
        const FIELD: &str = "close_round.unattributed";
        bounded(FIELD, comments.len(), MEMBERS_MAX * COMMENTS_MAX)?;
        let mut last = None;
        for told in comments {
            let wire::Unattributed { word_sha256, comment } = told;
            let digest = Digest::from_wire(FIELD, word_sha256)?;
            if last.is_some_and(|last| last >= digest) {
                let detail = "are not ascending by digest, each once";
                return Err(Invalid::new(Reason::FieldInvalid, FIELD, detail));
            }
            last = Some(digest);
            self.take_in(FIELD, digest)?;
            let comment = comment.clone().ok_or_else(|| missing(FIELD))?;
            let comment = Comment::from_wire(comment)?;
            if comment.attributed {
                let detail = "a comment that is attributed is told as its author has signed it";
                return Err(Invalid::new(Reason::ProductFalse, FIELD, detail));
            }
            self.remark((digest, told.encoded_len()), Speaker::Unattributed, comment)?;
        }
        Ok(())
    }

    fn take_guests(&mut self, guests: &[wire::GuestComment]) -> Result<(), Invalid> {
        const FIELD: &str = "close_round.guests";
        let mut counts = BTreeMap::<Name, usize>::new();
        for guest in guests {
            let digest = Digest::of(&guest.encode_to_vec());
            self.take_in(FIELD, digest)?;
            let reader = Name::parse("close_round.guests.reader", &guest.reader)?;
            if !self.guests.contains(&reader) {
                let detail = format!("{reader} was not invited");
                return Err(Invalid::new(Reason::ProductFalse, FIELD, detail));
            }
            Timestamp::from_s("close_round.guests.at_s", guest.at_s)?;
            let comment = guest.comment.clone().ok_or_else(|| missing(FIELD))?;
            let comment = Comment::from_wire(comment)?;
            *counts.entry(reader.clone()).or_default() += 1;
            self.remark((digest, guest.encoded_len()), Speaker::Reader(reader), comment)?;
        }
        counts.values().try_for_each(|count| bounded(FIELD, *count, COMMENTS_MAX))
    }

    fn remark(
        &mut self,
        (digest, bytes): (Digest, usize),
        speaker: Speaker,
        comment: Comment,
    ) -> Result<(), Invalid> {
        self.check_anchor(&comment)?;
        if comment.round != self.round {
            let detail =
                format!("is of round {}, and this was round {}", comment.round, self.round);
            return Err(Invalid::new(Reason::ProductFalse, "comment.round", detail));
        }
        self.charge(&speaker, bytes)?;
        self.remarks.push(Remark { digest, speaker, comment, resolution: None });
        Ok(())
    }

    pub(super) fn resolve(&mut self, resolve: &wire::Resolve) -> Result<(), Invalid> {
        const FIELD: &str = "resolve.resolutions";
        if resolve.resolutions.is_empty() {
            return Err(missing(FIELD));
        }
        for (at, resolution) in resolve.resolutions.iter().enumerate() {
            self.resolve_one(resolution).map_err(|error| error.within(format!("{FIELD}[{at}]")))?;
        }
        Ok(())
    }

    fn resolve_one(&mut self, resolution: &wire::Resolution) -> Result<(), Invalid> {
        let wire::Resolution { comment_sha256, decision, text } = resolution;
        let digest = Digest::from_wire("comment_sha256", comment_sha256)?;
        let decision = Decision::from_wire(*decision)?;
        plain::said("text", text, WORD_CHARS_MAX)?;
        let remark = self.remarks.iter_mut().find(|remark| remark.digest == digest);
        let remark = remark.ok_or_else(|| {
            let detail = format!("no comment {digest} stands in the product");
            Invalid::new(Reason::NotFound, "comment_sha256", detail)
        })?;
        if remark.resolution.is_some() {
            let detail = format!("{digest} was decided before, and everybody was told");
            return Err(Invalid::new(Reason::ProductState, "comment_sha256", detail));
        }
        remark.resolution = Some((decision, text.clone()));
        Ok(())
    }

    /// Members that could not be asked, ascending.
    pub(super) fn check_not_reached(&self, field: &str, nodes: &[String]) -> Result<(), Invalid> {
        let nodes = names(field, nodes.to_vec())?;
        match nodes.iter().find(|node| !self.content.members.contains(node)) {
            None => Ok(()),
            Some(node) => {
                let detail = format!("{node} does not review this product");
                Err(Invalid::new(Reason::FieldInvalid, field, detail))
            }
        }
    }

    pub(super) fn check_resolved(&self) -> Result<(), Invalid> {
        match self.unresolved() {
            0 => Ok(()),
            count => {
                let detail = format!("{count} comments wait for a decision: `resolve` them first");
                Err(Invalid::new(Reason::ProductState, "product.comments", detail))
            }
        }
    }
}
