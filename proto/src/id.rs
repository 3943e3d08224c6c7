//! Ids that parties mint: UUIDv7, so that they sort by time in every store.

use std::fmt;

use crate::{
    clock::{Clock, Entropy, Timestamp},
    reason::{Invalid, Reason, quoted},
};

macro_rules! ids {
    ($($name:ident: $what:literal;)*) => {$(
        #[doc = concat!("Names ", $what, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new one.
            pub fn mint(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Self, Invalid> {
                mint(clock, entropy).map(Self)
            }

            /// Reads the text form; anything but a UUIDv7 is refused.
            pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
                parse(field, text).map(Self)
            }

            /// Reads the 16 bytes back.
            pub fn from_bytes(field: &str, bytes: &[u8]) -> Result<Self, Invalid> {
                let id = uuid::Uuid::from_slice(bytes).map(|id| id.to_string()).unwrap_or_default();
                parse(field, &id).map(Self)
            }

            /// When it was made, in whole seconds.
            pub fn minted_at(&self) -> Timestamp {
                minted_at(&self.0)
            }

            /// The 16 bytes, ordered by time.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    RequirementId: "an intelligence requirement";
    EditionId: "a node's edition of one period";
    GrantId: "a node's consent";
    SummaryId: "a strategic summary, through all its versions";
    ProductId: "a product, through all its texts";
}

fn mint(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<uuid::Uuid, Invalid> {
    let mut random = [0; 10];
    entropy.fill(&mut random)?;
    let now_ms = u64::try_from(clock.now_ms()).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid())
}

fn minted_at(id: &uuid::Uuid) -> Timestamp {
    // RFC 9562 §5.7: the first 48 bits are milliseconds since 1970.
    let ms = id.as_bytes()[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte));
    Timestamp::EARLIEST.plus_s(ms / 1000 - Timestamp::EARLIEST.as_s())
}

fn parse(field: &str, text: &str) -> Result<uuid::Uuid, Invalid> {
    match uuid::Uuid::try_parse(text) {
        // The canonical spelling only: one id has one text form.
        Ok(id) if id.get_version_num() == 7 && id.to_string() == text => Ok(id),
        _ => Err(Invalid::new(
            Reason::FieldInvalid,
            field,
            format!("{} is not a UUIDv7 in lower case", quoted(text)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{FixedClock, SystemEntropy, Timestamp};

    #[test]
    fn an_id_has_one_text_form() {
        let clock = FixedClock(Timestamp::parse("", "2026-01-01").unwrap());
        let id = RequirementId::mint(&clock, &SystemEntropy).unwrap();
        assert_eq!(RequirementId::parse("id", &id.to_string()).unwrap(), id);
        assert_eq!(id.minted_at(), clock.0);
        assert!(RequirementId::parse("id", &id.to_string().to_uppercase()).is_err());
        assert!(RequirementId::parse("id", "b1f7a0e4-0000-4000-8000-000000000000").is_err());
    }
}
