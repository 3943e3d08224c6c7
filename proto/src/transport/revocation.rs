//! Revocation. Comes in: a file with the revocation lists of the authorities that are trusted. Goes out: what rustls checks every
//! certificate of a chain against, and how fresh that is. Must never take an old list for a new one: past its grace nobody
//! is believed any more.
//!
//! ```text
//! issued ──────── fresh ────────► next update ── stale: warned of ──► + CRL_GRACE ── nobody is admitted
//! ```

use std::path::Path;

use rustls::pki_types::{CertificateRevocationListDer, UnixTime, pem::PemObject as _};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

use super::unusable;
use crate::{
    limits::{CRL_BYTES_MAX, CRL_GRACE},
    reason::Invalid,
};

/// Revocation lists, one of each authority.
#[derive(Clone, Debug)]
pub(super) struct Revocation {
    pub(super) lists: Vec<CertificateRevocationListDer<'static>>,
    /// The first moment at which one of them is due to be replaced, in seconds since 1970.
    next_update: u64,
}

/// How much a list is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// It is not due yet.
    Fresh,
    /// It was to be replaced by now; it still counts for this many seconds.
    Stale(u64),
    /// Nobody is believed by it.
    Over,
}

impl Revocation {
    /// Reads PEM. Whether each list is signed by its authority is checked when it is used.
    pub(super) fn load(path: &Path) -> Result<Self, Invalid> {
        let size = std::fs::metadata(path).map_err(|error| unusable(path, &error.to_string()))?;
        if size.len() > CRL_BYTES_MAX {
            return Err(unusable(path, &format!("is larger than {CRL_BYTES_MAX} bytes")));
        }
        let lists: Vec<_> = CertificateRevocationListDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|error| unusable(path, &error.to_string()))?;
        let mut next_update = u64::MAX;
        for list in &lists {
            let (_, read) = CertificateRevocationList::from_der(list)
                .map_err(|_| unusable(path, "holds what is no revocation list"))?;
            let due = read
                .next_update()
                .ok_or_else(|| unusable(path, "does not say when the next list is due"))?;
            next_update = next_update.min(u64::try_from(due.timestamp()).unwrap_or(0));
        }
        if lists.is_empty() {
            return Err(unusable(path, "holds no revocation list; where there is none, name none"));
        }
        Ok(Self { lists, next_update })
    }

    /// How much it is worth at a moment.
    pub(super) fn freshness(&self, now: UnixTime) -> Freshness {
        let over = self.next_update.saturating_add(CRL_GRACE.as_secs());
        match now.as_secs() {
            now if now <= self.next_update => Freshness::Fresh,
            now if now <= over => Freshness::Stale(over - now),
            _ => Freshness::Over,
        }
    }
}
