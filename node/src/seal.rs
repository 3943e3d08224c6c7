//! Sealing: the last stage. Comes in: a [`SafeTable`] and what it is bound to. Goes out: a
//! [`SealedAnswer`], the only type of this crate that becomes a wire answer.

use accord_proto::{
    answer::{Answer, Seal, SealedTable, seal_digest},
    evidence,
    reason::{Invalid, Reason},
    seal::{Digest, PublicKey, SecretKey},
    table::{Mode, Table},
    taxonomy::{IndicatorCode, Lists},
    tree::{Salting, Tree},
    wire,
};
use prost::Message as _;

use crate::disclose::SafeTable;

mod old;

/// An answer that may leave. Made here only, from a [`SafeTable`] or from bytes that this node sealed before.
#[derive(Debug)]
pub struct SealedAnswer {
    sealed: wire::SealedTable,
    table: Digest,
    made: Option<Box<Made>>,
}

/// What was sealed just now.
#[derive(Clone, Debug)]
pub struct Made {
    /// The seal.
    pub seal: Seal,
    /// In which mode each block of the table is.
    pub modes: Vec<(IndicatorCode, Mode)>,
}

/// What was released before, as it lies in the store, checked like a stranger's. Made by [`SealedAnswer::reopen`] only.
#[derive(Debug)]
pub struct Reopened {
    /// None: it was sealed in a form that is not sent any more.
    sealed: Option<wire::SealedTable>,
    table: Table,
    seal: Seal,
}

impl Reopened {
    /// Its cells.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// What they are bound to; what the old form did not say is nought.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The very same bytes; none of the old form.
    pub fn again(self) -> Option<SealedAnswer> {
        let table = self.seal.table_digest;
        self.sealed.map(|sealed| SealedAnswer { sealed, table, made: None })
    }

    /// Was it sealed in the old form? Then the same cells get another digest.
    pub fn is_old(&self) -> bool {
        self.sealed.is_none()
    }

    /// The very same cells under a new seal.
    pub fn reseal(
        self,
        salting: Salting<'_>,
        lists: &Lists,
        key: &SecretKey,
        bind: impl FnOnce(Digest, Digest) -> Seal,
    ) -> SealedAnswer {
        let tree = match self.sealed {
            Some(sealed) => Tree::from_wire(sealed).0,
            None => Tree::of(&self.table, salting, lists),
        };
        SealedAnswer::of(&tree, &self.table, key, bind)
    }
}

impl SealedAnswer {
    /// Seals a table. `bind` fills in everything but what the table says itself.
    pub fn seal(
        safe: &SafeTable,
        salting: Salting<'_>,
        lists: &Lists,
        key: &SecretKey,
        bind: impl FnOnce(Digest, Digest) -> Seal,
    ) -> Self {
        let tree = Tree::of(safe.table(), salting, lists);
        Self::of(&tree, safe.table(), key, bind)
    }

    /// Reads back what was released, and checks it like a stranger's: a damaged store gives no answer. `keys`
    /// are the node's own keys in the roster; one that was rotated since stays there until its seals are over.
    pub fn reopen(stored: &[u8], keys: &[PublicKey], lists: &Lists) -> Result<Reopened, Invalid> {
        let damaged = |error: Invalid| {
            Invalid::new(Reason::StoreFailed, "store.answer", format!("damaged: {error}"))
        };
        if let Some((table, seal)) = old::reopen_flagged(stored, keys, lists).map_err(damaged)? {
            return Ok(Reopened { sealed: None, table, seal });
        }
        if let Some((table, seal)) = old::reopen(stored, keys, lists).map_err(damaged)? {
            return Ok(Reopened { sealed: None, table, seal });
        }
        let response: wire::AnswerResponse =
            accord_proto::strict::decode_signed("answer", stored).map_err(damaged)?;
        let Answer::Sealed(sealed) = Answer::try_from(response).map_err(damaged)? else {
            return Err(damaged(Invalid::new(Reason::AnswerMalformed, "answer", "holds no table")));
        };
        let opened = SealedTable::open(sealed.clone(), keys, lists).map_err(damaged)?;
        let (table, seal) = (opened.table().clone(), opened.seal().clone());
        Ok(Reopened { sealed: Some(sealed), table, seal })
    }

    fn of(
        tree: &Tree,
        table: &Table,
        key: &SecretKey,
        bind: impl FnOnce(Digest, Digest) -> Seal,
    ) -> Self {
        let digest = tree.digest();
        let seal = bind(digest, table.snapshot());
        let modes = table.blocks.iter().map(|block| (block.indicator, block.mode)).collect();
        Self {
            sealed: tree.to_wire(seal.sign(key)),
            table: digest,
            made: Some(Box::new(Made { seal, modes })),
        }
    }

    /// Digest of the table, for the journal.
    pub fn table_digest(&self) -> Digest {
        self.table
    }

    /// What was sealed just now; nothing if it was sealed before.
    pub fn made(&self) -> Option<&Made> {
        self.made.as_deref()
    }

    /// The file that a releaser hands out.
    pub fn to_file(&self) -> Vec<u8> {
        evidence::write_answer(self.sealed.clone())
    }

    /// Digest of the seal: the next one names it.
    pub fn seal_digest(&self) -> Digest {
        self.sealed.seal.as_ref().map_or(Digest([0; 32]), seal_digest)
    }

    /// The exact bytes, for the store.
    pub fn encode(&self) -> Vec<u8> {
        response(self.sealed.clone()).encode_to_vec()
    }
}

impl From<SealedAnswer> for wire::AnswerResponse {
    fn from(answer: SealedAnswer) -> Self {
        response(answer.sealed)
    }
}

fn response(sealed: wire::SealedTable) -> wire::AnswerResponse {
    wire::AnswerResponse { outcome: Some(wire::answer_response::Outcome::Sealed(sealed)) }
}
