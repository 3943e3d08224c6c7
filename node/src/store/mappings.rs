//! Mappings that are kept under a name. Comes in: a name. Goes out: the text, as it was kept.

use accord_proto::reason::{Invalid, Reason, quoted};

use super::{Pair, Room, Store};

impl Store {
    /// Mappings that are kept: name and text, by name.
    pub fn mappings(&self) -> Result<Vec<(String, String)>, Invalid> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let entry = |entry: Result<Pair, Invalid>| {
            entry.map(|(name, mapping)| (text(&name), text(&mapping)))
        };
        let mut mappings: Vec<_> =
            self.scan(Room::Mappings, &[]).map(entry).collect::<Result<_, _>>()?;
        // Where names are hidden, they do not lie in their order.
        mappings.sort_unstable();
        Ok(mappings)
    }

    /// The mapping that is kept under a name.
    pub fn mapping(&self, name: &str) -> Result<String, Invalid> {
        let kept = self.rooms[Room::Mappings.at()].get(name)?;
        let kept = kept.ok_or_else(|| {
            Invalid::new(Reason::NotFound, "name", format!("{} is not kept", quoted(name)))
        })?;
        Ok(String::from_utf8_lossy(&kept).into_owned())
    }
}
