//! Feasibility: asks members what may be asked of them, never for a figure.

use std::collections::BTreeMap;

use accord_proto::{
    limits::GATHER_CONCURRENCY_MAX,
    question::Requirement,
    reason::{Invalid, Reason},
    roster::Member,
    taxonomy::{AudienceCode, Granularity, IndicatorCode, Lists, Period},
    wire::{self as exchange, region as wire},
};
use futures_util::{StreamExt as _, stream};

use super::members::entry;
use crate::{
    gate::{self, Feasibility, Feasible, Levels, Offer, Respondent},
    survey::Coordinator,
};

/// Judges a draft at best.
pub(super) async fn assess(
    coordinator: &Coordinator,
    draft: &Requirement,
) -> Result<wire::AssessFeasibilityResponse, Invalid> {
    let Coordinator { lists, caller, gate: policy, archive, .. } = coordinator;
    let roster = coordinator.roster();
    // Which of a jurisdiction's nodes brought what, no picture tells.
    let named = |member: &&Member| draft.members.contains(&member.node);
    let split = roster.members.iter().filter(|member| !named(member)).find(|left_out| {
        roster.members.iter().filter(named).any(|of| of.jurisdiction == left_out.jurisdiction)
    });
    if let Some(left_out) = split {
        let detail = format!("names nodes of {}, and not all of them", left_out.jurisdiction);
        return Err(Invalid::new(Reason::FieldInvalid, "requirement.members", detail));
    }
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
            Some(said) => respondents.push(Respondent {
                node: member.node,
                jurisdiction: member.jurisdiction,
                offers: offers(&said, draft.audience, lists),
                frozen: frozen(&said),
            }),
            None => unreachable
                .push(wire::MemberUnreachable { node: entry.node, reason: entry.unreachable }),
        }
    }
    let in_doubt = archive.in_doubt()?;
    let before = archive.publication(lists).pooled_before(&draft.question)?;
    let minimum = policy.contributors_min(draft.minimum_contributors);
    let cells = gate::feasible(draft, &respondents, policy, &before, lists);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let cell = |Feasible { key, feasibility, public, hidden }| wire::FeasibleCell {
        indicator: key.indicator.to_string(),
        crime_area: key.crime_area.to_string(),
        period: key.period.to_string(),
        categories: lists.write_categories(key.indicator, &key.categories),
        feasibility: to_wire(feasibility, in_doubt).into(),
        public: count(public),
        hidden: count(hidden),
    };
    Ok(wire::AssessFeasibilityResponse {
        unreachable,
        cells: cells.into_iter().map(cell).collect(),
        contributors_min: u32::try_from(minimum).unwrap_or(u32::MAX),
    })
}

/// A member's own words that the lists know; of others nothing can be asked.
fn offers(
    said: &exchange::DescribeResponse,
    audience: AudienceCode,
    lists: &Lists,
) -> BTreeMap<IndicatorCode, Offer> {
    let audience = audience.to_string();
    let offer = |term: &exchange::Term| {
        let indicator = lists.indicator("indicator", &term.indicator).ok()?;
        let offer = match term.mode() {
            exchange::Mode::Open => Offer::Public,
            exchange::Mode::Bulletin => Offer::Hidden,
            exchange::Mode::Protected => {
                let tier = term.tiers.iter().find(|tier| tier.audience == audience)?;
                let lengths = tier.granularity.iter();
                let dimensions = indicator.dimensions.iter().copied();
                Offer::Within(Levels {
                    regions: tier.region_levels.clone(),
                    granularity: lengths.filter_map(|name| Granularity::parse(name)).collect(),
                    areas: tier.area_levels.clone(),
                    dimensions: dimensions
                        .filter(|of| tier.dimensions.contains(&of.to_string()))
                        .collect(),
                })
            }
            exchange::Mode::Closed | exchange::Mode::Unspecified => return None,
        };
        Some((indicator.code, offer))
    };
    said.terms.iter().filter_map(offer).collect()
}

fn frozen(said: &exchange::DescribeResponse) -> Vec<(Period, u32)> {
    let edition = |edition: &exchange::EditionRef| {
        Period::parse("period", &edition.period).ok().map(|period| (period, edition.number))
    };
    said.editions.iter().filter_map(edition).collect()
}

fn to_wire(of: Feasibility, in_doubt: bool) -> wire::Feasibility {
    match of {
        Feasibility::Public => wire::Feasibility::Public,
        Feasibility::Pooled if in_doubt => wire::Feasibility::Waits,
        Feasibility::Pooled => wire::Feasibility::Pooled,
        Feasibility::TooFew => wire::Feasibility::TooFew,
        Feasibility::NoPool => wire::Feasibility::NoPool,
        Feasibility::Waits => wire::Feasibility::Waits,
        Feasibility::Nobody => wire::Feasibility::Nobody,
    }
}
