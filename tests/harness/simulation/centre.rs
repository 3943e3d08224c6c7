//! The coordinator in a simulation. Comes in: an empty archive, what its people do. Goes out: the very collecting, asking and delivering
//! that a coordinator does, until the power fails; then it goes on from what the disk held at that moment.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use accord_coordinator::{
    archive::Archive,
    circulate,
    collect::{self, Collections},
    deliver,
    gate::GatePolicy,
    gather::Caller,
    heads::Turns,
    pinned::{Pinned, rely_on},
    rounds::Rounds,
    standing,
    survey::{self, Coordinator},
};
use accord_proto::{
    clock::Clock as _,
    current::Current,
    id::RequirementId,
    question::SignedRequirement,
    reason::Invalid,
    strict,
    transport::{dialled::Dialled, heard::Peers, pinned::Party as _},
    wire,
};
use tokio::sync::mpsc;

use super::{
    events::{Event, Events},
    member::locked,
    product,
    template::{Generation, Template},
    world::{Network, SimClock},
};

/// Its host's name.
pub(super) const NAME: &str = "centre";
/// Shortest pause before somebody is asked again.
const RETRY: Duration = Duration::from_secs(2);
/// Between two rounds of asking whether answers stand, and of delivering.
const EVERY: Duration = Duration::from_secs(14);

/// What people at the centre do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    /// Takes in a requirement.
    Issue(usize),
    /// Gathers what a requirement asks.
    Gather(usize),
    /// Takes the next steps with the product.
    GoOn,
    /// Takes the newer roster, and signs with the newer key from then on.
    Rotate,
}

/// The centre's place: what outlives its process.
pub(super) struct Centre {
    pub(super) template: Arc<Template>,
    pub(super) clock: SimClock,
    pub(super) call_deadline: Duration,
    pub(super) events: Events,
    /// As their authority has signed them.
    pub(super) requirements: [wire::Envelope; 2],
    pub(super) data: Mutex<PathBuf>,
    pub(super) generation: Mutex<Generation>,
    pub(super) deeds: Mutex<Option<mpsc::UnboundedSender<Deed>>>,
}

impl std::fmt::Debug for Centre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Centre")
    }
}

impl Centre {
    /// Its archive, opened from what its disk holds.
    pub(super) fn archive(&self) -> Result<Archive, Invalid> {
        let own = self.template.credentials.own();
        let mut archive = Archive::open(&locked(&self.data), &own.identity, 0)?;
        archive.settle_by_whoever_waits();
        Ok(archive)
    }

    async fn open(&self) -> Result<Coordinator, Invalid> {
        let Template { lists, rosters, root, sign_keys, credentials, .. } = &*self.template;
        let (archive, own) = (self.archive()?, credentials.own());
        let generation = *locked(&self.generation);
        let keys = (root.clone(), Arc::clone(&sign_keys[generation.key]));
        let known = (*lists, archive.roster_version()?, self.clock.now());
        let pinned = Pinned::read(&rosters[generation.roster], keys, &own, known)?;
        rely_on(&pinned, &own, &archive, &self.clock).await?;
        Ok(Coordinator {
            caller: Caller {
                credentials: credentials.clone(),
                listening: Arc::new(Network),
                roster: Arc::clone(&pinned.roster),
                dialled: Dialled::default(),
                peers: Peers::new(Arc::new(self.clock.clone())),
                call_deadline: self.call_deadline,
            },
            pinned: Current::of(pinned),
            endings: Current::of(Vec::new()),
            untaken: Current::of(Default::default()),
            lists,
            gate: GatePolicy::default(),
            turns: Turns::default(),
            deliveries: deliver::Deliveries::default(),
            circulation: Default::default(),
            collections: Collections::of(archive.open_collections()?, RETRY),
            rounds: Rounds::default(),
            archive,
            clock: Arc::new(self.clock.clone()),
        })
    }

    /// Runs until its host is stopped.
    pub(super) async fn run(self: Arc<Self>) -> turmoil::Result {
        let coordinator = Arc::new(self.open().await?);
        let (sender, mut deeds) = mpsc::unbounded_channel();
        *locked(&self.deeds) = Some(sender);
        tokio::spawn(collect::keep_collecting(Arc::clone(&coordinator)));
        tokio::spawn(deliver::keep_delivering(Arc::clone(&coordinator), EVERY));
        tokio::spawn(circulate::keep_circulating(Arc::clone(&coordinator), EVERY));
        tokio::spawn(ask_again(Arc::clone(&coordinator)));
        while let Some(deed) = deeds.recv().await {
            tokio::spawn(Arc::clone(&self).act(Arc::clone(&coordinator), deed));
        }
        Ok(())
    }

    /// Its people do something, if it is there; nobody else waits for it.
    pub(super) fn tell(&self, deed: Deed) {
        if let Some(deeds) = &*locked(&self.deeds) {
            // Nobody is there to hear it: the power is off.
            let _ = deeds.send(deed);
        }
    }

    /// Ids of what is asked.
    pub(super) fn id(&self, which: usize) -> Result<RequirementId, Invalid> {
        let signed = strict::decode_signed::<wire::Requirement>(
            "requirement",
            &self.requirements[which].payload,
        )?;
        RequirementId::parse("requirement", &signed.requirement)
    }

    async fn act(self: Arc<Self>, coordinator: Arc<Coordinator>, deed: Deed) {
        let done = match deed {
            Deed::Issue(which) => self.issue(&coordinator, which).await,
            Deed::Gather(which) => self.gather(&coordinator, which).await,
            Deed::Rotate => self.rotate(&coordinator).await,
            Deed::GoOn => self.go_on(&coordinator).await,
        };
        if let Err(error) = done {
            self.events.note(NAME, format!("{deed:?} came to nothing: {error}"));
        }
    }

    async fn issue(&self, coordinator: &Coordinator, which: usize) -> Result<(), Invalid> {
        let (roster, now) = (coordinator.roster(), self.clock.now());
        let asked =
            SignedRequirement::open(self.requirements[which].clone(), &roster, coordinator.lists)?;
        coordinator.archive.issue(&self.template.analyst, &asked, now).await?;
        self.events.push(NAME, Event::Issued(which));
        Ok(())
    }

    async fn gather(&self, coordinator: &Coordinator, which: usize) -> Result<(), Invalid> {
        let begun = self.events.now();
        let envelope = coordinator.archive.requirement(self.id(which)?)?;
        let asked = SignedRequirement::open(envelope, &coordinator.roster(), coordinator.lists)?;
        let (by, caller) = (&self.template.analyst, &coordinator.caller);
        let drawn = survey::survey(coordinator, by, &asked, caller, |_| {}).await?;
        let payload = drawn.envelope.unwrap_or_default().payload;
        let picture = Box::new(strict::decode_signed("picture", &payload)?);
        let version = drawn.version;
        self.events.push(NAME, Event::Drawn { which, begun, version, picture });
        Ok(())
    }

    async fn go_on(&self, coordinator: &Coordinator) -> Result<(), Invalid> {
        let state = product::go_on(coordinator, &self.template.analyst).await?;
        self.events.push(NAME, Event::Product(state.as_str()));
        Ok(())
    }

    /// As a coordinator does that finds the newer files; they are there from now on, whatever becomes of the process.
    async fn rotate(&self, coordinator: &Coordinator) -> Result<(), Invalid> {
        *locked(&self.generation) = Generation { roster: 1, key: 1 };
        let Template { lists, rosters, root, sign_keys, credentials, .. } = &*self.template;
        let (own, keys) = (credentials.own(), (root.clone(), Arc::clone(&sign_keys[1])));
        let known = (*lists, coordinator.archive.roster_version()?, self.clock.now());
        let pinned = Pinned::read(&rosters[1], keys, &own, known)?;
        coordinator.rely_on(&pinned, &own).await?;
        coordinator.pinned.replace(pinned);
        self.events.note(NAME, "signs with its second key".to_owned());
        Ok(())
    }
}

/// Asks members, at a steady pace, whether their answers still stand.
async fn ask_again(coordinator: Arc<Coordinator>) {
    let by = coordinator.caller.credentials.own().identity;
    loop {
        tokio::time::sleep(EVERY).await;
        // Whoever is away is asked the next time.
        let _ = standing::ask(&coordinator, &by).await;
    }
}
