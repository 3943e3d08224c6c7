//! For whom pictures are. Comes in: pictures. Goes out: the one audience that all seals name on which they rest. Must never let
//! what rests on several pictures take one's content under another's mark.

use std::collections::BTreeSet;

use crate::{
    reason::{Invalid, Reason},
    strict,
    wire::{self, region},
};

/// For whom a picture is in which nobody's answer is.
pub const ASKERS_ALONE: &str = "only those who asked";

/// The audience of pictures, as the seals name it that they rest on; none: nobody's answer is in them, and they are for those
/// who asked alone.
///
/// # Errors
/// `METHOD_UNFIT` of pictures for two audiences; as [`strict::decode_signed`] of a seal.
pub fn of_all<'a>(
    pictures: impl IntoIterator<Item = &'a region::Picture>,
) -> Result<Option<String>, Invalid> {
    let members = pictures.into_iter().flat_map(|picture| &picture.members);
    let audience = |seal: &wire::Envelope| {
        let seal: wire::Seal = strict::decode_signed("pictures.members.seal", &seal.payload)?;
        Ok(seal.audience)
    };
    let seals = members.filter_map(|member| member.seal.as_ref()).map(audience);
    let mut audiences = seals.collect::<Result<BTreeSet<_>, Invalid>>()?;
    if audiences.len() > 1 {
        let names = audiences.into_iter().collect::<Vec<_>>().join(" and ");
        let detail = format!("some are for {names}: take those of one audience by themselves");
        return Err(Invalid::new(Reason::MethodUnfit, "pictures", detail));
    }
    Ok(audiences.pop_first())
}
