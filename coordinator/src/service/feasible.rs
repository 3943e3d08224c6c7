//! Feasibility: asks members what may be asked of them, never for a figure.

use accord_proto::{
    limits::GATHER_CONCURRENCY_MAX,
    question::Requirement,
    reason::{Invalid, Reason},
    wire::region as wire,
};
use futures_util::{StreamExt as _, stream};

use super::entry;
use crate::{
    gate::{self, Feasible, Respondent},
    survey::Coordinator,
};

/// Judges a draft at best.
pub(super) async fn assess(
    coordinator: &Coordinator,
    draft: &Requirement,
) -> Result<wire::AssessFeasibilityResponse, Invalid> {
    let Coordinator { roster, lists, caller, gate: policy, archive, .. } = coordinator;
    let mut asking = Vec::new();
    for name in &draft.members {
        let member = roster.member(name).ok_or_else(|| {
            let detail = format!("{name} is not in the roster");
            Invalid::new(Reason::NotFound, "requirement.members", detail)
        })?;
        let (caller, member) = (caller.clone(), member.clone());
        asking.push(async { (member.clone(), entry(caller, member, true, lists).await) });
    }
    let asked: Vec<_> = stream::iter(asking).buffered(GATHER_CONCURRENCY_MAX).collect().await;
    let (mut respondents, mut unreachable) = (Vec::new(), Vec::new());
    for (member, entry) in asked {
        match entry.description {
            Some(said) => {
                let (node, jurisdiction) = (member.node, member.jurisdiction);
                respondents.push(Respondent { node, jurisdiction, said });
            }
            None => unreachable
                .push(wire::MemberUnreachable { node: entry.node, reason: entry.unreachable }),
        }
    }
    let before = archive.publication(lists).pooled_before(&draft.question)?;
    let minimum = policy.contributors_min(draft.minimum_contributors);
    let cells = gate::feasible(draft, &respondents, policy, &before, lists);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let cell = |Feasible { key, feasibility, public, hidden }| wire::FeasibleCell {
        indicator: key.indicator.to_string(),
        crime_area: key.crime_area.to_string(),
        period: key.period.to_string(),
        categories: lists.write_categories(key.indicator, &key.categories),
        feasibility: feasibility.to_wire().into(),
        public: count(public),
        hidden: count(hidden),
    };
    Ok(wire::AssessFeasibilityResponse {
        unreachable,
        cells: cells.into_iter().map(cell).collect(),
        contributors_min: u32::try_from(minimum).unwrap_or(u32::MAX),
    })
}
