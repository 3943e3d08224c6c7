//! Bulletins on disk: what editions offer, and who signed. Comes in: offers and signatures. Goes out: the same. A figure that
//! is not published is never written here; what is lost here is never proposed anew: the store that lost it does not
//! open.

use std::collections::BTreeMap;

use accord_proto::{
    clock::Timestamp,
    id::EditionId,
    identity::Identity,
    reason::Invalid,
    seal::Digest,
    taxonomy::{IndicatorCode, JurisdictionCode, Lists, Period},
};
use prost::Message;

use super::{
    Change, Pair, Room, Store,
    block::{BLOCK_ROWS, StoredCell, sealed, unsealed},
    schema::{self, Offers},
    verify::damaged,
};
use crate::{
    disclose::offer::{Bulletin, Offer, Outcome, Signature},
    record::CellKey,
};

/// An offer, beside the edition's own entry.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredOffer {
    #[prost(string, tag = "1")]
    indicator: String,
    #[prost(string, repeated, tag = "2")]
    beside: Vec<String>,
    #[prost(message, optional, tag = "3")]
    proposed: Option<StoredBulletin>,
    /// The edition whose bulletin is carried on.
    #[prost(string, tag = "4")]
    carried: String,
    #[prost(string, tag = "5")]
    refused: String,
}

/// A bulletin without its cells.
#[derive(Clone, PartialEq, Message)]
struct StoredBulletin {
    #[prost(string, tag = "1")]
    edition: String,
    #[prost(string, repeated, tag = "2")]
    audiences: Vec<String>,
    #[prost(bytes = "vec", tag = "3")]
    handling: Vec<u8>,
    #[prost(uint64, tag = "4")]
    cells: u64,
}

impl StoredOffer {
    pub(super) fn write(indicator: IndicatorCode, offer: &Offer) -> Self {
        let mut stored = Self {
            indicator: indicator.to_string(),
            beside: offer.beside.iter().map(ToString::to_string).collect(),
            ..Self::default()
        };
        match &offer.outcome {
            Outcome::Proposed(bulletin) => {
                stored.proposed = Some(StoredBulletin {
                    edition: bulletin.edition.to_string(),
                    audiences: bulletin.audiences.iter().map(ToString::to_string).collect(),
                    handling: bulletin.handling.0.to_vec(),
                    cells: bulletin.cells.len() as u64,
                });
            }
            Outcome::Carried(edition) => stored.carried = edition.to_string(),
            Outcome::Refused(why) => stored.refused.clone_from(why),
        }
        stored
    }

    /// Without its cells.
    pub(super) fn read(&self, lists: &Lists) -> Result<(IndicatorCode, Offer), Invalid> {
        const FIELD: &str = "store.edition.offer";
        let Self { indicator, beside, proposed, carried, refused } = self;
        let beside = beside.iter().map(|period| Period::parse(FIELD, period));
        let outcome = match proposed {
            Some(StoredBulletin { edition, audiences, handling, cells: _ }) => {
                let audiences = audiences.iter().map(|code| lists.audience(FIELD, code));
                Outcome::Proposed(Bulletin {
                    edition: EditionId::parse(FIELD, edition)?,
                    audiences: audiences.collect::<Result<_, _>>()?,
                    handling: Digest::from_wire(FIELD, handling)?,
                    cells: BTreeMap::new(),
                })
            }
            None if carried.is_empty() => Outcome::Refused(refused.clone()),
            None => Outcome::Carried(EditionId::parse(FIELD, carried)?),
        };
        let offer = Offer { beside: beside.collect::<Result<_, _>>()?, outcome };
        Ok((lists.indicator(FIELD, indicator)?.code, offer))
    }

    pub(super) fn cells(&self) -> u64 {
        self.proposed.as_ref().map_or(0, |bulletin| bulletin.cells)
    }
}

#[derive(Clone, PartialEq, Message)]
struct StoredTables {
    #[prost(message, repeated, tag = "1")]
    cells: Vec<StoredPlace>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredPlace {
    #[prost(message, optional, tag = "1")]
    cell: Option<StoredCell>,
    /// Only where it is published.
    #[prost(sint64, optional, tag = "2")]
    value: Option<i64>,
}

/// The blocks of all bulletins of an edition.
pub(super) fn blocks<'a>(
    offers: &'a Offers,
    lists: &'a Lists,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    let bulletins = offers.values().filter_map(|offer| match &offer.outcome {
        Outcome::Proposed(bulletin) => Some(bulletin),
        Outcome::Carried(_) | Outcome::Refused(_) => None,
    });
    let mut left = bulletins.flat_map(|bulletin| &bulletin.cells);
    std::iter::from_fn(move || {
        let write = |(cell, value): (&CellKey, &Option<i64>)| StoredPlace {
            cell: Some(StoredCell::write(cell, lists)),
            value: *value,
        };
        let cells: Vec<_> = left.by_ref().take(BLOCK_ROWS).map(write).collect();
        (!cells.is_empty()).then(|| sealed(&StoredTables { cells }.encode_to_vec()))
    })
}

/// Reads a block back.
pub(super) fn read(
    bytes: &[u8],
    jurisdiction: JurisdictionCode,
    lists: &Lists,
    offers: &mut Offers,
) -> Result<(), Invalid> {
    let stored: StoredTables = schema::decode(unsealed(bytes)?)?;
    for StoredPlace { cell, value } in stored.cells {
        let cell = cell.ok_or_else(|| damaged("a cell without coordinates"))?;
        let cell = cell.read(jurisdiction, lists).map_err(|error| error.within("store.edition"))?;
        match offers.get_mut(&cell.indicator).map(|offer| &mut offer.outcome) {
            Some(Outcome::Proposed(bulletin)) => bulletin.cells.insert(cell, value),
            Some(Outcome::Carried(_) | Outcome::Refused(_)) | None => {
                return Err(damaged("a cell of a bulletin that is not there"));
            }
        };
    }
    Ok(())
}

/// Who signed which bulletin.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredSignature {
    #[prost(string, tag = "1")]
    indicator: String,
    #[prost(string, tag = "2")]
    period: String,
    #[prost(string, tag = "3")]
    edition: String,
    #[prost(string, tag = "4")]
    by: String,
    #[prost(int64, tag = "5")]
    at_s: i64,
    #[prost(string, tag = "6")]
    why: String,
}

/// What a signature is of.
type Of = (IndicatorCode, Period);

impl Store {
    /// Every signature.
    pub fn signatures(&self, lists: &Lists) -> Result<Vec<(Of, Signature)>, Invalid> {
        const FIELD: &str = "store.signature";
        let read = |entry: Result<Pair, Invalid>| {
            let StoredSignature { indicator, period, edition, by, at_s, why } =
                schema::decode(&entry?.1)?;
            let of = (lists.indicator(FIELD, &indicator)?.code, Period::parse(FIELD, &period)?);
            let signature = Signature {
                edition: EditionId::parse(FIELD, &edition)?,
                by: Identity::parse(&by)?,
                at: Timestamp::from_s(FIELD, at_s)?,
                why,
            };
            Ok((of, signature))
        };
        self.scan(Room::Signed, &[]).map(read).collect()
    }
}

impl Change<'_> {
    /// Puts a signature on record.
    pub fn sign(&mut self, (indicator, period): Of, signature: &Signature) {
        let Signature { edition, by, at, why } = signature;
        let stored = StoredSignature {
            indicator: indicator.to_string(),
            period: period.to_string(),
            edition: edition.to_string(),
            by: by.to_string(),
            at_s: at.as_s(),
            why: why.clone(),
        };
        let key = format!("{indicator} {period}");
        self.write(Room::Signed, key.as_bytes(), stored.encode_to_vec());
    }
}
