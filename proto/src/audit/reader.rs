//! A journal as an auditor sees it, over the wire. Comes in: a client file. Goes out: entries, one by one, and whether
//! they come to the head that was signed. Must never take a stream that was cut for a whole one.

use std::{ops::Range, path::Path};

use tonic::Status;

use crate::{
    client::{ClientFile, within},
    journal::{Checkpoint, Filter, Flaw, Proof, VerifierKey, Walk},
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT, REPLY_BYTES_MAX},
    reason::{Invalid, Reason},
    status::from_status,
    transport::channel::Channel,
    wire::journal::{self as wire, journal_client::JournalClient},
};

/// A journal that is read.
#[derive(Debug)]
pub struct Reader {
    client: JournalClient<Channel>,
    /// Where it stands: as it was signed, and what that says.
    pub note: String,
    /// Checked with `key`.
    pub head: Checkpoint,
    /// The key that it was signed with, as its keeper says.
    pub key: VerifierKey,
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(status: Status) -> Invalid {
    from_status(&status)
}

async fn connect(client: &Path) -> Result<JournalClient<Channel>, Invalid> {
    let channel = ClientFile::connect(client).await?;
    Ok(JournalClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

impl Reader {
    /// Connects as a client file says, and asks where the journal stands.
    pub async fn connect(client: &Path) -> Result<Self, Invalid> {
        let mut client = connect(client).await?;
        let request = within(CALL_TIMEOUT, wire::GetHeadRequest {});
        let reply = client.get_head(request).await.map_err(failed)?.into_inner();
        let key = VerifierKey::parse("journal.key", &reply.key)?;
        let head = Checkpoint::open_by("journal.note", &reply.note, std::slice::from_ref(&key))?;
        Ok(Self { client, note: reply.note, head, key })
    }

    /// Entries of a range that fit, one by one, with their proofs if wanted.
    pub async fn read(
        &mut self,
        range: Range<u64>,
        filter: &Filter,
        prove: bool,
        mut take: impl FnMut(&[u8], Option<&Proof>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        let request = wire::ReadRequest {
            first: range.start,
            end: range.end.min(self.head.size),
            prove_in: if prove { self.head.size } else { 0 },
            ..filter.to_wire()
        };
        let request = within(LONG_CALL_TIMEOUT, request);
        let mut pages = self.client.read(request).await.map_err(failed)?.into_inner();
        while let Some(page) = pages.message().await.map_err(failed)? {
            for wire::ProvenEntry { entry, inclusion } in page.entries {
                let proof = Proof::from_wire("journal.inclusion", &inclusion)?;
                take(&entry, prove.then_some(&proof))?;
            }
            if page.end {
                return Ok(());
            }
        }
        Err(Invalid::new(Reason::NoConnection, "journal", "was cut; ask again"))
    }

    /// Every entry from the first to the last: do they come to the head?
    pub async fn verify(&mut self) -> Result<(), Invalid> {
        let mut walk = Walk::default();
        let all = 0..self.head.size;
        let take =
            |entry: &[u8], _: Option<&Proof>| walk.step(entry).map(drop).map_err(Flaw::refusal);
        self.read(all, &Filter::default(), false, take).await?;
        walk.finish(&self.head).map_err(Flaw::refusal)
    }
}

/// Tells a service to rely no more on what it knows of another's journal.
pub async fn accept_peer(client: &Path, service: &str, why: &str) -> Result<(), Invalid> {
    let (service, why) = (service.to_owned(), why.to_owned());
    let request = within(CALL_TIMEOUT, wire::AcceptPeerRequest { service, why });
    connect(client).await?.accept_peer(request).await.map_err(failed)?;
    Ok(())
}
