//! Mappings that are kept under a name. Comes in: a name. Goes out: the text, as it was kept.

use accord_proto::reason::{Invalid, Reason, quoted};

use super::{Room, Store, failed};

impl Store {
    /// Mappings that are kept: name and text, by name.
    pub fn mappings(&self) -> Result<Vec<(String, String)>, Invalid> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let entry = |entry: Result<(sled::IVec, sled::IVec), Invalid>| {
            entry.map(|(name, mapping)| (text(&name), text(&mapping)))
        };
        self.scan(Room::Mappings, &[]).map(entry).collect()
    }

    /// The mapping that is kept under a name.
    pub fn mapping(&self, name: &str) -> Result<String, Invalid> {
        let kept = self.rooms[Room::Mappings.at()].get(name).map_err(|error| failed(&error))?;
        let kept = kept.ok_or_else(|| {
            Invalid::new(Reason::NotFound, "name", format!("{} is not kept", quoted(name)))
        })?;
        Ok(String::from_utf8_lossy(&kept).into_owned())
    }
}
