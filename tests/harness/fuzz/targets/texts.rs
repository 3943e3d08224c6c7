//! Files that people write: configuration, policies, rosters, drafts, mappings, code lists, population tables, summaries.

use std::{path::Path, rc::Rc};

use accord_coordinator::{config as region_config, gate::GatePolicy, requirement};
use accord_node::{
    config as node_config,
    ingest::Mapping,
    policy::{Files, Policy, Secret},
    summary::{Admission, DEFAULT_CEILING, Document},
};
use accord_proto::{
    at_rest::Keys,
    clock::{FixedClock, Timestamp},
    guard,
    operate::{self, roster::Sources},
    question::Requirement,
    rate::Population,
    reason::{Invalid, Reason},
    roster::{Paper, Roster},
    seal::{Kind, SecretKey},
    taxonomy::{JurisdictionCode, Lists},
    wire,
};
use anyhow::{Context as _, Result};
use prost::Message as _;

use super::{accepted, refused, text};
use crate::fuzz::{
    Judged, Target, Verdict,
    scene::{Scene, Seeded},
};

const NODE: &str = include_str!("../../../../deploy/node.toml");
const COORDINATOR: &str = include_str!("../../../../deploy/coordinator.toml");
const POLICY: &str = include_str!("../../../../deploy/policy.toml");
const POLICY_SECRET: &str = include_str!("../../../../deploy/policy.secret.toml");
const GATE_SECRET: &str = include_str!("../../../../deploy/gate.secret.toml");
const REQUIREMENT: &str = include_str!("../../../../deploy/requirement.toml");
const MAPPING: &str = include_str!("../../../../deploy/mapping.toml");
const SUMMARY: &str = include_str!("../../../../deploy/summary.toml");
const ROSTER: &str = include_str!("../../../../deploy/roster.toml");
const POPULATION: &str = "# title: Population on 1 January\n# source: made up for a test\n\
    jurisdiction,year,population\nAL,2016,2875592\nRS,2016,7076372\n";
/// The name of the file stands in the first line.
const OWN_AREAS: &str = "smuggling\ncode,label,parent\nSMG,Smuggling,\nSMG.TOB,Tobacco,SMG\n";
const OWN_PURPOSES: &str = "purposes\ncode,label\nTRAINING,Training of analysts\n";

pub(super) fn targets(scene: &Rc<Scene>) -> Result<Vec<Target>> {
    let albania = JurisdictionCode::parse("AL").context("no Albania")?;
    let line = |seed| Keys::new_line(&Seeded::new(seed)).map(|(_, line)| line.to_string());
    let store_keys = format!("# the newest\n{}{}", line(4)?, line(5)?);
    Ok(vec![
        read("node-config", &[NODE], |text| {
            node_config::Config::parse(text, Path::new("/nowhere")).map(drop)
        }),
        read("coordinator-config", &[COORDINATOR], |text| {
            region_config::Config::parse(text, Path::new("/nowhere")).map(drop)
        }),
        policy(albania),
        read("policy-secret", &[POLICY_SECRET, ""], |text| Secret::parse(text, &[1; 32]).map(drop)),
        read("gate-secret", &[GATE_SECRET, "p_percent = 25\ncoalition = 2\n"], |text| {
            GatePolicy::parse(text).map(drop)
        }),
        read("store-keys", &[&store_keys], |text| Keys::parse(text).map(drop)),
        draft(scene),
        read("mapping", &[MAPPING], |text| Mapping::parse(text).map(drop)),
        read("population", &[POPULATION], |text| {
            Population::parse("population", text.as_bytes(), Lists::builtin()).map(drop)
        }),
        own_lists(),
        summary(albania),
        roster(),
    ])
}

/// A text that is taken can be signed, unless a list of it is too long; and written again it means the same.
fn roster() -> Target {
    let written =
        ROSTER.replace("certificate = ", "# certificate = ").replace("# tls_keys", "tls_keys");
    let given = written.replace("\"mk-police/seal.pub\"", &format!("\"{}\"", own_key(1)));
    let given = given.replace("analysis-unit/authority.pub", &own_key(2));
    let given = given.replace("coordinator/sign.pub", &own_key(3));
    text("roster-text", &[&given], |text| {
        let absent = |_: &str| Err(Invalid::new(Reason::NotFound, "file", "there are none"));
        let (now, lists) = (Timestamp::EARLIEST, Lists::builtin());
        let sources = Sources { file: &absent, previous: None, now, lists };
        let root = match SecretKey::generate(&Seeded::new(9)) {
            Ok(root) => root,
            Err(error) => return refused(error),
        };
        let read = match operate::roster::read(text, &sources) {
            Ok(read) => read,
            Err(error) => return refused(error),
        };
        let opened = Roster::sign(&read, lists, &root, &Seeded::new(10)).and_then(|file| {
            Roster::read(("roster", &file.encode_to_vec()), &root.public(), lists, 0, now)
        });
        match opened.map(|(opened, _)| opened) {
            Ok(opened) if opened.version >= i64::MAX.unsigned_abs() - 1 => {
                refused("the last version")
            }
            Ok(opened) => {
                let again = operate::roster::read(&operate::roster::write(&opened), &sources);
                let next = Paper { version: read.version + 1, ..read };
                accepted(again == Ok(next), "a roster is written as another one")
            }
            Err(error) => refused(error),
        }
    })
    .slow()
}

/// Public half of a key that is the same in every run.
fn own_key(seed: u64) -> String {
    let key = SecretKey::generate(&Seeded::new(seed)).map(|key| key.public().to_bytes());
    key.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nothing but that it is read or refused.
fn read(
    name: &'static str,
    specimens: &[&str],
    read: impl Fn(&str) -> Result<(), Invalid> + 'static,
) -> Target {
    text(name, specimens, move |text| match read(text) {
        Ok(()) => Ok(Judged::Accepted),
        Err(error) => refused(error),
    })
}

fn policy(albania: JurisdictionCode) -> Target {
    let lists = Lists::builtin();
    text("policy", &[POLICY], move |public| {
        let files = Files { public, secret: "", salt: &[1; 32] };
        match Policy::parse(files, albania, lists) {
            Ok(policy) => {
                // What is not named stays closed, and what is named has terms.
                let closed = lists
                    .indicators()
                    .filter(|indicator| policy.named().all(|(named, _)| named != indicator.code));
                let mut closed = closed.map(|indicator| policy.mode(indicator.code));
                let holds = closed.all(|mode| mode == accord_proto::table::Mode::Closed);
                accepted(holds, "an indicator is open that nobody has named")
            }
            Err(error) => refused(error),
        }
    })
    .slow()
}

/// A draft that is read can be signed or is refused by name, and a signed one is opened by whoever gets it.
fn draft(scene: &Rc<Scene>) -> Target {
    let scene = Rc::clone(scene);
    let members = ["al-police", "ba-police", "rs-police"].map(str::to_owned);
    text("requirement-draft", &[REQUIREMENT], move |draft| {
        // Within a year of the day on which the example closes.
        let drafted = Timestamp::EARLIEST.plus_s(27 * 365 * 86_400);
        let (lists, clock, entropy) = (Lists::builtin(), FixedClock(drafted), Seeded::new(1));
        let read = match requirement::read(draft, &members, lists, &clock, &entropy) {
            Ok(read) => read,
            Err(error) => return refused(error),
        };
        match Requirement::sign(&read, lists, &scene.authority) {
            Ok(envelope) => signed(&scene, envelope),
            // Found wrong at once, by whoever wrote it.
            Err(error) => refused(error),
        }
    })
    .slow()
}

fn signed(scene: &Scene, envelope: wire::Envelope) -> Verdict {
    // Another authority's name may stand in it: then its key is another one, too.
    let asks = wire::Requirement::decode(envelope.payload.as_slice()).unwrap_or_default().authority;
    if envelope.payload_type != Kind::Requirement.payload_type() || asks != "analysis-unit" {
        return refused("of another authority");
    }
    let opened =
        accord_proto::question::SignedRequirement::open(envelope, &scene.roster, Lists::builtin());
    accepted(opened.is_ok(), "what was signed is not opened")
}

fn own_lists() -> Target {
    text("own-lists", &[OWN_AREAS, OWN_PURPOSES], |text| {
        let (name, file) = text.split_once('\n').unwrap_or_default();
        match Lists::with_own(&[(name.to_owned(), file.to_owned())]) {
            Ok(lists) => {
                let builtin = Lists::builtin();
                let kept = builtin.indicators().all(|known| {
                    lists.indicator_of(known.code).is_some_and(|own| own.code == known.code)
                });
                accepted(
                    kept && lists.name() != builtin.name(),
                    "a list of the contract has changed",
                )
            }
            Err(error) => refused(error),
        }
    })
    .slow()
}

/// A summary that is taken in is written in one way, and read back as the same.
fn summary(albania: JurisdictionCode) -> Target {
    text("summary", &[SUMMARY], move |text| {
        let lists = Lists::builtin();
        let guard = |text: &str| guard::in_text(text).map(guard::Personal::name);
        let before: Timestamp = Timestamp::EARLIEST;
        let admission = Admission { ceiling: DEFAULT_CEILING, guard, now: before };
        match Document::parse(text, albania, lists, &admission) {
            Ok(document) => {
                let again = Document::parse(document.text(), albania, lists, &admission);
                let back = Document::reopen(document.text().to_owned(), albania, lists);
                let same = again.is_ok_and(|again| again == document)
                    && back.is_ok_and(|back| back.text() == document.text());
                accepted(same, "a summary is read back as another one")
            }
            Err(error) => refused(error),
        }
    })
}
