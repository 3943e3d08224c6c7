//! Checkpoints: size and root of a journal, signed, as text (C2SP `tlog-checkpoint`). Comes in: a right edge, or a
//! note. Goes out: the note, or what it says, checked.
//!
//! ```text
//! wb6.example/AL/al-police
//! 4711
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — wb6.example/AL/al-police Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+Z…
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{Frontier, VerifierKey, note};
use crate::{
    identity::Identity,
    reason::{Invalid, Reason},
    seal::{Digest, PublicKey, SecretKey},
};

/// Where a journal stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose journal, as [`origin`] writes it.
    pub origin: String,
    /// Its entries.
    pub size: u64,
    /// RFC 6962 Merkle tree hash over them.
    pub root: Digest,
}

/// The name of a service's journal: federation, jurisdiction or region, service.
pub fn origin(of: &Identity) -> String {
    format!("{}/{}/{}", of.federation, of.place, of.name)
}

impl Checkpoint {
    /// Of a journal that stands there.
    pub fn of(origin: impl Into<String>, frontier: &Frontier) -> Self {
        Self { origin: origin.into(), size: frontier.size(), root: frontier.root() }
    }

    /// As a signed note.
    pub fn sign(&self, key: &SecretKey) -> String {
        let Self { origin, size, root } = self;
        let text = format!("{origin}\n{size}\n{}\n", BASE64.encode(root.0));
        note::sign(&text, origin, key)
    }

    /// What a note says, if it is about this journal and signed by one of its keys.
    pub fn open(
        field: &str,
        note: &str,
        origin: &str,
        keys: &[PublicKey],
    ) -> Result<Self, Invalid> {
        let keys: Vec<_> = keys.iter().map(|key| VerifierKey::new(origin, key.clone())).collect();
        Self::open_by(field, note, &keys)
    }

    /// The same for keys that come with the name of their journal.
    pub fn open_by(field: &str, note: &str, keys: &[VerifierKey]) -> Result<Self, Invalid> {
        let text = note::open(field, note, keys)?;
        let wrong = |what: &str| Invalid::new(Reason::FieldInvalid, field, what);
        let mut lines = text.split('\n');
        let mut line = || lines.next().ok_or_else(|| wrong("is not a checkpoint of three lines"));
        let (origin, size, root) = (line()?, line()?, line()?);
        if !keys.iter().any(|key| key.name() == origin) {
            return Err(wrong("is about another journal"));
        }
        // One spelling of a number: no sign, no zeros before it.
        let parsed = size.parse::<u64>().ok().filter(|parsed| parsed.to_string() == size);
        let size = parsed.ok_or_else(|| wrong("its size is not a number"))?;
        let root = BASE64.decode(root).map_err(|_| wrong("its root is not base64"))?;
        let root = Digest::from_wire(field, &root)?;
        // Further lines would say something that nobody here understands.
        if lines.next() != Some("") || lines.next().is_some() {
            return Err(wrong("says more than a checkpoint of three lines"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}
