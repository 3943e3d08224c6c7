//! A node's answer on the wire: a sealed table, or "pending", or "declined". Comes in: a peer's bytes.
//! Goes out: a table whose digest and seal were checked against registered keys.
//!
//! Whether it is the *right* answer (fresh, of the one asked, to the question asked) is the caller's
//! next check; this file never decides that.

use prost::Message as _;

use crate::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    seal::{self, Digest, Kind, PublicKey, SecretKey},
    strict,
    table::{Table, TableBlock},
    taxonomy::{AudienceCode, JurisdictionCode, Lists},
    tree::Tree,
    wire,
};

mod decline;

pub use decline::Decline;

/// What a seal binds the table to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Who sealed.
    pub node: Name,
    /// Whom that node speaks for.
    pub jurisdiction: JurisdictionCode,
    /// The requirement that is answered.
    pub requirement: RequirementId,
    /// SHA-256 of the requirement's signed bytes.
    pub requirement_digest: Digest,
    /// Who asked.
    pub authority: Name,
    /// Who may see it.
    pub audience: AudienceCode,
    /// Digest of the table, see [`Tree::digest`].
    pub table_digest: Digest,
    /// Digest of the editions that the table rests on, see [`Table::snapshot`].
    pub snapshot: Digest,
    /// Digest of the question that was asked, see [`crate::question::SignedRequirement::question_digest`].
    pub question_digest: Digest,
    /// Raised by every change of the node's consent.
    pub consent_epoch: u64,
    /// Digest of the grants that the answer rests on.
    pub consent_digest: Digest,
    /// Digest of the published policy.
    pub policy_digest: Digest,
    /// Salted commitment to the secret part of the policy.
    pub policy_commitment: Digest,
    /// When it was sealed.
    pub issued_at: Timestamp,
    /// After this the node seals the same table anew.
    pub expires_at: Timestamp,
    /// Strictly increasing over all seals of the node.
    pub sequence: u64,
    /// SHA-256 of the payload of the node's seal before this one, whatever it was for; none before its first.
    pub previous: Option<Digest>,
    /// The table that this one takes the place of, for the same requirement.
    pub supersedes: Option<Digest>,
    /// One person both decided and released it, under break-glass.
    pub single_handed: bool,
}

/// Version of the seal's fields.
const SCHEMA: u32 = 2;

impl Seal {
    /// Signs the seal.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        let payload = wire::Seal {
            node: self.node.to_string(),
            jurisdiction: self.jurisdiction.to_string(),
            requirement: self.requirement.to_string(),
            requirement_sha256: self.requirement_digest.0.to_vec(),
            authority: self.authority.to_string(),
            audience: self.audience.to_string(),
            table_sha256: self.table_digest.0.to_vec(),
            consent_epoch: self.consent_epoch,
            consent_sha256: self.consent_digest.0.to_vec(),
            policy_sha256: self.policy_digest.0.to_vec(),
            issued_at_s: self.issued_at.as_s(),
            expires_at_s: self.expires_at.as_s(),
            sequence: self.sequence,
            schema: SCHEMA,
            snapshot_sha256: self.snapshot.0.to_vec(),
            question_sha256: self.question_digest.0.to_vec(),
            secret_policy_sha256: self.policy_commitment.0.to_vec(),
            previous_sha256: self.previous.map_or_else(Vec::new, |digest| digest.0.to_vec()),
            supersedes_sha256: self.supersedes.map_or_else(Vec::new, |digest| digest.0.to_vec()),
            single_handed: self.single_handed,
        };
        key.sign(Kind::Seal, payload.encode_to_vec())
    }

    /// Checks the signature and every field.
    pub fn open(
        envelope: &wire::Envelope,
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let payload = seal::open(envelope, Kind::Seal, keys, "seal")
            .map_err(|error| Invalid { reason: Reason::AnswerSeal, ..error })?;
        let wire::Seal {
            node,
            jurisdiction,
            requirement,
            requirement_sha256,
            authority,
            audience,
            table_sha256,
            consent_epoch,
            consent_sha256,
            policy_sha256,
            issued_at_s,
            expires_at_s,
            sequence,
            schema,
            snapshot_sha256,
            question_sha256,
            secret_policy_sha256,
            previous_sha256,
            supersedes_sha256,
            single_handed,
        } = strict::decode_signed("seal", payload)?;
        if schema != SCHEMA {
            let detail = format!("{schema} where this program reads {SCHEMA}");
            return Err(Invalid::new(Reason::AnswerSeal, "seal.schema", detail));
        }
        let policy_commitment =
            Digest::from_wire("seal.secret_policy_sha256", &secret_policy_sha256)?;
        Ok(Self {
            node: Name::parse("seal.node", &node)?,
            jurisdiction: lists.jurisdiction("seal.jurisdiction", &jurisdiction)?.code,
            requirement: RequirementId::parse("seal.requirement", &requirement)?,
            requirement_digest: Digest::from_wire("seal.requirement_sha256", &requirement_sha256)?,
            authority: Name::parse("seal.authority", &authority)?,
            audience: lists.audience("seal.audience", &audience)?,
            table_digest: Digest::from_wire("seal.table_sha256", &table_sha256)?,
            consent_epoch,
            consent_digest: Digest::from_wire("seal.consent_sha256", &consent_sha256)?,
            policy_digest: Digest::from_wire("seal.policy_sha256", &policy_sha256)?,
            issued_at: Timestamp::from_s("seal.issued_at_s", issued_at_s)?,
            expires_at: Timestamp::from_s("seal.expires_at_s", expires_at_s)?,
            sequence,
            snapshot: Digest::from_wire("seal.snapshot_sha256", &snapshot_sha256)?,
            question_digest: Digest::from_wire("seal.question_sha256", &question_sha256)?,
            policy_commitment,
            previous: optional("seal.previous_sha256", &previous_sha256)?,
            supersedes: optional("seal.supersedes_sha256", &supersedes_sha256)?,
            single_handed,
        })
    }
}

impl Seal {
    /// Is it made for this requirement? One code for the peer; which field is wrong stands beside it.
    pub fn check_bound(&self, asked: &SignedRequirement) -> Result<(), Invalid> {
        let requirement = asked.requirement();
        let bound = [
            ("seal.requirement", self.requirement == requirement.id),
            ("seal.requirement_sha256", self.requirement_digest == asked.digest()),
            ("seal.authority", self.authority == requirement.authority),
            ("seal.audience", self.audience == requirement.audience),
            ("seal.question_sha256", self.question_digest == asked.question_digest()),
        ];
        match bound.into_iter().find(|(_, same)| !same) {
            None => Ok(()),
            Some((field, _)) => {
                let detail = "is of another requirement than the one asked";
                Err(Invalid::new(Reason::AnswerStale, field, detail))
            }
        }
    }
}

/// A digest, or nothing.
fn optional(field: &str, bytes: &[u8]) -> Result<Option<Digest>, Invalid> {
    if bytes.is_empty() { Ok(None) } else { Digest::from_wire(field, bytes).map(Some) }
}

/// What the next seal of the node calls the one before.
pub fn seal_digest(envelope: &wire::Envelope) -> Digest {
    Digest::of(&envelope.payload)
}

/// A table whose seal verifies, with all its cells. Made by [`SealedTable::open`] only.
#[derive(Debug)]
pub struct SealedTable(RedactedTable);

impl SealedTable {
    /// Checks the seal with the node's registered keys, and that it covers exactly these bytes.
    pub fn open(
        sealed: wire::SealedTable,
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let opened = RedactedTable::open(sealed, keys, lists)?;
        if let Some(at) = opened.left_out.iter().position(|left_out| *left_out) {
            let field = format!("table.blocks[{at}]");
            return Err(Invalid::new(Reason::AnswerMalformed, field, "its cells are left out"));
        }
        Ok(Self(opened))
    }

    /// The cells.
    pub fn table(&self) -> &Table {
        &self.0.table
    }

    /// What they are bound to.
    pub fn seal(&self) -> &Seal {
        &self.0.seal
    }

    /// The seal as it was signed.
    pub fn envelope(&self) -> &wire::Envelope {
        &self.0.envelope
    }

    /// The table's exact bytes.
    pub fn tree(&self) -> &Tree {
        &self.0.tree
    }

    /// What others than the node may keep: blocks that are public in full, of all others the digest of their cells.
    pub fn redact(&self) -> RedactedTable {
        let whole = &self.0;
        let kept: Vec<_> = whole.table.blocks.iter().map(TableBlock::may_be_kept).collect();
        let hidden = |at: usize| !kept.get(at).copied().unwrap_or(false);
        let mut table = whole.table.clone();
        let mut left_out = Vec::with_capacity(table.blocks.len());
        for (at, block) in table.blocks.iter_mut().enumerate() {
            if hidden(at) {
                block.cells.clear();
                block.standard_error_milli.clear();
            }
            left_out.push(hidden(at));
        }
        RedactedTable {
            table,
            left_out,
            tree: whole.tree.clone().without(hidden),
            seal: whole.seal.clone(),
            envelope: whole.envelope.clone(),
        }
    }
}

/// A table whose seal verifies, with the cells of some blocks, or all, left out: of these only the digest is known.
#[derive(Debug)]
pub struct RedactedTable {
    table: Table,
    left_out: Vec<bool>,
    tree: Tree,
    seal: Seal,
    envelope: wire::Envelope,
}

impl RedactedTable {
    /// The same checks as for a whole table, of all that is there.
    pub fn open(
        sealed: wire::SealedTable,
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let (tree, envelope) = Tree::from_wire(sealed);
        let envelope = envelope
            .ok_or_else(|| Invalid::new(Reason::AnswerSeal, "seal", "the table is not sealed"))?;
        let seal = Seal::open(&envelope, keys, lists)?;
        if tree.digest() != seal.table_digest {
            return Err(Invalid::new(
                Reason::AnswerSeal,
                "table",
                "is not the table that was sealed",
            ));
        }
        let (table, left_out) = tree.read(lists)?;
        if table.node != seal.node || table.jurisdiction != seal.jurisdiction {
            return Err(Invalid::new(
                Reason::AnswerIdentity,
                "table.node",
                "table and seal name different nodes",
            ));
        }
        if table.snapshot() != seal.snapshot {
            let detail = "table and seal name different editions";
            return Err(Invalid::new(Reason::AnswerSeal, "seal.snapshot_sha256", detail));
        }
        Ok(Self { table, left_out, tree, seal, envelope })
    }

    /// What it says; a block whose cells are left out has none.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// For each block: are its cells left out?
    pub fn left_out(&self) -> &[bool] {
        &self.left_out
    }

    /// What it is bound to.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The table's exact bytes.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// As it is kept and handed on.
    pub fn to_wire(&self) -> wire::SealedTable {
        self.tree.to_wire(self.envelope.clone())
    }
}

/// What a node may say. Nothing of it is checked yet.
#[derive(Debug)]
pub enum Answer {
    /// A sealed table.
    Sealed(wire::SealedTable),
    /// A person has to decide; ask again within the window.
    Pending,
    /// The node wants it known that it does not answer: a [`Decline`] that it has signed.
    Declined(wire::Envelope),
}

impl TryFrom<wire::AnswerResponse> for Answer {
    type Error = Invalid;

    fn try_from(response: wire::AnswerResponse) -> Result<Self, Invalid> {
        use wire::answer_response::Outcome;
        let nothing =
            |field| Invalid::new(Reason::AnswerMalformed, field, "the answer says nothing");
        match response.outcome {
            Some(Outcome::Sealed(sealed)) => Ok(Self::Sealed(sealed)),
            Some(Outcome::Pending(wire::Pending {})) => Ok(Self::Pending),
            Some(Outcome::Declined(wire::Declined { decline })) => {
                Ok(Self::Declined(decline.ok_or_else(|| nothing("declined.decline"))?))
            }
            None => Err(nothing("outcome")),
        }
    }
}
