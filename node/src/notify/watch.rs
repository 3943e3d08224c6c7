//! What comes near its end. Comes in: the inbox, the grants, products, and since when somebody last looked. Goes out: notices, each once. Reads the
//! store and never writes it: all that is remembered stands in a file beside the store: a moment up to which everything was told, and what was there then that ends.
//! A crash between telling and remembering tells again; nothing is left out, however long the node was down.

use std::{collections::BTreeSet, path::Path, sync::PoisonError};

use accord_proto::{
    clock::Timestamp,
    expiry::Ending,
    limits::NOTICES_EVERY,
    product::{Said, Word, harvest::Waiting},
    reason::{Invalid, Reason},
};
use tracing::warn;

use super::{Kind, Notice, Warnings};
use crate::{
    answer::Node,
    consent::Grant,
    inbox::{Item, State},
    products,
};

/// Name of the file in the data folder.
const FILE: &str = "notified";

/// Looks again and again, for ever.
pub async fn watch(node: &Node, data: &Path, warnings: Warnings) {
    let file = data.join(FILE);
    let mut every = tokio::time::interval(NOTICES_EVERY);
    loop {
        every.tick().await;
        let looked = accord_proto::busy::here(|| look(node, &file, warnings));
        if let Err(error) = looked {
            warn!(%error, "cannot look for deadlines");
        }
    }
}

fn look(node: &Node, file: &Path, warnings: Warnings) -> Result<(), Invalid> {
    let now = node.clock.now();
    let items = node.store.inbox(node.lists)?;
    let Told { since, seen } = told(file);
    let notices = {
        let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
        due(&items, &held.grants, warnings, (since, now))
    };
    let endings = node.endings.get();
    let ending = ending(&endings, &seen, (since, now));
    let products = products(node, warnings, (since, now))?;
    let all = notices.into_iter().chain(ending).chain(products);
    all.for_each(|notice| node.notices.tell(notice));
    remember(file, now, &endings)
}

/// What has come near its end after `since`, and by `now`.
pub(super) fn due(
    items: &[Item],
    grants: &[Grant],
    warnings: Warnings,
    (since, now): (Timestamp, Timestamp),
) -> Vec<Notice> {
    let news = |begun: Timestamp, end: Timestamp, warning_s: i64| {
        // Something that came when its end was near already is near from then on.
        let near = end.plus_s(-warning_s).max(begun);
        since < near && near <= now && now < end
    };
    let of_item = |item: &&Item| {
        let undecided = match item.state(now) {
            State::Received
            | State::Awaiting
            | State::Deferred(_)
            | State::Accepted
            | State::Proposed(_) => true,
            State::Released(_)
            | State::Answered
            | State::Declined { .. }
            | State::Expired
            | State::Withdrawn => false,
        };
        undecided && news(item.received_at(), item.asked().closes_at, warnings.deadline_s)
    };
    let items = items.iter().filter(of_item);
    let items = items.map(|item| Notice::of(Kind::DeadlineNear, item.asked()));
    let ending = |grant: &&Grant| {
        let begun = grant.id().minted_at();
        // A grant may say itself how early.
        let own_s = i64::from(grant.newest().terms.warn_days) * 86_400;
        let warning_s = if own_s > 0 { own_s } else { warnings.grant_s };
        grant.in_force(now) && news(begun, grant.newest().terms.until, warning_s)
    };
    let grants = grants.iter().filter(ending).map(|grant| Notice {
        kind: Kind::GrantEnding,
        subject: grant.id().to_string(),
        authority: String::new(),
        purpose: grant.to_raw().purpose,
        deadline: grant.newest().terms.until,
    });
    items.chain(grants).collect()
}

/// Products of which a round or an endorsement ends soon, and this node has said nothing of this text.
fn products(
    node: &Node,
    warnings: Warnings,
    (since, now): (Timestamp, Timestamp),
) -> Result<Vec<Notice>, Invalid> {
    let mut notices = Vec::new();
    for (id, line) in node.store.product_lines(None, usize::MAX)? {
        let entry = line.entry.unwrap_or_default();
        if entry.closes_at_s == 0 {
            continue;
        }
        let closes = Timestamp::near(entry.closes_at_s);
        let near = closes.plus_s(-warnings.deadline_s).max(Timestamp::near(entry.at_s));
        if since >= near || near > now || now >= closes {
            continue;
        }
        let words = products::own_words(node, id)?;
        // What is open is answered by a word of its kind.
        let answers = |word: &Word| match entry.state.as_str() {
            "ENDORSEMENT_OPEN" => matches!(word.said, Said::Endorsement(..)),
            _ => matches!(word.said, Said::Comment(_)),
        };
        let said = |(_, word): &Waiting| word.content.0 == *entry.content_sha256 && answers(word);
        if !words.iter().any(said) {
            notices.push(Notice::of_product(Kind::ProductNear, id.to_string(), closes));
        }
    }
    Ok(notices)
}

/// What has come to another stage before its end after `since`, and by `now`; of what was not seen then, the stage that it is in.
pub(super) fn ending(
    all: &[Ending],
    seen: &BTreeSet<String>,
    (since, now): (Timestamp, Timestamp),
) -> Vec<Notice> {
    let near = all.iter().filter(|ending| {
        let stage = ending.stage(now);
        let known = seen.contains(&line(ending));
        now < ending.ends && stage.is_some() && !(known && ending.stage(since) == stage)
    });
    let notice = |Ending { what, ends, .. }: &Ending| Notice {
        kind: Kind::Ending,
        subject: what.clone(),
        authority: String::new(),
        purpose: String::new(),
        deadline: *ends,
    };
    near.map(notice).collect()
}

/// Up to when everything was told, and what was there then that ends. Where nobody has looked before, what is near now is told.
struct Told {
    since: Timestamp,
    seen: BTreeSet<String>,
}

fn told(file: &Path) -> Told {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut lines = text.lines();
    let since = lines.next().and_then(|line| Timestamp::parse("notified", line.trim()).ok());
    match since {
        Some(since) => Told { since, seen: lines.map(str::to_owned).collect() },
        None => Told { since: Timestamp::EARLIEST, seen: BTreeSet::new() },
    }
}

/// Something that ends, as it is remembered.
pub(super) fn line(Ending { what, ends, .. }: &Ending) -> String {
    format!("{ends} {}", what.replace('\n', " "))
}

/// One write and a rename: a torn one would tell everything again.
fn remember(file: &Path, now: Timestamp, endings: &[Ending]) -> Result<(), Invalid> {
    let new = file.with_extension("new");
    let seen: String = endings.iter().map(|ending| line(ending) + "\n").collect();
    let written = std::fs::write(&new, format!("{now}\n{seen}"));
    written.and_then(|()| std::fs::rename(&new, file)).map_err(|error| {
        Invalid::new(Reason::StoreFailed, file.display().to_string(), error.to_string())
    })
}
