//! PEM. Comes in: text. Goes out: what stands in it, block by block, and back.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use x509_parser::pem::Pem;

/// One block.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) der: Vec<u8>,
}

/// A certificate.
pub(super) const CERTIFICATE: &str = "CERTIFICATE";
/// A revocation list.
pub(super) const CRL: &str = "X509 CRL";
/// A request, by the names that programs give it.
pub(super) const REQUESTS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// Every block of a text; why it cannot be read.
pub(super) fn blocks(text: &[u8]) -> Result<Vec<Block>, &'static str> {
    let blocks = Pem::iter_from_buffer(text)
        .map(|block| block.map(|Pem { label, contents }| Block { label, der: contents }));
    let blocks: Vec<_> = blocks.collect::<Result<_, _>>().map_err(|_| "has a broken PEM block")?;
    if blocks.is_empty() { Err("holds nothing in PEM form") } else { Ok(blocks) }
}

/// The certificates of a text, which holds nothing else.
pub(super) fn certificates(text: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let only = |block: Block| match block.label.as_str() {
        CERTIFICATE => Ok(block.der),
        _ => Err("holds something else than certificates"),
    };
    blocks(text)?.into_iter().map(only).collect()
}

/// Writes a block.
pub(super) fn write(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}
