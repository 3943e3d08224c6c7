//! Transport: TLS, who-is-who, and the one listener profile. The only file (with its parts) that names rustls.
//!
//! Mutual TLS 1.3 with hybrid post-quantum key exchange preferred. The chain is checked by rustls; who the
//! peer *is*, is read here from the certificate's one URI SAN. "Any certificate of the CA" is never enough.

use std::{fs, path::Path};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::{
    identity::Identity,
    reason::{Invalid, Reason},
    seal::Digest,
};

pub mod channel;
pub mod codec;
pub mod connection;
pub mod dial;
pub mod dialled;
pub mod examination;
pub mod handshake;
pub mod heard;
pub mod listener;
pub mod outgoing;
pub mod pinned;
pub mod renewal;
pub(crate) mod counting;
mod credentials;
mod door;
mod negotiation;
mod proxy;
mod quota;
mod reply;
mod revocation;
mod verifier;
mod watched;
mod work;

pub use credentials::{Credentials, TlsFiles};

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// From the certificate's one URI SAN.
    pub identity: Identity,
    /// SHA-256 of the certificate's subject public key info.
    pub spki: Digest,
}

impl Peer {
    /// Reads a certificate whose chain has been checked.
    pub fn from_certificate(der: &[u8]) -> Result<Self, Invalid> {
        let wrong = |what: &str| Invalid::new(Reason::CertificateIdentity, "certificate", what);
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|_| wrong("cannot be read"))?;
        if !rest.is_empty() {
            return Err(wrong("has bytes behind its end"));
        }
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| wrong("its subject alternative name cannot be read"))?
            .ok_or_else(|| wrong("has no subject alternative name"))?;
        let mut uris =
            names.value.general_names.iter().filter_map(|name| {
                if let GeneralName::URI(uri) = name { Some(*uri) } else { None }
            });
        let (Some(uri), None) = (uris.next(), uris.next()) else {
            return Err(wrong("must carry exactly one URI as subject alternative name"));
        };
        Ok(Self { identity: Identity::parse(uri)?, spki: Digest::of(certificate.public_key().raw) })
    }
}

/// Who serves whom over a connection. Each port speaks one and refuses the other (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// Whoever connects calls.
    Calls,
    /// Whoever connects serves: a node that dials out.
    Serves,
}

impl Protocol {
    fn id(self) -> &'static [u8] {
        match self {
            Self::Calls => b"h2",
            Self::Serves => b"accord-dial/1",
        }
    }
}

/// Whom a client wants to talk to.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The identity that the server's certificate must carry.
    pub identity: Identity,
    /// The public keys that the roster registers for it; none if the caller holds no roster.
    pub spki: Option<Vec<Digest>>,
}

impl Expected {
    /// Is this one of them? Otherwise why not, for people.
    fn check(any_of: &[Self], peer: &Peer) -> Result<(), String> {
        let Some(expected) = any_of.iter().find(|expected| expected.identity == peer.identity)
        else {
            let wanted: Vec<_> =
                any_of.iter().map(|expected| expected.identity.to_string()).collect();
            return Err(format!("the server is {}, not {}", peer.identity, wanted.join(" or ")));
        };
        if expected.spki.as_ref().is_some_and(|keys| !keys.contains(&peer.spki)) {
            return Err("the server's key is not the registered one".to_owned());
        }
        Ok(())
    }
}

fn store(ca: &Path) -> Result<RootCertStore, Invalid> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| unusable(ca, &error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Invalid> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(path, &error.to_string()))
}

fn unusable(path: &Path, problem: &str) -> Invalid {
    Invalid::new(Reason::FieldInvalid, path.display().to_string(), problem)
}

fn tls_invalid(error: &dyn std::fmt::Display) -> Invalid {
    Invalid::new(Reason::FieldInvalid, "tls", error.to_string())
}

/// Reads a file that may be replaced while a service runs, up to a bound.
fn read_renewed(path: &Path) -> Result<Vec<u8>, Invalid> {
    use std::io::Read as _;
    let most = crate::limits::RENEWED_BYTES_MAX;
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| unusable(path, &error.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(unusable(path, &format!("is larger than {most} bytes")));
    }
    Ok(bytes)
}

/// Where a supervisor has put credentials for this process.
pub fn credentials_folder() -> Option<std::path::PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty()).map(Into::into)
}

/// Reads a secret file; refuses one that others than its owner may read.
pub fn read_secret(path: &Path) -> Result<String, Invalid> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)
        .map_err(|error| unusable(path, &error.to_string()))?
        .permissions()
        .mode();
    // A supervisor lets the service in by an access list, which shows as rights of the group.
    let handed = credentials_folder().is_some_and(|folder| path.parent() == Some(&folder));
    let others = if handed { 0o037 } else { 0o077 };
    if mode & others != 0 {
        let found = format!("is open to others (mode {:o}); run chmod 600", mode & 0o777);
        return Err(unusable(path, &found));
    }
    fs::read_to_string(path).map_err(|error| unusable(path, &error.to_string()))
}

/// Writes a secret file that only its owner may read. Never overwrites.
pub fn write_secret(path: &Path, text: &str) -> Result<(), Invalid> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| unusable(path, &error.to_string()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn hybrid_post_quantum_key_exchange_is_preferred() {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        assert_eq!(provider.kx_groups[0].name(), rustls::NamedGroup::X25519MLKEM768);
    }
}
