//! Backups that only their recipients read: the file format of age (age-encryption.org/v1), keys of X25519. Comes in: recipients, or the
//! key of one. Goes out: bytes that nobody else can read, and these again. Must never fall back to the clear. That a file decrypts
//! says who may read it, not who wrote it.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use age::{
    Decryptor, Encryptor,
    secrecy::ExposeSecret as _,
    stream::StreamWriter,
    x25519::{Identity, Recipient},
};

use crate::{
    limits::BACKUP_RECIPIENTS_MAX,
    reason::{Invalid, Reason},
    transport::{read_secret, write_secret},
};

/// What every encrypted file begins with.
const BEGINNING: &[u8] = b"age-encryption.org/";

/// A new key, written where only its owner reads it; gives the recipient that belongs to it.
pub fn new_key(out: &Path) -> Result<String, Invalid> {
    let key = Identity::generate();
    let recipient = key.to_public().to_string();
    let text = format!("# recipient: {recipient}\n{}\n", key.to_string().expose_secret());
    write_secret(out, &text)?;
    Ok(recipient)
}

/// Who may read a backup; nobody is named: whoever has the file.
pub(super) struct Recipients(Vec<Recipient>);

impl Recipients {
    /// Reads those of the command line, and those of a file.
    pub(super) fn parse(named: &[String], file: Option<&Path>) -> Result<Self, Invalid> {
        let parse = |field: &str, text: &str| {
            let wrong = |error: &str| Invalid::new(Reason::FieldInvalid, field, error);
            text.parse::<Recipient>().map_err(wrong)
        };
        let mut all = Vec::new();
        for text in named {
            all.push(parse("--recipient", text)?);
        }
        if let Some(file) = file {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file).map_err(|error| {
                Invalid::new(Reason::FieldInvalid, name.clone(), error.to_string())
            })?;
            for line in lines(&text) {
                all.push(parse(&name, line)?);
            }
            if all.is_empty() {
                // Whoever names a file wants it closed.
                return Err(Invalid::new(Reason::FieldMissing, name, "names nobody"));
            }
        }
        if all.len() > BACKUP_RECIPIENTS_MAX {
            let detail = format!("{} where {BACKUP_RECIPIENTS_MAX} are the most", all.len());
            return Err(Invalid::new(Reason::LimitExceeded, "--recipient", detail));
        }
        Ok(Self(all))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a backup is written to.
pub(super) enum Sealing<To: Write> {
    Open(To),
    Sealed(Box<StreamWriter<To>>),
}

impl<To: Write> Sealing<To> {
    pub(super) fn begin(recipients: &Recipients, to: To) -> Result<Self, Invalid> {
        if recipients.is_empty() {
            return Ok(Self::Open(to));
        }
        let failed = |error: &dyn std::fmt::Display| {
            Invalid::new(Reason::StoreFailed, "backup", error.to_string())
        };
        let all = recipients.0.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(all).map_err(|error| failed(&error))?;
        let writer = encryptor.wrap_output(to).map_err(|error| failed(&error))?;
        Ok(Self::Sealed(Box::new(writer)))
    }

    pub(super) fn finish(self) -> io::Result<To> {
        match self {
            Self::Open(to) => Ok(to),
            Self::Sealed(writer) => writer.finish(),
        }
    }
}

impl<To: Write> Write for Sealing<To> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(to) => to.write(bytes),
            Self::Sealed(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(to) => to.flush(),
            Self::Sealed(writer) => writer.flush(),
        }
    }
}

/// A backup in a file, encrypted or not.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// The key of one of its recipients.
    pub identity: Option<PathBuf>,
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Source {
    /// A file that is not encrypted.
    fn from(path: &P) -> Self {
        Self { path: path.as_ref().to_owned(), identity: None }
    }
}

impl Source {
    /// Its bytes in the clear, from the beginning.
    pub fn open(&self) -> Result<Box<dyn Read>, Invalid> {
        let of =
            |reason, detail: String| Invalid::new(reason, self.path.display().to_string(), detail);
        let opened = File::open(&self.path)
            .map(BufReader::new)
            .and_then(|mut file| Ok((file.fill_buf()?.starts_with(BEGINNING), file)));
        let (encrypted, file) =
            opened.map_err(|error| of(Reason::FieldInvalid, error.to_string()))?;
        if !encrypted {
            return Ok(Box::new(file));
        }
        let Some(path) = &self.identity else {
            let detail = "is encrypted: give the key of one of its recipients with --identity";
            return Err(of(Reason::FieldMissing, detail.to_owned()));
        };
        let keys = identities(path)?;
        let damaged = |error: &dyn std::fmt::Display| {
            of(Reason::StoreFailed, format!("is damaged: it does not decrypt: {error}"))
        };
        let decryptor = Decryptor::new_buffered(file).map_err(|error| damaged(&error))?;
        match decryptor.decrypt(keys.iter().map(|key| key as &dyn age::Identity)) {
            Ok(plain) => Ok(Box::new(BufReader::new(plain))),
            Err(age::DecryptError::NoMatchingKeys) => {
                let detail = format!("is not encrypted for {}", path.display());
                Err(of(Reason::FieldInvalid, detail))
            }
            Err(error) => Err(damaged(&error)),
        }
    }
}

fn identities(path: &Path) -> Result<Vec<Identity>, Invalid> {
    let wrong = |detail: &str| {
        Invalid::new(Reason::FieldInvalid, path.display().to_string(), detail.to_owned())
    };
    let text = read_secret(path)?;
    let keys: Vec<_> = lines(&text)
        .map(|line| line.parse::<Identity>().map_err(wrong))
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err(wrong("holds no key"));
    }
    Ok(keys)
}

/// Lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"all that a store holds";

    fn sealed(recipients: &[String]) -> Vec<u8> {
        let recipients = Recipients::parse(recipients, None).unwrap();
        let mut to = Sealing::begin(&recipients, Vec::new()).unwrap();
        to.write_all(TEXT).unwrap();
        to.finish().unwrap()
    }

    fn read(source: &Source) -> Result<Vec<u8>, Invalid> {
        let mut text = Vec::new();
        let mut file = source.open()?;
        file.read_to_end(&mut text)
            .map_err(|error| Invalid::new(Reason::StoreFailed, "", error.to_string()))?;
        Ok(text)
    }

    #[test]
    fn each_of_its_recipients_reads_it_and_nobody_else_and_no_byte_can_be_changed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, keys) = (dir.path().join("file"), ["a", "b", "c"].map(|of| dir.path().join(of)));
        let recipients: Vec<_> = keys.iter().map(|key| new_key(key).unwrap()).collect();
        let mine = Source { path: path.clone(), identity: Some(keys[0].clone()) };
        let whole = sealed(&recipients[..2]);
        assert!(!whole.windows(TEXT.len()).any(|window| window == TEXT));
        std::fs::write(&path, &whole).unwrap();
        for key in &keys[..2] {
            let source = Source { identity: Some(key.clone()), ..mine.clone() };
            assert_eq!(read(&source).unwrap(), TEXT);
        }
        let stranger = Source { identity: Some(keys[2].clone()), ..mine.clone() };
        assert!(read(&stranger).unwrap_err().detail.contains("is not encrypted for"));
        assert!(read(&Source::from(&path)).unwrap_err().detail.contains("is encrypted"));
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, flipped).unwrap();
            assert_ne!(read(&mine).unwrap_or_default(), TEXT, "byte {at}");
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        read(&mine).unwrap_err();
    }

    #[test]
    fn a_key_is_read_by_its_owner_alone_and_never_written_over() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        new_key(&key).unwrap();
        new_key(&key).unwrap_err();
        identities(&key).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(identities(&key).err().unwrap().detail.contains("open to others"));
    }

    #[test]
    fn a_file_that_names_nobody_is_refused_and_leaves_no_backup_open() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("recipients");
        std::fs::write(&file, "# nobody yet\n").unwrap();
        // Of whom nobody has a key: enough to see that backups are made.
        sealed(&["age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq8r66x".to_owned()]);
        let error = Recipients::parse(&[], Some(&file)).err().unwrap();
        assert_eq!(error.reason, Reason::FieldMissing);
        Recipients::parse(&["age1nobody".to_owned()], None).err().unwrap();
    }
}
