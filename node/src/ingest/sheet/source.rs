//! Raw bytes in, unpacked and counted bytes out: a stream whose beginning can be looked at.
//!
//! Must never hold more than its buffers, however large the file or what a packed one swells to.

use std::io::{self, Read};

use accord_proto::reason::{Invalid, Reason};
use flate2::read::MultiGzDecoder;

/// What is looked at before anything is decided: long enough for letters to show their encoding.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

const GZIP: &[u8] = b"\x1f\x8b";

pub(super) type Stream<'a> = Box<dyn Read + Send + 'a>;

/// The file cannot be read: what was found, where, what to do.
pub(super) fn unreadable(detail: impl Into<String>) -> Invalid {
    Invalid::new(Reason::ImportUnreadable, "file", detail)
}

/// A bound is exceeded.
pub(super) fn too_much(detail: impl Into<String>) -> Invalid {
    Invalid::new(Reason::LimitExceeded, "file", detail)
}

/// What went wrong below: our own refusals travel through readers inside an `io::Error`.
pub(super) fn refusal(error: &io::Error) -> Invalid {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Invalid>()) {
        Some(invalid) => invalid.clone(),
        None => unreadable(format!("reading stopped: {error}")),
    }
}

/// Unpacks if it is gzip, and says so.
pub(super) fn open(file: Stream<'_>, bytes_max: u64) -> Result<(Peeked<'_>, bool), Invalid> {
    let raw = Peeked::new(file)?;
    let packed = raw.head().starts_with(GZIP);
    let plain: Stream<'_> =
        if packed { Box::new(Unpacking(MultiGzDecoder::new(raw))) } else { Box::new(raw) };
    let plain = Peeked::new(Box::new(Counted { inner: plain, left: bytes_max, most: bytes_max }))?;
    if packed && plain.head().starts_with(GZIP) {
        return Err(unreadable("is gzip inside gzip; unpack it once"));
    }
    Ok((plain, packed))
}

/// A stream of which the beginning is kept for looking at, and is then read like the rest.
pub(super) struct Peeked<'a> {
    head: Vec<u8>,
    at: usize,
    rest: Stream<'a>,
    whole: bool,
}

impl<'a> Peeked<'a> {
    pub(super) fn new(mut rest: Stream<'a>) -> Result<Self, Invalid> {
        let mut head = vec![0; HEAD_BYTES];
        let mut filled = 0;
        let mut whole = false;
        while filled < HEAD_BYTES && !whole {
            match rest.read(&mut head[filled..]) {
                Ok(0) => whole = true,
                Ok(got) => filled += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(refusal(&error)),
            }
        }
        head.truncate(filled);
        Ok(Self { head, at: 0, rest, whole })
    }

    /// What has not been skipped of the beginning.
    pub(super) fn head(&self) -> &[u8] {
        self.head.get(self.at..).unwrap_or_default()
    }

    /// Is the beginning all there is?
    pub(super) fn whole(&self) -> bool {
        self.whole
    }

    /// Passes over bytes of the beginning.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.head.len());
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut head = self.head();
        if head.is_empty() {
            return self.rest.read(out);
        }
        let got = head.read(out)?;
        self.at += got;
        Ok(got)
    }
}

/// Counts what comes out of a file; past the bound comes a refusal instead.
struct Counted<R> {
    inner: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(out)?;
        match self.left.checked_sub(got as u64) {
            Some(left) => self.left = left,
            None => {
                let most = self.most;
                let detail = format!("unpacked, it is more than {most} bytes; split the file");
                return Err(io::Error::other(too_much(detail)));
            }
        }
        Ok(got)
    }
}

/// Gzip whose errors speak to people.
struct Unpacking<R>(R);

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|error| {
            if error.get_ref().is_some_and(|inner| inner.is::<Invalid>()) {
                return error;
            }
            let found = if error.kind() == io::ErrorKind::UnexpectedEof {
                "is cut off before its end".to_owned()
            } else {
                format!("is damaged ({error})")
            };
            io::Error::other(unreadable(format!("the gzip file {found}; copy or pack it again")))
        })
    }
}

/// Lets only so many bytes through until it is refilled: no row may grow past its bound.
pub(super) struct Rationed<R> {
    inner: R,
    left: usize,
}

impl<R> Rationed<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, left: 0 }
    }

    pub(super) fn refill(&mut self, bytes: usize) {
        self.left = bytes;
    }
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !out.is_empty() {
            return Err(io::Error::other(row_too_long()));
        }
        let got = self.inner.read(out)?;
        self.left = self.left.saturating_sub(got);
        Ok(got)
    }
}

fn row_too_long() -> Invalid {
    let most = accord_proto::limits::IMPORT_ROW_BYTES_MAX;
    too_much(format!("a row of more than {most} bytes; is a quotation mark never closed?"))
}
