//! A new key in the place of one that is in use. Comes in: the folder that holds `tls.key` and `tls.crt`. Goes out, first:
//! `tls.key.next` and a request for the same identity; then, when everybody can know the new key: both in their place.
//! Must never put in place what others would refuse, nor lose the key that is in use before.

use std::path::{Path, PathBuf};

use rcgen::{KeyPair, PublicKeyData as _};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{authority::failed, request::Request};
use crate::{
    clock::Timestamp,
    identity::Identity,
    operate::{files, pem},
    own_lists,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Digest, PublicKey},
    transport::{Peer, read_secret},
};

/// The files of a rotation.
pub(super) struct Rotation {
    key: PathBuf,
    certificate: PathBuf,
    next_key: PathBuf,
    next_certificate: PathBuf,
    /// The request for the new key.
    pub(super) request: PathBuf,
}

/// Who has to know the new key before it is used.
pub(super) struct Knowing<'a> {
    pub(super) roster: Option<&'a Path>,
    pub(super) root: Option<&'a Path>,
    pub(super) lists: Option<&'a Path>,
    pub(super) ca: Option<&'a Path>,
}

impl Rotation {
    pub(super) fn of(dir: &Path) -> Self {
        let [key, certificate, request] =
            ["tls.key", "tls.crt", "tls.csr"].map(|name| dir.join(name));
        Self {
            next_key: files::beside(&key, ".next"),
            next_certificate: files::beside(&certificate, ".next"),
            request: files::beside(&request, ".next"),
            key,
            certificate,
        }
    }

    /// A new key beside the one in use, and a request for it; begun before, the same again.
    pub(super) fn begin(&self) -> Result<(Identity, Digest), Invalid> {
        let own = first(&self.certificate)?;
        let identity = Peer::from_certificate(&own)?.identity;
        let key = if self.next_key.exists() {
            key(&self.next_key)?
        } else {
            let key = KeyPair::generate().map_err(failed)?;
            files::write_new_secret(&self.next_key, &key.serialize_pem())?;
            key
        };
        let spki = key.subject_public_key_info();
        let digest = Digest::of(&spki);
        if self.request.exists() {
            let asked = Request::read(&files::read(&self.request)?)?;
            if asked != (Request { identity: identity.clone(), spki }) {
                return Err(files::unusable(&self.request, "is a request of another rotation"));
            }
        } else {
            files::write_new(&self.request, Request::write(&identity, &key)?.as_bytes())?;
        }
        Ok((identity, digest))
    }

    /// Puts the new key and its certificate in their place. Interrupted, it goes on where it was.
    pub(super) fn finish(
        &self,
        knowing: &Knowing<'_>,
        now: Timestamp,
    ) -> Result<(Identity, Digest), Invalid> {
        let next = Peer::from_certificate(&first(&self.next_certificate)?)?;
        let own = Peer::from_certificate(&first(&self.certificate)?)?;
        if next.identity != own.identity {
            let detail = format!("is of {}, and {} is in use", next.identity, own.identity);
            return Err(files::unusable(&self.next_certificate, detail));
        }
        let moved = !self.next_key.exists();
        let key_file = if moved { &self.key } else { &self.next_key };
        if Digest::of(&key(key_file)?.subject_public_key_info()) != next.spki {
            let detail = format!("is not of the key {}", key_file.display());
            return Err(files::unusable(&self.next_certificate, detail));
        }
        self.check_chain(knowing, &next.identity, now)?;
        check_registered(knowing, &next, now)?;
        // A service that reads between the two refuses the pair, and goes on with what it has.
        if !moved {
            files::rename(&self.next_key, &self.key)?;
        }
        files::rename(&self.next_certificate, &self.certificate)?;
        // It has served; a file that stays behind would stop the next rotation.
        let _ = std::fs::remove_file(&self.request);
        Ok((next.identity, next.spki))
    }

    /// The new certificate is valid, and of an authority that others trust, where that is known.
    fn check_chain(
        &self,
        knowing: &Knowing<'_>,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<(), Invalid> {
        let wrong = |what: &str| files::unusable(&self.next_certificate, what);
        let chain = pem::certificates(&files::read(&self.next_certificate)?).map_err(wrong)?;
        for der in &chain {
            let (_, read) = X509Certificate::from_der(der).map_err(failed)?;
            let validity = read.validity();
            let valid = validity.not_before.timestamp()..=validity.not_after.timestamp();
            if !valid.contains(&now.as_s()) {
                return Err(wrong("is not valid now"));
            }
        }
        // What lies beside a person's certificate is not the authority that signed it.
        let beside = self.certificate.with_file_name("ca.crt");
        let beside = (!identity.role.is_staff()).then_some(beside.as_path());
        let (Some(ca), Some(last)) = (knowing.ca.or(beside), chain.last()) else {
            return Ok(());
        };
        let (_, last) = X509Certificate::from_der(last).map_err(failed)?;
        let trusted =
            pem::certificates(&files::read(ca)?).map_err(|what| files::unusable(ca, what))?;
        let signed = trusted.iter().any(|der| {
            X509Certificate::from_der(der).is_ok_and(|(_, authority)| {
                authority.subject().as_raw() == last.issuer().as_raw()
                    && last.verify_signature(Some(authority.public_key())).is_ok()
            })
        });
        if signed { Ok(()) } else { Err(wrong(&format!("is of no authority in {}", ca.display()))) }
    }
}

/// A service's key counts where the roster lists it.
fn check_registered(knowing: &Knowing<'_>, next: &Peer, now: Timestamp) -> Result<(), Invalid> {
    if next.identity.role.is_staff() {
        return Ok(());
    }
    let (Some(roster), Some(root)) = (knowing.roster, knowing.root) else {
        let detail =
            "a service's new key counts only where the roster lists it: give --roster and --root";
        return Err(Invalid::new(Reason::FieldMissing, "--roster", detail));
    };
    let lists = own_lists::load(knowing.lists)?;
    let key = PublicKey::from_hex("--root", &files::read_text(root)?)?;
    let file = files::read(roster)?;
    let (roster, _) = Roster::read(("--roster", &file), &key, lists, 0, now)?;
    if roster.registers(&next.identity, &next.spki) {
        return Ok(());
    }
    let detail = format!("the roster does not list the new key {} of {}", next.spki, next.identity);
    Err(Invalid::new(Reason::CertificateUnregistered, "--roster", detail))
}

/// The first certificate of a file: its owner's.
fn first(path: &Path) -> Result<Vec<u8>, Invalid> {
    let wrong = |what: &str| files::unusable(path, what);
    let certificates = pem::certificates(&files::read(path)?).map_err(wrong)?;
    certificates.into_iter().next().ok_or_else(|| wrong("is empty"))
}

fn key(path: &Path) -> Result<KeyPair, Invalid> {
    KeyPair::from_pem(&read_secret(path)?)
        .map_err(|_| files::unusable(path, "holds no private key in PEM form"))
}
