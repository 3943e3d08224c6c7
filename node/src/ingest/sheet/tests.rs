//! What an analyst relies on: whatever the file is, its letters and figures arrive as they stand, and what
//! cannot be read is refused with a place and a way out.

use std::io::{Cursor, Write};

use encoding_rs::{Encoding, WINDOWS_1250, WINDOWS_1251};
use flate2::{Compression, write::GzEncoder};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use super::*;

const LATIN: &str = "djelo;opština;broj\n\
    šverc čaja;Žabljak;12\n\
    krađa ćilima;Đakovica;7\n\
    vjedhje e çelësit;Pejë;3\n";
const CYRILLIC: &str = "дело;општина;број\n\
    шверц чаја;Жабљак;12\n\
    крађа ћилима;Ђаковица;7\n\
    кражба на џеб;Ѓорче Петров;3\n";

type Table = (Vec<String>, Vec<(u64, Vec<String>)>);

fn read_with(file: &[u8], options: &Options) -> Result<(String, Table), Invalid> {
    let mut sheet = Sheet::open(Box::new(file), options)?;
    let header = sheet.header().to_vec();
    let mut rows = Vec::new();
    while let Some(row) = sheet.next()? {
        assert!(row.field(usize::MAX).is_none());
        let fields = (0..row.len()).map(|at| row.field(at).unwrap().to_owned());
        rows.push((row.place(), fields.collect()));
    }
    Ok((sheet.recognised().to_owned(), (header, rows)))
}

fn read(file: &[u8]) -> (String, Table) {
    read_with(file, &Options::default()).unwrap()
}

fn refused(file: &[u8]) -> Invalid {
    read_with(file, &Options::default()).map(|(recognised, _)| recognised).unwrap_err()
}

/// What a text must come to, read by splitting it.
fn expected(text: &str) -> Table {
    let fields = |line: &str| line.split(';').map(str::to_owned).collect();
    let mut lines = text.lines();
    let header = fields(lines.next().unwrap());
    (header, (2..).zip(lines.map(fields)).collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn utf16(text: &str, mark: bool, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = mark.then_some(0xFEFF);
    mark.into_iter().chain(text.encode_utf16()).flat_map(to_bytes).collect()
}

#[test]
fn every_encoding_of_the_region_is_recognised() {
    for text in [LATIN, CYRILLIC] {
        let with_mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let legacy = if text == LATIN { WINDOWS_1250 } else { WINDOWS_1251 };
        let cases = [
            ("UTF-8", text.as_bytes().to_vec()),
            ("UTF-8", with_mark),
            ("UTF-16LE", utf16(text, true, u16::to_le_bytes)),
            ("UTF-16BE", utf16(text, true, u16::to_be_bytes)),
            ("UTF-16LE", utf16(text, false, u16::to_le_bytes)),
            ("UTF-16BE", utf16(text, false, u16::to_be_bytes)),
            (legacy.name(), legacy.encode(text).0.into_owned()),
        ];
        for (name, bytes) in cases {
            assert_eq!(read(&bytes), (format!("CSV, {name}, delimiter ;"), expected(text)));
            let packed = format!("gzip, CSV, {name}, delimiter ;");
            assert_eq!(read(&gzip(&bytes)), (packed, expected(text)), "{name}");
        }
    }
}

#[test]
fn one_word_tells_latin_from_cyrillic() {
    let cases: [(&'static Encoding, &str); 8] = [
        (WINDOWS_1250, "a;b\nŠabac;1\n"),
        (WINDOWS_1250, "a;b\nPejë;1\n"),
        (WINDOWS_1250, "a;b\nDečani – Đ. K.;1\n"),
        (WINDOWS_1250, "ČAČAK;ŽIŽA\nšećer;đ\n"),
        (WINDOWS_1251, "a;b\nШабац;1\n"),
        (WINDOWS_1251, "година;б\nx;у Нишу\n"),
        (WINDOWS_1251, "a;b\nЌустендил;1\n"),
        // Punctuation is the same in both.
        (WINDOWS_1250, "a;b\n„x“ – y;1\n"),
    ];
    for (encoding, text) in cases {
        let (bytes, _, lost) = encoding.encode(text);
        assert!(!lost);
        let (recognised, table) = read(&bytes);
        assert_eq!(recognised, format!("CSV, {}, delimiter ;", encoding.name()), "{text}");
        assert_eq!(table, expected(text));
    }
}

#[test]
fn an_encoding_that_is_told_is_taken() {
    let options = Options { encoding: Some("iso-8859-2".to_owned()), ..Options::default() };
    let (bytes, _, _) = encoding_rs::ISO_8859_2.encode(LATIN);
    let (recognised, table) = read_with(&bytes, &options).unwrap();
    assert_eq!((recognised.as_str(), table), ("CSV, ISO-8859-2, delimiter ;", expected(LATIN)));

    let options = Options { encoding: Some("latin-99".to_owned()), ..Options::default() };
    let error = read_with(b"a;b\n", &options).unwrap_err();
    assert_eq!(error.field, "encoding");
    assert!(error.detail.contains("\"latin-99\" is no encoding"), "{error}");

    // Told wrongly: refused, not replaced.
    let options = Options { encoding: Some("utf-8".to_owned()), ..Options::default() };
    let (bytes, _, _) = WINDOWS_1250.encode(LATIN);
    let error = read_with(&bytes, &options).unwrap_err();
    assert!(error.detail.contains("not UTF-8"), "{error}");
}

#[test]
fn letters_that_come_too_late_to_be_recognised_ask_for_the_encoding() {
    let mut text = "a;b\n".to_owned();
    while text.len() <= source::HEAD_BYTES {
        text += "plain;1\n";
    }
    let lines = text.lines().count();
    text += "šverc;2\n";
    let (bytes, _, _) = WINDOWS_1250.encode(&text);
    let error = refused(&bytes);
    assert!(error.detail.contains(&format!("field 1 near line {}", lines + 1)), "{error}");
    assert!(error.detail.contains("set encoding"), "{error}");
    let options = Options { encoding: Some("windows-1250".to_owned()), ..Options::default() };
    assert_eq!(read_with(&bytes, &options).unwrap().1, expected(&text));
}

#[test]
fn a_letter_across_the_end_of_the_look_is_one_letter() {
    for shift in 0..4 {
        let mut text = format!("{};b\n", "x".repeat(shift + 1));
        while text.len() < 3 * source::HEAD_BYTES {
            text += "ššč;шђ\n";
        }
        for bytes in [text.as_bytes().to_vec(), utf16(&text, false, u16::to_le_bytes)] {
            assert_eq!(read(&bytes).1, expected(&text));
        }
    }
}

#[test]
fn the_delimiter_is_recognised_outside_quotation_marks() {
    let cases = [
        ("a,b\n1,2\n", ','),
        ("a;b\n1,5;2\n", ';'),
        ("a\tb\n1\t2\n", '\t'),
        ("a|b\n1|2\n", '|'),
        ("\"x,y,z\";b\n1;2\n", ';'),
        ("\"x;\"\"y;\nz;\",b\n1,2\n", ','),
        ("total, all;b\n1;2\n", ';'),
        ("alone\n1\n", ','),
    ];
    for (text, delimiter) in cases {
        let shown = if delimiter == '\t' { "tab".to_owned() } else { delimiter.to_string() };
        let (recognised, (_, rows)) = read(text.as_bytes());
        assert_eq!(recognised, format!("CSV, UTF-8, delimiter {shown}"), "{text}");
        assert_eq!(rows.len(), 1, "{text}");
    }
    let options = Options { delimiter: Some(b','), ..Options::default() };
    let (_, (header, _)) = read_with(b"a;b,c\n", &options).unwrap();
    assert_eq!(header, ["a;b", "c"]);
    let options = Options { delimiter: Some(b'x'), ..Options::default() };
    assert_eq!(read_with(b"axb\n", &options).unwrap_err().field, "delimiter");
}

#[test]
fn excels_own_hint_is_a_line_but_no_row() {
    let (recognised, (header, rows)) = read(b"sep=;\r\na, x, y;b\r\n1;2\r\n");
    assert_eq!(recognised, "CSV, UTF-8, delimiter ;");
    assert_eq!(header, ["a, x, y", "b"]);
    assert_eq!(rows, [(3, vec!["1".to_owned(), "2".to_owned()])]);
}

#[test]
fn a_row_stands_on_the_line_where_it_begins() {
    let text = "a,b\n1,2\n\n\n\"x\ny\",3\n4,5\n,\n6,7\n8,9";
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let text = text.replace('\n', end) + last;
            let (_, (_, rows)) = read(text.as_bytes());
            let places: Vec<_> = rows.iter().map(|(place, _)| *place).collect();
            assert_eq!(places, [2, 5, 7, 9, 10], "{text:?}");
        }
    }
}

#[test]
fn fields_are_trimmed_and_rows_keep_their_length() {
    let (_, (header, rows)) = read(b" a , b,\n 1 ,2\n3,4,,\n5,6,,7\n ,\t,\n");
    assert_eq!(header, ["a", "b", ""]);
    let lens: Vec<_> = rows.iter().map(|(_, fields)| fields.len()).collect();
    assert_eq!(lens, [2, 3, 4]);
    assert_eq!(rows[0].1, ["1", "2"]);
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_not_a_gigabyte_of_field() {
    let mut text = b"a,b\n1,\"open\n".to_vec();
    text.resize(4 * 1024 * 1024, b'x');
    let error = refused(&text);
    assert_eq!(error.reason, Reason::LimitExceeded);
    assert!(error.detail.starts_with("from line 2 on"), "{error}");
}

#[test]
fn what_is_no_table_is_named() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "is empty"),
        (b"\n\n \n", "is empty"),
        (b"\xd0\xcf\x11\xe0 old", "old Excel file"),
        (b"\x00\x01\x00\x00\x01\x00", "zero bytes"),
        (b"[ {\"a\": 1} ]", "one JSON list"),
        (b"PK\x03\x04 not really", "damaged"),
        (b"{\n\"a\": 1\n}\n", "line 1: is not one JSON object"),
        (b"%PDF-1.7\n\x00\x01\x02\x00\x00\x03", "zero bytes"),
    ];
    for (file, said) in cases {
        let error = refused(file);
        assert_eq!(error.reason, Reason::ImportUnreadable);
        assert!(error.detail.contains(said), "{error}");
    }
    let mut parts = zip::ZipWriter::new(Cursor::new(Vec::new()));
    parts.start_file("table.csv", stored()).unwrap();
    parts.write_all(b"a,b\n").unwrap();
    let error = refused(parts.finish().unwrap().get_ref());
    assert!(error.detail.contains("ZIP file but no XLSX"), "{error}");
    let wide = vec!["c"; IMPORT_COLUMNS_MAX + 1].join(",");
    assert_eq!(refused(wide.as_bytes()).reason, Reason::LimitExceeded);
}

#[test]
fn a_gzip_bomb_is_refused_and_not_held() {
    let bomb = gzip(&"a,b\n".repeat(1_000_000).into_bytes());
    assert!(bomb.len() < 40_000);
    let options = Options { decoded_bytes_max: 2_000_000, ..Options::default() };
    let error = read_with(&bomb, &options).unwrap_err();
    assert_eq!(error.reason, Reason::LimitExceeded);
    assert!(error.detail.contains("more than 2000000 bytes"), "{error}");
    let options = Options { decoded_bytes_max: 4_000_000, ..Options::default() };
    assert_eq!(read_with(&bomb, &options).unwrap().1.1.len(), 999_999);
    assert!(refused(&gzip(&bomb)).detail.contains("gzip inside gzip"));
}

#[test]
fn a_gzip_file_that_is_cut_or_damaged_says_so() {
    // Figures that hardly pack, so that the cut lies past the beginning.
    let mut seed = 7_u64;
    let text: String = (0..20_000).map(|_| format!("{},1\n", next(&mut seed))).collect();
    let whole = gzip(text.as_bytes());
    for cut in [whole.len() - 1, whole.len() - 9, whole.len() / 2, 30, 11] {
        let error = refused(&whole[..cut]);
        assert!(error.detail.contains("cut off before its end"), "{cut}: {error}");
        assert_eq!(error.reason, Reason::ImportUnreadable);
    }
    let mut damaged = whole;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xFF);
    let error = refused(&damaged);
    assert!(error.detail.contains("damaged"), "{error}");
}

#[test]
fn json_lines_keep_their_figures_and_may_leave_out_keys() {
    let text = "\u{feff}{\"opština\": \"Žabljak\", \"n\": 1.10, \"ok\": true, \"x\": null}\n\
        \n\
        {\"n\": 12345678901234567890.5, \"op\\u0161tina\": \" \\u010dvor \\\"1\\\" \"}\r\n\
        {\"x\": -0.0e3}";
    let (recognised, (header, rows)) = read(text.as_bytes());
    assert_eq!(recognised, "JSON Lines, UTF-8");
    assert_eq!(header, ["opština", "n", "ok", "x"]);
    let rows: Vec<_> = rows.iter().map(|(place, row)| (*place, row.join("|"))).collect();
    let expected =
        [(1, "Žabljak|1.10|true|"), (3, "čvor \"1\"|12345678901234567890.5||"), (4, "|||-0.0e3")];
    assert_eq!(rows, expected.map(|(place, row)| (place, row.to_owned())));
}

#[test]
fn json_lines_name_line_and_key() {
    let cases = [
        ("{\"b\": 1}", "line 2: key \"b\" is not in the first object"),
        ("{\"a\": [1]}", "line 2: key \"a\" holds a list or an object"),
        ("{\"a\": {\"x\": 1}}", "line 2: key \"a\" holds a list or an object"),
        ("{\"a\": 1, \"a\": 2}", "line 2: key \"a\" stands twice"),
        ("{\"a\": 1, \" \\u0061\": 2}", "line 2: key \"a\" stands twice"),
        ("{\"a\": 1} {\"a\": 2}", "line 2: is not one JSON object"),
        ("{\"a\": 01}", "line 2: is not one JSON object"),
        ("{\"a\": \"\\ud800\"}", "line 2: "),
        ("a,b", "line 2: is not one JSON object"),
    ];
    for (line, said) in cases {
        let error = refused(format!("{{\"a\": 1}}\n{line}\n").as_bytes());
        assert!(error.detail.starts_with(said), "{line}: {error}");
    }
    let error = refused(b"{\"a\": 1, \"a\": 2}\n");
    assert!(error.detail.starts_with("line 1: key \"a\" stands twice"), "{error}");
    let deep = format!("{{\"a\": {}", "[".repeat(500_000));
    assert!(refused(deep.as_bytes()).detail.contains("line 1"));
    let keys: Vec<_> = (0..=IMPORT_COLUMNS_MAX).map(|at| format!("\"{at}\": 1")).collect();
    let error = refused(format!("{{{}}}", keys.join(", ")).as_bytes());
    assert_eq!(error.reason, Reason::LimitExceeded);
}

/// A workbook as offices make them: a title, an empty row, the header in the second column, notes below.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let date = Format::new().set_num_format("dd.mm.yyyy");
    let time = Format::new().set_num_format("hh:mm");
    book.add_worksheet().set_name("Naslov").unwrap().write_string(0, 0, "Izvještaj").unwrap();
    let sheet = book.add_worksheet().set_name("Zaplene").unwrap();
    sheet.write_string(0, 0, "Заплене 2016").unwrap();
    for (column, name) in (1..).zip(["djelo", " broj ", "dan", "ok", "greška"]) {
        sheet.write_string(2, column, name).unwrap();
    }
    sheet.write_string(3, 1, "šverc ").unwrap();
    sheet.write_number(3, 2, 12.0).unwrap();
    let day = ExcelDateTime::from_ymd(2016, 5, 1).unwrap();
    sheet.write_datetime_with_format(3, 3, &day, &date).unwrap();
    sheet.write_boolean(3, 4, true).unwrap();
    sheet.write_formula(3, 5, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write_string(5, 1, "крађа").unwrap();
    sheet.write_number(5, 2, 0.1).unwrap();
    let hour = ExcelDateTime::from_ymd(2016, 5, 1).unwrap().and_hms(13, 30, 0).unwrap();
    sheet.write_datetime_with_format(5, 3, &hour, &date).unwrap();
    sheet.write_boolean(5, 4, false).unwrap();
    sheet.write_number(6, 2, 1.5e21).unwrap();
    sheet.write_number_with_format(6, 3, 0.25, &time).unwrap();
    sheet.write_string(6, 6, "past the header").unwrap();
    sheet.write_number(7, 2, -1e-7).unwrap();
    sheet.write_string(9, 1, "  ").unwrap();
    sheet.write_blank(10, 2, &date).unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn a_workbook_arrives_as_it_is_seen() {
    let (recognised, (header, rows)) = read(&workbook());
    assert_eq!(recognised, "XLSX, sheet Zaplene, header row 3");
    assert_eq!(header, ["", "djelo", "broj", "dan", "ok", "greška"]);
    let rows: Vec<_> = rows.iter().map(|(place, row)| (*place, row.join("|"))).collect();
    let expected = [
        (4, "|šverc|12|2016-05-01|true|#DIV/0!"),
        (6, "|крађа|0.1|2016-05-01T13:30:00|false|"),
        (7, "||1500000000000000000000|0.25|||past the header"),
        (8, "||-0.0000001|||"),
    ];
    assert_eq!(rows, expected.map(|(place, row)| (place, row.to_owned())));
    let (recognised, (again, _)) = read(&gzip(&workbook()));
    assert_eq!((recognised.as_str(), again), ("gzip, XLSX, sheet Zaplene, header row 3", header));
}

#[test]
fn the_sheet_that_is_meant_is_read() {
    let mut book = Workbook::new();
    for name in ["first", "empty", "Data"] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        if name != "empty" {
            sheet.write_string(0, 0, name).unwrap().write_string(0, 1, "b").unwrap();
        }
    }
    let bytes = book.save_to_buffer().unwrap();
    assert_eq!(read(&bytes).0, "XLSX, sheet Data, header row 1");
    let told = |name: &str| {
        read_with(&bytes, &Options { sheet: Some(name.to_owned()), ..Options::default() })
    };
    assert_eq!(told("first").unwrap().1.0, ["first", "b"]);
    let error = told("empty").unwrap_err();
    assert!(error.detail.contains("sheet \"empty\": no row with at least 2 texts"), "{error}");
    let error = told("third").unwrap_err();
    assert!(
        error.detail.contains("no sheet \"third\", only \"first\", \"empty\", \"Data\""),
        "{error}"
    );
}

/// Unpacked, since packing without optimisation is what takes long here.
fn stored() -> zip::write::SimpleFileOptions {
    zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored)
}

/// A workbook whose parts are what the test says.
fn parts(changed: &[(&str, &str)]) -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().write_string(0, 0, "a").unwrap().write_string(0, 1, "b").unwrap();
    with_parts(&book.save_to_buffer().unwrap(), changed)
}

fn with_parts(book: &[u8], changed: &[(&str, &str)]) -> Vec<u8> {
    let mut whole = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut made = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..whole.len() {
        let mut part = whole.by_index(at).unwrap();
        let name = part.name().unwrap().into_owned();
        made.start_file(&name, stored()).unwrap();
        match changed.iter().find(|(changed, _)| *changed == name) {
            Some((_, text)) => made.write_all(text.as_bytes()).unwrap(),
            None => drop(std::io::copy(&mut part, &mut made).unwrap()),
        }
    }
    made.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_is_not_believed_about_its_size() {
    assert_eq!(read(&parts(&[])).1.0, ["a", "b"]);
    // Announced texts, for which the reader would set room aside.
    let text = "<sst xmlns=\"http://x\" uniqueCount=\"99999999999999\"><si><t>a</t></si></sst>";
    assert_eq!(refused(&parts(&[("xl/sharedStrings.xml", text)])).reason, Reason::LimitExceeded);
    let far = " ".repeat(70_000);
    let text = format!("<sst uniqueCount={far}\"99999999999999\"></sst>");
    assert_eq!(refused(&parts(&[("xl/sharedStrings.xml", &text)])).reason, Reason::LimitExceeded);
    // A style sheet of nine megabytes.
    let text = format!("<styleSheet>{}</styleSheet>", " ".repeat(9 << 20));
    let error = refused(&parts(&[("xl/styles.xml", &text)]));
    assert!(error.detail.contains("too big unpacked"), "{error}");
    // A cell in the far corner takes no room between.
    let sheet = |cells: &str| format!("<worksheet><sheetData>{cells}</sheetData></worksheet>");
    let header =
        "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>a</v></c><c r=\"B1\" t=\"str\"><v>b</v></c></row>";
    let corner = |cell: &str| sheet(&format!("{header}<row><c r=\"{cell}\"><v>1</v></c></row>"));
    let part = "xl/worksheets/sheet1.xml";
    let error = refused(&parts(&[(part, &corner("XFD1048576"))]));
    assert_eq!(error.reason, Reason::LimitExceeded);
    assert!(error.detail.contains("row 1048576, column 16384"), "{error}");
    let (_, (_, rows)) = read(&parts(&[(part, &corner("A1048576"))]));
    assert_eq!(rows, [(1_048_576, vec!["1".to_owned(), String::new()])]);
    let back = sheet(&format!("<row r=\"5\"><c r=\"A5\"><v>1</v></c></row>{header}"));
    assert!(refused(&parts(&[(part, &back)])).detail.contains("out of order"));
    // Places that the parser counts with unchecked: a refusal or a far place, never a panic.
    let _ = read_with(&parts(&[(part, &corner("A4294967296"))]), &Options::default());
    let inverted = sheet(header).replace("<sheetData>", "<dimension ref=\"B2:A1\"/><sheetData>");
    let _ = read_with(&parts(&[(part, &inverted)]), &Options::default());
}

#[test]
fn a_workbook_that_is_cut_says_so() {
    let whole = workbook();
    for cut in [whole.len() - 1, whole.len() / 2, 40, 5] {
        assert!(refused(&whole[..cut]).detail.contains("damaged"), "{cut}");
    }
}

/// A generator that needs no system: xorshift.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn below(seed: &mut u64, bound: usize) -> usize {
    usize::try_from(next(seed) % bound as u64).unwrap()
}

fn byte(seed: &mut u64) -> u8 {
    next(seed).to_le_bytes()[1]
}

/// Where the generator begins; said, so that a failure can be had again.
fn seed() -> u64 {
    let seed = std::env::var("ACCORD_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(0x5EED_2016);
    println!("ACCORD_SEED={seed}");
    seed
}

/// `ACCORD_ROUNDS=100` tries a hundred times as much.
fn rounds(usual: usize) -> usize {
    let times = std::env::var("ACCORD_ROUNDS").ok().and_then(|times| times.parse().ok());
    usual * times.unwrap_or(1)
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seed = seed();
    let beginnings: [&[u8]; 9] = [
        b"",
        b"a;b\n",
        b"{\"a\":1}\n{",
        b"PK\x03\x04",
        b"\x1f\x8b\x08\0\0\0\0\0\0\0",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"sep=",
    ];
    let alphabet = b"\",;\t|\n\r{}[]:\\u0a1 \x00\xff\xd8\xc8\xe8";
    for round in 0..rounds(3_000) {
        let mut file = beginnings[round % beginnings.len()].to_vec();
        for _ in 0..next(&mut seed) % 300 {
            let from_alphabet = alphabet[below(&mut seed, alphabet.len())];
            file.push(if round % 2 == 0 { from_alphabet } else { byte(&mut seed) });
        }
        drop(read_with(&file, &Options::default()));
    }
    let whole = [workbook(), gzip(LATIN.as_bytes()), gzip(&workbook())];
    for round in 0..rounds(300) {
        let mut file = whole[round % whole.len()].clone();
        for _ in 0..1 + next(&mut seed) % 4 {
            let at = below(&mut seed, file.len());
            file[at] = byte(&mut seed);
        }
        drop(read_with(&file, &Options::default()));
    }
}

/// Behind the checksums of a ZIP the parser sees only what was packed: so what is packed is changed.
#[test]
fn no_sheet_makes_it_panic() {
    let mut seed = seed();
    let sheet = "<worksheet><dimension ref=\"A1:B2\"/><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c>\
        <c r=\"B1\" t=\"inlineStr\"><is><t>b</t></is></c></row><row r=\"2\"><c r=\"A2\" s=\"1\" t=\"n\"><v>1e5</v></c>\
        <c r=\"B2\" t=\"e\"><v>#REF!</v></c><c t=\"d\"><v>2016-05-01</v></c></row></sheetData></worksheet>";
    let book = workbook();
    let text_of = |name: &str| {
        let mut whole = zip::ZipArchive::new(Cursor::new(&book)).unwrap();
        let mut text = String::new();
        whole.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let mut texts = vec![("xl/worksheets/sheet2.xml", sheet.to_owned())];
    for name in [
        "_rels/.rels",
        "xl/_rels/workbook.xml.rels",
        "xl/sharedStrings.xml",
        "xl/styles.xml",
        "xl/workbook.xml",
        "xl/worksheets/sheet2.xml",
    ] {
        texts.push((name, text_of(name)));
    }
    for round in 0..rounds(210) {
        let (name, text) = &texts[round % texts.len()];
        let mut changed = text.as_bytes().to_vec();
        for _ in 0..1 + next(&mut seed) % 4 {
            let at = below(&mut seed, changed.len());
            changed[at] = b"0123456789ABs\"<>/=+-.e# &;"[below(&mut seed, 26)];
        }
        // Letters past ASCII that were cut through are no concern of this test.
        let changed = String::from_utf8_lossy(&changed);
        drop(read_with(&with_parts(&book, &[(*name, &changed)]), &Options::default()));
    }
}

/// `ACCORD_TIME=1 cargo test --release -p accord-node --lib a_million_rows -- --nocapture` says how fast.
#[test]
fn a_million_rows_are_read_one_by_one() {
    let timed = std::env::var_os("ACCORD_TIME").is_some();
    let count: u64 = if timed { 1_000_000 } else { 20_000 };
    let mut text = "indicator;crime;period;region;value;flag\n".to_owned();
    let mut seed = 1_u64;
    for _ in 0..count {
        let n = next(&mut seed);
        let (crime, year, value) = (n % 900 + 100, 2008 + n % 16, n % 5_000);
        text += &format!("PUB.OFF.N;ICCS0{crime};{year};Šumadija;{value};A\n");
    }
    let (legacy, _, _) = WINDOWS_1250.encode(&text);
    let packed = gzip(text.as_bytes());
    for (name, file) in [("UTF-8", text.as_bytes()), ("windows-1250", &legacy), ("gzip", &packed)] {
        let begin = std::time::Instant::now();
        let mut sheet = Sheet::open(Box::new(file), &Options::default()).unwrap();
        let (mut rows, mut bytes) = (0_u64, 0_usize);
        while let Some(row) = sheet.next().unwrap() {
            bytes += (0..row.len()).filter_map(|at| row.field(at)).map(str::len).sum::<usize>();
            rows += 1;
        }
        assert_eq!(rows, count);
        if timed {
            let took = begin.elapsed().as_nanos() / u128::from(rows);
            println!("{name}: {took} ns a row of 6 fields, {bytes} bytes");
        }
    }
}
