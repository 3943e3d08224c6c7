//! What a running service says of itself. Comes in: where its operators may ask. Goes out: findings, and how far peers' clocks are off.
//! Must never believe that whoever answers there is who we think, nor wait long for it.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::Findings;
use crate::limits::{OPS_REPLY_BYTES_MAX, OPS_REQUEST_TIMEOUT};

/// What a service says of itself on its own port for operators: status and text.
pub async fn ask(at: SocketAddr, path: &str) -> Result<(u16, String), String> {
    let asking = async {
        let failed = |error: &dyn std::error::Error| error.to_string();
        let stream = TcpStream::connect(at).await.map_err(|error| failed(&error))?;
        let (mut sender, connection) =
            http1::handshake::<_, Empty<bytes::Bytes>>(TokioIo::new(stream))
                .await
                .map_err(|error| failed(&error))?;
        let driving = tokio::spawn(connection);
        let request = http::Request::get(path).header(http::header::HOST, at.to_string());
        let request = request.body(Empty::new()).map_err(|error| failed(&error))?;
        let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), OPS_REPLY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        driving.abort();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    let within = tokio::time::timeout(OPS_REQUEST_TIMEOUT, asking).await;
    within.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

/// What a running service says of itself: each check of `/ready` is a finding, and how far peers' clocks are off is handed back.
pub async fn running(findings: &mut Findings, at: Option<SocketAddr>) -> Vec<(String, f64)> {
    let Some(at) = at else {
        findings.skipped("running", "it cannot be asked: ops.listen is not set");
        return Vec::new();
    };
    match ask(at, "/ready").await {
        Ok((_, text)) => {
            let document: Value = serde_json::from_str(&text).unwrap_or_default();
            if document["state"] == "maintenance" {
                let until = plain(document["until"].as_str().unwrap_or_default());
                let found = format!("others are refused until {until}");
                findings.warning("running: maintenance", found, "when it is done: maintenance end");
            }
            for check in document["checks"].as_array().into_iter().flatten() {
                let name = format!("running: {}", check["check"].as_str().unwrap_or_default());
                let cause = plain(check["cause"].as_str().unwrap_or_default());
                match (check["ok"].as_bool(), check["needed"].as_bool()) {
                    (Some(true), _) => findings.well(&name, "well"),
                    (_, Some(true)) => findings.fault(&name, cause, "its log says more"),
                    _ => findings.warning(&name, cause, "its log says more"),
                }
            }
        }
        Err(error) => {
            findings.warning("running", format!("{at}: {error}"), "look at the service's log");
        }
    }
    let text = ask(at, "/metrics").await.map(|(_, text)| text).unwrap_or_default();
    text.lines().filter_map(offset).collect()
}

/// What is repeated of what somebody says.
const PLAIN_CHARS_MAX: usize = 4_096;

/// What somebody on this machine says, who may not be who we think: nothing that a terminal obeys.
pub(in crate::operate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(PLAIN_CHARS_MAX).collect()
}

/// A line like `accord_clock_offset_seconds{peer="coordinator"} 0.3`.
fn offset(line: &str) -> Option<(String, f64)> {
    let rest = line.strip_prefix("accord_clock_offset_seconds{peer=\"")?;
    let (peer, value) = rest.split_once("\"} ")?;
    Some((peer.to_owned(), value.parse().ok()?))
}
