//! The closed lists of the cycle: words that no federation adds to. Comes in: a word of a file, a number of the wire. Goes out: one of
//! the list, with its one spelling. Must never take an unknown word for a known one.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    reason::{Invalid, Reason, quoted},
    wire::cycle as wire,
};

macro_rules! closed {
    ($($(#[doc = $doc:literal])+ $name:ident, $what:literal {
        $($variant:ident = $text:literal, $meaning:literal;)+
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $meaning] $variant,)+ }

        impl $name {
            /// Every one, in the order of the schema.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The one spelling.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }

            /// Reads a word.
            pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
                    let detail = format!("{} is no {}: {}", quoted(text), $what, all.join(", "));
                    Invalid::new(Reason::CodeUnknown, field, detail)
                })
            }

            pub(super) fn from_wire(field: &str, number: i32) -> Result<Self, Invalid> {
                match wire::$name::try_from(number) {
                    $(Ok(wire::$name::$variant) => Ok(Self::$variant),)+
                    Ok(wire::$name::Unspecified) => {
                        let detail = concat!("names no ", $what);
                        Err(Invalid::new(Reason::FieldMissing, field, detail))
                    }
                    Err(_) => {
                        let detail = format!("{number} is no {} of this version", $what);
                        Err(Invalid::new(Reason::CodeUnknown, field, detail))
                    }
                }
            }

            pub(super) fn to_wire(self) -> i32 {
                match self { $(Self::$variant => wire::$name::$variant.into(),)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+};
}

closed! {
    /// What kind of work an action is.
    ActionType, "type of action" {
        Intelligence = "INTELLIGENCE", "Finding out.";
        Operational = "OPERATIONAL", "Investigations and controls together.";
        Training = "TRAINING", "Learning.";
        Prevention = "PREVENTION", "Keeping it from happening.";
        JointActionDays = "JOINT_ACTION_DAYS", "The same days, everywhere.";
    }

    /// Who pays.
    Funding, "funding" {
        Own = "OWN", "The parties' own means.";
        LowValueGrant = "LOW_VALUE_GRANT", "A low-value grant of EMPACT.";
        HighValueGrant = "HIGH_VALUE_GRANT", "A high-value grant of EMPACT.";
        Ipa = "IPA", "Instrument for Pre-accession Assistance.";
        OtherGrant = "OTHER_GRANT", "Another grant.";
    }

    /// Where a figure is to go.
    Direction, "direction" {
        Fall = "FALL", "From the baseline down to the target, in even steps.";
        Rise = "RISE", "From the baseline up to the target, in even steps.";
        Reach = "REACH", "At least the target in its period; nothing is expected before.";
    }

    /// How whoever runs an action sees it.
    ReportState, "state of an action" {
        OnTrack = "ON_TRACK", "As planned.";
        Delayed = "DELAYED", "Later than planned.";
        Blocked = "BLOCKED", "Cannot go on.";
        Done = "DONE", "Finished.";
    }

    /// What is counted of results; whole numbers that a party publishes of itself.
    Counter, "counter of results" {
        Investigations = "INVESTIGATIONS", "Investigations initiated.";
        Arrests = "ARRESTS", "Persons arrested or identified as suspects.";
        Victims = "VICTIMS", "Victims identified, minors among them.";
        MinorVictims = "MINOR_VICTIMS", "Of the victims identified, minors.";
        AssetsEur = "ASSETS_EUR", "Cash and assets seized.";
        DrugsKg = "DRUGS_KG", "Drugs seized, of one drug.";
        Firearms = "FIREARMS", "Firearms seized.";
    }
}

impl Counter {
    /// What one of it is.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Investigations => "investigations",
            Self::Arrests | Self::Victims | Self::MinorVictims => "persons",
            Self::AssetsEur => "EUR",
            Self::DrugsKg => "kg",
            Self::Firearms => "items",
        }
    }
}
