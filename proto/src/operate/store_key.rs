//! Keys of a store on an operator's machine. Comes in: a file, or that there is none yet. Goes out: a file with a new key before the
//! others; and what is said of a store that was written anew with it. Must never print a key, nor lose one that a store may still need,
//! nor leave files that the service cannot read.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    cli::Outcome,
    files::{beside, check_new, check_owned, folder_of, me, rename, unusable, write_new_secret},
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
}

/// The text of a file with one new key.
pub fn new_file(entropy: &dyn Entropy) -> Result<String, Invalid> {
    let (id, line) = Keys::new_line(entropy)?;
    Ok(format!(
        "# Key {id} of a store. The first line is written with, later ones are only read with.\n{}",
        *line
    ))
}

/// Refuses whoever would leave files of its own in the folder of another user's store.
pub fn check_user(data: &Path) -> Result<(), Invalid> {
    check_owned(data, me())
}

/// Puts a new key before those of a file; makes the file, if there is none.
pub fn add(path: &Path, entropy: &dyn Entropy) -> Result<Outcome, Invalid> {
    add_as(me(), path, entropy)
}

fn add_as(me: u32, path: &Path, entropy: &dyn Entropy) -> Result<Outcome, Invalid> {
    check_owned(folder_of(path), me)?;
    check_owned(path, me)?;
    let new = zeroize::Zeroizing::new(new_file(entropy)?);
    let mut text = new.clone();
    if path.exists() {
        let before = zeroize::Zeroizing::new(read_secret(path)?);
        Keys::parse(&before)?;
        text.push_str(&before);
        // Not one too many either.
        Keys::parse(&text)?;
    } else {
        check_new(path)?;
    }
    let part = beside(path, ".part");
    let was_left = remove(&part)?;
    write_new_secret(&part, &text)?;
    rename(&part, path)?;
    let keys = Keys::parse(&text)?;
    let names: Vec<_> = keys.names().iter().map(ToString::to_string).collect();
    let shown = json!({"file": path.display().to_string(), "keys": names});
    let mut remarks = vec![KEEP_IT.to_owned()];
    if names.len() > 1 {
        let next = "stop the service and run `rekey`; once it says that no other key is needed, the lines of older keys may be deleted";
        remarks.push(next.to_owned());
    }
    if was_left {
        // It never was where a store could find it.
        let part = part.display();
        remarks.push(format!(
            "{part} was left by a run that was cut off, and is gone: nothing is sealed with its key"
        ));
    }
    let data = print::rows(Format::Table, &shown);
    Ok(Outcome { data, remarks, ..Outcome::default() })
}

/// Removes a file; was there one?
fn remove(path: &Path) -> Result<bool, Invalid> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true).map_err(|error| unusable(path, error)),
    }
}

/// What came of sealing a store anew. `data`: where it lies. `left`: names of older stores there, which stay as they were.
pub fn said(data: &Path, rekeyed: Option<Rekeyed>, left: &[String]) -> Outcome {
    let mut remarks = Vec::new();
    for name in left {
        let place: PathBuf = data.join(name);
        remarks.push(format!(
            "{} was kept by an upgrade and is not sealed anew, it lies bare or needs an older key: remove it",
            place.display()
        ));
    }
    if left.is_empty() {
        remarks.push("no other key is needed any more".to_owned());
    }
    let Some(Rekeyed { from, to, values, journal_size }) = rekeyed else {
        let remark = "nothing to do: it is sealed with the first key of the file already";
        remarks.insert(0, remark.to_owned());
        return Outcome { data: data.display().to_string(), remarks, ..Outcome::default() };
    };
    remarks.insert(0, "the old files are gone".to_owned());
    let from = from.map_or("none".to_owned(), |from| from.to_string());
    let shown = json!({
        "data": data.display().to_string(),
        "key": to.to_string(),
        "key_before": from,
        "values": values,
        "journal_size": journal_size,
    });
    if from == "none" {
        let freed = "what was written bare before may still stand in free blocks of the disk, and in older copies";
        remarks.push(freed.to_owned());
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

    #[test]
    fn whoever_is_not_the_owner_leaves_nothing_and_is_told_whose_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.key");
        let tried = |me| add_as(me, &path, &SystemEntropy);
        let refused = tried(me() + 1).unwrap_err();
        assert_eq!(refused.reason, Reason::FieldInvalid);
        assert_eq!(refused.field, dir.path().display().to_string());
        assert!(refused.detail.contains(&format!("run it as user {}", me())), "{refused}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        tried(me()).unwrap();
        let before = fs::read_to_string(&path).unwrap();
        tried(me() + 1).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        check_user(dir.path()).unwrap();
        check_user(&dir.path().join("none")).unwrap();
    }

    #[test]
    fn what_a_run_that_was_cut_off_has_left_keeps_nobody_from_the_next_one_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (path, part) = (dir.path().join("store.key"), dir.path().join("store.key.part"));
        for keys in [1, 2] {
            fs::write(&part, "# half a fi").unwrap();
            let said = add(&path, &SystemEntropy).unwrap().remarks.concat();
            assert!(said.contains("store.key.part was left"), "{said}");
            assert!(!part.exists());
            assert_eq!(Keys::load(Some(&path)).unwrap().names().len(), keys);
        }
        assert!(!add(&path, &SystemEntropy).unwrap().remarks.concat().contains(".part"));
    }

    #[test]
    fn no_other_key_is_needed_is_said_only_where_no_older_store_is_left() {
        let entropy = &SystemEntropy;
        let to = Keys::parse(&Keys::new_line(entropy).unwrap().1).unwrap().first().unwrap();
        let rekeyed = Rekeyed { from: None, to, values: 3, journal_size: 2 };
        for done in [Some(rekeyed), None] {
            let data = Path::new("/data");
            let said = |left: &[String]| said(data, done.clone(), left).remarks.join("\n");
            let needless = "no other key is needed";
            assert!(said(&[]).contains(needless));
            let left = said(&["store.accord-node-5".to_owned()]);
            assert!(!left.contains(needless), "{left}");
            assert!(left.contains("/data/store.accord-node-5"), "{left}");
        }
    }
}
