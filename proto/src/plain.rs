//! What people write. Comes in: text from a person, a file or a peer. Goes out: the same text, which shows all that it holds. Must
//! never let through what moves a cursor, turns a line or hides a word when it is printed.

use crate::{
    reason::{Invalid, Reason},
    roster::bounded,
};

/// Checks that a text says something, shows all that it holds, and has at most `most` characters.
pub fn said(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    let invisible = |c: char| c.is_whitespace() || c.is_control() || "\u{200b}\u{feff}".contains(c);
    if text.chars().all(invisible) {
        return Err(Invalid::new(Reason::FieldMissing, field, "is blank"));
    }
    shows(field, text, most)
}

/// The same of a text that may be empty.
pub fn may_be_said(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    if text.is_empty() { Ok(()) } else { said(field, text, most) }
}

/// The same of a text on one line.
pub fn line(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    said(field, text, most)?;
    if text.contains('\n') {
        return Err(Invalid::new(Reason::FieldInvalid, field, "has more than one line"));
    }
    Ok(())
}

fn shows(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    let moves = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(moves) {
        let detail = "holds characters that do not show but change what is seen: write plain text";
        return Err(Invalid::new(Reason::FieldInvalid, field, detail));
    }
    bounded(field, text.chars().count(), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_something_and_shows_all_that_it_holds() {
        assert!(said("text", "Ž\nдруга", 7).is_ok());
        let refused = |text: &str| said("text", text, 7).unwrap_err().reason;
        assert_eq!(refused(" \n\u{200b}"), Reason::FieldMissing);
        assert_eq!(refused("a\u{202e}b"), Reason::FieldInvalid);
        assert_eq!(refused("a\u{1b}[2J"), Reason::FieldInvalid);
        assert_eq!(refused("12345678"), Reason::LimitExceeded);
        assert!(may_be_said("text", "", 7).is_ok());
        assert_eq!(line("text", "a\nb", 7).unwrap_err().reason, Reason::FieldInvalid);
    }
}
