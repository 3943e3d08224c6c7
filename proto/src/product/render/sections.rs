//! Sections of a product. Comes in: a section, or none. Goes out: its text, judgements, recommendations, figures and sources. Must
//! never say anything of a section that the extent does not hold, nor put likelihood and confidence into one sentence.

use super::{
    pages::Pages,
    plan, text,
    tree::{Block, Kind, Line, Run, Table, said},
};
use crate::{
    chart::Foreign,
    product::{
        figure::Figure,
        markdown,
        section::{Citation, Judgement, Section},
    },
    reason::Invalid,
    threat::Likelihood,
};

/// Characters of a picture's digest that a reader compares.
const DIGEST_CHARS: usize = 12;

/// Its number is the same in every rendition, and so are those of what is in it: a comment says where it stands.
pub(super) fn write(
    pages: &mut Pages<'_>,
    number: usize,
    section: Option<&Section>,
) -> Result<(), Invalid> {
    let Some(section) = section.filter(|section| section.extent <= pages.page.extent) else {
        let text = format!("Section {number} is withheld here.");
        pages.paragraph(Kind::Withheld, vec![Run::ours(text)]);
        return Ok(());
    };
    let label = Run::ours(format!("{number}. "));
    pages.heading(1, std::iter::once(label).chain(said(&section.heading)).collect());
    pages.paragraph(Kind::Small, vec![Run::ours("Section "), Run::code(section.name.clone())]);
    let blocks = text::blocks(pages, markdown::read("text", &section.text)?)?;
    pages.blocks.extend(blocks);
    if !section.judgements.is_empty() {
        pages.heading(2, vec![Run::ours("Key judgements")]);
        for (at, judgement) in section.judgements.iter().enumerate() {
            judged(pages, &format!("Judgement {number}.{}.", at + 1), judgement);
        }
    }
    if !section.recommendations.is_empty() {
        pages.heading(2, vec![Run::ours("Recommendations")]);
    }
    for (at, text) in section.recommendations.iter().enumerate() {
        let label = format!("Recommendation {number}.{}.", at + 1);
        pages.labelled(Kind::Body, &label, text);
    }
    for (at, of) in section.figures.iter().enumerate() {
        figure(pages, &format!("Figure {number}.{}", at + 1), of)?;
    }
    if let Some(bytes) = &section.plan {
        plan::write(pages, bytes)?;
    }
    sources(pages, &section.citations)
}

/// The judgement; then likelihood, confidence and horizon, each in a sentence of its own.
fn judged(pages: &mut Pages<'_>, label: &str, judgement: &Judgement) {
    pages.labelled(Kind::Body, label, &judgement.text);
    let lists = pages.page.lists;
    let likelihood = judgement.likelihood.as_ref().map(Likelihood::in_words);
    let likelihood = likelihood.unwrap_or_else(|| "Likelihood: not stated.".to_owned());
    pages.paragraph(Kind::Judged, vec![Run::ours(likelihood)]);
    pages.paragraph(Kind::Judged, vec![Run::ours(judgement.confidence.in_words(lists))]);
    let mut horizon = vec![Run::ours("Horizon: ")];
    horizon.extend(said(&judgement.horizon));
    pages.paragraph(Kind::Judged, horizon);
    if !judgement.crime_areas.is_empty() {
        let areas = judgement.crime_areas.iter().map(|area| lists.crime_area_label(*area));
        let about = format!("About: {}.", areas.collect::<Vec<_>>().join("; "));
        pages.paragraph(Kind::Judged, vec![Run::ours(about)]);
    }
}

/// The chart as an image; its caption, what it shows in words, and its twin.
fn figure(pages: &mut Pages<'_>, label: &str, figure: &Figure) -> Result<(), Invalid> {
    match Foreign::read("figures.svg", &figure.svg) {
        Ok(chart) => {
            pages.names.hold(chart.words());
            let alternative = pages.names.plain(&figure.alternative);
            pages.push(Block::Figure(chart, alternative));
        }
        Err(_) => {
            let text = "The drawing is not shown: it is none that this version makes. Words and table say the same.";
            pages.paragraph(Kind::Withheld, vec![Run::ours(text)]);
        }
    }
    pages.labelled(Kind::Caption, &format!("{label}."), &figure.caption);
    pages.labelled(Kind::Small, "In words:", &figure.alternative);
    let line = |row: &Vec<String>| -> Vec<Line> { row.iter().map(|cell| said(cell)).collect() };
    let mut rows = figure.rows.iter().map(line);
    let head = rows.next().unwrap_or_default();
    let caption = Some(vec![Run::ours(format!("{label} as a table"))]);
    pages.add(Table { caption, head, rows: rows.collect(), named: true })
}

fn sources(pages: &mut Pages<'_>, citations: &[Citation]) -> Result<(), Invalid> {
    if citations.is_empty() {
        return Ok(());
    }
    let head = ["Requirement", "Version", "Picture SHA-256", "Audience"];
    let row = |of: &Citation| {
        let digest: String = of.picture.to_string().chars().take(DIGEST_CHARS).collect();
        vec![
            vec![Run::code(of.requirement.to_string())],
            vec![Run::code(of.version.to_string())],
            vec![Run::code(format!("{digest}…"))],
            vec![Run::code(of.audience.to_string())],
        ]
    };
    let table = Table {
        caption: Some(vec![Run::ours("Sources: pictures that this section rests on")]),
        head: head.map(|name| vec![Run::ours(name)]).to_vec(),
        rows: citations.iter().map(row).collect(),
        named: false,
    };
    pages.add(table)
}
