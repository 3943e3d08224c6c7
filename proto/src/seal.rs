//! Signatures over exact bytes. Comes in: bytes and a key. Goes out: an envelope, or the bytes back, checked.
//!
//! Ed25519 over the DSSE pre-authentication encoding, so that a document of one kind can never pass
//! for another. Nothing is re-serialised before it is verified. A secret key never shows in `Debug`.

use std::fmt;

use ed25519_dalek::{
    Signature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};
use sha2::{Digest as _, Sha256};

use crate::{
    clock::Entropy,
    limits::SIGNATURES_MAX,
    reason::{Invalid, Reason, quoted},
    wire,
};

pub use crate::wire::Envelope;

/// What a signed document is. Part of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A [`crate::roster::Roster`].
    Roster,
    /// A [`crate::question::Requirement`].
    Requirement,
    /// A [`crate::answer::Seal`].
    Seal,
    /// A picture.
    Picture,
    /// A [`crate::question::Cancellation`].
    Cancellation,
    /// A [`crate::standing::Notice`].
    Notice,
    /// A [`crate::standing::Holdings`].
    Holdings,
    /// A [`crate::standing::Departure`].
    Departure,
    /// A [`crate::answer::Decline`].
    Decline,
    /// A [`crate::delivery::PictureReceipt`].
    PictureReceipt,
    /// Parameters of a [`crate::threat::Method`], or [`crate::threat::Rules`].
    Method,
    /// A [`crate::threat::Ranking`].
    Ranking,
    /// A [`crate::threat::Dissent`].
    Dissent,
    /// A [`crate::product::Step`].
    ProductStep,
    /// A [`crate::product::Word`].
    ProductWord,
    /// A [`crate::product::Receipt`].
    ProductReceipt,
}

impl Kind {
    /// The media type that DSSE binds.
    pub fn payload_type(self) -> &'static str {
        match self {
            Self::Roster => "application/vnd.accord.roster.v1+protobuf",
            Self::Requirement => "application/vnd.accord.requirement.v1+protobuf",
            Self::Seal => "application/vnd.accord.seal.v1+protobuf",
            Self::Picture => "application/vnd.accord.picture.v1+protobuf",
            Self::Cancellation => "application/vnd.accord.cancellation.v1+protobuf",
            Self::Notice => "application/vnd.accord.notice.v1+protobuf",
            Self::Holdings => "application/vnd.accord.holdings.v1+protobuf",
            Self::Departure => "application/vnd.accord.departure.v1+protobuf",
            Self::Decline => "application/vnd.accord.decline.v1+protobuf",
            Self::PictureReceipt => "application/vnd.accord.picture-receipt.v1+protobuf",
            Self::Method => "application/vnd.accord.method.v1+json",
            Self::Ranking => "application/vnd.accord.ranking.v1+protobuf",
            Self::Dissent => "application/vnd.accord.dissent.v1+protobuf",
            Self::ProductStep => "application/vnd.accord.product-step.v1+protobuf",
            Self::ProductWord => "application/vnd.accord.product-word.v1+protobuf",
            Self::ProductReceipt => "application/vnd.accord.product-receipt.v1+protobuf",
        }
    }
}

/// SHA-256 of some exact bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// SHA-256 over what comes piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// The next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of several parts, each with its length, so that no two lists of parts collide.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Reads what [`fmt::Display`] writes: 64 hexadecimal digits.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let bytes = hex::decode(text).unwrap_or_default();
        bytes.as_slice().try_into().map(Self).map_err(|_| {
            let detail = format!("{} is not a SHA-256 of 64 hexadecimal digits", quoted(text));
            Invalid::new(Reason::FieldInvalid, field, detail)
        })
    }

    /// Reads 32 bytes.
    pub fn from_wire(field: &str, bytes: &[u8]) -> Result<Self, Invalid> {
        bytes.try_into().map(Self).map_err(|_| {
            Invalid::new(
                Reason::FieldInvalid,
                field,
                format!("{} bytes where a SHA-256 has 32", bytes.len()),
            )
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that signs.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, Invalid> {
        let mut seed = [0; 32];
        entropy.fill(&mut seed)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads PKCS#8 PEM.
    pub fn from_pem(field: &str, pem: &str) -> Result<Self, Invalid> {
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| {
            // The library's error may quote what it read.
            Invalid::new(
                Reason::FieldInvalid,
                field,
                "not an Ed25519 private key in PKCS#8 PEM form",
            )
        })
    }

    /// Writes PKCS#8 PEM.
    pub fn to_pem(&self) -> Result<String, Invalid> {
        self.0
            .to_pkcs8_pem(LineEnding::LF)
            .map(|pem| pem.to_string())
            .map_err(|error| Invalid::new(Reason::Internal, "key", error.to_string()))
    }

    /// The key that others verify with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a document.
    pub fn sign(&self, kind: Kind, payload: Vec<u8>) -> wire::Envelope {
        let signature = self.0.sign(&pre_authentication_encoding(kind.payload_type(), &payload));
        wire::Envelope {
            payload,
            payload_type: kind.payload_type().to_owned(),
            signatures: vec![wire::Signature {
                key_id: self.public().id(),
                signature: signature.to_bytes().to_vec(),
            }],
        }
    }
}

impl SecretKey {
    /// Signs the text of a note ([`crate::journal::Checkpoint`]); it is never taken for a document of a [`Kind`].
    pub(crate) fn sign_note(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }
}

impl PublicKey {
    /// Is this its signature of a note?
    pub(crate) fn signed_note(&self, text: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(text, &signature).is_ok())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().id())
    }
}

/// A key that verifies.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads 32 bytes.
    pub fn from_wire(field: &str, bytes: &[u8]) -> Result<Self, Invalid> {
        let key = bytes.try_into().ok().and_then(|bytes| VerifyingKey::from_bytes(bytes).ok());
        // A weak key would let one signature verify over many messages.
        key.filter(|key| !key.is_weak()).map(Self).ok_or_else(|| {
            Invalid::new(Reason::FieldInvalid, field, "not an Ed25519 public key of 32 bytes")
        })
    }

    /// Reads 64 hexadecimal digits, as in configuration files.
    pub fn from_hex(field: &str, text: &str) -> Result<Self, Invalid> {
        let bytes = hex::decode(text.trim()).map_err(|_| {
            // Not repeated: it may be the file of a secret key, named by mistake.
            let detail = "is not a public key of 64 hexadecimal digits";
            Invalid::new(Reason::FieldInvalid, field, detail)
        })?;
        Self::from_wire(field, &bytes)
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// First 8 bytes of the SHA-256 of the key, in hexadecimal.
    pub fn id(&self) -> String {
        hex::encode(&Digest::of(self.0.as_bytes()).0[..8])
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

/// Gives back the payload of an envelope if it is of this kind and every signature on it is by one of
/// `keys`. One stranger's signature spoils it: an envelope has no unsigned corner.
pub fn open<'a>(
    envelope: &'a wire::Envelope,
    kind: Kind,
    keys: &[PublicKey],
    field: &str,
) -> Result<&'a [u8], Invalid> {
    let wire::Envelope { payload, payload_type, signatures } = envelope;
    let refuse = |what: &str| Err(Invalid::new(Reason::SignatureInvalid, field, what));
    if payload_type != kind.payload_type() {
        return refuse(&format!("is {}, not {}", quoted(payload_type), kind.payload_type()));
    }
    if signatures.is_empty() || signatures.len() > SIGNATURES_MAX {
        return refuse(&format!("has {} signatures", signatures.len()));
    }
    let signed = pre_authentication_encoding(payload_type, payload);
    for wire::Signature { key_id, signature } in signatures {
        let Some(key) = keys.iter().find(|key| key.id() == *key_id) else {
            return refuse(&format!(
                "is signed by {}, which is not registered for it",
                quoted(key_id)
            ));
        };
        let valid = Signature::from_slice(signature)
            .is_ok_and(|signature| key.0.verify_strict(&signed, &signature).is_ok());
        if !valid {
            return refuse(&format!("the signature by {key_id} does not verify"));
        }
    }
    Ok(payload)
}

/// DSSE v1: `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`.
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded =
        format!("DSSEv1 {} {} {} ", payload_type.len(), payload_type, payload.len()).into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn the_encoding_is_the_one_of_dsse() {
        // Vector of the DSSE protocol document.
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn a_document_of_one_kind_never_passes_for_another() {
        let key = SecretKey::generate(&SystemEntropy).unwrap();
        let keys = [key.public()];
        let mut envelope = key.sign(Kind::Seal, b"payload".to_vec());
        assert_eq!(open(&envelope, Kind::Seal, &keys, "seal").unwrap(), b"payload");
        assert!(open(&envelope, Kind::Picture, &keys, "seal").is_err());
        envelope.payload_type = Kind::Picture.payload_type().to_owned();
        assert!(open(&envelope, Kind::Picture, &keys, "seal").is_err());
    }

    #[test]
    fn a_strangers_signature_is_refused_even_beside_a_good_one() {
        let [key, stranger] = [(); 2].map(|()| SecretKey::generate(&SystemEntropy).unwrap());
        let mut envelope = key.sign(Kind::Seal, b"payload".to_vec());
        envelope.signatures.extend(stranger.sign(Kind::Seal, b"payload".to_vec()).signatures);
        assert!(open(&envelope, Kind::Seal, &[key.public()], "seal").is_err());
        envelope.signatures.clear();
        assert!(open(&envelope, Kind::Seal, &[key.public()], "seal").is_err());
    }

    #[test]
    fn a_secret_key_does_not_show() {
        let key = SecretKey::generate(&SystemEntropy).unwrap();
        let pem = key.to_pem().unwrap();
        assert_eq!(SecretKey::from_pem("key", &pem).unwrap().public(), key.public());
        assert_eq!(format!("{key:?}"), format!("SecretKey({})", key.public().id()));
    }

    #[test]
    fn a_secret_key_in_the_place_of_a_public_one_is_not_repeated() {
        let pem = SecretKey::generate(&SystemEntropy).unwrap().to_pem().unwrap();
        for text in [pem.as_str(), pem.lines().nth(1).unwrap()] {
            let told = PublicKey::from_hex("root", text).unwrap_err().to_string();
            let secret = text.lines().find(|line| !line.starts_with('-')).unwrap();
            assert!(!told.contains(&secret[..8]), "{told}");
        }
    }
}
