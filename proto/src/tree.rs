//! The table as a tree of digests. Comes in: a table and a node's secret, or bytes from a peer. Goes out: the exact bytes
//! that a seal covers, of which the cells of any block can be left out while the seal still verifies.
//!
//! ```text
//! seal ─► digest of the table ─► head: node, editions, axes, modes ─► digest of each block's cells ─► salt, cells
//! ```
//!
//! A block of few cells has few possible contents, so a digest alone would give them away: each block is salted with 32
//! bytes that only the node can make. They come from its secret and from *all that the block says* (tier, editions, axes,
//! cells), never from the requirement: the same block has the same bytes for every recipient of a tier, and what two
//! tiers, two editions or two contents say cannot be compared by their digests.

use prost::Message as _;

use crate::{
    reason::{Invalid, Reason},
    seal::Digest,
    strict,
    table::{Table, TableBlock},
    taxonomy::{Lists, Tier},
    wire,
};

/// Bytes of a salt.
const SALT_BYTES: usize = 32;

/// What salts are made of, beside the block itself.
#[derive(Clone, Copy)]
pub struct Salting<'a> {
    /// The node's own.
    pub secret: &'a [u8; 32],
    /// Whose table it is.
    pub tier: Tier,
}

impl std::fmt::Debug for Salting<'_> {
    /// Prints no secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Salting({})", self.tier)
    }
}

/// Exact bytes of a table: its head, and of each block the cells, or nothing where they were left out.
#[derive(Clone, PartialEq, Eq)]
pub struct Tree {
    head: Vec<u8>,
    cells: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Tree {
    /// Prints no cell.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tree({})", self.digest())
    }
}

impl Tree {
    /// The one encoding of a table. `lists` are those that its codes belong to.
    pub fn of(table: &Table, salting: Salting<'_>, lists: &Lists) -> Self {
        let mut head = table.head(lists);
        let snapshot = table.snapshot();
        let mut cells = Vec::with_capacity(table.blocks.len());
        for (block, entry) in table.blocks.iter().zip(&mut head.blocks) {
            let bytes = salted(block, &entry.encode_to_vec(), snapshot, salting);
            entry.cells_sha256 = digest_of_cells(&bytes).0.to_vec();
            cells.push(bytes);
        }
        Self { head: head.encode_to_vec(), cells }
    }

    /// Takes apart what travels.
    pub fn from_wire(sealed: wire::SealedTable) -> (Self, Option<wire::Envelope>) {
        let wire::SealedTable { seal, table, cells } = sealed;
        (Self { head: table, cells }, seal)
    }

    /// Puts together what travels.
    pub fn to_wire(&self, seal: wire::Envelope) -> wire::SealedTable {
        let Self { head, cells } = self.clone();
        wire::SealedTable { seal: Some(seal), table: head, cells }
    }

    /// What a seal names.
    pub fn digest(&self) -> Digest {
        Digest::of_parts([&b"accord.table.v1"[..], &self.head])
    }

    /// The bytes of the head.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The bytes of each block's cells; empty where they were left out.
    pub fn cells(&self) -> &[Vec<u8>] {
        &self.cells
    }

    /// How many bytes it has, without its seal.
    pub fn bytes(&self) -> usize {
        self.head.len() + self.cells.iter().map(Vec::len).sum::<usize>()
    }

    /// Reads the table. Every block's cells must be those of the head, or left out; which are left out is told beside
    /// it: such a block has no cells.
    pub fn read(&self, lists: &Lists) -> Result<(Table, Vec<bool>), Invalid> {
        let head: wire::Table = strict::decode_signed("table", &self.head)?;
        if head.blocks.len() != self.cells.len() {
            let detail = format!(
                "cells of {} blocks where there are {}",
                self.cells.len(),
                head.blocks.len()
            );
            return Err(Invalid::new(Reason::AnswerSeal, "table.blocks", detail));
        }
        let mut read = Vec::with_capacity(self.cells.len());
        for (at, (block, bytes)) in head.blocks.iter().zip(&self.cells).enumerate() {
            let field = format!("table.blocks[{at}]");
            let sealed = Digest::from_wire(&format!("{field}.cells_sha256"), &block.cells_sha256)?;
            read.push(cells_of(bytes, sealed, &field)?);
        }
        let left_out = read.iter().map(Option::is_none).collect();
        Ok((Table::read(head, read, lists)?, left_out))
    }

    /// The same without the cells of blocks that are not to be kept.
    #[must_use]
    pub fn without(self, left_out: impl Fn(usize) -> bool) -> Self {
        let keep = |(at, bytes)| if left_out(at) { Vec::new() } else { bytes };
        Self { cells: self.cells.into_iter().enumerate().map(keep).collect(), ..self }
    }
}

/// Checks the cells of a block against the digest that was sealed; none if they were left out.
fn cells_of(bytes: &[u8], sealed: Digest, field: &str) -> Result<Option<wire::Cells>, Invalid> {
    if bytes.is_empty() {
        return Ok(None);
    }
    if digest_of_cells(bytes) != sealed {
        let detail = "these are not the cells that were sealed";
        return Err(Invalid::new(Reason::AnswerSeal, field, detail));
    }
    let cells: wire::Cells = strict::decode_signed(&format!("{field}.cells"), bytes)?;
    if cells.salt.len() != SALT_BYTES {
        let detail = format!("{} bytes where a salt has {SALT_BYTES}", cells.salt.len());
        return Err(Invalid::new(Reason::FieldInvalid, format!("{field}.salt"), detail));
    }
    Ok(Some(cells))
}

fn salted(block: &TableBlock, axes: &[u8], snapshot: Digest, salting: Salting<'_>) -> Vec<u8> {
    let Salting { secret, tier } = salting;
    let cells = block.cells_to_wire(Vec::new());
    let salt = Digest::of_parts([
        &b"accord.salt.v1"[..],
        secret,
        tier.as_str().as_bytes(),
        &snapshot.0,
        axes,
        &cells.encode_to_vec(),
    ]);
    wire::Cells { salt: salt.0.to_vec(), ..cells }.encode_to_vec()
}

fn digest_of_cells(bytes: &[u8]) -> Digest {
    Digest::of_parts([&b"accord.cells.v1"[..], bytes])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::Name,
        table::{Cell, Contribution, Mode},
        taxonomy::{Categories, Period},
    };

    fn block(indicator: &str, mode: Mode, value: i64) -> TableBlock {
        let lists = Lists::builtin();
        let indicator = lists.indicator("", indicator).unwrap();
        TableBlock {
            indicator: indicator.code,
            mode,
            crime_areas: lists.crime_areas_of(indicator).take(1).collect(),
            regions: vec![lists.region("", "AL").unwrap().code],
            periods: vec![Period::parse("", "2016").unwrap()],
            categories: vec![Categories::default()],
            standard_error_milli: if mode == Mode::Protected { vec![2_500] } else { Vec::new() },
            contribution: Contribution::Pooled,
            minimum_contributors: 0,
            deviations: Vec::new(),
            cells: vec![Cell::Value(value)],
        }
    }

    fn table(hidden: i64) -> Table {
        let lists = Lists::builtin();
        Table {
            node: Name::parse("", "al-police").unwrap(),
            jurisdiction: lists.jurisdiction("", "AL").unwrap().code,
            lists: lists.name().to_owned(),
            editions: Vec::new(),
            blocks: vec![
                block("PUB.OFF.N", Mode::Open, 71),
                block("DRG.SEIZ.N", Mode::Protected, hidden),
            ],
        }
    }

    fn tree(table: &Table, secret: u8, tier: Tier) -> Tree {
        Tree::of(table, Salting { secret: &[secret; 32], tier }, Lists::builtin())
    }

    #[test]
    fn cells_that_are_left_out_leave_the_digest_as_it_is() {
        let lists = Lists::builtin();
        let whole = tree(&table(40), 1, Tier::B);
        let (read, left_out) = whole.read(lists).unwrap();
        assert_eq!((read, left_out), (table(40), vec![false, false]));

        let redacted = whole.clone().without(|at| at == 1);
        assert_eq!(redacted.digest(), whole.digest());
        let (read, left_out) = redacted.read(lists).unwrap();
        assert_eq!(left_out, [false, true]);
        assert_eq!(read.blocks[0], table(40).blocks[0]);
        assert!(read.blocks[1].cells.is_empty() && read.blocks[1].mode == Mode::Protected);
        let hidden = &whole.cells()[1];
        let kept = redacted.to_wire(wire::Envelope::default()).encode_to_vec();
        assert!(!kept.windows(hidden.len()).any(|window| window == hidden));
    }

    #[test]
    fn other_cells_are_noticed_and_the_block_is_named() {
        let (mut one, other) = (tree(&table(40), 1, Tier::B), tree(&table(45), 1, Tier::B));
        assert_ne!(one.digest(), other.digest());
        one.cells[1] = other.cells[1].clone();
        let error = one.read(Lists::builtin()).unwrap_err();
        assert_eq!((error.reason, error.field.as_str()), (Reason::AnswerSeal, "table.blocks[1]"));
        one.cells.pop();
        assert_eq!(one.read(Lists::builtin()).unwrap_err().field, "table.blocks");
    }

    #[test]
    fn the_same_block_has_the_same_bytes_and_nothing_else_can_be_compared() {
        let whole = tree(&table(40), 1, Tier::B);
        // Asked beside other blocks, for whatever requirement: the same bytes.
        let mut alone = table(40);
        alone.blocks.remove(0);
        assert_eq!(tree(&alone, 1, Tier::B).cells()[0], whole.cells()[1]);
        // Another node, another tier: the same cells, and digests that have nothing in common.
        let other = [tree(&table(40), 2, Tier::B), tree(&table(40), 1, Tier::C)];
        for other in other {
            assert_ne!(other.cells()[1], whole.cells()[1]);
            assert_ne!(other.digest(), whole.digest());
        }
    }

    #[test]
    fn the_digest_of_few_cells_cannot_be_guessed_without_the_salt() {
        // Whoever knows everything but the salt tries every content that there can be.
        let head: wire::Table = wire::Table::decode(tree(&table(40), 1, Tier::B).head()).unwrap();
        let sealed = &head.blocks[1].cells_sha256;
        for guess in 0..1_000 {
            for salt in [Vec::new(), vec![0; SALT_BYTES]] {
                let bytes = table(guess).blocks[1].cells_to_wire(salt).encode_to_vec();
                assert_ne!(digest_of_cells(&bytes).0.as_slice(), sealed.as_slice());
            }
        }
    }
}
