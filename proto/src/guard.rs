//! The guard against personal data. A text comes in; what personal data it looks like, if any, goes out.
//! Must never repeat the text, and must never be taken for a proof: it is a net. Known limits:
//!
//! - a number with a wrong digit, or cut in two by words, passes; so does a foreign identity number, and
//!   ten digits (XK) as an identifier, which are a case number far more often;
//! - a plate passes in free text if written without separators, and with four digits that are a year;
//! - a name passes if its given name is rare, if it is not capitalised in free text, or if its surname
//!   has no ending or listed form that is typical of the region;
//! - a national telephone number passes if written without its first 0, or with a group like a year;
//! - a school or street that is named after a person is taken for that person.

mod fold;
mod name;
mod number;
mod plate;
mod telephone;

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Personal {
    /// A person's number in one of the six jurisdictions.
    NationalNumber,
    /// An international bank account number.
    Iban,
    /// A vehicle's plate in one of the six jurisdictions.
    Plate,
    /// An e-mail address.
    Email,
    /// A telephone number, international or with separators.
    Telephone,
    /// A given name beside a surname.
    Name,
}

impl Personal {
    /// For people: "looks like …".
    pub fn name(self) -> &'static str {
        match self {
            Self::NationalNumber => "a national identity number",
            Self::Iban => "a bank account number (IBAN)",
            Self::Plate => "a vehicle registration plate",
            Self::Email => "an e-mail address",
            Self::Telephone => "a telephone number",
            Self::Name => "a person's name",
        }
    }
}

/// Where a text stands: an identifier is a code by trade, so what counts there must be surer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Text,
    Identifier,
}

/// Fewest digits of a number that this guard knows: the number inside a telephone number.
const NUMBER_DIGITS_MIN: usize = 8;
/// Fewest and most digits of a plate, and its most bytes with separators.
const PLATE_DIGITS: std::ops::RangeInclusive<usize> = 3..=6;
const PLATE_BYTES_MAX: usize = 12;
/// Fewest letters of a given name and a surname.
const NAME_LETTERS_MIN: usize = 7;

/// Looks for everything, anywhere in a free text.
pub fn in_text(text: &str) -> Option<Personal> {
    let plain = fold::plain(text);
    let plain = plain.as_bytes();
    let seen = Seen::of(plain);
    if seen.at && email(plain) {
        return Some(Personal::Email);
    }
    if let Some(found) = numbers(plain, seen, Field::Text) {
        return Some(found);
    }
    if seen.digits >= *PLATE_DIGITS.start() && plate::anywhere(plain) {
        return Some(Personal::Plate);
    }
    let named = seen.joints > 0 && name::anywhere(plain);
    named.then_some(Personal::Name)
}

/// Looks at the identifier of a case, a source or the like. Asked for every row of an import: what is
/// plainly a number or a short code leaves at once.
pub fn in_identifier(text: &str) -> Option<Personal> {
    let seen = Seen::of(text.as_bytes());
    if seen.digits == text.len() {
        return all_digits(text.as_bytes());
    }
    let telling = seen.at
        || seen.foreign
        || seen.digits >= *PLATE_DIGITS.start()
        || (seen.joints > 0 && seen.letters >= NAME_LETTERS_MIN);
    if !telling {
        return None;
    }
    if !seen.foreign && seen.digits + seen.letters == text.len() {
        return one_word(text.as_bytes(), seen);
    }
    let plain = fold::plain(text);
    let plain = plain.as_bytes();
    let seen = if seen.foreign { Seen::of(plain) } else { seen };
    if seen.at && email(plain) {
        return Some(Personal::Email);
    }
    if let Some(found) = numbers(plain, seen, Field::Identifier) {
        return Some(found);
    }
    if seen.may_be_plate(plain.len()) && plate::whole(plain) {
        return Some(Personal::Plate);
    }
    let named = seen.joints > 0 && seen.letters >= NAME_LETTERS_MIN && name::whole(plain);
    named.then_some(Personal::Name)
}

/// The kinds that are numbers, the surest first.
fn numbers(plain: &[u8], seen: Seen, field: Field) -> Option<Personal> {
    if seen.digits < NUMBER_DIGITS_MIN {
        return None;
    }
    if number::iban(plain, field) {
        return Some(Personal::Iban);
    }
    if number::national(plain, field) {
        return Some(Personal::NationalNumber);
    }
    telephone::anywhere(plain).then_some(Personal::Telephone)
}

/// An identifier of nothing but digits: by far the most common, and looked at by length first.
fn all_digits(digits: &[u8]) -> Option<Personal> {
    match digits.len() {
        13 if number::citizen(digits) => Some(Personal::NationalNumber),
        10.. if digits.starts_with(b"00") && telephone::anywhere(digits) => {
            Some(Personal::Telephone)
        }
        _ => None,
    }
}

/// An identifier of letters and digits alone: no separators, so no telephone number and no name.
fn one_word(word: &[u8], seen: Seen) -> Option<Personal> {
    // Ten bytes are the shortest national number that holds letters.
    if word.len() >= 10 {
        return numbers(word, seen, Field::Identifier);
    }
    (seen.may_be_plate(word.len()) && plate::whole(word)).then_some(Personal::Plate)
}

/// What kinds of bytes a text holds: one pass, so that most texts need no second.
#[derive(Clone, Copy, Default)]
struct Seen {
    digits: usize,
    letters: usize,
    /// What may stand between the parts of a name.
    joints: usize,
    at: bool,
    /// Not ASCII.
    foreign: bool,
}

impl Seen {
    fn may_be_plate(self, length: usize) -> bool {
        PLATE_DIGITS.contains(&self.digits) && length <= PLATE_BYTES_MAX
    }

    fn of(bytes: &[u8]) -> Self {
        let mut seen = Self::default();
        for byte in bytes {
            match byte {
                b'0'..=b'9' => seen.digits += 1,
                b'a'..=b'z' | b'A'..=b'Z' => seen.letters += 1,
                b' ' | b'_' | b'.' | b'-' | b',' => seen.joints += 1,
                b'@' => seen.at = true,
                byte => seen.foreign |= !byte.is_ascii(),
            }
        }
        seen
    }
}

/// Something, an at sign, and a domain with a dot and a top level of letters.
fn email(plain: &[u8]) -> bool {
    let local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-'".contains(byte);
    let domain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let mut parts = plain.split(|byte| *byte == b'@');
    let mut before = parts.next();
    for part in parts {
        let host = part.split(|byte| !domain(*byte)).next().unwrap_or_default();
        // A full stop that ends the sentence is not the domain's.
        let mut labels = host.split(|byte| *byte == b'.').filter(|label| !label.is_empty());
        let first = labels.next();
        let top = labels
            .next_back()
            .is_some_and(|label| label.len() >= 2 && label.iter().all(u8::is_ascii_alphabetic));
        if first.is_some() && top && before.is_some_and(|text| text.last().is_some_and(local)) {
            return true;
        }
        before = Some(part);
    }
    false
}

/// Splits after the bytes at the start that fit.
fn leading(text: &[u8], fits: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !fits(*byte)).unwrap_or(text.len()))
}

/// Where letters and digits begin: the text from each such place on.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut inside = false;
    text.iter().enumerate().filter_map(move |(at, byte)| {
        let begins = byte.is_ascii_alphanumeric() && !inside;
        inside = byte.is_ascii_alphanumeric();
        begins.then(|| text.get(at..)).flatten()
    })
}

#[cfg(test)]
mod tests;
