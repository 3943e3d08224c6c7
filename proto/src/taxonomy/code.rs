//! A code of a list. Comes in: text. Goes out: a short value, kept inline, compared byte by byte.
//!
//! One newtype for each list, so that a region can never be asked as an indicator.

use std::fmt;

use crate::limits::CODE_BYTES_MAX;

/// Reading a code from text; none if it cannot be a code at all.
pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Option<Self>;
}

/// Zero-padded ASCII: `Copy`, no allocation, ordered as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Inline([u8; CODE_BYTES_MAX]);

/// Which bytes a kind of code may have.
type Alphabet = fn(u8) -> bool;

/// Codes of the lists themselves.
fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
}

/// Names of lists: they are file names too, so nothing that a path gives a meaning to.
const fn lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

/// Terms as their schemes write them: `AMBER+STRICT`, `sr-Latn`, `1`.
fn mixed(byte: u8) -> bool {
    upper(byte) || byte.is_ascii_lowercase() || byte == b'+'
}

impl Inline {
    fn parse(text: &str, allowed: Alphabet) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > CODE_BYTES_MAX || !bytes.iter().all(|b| allowed(*b)) {
            return None;
        }
        let mut inline = [0; CODE_BYTES_MAX];
        inline[..bytes.len()].copy_from_slice(bytes);
        Some(Self(inline))
    }

    fn as_str(&self) -> &str {
        let len = self.0.iter().position(|b| *b == 0).unwrap_or(CODE_BYTES_MAX);
        // ASCII by construction, so this never takes the default.
        std::str::from_utf8(&self.0[..len]).unwrap_or_default()
    }
}

macro_rules! codes {
    ($($name:ident($alphabet:ident): $what:literal;)*) => {$(
        #[doc = $what]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Inline);

        impl $name {
            /// Checks the form only; whether the list has it, [`super::Lists`] says.
            pub fn parse(text: &str) -> Option<Self> {
                Inline::parse(text, $alphabet).map(Self)
            }

            /// The code as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromText for $name {
            fn from_text(text: &str) -> Option<Self> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

codes! {
    JurisdictionCode(upper): "A code of the list `jurisdictions`.";
    RegionCode(upper): "A code of the list `regions`.";
    CrimeAreaCode(upper): "A code of a list of areas: `iccs`, `crime_areas` or a federation's own.";
    IndicatorCode(upper): "A code of the list `indicators`.";
    PurposeCode(upper): "A code of the list `purposes`.";
    AudienceCode(upper): "A code of the list `audiences`.";
    DimensionCode(upper): "A dimension of the list `dimensions`, e.g. `SEX`.";
    CategoryCode(upper): "A category of one dimension, e.g. `F`; means nothing without it.";
    EuropolCode(upper): "A code of the list `europol`.";
    PriorityCode(upper): "A code of the list `priorities`.";
    TermCode(mixed): "A term of one vocabulary, e.g. `AMBER+STRICT`; means nothing without it.";
    AreaList(lower): "A list of areas, by the name of its file without `.csv`. A federation may bring its own.";
}

impl AreaList {
    /// International Classification of Crime for Statistical Purposes, as Eurostat and UNODC use it.
    pub const ICCS: Self = Self::built_in("iccs");
    /// The federation's own tree of organised-crime areas.
    pub const CRIME_AREAS: Self = Self::built_in("crime_areas");

    /// Compiled in only, so a name that does not fit is a build error.
    const fn built_in(name: &str) -> Self {
        let mut inline = [0; CODE_BYTES_MAX];
        let mut at = 0;
        while at < name.len() {
            assert!(lower(name.as_bytes()[at]));
            inline[at] = name.as_bytes()[at];
            at += 1;
        }
        Self(Inline(inline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_upper_case_and_short() {
        assert_eq!(CrimeAreaCode::parse("ICCS0101").unwrap().to_string(), "ICCS0101");
        for wrong in ["", "iccs0101", "ICCS 0101", "ICCS0101\0", "Š", "X2345678901234567890123456"]
        {
            assert!(CrimeAreaCode::parse(wrong).is_none(), "{wrong:?}");
        }
        assert!(CrimeAreaCode::parse("A.B").unwrap() < CrimeAreaCode::parse("A.BA").unwrap());
    }
    #[test]
    fn a_list_name_is_a_file_name_and_a_term_is_as_its_scheme_writes_it() {
        assert_eq!(AreaList::parse("crime_areas"), Some(AreaList::CRIME_AREAS));
        assert_eq!(AreaList::ICCS.as_str(), "iccs");
        for wrong in ["../iccs", "ICCS", "iccs.csv", ""] {
            assert!(AreaList::parse(wrong).is_none(), "{wrong:?}");
        }
        assert_eq!(TermCode::parse("AMBER+STRICT").unwrap().to_string(), "AMBER+STRICT");
        assert!(TermCode::parse("sr Latn").is_none());
    }
}
