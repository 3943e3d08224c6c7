//! Who takes part: a jurisdiction, or an agency of a closed list. Comes in: a code. Goes out: a party. Must never be a person, nor
//! an agency that passes for a jurisdiction.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    reason::{Invalid, Reason, quoted},
    taxonomy::{JurisdictionCode, Lists},
};

macro_rules! agencies {
    ($($variant:ident = $code:literal, $name:literal;)*) => {
        /// A body that belongs to no jurisdiction. The list is part of the contract and no code list: a longer one makes no old answer unreadable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Agency { $(#[doc = $name] $variant,)* }

        impl Agency {
            /// Every one, ascending by code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Its name.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

agencies! {
    Cepol = "CEPOL", "European Union Agency for Law Enforcement Training";
    Commission = "COMMISSION", "European Commission";
    Dcaf = "DCAF", "Geneva Centre for Security Sector Governance";
    Eppo = "EPPO", "European Public Prosecutor's Office";
    EuLisa = "EU-LISA", "European Union Agency for large-scale IT systems";
    Euda = "EUDA", "European Union Drugs Agency";
    Euipo = "EUIPO", "European Union Intellectual Property Office";
    Eurojust = "EUROJUST", "European Union Agency for Criminal Justice Cooperation";
    Europol = "EUROPOL", "European Union Agency for Law Enforcement Cooperation";
    Frontex = "FRONTEX", "European Border and Coast Guard Agency";
    Iisg = "IISG", "Integrative Internal Security Governance";
    Interpol = "INTERPOL", "International Criminal Police Organization";
    Olaf = "OLAF", "European Anti-Fraud Office";
    Osce = "OSCE", "Organization for Security and Co-operation in Europe";
    PccSee = "PCC-SEE", "Police Cooperation Convention for Southeast Europe, Secretariat";
    Rai = "RAI", "Regional Anti-corruption Initiative";
    Rcc = "RCC", "Regional Cooperation Council";
    Seesac = "SEESAC", "Clearinghouse for the Control of Small Arms and Light Weapons";
    Selec = "SELEC", "Southeast European Law Enforcement Center";
    Unodc = "UNODC", "United Nations Office on Drugs and Crime";
    Wco = "WCO", "World Customs Organization";
}

/// Whoever drives, leads or takes part. Jurisdictions come first, each kind ascending by code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A jurisdiction, whichever of its services does the work.
    Jurisdiction(JurisdictionCode),
    /// An agency.
    Agency(Agency),
}

impl Party {
    /// Reads a code.
    pub fn parse(field: &str, text: &str, lists: &Lists) -> Result<Self, Invalid> {
        if let Some(agency) = Agency::ALL.iter().find(|agency| agency.as_str() == text) {
            return Ok(Self::Agency(*agency));
        }
        if let Ok(known) = lists.jurisdiction(field, text) {
            return Ok(Self::Jurisdiction(known.code));
        }
        let agencies: Vec<_> = Agency::ALL.iter().map(|agency| agency.as_str()).collect();
        let detail = format!(
            "{} is neither a code of the list jurisdictions nor an agency: {}",
            quoted(text),
            agencies.join(", ")
        );
        Err(Invalid::new(Reason::CodeUnknown, field, detail))
    }

    /// The jurisdiction, if it is one.
    pub fn jurisdiction(self) -> Option<JurisdictionCode> {
        match self {
            Self::Jurisdiction(code) => Some(code),
            Self::Agency(_) => None,
        }
    }

    /// Its name; with an asterisk where a footnote belongs to it.
    pub fn label(self, lists: &Lists) -> &str {
        match self {
            Self::Jurisdiction(code) => {
                lists.jurisdiction("", code.as_str()).map_or("", |known| &known.label)
            }
            Self::Agency(agency) => agency.label(),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jurisdiction(code) => f.pad(code.as_str()),
            Self::Agency(agency) => f.pad(agency.as_str()),
        }
    }
}

impl Serialize for Party {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
