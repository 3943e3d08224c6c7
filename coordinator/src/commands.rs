//! Region calls from the command line: parse, call, print.

use std::path::Path;

use accord_proto::{
    client::{ClientFile, within},
    clock::{Clock as _, SystemClock, SystemEntropy, Timestamp},
    id::RequirementId,
    identity::{Federation, Name},
    limits::{CALL_TIMEOUT, LONG_CALL_TIMEOUT, PAGE_SIZE_MAX, REPLY_BYTES_MAX},
    own_lists,
    pki::{self, Plan, PlannedNode},
    print::{self, Shown},
    question::Cancellation,
    reason::{Invalid, Reason, quoted},
    seal::{Digest, SecretKey},
    status::from_status,
    strict,
    transport::{channel::Channel, read_secret},
    wire::{self as exchange, region as wire},
};
use prost::Message as _;
use serde_json::{Value, json};
use tonic::Status;

use crate::{
    cli::{Client, Development, Format, Listed, Outcome},
    requirement,
};

pub(crate) mod evidence;
pub(crate) mod export;
mod file;
mod progress;
pub(crate) mod gate;
pub(crate) mod keeping;
pub(crate) mod compare;
pub(crate) mod collection;
pub(crate) mod deliveries;
pub(crate) mod feasible;
pub(crate) mod status;
pub(crate) mod threat;
pub(crate) mod chart;
pub(crate) mod gaps;

type RegionClient = wire::region_client::RegionClient<Channel>;

async fn connect(client: &Client) -> Result<RegionClient, Invalid> {
    connect_by(&client.client).await
}

/// By a client file.
async fn connect_by(client: &Path) -> Result<RegionClient, Invalid> {
    let channel = ClientFile::connect(client).await?;
    Ok(RegionClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(status: Status) -> Invalid {
    from_status(&status)
}

/// Lists members; with `describe` also what each may be asked.
pub async fn members(client: &Client, describe: bool) -> Result<Outcome, Invalid> {
    let request = within(LONG_CALL_TIMEOUT, wire::ListMembersRequest { describe });
    let reply = connect(client).await?.list_members(request).await.map_err(failed)?.into_inner();
    let partial = reply.members.iter().any(|member| !member.unreachable.is_empty());
    let row = |member: wire::MemberEntry| {
        let wire::MemberEntry { node, jurisdiction, address, description, .. } = member;
        let mut row = json!({"node": node, "jurisdiction": jurisdiction, "address": address});
        if describe {
            let description = description.unwrap_or_default();
            let open = |term: &&exchange::Term| term.mode() == exchange::Mode::Open;
            let terms = description.terms.iter().filter(open).map(|term| term.indicator.clone());
            let periods = description.editions.iter().map(|edition| edition.period.clone());
            row["open_indicators"] = json!(terms.collect::<Vec<_>>());
            row["periods"] = json!(periods.collect::<Vec<_>>());
            row["unreachable"] = json!(member.unreachable);
            row["protocol"] = json!((member.protocol > 0).then_some(member.protocol));
            match client.format {
                Format::Json | Format::Jsonl => {
                    row["clock_offset_ms"] = json!(member.clock_offset_ms)
                }
                Format::Table | Format::Csv => {
                    row["clock"] = json!(print::clock(member.clock_offset_ms));
                }
            }
        }
        row
    };
    let rows = Value::Array(reply.members.into_iter().map(row).collect());
    let ends = |wire::Ending { what, ends_at_s }| {
        format!("the coordinator's {what} comes to its end: {}", day(ends_at_s))
    };
    let remarks = reply.endings.into_iter().map(ends).collect();
    Ok(Outcome { data: print::rows(client.format, &rows), partial, remarks, ..Outcome::default() })
}

/// Signs a requirement here and hands it in.
pub async fn issue(client: &Client, file: &Path, authority_key: &Path) -> Result<Outcome, Invalid> {
    let text = file::text(file)?;
    let lists = ClientFile::lists(&client.client)?;
    let key = SecretKey::from_pem("--authority-key", &read_secret(authority_key)?)?;
    let mut region = connect(client).await?;
    let members = names(&mut region).await?;
    let signed = requirement::sign(&text, &members, &key, lists, &SystemClock, &SystemEntropy)?;
    let asked =
        exchange::Requirement::decode(signed.payload.as_slice()).unwrap_or_default().members;
    let request = within(CALL_TIMEOUT, wire::IssueRequirementRequest { requirement: Some(signed) });
    let reply = region.issue_requirement(request).await.map_err(failed)?.into_inner();
    let data = json!([{"requirement": reply.requirement}]);
    // A draft that names no members takes them from the coordinator's word: say what was signed.
    let remarks = vec![format!("signed for {} members: {}", asked.len(), asked.join(", "))];
    Ok(Outcome { data: print::rows(client.format, &data), remarks, ..Outcome::default() })
}

/// All nodes of the roster.
async fn names(region: &mut RegionClient) -> Result<Vec<String>, Invalid> {
    let request = within(CALL_TIMEOUT, wire::ListMembersRequest { describe: false });
    let members = region.list_members(request).await.map_err(failed)?.into_inner().members;
    Ok(members.into_iter().map(|member| member.node).collect())
}

/// Signs a cancellation here and hands it in.
pub async fn cancel(
    client: &Client,
    requirement: &str,
    why: &str,
    authority_key: &Path,
) -> Result<Outcome, Invalid> {
    let key = SecretKey::from_pem("--authority-key", &read_secret(authority_key)?)?;
    let mut region = connect(client).await?;
    let envelope = find(&mut region, requirement).await?;
    let asked: exchange::Requirement = strict::decode_signed("requirement", &envelope.payload)?;
    let of =
        (RequirementId::parse("requirement", &asked.requirement)?, Digest::of(&envelope.payload));
    let authority = Name::parse("requirement.authority", &asked.authority)?;
    let signed = Cancellation::sign(of, &authority, why, SystemClock.now(), &key)?;
    let request = wire::CancelRequirementRequest {
        requirement: asked.requirement.clone(),
        cancellation: Some(signed),
    };
    region.cancel_requirement(within(CALL_TIMEOUT, request)).await.map_err(failed)?;
    let data = json!([{"requirement": asked.requirement, "state": "cancelled"}]);
    let remarks = vec!["answers that were given stand; pictures that were drawn remain".to_owned()];
    Ok(Outcome { data: print::rows(client.format, &data), remarks, ..Outcome::default() })
}

/// A requirement as it was taken in.
async fn find(region: &mut RegionClient, id: &str) -> Result<exchange::Envelope, Invalid> {
    let mut page_token = String::new();
    loop {
        let request = wire::ListRequirementsRequest { page_size: PAGE_SIZE_MAX, page_token };
        let page = region.list_requirements(within(CALL_TIMEOUT, request)).await;
        let page = page.map_err(failed)?.into_inner();
        for entry in page.requirements {
            let envelope = entry.requirement.unwrap_or_default();
            let asked: exchange::Requirement =
                strict::decode_signed("requirement", &envelope.payload)?;
            if asked.requirement == id {
                return Ok(envelope);
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            let detail = format!("there is no requirement {}", quoted(id));
            return Err(Invalid::new(Reason::NotFound, "requirement", detail));
        }
    }
}

/// Has every member asked whether its answers still stand.
pub async fn standing(client: &Client) -> Result<Outcome, Invalid> {
    let mut region = connect(client).await?;
    let request = within(LONG_CALL_TIMEOUT, wire::AskStandingRequest {});
    let reply = region.ask_standing(request).await.map_err(failed)?.into_inner();
    let rows = reply
        .unreachable
        .iter()
        .map(|member| json!({"node": member.node, "reason": member.reason}));
    let rows = Value::Array(rows.collect());
    let partial = !reply.unreachable.is_empty();
    let remark = if partial { "these could not be asked" } else { "every member was asked" };
    let remarks = vec![remark.to_owned(), "picture list shows what does not stand".to_owned()];
    Ok(Outcome { data: print::rows(client.format, &rows), remarks, partial, ..Outcome::default() })
}

/// Lists requirements, every page.
pub async fn requirements(client: &Client) -> Result<Outcome, Invalid> {
    let mut region = connect(client).await?;
    let (mut rows, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = wire::ListRequirementsRequest { page_size: PAGE_SIZE_MAX, page_token };
        let page = region
            .list_requirements(within(CALL_TIMEOUT, request))
            .await
            .map_err(failed)?
            .into_inner();
        for entry in page.requirements {
            let envelope = entry.requirement.unwrap_or_default();
            let asked =
                exchange::Requirement::decode(envelope.payload.as_slice()).unwrap_or_default();
            rows.push(json!({
                "requirement": asked.requirement,
                "authority": asked.authority,
                "purpose": asked.purpose,
                "members": asked.members.len(),
                "state": entry.state,
                "until": if entry.state_until_s == 0 { String::new() } else { day(entry.state_until_s) },
                "reason": entry.state_reason,
                "closes": day(asked.closes_at_s),
                "picture_version": entry.picture_version,
            }));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(done(print::rows(client.format, &Value::Array(rows))));
        }
    }
}

/// Gathers and prints the picture; exit code 3 if a member is missing from it.
pub async fn gather(
    client: &Client,
    requirement: String,
    call_deadline_ms: u32,
) -> Result<Outcome, Invalid> {
    use wire::gather_response::Event;
    let request = within(LONG_CALL_TIMEOUT, wire::GatherRequest { requirement, call_deadline_ms });
    let mut events = connect(client).await?.gather(request).await.map_err(failed)?.into_inner();
    let (mut remarks, mut answered) = (Vec::new(), 0);
    let progress = progress::Progress::begin();
    while let Some(wire::GatherResponse { event }) = events.message().await.map_err(broken_off)? {
        match event {
            Some(Event::Member(state)) => {
                answered += usize::from(state.state() == wire::State::Answered);
                remarks.push(print::member(&state));
                progress.stands(answered, remarks.len() - answered, None);
            }
            Some(Event::Picture(document)) => {
                drop(progress);
                return shown(client, document, remarks);
            }
            None => {}
        }
    }
    Err(Invalid::new(Reason::PeerFailed, "gather", "ended without a picture; gather again"))
}

/// What members have answered is kept, whatever becomes of this call.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken_off(status: Status) -> Invalid {
    let error = from_status(&status);
    if error.reason != Reason::NoConnection {
        return error;
    }
    let detail =
        format!("{}; the coordinator goes on by itself, nothing is asked twice", error.detail);
    Invalid { detail, ..error }
}

/// Prints one picture.
pub async fn picture(
    client: &Client,
    requirement: String,
    version: u32,
) -> Result<Outcome, Invalid> {
    let request = within(CALL_TIMEOUT, wire::GetPictureRequest { requirement, version });
    let reply = connect(client).await?.get_picture(request).await.map_err(failed)?.into_inner();
    shown(client, reply.picture.unwrap_or_default(), Vec::new())
}

/// Lists the pictures that are wanted, of every page.
pub async fn pictures(listed: &Listed) -> Result<Outcome, Invalid> {
    let Listed { indicator, audience, newest, client } = listed;
    let wanted = |entry: &wire::PictureEntry| {
        (!newest || !entry.superseded)
            && audience.as_ref().is_none_or(|of| *of == entry.audience)
            && indicator.as_ref().is_none_or(|of| entry.indicators.contains(of))
    };
    let mut region = connect(client).await?;
    let (mut rows, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = wire::ListPicturesRequest { page_size: PAGE_SIZE_MAX, page_token };
        let page =
            region.list_pictures(within(CALL_TIMEOUT, request)).await.map_err(failed)?.into_inner();
        rows.extend(page.pictures.into_iter().filter(&wanted).map(|entry| {
            json!({
                "requirement": entry.requirement,
                "version": entry.version,
                "drawn_at": day(entry.drawn_at_s),
                "audience": entry.audience,
                "indicators": entry.indicators,
                "periods": entry.periods,
                "coverage": format!("{}/{}", entry.answered, entry.members),
                "superseded": entry.superseded,
                "do_not_stand": entry.notices,
            })
        }));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(done(print::rows(client.format, &Value::Array(rows))));
        }
    }
}

/// Writes a development federation.
pub fn development(plan: &Development) -> Result<Outcome, Invalid> {
    let Development { dir, federation, members, host, port, lists, apart } = plan;
    let lists = own_lists::load(lists.as_deref())?;
    let address = |name: &str, first: usize, at: usize| {
        let (host, offset) = if *apart { (name, first) } else { (host.as_str(), first + at) };
        let port = u16::try_from(offset).ok().and_then(|offset| port.checked_add(offset));
        let port = port.ok_or_else(|| {
            Invalid::new(Reason::FieldInvalid, "--port", "leaves no room for the members")
        })?;
        Ok::<_, Invalid>(format!("{host}:{port}"))
    };
    let nodes = members.iter().enumerate().map(|(at, code)| {
        let node = Name::parse("--members", &format!("{}-police", code.to_lowercase()))?;
        Ok(PlannedNode {
            jurisdiction: lists.jurisdiction("--members", code)?.code,
            exchange_address: address(node.as_str(), 1, at)?,
            desk_address: address(node.as_str(), 101, at)?,
            node,
        })
    });
    let plan = Plan {
        federation: Federation::parse("--federation", federation)?,
        nodes: nodes.collect::<Result<_, Invalid>>()?,
        region_address: address("coordinator", 0, 0)?,
    };
    pki::development(&plan, dir, lists, (&SystemClock, &SystemEntropy))?;
    Ok(done(format!("development federation written to {}; not for production", dir.display())))
}

fn shown(
    client: &Client,
    document: wire::PictureDocument,
    mut remarks: Vec<String>,
) -> Result<Outcome, Invalid> {
    let wire::PictureDocument { version, drawn_at_s, picture, notices } = document;
    let shown = Shown::of(&picture.unwrap_or_default(), &notices, (version, drawn_at_s))?;
    let lists = ClientFile::lists(&client.client)?;
    remarks.extend(shown.remarks());
    let data = print::picture(client.format, &shown, lists);
    Ok(Outcome { data, remarks, partial: shown.is_partial(), ..Outcome::default() })
}

fn done(data: String) -> Outcome {
    Outcome { data, ..Outcome::default() }
}

fn day(seconds: i64) -> String {
    Timestamp::from_s("time", seconds).map_or(String::new(), |at| at.to_string())
}
