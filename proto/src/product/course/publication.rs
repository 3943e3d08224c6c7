//! A publication. Comes in: the step, right behind the end of an endorsement. Goes out: which members confirm that they were shown
//! that end, and what each of them misses in it. Must never count a member that holds another chain: whoever shows two of them to
//! two members finds no receipt of the one for the other.

use std::collections::BTreeMap;

use super::Against;
use crate::{
    clock::Timestamp,
    identity::Name,
    limits::EMBARGO_DAYS_MAX,
    product::{content::Content, receipt::Receipt, step::Step},
    reason::{Invalid, Reason},
    seal::Digest,
    wire::product as wire,
};

/// Members that hold the end of the endorsement, by name, and the words of each that should stand in it and do not.
pub type Confirmed = BTreeMap<Name, Vec<Digest>>;

/// Nobody reads it before: a moment within reach, for nothing that comes after it is read before, either.
pub(super) fn check_embargo(
    field: &str,
    at: Timestamp,
    readable_from_s: i64,
) -> Result<Timestamp, Invalid> {
    let from = Timestamp::from_s(field, readable_from_s)?;
    if from <= at.plus_s(EMBARGO_DAYS_MAX * 86_400) {
        return Ok(from);
    }
    let detail = format!("is more than {EMBARGO_DAYS_MAX} days ahead");
    Err(Invalid::new(Reason::FieldInvalid, field, detail))
}

/// Checks a publication; that the step before it is the end of the endorsement is checked by whoever has that.
pub(in crate::product) fn read_publish(
    content: &Content,
    (step, publish): (&Step, &wire::Publish),
    against: Against<'_>,
) -> Result<Confirmed, Invalid> {
    const FIELD: &str = "publish.receipts";
    let wire::Publish { content_sha256, readable_from_s, receipts } = publish;
    content.is_this("publish.content_sha256", content_sha256)?;
    check_embargo("publish.readable_from_s", step.at, *readable_from_s)?;
    let mut confirmed = Confirmed::new();
    for (at, envelope) in receipts.iter().enumerate() {
        let named = |error: Invalid| error.within(format!("{FIELD}[{at}]"));
        let receipt = Receipt::open_of_any(envelope, against).map_err(named)?;
        let Receipt { node, product, steps, head, left_out, .. } = receipt;
        // What a node writes for itself is confirmed by nobody: it has signed it.
        let reviews = content.members.contains(&node) && node != content.owner;
        let this = product == content.product
            && steps.checked_add(1) == Some(step.number)
            && Some(head) == step.previous;
        if !reviews || !this {
            let detail = format!("{node} confirms something else than the step before");
            return Err(named(Invalid::new(Reason::ProductFalse, "receipt", detail)));
        }
        if confirmed.last_key_value().is_some_and(|(last, _)| *last >= node) {
            let detail = "are not ascending by node, one each";
            return Err(Invalid::new(Reason::FieldInvalid, FIELD, detail));
        }
        confirmed.insert(node, left_out);
    }
    Ok(confirmed)
}
