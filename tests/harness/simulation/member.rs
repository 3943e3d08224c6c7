//! A member in a simulation. Comes in: a copy of its store, connections, what its people do. Goes out: the very Exchange service that
//! a node serves, until the power fails; then the same from what the disk held at that moment.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use accord_node::{
    answer::Node,
    desk::{grants, inbox as desk},
    inbox::{Extent, Rules, State, Step},
    notify::{self, Kind, Notice, Notices, Warnings},
    pinned::Pinned,
    service::exchange::ExchangeService,
};
use accord_proto::{
    id::RequirementId,
    limits::{
        ANSWER_BYTES_MAX, CALL_TIMEOUT, NOTICES_WAITING_MAX, REPLY_BYTES_MAX, REQUEST_BYTES_MAX,
    },
    reason::Invalid,
    transport::{Peer, pinned::Party as _},
    wire::{exchange_server::ExchangeServer, product::circulation_server::CirculationServer},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use turmoil::net::TcpListener;

use super::{
    events::{Event, Events},
    product,
    template::{Generation, Member, Template},
    world::{Accepted, PORT, Seeded, SimClock},
};

/// What people at a member do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    /// Takes back consent to an indicator.
    Withdraw(usize),
    /// Takes the newer roster, and seals with the newer key from then on.
    Rotate,
    /// Looks at every requirement that waits for a person, and lets go what would leave.
    Decide,
    /// Says what it has to say of the product.
    Say,
}

/// How people at a member let something go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum People {
    /// They have consented once for all.
    HaveConsented,
    /// Two look at everything before it leaves, when they come to it.
    ByHand,
    /// The same, and they come to it when they are reminded.
    WhenReminded,
}

/// A member's place: what outlives its process.
pub(super) struct Site {
    pub(super) template: Arc<Template>,
    pub(super) at: usize,
    pub(super) seed: u64,
    pub(super) clock: SimClock,
    pub(super) people: People,
    pub(super) asked: [RequirementId; 2],
    pub(super) events: Events,
    pub(super) data: Mutex<PathBuf>,
    generation: Mutex<Generation>,
    deeds: Mutex<Option<mpsc::UnboundedSender<Deed>>>,
    lives: AtomicU64,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Site({})", self.name())
    }
}

/// What a site is made of besides its member.
pub(super) struct Premises {
    pub(super) seed: u64,
    pub(super) clock: SimClock,
    pub(super) people: People,
    pub(super) asked: [RequirementId; 2],
    pub(super) events: Events,
    /// Where its store is.
    pub(super) data: PathBuf,
}

impl Site {
    pub(super) fn of(template: &Arc<Template>, at: usize, premises: Premises) -> Self {
        let Premises { seed, clock, people, asked, events, data } = premises;
        Self {
            template: Arc::clone(template),
            at,
            seed,
            clock,
            people,
            asked,
            events,
            data: Mutex::new(data),
            generation: Mutex::default(),
            deeds: Mutex::default(),
            lives: AtomicU64::new(0),
        }
    }

    pub(super) fn member(&self) -> &Member {
        &self.template.members[self.at]
    }

    /// Its name, and its host's.
    pub(super) fn name(&self) -> &str {
        self.member().node.as_str()
    }

    /// Its node, opened from what its disk holds.
    pub(super) fn open(&self) -> Result<Node, Invalid> {
        let life = self.lives.fetch_add(1, Ordering::SeqCst);
        let dice = Seeded::new(self.seed, &format!("{} {life}", self.name()));
        let chance = (Arc::new(self.clock.clone()) as _, Arc::new(dice) as _);
        let generation = *locked(&self.generation);
        let mut node =
            self.template.open(self.member(), &locked(&self.data), generation, chance)?;
        node.release = Rules { by_hand: self.people != People::HaveConsented };
        Ok(node)
    }

    /// Runs until its host is stopped.
    pub(super) async fn run(self: Arc<Self>) -> turmoil::Result {
        let (sender, mut deeds) = mpsc::unbounded_channel();
        *locked(&self.deeds) = Some(sender);
        let (notices, told) = mpsc::channel(NOTICES_WAITING_MAX);
        let mut node = self.open()?;
        node.notices = Notices::to(notices);
        let node = Arc::new(node);
        node.store.settled().await?;
        tokio::spawn(Arc::clone(&self).hear(told));
        let (looked_at, data) = (Arc::clone(&node), locked(&self.data).clone());
        tokio::spawn(async move { notify::watch(&looked_at, &data, Warnings::default()).await });
        let service = ExchangeService::new(Arc::clone(&node));
        let circulation = CirculationServer::new(service.clone())
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(REPLY_BYTES_MAX);
        let service = ExchangeServer::new(service)
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(ANSWER_BYTES_MAX);
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        let (accepted, incoming) = mpsc::channel(64);
        let coordinator = self.template.credentials.own();
        tokio::spawn(accept(listener, coordinator, accepted));
        let serving = tonic::transport::Server::builder()
            .timeout(CALL_TIMEOUT)
            .add_service(service)
            .add_service(circulation)
            .serve_with_incoming(ReceiverStream::new(incoming));
        tokio::spawn(serving);
        while let Some(deed) = deeds.recv().await {
            tokio::spawn(Arc::clone(&self).act(Arc::clone(&node), deed));
        }
        Ok(())
    }

    /// Its people do something, if their node is there; nobody else waits for it.
    pub(super) fn tell(&self, deed: Deed) {
        if let Some(deeds) = &*locked(&self.deeds) {
            // Nobody is there to hear it: the power is off.
            let _ = deeds.send(deed);
        }
    }

    /// Notices at home.
    async fn hear(self: Arc<Self>, mut notices: mpsc::Receiver<Notice>) {
        while let Some(Notice { kind, subject, .. }) = notices.recv().await {
            self.events.note(self.name(), format!("{} {subject}", kind.name()));
            if kind == Kind::DeadlineNear {
                let which = self.asked.iter().position(|id| id.to_string() == subject);
                let event = |which| Event::Reminded { member: self.at, which };
                which.into_iter().for_each(|which| self.events.push(self.name(), event(which)));
                if self.people == People::WhenReminded {
                    self.tell(Deed::Decide);
                }
            }
        }
    }

    async fn act(self: Arc<Self>, node: Arc<Node>, deed: Deed) {
        let done = match deed {
            Deed::Withdraw(which) => self.withdraw(&node, which).await,
            Deed::Rotate => self.rotate(&node).await,
            Deed::Decide => self.decide(&node).await,
            Deed::Say => self.say(&node).await,
        };
        if let Err(error) = done {
            self.events.note(self.name(), format!("{deed:?} came to nothing: {error}"));
        }
    }

    async fn withdraw(&self, node: &Node, which: usize) -> Result<(), Invalid> {
        let member = self.member();
        grants::withdraw(node, &member.releasers[0], &member.grants[which]).await?;
        self.events.push(self.name(), Event::Withdrawn { member: self.at, which });
        Ok(())
    }

    async fn say(&self, node: &Node) -> Result<(), Invalid> {
        let by = &self.member().releasers[0];
        if let Some(word) = product::say(node, (by, self.at)).await? {
            self.events.note(self.name(), format!("says {word}"));
        }
        Ok(())
    }

    /// As a node does that finds the newer files; they are there from now on, whatever becomes of the process.
    async fn rotate(&self, node: &Node) -> Result<(), Invalid> {
        *locked(&self.generation) = Generation { roster: 1, key: 1 };
        let (template, member) = (&self.template, self.member());
        let keys = (template.root.clone(), Arc::clone(&member.seal_keys[1]));
        let known = (node.lists, node.store.head().roster_version(), node.clock.now());
        let pinned = Pinned::read(&template.rosters[1], keys, &member.own, known)?;
        node.rely_on(&pinned, &member.own).await?;
        node.pinned.replace(pinned);
        self.events.note(self.name(), "seals with its second key".to_owned());
        Ok(())
    }

    async fn decide(&self, node: &Node) -> Result<(), Invalid> {
        let [one, other] = &self.member().releasers;
        for id in self.asked {
            let Some(item) = node.store.inbox_item(id, node.lists)? else { continue };
            let state = item.state(node.clock.now());
            if state == State::Awaiting {
                desk::decide(node, one, id, (Step::Accept(Extent::default()), "Simulated")).await?;
            }
            let waits = matches!(state, State::Awaiting | State::Accepted | State::Proposed(_));
            if waits {
                let digest = let_go(node, (one, other), id).await?;
                self.events.note(self.name(), format!("people let {digest} go"));
            }
        }
        Ok(())
    }
}

/// One person proposes what would leave, another one lets it go.
async fn let_go(
    node: &Node,
    (one, other): (&Peer, &Peer),
    id: RequirementId,
) -> Result<accord_proto::seal::Digest, Invalid> {
    let previewed = desk::preview(node, one, id).await?;
    let digest = previewed.table.map(|(digest, _)| digest).ok_or_else(|| {
        Invalid::new(accord_proto::reason::Reason::Internal, "preview", "nothing would leave")
    })?;
    desk::propose(node, one, id, (digest, "Simulated")).await?;
    desk::release(node, other, id, (digest, "Simulated")).await?;
    Ok(digest)
}

async fn accept(
    listener: TcpListener,
    coordinator: Peer,
    accepted: mpsc::Sender<std::io::Result<Accepted>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        if accepted.send(Ok(Accepted::from(stream, &coordinator))).await.is_err() {
            return;
        }
    }
}

/// A folder as the disk holds it at this moment, in another place.
pub(super) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (entry, to) = (entry?, to);
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

pub(super) fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
