//! An indicator's table of `policy.toml`, as it is written. Comes in: TOML. Goes out: text and numbers that nobody has checked
//! yet; an unknown key is refused.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Levels as text; what is left out takes the default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLevels {
    pub(super) granularity: Option<Vec<String>>,
    pub(super) region_levels: Option<Vec<u32>>,
    pub(super) area_levels: Option<Vec<u32>>,
    pub(super) dimensions: Option<Vec<String>>,
}

impl RawLevels {
    pub(super) fn or(self, base: &Self) -> Self {
        Self {
            granularity: self.granularity.or_else(|| base.granularity.clone()),
            region_levels: self.region_levels.or_else(|| base.region_levels.clone()),
            area_levels: self.area_levels.or_else(|| base.area_levels.clone()),
            dimensions: self.dimensions.or_else(|| base.dimensions.clone()),
        }
    }
}

/// An indicator's table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTerms {
    pub(super) code: String,
    pub(super) mode: String,
    pub(super) granularity: Option<Vec<String>>,
    pub(super) region_levels: Option<Vec<u32>>,
    pub(super) area_levels: Option<Vec<u32>>,
    pub(super) dimensions: Option<Vec<String>>,
    #[serde(default)]
    pub(super) tier: BTreeMap<String, RawLevels>,
    pub(super) cap: Option<i64>,
    pub(super) leaves: Option<u32>,
    pub(super) draws: Option<u32>,
    pub(super) typical: Option<i64>,
    pub(super) band: Option<i64>,
    pub(super) audiences: Option<Vec<String>>,
    /// In what way it is counted otherwise than it is defined; a term of no mode.
    #[serde(default)]
    pub(super) deviations: Vec<String>,
}

impl RawTerms {
    pub(super) fn levels(&self) -> RawLevels {
        RawLevels {
            granularity: self.granularity.clone(),
            region_levels: self.region_levels.clone(),
            area_levels: self.area_levels.clone(),
            dimensions: self.dimensions.clone(),
        }
    }

    /// Does it say nothing but code and mode?
    pub(super) fn is_bare(&self) -> bool {
        let Self { code: _, mode: _, granularity, region_levels, area_levels, dimensions, .. } =
            self;
        let levels = granularity.is_none()
            && region_levels.is_none()
            && area_levels.is_none()
            && dimensions.is_none();
        levels && self.audiences.is_none() && !self.is_for_protection()
    }

    pub(super) fn is_for_protection(&self) -> bool {
        let Self { tier, cap, leaves, draws, typical, band, .. } = self;
        !tier.is_empty()
            || draws.is_some()
            || cap.is_some()
            || leaves.is_some()
            || typical.is_some()
            || band.is_some()
    }
}
