//! Threats, scored and ranked. Comes in: what an analyst judges of a threat, or pictures that are published. Goes out: an
//! [`Outcome`] with its uncertainty, or a [`Ranking`] that anybody can work out again. Pure: no clock, no dice, no files, no
//! floating point. Must never score, order or compare jurisdictions, nor rest on anything that a picture does not tell.
//!
//! ```text
//! a node's own     Method (parameters) + Assessment (input) ─► score ─► Outcome (bands, likelihood, trace)
//! of the region    pictures + Rules ─► regional ─► ranks, agreement, sensitivity ─► Ranking ─► replay, rows
//! ```
//!
//! What holds of every method (domain.md §2.8, §2.11): unknown is not low, it is an interval; too much unknown is a white
//! spot, and that is a result; confidence stands beside a score and never in it; the forecast stands apart from the present;
//! no score without its written reason; outcomes of unlike methods or parameters are never put together.

mod agreement;
mod bands;
mod dissent;
mod fixed;
mod input;
mod likelihood;
mod method;
mod outcome;
mod parameters;
mod ranks;
mod regional;
mod registry;
mod replay;
mod rows;
mod rules;
mod sensitivity;
mod subject;
mod trace;
mod wanted;

pub use bands::Band;
pub use dissent::Dissent;
pub use fixed::Fixed;
pub use input::{Assessment, AssessmentWritten, InputWritten, Justified, Level, ReportedBy};
pub use likelihood::{Confidence, Likelihood, Yardstick};
pub use outcome::{Alike, Beside, Outcome, Span, Suggestion, Told, Verdict, score};
pub use parameters::{Basis, Input, Method, Scale, UnknownRule};
pub use ranks::{Bounds, Place, places};
pub use regional::{Ask, Sources};
pub use registry::Methods;
pub use replay::{Ranking, rank, replay};
pub use rows::{Move, Row, moves, rows};
pub use rules::{Order, Rules};
pub use subject::{Subject, SubjectKind};
pub use trace::Step;
pub use wanted::Wanted;

#[cfg(test)]
mod tests;
