//! The next step of a product, from the command line. Comes in: what is to be done. Goes out: where the product stands then. Must
//! never follow another step than the one that was seen.

use std::{collections::BTreeMap, path::Path};

use super::{Of, call::Products, print, source::Written};
use crate::{
    client::ClientFile,
    clock::{SystemClock, SystemEntropy},
    id::ProductId,
    operate::{
        chart::Source,
        cli::{Client, Outcome},
        threat,
    },
    product::Decision,
    reason::{Invalid, Reason},
    wire::product::{self as wire, take_request::Deed},
};

/// Where it stands now, and the connection over which that was said.
pub(super) async fn standing(of: &Of) -> Result<(wire::Entry, Products), Invalid> {
    let mut products = Products::connect(&of.client.client).await?;
    let entry = products.show(&of.product).await?.entry.unwrap_or_default();
    Ok((entry, products))
}

/// Takes the step that follows it.
pub(super) async fn take(
    products: &mut Products,
    client: &Client,
    entry: &wire::Entry,
    deed: Deed,
) -> Result<Outcome, Invalid> {
    let request = wire::TakeRequest {
        previous_sha256: entry.head_sha256.clone(),
        deed: Some(deed),
        product: entry.product.clone(),
    };
    let entry = products.take(request).await?;
    Ok(print::entry(client, &entry))
}

/// The same of a step that needs to know nothing else.
pub(super) async fn next(of: &Of, deed: Deed) -> Result<Outcome, Invalid> {
    let (entry, mut products) = standing(of).await?;
    take(&mut products, &of.client, &entry, deed).await
}

/// Decides on a comment, which is named by the first digits of its digest.
pub(super) async fn resolve(
    of: &Of,
    comment: &str,
    decision: Decision,
    text: &str,
) -> Result<Outcome, Invalid> {
    let (entry, mut products) = standing(of).await?;
    let lists = ClientFile::lists(&of.client.client)?;
    let held = print::unverified(&products.get(&of.product).await?, lists)?;
    let named: Vec<_> =
        held.remarks.iter().filter(|of| of.digest.to_string().starts_with(comment)).collect();
    let [remark] = named.as_slice() else {
        let detail = match named.is_empty() {
            true => format!("no comment begins with {}", crate::reason::quoted(comment)),
            false => format!("{} comments begin so: give more digits", named.len()),
        };
        return Err(Invalid::new(Reason::NotFound, "--comment", detail));
    };
    let deed = Deed::Resolve(wire::Resolve {
        comment_sha256: remark.digest.0.to_vec(),
        decision: decision.to_wire().into(),
        text: text.to_owned(),
    });
    take(&mut products, &of.client, &entry, deed).await
}

/// Sends a text.
pub(super) async fn draft(
    (file, why): (&Path, &str),
    product: Option<&str>,
    client: &Client,
    fetch: impl AsyncFn(&Path, String, u32) -> Result<Source, Invalid>,
) -> Result<Outcome, Invalid> {
    let lists = ClientFile::lists(&client.client)?;
    let written = Written::read(file)?;
    let mut pictures = BTreeMap::new();
    for name in written.pictures() {
        let (requirement, version) = threat::picture(name)?;
        pictures.insert(name.to_owned(), fetch(&client.client, requirement, version).await?);
    }
    let mut products = Products::connect(&client.client).await?;
    let (id, previous_sha256) = match product {
        None => (ProductId::mint(&SystemClock, &SystemEntropy)?, Vec::new()),
        Some(product) => {
            let entry = products.show(product).await?.entry.unwrap_or_default();
            (ProductId::parse("--product", product)?, entry.head_sha256)
        }
    };
    let owner = ClientFile::server(&client.client)?.name;
    let draft = written.draft((file, why), (id, &owner), &pictures, (&SystemEntropy, lists))?;
    let request = wire::TakeRequest {
        previous_sha256,
        deed: Some(Deed::Draft(draft)),
        product: id.to_string(),
    };
    let entry = products.take(request).await?;
    Ok(print::entry(client, &entry))
}
