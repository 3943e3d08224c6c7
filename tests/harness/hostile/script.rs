//! What each attack says. Comes in: the call that it makes. Goes out: how it comes in, its lines turn by turn, and whether it
//! listens to what it is told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{STREAMS, frames};

/// Frames of a flood that are written at once.
const AT_ONCE: u32 = 64;
/// Between two bytes of whoever drips.
const DRIP: Duration = Duration::from_millis(100);
/// The largest payload of a frame that every listener takes.
const PAYLOAD: usize = 16 * 1024 - 1;
/// The largest window there is, and the one that connections begin with (RFC 9113).
const WINDOW_MAX: u32 = (1 << 31) - 1;
const WINDOW: u32 = (1 << 16) - 1;

/// How a peer attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Attack {
    /// A stranger connects and says nothing.
    SilentStranger,
    /// A stranger begins TLS and goes on byte by byte.
    DrippingStranger,
    /// A stranger sends no TLS at all, as fast as it goes.
    NoisyStranger,
    /// A stranger shakes hands without a certificate, again and again.
    KnockingStranger,
    /// A stranger connects and resets the connection, again and again.
    ResettingStranger,
    /// Finishes TLS and says nothing.
    Silent,
    /// Says the preface of HTTP/2 and nothing else.
    Idle,
    /// Field lines of a call, byte by byte.
    DrippingHeaders,
    /// Bodies of as many calls as may be open, byte by byte.
    DrippingBodies,
    /// Field lines that never end, as fast as it goes (CVE-2024-27316).
    EndlessHeaders,
    /// PING (CVE-2019-9512).
    Pings,
    /// SETTINGS (CVE-2019-9515).
    Settings,
    /// DATA without a byte (CVE-2019-9518).
    EmptyData,
    /// Calls are opened and never ended.
    OpenStreams,
    /// Whole calls, whatever becomes of them.
    Calls,
    /// Calls are made and taken back (CVE-2023-44487).
    RapidReset,
    /// Calls are made, and the server has to take them back (CVE-2025-8671).
    MadeReset,
    /// Calls are made, and one byte of each reply is let through (CVE-2019-9517).
    NarrowWindow,
    /// Calls are made, and nothing is ever read.
    Deaf,
}

/// How it comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Bytes over TCP.
    Tcp,
    /// TCP, and a reset.
    Hangup,
    /// TLS without a certificate.
    Stranger,
    /// TLS with a certificate.
    Insider,
}

pub(super) struct Script {
    pub(super) door: Door,
    /// Said first.
    pub(super) greeting: Vec<u8>,
    pub(super) lines: Lines,
    /// Between two turns.
    pub(super) every: Option<Duration>,
    /// Reads what it is told, and throws it away.
    pub(super) hears: bool,
}

/// What is said at each turn after the greeting.
pub(super) enum Lines {
    /// Always the same; nothing ever, if it is empty.
    Again(Vec<u8>),
    /// Something for streams that were not there before.
    Anew(Box<dyn Fn(u32) -> Vec<u8> + Send + Sync>),
}

impl Lines {
    pub(super) fn at(&self, turn: u32) -> Vec<u8> {
        match self {
            Self::Again(lines) => lines.clone(),
            Self::Anew(of) => {
                let streams = (0..AT_ONCE).map(|at| frames::stream(turn * AT_ONCE + at));
                streams.flat_map(of).collect()
            }
        }
    }
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::SilentStranger,
        Self::DrippingStranger,
        Self::NoisyStranger,
        Self::KnockingStranger,
        Self::ResettingStranger,
        Self::Silent,
        Self::Idle,
        Self::DrippingHeaders,
        Self::DrippingBodies,
        Self::EndlessHeaders,
        Self::Pings,
        Self::Settings,
        Self::EmptyData,
        Self::OpenStreams,
        Self::Calls,
        Self::RapidReset,
        Self::MadeReset,
        Self::NarrowWindow,
        Self::Deaf,
    ];

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::SilentStranger => "stranger: silent",
            Self::DrippingStranger => "stranger: TLS byte by byte",
            Self::NoisyStranger => "stranger: noise",
            Self::KnockingStranger => "stranger: handshakes without a certificate",
            Self::ResettingStranger => "stranger: connects and resets",
            Self::Silent => "insider: silent after TLS",
            Self::Idle => "insider: silent after the preface",
            Self::DrippingHeaders => "insider: headers byte by byte",
            Self::DrippingBodies => "insider: bodies byte by byte",
            Self::EndlessHeaders => "insider: headers without end",
            Self::Pings => "insider: PING flood",
            Self::Settings => "insider: SETTINGS flood",
            Self::EmptyData => "insider: empty DATA flood",
            Self::OpenStreams => "insider: streams without end",
            Self::Calls => "insider: calls without end",
            Self::RapidReset => "insider: rapid reset",
            Self::MadeReset => "insider: makes the server reset",
            Self::NarrowWindow => "insider: lets one byte of each reply through",
            Self::Deaf => "insider: never reads",
        }
    }

    pub(super) fn script(self, path: &str, message: &[u8]) -> Script {
        let (greeting, lines) = self.says(frames::fields(path), message.to_vec());
        let hears = self != Self::Deaf;
        Script { door: self.door(), greeting, lines, every: self.every(), hears }
    }

    fn door(self) -> Door {
        match self {
            Self::SilentStranger | Self::DrippingStranger | Self::NoisyStranger => Door::Tcp,
            Self::ResettingStranger => Door::Hangup,
            Self::KnockingStranger => Door::Stranger,
            Self::Silent
            | Self::Idle
            | Self::DrippingHeaders
            | Self::DrippingBodies
            | Self::EndlessHeaders
            | Self::Pings
            | Self::Settings
            | Self::EmptyData
            | Self::OpenStreams
            | Self::Calls
            | Self::RapidReset
            | Self::MadeReset
            | Self::NarrowWindow
            | Self::Deaf => Door::Insider,
        }
    }

    fn every(self) -> Option<Duration> {
        let drips =
            [Self::DrippingStranger, Self::DrippingHeaders, Self::DrippingBodies].contains(&self);
        drips.then_some(DRIP)
    }

    /// The greeting, and what comes after it.
    fn says(self, fields: Vec<u8>, message: Vec<u8>) -> (Vec<u8>, Lines) {
        let (hello, first) = (frames::greeting(WINDOW), frames::stream(0));
        let open = [hello.clone(), frames::headers(first, &fields)].concat();
        let begin = [hello.clone(), frames::headers_begin(first, &fields)].concat();
        let nothing = || Lines::Again(Vec::new());
        let many = |frame: Vec<u8>| Lines::Again(frame.repeat(AT_ONCE as usize));
        let all = |frame: &dyn Fn(u32) -> Vec<u8>| -> Vec<u8> {
            (0..STREAMS).map(frames::stream).flat_map(frame).collect()
        };
        let widest = |window: u32| {
            [frames::greeting(window), frames::window(0, WINDOW_MAX - WINDOW)].concat()
        };
        match self {
            Self::SilentStranger
            | Self::KnockingStranger
            | Self::ResettingStranger
            | Self::Silent => (Vec::new(), nothing()),
            // The head of a ClientHello that says it has 512 bytes.
            Self::DrippingStranger => {
                (vec![22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3], Lines::Again(vec![0]))
            }
            Self::NoisyStranger => (Vec::new(), Lines::Again(vec![0x5a; PAYLOAD])),
            Self::Idle => (hello, nothing()),
            Self::DrippingHeaders => (begin, Lines::Again(frames::continuation(first, &[0]))),
            Self::DrippingBodies => {
                // Each says that its message has 65,535 bytes.
                let head = [0, 0, 0, 255, 255];
                let calls = all(&|stream| {
                    [frames::headers(stream, &fields), frames::data(stream, &head)].concat()
                });
                let drop = all(&|stream| frames::data(stream, &[0]));
                ([hello, calls].concat(), Lines::Again(drop))
            }
            Self::EndlessHeaders => {
                let field = frames::field("x", &"x".repeat(100));
                let more = field.repeat(PAYLOAD / field.len());
                (begin, Lines::Again(frames::continuation(first, &more)))
            }
            Self::Pings => (hello, many(frames::ping())),
            Self::Settings => (hello, many(frames::settings())),
            Self::EmptyData => (open, many(frames::data(first, &[]))),
            Self::OpenStreams => {
                (hello, Lines::Anew(Box::new(move |stream| frames::headers(stream, &fields))))
            }
            Self::Calls => (hello, calls(fields, message)),
            Self::RapidReset => {
                let call = move |stream| {
                    [frames::call(stream, &fields, &message), frames::reset(stream)].concat()
                };
                (hello, Lines::Anew(Box::new(call)))
            }
            Self::MadeReset => {
                let call = move |stream| {
                    [frames::headers(stream, &fields), frames::window(stream, 0)].concat()
                };
                (hello, Lines::Anew(Box::new(call)))
            }
            Self::NarrowWindow => {
                let calls = all(&|stream| frames::call(stream, &fields, &message));
                ([widest(1), calls].concat(), nothing())
            }
            Self::Deaf => (widest(WINDOW_MAX), calls(fields, message)),
        }
    }
}

/// Whole calls, one stream each.
fn calls(fields: Vec<u8>, message: Vec<u8>) -> Lines {
    Lines::Anew(Box::new(move |stream| frames::call(stream, &fields, &message)))
}
