//! A picture, ready to be printed. Comes in: signed bytes that whoever asked for them believes. Goes out: what is printed, and
//! what has to be said beside it.

use super::{OwnCell, OwnFigure, notice};
use crate::{
    clock::Timestamp,
    reason::Invalid,
    strict,
    wire::{self as exchange, region as wire},
};

/// A picture, as it is printed.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What was signed.
    pub picture: wire::Picture,
    /// What is said of its answers since.
    pub notices: Vec<exchange::Notice>,
    /// Its number.
    pub version: u32,
    /// When it was drawn; empty: that is not known.
    pub drawn_at: String,
    /// The node's own share of every cell, in their order; none: it is printed without.
    pub own: Option<Vec<OwnCell>>,
}

impl Shown {
    /// Reads a picture and its notices; whoever calls has had them from a service that it believes.
    pub fn of(
        picture: &exchange::Envelope,
        notices: &[exchange::Envelope],
        (version, drawn_at_s): (u32, i64),
    ) -> Result<Self, Invalid> {
        let read = |notice: &exchange::Envelope| strict::decode_signed("notice", &notice.payload);
        Ok(Self {
            picture: strict::decode_signed("picture", &picture.payload)?,
            notices: notices.iter().map(read).collect::<Result<_, _>>()?,
            version,
            drawn_at: Timestamp::from_s("drawn_at_s", drawn_at_s)
                .map_or(String::new(), |at| at.to_string()),
            own: None,
        })
    }

    /// Does it rest on fewer members than were asked?
    pub fn is_partial(&self) -> bool {
        let coverage = self.picture.coverage.unwrap_or_default();
        coverage.answered < coverage.members
    }

    /// What has to be said beside it, in sentences.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<_> = self.notices.iter().map(notice).collect();
        if !remarks.is_empty() {
            let remark = "what was published remains published; do not use what was withdrawn";
            remarks.push(remark.to_owned());
        }
        remarks
    }

    /// Every cell, with the node's own share of it.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&wire::PictureCell, &[OwnFigure])> {
        let own =
            |at: usize| self.own.as_ref().and_then(|own| own.get(at)).map_or(&[][..], |own| own);
        self.picture.cells.iter().enumerate().map(move |(at, cell)| (cell, own(at)))
    }
}
