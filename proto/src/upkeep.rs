//! Maintenance over the wire: the service that both binaries offer to their own staff, and its client. Comes in: an operator's word. Goes
//! out: others refused, on record before it is acknowledged; and who has heard of it. Must never be done by anybody but an operator,
//! nor tell others who did it and why.

use std::{path::Path, sync::Arc};

use tokio::sync::Mutex;
use tonic::{Code, Request, Response, Status};
use tracing::info;

use crate::{
    audit::Keeper,
    busy,
    client::{ClientFile, within},
    clock::Timestamp,
    identity::{Name, Role},
    journal::{Act, Entry},
    limits::CALL_TIMEOUT,
    maintenance::Maintenance,
    reason::{Invalid, Reason},
    seal::Digest,
    status::from_status,
    transport::{Peer, heard::Peers, listener::caller, renewal::Untaken},
    wire::maintenance::{self as wire, maintenance_client::MaintenanceClient, maintenance_server},
};

/// Whoever may be in maintenance.
pub trait Kept: Keeper {
    /// Roles that may see whether it is.
    const SEEN_BY: &'static [Role];

    /// What is announced here, and by peers.
    fn known(&self) -> &Peers;

    /// Peers that the roster names, ascending.
    fn peers(&self) -> Vec<Name>;

    /// Now.
    fn now(&self) -> Timestamp;

    /// Puts it on record in one transaction with its entry; nothing: it is over.
    fn keep(&self, announced: Option<&Maintenance>, entry: Entry) -> Result<(), Invalid>;

    /// What was replaced and is not taken in.
    fn untaken(&self) -> Untaken;

    /// It has begun, or is over: whoever waits for that may go on.
    fn changed(self: Arc<Self>) {}
}

/// The service.
#[derive(Debug)]
pub struct MaintenanceService<K> {
    keeper: Arc<K>,
    /// What is on record and what counts are changed by one at a time.
    turn: Arc<Mutex<()>>,
}

impl<K> Clone for MaintenanceService<K> {
    fn clone(&self) -> Self {
        Self { keeper: Arc::clone(&self.keeper), turn: Arc::clone(&self.turn) }
    }
}

impl<K: Kept> MaintenanceService<K> {
    /// Of a service.
    pub fn of(keeper: Arc<K>) -> Self {
        Self { keeper, turn: Arc::default() }
    }

    /// On record, durable, and then in force.
    async fn announce(
        &self,
        by: &Peer,
        (why, subject): (String, String),
        announced: Option<Maintenance>,
    ) -> Result<(), Invalid> {
        let keeper = &self.keeper;
        let digest = Digest::of(subject.as_bytes());
        let entry = Entry {
            at: keeper.now(),
            act: Act::Alteration,
            by: by.identity.clone(),
            to: String::new(),
            why,
            subject,
            digest,
        };
        busy::here(|| keeper.keep(announced.as_ref(), entry))?;
        keeper.settled().await?;
        keeper.known().announce(announced);
        Arc::clone(keeper).changed();
        Ok(())
    }
}

#[tonic::async_trait]
impl<K: Kept> maintenance_server::Maintenance for MaintenanceService<K> {
    async fn begin(
        &self,
        request: Request<wire::BeginRequest>,
    ) -> Result<Response<wire::BeginResponse>, Status> {
        let peer = caller(&request)?;
        self.keeper.admit(&peer, &[Role::Operator])?;
        let asked = request.into_inner();
        let _turn = self.turn.lock().await;
        let now = self.keeper.now();
        let until = end(&asked, now)?;
        let announced = Maintenance::new(peer.identity.clone(), now, until, asked.why)?;
        let why = match announced.why.trim() {
            "" => "maintenance".to_owned(),
            why => format!("maintenance: {why}"),
        };
        let subject = format!("others are refused until {until}");
        self.announce(&peer, (why, subject), Some(announced)).await?;
        info!(%until, "maintenance: others are refused");
        Ok(Response::new(wire::BeginResponse { until_s: until.as_s() }))
    }

    async fn end(
        &self,
        request: Request<wire::EndRequest>,
    ) -> Result<Response<wire::EndResponse>, Status> {
        let peer = caller(&request)?;
        self.keeper.admit(&peer, &[Role::Operator])?;
        let _turn = self.turn.lock().await;
        if self.keeper.known().own_maintenance().is_none() {
            let detail = "there is none: others are served";
            return Err(Invalid::new(Reason::NotFound, "maintenance", detail).into());
        }
        let said = ("maintenance is over".to_owned(), "others are served again".to_owned());
        self.announce(&peer, said, None).await?;
        info!("maintenance is over: others are served");
        Ok(Response::new(wire::EndResponse {}))
    }

    async fn show(
        &self,
        request: Request<wire::ShowRequest>,
    ) -> Result<Response<wire::ShowResponse>, Status> {
        self.keeper.admit(&caller(&request)?, K::SEEN_BY)?;
        let known = self.keeper.known();
        let own = known.own_maintenance();
        let peer = |name: &Name| wire::Peer {
            name: name.to_string(),
            until_s: known.in_maintenance(name).map_or(0, Timestamp::as_s),
            told: own.as_ref().is_some_and(|own| known.heard_since(name, own.at)),
        };
        let peers = self.keeper.peers().iter().map(peer).collect();
        let own = own.as_ref().map(|Maintenance { by, at, until, why }| wire::Announced {
            since_s: at.as_s(),
            until_s: until.as_s(),
            by: by.to_string(),
            why: why.clone(),
        });
        let not_taken_in = self.keeper.untaken().into_iter();
        let not_taken_in =
            not_taken_in.map(|(what, reason)| format!("{what} ({reason})")).collect();
        Ok(Response::new(wire::ShowResponse { own, peers, not_taken_in }))
    }
}

/// When it is to end.
fn end(asked: &wire::BeginRequest, now: Timestamp) -> Result<Timestamp, Invalid> {
    match (asked.until_s, asked.seconds) {
        (0, 0) => Err(Invalid::new(Reason::FieldMissing, "until", "say until when, or how long")),
        (until_s, 0) => Timestamp::from_s("until", until_s),
        (0, seconds) => Ok(now.plus_s(seconds)),
        _ => Err(Invalid::new(Reason::FieldInvalid, "until", "until when, or how long: not both")),
    }
}

type Client = MaintenanceClient<crate::transport::channel::Channel>;

async fn connect(client: &Path) -> Result<Client, Invalid> {
    Ok(MaintenanceClient::new(ClientFile::connect(client).await?))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(status: Status) -> Invalid {
    from_status(&status)
}

/// Announces it as the person whose client file is given; until when it is.
pub async fn begin(client: &Path, wanted: wire::BeginRequest) -> Result<Timestamp, Invalid> {
    let reply = connect(client).await?.begin(within(CALL_TIMEOUT, wanted)).await;
    Timestamp::from_s("until", reply.map_err(failed)?.into_inner().until_s)
}

/// It is over.
pub async fn finish(client: &Path) -> Result<(), Invalid> {
    let reply = connect(client).await?.end(within(CALL_TIMEOUT, wire::EndRequest {})).await;
    reply.map(drop).map_err(failed)
}

/// What is announced. A service that is older than announcements has announced nothing.
pub async fn look(client: &Path) -> Result<wire::ShowResponse, Invalid> {
    let reply = connect(client).await?.show(within(CALL_TIMEOUT, wire::ShowRequest {})).await;
    match reply {
        Ok(shown) => Ok(shown.into_inner()),
        Err(status) if status.code() == Code::Unimplemented => Ok(wire::ShowResponse::default()),
        Err(status) => Err(from_status(&status)),
    }
}
