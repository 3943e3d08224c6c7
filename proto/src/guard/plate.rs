//! Vehicle plates of the six jurisdictions: plain text comes in; whether a plate stands in it goes out.
//! Must never take a code of the registry for a plate: in free text the typical separators are asked for.

use super::words;

/// Most bytes of a plate without its separators.
const PLATE_MAX: usize = 8;

/// District codes, two letters each, without diacritics.
const MONTENEGRO: &[u8] = b"ANBABDBPBRCTDGGSHNKLKOMKNKPGPLPTPVPZROSNTVTZULZBZT";
const MACEDONIA: &[u8] = b"BEBTDEDHGEGVKAKIKOKPKSKUNEOHPPRARESKSNSRSTSUTETVVEVIVV";
/// Serbia has some ninety; these are the sure ones, used where the form alone would say too little.
const SERBIA: &[u8] = b"ALARBBBGBOBPBTBUCADEGMICINJAKGKIKLKMKSKVLBLELOLUNGNINPNSNVPAPEPIPNPOPPPRPT\
    PZRARUSASDSISJSMSOSPSTSUSVTOTSUBUEURVAVLVPVRVSZAZR";

/// In free text: capitals, delimited, with the separators that plates are written with.
pub(super) fn anywhere(text: &[u8]) -> bool {
    words(text).any(starts)
}

/// How a text is written: `A` a capital, `9` a digit, `-` a dash, `_` a space or a dash.
fn written(text: &[u8], pattern: &[u8]) -> bool {
    let fits = |(byte, wanted): (&u8, &u8)| match wanted {
        b'A' => byte.is_ascii_uppercase(),
        b'9' => byte.is_ascii_digit(),
        b'_' => matches!(byte, b' ' | b'-'),
        _ => byte == wanted,
    };
    let ended = !text.get(pattern.len()).is_some_and(|byte| {
        // A dash would go on: "BG 123-AB-7" is no plate.
        byte.is_ascii_alphanumeric() || *byte == b'-'
    });
    text.len() >= pattern.len() && ended && text.iter().zip(pattern).all(fits)
}

fn starts(from: &[u8]) -> bool {
    let is = |patterns: &[&[u8]]| patterns.iter().any(|pattern| written(from, pattern));
    // Bosnia and Herzegovina, Kosovo*.
    if written(from, b"A99-A-999") {
        return shared(from.first()) && shared(from.get(4));
    }
    if is(&[b"99-999-AA", b"99_999-AA"]) {
        return kosovo(from);
    }
    // Montenegro, Albania.
    if is(&[b"AA_AA999", b"AA_AA-999", b"AA AA 999"]) {
        return coded(from, MONTENEGRO);
    }
    if written(from, b"AA_999_AA") && albania(from) {
        return true;
    }
    let year = is_year(from.get(3..7));
    if is(&[b"AA_999-AA", b"AA_9999-AA"]) {
        return !year || coded(from, SERBIA) || coded(from, MACEDONIA);
    }
    // "SK 2016 EU" is a table of years, not a plate.
    is(&[b"AA_999_AA", b"AA_9999_AA"]) && !year && (coded(from, SERBIA) || coded(from, MACEDONIA))
}

/// A whole identifier, with or without separators, in capitals or not.
pub(super) fn whole(text: &[u8]) -> bool {
    let mut plate = [0; PLATE_MAX];
    let mut length = 0;
    for byte in text.iter().filter(|byte| !matches!(byte, b' ' | b'-')) {
        let Some(place) = plate.get_mut(length) else {
            return false;
        };
        *place = byte.to_ascii_uppercase();
        length += 1;
    }
    let plate = plate.get(..length).unwrap_or_default();
    if written(plate, b"A99A999") {
        return shared(plate.first()) && shared(plate.get(3));
    }
    if written(plate, b"AAAA999") {
        return coded(plate, MONTENEGRO);
    }
    if written(plate, b"99999AA") {
        // Without separators it is a serial number.
        return length < text.len() && kosovo(plate);
    }
    (written(plate, b"AA999AA")
        && (albania(plate) || coded(plate, SERBIA) || coded(plate, MACEDONIA)))
        || (written(plate, b"AA9999AA")
            && !is_year(plate.get(2..6))
            && (coded(plate, SERBIA) || coded(plate, MACEDONIA)))
}

/// A year between two codes of countries is no plate.
fn is_year(digits: Option<&[u8]>) -> bool {
    matches!(digits, Some([b'1', b'9', c, d] | [b'2', b'0', c, d])
        if c.is_ascii_digit() && d.is_ascii_digit())
}

fn coded(plate: &[u8], codes: &[u8]) -> bool {
    codes.chunks_exact(2).any(|code| plate.starts_with(code))
}

/// Bosnia and Herzegovina uses the letters that Latin and Cyrillic share.
fn shared(letter: Option<&u8>) -> bool {
    letter.is_some_and(|letter| b"AEJKMOT".contains(letter))
}

/// Seven districts.
fn kosovo(plate: &[u8]) -> bool {
    matches!(plate, [b'0', b'1'..=b'7', ..])
}

/// The series in use begins with A; I, O and Q are left out.
fn albania(plate: &[u8]) -> bool {
    plate.starts_with(b"A") && !plate.iter().any(|byte| b"IOQ".contains(byte))
}

/// District codes are two capitals each.
#[cfg(test)]
pub(super) fn check_lists() {
    for codes in [MONTENEGRO, MACEDONIA, SERBIA] {
        assert!(codes.len() % 2 == 0 && codes.iter().all(u8::is_ascii_uppercase));
    }
}
