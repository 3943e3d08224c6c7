//! Messages made from the schema. Comes in: the compiled schema and dice. Goes out: bytes of a message with every field filled, and
//! which messages services take in. What stands in the fields looks right and means nothing.

use std::collections::BTreeMap;

use accord_proto::wire;
use anyhow::{Context as _, Result};
use prost::{
    Message as _,
    encoding::{WireType, encode_key, encode_varint},
};
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

use super::{mutate, scene::REQUIREMENT};
use crate::crash::Dice;

/// Messages inside messages.
const DEPTH_MAX: usize = 6;
/// What fields that are a time say.
const TIME_S: u64 = 1_800_000_000;
/// What text fields hold whose name begins so.
const TEXTS: [(&str, &str); 21] = [
    ("indicator", "PUB.OFF.N"),
    ("crime_area", "ICCS0101"),
    ("region", "AL"),
    ("jurisdiction", "AL"),
    ("period", "2016"),
    ("from", "2016"),
    ("until", "2017"),
    ("categor", "_T"),
    ("audience", "POLICE"),
    ("purpose", "THREAT-ASSESSMENT"),
    ("authorit", "analysis-unit"),
    ("node", "al-police"),
    ("member", "al-police"),
    ("service", "coordinator"),
    ("tier", "B"),
    ("why", "a test"),
    ("mapping", "source = \"made up\"\n[columns]\nvalue = \"n\"\n"),
    ("requirement", REQUIREMENT),
    ("grant", REQUIREMENT),
    ("summary", REQUIREMENT),
    ("product", REQUIREMENT),
];

/// What looks right in a field of this name; now and then what does not.
fn text_of(name: &str, dice: &mut Dice) -> &'static str {
    let any = || TEXTS.get(mutate::at(TEXTS.len(), dice));
    let named = TEXTS.iter().find(|(begin, _)| name.starts_with(begin));
    named.or_else(any).map_or("", |(_, text)| text)
}

/// The messages of the schema.
#[derive(Debug)]
pub struct Schema {
    messages: BTreeMap<String, DescriptorProto>,
    /// What calls take in and give back, by full name.
    pub of_calls: Vec<String>,
    /// Every call.
    pub calls: Vec<Call>,
}

/// A call of a service.
#[derive(Clone, Debug)]
pub struct Call {
    /// `accord.exchange.v1.Exchange`.
    pub service: String,
    /// `Answer`.
    pub name: String,
    /// Full name of the message that it takes in.
    pub input: String,
}

impl Schema {
    /// The one that is compiled in.
    pub fn read() -> Result<Self> {
        let files = FileDescriptorSet::decode(wire::DESCRIPTORS)?;
        let (mut messages, mut of_calls, mut calls) = (BTreeMap::new(), Vec::new(), Vec::new());
        for file in files.file {
            let package = file.package().to_owned();
            if !package.starts_with("accord.") {
                continue;
            }
            for message in &file.message_type {
                messages.insert(format!("{package}.{}", message.name()), message.clone());
            }
            let full = |name: &str| name.trim_start_matches('.').to_owned();
            for service in &file.service {
                for call in &service.method {
                    of_calls.extend([full(call.input_type()), full(call.output_type())]);
                    calls.push(Call {
                        service: format!("{package}.{}", service.name()),
                        name: call.name().to_owned(),
                        input: full(call.input_type()),
                    });
                }
            }
        }
        of_calls.sort_unstable();
        of_calls.dedup();
        Ok(Self { messages, of_calls, calls })
    }

    /// A message of this name with every field filled.
    pub fn filled(&self, name: &str, dice: &mut Dice) -> Result<Vec<u8>> {
        self.message(name, dice, 0)
    }

    fn message(&self, name: &str, dice: &mut Dice, depth: usize) -> Result<Vec<u8>> {
        let message = self.messages.get(name).with_context(|| format!("no message {name}"))?;
        let mut bytes = Vec::new();
        let mut fields: Vec<_> = message.field.iter().collect();
        fields.sort_unstable_by_key(|field| field.number());
        let mut said = Vec::new();
        for field in fields {
            // One of several.
            if let Some(one_of) = field.oneof_index
                && !field.proto3_optional()
            {
                if said.contains(&one_of) || dice.below(2) == 0 {
                    continue;
                }
                said.push(one_of);
            }
            self.field(field, (dice, depth), &mut bytes)?;
        }
        Ok(bytes)
    }

    fn field(
        &self,
        field: &FieldDescriptorProto,
        (dice, depth): (&mut Dice, usize),
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let number = u32::try_from(field.number())?;
        let repeated = field.label() == Label::Repeated;
        let entries = if repeated { 1 + dice.below(3) } else { 1 };
        if let Some(wire_type) = wire_type(field.r#type()) {
            let mut values = Vec::new();
            let each = (0..entries).map(|_| 1 + dice.below(900));
            let is_time = field.name().ends_with("_s");
            each.for_each(|value| {
                write_number(
                    wire_type,
                    if is_time { TIME_S + 2 * value } else { value },
                    &mut values,
                );
            });
            if repeated {
                encode_key(number, WireType::LengthDelimited, bytes);
                encode_varint(values.len() as u64, bytes);
            } else {
                encode_key(number, wire_type, bytes);
            }
            bytes.append(&mut values);
            return Ok(());
        }
        for _ in 0..entries {
            let value = match field.r#type() {
                Type::Message if depth >= DEPTH_MAX => return Ok(()),
                Type::Message => {
                    self.message(field.type_name().trim_start_matches('.'), dice, depth + 1)?
                }
                Type::String => text_of(field.name(), dice).as_bytes().to_vec(),
                // Numbers were written above.
                Type::Bytes
                | Type::Group
                | Type::Double
                | Type::Float
                | Type::Int64
                | Type::Uint64
                | Type::Int32
                | Type::Fixed64
                | Type::Fixed32
                | Type::Bool
                | Type::Uint32
                | Type::Enum
                | Type::Sfixed32
                | Type::Sfixed64
                | Type::Sint32
                | Type::Sint64 => vec![0x11; 32],
            };
            encode_key(number, WireType::LengthDelimited, bytes);
            encode_varint(value.len() as u64, bytes);
            bytes.extend(value);
        }
        Ok(())
    }
}

/// How a number travels; none if it is no number.
fn wire_type(kind: Type) -> Option<WireType> {
    match kind {
        Type::Double | Type::Fixed64 | Type::Sfixed64 => Some(WireType::SixtyFourBit),
        Type::Float | Type::Fixed32 | Type::Sfixed32 => Some(WireType::ThirtyTwoBit),
        Type::Int64
        | Type::Uint64
        | Type::Int32
        | Type::Bool
        | Type::Uint32
        | Type::Enum
        | Type::Sint32
        | Type::Sint64 => Some(WireType::Varint),
        Type::String | Type::Bytes | Type::Message | Type::Group => None,
    }
}

fn write_number(wire_type: WireType, value: u64, out: &mut Vec<u8>) {
    match wire_type {
        WireType::SixtyFourBit => out.extend(value.to_le_bytes()),
        WireType::ThirtyTwoBit => out.extend(u32::try_from(value).unwrap_or(1).to_le_bytes()),
        // 1 is a number, a yes, and the first value of every enum.
        WireType::Varint
        | WireType::LengthDelimited
        | WireType::StartGroup
        | WireType::EndGroup => encode_varint(if value.is_multiple_of(2) { value } else { 1 }, out),
    }
}
