//! A chart for the text of a product. Comes in: what is to be drawn, and pictures that were fetched. Goes out: the chart. The same
//! pictures give the same bytes: whoever holds them draws it again.

use super::{Cells, Source, trend};
use crate::{
    audience,
    chart::{Chart, Heat, Map, Members, View},
    id::RequirementId,
    product::figure::{Figure, Recipe},
    reason::{Invalid, Reason},
    seal::Digest,
    taxonomy::{AudienceCode, Lists, TOTAL},
};

/// What a figure shows.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// `trend`, `heat`, `map` or `coverage`.
    pub chart: String,
    /// Requirement, or requirement and version, of each picture: one, but for a trend.
    pub pictures: Vec<String>,
    /// What is counted or measured; not for coverage.
    #[serde(default)]
    pub indicator: String,
    /// Of which period: for a heat map and a map.
    #[serde(default)]
    pub period: String,
    /// Of which categories; of all together if left out.
    #[serde(default = "total")]
    pub categories: String,
    /// Crime areas: of a trend and a heat map those that are shown, of a map the one.
    #[serde(default)]
    pub areas: Vec<String>,
    /// What stands below it.
    pub caption: String,
}

fn total() -> String {
    TOTAL.to_owned()
}

impl Source {
    /// For whom it is, as the seals say that it rests on.
    ///
    /// # Errors
    /// `FIELD_MISSING`: nobody's answer is in it.
    pub fn audience(&self, lists: &Lists) -> Result<AudienceCode, Invalid> {
        let audience = audience::of_all([&self.picture])?.ok_or_else(|| {
            let detail = "nobody has answered: there is nothing in it to cite";
            Invalid::new(Reason::FieldMissing, "picture", detail)
        })?;
        lists.audience("seal.audience", &audience)
    }

    /// Which picture it is: requirement, version, and digest of its signed bytes.
    pub fn name(&self) -> Result<(RequirementId, u32, Digest), Invalid> {
        let requirement = RequirementId::parse("picture.requirement", &self.picture.requirement)?;
        Ok((requirement, self.version, self.digest))
    }

    /// SHA-256 of its signed bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its number among the pictures of its requirement.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The bytes that were signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

impl Drawn {
    /// As a figure of a product was drawn.
    pub fn again(figure: &Figure) -> Self {
        let Recipe { chart, citations: _, indicator, period, categories, areas } = &figure.recipe;
        Self {
            chart: chart.clone(),
            pictures: Vec::new(),
            indicator: indicator.clone(),
            period: period.clone(),
            categories: categories.clone(),
            areas: areas.clone(),
            caption: figure.caption.clone(),
        }
    }

    /// Draws it; `sources` are the pictures in the order in which they are named.
    pub fn draw(&self, sources: &[Source], lists: &Lists) -> Result<Chart, Invalid> {
        if self.chart == "trend" {
            let series = (self.indicator.as_str(), self.categories.as_str());
            return trend(sources, series, &self.areas, lists);
        }
        let [source] = sources else {
            let detail = format!("{} where a {} shows one", sources.len(), self.chart);
            return Err(Invalid::new(Reason::FieldInvalid, "figure.pictures", detail));
        };
        let cells = Cells {
            picture: String::new(),
            indicator: self.indicator.clone(),
            period: self.period.clone(),
            categories: self.categories.clone(),
        };
        match self.chart.as_str() {
            "heat" => {
                let view =
                    Heat::of_picture(&source.picture, cells.selection(), &self.areas, lists)?;
                cells.chart(source, cells.names("heat", None, lists), View::Heat(view), lists)
            }
            "map" => {
                let [area] = self.areas.as_slice() else {
                    let detail = "a map shows one crime area: areas = [\"…\"]";
                    return Err(Invalid::new(Reason::FieldInvalid, "figure.areas", detail));
                };
                let view = Map::of_picture(&source.picture, cells.selection(), area, lists)?;
                cells.chart(source, cells.names("map", Some(area), lists), View::Map(view), lists)
            }
            "coverage" => {
                let view = View::Members(Members::of_picture(&source.picture, lists)?);
                let names =
                    ["coverage", "Who answered", "Cells with a figure of each, by indicator"];
                Chart::new(source.frame(names, "", lists)?, view, lists)
            }
            other => {
                let detail = format!(
                    "{} is none of trend, heat, map and coverage",
                    crate::reason::quoted(other)
                );
                Err(Invalid::new(Reason::CodeUnknown, "figure.chart", detail))
            }
        }
    }
}
