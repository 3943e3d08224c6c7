//! Bounds of products: their texts, words and chains. Comes in: nothing. Goes out: numbers, each with its reason. Must never be got round:
//! whoever reads a text or a word checks them.

use std::time::Duration;

use super::REQUEST_BYTES_MAX;

/// The text of a product with its figures.
pub const PRODUCT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A request of staff that brings one.
pub const PRODUCT_REQUEST_BYTES_MAX: usize = PRODUCT_BYTES_MAX + REQUEST_BYTES_MAX;
/// A title, a heading, a caption, a mark, a cell of a figure's twin.
pub const PRODUCT_LINE_CHARS_MAX: usize = 300;
/// The text of a section, a judgement or a recommendation.
pub const PRODUCT_TEXT_CHARS_MAX: usize = 40_000;
/// Sections of a product.
pub const PRODUCT_SECTIONS_MAX: usize = 200;
/// Judgements of a section; its recommendations, citations and figures.
pub const PRODUCT_ITEMS_MAX: usize = 50;
/// One chart as SVG.
pub const PRODUCT_FIGURE_BYTES_MAX: usize = 512 * 1024;
/// Cells of its twin.
pub const PRODUCT_FIGURE_CELLS_MAX: usize = 5_000;
/// Observers that one rendition is released to.
pub const PRODUCT_READERS_MAX: usize = 200;
/// Nesting of lists and quotations in the text of a product.
pub const MARKDOWN_DEPTH_MAX: usize = 8;
/// Fields of all tables of one product on a page: each is some hundred bytes of DOCX.
pub const PAGE_CELLS_MAX: usize = 100_000;
/// Columns of a table on a page: Word opens no file with more. A wider one is written row by row, as text.
pub const PAGE_COLUMNS_MAX: usize = 63;
/// Dots of all charts of one DOCX.
pub const PAGE_DOTS_MAX: u64 = 256 * 1024 * 1024;
/// A comment, a reservation, a dissent, a feedback, a resolution, an erratum.
pub const WORD_CHARS_MAX: usize = 4_000;
/// A contribution or a report of a member, as it is signed.
pub const WORD_BYTES_MAX: usize = 64 * 1024;
/// Comments of one node in one round, and of one observer.
pub const COMMENTS_MAX: usize = 50;
/// Words of one node, comments apart, that wait for a step or stand in a product.
pub const WORDS_MAX: usize = 200;
/// Words of one node that the coordinator keeps of one product, whatever became of them.
pub const WORDS_KEPT_MAX: usize = 2_000;
/// All that is said in one product, endorsements apart: each member has the same share of it, and observers have one together.
pub const SAID_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Room of a product that is kept free for the end of its endorsement and its publication: of 200 members a text and a receipt each.
pub const CLOSING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Words of its own that a member names in a receipt as left out, if there are more.
pub const LEFT_OUT_MAX: usize = 64;
/// Days between a step and the moment from which it may be read.
pub const EMBARGO_DAYS_MAX: i64 = 92;
/// Steps of a product.
pub const PRODUCT_STEPS_MAX: usize = 20_000;
/// A product as its members hold it: every text, word and step.
pub const DOSSIER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Products that a node or the coordinator keeps.
pub const PRODUCTS_MAX: usize = 1_000;
/// Their files together.
pub const PRODUCTS_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Products that one call collects the words of.
pub const COLLECT_PRODUCTS_MAX: usize = 32;
/// Pause before a member that was away is tried again with a product.
pub const CIRCULATE_AGAIN: Duration = Duration::from_secs(10);
/// A step may rest on the roster before the newest one for so long after that was signed: it takes time to arrive everywhere.
pub const ROSTER_GRACE_S: i64 = 86_400;
/// Days that an early warning may be relied on.
pub const EARLY_WARNING_DAYS_MAX: i64 = 184;
