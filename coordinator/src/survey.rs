//! THE SPINE: a requirement in, a regional picture out. Read this file to know what the coordinator does.
//!
//! ```text
//! requirement ─► gather ─► verify ─► gate ─► combine ─► picture
//! ```
//!
//! Each stage takes what only the stage before can make. Repeatable at any time: whoever was away is asked
//! again, whoever has answered gives the same bytes at no cost, and the same answers give the same picture.

use std::{collections::BTreeMap, sync::Arc};

use accord_proto::{
    clock::Clock,
    current::Current,
    expiry::Ending,
    identity::Name,
    operate::trace,
    question::SignedRequirement,
    reason::{Invalid, Reason},
    regional,
    roster::{Member, Roster},
    seal::SecretKey,
    taxonomy::Lists,
    transport::{Peer, renewal::Untaken},
};
use tracing::warn;

use crate::{
    archive::{Archive, Drawn},
    circulate::Circulation,
    collect::{self, Collections},
    combine,
    deliver::Deliveries,
    gate::{self, GatePolicy},
    gather::{Caller, Reply},
    heads::{Heads, Turns},
    picture::{self, MemberState},
    pinned::Pinned,
    rounds::Rounds,
    verify::{self, Silence, VerifiedAnswer},
};

/// A running coordinator: what it was set up with and what it remembers.
pub struct Coordinator {
    /// How members are reached.
    pub caller: Caller,
    /// Who is a member, who may ask, and by which key others believe pictures. May be replaced while it runs.
    pub pinned: Current<Pinned>,
    /// What it relies on, and when that ends.
    pub endings: Current<Vec<Ending>>,
    /// What was replaced and is not taken in.
    pub untaken: Current<Untaken>,
    /// The code lists.
    pub lists: &'static Lists,
    /// What the gate judges by: secret.
    pub gate: GatePolicy,
    /// What survives: requirements, states, pictures, who was pooled, the journal. Never a member's figure.
    pub archive: Archive,
    /// Whose turn it is to show journals to a member.
    pub turns: Turns,
    /// Pictures on their way to the members.
    pub deliveries: Deliveries,
    /// Products on their way to the members.
    pub circulation: Circulation,
    /// Where members stand in what is being collected.
    pub collections: Collections,
    /// Requirements that are being gathered right now.
    pub rounds: Rounds,
    /// Now.
    pub clock: Arc<dyn Clock>,
}

impl Coordinator {
    /// The roster that counts now.
    pub fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.pinned.get().roster)
    }

    /// The key that pictures are signed with now.
    pub fn sign_key(&self) -> Arc<SecretKey> {
        Arc::clone(&self.pinned.get().key)
    }
}

/// Asks every member that the requirement names and draws the picture of what is known then. `progress` is
/// told each member's state as it becomes known.
pub async fn survey(
    coordinator: &Coordinator,
    by: &Peer,
    asked: &SignedRequirement,
    caller: &Caller,
    progress: impl Fn(&MemberState),
) -> Result<Drawn, Invalid> {
    let id = asked.requirement().id;
    let _round = coordinator.rounds.by_somebody(id).await?;
    let drawing = draw(coordinator, by, asked, caller, (false, progress));
    let drawn = coordinator.rounds.counted(trace::within(id, drawing)).await?;
    drawn.ok_or_else(|| Invalid::new(Reason::NotFound, "picture", "was not drawn"))
}

/// The same by itself; with `only_whole` nothing is drawn unless every member answers: there is time to ask again.
pub async fn round(
    coordinator: &Coordinator,
    by: &Peer,
    asked: &SignedRequirement,
    only_whole: bool,
) -> Result<Option<Drawn>, Invalid> {
    let id = asked.requirement().id;
    let _round = coordinator.rounds.by_itself(id)?;
    let nobody = |_: &MemberState| {};
    let drawing = draw(coordinator, by, asked, &coordinator.caller, (only_whole, nobody));
    coordinator.rounds.counted(trace::within(id, drawing)).await
}

async fn draw(
    coordinator: &Coordinator,
    by: &Peer,
    asked: &SignedRequirement,
    caller: &Caller,
    (only_whole, progress): (bool, impl Fn(&MemberState)),
) -> Result<Option<Drawn>, Invalid> {
    coordinator.roster().check_current(coordinator.clock.now())?;
    if coordinator.archive.cancellation(asked.requirement().id)?.is_some() {
        let detail = "its authority has cancelled it; what was drawn before stands";
        return Err(Invalid::new(Reason::RequirementCancelled, "requirement", detail));
    }
    let members = members(coordinator, asked)?;
    if over(coordinator, asked)? {
        // Answers after the window wait for the next round; what was drawn within it stands.
        return coordinator.archive.picture(asked.requirement().id, None).map(Some);
    }

    collect::begin(coordinator, asked).await?;
    let (states, answers) = ask(coordinator, by, asked, members, caller, progress).await?;
    // Whoever was given less time than is configured is not taken for one that is away.
    let hasty = caller.call_deadline < coordinator.caller.call_deadline;
    let heard: Vec<_> =
        states.iter().filter(|state| !(hasty && state.ran_out_of_time())).cloned().collect();
    if only_whole && answers.len() < states.len() {
        collect::note(coordinator, asked, &heard, false)?;
        coordinator.archive.settled().await?;
        return Ok(None);
    }
    // The gate may take seconds; others go on meanwhile.
    let publish = || publish(coordinator, by, asked, &states, &answers);
    let drawn = accord_proto::busy::here(publish)?;
    collect::note(coordinator, asked, &heard, true)?;
    coordinator.archive.settled().await?;
    coordinator.deliveries.poke(asked.requirement().id);
    Ok(Some(drawn))
}

/// Asks some members again that have not answered yet, and draws nothing: what they say is seen, and had again when a picture
/// is drawn.
pub async fn ask_again(
    coordinator: &Coordinator,
    by: &Peer,
    asked: &SignedRequirement,
    nodes: &[Name],
) -> Result<(), Invalid> {
    coordinator.roster().check_current(coordinator.clock.now())?;
    let id = asked.requirement().id;
    let _round = coordinator.rounds.by_itself(id)?;
    // Whoever has left the roster is not asked; the others are.
    let roster = coordinator.roster();
    let members = nodes.iter().filter_map(|node| roster.member(node).cloned()).collect();
    let asking = ask(coordinator, by, asked, members, &coordinator.caller, |_| {});
    let (states, _) = trace::within(id, asking).await?;
    collect::note(coordinator, asked, &states, false)
}

/// Gather and verify: where each of these members stands, and what they answer. What was seen of them is durable before
/// anything rests on it.
async fn ask(
    coordinator: &Coordinator,
    by: &Peer,
    asked: &SignedRequirement,
    members: Vec<Member>,
    caller: &Caller,
    progress: impl Fn(&MemberState),
) -> Result<(Vec<MemberState>, Vec<VerifiedAnswer>), Invalid> {
    let heads = Heads::of(coordinator);
    let mut verified = BTreeMap::new();
    caller
        .ask_all(asked, members.clone(), &heads, |reply| {
            let member = reply.member.clone();
            let outcome = believe(coordinator, asked, reply);
            if let Ok(outcome) = &outcome {
                progress(&MemberState::of(member.clone(), outcome));
            }
            verified.insert(member.node, outcome);
        })
        .await;
    let (mut states, mut answers) = (Vec::new(), Vec::new());
    for member in members {
        let outcome = verified.remove(&member.node).unwrap_or(Ok(Err(Silence::Late)))?;
        states.push(MemberState::of(member, &outcome));
        answers.extend(outcome);
    }
    let (heads, now) = (heads.into_seen(), coordinator.clock.now());
    coordinator.archive.remember(by, asked, &answers, &heads, now).await?;
    Ok((states, answers))
}

/// Judges, combines, draws and keeps, one picture after the other: what the gate knows of the pictures before
/// is still so when this one is kept, and what this one shows is known to the next.
fn publish(
    coordinator: &Coordinator,
    by: &Peer,
    asked: &SignedRequirement,
    states: &[MemberState],
    answers: &[VerifiedAnswer],
) -> Result<Drawn, Invalid> {
    let Coordinator { lists, gate: policy, archive, clock, .. } = coordinator;
    let Pinned { roster, key: sign_key, .. } = &*coordinator.pinned.get();
    let publication = archive.publication(lists);
    let required = asked.requirement().minimum_contributors;
    let verdicts = if publication.in_doubt()? {
        warn!(
            "restored, and in doubt: only public figures are shown until a custodian runs confirm-restore"
        );
        gate::judge_in_doubt(answers)
    } else {
        let before = publication.pooled_before(&asked.requirement().question)?;
        gate::judge(answers, required, policy, &before, lists)
    };
    let figures = combine::combine(&verdicts, lists);
    let beside = picture::Beside {
        named: gate::named(answers),
        contributors_min: gate::contributors_min(answers, required, policy),
        deviations: regional::deviations(answers.iter().map(VerifiedAnswer::table)),
    };
    let picture = picture::draw(asked, states, (&figures, &beside), roster, lists, sign_key);
    publication.keep(by, asked, &picture, &verdicts, clock.now())
}

/// One reply becomes a verified answer or a silence.
fn believe(
    coordinator: &Coordinator,
    asked: &SignedRequirement,
    reply: Reply,
) -> Result<Result<VerifiedAnswer, Silence>, Invalid> {
    let seen = coordinator.archive.seen(asked.requirement().id, &reply.member.node)?;
    Ok(verify::verify(reply, asked, seen, coordinator.lists, coordinator.clock.now()))
}

/// The members that the requirement names, ascending. One that the roster has lost is an error: its absence
/// would otherwise be a silence that nobody shows.
fn members(coordinator: &Coordinator, asked: &SignedRequirement) -> Result<Vec<Member>, Invalid> {
    let roster = coordinator.roster();
    let find = |name| {
        roster.member(name).cloned().ok_or_else(|| {
            let detail = format!("{name} is not in the roster any more; issue a new requirement");
            Invalid::new(Reason::NotFound, "requirement.members", detail)
        })
    };
    asked.requirement().members.iter().map(find).collect()
}

/// Is the collection window over? Before it opens, gathering is an error.
fn over(coordinator: &Coordinator, asked: &SignedRequirement) -> Result<bool, Invalid> {
    match asked.check_open(coordinator.clock.now()) {
        Ok(()) => Ok(false),
        Err(error) if error.reason == Reason::RequirementClosed => Ok(true),
        Err(error) => Err(error),
    }
}
