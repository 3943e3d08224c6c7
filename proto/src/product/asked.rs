//! What staff ask to be done with a product. Comes in: a message. Goes out: the deed. Must never let a client say what members have
//! said.

use super::{
    step::Deed,
    word::{Said, SaidWire},
};
use crate::{
    reason::{Invalid, Reason},
    wire::product as wire,
};

/// What is to be done, without what only the server says.
pub fn deed(deed: Option<wire::take_request::Deed>) -> Result<Deed, Invalid> {
    use wire::take_request::Deed as Asked;
    let empty = |filled: bool| {
        let detail = "what members have said is filled in by the server: leave it empty";
        if filled { Err(Invalid::new(Reason::FieldInvalid, "deed", detail)) } else { Ok(()) }
    };
    Ok(match deed.ok_or_else(|| Invalid::new(Reason::FieldMissing, "deed", "is not there"))? {
        Asked::Draft(draft) => Deed::Draft(draft),
        Asked::Circulate(circulate) => Deed::Circulate(circulate),
        Asked::CloseRound(close) => {
            empty(close != wire::CloseRound::default())?;
            Deed::CloseRound(close)
        }
        Asked::Resolve(resolve) => Deed::Resolve(resolve),
        Asked::Finalise(finalise) => Deed::Finalise(finalise),
        Asked::Open(open) => Deed::Open(open),
        Asked::Close(close) => {
            empty(close != wire::Close::default())?;
            Deed::Close(close)
        }
        Asked::Publish(publish) => Deed::Publish(publish),
        Asked::Correct(correct) => Deed::Correct(correct),
        Asked::Recall(recall) => Deed::Recall(recall),
        Asked::Archive(archive) => Deed::Archive(archive),
        Asked::Hear(hear) => {
            empty(hear != wire::Hear::default())?;
            Deed::Hear(hear)
        }
    })
}

/// What is to be said, checked.
pub fn said(said: Option<wire::say_request::Said>) -> Result<Said, Invalid> {
    use wire::say_request::Said as Asked;
    let said = said.ok_or_else(|| Invalid::new(Reason::FieldMissing, "said", "is not there"))?;
    Said::from_wire(match said {
        Asked::Comment(comment) => SaidWire::Comment(comment),
        Asked::Endorsement(endorsement) => SaidWire::Endorsement(endorsement),
        Asked::AgreeToSilence(agrees) => SaidWire::AgreeToSilence(agrees),
        Asked::Feedback(feedback) => SaidWire::Feedback(feedback),
        Asked::Contribution(contribution) => SaidWire::Contribution(contribution),
        Asked::Report(report) => SaidWire::Report(report),
    })
}
