//! A collection from the command line: parse, call, print.

use std::collections::BTreeMap;

use accord_proto::{
    client::within,
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT},
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
    let mut last = None;
    let progress = follow.then(Progress::begin);
    loop {
        let request = wire::WatchCollectionRequest { requirement: requirement.clone(), follow };
        let time = if follow { LONG_CALL_TIMEOUT } else { CALL_TIMEOUT };
        let states = connect(client).await?.watch_collection(within(time, request)).await;
        let mut states = states.map_err(failed)?.into_inner();
        loop {
            match states.message().await.map_err(failed) {
                Ok(Some(state)) => {
                    tell(progress.as_ref(), last.as_ref(), &state);
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
            return Ok(printed(client, state));
        }
    }
}

/// How far it is, and what has changed since, a line each.
fn tell(
    progress: Option<&Progress>,
    before: Option<&wire::WatchCollectionResponse>,
    now: &wire::WatchCollectionResponse,
) {
    let Some(progress) = progress else { return };
    let answered = now.members.iter().filter(|member| member.answered).count();
    progress.stands(answered, 0, Some(now.members.len()));
    let Some(before) = before else { return };
    let stood: BTreeMap<_, _> =
        before.members.iter().map(|member| (&member.node, word(member))).collect();
    for member in &now.members {
        if stood.get(&member.node).is_none_or(|stood| *stood != word(member)) {
            progress.say(&format!("{}: {}", member.node, word(member)));
        }
    }
}

fn word(member: &wire::CollectionMember) -> String {
    match (member.answered, member.tries) {
        (true, _) => "answered".to_owned(),
        (false, 0) => "not asked yet".to_owned(),
        (false, _) => member.reason.clone(),
    }
}

fn printed(client: &Client, state: &wire::WatchCollectionResponse) -> Outcome {
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
    let (all, begun) = (state.members.len(), day(state.begun_at_s));
    let end = if state.end.is_empty() { "goes on" } else { &state.end };
    Outcome {
        data: print::rows(client.format, &rows),
        remarks: vec![format!("begun {begun}, {answered} of {all} have answered: {end}")],
        partial: state.end != "complete",
        ..Outcome::default()
    }
}
