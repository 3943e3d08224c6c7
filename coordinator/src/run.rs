//! Wiring: open, check, bind, serve, drain. Comes in: a config. Goes out: a running coordinator, or the
//! reason why it does not start.

use std::{fs, path::Path, sync::Arc, time::Duration};

use accord_proto::{
    at_rest::Keys,
    audit::JournalService,
    clock::{Clock as _, SystemClock, SystemEntropy},
    current::Current,
    identity::{Name, Place, Role},
    limits,
    operate::{health, measures::Tally, supervise},
    own_lists,
    protocol::Speaks,
    reason::{Invalid, Reason},
    seal::{PublicKey, SecretKey},
    transport::{
        Credentials,
        dialled::{self, Dialled},
        heard::Peers,
        listener::{self, Options, Services},
        pinned::{Files, endings, keep_renewing},
        read_secret,
        renewal::Looks,
    },
    upkeep::MaintenanceService,
    wire::{
        journal::journal_server::JournalServer,
        maintenance::maintenance_server::MaintenanceServer,
        product::products_server::ProductsServer,
        region::{rankings_server::RankingsServer, region_server::RegionServer},
    },
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet, time::MissedTickBehavior};
use tracing::{info, warn};

use crate::{
    archive::{Archive, Opener},
    circulate,
    collect::{self, Collections},
    config::Config,
    deliver,
    gate::GatePolicy,
    gather::Caller,
    heads::Turns,
    look,
    pinned::{self, Pinned},
    rounds::Rounds,
    service::{RegionService, products::ProductsService, rankings::RankingsService},
    standing,
    survey::Coordinator,
    vitals::Vitals,
};

/// Serves until `shutdown` resolves.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), Invalid> {
    let credentials = Credentials::load(&config.tls)?;
    let for_staff = credentials.admitting(&config.staff_ca, config.staff_crl.as_deref())?;
    let looks = Looks::begin()?;
    let coordinator = Arc::new(open(&config, &credentials).await?);
    let ends = endings(&coordinator.roster(), &[&credentials, &for_staff]);
    coordinator.endings.replace(ends);
    let listener = bind(&config.listen).await?;
    // Held until the end: whoever has dialled in is let go with it.
    let tally = Tally::default();
    let dialled = admit(&config, (&credentials, &tally), &coordinator).await?;
    let vitals = Vitals { coordinator: Arc::clone(&coordinator), tally: tally.clone() };
    // Held until the end.
    let _watched = health::watch(config.ops, vitals).await?;
    info!(coordinator = %credentials.own().identity, region = %config.listen, "serving");
    let asking = tokio::spawn(ask_again(Arc::clone(&coordinator), config.standing_every));
    let every = config.standing_every;
    let delivering = tokio::spawn(deliver::keep_delivering(Arc::clone(&coordinator), every));

    let circulating = tokio::spawn(circulate::keep_circulating(Arc::clone(&coordinator), every));
    let collecting = tokio::spawn(collect::keep_collecting(Arc::clone(&coordinator)));

    let both = (credentials.clone(), for_staff.clone());
    let files = Files::of(&config.roster, ("signing key", &config.sign_key));
    let renewing = keep_renewing(Arc::clone(&coordinator), both, looks, files);
    let renewing = tokio::spawn(renewing);

    let clock = Arc::clone(&coordinator.clock);
    let services = for_staff_of(coordinator);
    let call_timeout = limits::LONG_CALL_TIMEOUT;
    let (reflection, counted) = (config.reflection, ("region", tally));
    let options = Options { call_timeout, reflection, clock, speaks: Speaks::OURS, counted };
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = listener::serve_all(listener, &for_staff, services, options, async {
        // An error means that the sender is gone, and with it the wish to go on.
        let _ = stopped.await;
    });
    tokio::pin!(serving);
    let alive = tokio::spawn(supervise::keep_alive());
    supervise::ready();
    let served = tokio::select! {
        ended = &mut serving => ended,
        () = shutdown => {
            info!("stopping");
            supervise::stopping();
            let _ = stop.send(());
            // Whoever still holds a connection open by then has had its time.
            tokio::time::timeout(limits::DRAIN_TIMEOUT, serving).await.unwrap_or(Ok(()))
        }
    };
    alive.abort();
    drop(dialled);
    asking.abort();
    delivering.abort();
    circulating.abort();
    collecting.abort();
    renewing.abort();
    served
}

/// What regional staff may call.
fn for_staff_of(coordinator: Arc<Coordinator>) -> Services {
    let journal = JournalServer::new(JournalService::of(Arc::clone(&coordinator)))
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let rankings = RankingsService { coordinator: Arc::clone(&coordinator) };
    let rankings = RankingsServer::new(rankings)
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let products = ProductsServer::new(ProductsService { coordinator: Arc::clone(&coordinator) })
        .max_decoding_message_size(limits::PRODUCT_REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let maintenance = MaintenanceServer::new(MaintenanceService::of(Arc::clone(&coordinator)));
    let region = RegionServer::new(RegionService::of(coordinator))
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    Services::of(region).and(journal).and(rankings).and(products).and(maintenance)
}

async fn bind(listen: &str) -> Result<TcpListener, Invalid> {
    TcpListener::bind(listen).await.map_err(|error| {
        Invalid::new(Reason::NoConnection, listen, format!("cannot listen: {error}"))
    })
}

/// Lets members connect that nobody can call.
async fn admit(
    config: &Config,
    (credentials, tally): (&Credentials, &Tally),
    coordinator: &Arc<Coordinator>,
) -> Result<JoinSet<()>, Invalid> {
    let Some(listen) = &config.dial else {
        for member in coordinator.roster().members.iter().filter(|member| member.dials_in()) {
            warn!(node = %member.node, "dials in, says the roster, and cannot: dial.listen is not set");
        }
        return Ok(JoinSet::new());
    };
    let (hears, knows) = (Arc::clone(coordinator), Arc::clone(coordinator));
    let came = move |node: &Name| {
        hears.circulation.poke();
        hears.collections.came(node, hears.clock.now());
    };
    let listener = bind(listen).await?;
    info!(listen, "members may dial in");
    let dialled = coordinator.caller.dialled.clone();
    let by = (credentials, ("dial", tally.clone()));
    Ok(dialled::admit(listener, by, move || knows.roster(), dialled, came))
}

/// Looks at members, and asks them whether their answers still stand, at a steady pace.
async fn ask_again(coordinator: Arc<Coordinator>, every: Duration) {
    let by = coordinator.caller.credentials.own().identity.clone();
    let mut pace = tokio::time::interval(every);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once; members may still be starting then.
    pace.tick().await;
    loop {
        pace.tick().await;
        look::round(&coordinator).await;
        if coordinator.caller.peers.own_maintenance().is_some() {
            continue;
        }
        if let Err(error) = standing::ask(&coordinator, &by).await {
            warn!(%error, "cannot ask whether answers stand");
        }
    }
}

/// Opens archive, keys and roster, and makes sure that they belong together.
pub async fn open(config: &Config, credentials: &Credentials) -> Result<Coordinator, Invalid> {
    let lists = own_lists::load(config.lists.as_deref())?;
    let own = credentials.own();
    if own.identity.role != Role::Coordinator || own.identity.place != Place::Region {
        return Err(wrong("tls.certificate", format!("{} is not a coordinator", own.identity)));
    }
    let sign_key = SecretKey::from_pem("sign.key", &read_secret(&config.sign_key)?)?;
    let gate = match &config.gate {
        Some(path) => GatePolicy::parse(&read_secret(path)?)?,
        None => GatePolicy::default(),
    };
    let archive = Archive::open_by(Opener {
        path: &config.data,
        owner: &own.identity,
        free_bytes_min: config.free_bytes_min,
        keys: &Keys::load(config.store_key.as_deref())?,
        entropy: &SystemEntropy,
    })?;
    let root = String::from_utf8_lossy(&read(&config.root)?).into_owned();
    let keys = (PublicKey::from_hex("roster.root", &root)?, Arc::new(sign_key));
    let known = (lists, archive.roster_version()?, SystemClock.now());
    if archive.in_doubt()? {
        warn!("restored: only public figures are shown until the custodian runs confirm-restore");
    }
    let pinned = Pinned::read(&read(&config.roster)?, keys, &own, known)?;
    pinned::rely_on(&pinned, &own, &archive, &SystemClock).await?;
    let peers = Peers::new(Arc::new(SystemClock));
    peers.announce(archive.maintenance()?);
    Ok(Coordinator {
        caller: Caller {
            credentials: credentials.clone(),
            listening: Arc::new(credentials.clone()),
            roster: Arc::clone(&pinned.roster),
            dialled: Dialled::default(),
            peers,
            call_deadline: config.call_deadline,
        },
        turns: Turns::default(),
        pinned: Current::of(pinned),
        endings: Current::of(Vec::new()),
        untaken: Current::of(Default::default()),
        lists,
        gate,
        collections: Collections::of(archive.open_collections()?, config.retry),
        archive,
        deliveries: deliver::Deliveries::default(),
        circulation: Default::default(),
        rounds: Rounds::default(),
        clock: Arc::new(SystemClock),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Invalid> {
    fs::read(path).map_err(|error| wrong(&path.display().to_string(), error.to_string()))
}

fn wrong(field: &str, detail: String) -> Invalid {
    Invalid::new(Reason::FieldInvalid, field, detail)
}
