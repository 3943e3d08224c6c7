//! A product in a list. Comes in: the whole product. Goes out: one line of it, for staff.

use super::dossier::Dossier;
use crate::{clock::Timestamp, wire::product as wire};

/// A line, as it travels and is kept.
pub use crate::wire::product::Entry;

/// The line of a product.
pub fn line(dossier: &Dossier) -> wire::Entry {
    let course = dossier.course();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    wire::Entry {
        product: dossier.product().to_string(),
        kind: course.content.kind.to_wire().into(),
        title: course.content.title.clone(),
        owner: course.content.owner.to_string(),
        state: course.state.as_str().to_owned(),
        steps: number(dossier.steps().len()),
        head_sha256: dossier.head().0.to_vec(),
        content_sha256: course.content.digest().0.to_vec(),
        at_s: dossier.at().as_s(),
        closes_at_s: course.window.map_or(0, |(_, closes)| closes.as_s()),
        round: course.round,
        unresolved: number(course.unresolved()),
        told: number(dossier.told()),
        valid_until_s: course.content.valid_until.map_or(0, Timestamp::as_s),
    }
}
