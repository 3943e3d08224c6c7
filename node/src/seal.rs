//! Sealing: the last stage. Comes in: a [`SafeTable`] and what it is bound to. Goes out: a
//! [`SealedAnswer`], the only type of this crate that becomes a wire answer.

use accord_proto::{
    answer::{Answer, Seal, SealedTable},
    reason::{Invalid, Reason},
    seal::{Digest, PublicKey, SecretKey},
    taxonomy::Lists,
    wire,
};
use prost::Message as _;

use crate::disclose::SafeTable;

/// An answer that may leave. Made here only, from a [`SafeTable`] or from bytes that this node sealed before.
#[derive(Debug)]
pub struct SealedAnswer {
    response: wire::AnswerResponse,
    table: Digest,
}

impl SealedAnswer {
    /// Seals a table. `bind` fills in everything but the table's digest.
    pub fn seal(
        safe: &SafeTable,
        lists: &Lists,
        key: &SecretKey,
        bind: impl FnOnce(Digest) -> Seal,
    ) -> Self {
        Self::of(safe.table().encode(lists), key, bind)
    }

    /// Reads back what was released, and checks it like a stranger's: a damaged store gives no answer. `keys`
    /// are the node's own keys in the roster; one that was rotated since stays there until its seals are over.
    pub fn reopen(
        stored: &[u8],
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<(Self, SealedTable), Invalid> {
        let damaged = |error: Invalid| {
            Invalid::new(Reason::StoreFailed, "store.answer", format!("damaged: {error}"))
        };
        let response: wire::AnswerResponse =
            accord_proto::strict::decode_signed("answer", stored).map_err(damaged)?;
        let Answer::Sealed { sealed, .. } = Answer::try_from(response.clone()).map_err(damaged)?
        else {
            return Err(damaged(Invalid::new(Reason::AnswerMalformed, "answer", "holds no table")));
        };
        let opened = SealedTable::open(sealed, keys, lists).map_err(damaged)?;
        Ok((Self { response, table: opened.seal().table_digest }, opened))
    }

    /// The very same table under a new seal.
    pub fn reseal(self, key: &SecretKey, bind: impl FnOnce(Digest) -> Seal) -> Self {
        let Some(wire::answer_response::Outcome::Sealed(sealed)) = self.response.outcome else {
            return self;
        };
        Self::of(sealed.table, key, bind)
    }

    fn of(table: Vec<u8>, key: &SecretKey, bind: impl FnOnce(Digest) -> Seal) -> Self {
        let digest = Digest::of(&table);
        let seal = bind(digest).sign(key);
        let sealed = wire::SealedTable { table, seal: Some(seal) };
        let outcome = Some(wire::answer_response::Outcome::Sealed(sealed));
        let response = wire::AnswerResponse { outcome, single_handed: false };
        Self { response, table: digest }
    }

    /// Says whether one person both decided and released it.
    #[must_use]
    pub fn by_one_hand(mut self, single_handed: bool) -> Self {
        self.response.single_handed = single_handed;
        self
    }

    /// SHA-256 of the table, for the journal.
    pub fn table_digest(&self) -> Digest {
        self.table
    }

    /// The exact bytes, for the store.
    pub fn encode(&self) -> Vec<u8> {
        self.response.encode_to_vec()
    }
}

impl From<SealedAnswer> for wire::AnswerResponse {
    fn from(answer: SealedAnswer) -> Self {
        answer.response
    }
}
