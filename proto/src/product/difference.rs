//! What has changed between two texts. Comes in: heads and sections of both. Goes out: lines for people, section by section. Must never
//! leave a change out: what is said of a section is said of all that it holds.

use similar::{ChangeTag, TextDiff};

use super::{content::Content, section::Section};
use crate::{strict, wire::cycle as wire};

/// What stands above all sections, in a comparison.
const HEAD: &str = "(head)";

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A section begins: its name, and how it has changed.
    Section(String, Change),
    /// A line that is gone.
    Gone(String),
    /// A line that is new.
    New(String),
    /// A line that has stayed, next to one that has not.
    Same(String),
}

/// How a section has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// It says something else.
    Changed,
    /// It is the same.
    Unchanged,
}

impl Change {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Lines around a change that are shown.
const AROUND: usize = 1;

/// Compares two texts, each with what stands at its head.
pub fn difference(before: (&Content, &[Section]), after: (&Content, &[Section])) -> Vec<Line> {
    let ((old_head, before), (new_head, after)) = (before, after);
    let find = |name: &str| before.iter().find(|section| section.name == name);
    let mut lines = Vec::new();
    let (old_head, new_head) = (head_in_lines(old_head), head_in_lines(new_head));
    if old_head != new_head {
        lines.push(Line::Section(HEAD.to_owned(), Change::Changed));
        compare(&old_head, &new_head, &mut lines);
    }
    for section in after {
        let old = find(&section.name);
        let change = match old {
            None => Change::Added,
            Some(old) if old == section => Change::Unchanged,
            Some(_) => Change::Changed,
        };
        lines.push(Line::Section(section.name.clone(), change));
        if change != Change::Unchanged {
            compare(&old.map(in_lines).unwrap_or_default(), &in_lines(section), &mut lines);
        }
    }
    for section in before.iter().filter(|old| after.iter().all(|new| new.name != old.name)) {
        lines.push(Line::Section(section.name.clone(), Change::Removed));
        compare(&in_lines(section), "", &mut lines);
    }
    lines
}

fn compare(before: &str, after: &str, lines: &mut Vec<Line>) {
    let compared = TextDiff::from_lines(before, after);
    for group in compared.grouped_ops(AROUND) {
        for change in group.iter().flat_map(|operation| compared.iter_changes(operation)) {
            let line = change.value().trim_end_matches('\n').to_owned();
            lines.push(match change.tag() {
                ChangeTag::Delete => Line::Gone(line),
                ChangeTag::Insert => Line::New(line),
                ChangeTag::Equal => Line::Same(line),
            });
        }
    }
}

/// Title, rule, members, readers and order as lines: everything but the sections themselves.
fn head_in_lines(content: &Content) -> String {
    let names = |names: &[crate::identity::Name]| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let mut lines = vec![
        format!("title: {}", content.title),
        format!("covers {}; language {}", content.covers, content.language),
        format!("endorsed when {}", content.rule.in_words()),
        format!("reviewed by {}", names(&content.members)),
    ];
    lines.extend(content.valid_until.map(|until| format!("valid until {until}")));
    for rendition in &content.renditions {
        let (extent, audience) = (rendition.extent.as_str(), rendition.audience);
        let readers = names(&rendition.readers);
        lines.push(format!("{extent} for {audience}, marked {}: {readers}", rendition.mark));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A plan in lines.
pub(super) fn plan_in_lines(plan: &[u8]) -> Vec<String> {
    let digest = crate::seal::Digest::of(plan);
    let Ok(plan) = strict::decode_signed::<wire::Plan>("plan", plan) else {
        return vec![format!("plan {digest}")];
    };
    // Field by field, as it is written: nothing of it is left out.
    format!("{plan:#?}").lines().map(|line| format!("plan {line}")).collect()
}

/// A section as lines: everything that it holds.
fn in_lines(section: &Section) -> String {
    let Section {
        name: _,
        heading,
        extent,
        text,
        citations,
        judgements,
        recommendations,
        figures,
        plan,
    } = section;
    let mut lines = vec![format!("[{}] {heading}", extent.as_str())];
    lines.extend(text.lines().map(str::to_owned));
    for judgement in judgements {
        lines.push(format!("judgement: {}", judgement.text.replace('\n', " ")));
        lines.extend(judgement.likelihood.as_ref().map(|of| format!("  {}", of.in_words())));
        let areas: Vec<_> = judgement.crime_areas.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "  confidence {}; {}",
            judgement.confidence.as_str(),
            judgement.horizon
        ));
        lines.push(format!("  about {}", areas.join(", ")));
    }
    lines
        .extend(recommendations.iter().map(|of| format!("recommended: {}", of.replace('\n', " "))));
    for citation in citations {
        let (of, version, picture) = (citation.requirement, citation.version, citation.picture);
        lines.push(format!("rests on {of} version {version} for {}: {picture}", citation.audience));
    }
    for figure in figures {
        let drawn = crate::seal::Digest::of(&figure.svg);
        lines.push(format!("figure: {} ({}; drawn {drawn})", figure.caption, figure.alternative));
        lines.push(format!("  {:?}", figure.recipe));
        lines.extend(figure.rows.iter().map(|row| format!("  {}", row.join(" | "))));
    }
    lines.extend(plan.iter().flat_map(|plan| plan_in_lines(plan)));
    lines.iter().map(|line| format!("{line}\n")).collect()
}
