//! Fonts that are built in. Comes in: a text and how it is written. Goes out: how wide it is, and its lines. Must never ask the
//! machine for a font: the same text is the same picture everywhere.

use std::sync::LazyLock;

use skrifa::{FontRef, MetadataProvider as _, instance::LocationRef, prelude::Size};

use super::svg::Pen;

/// Noto Sans, SIL Open Font License; see `proto/chart`.
pub(super) const REGULAR: &[u8] = include_bytes!("../../chart/NotoSans-Regular.ttf");
/// The same, bold.
pub(super) const BOLD: &[u8] = include_bytes!("../../chart/NotoSans-Bold.ttf");

/// What a character without a width counts, in thousandths of the size.
const WIDTH_UNKNOWN: i64 = 600;

/// Widths of the characters of the basic plane, in thousandths of the size.
struct Widths(Vec<i64>);

static WIDTHS: LazyLock<[Widths; 2]> =
    LazyLock::new(|| [REGULAR, BOLD].map(|bytes| Widths::of(bytes).unwrap_or(Widths(Vec::new()))));

impl Widths {
    fn of(bytes: &[u8]) -> Option<Self> {
        let font = FontRef::new(bytes).ok()?;
        let metrics = font.glyph_metrics(Size::new(1_000.0), LocationRef::default());
        let characters = font.charmap();
        let width = |code: u32| {
            let width = metrics.advance_width(characters.map(code)?)?;
            #[expect(clippy::cast_possible_truncation, reason = "a width in thousandths is small")]
            let width = width.round() as i64;
            Some(width)
        };
        Some(Self((0..0x2100).map(|code| width(code).unwrap_or(WIDTH_UNKNOWN)).collect()))
    }
}

/// How wide a text is, in tenths of a pixel.
pub(super) fn width(text: &str, pen: Pen) -> i64 {
    let [regular, bold] = &*WIDTHS;
    let widths = if pen.bold { bold } else { regular };
    let of = |c: char| {
        let at = usize::try_from(u32::from(c)).unwrap_or(usize::MAX);
        widths.0.get(at).copied().unwrap_or(WIDTH_UNKNOWN)
    };
    (text.chars().map(of).sum::<i64>() * pen.size + 999) / 1_000
}

/// Lines that are at most so wide; a word that is wider stands alone, and is cut.
pub(super) fn wrapped(text: &str, within: i64, pen: Pen) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let last = lines.last().map_or("", String::as_str);
        let longer = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
        let fits = width(&longer, pen) <= within;
        match lines.last_mut() {
            Some(last) if fits || last.is_empty() => *last = longer,
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().flat_map(|line| pieces(line, within, pen)).collect()
}

/// Lines of a text, at most so many: the last one ends in an ellipsis where there would be more.
pub(super) fn shortened(text: &str, within: i64, most: usize, pen: Pen) -> Vec<String> {
    let mut lines = wrapped(text, within, pen);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while width(&format!("{last}…"), pen) > within && last.pop().is_some() {}
            *last = format!("{}…", last.trim_end());
        }
    }
    lines
}

/// A word that is too wide, cut.
fn pieces(line: String, within: i64, pen: Pen) -> Vec<String> {
    if width(&line, pen) <= within {
        return vec![line];
    }
    let mut pieces = vec![String::new()];
    for c in line.chars() {
        let Some(last) = pieces.last_mut() else { break };
        last.push(c);
        if width(last, pen) > within && last.chars().count() > 1 {
            last.pop();
            pieces.push(c.to_string());
        }
    }
    pieces
}
