//! Revocation. Comes in: a file with the revocation lists of the authorities that are trusted. Goes out: what rustls checks every
//! certificate of a chain against, and how fresh that is. Must never take an old list for a new one, nor somebody else's for an
//! authority's own: past its grace nobody is believed any more.
//!
//! ```text
//! issued ──────── fresh ────────► next update ── stale: warned of ──► + CRL_GRACE ── nobody is admitted
//! ```

use std::{collections::BTreeMap, path::Path};

use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject as _,
};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::{read_renewed, unusable};
use crate::{
    clock::Timestamp,
    expiry::Ending,
    limits::CRL_GRACE,
    reason::{Invalid, quoted},
};

/// Revocation lists, one of each authority.
#[derive(Clone, Debug)]
pub(super) struct Revocation {
    pub(super) lists: Vec<CertificateRevocationListDer<'static>>,
    /// The first moment at which one of them is due to be replaced, in seconds since 1970.
    next_update: u64,
    /// When that one was made.
    made: i64,
    /// When each authority, by its name as it is written, has made its list.
    issued: BTreeMap<Vec<u8>, i64>,
    name: String,
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
    /// Reads PEM: a list of each of these authorities, signed by it, and of nobody else. Otherwise nobody would be believed.
    pub(super) fn load(path: &Path, authorities: &[CertificateDer<'_>]) -> Result<Self, Invalid> {
        let wrong = |what: &str| unusable(path, what);
        let lists: Vec<_> = CertificateRevocationListDer::pem_slice_iter(&read_renewed(path)?)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(&error.to_string()))?;
        let authorities: Vec<_> = authorities
            .iter()
            .map(|der| X509Certificate::from_der(der).map(|(_, read)| read))
            .collect::<Result<_, _>>()
            .map_err(|_| wrong("belongs to an authority whose certificate cannot be read"))?;
        let (mut next_update, mut made, mut issued) = (u64::MAX, 0, BTreeMap::new());
        for list in &lists {
            let (_, read) = CertificateRevocationList::from_der(list)
                .map_err(|_| wrong("holds what is no revocation list"))?;
            let signed = |authority: &&X509Certificate<'_>| {
                authority.subject().as_raw() == read.issuer().as_raw()
                    && read.verify_signature(authority.public_key()).is_ok()
            };
            let Some(authority) = authorities.iter().find(signed) else {
                return Err(wrong("holds a list that no authority here has signed"));
            };
            let due = read.next_update();
            let due = due.ok_or_else(|| wrong("does not say when the next list is due"))?;
            let (due, at) = (due.timestamp(), read.last_update().timestamp());
            let due = u64::try_from(due).unwrap_or(0);
            if due < next_update {
                (next_update, made) = (due, at);
            }
            issued.insert(authority.public_key().raw.to_vec(), at);
        }
        if authorities.iter().any(|of| !issued.contains_key(of.public_key().raw)) {
            return Err(wrong("lacks the list of an authority; where there is none, name no file"));
        }
        Ok(Self { lists, next_update, made, issued, name: path.display().to_string() })
    }

    /// Refuses lists older than those that they would take the place of.
    pub(super) fn check_follows(&self, known: &Self) -> Result<(), Invalid> {
        let older = |(authority, at): (&Vec<u8>, &i64)| {
            known.issued.get(authority).is_some_and(|before| at < before)
        };
        if self.issued.iter().any(older) {
            return Err(unusable(Path::new(&self.name), "is older than the list that counts"));
        }
        Ok(())
    }

    /// When the first of them is due to be replaced. They are made anew at a pace of their own.
    pub(super) fn ending(&self) -> Ending {
        let file = Path::new(&self.name).file_name().unwrap_or_default().to_string_lossy();
        let ends = Timestamp::near(i64::try_from(self.next_update).unwrap_or(i64::MAX));
        let since = Some(Timestamp::near(self.made));
        Ending { what: format!("revocation list {}", quoted(&file)), since, ends }
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
