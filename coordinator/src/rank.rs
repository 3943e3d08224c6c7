//! Rankings. Comes in: what an analyst wants ranked, and why. Goes out: a ranking over pictures that the archive keeps, signed and
//! kept. Must never read anything but those pictures: a ranking tells nothing that they do not; nor rest on pictures of
//! different audiences, whose readers may not read each other's.

use accord_proto::{
    id::RequirementId,
    reason::{Invalid, Reason},
    seal::{Digest, Envelope},
    threat::{Dissent, Justified, Ranking, Wanted},
    transport::Peer,
};

use crate::{
    archive::{KeptRanking, Picked},
    survey::Coordinator,
};

/// A picture as it is named: version 0 is the newest.
pub type Named = (RequirementId, u32);

/// Ranks, signs and keeps. The same of the same pictures is one ranking, with the reason that was given first.
pub async fn rank(
    coordinator: &Coordinator,
    by: &Peer,
    (wanted, named): (&Wanted, &[Named]),
    why: &str,
) -> Result<KeptRanking, Invalid> {
    let why = Justified::read("why", why)?;
    let Coordinator { archive, lists, clock, .. } = coordinator;
    let picked = pick(coordinator, named)?;
    let audience = picked.first().map(|picked| picked.audience.clone()).unwrap_or_default();
    let payloads: Vec<_> = picked.iter().map(|picked| picked.envelope.payload.as_slice()).collect();
    let ranking = accord_proto::busy::here(|| wanted.rank(&payloads, lists))?;
    let kept = KeptRanking {
        made_at: clock.now(),
        audience,
        why: why.as_str().to_owned(),
        pictures: picked.iter().map(|picked| picked.name).collect(),
        envelope: ranking.sign(&coordinator.sign_key()),
    };
    archive.keep_ranking(by, (ranking.digest(), kept)).await
}

/// Takes in what a member says against a ranking, and signs both as one.
pub async fn attach(
    coordinator: &Coordinator,
    by: &Peer,
    name: Digest,
    dissent: Envelope,
) -> Result<KeptRanking, Invalid> {
    let Coordinator { archive, lists, clock, .. } = coordinator;
    let roster = coordinator.roster();
    let kept = archive.ranking(name)?;
    let said = Dissent::unchecked(&dissent, lists)?;
    let member = roster.member(&said.node).ok_or_else(|| {
        let detail = format!("{} is not in the roster", said.node);
        Invalid::new(Reason::NotFound, "dissent.node", detail)
    })?;
    let (digest, now) = (Digest::of(&dissent.payload), clock.now());
    // Against this very order, signed by that node.
    Dissent::open(&dissent, member, name, lists)?;
    let picked = pick(coordinator, &kept.pictures)?;
    let payloads: Vec<_> = picked.iter().map(|picked| picked.envelope.payload.as_slice()).collect();
    let again = |envelope: &Envelope| {
        let ranking = Ranking::read(&envelope.payload, lists)?;
        ranking.sources(&payloads)?;
        let ranking = ranking.with_dissent(dissent.clone(), member, now, lists)?;
        Ok(ranking.sign(&coordinator.sign_key()))
    };
    let of = (said.node.to_string(), digest);
    archive.change_ranking(by, (name, kept.audience), of, now, again).await
}

/// The pictures, all of one audience.
fn pick(coordinator: &Coordinator, named: &[Named]) -> Result<Vec<Picked>, Invalid> {
    let picked = named
        .iter()
        .map(|(requirement, version)| {
            coordinator.archive.pick(*requirement, (*version > 0).then_some(*version))
        })
        .collect::<Result<Vec<_>, Invalid>>()?;
    let unlike = picked.iter().zip(picked.iter().skip(1)).find(|(a, b)| a.audience != b.audience);
    if let Some((one, other)) = unlike {
        let detail = format!(
            "{} is for {}, and {} for {}: rank those of one audience by themselves",
            one.name.0, one.audience, other.name.0, other.audience
        );
        return Err(Invalid::new(Reason::MethodUnfit, "pictures", detail));
    }
    Ok(picked)
}
