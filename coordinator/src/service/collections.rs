//! Where members stand in a collection, as a stream: whoever watches is told of every change, and never of the same twice.

use std::{pin::Pin, sync::Arc};

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    limits::COLLECTION_STATES_WAITING_MAX,
    reason::{Invalid, Reason},
    wire::region as wire,
};
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::Status;

use crate::{
    collection::{Collection, Slot},
    survey::Coordinator,
};

type States = Pin<Box<dyn Stream<Item = Result<wire::WatchCollectionResponse, Status>> + Send>>;

/// Where it stands now, and with `follow` whenever that changes, until it ends.
pub(super) fn states(
    coordinator: Arc<Coordinator>,
    id: RequirementId,
    follow: bool,
) -> Result<States, Invalid> {
    let mut changes = coordinator.collections.watch();
    let first = find(&coordinator, id)?;
    let (to, states) = mpsc::channel(COLLECTION_STATES_WAITING_MAX);
    tokio::spawn(async move {
        let mut last = to_wire(&first);
        let mut goes_on = follow && first.end.is_none();
        if to.send(Ok(last.clone())).await.is_err() {
            return;
        }
        while goes_on {
            // Whoever has hung up is not told any more.
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = to.closed() => return,
            }
            let state = find(&coordinator, id).map_err(Status::from);
            let Ok(state) = state.map(|collection| to_wire(&collection)) else { return };
            goes_on = state.end.is_empty();
            if state != last && to.send(Ok(state.clone())).await.is_err() {
                return;
            }
            last = state;
        }
    });
    Ok(Box::pin(ReceiverStream::new(states)))
}

fn find(coordinator: &Coordinator, id: RequirementId) -> Result<Collection, Invalid> {
    coordinator.archive.collection(id)?.ok_or_else(|| {
        let detail = format!("nobody has gathered {id} yet");
        Invalid::new(Reason::NotFound, "requirement", detail)
    })
}

fn to_wire(collection: &Collection) -> wire::WatchCollectionResponse {
    let goes_on = collection.end.is_none();
    let member = |(node, slot): (&Name, &Slot)| wire::CollectionMember {
        node: node.to_string(),
        jurisdiction: slot.jurisdiction.to_string(),
        answered: slot.answered,
        reason: slot.reason.clone(),
        tries: slot.tries,
        last_contact_s: slot.last_contact.map_or(0, Timestamp::as_s),
        next_s: if goes_on && !slot.answered { slot.next.as_s() } else { 0 },
    };
    wire::WatchCollectionResponse {
        begun_at_s: collection.begun_at.as_s(),
        end: collection.end.map_or_else(String::new, |end| end.as_str().to_owned()),
        members: collection.slots.iter().map(member).collect(),
    }
}
