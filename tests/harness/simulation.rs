//! A whole federation on one thread, with a network and a time that a seed decides: real nodes and a real coordinator over real
//! stores; only the wire, the clock and the dice are simulated. Comes in: a seed. Goes out: nothing, if every promise was kept;
//! otherwise which one was broken, with all that happened.
//!
//! A simulated minute takes a fraction of a second. Faults: partition, requests or responses lost, everything held back, power
//! failure of a member or of the centre, wrong clocks, new keys, consent taken back, people who decide late. When they are over,
//! somebody gathers, and everything must be as if nothing had happened.

use std::{
    cell::RefCell,
    fmt,
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use accord_proto::{clock::Clock as _, id::RequirementId, reason::Invalid, strict, wire};
use anyhow::Result;
use turmoil::Sim;

mod centre;
mod events;
mod faults;
mod member;
mod oracle;
mod template;
mod week;
mod world;

pub use template::Template;
pub use week::week;

use crate::crash::Dice;
use centre::{Centre, NAME};
use events::{Events, Happened};
use faults::{Fault, HEALED};
use member::{People, Premises, Site, copy, locked};
use oracle::Found;
use template::BLOCKS;
use world::{Seeded, SimClock};

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
        plan.extend(end(plan.iter().any(rotates)));
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
    let playing =
        AssertUnwindSafe(|| Play::begin(template, seed, scenario, &events)?.to_the_end(judge));
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

/// A simulation under way.
struct Play<'a> {
    sim: Sim<'a>,
    plan: Vec<(Duration, Fault)>,
    events: Events,
    clock: SimClock,
    centre: Arc<Centre>,
    sites: Vec<Arc<Site>>,
    weakness: Option<Weakness>,
    /// What disks held a while ago, by host; kept only where they lie.
    before: Vec<PathBuf>,
    copies: usize,
    length: Length,
    /// Goes last.
    room: tempfile::TempDir,
}

impl Play<'_> {
    fn begin(
        template: &Arc<Template>,
        seed: u64,
        scenario: Scenario,
        events: &Events,
    ) -> Result<Self> {
        let Scenario { length, plan, people, weakness } = scenario;
        let (room, clock) = (template.room()?, SimClock::default());
        let requirements = requirements(template, (&clock, length.window_s), seed)?;
        let asked = [id(&requirements[0])?, id(&requirements[1])?];
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed)
            .tick_duration(length.tick)
            .simulation_duration(length.over * 2)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(80))
            .tcp_capacity(4_096)
            .build();
        let mut sites = Vec::new();
        for (at, people) in people.into_iter().enumerate() {
            let data = room.path().join(format!("member-{at}"));
            copy(&template.members[at].data, &data)?;
            let premises = Premises {
                seed,
                clock: clock.of_another_host(),
                people,
                asked,
                events: events.clone(),
                data,
            };
            let site = Arc::new(Site::of(template, at, premises));
            let host = Arc::clone(&site);
            sim.host(site.name(), move || Arc::clone(&host).run());
            sites.push(site);
        }
        let centre = Arc::new(Centre {
            template: Arc::clone(template),
            clock: clock.of_another_host(),
            call_deadline: length.call_deadline,
            events: events.clone(),
            requirements,
            data: Mutex::new(room.path().join("centre")),
            generation: Mutex::default(),
            deeds: Mutex::default(),
        });
        let host = Arc::clone(&centre);
        sim.host(NAME, move || Arc::clone(&host).run());
        let (events, before) = (events.clone(), vec![PathBuf::new(); MEMBERS + 1]);
        Ok(Self {
            sim,
            plan,
            events,
            clock,
            centre,
            sites,
            weakness,
            before,
            copies: 0,
            length,
            room,
        })
    }

    /// Until everything is over; how much has happened.
    fn to_the_end(mut self, judge: fn(&Found<'_>) -> Result<()>) -> Result<usize> {
        let plan = std::mem::take(&mut self.plan);
        let mut next = plan.iter().peekable();
        while self.sim.elapsed() < self.length.over {
            let now = (self.length.shows)(self.sim.elapsed());
            self.clock.pass(now);
            self.events.pass(now);
            while let Some((_, fault)) = next.next_if(|(at, _)| *at <= now) {
                self.happen(*fault)?;
            }
            self.remember(now)?;
            self.sim.step().map_err(|error| anyhow::anyhow!("a host has ended: {error}"))?;
        }
        self.judge(judge)?;
        Ok(plan.len())
    }

    fn happen(&mut self, fault: Fault) -> Result<()> {
        self.events.note("", format!("{fault:?}"));
        let name = |at: usize| self.sites[at].name().to_owned();
        match fault {
            Fault::Partition(at) => self.sim.partition(NAME, name(at)),
            Fault::RequestsLost(at) => self.sim.partition_oneway(NAME, name(at)),
            Fault::ResponsesLost(at) => self.sim.partition_oneway(name(at), NAME),
            Fault::Hold(at) => self.sim.hold(NAME, name(at)),
            Fault::Repair(at) => {
                self.sim.release(NAME, name(at));
                self.sim.repair(NAME, name(at));
            }
            Fault::MemberDown(at) => self.member_down(at)?,
            Fault::MemberUp(at) => self.sim.bounce(name(at)),
            Fault::CentreDown => self.centre_down()?,
            Fault::CentreUp => self.sim.bounce(NAME),
            Fault::MemberClock(at, seconds) => self.sites[at].clock.be_wrong_by(seconds),
            Fault::CentreClock(seconds) => self.centre.clock.be_wrong_by(seconds),
            Fault::MemberRotates(at) => self.sites[at].tell(member::Deed::Rotate),
            Fault::CentreRotates => self.centre.tell(centre::Deed::Rotate),
            Fault::Withdraws(at, which) => self.sites[at].tell(member::Deed::Withdraw(which)),
            Fault::PeopleDecide => {
                let by_hand = self.sites.iter().filter(|site| site.people == People::ByHand);
                by_hand.for_each(|site| site.tell(member::Deed::Decide));
            }
            Fault::Issued(which) => self.centre.tell(centre::Deed::Issue(which)),
            Fault::Gathered(which) => self.centre.tell(centre::Deed::Gather(which)),
        }
        Ok(())
    }

    /// What its disk holds at this moment is what it comes back with.
    fn member_down(&mut self, at: usize) -> Result<()> {
        let site = Arc::clone(&self.sites[at]);
        let forgets = self.weakness == Some(Weakness::MemberForgets);
        let holds = if forgets { site.member().data.clone() } else { self.held_by(at) };
        let after = self.another(&format!("member-{at}"));
        copy(&holds, &after)?;
        self.sim.crash(site.name());
        *locked(&site.data) = after;
        Ok(())
    }

    fn centre_down(&mut self) -> Result<()> {
        let after = self.another(NAME);
        if self.weakness != Some(Weakness::CentreForgets) {
            copy(&self.held_by(MEMBERS), &after)?;
        }
        self.sim.crash(NAME);
        *locked(&self.centre.data) = after;
        Ok(())
    }

    /// What a host's disk holds after a power failure now.
    fn held_by(&self, host: usize) -> PathBuf {
        if self.weakness == Some(Weakness::DisksLie) && self.before[host].is_dir() {
            return self.before[host].clone();
        }
        match self.sites.get(host) {
            Some(site) => locked(&site.data).clone(),
            None => locked(&self.centre.data).clone(),
        }
    }

    /// Every few seconds, where disks lie: what they will be found to hold.
    fn remember(&mut self, now: Duration) -> Result<()> {
        if self.weakness != Some(Weakness::DisksLie)
            || now.as_millis() % 3_000 != 0
            || now.is_zero()
        {
            return Ok(());
        }
        for host in 0..=MEMBERS {
            let data = match self.sites.get(host) {
                Some(site) => locked(&site.data).clone(),
                None => locked(&self.centre.data).clone(),
            };
            let kept = self.another("before");
            copy(&data, &kept)?;
            self.before[host] = kept;
        }
        Ok(())
    }

    fn another(&mut self, name: &str) -> PathBuf {
        self.copies += 1;
        self.room.path().join(format!("{name}-{}", self.copies))
    }

    /// The power of everybody fails once more, and every promise must be true of what disks hold then.
    fn judge(mut self, judge: fn(&Found<'_>) -> Result<()>) -> Result<()> {
        self.weakness = None;
        for at in 0..MEMBERS {
            self.member_down(at)?;
        }
        self.centre_down()?;
        let nodes = self.sites.iter().map(|site| site.open()).collect::<Result<Vec<_>, _>>()?;
        let (archive, events) = (self.centre.archive()?, self.events.all());
        let found = Found {
            centre: &self.centre,
            sites: &self.sites,
            nodes: &nodes,
            archive: &archive,
            events: &events,
        };
        judge(&found)
    }
}

/// What people do when everything works again: newer keys for everybody, if anybody has them; decide; gather; gather again.
fn end(rotates: bool) -> Vec<(Duration, Fault)> {
    let at = |ms| HEALED + Duration::from_millis(ms);
    let mut end = Vec::new();
    if rotates {
        end.push((at(200), Fault::CentreRotates));
        end.extend((0..MEMBERS).map(|member| (at(200), Fault::MemberRotates(member))));
    }
    end.extend((0..INDICATORS).map(|which| (at(2_000), Fault::Gathered(which))));
    end.extend([5_000, 7_000].map(|ms| (at(ms), Fault::PeopleDecide)));
    for ms in [oracle::LAST_GATHER_MS, oracle::LAST_GATHER_MS + 3_000] {
        end.extend((0..INDICATORS).map(|which| (at(ms), Fault::Gathered(which))));
    }
    end
}

/// Two requirements, as their authority signs them.
fn requirements(
    template: &Template,
    (clock, window_s): (&SimClock, i64),
    seed: u64,
) -> Result<[wire::Envelope; 2]> {
    let members: Vec<_> = template.members.iter().map(|member| member.node.to_string()).collect();
    let dice = Seeded::new(seed, "requirements");
    let closes = clock.now().plus_s(window_s);
    let signed = BLOCKS.map(|block| {
        let text = format!(
            "authority = \"analysis-unit\"\nwhy = \"Simulated\"\npurpose = \"THREAT-ASSESSMENT\"\n\
             legal_basis = \"None, a simulation\"\naudience = \"POLICE\"\ncloses = \"{closes}\"\n{block}"
        );
        let key = &template.authority;
        accord_coordinator::requirement::sign(&text, &members, key, template.lists, clock, &dice)
    });
    let [first, second] = signed;
    Ok([first?, second?])
}

fn id(envelope: &wire::Envelope) -> Result<RequirementId, Invalid> {
    let signed = strict::decode_signed::<wire::Requirement>("requirement", &envelope.payload)?;
    RequirementId::parse("requirement", &signed.requirement)
}
