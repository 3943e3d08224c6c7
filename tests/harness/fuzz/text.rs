//! Changes of text: words for other words, numbers at their ends, very long lines, deep nesting, formulas, byte order marks, line
//! ends of other systems, damaged UTF-8. Pure.

use super::mutate::{at, edge, part, raw};
use crate::crash::Dice;

/// What is put in somewhere.
const PHRASES: [&str; 48] = [
    "=1+1",
    "@SUM(A1)",
    "+1",
    "-1",
    "\u{feff}",
    "\u{202e}",
    "\u{0}",
    "\u{7f}",
    "NaN",
    "inf",
    "1e999",
    "0x10",
    "1_000",
    "00",
    "0.1",
    "12,5",
    "1.234,5",
    "9223372036854775808",
    "-9223372036854775809",
    "184467440737095516160",
    "2016-02-30",
    "2016-13",
    "2016-00",
    "9999-12",
    "0000",
    "2016-Q5",
    "2016-H3",
    "31.12.2016",
    "true",
    "'''",
    "\"\"\"",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "[[a]]",
    "a.b.c",
    "_T",
    ";",
    ",",
    "\t",
    "|",
    "#",
    "\r",
    "\n\n",
    "SEX=F;AGE=CHILD",
    "{}",
];
/// What opens and is not closed.
const OPENINGS: [&str; 7] = ["[", "{\"a\":", "[[a]]\n", "a={", "((", "<a>", "\"a\"=[["];
const DEEP_MAX: u64 = 8_000;
const LONG_MAX: u64 = 40_000;

/// Changes a text once.
pub(super) fn change(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    match dice.below(16) {
        0..3 => replace_word(input, other, dice),
        3 | 4 => {
            let phrase = chosen(&PHRASES, dice).as_bytes().to_vec();
            put(input, phrase, dice);
        }
        5 => {
            let word = part(input, 40, dice).to_vec();
            let times = usize::try_from(dice.below(LONG_MAX)).unwrap_or(0) / word.len().max(1);
            put(input, word.repeat(times), dice);
        }
        6 => {
            let opening = chosen(&OPENINGS, dice);
            let times = usize::try_from(dice.below(DEEP_MAX)).unwrap_or(0);
            put(input, opening.repeat(times).into_bytes(), dice);
        }
        7..10 => lines(input, dice),
        10 => number(input, dice),
        11 => line_ends(input, dice),
        12 => encoding(input, dice),
        13 => {
            let damage: [&[u8]; 5] =
                [b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80", b"\xff\xfe"];
            let damage = damage.get(at(damage.len(), dice)).copied().unwrap_or_default().to_vec();
            put(input, damage, dice);
        }
        14 => {
            let again = part(input, 200, dice).to_vec();
            put(input, again, dice);
        }
        _ => raw(input, other, dice),
    }
}

fn chosen<'a>(of: &[&'a str], dice: &mut Dice) -> &'a str {
    of.get(at(of.len(), dice)).copied().unwrap_or_default()
}

fn put(input: &mut Vec<u8>, what: Vec<u8>, dice: &mut Dice) {
    // Mostly where a word begins or ends: inside one it is just another word.
    let words = words(input);
    let place = match words.get(at(words.len(), dice)) {
        Some((from, to)) if dice.below(4) != 0 => {
            if dice.below(2) == 0 {
                *from
            } else {
                *to
            }
        }
        _ => at(input.len() + 1, dice),
    };
    drop(input.splice(place..place, what));
}

/// Where words begin and end.
fn words(text: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut from) = (Vec::new(), None);
    for (at, byte) in text.iter().enumerate() {
        match (byte.is_ascii_alphanumeric() || *byte == b'_', from) {
            (true, None) => from = Some(at),
            (false, Some(start)) => {
                found.push((start, at));
                from = None;
            }
            _ => {}
        }
    }
    found.extend(from.map(|start| (start, text.len())));
    found
}

fn replace_word(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let (ours, theirs) = (words(input), words(other));
    let Some((from, to)) = ours.get(at(ours.len(), dice)).copied() else {
        return put(input, b"a".to_vec(), dice);
    };
    let word = match theirs.get(at(theirs.len(), dice)) {
        Some((from, to)) if dice.below(3) != 0 => {
            other.get(*from..*to).unwrap_or_default().to_vec()
        }
        _ => chosen(&PHRASES, dice).as_bytes().to_vec(),
    };
    drop(input.splice(from..to, word));
}

fn number(input: &mut Vec<u8>, dice: &mut Dice) {
    let mut numbers = words(input);
    numbers.retain(|(from, to)| {
        input.get(*from..*to).is_some_and(|word| word.iter().all(u8::is_ascii_digit))
    });
    let edge = edge(dice);
    let new = match dice.below(4) {
        0 => format!("-{edge}"),
        1 => format!("{edge}.5"),
        2 => format!("0{edge}"),
        _ => edge.to_string(),
    };
    match numbers.get(at(numbers.len(), dice)).copied() {
        Some((from, to)) => drop(input.splice(from..to, new.into_bytes())),
        None => put(input, new.into_bytes(), dice),
    }
}

fn lines(input: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<_> =
        input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, two) = (at(lines.len(), dice), at(lines.len(), dice));
    let Some(line) = lines.get(one).cloned() else { return };
    match dice.below(4) {
        0 => drop(lines.remove(one)),
        1 => lines.swap(one, two),
        2 => lines.insert(two, line),
        _ => {
            let times = at(2_000, dice).min(32 * 1024 / line.len().max(1));
            drop(lines.splice(one..one, std::iter::repeat_n(line, times)));
        }
    }
    *input = lines.concat();
}

fn line_ends(input: &mut Vec<u8>, dice: &mut Dice) {
    let end: &[u8] = if dice.below(2) == 0 { b"\r\n" } else { b"\r" };
    let text: Vec<_> = input.split(|byte| *byte == b'\n').collect();
    *input = text.join(end);
}

/// The same text as another program would save it.
fn encoding(input: &mut Vec<u8>, dice: &mut Dice) {
    let text = String::from_utf8_lossy(input).into_owned();
    match dice.below(4) {
        0 => drop(input.splice(0..0, *b"\xef\xbb\xbf")),
        1 => {
            *input = b"\xff\xfe".to_vec();
            input.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        }
        2 => {
            *input = b"\xfe\xff".to_vec();
            input.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        }
        _ => *input = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(0x9a)).collect(),
    }
}
