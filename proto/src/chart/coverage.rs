//! Who answered, and how much of it is shown: members down, indicators across. Comes in: states of members, and how many cells
//! of each indicator they are in. Goes out: a matrix. Must never tell why a cell is not shown.

use super::{
    Drawn, EDGE, WIDTH,
    cell::{self, State},
    colour,
    grid::{self, Grid, Heading},
    legend::{self, Key},
    svg::{Anchor, Area, Canvas, Look, PX, Pen},
    words::{Place, Text, counted, listed},
};
use crate::{
    limits::{CHART_LINES_MAX, CHART_ROWS_MAX},
    reason::{Invalid, Reason},
};

/// How a member stands in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its sealed answer was accepted.
    Answered,
    /// Its people are deciding.
    Pending,
    /// It does not answer, and wants that known.
    Declined,
    /// It did not answer in time.
    Late,
    /// It could not be reached.
    Unreachable,
    /// What it sent was not accepted.
    Rejected,
}

impl Standing {
    fn words(self) -> &'static str {
        match self {
            Self::Answered => "received",
            Self::Pending => "awaited",
            Self::Declined => "declined",
            Self::Late => "late",
            Self::Unreachable => "unreachable",
            Self::Rejected => "rejected",
        }
    }

    /// What its cells are, if it has not answered.
    pub(super) fn gap(self) -> Option<State> {
        match self {
            Self::Answered => None,
            Self::Pending => Some(State::Waiting),
            Self::Declined => Some(State::NotShown),
            Self::Late | Self::Unreachable | Self::Rejected => Some(State::Unreachable),
        }
    }
}

/// Of how many cells a member's figure is in how many. Made by [`InCells::new`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InCells {
    shown: u32,
    all: u32,
}

impl InCells {
    /// # Errors
    /// `FIELD_INVALID` if more are shown than there are.
    pub fn new(shown: u32, all: u32) -> Result<Self, Invalid> {
        if shown <= all {
            return Ok(Self { shown, all });
        }
        let detail = format!("{shown} of {all} cells: more are shown than there are");
        Err(Invalid::new(Reason::FieldInvalid, "chart.cells", detail))
    }
}

/// One member.
#[derive(Clone, Debug)]
pub struct Member {
    /// Whom it speaks for.
    pub place: Place,
    /// Its node, where a jurisdiction has several.
    pub node: Option<Text>,
    /// How it stands.
    pub standing: Standing,
    /// What else is to be said of that: "due 30 Apr", "last contact 3 days ago".
    pub detail: Option<Text>,
    /// For each column.
    pub cells: Vec<InCells>,
}

impl Member {
    fn label(&self) -> String {
        match &self.node {
            Some(node) => format!("{} ({node})", self.place.label),
            None => self.place.label.to_string(),
        }
    }

    fn state(&self) -> String {
        let detail = self.detail.as_ref().map_or(String::new(), |detail| format!("; {detail}"));
        format!("{}{detail}", self.standing.words())
    }

    fn kind(&self, column: usize) -> Kind {
        let cells = self.cells.get(column).copied().unwrap_or(InCells { shown: 0, all: 0 });
        match (self.standing.gap(), cells) {
            (_, InCells { all: 0, .. }) => Kind::Gap(State::NotApplicable),
            (Some(gap), _) => Kind::Gap(gap),
            (None, InCells { shown: 0, .. }) => Kind::Gap(State::NotShown),
            (None, InCells { shown, all }) if shown == all => Kind::All(format!("{shown}/{all}")),
            (None, InCells { shown, all }) => Kind::Some(format!("{shown}/{all}")),
        }
    }
}

/// What a field of the matrix is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    All(String),
    Some(String),
    Gap(State),
}

impl Kind {
    fn words(&self) -> String {
        match self {
            Self::All(count) => format!("all shown, {count}"),
            Self::Some(count) => format!("some not shown, {count}"),
            Self::Gap(state) => state.words().to_owned(),
        }
    }

    fn in_table(&self) -> String {
        match self {
            Self::All(count) | Self::Some(count) => count.clone(),
            Self::Gap(state) => state.sign().to_owned(),
        }
    }
}

/// A coverage matrix. Made by [`Members::new`] only.
#[derive(Clone, Debug)]
pub struct Members {
    columns: Vec<Text>,
    members: Vec<Member>,
}

impl Members {
    /// Columns by label, and members, each with a count for every column. Members are put in the order of names.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` past [`CHART_ROWS_MAX`] members or [`CHART_LINES_MAX`] lines; `FIELD_INVALID` if a member has not as many counts as there are columns.
    pub fn new(columns: Vec<Text>, mut members: Vec<Member>) -> Result<Self, Invalid> {
        super::within("chart.members", members.len(), CHART_ROWS_MAX)?;
        super::within("chart.columns", columns.len(), CHART_LINES_MAX)?;
        grid::lines(members.len(), columns.len())?;
        super::even("chart.members", columns.len(), members.iter().map(|of| of.cells.len()))?;
        members.sort_by_key(Member::label);
        Ok(Self { columns, members })
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        let columns = 0..self.columns.len();
        self.members.iter().flat_map(move |of| columns.clone().map(|column| of.kind(column)))
    }
}

impl Drawn for Members {
    fn draw(&self, canvas: &mut Canvas, top: i64) -> i64 {
        let answer: Heading = ("Answer".to_owned(), "Answer".to_owned());
        let columns = self.columns.iter().map(|of| (of.to_string(), of.to_string()));
        let headings: Vec<_> = std::iter::once(answer).chain(columns).collect();
        let labels: Vec<_> = self.members.iter().map(Member::label).collect();
        let area = ((EDGE, top), WIDTH - 2 * EDGE);
        let grid = Grid { headings: (&headings, 1), labels: &labels };
        grid::cells(canvas, area, grid, |canvas, area, (row, column)| {
            let member = &self.members[row];
            let Some(column) = column.checked_sub(1) else {
                let title = format!("{}: {}", member.label(), member.state());
                canvas.mark(&title, |canvas| answer_of(canvas, area, member));
                return;
            };
            let kind = member.kind(column);
            let title = format!("{}, {}: {}", member.label(), self.columns[column], kind.words());
            canvas.mark(&title, |canvas| field(canvas, area, &kind));
        })
    }

    fn keys(&self) -> Vec<Key> {
        let kinds: Vec<_> = self.kinds().collect();
        let all = kinds.iter().any(|kind| matches!(kind, Kind::All(_))).then_some(Key::All);
        let some = kinds.iter().any(|kind| matches!(kind, Kind::Some(_))).then_some(Key::Some);
        let state = |kind: &Kind| match kind {
            Kind::Gap(state) => Some(*state),
            Kind::All(_) | Kind::Some(_) => None,
        };
        let gaps: std::collections::BTreeSet<_> = kinds.iter().filter_map(state).collect();
        all.into_iter().chain(some).chain(gaps.into_iter().map(Key::Area)).collect()
    }

    fn sentence(&self) -> String {
        let answered = self.members.iter().filter(|of| of.standing == Standing::Answered).count();
        let others = self.members.iter().filter(|of| of.standing != Standing::Answered);
        let others: Vec<_> = others.map(|of| format!("{} ({})", of.label(), of.state())).collect();
        let others =
            if others.is_empty() { String::new() } else { format!("; not: {}", listed(&others)) };
        let all = counted(self.members.len(), "member", "members");
        format!("{answered} of {all} answered{others}.")
    }

    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let head = ["Member", "Answer"].map(str::to_owned).into_iter();
        let head = head.chain(self.columns.iter().map(ToString::to_string)).collect();
        let row = |member: &Member| {
            let cells = (0..self.columns.len()).map(|column| member.kind(column).in_table());
            [member.label(), member.state()].into_iter().chain(cells).collect()
        };
        (head, self.members.iter().map(row).collect())
    }
}

/// How a member stands, in a field.
fn answer_of(canvas: &mut Canvas, area: Area, member: &Member) {
    let (x, y) = area.middle();
    let small = Pen::of(10).muted().at(Anchor::Middle).boxed();
    let detail = member.detail.as_ref().map(|of| {
        let lines = super::font::shortened(of.as_str(), area.width, 1, small);
        lines.first().cloned().unwrap_or_default()
    });
    let words = member.standing.words();
    let pen = Pen::SMALL.at(Anchor::Middle).boxed();
    let pen = if member.standing == Standing::Answered { pen } else { pen.bold() };
    let lift = if detail.is_some() { 2 * PX } else { -4 * PX };
    if member.standing == Standing::Pending {
        let half = super::font::width(words, pen) / 2;
        cell::clock_face(canvas, (x - half - 4 * PX, y - lift - 4 * PX));
        canvas.text((x + 7 * PX, y - lift), words, pen);
    } else {
        canvas.text((x, y - lift), words, pen);
    }
    if let Some(detail) = detail {
        canvas.text((x, y + 11 * PX), &detail, small);
    }
}

fn field(canvas: &mut Canvas, area: Area, kind: &Kind) {
    let (x, y) = area.middle();
    let pen = Pen::BODY.bold().at(Anchor::Middle).boxed();
    match kind {
        Kind::All(count) => {
            canvas.rect(area, Look::filled(colour::CLASSES[4]));
            canvas.text((x, y + 4 * PX), count, pen.coloured(colour::ON_CLASS[4]));
        }
        Kind::Some(count) => {
            legend::some(canvas, area);
            let wide = super::font::width(count, pen) + 8 * PX;
            let plate = Area::new((x - wide / 2, y - 8 * PX), wide, 16 * PX);
            canvas.rect(plate, Look::filled(colour::CLASSES[0]));
            canvas.text((x, y + 4 * PX), count, pen);
        }
        Kind::Gap(state) => {
            canvas.rect(area, state.look());
            cell::sign(canvas, (x, y), *state, area.width);
        }
    }
}
