//! A whole federation on one thread, with a network and a time that a seed decides: real nodes and a real coordinator over real
//! stores; the wire, the clock and the dice are simulated. Doors, quotas and versions of the protocol are left out: they have tests
//! of their own over real TLS. Comes in: a seed. Goes out: nothing, if every promise was kept;
//! otherwise which one was broken, with all that happened.
//!
//! A simulated minute takes a fraction of a second. Faults: partition, requests or responses lost, everything held back, power
//! failure of a member or of the centre (what was handed to the disk survives), wrong clocks, new keys, consent taken back, people who decide late. When they are over,
//! somebody gathers, and everything must be as if nothing had happened.

use std::{
    cell::RefCell,
    fmt,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;

mod centre;
mod events;
mod faults;
mod member;
mod oracle;
mod play;
mod product;
mod template;
mod week;
mod world;

pub use template::Template;
pub use week::week;

use crate::crash::Dice;
use events::{Events, Happened};
use faults::{Fault, HEALED};
use member::{People, locked};
use oracle::Found;
use play::Play;

/// Members, and indicators that are asked for, each by a requirement of its own.
const MEMBERS: usize = 6;
const INDICATORS: usize = 2;

/// How long a simulation lasts.
#[derive(Clone, Copy, Debug)]
struct Length {
    /// The network and every host go on by so much at a time.
    tick: Duration,
    /// Of the collection windows.
    window_s: i64,
    /// When everything is over.
    over: Duration,
    /// Within so much a member has answered, or counts as away.
    call_deadline: Duration,
    /// What clocks show when so much has passed: where people wait for days, they go faster.
    shows: fn(Duration) -> Duration,
}

/// A minute; the last round begins a quarter of the window before its end.
const MINUTE: Length = Length {
    tick: Duration::from_millis(100),
    window_s: 56,
    over: Duration::from_secs(60),
    call_deadline: Duration::from_secs(3),
    shows: |passed| passed,
};

/// What a simulation is made of besides its seed.
struct Scenario {
    length: Length,
    /// What happens, in order of time.
    plan: Vec<(Duration, Fault)>,
    /// At each member.
    people: [People; MEMBERS],
    weakness: Option<Weakness>,
}

impl Scenario {
    fn of(seed: u64, weakness: Option<Weakness>) -> Self {
        let mut dice = Dice(seed);
        let mut plan = faults::plan(&mut dice);
        let rotates = |(_, fault): &(_, Fault)| {
            matches!(fault, Fault::CentreRotates | Fault::MemberRotates(_))
        };
        plan.extend(at_last(plan.iter().any(rotates)));
        plan.extend(product_all_along());
        plan.sort_by_key(|(at, _)| *at);
        let mut people = [People::HaveConsented; MEMBERS];
        let by_hand = usize::try_from(dice.below(2 * MEMBERS as u64)).unwrap_or(0);
        if let Some(people) = people.get_mut(by_hand) {
            *people = People::ByHand;
        }
        Self { length: MINUTE, plan, people, weakness }
    }
}

/// What is broken on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Disks say that something is durable before it is: after a power failure they hold what they held a while ago.
    DisksLie,
    /// The centre forgets everything when its power fails.
    CentreForgets,
    /// A member answers anew when its power fails: it forgets what it has answered, and what that cost.
    MemberForgets,
    /// Totals count somebody twice. In what the oracle is told, not in the program.
    CountsTwice,
    /// Who has taken back consent stands behind figures all the same. In what the oracle is told, not in the program.
    ForgetsConsent,
}

impl Weakness {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::DisksLie,
        Self::CentreForgets,
        Self::MemberForgets,
        Self::CountsTwice,
        Self::ForgetsConsent,
    ];

    /// Words of the promises that it breaks, any of them.
    pub fn is_noticed_as(self) -> &'static [&'static str] {
        match self {
            // Whoever has shown a journal that is gone is answered, and believed, no more.
            Self::DisksLie | Self::MemberForgets => &["at last", "doubts", "journal", "forgot"],
            Self::CentreForgets => &["gathers of requirement", "lost", "no picture"],
            Self::CountsTwice => &["where those behind it make"],
            Self::ForgetsConsent => &["after it had taken back its consent"],
        }
    }
}

/// What came of a simulation that kept every promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// All that happened, a line each.
    pub trace: Vec<String>,
    /// Faults of all kinds.
    pub faults: usize,
}

/// A promise that was broken.
#[derive(Debug)]
pub struct Broken {
    /// Begins the same simulation again.
    pub seed: u64,
    /// Which promise.
    pub promise: String,
    /// All that happened, a line each.
    pub trace: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.promise)?;
        self.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for Broken {}

thread_local! {
    /// The first panic of the simulation on this thread: runtimes keep those of their tasks to themselves.
    static PANICKED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Plays one seed.
pub fn play(
    template: &Arc<Template>,
    seed: u64,
    weakness: Option<Weakness>,
) -> Result<Kept, Broken> {
    let scenario = Scenario::of(seed, weakness);
    play_out(template, seed, scenario, |found| found.judge())
}

fn play_out(
    template: &Arc<Template>,
    seed: u64,
    scenario: Scenario,
    judge: fn(&Found<'_>) -> Result<()>,
) -> Result<Kept, Broken> {
    note_panics();
    PANICKED.with_borrow_mut(|panicked| *panicked = None);
    let events = Events::default();
    let playing = AssertUnwindSafe(|| Play::begin(template, seed, scenario, &events)?.end(judge));
    let ended = std::panic::catch_unwind(playing)
        .unwrap_or_else(|_| Err(anyhow::anyhow!("the simulation itself panicked")));
    let trace = || events.all().iter().map(Happened::to_string).collect();
    let promise = match (PANICKED.with_borrow(Option::clone), ended) {
        (Some(panicked), _) => format!("a panic: {panicked}"),
        (None, Err(error)) => format!("{error:#}"),
        (None, Ok(faults)) => return Ok(Kept { trace: trace(), faults }),
    };
    Err(Broken { seed, promise, trace: trace() })
}

/// What came of many simulations.
#[derive(Debug, Default)]
pub struct Played {
    /// How many.
    pub seeds: u64,
    /// Faults in all of them.
    pub faults: usize,
    /// Those in which a promise was broken, in order of their seeds.
    pub broken: Vec<Broken>,
}

/// Plays seeds, as many at once as there are processors; after the first broken promise no other one is begun.
pub fn play_all(
    template: &Arc<Template>,
    seeds: std::ops::Range<u64>,
    weakness: Option<Weakness>,
) -> Played {
    let (next, end) = (AtomicU64::new(seeds.start), seeds.end);
    let played = Mutex::new(Played::default());
    let one_after_the_other = || {
        while locked(&played).broken.is_empty() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let came = play(template, seed, weakness);
            let mut played = locked(&played);
            played.seeds += 1;
            match came {
                Ok(kept) => played.faults += kept.faults,
                Err(broken) => played.broken.push(broken),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(one_after_the_other)));
    });
    let mut played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    played.broken.sort_by_key(|broken| broken.seed);
    played
}

fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICKED.with_borrow_mut(|panicked| {
                panicked.get_or_insert_with(|| info.to_string());
            });
            before(info);
        }));
    });
}

/// An editor goes on with a product, and members say what they have to say of it, all along.
fn product_all_along() -> impl Iterator<Item = (Duration, Fault)> {
    let every = |ms| (0..u64::MAX).map(move |times| 1_500 + times * ms);
    let within = |at: &u64| Duration::from_millis(*at) < MINUTE.over;
    let steps = every(3_000).take_while(within).map(|ms| (ms, Fault::ProductGoesOn));
    let words = every(2_500).take_while(within).map(|ms| (ms + 700, Fault::MembersSay));
    steps.chain(words).map(|(ms, fault)| (Duration::from_millis(ms), fault))
}

/// What people do when everything works again: newer keys for everybody, if anybody has them; decide; gather; gather again, when a
/// gather that took as long as a call may is over: while it is under way the next one is turned away.
fn at_last(rotates: bool) -> Vec<(Duration, Fault)> {
    let at = |ms| HEALED + Duration::from_millis(ms);
    let mut end = Vec::new();
    if rotates {
        end.push((at(200), Fault::CentreRotates));
        end.extend((0..MEMBERS).map(|member| (at(200), Fault::MemberRotates(member))));
    }
    end.extend((0..INDICATORS).map(|which| (at(2_000), Fault::Gathered(which))));
    end.extend([5_000, 7_000].map(|ms| (at(ms), Fault::PeopleDecide)));
    for ms in [oracle::LAST_GATHER_MS, oracle::LAST_GATHER_MS + 4_000] {
        end.extend((0..INDICATORS).map(|which| (at(ms), Fault::Gathered(which))));
    }
    end
}
