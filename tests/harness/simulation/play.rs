//! One simulation: hosts, a network, a plan. Comes in: a scenario and a seed. Goes out: what disks hold after the power of everybody has
//! failed at the end, judged. Must never do anything by itself that the plan does not say.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use accord_proto::{clock::Clock as _, id::RequirementId, reason::Invalid, strict, wire};
use anyhow::Result;
use turmoil::Sim;

use super::{
    Length, MEMBERS, Scenario, Template, Weakness,
    centre::{self, Centre, NAME},
    events::Events,
    faults::Fault,
    member::{self, People, Premises, Site, copy, locked},
    oracle::Found,
    template::BLOCKS,
    world::{Seeded, SimClock},
};

/// A simulation under way.
pub(super) struct Play<'a> {
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
    pub(super) fn begin(
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
    pub(super) fn end(mut self, judge: fn(&Found<'_>) -> Result<()>) -> Result<usize> {
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
        // Of these there are many, and what they come to is told.
        if !matches!(fault, Fault::ProductGoesOn | Fault::MembersSay) {
            self.events.note("", format!("{fault:?}"));
        }
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
            Fault::ProductGoesOn => self.centre.tell(centre::Deed::GoOn),
            Fault::MembersSay => {
                self.sites.iter().for_each(|site| site.tell(member::Deed::Say));
            }
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
            || !now.as_millis().is_multiple_of(3_000)
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
        let weakness = self.weakness.take();
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
            weakness,
        };
        judge(&found)
    }
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
