//! A sum over all that lies in the store. Comes in: what is put in and taken out. Goes out: 32 bytes that are
//! the same if and only if the same lies there, in whatever order it came. Must never leave out a room.
//!
//! The sum is kept with every change and made anew at the start: a page, a key or a version that a damaged
//! disk swallowed shows, wherever it lay. It adds SHA-256 digests lane by lane, so taking out undoes putting
//! in. That finds accidents; whoever can write to the folder can forge it, as he can forge everything there.

use accord_proto::{
    reason::{Invalid, Reason},
    seal::Digest,
};

use super::{Room, schema};

const LANES: usize = 4;

/// What lies in the store, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents([u64; LANES]);

impl Contents {
    /// With this value as well.
    pub(super) fn put(&mut self, room: Room, key: &[u8], value: &[u8]) {
        let other = lanes(room, key, value);
        self.0 = std::array::from_fn(|lane| self.0[lane].wrapping_add(other[lane]));
    }

    /// Without this value.
    pub(super) fn take(&mut self, room: Room, key: &[u8], value: &[u8]) {
        let other = lanes(room, key, value);
        self.0 = std::array::from_fn(|lane| self.0[lane].wrapping_sub(other[lane]));
    }

    /// For the store.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (into, lane) in bytes.chunks_exact_mut(8).zip(self.0) {
            into.copy_from_slice(&lane.to_be_bytes());
        }
        bytes
    }

    /// Reads back what [`Self::to_bytes`] gave.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        match bytes.as_chunks::<8>() {
            ([a, b, c, d], []) => Ok(Self([*a, *b, *c, *d].map(u64::from_be_bytes))),
            _ => Err(Invalid::new(Reason::StoreFailed, "store", "damaged: its sum is cut off")),
        }
    }
}

/// Is it part of the sum? Not what changes with every change, the sum itself among it, nor the format.
pub(super) fn counted(room: Room, key: &[u8]) -> bool {
    let own = [schema::JOURNAL_KEY, schema::COUNTERS_KEY, schema::FORMAT_KEY];
    room != Room::Meta || !own.iter().any(|own| own.as_bytes() == key)
}

fn lanes(room: Room, key: &[u8], value: &[u8]) -> [u64; LANES] {
    let digest = Digest::of_parts([room.name().as_bytes(), key, value]).0;
    let (lanes, _) = digest.as_chunks::<8>();
    std::array::from_fn(|lane| lanes.get(lane).map_or(0, |lane| u64::from_be_bytes(*lane)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_knows_what_lies_there_and_not_in_which_order_it_came() {
        let (mut one, mut other) = (Contents::default(), Contents::default());
        one.put(Room::Grants, b"a", b"1");
        one.put(Room::Grants, b"b", b"2");
        other.put(Room::Grants, b"b", b"2");
        other.put(Room::Grants, b"c", b"3");
        assert_ne!(one, other);
        other.take(Room::Grants, b"c", b"3");
        other.put(Room::Grants, b"a", b"1");
        assert_eq!(one, other);
        assert_eq!(Contents::from_bytes(&one.to_bytes()).unwrap(), one);
        // Another room, and another place for the border between key and value.
        for (room, key, value) in [(Room::Answers, "a", "1"), (Room::Grants, "a1", "")] {
            let mut moved = one;
            moved.take(Room::Grants, b"a", b"1");
            moved.put(room, key.as_bytes(), value.as_bytes());
            assert_ne!(moved, one);
        }
    }
}
