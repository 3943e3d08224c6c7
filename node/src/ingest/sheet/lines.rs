//! UTF-8 text in, rows of JSON Lines (an object a line) out. The first object's keys are the header.
//!
//! Must never guess: numbers keep their digits, what is nested or named twice is refused.

use std::{
    borrow::Cow,
    fmt,
    io::{BufRead, BufReader, Read},
};

use accord_proto::{
    limits::{IMPORT_COLUMNS_MAX, IMPORT_ROW_BYTES_MAX},
    reason::{Invalid, quoted},
};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::source::{HEAD_BYTES, Peeked, refusal, too_much, unreadable};

/// JSON Lines whose header is known.
pub(super) struct JsonLines<'a> {
    reader: BufReader<Peeked<'a>>,
    line: Vec<u8>,
    number: u64,
    object: Object,
    /// The first object gives the header and is the first row too.
    first_is_ready: bool,
}

/// One object, by the columns of the header; its room is used again.
struct Object {
    header: Vec<String>,
    fields: Vec<String>,
    /// Which columns this object has had.
    seen: Vec<bool>,
    /// May it name new columns? Only the first may.
    first: bool,
}

impl<'a> JsonLines<'a> {
    /// Reads the first object.
    pub(super) fn open(text: Peeked<'a>) -> Result<(Self, Vec<String>), Invalid> {
        let object = Object { header: vec![], fields: vec![], seen: vec![], first: true };
        let reader = BufReader::with_capacity(HEAD_BYTES, text);
        let mut sheet = Self { reader, line: Vec::new(), number: 0, object, first_is_ready: false };
        sheet.advance()?;
        sheet.object.first = false;
        sheet.first_is_ready = true;
        let header = sheet.object.header.clone();
        Ok((sheet, header))
    }

    /// The next object's fields and its line.
    pub(super) fn next(&mut self) -> Result<Option<(&[String], u64)>, Invalid> {
        let ready = std::mem::take(&mut self.first_is_ready);
        Ok((ready || self.advance()?).then_some((self.object.fields.as_slice(), self.number)))
    }

    /// Reads the next line that is not blank. False at the end.
    fn advance(&mut self) -> Result<bool, Invalid> {
        loop {
            self.line.clear();
            let most = IMPORT_ROW_BYTES_MAX as u64 + 1;
            let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.line);
            let got = read.map_err(|error| refusal(&error))?;
            if got == 0 {
                return Ok(false);
            }
            self.number += 1;
            let number = self.number;
            if got > IMPORT_ROW_BYTES_MAX {
                let detail = format!("line {number}: more than {IMPORT_ROW_BYTES_MAX} bytes");
                return Err(too_much(detail));
            }
            let text = std::str::from_utf8(&self.line).map_err(|_| {
                unreadable(format!(
                    "line {number}: is not UTF-8, as JSON has to be; or set encoding"
                ))
            })?;
            if text.trim_ascii().is_empty() {
                continue;
            }
            self.object.read(text.trim_ascii()).map_err(|error| Invalid {
                detail: format!("line {number}: {}", error.detail),
                ..error
            })?;
            return Ok(true);
        }
    }
}

impl Object {
    fn read(&mut self, text: &str) -> Result<(), Invalid> {
        self.fields.iter_mut().for_each(String::clear);
        self.seen.fill(false);
        let mut wrong = None;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = (&mut deserializer).deserialize_map(Fields { object: self, wrong: &mut wrong });
        match (wrong, read.and_then(|()| deserializer.end())) {
            (Some(said), _) => Err(said),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => {
                let at = error.column();
                Err(unreadable(format!(
                    "is not one JSON object (column {at}); write every object on a line of its own"
                )))
            }
        }
    }

    /// Where a key belongs.
    fn column(&mut self, key: &str) -> Result<usize, Invalid> {
        let key = key.trim();
        let at = match self.header.iter().position(|name| name == key) {
            Some(at) => at,
            None if self.first && self.header.len() >= IMPORT_COLUMNS_MAX => {
                return Err(too_much(format!("more than {IMPORT_COLUMNS_MAX} keys")));
            }
            None if self.first => {
                self.header.push(key.to_owned());
                self.fields.push(String::new());
                self.seen.push(false);
                self.header.len() - 1
            }
            None => {
                let key = quoted(key);
                return Err(unreadable(format!(
                    "key {key} is not in the first object; give the first one every key, null where nothing stands"
                )));
            }
        };
        match self.seen.get_mut(at) {
            Some(seen) if !*seen => *seen = true,
            _ => return Err(unreadable(format!("key {} stands twice", quoted(key)))),
        }
        Ok(at)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Invalid> {
        let at = self.column(key)?;
        let Some(field) = self.fields.get_mut(at) else {
            return Ok(());
        };
        match value.as_bytes().first() {
            Some(b'{' | b'[') => {
                let key = quoted(key);
                return Err(unreadable(format!(
                    "key {key} holds a list or an object; write one value"
                )));
            }
            Some(b'"') => {
                let text: Cow<'_, str> = serde_json::from_str(value)
                    .map_err(|error| unreadable(format!("key {}: {error}", quoted(key))))?;
                field.push_str(text.trim());
            }
            _ if value == "null" => {}
            _ => field.push_str(value),
        }
        Ok(())
    }
}

/// Reads an object's keys and values into it; what is wrong in our eyes goes to `wrong`.
struct Fields<'o> {
    object: &'o mut Object,
    wrong: &'o mut Option<Invalid>,
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            let value: &RawValue = map.next_value()?;
            if let Err(said) = self.object.set(&key, value.get()) {
                *self.wrong = Some(said);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
