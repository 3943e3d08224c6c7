//! Bytes of a text file in, UTF-8 out: which encoding they are in, recognised or told.
//!
//! Must never replace what it cannot read: a wrong letter in a code is a wrong code.

use std::io::{self, Read};

use accord_proto::reason::{Invalid, Reason, quoted};
use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1251};

use super::source::{HEAD_BYTES, Peeked, Stream, unreadable};

/// The stream as UTF-8, its byte order mark passed over, and the name of the encoding.
pub(super) fn decode<'a>(
    mut raw: Peeked<'a>,
    told: Option<&str>,
) -> Result<(Stream<'a>, &'static str), Invalid> {
    let mark = Encoding::for_bom(raw.head());
    let encoding = match (told, mark) {
        (Some(name), _) => named(name)?,
        (None, Some((encoding, _))) => encoding,
        (None, None) => recognise(raw.head(), raw.whole())?,
    };
    if let Some((_, bytes)) = mark.filter(|(marked, _)| *marked == encoding) {
        raw.skip(bytes);
    }
    let name = encoding.name();
    // Rows are checked to be UTF-8 when they are read; a second pass here would only cost.
    let text: Stream<'a> =
        if encoding == UTF_8 { Box::new(raw) } else { Box::new(Decoding::new(raw, encoding)) };
    Ok((text, name))
}

fn named(name: &str) -> Result<&'static Encoding, Invalid> {
    Encoding::for_label_no_replacement(name.as_bytes()).ok_or_else(|| {
        let detail = format!(
            "{} is no encoding; name one such as utf-8, utf-16le, windows-1250, windows-1251 or iso-8859-2",
            quoted(name)
        );
        Invalid::new(Reason::ImportUnreadable, "encoding", detail)
    })
}

/// Without a mark: zero bytes tell UTF-16, then what is valid UTF-8 is UTF-8, and letters tell the rest.
fn recognise(head: &[u8], whole: bool) -> Result<&'static Encoding, Invalid> {
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    match (zeros(0), zeros(1)) {
        (0, 0) => {}
        // Separators, digits and line ends have a zero half, whatever the letters are.
        (0, _) => return Ok(UTF_16LE),
        (_, 0) => return Ok(UTF_16BE),
        (_, _) => {
            return Err(unreadable(
                "holds zero bytes, so it is no table of text; save it as CSV or XLSX",
            ));
        }
    }
    match std::str::from_utf8(head) {
        Ok(_) => Ok(UTF_8),
        // The last letter is cut by where the look ends.
        Err(error) if error.error_len().is_none() && !whole => Ok(UTF_8),
        Err(_) => Ok(latin_or_cyrillic(head)),
    }
}

/// Windows-1250 (Latin) or windows-1251 (Cyrillic)?
///
/// Both write their letters as bytes from 0x80 on, so no byte decides. Words do: a Cyrillic word is a run
/// of such bytes alone, while Latin words have a single one among ASCII letters (š đ č ć ž in five
/// languages; ë ç in Albanian, at the same places as in windows-1252). Each word votes with the letters
/// that make its case; where nothing decides, the two encodings share their punctuation.
fn latin_or_cyrillic(text: &[u8]) -> &'static Encoding {
    let (mut latin, mut cyrillic) = (0_usize, 0_usize);
    let words = text.split(|byte| !(byte.is_ascii_alphabetic() || is_letter(*byte)));
    for word in words {
        let high = word.iter().filter(|byte| !byte.is_ascii()).count();
        if high == 0 {
            continue;
        }
        if high < word.len() {
            latin += word.iter().filter(|byte| is_latin_of_the_region(**byte)).count();
        } else if high > 1 {
            cyrillic += high;
        }
    }
    if cyrillic > latin { WINDOWS_1251 } else { WINDOWS_1250 }
}

/// A letter in windows-1250 or windows-1251; what is left are signs, alike in both.
fn is_letter(byte: u8) -> bool {
    matches!(
        byte,
        0xC0.. | 0x80 | 0x81 | 0x83 | 0x8A | 0x8C..=0x90 | 0x9A | 0x9C..=0x9F | 0xA3 | 0xA5 | 0xAA
            | 0xAF | 0xB2..=0xB4 | 0xB8..=0xBA | 0xBC..=0xBF
    )
}

/// Š Ž š ž Ć Č Đ ć č đ Ç Ë ç ë Ö Ü ö ü in windows-1250.
fn is_latin_of_the_region(byte: u8) -> bool {
    matches!(
        byte,
        0x8A | 0x8E
            | 0x9A
            | 0x9E
            | 0xC6
            | 0xC8
            | 0xD0
            | 0xE6
            | 0xE8
            | 0xF0
            | 0xC7
            | 0xCB
            | 0xE7
            | 0xEB
            | 0xD6
            | 0xDC
            | 0xF6
            | 0xFC
    )
}

/// Decodes as it is read.
struct Decoding<'a> {
    raw: Peeked<'a>,
    decoder: encoding_rs::Decoder,
    input: Vec<u8>,
    /// What of `input` is not decoded yet.
    open: std::ops::Range<usize>,
    ended: bool,
    output: Vec<u8>,
    /// What of `output` is not handed out yet.
    ready: std::ops::Range<usize>,
}

impl<'a> Decoding<'a> {
    fn new(raw: Peeked<'a>, encoding: &'static Encoding) -> Self {
        Self {
            raw,
            decoder: encoding.new_decoder_without_bom_handling(),
            input: vec![0; HEAD_BYTES],
            open: 0..0,
            ended: false,
            // Room for the longest UTF-8 that the input can become: a step always gets on.
            output: vec![0; 3 * HEAD_BYTES + 16],
            ready: 0..0,
        }
    }

    /// Decodes the next piece into the empty output. False at the end.
    fn step(&mut self) -> io::Result<bool> {
        if self.open.is_empty() {
            if self.ended {
                return Ok(false);
            }
            let got = self.raw.read(&mut self.input)?;
            self.open = 0..got;
            self.ended = got == 0;
        }
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.input[self.open.clone()],
            &mut self.output,
            self.ended,
        );
        self.open.start += read;
        self.ready = 0..written;
        match result {
            DecoderResult::InputEmpty | DecoderResult::OutputFull => Ok(true),
            DecoderResult::Malformed(..) => {
                let name = self.decoder.encoding().name();
                let detail = format!("is not {name} throughout; set encoding to what it is");
                Err(io::Error::other(unreadable(detail)))
            }
        }
    }
}

impl Read for Decoding<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() {
            if !self.step()? {
                return Ok(0);
            }
        }
        let got = (&self.output[self.ready.clone()]).read(out)?;
        self.ready.start += got;
        Ok(got)
    }
}
