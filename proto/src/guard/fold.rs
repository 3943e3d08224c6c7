//! One plain form for every way of writing: text comes in, the same in ASCII goes out. Diacritics and
//! Cyrillic become Latin letters, so that one list of names and one set of patterns serves all. Must
//! never join what was apart: whatever it does not know stays one letter, or one separator.

use std::borrow::Cow;

/// What stands for a character that is neither letter, digit, space nor dash.
const OTHER: char = '|';

/// The plain form; costs nothing where the text is ASCII already.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => plain.push(c),
            c if c.is_whitespace() => plain.push(' '),
            // Soft hyphens, marks of no width and accents that stand apart from their letter.
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            '\u{300}'..='\u{36f}' => {}
            '\u{2010}'..='\u{2015}' | '\u{2212}' => plain.push('-'),
            '\u{ff01}'..='\u{ff5e}' => {
                plain.push(char::from_u32(u32::from(c) - 0xfee0).unwrap_or(OTHER));
            }
            c if c.is_alphanumeric() => push_letter(&mut plain, c),
            _ => plain.push(OTHER),
        }
    }
    Cow::Owned(plain)
}

fn push_letter(plain: &mut String, c: char) {
    let latin = latin(c.to_lowercase().next().unwrap_or(c));
    let mut letters = latin.chars();
    match letters.next() {
        Some(first) if c.is_uppercase() => plain.push(first.to_ascii_uppercase()),
        Some(first) => plain.push(first),
        None => {}
    }
    plain.push_str(letters.as_str());
}

/// A small letter in ASCII. The soft signs of Cyrillic are silent.
fn latin(c: char) -> &'static str {
    match c {
        'а' | 'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ă' | 'ъ' => "a",
        'б' => "b",
        'ц' | 'ч' | 'ћ' | 'č' | 'ć' | 'ç' => "c",
        'д' => "d",
        'ђ' | 'đ' => "dj",
        'џ' | 'ѕ' => "dz",
        'е' | 'ё' | 'э' | 'ѐ' | 'ë' | 'é' | 'è' | 'ê' | 'ě' | 'ę' => "e",
        'ф' => "f",
        'г' | 'ğ' => "g",
        'ѓ' => "gj",
        'х' => "h",
        'и' | 'ѝ' | 'í' | 'ì' | 'î' | 'ï' | 'ı' => "i",
        'ј' | 'й' => "j",
        'я' => "ja",
        'ю' => "ju",
        'к' => "k",
        'ќ' => "kj",
        'л' | 'ł' => "l",
        'љ' => "lj",
        'м' => "m",
        'н' | 'ñ' | 'ň' => "n",
        'њ' => "nj",
        'о' | 'ö' | 'ó' | 'ò' | 'ô' | 'õ' | 'ø' | 'ő' => "o",
        'п' => "p",
        'р' | 'ř' => "r",
        'с' | 'ш' | 'š' | 'ş' | 'ș' => "s",
        'щ' => "st",
        'ß' => "ss",
        'т' | 'ț' | 'ţ' => "t",
        'у' | 'ü' | 'ú' | 'ù' | 'û' | 'ű' | 'ů' => "u",
        'в' => "v",
        'ы' | 'ý' => "y",
        'з' | 'ж' | 'ž' | 'ź' | 'ż' => "z",
        'ь' => "",
        _ => "x",
    }
}
