//! Trying a policy, on the wire. Must never put a text that it was given into a log or a reply.

use accord_proto::wire::desk as wire;

use crate::{
    desk::whatif::Compared,
    preview::whatif::{Errors, Share},
};

/// Both sides, line by line.
pub(super) fn response(compared: &Compared) -> wire::TryPolicyResponse {
    let lines = |shares: &[Share]| shares.iter().map(line).collect();
    wire::TryPolicyResponse { now: lines(&compared.now), then: lines(&compared.then) }
}

fn line(share: &Share) -> wire::PolicyShare {
    let errors = |errors: &Errors| wire::PolicyErrors {
        held: errors.held,
        shown: errors.shown,
        median_per_mille: errors.median_per_mille,
        worst_per_mille: errors.worst_per_mille,
    };
    wire::PolicyShare {
        indicator: share.indicator.to_string(),
        tier: share.tier.to_string(),
        large: Some(errors(&share.large)),
        small: Some(errors(&share.small)),
    }
}
