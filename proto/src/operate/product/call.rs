//! Calls of the service of products. Comes in: a client file. Goes out: what the service says. Must never take a file for whole that
//! ended early: whoever reads one opens it.

use std::path::Path;

use tonic::Streaming;

use crate::{
    client::{ClientFile, within},
    limits::{
        CALL_TIMEOUT, DOSSIER_BYTES_MAX, LONG_CALL_TIMEOUT, PAGE_SIZE_MAX,
        PRODUCT_REQUEST_BYTES_MAX, REPLY_BYTES_MAX,
    },
    product::Extent,
    reason::{Invalid, Reason},
    status::from_status,
    transport::channel::Channel,
    wire::product::{self as wire, products_client::ProductsClient},
};

/// A client of the service of products.
#[derive(Clone, Debug)]
pub struct Products(ProductsClient<Channel>);

fn failed(status: tonic::Status) -> Invalid {
    from_status(&status)
}

impl Products {
    /// Connects as a client file says.
    pub async fn connect(client: &Path) -> Result<Self, Invalid> {
        let channel = ClientFile::connect(client).await?;
        let client = ProductsClient::new(channel)
            .max_decoding_message_size(REPLY_BYTES_MAX)
            .max_encoding_message_size(PRODUCT_REQUEST_BYTES_MAX);
        Ok(Self(client))
    }

    /// Takes a step.
    pub async fn take(&mut self, request: wire::TakeRequest) -> Result<wire::Entry, Invalid> {
        // Members are asked before a round or an endorsement is closed.
        let request = within(LONG_CALL_TIMEOUT, request);
        let reply = self.0.take(request).await.map_err(failed)?.into_inner();
        entry(reply.entry)
    }

    /// Says something; gives the digest of the word.
    pub async fn say(&mut self, request: wire::SayRequest) -> Result<Vec<u8>, Invalid> {
        let reply = self.0.say(within(CALL_TIMEOUT, request)).await.map_err(failed)?;
        Ok(reply.into_inner().word_sha256)
    }

    /// Where it stands, and what waits.
    pub async fn show(&mut self, product: &str) -> Result<wire::ShowResponse, Invalid> {
        let request = wire::ShowRequest { product: product.to_owned() };
        Ok(self.0.show(within(CALL_TIMEOUT, request)).await.map_err(failed)?.into_inner())
    }

    /// The line of one: also for an observer, who may not ask where it stands.
    pub async fn line(&mut self, product: &str) -> Result<wire::Entry, Invalid> {
        let mut found = self.list().await?.into_iter().filter(|entry| entry.product == product);
        entry(found.next())
    }

    /// Lines of all, newest first.
    pub async fn list(&mut self) -> Result<Vec<wire::Entry>, Invalid> {
        let (mut lines, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = wire::ListRequest { page_size: PAGE_SIZE_MAX, page_token };
            let page = self.0.list(within(CALL_TIMEOUT, request)).await.map_err(failed)?;
            let page = page.into_inner();
            lines.extend(page.products);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(lines);
            }
        }
    }

    /// A product whole: exact bytes of its file.
    pub async fn get(&mut self, product: &str) -> Result<Vec<u8>, Invalid> {
        self.chain(product, false).await
    }

    /// The chain that was delivered to a node beside that one.
    pub async fn second(&mut self, product: &str) -> Result<Vec<u8>, Invalid> {
        self.chain(product, true).await
    }

    async fn chain(&mut self, product: &str, second: bool) -> Result<Vec<u8>, Invalid> {
        let request = wire::GetRequest { product: product.to_owned(), second };
        let stream = self.0.get(within(LONG_CALL_TIMEOUT, request)).await.map_err(failed)?;
        whole(stream.into_inner(), |reply: wire::GetResponse| reply.piece).await
    }

    /// A release: exact bytes of its file.
    pub async fn release(&mut self, product: &str, extent: Extent) -> Result<Vec<u8>, Invalid> {
        let extent = extent.to_wire().into();
        let request = wire::GetReleaseRequest { product: product.to_owned(), extent };
        let stream = self.0.get_release(within(LONG_CALL_TIMEOUT, request)).await;
        let stream = stream.map_err(failed)?.into_inner();
        whole(stream, |reply: wire::GetReleaseResponse| reply.piece).await
    }
}

fn entry(entry: Option<wire::Entry>) -> Result<wire::Entry, Invalid> {
    entry.ok_or_else(|| Invalid::new(Reason::NotFound, "product", "there is no such product here"))
}

async fn whole<T>(
    mut stream: Streaming<T>,
    piece: impl Fn(T) -> Vec<u8>,
) -> Result<Vec<u8>, Invalid> {
    let mut file = Vec::new();
    while let Some(reply) = stream.message().await.map_err(failed)? {
        file.extend_from_slice(&piece(reply));
        if file.len() > DOSSIER_BYTES_MAX {
            let detail = format!("more than the {DOSSIER_BYTES_MAX} bytes that a product has");
            return Err(Invalid::new(Reason::LimitExceeded, "product", detail));
        }
    }
    Ok(file)
}
