//! What peers let be known besides what they say. Comes in: the version and the time that stand beside a message. Goes out: of each
//! peer the newest of both, and a line in the log when its clock goes too far off, and when it is back; and who is in
//! maintenance, here and there. Must never decide anything: what a document says about times is checked where it is read; nor
//! let a peer fill the log.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::HeaderMap;
use tonic::Status;
use tracing::{info, warn};

use crate::{
    clock::{Clock, Timestamp},
    identity::Name,
    limits::{CLOCK_SKEW_S, PEER_UP},
    maintenance::{self, Maintenance},
    operate::measures::{Reading, moment},
    protocol::{HEADER, MAINTENANCE_HEADER, Side, Speaks, TIME_HEADER, V2},
    reason::Invalid,
    status::from_status,
};

/// A clock that is further off is warned of: half of what is tolerated.
const FAR_MS: u64 = CLOCK_SKEW_S.unsigned_abs() * 1_000 / 2;
/// One that was, is right again when it is no further off than this.
const RIGHT_MS: u64 = FAR_MS / 2;
/// Between two times that the same is said of a peer: nobody fills a disk with that.
const SAID_EVERY_MS: i64 = 60_000;
/// The end of the year 9999.
const TIME_MS_MAX: i64 = 253_402_300_799_999;

/// What was heard of a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Which protocol it speaks; 0: it has said nothing yet.
    pub protocol: u32,
    /// How far its clock is ahead of the one here, in milliseconds.
    pub clock_offset_ms: Option<i64>,
    /// Until when it is in maintenance, as it said last; that may be over by now.
    pub maintenance_until: Option<Timestamp>,
}

impl Heard {
    /// Does it read what came with this version?
    pub fn speaks(self, version: u32) -> bool {
        self.protocol >= version
    }
}

/// What was heard of peers, by name. Copies are one.
#[derive(Clone)]
pub struct Peers {
    clock: Arc<dyn Clock>,
    newest: Arc<Mutex<BTreeMap<Name, Known>>>,
    /// What is announced here: peers are told with every call.
    own: Arc<Mutex<Option<Maintenance>>>,
}

/// What the log says of something about a peer that comes and goes.
#[derive(Clone, Copy, Debug)]
struct Told<T> {
    /// As it was said last; none: that it is over, or nothing yet.
    last: Option<T>,
    /// When it was said last to be on.
    at_ms: Option<i64>,
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self { last: None, at_ms: None }
    }
}

impl<T: Copy + PartialEq> Told<T> {
    /// Is this to be said now? That it is on, once in a while; that it is over, always: once for each time that it was said to be on.
    fn turns(&mut self, on: Option<T>, now_ms: i64) -> bool {
        let lately =
            self.at_ms.is_some_and(|said| now_ms.abs_diff(said) < SAID_EVERY_MS.unsigned_abs());
        if on == self.last || (on.is_some() && lately) {
            return false;
        }
        self.last = on;
        if on.is_some() {
            self.at_ms = Some(now_ms);
        }
        true
    }
}

/// The newest of a peer, and what was said of it.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    heard: Heard,
    /// That its clock is off.
    clock: Told<()>,
    /// That it is in maintenance, and until when.
    maintenance: Told<Timestamp>,
    /// When it was heard last.
    at_ms: i64,
}

impl Known {
    /// Is there something to say? The offset, and whether it is far now.
    fn turns(&mut self, now_ms: i64) -> Option<(bool, i64)> {
        let offset_ms = self.heard.clock_offset_ms?;
        let is_off = self.clock.last.is_some();
        let far = offset_ms.unsigned_abs() > if is_off { RIGHT_MS } else { FAR_MS };
        self.clock.turns(far.then_some(()), now_ms).then_some((far, offset_ms))
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Peers")
    }
}

impl Peers {
    /// Nobody was heard yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, newest: Arc::default(), own: Arc::default() }
    }

    /// The maintenance that is on here.
    pub fn own_maintenance(&self) -> Option<Maintenance> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        own.filter(|own| own.is_on(self.clock.now()))
    }

    /// Refuses others while maintenance is on here.
    pub fn check_own(&self) -> Result<(), Invalid> {
        self.own_maintenance().map_or(Ok(()), |own| Err(maintenance::refusal(own.until)))
    }

    /// From now on this is announced here; nothing: it is over.
    pub fn announce(&self, own: Option<Maintenance>) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = own;
    }

    /// Until when a peer is in maintenance, by what it said last.
    pub fn in_maintenance(&self, peer: &Name) -> Option<Timestamp> {
        let until = self.of(peer).maintenance_until?;
        maintenance::lasts(until, self.clock.now()).then_some(until)
    }

    /// Has a peer said that it is in no maintenance? Whoever was not heard yet has not, nor one whose time has merely passed.
    pub fn is_back(&self, peer: &Name) -> bool {
        let newest = self.newest();
        newest.get(peer).is_some_and(|known| known.heard.maintenance_until.is_none())
    }

    /// A peer that was asked has refused because of maintenance that ends then: it was heard, however it said so, and whoever looks
    /// here knows it.
    pub fn refused(&self, peer: &Name, until: Timestamp) {
        let known = self.of(peer);
        if known.maintenance_until != Some(until) {
            self.note(peer, Heard { maintenance_until: Some(until), ..known });
        }
    }

    /// When a peer was heard last.
    pub fn heard_at(&self, peer: &Name) -> Option<Timestamp> {
        let at_ms = self.newest().get(peer)?.at_ms;
        Some(Timestamp::near(at_ms.div_euclid(1_000)))
    }

    /// Was a peer heard since then?
    pub fn heard_since(&self, peer: &Name, at: Timestamp) -> bool {
        self.newest().get(peer).is_some_and(|known| known.at_ms >= at.as_s() * 1_000)
    }

    /// The newest of a peer.
    pub fn of(&self, peer: &Name) -> Heard {
        self.newest().get(peer).map(|known| known.heard).unwrap_or_default()
    }

    /// The newest of everybody.
    pub fn all(&self) -> Vec<(Name, Heard)> {
        self.newest().iter().map(|(name, known)| (name.clone(), known.heard)).collect()
    }

    /// What can be measured of those who are expected: whether each was heard lately, when, and how far its clock is ahead.
    pub fn readings<'a>(&self, expected: impl IntoIterator<Item = &'a Name>) -> Vec<Reading> {
        let now_ms = self.now_ms();
        let newest = self.newest();
        let mut readings = Vec::new();
        for name in expected {
            let mut read =
                |of, value| readings.push(Reading::with(of, "peer", name.as_str(), value));
            let known = newest.get(name);
            let is_away = known.is_some_and(|known| is_in_maintenance(known, now_ms));
            read("accord_peer_maintenance", f64::from(u8::from(is_away)));
            let up = known.is_some_and(|known| is_lately(known, now_ms));
            read("accord_peer_up", f64::from(u8::from(up)));
            let Some(known) = known else { continue };
            read("accord_peer_contact_timestamp_seconds", moment(known.at_ms.div_euclid(1_000)));
            if let Some(offset_ms) = known.heard.clock_offset_ms {
                read("accord_clock_offset_seconds", moment(offset_ms) / 1_000.0);
            }
        }
        readings
    }

    /// Who is expected and was not heard lately, in words; whoever has announced that is not meant.
    pub fn check_heard<'a>(
        &self,
        expected: impl IntoIterator<Item = &'a Name>,
    ) -> Result<(), String> {
        let (now_ms, newest) = (self.now_ms(), self.newest());
        let is_away =
            |name: &&Name| !newest.get(name).is_some_and(|known| is_expected(known, now_ms));
        let away: Vec<_> = expected.into_iter().filter(is_away).map(Name::as_str).collect();
        if away.is_empty() { Ok(()) } else { Err(format!("not heard lately: {}", away.join(" "))) }
    }

    /// Whose clock is further off than is tolerated, of those heard lately, in words. It is their word, or the clock here.
    pub fn check_clocks(&self) -> Result<(), String> {
        let tolerated = CLOCK_SKEW_S.unsigned_abs() * 1_000;
        let (now_ms, newest) = (self.now_ms(), self.newest());
        let off = |known: &Known| {
            let offset = known.heard.clock_offset_ms;
            is_lately(known, now_ms) && offset.is_some_and(|of| of.unsigned_abs() > tolerated)
        };
        let off: Vec<_> =
            newest.iter().filter(|(_, known)| off(known)).map(|(name, _)| name.as_str()).collect();
        match off.as_slice() {
            [] => Ok(()),
            off => Err(format!("the clock here or there is off: {}", off.join(" "))),
        }
    }

    /// One more message of a peer. Where it says no time that can be read, what is known of its clock goes on counting.
    pub fn note(&self, peer: &Name, heard: Heard) {
        let turns = {
            let mut newest = self.newest();
            let kept = newest.entry(peer.clone()).or_default();
            let known = kept.heard.clock_offset_ms.filter(|_| heard.speaks(V2));
            let now_ms = self.now_ms();
            if kept.maintenance.turns(heard.maintenance_until, now_ms) {
                match heard.maintenance_until {
                    Some(until) => info!(%peer, %until, "is in maintenance"),
                    None => info!(%peer, "is in no maintenance any more"),
                }
            }
            kept.at_ms = now_ms;
            kept.heard = Heard { clock_offset_ms: heard.clock_offset_ms.or(known), ..heard };
            kept.turns(now_ms)
        };
        let tolerated_s = CLOCK_SKEW_S;
        match turns {
            Some((true, offset_ms)) => {
                warn!(%peer, offset_ms, tolerated_s, "its clock or the one here is off");
            }
            Some((false, offset_ms)) => info!(%peer, offset_ms, "its clock is right again"),
            None => {}
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn newest(&self) -> std::sync::MutexGuard<'_, BTreeMap<Name, Known>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_lately(known: &Known, now_ms: i64) -> bool {
    let lately = u64::try_from(PEER_UP.as_millis()).unwrap_or(u64::MAX);
    now_ms.abs_diff(known.at_ms) <= lately
}

fn is_in_maintenance(known: &Known, now_ms: i64) -> bool {
    let now = Timestamp::near(now_ms.div_euclid(1_000));
    known.heard.maintenance_until.is_some_and(|until| maintenance::lasts(until, now))
}

fn is_expected(known: &Known, now_ms: i64) -> bool {
    is_lately(known, now_ms) || is_in_maintenance(known, now_ms)
}

/// How far a clock is ahead that was read some time within a round trip: measured against its middle, so never wrong by more
/// than half of it.
pub(super) fn offset_ms(theirs: i64, sent_ms: i64, round_trip: Duration) -> i64 {
    let half = i64::try_from(round_trip.as_millis() / 2).unwrap_or(i64::MAX);
    theirs.saturating_sub(sent_ms.saturating_add(half))
}

/// Which version a peer speaks; it says so once or not at all.
pub(super) fn version(speaks: Speaks, peer: Side, headers: &HeaderMap) -> Result<u32, Invalid> {
    let said: Vec<_> = headers.get_all(HEADER).iter().map(http::HeaderValue::as_bytes).collect();
    match said.as_slice() {
        [] => speaks.hear(peer, None),
        said => speaks.hear(peer, Some(&said.join(&b", "[..]))),
    }
}

/// What time it is there; nothing, if it says none or what is none.
pub(super) fn time_ms(headers: &HeaderMap) -> Option<i64> {
    let said = headers.get(TIME_HEADER)?.to_str().ok()?;
    let digits = said.bytes().all(|byte| byte.is_ascii_digit());
    said.parse().ok().filter(|time| digits && *time <= TIME_MS_MAX)
}

/// Until when a caller says that it is in maintenance; nothing, if it says none or what is no time.
pub(super) fn maintenance_until(headers: &HeaderMap) -> Option<Timestamp> {
    let said = headers.get(MAINTENANCE_HEADER)?.to_str().ok()?;
    let digits = said.bytes().all(|byte| byte.is_ascii_digit());
    let until = said.parse().ok().filter(|_| digits)?;
    Timestamp::from_s(MAINTENANCE_HEADER, until).ok()
}

/// The same of a server, which refuses with it.
pub(super) fn refused_until(headers: &HeaderMap) -> Option<Timestamp> {
    maintenance::until_of(&from_status(&Status::from_header_map(headers)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{FixedClock, SystemClock};

    #[test]
    fn a_clock_is_measured_against_the_middle_of_the_round_trip() {
        let offset = |theirs| offset_ms(theirs, 10_000, Duration::from_millis(400));
        assert_eq!((offset(10_200), offset(10_500), offset(9_200)), (0, 300, -1_000));
        assert_eq!(offset_ms(0, i64::MAX, Duration::MAX), -i64::MAX);
    }

    #[test]
    fn a_clock_that_goes_to_and_fro_is_said_to_be_off_once_a_minute_at_most() {
        let mut known = Known::default();
        let mut turns = |now_s: i64, offset_ms: i64| {
            known.heard.clock_offset_ms = Some(offset_ms);
            known.turns(now_s * 1_000).map(|(far, _)| far)
        };
        assert_eq!(
            [turns(0, 59_000), turns(1, 61_000), turns(2, 90_000)],
            [None, Some(true), None]
        );
        // Less than half of what is far: right again.
        assert_eq!([turns(3, 31_000), turns(4, -29_000)], [None, Some(false)]);
        assert_eq!([turns(5, 61_000), turns(60, -61_000)], [None, None]);
        assert_eq!([turns(61, -61_000), turns(62, 0)], [Some(true), Some(false)]);
    }

    #[test]
    fn a_maintenance_that_comes_and_goes_or_moves_is_said_once_a_minute_at_most_and_its_end_in_the_end()
     {
        let (mut told, mut said) = (Told::default(), Vec::new());
        let mut turns = |now_s: i64, until: Option<i64>| {
            let until = until.map(|until| Timestamp::near(1_800_000_000 + until));
            if told.turns(until, now_s * 1_000) {
                said.push((now_s, until.is_some()));
            }
        };
        turns(0, None);
        turns(1, Some(600));
        turns(2, Some(600));
        // Another end with every message, and gone and back again.
        for now_s in 3..120 {
            turns(now_s, Some(600 + now_s));
        }
        for now_s in 120..182 {
            turns(now_s, (now_s % 2 == 0).then_some(600));
        }
        turns(182, None);
        assert_eq!(said, [(1, true), (61, true), (121, false), (122, true), (123, false)]);
    }

    #[test]
    fn what_is_no_time_is_none() {
        let said = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(TIME_HEADER, http::HeaderValue::from_bytes(text).unwrap());
            time_ms(&headers)
        };
        assert_eq!(said(b"1800000000000"), Some(1_800_000_000_000));
        assert_eq!(said(b"0"), Some(0), "a clock that was never set");
        for absurd in [&b""[..], b"-1", b"+1", b"1e3", b"now", b"253402300800000", b"\xff", b" 1"] {
            assert_eq!(said(absurd), None, "{absurd:?}");
        }
        assert_eq!(said("9".repeat(4_000).as_bytes()), None);
    }

    #[test]
    fn two_versions_are_none() {
        let mut headers = HeaderMap::new();
        let version = |headers: &HeaderMap| version(Speaks::OURS, Side::Caller, headers);
        assert_eq!(version(&headers), Ok(1));
        headers.append(HEADER, http::HeaderValue::from_static("2"));
        assert_eq!(version(&headers), Ok(2));
        headers.append(HEADER, http::HeaderValue::from_static("2"));
        version(&headers).unwrap_err();
    }

    #[test]
    fn the_newest_of_a_peer_counts() {
        let peers = Peers::new(Arc::new(SystemClock));
        let name = Name::parse("", "al-police").unwrap();
        assert_eq!(peers.of(&name), Heard::default());
        for offset in [0, 61_000, 59_000] {
            let heard = Heard { protocol: 2, clock_offset_ms: Some(offset), ..Heard::default() };
            peers.note(&name, heard);
            assert_eq!(peers.of(&name), heard);
        }
        peers.note(&name, Heard { protocol: 2, ..Heard::default() });
        let wanted = Heard { protocol: 2, clock_offset_ms: Some(59_000), ..Heard::default() };
        assert_eq!(peers.of(&name), wanted);
        let silent = Heard { protocol: 1, ..Heard::default() };
        peers.note(&name, silent);
        assert_eq!(peers.all(), [(name, silent)]);
    }

    #[test]
    fn a_peer_in_announced_maintenance_is_not_missed_until_its_time_is_over() {
        let now = Timestamp::near(1_800_000_000);
        let peers = Peers::new(Arc::new(FixedClock(now)));
        let name = Name::parse("", "al-police").unwrap();
        let says = |maintenance_until| {
            peers.note(&name, Heard { maintenance_until, ..Heard::default() });
        };
        let measured = || {
            let readings = peers.readings([&name]);
            readings.into_iter().find(|of| of.name == "accord_peer_maintenance").unwrap().value
        };
        assert_eq!((peers.is_back(&name), measured()), (false, 0.0));
        says(Some(now.plus_s(60)));
        assert_eq!(peers.in_maintenance(&name), Some(now.plus_s(60)));
        assert_eq!((peers.is_back(&name), measured()), (false, 1.0));
        // Its time has passed, and it has said nothing since.
        says(Some(now));
        assert_eq!((peers.in_maintenance(&name), peers.is_back(&name)), (None, false));
        // Nobody is in maintenance for ever.
        says(Some(now.plus_s(30 * 86_400)));
        assert_eq!((peers.in_maintenance(&name), measured()), (None, 0.0));
        says(None);
        assert!(peers.is_back(&name) && peers.heard_since(&name, now));
        assert!(!peers.heard_since(&name, now.plus_s(1)));
    }

    #[test]
    fn whoever_refuses_because_of_maintenance_was_heard_and_is_in_maintenance() {
        let now = Timestamp::near(1_800_000_000);
        let peers = Peers::new(Arc::new(FixedClock(now)));
        let name = Name::parse("", "al-police").unwrap();
        assert_eq!(peers.heard_at(&name), None);
        peers.refused(&name, now.plus_s(60));
        assert_eq!(peers.in_maintenance(&name), Some(now.plus_s(60)));
        assert_eq!(peers.heard_at(&name), Some(now));
        // What it said beside that last does not count against it, and what else is known of it stays.
        let heard = Heard { protocol: 2, clock_offset_ms: Some(7), maintenance_until: None };
        peers.note(&name, heard);
        assert!(peers.is_back(&name));
        peers.refused(&name, now.plus_s(60));
        assert!(!peers.is_back(&name));
        let wanted = Heard { maintenance_until: Some(now.plus_s(60)), ..heard };
        assert_eq!(peers.of(&name), wanted);
    }
}
