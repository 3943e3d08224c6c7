//! What operators copy works: every file of `deploy/` is read by the type that reads it in production, a
//! wrong key is refused by name, and a node that is not set up safely does not start.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use accord_coordinator::requirement;
use accord_node::{
    ingest::mapping::Mapping,
    policy::{Files, Policy},
    summary::{Admission, DEFAULT_CEILING, Document},
};
use accord_proto::{
    clock::{Clock as _, FixedClock, SystemClock, SystemEntropy, Timestamp},
    guard,
    operate::{self, roster::Sources},
    reason::{Invalid, Reason},
    roster::{Paper, PaperCentre, PaperMember, Roster},
    seal::{Digest, SecretKey},
    taxonomy::Lists,
    wire,
};
use accord_tests::rotation;

use crate::{Running, prepared};

/// A file that people copy, and what reads it.
struct Sample {
    /// Relative to the repository.
    path: &'static str,
    /// What was read, as text; or why not.
    read: fn(&str) -> Result<String, Invalid>,
}

const SAMPLES: [Sample; 9] = [
    Sample { path: "deploy/node.toml", read: node },
    Sample { path: "deploy/coordinator.toml", read: coordinator },
    Sample { path: "deploy/policy.toml", read: |text| policies(text, "") },
    Sample {
        path: "deploy/policy.secret.toml",
        read: |text| policies(include_str!("../../deploy/policy.toml"), text),
    },
    Sample {
        path: "deploy/gate.secret.toml",
        read: |text| Ok(format!("{:?}", accord_coordinator::gate::GatePolicy::parse(text)?)),
    },
    Sample { path: "deploy/requirement.toml", read: signed },
    Sample { path: "deploy/roster.toml", read: rostered },
    Sample { path: "deploy/mapping.toml", read: |text| Ok(format!("{:?}", Mapping::parse(text)?)) },
    Sample { path: "deploy/summary.toml", read: summary },
];

/// Small configurations, each for one way of running.
const EXAMPLES: [Sample; 7] = [
    Sample { path: "deploy/examples/minimal-node.toml", read: node },
    Sample { path: "deploy/examples/dial-out-node.toml", read: node },
    Sample { path: "deploy/examples/hardened-node.toml", read: node },
    Sample { path: "deploy/examples/minimal-coordinator.toml", read: coordinator },
    Sample { path: "deploy/examples/hardened-coordinator.toml", read: coordinator },
    Sample { path: "deploy/compose/node.toml", read: node },
    Sample { path: "deploy/compose/coordinator.toml", read: coordinator },
];

fn node(text: &str) -> Result<String, Invalid> {
    let config = accord_node::config::Config::parse(text, Path::new("home"))?;
    Ok(format!("{config:?}"))
}

fn coordinator(text: &str) -> Result<String, Invalid> {
    let config = accord_coordinator::config::Config::parse(text, Path::new("home"))?;
    Ok(format!("{config:?}"))
}

/// Reads a policy as the node of every jurisdiction would: each has a lattice of its own.
fn policies(public: &str, secret: &str) -> Result<String, Invalid> {
    let lists = Lists::builtin();
    let of = |code| {
        let jurisdiction = lists.jurisdiction("jurisdiction", code)?.code;
        let files = Files { public, secret, salt: &[0; 32] };
        Ok(format!("{:?}", Policy::parse(files, jurisdiction, lists)?))
    };
    ["AL", "BA", "ME", "MK", "RS", "XK"].into_iter().map(of).collect()
}

/// Takes in a summary as the node of its sample's jurisdiction would.
fn summary(text: &str) -> Result<String, Invalid> {
    let lists = Lists::builtin();
    let albania = lists.jurisdiction("jurisdiction", "AL")?.code;
    let now = Timestamp::parse("today", "2026-12-01")?;
    let guard = |text: &str| guard::in_text(text).map(guard::Personal::name);
    let admission = Admission { ceiling: DEFAULT_CEILING, guard, now };
    Ok(Document::parse(text, albania, lists, &admission)?.text().to_owned())
}

/// Signs a roster whose members have sent what the sample names: the same keys each time.
fn rostered(text: &str) -> Result<String, Invalid> {
    let ca = accord_proto::pki::Authority::new("sample", &SystemClock)?;
    let file = |name: &str| match name {
        "mk-police/tls.crt" => certificate(&ca, "MK/node/mk-police/node"),
        "coordinator/tls.crt" => certificate(&ca, "REGION/node/coordinator/coordinator"),
        _ => {
            let key = SecretKey::generate(&SystemEntropy)?.public().to_bytes();
            Ok(key.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes())
        }
    };
    let now = Timestamp::parse("today", "2026-12-01")?;
    let sources = Sources { file: &file, previous: None, now, lists: Lists::builtin() };
    let roster = operate::roster::read(text, &sources)?;
    let root = SecretKey::generate(&SystemEntropy)?;
    Roster::sign(&roster, Lists::builtin(), &root, &SystemEntropy)?;
    let days = (roster.expires_at_s - roster.issued_at_s) / 86_400;
    Ok(format!("{} {} {days}", roster.federation, roster.version))
}

fn certificate(ca: &accord_proto::pki::Authority, of: &str) -> Result<Vec<u8>, Invalid> {
    let issued = ca.issue_uris(&[format!("spiffe://wb6.example/{of}")], 30)?;
    Ok(issued.certificate_pem.into_bytes())
}

/// Signs a requirement on a day when the sample's window can open.
fn signed(text: &str) -> Result<String, Invalid> {
    let key = SecretKey::generate(&SystemEntropy)?;
    let clock = FixedClock(Timestamp::parse("today", "2026-12-01")?);
    let members = ["al-police".to_owned(), "ba-police".to_owned()];
    let envelope =
        requirement::sign(text, &members, &key, Lists::builtin(), &clock, &SystemEntropy)?;
    let requirement: wire::Requirement =
        accord_proto::strict::decode_signed("requirement", &envelope.payload)?;
    Ok(format!(
        "{:?}",
        wire::Requirement {
            // Minted anew each time.
            requirement: String::new(),
            ..requirement
        }
    ))
}

#[test]
fn every_file_that_operators_copy_is_read_by_the_program() {
    for sample in SAMPLES.iter().chain(&EXAMPLES) {
        (sample.read)(&text_of(sample.path))
            .unwrap_or_else(|error| panic!("{}: {error}", sample.path));
    }
}

#[test]
fn no_file_of_deploy_goes_untested() {
    let deploy = root().join("deploy");
    // What compose/keys.sh has made, and what people work on in containers.
    let made = ["compose/federation", "compose/files"].map(|folder| deploy.join(folder));
    let mut folders = vec![deploy.clone()];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if made.contains(&path) {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(&deploy).unwrap();
                found.insert(format!("deploy/{}", relative.display()));
            }
        }
    }
    found.remove("deploy/README.md");
    found.remove("deploy/SECURITY.md");
    let tested: BTreeSet<_> = SAMPLES.iter().chain(&EXAMPLES).map(|sample| sample.path).collect();
    found.retain(|path| !tested.contains(path.as_str()));
    // The others are held against their tools, in every run of .ci/run.
    let check = text_of("deploy/check.sh");
    assert!(text_of(".ci/run").contains("deploy/check.sh"), "nobody runs deploy/check.sh");
    let names: BTreeSet<_> = check
        .split(|c: char| !c.is_ascii_alphanumeric() && !"@./_-".contains(c))
        .map(|word| word.trim_end_matches('.'))
        .map(|word| word.strip_prefix("deploy/").unwrap_or(word))
        .collect();
    found.retain(|path| !names.contains(path.trim_start_matches("deploy/")));
    assert!(found.is_empty(), "nothing reads {found:?}");
}

#[test]
fn a_service_is_given_what_its_configuration_calls_a_credential() {
    for (service, config) in [
        ("accord-node", "deploy/examples/hardened-node.toml"),
        ("accord-coordinator", "deploy/examples/hardened-coordinator.toml"),
    ] {
        let unit = text_of(&format!("deploy/systemd/{service}.service"));
        let given: BTreeSet<_> = unit
            .lines()
            .filter_map(|line| line.strip_prefix("LoadCredential="))
            .filter_map(|line| line.split(':').next())
            .collect();
        let config = text_of(config);
        let named: BTreeSet<_> = config
            .split("\"credential:")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(given, named, "{service}");
        assert!(!given.is_empty(), "{service} is given nothing");
    }
}

#[test]
fn a_wrong_key_is_refused_by_name() {
    for sample in SAMPLES.iter().chain(&EXAMPLES) {
        let text = text_of(sample.path);
        let tables: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with('['))
            // The codes that a mapping translates are the nation's own words.
            .filter(|line| !line.starts_with("[codes."))
            .collect();
        let wrong = "wrong_key = \"x\"\n";
        let mut spoilt = vec![("the top".to_owned(), format!("{wrong}{text}"))];
        for table in tables {
            let with = text.replacen(&format!("\n{table}\n"), &format!("\n{table}\n{wrong}"), 1);
            spoilt.push((table.to_owned(), with));
        }
        for (place, text) in spoilt {
            let path = sample.path;
            match (sample.read)(&text) {
                Ok(_) => panic!("{path}: a wrong key in {place} is not noticed"),
                Err(error) => assert!(
                    error.to_string().contains("wrong_key"),
                    "{path}: a wrong key in {place} is not named: {error}"
                ),
            }
        }
    }
}

#[test]
fn every_key_that_is_commented_out_is_real() {
    let mut refused = Vec::new();
    let mut shown = 0;
    for sample in SAMPLES {
        for (key, text) in uncommented(&text_of(sample.path)) {
            shown += 1;
            if let Err(error) = (sample.read)(&text) {
                refused.push(format!("{}: {key}: {error}", sample.path));
            }
        }
    }
    assert!(shown >= 12, "only {shown} keys are commented out");
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn a_key_of_a_config_that_is_commented_out_shows_its_default() {
    // What a mapping or a secret floor shows is an example.
    let examples = ["deploy/mapping.toml", "deploy/policy.secret.toml"];
    for sample in SAMPLES.iter().filter(|sample| !examples.contains(&sample.path)) {
        let text = text_of(sample.path);
        let usual = (sample.read)(&text).unwrap();
        for (key, text) in uncommented(&text) {
            // A day, and an id, have no default that could be shown; a file that may be missing is not named.
            if !["id", "opens", "policy_secret"].contains(&key.as_str()) {
                assert_eq!((sample.read)(&text).unwrap(), usual, "{}: {key}", sample.path);
            }
        }
    }
}

#[test]
fn a_private_key_that_others_can_read_stops_its_owner() {
    for (who, key) in [
        ("al-police", "tls.key"),
        ("al-police", "seal.key"),
        ("coordinator", "tls.key"),
        ("coordinator", "sign.key"),
    ] {
        let mut running = prepared(&["AL"]);
        let path = running.dir.join(who).join("keys").join(key);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let why = refused(&mut running, who);
        assert!(why.contains("chmod 600") && why.contains(key), "{why}");
    }
}

#[test]
fn whoever_the_roster_does_not_list_does_not_start() {
    let mut running = prepared(&["AL", "BA"]);
    let roster = Paper {
        members: roster(&running)
            .members
            .into_iter()
            .filter(|member| member.node != "al-police")
            .collect(),
        ..roster(&running)
    };
    put_roster(&running, "al-police", &roster, &root_key(&running));
    let why = refused(&mut running, "al-police");
    assert!(why.contains("does not list this certificate"), "{why}");

    // Nor does a coordinator whose place is another's.
    let centres = roster
        .centres
        .iter()
        .map(|centre| PaperCentre { name: "another".to_owned(), ..centre.clone() });
    let roster = Paper { centres: centres.collect(), ..roster.clone() };
    put_roster(&running, "coordinator", &roster, &root_key(&running));
    let why = refused(&mut running, "coordinator");
    assert!(why.contains("does not list this certificate"), "{why}");
}

#[test]
fn a_roster_older_than_one_relied_on_is_refused() {
    let mut running = prepared(&["AL"]);
    let (old, key) = (roster(&running), root_key(&running));
    let newer = Paper { version: old.version + 1, ..old.clone() };
    for who in ["al-police", "coordinator"] {
        put_roster(&running, who, &newer, &key);
    }
    running.federation.start().unwrap();
    running.kill_all();
    for who in ["al-police", "coordinator"] {
        put_roster(&running, who, &old, &key);
        let why = refused(&mut running, who);
        assert!(why.contains(Reason::RosterRollback.code()), "{why}");
        // Nothing is broken by it: the newer one still serves.
        put_roster(&running, who, &newer, &key);
        start(&mut running, who).unwrap();
    }
}

#[test]
fn an_expired_roster_is_refused() {
    let mut running = prepared(&["AL"]);
    let now = SystemClock.now();
    let expired = Paper {
        issued_at_s: now.plus_s(-86_400).as_s(),
        expires_at_s: now.plus_s(-1).as_s(),
        ..roster(&running)
    };
    for who in ["al-police", "coordinator"] {
        put_roster(&running, who, &expired, &root_key(&running));
        let why = refused(&mut running, who);
        let said = why.contains(Reason::RosterInvalid.code()) && why.contains("expired");
        assert!(said, "{why}");
    }
}

#[test]
fn a_roster_of_another_root_is_refused() {
    let mut running = prepared(&["AL"]);
    let another = SecretKey::generate(&SystemEntropy).unwrap();
    for who in ["al-police", "coordinator"] {
        put_roster(&running, who, &roster(&running), &another);
        let why = refused(&mut running, who);
        assert!(why.contains(Reason::RosterInvalid.code()), "{why}");
    }
}

#[test]
fn members_that_only_the_coordinator_enrols_fill_no_pool() {
    let mut running = prepared(&["AL"]);
    let pem = fs::read_to_string(running.dir.join("coordinator/keys/sign.key")).unwrap();
    let coordinators_own = SecretKey::from_pem("sign.key", &pem).unwrap();
    let mut enrolled = roster(&running);
    for (node, jurisdiction) in [("ba-dummy", "BA"), ("me-dummy", "ME")] {
        let seal_keys =
            vec![SecretKey::generate(&SystemEntropy).unwrap().public().to_bytes().to_vec()];
        let tls_spki_sha256 = vec![Digest::of(node.as_bytes()).0.to_vec()];
        let (node, jurisdiction) = (node.to_owned(), jurisdiction.to_owned());
        let like = enrolled.members[0].clone();
        let dummy = PaperMember { node, jurisdiction, seal_keys, tls_spki_sha256, ..like };
        enrolled.members.push(dummy);
    }
    enrolled.version += 1;
    for who in ["al-police", "coordinator"] {
        put_roster(&running, who, &enrolled, &coordinators_own);
        let why = refused(&mut running, who);
        assert!(why.contains(Reason::RosterInvalid.code()), "{why}");
    }
}

/// Each key that is commented out, with the text in which it is not. A table that is commented out too
/// comes back with its key.
fn uncommented(text: &str) -> Vec<(String, String)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(key) = commented_key(line) else {
            continue;
        };
        let mut with: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        with[at] = line[2..].to_owned();
        if at > 0 && lines[at - 1].starts_with("# [") {
            with[at - 1] = lines[at - 1][2..].to_owned();
        }
        found.push((key.to_owned(), with.join("\n")));
    }
    found
}

/// The key of a line like `# key = value`.
fn commented_key(line: &str) -> Option<&str> {
    let (key, value) = line.strip_prefix("# ")?.split_once(" = ")?;
    let word = key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let begins = |c: char| c.is_ascii_digit() || matches!(c, '"' | '[' | 't' | 'f');
    (word && value.starts_with(begins)).then_some(key)
}

/// Why somebody does not start.
fn refused(running: &mut Running, who: &str) -> String {
    match start(running, who) {
        Ok(()) => panic!("{who} starts"),
        Err(error) => error.to_string(),
    }
}

fn start(running: &mut Running, who: &str) -> anyhow::Result<()> {
    // What it said before is not what it says now.
    let _ = fs::remove_file(running.dir.join(who).join("log"));
    if who == "coordinator" {
        running.federation.start_coordinator()
    } else {
        running.federation.start_node(who)
    }
}

/// The roster that the federation was prepared with.
fn roster(running: &Running) -> Paper {
    rotation::roster(running).unwrap()
}

fn root_key(running: &Running) -> SecretKey {
    let pem = fs::read_to_string(running.dir.join("federation/root.key")).unwrap();
    SecretKey::from_pem("root", &pem).unwrap()
}

/// Signs a roster and hands it to somebody.
fn put_roster(running: &Running, who: &str, roster: &Paper, key: &SecretKey) {
    let path = running.dir.join(who).join("roster.signed");
    fs::write(path, rotation::signed(roster, key).unwrap()).unwrap();
}

fn text_of(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
