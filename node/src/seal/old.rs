//! Answers that were released before tables were trees. Comes in: stored bytes. Goes out: the same cells in today's form,
//! still to be sealed, if the bytes are of the old form and this node's own seal covers them. Must never change a cell.
//!
//! In the old form the seal covered one message with all cells. Its digest cannot be kept, so whoever asks again gets the same
//! cells under a new seal, which names the old table as the one that it takes the place of.

use accord_proto::{
    answer::{Seal, SealedTable},
    clock::Timestamp,
    id::RequirementId,
    identity::Name,
    reason::{Invalid, Reason},
    seal::{self, Digest, Kind, PublicKey},
    table::Table,
    taxonomy::Lists,
    wire,
};
use prost::Message;

/// An answer of the old form; in today's, field 1 of the inner message is never written.
#[derive(Clone, PartialEq, Message)]
struct OldResponse {
    #[prost(message, optional, tag = "1")]
    sealed: Option<OldSealedTable>,
}

#[derive(Clone, PartialEq, Message)]
struct OldSealedTable {
    #[prost(bytes = "vec", tag = "1")]
    table: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    seal: Option<wire::Envelope>,
}

#[derive(Clone, PartialEq, Message)]
struct OldTable {
    #[prost(string, tag = "1")]
    node: String,
    #[prost(string, tag = "2")]
    jurisdiction: String,
    #[prost(string, tag = "3")]
    lists: String,
    #[prost(message, repeated, tag = "4")]
    editions: Vec<wire::EditionRef>,
    #[prost(message, repeated, tag = "5")]
    blocks: Vec<OldBlock>,
}

#[derive(Clone, PartialEq, Message)]
struct OldBlock {
    #[prost(string, tag = "1")]
    indicator: String,
    #[prost(int32, tag = "2")]
    mode: i32,
    #[prost(string, repeated, tag = "3")]
    crime_areas: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    regions: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    periods: Vec<String>,
    #[prost(int32, repeated, tag = "6")]
    status: Vec<i32>,
    #[prost(sfixed64, repeated, tag = "7")]
    value: Vec<i64>,
    #[prost(string, repeated, tag = "8")]
    categories: Vec<String>,
    #[prost(uint64, repeated, tag = "9")]
    standard_error_milli: Vec<u64>,
}

/// Table and seal; nothing if the bytes are not of the old form.
pub(super) fn reopen(
    stored: &[u8],
    keys: &[PublicKey],
    lists: &Lists,
) -> Result<Option<(Table, Seal)>, Invalid> {
    let Ok(OldResponse { sealed: Some(sealed) }) = OldResponse::decode(stored) else {
        return Ok(None);
    };
    let OldSealedTable { table: bytes, seal: Some(envelope) } = sealed else { return Ok(None) };
    if bytes.is_empty() {
        return Ok(None);
    }
    let payload = seal::open(&envelope, Kind::Seal, keys, "seal")?;
    let seal: wire::Seal = accord_proto::strict::decode_signed("seal", payload)?;
    if seal.table_sha256 != Digest::of(&bytes).0 {
        return Err(Invalid::new(Reason::AnswerSeal, "table", "is not the table that was sealed"));
    }
    Ok(Some((table(&bytes, lists)?, bound(&seal, lists)?)))
}

/// An answer from when it stood beside the seal that one person both decided and released.
#[derive(Clone, PartialEq, Message)]
struct Flagged {
    #[prost(message, optional, tag = "1")]
    sealed: Option<wire::SealedTable>,
    #[prost(bool, tag = "4")]
    single_handed: bool,
}

/// Table and seal, which says now what stood beside it; nothing if nothing did.
pub(super) fn reopen_flagged(
    stored: &[u8],
    keys: &[PublicKey],
    lists: &Lists,
) -> Result<Option<(Table, Seal)>, Invalid> {
    let Ok(Flagged { sealed: Some(sealed), single_handed: true }) = Flagged::decode(stored) else {
        return Ok(None);
    };
    let opened = SealedTable::open(sealed, keys, lists)?;
    let seal = Seal { single_handed: true, ..opened.seal().clone() };
    Ok(Some((opened.table().clone(), seal)))
}

/// What the old seal says; what it did not say is nought.
fn bound(seal: &wire::Seal, lists: &Lists) -> Result<Seal, Invalid> {
    let unsaid = Digest([0; 32]);
    Ok(Seal {
        node: Name::parse("seal.node", &seal.node)?,
        jurisdiction: lists.jurisdiction("seal.jurisdiction", &seal.jurisdiction)?.code,
        requirement: RequirementId::parse("seal.requirement", &seal.requirement)?,
        requirement_digest: Digest::from_wire("seal.requirement", &seal.requirement_sha256)?,
        authority: Name::parse("seal.authority", &seal.authority)?,
        audience: lists.audience("seal.audience", &seal.audience)?,
        table_digest: Digest::from_wire("seal.table", &seal.table_sha256)?,
        snapshot: unsaid,
        question_digest: unsaid,
        consent_epoch: seal.consent_epoch,
        consent_digest: Digest::from_wire("seal.consent", &seal.consent_sha256)?,
        policy_digest: Digest::from_wire("seal.policy", &seal.policy_sha256)?,
        policy_commitment: unsaid,
        issued_at: Timestamp::from_s("seal.issued_at_s", seal.issued_at_s)?,
        expires_at: Timestamp::from_s("seal.expires_at_s", seal.expires_at_s)?,
        sequence: seal.sequence,
        previous: None,
        supersedes: None,
        single_handed: false,
    })
}

fn table(bytes: &[u8], lists: &Lists) -> Result<Table, Invalid> {
    let unreadable = |error: prost::DecodeError| {
        Invalid::new(Reason::AnswerMalformed, "table", format!("cannot be decoded: {error}"))
    };
    let OldTable { node, jurisdiction, lists: name, editions, blocks } =
        OldTable::decode(bytes).map_err(unreadable)?;
    let (mut axes, mut cells) = (Vec::new(), Vec::new());
    for block in blocks {
        let OldBlock { indicator, mode, crime_areas, regions, periods, categories, .. } = block;
        axes.push(wire::TableBlock {
            indicator,
            mode,
            crime_areas,
            regions,
            periods,
            categories,
            cells_sha256: Vec::new(),
            contribution: wire::Contribution::Pooled.into(),
            deviations: Vec::new(),
        });
        let (status, value) = (block.status, block.value);
        let standard_error_milli = block.standard_error_milli;
        cells.push(Some(wire::Cells {
            status,
            value,
            standard_error_milli,
            ..wire::Cells::default()
        }));
    }
    let head = wire::Table { node, jurisdiction, lists: name, editions, blocks: axes };
    Table::read(head, cells, lists)
}

#[cfg(test)]
mod tests {
    use accord_proto::{
        clock::SystemEntropy,
        seal::SecretKey,
        table::{Cell, Mode},
        taxonomy::Tier,
        tree::Salting,
    };

    use super::{super::SealedAnswer, *};

    /// An answer as it was written in the old form, with its table's digest.
    fn written(key: &SecretKey, table: &OldTable) -> (Vec<u8>, Digest) {
        let table = table.encode_to_vec();
        let seal = wire::Seal {
            node: "al-police".to_owned(),
            jurisdiction: "AL".to_owned(),
            requirement: "01900000-0000-7000-8000-000000000003".to_owned(),
            requirement_sha256: vec![1; 32],
            authority: "analysis-unit".to_owned(),
            audience: "POLICE".to_owned(),
            table_sha256: Digest::of(&table).0.to_vec(),
            consent_epoch: 3,
            consent_sha256: vec![2; 32],
            policy_sha256: vec![3; 32],
            issued_at_s: 1_790_000_000,
            expires_at_s: 1_800_000_000,
            sequence: 5,
            ..wire::Seal::default()
        };
        let digest = Digest::of(&table);
        let seal = Some(key.sign(Kind::Seal, seal.encode_to_vec()));
        let sealed = Some(OldSealedTable { table, seal });
        (OldResponse { sealed }.encode_to_vec(), digest)
    }

    fn old_table() -> OldTable {
        OldTable {
            node: "al-police".to_owned(),
            jurisdiction: "AL".to_owned(),
            lists: Lists::builtin().name().to_owned(),
            editions: Vec::new(),
            blocks: vec![OldBlock {
                indicator: "PUB.OFF.N".to_owned(),
                mode: Mode::Open.to_wire().into(),
                crime_areas: vec!["ICCS0101".to_owned()],
                regions: vec!["AL".to_owned()],
                periods: vec!["2016".to_owned(), "2017".to_owned()],
                status: vec![wire::CellStatus::Value.into(), wire::CellStatus::NotShown.into()],
                value: vec![71, 0],
                ..OldBlock::default()
            }],
        }
    }

    #[test]
    fn an_answer_of_the_old_form_keeps_its_cells_and_gets_another_digest() {
        let (key, lists) = (SecretKey::generate(&SystemEntropy).unwrap(), Lists::builtin());
        let (stored, digest) = written(&key, &old_table());
        let reopened = SealedAnswer::reopen(&stored, &[key.public()], lists).unwrap();
        assert!(reopened.is_old() && reopened.seal().table_digest == digest);
        assert_eq!(reopened.seal().consent_epoch, 3);
        let cells = reopened.table().blocks[0].cells.clone();
        assert_eq!(cells, [Cell::Value(71), Cell::NotShown]);
        let salting = Salting { secret: &[1; 32], tier: Tier::B };
        let old = reopened.seal().clone();
        let anew = reopened.reseal(salting, lists, &key, |table_digest, snapshot| Seal {
            table_digest,
            snapshot,
            supersedes: Some(old.table_digest),
            ..old
        });
        assert_ne!(anew.table_digest(), digest);
        let reopened = SealedAnswer::reopen(&anew.encode(), &[key.public()], lists).unwrap();
        assert_eq!(reopened.table().blocks[0].cells, cells);
        assert_eq!(reopened.seal().supersedes, Some(digest));
        assert_eq!(reopened.again().unwrap().encode(), anew.encode());
    }

    #[test]
    fn a_damaged_answer_of_the_old_form_is_none() {
        let (key, lists) = (SecretKey::generate(&SystemEntropy).unwrap(), Lists::builtin());
        let (stored, _) = written(&key, &old_table());
        for at in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[at] ^= 1;
            let reopened = SealedAnswer::reopen(&damaged, &[key.public()], lists);
            assert!(reopened.is_err(), "byte {at}");
        }
    }
}
