//! Words as they are compared: lower case, without diacritics, in Latin script. Text in, words out.
//!
//! Serbian and Macedonian are read letter by letter into Latin, then lose their diacritics like any other:
//! "Кријумчарење", "krijumčarenje" and "KRIJUMCARENJE" are one word.

/// The words of a text.
pub(super) fn fold(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        match plain(letter) {
            Some(latin) => word.push_str(latin),
            // A combining mark, as in "s" + "ˇ", belongs to the letter before it.
            None if ('\u{300}'..='\u{36f}').contains(&letter) => {}
            None if letter.is_alphanumeric() => word.push(letter),
            None if word.is_empty() => {}
            None => words.push(std::mem::take(&mut word)),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// What a lower-case letter is written as; none for a letter that stays, and for what is no letter.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        // Cyrillic, as in Serbian and Macedonian.
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' => "g",
        'д' => "d",
        'ђ' => "dj",
        'ѓ' => "gj",
        'е' | 'ѐ' => "e",
        'ж' | 'з' => "z",
        'ѕ' | 'џ' => "dz",
        'и' | 'ѝ' => "i",
        'ј' => "j",
        'к' => "k",
        'л' => "l",
        'љ' => "lj",
        'м' => "m",
        'н' => "n",
        'њ' => "nj",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' | 'ш' => "s",
        'т' => "t",
        'ћ' | 'ц' | 'ч' => "c",
        'ќ' => "kj",
        'у' => "u",
        'ф' => "f",
        'х' => "h",
        // Latin, as in the languages of the region and their neighbours.
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ă' => "a",
        'č' | 'ć' | 'ç' => "c",
        'đ' => "dj",
        'ǆ' => "dz",
        'é' | 'è' | 'ê' | 'ë' => "e",
        'ǵ' => "gj",
        'í' | 'ì' | 'î' | 'ï' => "i",
        'ḱ' => "kj",
        'ǉ' => "lj",
        'ǌ' => "nj",
        'ñ' | 'ń' => "n",
        'ó' | 'ò' | 'ô' | 'ö' | 'ő' | 'õ' => "o",
        'š' | 'ś' | 'ș' | 'ş' => "s",
        'ț' | 'ţ' => "t",
        'ú' | 'ù' | 'û' | 'ü' | 'ű' => "u",
        'ž' | 'ź' => "z",
        'ß' => "ss",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_is_one_word_in_every_spelling() {
        for (spellings, folded) in [
            (
                vec!["Кријумчарење", "krijumčarenje", "KRIJUMCARENJE", "krijumc\u{30c}arenje"],
                "krijumcarenje",
            ),
            (vec!["Шверц", "šverc", "Sverc"], "sverc"),
            (vec!["Џеп", "džep", "ǆep"], "dzep"),
            (vec!["Ђаво", "đavo", "djavo"], "djavo"),
            (vec!["Ѓорче", "ǵorče", "Gjorce"], "gjorce"),
            (vec!["Љубљана", "Ljubljana", "ǈubǉana"], "ljubljana"),
            (vec!["trafikimi", "Trafikimi"], "trafikimi"),
            (vec!["vjedhje në", "VJEDHJE NE"], "vjedhje ne"),
            (vec!["çështje", "CESHTJE"], "ceshtje"),
        ] {
            for spelling in spellings {
                assert_eq!(fold(spelling).join(" "), folded, "{spelling}");
            }
        }
    }

    #[test]
    fn words_end_where_letters_end() {
        assert_eq!(
            fold("  Heroin-route, 2026/H1 (north)… "),
            ["heroin", "route", "2026", "h1", "north"]
        );
        assert_eq!(fold("—"), Vec::<String>::new());
    }
}
