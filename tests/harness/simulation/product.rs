//! A product in a simulation: what an editor does next, what members say of it, and what must be true of it at the end whatever went wrong.
//! Comes in: a coordinator or a node, as it is then. Goes out: the step that is due, a word; or the promise that was broken.

use std::sync::LazyLock;

use accord_coordinator::{products as centre, survey::Coordinator};
use accord_node::{answer::Node, products as home};
use accord_proto::{
    clock::Timestamp,
    id::ProductId,
    identity::Identity,
    product::{Comment, Decision, Dossier, Position, Said, State, step::Deed},
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
    wire::product as wire,
};
use anyhow::{Context as _, Result, ensure};

/// Its id: there is one in every simulation.
static PRODUCT: LazyLock<Option<ProductId>> =
    LazyLock::new(|| ProductId::parse("product", "01a231b3-d905-79df-83b1-d560e27989b6").ok());
/// How long a round of comments, and an endorsement, is open.
const ROUND_S: i64 = 8;
const ENDORSEMENT_S: i64 = 10;
/// An editor waits so long for members that cannot be asked.
const PATIENCE_S: i64 = 6;
/// The one that says nothing.
const SILENT: usize = 5;

pub(super) fn id() -> Result<ProductId, Invalid> {
    PRODUCT.ok_or_else(|| Invalid::new(Reason::Internal, "product", "has no id"))
}

/// The same text every time: a draft that is sent again is the same step.
fn draft(owner: &str, members: Vec<String>) -> wire::Draft {
    let section = wire::Section {
        salt: vec![7; 16],
        section: "all".to_owned(),
        heading: "Simulated".to_owned(),
        extent: wire::Extent::Restricted.into(),
        text: "Nothing of this is so.".to_owned(),
        ..Default::default()
    };
    let content = wire::Content {
        product: PRODUCT.map(|id| id.to_string()).unwrap_or_default(),
        kind: wire::Kind::Conclusions.into(),
        title: "Simulated conclusions".to_owned(),
        language: "en".to_owned(),
        covers: "a minute".to_owned(),
        owner: owner.to_owned(),
        members,
        rule: Some(wire::Rule { kind: wire::RuleKind::Quorum.into(), number: 1, silence: false }),
        ..Default::default()
    };
    let rendition = wire::Rendition {
        salt: vec![7; 16],
        extent: wire::Extent::Restricted.into(),
        audience: "POLICE".to_owned(),
        mark: "Simulated".to_owned(),
        readers: Vec::new(),
    };
    let why = "a simulation".to_owned();
    wire::Draft {
        text: Some(accord_proto::product::content::bind(content, &[rendition], &[section])),
        why,
    }
}

/// Takes the steps that are due by now; whatever fails is tried again another time.
pub(super) async fn go_on(coordinator: &Coordinator, analyst: &Peer) -> Result<State, Invalid> {
    let product = id()?;
    let editor = |name: &str| {
        let uri = format!("spiffe://{}/REGION/staff/{name}/editor", analyst.identity.federation);
        Ok::<_, Invalid>(Peer { identity: Identity::parse(&uri)?, spki: analyst.spki })
    };
    let (one, other) = (editor("one")?, editor("other")?);
    loop {
        let now = coordinator.clock.now();
        let held = match centre::kept(coordinator, product) {
            Ok(held) => held,
            Err(error) if error.reason == Reason::NotFound => {
                let owner = coordinator.caller.credentials.own().identity.name;
                let members =
                    coordinator.roster().members.iter().map(|of| of.node.to_string()).collect();
                let deed = Deed::Draft(draft(owner.as_str(), members));
                centre::take(coordinator, &one, (product, None), (deed, &[])).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let (head, state) = (Some(held.head()), held.course().state);
        let Some((deed, by_one)) = due(&held, now) else { return Ok(state) };
        let by = if by_one { &one } else { &other };
        // Whoever is away long after the time is over is left out by name.
        let late = held.course().window.is_some_and(|(_, closes)| now >= closes.plus_s(PATIENCE_S));
        let away = if late { held.course().content.members.clone() } else { Vec::new() };
        centre::take(coordinator, by, (product, head), (deed, &away)).await?;
    }
}

/// The next step, and whether it is the author's; none: nothing is due.
fn due(held: &Dossier, now: Timestamp) -> Option<(Deed, bool)> {
    let course = held.course();
    let content_sha256 = course.content.digest().0.to_vec();
    let over = course.window.is_some_and(|(_, closes)| now >= closes);
    Some(match course.state {
        State::Draft => {
            let circulate = wire::Circulate {
                round: 1,
                readable_from_s: now.as_s(),
                closes_at_s: now.plus_s(ROUND_S).as_s(),
                content_sha256,
                guests: Vec::new(),
            };
            (Deed::Circulate(circulate), true)
        }
        State::Circulated if over => (Deed::CloseRound(wire::CloseRound::default()), true),
        State::Commented => {
            match course.remarks.iter().find(|remark| remark.resolution.is_none()) {
                None => (Deed::Finalise(wire::Finalise {}), true),
                Some(remark) => {
                    let resolution = wire::Resolution {
                        comment_sha256: remark.digest.0.to_vec(),
                        decision: Decision::Noted.to_wire().into(),
                        text: "Simulated".to_owned(),
                    };
                    (Deed::Resolve(wire::Resolve { resolutions: vec![resolution] }), true)
                }
            }
        }
        State::FinalDraft => {
            let closes_at_s = now.plus_s(ENDORSEMENT_S).as_s();
            (Deed::Open(wire::Open { closes_at_s, content_sha256 }), false)
        }
        State::EndorsementOpen if over => (Deed::Close(wire::Close::default()), false),
        State::Endorsed | State::EndorsedWithDissent => {
            let publish =
                wire::Publish { content_sha256, readable_from_s: now.as_s(), receipts: Vec::new() };
            (Deed::Publish(publish), false)
        }
        State::Circulated
        | State::EndorsementOpen
        | State::Revised
        | State::NotEndorsed
        | State::Published
        | State::Corrected
        | State::Recalled
        | State::Archived => return None,
    })
}

/// What people at a member say of it now, if they have not said it: a word each time.
pub(super) async fn say(node: &Node, (by, at): (&Peer, usize)) -> Result<Option<Digest>, Invalid> {
    let product = id()?;
    let dossier = match home::readable(node, product) {
        Ok(dossier) => dossier,
        Err(error) if error.reason == Reason::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let course = dossier.course();
    let (said, kind) = match course.state {
        State::Circulated => {
            let comment = Comment {
                round: course.round,
                section: Some("all".to_owned()),
                place: None,
                language: "en".to_owned(),
                text: format!("Comment {at}."),
                attributed: at.is_multiple_of(2),
            };
            (Said::Comment(comment), 1)
        }
        State::EndorsementOpen if at != SILENT => {
            let (position, text) = match at {
                0 => (Position::Dissent, "Simulated dissent."),
                1 => (Position::EndorseWithReservation, "Simulated reservation."),
                _ => (Position::Endorse, ""),
            };
            (Said::Endorsement(position, text.to_owned()), 2)
        }
        State::Published => (Said::Feedback("a simulation".to_owned(), 3, String::new()), 3),
        State::Draft
        | State::EndorsementOpen
        | State::Commented
        | State::Revised
        | State::FinalDraft
        | State::Endorsed
        | State::EndorsedWithDissent
        | State::NotEndorsed
        | State::Corrected
        | State::Recalled
        | State::Archived => return Ok(None),
    };
    let mut nonce = [0; 16];
    nonce[0] = kind;
    nonce[1] = u8::try_from(at).unwrap_or(u8::MAX);
    let content = course.content.digest();
    home::say::say(node, by, (product, content, nonce), said).await.map(Some)
}

/// However it went: every member holds a beginning of the centre's chain, and no other. All of it, if its last step was taken before
/// `settled`; and what was said from `healed` on, when everything worked, is in it.
pub(super) fn judge(
    held: Result<Dossier, Invalid>,
    nodes: &[Node],
    (healed, settled): (Timestamp, Timestamp),
) -> Result<()> {
    let product = id()?;
    let held = match held {
        Ok(held) => Some(held),
        Err(error) if error.reason == Reason::NotFound => None,
        Err(error) => return Err(error).context("the product at the centre"),
    };
    for node in nodes {
        let name = node.name();
        let theirs = match home::kept(node, product) {
            Ok(theirs) => Some(theirs),
            Err(error) if error.reason == Reason::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("the product at {name}")),
        };
        let told = held.as_ref().map_or(0, Dossier::told);
        let arrived = theirs.as_ref().map_or(0, |theirs| theirs.steps().len());
        let due = held.as_ref().is_some_and(|held| held.at() < settled);
        ensure!(!due || arrived >= told, "{name} holds {arrived} steps, and {told} were told");
        let Some(theirs) = theirs else { continue };
        let held = held.as_ref().with_context(|| format!("{name} holds a product that is lost"))?;
        held.check_continues(&theirs)
            .with_context(|| format!("the product at {name} is another chain"))?;
        let own = home::own_words(node, product)?;
        let left_out = held.course().left_out(&own);
        let heard = left_out.iter().all(|(_, word)| word.at < healed);
        ensure!(heard, "words of {name} were left out of the product");
    }
    Ok(())
}
