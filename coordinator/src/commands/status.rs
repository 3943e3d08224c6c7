//! `accord-coordinator status`: one look at the whole. Comes in: what Region says of its members. Goes out: who can be reached, whose
//! clock is off, what comes to its end.

use accord_proto::{
    client::within, limits::LONG_CALL_TIMEOUT, operate::maintenance::Announced, print,
    reason::Invalid, wire::region as wire,
};
use serde_json::json;

use super::{connect, day, failed};
use crate::cli::{Client, Outcome};

/// Asks every member, and says how things stand; done in part where one cannot be reached.
pub(crate) async fn status(client: &Client) -> Result<Outcome, Invalid> {
    let request = within(LONG_CALL_TIMEOUT, wire::ListMembersRequest { describe: true });
    let reply = connect(client).await?.list_members(request).await.map_err(failed)?.into_inner();
    let away: Vec<_> =
        reply.members.iter().filter(|member| !member.unreachable.is_empty()).collect();
    let announced = Announced::look(&client.client).await?;
    let said = |member: &&wire::MemberEntry| match announced.peers.get(&member.node) {
        Some(until) => format!("{} (in maintenance until {until})", member.node),
        None => format!("{} ({})", member.node, member.unreachable),
    };
    let clock = |member: &wire::MemberEntry| {
        let offset = member.clock_offset_ms?;
        Some(format!("{} {}", member.node, print::clock(Some(offset))))
    };
    let ends = |ending: &wire::Ending| format!("{} {}", day(ending.ends_at_s), ending.what);
    let data = json!({
        "members": reply.members.len(),
        "reached": reply.members.len() - away.len(),
        "unreachable": away.iter().map(said).collect::<Vec<_>>(),
        "clocks": reply.members.iter().filter_map(clock).collect::<Vec<_>>(),
        "in_doubt": reply.in_doubt,
        "maintenance_until": announced.until,
        "not_taken_in": announced.untaken,
        "endings": reply.endings.iter().map(ends).collect::<Vec<_>>(),
    });
    let data = print::rows(client.format, &data);
    Ok(Outcome {
        data,
        remarks: announced.remarks(),
        partial: !away.is_empty(),
        ..Outcome::default()
    })
}
