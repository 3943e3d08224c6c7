//! Through an HTTP proxy. Comes in: a proxy and where to go. Goes out: a stream to there, on which TLS is still to be
//! spoken: the proxy sees where a connection goes and how much passes, and nothing else.

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    limits::PROXY_REPLY_BYTES_MAX,
    reason::{Invalid, Reason, quoted},
};

/// Asks the proxy for a tunnel (CONNECT). The caller bounds the time.
pub(super) async fn connect(proxy: &str, to: &str) -> Result<TcpStream, Invalid> {
    let refused = |detail: String| Invalid::new(Reason::NoConnection, "dial.proxy", detail);
    let lost = |error: std::io::Error| refused(format!("{proxy}: {error}"));
    let mut tcp = TcpStream::connect(proxy).await.map_err(lost)?;
    let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.map_err(lost)?;
    let status = reply(&mut tcp).await.map_err(|detail| refused(format!("{proxy} {detail}")))?;
    if status != 200 {
        return Err(refused(format!("{proxy} opens no way to {to}: it says {status}")));
    }
    Ok(tcp)
}

/// Reads the head of a reply and not a byte more: what follows belongs to TLS. The status.
async fn reply(from: &mut (impl AsyncRead + Unpin)) -> Result<u16, String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= PROXY_REPLY_BYTES_MAX {
            return Err(format!("replies with a head of more than {PROXY_REPLY_BYTES_MAX} bytes"));
        }
        // A byte at a time: a head is short, and there is one for each connection.
        head.push(from.read_u8().await.map_err(|_| "closes before it has replied".to_owned())?);
    }
    let first = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let status = first
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| first.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| format!("does not speak HTTP/1.1: {}", quoted(&first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(mut text: &[u8]) -> (Result<u16, String>, usize) {
        let status = reply(&mut text).await;
        (status, text.len())
    }

    #[tokio::test]
    async fn a_reply_is_read_to_its_end_and_no_further() {
        let (status, left) = said(b"HTTP/1.1 200 Connection established\r\nA: b\r\n\r\nTLS").await;
        assert_eq!((status, left), (Ok(200), 3));
        let (status, _) = said(b"HTTP/1.0 407 Proxy Authentication Required\r\n\r\n").await;
        assert_eq!(status, Ok(407));
    }

    #[tokio::test]
    async fn a_reply_that_is_none_is_refused_in_words() {
        for text in [&b"SSH-2.0-x\r\n\r\n"[..], b"HTTP/1.1 2\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b""]
        {
            assert!(said(text).await.0.is_err(), "{}", String::from_utf8_lossy(text));
        }
        let endless = vec![b'x'; PROXY_REPLY_BYTES_MAX * 2];
        let (status, left) = said(&endless).await;
        assert!(status.unwrap_err().contains("more than"));
        assert_eq!(left, PROXY_REPLY_BYTES_MAX);
    }
}
