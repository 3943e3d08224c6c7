//! A stranger: a TLS client that shows any certificate or none, and believes any server.

use accord_proto::{pki::Issued, wire};
use accord_tests::hostile::tls::client;

use crate::Running;

/// A TLS client that shows any certificate or none, and reads the server's first bytes.
pub(super) async fn raw_call(running: &Running, shown: Option<&Issued>) -> std::io::Result<()> {
    use rustls::pki_types::ServerName;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let shown = shown.map(|issued| (issued.certificate_pem.as_str(), issued.key_pem.as_str()));
    let config = client(shown).map_err(std::io::Error::other)?;
    let tcp = tokio::net::TcpStream::connect(&running.nodes["al-police"].exchange).await?;
    let name = ServerName::try_from("node.invalid").unwrap();
    let mut tls = tokio_rustls::TlsConnector::from(config).connect(name, tcp).await?;
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
