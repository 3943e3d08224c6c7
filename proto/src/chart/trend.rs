//! Trends: a panel for each series, all on one scale. Comes in: points, each with what stands between it and the one before.
//! Goes out: lines, a band for each cause, marked gaps. Must never draw a line over a gap or a break.

use super::{
    Drawn, EDGE, WIDTH, alternative,
    cell::{self, Cell, Figure, Quality, State, number},
    colour, font,
    legend::{self, Key},
    scale::Axis,
    svg::{Anchor, Area, Canvas, Look, PX, Pen, Spot, Stroke},
    words::{Text, counted},
};
use crate::{
    limits::{CHART_PANELS_MAX, CHART_POINTS_MAX},
    reason::{Invalid, Reason},
};

/// What stands between a point and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Since {
    /// Nothing: the two are comparable.
    Same,
    /// There is no point before it, or the period between was not asked.
    Anew,
    /// Method, definition or code lists have changed.
    Method,
    /// Other members contribute.
    Contributors,
}

impl Since {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Same | Self::Anew => "",
            Self::Method => "b",
            Self::Contributors => "d",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Same | Self::Anew => "",
            Self::Method => "method changed before this point",
            Self::Contributors => "other members contribute from this point on",
        }
    }

    pub(super) fn rule(self) -> Stroke {
        let dashes = if self == Self::Method { "" } else { "5 3" };
        Stroke { colour: colour::INK, width: 12, dashes }
    }
}

/// One period of a series.
#[derive(Clone, Debug)]
pub struct Point {
    /// Which period.
    pub period: Text,
    /// What can be said of it; its own interval is the band of protection.
    pub cell: Cell,
    /// Where the figure of everybody who was asked lies, whatever those bring who are not in it; in the cell's units.
    pub whole: Option<(i64, i64)>,
    /// What stands between it and the point before.
    pub since: Since,
}

impl Point {
    /// A rule stands before it; a gap says itself that no line goes on.
    fn is_ruled(&self) -> bool {
        let ruled = matches!(self.since, Since::Method | Since::Contributors);
        ruled && self.cell.as_figure().is_some()
    }
}

/// A series and its name.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Whose or what series it is.
    pub label: Text,
    /// In the order of time.
    pub points: Vec<Point>,
}

/// A trend. Made by [`Trend::new`] only.
#[derive(Clone, Debug)]
pub struct Trend {
    panels: Vec<Panel>,
    decimals: u32,
}

impl Trend {
    /// Panels of the same periods and the same unit.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED`; `FIELD_INVALID` if panels have other periods, decimals differ, or a bound ends before it begins.
    pub fn new(panels: Vec<Panel>) -> Result<Self, Invalid> {
        super::within("chart.panels", panels.len(), CHART_PANELS_MAX)?;
        let periods = |panel: &Panel| {
            panel.points.iter().map(|point| point.period.clone()).collect::<Vec<_>>()
        };
        let first = panels.first().map(periods).unwrap_or_default();
        super::within("chart.points", first.len(), CHART_POINTS_MAX)?;
        if panels.iter().any(|panel| periods(panel) != first) {
            let detail = "panels have other periods than the first: give all of them the same";
            return Err(Invalid::new(Reason::FieldInvalid, "chart.panels", detail));
        }
        let points = || panels.iter().flat_map(|panel| &panel.points);
        if points().any(|point| point.whole.is_some_and(|(lower, upper)| lower > upper)) {
            let detail = "a bound ends before it begins: lower must not be above upper";
            return Err(Invalid::new(Reason::FieldInvalid, "chart.points.whole", detail));
        }
        let decimals = super::one_unit(points().map(|point| &point.cell))?;
        Ok(Self { panels, decimals })
    }

    fn points(&self) -> impl Iterator<Item = &Point> + Clone {
        self.panels.iter().flat_map(|panel| &panel.points)
    }

    fn axis(&self) -> Axis {
        let ends = self.points().filter_map(|point| {
            let figure = point.cell.as_figure()?;
            let (lower, upper) = point.whole.unwrap_or((figure.lower, figure.upper));
            Some((lower.min(figure.lower), upper.max(figure.upper)))
        });
        let (least, greatest) =
            ends.fold((0, 0), |(least, most), (lower, upper)| (least.min(lower), most.max(upper)));
        Axis::over(least, greatest, 4)
    }
}

/// What every panel shares.
#[derive(Clone, Copy)]
struct Frame {
    axis: Axis,
    decimals: u32,
    /// The plot itself.
    plot: Area,
    step: i64,
}

impl Frame {
    fn x(self, at: usize) -> i64 {
        self.plot.x + self.step * i64::try_from(at).unwrap_or(0) + self.step / 2
    }

    fn y(self, figure: i64) -> i64 {
        self.axis.place(figure, self.plot.bottom(), self.plot.y)
    }
}

impl Drawn for Trend {
    fn draw(&self, canvas: &mut Canvas, top: i64) -> i64 {
        let axis = self.axis();
        let ticks =
            axis.ticks().map(|tick| font::width(&axis.label(tick, self.decimals), Pen::SMALL));
        let gutter = ticks.max().unwrap_or(0) + 8 * PX;
        let points = self.panels.first().map_or(1, |panel| panel.points.len()).max(1);
        let points = i64::try_from(points).unwrap_or(1);
        let between = 28 * PX;
        let room = |columns: i64| (WIDTH - 2 * EDGE - (columns - 1) * between) / columns - gutter;
        let panels = i64::try_from(self.panels.len()).unwrap_or(1);
        let most = if panels == 4 { 2 } else { panels.min(3) };
        // A sign needs 20 pixels.
        let columns = (1..=most).rev().find(|n| room(*n) / points >= 20 * PX).unwrap_or(1);
        let high = if columns == 1 && panels == 1 { 300 * PX } else { 150 * PX };
        let mut y = top;
        for (at, panel) in (0..).zip(&self.panels) {
            let across = at % columns * (room(columns) + gutter + between);
            if at > 0 && at % columns == 0 {
                y += high + 74 * PX;
            }
            let plot = Area::new((EDGE + across + gutter, y + 36 * PX), room(columns), high);
            let step = plot.width / points;
            panel.draw(canvas, Frame { axis, decimals: self.decimals, plot, step });
        }
        y + high + 66 * PX
    }

    fn keys(&self) -> Vec<Key> {
        let mut states: std::collections::BTreeSet<_> =
            self.points().flat_map(|point| point.cell.states()).collect();
        let line = states.remove(&State::Figure).then_some(Key::Line);
        let wide = |figure: &Figure| figure.point.is_some() && figure.lower < figure.upper;
        let protected = self.points().any(|point| point.cell.as_figure().is_some_and(wide));
        let bounded =
            self.points().any(|point| point.cell.as_figure().is_some() && point.whole.is_some());
        let rules: std::collections::BTreeSet<_> =
            self.points().filter(|point| point.is_ruled()).map(|point| point.since).collect();
        let bands = [protected.then_some(Key::Protection), bounded.then_some(Key::Reporting)];
        let points = states.into_iter().map(Key::Point);
        line.into_iter()
            .chain(bands.into_iter().flatten())
            .chain(points)
            .chain(rules.into_iter().map(Key::Rule))
            .collect()
    }

    fn sentence(&self) -> String {
        let of = |panel: &Panel| {
            let figures: Vec<_> = panel
                .points
                .iter()
                .filter_map(|point| Some((point, point.cell.as_figure()?)))
                .collect();
            let all = counted(panel.points.len(), "period", "periods");
            let mut said = format!("{}: {} of {all} with a figure", panel.label, figures.len());
            if let [(point, figure), ..] = figures.as_slice() {
                said += &format!(", {} in {}", figure.short(), point.period);
            }
            if let [_, .., (point, figure)] = figures.as_slice() {
                said += &format!(" and {} in {}", figure.short(), point.period);
            }
            said + &alternative::gaps(panel.points.iter().map(|point| &point.cell)) + "."
        };
        let breaks = self.points().filter(|point| point.is_ruled()).count();
        let mut said: Vec<_> = self.panels.iter().map(of).collect();
        if breaks > 0 {
            let breaks = counted(breaks, "point does", "points do");
            said.push(format!("{breaks} not continue the one before."));
        }
        said.join(" ")
    }

    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let head = ["Series", "Period", "Figure", "Lower, protection", "Upper, protection"];
        let more = ["Lower, reporting", "Upper, reporting", "Since the period before"];
        let row = |(panel, point): (&Panel, &Point)| {
            let text = |end: i64| number(end, self.decimals);
            let own = point.cell.as_figure().map(|of| (of.lower, of.upper));
            let whole = point.whole.filter(|_| own.is_some());
            let ends = [
                own.map(|of| of.0),
                own.map(|of| of.1),
                whole.map(|of| of.0),
                whole.map(|of| of.1),
            ];
            let main = match point.cell.as_figure() {
                Some(figure) => format!("{} {}", figure.short(), figure.signs()),
                None => point.cell.in_table(),
            };
            let ends = ends.map(|end| end.map_or(String::new(), text));
            [panel.label.to_string(), point.period.to_string(), main.trim_end().to_owned()]
                .into_iter()
                .chain(ends)
                .chain([if point.is_ruled() { point.since.words() } else { "" }.to_owned()])
                .collect()
        };
        let pairs =
            self.panels.iter().flat_map(|of| of.points.iter().map(move |point| (of, point)));
        let head = head.iter().chain(&more).map(|name| (*name).to_owned());
        (head.collect(), pairs.map(row).collect())
    }

    fn cells(&self) -> Option<(usize, usize)> {
        Some(alternative::shown(self.points().map(|point| &point.cell)))
    }
}

impl Panel {
    fn draw(&self, canvas: &mut Canvas, frame: Frame) {
        let plot = frame.plot;
        canvas.decor(|canvas| {
            let title = font::shortened(self.label.as_str(), plot.width, 1, Pen::BODY.bold());
            let title = title.first().map_or("", String::as_str);
            canvas.text((plot.x, plot.y - 22 * PX), title, Pen::BODY.bold());
            for tick in frame.axis.ticks() {
                let y = frame.y(tick);
                let colour = if tick == 0 { colour::INK } else { colour::RULE };
                canvas.line((plot.x, y), (plot.right(), y), Stroke::solid(colour, 8));
                let label = frame.axis.label(tick, frame.decimals);
                let pen = Pen::SMALL.muted().at(Anchor::End);
                canvas.text((plot.x - 6 * PX, y + 4 * PX), &label, pen);
            }
            self.periods(canvas, frame);
        });
        self.gaps(canvas, frame);
        canvas.decor(|canvas| {
            let whole = |point: &Point| point.cell.as_figure().and(point.whole);
            self.band(canvas, frame, &whole, legend::reporting());
            let own = |point: &Point| {
                let figure = point.cell.as_figure().filter(|of| of.point.is_some())?;
                (figure.lower < figure.upper).then_some((figure.lower, figure.upper))
            };
            self.band(canvas, frame, &own, Look::filled(colour::BAND));
            self.rules(canvas, frame);
            for run in self.runs(&|point| point.cell.as_figure()?.point.map(|at| (at, at))) {
                let spots: Vec<_> =
                    run.iter().map(|(at, (point, _))| (frame.x(*at), frame.y(*point))).collect();
                if spots.len() > 1 {
                    canvas.polyline(&spots, Stroke::solid(colour::LINE, 20));
                }
            }
        });
        for (at, point) in self.points.iter().enumerate() {
            self.figure(canvas, frame, at, point);
        }
    }

    /// As many periods as there is room for.
    fn periods(&self, canvas: &mut Canvas, frame: Frame) {
        let pen = Pen::SMALL.muted().at(Anchor::Middle);
        let widths = self.points.iter().map(|point| font::width(point.period.as_str(), pen));
        let widest = widths.max().unwrap_or(0) + 8 * PX;
        let every = usize::try_from(widest / frame.step.max(1)).unwrap_or(0) + 1;
        for (at, point) in self.points.iter().enumerate() {
            let (x, bottom) = (frame.x(at), frame.plot.bottom());
            canvas.line((x, bottom), (x, bottom + 4 * PX), Stroke::solid(colour::INK, 8));
            if at % every == 0 {
                canvas.text((x, bottom + 17 * PX), point.period.as_str(), pen);
            }
        }
    }

    /// A column for each gap; neighbours of one kind share it, and its sign.
    fn gaps(&self, canvas: &mut Canvas, frame: Frame) {
        let gap =
            |point: &Point| Some(point.cell.gap()).filter(|_| point.cell.as_figure().is_none());
        let mut at = 0;
        while let Some(point) = self.points.get(at) {
            let Some(state) = gap(point) else {
                at += 1;
                continue;
            };
            let alike = self.points[at..].iter().take_while(|of| of.cell == point.cell).count();
            let last = at + alike - 1;
            let (from, to) = (frame.x(at) - frame.step * 2 / 5, frame.x(last) + frame.step * 2 / 5);
            let until =
                if alike > 1 { format!(" to {}", self.points[last].period) } else { String::new() };
            let words = point.cell.in_words();
            let title = format!("{}, {}{until}: {words}", self.label, point.period);
            let column = Area::new((from, frame.plot.y), to - from, frame.plot.height);
            canvas.mark(&title, |canvas| {
                canvas.rect(column, state.look());
                cell::sign(canvas, column.middle(), state, column.width);
            });
            at += alike;
        }
    }

    /// Neighbours that a line may join.
    fn runs(&self, ends: &dyn Fn(&Point) -> Option<(i64, i64)>) -> Vec<Vec<(usize, (i64, i64))>> {
        let mut runs = Vec::<Vec<_>>::new();
        let mut open = false;
        for (at, point) in self.points.iter().enumerate() {
            let Some(found) = ends(point) else {
                open = false;
                continue;
            };
            match runs.last_mut().filter(|_| open && point.since == Since::Same) {
                Some(run) => run.push((at, found)),
                None => runs.push(vec![(at, found)]),
            }
            open = true;
        }
        runs
    }

    fn band(
        &self,
        canvas: &mut Canvas,
        frame: Frame,
        ends: &dyn Fn(&Point) -> Option<(i64, i64)>,
        look: Look,
    ) {
        let half = (frame.step / 4).min(7 * PX);
        for run in self.runs(ends) {
            let mut spots: Vec<Spot> = Vec::new();
            match run.as_slice() {
                [(at, (lower, upper))] => {
                    let (x, low, high) = (frame.x(*at), frame.y(*lower), frame.y(*upper));
                    spots.extend([
                        (x - half, high),
                        (x + half, high),
                        (x + half, low),
                        (x - half, low),
                    ]);
                }
                run => {
                    let upper = run.iter().map(|(at, ends)| (frame.x(*at), frame.y(ends.1)));
                    let lower = run.iter().rev().map(|(at, ends)| (frame.x(*at), frame.y(ends.0)));
                    spots.extend(upper.chain(lower));
                }
            }
            canvas.shape([spots.as_slice()], look);
        }
    }

    fn rules(&self, canvas: &mut Canvas, frame: Frame) {
        for (at, point) in self.points.iter().enumerate().filter(|(_, of)| of.is_ruled()) {
            let x = frame.x(at) - frame.step / 2;
            let plot = frame.plot;
            canvas.line((x, plot.y - 4 * PX), (x, plot.bottom()), point.since.rule());
            let pen = Pen::SMALL.bold().at(Anchor::Middle);
            canvas.text((x, plot.y - 7 * PX), point.since.sign(), pen);
        }
    }

    fn figure(&self, canvas: &mut Canvas, frame: Frame, at: usize, point: &Point) {
        let Some(figure) = point.cell.as_figure() else { return };
        let since = point.since.words();
        let since = if since.is_empty() { String::new() } else { format!("; {since}") };
        let words = point.cell.in_words();
        let title = format!("{}, {}: {words}{since}", self.label, point.period);
        let x = frame.x(at);
        let has = |quality| figure.qualities.contains(&quality);
        canvas.mark(&title, |canvas| {
            let top = match figure.point {
                Some(value) => {
                    let y = frame.y(value);
                    legend::point(canvas, (x, y), has(Quality::Partial), has(Quality::Provisional));
                    y
                }
                None => {
                    let ends = (frame.y(figure.upper), frame.y(figure.lower));
                    legend::interval(canvas, x, ends);
                    ends.0
                }
            };
            let (signs, pen) = (figure.signs(), Pen::SMALL.bold().at(Anchor::Middle));
            if !signs.is_empty() {
                let wide = font::width(&signs, pen) + 2 * PX;
                let plate = Area::new((x - wide / 2, top - 18 * PX), wide, 12 * PX);
                canvas.rect(plate, Look::filled(colour::PAPER));
            }
            canvas.text((x, top - 8 * PX), &signs, pen);
        });
    }
}
