//! Files that prove something without a network: what a picture rests on, and what a node released. Comes in: the parts, or
//! a file. Goes out: the one encoding, or the parts of it. What they are worth is decided by [`crate::verify`].

use prost::{Message, Name};

use crate::{
    limits::EVIDENCE_BYTES_MAX,
    reason::{Invalid, Reason, quoted},
    strict,
    wire::{self, proof},
};

const EVIDENCE: &str = "accord.evidence.v1";
const ANSWER: &str = "accord.answer.v1";

/// The file of a picture. `tables` are those of the members that answered, in the picture's order.
pub fn write(
    roster: wire::Envelope,
    requirement: wire::Envelope,
    picture: wire::Envelope,
    tables: Vec<wire::SealedTable>,
    notices: Vec<wire::Envelope>,
) -> Vec<u8> {
    let evidence = proof::Evidence {
        schema: EVIDENCE.to_owned(),
        roster: Some(roster),
        requirement: Some(requirement),
        picture: Some(picture),
        tables,
        notices,
    };
    evidence.encode_to_vec()
}

/// The file of a node's own answer.
pub fn write_answer(sealed: wire::SealedTable) -> Vec<u8> {
    proof::Answer { schema: ANSWER.to_owned(), sealed: Some(sealed) }.encode_to_vec()
}

/// The parts of a picture's file, unchecked.
#[derive(Debug)]
pub struct Evidence {
    /// Signed by the federation root.
    pub roster: wire::Envelope,
    /// Signed by the asking authority.
    pub requirement: wire::Envelope,
    /// Signed by the coordinator.
    pub picture: wire::Envelope,
    /// Sealed by the members.
    pub tables: Vec<wire::SealedTable>,
    /// Signed by the members, since.
    pub notices: Vec<wire::Envelope>,
}

/// Takes a picture's file apart.
pub fn read(file: &[u8]) -> Result<Evidence, Invalid> {
    let proof::Evidence { schema, roster, requirement, picture, tables, notices } = decode(file)?;
    check_schema(&schema, EVIDENCE)?;
    let missing = |part: &str| {
        Invalid::new(Reason::FieldMissing, format!("file.{part}"), "is not in the file")
    };
    Ok(Evidence {
        roster: roster.ok_or_else(|| missing("roster"))?,
        requirement: requirement.ok_or_else(|| missing("requirement"))?,
        picture: picture.ok_or_else(|| missing("picture"))?,
        tables,
        notices,
    })
}

/// Takes out the table of a node's own answer.
pub fn read_answer(file: &[u8]) -> Result<wire::SealedTable, Invalid> {
    let proof::Answer { schema, sealed } = decode(file)?;
    check_schema(&schema, ANSWER)?;
    sealed.ok_or_else(|| Invalid::new(Reason::FieldMissing, "file.sealed", "is not in the file"))
}

/// Where a part of a file lies, for whoever looks for what is wrong: first byte and the one after the last.
pub fn place_of(part: &[u8], file: &[u8]) -> Option<(usize, usize)> {
    if part.is_empty() {
        return None;
    }
    // In linear time: whoever made the file chose both, and would choose those that take longest.
    let at = memchr::memmem::find(file, part)?;
    Some((at, at + part.len()))
}

fn decode<M: Message + Name + Default>(file: &[u8]) -> Result<M, Invalid> {
    if file.len() > EVIDENCE_BYTES_MAX {
        let detail = format!("{} bytes where {EVIDENCE_BYTES_MAX} is the most", file.len());
        return Err(Invalid::new(Reason::LimitExceeded, "file", detail));
    }
    strict::decode_signed("file", file)
}

fn check_schema(found: &str, wanted: &str) -> Result<(), Invalid> {
    if found == wanted {
        return Ok(());
    }
    let detail = format!("{} where {wanted} is wanted", quoted(found));
    Err(Invalid::new(Reason::FieldInvalid, "file.schema", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_in_time_that_grows_no_faster_than_the_file() {
        // A part that is not there, and that every place of the file looks like up to its end.
        const BYTES: usize = 8 * 1024 * 1024;
        let file = vec![b'a'; 2 * BYTES];
        let mut part = vec![b'a'; BYTES];
        part.push(b'b');
        let began = std::time::Instant::now();
        assert_eq!(place_of(&part, &file), None);
        // Compared byte for byte at every place it would take hours.
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
        assert_eq!(place_of(b"aab", b"caaab"), Some((2, 5)));
        assert_eq!(place_of(b"", b"a"), None);
    }
}
