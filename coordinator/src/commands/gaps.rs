//! The register of gaps from the command line: fetch products and rankings, print what is not known. What a gap is, the contract says.

use accord_proto::{
    client::ClientFile,
    operate::product::Products,
    print,
    product::{Dossier, gaps},
    reason::Invalid,
    threat::Ranking,
};

use super::{done, threat};
use crate::cli::{Client, Outcome, gap::Command};

/// `accord-coordinator gap …`
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::List { client } => {
            let gaps = all(&client).await?;
            let rows = serde_json::to_value(&gaps).unwrap_or_default();
            Ok(done(print::rows(client.format, &rows)))
        }
        Command::Draft { client } => Ok(done(gaps::requirement(&all(&client).await?))),
    }
}

async fn all(client: &Client) -> Result<Vec<gaps::Gap>, Invalid> {
    let lists = ClientFile::lists(&client.client)?;
    let mut products = Products::connect(&client.client).await?;
    let mut found = Vec::new();
    for line in products.list().await? {
        let dossier = Dossier::believed(&products.get(&line.product).await?, lists)?;
        found.extend(gaps::of_product(dossier.course()));
    }
    for entry in threat::entries(client).await? {
        let document = threat::document(&client.client, entry.ranking.clone()).await?;
        let payload = document.ranking.unwrap_or_default().payload;
        found.extend(gaps::of_ranking(&entry.ranking, Ranking::read(&payload, lists)?.order()));
    }
    found.sort();
    Ok(found)
}
