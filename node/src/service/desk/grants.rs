//! Grants on the wire. Comes in: requests. Goes out: checked text, and grants as they stand. Must never leave out a field.

use std::sync::PoisonError;

use accord_proto::{
    clock::Timestamp,
    id::GrantId,
    limits::PAGE_SIZE_MAX,
    reason::{Invalid, Reason},
    wire::desk as wire,
};

use crate::{
    answer::Node,
    consent::{Grant, RawGrant, Version},
};

/// A grant as it was written.
pub(super) fn raw(request: wire::GrantRequest) -> RawGrant {
    let wire::GrantRequest {
        grant,
        indicator,
        crime_areas,
        first_period,
        last_period,
        purpose,
        audience,
        from_s,
        until_s,
        effect,
        region_levels,
        dimensions,
        authorities,
        precision,
        contribution,
        release,
        minimum_contributors,
        not_before_s,
        warn_days,
        conditions,
        handling,
    } = request;
    RawGrant {
        grant,
        effect,
        indicator,
        crime_areas,
        region_levels,
        dimensions,
        first_period,
        last_period,
        purpose,
        audience,
        authorities,
        precision,
        contribution,
        release,
        minimum_contributors,
        not_before_s,
        from_s,
        until_s,
        warn_days,
        conditions,
        handling,
    }
}

fn written(raw: RawGrant) -> wire::GrantRequest {
    let RawGrant {
        grant,
        effect,
        indicator,
        crime_areas,
        region_levels,
        dimensions,
        first_period,
        last_period,
        purpose,
        audience,
        authorities,
        precision,
        contribution,
        release,
        minimum_contributors,
        not_before_s,
        from_s,
        until_s,
        warn_days,
        conditions,
        handling,
    } = raw;
    wire::GrantRequest {
        grant,
        indicator,
        crime_areas,
        first_period,
        last_period,
        purpose,
        audience,
        from_s,
        until_s,
        effect,
        region_levels,
        dimensions,
        authorities,
        precision,
        contribution,
        release,
        minimum_contributors,
        not_before_s,
        warn_days,
        conditions,
        handling,
    }
}

fn entry(grant: &Grant, now: Timestamp) -> wire::GrantEntry {
    wire::GrantEntry {
        grant: Some(written(grant.to_raw())),
        withdrawn: grant.withdrawn(),
        state: grant.state(now).as_str().to_owned(),
        version: grant.number(),
        days_left: grant.days_left(now),
        ends_soon: grant.ends_soon(now),
    }
}

/// A grant with its history.
pub(super) fn show(
    node: &Node,
    request: &wire::GetGrantRequest,
) -> Result<wire::GetGrantResponse, Invalid> {
    let id = GrantId::parse("grant", &request.grant)?;
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    let grant = held.grants.iter().find(|grant| grant.id() == id);
    let grant = grant.ok_or_else(|| {
        Invalid::new(Reason::NotFound, "grant", format!("there is no grant {id}"))
    })?;
    let version = |version: &Version| wire::GrantVersion {
        grant: Some(written(version.terms.to_raw(id))),
        step: version.step.as_str().to_owned(),
        suspended: version.suspended,
        consent_epoch: version.deed.epoch,
        at_s: version.deed.at.as_s(),
        by: version.deed.by.as_ref().map_or(String::new(), ToString::to_string),
    };
    Ok(wire::GetGrantResponse {
        grant: Some(entry(grant, node.clock.now())),
        versions: grant.versions().map(version).collect(),
    })
}

/// One page of grants, oldest first.
pub(super) fn list(
    node: &Node,
    wire::ListGrantsRequest { page_size, page_token }: wire::ListGrantsRequest,
) -> wire::ListGrantsResponse {
    let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
    // Grants are ordered by their time-ordered ids; the token is the last one seen.
    let after = |grant: &&Grant| page_token.is_empty() || grant.id().to_string() > page_token;
    let mut grants: Vec<_> = held.grants.iter().filter(after).collect();
    grants.sort_unstable_by_key(|grant| grant.id());
    let size = usize::try_from(page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
    let more = grants.len() > size;
    grants.truncate(size);
    let next_page_token =
        grants.last().filter(|_| more).map_or(String::new(), |grant| grant.id().to_string());
    let now = node.clock.now();
    let grants = grants.into_iter().map(|grant| entry(grant, now)).collect();
    wire::ListGrantsResponse { grants, next_page_token }
}
