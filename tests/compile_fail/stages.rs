// No lie: every stage in its order, in the node and in the coordinator. Were this not to compile, the
// programs beside it would prove nothing.
use accord_coordinator::{
    combine, gate,
    gather::Reply,
    picture::{self, MemberState, Picture},
    verify,
};
use accord_node::{
    consent::{self, Grant},
    cube,
    disclose::{self, Rules, ledger::Ledger, reserve::reserve},
    freeze::Editions,
    policy::Policy,
    record::{RawRecord, Reader, Record},
    seal::SealedAnswer,
};
use accord_proto::{
    answer::Seal,
    clock::Timestamp,
    identity::Name,
    question::{Requirement, SignedRequirement},
    reason::Invalid,
    roster::Roster,
    seal::{Digest, SecretKey},
    taxonomy::{JurisdictionCode, Lists},
    tree::Salting,
    wire,
};

fn record(
    raw: RawRecord<'_>,
    of: JurisdictionCode,
    lists: &Lists,
    secret: &[u8; 32],
) -> Result<Record, Invalid> {
    Reader::new(of, lists, secret).read(&raw)
}

fn answer(
    asked: &Requirement,
    grants: &[Grant],
    editions: &Editions,
    policy: &Policy,
    (node, of): (&Name, JurisdictionCode),
    (lists, now): (&Lists, Timestamp),
    key: &SecretKey,
    (salting, bind): (Salting<'_>, impl FnOnce(Digest, Digest) -> Seal),
) -> Result<wire::AnswerResponse, Invalid> {
    let consented = consent::decide(asked, grants, of, lists, now)?;
    let slice = cube::slice(editions, &consented);
    let rules = Rules { editions, policy, lists };
    let reserved = reserve(&consented, rules, &Ledger::default(), now);
    let safe = disclose::disclose(&consented, slice, &reserved, rules, (node, of));
    Ok(SealedAnswer::seal(&safe, salting, lists, key, bind).into())
}

fn survey(
    reply: Reply,
    asked: &SignedRequirement,
    roster: &Roster,
    (lists, now): (&Lists, Timestamp),
    key: &SecretKey,
) -> Picture {
    let member = reply.member.clone();
    let verified = verify::verify(reply, asked, verify::Seen::default(), lists, now);
    let states = [MemberState::of(member, &verified)];
    let answers: Vec<_> = verified.into_iter().collect();
    let before = gate::PooledBefore::new();
    let minimum = asked.requirement().minimum_contributors;
    let verdicts = gate::judge(&answers, minimum, &gate::GatePolicy::default(), &before, lists);
    let figures = combine::combine(&verdicts, lists);
    let beside = picture::Beside { named: gate::named(&answers), ..Default::default() };
    picture::draw(asked, &states, (&figures, &beside), roster, lists, key)
}
