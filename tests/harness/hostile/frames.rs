//! HTTP/2 written by hand (RFC 9113, RFC 7541). Comes in: what a frame says. Goes out: its bytes, also such as no library sends.
//! Field lines are literals without index and without Huffman's code: whoever writes them needs no table.

/// What a client says first.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const INITIAL_WINDOW_SIZE: u16 = 0x4;
const CANCEL: u32 = 0x8;

const NOTHING: u8 = 0;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    [length.as_slice(), &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The number of the `at`th stream of a client.
pub(super) fn stream(at: u32) -> u32 {
    2 * at + 1
}

/// The preface, and how much of a reply may come before more is asked for.
pub(super) fn greeting(window: u32) -> Vec<u8> {
    let setting = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &window.to_be_bytes()].concat();
    [PREFACE, &frame(SETTINGS, NOTHING, 0, &setting)].concat()
}

pub(super) fn settings() -> Vec<u8> {
    frame(SETTINGS, NOTHING, 0, &[])
}

pub(super) fn ping() -> Vec<u8> {
    frame(PING, NOTHING, 0, b"anybody?")
}

/// More of the replies may come; 0 is an error of the stream, which the server has to reset.
pub(super) fn window(stream: u32, more: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, NOTHING, stream, &more.to_be_bytes())
}

/// The field lines of a call.
pub(super) fn fields(path: &str) -> Vec<u8> {
    let lines = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "node.invalid"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ];
    lines.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// One field line; neither part may have more than 126 bytes.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len()).unwrap_or_default();
        [&[length], text.as_bytes()].concat()
    };
    [vec![0], text(name), text(value)].concat()
}

/// A call begins, and its body comes later.
pub(super) fn headers(stream: u32, fields: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, fields)
}

/// A call begins, and not even its field lines are complete.
pub(super) fn headers_begin(stream: u32, fields: &[u8]) -> Vec<u8> {
    frame(HEADERS, NOTHING, stream, fields)
}

/// … and go on, and are not complete.
pub(super) fn continuation(stream: u32, fields: &[u8]) -> Vec<u8> {
    frame(CONTINUATION, NOTHING, stream, fields)
}

/// Some of a body.
pub(super) fn data(stream: u32, bytes: &[u8]) -> Vec<u8> {
    frame(DATA, NOTHING, stream, bytes)
}

/// A whole call: its field lines, and a message of gRPC.
pub(super) fn call(stream: u32, fields: &[u8], message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or_default().to_be_bytes();
    let body = [&[0], length.as_slice(), message].concat();
    [headers(stream, fields), frame(DATA, END_STREAM, stream, &body)].concat()
}

/// Never mind.
pub(super) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, NOTHING, stream, &CANCEL.to_be_bytes())
}
