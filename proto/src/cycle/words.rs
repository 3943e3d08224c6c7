//! Free words of a plan or a report. Comes in: text. Goes out: the text, if it says something where it must, is not too long and
//! does not move the cursor.

use crate::{
    limits::SUMMARY_TITLE_CHARS_MAX,
    reason::{Invalid, Reason},
    roster::bounded,
    threat::Justified,
};

/// A title or a name: one line.
pub(super) fn title(field: &str, text: &str) -> Result<String, Invalid> {
    if text.contains('\n') {
        return Err(Invalid::new(Reason::FieldInvalid, field, "must be one line"));
    }
    bounded(field, text.chars().count(), SUMMARY_TITLE_CHARS_MAX)?;
    needed(field, text)
}

/// A text that must say something.
pub(super) fn needed(field: &str, text: &str) -> Result<String, Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(Reason::FieldMissing, field, "must say something"));
    }
    Ok(Justified::read(field, text)?.as_str().to_owned())
}

/// A text that may be left out.
pub(super) fn optional(field: &str, text: &str) -> Result<String, Invalid> {
    if text.is_empty() { Ok(String::new()) } else { needed(field, text) }
}
