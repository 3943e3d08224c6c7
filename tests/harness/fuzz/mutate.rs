//! Changes of an input. Comes in: bytes, their form, another input of the same kind, dice. Goes out: the bytes, changed once. Pure:
//! the same dice, the same change.

use std::io::{Cursor, Read as _, Write as _};

use super::{text, tree};
use crate::crash::Dice;

/// How an input is changed beside flips, cuts and splices of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Bytes of which nothing is known.
    Raw,
    /// A protobuf message.
    Wire,
    /// A byte that says which message, and the message.
    Tagged,
    /// Lines of text.
    Text,
    /// A ZIP of XML files: what lies inside is changed as text.
    Workbook,
}

/// Numbers at the ends of ranges.
const EDGES: [u64; 18] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    946_684_800,
    253_402_300_800,
    (1 << 53) + 1,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Changes the input once.
pub fn change(form: Form, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let in_form = dice.below(4) != 0;
    match form {
        Form::Wire if in_form => tree::change(input, other, dice),
        Form::Tagged if in_form => tagged(input, other, dice),
        Form::Text if in_form => text::change(input, other, dice),
        Form::Workbook if in_form => workbook(input, dice),
        Form::Raw | Form::Wire | Form::Tagged | Form::Text | Form::Workbook => {
            raw(input, other, dice);
        }
    }
}

/// An edge, or one beside it.
pub(super) fn edge(dice: &mut Dice) -> u64 {
    let edge = EDGES.get(at(EDGES.len(), dice)).copied().unwrap_or_default();
    edge.wrapping_add(dice.below(3)).wrapping_sub(1)
}

/// A place among so many.
pub(super) fn at(length: usize, dice: &mut Dice) -> usize {
    usize::try_from(dice.below(length as u64)).unwrap_or(0)
}

/// A part of the bytes, at most so long.
pub(super) fn part<'a>(bytes: &'a [u8], longest: usize, dice: &mut Dice) -> &'a [u8] {
    let from = at(bytes.len() + 1, dice);
    let rest = bytes.get(from..).unwrap_or_default();
    let length = at(rest.len().min(longest) + 1, dice);
    rest.get(..length).unwrap_or_default()
}

/// Changes bytes of which nothing is known.
pub(super) fn raw(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let place = at(input.len(), dice);
    match dice.below(9) {
        0 | 1 => {
            let bit = dice.below(8);
            if let Some(byte) = input.get_mut(place) {
                *byte ^= 1 << bit;
            }
        }
        2 => {
            let value = u8::try_from(dice.below(256)).unwrap_or(0);
            if let Some(byte) = input.get_mut(place) {
                *byte = value;
            }
        }
        3 => input.truncate(place),
        4 => drop(input.drain(..place)),
        5 => {
            let until = (place + 1 + at(64, dice)).min(input.len());
            drop(input.drain(place..until));
        }
        6 => {
            let piece = part(other, 256, dice).to_vec();
            drop(input.splice(place..place, piece));
        }
        7 => number(input, place, dice),
        _ => {
            // The beginning of the one, the end of the other.
            let from = at(other.len() + 1, dice);
            input.truncate(place);
            input.extend(other.get(from..).unwrap_or_default());
        }
    }
}

/// Writes a number of 2, 4 or 8 bytes over what stands there.
fn number(input: &mut [u8], place: usize, dice: &mut Dice) {
    let (edge, width) = (edge(dice), 1_usize << (1 + dice.below(3)));
    let big = edge.to_be_bytes();
    let bytes = if dice.below(2) == 0 { edge.to_le_bytes() } else { big };
    let bytes = if bytes == big { &bytes[8 - width..] } else { &bytes[..width] };
    for (old, new) in input.iter_mut().skip(place).zip(bytes) {
        *old = *new;
    }
}

fn tagged(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let (Some(tag), Some((_, other))) = (input.first().copied(), other.split_first()) else {
        return input.push(0);
    };
    let mut message = input.split_off(1);
    tree::change(&mut message, other, dice);
    input.clear();
    input.push(if dice.below(32) == 0 { u8::try_from(dice.below(256)).unwrap_or(0) } else { tag });
    input.append(&mut message);
}

/// Changes one part of a workbook, and packs it again.
fn workbook(input: &mut Vec<u8>, dice: &mut Dice) {
    if let Some(changed) = repacked(input, dice) {
        *input = changed;
    } else {
        raw(input, &[], dice);
    }
}

fn repacked(input: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    const PART_BYTES_MAX: u64 = 256 * 1024;
    let mut archive = zip::ZipArchive::new(Cursor::new(input)).ok()?;
    let chosen = at(archive.len(), dice);
    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).ok()?;
        let (name, mut bytes) = (part.name().ok()?.into_owned(), Vec::new());
        part.by_ref().take(PART_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        if index == chosen {
            let other = bytes.clone();
            text::change(&mut bytes, &other, dice);
        }
        packed.start_file(name, options).ok()?;
        packed.write_all(&bytes).ok()?;
    }
    packed.finish().ok().map(Cursor::into_inner)
}
