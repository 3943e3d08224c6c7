//! Wiring: open, check, bind, serve, drain. Comes in: a config. Goes out: a running node, or every
//! reason why it does not start.

use std::{
    fs,
    sync::{Arc, RwLock},
};

use accord_proto::{
    at_rest::Keys,
    audit::JournalService,
    clock::{Clock as _, SystemClock, SystemEntropy},
    current::Current,
    identity::{Identity, Place, Role},
    journal::{Act, Entry},
    limits,
    operate::{health, measures::Tally, supervise},
    own_lists,
    protocol::Speaks,
    reason::{Invalid, Reason},
    seal::{PublicKey, SecretKey},
    transport::{
        Credentials,
        heard::Peers,
        listener::{self, Options, Services},
        pinned as renewal, read_secret,
        renewal::Looks,
    },
    upkeep::MaintenanceService,
    wire::{
        self,
        journal::journal_server::JournalServer,
        maintenance::maintenance_server::MaintenanceServer,
        product::{circulation_server::CirculationServer, products_server::ProductsServer},
    },
};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    answer::{self, Held, Node},
    config::Config,
    inbox,
    notify::{self, Notices},
    pinned::{self, Pinned},
    policy::{Files, Policy},
    port::{Port, bind},
    service::{
        desk::DeskService, exchange::ExchangeService, inbox::InboxService,
        pictures::PicturesService, products::ProductsService, receipts::ReceiptsService,
        summaries::SummariesService,
    },
    store::{Found, Opener, Store},
    summary,
    vitals::Vitals,
};

/// Serves until `shutdown` resolves.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), Invalid> {
    let credentials = Credentials::load(&config.tls)?;
    let for_staff = credentials.admitting(&config.staff_ca, config.staff_crl.as_deref())?;
    let looks = Looks::begin()?;
    let node = Arc::new(open(&config, &credentials)?);
    let ends = renewal::endings(&node.roster(), &[&credentials, &for_staff]);
    node.endings.replace(ends);
    node.store.settled().await?;
    let exchange_at = Port::open(&config.exchange, &node).await?;
    let desk_at = bind(&config.desk.listen).await?;
    let tally = Tally::default();
    let watched =
        health::watch(config.ops, Vitals { node: Arc::clone(&node), tally: tally.clone() });
    // Held until the end.
    let _watched = watched.await?;
    info!(node = %node.identity, exchange = %config.exchange, desk = %config.desk.listen, "serving");

    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the sender is gone, and with it the wish to go on.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let exchange = for_coordinator(&node);
    let for_desk = for_desk(&node);
    let options = |call_timeout, reflection, port| {
        let clock = Arc::clone(&node.clock);
        let counted = (port, tally.clone());
        Options { call_timeout, reflection, clock, speaks: Speaks::OURS, counted }
    };
    let quick = options(limits::CALL_TIMEOUT, config.exchange_reflection, "exchange");
    let long = options(limits::LONG_CALL_TIMEOUT, config.desk.reflection, "desk");
    let serving = async {
        tokio::try_join!(
            exchange_at.serve(&credentials, exchange, quick, until(stopped.clone())),
            listener::serve_all(desk_at, &for_staff, for_desk, long, until(stopped)),
        )
    };
    tokio::pin!(serving);
    let credentials = (credentials.clone(), for_staff.clone());
    let files = renewal::Files::of(&config.roster, ("seal key", &config.seal_key));
    let renewing = renewal::keep_renewing(Arc::clone(&node), credentials, looks, files);
    let renewing = tokio::spawn(renewing);
    let (data, warnings) = (config.data.clone(), config.notify.warnings);
    let watching = tokio::spawn(async move { notify::watch(&node, &data, warnings).await });
    let alive = tokio::spawn(supervise::keep_alive());
    supervise::ready();
    let served = tokio::select! {
        ended = &mut serving => ended.map(drop),
        () = shutdown => {
            info!("stopping");
            supervise::stopping();
            let _ = stop.send(true);
            match tokio::time::timeout(limits::DRAIN_TIMEOUT, serving).await {
                Ok(ended) => ended.map(drop),
                // Whoever still holds a connection open has had its time.
                Err(_) => Ok(()),
            }
        }
    };
    alive.abort();
    watching.abort();
    renewing.abort();
    served
}

/// What the coordinator may call.
fn for_coordinator(node: &Arc<Node>) -> Services {
    let service = ExchangeService::new(Arc::clone(node));
    let circulation = CirculationServer::new(service.clone())
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let exchange = wire::exchange_server::ExchangeServer::new(service)
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::ANSWER_BYTES_MAX);
    Services::of(exchange).and(circulation)
}

/// What national staff may call.
fn for_desk(node: &Arc<Node>) -> Services {
    let desk = wire::desk::desk_server::DeskServer::new(DeskService::new(Arc::clone(node)))
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let summaries = SummariesService { node: Arc::clone(node) };
    let summaries = wire::desk::summaries_server::SummariesServer::new(summaries)
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let inbox = InboxService::new(Arc::clone(node));
    let inbox = wire::desk::inbox_server::InboxServer::new(inbox)
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let journal = JournalServer::new(JournalService::of(Arc::clone(node)))
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let receipts = ReceiptsService { node: Arc::clone(node) };
    let receipts = wire::desk::receipts_server::ReceiptsServer::new(receipts)
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let pictures = PicturesService::new(Arc::clone(node));
    let pictures = wire::desk::pictures_server::PicturesServer::new(pictures)
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let products = ProductsServer::new(ProductsService { node: Arc::clone(node) })
        .max_decoding_message_size(limits::PRODUCT_REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let maintenance = MaintenanceServer::new(MaintenanceService::of(Arc::clone(node)));
    let services = Services::of(desk).and(summaries).and(inbox).and(journal);
    services.and(receipts).and(pictures).and(products).and(maintenance)
}

/// Opens store, keys, policy and roster, and makes sure that they belong together.
pub fn open(config: &Config, credentials: &Credentials) -> Result<Node, Invalid> {
    let lists = own_lists::load(config.lists.as_deref())?;
    let own = credentials.own();
    let Place::Jurisdiction(jurisdiction) = own.identity.place else {
        return Err(wrong("tls.certificate", format!("{} is not a national node", own.identity)));
    };
    if own.identity.role != Role::Node {
        return Err(wrong("tls.certificate", format!("{} is not a node", own.identity)));
    }
    summary::document::check_ceiling(&config.classification_ceiling, lists)?;
    let seal_key = SecretKey::from_pem("seal.key", &read_secret(&config.seal_key)?)?;
    let store = Store::open_by(Opener {
        path: &config.data,
        owner: &own.identity.to_string(),
        free_bytes_min: config.free_bytes_min,
        keys: &Keys::load(config.store_key.as_deref())?,
        entropy: &SystemEntropy,
    })?;
    note_found(&store, &own.identity)?;
    let secret = secret_policy(config)?;
    let public = read(&config.policy)?;
    let files = Files { public: &public, secret: &secret, salt: store.salt() };
    let policy = Policy::parse(files, jurisdiction, lists)?;
    let root = PublicKey::from_hex("roster.root", &read(&config.root)?)?;
    let bytes = fs::read(&config.roster)
        .map_err(|error| wrong(&config.roster.display().to_string(), error.to_string()))?;
    let keys = (root, Arc::new(seal_key));
    let known = (lists, store.head().roster_version(), SystemClock.now());
    let pinned = Pinned::read(&bytes, keys, &own, known)?;
    pinned::rely_on(&pinned, &own.identity, &store, &SystemClock)?;
    note_policy(&store, &own.identity, &policy)?;
    config.exchange.check(pinned.roster.member(&own.identity.name))?;
    let held = Held::read(&store, jurisdiction, lists, &policy)?;
    let coordinators = Peers::new(Arc::new(SystemClock));
    coordinators.announce(store.maintenance()?);
    Ok(Node {
        identity: own.identity.clone(),
        jurisdiction,
        pinned: Current::of(pinned),
        endings: Current::of(Vec::new()),
        untaken: Current::of(Default::default()),
        lists,
        classification_ceiling: config.classification_ceiling.clone(),
        policy,
        release: inbox::Rules { by_hand: config.by_hand },
        store,
        held: RwLock::new(held),
        notices: Notices::open(&config.notify)?,
        proven: crate::peers::Proven::default(),
        coordinators,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    })
}

/// What somebody should know who starts it.
fn note_found(store: &Store, owner: &Identity) -> Result<(), Invalid> {
    let clock: &dyn accord_proto::clock::Clock = &SystemClock;
    store.note_found(owner, clock.now())?;
    match store.found() {
        Found::Whole => {}
        Found::New => warn!("there was no store: this is a new and empty one"),
        Found::Unwitnessed => warn!(
            journal_size = store.head().journal().size(),
            "the store's witness was missing or unreadable: is this the newest store, or an older copy?"
        ),
    }
    if store.head().in_doubt() {
        warn!("{}", answer::FORGOTTEN);
    }
    Ok(())
}

/// The floors, as text; empty for the shipped ones.
fn secret_policy(config: &Config) -> Result<String, Invalid> {
    let beside = config.policy.with_file_name("policy.secret.toml");
    let named = config.policy_secret.clone().or_else(|| beside.exists().then_some(beside));
    let Some(named) = named else {
        warn!("no policy.secret.toml: the floors are the shipped ones, which everybody knows");
        return Ok(String::new());
    };
    read_secret(&named)
}

/// A policy that changed since the last start is an alteration, and stands in the journal.
fn note_policy(store: &Store, owner: &Identity, policy: &Policy) -> Result<(), Invalid> {
    let clock: &dyn accord_proto::clock::Clock = &SystemClock;
    if store.head().policy() == policy.digest().0 {
        return Ok(());
    }
    let mut change = store.begin()?;
    change.rely_on_policy(policy.digest());
    change.commit(Entry {
        at: clock.now(),
        act: Act::Alteration,
        by: owner.clone(),
        to: String::new(),
        why: "policy".to_owned(),
        subject: "the published policy".to_owned(),
        digest: policy.digest(),
    })
}

fn read(path: &std::path::Path) -> Result<String, Invalid> {
    fs::read_to_string(path).map_err(|error| wrong(&path.display().to_string(), error.to_string()))
}

fn wrong(field: &str, detail: String) -> Invalid {
    Invalid::new(Reason::FieldInvalid, field, detail)
}
