//! Backups. One that was changed on its way is refused; one that was changed and given a digest that fits it is refused, or restores to
//! a store that opens. Nothing is written before the whole file was read.

use std::{path::Path, rc::Rc};

use accord_node::store::{Store, check, restore};
use accord_proto::{
    at_rest::Keys,
    clock::Entropy,
    identity::Identity,
    journal::{Act, Entry},
    seal::Digest,
};
use anyhow::{Context as _, Result};

use super::{accepted, refused, target};
use crate::fuzz::{
    Form, Target, Verdict,
    scene::{Seeded, now},
};

const OWNER: &str = "spiffe://wb6.example/AL/node/al-police/node";

pub(super) fn targets() -> Result<Vec<Target>> {
    let (dir, runtime) = (Rc::new(tempfile::tempdir()?), tokio::runtime::Runtime::new()?);
    let backup = runtime.block_on(backup(&dir.path().join("data")))?;
    // Each target may be run without the other: the folder lives as long as either.
    let (honest, here) = (backup.clone(), Rc::clone(&dir));
    let came = target("backup", Form::Raw, vec![backup.clone()], move |bytes| {
        let place = here.path().join("backup");
        if std::fs::write(&place, bytes).is_err() {
            return Err("no temporary file can be written".to_owned());
        }
        match check(&place) {
            Ok(_) => accepted(bytes == honest, "a backup was changed, and is accepted"),
            Err(error) => refused(error),
        }
    });
    // Records alone: lengths and digest are put around them again.
    let records = taken_apart(&backup).context("no backup")?;
    let restored = target("backup-restored", Form::Wire, vec![records], move |bytes| {
        restored(dir.path(), &runtime, bytes)
    });
    Ok(vec![Target { rounds: 600, ..came }, Target { rounds: 40, ..restored }])
}

/// A store in which something was done, and its backup.
async fn backup(data: &Path) -> Result<Vec<u8>> {
    let store = Store::open(data, OWNER, 0, &Seeded::new(1))?;
    for number in 0..3 {
        let mut change = store.begin()?;
        change.mapping(&format!("kept-{number}"), "source = \"made up\"\n");
        change.raise_consent_epoch();
        change.commit(Entry {
            at: now(),
            act: Act::Alteration,
            by: Identity::parse(OWNER)?,
            to: String::new(),
            why: "test".to_owned(),
            subject: "mapping".to_owned(),
            digest: Digest([1; 32]),
        })?;
    }
    store.settled().await?;
    let mut file = Vec::new();
    store.snapshot()?.write(OWNER, now(), |mut piece| {
        file.append(&mut piece);
        Ok(())
    })?;
    Ok(file)
}

/// Length of what every backup begins with.
fn magic(file: &[u8]) -> Option<usize> {
    // The first record follows: its length in four bytes, the first of which is zero.
    file.iter().position(|byte| *byte == 0)
}

/// The records as fields 1 of one message.
fn taken_apart(file: &[u8]) -> Option<Vec<u8>> {
    let magic = magic(file)?;
    let (mut records, mut rest) =
        (Records { magic: file[..magic].to_vec(), ..Default::default() }, &file[magic..]);
    loop {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if length == 0 {
            return Some(prost::Message::encode_to_vec(&records));
        }
        let (record, behind) = behind.split_at_checked(length)?;
        records.records.push(record.to_vec());
        rest = behind;
    }
}

/// A backup, taken apart.
#[derive(Clone, PartialEq, prost::Message)]
struct Records {
    #[prost(bytes = "vec", tag = "1")]
    magic: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    records: Vec<Vec<u8>>,
}

fn restored(dir: &Path, runtime: &tokio::runtime::Runtime, bytes: &[u8]) -> Verdict {
    let Ok(Records { magic, records }) = prost::Message::decode(bytes) else {
        return refused("no records");
    };
    let mut file = magic;
    for record in &records {
        file.extend(u32::try_from(record.len()).unwrap_or(u32::MAX).to_be_bytes());
        file.extend(record);
    }
    file.extend([0; 4]);
    let digest = Digest::of(&file).0;
    file.extend(digest);
    let (place, data) = (dir.join("restored.backup"), dir.join("restored"));
    let _ = std::fs::remove_dir_all(&data);
    if std::fs::write(&place, file).is_err() {
        return Err("no temporary file can be written".to_owned());
    }
    let around = (&Keys::none(), &Seeded::new(2) as &dyn Entropy);
    match runtime.block_on(restore(&place, &data, now(), around)) {
        Ok(restored) => {
            let again = Store::open(&data, &restored.header.owner, 0, &Seeded::new(3));
            let stands =
                again.is_ok_and(|again| again.head().journal().size() == restored.journal_size);
            accepted(stands, "what was restored does not open again")
        }
        Err(error) => refused(error),
    }
}
