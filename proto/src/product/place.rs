//! Where in a section a comment stands. Comes in: what a reader typed. Goes out: a part of that section, in one spelling. Must never
//! point at something that is not there: whoever decides on the comment looks at that place.

use std::fmt;

use super::section::Section;
use crate::reason::{Invalid, Reason, quoted};

/// A part of a section; numbers from 1, as they stand on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A block of its text: a paragraph, a heading, a list, a table.
    Paragraph(usize),
    /// A judgement.
    Judgement(usize),
    /// A recommendation.
    Recommendation(usize),
    /// A picture that it cites.
    Citation(usize),
    /// A figure; or of its table a row, or a cell.
    Figure(usize, Option<(usize, Option<usize>)>),
}

impl Place {
    /// Reads `judgement 2`, `figure 1 row 3 column 2` and the like.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let words: Vec<_> = text.split(' ').collect();
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let place = match words.as_slice() {
            ["paragraph", at] => number(at).map(Self::Paragraph),
            ["judgement", at] => number(at).map(Self::Judgement),
            ["recommendation", at] => number(at).map(Self::Recommendation),
            ["citation", at] => number(at).map(Self::Citation),
            ["figure", at] => number(at).map(|at| Self::Figure(at, None)),
            ["figure", at, "row", row] => {
                number(at).zip(number(row)).map(|(at, row)| Self::Figure(at, Some((row, None))))
            }
            ["figure", at, "row", row, "column", column] => number(at)
                .zip(number(row))
                .zip(number(column))
                .map(|((at, row), column)| Self::Figure(at, Some((row, Some(column))))),
            _ => None,
        };
        // One place has one spelling.
        place.filter(|place| place.to_string() == text).ok_or_else(|| {
            let detail = format!(
                "{} is no place: write paragraph 1, judgement 2, recommendation 1, citation 1, \
                 figure 1, figure 1 row 3 or figure 1 row 3 column 2",
                quoted(text)
            );
            Invalid::new(Reason::FieldInvalid, field, detail)
        })
    }

    /// Is it there?
    pub fn check_in(self, field: &str, section: &Section) -> Result<(), Invalid> {
        let is_there = match self {
            Self::Paragraph(at) => at <= super::markdown::blocks(&section.text),
            Self::Judgement(at) => at <= section.judgements.len(),
            Self::Recommendation(at) => at <= section.recommendations.len(),
            Self::Citation(at) => at <= section.citations.len(),
            Self::Figure(at, cell) => {
                section.figures.get(at.saturating_sub(1)).is_some_and(|figure| match cell {
                    None => true,
                    // The first row is the header.
                    Some((row, column)) => figure
                        .rows
                        .get(row)
                        .is_some_and(|cells| column.is_none_or(|column| column <= cells.len())),
                })
            }
        };
        if is_there {
            return Ok(());
        }
        let detail = format!("the section {} has no {self}", section.name);
        Err(Invalid::new(Reason::NotFound, field, detail))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paragraph(at) => write!(f, "paragraph {at}"),
            Self::Judgement(at) => write!(f, "judgement {at}"),
            Self::Recommendation(at) => write!(f, "recommendation {at}"),
            Self::Citation(at) => write!(f, "citation {at}"),
            Self::Figure(at, None) => write!(f, "figure {at}"),
            Self::Figure(at, Some((row, None))) => write!(f, "figure {at} row {row}"),
            Self::Figure(at, Some((row, Some(column)))) => {
                write!(f, "figure {at} row {row} column {column}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::Extent;
    use crate::product::figure::{Figure, Recipe};

    #[test]
    fn a_place_has_one_spelling_and_is_there() {
        let recipe = Recipe {
            chart: "heat".to_owned(),
            citations: vec![0],
            indicator: String::new(),
            period: String::new(),
            categories: String::new(),
            areas: Vec::new(),
        };
        let rows = [["Jurisdiction", "Seizures"], ["Albania", "41"]];
        let figure = Figure {
            caption: "Seizures".to_owned(),
            alternative: "One.".to_owned(),
            svg: Vec::new(),
            rows: rows.map(|row| row.map(str::to_owned).to_vec()).to_vec(),
            recipe,
        };
        let section = Section {
            name: "drugs".to_owned(),
            heading: "Drugs".to_owned(),
            extent: Extent::Public,
            text: "One.\n\n- two\n- of it\n\nThree.".to_owned(),
            citations: Vec::new(),
            judgements: Vec::new(),
            recommendations: vec!["Go on.".to_owned()],
            figures: vec![figure],
            plan: None,
        };
        let found = |text: &str| Place::parse("place", text)?.check_in("place", &section);
        for there in [
            "paragraph 3",
            "recommendation 1",
            "figure 1",
            "figure 1 row 1",
            "figure 1 row 1 column 2",
        ] {
            assert_eq!(found(there), Ok(()), "{there}");
        }
        for gone in [
            "paragraph 4",
            "judgement 1",
            "citation 1",
            "figure 2",
            "figure 1 row 2",
            "figure 1 row 1 column 3",
        ] {
            assert_eq!(found(gone).unwrap_err().reason, Reason::NotFound, "{gone}");
        }
        for wrong in
            ["", "figure", "figure 0", "figure 01", "figure +1", "second sentence", "row 1"]
        {
            assert_eq!(found(wrong).unwrap_err().reason, Reason::FieldInvalid, "{wrong}");
        }
    }
}
