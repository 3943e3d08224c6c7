//! Changes of a protobuf message, without its schema: fields repeated, moved, unknown; numbers at their ends or longer than they
//! need be; messages inside messages; and lengths that stay true, so that the reader gets past them. Pure.

use super::{
    mutate::{at, edge, raw},
    text,
};
use crate::crash::Dice;

/// Deeper than any schema, and than any reader should follow.
const NESTED_MAX: u64 = 300;
/// Copies of one field.
const COPIES_MAX: u64 = 3_000;
/// Of messages inside messages, as far as they are told apart from text.
const DEPTH_MAX: usize = 12;

#[derive(Clone, Debug)]
enum Value {
    /// And how many bytes it is written in at least.
    Varint(u64, usize),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

#[derive(Clone, Debug)]
struct Field {
    number: u64,
    value: Value,
}

/// Changes a message once; bytes that are none are changed as bytes.
pub(super) fn change(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let Some(mut fields) = parse(input, 0) else {
        return raw(input, other, dice);
    };
    let others = parse(other, 0).unwrap_or_default();
    change_fields(&mut fields, &others, dice, 0);
    input.clear();
    write(&fields, input);
}

fn change_fields(fields: &mut Vec<Field>, others: &[Field], dice: &mut Dice, depth: usize) {
    let place = at(fields.len(), dice);
    let descend = depth < DEPTH_MAX && dice.below(4) != 0;
    let Some(field) = fields.get_mut(place) else {
        let number = dice.below(20);
        return fields.push(Field { number, value: Value::Varint(edge(dice), 1) });
    };
    if let Value::Message(inner) = &mut field.value
        && descend
    {
        return change_fields(inner, others, dice, depth + 1);
    }
    let copy = field.clone();
    match dice.below(11) {
        0 => fields.insert(place, copy),
        1 => fields.push(copy),
        2 => drop(fields.remove(place)),
        3 => {
            let with = at(fields.len(), dice);
            fields.swap(place, with);
        }
        4 => fields.push(Field { number: unknown(dice), value: copy.value }),
        5 => field.number = copy.number.wrapping_add(dice.below(3)).wrapping_sub(1) & 0x1fff_ffff,
        6 => {
            let copies = usize::try_from(dice.below(COPIES_MAX)).unwrap_or(0);
            let copies = copies.min(48 * 1024 / size(&copy).max(1));
            fields.extend(std::iter::repeat_n(copy, copies));
        }
        7 => {
            if let Some(stranger) = any(others, dice) {
                field.value = stranger.value.clone();
            }
        }
        8 => field.value = nested(copy, dice),
        9 => field.value = of_another_type(dice),
        _ => change_value(&mut field.value, others, dice),
    }
}

fn change_value(value: &mut Value, others: &[Field], dice: &mut Dice) {
    match value {
        Value::Varint(number, bytes) => match dice.below(4) {
            0 => *bytes = at(11, dice),
            1 => *number = number.wrapping_add(dice.below(3)).wrapping_sub(1),
            _ => *number = edge(dice),
        },
        Value::Fixed64(bytes) => *bytes = edge(dice).to_le_bytes(),
        Value::Fixed32(bytes) => {
            let [a, b, c, d, ..] = edge(dice).to_le_bytes();
            *bytes = [a, b, c, d];
        }
        Value::Bytes(bytes) => {
            let other = match any(others, dice) {
                Some(Field { value: Value::Bytes(other), .. }) => other.clone(),
                _ => Vec::new(),
            };
            match dice.below(4) {
                0 => bytes.clear(),
                1 => raw(bytes, &other, dice),
                2 => *bytes = other,
                _ => text::change(bytes, &other, dice),
            }
        }
        Value::Message(fields) => fields.clear(),
    }
}

fn unknown(dice: &mut Dice) -> u64 {
    match dice.below(4) {
        0 => 0,
        1 => 0x1fff_ffff,
        _ => 1 + dice.below(1_000),
    }
}

/// The field inside itself, many times over.
fn nested(field: Field, dice: &mut Dice) -> Value {
    let (number, mut value) = (field.number, field.value);
    for _ in 0..1 + dice.below(NESTED_MAX) {
        value = Value::Message(vec![Field { number, value }]);
    }
    value
}

fn of_another_type(dice: &mut Dice) -> Value {
    match dice.below(4) {
        0 => Value::Varint(edge(dice), 1),
        1 => Value::Fixed64(edge(dice).to_le_bytes()),
        2 => Value::Fixed32([0xff; 4]),
        _ => Value::Bytes(vec![b'a'; usize::try_from(dice.below(8_192)).unwrap_or(0)]),
    }
}

/// Some field, however deep.
fn any<'a>(fields: &'a [Field], dice: &mut Dice) -> Option<&'a Field> {
    let field = fields.get(at(fields.len(), dice))?;
    if let Value::Message(inner) = &field.value
        && dice.below(3) != 0
    {
        return any(inner, dice).or(Some(field));
    }
    Some(field)
}

fn size(field: &Field) -> usize {
    let mut bytes = Vec::new();
    write(std::slice::from_ref(field), &mut bytes);
    bytes.len()
}

fn parse(mut bytes: &[u8], depth: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut bytes)?, 1),
            1 => Value::Fixed64(*taken(&mut bytes, 8)?.first_chunk()?),
            5 => Value::Fixed32(*taken(&mut bytes, 4)?.first_chunk()?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let inner = taken(&mut bytes, length)?;
                let message =
                    (depth < DEPTH_MAX && !is_text(inner)).then(|| parse(inner, depth + 1));
                message.flatten().map_or_else(|| Value::Bytes(inner.to_vec()), Value::Message)
            }
            _ => return None,
        };
        fields.push(Field { number: key >> 3, value });
    }
    Some(fields)
}

/// Text is left as it is; so is nothing at all.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (0x20..0x7f).contains(byte))
}

fn taken<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for at in 0..10 {
        let byte = *taken(bytes, 1)?.first()?;
        number |= u64::from(byte & 0x7f).checked_shl(7 * at).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn write(fields: &[Field], out: &mut Vec<u8>) {
    for Field { number, value } in fields {
        let mut key = |kind: u64| write_varint(number << 3 | kind, 1, out);
        match value {
            Value::Varint(number, bytes) => {
                key(0);
                write_varint(*number, *bytes, out);
            }
            Value::Fixed64(bytes) => {
                key(1);
                out.extend(bytes);
            }
            Value::Fixed32(bytes) => {
                key(5);
                out.extend(bytes);
            }
            Value::Bytes(bytes) => {
                key(2);
                write_varint(bytes.len() as u64, 1, out);
                out.extend(bytes);
            }
            Value::Message(inner) => {
                key(2);
                let mut bytes = Vec::new();
                write(inner, &mut bytes);
                write_varint(bytes.len() as u64, 1, out);
                out.append(&mut bytes);
            }
        }
    }
}

/// At least so many bytes: more than it takes is another spelling of the same number.
fn write_varint(mut number: u64, bytes: usize, out: &mut Vec<u8>) {
    let mut written = 1;
    while number > 0x7f || written < bytes {
        out.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
        written += 1;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_not_changed_is_written_as_it_was_read() {
        let message =
            [0x08, 0x96, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01, 0x1a, 0x02, b'A', b'L'];
        let mut written = Vec::new();
        write(&parse(&message, 0).unwrap(), &mut written);
        assert_eq!(written, message);
    }

    #[test]
    fn a_number_can_be_written_longer_than_it_is() {
        let mut written = Vec::new();
        write_varint(1, 3, &mut written);
        assert_eq!(written, [0x81, 0x80, 0x00]);
        assert_eq!(varint(&mut written.as_slice()), Some(1));
    }
}
