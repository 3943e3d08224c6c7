//! How a figure goes from its baseline to its target. Comes in: an indicator of an action, figures, today. Goes out: a point for each
//! period that is over, with its light and the reason; and the light of the indicator. The rules, in this order:
//!
//! ```text
//! no period is over yet, or nobody tells the figure         GREY
//! to be reached, its period not over, and not reached       GREY
//! requirements tell different figures                       UNKNOWN
//! not comparable with the baseline's, where that is told    UNKNOWN   (not for REACH: nothing is compared)
//! the interval holds both sides of the line                 AMBER
//! the plan's baseline is not where pictures tell it         AMBER     (not for REACH)
//! the whole interval is on the side where it should be      GREEN
//! the whole interval is on the other side                   RED
//! ```

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

use super::{
    closed::Direction,
    day::Day,
    figures::{Figure, Figures, Told},
    light::{Light, Lit, Source},
    line::{Line, Side},
    plan::ActionIndicator,
};
use crate::{
    compare::{Flag, of_cell},
    limits::CYCLE_MONTHS_MAX,
    taxonomy::{Lists, Period, decimal},
};

/// What is to be known of a figure beside its light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Caveat {
    /// The code lists are others than the baseline's.
    Break,
    /// Other jurisdictions contribute than to the baseline, or other nodes of one may.
    Contributors,
    /// The figure is made in another way than the baseline's.
    Method,
    /// It rests on some of those who were asked.
    Partial,
    /// Requirements tell different figures.
    Conflict,
    /// No picture tells the baseline: it is the plan's word, and whether it compares nobody can say.
    BaselineUntold,
    /// Pictures tell the baseline otherwise than the plan.
    BaselineDiffers,
}

/// A figure in one period.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Which period.
    pub period: Period,
    /// Where the figure should be, as text.
    pub expected: String,
    /// The figures that are told: one, or several that differ; none: it is not told.
    pub told: Vec<Arc<Figure>>,
    /// Its light, and why.
    pub lit: Lit,
    /// What else is to be known.
    pub caveats: BTreeSet<Caveat>,
}

/// A figure on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is measured, and where it is to go.
    pub of: ActionIndicator,
    /// Periods after the baseline's up to the target's that are over, ascending.
    pub points: Vec<Point>,
    /// The point that the light rests on, by its place; none: on none.
    pub newest: Option<usize>,
    /// Its light, and why.
    pub lit: Lit,
}

impl Progress {
    /// The point that the light rests on.
    pub fn newest(&self) -> Option<&Point> {
        self.points.get(self.newest?)
    }
}

/// Where a figure stands today.
pub(super) fn progress(
    of: &ActionIndicator,
    figures: &Figures,
    today: Day,
    lists: &Lists,
) -> Progress {
    let most = usize::try_from(CYCLE_MONTHS_MAX).unwrap_or(usize::MAX);
    let first = of.baseline.period.next();
    let all = Period::range(first, of.target.period, most).unwrap_or_default();
    let baseline = figures.told(of, of.baseline.period, lists);
    let over = all.iter().filter(|period| Day::last_of(**period) < today);
    let points: Vec<_> = over.map(|period| point(of, *period, &baseline, figures, lists)).collect();
    let newest = newest(&points);
    let lit = lit(of, &points, newest);
    Progress { of: of.clone(), points, newest, lit }
}

fn newest(points: &[Point]) -> Option<usize> {
    points.iter().rposition(|point| !point.told.is_empty())
}

impl Progress {
    /// The light as it was on an earlier day, by what is known today.
    pub(super) fn lit_on(&self, then: Day) -> Lit {
        let over = self.points.partition_point(|point| Day::last_of(point.period) < then);
        let points = self.points.get(..over).unwrap_or_default();
        lit(&self.of, points, newest(points))
    }
}

/// The light of the newest point that is told; none of a target whose own period is over and not told.
fn lit(of: &ActionIndicator, points: &[Point], newest: Option<usize>) -> Lit {
    let grey = |why: String| Lit::new(Light::Grey, Source::Indicator, why);
    let Some(last) = points.last() else {
        let first = of.baseline.period.next();
        return grey(format!("too early: {first} ends on {}", Day::last_of(first)));
    };
    let Some(point) = newest.and_then(|at| points.get(at)) else {
        return last.lit.clone();
    };
    if point.period == last.period {
        return point.lit.clone();
    }
    let (told, why) = (point.period, &last.lit.why);
    if last.period == of.target.period {
        return grey(format!(
            "the target's period is over: {why}; {told} was the last that is told"
        ));
    }
    let why = format!("{}; {why}", point.lit.why);
    Lit { why, ..point.lit.clone() }
}

fn point(
    of: &ActionIndicator,
    period: Period,
    baseline: &Told<'_>,
    figures: &Figures,
    lists: &Lists,
) -> Point {
    let line = Line::at(of, period);
    let decimals = lists.indicator_of(of.indicator).map_or(0, |indicator| indicator.decimals);
    let expected = decimal(line.rounded(), decimals);
    let lit = |light, why: String| Lit::new(light, Source::Indicator, why);
    let (told, lit, caveats) = match figures.told(of, period, lists) {
        Told::Untold(why) => {
            let why = format!("{period} is not measured: {}", why.as_str());
            (Vec::new(), lit(Light::Grey, why), BTreeSet::new())
        }
        Told::Conflict(told) => {
            let said = told.iter().map(|of| format!("{} by {}", of.text(), of.requirement));
            let said = said.collect::<Vec<_>>().join(", ");
            let why = format!("{period}: requirements tell different figures: {said}");
            let told = told.into_iter().cloned().collect();
            (told, lit(Light::Unknown, why), BTreeSet::from([Caveat::Conflict]))
        }
        Told::Figure(figure) => {
            let caveats = caveats(of, figure, baseline);
            let (light, why) = judged(of, figure, line, &caveats);
            let why = format!("{period}: {}, {expected} expected: {why}", figure.text());
            let light = if waits(of, period, light) { Light::Grey } else { light };
            (vec![Arc::clone(figure)], lit(light, why), caveats)
        }
    };
    Point { period, expected, told, lit, caveats }
}

/// What is to be reached is not behind before its period.
fn waits(of: &ActionIndicator, period: Period, light: Light) -> bool {
    let early = period < of.target.period && light != Light::Green;
    of.target.direction == Direction::Reach && early
}

/// What of a figure does not compare with the baseline's.
const UNLIKE: [Caveat; 4] = [Caveat::Break, Caveat::Contributors, Caveat::Method, Caveat::Conflict];

fn caveats(of: &ActionIndicator, figure: &Figure, baseline: &Told<'_>) -> BTreeSet<Caveat> {
    let mut caveats = BTreeSet::new();
    if !figure.of_all {
        caveats.insert(Caveat::Partial);
    }
    match baseline {
        Told::Untold(_) => {
            caveats.insert(Caveat::BaselineUntold);
        }
        Told::Conflict(_) => {
            caveats.insert(Caveat::Conflict);
        }
        Told::Figure(before) => {
            let both = [Some(&before.cell), Some(&figure.cell)];
            let change = of_cell(both, before.lists != figure.lists, &BTreeSet::new());
            caveats.extend(change.into_iter().flat_map(|of| of.flags).filter_map(caveat));
            if !(before.low..=before.high).contains(&of.baseline.value) {
                caveats.insert(Caveat::BaselineDiffers);
            }
        }
    }
    caveats
}

fn caveat(flag: Flag) -> Option<Caveat> {
    match flag {
        Flag::Break => Some(Caveat::Break),
        Flag::Contributors => Some(Caveat::Contributors),
        Flag::Method => Some(Caveat::Method),
        Flag::Partial => Some(Caveat::Partial),
        // Both have a figure, of one version each.
        Flag::Revised | Flag::Status | Flag::OneSided => None,
    }
}

fn judged(
    of: &ActionIndicator,
    figure: &Figure,
    line: Line,
    caveats: &BTreeSet<Caveat>,
) -> (Light, String) {
    let direction = of.target.direction;
    let compared = direction != Direction::Reach;
    if compared && UNLIKE.iter().any(|unlike| caveats.contains(unlike)) {
        let unlike: Vec<_> =
            UNLIKE.iter().filter(|of| caveats.contains(of)).map(|of| of.in_words()).collect();
        return (Light::Unknown, unlike.join(", "));
    }
    // Against a baseline of the same contributors their own figure tells the way; against the plan's word the region's does.
    let like = compared && !caveats.contains(&Caveat::BaselineUntold);
    let (low, high) = if like || figure.of_all {
        (Some(figure.low), Some(figure.high))
    } else {
        (figure.whole_low, figure.whole_high)
    };
    let side = line.side(direction, low, high);
    if compared && side != Side::Both && caveats.contains(&Caveat::BaselineDiffers) {
        return (Light::Amber, Caveat::BaselineDiffers.in_words().to_owned());
    }
    let (light, why) = match side {
        Side::Good => (Light::Green, "as planned"),
        Side::Bad => (Light::Red, "behind the plan"),
        Side::Both => (Light::Amber, "what is uncertain of it allows both"),
    };
    (light, why.to_owned())
}

impl Caveat {
    /// In words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Break => "the code lists have changed since the baseline",
            Self::Contributors => "other jurisdictions contribute than to the baseline",
            Self::Method => "the figure is made in another way than the baseline's",
            Self::Partial => "it rests on some of those who were asked",
            Self::Conflict => "requirements tell different figures",
            Self::BaselineUntold => "no picture tells the baseline",
            Self::BaselineDiffers => "pictures tell the baseline otherwise than the plan",
        }
    }
}
