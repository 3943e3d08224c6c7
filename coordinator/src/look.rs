//! A look at every member, at a steady pace. Comes in: the roster. Goes out: who was heard, and who is in maintenance. Must never ask
//! for anything: it hears how a member is, and members hear whether the coordinator is in maintenance.

use accord_proto::limits::GATHER_CONCURRENCY_MAX;
use futures_util::{StreamExt as _, stream};

use crate::survey::Coordinator;

/// Looks once at all of them; collections then go on with whoever is back.
pub async fn round(coordinator: &Coordinator) {
    let (caller, members) = (&coordinator.caller, coordinator.roster().members.clone());
    let looking = members.into_iter().map(|member| async move {
        // What it says is heard beside the answer; that it says nothing is seen in who was heard.
        if let Ok(mut node) = caller.connect(&member).await {
            let _ = node.describe(caller.call_deadline).await;
        }
    });
    stream::iter(looking).buffer_unordered(GATHER_CONCURRENCY_MAX).collect::<Vec<()>>().await;
    coordinator.collections.look_again();
}
