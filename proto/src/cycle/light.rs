//! Traffic lights. Comes in: lights and what they rest on. Goes out: one light of many, with its reason in words. The rule is written: the
//! worst of what is known counts, and what is not known never makes anything better.

use serde::{Serialize, Serializer};

/// A light. The later in this order, the more it counts where several come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Light {
    /// Nothing is measured or reported: too early, or nobody tells.
    Grey,
    /// As planned, beyond what uncertainty allows.
    Green,
    /// Figures contradict each other, or do not compare with the baseline.
    Unknown,
    /// It cannot be told from being late; or something is late.
    Amber,
    /// Behind the plan beyond what uncertainty allows, or blocked.
    Red,
}

impl Light {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Grey, Self::Green, Self::Unknown, Self::Amber, Self::Red];

    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grey => "GREY",
            Self::Green => "GREEN",
            Self::Unknown => "UNKNOWN",
            Self::Amber => "AMBER",
            Self::Red => "RED",
        }
    }
}

impl Serialize for Light {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a light rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The days of the action.
    Dates,
    /// What its leaders report; nobody else has checked it.
    Report,
    /// A figure of the region.
    Indicator,
    /// Lights of what belongs to it.
    Parts,
}

/// A light and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lit {
    /// The light.
    pub light: Light,
    /// What it rests on.
    pub source: Source,
    /// Why, in words.
    pub why: String,
}

impl Lit {
    pub(super) fn new(light: Light, source: Source, why: impl Into<String>) -> Self {
        Self { light, source, why: why.into() }
    }
}

/// The light of several reasons: that of the worst.
pub(super) fn worst<'a>(lit: impl IntoIterator<Item = &'a Lit>) -> Light {
    lit.into_iter().map(|of| of.light).max().unwrap_or(Light::Grey)
}

/// The light of something that has parts, by their names: the worst, and which have it.
pub(super) fn of_parts(parts: &[(String, Light)]) -> Lit {
    let Some(light) = parts.iter().map(|(_, light)| *light).max() else {
        return Lit::new(Light::Grey, Source::Parts, "there is no action");
    };
    let have: Vec<_> =
        parts.iter().filter(|(_, of)| *of == light).map(|(name, _)| name.as_str()).collect();
    let why = format!("{} of {}: {}", have.len(), parts.len(), have.join(", "));
    Lit::new(light, Source::Parts, why)
}
