//! What lies on disk, as protobuf. Reading back goes through the same checked constructors as a file:
//! a damaged or foreign store is refused by name, never believed.

use accord_proto::{
    clock::Timestamp,
    id::EditionId,
    identity::Identity,
    reason::{Invalid, Reason, quoted},
    seal::Digest,
    table::{EditionRef, Mode},
    taxonomy::{AudienceCode, Lists, Period},
};
use prost::Message;

use super::{maintenance::StoredMaintenance, offers::StoredOffer, shown::StoredDraws};
use crate::{
    cube::Cells,
    disclose::{
        offer::{Offer, Outcome},
        protect::Drawn,
    },
    freeze, ingest,
};

/// Draws by indicator.
pub(super) type Draws = std::collections::BTreeMap<accord_proto::taxonomy::IndicatorCode, Drawn>;

/// Offers by indicator.
pub(super) type Offers = std::collections::BTreeMap<accord_proto::taxonomy::IndicatorCode, Offer>;

/// Version of this schema. A store of another one is refused, not guessed at.
pub(super) const FORMAT: &str = "accord-node 6";
pub(super) const FORMAT_KEY: &str = "format";
/// What is wrong with a store of another format.
pub(super) const FORMAT_FIELD: &str = "store.format";
pub(super) const OWNER_KEY: &str = "owner";
pub(super) const JOURNAL_KEY: &str = "journal";
pub(super) const SALT_KEY: &str = "salt";
pub(super) const COUNTERS_KEY: &str = "counters";

pub(super) fn check_format(found: &[u8]) -> Result<(), Invalid> {
    if found == FORMAT.as_bytes() {
        return Ok(());
    }
    let detail = format!(
        "its format is {}, this program reads \"{FORMAT}\"",
        quoted(&String::from_utf8_lossy(found))
    );
    Err(Invalid::new(Reason::StoreFailed, FORMAT_FIELD, detail))
}

pub(super) fn check_owner(found: &[u8], owner: &str) -> Result<(), Invalid> {
    if found == owner.as_bytes() {
        return Ok(());
    }
    let found = String::from_utf8_lossy(found);
    let detail = format!("belongs to {}, not to {owner}", quoted(&found));
    Err(Invalid::new(Reason::StoreFailed, "store", detail))
}

pub(super) fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, Invalid> {
    M::decode(bytes)
        .map_err(|error| Invalid::new(Reason::StoreFailed, "store", format!("damaged: {error}")))
}

/// Numbers that only rise, and what was relied on last.
#[derive(Clone, Message)]
#[prost(skip_debug)]
pub(super) struct Counters {
    #[prost(uint64, tag = "1")]
    pub(super) sequence: u64,
    #[prost(uint64, tag = "2")]
    pub(super) consent_epoch: u64,
    #[prost(uint64, tag = "3")]
    pub(super) roster_version: u64,
    #[prost(uint64, tag = "4")]
    pub(super) imports: u64,
    #[prost(uint64, tag = "5")]
    pub(super) editions: u64,
    #[prost(bytes = "vec", tag = "6")]
    pub(super) policy: Vec<u8>,
    /// Sum of all that lies in the store.
    #[prost(bytes = "vec", tag = "7")]
    pub(super) contents: Vec<u8>,
    /// Periods of which nothing is answered until they are frozen again.
    #[prost(string, repeated, tag = "8")]
    pub(super) withheld: Vec<String>,
    /// Charges of the privacy ledger, and the hash of the last.
    #[prost(uint64, tag = "9")]
    pub(super) ledger_size: u64,
    #[prost(bytes = "vec", tag = "10")]
    pub(super) ledger_head: Vec<u8>,
    /// The key that the noise of the next editions comes from.
    #[prost(bytes = "vec", tag = "11")]
    pub(super) noise_root: Vec<u8>,
    /// The ledger may have forgotten charges, and nobody has confirmed that yet.
    #[prost(bool, tag = "12")]
    pub(super) in_doubt: bool,
    /// Digest of the seal made last.
    #[prost(bytes = "vec", tag = "20")]
    pub(super) last_seal: Vec<u8>,
    /// Editions that are never answered from again, nor earlier ones of their periods.
    #[prost(message, repeated, tag = "21")]
    pub(super) barred: Vec<Barred>,
    /// The maintenance that was announced last; it may be over by now.
    #[prost(message, optional, tag = "22")]
    pub(super) maintenance: Option<StoredMaintenance>,
    /// When somebody confirmed last that the ledger may have forgotten charges.
    #[prost(int64, tag = "23")]
    pub(super) doubt_ended_at_s: i64,
}

/// The last edition of a period that holds a record whose handling was changed later.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Barred {
    #[prost(string, tag = "1")]
    pub(super) period: String,
    #[prost(uint32, tag = "2")]
    pub(super) number: u32,
}

/// A committed import.
#[derive(Clone, PartialEq, Message)]
pub struct ImportSummary {
    /// Position among the imports, from 1; set by the store.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// SHA-256 over file and mapping.
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
    /// Name of the file, for people.
    #[prost(string, tag = "3")]
    pub file_name: String,
    /// Where the figures come from, as the mapping says.
    #[prost(string, tag = "4")]
    pub source: String,
    /// Data rows of the file.
    #[prost(uint64, tag = "5")]
    pub rows_read: u64,
    /// Rows that the mapping leaves out.
    #[prost(uint64, tag = "6")]
    pub rows_left_out: u64,
    /// Rows that hold what was held before.
    #[prost(uint64, tag = "7")]
    pub rows_unchanged: u64,
    /// Rows that said something new.
    #[prost(uint64, tag = "8")]
    pub rows_accepted: u64,
    /// Records that are kept of it: those that say what was held already, too, because what said it first may be
    /// taken back.
    #[prost(uint64, tag = "15")]
    pub rows_kept: u64,
    /// Rows that were refused.
    #[prost(uint64, tag = "9")]
    pub rows_quarantined: u64,
    /// Taken back as a whole.
    #[prost(bool, tag = "10")]
    pub undone: bool,
    /// When it was committed.
    #[prost(int64, tag = "11")]
    pub at_s: i64,
    /// What the file was taken for.
    #[prost(string, tag = "12")]
    pub recognised: String,
    /// From this day on its records may not be kept; 0: no such day.
    #[prost(int64, tag = "13")]
    pub retention_until_s: i64,
    /// Its records were erased.
    #[prost(bool, tag = "14")]
    pub erased: bool,
}

impl ImportSummary {
    /// Does what it brought still count?
    pub fn counts(&self) -> bool {
        !self.undone && !self.erased
    }
}

/// What was released for a requirement, and what it was released under.
#[derive(Clone, PartialEq, Message)]
pub struct Released {
    /// SHA-256 of the requirement's signed bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub requirement_digest: Vec<u8>,
    /// The answer as it travels.
    #[prost(bytes = "vec", tag = "2")]
    pub response: Vec<u8>,
    /// As whose table each block was given; none: as that of the requirement's audience.
    #[prost(string, repeated, tag = "3")]
    pub audiences: Vec<String>,
}

impl Released {
    /// As whose table each block was given; none: as that of the requirement's audience.
    pub fn given_as(&self, lists: &Lists) -> Result<Vec<AudienceCode>, Invalid> {
        self.audiences.iter().map(|code| lists.audience("store.answer", code)).collect()
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Quarantine {
    #[prost(message, repeated, tag = "1")]
    pub(super) rows: Vec<QuarantinedRow>,
}

/// A refused row, as it is kept.
#[derive(Clone, PartialEq, Message)]
pub struct QuarantinedRow {
    /// Line or row of the file.
    #[prost(uint64, tag = "1")]
    pub row: u64,
    /// Column of the file.
    #[prost(string, tag = "2")]
    pub field: String,
    /// Stable code.
    #[prost(string, tag = "3")]
    pub reason: String,
    /// What was found and what to do.
    #[prost(string, tag = "4")]
    pub hint: String,
}

impl From<&ingest::Quarantined> for QuarantinedRow {
    fn from(quarantined: &ingest::Quarantined) -> Self {
        Self {
            row: quarantined.row,
            field: quarantined.why.field.clone(),
            reason: quarantined.why.reason.code().to_owned(),
            hint: quarantined.why.detail.clone(),
        }
    }
}

/// Refused rows in one value. The database writes a page again with every change of it: a value of megabytes
/// made each small import beside it write megabytes.
const QUARANTINE_ROWS: usize = 128;

impl Quarantine {
    pub(super) fn blocks(rows: &[ingest::Quarantined]) -> impl Iterator<Item = Vec<u8>> + '_ {
        let block = |rows: &[ingest::Quarantined]| Self {
            rows: rows.iter().map(QuarantinedRow::from).collect(),
        };
        rows.chunks(QUARANTINE_ROWS).map(move |rows| block(rows).encode_to_vec())
    }
}

/// An edition without its figures, which lie in blocks of their own.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Edition {
    #[prost(string, tag = "1")]
    period: String,
    #[prost(string, tag = "2")]
    edition: String,
    #[prost(uint32, tag = "3")]
    number: u32,
    #[prost(int64, tag = "4")]
    frozen_at_s: i64,
    #[prost(string, tag = "5")]
    lists: String,
    #[prost(bytes = "vec", tag = "6")]
    policy: Vec<u8>,
    #[prost(message, repeated, tag = "7")]
    pub(super) classes: Vec<ReleaseClass>,
    /// Imports before it: none of them can be undone any more where it touches the period.
    #[prost(uint64, tag = "8")]
    imports: u64,
    #[prost(bytes = "vec", tag = "9")]
    handling: Vec<u8>,
    #[prost(message, repeated, tag = "10")]
    terms: Vec<FrozenTerms>,
    #[prost(string, tag = "11")]
    frozen_by: String,
    #[prost(message, repeated, tag = "12")]
    offers: Vec<StoredOffer>,
}

/// In which mode an indicator was frozen.
#[derive(Clone, PartialEq, Message)]
struct FrozenTerms {
    #[prost(string, tag = "1")]
    indicator: String,
    #[prost(int32, tag = "2")]
    mode: i32,
    #[prost(bytes = "vec", tag = "3")]
    digest: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReleaseClass {
    #[prost(string, repeated, tag = "1")]
    audiences: Vec<String>,
    #[prost(uint64, tag = "2")]
    cells: u64,
    #[prost(message, repeated, tag = "3")]
    drawn: Vec<StoredDraws>,
}

impl Edition {
    pub(super) fn write(edition: &freeze::Edition) -> Self {
        let freeze::Edition {
            reference,
            frozen_at,
            frozen_by,
            lists,
            policy,
            handling,
            imports,
            terms,
            classes,
            offers,
        } = edition;
        let class = |class: &freeze::ReleaseClass| ReleaseClass {
            audiences: class.audiences.iter().map(ToString::to_string).collect(),
            cells: class.cells.len() as u64,
            drawn: class
                .drawn
                .iter()
                .map(|(code, drawn)| StoredDraws::write(*code, drawn))
                .collect(),
        };
        Self {
            period: reference.period.to_string(),
            edition: reference.edition.to_string(),
            number: reference.number,
            frozen_at_s: frozen_at.as_s(),
            frozen_by: frozen_by.to_string(),
            offers: offers.iter().map(|(code, offer)| StoredOffer::write(*code, offer)).collect(),
            lists: lists.clone(),
            policy: policy.0.to_vec(),
            classes: classes.iter().map(class).collect(),
            imports: *imports,
            handling: handling.0.to_vec(),
            terms: terms
                .iter()
                .map(|(indicator, (mode, digest))| FrozenTerms {
                    indicator: indicator.to_string(),
                    mode: mode.to_wire().into(),
                    digest: digest.0.to_vec(),
                })
                .collect(),
        }
    }

    /// The draws of a class, without their cells.
    pub(super) fn drawn_of(&self, at: usize, lists: &Lists) -> Result<Draws, Invalid> {
        let stored = self.classes.get(at).map_or(&[][..], |class| &class.drawn);
        let of = |stored: &StoredDraws| {
            let indicator = lists.indicator("store.edition.indicator", &stored.indicator)?;
            Ok((indicator.code, stored.read()?))
        };
        stored.iter().map(of).collect()
    }

    /// Its offers, without the cells of bulletins.
    pub(super) fn offers(&self, lists: &Lists) -> Result<Offers, Invalid> {
        self.offers.iter().map(|stored| stored.read(lists)).collect()
    }

    /// `found`: figures of each class, and what may be shown of them; and the bulletins.
    pub(super) fn read(
        self,
        found: Vec<(Cells, Draws)>,
        offers: Offers,
        lists: &Lists,
    ) -> Result<freeze::Edition, Invalid> {
        let Self {
            period,
            edition,
            number,
            frozen_at_s,
            lists: name,
            policy,
            classes,
            imports,
            handling,
            terms,
            frozen_by,
            offers: stored,
        } = self;
        let stored: u64 = stored.iter().map(StoredOffer::cells).sum();
        let tables = offers.values().map(|offer| match &offer.outcome {
            Outcome::Proposed(bulletin) => bulletin.cells.len() as u64,
            Outcome::Carried(_) | Outcome::Refused(_) => 0,
        });
        let whole = tables.sum::<u64>() == stored;
        let mut read = Vec::with_capacity(classes.len());
        for (class, (cells, drawn)) in classes.into_iter().zip(found) {
            let shown = class.drawn.iter().map(|drawn| drawn.cells).sum::<u64>();
            let found = drawn.values().map(|drawn| drawn.cells.len() as u64).sum::<u64>();
            if cells.len() as u64 != class.cells || shown != found || !whole {
                let detail = format!(
                    "damaged: the edition of {period} is not whole; restore it from a backup"
                );
                return Err(Invalid::new(Reason::StoreFailed, "store", detail));
            }
            let audiences =
                class.audiences.iter().map(|code| lists.audience("store.edition", code));
            read.push(freeze::ReleaseClass {
                audiences: audiences.collect::<Result<_, _>>()?,
                cells,
                drawn,
            });
        }
        Ok(freeze::Edition {
            reference: EditionRef {
                period: Period::parse("store.edition.period", &period)?,
                edition: EditionId::parse("store.edition.edition", &edition)?,
                number,
            },
            frozen_at: Timestamp::from_s("store.edition.frozen_at_s", frozen_at_s)?,
            frozen_by: Identity::parse(&frozen_by)?,
            offers,
            lists: name,
            policy: Digest::from_wire("store.edition.policy", &policy)?,
            handling: Digest::from_wire("store.edition.handling", &handling)?,
            imports,
            terms: terms
                .into_iter()
                .map(|FrozenTerms { indicator, mode, digest }| {
                    let indicator = lists.indicator("store.edition.terms", &indicator)?;
                    let mode = Mode::from_wire("store.edition.terms", mode)?;
                    Ok((indicator.code, (mode, Digest::from_wire("store.edition.terms", &digest)?)))
                })
                .collect::<Result<_, _>>()?,
            classes: read,
        })
    }
}
