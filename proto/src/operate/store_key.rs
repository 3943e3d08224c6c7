//! Keys of a store on an operator's machine. Comes in: a file, or that there is none yet. Goes out: a file with a new key before the
//! others; and what is said of a store that was written anew with it. Must never print a key, nor lose one that a store may still need.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    cli::Outcome,
    files::{beside, rename, write_new_secret},
};
use crate::{
    at_rest::{KeyId, Keys},
    clock::Entropy,
    print::{self, Format},
    reason::Invalid,
    transport::read_secret,
};

/// What whoever has made a key must know.
pub const KEEP_IT: &str =
    "keep a copy of it elsewhere, not with the backups: without it the store is lost";

/// A store that was written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekeyed {
    /// The key that it was under; none: it lay bare.
    pub from: Option<KeyId>,
    /// The key that it is under.
    pub to: KeyId,
    /// How many values it has.
    pub values: u64,
    /// Entries of its journal, with the one that says so.
    pub journal_size: u64,
    /// What lies beside it and was not written anew.
    pub left: Vec<String>,
}

/// The text of a file with one new key.
pub fn new_file(entropy: &dyn Entropy) -> Result<String, Invalid> {
    let (id, line) = Keys::new_line(entropy)?;
    Ok(format!(
        "# Key {id} of a store. The first line is written with, later ones are only read with.\n{}",
        *line
    ))
}

/// Puts a new key before those of a file; makes the file, if there is none.
pub fn add(path: &Path, entropy: &dyn Entropy) -> Result<Outcome, Invalid> {
    let new = zeroize::Zeroizing::new(new_file(entropy)?);
    let mut text = new.clone();
    if path.exists() {
        let before = zeroize::Zeroizing::new(read_secret(path)?);
        Keys::parse(&before)?;
        text.push_str(&before);
        // Not one too many either.
        Keys::parse(&text)?;
        let part = beside(path, ".part");
        write_new_secret(&part, &text)?;
        rename(&part, path)?;
    } else {
        write_new_secret(path, &text)?;
    }
    let keys = Keys::parse(&text)?;
    let names: Vec<_> = keys.names().iter().map(ToString::to_string).collect();
    let shown = json!({"file": path.display().to_string(), "keys": names});
    let mut remarks = vec![KEEP_IT.to_owned()];
    if names.len() > 1 {
        let next = "stop the service and run `rekey`; then the lines of older keys may be deleted";
        remarks.push(next.to_owned());
    }
    let data = print::rows(Format::Table, &shown);
    Ok(Outcome { data, remarks, ..Outcome::default() })
}

/// What came of sealing a store anew. `data`: where it lies.
pub fn said(data: &Path, rekeyed: Option<Rekeyed>) -> Outcome {
    let Some(Rekeyed { from, to, values, journal_size, left }) = rekeyed else {
        let remark = "nothing to do: it is sealed with the first key of the file already";
        let data = data.display().to_string();
        return Outcome { data, remarks: vec![remark.to_owned()], ..Outcome::default() };
    };
    let from = from.map_or("none".to_owned(), |from| from.to_string());
    let shown = json!({
        "data": data.display().to_string(),
        "key": to.to_string(),
        "key_before": from,
        "values": values,
        "journal_size": journal_size,
    });
    let mut remarks = vec!["the old files are gone; no other key is needed any more".to_owned()];
    if from == "none" {
        let freed = "what was written bare before may still stand in free blocks of the disk, and in older copies";
        remarks.push(freed.to_owned());
    }
    for name in left {
        let place: PathBuf = data.join(name);
        remarks.push(format!(
            "{} was kept by an upgrade and stays as it was: remove it",
            place.display()
        ));
    }
    Outcome { data: print::rows(Format::Table, &shown), remarks, ..Outcome::default() }
}

/// Tells every tenth of the way on stderr. Nothing where there is little to do.
pub fn progress() -> impl FnMut(u64, u64) {
    /// Fewer are written before anybody could look.
    const WORTH_SHOWING: u64 = 10_000;
    let mut told = 0;
    move |done, all| {
        let tenth = done.saturating_mul(10) / all.max(1);
        if all >= WORTH_SHOWING && tenth > told {
            told = tenth;
            let _ = writeln!(std::io::stderr(), "rekey: {} % written", tenth * 10);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::{clock::SystemEntropy, reason::Reason};

    #[test]
    fn a_new_key_comes_first_and_those_before_it_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.key");
        let made: Vec<_> = (0..3)
            .map(|_| {
                let said = add(&path, &SystemEntropy).unwrap();
                let text = fs::read_to_string(&path).unwrap();
                let secrets = text.lines().filter(|line| !line.starts_with('#'));
                for secret in secrets.filter_map(|line| line.split_once(' ')) {
                    assert!(
                        !said.data.contains(secret.1) && !said.remarks.concat().contains(secret.1)
                    );
                }
                Keys::load(Some(&path)).unwrap().names()
            })
            .collect();
        assert_eq!(made[1][1..], made[0]);
        assert_eq!(made[2][1..], made[1]);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        // What is no file of keys is not written over.
        fs::write(&path, "something else").unwrap();
        assert_eq!(add(&path, &SystemEntropy).unwrap_err().reason, Reason::FieldInvalid);
        assert_eq!(fs::read_to_string(&path).unwrap(), "something else");
    }
}
