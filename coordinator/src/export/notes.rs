//! What belongs to an export besides its figures. Comes in: header and observations. Goes out: topics with a sentence
//! each: where it is from, what it covers, what was withheld as far as that may be told, footnotes.

use std::collections::BTreeSet;

use accord_proto::print::COUNTED_TWICE;

use super::{Header, Observation, State};

/// Every note, in the order for people.
pub(super) fn notes(header: &Header, observations: &[Observation]) -> Vec<(&'static str, String)> {
    let mut notes = vec![
        ("federation", header.federation.clone()),
        ("requirement", header.requirement.clone()),
        ("picture version", header.version.to_string()),
        ("drawn at", header.drawn_at.to_string()),
        ("SHA-256 of the signed picture", header.digest.to_string()),
        ("code lists", header.lists.clone()),
        ("coverage", coverage(header)),
        ("cells", cells(header, observations)),
    ];
    if header.contributors_min > 0 {
        let text = format!(
            "A figure that is not public rests on {} jurisdictions or more.",
            header.contributors_min
        );
        notes.push(("contributors", text));
    }
    notes.extend(header.population.iter().map(|table| ("population", table.clone())));
    notes.extend(header.members.iter().filter(|of| of.state != "answered").map(|of| {
        let reason = if of.reason.is_empty() { "" } else { ", " };
        let (name, code) = (&of.jurisdiction.name, &of.jurisdiction.code);
        let text = format!("{name} ({code}), {}: {}{reason}{}.", of.node, of.state, of.reason);
        ("no answer", text)
    }));
    notes.extend(
        header
            .members
            .iter()
            .filter(|of| of.single_handed)
            .map(|of| ("released by one person", format!("{}, under break-glass.", of.node))),
    );
    notes.extend(header.deviations.iter().map(|text| ("counted otherwise", text.clone())));
    let twice: BTreeSet<_> = observations
        .iter()
        .filter(|cell| cell.counted_twice)
        .map(|cell| &cell.indicator)
        .map(|indicator| (&indicator.code, &indicator.name))
        .collect();
    let twice = twice.into_iter().map(|(code, name)| format!("{name} ({code}). {COUNTED_TWICE}"));
    notes.extend(twice.map(|text| ("double counting", text)));
    notes.extend(
        header
            .notices
            .iter()
            .map(|said| ("withdrawn since", format!("{said} Do not use what was withdrawn."))),
    );
    for state in State::ALL {
        let count = observations.iter().filter(|cell| cell.state == state).count();
        if count > 0 {
            let text = format!("{count} of these cells. {}", state.meaning());
            notes.push((state.as_str(), text));
        }
    }
    if observations.iter().any(|cell| cell.standard_error_milli > 0) {
        let text = "A figure with a standard error above 0 is not exact: it is about that much.";
        notes.push(("standard error", text.to_owned()));
    }
    let text = "Totals are protected separately and need not equal the sum of their parts.";
    notes.push(("totals", text.to_owned()));
    notes.extend(footnotes(header, observations).into_iter().map(|note| ("footnote", note)));
    notes
}

/// Footnotes of every jurisdiction that is named, once each.
pub(super) fn footnotes(header: &Header, observations: &[Observation]) -> BTreeSet<String> {
    let members = header.members.iter().map(|member| &member.footnote);
    let all = observations.iter().flat_map(|cell| &cell.footnotes).chain(members);
    all.filter(|footnote| !footnote.is_empty()).cloned().collect()
}

fn coverage(header: &Header) -> String {
    format!("{} of {} members answered.", header.answered, header.asked)
}

fn cells(header: &Header, observations: &[Observation]) -> String {
    let (some, all) = (observations.len(), header.cells);
    if header.selection.is_empty() {
        return format!("{some} of {all} cells of the picture.");
    }
    format!("{some} of {all} cells of the picture, by {}.", header.selection.join(", "))
}
