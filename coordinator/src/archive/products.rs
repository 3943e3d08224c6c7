//! Products that are kept. Comes in: steps that continue a product, members' words, receipts. Goes out: the same, as they were
//! signed, and who took a step at home. Must never keep a step without its journal entry, nor one that another took first.

use accord_proto::{
    clock::Timestamp,
    id::ProductId,
    identity::{Identity, Name},
    journal::{Act, Entry},
    limits::{PRODUCTS_MAX, WORDS_KEPT_MAX},
    product::{Dossier, Receipt, Step, Trust, dossier::Taken},
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
    wire::{self, product},
};
use prost::Message as _;
use std::ops::Bound;

use super::{Archive, Room, Writes, failed, kept::Pair};

#[derive(Clone, PartialEq, prost::Message)]
struct StoredStep {
    #[prost(message, optional, tag = "1")]
    envelope: Option<wire::Envelope>,
    /// Certificate of whoever took it. Stays at home.
    #[prost(string, tag = "2")]
    by: String,
}

/// A member's word, or an observer's comment.
#[derive(Clone, PartialEq, prost::Message)]
struct StoredWord {
    #[prost(message, optional, tag = "1")]
    word: Option<wire::Envelope>,
    #[prost(message, optional, tag = "2")]
    guest: Option<product::GuestComment>,
}

/// What waits for a step.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Members' words, as they were signed.
    pub words: Vec<wire::Envelope>,
    /// Observers' comments.
    pub guests: Vec<product::GuestComment>,
}

fn check(field: &str, found: usize, most: usize) -> Result<(), Invalid> {
    if found <= most {
        return Ok(());
    }
    let detail = format!("{found} where {most} is the most");
    Err(Invalid::new(Reason::LimitExceeded, field, detail))
}

fn step_key(product: ProductId, number: u32) -> Vec<u8> {
    [&product.as_bytes()[..], &number.to_be_bytes()].concat()
}

fn word_key(product: ProductId, speaker: &str, digest: Digest) -> Vec<u8> {
    [&product.as_bytes()[..], speaker.as_bytes(), &[0], &digest.0].concat()
}

fn receipt_key(product: ProductId, node: &Name) -> Vec<u8> {
    [&product.as_bytes()[..], node.as_str().as_bytes()].concat()
}

impl Archive {
    /// A product whole, verified as a stranger would.
    pub fn product(&self, id: ProductId, trust: Trust<'_>) -> Result<Dossier, Invalid> {
        let (mut steps, mut versions) = (Vec::new(), std::collections::BTreeSet::new());
        for entry in self.rooms[Room::Steps as usize].scan(id.as_bytes()) {
            let stored = StoredStep::decode(entry?.1.as_ref()).map_err(failed)?;
            let envelope = stored.envelope.unwrap_or_default();
            versions.insert(Step::roster_version_of(&envelope)?);
            steps.push(envelope);
        }
        if steps.is_empty() {
            let detail = format!("there is no product {id}");
            return Err(Invalid::new(Reason::NotFound, "product", detail));
        }
        let roster = |version: u64| {
            let stored = self.rooms[Room::Rosters as usize].get(version.to_be_bytes())?;
            let stored = stored.ok_or_else(|| failed("a step without its roster"))?;
            wire::Envelope::decode(stored.as_ref()).map_err(failed)
        };
        let rosters = versions.into_iter().map(roster).collect::<Result<_, Invalid>>()?;
        Dossier::of(rosters, steps, trust)
    }

    /// Who took a step.
    pub fn hand_of(&self, id: ProductId, number: u32) -> Result<Option<Identity>, Invalid> {
        let stored = self.rooms[Room::Steps as usize].get(step_key(id, number))?;
        let stored = stored.ok_or_else(|| failed("a step that is not kept"))?;
        let by = StoredStep::decode(stored.as_ref()).map_err(failed)?.by;
        // Of a step that was taken over from a member nobody knows any more who took it.
        Some(by).filter(|by| !by.is_empty()).map(|by| Identity::parse(&by)).transpose()
    }

    /// Takes over steps of this very owner that a member has given back, after a restore.
    pub async fn take_over(
        &self,
        (by, from, now): (&Identity, &Name, Timestamp),
        dossier: &Dossier,
        (new, line): (&[Taken], product::Entry),
    ) -> Result<(), Invalid> {
        let id = dossier.product();
        let writer = self.writer();
        let mut writes: Writes = Vec::new();
        for taken in new {
            let stored = StoredStep { envelope: Some(taken.envelope.clone()), by: String::new() };
            writes.push((Room::Steps, step_key(id, taken.step.number), stored.encode_to_vec()));
        }
        for (envelope, roster) in dossier.rosters() {
            let version = roster.version.to_be_bytes().to_vec();
            writes.push((Room::Rosters, version, envelope.encode_to_vec()));
        }
        writes.push((Room::Products, id.as_bytes().to_vec(), line.encode_to_vec()));
        let entry = Entry {
            at: now,
            act: Act::Alteration,
            by: by.clone(),
            to: String::new(),
            why: format!("taken over from {from} after a restore"),
            subject: format!("product {id} step {}", dossier.steps().len()),
            digest: dossier.head(),
        };
        self.commit(writer, writes, entry)?;
        self.settled().await
    }

    /// Lines of products, newest first, that are older than `before`.
    pub fn products(
        &self,
        before: Option<ProductId>,
        most: usize,
    ) -> Result<Vec<(ProductId, product::Entry)>, Invalid> {
        let room = &self.rooms[Room::Products as usize];
        let end = before.map_or(Bound::Unbounded, |id| Bound::Excluded(*id.as_bytes()));
        let decode = |entry: Result<Pair, Invalid>| {
            let (key, line) = entry?;
            let id = ProductId::from_bytes("archive.product", &key)?;
            Ok((id, product::Entry::decode(line.as_ref()).map_err(failed)?))
        };
        room.range((Bound::Unbounded, end)).rev().take(most).map(decode).collect()
    }

    /// Keeps the last step of a product, as `by` took it. The one before it must be the last that is kept.
    pub async fn keep_step(
        &self,
        by: &Peer,
        (dossier, last, line): (&Dossier, &Taken, product::Entry),
    ) -> Result<(), Invalid> {
        self.add_step(by, dossier, last, line)?;
        self.settled().await
    }

    fn add_step(
        &self,
        by: &Peer,
        dossier: &Dossier,
        last: &Taken,
        line: product::Entry,
    ) -> Result<(), Invalid> {
        let (id, number) = (dossier.product(), last.step.number);
        let writer = self.writer();
        let steps = &self.rooms[Room::Steps as usize];
        let newest = steps.scan(id.as_bytes()).next_back().transpose()?;
        let held = newest.map(|(key, _)| key.as_ref() == step_key(id, number - 1).as_slice());
        if !held.unwrap_or(number == 1) {
            let detail = "another step was taken meanwhile: look at it again";
            return Err(Invalid::new(Reason::ProductChanged, "previous_sha256", detail));
        }
        if number == 1 {
            let count = self.rooms[Room::Products as usize].scan(&[]).take(PRODUCTS_MAX).count();
            check("products", count + 1, PRODUCTS_MAX)?;
        }
        let stored =
            StoredStep { envelope: Some(last.envelope.clone()), by: by.identity.to_string() };
        let writes = vec![
            (Room::Steps, step_key(id, number), stored.encode_to_vec()),
            (Room::Products, id.as_bytes().to_vec(), line.encode_to_vec()),
        ];
        let entry = Entry {
            at: last.step.at,
            act: match last.step.name() {
                "circulate" | "open" | "publish" | "correct" | "recall" => Act::Disclosure,
                _ => Act::Alteration,
            },
            by: by.identity.clone(),
            to: "whom the product names".to_owned(),
            why: last.step.name().to_owned(),
            subject: format!("product {id} step {number}"),
            digest: last.digest(),
        };
        self.commit(writer, writes, entry)
    }

    /// What was said of a product, taken in or not.
    pub fn said_of(&self, id: ProductId) -> Result<Said, Invalid> {
        let mut said = Said::default();
        for entry in self.rooms[Room::Words as usize].scan(id.as_bytes()) {
            let stored = StoredWord::decode(entry?.1.as_ref()).map_err(failed)?;
            said.words.extend(stored.word);
            said.guests.extend(stored.guest);
        }
        Ok(said)
    }

    /// Keeps words of a member, checked before. The same twice is one.
    pub fn keep_words(
        &self,
        (by, now): (&Identity, Timestamp),
        (id, node): (ProductId, &Name),
        words: &[wire::Envelope],
    ) -> Result<(), Invalid> {
        let stored = words.iter().map(|word| {
            let stored = StoredWord { word: Some(word.clone()), guest: None };
            (Digest::of(&word.payload), stored)
        });
        self.keep_said((by, now), (id, node), stored.collect())
    }

    /// Keeps a comment of an observer.
    pub async fn keep_guest(
        &self,
        (by, now): (&Identity, Timestamp),
        id: ProductId,
        guest: product::GuestComment,
    ) -> Result<Digest, Invalid> {
        let digest = Digest::of(&guest.encode_to_vec());
        let stored = StoredWord { word: None, guest: Some(guest) };
        self.keep_said((by, now), (id, &by.name), vec![(digest, stored)])?;
        self.settled().await?;
        Ok(digest)
    }

    fn keep_said(
        &self,
        (by, now): (&Identity, Timestamp),
        (id, speaker): (ProductId, &Name),
        said: Vec<(Digest, StoredWord)>,
    ) -> Result<(), Invalid> {
        let writer = self.writer();
        let room = &self.rooms[Room::Words as usize];
        let mut writes: Writes = Vec::new();
        for (digest, stored) in &said {
            let key = word_key(id, speaker.as_str(), *digest);
            if room.get(&key)?.is_none() {
                writes.push((Room::Words, key, stored.encode_to_vec()));
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        let prefix = [&id.as_bytes()[..], speaker.as_str().as_bytes(), &[0]].concat();
        let held = room.scan(&prefix).take(WORDS_KEPT_MAX).count();
        check("words", held + writes.len(), WORDS_KEPT_MAX)?;
        let entry = Entry {
            at: now,
            act: Act::Collection,
            by: by.clone(),
            to: String::new(),
            why: format!("{} words of {speaker}", writes.len()),
            subject: format!("product {id}"),
            digest: Digest::of_parts(said.iter().map(|(digest, _)| &digest.0[..])),
        };
        self.commit(writer, writes, entry)
    }

    /// A member's last receipt for a product.
    pub fn receipt(&self, id: ProductId, node: &Name) -> Result<Option<wire::Envelope>, Invalid> {
        let stored = self.rooms[Room::Receipts as usize].get(receipt_key(id, node))?;
        stored.map(|bytes| wire::Envelope::decode(bytes.as_ref()).map_err(failed)).transpose()
    }

    /// Keeps a receipt: to whom what was given.
    pub fn keep_receipt(
        &self,
        (by, to, now): (&Identity, &Identity, Timestamp),
        (receipt, signed): (&Receipt, &wire::Envelope),
    ) -> Result<(), Invalid> {
        let Receipt { product, node, steps, head, .. } = receipt;
        let writer = self.writer();
        let write = (Room::Receipts, receipt_key(*product, node), signed.encode_to_vec());
        let entry = Entry {
            at: now,
            act: Act::Disclosure,
            by: by.clone(),
            to: to.to_string(),
            why: "product delivered".to_owned(),
            subject: format!("product {product} step {steps}"),
            digest: *head,
        };
        self.commit(writer, vec![write], entry)
    }
}
