//! A collection from the command line: parse, call, print.

use std::collections::BTreeMap;

use accord_proto::{
    client::within,
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT},
    operate::maintenance::Announced,
    reason::{Invalid, Reason},
    wire::region as wire,
};
use serde_json::{Value, json};

use super::{connect, day, failed, print, progress::Progress};
use crate::cli::{Client, Outcome};

/// Where every member stands; with `follow` until the collection ends. Exit code 3 unless it is complete.
pub(crate) async fn watch(
    client: &Client,
    requirement: String,
    follow: bool,
) -> Result<Outcome, Invalid> {
    let (mut last, mut away) = (None, Announced::default());
    let progress = follow.then(Progress::begin);
    loop {
        let request = wire::WatchCollectionRequest { requirement: requirement.clone(), follow };
        let time = if follow { LONG_CALL_TIMEOUT } else { CALL_TIMEOUT };
        let states = connect(client).await?.watch_collection(within(time, request)).await;
        let mut states = states.map_err(failed)?.into_inner();
        loop {
            match states.message().await.map_err(failed) {
                Ok(Some(state)) => {
                    if state.members.iter().any(is_in_maintenance) {
                        away = Announced::look(&client.client).await?;
                    }
                    tell(progress.as_ref(), last.as_ref(), (&state, &away));
                    last = Some(state);
                }
                Ok(None) => break,
                // A call does not last as long as a window of days.
                Err(error) if follow && error.reason == Reason::DeadlineExceeded => break,
                Err(error) => return Err(error),
            }
        }
        if let Some(state) = last.as_ref().filter(|state| !follow || !state.end.is_empty()) {
            drop(progress);
            return Ok(printed(client, (state, &away)));
        }
    }
}

/// How far it is, and what has changed since, a line each.
fn tell(
    progress: Option<&Progress>,
    before: Option<&wire::WatchCollectionResponse>,
    (now, away): (&wire::WatchCollectionResponse, &Announced),
) {
    let Some(progress) = progress else { return };
    let answered = now.members.iter().filter(|member| member.answered).count();
    progress.stands(answered, 0, Some(now.members.len()));
    let Some(before) = before else { return };
    let state = |member: &wire::CollectionMember| (member.answered, member.reason.clone());
    let stood: BTreeMap<_, _> =
        before.members.iter().map(|member| (&member.node, state(member))).collect();
    for member in &now.members {
        if stood.get(&member.node).is_none_or(|stood| *stood != state(member)) {
            progress.say(&format!("{}: {}", member.node, word(member, away)));
        }
    }
}

fn is_in_maintenance(member: &wire::CollectionMember) -> bool {
    !member.answered && member.reason == Reason::Maintenance.code()
}

fn word(member: &wire::CollectionMember, away: &Announced) -> String {
    match (member.answered, member.reason.as_str()) {
        (true, _) => "answered".to_owned(),
        (false, "") => "not asked yet".to_owned(),
        (false, _) if is_in_maintenance(member) => in_maintenance(member, away),
        (false, reason) => reason.to_owned(),
    }
}

/// Until when, as far as it has said so since the coordinator was started.
fn in_maintenance(member: &wire::CollectionMember, away: &Announced) -> String {
    match away.peers.get(&member.node) {
        Some(until) => format!("in maintenance until {until}"),
        None => "in maintenance".to_owned(),
    }
}

fn printed(
    client: &Client,
    (state, away): (&wire::WatchCollectionResponse, &Announced),
) -> Outcome {
    let moment = |at_s: i64| if at_s == 0 { String::new() } else { day(at_s) };
    let row = |member: &wire::CollectionMember| {
        json!({
            "node": member.node,
            "jurisdiction": member.jurisdiction,
            "state": if member.answered { "answered" } else { "waiting" },
            "reason": member.reason,
            "tries": member.tries,
            "last_contact": moment(member.last_contact_s),
            "asked_again": moment(member.next_s),
        })
    };
    let rows = Value::Array(state.members.iter().map(row).collect());
    let answered = state.members.iter().filter(|member| member.answered).count();
    let waited_for = state.members.iter().filter(|member| is_in_maintenance(member));
    let waited_for =
        waited_for.map(|member| format!("{}: {}", member.node, in_maintenance(member, away)));
    let (all, begun) = (state.members.len(), day(state.begun_at_s));
    let end = if state.end.is_empty() { "goes on" } else { &state.end };
    Outcome {
        data: print::rows(client.format, &rows),
        remarks: std::iter::once(format!(
            "begun {begun}, {answered} of {all} have answered: {end}"
        ))
        .chain(waited_for)
        .collect(),
        partial: state.end != "complete",
        ..Outcome::default()
    }
}
