//! Products: texts that rest on pictures, that every member reviews and endorses. Comes in: steps of their owner, and words of the
//! members, each signed. Goes out: what has become of a product, the same for whoever has the same steps; and what its readers
//! get. Pure: no clock, no dice, no files. Must never let an endorsement count for another text, nor a reservation be left behind.
//!
//! ```text
//! content + sections ─► draft ─► round of comments ─► … ─► final draft ─► endorsement ─► release ─► pages
//!                         └────────── each a step, signed by the owner, that names the one before ──────────┘
//! ```

pub mod asked;
pub mod content;
pub mod course;
pub mod difference;
pub mod dossier;
pub mod figure;
pub mod gaps;
pub mod harvest;
pub mod impersonal;
pub mod line;
pub mod markdown;
pub mod place;
pub mod receipt;
pub mod release;
#[cfg(feature = "chart")]
pub mod render;
pub mod rendition;
pub mod rule;
pub mod section;
pub mod state;
pub mod step;
pub mod word;

pub use content::{Content, Kind};
pub use course::{Course, Decision, Remark, Speaker, Stand};
pub use dossier::{Dossier, Hand, Trust};
pub use place::Place;
pub use receipt::Receipt;
pub use rendition::{Extent, Rendition};
pub use rule::{Outcome, Position};
pub use section::Section;
pub use state::{Deed, State};
pub use step::Step;
pub use word::{Comment, Said, Word};

#[cfg(test)]
mod tests;
