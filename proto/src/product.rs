//! Products: texts that rest on pictures. Comes in: exact bytes of a text. Goes out: the text, checked, under the digest that an
//! endorsement names. Pure: no clock, no dice, no files. Must never let a reader see what a rendition withholds.

pub mod content;
pub mod markdown;
pub mod rule;
pub mod section;
