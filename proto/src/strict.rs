//! Decoding that refuses what it does not know. Comes in: bytes. Goes out: a message, all of it understood.
//!
//! protobuf drops unknown fields in silence. Here that would mean that a peer believes it has said
//! something (a narrower audience, a shorter expiry) which nobody heard, so it is refused by name.

use std::{collections::BTreeMap, sync::LazyLock};

use prost::{
    Message, Name,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

use crate::{
    reason::{Invalid, Reason},
    wire,
};

/// Message name → its fields: number → (name, nested message's name).
type Schema = BTreeMap<String, BTreeMap<u32, (String, Option<String>)>>;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema = Schema::new();
    // Compiled in by build.rs; a test of this module reads it.
    let files = FileDescriptorSet::decode(wire::DESCRIPTORS).unwrap_or_default();
    for file in files.file {
        for message in &file.message_type {
            collect(&mut schema, file.package(), message);
        }
    }
    schema
});

fn collect(schema: &mut Schema, scope: &str, message: &DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    let fields = message.field.iter().map(|field| {
        let nested = (field.r#type() == Type::Message)
            .then(|| field.type_name().trim_start_matches('.').to_owned());
        (u32::try_from(field.number()).unwrap_or(0), (field.name().to_owned(), nested))
    });
    schema.insert(name.clone(), fields.collect());
    for nested in &message.nested_type {
        collect(schema, &name, nested);
    }
}

/// Decodes a signed payload: every byte must be understood *and* be the one encoding that we would
/// write, so that two readers can never see different documents behind one signature.
pub fn decode_signed<M: Message + Name + Default>(field: &str, bytes: &[u8]) -> Result<M, Invalid> {
    let message = decode::<M>(field, bytes)?;
    if message.encode_to_vec() != bytes {
        return Err(Invalid::new(
            Reason::FieldInvalid,
            field,
            "is not in canonical protobuf encoding",
        ));
    }
    Ok(message)
}

/// Decodes a message and refuses fields that the schema does not have.
pub fn decode<M: Message + Name + Default>(field: &str, bytes: &[u8]) -> Result<M, Invalid> {
    let message = M::decode(bytes).map_err(|error| {
        Invalid::new(Reason::FieldInvalid, field, format!("cannot be decoded: {error}"))
    })?;
    match unknown_field(&M::full_name(), bytes, 0) {
        None => Ok(message),
        Some(path) => Err(Invalid::new(
            Reason::FieldUnknown,
            format!("{field}.{path}"),
            format!("{} of this version has no such field", M::full_name()),
        )),
    }
}

/// Path of the first field that the schema does not know. `bytes` have been decoded before.
fn unknown_field(message: &str, mut bytes: &[u8], depth: usize) -> Option<String> {
    // prost refuses deeper nesting itself; the schema nests six deep at most.
    const DEPTH_MAX: usize = 32;
    let fields = SCHEMA.get(message)?;
    while !bytes.is_empty() {
        let (number, wire_type) = decode_key(&mut bytes).ok()?;
        let Some((name, nested)) = fields.get(&number) else {
            return Some(format!("#{number}"));
        };
        match nested {
            Some(nested) if wire_type == WireType::LengthDelimited && depth < DEPTH_MAX => {
                let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                let (inner, rest) = bytes.split_at_checked(length)?;
                if let Some(path) = unknown_field(nested, inner, depth + 1) {
                    return Some(format!("{name}.{path}"));
                }
                bytes = rest;
            }
            _ => skip_field(wire_type, number, &mut bytes, DecodeContext::default()).ok()?,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_nobody_knows_is_refused_by_name() {
        let known = wire::AnswerRequest { requirement: Some(wire::Envelope::default()) };
        let mut bytes = known.encode_to_vec();
        assert_eq!(decode::<wire::AnswerRequest>("request", &bytes).unwrap(), known);
        bytes.extend([0x98, 0x06, 0x01]); // field 99, varint 1
        let error = decode::<wire::AnswerRequest>("request", &bytes).unwrap_err();
        assert_eq!((error.reason, error.field.as_str()), (Reason::FieldUnknown, "request.#99"));
        // … also inside: requirement (field 1) of length 3.
        let error =
            decode::<wire::AnswerRequest>("request", &[0x0a, 3, 0x98, 0x06, 0x01]).unwrap_err();
        assert_eq!(error.field, "request.requirement.#99");
    }

    #[test]
    fn a_signed_payload_has_one_encoding() {
        let edition = wire::EditionRef { number: 1, ..Default::default() };
        let mut bytes = edition.encode_to_vec();
        assert!(decode_signed::<wire::EditionRef>("edition", &bytes).is_ok());
        bytes.extend(bytes.clone()); // the same field again: last one wins, and nobody would notice
        assert!(decode_signed::<wire::EditionRef>("edition", &bytes).is_err());
    }
}
