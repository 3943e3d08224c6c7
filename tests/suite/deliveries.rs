//! A finished picture is at every member that its requirement names, and readable there with the centre down: verified like by a
//! stranger, with the member's own share beside it. Whoever delivers a lie is refused by name.

use std::{fs, path::PathBuf, process::Command, sync::Arc, sync::Mutex};

use accord_proto::{
    answer::SealedTable,
    clock::{Clock as _, SystemClock},
    delivery::{Head, PictureReceipt},
    evidence::{self, Evidence},
    id::RequirementId,
    limits::{DELIVERY_PIECE_BYTES_MAX, EVIDENCE_BYTES_MAX},
    reason::{Invalid, Reason},
    roster::RosterFile,
    seal::{Digest, Kind},
    status::from_status,
    strict,
    table::Cell,
    taxonomy::Lists,
    wire::{self, deliver_picture_request::Part, region},
};
use accord_tests::{
    crash::Dice,
    federation::{QUESTION, cell},
    peers,
    process::Finished,
    roles,
    stand_in::{Says, StandIn},
};
use prost::Message as _;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    Running, prepared, program,
    protected::{SEIZURES, filled},
    started, with_sample,
};

const NODES: [&str; 3] = ["al-police", "ba-police", "rs-police"];
const HOMICIDE: &str =
    "indicator = \"PUB.OFF.N\"\ncrime_areas = \"ICCS0101\"\nperiods = \"2016\"\n";

fn desk(running: &Running, node: &str, arguments: &[&str]) -> Value {
    running.desk(node, "analyst", arguments).unwrap().json(&[0, 3]).unwrap()
}

/// Delivers now; what stands at each member then.
fn deliver(running: &Running, requirement: &str) -> Vec<(String, String, String)> {
    running.region("analyst", "json", &["picture", "deliver", requirement]).unwrap();
    let listed = running.region("auditor", "json", &["picture", "deliveries", requirement]);
    let listed = listed.unwrap().json(&[0, 3]).unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let line = |row: &Value| (text(row, "node"), text(row, "state"), text(row, "reason"));
    listed.as_array().unwrap().iter().map(line).collect()
}

fn everywhere(running: &Running, requirement: &str) {
    for (node, state, reason) in deliver(running, requirement) {
        assert_eq!((state.as_str(), reason.as_str()), ("delivered", ""), "{node}");
    }
}

/// What the coordinator keeps of a picture.
fn evidence_of(running: &Running, requirement: &str, version: &str) -> Vec<u8> {
    let out = running.dir.join(format!("{requirement}.{version}.evidence"));
    let name = out.display().to_string();
    let command = ["picture", "evidence", requirement, "--version", version, "--out", &name];
    running.region("auditor", "json", &command).unwrap().json(&[0]).unwrap();
    fs::read(out).unwrap()
}

/// A coordinator that is played, with the true one's keys.
struct Played<'a> {
    running: &'a Running,
    runtime: Runtime,
}

impl<'a> Played<'a> {
    fn of(running: &'a Running) -> Self {
        Self { running, runtime: Runtime::new().unwrap() }
    }

    /// Sends these parts to a node; a call that is broken off ends like one that is done.
    fn send(&self, node: &str, parts: Vec<Part>) -> Result<wire::Envelope, Invalid> {
        self.runtime.block_on(async {
            let mut client = peers::coordinator(self.running, node).await.unwrap();
            let parts =
                parts.into_iter().map(|part| wire::DeliverPictureRequest { part: Some(part) });
            let reply = client.deliver_picture(tokio_stream::iter(parts)).await;
            Ok(reply.map_err(|status| from_status(&status))?.into_inner().receipt.unwrap())
        })
    }

    fn deliver(&self, node: &str, head: &Head, file: &[u8]) -> Result<wire::Envelope, Invalid> {
        self.send(node, parts(head, file))
    }
}

fn parts(head: &Head, file: &[u8]) -> Vec<Part> {
    let pieces = file.chunks(DELIVERY_PIECE_BYTES_MAX).map(|piece| Part::Piece(piece.to_vec()));
    std::iter::once(Part::Head(head.to_wire())).chain(pieces).collect()
}

/// Announces a file truly.
fn head(requirement: &str, version: u32, file: &[u8]) -> Head {
    Head {
        requirement: RequirementId::parse("requirement", requirement).unwrap(),
        version,
        drawn_at: SystemClock.now(),
        bytes: file.len(),
        evidence: Digest::of(file),
    }
}

/// The file with something changed by whoever has the coordinator's key.
fn forged(
    running: &Running,
    file: &[u8],
    change: impl FnOnce(&mut Evidence, &mut region::Picture),
) -> Vec<u8> {
    let mut parts = evidence::read(file).unwrap();
    let mut picture: region::Picture =
        strict::decode_signed("picture", &parts.picture.payload).unwrap();
    change(&mut parts, &mut picture);
    let key = peers::secret_key(running, "coordinator/keys/sign.key").unwrap();
    let signed = key.sign(Kind::Picture, picture.encode_to_vec());
    let Evidence { roster, requirement, picture: _, tables, notices } = parts;
    evidence::write(roster, requirement, signed, tables, notices)
}

/// Three members with the sample, of which the first is away and has never seen a coordinator: what is played to it is all
/// that it knows.
fn without_albania() -> (Running, String) {
    let mut running = prepared(&["AL", "BA", "RS"]);
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    running.node_server("al-police").unwrap().kill();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    (running, requirement)
}

#[test]
fn a_finished_picture_is_read_and_verified_at_every_member_with_the_centre_down() {
    let running = filled("");
    running.with_sample().unwrap();
    let requirement = running.issue(&[SEIZURES, QUESTION]).unwrap();
    let drawn = running.gather(&requirement).unwrap();
    everywhere(&running, &requirement);
    let answers = NODES.map(|node| {
        let out = running.dir.join(format!("{node}.answer"));
        let name = out.display().to_string();
        let command = ["answer", "export", &requirement, "--out", &name];
        running.desk(node, "releaser", &command).unwrap().json(&[0]).unwrap();
        out
    });
    running.coordinator_server().unwrap().kill();

    for (node, answer) in NODES.iter().zip(&answers) {
        let listed = desk(&running, node, &["picture", "list"]);
        let [line] = listed.as_array().unwrap().as_slice() else { panic!("{listed}") };
        assert_eq!(line["requirement"], requirement.as_str(), "{line}");
        assert_eq!((&line["version"], &line["coverage"]), (&json!(1), &json!("3/3")), "{line}");

        let mut shown = desk(&running, node, &["picture", "show", &requirement]);
        check_own_share(&running, node, &shown, answer);
        assert_eq!(shown["own_marking"], "own eyes only");
        for cell in shown["picture"]["cells"].as_array_mut().unwrap() {
            cell.as_object_mut().unwrap().remove("own");
        }
        assert_eq!((&shown["picture"], &shown["members"]), (&drawn["picture"], &drawn["members"]));

        let verify = ["picture", "verify", &requirement];
        let proven = running.desk(node, "auditor", &verify).unwrap();
        assert!(proven.stderr.contains("contributions by digest only"), "{}", proven.stderr);
        assert_eq!(proven.json(&[3]).unwrap()["requirement"], requirement.as_str());
    }
    check_reading(&running, &requirement, &answers);
}

/// The share stands beside the figures: what the node has released, in its own archive.
fn check_own_share(running: &Running, node: &str, shown: &Value, answer: &PathBuf) {
    let roster = peers::roster(running).unwrap();
    let member = roster.members.iter().find(|member| member.node.as_str() == node).unwrap();
    let sealed = evidence::read_answer(&fs::read(answer).unwrap()).unwrap();
    let sealed = SealedTable::open(sealed, &member.seal_keys, Lists::builtin()).unwrap();
    let mut compared = 0;
    for block in &sealed.table().blocks {
        for placed in block.placed() {
            let period = placed.period.to_string();
            let found = cell(shown, &placed.crime_area.to_string(), &period).unwrap();
            let [own] = found["own"].as_array().unwrap().as_slice() else { panic!("{found}") };
            assert_eq!(own["region"], placed.region.to_string(), "{found}");
            match placed.cell {
                Cell::Value(value) => assert_eq!(own["value"], value, "{found}"),
                Cell::Between(..) | Cell::NotShown | Cell::NotApplicable | Cell::Missing => {
                    assert_eq!(own["value"], Value::Null, "{found}");
                }
            }
            compared += 1;
        }
    }
    assert_eq!(compared, shown["picture"]["cells"].as_array().unwrap().len());
}

/// Who reads leaves a trace; what is handed on verifies anywhere; with the others' answers every figure is proven.
fn check_reading(running: &Running, requirement: &str, answers: &[PathBuf; 3]) {
    let node = NODES[0];
    let mut verify = vec!["picture", "verify", requirement];
    let names = answers.each_ref().map(|answer| answer.display().to_string());
    names.iter().for_each(|name| verify.extend(["--answer", name]));
    running.desk(node, "releaser", &verify).unwrap().json(&[0]).unwrap();

    let out = running.dir.join("delivered.evidence").display().to_string();
    let export = ["picture", "export-evidence", requirement, "--out", &out];
    running.desk(node, "auditor", &export).unwrap().json(&[0]).unwrap();
    let mut stranger = Command::new(program());
    let home = running.dir.join("federation");
    stranger.arg(roles::NODE).args(["verify", &out, "-o", "json", "--roster"]);
    stranger.arg(home.join("roster.signed")).arg("--root").arg(home.join("root.pub"));
    Finished::run(stranger).unwrap().json(&[3]).unwrap();

    let list = ["journal", "list", "--act", "consultation"];
    let journal = running.desk(node, "auditor", &list).unwrap().json(&[0]).unwrap();
    let of = |verb: &str| {
        let subject = format!("picture {requirement} version 1");
        let lines = journal.as_array().unwrap().iter();
        lines.filter(|line| line["subject"] == subject.as_str() && line["why"] == verb).count()
    };
    assert_eq!((of("show"), of("evidence")), (1, 3), "{journal}");

    // In a table for people, too.
    let client = running.nodes[node].home.join("staff/analyst/client.toml");
    let mut table = Command::new(program());
    table.arg(roles::NODE).args(["picture", "show", requirement, "--client"]).arg(client);
    let table = Finished::run(table).unwrap();
    assert!(table.stdout.contains("own eyes only"), "{}", table.stdout);
}

#[test]
fn neither_a_neighbours_analyst_nor_an_operator_reads_what_was_delivered() {
    let running = with_sample(&["AL", "BA", "RS"]);
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    everywhere(&running, &requirement);
    let own = running.nodes["al-police"].home.join("staff/analyst/client.toml");
    let theirs = running.nodes["ba-police"].home.join("staff/analyst");
    let address = |line: &&str| line.starts_with("server") || line.starts_with("address");
    let text = fs::read_to_string(own).unwrap();
    let to: Vec<_> = text.lines().filter(address).collect();
    let text = fs::read_to_string(theirs.join("client.toml")).unwrap();
    let with: Vec<_> = text.lines().filter(|line| !address(line)).collect();
    let client = theirs.join("elsewhere.toml");
    fs::write(&client, [to, with].concat().join("\n")).unwrap();
    for verb in [["list", ""], ["show", &requirement], ["verify", &requirement]] {
        let mut command = Command::new(program());
        command.args([roles::NODE, "picture"]).args(verb.iter().filter(|word| !word.is_empty()));
        let finished = Finished::run({
            command.arg("--client").arg(&client);
            command
        })
        .unwrap();
        assert!(matches!(finished.code, Some(6 | 7)), "{verb:?}: {finished:?}");
        assert_eq!(finished.stdout, "", "{verb:?}");
    }
    let show = ["picture", "show", &requirement];
    let operator = running.desk("al-police", "operator", &show).unwrap();
    assert!(operator.stderr.contains(Reason::CertificateRole.code()), "{}", operator.stderr);
}

#[test]
fn whoever_delivers_a_lie_is_refused_by_name_and_nothing_of_it_is_kept() {
    let (mut running, requirement) = without_albania();
    let file = evidence_of(&running, &requirement, "1");
    let without = "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
        legal_basis = \"Test, no legal effect\"\naudience = \"POLICE\"\ncloses = \"2027-06-30\"\n\
        members = [\"ba-police\", \"rs-police\"]\n[[question]]\n";
    let others = running.issue_text(&format!("{without}{HOMICIDE}")).unwrap();
    running.gather(&others).unwrap();
    let not_ours = evidence_of(&running, &others, "1");
    running.coordinator_server().unwrap().kill();
    running.federation.start_node("al-police").unwrap();
    let played = Played::of(&running);

    let lie = |file: &[u8]| {
        let error = played.deliver("al-police", &head(&requirement, 1, file), file).unwrap_err();
        (error.reason, error.field)
    };
    let (reason, field) = lie(&forged(&running, &file, |_, picture| picture.cells[0].value += 1));
    assert_eq!(reason, Reason::PictureFalse);
    assert!(field.contains("PUB.OFF.N ICCS0101 2016"), "{field}");
    let mut bare = evidence::read(&file).unwrap();
    bare.picture.signatures.clear();
    let Evidence { roster, requirement: asked, picture, tables, notices } = bare;
    assert_eq!(
        lie(&evidence::write(roster, asked, picture, tables, notices)).0,
        Reason::SignatureInvalid
    );
    // Another federation has other members, keys and a root of its own.
    let other = prepared(&["AL", "BA", "RS"]);
    let theirs = fs::read(other.dir.join("federation/roster.signed")).unwrap();
    let theirs: RosterFile = strict::decode("roster", &theirs).unwrap();
    let theirs = theirs.roster.unwrap();
    let (reason, field) = lie(&forged(&running, &file, |parts, _| parts.roster = theirs));
    assert_eq!((reason, field.as_str()), (Reason::PictureFalse, "roster"));
    assert_eq!(lie(&not_ours), (Reason::PictureFalse, "head.requirement".to_owned()));
    let head_of_others = head(&others, 1, &not_ours);
    let error = played.deliver("al-police", &head_of_others, &not_ours).unwrap_err();
    assert_eq!(error.reason, Reason::RequirementNotForMember, "{error}");

    check_streams(&played, &head(&requirement, 1, &file), &file);
    let node = peers::credentials(&running.dir.join("ba-police/keys")).unwrap();
    let refused = played.runtime.block_on(async {
        let mut client = peers::exchange(&running, "al-police", &node).await.unwrap();
        let none = tokio_stream::iter(Vec::<wire::DeliverPictureRequest>::new());
        client.deliver_picture(none).await.unwrap_err()
    });
    assert_eq!(from_status(&refused).reason, Reason::CertificateRole);
    assert_eq!(
        running.desk("al-police", "analyst", &["picture", "list"]).unwrap().stdout.trim(),
        "[]"
    );

    // The truth is taken after all that.
    played.deliver("al-police", &head(&requirement, 1, &file), &file).unwrap();
    assert_eq!(desk(&running, "al-police", &["picture", "list"]).as_array().unwrap().len(), 1);
}

/// A stream that is cut, runs over, or is not what it was announced as.
fn check_streams(played: &Played<'_>, head: &Head, file: &[u8]) {
    let send = |parts: Vec<Part>| {
        let error = played.send("al-police", parts).unwrap_err();
        (error.reason, error.field)
    };
    let cut: Vec<_> = parts(head, file).into_iter().take(1).collect();
    assert_eq!(send(cut), (Reason::FieldInvalid, "file".to_owned()));
    let longer = [parts(head, file), vec![Part::Piece(vec![0])]].concat();
    assert_eq!(send(longer), (Reason::LimitExceeded, "piece".to_owned()));
    let mut other = file.to_vec();
    other[0] ^= 1;
    let changed = send(parts(head, &other));
    assert_eq!(changed, (Reason::FieldInvalid, "head.evidence_sha256".to_owned()));
    let huge = Head { bytes: EVIDENCE_BYTES_MAX + 1, ..*head };
    assert_eq!(send(parts(&huge, file)), (Reason::LimitExceeded, "head.bytes".to_owned()));
    let nameless = Head { version: 0, ..*head };
    assert_eq!(send(parts(&nameless, file)), (Reason::FieldInvalid, "head.version".to_owned()));
    let twice = vec![Part::Head(head.to_wire()), Part::Head(head.to_wire())];
    assert_eq!(send(twice), (Reason::FieldInvalid, "head".to_owned()));
    assert_eq!(send(Vec::new()), (Reason::FieldMissing, "head".to_owned()));
}

#[test]
fn the_same_picture_twice_is_one_and_another_under_its_number_is_refused_and_on_record() {
    let (mut running, requirement) = without_albania();
    running.node_server("rs-police").unwrap().kill();
    let second = running.gather(&requirement).unwrap();
    assert_eq!(second["picture"]["version"], 2, "{second}");
    let (first, second) =
        (evidence_of(&running, &requirement, "1"), evidence_of(&running, &requirement, "2"));
    running.coordinator_server().unwrap().kill();
    running.federation.start_node("al-police").unwrap();
    let played = Played::of(&running);
    let deliver = |version, file: &[u8]| {
        played.deliver("al-police", &head(&requirement, version, file), file)
    };
    let receipt = deliver(1, &first).unwrap();
    assert_eq!(deliver(1, &first).unwrap(), receipt, "the same bytes every time");
    let roster = peers::roster(&running).unwrap();
    let receipt = PictureReceipt::open(&receipt, &roster.members[0], Lists::builtin()).unwrap();
    assert_eq!((receipt.version, receipt.evidence), (1, Digest::of(&first)));

    for _ in 0..2 {
        let error = deliver(1, &second).unwrap_err();
        assert_eq!((error.reason, error.field.as_str()), (Reason::PictureFalse, "picture"));
    }
    let pictures = [&first, &second]
        .map(|file| Digest::of(&evidence::read(file).unwrap().picture.payload).to_string());
    let list = ["journal", "list", "--act", "collection"];
    let journal = running.desk("al-police", "auditor", &list).unwrap().json(&[0]).unwrap();
    let on_record = journal.as_array().unwrap().iter().filter(|line| {
        let subject = line["subject"].as_str().unwrap();
        pictures.iter().all(|picture| subject.contains(picture.as_str()))
    });
    assert_eq!(on_record.count(), 1, "once, with both: {journal}");
    let listed = running.desk("al-police", "analyst", &["picture", "list"]).unwrap();
    assert!(listed.stderr.contains("it was refused"), "{}", listed.stderr);
    assert_eq!(listed.json(&[0]).unwrap()[0]["picture_sha256"], pictures[0].as_str());

    // Under its own number it is another version; the first one stays.
    deliver(2, &second).unwrap();
    let show = |version: &str| {
        let show = ["picture", "show", &requirement, "--version", version];
        desk(&running, "al-police", &show)["picture"]["coverage"]["answered"].clone()
    };
    assert_eq!((show("1"), show("2"), show("0")), (json!(2), json!(1), json!(1)));
}

#[test]
fn a_coordinator_puts_no_words_into_a_members_mouth_at_home() {
    let mut running = with_sample(&["AL", "BA", "RS"]);
    running.node_server("al-police").unwrap().kill();
    // Somebody else has the node's keys, and answers in its place.
    let says = Says::open(7);
    let runtime = Runtime::new().unwrap();
    let impostor = StandIn::serve(&running, "al-police", Arc::new(Mutex::new(says)));
    let impostor = runtime.block_on(impostor).unwrap();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    let drawn = running.gather(&requirement).unwrap();
    assert_eq!(drawn["picture"]["coverage"]["answered"], 3, "{drawn}");
    impostor.abort();
    let _ = runtime.block_on(impostor);
    running.federation.start_node("al-police").unwrap();

    let states = deliver(&running, &requirement);
    let al = ("al-police".to_owned(), "waiting".to_owned(), "PICTURE_FALSE".to_owned());
    assert_eq!(states[0], al, "{states:?}");
    assert!(states[1..].iter().all(|(_, state, _)| state == "delivered"), "{states:?}");
    assert_eq!(
        running.desk("al-police", "analyst", &["picture", "list"]).unwrap().stdout.trim(),
        "[]"
    );
}

#[test]
fn a_member_that_was_away_gets_the_picture_when_it_is_back() {
    let (mut running, requirement) = without_albania();
    let states = deliver(&running, &requirement);
    let al = ("al-police".to_owned(), "waiting".to_owned(), "NO_CONNECTION".to_owned());
    assert_eq!(states[0], al, "{states:?}");
    assert!(states[1..].iter().all(|(_, state, _)| state == "delivered"), "{states:?}");
    running.federation.start_node("al-police").unwrap();
    everywhere(&running, &requirement);
    // It did not answer: there is no share of its own.
    let shown = desk(&running, "al-police", &["picture", "show", &requirement]);
    assert_eq!(shown.get("own_marking"), None, "{shown}");
    assert_eq!(shown["picture"]["coverage"], json!({"answered": 2, "members": 3}));

    // What is delivered is on record, once for each, and whoever waits no more is not told again.
    let disclosed = || {
        let list = ["journal", "list", "--act", "disclosure"];
        let journal = running.region("auditor", "json", &list).unwrap().json(&[0]).unwrap();
        let subject = format!("picture {requirement} version 1");
        let of = |line: &&Value| line["subject"] == subject.as_str();
        journal.as_array().unwrap().iter().filter(of).count()
    };
    assert_eq!(disclosed(), 3);
    everywhere(&running, &requirement);
    assert_eq!(disclosed(), 3);
}

#[test]
fn what_members_say_afterwards_is_delivered_too_and_never_taken_away_again() {
    let mut running = started(&["AL", "BA", "RS"]);
    running.with_sample().unwrap();
    let grants = running.desk("ba-police", "releaser", &["grant", "list"]).unwrap().json(&[0]);
    let grant = grants.unwrap()[0]["grant"].as_str().unwrap().to_owned();
    running.node_server("al-police").unwrap().kill();
    let requirement = running.issue(&[HOMICIDE]).unwrap();
    running.gather(&requirement).unwrap();
    let bare = evidence_of(&running, &requirement, "1");
    running.desk("ba-police", "releaser", &["grant", "withdraw", &grant]).unwrap();
    running.region("analyst", "json", &["standing"]).unwrap();
    let states = deliver(&running, &requirement);
    assert_eq!(states[1].1, "delivered", "{states:?}");
    let marked = desk(&running, "rs-police", &["picture", "show", &requirement]);
    assert_eq!(marked["notices"][0]["jurisdiction"], "BA", "{marked}");
    assert_eq!(desk(&running, "rs-police", &["picture", "list"])[0]["do_not_stand"], 1);

    // The same picture, without and with what was said since.
    fs::remove_file(running.dir.join(format!("{requirement}.1.evidence"))).unwrap();
    let said = evidence_of(&running, &requirement, "1");
    running.coordinator_server().unwrap().kill();
    running.federation.start_node("al-police").unwrap();
    let played = Played::of(&running);
    let deliver = |file: &[u8]| played.deliver("al-police", &head(&requirement, 1, file), file);
    let notices = || desk(&running, "al-police", &["picture", "list"])[0]["do_not_stand"].clone();
    deliver(&bare).unwrap();
    assert_eq!(notices(), 0);
    deliver(&said).unwrap();
    assert_eq!(notices(), 1);
    let error = deliver(&bare).unwrap_err();
    assert_eq!((error.reason, error.field.as_str()), (Reason::PictureFalse, "evidence"));
    assert_eq!(notices(), 1);
}

#[test]
fn a_node_killed_while_it_takes_in_a_picture_has_all_of_it_or_nothing() {
    const SEED: u64 = 20_261_124;
    const ROUNDS: u32 = 8;
    eprintln!("seed {SEED}");
    let (mut running, requirement) = without_albania();
    let file = evidence_of(&running, &requirement, "1");
    running.coordinator_server().unwrap().kill();
    let (mut dice, mut given) = (Dice(SEED), Vec::new());
    for version in 1..=ROUNDS {
        running.federation.start_node("al-police").unwrap();
        let server = running.node_server("al-police").unwrap().clone();
        let (played, yields) = (Played::of(&running), dice.below(150_000));
        let receipt = played.runtime.block_on(async {
            let mut client = peers::coordinator(&running, "al-police").await.unwrap();
            let parts = parts(&head(&requirement, version, &file), &file);
            let parts = parts.into_iter();
            let parts = parts.map(|part| wire::DeliverPictureRequest { part: Some(part) });
            let call = tokio::spawn(async move {
                client.deliver_picture(tokio_stream::iter(parts)).await.is_ok()
            });
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            server.kill();
            call.await.unwrap()
        });
        given.extend(receipt.then_some(version));
    }
    running.federation.start_node("al-police").unwrap();
    let listed = running.desk("al-police", "analyst", &["picture", "list"]).unwrap();
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let held: Vec<_> =
        listed.as_array().unwrap().iter().map(|line| line["version"].clone()).collect();
    eprintln!("receipted {given:?}, held {held:?}");
    for version in &given {
        assert!(held.contains(&json!(version)), "{version} was receipted: {held:?}");
    }
    for version in &held {
        let version = version.to_string();
        let verify = ["picture", "verify", &requirement, "--version", &version];
        running.desk("al-police", "auditor", &verify).unwrap().json(&[0, 3]).unwrap();
    }
    running.desk("al-police", "auditor", &["journal", "verify"]).unwrap().json(&[0]).unwrap();
}
