//! Signed notes (C2SP `signed-note`): text that people can read and any log tool can check. Comes in: lines and a
//! key, or a note. Goes out: the note, or its text, checked. Must never give back text that no known key signed.
//!
//! The key that signs notes also signs DSSE envelopes. Neither passes for the other: what DSSE signs begins with
//! `DSSEv1 `, and no note of ours has a space in its first line.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::{
    limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX},
    reason::{Invalid, Reason, quoted},
    seal::{Digest, PublicKey, SecretKey},
};

/// Type byte of Ed25519.
const ED25519: u8 = 1;
/// Begins each line of a signature: an em dash and a space.
const MARK: &str = "\u{2014} ";

/// A key with the name that it signs notes under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: PublicKey,
}

impl VerifierKey {
    /// A key under a name.
    pub fn new(name: impl Into<String>, key: PublicKey) -> Self {
        Self { name: name.into(), key }
    }

    /// The name that it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads `name+hash+base64`, as [`fmt::Display`] writes it.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let wrong = || {
            let detail = format!("{} is not name+hash+key of a signed note", quoted(text));
            Invalid::new(Reason::FieldInvalid, field, detail)
        };
        let mut parts = text.trim().splitn(3, '+');
        let mut part = || parts.next().ok_or_else(wrong);
        let (name, hash, key) = (part()?, part()?, part()?);
        let key = BASE64.decode(key).map_err(|_| wrong())?;
        let [ED25519, key @ ..] = key.as_slice() else { return Err(wrong()) };
        let read = Self::new(name, PublicKey::from_wire(field, key)?);
        if !is_name(name) || hex::encode(read.hash()) != hash {
            return Err(wrong());
        }
        Ok(read)
    }

    /// First 4 bytes of the SHA-256 over name, line end, type and key.
    fn hash(&self) -> [u8; 4] {
        let mut hashed = format!("{}\n", self.name).into_bytes();
        hashed.push(ED25519);
        hashed.extend(self.key.to_bytes());
        let [a, b, c, d, ..] = Digest::of(&hashed).0;
        [a, b, c, d]
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519][..], &self.key.to_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.hash()), BASE64.encode(key))
    }
}

/// Signs text that ends in a line end.
pub(super) fn sign(text: &str, name: &str, key: &SecretKey) -> String {
    let hash = VerifierKey::new(name, key.public()).hash();
    let signature = [&hash[..], &key.sign_note(text.as_bytes())].concat();
    format!("{text}\n{MARK}{name} {}\n", BASE64.encode(signature))
}

/// The text of a note that at least one of `keys` has signed. Signatures of others are let be (a witness may add
/// its own); one that claims to be by a known key and is not spoils the note.
pub(super) fn open<'a>(
    field: &str,
    note: &'a str,
    keys: &[VerifierKey],
) -> Result<&'a str, Invalid> {
    let refuse = |what: &str| Invalid::new(Reason::SignatureInvalid, field, what);
    if note.len() > NOTE_BYTES_MAX {
        let detail = format!("{} bytes where {NOTE_BYTES_MAX} are the most", note.len());
        return Err(Invalid::new(Reason::LimitExceeded, field, detail));
    }
    let malformed = || refuse("is not a signed note");
    if note.chars().any(|c| c.is_control() && c != '\n') {
        return Err(malformed());
    }
    // The text ends in a line end, which is signed; the blank line after it is not.
    let blank = note.rfind("\n\n").ok_or_else(malformed)?;
    let (text, signatures) = note.split_at(blank + 1);
    let signatures = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
    let (mut seen, mut verified) = (0, false);
    for line in signatures.ok_or_else(malformed)?.split('\n') {
        seen += 1;
        let (name, signature) =
            line.strip_prefix(MARK).and_then(|line| line.split_once(' ')).ok_or_else(malformed)?;
        let signature = BASE64.decode(signature).map_err(|_| malformed())?;
        let (hash, signature) = signature.split_first_chunk::<4>().ok_or_else(malformed)?;
        if seen > NOTE_SIGNATURES_MAX || !is_name(name) {
            return Err(malformed());
        }
        let known = keys.iter().find(|key| key.name == name && key.hash() == *hash);
        let Some(VerifierKey { key, .. }) = known else { continue };
        if !key.signed_note(text.as_bytes(), signature) {
            return Err(refuse(&format!("the signature by {name} does not verify")));
        }
        verified = true;
    }
    if verified { Ok(text) } else { Err(refuse("is signed by no key that is registered for it")) }
}

/// May it stand in a line of a signature?
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}
