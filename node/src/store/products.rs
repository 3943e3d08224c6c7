//! Products on disk: a line for each, its steps, the rosters that they name; and this node's own words. Comes in: what was verified or
//! signed here. Goes out: the same. Must never let go of a step, nor of a word that was signed.

use accord_proto::{
    id::ProductId,
    identity::Identity,
    limits::{PRODUCTS_BYTES_MAX, PRODUCTS_MAX, WORDS_KEPT_MAX},
    product::{Dossier, Step, Trust, dossier::Taken, line},
    reason::{Invalid, Reason},
    seal::{Digest, Envelope},
};
use prost::Message;
use std::{collections::BTreeSet, ops::Bound};

use super::{Change, Pair, Room, Store, failed, schema};

/// A product in a list.
#[derive(Clone, PartialEq, Message)]
pub struct Line {
    /// As staff sees it.
    #[prost(message, optional, tag = "1")]
    pub entry: Option<line::Entry>,
    /// When it came here first.
    #[prost(int64, tag = "2")]
    pub received_at_s: i64,
    /// SHA-256 of the first step that was delivered under a number that another one has, and refused; empty: there was none.
    #[prost(bytes = "vec", tag = "3")]
    pub contradicted_by: Vec<u8>,
    /// Of all its steps, and of rosters that came with them.
    #[prost(uint64, tag = "4")]
    pub bytes: u64,
    /// From when on all of its steps may be read: until then nobody sees this line.
    #[prost(int64, tag = "5")]
    pub readable_from_s: i64,
    /// Written here, not delivered.
    #[prost(bool, tag = "6")]
    pub own: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredStep {
    #[prost(message, optional, tag = "1")]
    pub envelope: Option<Envelope>,
    /// Certificate of whoever took it here; empty: it was delivered.
    #[prost(string, tag = "2")]
    pub by: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredWord {
    #[prost(message, optional, tag = "1")]
    pub envelope: Option<Envelope>,
    /// Certificate of whoever said it. Stays at home.
    #[prost(string, tag = "2")]
    pub by: String,
}

/// A step that contradicts one that is held.
#[derive(Clone, PartialEq, Message)]
pub struct Second {
    /// As it was signed.
    #[prost(message, optional, tag = "1")]
    pub step: Option<Envelope>,
    /// The roster that it names.
    #[prost(message, optional, tag = "2")]
    pub roster: Option<Envelope>,
}

fn step_key(product: ProductId, number: u32) -> Vec<u8> {
    [&product.as_bytes()[..], &number.to_be_bytes()].concat()
}

fn word_key(product: ProductId, word: Digest) -> Vec<u8> {
    [&product.as_bytes()[..], &word.0].concat()
}

impl Store {
    /// The line of a product.
    pub fn product_line(&self, id: ProductId) -> Result<Option<Line>, Invalid> {
        let stored = self.rooms[Room::Products.at()].get(id.as_bytes())?;
        stored.map(|bytes| schema::decode(&bytes)).transpose()
    }

    /// Lines, newest first, that are older than `before`.
    pub fn product_lines(
        &self,
        before: Option<ProductId>,
        most: usize,
    ) -> Result<Vec<(ProductId, Line)>, Invalid> {
        let room = &self.rooms[Room::Products.at()];
        let end = before.map_or(Bound::Unbounded, |id| Bound::Excluded(*id.as_bytes()));
        let read = |entry: Result<Pair, Invalid>| {
            let (key, bytes) = entry?;
            Ok((ProductId::from_bytes("store.product", &key)?, schema::decode(&bytes)?))
        };
        room.range((Bound::Unbounded, end)).rev().take(most).map(read).collect()
    }

    /// A product whole, verified as a stranger would; none: there is none.
    pub fn product(&self, id: ProductId, trust: Trust<'_>) -> Result<Option<Dossier>, Invalid> {
        let (mut steps, mut versions) = (Vec::new(), BTreeSet::new());
        for entry in self.scan(Room::Steps, id.as_bytes()) {
            let stored: StoredStep = schema::decode(&entry?.1)?;
            let envelope = stored.envelope.unwrap_or_default();
            versions.insert(Step::roster_version_of(&envelope)?);
            steps.push(envelope);
        }
        if steps.is_empty() {
            return Ok(None);
        }
        let roster = |version: u64| {
            let stored = self.rooms[Room::Rosters.at()].get(version.to_be_bytes())?;
            schema::decode(&stored.ok_or_else(|| failed(&"damaged: a step without its roster"))?)
        };
        let rosters = versions.into_iter().map(roster).collect::<Result<_, Invalid>>()?;
        Dossier::of(rosters, steps, trust).map(Some)
    }

    /// A step that contradicts one that is held, if one was ever delivered.
    pub fn second(&self, id: ProductId) -> Result<Option<Second>, Invalid> {
        let stored = self.rooms[Room::Seconds.at()].get(id.as_bytes())?;
        stored.map(|bytes| schema::decode(&bytes)).transpose()
    }

    /// Who took a step here.
    pub fn hand_of(&self, id: ProductId, number: u32) -> Result<Option<Identity>, Invalid> {
        let stored = self.rooms[Room::Steps.at()].get(step_key(id, number))?;
        let Some(stored) = stored else { return Ok(None) };
        let StoredStep { by, .. } = schema::decode(&stored)?;
        Some(by).filter(|by| !by.is_empty()).map(|by| Identity::parse(&by)).transpose()
    }

    /// What this node has said of a product, as it was signed, by name.
    pub fn own_words(&self, id: ProductId) -> Result<Vec<Envelope>, Invalid> {
        let word = |entry: Result<Pair, Invalid>| {
            let stored: StoredWord = schema::decode(&entry?.1)?;
            Ok(stored.envelope.unwrap_or_default())
        };
        self.scan(Room::Words, id.as_bytes()).map(word).collect()
    }

    /// Has this node said it?
    pub fn has_said(&self, id: ProductId, word: Digest) -> Result<bool, Invalid> {
        Ok(self.rooms[Room::Words.at()].get(word_key(id, word))?.is_some())
    }
}

impl Change<'_> {
    /// Keeps steps that continue a product, with the rosters that they name; `by`: who took them here.
    pub fn keep_steps(
        &mut self,
        dossier: &Dossier,
        new: &[Taken],
        (line, by): (Line, Option<&Identity>),
    ) -> Result<(), Invalid> {
        let id = dossier.product();
        let by = by.map_or_else(String::new, ToString::to_string);
        let mut bytes = 0;
        for taken in new {
            let envelope = Some(taken.envelope.clone());
            let stored = StoredStep { envelope, by: by.clone() }.encode_to_vec();
            bytes += stored.len() as u64;
            self.write(Room::Steps, &step_key(id, taken.step.number), stored);
        }
        for (envelope, roster) in dossier.rosters() {
            bytes += self.keep_roster(envelope, roster.version)?;
        }
        // A transaction is written twice before it is done with.
        self.check_room_for(bytes.saturating_mul(2))?;
        let all = self.store().product_lines(None, usize::MAX)?;
        // What the centre delivers takes no room of what is written here, nor the other way round.
        let own = !by.is_empty();
        let others = || all.iter().filter(|(of, line)| *of != id && line.own == own);
        let held: u64 = others().map(|(_, line)| line.bytes).sum();
        let line = Line { bytes: line.bytes.saturating_add(bytes), own, ..line };
        if others().count() >= PRODUCTS_MAX || held.saturating_add(line.bytes) > PRODUCTS_BYTES_MAX
        {
            let detail = format!(
                "{PRODUCTS_MAX} products and {PRODUCTS_BYTES_MAX} bytes are the most that is kept of \
                 those that are delivered, and of one's own"
            );
            return Err(Invalid::new(Reason::LimitExceeded, "products", detail));
        }
        self.note_product(id, &line);
        Ok(())
    }

    /// Keeps a roster that a step names, once for all products; gives the bytes that it adds.
    fn keep_roster(&mut self, envelope: &Envelope, version: u64) -> Result<u64, Invalid> {
        let key = version.to_be_bytes();
        let held = self.store().rooms[Room::Rosters.at()].get(key)?;
        let Some(held) = held else {
            let stored = envelope.encode_to_vec();
            let bytes = stored.len() as u64;
            self.write(Room::Rosters, &key, stored);
            return Ok(bytes);
        };
        // Steps of other products rest on the one that is held.
        if schema::decode::<Envelope>(&held)?.payload != envelope.payload {
            let detail = format!("another roster {version} is held: the root has signed both");
            return Err(Invalid::new(Reason::ProductFalse, "rosters", detail));
        }
        Ok(0)
    }

    /// Keeps the first step that contradicts one that is held: the owner has signed both.
    pub fn keep_second(
        &mut self,
        id: ProductId,
        line: &Line,
        (second, step): (&Second, Digest),
    ) -> Result<(), Invalid> {
        let stored = second.encode_to_vec();
        let bytes = stored.len() as u64;
        self.check_room_for(bytes.saturating_mul(2))?;
        self.write(Room::Seconds, id.as_bytes(), stored);
        let bytes = line.bytes.saturating_add(bytes);
        self.note_product(id, &Line { contradicted_by: step.0.to_vec(), bytes, ..line.clone() });
        Ok(())
    }

    /// A product's line as it is from now on.
    pub fn note_product(&mut self, id: ProductId, line: &Line) {
        self.write(Room::Products, id.as_bytes(), line.encode_to_vec());
    }

    /// Keeps a word of this node.
    pub fn keep_word(
        &mut self,
        id: ProductId,
        envelope: &Envelope,
        by: &Identity,
    ) -> Result<(), Invalid> {
        let held = self.store().scan(Room::Words, id.as_bytes()).take(WORDS_KEPT_MAX).count();
        if held >= WORDS_KEPT_MAX {
            let detail = format!("{WORDS_KEPT_MAX} words of one product are the most");
            return Err(Invalid::new(Reason::LimitExceeded, "words", detail));
        }
        let stored = StoredWord { envelope: Some(envelope.clone()), by: by.to_string() };
        let key = word_key(id, Digest::of(&envelope.payload));
        self.write(Room::Words, &key, stored.encode_to_vec());
        Ok(())
    }
}
