//! Rankings that are kept. Comes in: a signed ranking, and why it was made. Goes out: the same, by the digest of its order. Must
//! never keep one, nor a dissent from it, without its journal entry.

use accord_proto::{
    clock::Timestamp,
    id::RequirementId,
    journal::{Act, Entry},
    limits::RANKINGS_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    transport::Peer,
    wire::{self, region},
};
use prost::Message as _;

use super::{Archive, Room, failed, kept::Pair, picture_key};

/// A ranking with what is kept beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptRanking {
    /// When it was made first.
    pub made_at: Timestamp,
    /// Who may read it: the audience of its pictures.
    pub audience: String,
    /// Why it was made.
    pub why: String,
    /// The pictures that it rests on, by requirement and version.
    pub pictures: Vec<(RequirementId, u32)>,
    /// Order and dissent, as they were signed.
    pub envelope: wire::Envelope,
}

/// A picture that a ranking is to rest on.
#[derive(Clone, Debug)]
pub struct Picked {
    /// Its requirement and version.
    pub name: (RequirementId, u32),
    /// Who may read it.
    pub audience: String,
    /// As it was signed.
    pub envelope: wire::Envelope,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    #[prost(int64, tag = "1")]
    made_at_s: i64,
    #[prost(string, tag = "2")]
    audience: String,
    #[prost(string, tag = "3")]
    why: String,
    #[prost(message, repeated, tag = "4")]
    pictures: Vec<region::PictureName>,
    #[prost(message, optional, tag = "5")]
    envelope: Option<wire::Envelope>,
}

impl Archive {
    /// A picture, for whoever ranks; the newest if no version is named.
    pub fn pick(
        &self,
        requirement: RequirementId,
        version: Option<u32>,
    ) -> Result<Picked, Invalid> {
        let drawn = self.picture(requirement, version)?;
        let audience = self.line(requirement, drawn.version)?.audience;
        let name = (requirement, drawn.version);
        Ok(Picked { name, audience, envelope: drawn.envelope.unwrap_or_default() })
    }

    /// The line of a picture in a list.
    pub fn line(
        &self,
        requirement: RequirementId,
        version: u32,
    ) -> Result<region::PictureEntry, Invalid> {
        let key = picture_key(requirement, version);
        let line = self.rooms[Room::Versions as usize].get(key)?;
        let line = line.ok_or_else(|| failed("a picture without its line"))?;
        region::PictureEntry::decode(line.as_ref()).map_err(failed)
    }

    /// Keeps a ranking. One of the same order is kept already: it is given back as it is.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` past [`RANKINGS_MAX`] of them; `STORE_FAILED`, `STORE_FULL`.
    pub async fn keep_ranking(
        &self,
        by: &Peer,
        (name, kept): (Digest, KeptRanking),
    ) -> Result<KeptRanking, Invalid> {
        let kept = self.keep_first(by, (name, kept), RANKINGS_MAX)?;
        self.settled().await?;
        Ok(kept)
    }

    fn keep_first(
        &self,
        by: &Peer,
        (name, kept): (Digest, KeptRanking),
        most: usize,
    ) -> Result<KeptRanking, Invalid> {
        let writer = self.writer();
        match self.ranking(name) {
            Ok(known) => return Ok(known),
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) => return Err(error),
        }
        let count = self.rooms[Room::Rankings as usize].len();
        if count >= most {
            let detail = format!(
                "{count} are kept, which is the most, and none is ever dropped: work this one out without keeping it, \
                 with `accord-node threat show`"
            );
            return Err(Invalid::new(Reason::LimitExceeded, "archive.rankings", detail));
        }
        let entry = Entry {
            at: kept.made_at,
            act: Act::Combination,
            by: by.identity.clone(),
            to: kept.audience.clone(),
            why: format!("rank: {}", kept.why),
            subject: format!("ranking {name}"),
            digest: Digest::of(&kept.envelope.payload),
        };
        self.commit(writer, vec![write(name, &kept)], entry)?;
        Ok(kept)
    }

    /// Puts a ranking in the place of itself with a dissent more. `again` makes it from what is kept now.
    pub async fn change_ranking(
        &self,
        by: &Peer,
        (name, audience): (Digest, String),
        (node, digest): (String, Digest),
        now: Timestamp,
        again: impl FnOnce(&wire::Envelope) -> Result<wire::Envelope, Invalid>,
    ) -> Result<KeptRanking, Invalid> {
        let entry = Entry {
            at: now,
            act: Act::Alteration,
            by: by.identity.clone(),
            to: audience,
            why: format!("dissent of {node}"),
            subject: format!("ranking {name}"),
            digest,
        };
        let kept = self.change(name, entry, again)?;
        self.settled().await?;
        Ok(kept)
    }

    fn change(
        &self,
        name: Digest,
        entry: Entry,
        again: impl FnOnce(&wire::Envelope) -> Result<wire::Envelope, Invalid>,
    ) -> Result<KeptRanking, Invalid> {
        // Of two dissents at once, the later one is put beside the earlier one.
        let writer = self.writer();
        let known = self.ranking(name)?;
        let kept = KeptRanking { envelope: again(&known.envelope)?, ..known.clone() };
        if kept.envelope.payload != known.envelope.payload {
            self.commit(writer, vec![write(name, &kept)], entry)?;
        }
        Ok(kept)
    }

    /// A ranking, by the digest of its order.
    pub fn ranking(&self, name: Digest) -> Result<KeptRanking, Invalid> {
        let stored = self.rooms[Room::Rankings as usize].get(name.0)?;
        let stored = stored.ok_or_else(|| {
            let detail = format!("no ranking {name} is kept");
            Invalid::new(Reason::NotFound, "ranking", detail)
        })?;
        read(&stored)
    }

    /// Rankings, ascending by name, that come after `after`.
    pub fn rankings(
        &self,
        after: Option<Digest>,
        most: usize,
    ) -> Result<Vec<(Digest, KeptRanking)>, Invalid> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, |after| Excluded(after.0.to_vec()));
        let entries = self.rooms[Room::Rankings as usize].range((from, Unbounded));
        let entry = |entry: Result<Pair, Invalid>| {
            let (key, bytes) = entry?;
            Ok((Digest::from_wire("archive.ranking", &key)?, read(&bytes)?))
        };
        entries.take(most).map(entry).collect()
    }
}

fn write(name: Digest, kept: &KeptRanking) -> (Room, Vec<u8>, Vec<u8>) {
    let named = |(requirement, version): &(RequirementId, u32)| region::PictureName {
        requirement: requirement.to_string(),
        version: *version,
    };
    let stored = Stored {
        made_at_s: kept.made_at.as_s(),
        audience: kept.audience.clone(),
        why: kept.why.clone(),
        pictures: kept.pictures.iter().map(named).collect(),
        envelope: Some(kept.envelope.clone()),
    };
    (Room::Rankings, name.0.to_vec(), stored.encode_to_vec())
}

fn read(bytes: &[u8]) -> Result<KeptRanking, Invalid> {
    const FIELD: &str = "archive.ranking";
    let Stored { made_at_s, audience, why, pictures, envelope } =
        Stored::decode(bytes).map_err(failed)?;
    let named = |name: region::PictureName| {
        Ok((RequirementId::parse(FIELD, &name.requirement)?, name.version))
    };
    Ok(KeptRanking {
        made_at: Timestamp::from_s(FIELD, made_at_s)?,
        audience,
        why,
        pictures: pictures.into_iter().map(named).collect::<Result<_, Invalid>>()?,
        envelope: envelope.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use accord_proto::identity::Identity;

    use super::*;

    #[test]
    fn past_the_bound_no_new_ranking_is_kept_and_those_that_are_stay() {
        let dir = tempfile::tempdir().unwrap();
        let name = "spiffe://wb6.example/REGION/node/coordinator/coordinator";
        let identity = Identity::parse(name).unwrap();
        let archive = Archive::open(dir.path(), &identity, 0).unwrap();
        let by = Peer { identity, spki: Digest([0; 32]) };
        let kept = KeptRanking {
            made_at: Timestamp::EARLIEST,
            audience: "POLICE".to_owned(),
            why: "what the region looks at first".to_owned(),
            pictures: Vec::new(),
            envelope: wire::Envelope::default(),
        };
        let keep = |number: u8| archive.keep_first(&by, (Digest([number; 32]), kept.clone()), 2);
        for number in [1, 2] {
            keep(number).unwrap();
        }
        let journal = archive.journal_size();
        let refused = keep(3).unwrap_err();
        assert_eq!(
            (refused.reason, refused.field.as_str()),
            (Reason::LimitExceeded, "archive.rankings")
        );
        assert_eq!(archive.journal_size(), journal, "nothing was done");
        // What is kept already is no new one.
        assert_eq!(keep(2).unwrap(), kept);
        assert_eq!(archive.rankings(None, 9).unwrap().len(), 2);
    }
}
