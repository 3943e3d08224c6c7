//! What has changed between two texts. Comes in: the sections of both. Goes out: lines for people, section by section. Must never
//! leave a change out: what is said of a section is said of all that it holds.

use similar::{ChangeTag, TextDiff};

use super::section::Section;

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

/// Compares two texts.
pub fn difference(before: &[Section], after: &[Section]) -> Vec<Line> {
    let find = |name: &str| before.iter().find(|section| section.name == name);
    let mut lines = Vec::new();
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
        lines.extend(figure.rows.iter().map(|row| format!("  {}", row.join(" | "))));
    }
    lines.extend(plan.as_ref().map(|plan| format!("plan {}", crate::seal::Digest::of(plan))));
    lines.iter().map(|line| format!("{line}\n")).collect()
}
