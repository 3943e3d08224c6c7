//! A word of a product, from the command line. Comes in: what is to be said. Goes out: the name of the word. Must never speak of
//! another text than the one that is shown now.

use super::{Of, call::Products, print};
use crate::{
    client::ClientFile,
    clock::{Entropy as _, SystemEntropy},
    operate::cli::Outcome,
    reason::Invalid,
    wire::product::{self as wire, say_request::Said},
};
use serde_json::json;

/// Says it of the text that stands.
pub(super) async fn say(
    of: &Of,
    said: impl FnOnce(&wire::Entry) -> Result<Said, Invalid>,
) -> Result<Outcome, Invalid> {
    let mut products = Products::connect(&of.client.client).await?;
    // An observer is told of a product by the list alone.
    let entry = products.line(&of.product).await?;
    let mut nonce = [0; 16];
    SystemEntropy.fill(&mut nonce)?;
    let request = wire::SayRequest {
        product: of.product.clone(),
        content_sha256: entry.content_sha256.clone(),
        nonce: nonce.to_vec(),
        said: Some(said(&entry)?),
    };
    let word = products.say(request).await?;
    let row = json!({
        "product": entry.product,
        "title": entry.title,
        "text": print::hex(&entry.content_sha256),
        "word": print::hex(&word),
    });
    Ok(print::rows(&of.client, &row))
}
