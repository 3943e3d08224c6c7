//! Commands about consent. Comes in: arguments. Goes out: what the desk says of it.

use accord_proto::{
    client::within,
    clock::{SystemClock, SystemEntropy, Timestamp},
    id::GrantId,
    limits::{CALL_TIMEOUT, PAGE_SIZE_MAX},
    reason::Invalid,
    wire::desk as wire,
};
use serde_json::{Map, Value, json};

use super::{connect, done, failed};
use crate::cli::{
    Client, Outcome,
    grant::{Command, Less, Terms},
};

/// Runs one of the commands.
pub(crate) async fn run(command: Command) -> Result<Outcome, Invalid> {
    match command {
        Command::Give { terms, client } => give(&client, *terms).await,
        Command::List { client } => list(&client).await,
        Command::Show { grant, client } => show(&client, grant).await,
        Command::Narrow { grant, less, client } => narrow(&client, grant, *less).await,
        Command::Suspend { grant, client } => {
            let request = within(CALL_TIMEOUT, wire::SuspendGrantRequest { grant: grant.clone() });
            let reply = connect(&client).await?.suspend_grant(request).await.map_err(failed)?;
            Ok(changed(&client, "suspended", &grant, reply.into_inner().consent_epoch))
        }
        Command::Resume { grant, client } => {
            let request = within(CALL_TIMEOUT, wire::ResumeGrantRequest { grant: grant.clone() });
            let reply = connect(&client).await?.resume_grant(request).await.map_err(failed)?;
            Ok(changed(&client, "resumed", &grant, reply.into_inner().consent_epoch))
        }
        Command::Withdraw { grant, client } => {
            let request = within(CALL_TIMEOUT, wire::WithdrawGrantRequest { grant: grant.clone() });
            let reply = connect(&client).await?.withdraw_grant(request).await.map_err(failed)?;
            Ok(changed(&client, "withdrawn", &grant, reply.into_inner().consent_epoch))
        }
    }
}

fn changed(client: &Client, what: &str, grant: &str, consent_epoch: u64) -> Outcome {
    let mut said = Map::new();
    said.insert(what.to_owned(), json!(grant));
    said.insert("consent_epoch".to_owned(), json!(consent_epoch));
    done(client, &Value::Object(said))
}

async fn give(client: &Client, terms: Terms) -> Result<Outcome, Invalid> {
    let id = match &terms.id {
        Some(id) => GrantId::parse("--id", id)?,
        None => GrantId::mint(&SystemClock, &SystemEntropy)?,
    };
    let permits = terms.effect == "permit";
    let or = |given: Option<String>, usual: &str| match given {
        Some(given) => given,
        None if permits => usual.to_owned(),
        None => String::new(),
    };
    let levels = terms.region_level;
    let request = wire::GrantRequest {
        grant: id.to_string(),
        effect: terms.effect,
        indicator: terms.indicator,
        crime_areas: terms.crime_area,
        region_levels: if levels.is_empty() && permits { vec![0] } else { levels },
        dimensions: terms.dimension,
        first_period: terms.first_period,
        last_period: terms.last_period,
        purpose: terms.purpose,
        audience: terms.audience,
        authorities: terms.authority,
        precision: or(terms.precision, "tier-a"),
        contribution: or(terms.contribution, "pooled"),
        release: or(terms.release, "automatic"),
        minimum_contributors: terms.minimum_contributors,
        not_before_s: moment("--not-before", terms.not_before.as_deref())?.unwrap_or(0),
        from_s: Timestamp::parse("--from", &terms.from)?.as_s(),
        until_s: Timestamp::parse("--until", &terms.until)?.as_s(),
        warn_days: terms.warn_days,
        conditions: terms.conditions,
        handling: terms.handling,
    };
    let reply = connect(client).await?.grant(within(CALL_TIMEOUT, request)).await;
    let consent_epoch = reply.map_err(failed)?.into_inner().consent_epoch;
    Ok(changed(client, "grant", &id.to_string(), consent_epoch))
}

fn moment(field: &str, text: Option<&str>) -> Result<Option<i64>, Invalid> {
    text.map(|text| Timestamp::parse(field, text).map(Timestamp::as_s)).transpose()
}

/// What is not named stays as it is.
async fn narrow(client: &Client, grant: String, less: Less) -> Result<Outcome, Invalid> {
    let mut desk = connect(client).await?;
    let request = within(CALL_TIMEOUT, wire::GetGrantRequest { grant: grant.clone() });
    let known = desk.get_grant(request).await.map_err(failed)?.into_inner();
    let mut terms = known.grant.and_then(|entry| entry.grant).unwrap_or_default();
    let Less {
        crime_area,
        region_level,
        dimension,
        no_dimension,
        first_period,
        last_period,
        authority,
        precision,
        contribution,
        minimum_contributors,
        release,
        not_before,
        until,
        warn_days,
        conditions,
        handling,
    } = less;
    put(&mut terms.crime_areas, crime_area);
    put(&mut terms.region_levels, region_level);
    put(&mut terms.dimensions, if no_dimension { Some(Vec::new()) } else { dimension });
    put(&mut terms.first_period, first_period);
    put(&mut terms.last_period, last_period);
    put(&mut terms.authorities, authority);
    put(&mut terms.precision, precision);
    put(&mut terms.contribution, contribution);
    put(&mut terms.minimum_contributors, minimum_contributors);
    put(&mut terms.release, release);
    put(&mut terms.not_before_s, moment("--not-before", not_before.as_deref())?);
    put(&mut terms.until_s, moment("--until", until.as_deref())?);
    put(&mut terms.warn_days, warn_days);
    put(&mut terms.conditions, conditions);
    terms.handling.extend(handling.unwrap_or_default());
    let request = within(CALL_TIMEOUT, wire::NarrowGrantRequest { grant: Some(terms) });
    let reply = desk.narrow_grant(request).await.map_err(failed)?.into_inner();
    Ok(changed(client, "narrowed", &grant, reply.consent_epoch))
}

fn put<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}

/// Every page.
async fn list(client: &Client) -> Result<Outcome, Invalid> {
    let mut desk = connect(client).await?;
    let (mut grants, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = wire::ListGrantsRequest { page_size: PAGE_SIZE_MAX, page_token };
        let page =
            desk.list_grants(within(CALL_TIMEOUT, request)).await.map_err(failed)?.into_inner();
        grants.extend(page.grants);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let ending = grants.iter().filter(|entry| entry.ends_soon);
    let ending = ending.map(|entry| {
        let id = entry.grant.as_ref().map_or("", |terms| terms.grant.as_str());
        format!("grant {id} ends in {} days", entry.days_left)
    });
    let remarks = ending.collect();
    let rows = grants.into_iter().map(|entry| Value::Object(row(entry))).collect();
    Ok(Outcome { remarks, ..done(client, &Value::Array(rows)) })
}

async fn show(client: &Client, grant: String) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetGrantRequest { grant });
    let reply = connect(client).await?.get_grant(request).await.map_err(failed)?.into_inner();
    let mut said = row(reply.grant.unwrap_or_default());
    let version = |(number, version): (usize, wire::GrantVersion)| {
        let mut line = Map::new();
        line.insert("version".to_owned(), json!(number));
        line.insert("step".to_owned(), json!(version.step));
        line.insert("at".to_owned(), json!(day(version.at_s)));
        line.insert("by".to_owned(), json!(version.by));
        line.insert("consent_epoch".to_owned(), json!(version.consent_epoch));
        line.extend(terms_of(version.grant.unwrap_or_default()));
        Value::Object(line)
    };
    let versions = (1..).zip(reply.versions).map(version).collect();
    said.insert("versions".to_owned(), Value::Array(versions));
    Ok(done(client, &Value::Object(said)))
}

fn row(entry: wire::GrantEntry) -> Map<String, Value> {
    let wire::GrantEntry { grant, withdrawn, state, version, days_left, ends_soon } = entry;
    let terms = grant.unwrap_or_default();
    let mut row = Map::new();
    row.insert("grant".to_owned(), json!(terms.grant));
    row.insert("state".to_owned(), json!(state));
    row.insert("until".to_owned(), json!(day(terms.until_s)));
    row.insert("days_left".to_owned(), json!(days_left));
    row.insert("ends_soon".to_owned(), json!(ends_soon));
    row.insert("number".to_owned(), json!(version));
    row.insert("withdrawn".to_owned(), json!(withdrawn));
    row.extend(terms_of(terms));
    row
}

fn terms_of(terms: wire::GrantRequest) -> Map<String, Value> {
    let embargo = if terms.not_before_s == 0 { String::new() } else { day(terms.not_before_s) };
    let minimum = match terms.minimum_contributors {
        0 => String::new(),
        wanted => wanted.to_string(),
    };
    let levels: Vec<_> = terms.region_levels.iter().map(ToString::to_string).collect();
    // What a rule that forbids does not name, it forbids.
    let every = |list: String| {
        if terms.effect == "forbid" && list.is_empty() { "ALL".to_owned() } else { list }
    };
    let said = [
        ("effect", terms.effect.clone()),
        ("indicator", terms.indicator),
        ("crime_areas", terms.crime_areas.join(" ")),
        ("region_levels", every(levels.join(" "))),
        ("dimensions", every(terms.dimensions.join(" "))),
        ("periods", format!("{}..{}", terms.first_period, terms.last_period)),
        ("purpose", terms.purpose),
        ("audience", terms.audience),
        ("authorities", terms.authorities.join(" ")),
        ("precision", terms.precision),
        ("contribution", terms.contribution),
        ("minimum_contributors", minimum),
        ("release", terms.release),
        ("not_before", embargo),
        ("from", day(terms.from_s)),
        ("until", day(terms.until_s)),
        ("conditions", terms.conditions),
        ("handling", terms.handling.join(" ")),
    ];
    said.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

fn day(seconds: i64) -> String {
    Timestamp::from_s("grant", seconds).map_or(String::new(), |at| at.to_string())
}
