//! What the guard catches, what it must leave alone, and how often it is wrong on real data. Every number
//! is computed here from made-up parts; no name is meant to be anybody's.

use std::{path::PathBuf, time::Instant};

use super::*;

/// A citizen number with its check digit.
fn citizen(head: &str) -> String {
    let sum: u32 = head
        .bytes()
        .zip([7, 6, 5, 4, 3, 2].into_iter().cycle())
        .map(|(d, w)| u32::from(d - b'0') * w)
        .sum();
    let check = match 11 - sum % 11 {
        check @ 1..=9 => check,
        _ => 0,
    };
    format!("{head}{check}")
}

fn kosovo(head: &str) -> String {
    let weights = [4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum: u32 = head.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    let check = match 11 - sum % 11 {
        check @ 1..=9 => check,
        _ => 0,
    };
    format!("{head}{check}")
}

fn albanian(head: &str) -> String {
    let letters = "WABCDEFGHIJKLMNOPQRSTUV";
    let value = |c: char| match c.to_digit(10) {
        Some(digit) => digit as usize,
        None => letters.find(c).unwrap(),
    };
    let sum: usize = head.chars().enumerate().map(|(at, c)| at.max(1) * value(c)).sum();
    format!("{head}{}", letters.as_bytes()[sum % 23] as char)
}

/// An IBAN with its check digits.
fn iban(country: &str, account: &str) -> String {
    let digits: String = format!("{account}{country}00")
        .chars()
        .map(|c| c.to_digit(36).unwrap().to_string())
        .collect();
    let rest = digits.bytes().fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("{country}{:02}{account}", 98 - rest)
}

/// With a separator after so many characters each.
fn grouped(text: &str, sizes: &[usize], separator: &str) -> String {
    let mut rest = text;
    let mut parts = Vec::new();
    for size in sizes {
        let (part, after) = rest.split_at((*size).min(rest.len()));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts.retain(|part| !part.is_empty());
    parts.join(separator)
}

#[track_caller]
fn all_are(kind: Personal, texts: &[String]) {
    for text in texts {
        assert_eq!(in_text(text), Some(kind), "{text}");
        assert_eq!(in_text(&format!("Sipas burimit, {text}.")), Some(kind), "{text} in a sentence");
    }
}

#[track_caller]
fn all_are_identifiers(kind: Personal, texts: &[String]) {
    for text in texts {
        assert_eq!(in_identifier(text), Some(kind), "{text}");
    }
}

#[track_caller]
fn none_are(texts: &[&str]) {
    for text in texts {
        assert_eq!(in_text(text), None, "{text}");
        assert_eq!(in_text(&format!("Sipas burimit, {text}.")), None, "{text} in a sentence");
        assert_eq!(in_identifier(text), None, "{text} as an identifier");
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn citizen_numbers_are_found_however_they_are_written() {
    let regions = ["10", "21", "41", "71", "80", "91", "06"];
    let mut numbers: Vec<_> =
        regions.iter().map(|region| citizen(&format!("0101900{region}000"))).collect();
    numbers.push(citizen("2902000715999"[..12].into()));
    all_are_identifiers(Personal::NationalNumber, &numbers);
    let one = numbers[0].clone();
    numbers.extend([
        grouped(&one, &[7, 2, 3], " "),
        grouped(&one, &[2, 2, 3, 2, 3], " "),
        grouped(&one, &[6, 3], "-"),
        format!("JMBG:{one}"),
        format!("JMBG{one}"),
        format!("ЈМБГ {one}"),
        grouped(&one, &[7, 2], "\u{a0}"),
    ]);
    all_are(Personal::NationalNumber, &numbers);
}

#[test]
fn a_citizen_number_with_a_wrong_part_is_only_a_number() {
    let right = citizen("010190010000");
    let last = right.as_bytes()[12] - b'0';
    let wrong = format!("{}{}", &right[..12], (last + 1) % 10);
    none_are(&[
        &wrong,
        &citizen("310290010000"), // 31 February
        &citizen("011390010000"), // month 13
        &citizen("010150010000"), // year 1500 or 2500
        &citizen("010190055000"), // a region never given out
        &citizen("420001234000"), // a company's number, BA
        &format!("{right}7"),     // fourteen digits
        &format!("0.{right}"),    // decimals
    ]);
}

#[test]
fn albanian_numbers_are_found_by_date_and_control_letter() {
    // Men, women, foreigners; made up for days on which nobody's number can stand: serial 000.
    let heads = ["A00101000", "A05101000", "A03101000", "A08101000", "T90228000", "K00229000"];
    let numbers: Vec<_> = heads.iter().map(|head| albanian(head)).collect();
    all_are(Personal::NationalNumber, &numbers);
    all_are_identifiers(Personal::NationalNumber, &numbers);
    all_are(Personal::NationalNumber, &[numbers[0].to_lowercase()]);
    none_are(&["A00101000B", &albanian("A00230000"), &albanian("A01301000"), "U00101000A"]);
}

#[test]
fn kosovo_numbers_count_by_check_digit_or_by_the_words_before() {
    let number = kosovo("100000001");
    let last = number.as_bytes()[9] - b'0';
    let wrong = format!("{}{}", &number[..9], (last + 1) % 10);
    all_are(Personal::NationalNumber, std::slice::from_ref(&number));
    all_are(Personal::NationalNumber, &[format!("numri personal: {wrong}")]);
    all_are(Personal::NationalNumber, &[format!("Lični broj {wrong}")]);
    assert_eq!(in_text(&wrong), None);
    // Ten digits are a case number: no import of numbered cases may fail for one in eleven of them.
    assert_eq!(in_identifier(&number), None);
    none_are(&["2016000123", "1999000126", "1500000000", "0441234567", "1600000001.5"]);
}

#[test]
fn ibans_are_found_by_length_and_check_digits() {
    let ibans = [
        iban("AL", "000000000000000000000000"),
        iban("BA", "0000000000000000"),
        iban("XK", "0000000000000000"),
        iban("ME", "000000000000000000"),
        iban("MK", "00000000000000A"[..15].into()),
        iban("RS", "000000000000000000"),
        iban("DE", "000000000000000000"),
    ];
    for iban in &ibans {
        let spaced = grouped(iban, &[4; 8], " ");
        all_are(Personal::Iban, &[iban.clone(), spaced.clone(), iban.to_lowercase()]);
        all_are_identifiers(Personal::Iban, &[iban.clone(), spaced]);
    }
    // A country that the guard has no length for.
    let elsewhere = iban("ZZ", "0000000000000001");
    assert_eq!(in_text(&elsewhere), Some(Personal::Iban));
    assert_eq!(in_identifier(&elsewhere), None);
    let cut = &ibans[5][..21];
    none_are(&[cut, "RS00ABCDEFABCDEFABCDEF", "AL99111111111111111111111111"]);
}

#[test]
fn plates_are_found_with_their_separators() {
    let plates = owned(&[
        "AA 123 AA",
        "AB-001-ZZ",
        "A12-K-345",
        "01-234-AB",
        "07 999-ZZ",
        "PG AB123",
        "BR-AB123",
        "SK 1234 AB",
        "ŠT 123-AB",
        "BG 123-AB",
        "BG 1234-AB",
        "NS-123-XX",
        "НИ 1234-АБ",
    ]);
    all_are(Personal::Plate, &plates);
    all_are_identifiers(Personal::Plate, &plates);
    all_are_identifiers(Personal::Plate, &owned(&["AA123AA", "pgab123", "BG1234AB", "A12K345"]));
    none_are(&[
        "EU 2016-HR",
        "SK 2016 EU",
        "UN 100 XY",
        "08-234-AB",
        "A12-B-345",
        "ZZ 123 ZZ",
        "1-234-AB",
        "12-345-AB",
        "BG 123-AB-7",
        "AA 123",
        "01234AB",
    ]);
}

#[test]
fn addresses_are_found() {
    let mails = owned(&[
        "someone@example.org",
        "some.one+x@mail.example.rs",
        "a_b@example.com.al",
        "<x1@example.mk>",
        "mailto:info@example.ba",
        "njeri@shembull.example",
    ]);
    all_are(Personal::Email, &mails);
    all_are_identifiers(Personal::Email, &mails);
    none_are(&["a@b", "@handle", "5 @ 10 kg", "x@1.2", "at@", "@", "a @example.org"]);
}

#[test]
fn telephone_numbers_are_found() {
    let numbers = owned(&[
        "+383 44 123 456",
        "+38344123456",
        "0038344123456",
        "00381 11 123-4567",
        "+355 69 123 4567",
        "+387 33 123-456",
        "+382 (0)20 123 456",
        "+389 2 3123 456",
        "+49 30 1234567",
        "0049 30 1234567",
        "044/123-456",
        "044 123 456",
        "011/123-4567",
        "069 123 4567",
        "(02) 3123 456",
        "02 3123 456",
        "033/123456",
        "020/12-345",
        "tel. 067 123 456",
    ]);
    all_are(Personal::Telephone, &numbers);
    all_are_identifiers(Personal::Telephone, &numbers);
    none_are(&[
        "1 234 567",
        "12 345 678",
        "+12 345 678",
        "5 044 123 456",
        "12345678",
        "44123456",
        "0.034692336",
        "01/02/2020",
        "01.02.2020",
        "2016-03-01",
        "01.02.2020 14:30",
        "0038",
        "000123456789",
        "01/2020-06/2021",
        "012-2016-15",
        "045/12-2016",
        "1,234,567.89",
        "3.14159265358979",
        "+5 %",
        "00-24",
        "2016-044-123-456",
        "0031",
        "1990-2000",
        "2009 2010 2011 2012",
    ]);
}

#[test]
fn names_are_found_in_every_script_and_order() {
    let names = owned(&[
        "Arben Hoxha",
        "Agim Krasniqi",
        "Blerta Lekaj",
        "Gëzim Shehu",
        "Shpend Gashi",
        "Admir Hodžić",
        "Marko Marković",
        "Marko Markovic",
        "MARKO MARKOVIĆ",
        "Đorđe Đorđević",
        "Dorde Dordevic",
        "Djordje Djordjevic",
        "Марко Марковић",
        "Ѓорѓи Ѓорѓиевски",
        "Трајко Трајковски",
        "Ана Петрова",
        "Elena Stojanovska",
        "Goran Petrov",
        "Marković Marko",
        "Marković, Marko",
        "Ana-Marija Babić",
        "A. Hoxha",
        "M. Marković",
        "M.Marković",
        "J. Трајковски",
        "Marko M.",
        "Marka Markovića",
        "Marku Markoviću",
        "Mirjana Šantić",
        "Nikola Perić",
        "Nikola Petrovikj",
        "Marko\u{a0}Marko\u{ad}vić",
        "Marko  Marković",
        "Markо Markovic\u{301}",
    ]);
    for name in &names {
        assert_eq!(in_text(name), Some(Personal::Name), "{name}");
        let sentence = format!("prema izvoru je {name} dana 3. marta");
        assert_eq!(in_text(&sentence), Some(Personal::Name), "{sentence}");
    }
    all_are_identifiers(
        Personal::Name,
        &owned(&[
            "Arben Hoxha",
            "marko.markovic",
            "MARKO_MARKOVIC",
            "Марко Марковић",
            "Hoxha, Arben",
        ]),
    );
}

#[test]
fn places_offices_and_plain_words_are_no_names() {
    none_are(&[
        "Novi Sad",
        "Banja Luka",
        "Bijelo Polje",
        "Stara Pazova",
        "Sremska Mitrovica",
        "Novi Pazar",
        "Kosovska Mitrovica",
        "Herceg Novi",
        "Sveti Nikole",
        "Sveti Stefan",
        "Bajram Curri",
        "Gornji Milanovac",
        "Makedonska Kamenica",
        "Demir Kapija",
        "Bosanska Krupa",
        "Velika Plana",
        "Goce Delčev",
        "Нови Сад",
        "Бања Лука",
        "Северна Македонија",
        "Republika Srpska",
        "R. Srpska",
        "Crna Gora",
        "Fushë Kosova",
        "Ada Bojana",
        "Luka Koper",
        "Luka Bar",
        "Hani i Elezit",
        "Bosna i Hercegovina",
        "Stari Grad",
        "Nikšić",
        "Leposavić",
        "Tirana, Durrës",
        "Podgorica, Nikšić, Bar",
        "Serbia and Montenegro",
        "Criminal actors average",
        "A. Domestic violence",
        "B. Traffic offences",
        "Drug trafficking",
        "Barking and Dagenham",
        "St. James's",
        "Queen's Park",
        "Total",
        "By citizenship",
        "Policijska uprava za grad Beograd",
        "Policia e Shtetit",
        "U.S. Public Health",
        "Marko",
    ]);
}

#[test]
fn codes_periods_amounts_and_labels_are_left_alone() {
    none_are(&[
        "DRG.COC",
        "ICCS0101",
        "ICCS04012",
        "E05000026",
        "RS-HU.L",
        "RS-HU.P",
        "2016-Q3",
        "2016-03",
        "EL-AL",
        "AL",
        "XK",
        "PUB.OFF.N",
        "12.5",
        "0.0346923362200826",
        "1234567",
        "12345678",
        "1 234 567,89",
        "Rate per 100,000 population",
        "0 to 17 years",
        "RS110",
        "MK00",
        "BA 2016",
        "CASE-2016-00123",
        "KU-123/16",
        "KT 45/2016",
        "3,4-Methylenedioxymethamphetamine (MDMA)",
        "Amphetamine-type stimulants",
        "Delta-9-THC",
        "4-MMC (mephedrone)",
        "2C-B",
        "JWH-018",
        "1-(2-Chlorophenyl)piperazine",
        "alpha-PVP",
        "Heroin (other than black tar)",
        "Captagon",
        "A-PVP",
        "5F-MDMB-PINACA",
        "TLP:AMBER",
        "B2",
        "SHA-256",
        "550e8400-e29b-41d4-a716-446655440000",
        "Directive (EU) 2016/680",
        "1 January 2016 - 31 December 2016",
        "",
        " ",
        ".",
        "+",
        "@",
        "00",
        "0",
        "-",
        "A.",
        "A. B.",
        "\u{301}",
        "ё",
        "日本語",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]);
}

#[test]
fn no_text_makes_it_panic() {
    let seed = 0x9e37_79b9_7f4a_7c15_u64;
    println!("seed {seed:#x}");
    let mut state = seed;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    let parts: Vec<&str> =
        "0 00 1 44 123 4567 0101900710006 + - / . , ( ) @ _ \u{a0} \u{ad} \u{301} A B \
        AL RS XK BG PG Marko marković Đ Ѓ Љубић hoxha é 日 🚓 ﬁ İ ǆ ０１ … A0 J00101 example.org \
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 99999999999999999999999999999999999999999"
            .split_ascii_whitespace()
            .chain([" ", "  ", "\n", "\0", "\u{10ffff}"])
            .collect();
    for _ in 0..100_000 {
        let text: String = (0..next() % 12).map(|_| parts[next() % parts.len()]).collect();
        in_text(&text);
        in_identifier(&text);
        let wild: String = (0..next() % 24)
            .filter_map(|_| char::from_u32(u32::try_from(next() % 0x3_0000).unwrap()))
            .collect();
        in_text(&wild);
        in_identifier(&wild);
    }
}

#[test]
fn long_texts_take_time_in_proportion_to_their_length() {
    // Each is 256 KB of what a scan likes least; quadratic, this would run for minutes.
    for part in ["0", "1 ", "0 ", "+1", "AA00 ", "RS00 0000 ", "a@", "Marko ", "A. ", "0-", "@."] {
        in_text(&part.repeat(262_144 / part.len()));
        in_identifier(&part.repeat(262_144 / part.len()));
    }
}

#[test]
fn the_lists_are_whole() {
    name::check_lists();
    plate::check_lists();
}

/// Folders of real data, beside the workspace or where ACCORD_DATA says.
fn data() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let folder = std::env::var_os("ACCORD_DATA").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no real data at {}; set ACCORD_DATA to its folder", folder.display());
    None
}

#[test]
fn the_guard_rarely_cries_wolf_on_real_data() {
    let Some(folder) = data() else { return };
    let files = [
        "eurostat_crim_off_cat/crim_off_cat_2008_2020.csv",
        "eurostat_crim_pris_off/prisoners_by_offence_sex.csv",
        "unodc_glotip/trafficking_in_persons.csv",
        "unodc_drug_seizures/drug_seizures_2018_2021.csv",
        "unodc_cts_offences/offences_2003_2020.csv",
        "gitoc_ocindex_2021/ocindex_2021.csv",
        "police_uk_london/wards.csv",
    ];
    let mut fields = 0_u32;
    let mut alarms = std::collections::BTreeMap::<&str, Vec<String>>::new();
    for file in files {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_path(folder.join(file))
            .unwrap();
        for row in reader.records() {
            for field in &row.unwrap() {
                fields += 1;
                for (how, found) in [("text", in_text(field)), ("identifier", in_identifier(field))]
                {
                    if let Some(kind) = found {
                        alarms.entry(kind.name()).or_default().push(format!("{how}: {field}"));
                    }
                }
            }
        }
    }
    let wrong: usize = alarms.values().map(Vec::len).sum();
    let wrong = u32::try_from(wrong).unwrap();
    println!(
        "{wrong} alarms on {fields} fields, each asked twice: {:.4} %",
        f64::from(wrong) * 50.0 / f64::from(fields)
    );
    for (kind, which) in &alarms {
        println!("  {kind}: {} like {:?}", which.len(), which.first());
    }
    assert!(fields > 100_000, "only {fields} fields");
    assert!(wrong * 1000 <= fields, "{alarms:#?}");
}

/// Prints the time per call; fails only where something has gone badly wrong, on an unoptimised build too.
#[test]
fn an_identifier_is_looked_at_in_passing() {
    const CALLS: u32 = 200_000;
    for id in ["20161234", "E05000026", "DRG.COC", "CASE-2016-00123", "0123456789abcdef"] {
        let start = Instant::now();
        for _ in 0..CALLS {
            assert_eq!(in_identifier(std::hint::black_box(id)), None);
        }
        let each = start.elapsed() / CALLS;
        println!("{id}: {} ns", each.as_nanos());
        assert!(each.as_micros() < 100, "{id}: {each:?}");
    }
}
