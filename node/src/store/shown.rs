//! What editions may show, on disk. Comes in: drawn figures with their published parameters. Goes out: the same. What is
//! lost here is never drawn anew: the store that lost it does not open.

use accord_proto::{
    id::EditionId,
    reason::Invalid,
    taxonomy::{IndicatorCode, JurisdictionCode, Lists},
};
use prost::Message;

use super::block::{BLOCK_ROWS, StoredCell, sealed, unsealed};
use crate::{
    disclose::protect::{Draw, Drawn},
    record::CellKey,
};

/// One draw, beside the edition's own entry.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredDraw {
    #[prost(string, tag = "1")]
    edition: String,
    #[prost(uint32, tag = "2")]
    number: u32,
    #[prost(uint64, tag = "3")]
    variance: u64,
    #[prost(uint64, tag = "4")]
    standard_error_milli: u64,
    #[prost(uint64, tag = "5")]
    nano_rho: u64,
    #[prost(uint64, tag = "6")]
    beside: u64,
    #[prost(uint32, tag = "7")]
    tier: u32,
}

/// The draws of an indicator.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredDraws {
    #[prost(string, tag = "1")]
    pub(super) indicator: String,
    #[prost(message, repeated, tag = "2")]
    draws: Vec<StoredDraw>,
    #[prost(uint64, tag = "3")]
    pub(super) cells: u64,
}

impl StoredDraws {
    pub(super) fn write(indicator: IndicatorCode, drawn: &Drawn) -> Self {
        let draws = (0..).zip(drawn.draws).filter_map(|(tier, draw)| {
            let Draw { edition, number, variance, standard_error_milli, nano_rho, beside } = draw?;
            let edition = edition.to_string();
            Some(StoredDraw {
                edition,
                number,
                variance,
                standard_error_milli,
                nano_rho,
                beside,
                tier,
            })
        });
        Self {
            indicator: indicator.to_string(),
            draws: draws.collect(),
            cells: drawn.cells.len() as u64,
        }
    }

    /// Without its cells.
    pub(super) fn read(&self) -> Result<Drawn, Invalid> {
        let mut drawn = Drawn::default();
        for draw in &self.draws {
            let place = drawn.draws.get_mut(draw.tier as usize);
            *place.ok_or_else(|| super::verify::damaged("a draw without a tier"))? = Some(Draw {
                edition: EditionId::parse("store.edition.draw", &draw.edition)?,
                number: draw.number,
                variance: draw.variance,
                standard_error_milli: draw.standard_error_milli,
                nano_rho: draw.nano_rho,
                beside: draw.beside,
            });
        }
        Ok(drawn)
    }
}

#[derive(Clone, PartialEq, Message)]
struct StoredCells {
    #[prost(message, repeated, tag = "1")]
    cells: Vec<StoredShown>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredShown {
    #[prost(message, optional, tag = "1")]
    cell: Option<StoredCell>,
    #[prost(sint64, optional, tag = "2")]
    a: Option<i64>,
    #[prost(sint64, optional, tag = "3")]
    b: Option<i64>,
    #[prost(sint64, optional, tag = "4")]
    c: Option<i64>,
}

/// The blocks of all shown cells of a class.
pub(super) fn blocks<'a>(
    drawn: impl Iterator<Item = &'a Drawn> + 'a,
    lists: &'a Lists,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    let mut left = drawn.flat_map(|drawn| &drawn.cells);
    std::iter::from_fn(move || {
        let write = |(cell, [a, b, c]): (&CellKey, &[Option<i64>; 3])| StoredShown {
            cell: Some(StoredCell::write(cell, lists)),
            a: *a,
            b: *b,
            c: *c,
        };
        let cells: Vec<_> = left.by_ref().take(BLOCK_ROWS).map(write).collect();
        (!cells.is_empty()).then(|| sealed(&StoredCells { cells }.encode_to_vec()))
    })
}

/// Reads a block back.
pub(super) fn read(
    bytes: &[u8],
    jurisdiction: JurisdictionCode,
    lists: &Lists,
    mut take: impl FnMut(CellKey, [Option<i64>; 3]),
) -> Result<(), Invalid> {
    let stored: StoredCells = super::schema::decode(unsealed(bytes)?)?;
    for StoredShown { cell, a, b, c } in stored.cells {
        let cell = cell.ok_or_else(|| super::verify::damaged("a cell without coordinates"))?;
        let cell = cell.read(jurisdiction, lists).map_err(|error| error.within("store.edition"))?;
        take(cell, [a, b, c]);
    }
    Ok(())
}
