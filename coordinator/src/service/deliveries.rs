//! Deliveries on the wire: where a picture has arrived. Comes in: states. Goes out: the same as messages.

use accord_proto::{identity::Name, reason::Reason, wire::region as wire};

use crate::{archive::Arrived, deliver::State};

/// A member's line.
pub(super) fn delivery((node, state): (Name, State)) -> wire::Delivery {
    let (state, why, arrived) = match state {
        State::Waiting(why) => (wire::DeliveryState::Waiting, why, None),
        State::Delivered(arrived) => (wire::DeliveryState::Delivered, None, Some(arrived)),
        State::Outdated(arrived, why) => (wire::DeliveryState::Outdated, why, Some(arrived)),
        State::Over => (wire::DeliveryState::Over, None, None),
    };
    let (delivered_at_s, receipt) = match arrived {
        Some(Arrived { at, receipt, .. }) => (at.as_s(), Some(receipt)),
        None => (0, None),
    };
    wire::Delivery {
        node: node.to_string(),
        state: state.into(),
        reason: why.map_or("", Reason::code).to_owned(),
        delivered_at_s,
        receipt,
    }
}
