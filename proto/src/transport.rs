//! Transport: TLS, who-is-who, and the one listener profile. The only file (with its parts) that names rustls.
//!
//! Mutual TLS 1.3 with hybrid post-quantum key exchange preferred. The chain is checked by rustls; who the
//! peer *is*, is read here from the certificate's one URI SAN. "Any certificate of the CA" is never enough.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::{
    identity::Identity,
    reason::{Invalid, Reason},
    seal::Digest,
};

pub mod codec;
pub mod connection;
pub mod listener;

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

/// Where a party's certificate, key and trusted CAs lie.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// PEM, the party's certificate first, then intermediates.
    pub certificate: PathBuf,
    /// PEM; readable by its owner only.
    pub key: PathBuf,
    /// PEM; two entries while a CA is replaced.
    pub ca: PathBuf,
}

/// A party's own certificate and whom it trusts.
#[derive(Clone)]
pub struct Credentials {
    provider: Arc<CryptoProvider>,
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    roots: Arc<RootCertStore>,
    /// Whose clients its listeners admit.
    admitted: Arc<RootCertStore>,
    own: Peer,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.own.identity)
    }
}

impl Credentials {
    /// Reads the files; the party's own identity is checked like any other's.
    pub fn load(files: &TlsFiles) -> Result<Self, Invalid> {
        let chain: Vec<_> = certificates(&files.certificate)?;
        let pem = read_secret(&files.key)?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| unusable(&files.key, "holds no private key in PEM form"))?;
        let roots = Arc::new(store(&files.ca)?);
        let own = chain.first().ok_or_else(|| unusable(&files.certificate, "is empty"))?;
        let own = Peer::from_certificate(own)?;
        Ok(Self {
            provider: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
            chain,
            key: Arc::new(key),
            admitted: Arc::clone(&roots),
            roots,
            own,
        })
    }

    /// The same party, whose listener admits clients of another CA only: an organisation's own staff.
    pub fn admitting(&self, ca: &Path) -> Result<Self, Invalid> {
        Ok(Self { admitted: Arc::new(store(ca)?), ..self.clone() })
    }

    /// Who this party is.
    pub fn own(&self) -> &Peer {
        &self.own
    }

    /// For a listener: every client must show a certificate of an admitted CA.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, Invalid> {
        let verifier = WebPkiClientVerifier::builder_with_provider(
            Arc::clone(&self.admitted),
            Arc::clone(&self.provider),
        )
        .build()
        .map_err(|error| tls_invalid(&error))?;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| tls_invalid(&error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .map_err(|error| tls_invalid(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A resumed session would skip the client's certificate, and with it expiry and revocation.
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// For a connection to exactly this peer.
    pub fn client_config(&self, expected: Expected) -> Result<Arc<ClientConfig>, Invalid> {
        let verifier = ExpectedPeer {
            expected,
            roots: Arc::clone(&self.roots),
            provider: Arc::clone(&self.provider),
        };
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| tls_invalid(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())
            .map_err(|error| tls_invalid(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Arc::new(config))
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

/// Checks the chain as rustls does, and instead of a DNS name the SPIFFE identity: nodes are known by who
/// they are, not by where they are.
#[derive(Debug)]
struct ExpectedPeer {
    expected: Expected,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ExpectedPeer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = rustls::server::ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        let peer = Peer::from_certificate(end_entity)
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        if peer.identity != self.expected.identity {
            let (is, wanted) = (&peer.identity, &self.expected.identity);
            return Err(rustls::Error::General(format!("the server is {is}, not {wanted}")));
        }
        if self.expected.spki.as_ref().is_some_and(|keys| !keys.contains(&peer.spki)) {
            return Err(rustls::Error::General(
                "the server's key is not the registered one".to_owned(),
            ));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
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

/// Reads a secret file; refuses one that others than its owner may read.
pub fn read_secret(path: &Path) -> Result<String, Invalid> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)
        .map_err(|error| unusable(path, &error.to_string()))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
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
