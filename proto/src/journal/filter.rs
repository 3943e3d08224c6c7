//! Which entries of a journal somebody wants to see. Comes in: words and times. Goes out: yes or no for an entry.

use super::{Act, Logged};
use crate::{clock::Timestamp, reason::Invalid, wire::journal as wire};

/// All that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What kind of act.
    pub act: Option<Act>,
    /// Who did it: the name in the certificate, or the whole identity; empty: anybody.
    pub by: String,
    /// A word of the recipient; empty: anybody or nobody.
    pub to: String,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Reads what a request says.
    pub fn from_wire(request: &wire::ReadRequest) -> Result<Self, Invalid> {
        let act = match request.act.as_str() {
            "" => None,
            act => Some(Act::parse("act", act)?),
        };
        let time = |field: &str, at: i64| match at {
            0 => Ok(None),
            at => Timestamp::from_s(field, at).map(Some),
        };
        Ok(Self {
            act,
            by: request.by.clone(),
            to: request.to.clone(),
            from: time("from_s", request.from_s)?,
            until: time("until_s", request.until_s)?,
        })
    }

    /// For a request.
    pub fn to_wire(&self) -> wire::ReadRequest {
        let seconds = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_s);
        wire::ReadRequest {
            act: self.act.map_or(String::new(), |act| act.name().to_owned()),
            by: self.by.clone(),
            to: self.to.clone(),
            from_s: seconds(self.from),
            until_s: seconds(self.until),
            ..wire::ReadRequest::default()
        }
    }

    /// Does everything fit?
    pub fn takes_all(&self) -> bool {
        *self == Self::default()
    }

    /// Does this entry fit?
    pub fn takes(&self, Logged { entry, .. }: &Logged) -> bool {
        let by = self.by.is_empty()
            || entry.by.name.as_str() == self.by
            || entry.by.to_string() == self.by;
        let to = self.to.is_empty() || entry.to.split_whitespace().any(|word| word == self.to);
        self.act.is_none_or(|act| act == entry.act)
            && by
            && to
            && self.from.is_none_or(|from| entry.at >= from)
            && self.until.is_none_or(|until| entry.at < until)
    }
}
