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
/// Of 499 cells each.
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
    /// Resident before anything was judged, and the most.
    rss_bytes: [u64; 2],
}

/// One picture.
#[derive(Debug, Serialize, Deserialize)]
struct Drawn {
    gate_us: u64,
    combine_us: u64,
    draw_us: u64,
    shown: usize,
    /// Cells of which neither this nor an earlier picture shows a figure that somebody hides.
    withheld: usize,
    /// Of these, in families of which no such figure is shown at all because of what others would tell.
    withheld_whole: usize,
    withheld_for: BTreeMap<String, usize>,
}

/// The process that is measured: members, years; prints JSON.
pub fn probe(arguments: &[OsString]) -> ExitCode {
    let probe = || -> Result<()> {
        let [members, years] = arguments else { anyhow::bail!("two arguments") };
        let number = |text: &OsString| text.to_str().context("a number").map(str::to_owned);
        let probed = probed(number(members)?.parse()?, number(years)?.parse()?)?;
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

fn probed(members: usize, years: u16) -> Result<Probed> {
    let region = Region::new(members, years)?;
    let first = region.answers(&|_, _| 1)?;
    // Three correct the last year, which is enough to be shown, and one the year before, which is not.
    let last = region.last_year;
    let later = region.answers(&|at, year| match (at, year) {
        (0..3, year) if year == last => 2,
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
    let (alone_us, _) = timed(|| each_alone(&first.0));
    let cells = region.cells();
    Ok(Probed { cells, first: first_drawn, later: later_drawn, naive_us, alone_us, rss_bytes })
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
        let named = gate::named(answers);
        picture::draw(
            &region.asked,
            states,
            (&figures, &named),
            &region.roster,
            lists,
            &region.sign_key,
        )
    });
    let mut drawn = Drawn {
        gate_us,
        combine_us,
        draw_us,
        shown: 0,
        withheld: 0,
        withheld_whole: 0,
        withheld_for: BTreeMap::new(),
    };
    tell(&mut drawn, &verdicts, lists);
    (drawn, verdicts)
}

/// What became of the cells.
fn tell(drawn: &mut Drawn, verdicts: &Verdicts, lists: &Lists) {
    let pooled: BTreeMap<_, _> = gate::pooled(verdicts).collect();
    let mut families = BTreeMap::<_, [usize; 2]>::new();
    for (key, verdict) in verdicts {
        let family = (key.indicator, key.topmost(Axis::Area, lists).crime_area, key.period.year());
        let [shown, complementary] = families.entry(family).or_default();
        *shown += usize::from(pooled.contains_key(key));
        match verdict {
            Verdict::Shown(_) => drawn.shown += 1,
            Verdict::Withheld(why) => {
                drawn.withheld += 1;
                *complementary += usize::from(*why == Why::Complementary);
                *drawn.withheld_for.entry(why.to_string()).or_default() += 1;
            }
        }
    }
    let whole = families.values().filter(|[shown, complementary]| *shown == 0 && *complementary > 1);
    drawn.withheld_whole = whole.map(|[_, complementary]| complementary).sum();
}

/// Sums without any gate.
fn naive(answers: &[VerifiedAnswer]) -> BTreeMap<RegionalKey, i64> {
    let cells = regional::contributions(answers.iter().map(VerifiedAnswer::table));
    let sum = |cell: &[regional::Contribution<'_>]| {
        let values = cell.iter().map(|part| if let Cell::Value(value) = part.cell { value } else { 0 });
        values.fold(0, i64::saturating_add)
    };
    cells.iter().map(|(key, cell)| (*key, sum(cell))).collect()
}

/// How many cells pass a gate that looks at each alone, with the rules that are shipped.
fn each_alone(answers: &[VerifiedAnswer]) -> usize {
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
    let passes = |cell: &&Vec<regional::Contribution<'_>>| {
        let hidden = cell.iter().filter(|part| part.is_hidden());
        let amounts = hidden.filter_map(|part| match part.cell {
            Cell::Value(value) => Some((part.jurisdiction, value)),
            _ => None,
        });
        rules.check(&Contributions::grouped(amounts, 0), false).is_ok()
    };
    cells.values().filter(passes).count()
}

/// Measures every size, each in a process of its own.
pub fn picture(program: &Path, _rounds: usize) -> Result<Report> {
    let mut rows = Vec::new();
    for members in MEMBERS {
        for years in YEARS {
            let mut command = Command::new(program);
            command.arg(roles::PICTURE).arg(members.to_string()).arg(years.to_string());
            let probed: Probed = serde_json::from_value(Finished::run(command)?.json(&[0])?)?;
            eprintln!("{members} {years} {probed:#?}");
        }
    }
    let _ = (count(1), seconds(Duration::ZERO), Semantics::Flow);
    rows.push(ratio_row("x".into(), 1.0, "s", 1.0, ""));
    rows.truncate(0);
    Ok(Report { topic: "picture".to_owned(), rows: Vec::<Row>::new(), left_out: Vec::new() })
}
