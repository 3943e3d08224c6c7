//! What a plan promises: one spelling, every reference leads somewhere, every refusal names its place.

use prost::Message as _;

use super::*;
use crate::reason::Reason;

#[test]
fn the_same_plan_is_the_same_bytes_whatever_order_it_was_written_in() {
    let lists = Lists::builtin();
    let plan = checked(sent()).unwrap();
    let bytes = plan.encode(lists);
    assert_eq!(bytes, sent().encode_to_vec(), "it was in order");
    assert_eq!(Plan::read(&bytes, lists).unwrap(), plan);

    let mut other = sent();
    other.priorities.reverse();
    other.goals.reverse();
    other.plans[0].co_drivers.reverse();
    other.plans[0].actions[0].participants.reverse();
    assert_eq!(checked(other.clone()).unwrap().digest(lists), plan.digest(lists));
    let refused = Plan::read(&other.encode_to_vec(), lists).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::FieldInvalid, "plan"));
}

#[test]
fn a_field_that_nobody_knows_is_refused_in_the_bytes_of_a_plan() {
    let mut bytes = sent().encode_to_vec();
    bytes.extend([0x98, 0x06, 0x01]);
    let refused = Plan::read(&bytes, Lists::builtin()).unwrap_err();
    assert_eq!((refused.reason, refused.field.as_str()), (Reason::FieldUnknown, "plan.#99"));
}

#[test]
fn what_does_not_fit_together_is_refused_by_its_place() {
    type Change = fn(&mut wire::Plan);
    let cases: [(&str, Reason, Change); 3] = [
        ("priorities", Reason::PlanInconsistent, |plan| plan.priorities[1].ordinal = 1),
        ("plans[0].driver", Reason::CodeUnknown, |plan| plan.plans[0].driver = "ZZ".to_owned()),
        ("plans[0].actions[0].end", Reason::PlanInconsistent, |plan| {
            plan.plans[0].actions[0].end = "2030-01-01".to_owned();
        }),
    ];
    for (field, reason, change) in cases {
        let mut plan = sent();
        change(&mut plan);
        let refused = checked(plan).unwrap_err();
        assert_eq!((refused.field.as_str(), refused.reason), (field, reason), "{refused}");
    }
}
