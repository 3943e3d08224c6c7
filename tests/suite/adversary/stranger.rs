//! A stranger: a TLS client that shows any certificate or none, and believes any server.

use std::sync::Arc;

use accord_proto::{pki::Issued, wire};

use crate::Running;

/// A TLS client that shows any certificate or none, and reads the server's first bytes.
pub(super) async fn raw_call(
    running: &Running,
    shown: Option<&Issued>,
    ca_pem: &str,
) -> std::io::Result<()> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some(issued) => {
            let chain =
                vec![CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = tokio::net::TcpStream::connect(&running.nodes["al-police"].exchange).await?;
    let name = ServerName::try_from("node.invalid").unwrap();
    let mut tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    assert_eq!(
        tls.get_ref().1.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name),
        Some(rustls::NamedGroup::X25519MLKEM768),
        "hybrid post-quantum key exchange is what two of us agree on"
    );
    let channel = tonic::transport::Endpoint::from_static("http://node.invalid");
    tls.flush().await?;
    if shown.is_none() {
        // The server's refusal of a missing certificate arrives as the first thing it says.
        let mut first = [0; 1];
        return match tls.read(&mut first).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        };
    }
    let mut once = Some(hyper_util::rt::TokioIo::new(tls));
    let connector = tower::service_fn(move |_: http::Uri| {
        let stream = once.take().ok_or(std::io::Error::from(std::io::ErrorKind::NotConnected));
        async move { stream }
    });
    let channel = channel.connect_with_connector(connector).await.map_err(std::io::Error::other)?;
    let mut client = wire::exchange_client::ExchangeClient::new(channel);
    client.describe(wire::DescribeRequest {}).await.map(drop).map_err(std::io::Error::other)
}

/// Believes any server: this client only looks at how it is refused.
#[derive(Debug)]
struct AnyServer(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &rustls::pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
