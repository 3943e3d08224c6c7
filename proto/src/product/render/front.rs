//! What stands before the text of a product. Comes in: all that is said of it. Goes out: recall and errata, its title, where it
//! stands, the endorsement, every reservation and dissent. Must never leave one of them out, nor change a word of it.

use super::{
    Erratum, Page, Stand,
    pages::Pages,
    tree::{Block, Kind, Line, Run, Table, said},
};
use crate::{
    product::{rendition::Extent, rule::Position},
    reason::Invalid,
};

pub(super) fn write(pages: &mut Pages<'_>) -> Result<(), Invalid> {
    let page = pages.page;
    if let Some(why) = page.recalled {
        notice(pages, "Recalled: do not rely on it.", why);
    }
    for erratum in page.errata {
        corrected(pages, erratum);
    }
    pages.paragraph(Kind::Kicker, vec![Run::ours(page.content.kind.title())]);
    pages.heading(0, said(&page.content.title));
    facts(pages)?;
    endorsement(pages)
}

fn notice(pages: &mut Pages<'_>, label: &str, text: &str) {
    let lines = [vec![Run::label(label)], said(text)];
    let lines = lines.into_iter().map(|line| pages.names.line(line)).collect();
    pages.push(Block::Notice(lines));
}

fn corrected(pages: &mut Pages<'_>, erratum: &Erratum<'_>) {
    let Erratum { section, text, at } = *erratum;
    let day = at.to_string();
    let day = day.split('T').next().unwrap_or_default();
    let page = pages.page;
    let mut shown = page.sections.iter().flatten().filter(|of| of.extent <= page.extent);
    if section.is_empty() {
        notice(pages, &format!("Erratum of {day}."), text);
    } else if let Some(of) = shown.find(|of| of.name == section) {
        notice(pages, &format!("Erratum of {day}, section {}.", of.name), text);
    } else {
        // Neither the name of the section, nor what was wrong in it.
        let text = "It corrects a section that this rendition withholds.";
        notice(pages, &format!("Erratum of {day}."), text);
    }
}

/// What one has to know before one reads on.
fn facts(pages: &mut Pages<'_>) -> Result<(), Invalid> {
    let Page { content, state, extent, .. } = *pages.page;
    let rendition = match extent {
        Extent::Public => "PUBLIC: the sections that are marked public, numbered as in the whole",
        Extent::Restricted => "RESTRICTED: all sections",
    };
    let valid_until = content
        .valid_until
        .map_or_else(|| "until it is recalled or archived".to_owned(), |until| until.to_string());
    let members: Vec<_> = content.members.iter().map(ToString::to_string).collect();
    let facts = [
        ("State", said(state)),
        ("Covers", said(&content.covers)),
        ("Owner", said(content.owner.as_str())),
        ("Reviewed by", said(&members.join(", "))),
        ("Rendition", vec![Run::ours(rendition)]),
        ("Audience", said(&pages.rendition.audience.to_string())),
        ("Language", said(&content.language)),
        ("Valid until", vec![Run::ours(valid_until)]),
        ("Product", vec![Run::code(content.product.to_string())]),
        ("Content SHA-256", vec![Run::code(content.digest().to_string())]),
    ];
    let rows = facts.map(|(name, line)| vec![vec![Run::ours(name)], line]).to_vec();
    pages.add(Table { rows, named: true, ..Table::default() })
}

/// Outcome, rule, who says what; and word for word what members have written.
fn endorsement(pages: &mut Pages<'_>) -> Result<(), Invalid> {
    let page = pages.page;
    pages.heading(1, vec![Run::ours("Endorsement")]);
    if page.outcome.is_empty() {
        pages.paragraph(Kind::Body, vec![Run::label("Outcome: "), Run::ours("none yet.")]);
    } else {
        pages.labelled(Kind::Body, "Outcome:", page.outcome);
    }
    let rule = format!("It counts as endorsed when {}.", page.content.rule.in_words());
    pages.paragraph(Kind::Body, vec![Run::label("Rule: "), Run::ours(rule)]);
    if page.positions.is_empty() {
        pages.paragraph(Kind::Body, vec![Run::ours("Nobody has stated a position yet.")]);
        return Ok(());
    }
    let head = ["Jurisdiction", "Node", "Position"].map(|name| vec![Run::ours(name)]).to_vec();
    let row = |stand: &Stand<'_>| {
        vec![said(&jurisdiction(page, stand)), said(stand.node), vec![Run::ours(position(stand))]]
    };
    let rows = page.positions.iter().map(row).collect();
    let caption = Some(vec![Run::ours("Positions of the members")]);
    pages.add(Table { caption, head, rows, named: true })?;
    confirmation(pages);
    for stand in page.positions.iter().filter(|stand| !stand.text.is_empty()) {
        let what = match stand.position {
            Some(Position::Dissent) => "Dissent of ",
            Some(Position::EndorseWithReservation) => "Reservation of ",
            Some(Position::Endorse | Position::Abstain) | None => "Words of ",
        };
        let who = match stand.node {
            "" => jurisdiction(page, stand),
            node => format!("{}, {node}", jurisdiction(page, stand)),
        };
        let heading: Line = [Run::ours(what)].into_iter().chain(said(&who)).collect();
        pages.heading(2, heading);
        let words = pages.names.line(said(stand.text));
        pages.push(Block::Quote(vec![Block::Paragraph(Kind::Body, words)]));
    }
    Ok(())
}

/// Whoever was shown another end of the endorsement, or none, has not confirmed this one: that is not left out.
fn confirmation(pages: &mut Pages<'_>) {
    let Some(confirmed) = pages.page.confirmed else { return };
    let all = pages.page.content.members.iter();
    let silent: Vec<_> = all.filter(|node| !confirmed.contains_key(*node)).collect();
    if silent.is_empty() {
        let text = "every node above was shown this end of the endorsement, and has signed that.";
        pages.paragraph(Kind::Body, vec![Run::label("Confirmed: "), Run::ours(text)]);
    } else {
        let silent: Vec<_> = silent.into_iter().map(ToString::to_string).collect();
        let text = format!("{}. It was published without their word.", silent.join(", "));
        pages.labelled(Kind::Body, "Not confirmed by:", &text);
    }
    for (node, left_out) in confirmed.iter().filter(|(_, left_out)| !left_out.is_empty()) {
        let text =
            format!("{}. Their SHA-256 digests stand in what it has signed.", left_out.len());
        pages.labelled(Kind::Body, &format!("Words of {node} that it misses here:"), &text);
    }
}

fn jurisdiction(page: &Page<'_>, stand: &Stand<'_>) -> String {
    let code = stand.jurisdiction.to_string();
    let known = page.lists.jurisdiction("positions.jurisdiction", &code);
    known.map_or_else(|_| code.clone(), |known| known.label.clone())
}

fn position(stand: &Stand<'_>) -> &'static str {
    match (stand.position, stand.by_silence) {
        (Some(position), _) => position.in_words(),
        (None, true) => "endorses by silence, as it has agreed to",
        (None, false) if stand.not_reached => "could not be asked",
        (None, false) => "has said nothing",
    }
}
