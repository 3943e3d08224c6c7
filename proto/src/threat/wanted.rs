//! A ranking, as somebody asks for it. Comes in: codes and names as they were typed or sent, and pictures. Goes out: the
//! ranking. Must never take a name for another, nor a series without what it is ordered by.

use super::{
    regional::{Ask, Sources},
    registry::Methods,
    replay::{Ranking, rank},
    rules::{Order, Rules},
};
use crate::{reason::Invalid, taxonomy::Lists};

/// What is to be ranked, unchecked.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Code of an indicator.
    pub indicator: String,
    /// Like 2016 or 2016-Q3.
    pub period: String,
    /// Like SEX=F; `_T` is the total.
    pub categories: String,
    /// Codes of crime areas, in any order; none: all that the pictures hold.
    pub areas: Vec<String>,
    /// What areas are ordered by.
    pub order: Order,
    /// The method whose scores are ordered, as ID or ID:VERSION; empty: these are no scores of one method.
    pub method: String,
}

impl Wanted {
    /// Ranks by the rules and methods of this version of the contract. `payloads`: signed bytes of pictures.
    ///
    /// # Errors
    /// `CODE_UNKNOWN`, `PERIOD_INVALID` of what is asked; as [`Sources::read`] and [`rank`].
    pub fn rank(&self, payloads: &[&[u8]], lists: &Lists) -> Result<Ranking, Invalid> {
        let Self { indicator, period, categories, areas, order, method } = self;
        let mut areas = areas.clone();
        areas.sort_unstable();
        areas.dedup();
        let ask = Ask::read((indicator, period, categories), &areas, lists)?;
        let method = match method.split_once(':') {
            None if method.is_empty() => None,
            None => Some(Methods::builtin().find("method", method, None)?),
            Some((id, version)) => Some(Methods::builtin().find("method", id, Some(version))?),
        };
        rank(&ask, &Sources::read(payloads)?, (Rules::builtin(*order), method), lists)
    }
}
