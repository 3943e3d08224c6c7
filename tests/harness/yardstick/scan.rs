//! A plain scan: the records in three columns of small numbers, and one pass over all of them per question.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::{Block, Figures};
use crate::london::{self, ALL_CRIME, CATEGORIES, CITY, JURISDICTION, London};

/// The records.
#[derive(Debug)]
pub struct Columns {
    months: Vec<u8>,
    categories: Vec<u8>,
    wards: Vec<u16>,
    month_names: Vec<String>,
    ward_codes: Vec<String>,
    borough_of: Vec<u16>,
    borough_codes: Vec<String>,
}

/// How a block is counted: where each month, category and ward counts, if it does.
struct Plan {
    months: Vec<Option<usize>>,
    categories: Vec<Option<usize>>,
    regions: Vec<usize>,
    counts: Vec<i64>,
    per_month: usize,
    per_category: usize,
}

impl Columns {
    /// Reads the files.
    pub fn build(london: &London, month_names: &[String]) -> Result<Self> {
        let numbered = |names: &mut dyn Iterator<Item = String>| -> BTreeMap<String, u16> {
            names.zip(0..).collect()
        };
        let month_at = numbered(&mut month_names.iter().cloned());
        let category_at = numbered(&mut CATEGORIES.iter().map(|name| (*name).to_owned()));
        let ward_at = numbered(&mut london.wards.iter().map(|ward| ward.code.clone()));
        let mut borough_codes: Vec<_> =
            london.wards.iter().map(|ward| ward.borough_code()).collect();
        borough_codes.sort_unstable();
        borough_codes.dedup();
        let borough_at = numbered(&mut borough_codes.iter().cloned());
        let borough_of =
            london.wards.iter().filter_map(|ward| borough_at.get(&ward.borough_code()));
        let mut columns = Self {
            months: Vec::new(),
            categories: Vec::new(),
            wards: Vec::new(),
            month_names: month_names.to_vec(),
            ward_codes: london.wards.iter().map(|ward| ward.code.clone()).collect(),
            borough_of: borough_of.copied().collect(),
            borough_codes,
        };
        let mut strange = 0;
        london.each(|row| {
            let small = |at: Option<&u16>| at.and_then(|at| u8::try_from(*at).ok());
            let month = small(month_at.get(row.month));
            let category = small(category_at.get(row.category));
            match (month, category, ward_at.get(row.ward)) {
                (Some(month), Some(category), Some(ward)) => {
                    columns.months.push(month);
                    columns.categories.push(category);
                    columns.wards.push(*ward);
                }
                _ => strange += 1,
            }
        })?;
        anyhow::ensure!(strange == 0, "{strange} records of no known month, ward or category");
        Ok(columns)
    }

    /// Counts what every block asks, in one pass.
    pub fn count(&self, question: &[Block]) -> Result<Figures> {
        let mut plans = question.iter().map(|block| self.plan(block)).collect::<Vec<_>>();
        let rows = self.months.iter().zip(&self.categories).zip(&self.wards);
        for ((month, category), ward) in rows {
            for plan in &mut plans {
                let month = plan.months.get(usize::from(*month)).copied().flatten();
                let category = plan.categories.get(usize::from(*category)).copied().flatten();
                if let (Some(month), Some(category)) = (month, category) {
                    let region = plan.regions.get(usize::from(*ward)).copied().unwrap_or(0);
                    let at = month * plan.per_month + category * plan.per_category + region;
                    if let Some(count) = plan.counts.get_mut(at) {
                        *count += 1;
                    }
                }
            }
        }
        let mut figures = Figures::new();
        for (block, plan) in question.iter().zip(plans) {
            let areas: Vec<_> = match block.categories.as_slice() {
                [] => vec![ALL_CRIME.to_owned()],
                categories => categories.iter().map(|name| london::code_of(name)).collect(),
            };
            for (at, count) in plan.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let month = block.months.get(at / plan.per_month).context("a month")?;
                let area = areas.get(at % plan.per_month / plan.per_category).context("an area")?;
                let region =
                    self.region(block.level, at % plan.per_category).context("a region")?;
                figures.insert((block.level, region, area.clone(), month.clone()), *count);
            }
        }
        Ok(figures)
    }

    fn plan(&self, block: &Block) -> Plan {
        let place = |name: &str| match block.categories.as_slice() {
            [] => Some(0),
            categories => categories.iter().position(|of| *of == name),
        };
        let regions: Vec<_> = match block.level {
            0 | 1 => vec![0; self.borough_of.len()],
            2 => self.borough_of.iter().map(|at| usize::from(*at)).collect(),
            _ => (0..self.borough_of.len()).collect(),
        };
        let per_category = regions.iter().max().map_or(1, |most| most + 1);
        let per_month = per_category * block.categories.len().max(1);
        let month = |name: &String| block.months.iter().position(|of| of == name);
        Plan {
            months: self.month_names.iter().map(month).collect(),
            categories: CATEGORIES.iter().map(|name| place(name)).collect(),
            regions,
            counts: vec![0; per_month * block.months.len()],
            per_month,
            per_category,
        }
    }

    fn region(&self, level: u32, at: usize) -> Option<String> {
        match level {
            0 => Some(JURISDICTION.to_owned()),
            1 => Some(CITY.to_owned()),
            2 => self.borough_codes.get(at).cloned(),
            _ => self.ward_codes.get(at).cloned(),
        }
    }
}
