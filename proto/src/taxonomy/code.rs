//! A code of a list: short, kept inline, compared byte by byte. One newtype for each list.

use std::fmt;

use crate::limits::CODE_BYTES_MAX;

/// Reading a code from text; none if it cannot be a code at all.
pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Option<Self>;
}

/// Zero-padded ASCII: `Copy`, no allocation, ordered as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Inline([u8; CODE_BYTES_MAX]);

impl Inline {
    fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let allowed = |b: &u8| {
            b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-')
        };
        if bytes.is_empty() || bytes.len() > CODE_BYTES_MAX || !bytes.iter().all(allowed) {
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
    ($($name:ident: $list:literal;)*) => {$(
        #[doc = concat!("A code of the list `", $list, "`.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Inline);

        impl $name {
            /// Checks the form only; whether the list has it, [`super::Lists`] says.
            pub fn parse(text: &str) -> Option<Self> {
                Inline::parse(text).map(Self)
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
    JurisdictionCode: "jurisdictions";
    RegionCode: "regions";
    CrimeAreaCode: "iccs` or `crime_areas";
    IndicatorCode: "indicators";
    PurposeCode: "purposes";
    AudienceCode: "audiences";
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
}
