//! What a store keeps, closed to whoever has only its disk. Comes in: the keys of a file, whose store it is, a value and where it lies.
//! Goes out: a sealed value, and from such a one the value again, if it was sealed for that very place. Must never say a key, nor take a
//! value that was changed, cut off, or moved for one that is whole.
//!
//! ```text
//! file    ID KEY a line; ID: of the key's SHA-256, KEY: 32 bytes in base64; the first is written with, the others are only read with
//! mark    FORMAT " sealed with " ID        bare: it must be read to know with which key the rest is
//! value   version u8, nonce 12, AES-256-GCM-SIV(value), tag 16; bound to room and key, under a key of this store alone
//! ```
//!
//! A store is under one key at a time, and its mark says which: a rotation writes it anew, so that no page that is left over on the disk
//! needs the old one. AES-256-GCM-SIV (RFC 8452) and not a cipher that breaks when a nonce comes twice: a machine may be copied while it
//! runs, with all that it would have drawn nonces from. Twice the same nonce tells here that twice the same was written, and no more.
//!
//! Stands in the contract because both programs keep a store; it names no database.

use std::{
    borrow::Cow,
    fmt,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    clock::Entropy,
    limits::STORE_KEYS_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    transport::read_secret,
};

/// Where the keys are named in a configuration, and what is wrong where they do not fit.
pub const FIELD: &str = "store.key";

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// The first byte of every sealed value.
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + NONCE_LEN;
/// Keys of stores are told apart from all others that anybody may derive from the same bytes.
const SALT: &[u8] = b"accord store at rest 1";
/// Between a format and the key that everything else is sealed with.
const SEALED_WITH: &[u8] = b" sealed with ";

/// By what a key is named: the beginning of its digest, so that no two have one name and a slip of the pen shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 4]);

impl KeyId {
    fn of(secret: &[u8; KEY_BYTES]) -> Self {
        let digest = Digest::of_parts([&b"accord store key"[..], secret]).0;
        Self(digest.first_chunk().copied().unwrap_or_default())
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut id = [0; 4];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

struct Key {
    id: KeyId,
    secret: Zeroizing<[u8; KEY_BYTES]>,
}

/// The keys that somebody has for a store; none: it lies bare on its disk.
#[derive(Default)]
pub struct Keys(Vec<Key>);

impl fmt::Debug for Keys {
    /// Prints no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.listed())
    }
}

impl Keys {
    /// Of a store that lies bare.
    pub fn none() -> Self {
        Self::default()
    }

    /// The keys of a file that only its owner may read; of no file: none.
    pub fn load(path: Option<&Path>) -> Result<Self, Invalid> {
        let Some(path) = path else { return Ok(Self::none()) };
        let text = Zeroizing::new(read_secret(path)?);
        Self::parse(&text)
            .map_err(|error| Invalid { field: format!("{FIELD} {}", path.display()), ..error })
    }

    /// Reads such a file: a key a line, the first one to write with; empty lines and those that begin with `#` say nothing.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut keys = Vec::new();
        let lines = text.lines().map(str::trim).enumerate();
        for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let key = read_line(line).ok_or_else(|| {
                // Never what stands there.
                let detail = format!("line {} is no key as `store-key` writes one", at + 1);
                Invalid::new(Reason::FieldInvalid, FIELD, detail)
            })?;
            keys.push(key);
        }
        match keys.len() {
            0 => Err(Invalid::new(Reason::FieldMissing, FIELD, "the file holds no key")),
            1..=STORE_KEYS_MAX => Ok(Self(keys)),
            found => {
                let detail = format!("{found} keys where {STORE_KEYS_MAX} are the most");
                Err(Invalid::new(Reason::LimitExceeded, FIELD, detail))
            }
        }
    }

    /// The line of a new key, for such a file.
    pub fn new_line(entropy: &dyn Entropy) -> Result<(KeyId, Zeroizing<String>), Invalid> {
        let mut secret = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(&mut *secret)?;
        let id = KeyId::of(&secret);
        let written = Zeroizing::new(STANDARD.encode(*secret));
        Ok((id, Zeroizing::new(format!("{id} {}\n", *written))))
    }

    /// The key that is written with.
    pub fn first(&self) -> Option<KeyId> {
        self.0.first().map(|key| key.id)
    }

    /// As a new store is kept.
    pub fn of_new(&self, owner: &str, entropy: &dyn Entropy) -> Result<Keeping, Invalid> {
        let sealing = self.0.first().map(|key| Sealing::new(key, owner, entropy));
        Ok(Keeping(sealing.transpose()?))
    }

    /// As a store is kept that says that it is under this key. It is refused where the key is not one of these, and where a key is
    /// wanted and there is none: nothing is written bare beside what is sealed, nor the other way round.
    pub fn of_store(
        &self,
        found: Option<KeyId>,
        owner: &str,
        entropy: &dyn Entropy,
    ) -> Result<Keeping, Invalid> {
        if found.is_none() && self.first().is_some() {
            let detail = "the store was made without a key, and the configuration names one: stop the service and run `rekey`";
            return Err(Invalid::new(Reason::FieldInvalid, FIELD, detail));
        }
        self.as_found(found, owner, entropy)
    }

    /// The same, also of a store without a key: for whoever writes it anew.
    pub fn as_found(
        &self,
        found: Option<KeyId>,
        owner: &str,
        entropy: &dyn Entropy,
    ) -> Result<Keeping, Invalid> {
        let Some(id) = found else { return Ok(Keeping(None)) };
        let key = self.0.iter().find(|key| key.id == id);
        let key = key.ok_or_else(|| {
            let has = match self.0.len() {
                0 => "the configuration names no file of keys ([store] key)".to_owned(),
                _ => format!("the file has {}", self.listed()),
            };
            let detail = format!(
                "wrong key: the store is sealed with {id}, and {has}; put that key into the file, \
                 or restore a backup into an empty folder"
            );
            Invalid::new(Reason::FieldInvalid, FIELD, detail)
        })?;
        Ok(Keeping(Some(Sealing::new(key, owner, entropy)?)))
    }

    /// All of them, the one that is written with first.
    pub fn names(&self) -> Vec<KeyId> {
        self.0.iter().map(|key| key.id).collect()
    }

    fn listed(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|key| key.id.to_string()).collect();
        names.join(", ")
    }
}

fn read_line(line: &str) -> Option<Key> {
    let (id, secret) = line.split_once(' ')?;
    let bytes = Zeroizing::new(STANDARD.decode(secret.trim()).ok()?);
    let secret = Zeroizing::new(<[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok()?);
    // A letter that was copied wrongly is not found out by the store, years later.
    let id = KeyId::parse(id.as_bytes()).filter(|id| *id == KeyId::of(&secret))?;
    Some(Key { id, secret })
}

/// How the values of one store are kept: bare, or sealed.
pub struct Keeping(Option<Sealing>);

struct Sealing {
    id: KeyId,
    values: LessSafeKey,
    names: LessSafeKey,
    /// Nonces are drawn from it, one for each number.
    seed: Zeroizing<[u8; 32]>,
    drawn: AtomicU64,
}

impl fmt::Debug for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keeping({:?})", self.key())
    }
}

impl Sealing {
    fn new(key: &Key, owner: &str, entropy: &dyn Entropy) -> Result<Self, Invalid> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(&*key.secret);
        let derived = |what: &[u8]| {
            let info = [what, b" ", owner.as_bytes()];
            let derived = extracted.expand(&info, &AES_256_GCM_SIV).map_err(|_| unusable())?;
            Ok::<_, Invalid>(LessSafeKey::new(UnboundKey::from(derived)))
        };
        let (values, names) = (derived(b"values")?, derived(b"names")?);
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed)?;
        Ok(Self { id: key.id, values, names, seed, drawn: AtomicU64::new(0) })
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let digest = Digest::of_parts([&self.seed[..], &number]).0;
        digest.first_chunk().copied().unwrap_or_default()
    }
}

impl Keeping {
    /// As it is without a key.
    pub fn bare() -> Self {
        Self(None)
    }

    /// The key that it is under; none: bare.
    pub fn key(&self) -> Option<KeyId> {
        self.0.as_ref().map(|sealing| sealing.id)
    }

    /// A value as it lies in a room under a key.
    pub fn seal<'a>(
        &self,
        room: &str,
        key: &[u8],
        value: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, Invalid> {
        let Some(sealing) = &self.0 else { return Ok(Cow::Borrowed(value)) };
        let nonce = sealing.nonce();
        let mut sealed = Vec::with_capacity(HEADER_BYTES + value.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend(nonce);
        put(&sealing.values, nonce, &place(room, key), value, &mut sealed)?;
        Ok(Cow::Owned(sealed))
    }

    /// The value that was sealed for this very place.
    pub fn open<'a>(
        &self,
        room: &str,
        key: &[u8],
        stored: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, Invalid> {
        let Some(sealing) = &self.0 else { return Ok(Cow::Borrowed(stored)) };
        let read = || {
            let (version, rest) = stored.split_first()?;
            let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
            let ours = *version == VERSION;
            ours.then(|| take(&sealing.values, *nonce, &place(room, key), sealed)).flatten()
        };
        read().map(Cow::Owned).ok_or_else(|| damaged(room))
    }

    /// A name as it lies in a room, where names say something: always the same, so that it is found again; never what it says.
    pub fn hide<'a>(&self, room: &str, name: &'a [u8]) -> Result<Cow<'a, [u8]>, Invalid> {
        let Some(sealing) = &self.0 else { return Ok(Cow::Borrowed(name)) };
        let mut hidden = Vec::with_capacity(name.len() + TAG_BYTES);
        put(&sealing.names, [0; NONCE_LEN], room.as_bytes(), name, &mut hidden)?;
        Ok(Cow::Owned(hidden))
    }

    /// What [`Self::hide`] was given.
    pub fn reveal<'a>(&self, room: &str, hidden: &'a [u8]) -> Result<Cow<'a, [u8]>, Invalid> {
        let Some(sealing) = &self.0 else { return Ok(Cow::Borrowed(hidden)) };
        let name = take(&sealing.names, [0; NONCE_LEN], room.as_bytes(), hidden);
        name.map(Cow::Owned).ok_or_else(|| damaged(room))
    }

    /// A format as a store says it that is kept like this.
    pub fn mark<'a>(&self, format: &'a [u8]) -> Cow<'a, [u8]> {
        match self.key() {
            None => Cow::Borrowed(format),
            Some(id) => Cow::Owned([format, SEALED_WITH, id.to_string().as_bytes()].concat()),
        }
    }
}

/// What a store says of itself: its format, and with which key the rest is sealed.
pub fn read_mark(found: &[u8]) -> (&[u8], Option<KeyId>) {
    let cut = |(format, rest): (_, &'_ [u8])| {
        Some((format, KeyId::parse(rest.strip_prefix(SEALED_WITH)?)?))
    };
    let id_bytes = SEALED_WITH.len() + 2 * size_of::<KeyId>();
    let at = found.len().checked_sub(id_bytes);
    match at.and_then(|at| cut(found.split_at(at))) {
        Some((format, id)) => (format, Some(id)),
        None => (found, None),
    }
}

/// What a value is bound to. No name of a room holds a zero.
fn place(room: &str, key: &[u8]) -> Vec<u8> {
    [room.as_bytes(), &[0], key].concat()
}

fn put(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    place: &[u8],
    value: &[u8],
    into: &mut Vec<u8>,
) -> Result<(), Invalid> {
    let from = into.len();
    into.extend_from_slice(value);
    let (nonce, place) = (Nonce::assume_unique_for_key(nonce), Aad::from(place));
    let tag =
        key.seal_in_place_separate_tag(nonce, place, into.get_mut(from..).unwrap_or_default());
    into.extend_from_slice(tag.map_err(|_| unusable())?.as_ref());
    Ok(())
}

fn take(key: &LessSafeKey, nonce: [u8; NONCE_LEN], place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut value = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = key.open_in_place(nonce, Aad::from(place), &mut value).ok()?.len();
    value.truncate(length);
    Some(value)
}

fn damaged(room: &str) -> Invalid {
    let detail = format!("something in {room} was changed, cut off, or put in another's place");
    Invalid::new(Reason::StoreFailed, "store", detail)
}

fn unusable() -> Invalid {
    Invalid::new(Reason::Internal, FIELD, "the cipher cannot be used on this machine")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";

    /// Worked out by another program: Python's cryptography, HKDF and AES-GCM-SIV of OpenSSL.
    const KNOWN: [&str; 3] = [
        "0136a69d3efd847c07ffbda62c693fe209e21439bf9f1c23b263f7ab3104b9e9c982",
        "fead2429dc0f08d06da758d1c2ae2485fbaf165f",
        "accord-node 6 sealed with 344ce6af",
    ];

    struct Counted;

    impl Entropy for Counted {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), Invalid> {
            (0_u8..).zip(bytes).for_each(|(number, byte)| *byte = number);
            Ok(())
        }
    }

    fn keys(entropy: &dyn Entropy) -> Keys {
        Keys::parse(&Keys::new_line(entropy).unwrap().1).unwrap()
    }

    fn refused<T: fmt::Debug>(tried: Result<T, Invalid>, what: &str) {
        let error = tried.unwrap_err();
        assert_eq!(error.reason, Reason::StoreFailed, "{what}: {error}");
    }

    #[test]
    fn a_sealed_value_has_the_bytes_that_it_always_had() {
        let keeping = keys(&Counted).of_new(OWNER, &Counted).unwrap();
        let sealed = keeping.seal("grants", b"key", b"value").unwrap();
        let hidden = keeping.hide("mappings", b"name").unwrap();
        let mark = keeping.mark(b"accord-node 6");
        let found =
            [hex::encode(sealed), hex::encode(hidden), String::from_utf8(mark.into()).unwrap()];
        assert_eq!(found, KNOWN);
    }

    #[test]
    fn a_value_opens_only_as_it_was_sealed_and_where() {
        let keys = keys(&SystemEntropy);
        let keeping = keys.of_new(OWNER, &SystemEntropy).unwrap();
        let sealed = keeping.seal("grants", b"key", b"a figure").unwrap().into_owned();
        assert_eq!(*keeping.open("grants", b"key", &sealed).unwrap(), *b"a figure");
        assert_ne!(*keeping.seal("grants", b"key", b"a figure").unwrap(), *sealed, "a nonce twice");
        // Again at the next start.
        let again = keys.of_store(keeping.key(), OWNER, &SystemEntropy).unwrap();
        assert_eq!(*again.open("grants", b"key", &sealed).unwrap(), *b"a figure");
        for (room, key) in [("grants", &b"kez"[..]), ("answers", b"key"), ("grant", b"s\0key")] {
            refused(keeping.open(room, key, &sealed), room);
        }
        for at in 0..sealed.len() {
            refused(keeping.open("grants", b"key", &sealed[..at]), "cut off");
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            refused(keeping.open("grants", b"key", &flipped), "flipped");
        }
        refused(keeping.open("grants", b"key", b"a figure"), "bare beside sealed");
        let stranger = keys.of_new(&OWNER.replace("AL", "BA"), &SystemEntropy).unwrap();
        refused(stranger.open("grants", b"key", &sealed), "of another store");
    }

    #[test]
    fn a_name_is_found_again_and_says_nothing() {
        let keeping = keys(&SystemEntropy).of_new(OWNER, &SystemEntropy).unwrap();
        let hidden = keeping.hide("mappings", b"seizures").unwrap();
        assert_eq!(hidden, keeping.hide("mappings", b"seizures").unwrap());
        assert_ne!(hidden, keeping.hide("peers", b"seizures").unwrap());
        assert!(!hidden.windows(4).any(|part| b"seizures".windows(4).any(|of| of == part)));
        assert_eq!(*keeping.reveal("mappings", &hidden).unwrap(), *b"seizures");
        refused(keeping.reveal("peers", &hidden), "another room");
        refused(keeping.reveal("mappings", b"seizures"), "bare");
    }

    #[test]
    fn a_store_says_which_key_it_needs_and_another_one_is_named_as_wrong() {
        let (mine, other) = (keys(&SystemEntropy), keys(&SystemEntropy));
        let keeping = mine.of_new(OWNER, &SystemEntropy).unwrap();
        let mark = keeping.mark(b"accord-node 6");
        let (format, id) = read_mark(&mark);
        assert_eq!((format, id), (&b"accord-node 6"[..], mine.first()));
        assert_eq!(read_mark(b"accord-node 6"), (&b"accord-node 6"[..], None));
        let tried = |keys: &Keys, id| keys.of_store(id, OWNER, &SystemEntropy).map(|of| of.key());
        assert_eq!(tried(&mine, id).unwrap(), id);
        for (keys, found, says) in [
            (&other, id, "wrong key: "),
            (&Keys::none(), id, "names no file"),
            (&mine, None, "made without a key"),
        ] {
            let error = tried(keys, found).unwrap_err();
            assert_eq!((error.reason, error.field.as_str()), (Reason::FieldInvalid, FIELD));
            assert!(error.detail.contains(says), "{error}");
        }
        assert_eq!(tried(&Keys::none(), None).unwrap(), None);
    }

    #[test]
    fn a_file_of_keys_is_read_whole_or_refused_without_a_word_of_it() {
        let [(first, one), (second, two)] =
            [(); 2].map(|()| Keys::new_line(&SystemEntropy).unwrap());
        let keys = Keys::parse(&format!("# new\n{}\n{}", *one, *two)).unwrap();
        assert_eq!(keys.first(), Some(first));
        assert_eq!(format!("{keys:?}"), format!("Keys({first}, {second})"));
        let secret = one.trim().split_once(' ').unwrap().1;
        let swapped = format!("{second} {secret}");
        for wrong in ["", "# none", "word", secret, &swapped, &one.trim()[..one.len() - 9]] {
            let error = Keys::parse(wrong).unwrap_err();
            assert!(!error.to_string().contains(&secret[..6]), "{error}");
        }
        let many = one.repeat(STORE_KEYS_MAX + 1);
        assert_eq!(Keys::parse(&many).unwrap_err().reason, Reason::LimitExceeded);
    }
}
