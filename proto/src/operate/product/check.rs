//! Does a product show what its pictures show? Comes in: a product, and the pictures that it cites, as this program's own service holds
//! them. Goes out: each citation and each figure, and whether it is the same. Must never take a figure's word for it: it is drawn
//! again, from pictures whose signatures were checked when they were taken in.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Value, json};

use super::{Of, call::Products, print};
use crate::{
    client::ClientFile,
    operate::{
        chart::{Source, figure::Drawn},
        cli::Outcome,
    },
    product::{Section, figure::Figure, section::Citation},
    reason::Invalid,
    taxonomy::Lists,
};

/// What is found where all is well.
const SAME: &str = "the same";

/// Checks all sections.
pub(super) async fn check(
    of: &Of,
    fetch: impl AsyncFn(&Path, String, u32) -> Result<Source, Invalid>,
) -> Result<Outcome, Invalid> {
    let client = &of.client;
    let lists = ClientFile::lists(&client.client)?;
    let file = Products::connect(&client.client).await?.get(&of.product).await?;
    let course = print::unverified(&file, lists)?;
    let citations = course.sections.iter().flat_map(|section| &section.citations);
    let wanted: BTreeSet<_> = citations.map(|of| (of.requirement, of.version)).collect();
    let mut pictures = BTreeMap::new();
    for (requirement, version) in wanted {
        let fetched = fetch(&client.client, requirement.to_string(), version).await;
        pictures.insert((requirement, version), fetched);
    }
    let mut rows = Vec::new();
    for section in &course.sections {
        let cited: Vec<_> = section
            .citations
            .iter()
            .map(|citation| {
                cited(citation, &pictures[&(citation.requirement, citation.version)], lists)
            })
            .collect();
        for (citation, found) in section.citations.iter().zip(&cited) {
            let what = format!("{} version {}", citation.requirement, citation.version);
            let found = found.as_ref().map_or_else(Clone::clone, |_| SAME.to_owned());
            rows.push(json!({"section": section.name, "what": what, "found": found}));
        }
        rows.extend(
            section.figures.iter().map(|figure| drawn_again(section, figure, &cited, lists)),
        );
    }
    let same = rows.iter().all(|row| row["found"] == SAME);
    let mut outcome = print::rows(client, &Value::Array(rows));
    if !same {
        outcome.partial = true;
        outcome.remarks.push("WARNING: not all of it is what the pictures show".to_owned());
    }
    Ok(outcome)
}

/// The picture that is cited, if it is the one that is held here; otherwise what is found instead.
fn cited<'a>(
    citation: &Citation,
    held: &'a Result<Source, Invalid>,
    lists: &Lists,
) -> Result<&'a Source, String> {
    let source = held.as_ref().map_err(|error| format!("not at hand: {}", error.reason))?;
    let digest = source.digest();
    let audience = source.audience(lists).map_err(|error| error.to_string())?;
    match digest == citation.picture && audience == citation.audience {
        true => Ok(source),
        false => Err(format!("another picture: {digest} for {audience}")),
    }
}

fn drawn_again(
    section: &Section,
    figure: &Figure,
    cited: &[Result<&Source, String>],
    lists: &Lists,
) -> Value {
    let sources: Option<Vec<Source>> = figure
        .recipe
        .citations
        .iter()
        .map(|at| cited.get(*at)?.as_ref().ok().map(|source| (*source).clone()))
        .collect();
    let found = match sources {
        None => "cannot be drawn again: a picture is not at hand".to_owned(),
        Some(sources) => compared(figure, &sources, lists),
    };
    json!({"section": section.name, "what": format!("figure: {}", figure.caption), "found": found})
}

/// Figures count; a drawing may differ with the version of the program that has drawn it.
fn compared(figure: &Figure, sources: &[Source], lists: &Lists) -> String {
    let chart = match Drawn::again(figure).draw(sources, lists) {
        Ok(chart) => chart,
        Err(error) => return format!("cannot be drawn again: {error}"),
    };
    let twin = chart.table();
    let rows = std::iter::once(&twin.header).chain(&twin.rows);
    if !rows.eq(&figure.rows) || chart.description() != figure.alternative {
        return "OTHER FIGURES than the pictures show".to_owned();
    }
    match chart.draw().as_str().as_bytes() == figure.svg.as_slice() {
        true => SAME.to_owned(),
        false => "the same figures, and ANOTHER DRAWING than this version makes".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{operate::chart::tests::source, product::figure::Recipe, taxonomy::TOTAL};

    /// A figure as an editor's program draws it of this picture.
    fn figure(of: &Source) -> Figure {
        let recipe = Recipe {
            chart: "trend".to_owned(),
            citations: vec![0],
            indicator: "PUB.OFF.N".to_owned(),
            period: String::new(),
            categories: TOTAL.to_owned(),
            areas: Vec::new(),
        };
        let caption = "Homicides".to_owned();
        let (svg, rows, alternative) = (Vec::new(), Vec::new(), String::new());
        let empty = Figure { caption, alternative, svg, rows, recipe };
        let chart = Drawn::again(&empty).draw(std::slice::from_ref(of), Lists::builtin()).unwrap();
        let twin = chart.table();
        Figure {
            alternative: chart.description(),
            svg: chart.draw().as_str().as_bytes().to_vec(),
            rows: std::iter::once(twin.header).chain(twin.rows).collect(),
            ..empty
        }
    }

    #[test]
    fn a_figure_that_shows_something_else_than_its_picture_is_found() {
        let picture = [source("POLICE")];
        let drawn = figure(&picture[0]);
        let found = |figure: &Figure| compared(figure, &picture, Lists::builtin());
        assert_eq!(found(&drawn), SAME);
        let mut rows = drawn.clone();
        let cell = rows.rows.iter_mut().flatten().find(|cell| cell.contains('7')).unwrap();
        *cell = cell.replace('7', "9");
        assert!(found(&rows).contains("OTHER FIGURES"));
        let words = Figure { alternative: "All is well.".to_owned(), ..drawn.clone() };
        assert!(found(&words).contains("OTHER FIGURES"));
        let drawing = Figure { svg: b"<svg/>".to_vec(), ..drawn.clone() };
        assert!(found(&drawing).contains("ANOTHER DRAWING"));
        let recipe = Recipe { chart: "pie".to_owned(), ..drawn.recipe.clone() };
        assert!(found(&Figure { recipe, ..drawn }).contains("cannot be drawn again"));
    }

    #[test]
    fn a_picture_that_is_another_one_or_not_at_hand_proves_nothing() {
        let held = Ok(source("POLICE"));
        let (requirement, version, picture) = {
            let requirement =
                crate::id::RequirementId::parse("", "01a20b74-b718-7a08-a333-9c5c982785a0");
            (requirement.unwrap(), 1, held.as_ref().unwrap().digest())
        };
        let audience = Lists::builtin().audience("", "POLICE").unwrap();
        let citation = Citation { requirement, version, picture, audience };
        assert!(cited(&citation, &held, Lists::builtin()).is_ok());
        let other = Citation { picture: crate::seal::Digest::of(b"other"), ..citation };
        assert!(cited(&other, &held, Lists::builtin()).unwrap_err().contains("another picture"));
        let gone = Err(Invalid::new(crate::reason::Reason::NotFound, "picture", "is not here"));
        assert!(cited(&citation, &gone, Lists::builtin()).unwrap_err().contains("NOT_FOUND"));
    }
}
