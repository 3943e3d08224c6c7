//! The privacy ledger on disk. Comes in: charges, in the change that shows what they are for. Goes out: all of them, in
//! order, or that they are not what was written. Must never be read as shorter than it was.

use accord_proto::{
    clock::Timestamp,
    id::EditionId,
    reason::Invalid,
    seal::Digest,
    taxonomy::{Lists, Period, Tier},
};
use prost::Message;

use super::{Change, Room, Store, schema, verify::damaged};
use crate::disclose::{
    ledger::{Charge, Ledger},
    noise::Root,
};

/// Numbers of seals that are left out after a restore: more than a node seals between two backups.
const SEALS_FORGOTTEN: u64 = 1_000_000;

/// A charge as text codes.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredCharge {
    #[prost(string, tag = "1")]
    indicator: String,
    #[prost(string, tag = "2")]
    period: String,
    #[prost(string, tag = "3")]
    draw: String,
    #[prost(string, tag = "4")]
    tier: String,
    #[prost(uint64, tag = "5")]
    nano_rho: u64,
    #[prost(uint64, tag = "6")]
    beside: u64,
    #[prost(string, tag = "7")]
    lasting: String,
    #[prost(int64, tag = "8")]
    at_s: i64,
    /// Not a charge: whatever was charged before may have been forgotten.
    #[prost(bool, tag = "9")]
    lost: bool,
}

impl StoredCharge {
    fn write(charge: &Charge) -> Self {
        let Charge { indicator, period, draw, tier, nano_rho, beside, lasting, at } = charge;
        Self {
            indicator: indicator.to_string(),
            period: period.to_string(),
            draw: draw.to_string(),
            tier: tier.to_string(),
            nano_rho: *nano_rho,
            beside: *beside,
            lasting: lasting.clone(),
            at_s: at.as_s(),
            lost: false,
        }
    }

    /// As whoever has the disk would have it.
    #[cfg(test)]
    pub(super) fn make_free(&mut self) {
        self.nano_rho = 1;
    }

    fn read(self, lists: &Lists) -> Result<Charge, Invalid> {
        Ok(Charge {
            indicator: lists.indicator("store.ledger.indicator", &self.indicator)?.code,
            period: Period::parse("store.ledger.period", &self.period)?,
            draw: EditionId::parse("store.ledger.draw", &self.draw)?,
            tier: Tier::parse(&self.tier).ok_or_else(|| damaged("a charge without a tier"))?,
            nano_rho: self.nano_rho,
            beside: self.beside,
            lasting: self.lasting,
            at: Timestamp::from_s("store.ledger.at_s", self.at_s)?,
        })
    }
}

impl Store {
    /// Every charge, in order; one that is missing or changed is refused.
    pub fn ledger(&self, lists: &Lists) -> Result<Ledger, Invalid> {
        let mut ledger = Ledger::default();
        for stored in self.scan(Room::Ledger, &[]) {
            let (key, stored) = stored?;
            if key != ledger.size().to_be_bytes() {
                return Err(damaged("a charge of the privacy ledger is missing"));
            }
            let stored = schema::decode::<StoredCharge>(&stored)?;
            if stored.lost {
                ledger.lose(Timestamp::from_s("store.ledger.at_s", stored.at_s)?);
            } else {
                ledger.replay(stored.read(lists)?);
            }
        }
        let counters = self.head().counters;
        let whole = ledger.size() == counters.ledger_size
            && (ledger.size() == 0 || counters.ledger_head == ledger.head().0);
        if whole { Ok(ledger) } else { Err(damaged("the privacy ledger is not what was written")) }
    }
}

impl Change<'_> {
    /// Puts charges on record. `after` is the ledger with them.
    pub fn charge(&mut self, charges: &[Charge], after: &Ledger) {
        for charge in charges {
            self.put_in_ledger(&StoredCharge::write(charge), after);
        }
    }

    /// Puts on record that charges may have been forgotten, and relies on the ledger again. `after` is the ledger with that.
    pub fn confirm(&mut self, at: Timestamp, after: &Ledger) {
        let lost = StoredCharge { at_s: at.as_s(), lost: true, ..StoredCharge::default() };
        self.put_in_ledger(&lost, after);
        self.next.counters.in_doubt = false;
        self.next.counters.doubt_ended_at_s = at.as_s();
    }

    /// Nothing that costs budget is answered any more until somebody confirms.
    pub fn doubt(&mut self) {
        self.next.counters.in_doubt = true;
        // What was sealed since the copy was made has numbers of its own: none is given out twice.
        self.next.counters.sequence = self.next.counters.sequence.saturating_add(SEALS_FORGOTTEN);
    }

    fn put_in_ledger(&mut self, entry: &StoredCharge, after: &Ledger) {
        let key = self.next.counters.ledger_size.to_be_bytes();
        self.write(Room::Ledger, &key, entry.encode_to_vec());
        self.next.counters.ledger_size += 1;
        self.next.counters.ledger_head = after.head().0.to_vec();
    }

    /// The key that the noise of the next editions comes from.
    pub fn noise_root(&self) -> Result<Root, Invalid> {
        let bytes = self.next.counters.noise_root.as_slice().try_into();
        bytes.map(Root::new).map_err(|_| damaged("the key of its noise is gone"))
    }

    /// Editions were drawn: their key is not kept.
    pub fn ratchet_noise(&mut self) -> Result<(), Invalid> {
        self.next.counters.noise_root = self.noise_root()?.ratchet().as_bytes().to_vec();
        Ok(())
    }

    /// Hash of the ledger, for a journal entry.
    pub fn ledger_head(&self) -> Digest {
        Digest(self.next.counters.ledger_head.as_slice().try_into().unwrap_or([0; 32]))
    }
}
