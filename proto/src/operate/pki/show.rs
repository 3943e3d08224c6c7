//! What stands in a file of keys and certificates, in words. Comes in: its bytes. Goes out: a row for each thing in it.
//! Must never say anything of a private key but its public half.

use std::path::Path;

use rcgen::{KeyPair, PublicKeyData as _};
use serde_json::{Value, json};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::request::Request;
use crate::{
    clock::Timestamp,
    identity::Identity,
    operate::{files, pem},
    reason::Invalid,
    seal::{Digest, PublicKey, SecretKey},
    transport::{Peer, read_secret},
};

/// What is said of one thing. Its key is what the roster lists: of TLS the digest, of Ed25519 the public half.
#[derive(Default)]
struct Row {
    is: &'static str,
    who: String,
    allows: String,
    times: Option<(i64, i64)>,
    key: String,
    issuer: String,
    remarks: Vec<String>,
}

/// A row for each thing in the file.
pub(super) fn rows(path: &Path, now: Timestamp) -> Result<Vec<Value>, Invalid> {
    let bytes = files::read(path)?;
    if let Some(key) = std::str::from_utf8(&bytes).ok().and_then(|text| public(text.trim())) {
        return Ok(vec![Row { is: "public key", key, ..Row::default() }.written(path, now)]);
    }
    let blocks = pem::blocks(&bytes).map_err(|what| files::unusable(path, what))?;
    let row = |block: &pem::Block| match block.label.as_str() {
        pem::CERTIFICATE => certificate(&block.der),
        pem::CRL => list(&block.der),
        label if pem::REQUESTS.contains(&label) => Ok(request(&block.der)),
        label if label.ends_with("PRIVATE KEY") => private(path),
        _ => Ok(Row { is: "something else", ..Row::default() }),
    };
    blocks.iter().map(|block| Ok(row(block)?.written(path, now))).collect()
}

fn public(text: &str) -> Option<String> {
    PublicKey::from_hex("", text).ok().map(|key| hex::encode(key.to_bytes()))
}

impl Row {
    fn written(mut self, path: &Path, now: Timestamp) -> Value {
        let at = |seconds: i64| Timestamp::near(seconds).to_string();
        let times = self.times;
        match times {
            Some((from, _)) if now.as_s() < from => self.remarks.push("not valid yet".to_owned()),
            Some((_, until)) if now.as_s() > until => self.remarks.push("is over".to_owned()),
            Some(_) | None => {}
        }
        json!({
            "file": path.display().to_string(),
            "is": self.is,
            "who": self.who,
            "allows": self.allows,
            "from": times.map_or_else(String::new, |(from, _)| at(from)),
            "until": times.map_or_else(String::new, |(_, until)| at(until)),
            "key": self.key,
            "issuer": self.issuer,
            "remarks": self.remarks,
        })
    }
}

fn certificate(der: &[u8]) -> Result<Row, Invalid> {
    let (_, read) = X509Certificate::from_der(der).map_err(super::authority::failed)?;
    let validity = read.validity();
    let mut row = Row {
        is: "certificate",
        who: read.subject().to_string(),
        times: Some((validity.not_before.timestamp(), validity.not_after.timestamp())),
        key: Digest::of(read.public_key().raw).to_string(),
        issuer: read.issuer().to_string(),
        ..Row::default()
    };
    if read.is_ca() {
        let usage = read.key_usage().ok().flatten();
        let may = |of: fn(&x509_parser::extensions::KeyUsage) -> bool| {
            usage.as_ref().is_none_or(|usage| of(usage.value))
        };
        let signs = [
            (may(|usage| usage.key_cert_sign()), "certificates"),
            (may(|usage| usage.crl_sign()), "revocation lists"),
        ];
        let signs: Vec<_> = signs.iter().filter(|(may, _)| *may).map(|(_, what)| *what).collect();
        return Ok(Row { is: "authority", allows: format!("signs {}", signs.join(", ")), ..row });
    }
    match Peer::from_certificate(der) {
        Ok(peer) => {
            row.remarks = lacking(&read, &peer.identity);
            row.allows = peer.identity.role.to_string();
            row.who = peer.identity.to_string();
        }
        Err(error) => row.remarks.push(error.to_string()),
    }
    Ok(row)
}

/// Uses of the key that a holder needs and the certificate does not allow.
fn lacking(read: &X509Certificate<'_>, identity: &Identity) -> Vec<String> {
    let Ok(Some(usage)) = read.extended_key_usage() else {
        return Vec::new();
    };
    let usage = usage.value;
    let needs = [
        (!identity.role.is_staff() && !usage.server_auth, "serverAuth"),
        (!usage.client_auth, "clientAuth"),
    ];
    let lacks = needs.iter().filter(|(lacks, _)| *lacks && !usage.any);
    lacks.map(|(_, what)| format!("lacks {what}")).collect()
}

fn request(der: &[u8]) -> Row {
    match Request::from_der(der) {
        Ok(Request { identity, spki }) => Row {
            is: "request",
            allows: identity.role.to_string(),
            who: identity.to_string(),
            key: Digest::of(&spki).to_string(),
            ..Row::default()
        },
        Err(error) => Row { is: "request", remarks: vec![error.to_string()], ..Row::default() },
    }
}

fn list(der: &[u8]) -> Result<Row, Invalid> {
    let (_, read) = CertificateRevocationList::from_der(der).map_err(super::authority::failed)?;
    let until = read.next_update().map_or(i64::MAX, |next| next.timestamp());
    let mut remarks = vec![format!("{} revoked", read.iter_revoked_certificates().count())];
    remarks.extend(read.crl_number().map(|number| format!("number {number}")));
    Ok(Row {
        is: "revocation list",
        times: Some((read.last_update().timestamp(), until)),
        issuer: read.issuer().to_string(),
        remarks,
        ..Row::default()
    })
}

/// A private key: its public half, if others cannot read it.
fn private(path: &Path) -> Result<Row, Invalid> {
    let text = read_secret(path)?;
    if let Ok(key) = SecretKey::from_pem("key", &text) {
        let key = hex::encode(key.public().to_bytes());
        return Ok(Row { is: "Ed25519 key", key, ..Row::default() });
    }
    let key = KeyPair::from_pem(&text)
        .map_err(|_| files::unusable(path, "holds a private key that cannot be read"))?;
    let key = Digest::of(&key.subject_public_key_info()).to_string();
    Ok(Row { is: "TLS key", key, ..Row::default() })
}
