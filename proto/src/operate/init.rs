//! A folder to begin with, for both programs. Comes in: what a configuration is to say, from flags or from somebody at a
//! terminal. Goes out: files that were not there yet, and what is still missing. Must never overwrite anything.

use std::{
    io::{BufRead, Write},
    path::{Path, PathBuf},
};

use super::{Around, files, pki, store_key};
use crate::{
    identity::{Federation, Identity, Name, Place, Role},
    reason::{Invalid, Reason},
    seal::SecretKey,
    taxonomy::Lists,
    transport::read_secret,
};

/// Where the key of the store lies in a folder that is prepared, and what its configuration says of it.
pub const STORE_KEY: &str = "keys/store.key";

/// Somebody at a terminal, or nobody.
pub struct Asking<'a>(Option<(&'a mut dyn BufRead, &'a mut dyn Write)>);

impl std::fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Asking").field(&self.0.is_some()).finish()
    }
}

impl<'a> Asking<'a> {
    /// Nobody answers: what no flag says is left as it is.
    pub fn nobody() -> Self {
        Self(None)
    }

    /// Somebody reads here and answers there.
    pub fn somebody(answers: &'a mut dyn BufRead, questions: &'a mut dyn Write) -> Self {
        Self(Some((answers, questions)))
    }

    /// Asks until `read` takes the answer; what is there in brackets is taken for an empty one. None: nobody is there.
    fn ask<T>(
        &mut self,
        question: &str,
        usual: &str,
        read: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        let Some((answers, questions)) = &mut self.0 else {
            return Ok(None);
        };
        let silent = |error: std::io::Error| {
            Invalid::new(Reason::FieldInvalid, "terminal", error.to_string())
        };
        loop {
            let bracketed = if usual.is_empty() { "?".to_owned() } else { format!(" [{usual}]") };
            write!(questions, "{question}{bracketed} ").map_err(silent)?;
            questions.flush().map_err(silent)?;
            let mut line = String::new();
            if answers.read_line(&mut line).map_err(silent)? == 0 {
                return Ok(None);
            }
            let word = Some(line.trim()).filter(|word| !word.is_empty()).unwrap_or(usual);
            match read(word) {
                Ok(read) => return Ok(Some(read)),
                Err(error) => writeln!(questions, "  {}", error.detail).map_err(silent)?,
            }
        }
    }

    /// A text that a flag has said, or somebody here; `check` says what it must be.
    pub fn text(
        &mut self,
        said: Option<String>,
        (question, usual): (&str, &str),
        check: impl Fn(&str) -> Result<(), Invalid>,
    ) -> Result<Option<String>, Invalid> {
        match said {
            Some(said) => check(&said).map(|()| Some(said)),
            None => self.ask(question, usual, |word| check(word).map(|()| word.to_owned())),
        }
    }

    /// Who the service is, from a flag or piece by piece; none: that is not known yet.
    pub fn identity(
        &mut self,
        said: Option<&str>,
        role: Role,
    ) -> Result<Option<Identity>, Invalid> {
        if let Some(uri) = said {
            let identity = Identity::parse(uri)
                .map_err(|error| Invalid { field: "--uri".to_owned(), ..error })?;
            if identity.role != role {
                let detail = format!("is of {}, and this is {}", identity.role.one(), role.one());
                return Err(Invalid::new(Reason::CertificateIdentity, "--uri", detail));
            }
            return Ok(Some(identity));
        }
        let later = "-";
        let federation =
            self.ask("The federation, like wb6.example; - to say that later", later, |word| {
                if word == later {
                    Ok(None)
                } else {
                    Federation::parse("federation", word).map(Some)
                }
            })?;
        let Some(federation) = federation.flatten() else {
            return Ok(None);
        };
        let (place, usual) = if role == Role::Coordinator {
            (Some(Place::Region), "coordinator".to_owned())
        } else {
            let lists = Lists::builtin();
            let code = self.ask("Whom the node speaks for, like MK", "", |word| {
                Ok(lists.jurisdiction("jurisdiction", word)?.code)
            })?;
            let usual = code.map_or_else(String::new, |code| {
                format!("{}-police", code.as_str().to_lowercase())
            });
            (code.map(Place::Jurisdiction), usual)
        };
        let name = self.ask("Its name", &usual, |word| Name::parse("name", word))?;
        Ok(place.zip(name).map(|(place, name)| Identity { federation, place, name, role }))
    }
}

/// Is it an address and a port to listen at?
pub fn check_listen(text: &str) -> Result<(), Invalid> {
    match text.parse::<std::net::SocketAddr>() {
        Ok(_) => Ok(()),
        Err(_) => {
            let detail = format!("{text:?} is not address:port, like 0.0.0.0:7101");
            Err(Invalid::new(Reason::FieldInvalid, "listen", detail))
        }
    }
}

/// Sets a key of a commented configuration, also one that is commented out; none: comments it out. Everything else stays.
pub fn set(text: &str, (table, key): (&str, &str), value: Option<&str>) -> String {
    let head = format!("[{table}]");
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == head;
        }
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let meant = inside && bare.split_once(" = ").is_some_and(|(name, _)| name == key);
        match (meant, value) {
            (true, Some(value)) => out += &format!("{key} = {}", toml::Value::from(value)),
            (true, None) => out += &format!("# {bare}"),
            (false, _) => out += line,
        }
        out.push('\n');
    }
    out
}

/// A folder that is being prepared.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    said: Vec<String>,
}

impl Folder {
    /// The folder, and `keys` in it.
    pub fn prepare(dir: &Path) -> Result<Self, Invalid> {
        files::make_dir(&dir.join("keys"))?;
        Ok(Self { dir: dir.to_owned(), said: Vec::new() })
    }

    fn say(&mut self, what: &str, name: &str, remark: &str) {
        let remark = if remark.is_empty() { String::new() } else { format!(" ({remark})") };
        self.said.push(format!("{what:<8} {}{remark}", self.dir.join(name).display()));
    }

    /// A file, if it is not there. `asked`: it was to say something of its own.
    pub fn text(&mut self, name: &str, text: &str, asked: bool) -> Result<(), Invalid> {
        let path = self.dir.join(name);
        if path.exists() {
            let remark = if asked { "nothing of what you gave was written into it" } else { "" };
            self.say("kept", name, remark);
        } else {
            files::write_new(&path, text.as_bytes())?;
            self.say("written", name, "");
        }
        Ok(())
    }

    /// A secret file, if it is not there.
    pub fn secret(&mut self, name: &str, text: &str, remark: &str) -> Result<(), Invalid> {
        let path = self.dir.join(name);
        if path.exists() {
            self.say("kept", name, "");
        } else {
            files::write_new_secret(&path, text)?;
            self.say("written", name, remark);
        }
        Ok(())
    }

    /// The key that the store is sealed with, if there is none.
    pub fn store_key(&mut self, around: Around<'_>) -> Result<(), Invalid> {
        let text = zeroize::Zeroizing::new(store_key::new_file(around.entropy)?);
        self.secret(STORE_KEY, &text, store_key::KEEP_IT)
    }

    /// An Ed25519 key with its public half beside it; one that is there is said again.
    pub fn signing_key(
        &mut self,
        name: &str,
        what: &str,
        around: Around<'_>,
    ) -> Result<(), Invalid> {
        let path = self.dir.join(name);
        let key = if path.exists() {
            SecretKey::from_pem(name, &read_secret(&path)?)?
        } else {
            let key = SecretKey::generate(around.entropy)?;
            files::write_new_secret(&path, &key.to_pem()?)?;
            key
        };
        let text = hex::encode(key.public().to_bytes());
        let public = pki::public_of(&path);
        if !public.exists() {
            files::write_new(&public, format!("{text}\n").as_bytes())?;
        }
        self.said.push(format!(
            "{what} key {text} (give this to the federation root for the roster: {})",
            public.display()
        ));
        Ok(())
    }

    /// A key and a request for this identity, if there is no certificate yet.
    pub fn request(&mut self, identity: &Identity) -> Result<(), Invalid> {
        let keys = self.dir.join("keys");
        let key = keys.join("tls.key");
        if keys.join("tls.crt").exists() {
            self.say("kept", "keys/tls.crt", "no request was made: see pki request and pki rotate");
            return Ok(());
        }
        let known = key.exists().then_some(key.as_path());
        let made = pki::request_in(&keys, known, identity)?;
        self.said.push(format!(
            "request  {} (for the federation's CA: {identity})",
            made.request.display()
        ));
        self.said.push(format!("TLS key  {} (its SHA-256 stands in the roster)", made.spki));
        Ok(())
    }

    /// What others still have to give.
    pub fn missing(&mut self, names: &[&str]) {
        for name in names {
            if !self.dir.join(name).exists() {
                self.say("missing", name, "see deploy/README.md");
            }
        }
    }

    /// Everything that was said, a line each.
    pub fn said(self) -> String {
        self.said.join("\n")
    }
}

/// Asks whoever sits at the terminal, if somebody does and may be asked.
pub fn asking<T>(no_input: bool, prepare: impl FnOnce(&mut Asking<'_>) -> T) -> T {
    use std::io::IsTerminal as _;
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stderr().lock());
    if no_input || !input.is_terminal() || !output.is_terminal() {
        return prepare(&mut Asking::nobody());
    }
    prepare(&mut Asking::somebody(&mut input, &mut output))
}
