//! Acknowledged means durable. Comes in: a way to flush a store, and its folder. Goes out: a promise
//! that resolves only when the flushed bytes would survive a power cut.
//!
//! sled's `flush` ends in `sync_file_range`, which a power cut does not respect: every file of the store
//! and the folder itself are fsynced after it. Callers that wait at the same time share one round
//! (group commit). After one failed round nothing is acknowledged any more: what the disk then holds is unknown.
//!
//! Stands in the contract because both binaries make this promise; it names no database.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt,
    fs::{self, File},
    io,
    os::unix::fs::{DirEntryExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Instant,
};

use rustix::fs::{FlockOperation, flock};
use tokio::sync::oneshot;

use crate::{
    limits::{STORE_FREE_PAUSE, STORE_FREE_WAIT},
    reason::{Invalid, Reason},
};

type Waiting = oneshot::Sender<Result<(), Invalid>>;

/// Flushes, and makes sure that what was flushed is durable.
type Round = Box<dyn FnMut() -> Result<(), String> + Send>;

/// The group committer of one store. Dropping it waits for its thread, and with it for the last round.
pub struct Durable {
    round: Arc<Mutex<Round>>,
    /// None: whoever waits does the round.
    committer: Option<Committer>,
}

struct Committer {
    waiting: mpsc::Sender<Waiting>,
    thread: thread::JoinHandle<()>,
}

impl fmt::Debug for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Durable")
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if let Some(Committer { waiting, thread }) = self.committer.take() {
            // The thread ends when nobody can send any more.
            drop(waiting);
            // A panic there has been reported to everybody who waited.
            let _ = thread.join();
        }
    }
}

impl Durable {
    /// `flush` hands everything written so far to the operating system; `folder` holds the store's files.
    pub fn start<F>(folder: PathBuf, flush: F) -> Result<Self, Invalid>
    where
        F: Fn() -> Result<(), String> + Send + 'static,
    {
        Self::start_witnessed(folder, flush, |()| Ok(()))
    }

    /// The same with a witness: what `flush` says it has flushed is handed to `witness` once it is durable, and
    /// nobody is told before `witness` has put that on record.
    pub fn start_witnessed<F, W, State>(
        folder: PathBuf,
        flush: F,
        mut witness: W,
    ) -> Result<Self, Invalid>
    where
        F: Fn() -> Result<State, String> + Send + 'static,
        W: FnMut(State) -> io::Result<()> + Send + 'static,
    {
        let (mut broken, mut synced) = (false, BTreeMap::new());
        let round: Round = Box::new(move || {
            if broken {
                return Err("an earlier write failed; restart the service".to_owned());
            }
            let outcome = flush().and_then(|state| {
                let durable = sync(&folder, &mut synced).and_then(|()| witness(state));
                durable.map_err(|error| error.to_string())
            });
            broken = outcome.is_err();
            outcome
        });
        let round = Arc::new(Mutex::new(round));
        let (waiting, arrivals) = mpsc::channel::<Waiting>();
        let shared = Arc::clone(&round);
        let thread = thread::Builder::new()
            .name("durable".to_owned())
            .spawn(move || {
                while let Ok(first) = arrivals.recv() {
                    // Whoever is waiting by now has written before now, so one round serves all.
                    let all: Vec<_> = std::iter::once(first).chain(arrivals.try_iter()).collect();
                    let outcome = do_round(&shared);
                    for waiting in all {
                        // Whoever has stopped waiting was not promised anything.
                        let _ = waiting.send(outcome.clone());
                    }
                }
            })
            .map_err(|error| failed(&error.to_string()))?;
        Ok(Self { round, committer: Some(Committer { waiting, thread }) })
    }

    /// Without a thread of its own from here on: whoever waits does a round, and meanwhile nobody else on that thread goes on.
    /// For simulations, whose time must not pass while a disk works.
    pub fn by_whoever_waits(&mut self) {
        let without = Self { round: Arc::clone(&self.round), committer: None };
        drop(std::mem::replace(self, without));
    }

    /// Resolves when everything written before this call is durable.
    pub async fn settled(&self) -> Result<(), Invalid> {
        let Some(committer) = &self.committer else { return do_round(&self.round) };
        let (waiting, settled) = oneshot::channel();
        let ended = || failed("the committer has ended");
        committer.waiting.send(waiting).map_err(|_| ended())?;
        settled.await.map_err(|_| ended())?
    }
}

fn do_round(round: &Mutex<Round>) -> Result<(), Invalid> {
    let mut round = round.lock().unwrap_or_else(PoisonError::into_inner);
    round().map_err(|detail| failed(&detail))
}

/// Opens a store; for one that is `held` it tries again until [`STORE_FREE_WAIT`] is over.
///
/// A database lets go of its files only when its own last writes have ended, a moment after whoever had it open
/// is gone: a service that is started again at once must not fail for that.
pub fn open_when_free<Store, Error>(
    open: impl Fn() -> Result<Store, Error>,
    held: impl Fn(&Error) -> bool,
) -> Result<Store, Error> {
    let until = Instant::now() + STORE_FREE_WAIT;
    loop {
        match open() {
            Err(error) if held(&error) && Instant::now() < until => thread::sleep(STORE_FREE_PAUSE),
            opened => return opened,
        }
    }
}

fn failed(detail: &str) -> Invalid {
    Invalid::new(Reason::StoreFailed, "store", detail)
}

/// What a folder held when it was fsynced: names with inode numbers.
type Listing = BTreeSet<(OsString, u64)>;

/// fsyncs every file below `folder`, and every folder whose entries are not those of its last fsync: a folder
/// with the same names for the same inodes has nothing to lose.
fn sync(folder: &Path, synced: &mut BTreeMap<PathBuf, Listing>) -> io::Result<()> {
    let mut listing = Listing::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        listing.insert((entry.file_name(), entry.ino()));
        let kind = match entry.file_type() {
            // sled removes old snapshots beside us.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            kind => kind?,
        };
        if kind.is_dir() {
            sync(&entry.path(), synced)?;
        } else {
            match File::open(entry.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                file => file?.sync_all()?,
            }
        }
    }
    if synced.get(folder) != Some(&listing) {
        File::open(folder)?.sync_all()?;
        synced.insert(folder.to_owned(), listing);
    }
    Ok(())
}

/// fsyncs everything below a folder, and the folder.
pub fn sync_all(folder: &Path) -> io::Result<()> {
    sync(folder, &mut BTreeMap::new())
}

/// Waits until whoever has a file or folder locked has let go of it, and holds it as long as what it gives is kept.
///
/// A database writes under its folder's name until the very end: whoever gives that name to another one waits for it.
pub fn hold(path: &Path) -> Result<File, Invalid> {
    let named = |error: &dyn fmt::Display| failed(&format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| named(&error))?;
    let lock = || flock(&file, FlockOperation::NonBlockingLockExclusive);
    let held = |error: &rustix::io::Errno| *error == rustix::io::Errno::WOULDBLOCK;
    match open_when_free(lock, held) {
        Ok(()) => Ok(file),
        Err(error) if held(&error) => Err(named(&"another process has it open; stop it first")),
        Err(error) => Err(named(&error)),
    }
}

/// Is there nothing in a folder but what a file system brings along? One that is not there is empty, too.
pub fn is_empty(folder: &Path) -> io::Result<bool> {
    /// What a file system of its own brings along.
    const NOT_OURS: &str = "lost+found";
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries?,
    };
    for entry in entries {
        if entry?.file_name() != NOT_OURS {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Bytes that everything below a folder takes on its disk.
pub fn bytes_of(folder: &Path) -> io::Result<u64> {
    /// What `st_blocks` counts in.
    const BLOCK: u64 = 512;
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            // sled removes old snapshots beside us.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            metadata => {
                let metadata = metadata?;
                if metadata.is_dir() {
                    bytes_of(&entry.path())?
                } else {
                    metadata.blocks().saturating_mul(BLOCK)
                }
            }
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn after_one_failure_nothing_is_acknowledged() {
        let rounds = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&rounds);
        let flush = move || match counted.fetch_add(1, Ordering::SeqCst) {
            1 => Err("staged".to_owned()),
            _ => Ok(()),
        };
        let durable =
            Durable::start(std::env::temp_dir().join("accord-no-such-folder"), flush).unwrap();
        assert!(durable.settled().await.is_err(), "the folder cannot be fsynced");
        assert!(durable.settled().await.is_err());
        assert_eq!(rounds.load(Ordering::SeqCst), 1, "a broken store is not flushed again");
    }

    #[tokio::test]
    async fn without_a_thread_whoever_waits_does_a_round_and_a_failure_is_as_final() {
        let rounds = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&rounds);
        let flush = move || match counted.fetch_add(1, Ordering::SeqCst) {
            2 => Err("staged".to_owned()),
            _ => Ok(()),
        };
        let folder = tempfile::tempdir().unwrap();
        let mut durable = Durable::start(folder.path().to_owned(), flush).unwrap();
        durable.settled().await.unwrap();
        durable.by_whoever_waits();
        durable.settled().await.unwrap();
        assert!(durable.settled().await.is_err());
        assert!(durable.settled().await.is_err());
        assert_eq!(rounds.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_store_that_is_still_closing_is_waited_for_and_any_other_fault_is_told_at_once() {
        let tries = AtomicUsize::new(0);
        let open = |frees_at, fault| match tries.fetch_add(1, Ordering::SeqCst) {
            tried if tried < frees_at => Err(fault),
            _ => Ok(()),
        };
        open_when_free(|| open(3, "held"), |fault| *fault == "held").unwrap();
        assert_eq!(tries.swap(0, Ordering::SeqCst), 4);
        open_when_free(|| open(3, "damaged"), |fault| *fault == "held").unwrap_err();
        assert_eq!(tries.swap(0, Ordering::SeqCst), 1);
        open_when_free(|| open(usize::MAX, "held"), |fault| *fault == "held").unwrap_err();
        assert!(tries.load(Ordering::SeqCst) > 2, "no end of waiting is not waiting");
    }
}
