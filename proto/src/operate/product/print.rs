//! Products for people and programs. Comes in: what the service says, and a product that it gave. Goes out: rows and lines. Must
//! never print an outcome without the reservations and dissents that belong to it.

use serde_json::{Value, json};

use super::{Of, call::Products};
use crate::{
    client::ClientFile,
    clock::{Clock as _, SystemClock, Timestamp},
    operate::cli::{Client, Outcome},
    print,
    product::{Course, Dossier, Kind, Remark, Speaker, Stand, Word, difference::Line},
    reason::Invalid,
    taxonomy::Lists,
    wire::product as wire,
};

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn rows(client: &Client, rows: &Value) -> Outcome {
    Outcome { data: print::rows(client.format, rows), ..Outcome::default() }
}

/// Where a product stands.
pub(super) fn entry(client: &Client, entry: &wire::Entry) -> Outcome {
    rows(client, &row(entry))
}

fn day(seconds: i64) -> String {
    match seconds {
        0 => String::new(),
        seconds => Timestamp::near(seconds).to_string(),
    }
}

/// Nobody relies on what was valid once without being told.
fn valid_until(seconds: i64) -> String {
    let over = seconds != 0 && SystemClock.now().as_s() > seconds;
    day(seconds) + if over { " (over)" } else { "" }
}

fn row(entry: &wire::Entry) -> Value {
    let kind = Kind::from_wire("kind", entry.kind).map_or("", Kind::as_str);
    json!({
        "product": entry.product,
        "kind": kind,
        "title": entry.title,
        "owner": entry.owner,
        "state": entry.state,
        "valid_until": valid_until(entry.valid_until_s),
        "round": entry.round,
        "closes_at": day(entry.closes_at_s),
        "unresolved": entry.unresolved,
        "steps": entry.steps,
        "last_step_at": day(entry.at_s),
        "text": hex(&entry.content_sha256),
    })
}

/// A product that the service gave, which is believed: its own signatures are checked all the same.
pub(super) fn unverified(file: &[u8], lists: &Lists) -> Result<Course, Invalid> {
    Ok(Dossier::believed(file, lists)?.course().clone())
}

pub(super) async fn list(client: &Client) -> Result<Outcome, Invalid> {
    let lines = Products::connect(&client.client).await?.list().await?;
    let short = |entry: &wire::Entry| {
        let Value::Object(mut row) = row(entry) else { return Value::Null };
        for long in ["text", "steps", "unresolved"] {
            row.remove(long);
        }
        Value::Object(row)
    };
    Ok(rows(client, &lines.iter().map(short).collect()))
}

/// How a jurisdiction stands, in words.
pub(super) fn stands(stand: &Stand) -> Value {
    let position = match (stand.position, stand.by_silence) {
        (Some(position), _) => position.in_words(),
        (None, true) => "endorses by silence, as agreed",
        (None, false) if !stand.not_reached.is_empty() => "could not be asked",
        (None, false) => "says nothing",
    };
    let words = stand.said.iter().filter(|(_, _, text)| !text.is_empty());
    let words = words.map(|(node, _, text)| format!("{node}: {text}"));
    json!({
        "jurisdiction": stand.jurisdiction.to_string(),
        "position": position,
        "words": words.collect::<Vec<_>>().join("\n"),
    })
}

pub(super) async fn show(of: &Of) -> Result<Outcome, Invalid> {
    let client = &of.client;
    let lists = ClientFile::lists(&client.client)?;
    let mut products = Products::connect(&client.client).await?;
    let shown = products.show(&of.product).await?;
    let mut about = row(&shown.entry.clone().unwrap_or_default());
    let file = products.get(&of.product).await?;
    let course = unverified(&file, lists)?;
    about["rule"] = json!(course.content.rule.in_words());
    let endorsed = course.endorsed.as_ref();
    about["positions"] = json!(endorsed.map(|of| of.stands.iter().map(stands).collect::<Vec<_>>()));
    let holder = |holder: &wire::Holder| json!({"node": holder.node, "steps": holder.steps, "misses_words": holder.left_out, "reason": holder.reason});
    about["holders"] = shown.holders.iter().map(holder).collect();
    let waiting = shown.waiting.iter().map(|envelope| {
        let word = Word::unchecked(envelope, lists)?;
        Ok(json!({"node": word.node.to_string(), "says": word.said.kind(), "at": word.at.to_string()}))
    });
    about["waiting"] = Value::Array(waiting.collect::<Result<_, Invalid>>()?);
    about["guests_waiting"] = json!(shown.guests.len());
    let left_out: Vec<_> = shown.left_out_sha256.iter().map(|digest| hex(digest)).collect();
    let mut outcome = Outcome::default();
    if !left_out.is_empty() {
        let remark = "WARNING: words of this node that belong into the product were left out of it";
        outcome.remarks.push(format!("{remark}: {}", left_out.join(", ")));
    }
    if !shown.contradicted_by_sha256.is_empty() {
        let second = hex(&shown.contradicted_by_sha256);
        outcome.remarks.push(format!(
            "WARNING: another chain of this product was delivered, and refused; its owner has signed \
             both. `product export --second` writes it. It parts in the step {second}"
        ));
    }
    about["left_out"] = json!(left_out);
    outcome.data = match client.format {
        print::Format::Table => in_lines(&about),
        print::Format::Json | print::Format::Jsonl | print::Format::Csv => {
            print::rows(client.format, &about)
        }
    };
    Ok(outcome)
}

/// Tables below each other.
fn in_lines(about: &Value) -> String {
    let mut short = about.clone();
    let mut text = String::new();
    for (name, heading) in [
        ("positions", "How they stand"),
        ("holders", "Who holds it"),
        ("waiting", "What waits for a step"),
    ] {
        let rows = short.as_object_mut().and_then(|row| row.remove(name)).unwrap_or_default();
        if rows.as_array().is_some_and(|rows| !rows.is_empty()) {
            text += &format!("\n\n{heading}\n{}", print::rows(print::Format::Table, &rows));
        }
    }
    print::rows(print::Format::Table, &short) + &text
}

pub(super) async fn comments(of: &Of) -> Result<Outcome, Invalid> {
    let client = &of.client;
    let lists = ClientFile::lists(&client.client)?;
    let file = Products::connect(&client.client).await?.get(&of.product).await?;
    let course = unverified(&file, lists)?;
    Ok(rows(client, &course.remarks.iter().map(remark).collect()))
}

fn remark(remark: &Remark) -> Value {
    let by = match &remark.speaker {
        Speaker::Member(node, jurisdiction) => format!("{node} ({jurisdiction})"),
        Speaker::Unattributed => "not attributed".to_owned(),
        Speaker::Reader(reader) => format!("{reader} (observer)"),
    };
    let decided = remark.resolution.as_ref();
    json!({
        "comment": remark.digest.to_string()[..12],
        "round": remark.comment.round,
        "by": by,
        "section": remark.comment.section,
        "place": remark.comment.place.map(|place| place.to_string()),
        "language": remark.comment.language,
        "text": remark.comment.text,
        "decision": decided.map(|(decision, _)| decision.as_str()),
        "because": decided.map(|(_, text)| text),
    })
}

pub(super) async fn changes(of: &Of) -> Result<Outcome, Invalid> {
    let client = &of.client;
    let lists = ClientFile::lists(&client.client)?;
    let file = Products::connect(&client.client).await?.get(&of.product).await?;
    let course = unverified(&file, lists)?;
    let changes = course.changes();
    let first = changes.is_none().then(|| "nobody has seen another text before".to_owned());
    let lines = changes.unwrap_or_default();
    let data = match client.format {
        print::Format::Table => lines.iter().map(in_words).collect::<Vec<_>>().join("\n"),
        print::Format::Json | print::Format::Jsonl | print::Format::Csv => {
            let row = |line: &Line| {
                let (what, text) = parts(line);
                json!({"change": what, "text": text})
            };
            print::rows(client.format, &lines.iter().map(row).collect())
        }
    };
    Ok(Outcome { data, remarks: first.into_iter().collect(), ..Outcome::default() })
}

fn parts(line: &Line) -> (&'static str, &str) {
    match line {
        Line::Section(name, change) => (change.as_str(), name),
        Line::Gone(text) => ("-", text),
        Line::New(text) => ("+", text),
        Line::Same(text) => ("", text),
    }
}

fn in_words(line: &Line) -> String {
    match line {
        Line::Section(name, change) => format!("section {name}: {}", change.as_str()),
        Line::Gone(text) => format!("  - {text}"),
        Line::New(text) => format!("  + {text}"),
        Line::Same(text) => format!("    {text}"),
    }
}
