//! Wiring: open, check, bind, serve, drain. Comes in: a config. Goes out: a running coordinator, or the
//! reason why it does not start.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use accord_proto::{
    audit::JournalService,
    clock::{Clock, SystemClock},
    identity::{Place, Role},
    limits, own_lists,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{PublicKey, SecretKey},
    strict,
    taxonomy::Lists,
    transport::{
        Credentials,
        listener::{self, Options, Services},
        read_secret,
    },
    wire::{self, journal::journal_server::JournalServer, region::region_server::RegionServer},
};
use tokio::{net::TcpListener, sync::oneshot, time::MissedTickBehavior};
use tracing::{info, warn};

use crate::{
    archive::Archive,
    collect::{self, Collections},
    config::Config,
    deliver,
    gate::GatePolicy,
    gather::Caller,
    heads::Turns,
    service::RegionService,
    standing,
    survey::Coordinator,
};

/// Serves until `shutdown` resolves.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), Invalid> {
    let credentials = Credentials::load(&config.tls)?;
    let for_staff = credentials.admitting(&config.staff_ca)?;
    let coordinator = Arc::new(open(&config, &credentials).await?);
    let listener = TcpListener::bind(&config.listen).await.map_err(|error| {
        Invalid::new(Reason::NoConnection, &config.listen, format!("cannot listen: {error}"))
    })?;
    info!(coordinator = %credentials.own().identity, region = %config.listen, "serving");
    let asking = tokio::spawn(ask_again(Arc::clone(&coordinator), config.standing_every));
    let every = config.standing_every;
    let delivering = tokio::spawn(deliver::keep_delivering(Arc::clone(&coordinator), every));

    let collecting = tokio::spawn(collect::keep_collecting(Arc::clone(&coordinator)));

    let journal = JournalServer::new(JournalService::of(Arc::clone(&coordinator)))
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let service = RegionServer::new(RegionService { coordinator })
        .max_decoding_message_size(limits::REQUEST_BYTES_MAX)
        .max_encoding_message_size(limits::REPLY_BYTES_MAX);
    let services = Services::of(service).and(journal);
    let options =
        Options { call_timeout: limits::LONG_CALL_TIMEOUT, reflection: config.reflection };
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = listener::serve_all(listener, &for_staff, services, options, async {
        // An error means that the sender is gone, and with it the wish to go on.
        let _ = stopped.await;
    });
    tokio::pin!(serving);
    let served = tokio::select! {
        ended = &mut serving => ended,
        () = shutdown => {
            info!("stopping");
            let _ = stop.send(());
            // Whoever still holds a connection open by then has had its time.
            tokio::time::timeout(limits::DRAIN_TIMEOUT, serving).await.unwrap_or(Ok(()))
        }
    };
    asking.abort();
    delivering.abort();
    collecting.abort();
    served
}

/// Asks members, at a steady pace, whether their answers still stand.
async fn ask_again(coordinator: Arc<Coordinator>, every: Duration) {
    let by = coordinator.caller.credentials.own().identity.clone();
    let mut pace = tokio::time::interval(every);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once; members may still be starting then.
    pace.tick().await;
    loop {
        pace.tick().await;
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
    let archive = Archive::open(&config.data, &own.identity, config.free_bytes_min)?;
    let (roster, signed) = roster(config, archive.roster_version()?, lists)?;
    if !roster.registers(&own.identity, &own.spki) {
        let detail = format!(
            "does not list this certificate for {}; send its key to the root",
            own.identity
        );
        return Err(wrong("roster", detail));
    }
    let centre = roster.centres.iter().find(|centre| centre.name == own.identity.name);
    if !centre.is_some_and(|centre| centre.keys.contains(&sign_key.public())) {
        return Err(wrong("roster", format!("does not list the key {}", sign_key.public().id())));
    }
    let known = archive.roster(roster.version)?.is_some();
    if roster.version > archive.roster_version()? || !known {
        let relied_on = (roster.version, &signed);
        archive.rely_on_roster(relied_on, &own.identity, SystemClock.now()).await?;
    }
    let roster = Arc::new(roster);
    Ok(Coordinator {
        caller: Caller {
            credentials: credentials.clone(),
            roster: Arc::clone(&roster),
            call_deadline: config.call_deadline,
        },
        turns: Turns::of(&roster),
        roster,
        lists,
        sign_key,
        gate,
        collections: Collections::of(archive.open_collections()?, config.retry),
        archive,
        deliveries: deliver::Deliveries::default(),
        rounds: Mutex::default(),
        clock: Arc::new(SystemClock),
    })
}

/// The roster, checked, and as it was signed.
fn roster(config: &Config, seen: u64, lists: &Lists) -> Result<(Roster, wire::Envelope), Invalid> {
    let unreadable =
        |path: &Path, error: std::io::Error| wrong(&path.display().to_string(), error.to_string());
    let root = fs::read_to_string(&config.root).map_err(|error| unreadable(&config.root, error))?;
    let bytes = fs::read(&config.roster).map_err(|error| unreadable(&config.roster, error))?;
    let envelope: wire::Envelope = strict::decode("roster", &bytes)?;
    let root = PublicKey::from_hex("roster.root", &root)?;
    let roster = Roster::open(&envelope, &root, lists, seen, SystemClock.now())?;
    Ok((roster, envelope))
}

fn wrong(field: &str, detail: String) -> Invalid {
    Invalid::new(Reason::FieldInvalid, field, detail)
}
