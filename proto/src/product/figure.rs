//! A figure of a section. Comes in: a chart, its twin in words, and how it was drawn. Goes out: the same, checked. Must never stand
//! without its recipe: whoever holds the pictures draws it again, and sees whether it is what they show.

use super::content::missing;
use crate::{
    limits::{
        PRODUCT_FIGURE_BYTES_MAX, PRODUCT_FIGURE_CELLS_MAX, PRODUCT_ITEMS_MAX,
        PRODUCT_LINE_CHARS_MAX, PRODUCT_TEXT_CHARS_MAX,
    },
    plain,
    reason::{Invalid, Reason},
    roster::bounded,
    wire::product as wire,
};

/// A chart with its twins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What stands below it.
    pub caption: String,
    /// What it shows, for whoever cannot see it.
    pub alternative: String,
    /// The chart as it was drawn. Of a peer: never to be put into a page but as an image.
    pub svg: Vec<u8>,
    /// A header, and rows of the same length.
    pub rows: Vec<Vec<String>>,
    /// How it is drawn.
    pub recipe: Recipe,
}

/// How a figure is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// `trend`, `heat`, `map` or `coverage`: whoever draws it knows which.
    pub chart: String,
    /// Which of the section's citations, from 0, in the order in which they are drawn.
    pub citations: Vec<usize>,
    /// What is counted or measured; empty where the chart has none.
    pub indicator: String,
    /// Of which period; empty: of all.
    pub period: String,
    /// Of which categories.
    pub categories: String,
    /// Of which crime areas; none: of all.
    pub areas: Vec<String>,
}

impl Figure {
    /// Reads one of a section with so many citations.
    pub(super) fn read(of: wire::Figure, cited: usize) -> Result<Self, Invalid> {
        let wire::Figure { caption, alternative, svg, rows, recipe } = of;
        plain::line("figures.caption", &caption, PRODUCT_LINE_CHARS_MAX)?;
        plain::said("figures.alternative", &alternative, PRODUCT_TEXT_CHARS_MAX)?;
        bounded("figures.svg", svg.len(), PRODUCT_FIGURE_BYTES_MAX)?;
        let rows: Vec<_> = rows.into_iter().map(|row| row.cells).collect();
        bounded("figures.rows", rows.iter().map(Vec::len).sum(), PRODUCT_FIGURE_CELLS_MAX)?;
        for cell in rows.iter().flatten().filter(|cell| !cell.is_empty()) {
            plain::line("figures.rows", cell, PRODUCT_LINE_CHARS_MAX)?;
        }
        let width = rows.first().ok_or_else(|| missing("figures.rows"))?.len();
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            let detail = "a header, and rows of the same length, are the chart's twin";
            return Err(Invalid::new(Reason::FieldInvalid, "figures.rows", detail));
        }
        let recipe = recipe.ok_or_else(|| missing("figures.recipe"))?;
        Ok(Self { caption, alternative, svg, rows, recipe: Recipe::read(recipe, cited)? })
    }
}

impl Recipe {
    fn read(of: wire::Recipe, cited: usize) -> Result<Self, Invalid> {
        let wire::Recipe { chart, citations, indicator, period, categories, areas } = of;
        plain::line("figures.recipe.chart", &chart, PRODUCT_LINE_CHARS_MAX)?;
        bounded("figures.recipe.citations", citations.len(), PRODUCT_ITEMS_MAX)?;
        bounded("figures.recipe.areas", areas.len(), PRODUCT_ITEMS_MAX)?;
        let texts = [&indicator, &period, &categories].into_iter().chain(&areas);
        for text in texts.filter(|text| !text.is_empty()) {
            plain::line("figures.recipe", text, PRODUCT_LINE_CHARS_MAX)?;
        }
        let at = |at: u32| {
            let known = usize::try_from(at).ok().filter(|at| *at < cited);
            known.ok_or_else(|| {
                let detail = format!("{at} where the section cites {cited} pictures");
                Invalid::new(Reason::FieldInvalid, "figures.recipe.citations", detail)
            })
        };
        let citations: Vec<_> = citations.into_iter().map(at).collect::<Result<_, _>>()?;
        if citations.is_empty() {
            let detail =
                "a figure is drawn of a picture: cite it, so that everybody can draw it again";
            return Err(Invalid::new(Reason::FieldMissing, "figures.recipe.citations", detail));
        }
        Ok(Self { chart, citations, indicator, period, categories, areas })
    }
}
