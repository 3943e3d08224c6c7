//! Who is believed. Comes in: a certificate chain. Goes out: yes, or why not, as rustls wants it. The chain is checked as rustls
//! does, against revocation lists where there are any; instead of a DNS name the SPIFFE identity counts: peers are known by who
//! they are, not by where they are.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, DistinguishedName, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use super::{Expected, Peer, credentials::Trusted, tls_invalid};
use crate::reason::Invalid;

/// Whose clients are admitted.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) trusted: Arc<Trusted>,
    chains: Arc<dyn ClientCertVerifier>,
}

impl Admission {
    pub(super) fn of(
        trusted: Arc<Trusted>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Invalid> {
        let roots = Arc::clone(&trusted.roots);
        let mut chains = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
        if let Some(revocation) = &trusted.revocation {
            chains = chains.with_crls(revocation.lists.clone());
        }
        let chains = chains.build().map_err(|error| tls_invalid(&error))?;
        Ok(Self { trusted, chains })
    }
}

impl ClientCertVerifier for Admission {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.trusted.check_fresh(now)?;
        self.chains.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Exactly one of these servers.
#[derive(Debug)]
pub(super) struct ExpectedPeer {
    /// Any one of these.
    pub(super) expected: Vec<Expected>,
    pub(super) trusted: Arc<Trusted>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl ExpectedPeer {
    /// The chain, as for a server.
    pub(super) fn check_signed(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let certificate = rustls::server::ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.trusted.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )
    }

    /// … and that nobody has revoked it.
    fn check_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        self.check_signed(end_entity, intermediates, now)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let roots = &self.trusted.roots;
        let Some(revocation) = &self.trusted.revocation else { return Ok(()) };
        self.trusted.check_fresh(now)?;
        let unusable =
            |error: webpki::Error| rustls::Error::General(format!("revocation: {error}"));
        let lists = revocation.lists.iter();
        let lists: Vec<webpki::CertRevocationList<'_>> = lists
            .map(|list| webpki::BorrowedCertRevocationList::from_der(list).map(Into::into))
            .collect::<Result<_, _>>()
            .map_err(unusable)?;
        let lists: Vec<_> = lists.iter().collect();
        let options = webpki::RevocationOptionsBuilder::new(&lists)
            .map_err(|_| rustls::Error::General("there is no revocation list".to_owned()))?
            .build();
        let certificate = webpki::EndEntityCert::try_from(end_entity).map_err(unusable)?;
        let usage = webpki::KeyUsage::server_auth();
        let roots = &roots.roots;
        certificate
            .verify_for_usage(algorithms, roots, intermediates, now, usage, Some(options), None)
            .map(drop)
            .map_err(unusable)
    }
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
        self.check_chain(end_entity, intermediates, now)?;
        let peer = Peer::from_certificate(end_entity)
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        Expected::check(&self.expected, &peer).map_err(rustls::Error::General)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
