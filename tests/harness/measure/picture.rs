//! Topic `picture`: what it takes to judge, combine and draw a regional picture, in a process of its own for its memory. Comes
//! in: members and years. Goes out: seconds of a first picture and of a later one, which answers for what the first has
//! shown; their growth; what of it was withheld. Beside them: sums without any gate, and a gate that looks at each
//! cell alone.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::Write as _,
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use accord_coordinator::{
    combine,
    gate::{self, GatePolicy, PooledBefore, RegionalKey, Verdict, Verdicts, Why},
    picture,
    verify::VerifiedAnswer,
};
use accord_proto::{
    lattice::Axis,
    regional,
    rules::{Contributions, PerMille, Rules},
    table::Cell,
    taxonomy::{Lists, Semantics},
};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{count, ratio_row, seconds, start::memory};
use crate::{
    process::Finished,
    report::{Report, Row},
    roles,
};

mod region;

use region::Region;

const MEMBERS: [usize; 3] = [6, 27, 200];
/// Of 505 cells each.
const YEARS: [u16; 2] = [1, 10];
const MINIMUM: u32 = 3;
/// Writing this makes the kernel forget the most memory that a process ever had.
const FORGET_PEAK: (&str, &str) = ("/proc/self/clear_refs", "5");

/// What a fresh process says of one size.
#[derive(Debug, Serialize, Deserialize)]
struct Probed {
    cells: usize,
    first: Drawn,
    later: Drawn,
    naive_us: u64,
    alone_us: u64,
    /// Cells that add, in which somebody hides a figure, and which pass by themselves.
    alone: usize,
    /// Resident before anything was judged, and the most.
    rss_bytes: [u64; 2],
}

/// One picture.
#[derive(Debug, Serialize, Deserialize)]
struct Drawn {
    gate_us: u64,
    combine_us: u64,
    draw_us: u64,
    /// Cells that add, in which somebody hides a figure: shown, and withheld.
    pooled: usize,
    withheld: usize,
    /// Of these, those of families of which nothing is shown because of what cells tell together, or because that could
    /// not be worked out within the bounds.
    withheld_whole: usize,
}

impl Drawn {
    fn gate_s(&self) -> f64 {
        seconds(Duration::from_micros(self.gate_us))
    }

    fn seconds(&self) -> f64 {
        seconds(Duration::from_micros(self.gate_us + self.combine_us + self.draw_us))
    }
}

/// The process that is measured: members, years, whether members withhold cells; prints JSON.
pub fn probe(arguments: &[OsString]) -> ExitCode {
    let probe = || -> Result<()> {
        let arguments = arguments.iter().map(|text| text.to_str().context("text"));
        let arguments = arguments.collect::<Result<Vec<_>>>()?;
        let [members, years, withholds] = arguments[..] else { anyhow::bail!("three arguments") };
        let probed = probed(members.parse()?, years.parse()?, withholds.parse()?)?;
        Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&probed)?)?)
    };
    match probe() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn probed(members: usize, years: u16, withholds: bool) -> Result<Probed> {
    let region = Region::new(members, years, withholds)?;
    let first = region.answers(&|_, _| 1)?;
    // Three correct the last year, which is enough to be shown, and one the year before, which is not.
    let last = region.last_year;
    let later = region.answers(&|at, year| match (at, year) {
        (0..=2, year) if year == last => 2,
        (4, year) if year + 1 == last => 2,
        _ => 1,
    })?;
    let (path, forget) = FORGET_PEAK;
    std::fs::write(path, forget)?;
    let resident = memory("VmRSS:")?;
    let mut before = PooledBefore::new();
    let [first_drawn, later_drawn] = [&first, &later].map(|(answers, states)| {
        let (drawn, verdicts) = drawn(&region, answers, states, &before);
        for (key, pooled) in gate::pooled(&verdicts) {
            before.insert(*key, pooled.clone());
        }
        drawn
    });
    let rss_bytes = [resident, memory("VmHWM:")?];
    let (naive_us, _) = timed(|| naive(&first.0));
    let (alone_us, alone) = timed(|| each_alone(&first.0, region.lists));
    let (cells, [first, later]) = (region.cells(), [first_drawn, later_drawn]);
    Ok(Probed { cells, first, later, naive_us, alone_us, alone, rss_bytes })
}

fn timed<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let started = Instant::now();
    let done = work();
    (u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX), done)
}

fn drawn(
    region: &Region,
    answers: &[VerifiedAnswer],
    states: &[picture::MemberState],
    before: &PooledBefore,
) -> (Drawn, Verdicts) {
    let (lists, policy) = (region.lists, GatePolicy::default());
    let (gate_us, verdicts) = timed(|| gate::judge(answers, MINIMUM, &policy, before, lists));
    let (combine_us, figures) = timed(|| combine::combine(&verdicts, lists));
    let (draw_us, _) = timed(|| {
        let beside = picture::Beside {
            named: gate::named(answers),
            contributors_min: policy.contributors_min(MINIMUM),
            deviations: Vec::new(),
        };
        picture::draw(
            &region.asked,
            states,
            (&figures, &beside),
            &region.roster,
            lists,
            &region.sign_key,
        )
    });
    let [pooled, withheld, withheld_whole] = became(&verdicts, lists);
    (Drawn { gate_us, combine_us, draw_us, pooled, withheld, withheld_whole }, verdicts)
}

/// What became of the cells that add and in which somebody hides a figure: shown; withheld; withheld with all of
/// their family.
fn became(verdicts: &Verdicts, lists: &Lists) -> [usize; 3] {
    let pooled: BTreeMap<_, _> = gate::pooled(verdicts).collect();
    let mut families = BTreeMap::<_, [usize; 3]>::new();
    for (key, verdict) in verdicts.iter().filter(|(key, _)| adds(key, lists)) {
        let family = (key.indicator, key.topmost(Axis::Area, lists).crime_area, key.period.year());
        let [shown, withheld, complementary] = families.entry(family).or_default();
        *shown += usize::from(pooled.contains_key(key));
        *withheld += usize::from(matches!(verdict, Verdict::Withheld(_)));
        *complementary += usize::from(matches!(verdict, Verdict::Withheld(Why::Complementary)));
    }
    let all = families.values();
    all.fold([0; 3], |[shown, withheld, whole], [of_shown, of_withheld, complementary]| {
        let is_whole = *of_shown == 0 && *complementary > 0;
        let whole = whole + if is_whole { *of_withheld } else { 0 };
        [shown + of_shown, withheld + of_withheld, whole]
    })
}

fn adds(key: &RegionalKey, lists: &Lists) -> bool {
    let semantics = lists.indicator_of(key.indicator).map(|of| of.semantics);
    matches!(semantics, Some(Semantics::Flow | Semantics::Magnitude))
}

/// Sums without any gate.
fn naive(answers: &[VerifiedAnswer]) -> BTreeMap<RegionalKey, i64> {
    let cells = regional::contributions(answers.iter().map(VerifiedAnswer::table));
    let sum = |cell: &[regional::Contribution<'_>]| {
        let values =
            cell.iter().map(|part| if let Cell::Value(value) = part.cell { value } else { 0 });
        values.fold(0, i64::saturating_add)
    };
    cells.iter().map(|(key, cell)| (*key, sum(cell))).collect()
}

/// How many cells that add pass a gate that looks at each alone, with the rules that are shipped.
fn each_alone(answers: &[VerifiedAnswer], lists: &Lists) -> usize {
    let rules = Rules {
        units_min: u64::from(MINIMUM),
        sources_min: 0,
        coalition: 1,
        p: Some(PerMille::percent(10)),
        dominance: None,
        prior_posterior: None,
        zeros: false,
    };
    let cells = regional::contributions(answers.iter().map(VerifiedAnswer::table));
    let passes = |(key, cell): &(&RegionalKey, &Vec<regional::Contribution<'_>>)| {
        let hidden = cell.iter().filter(|part| part.is_hidden());
        let amounts = hidden.filter_map(|part| {
            let Cell::Value(value) = part.cell else { return None };
            Some((part.jurisdiction, value))
        });
        let amounts: Vec<_> = amounts.collect();
        let nobody = amounts.is_empty() || !adds(key, lists);
        !nobody && rules.check(&Contributions::grouped(amounts, 0), false).is_ok()
    };
    cells.iter().filter(passes).count()
}

/// Measures every size, each in a process of its own.
pub fn picture(program: &Path) -> Result<Report> {
    let mut rows = Vec::new();
    for withholds in [false, true] {
        for members in MEMBERS {
            let mut before = None;
            for years in YEARS {
                let mut command = Command::new(program);
                let arguments = [members.to_string(), years.to_string(), withholds.to_string()];
                command.arg(roles::PICTURE).args(arguments);
                let probed: Probed = serde_json::from_value(Finished::run(command)?.json(&[0])?)?;
                let what = if withholds { "some withhold cells" } else { "nobody withholds" };
                let name = format!("{members} × {} cells, {what}", probed.cells);
                rows.extend(size_rows(&name, &probed, before.as_ref()));
                before = Some(probed);
            }
        }
    }
    Ok(Report { topic: "picture".to_owned(), rows, left_out: Vec::new() })
}

fn size_rows(name: &str, of: &Probed, fewer: Option<&Probed>) -> Vec<Row> {
    let row = |what: &str, value: f64, unit: &str, yardstick: f64, of: &str| {
        ratio_row(format!("{name}: {what}"), value, unit, yardstick, of)
    };
    let [naive, alone] = [of.naive_us, of.alone_us].map(|us| seconds(Duration::from_micros(us)));
    let mib = |bytes: u64| count(usize::try_from(bytes >> 10).unwrap_or(usize::MAX)) / 1024.0;
    let [resident, most] = of.rss_bytes.map(mib);
    let share = |part: usize, whole: usize| 100.0 * count(part) / count(whole.max(1));
    let hidden = |drawn: &Drawn| drawn.pooled + drawn.withheld;
    let mut rows = vec![
        row("first picture", of.first.seconds(), "s", naive, "sums of the same answers, no gate"),
        row("its gate", of.first.gate_s(), "s", alone, "a gate that looks at each cell alone"),
        row("later picture", of.later.seconds(), "s", of.first.seconds(), "the first one"),
        row("memory at the most", most, "MiB", resident, "with the answers, before the gate"),
    ];
    for (which, drawn) in [("first", &of.first), ("later", &of.later)] {
        let whole = share(drawn.withheld_whole, hidden(drawn));
        let withheld = format!("{which} picture, withheld of what adds and is hidden");
        let yardstick = share(hidden(drawn) - of.alone, hidden(drawn));
        let what = format!("by each cell alone; {whole:.1} % are of families withheld as a whole");
        rows.push(Row {
            ratio: None,
            ..row(&withheld, share(drawn.withheld, hidden(drawn)), "%", yardstick, &what)
        });
    }
    if let Some(fewer) = fewer {
        let what =
            format!("{} cells (linear {:.1})", fewer.cells, count(of.cells) / count(fewer.cells));
        let growth =
            row("growth, first picture", of.first.seconds(), "s", fewer.first.seconds(), &what);
        rows.push(growth);
    }
    rows
}
