//! Whoever has the evidence of a picture, the roster and the root's key proves every figure, alone: open ones from the sealed
//! tables, pooled ones once the nodes have handed out their answers. Whatever is changed is named.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use accord_proto::{
    answer::{Decline, Seal},
    clock::{Clock as _, SystemClock},
    evidence::{self, Evidence},
    question::SignedRequirement,
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{Digest, Kind, PublicKey, SecretKey},
    standing::Standing,
    taxonomy::Lists,
    tree::Tree,
    verify::{Proof, Report, Trust, verify},
    wire::{self, region},
};
use accord_tests::{
    federation::{QUESTION, cell},
    peers,
    process::Finished,
    roles,
};
use prost::Message as _;
use serde_json::{Value, json};

use crate::{
    Running, program,
    protected::{SEIZURES, filled},
};

const NODES: [&str; 3] = ["al-police", "ba-police", "rs-police"];

/// A federation with open and pooled figures, a picture of both, and its evidence.
struct Scene {
    running: Running,
    requirement: String,
    shown: Value,
    evidence: PathBuf,
    answers: Vec<PathBuf>,
}

impl Scene {
    fn set() -> Self {
        let running = filled("");
        running.with_sample().unwrap();
        let requirement = running.issue(&[SEIZURES, QUESTION]).unwrap();
        let shown = running.gather(&requirement).unwrap();
        let evidence = running.dir.join("picture.evidence");
        write_evidence(&running, &requirement, &evidence);
        let answers = NODES.iter().map(|node| export(&running, node, &requirement)).collect();
        Self { running, requirement, shown, evidence, answers }
    }

    fn file(&self) -> Vec<u8> {
        fs::read(&self.evidence).unwrap()
    }

    fn answer_files(&self) -> Vec<Vec<u8>> {
        self.answers.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    fn key(&self, path: &str) -> SecretKey {
        peers::secret_key(&self.running, path).unwrap()
    }

    /// What a stranger with the roster and the root's key makes of a file.
    fn verified(&self, file: &[u8], answers: &[Vec<u8>]) -> Result<Report, Invalid> {
        let root = fs::read_to_string(self.running.dir.join("federation/root.pub")).unwrap();
        let roster = fs::read(self.running.dir.join("federation/roster.signed")).unwrap();
        let (root, lists) = (PublicKey::from_hex("root", &root).unwrap(), Lists::builtin());
        let (_, roster) = Roster::read_of_any_time(("roster", &roster), &root, lists).unwrap();
        verify(file, answers, Trust { roster: &roster, root: &root, lists })
    }

    /// The file with something changed by somebody who has every key but the root's, if he signs the picture anew.
    fn forged(&self, change: impl FnOnce(&mut Evidence, &mut region::Picture)) -> Vec<u8> {
        let mut parts = evidence::read(&self.file()).unwrap();
        let mut picture = region::Picture::decode(parts.picture.payload.as_slice()).unwrap();
        change(&mut parts, &mut picture);
        let key = self.key("coordinator/keys/sign.key");
        let Evidence { roster, requirement, picture: _, tables, notices } = parts;
        let signed = key.sign(Kind::Picture, picture.encode_to_vec());
        evidence::write(roster, requirement, signed, tables, notices)
    }

    fn refused(&self, change: impl FnOnce(&mut Evidence, &mut region::Picture)) -> Invalid {
        self.verified(&self.forged(change), &[]).unwrap_err()
    }

    /// A verifying command, with nothing but files.
    fn command(&self, role: &str, answers: &[PathBuf]) -> Finished {
        let mut command = Command::new(program());
        let home = self.running.dir.join("federation");
        command.arg(role).arg("verify").arg(&self.evidence).args(["-o", "json"]);
        command.arg("--roster").arg(home.join("roster.signed"));
        command.arg("--root").arg(home.join("root.pub"));
        for answer in answers {
            command.arg("--answer").arg(answer);
        }
        Finished::run(command).unwrap()
    }
}

pub(super) fn write_evidence(running: &Running, requirement: &str, out: &Path) {
    let out = out.display().to_string();
    let command = ["picture", "evidence", requirement, "--out", &out];
    running.region("auditor", "json", &command).unwrap().json(&[0]).unwrap();
}

pub(super) fn export(running: &Running, node: &str, requirement: &str) -> PathBuf {
    let out = running.dir.join(format!("{node}.{requirement}.answer"));
    let path = out.display().to_string();
    let command = ["answer", "export", requirement, "--out", &path];
    running.desk(node, "releaser", &command).unwrap().json(&[0]).unwrap();
    out
}

/// The proof of a cell.
fn proof_of<'a>(proven: &'a Value, crime_area: &str) -> &'a Value {
    let cells = proven["cells"].as_array().unwrap();
    cells.iter().find(|cell| cell["crime_area"] == crime_area && cell["period"] == "2016").unwrap()
}

#[test]
fn every_figure_is_proven_offline_as_far_as_its_contributions_are_at_hand() {
    let scene = Scene::set();
    scene.running.kill_all();
    for role in [roles::COORDINATOR, roles::NODE] {
        // What the coordinator keeps proves what is open, and says what it does not prove.
        let proven = scene.command(role, &[]);
        assert!(proven.stderr.contains("contributions by digest only"), "{}", proven.stderr);
        let proven = proven.json(&[3]).unwrap();
        assert_eq!(proof_of(&proven, "ICCS0101")["proof"], "recomputed");
        // Nobody shows it: that is told by the digests alone.
        assert_eq!(proof_of(&proven, "DRG.HER")["proof"], "by_digest");
        let pooled = proof_of(&proven, "DRG.COC");
        assert_eq!(
            (&pooled["proof"], &pooled["by_digest"]),
            (&json!("by_digest"), &json!(["AL", "BA", "RS"]))
        );
        // With the nodes' own answers every figure is proven.
        let proven = scene.command(role, &scene.answers).json(&[0]).unwrap();
        let pooled = proof_of(&proven, "DRG.COC");
        assert_eq!(pooled["proof"], "recomputed");
        let value = cell(&scene.shown, "DRG.COC", "2016").unwrap()["value"].as_i64().unwrap();
        assert_eq!(pooled["value"], value.to_string());
        assert_eq!(proof_of(&proven, "DRG.HER")["proof"], "recomputed");
        // Some of them are not enough.
        let proven = scene.command(role, &scene.answers[..2]).json(&[3]).unwrap();
        assert_eq!(proof_of(&proven, "DRG.COC")["by_digest"], json!(["RS"]));
    }
}

#[test]
fn a_cell_that_the_gate_withholds_is_said_to_rest_on_the_coordinators_word() {
    let scene = Scene::set();
    let closes = SystemClock.now().plus_s(86_400);
    let text = format!(
        "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
         legal_basis = \"Test, no legal effect\"\naudience = \"POLICE\"\ncloses = \"{closes}\"\n\
         minimum_contributors = 4\n[[question]]\n{SEIZURES}"
    );
    let requirement = scene.running.issue_text(&text).unwrap();
    scene.running.gather(&requirement).unwrap();
    let out = scene.running.dir.join("withheld.evidence");
    write_evidence(&scene.running, &requirement, &out);
    let answers = NODES.map(|node| fs::read(export(&scene.running, node, &requirement)).unwrap());
    for answers in [&[][..], &answers] {
        let report = scene.verified(&fs::read(&out).unwrap(), answers).unwrap();
        assert_eq!(report.cells[0].proof, Proof::Withheld, "{:?}", report.cells[0]);
    }
}

#[test]
fn one_changed_byte_anywhere_in_the_evidence_is_found_and_named() {
    let seed: u64 = 20_261_124;
    let scene = Scene::set();
    let file = scene.file();
    scene.verified(&file, &[]).unwrap();
    let tables = evidence::read(&file).unwrap().tables;
    let (from, to) = evidence::place_of(&tables[1].cells[1], &file).unwrap();
    // A few dice, the same for ever.
    let mut state = seed;
    let mut dice = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    let sampled: Vec<_> = (0..1_000).map(|_| dice() % file.len()).collect();
    for at in (from..to).chain(sampled) {
        let mut changed = file.clone();
        changed[at] ^= u8::try_from(1 + dice() % 255).unwrap();
        let error = scene.verified(&changed, &[]).expect_err(&format!("byte {at}, seed {seed}"));
        assert!(!error.field.is_empty() && !error.detail.is_empty(), "byte {at}: {error}");
        if (from..to).contains(&at) {
            assert_eq!(error.reason, Reason::AnswerSeal, "byte {at}: {error}");
            let named = error.field.contains("ba-police") && error.field.contains("blocks[1]");
            assert!(named, "byte {at}: {error}");
        }
    }
    for end in [0, 1, file.len() / 2, file.len() - 1] {
        assert!(scene.verified(&file[..end], &[]).is_err(), "cut at {end}");
    }
}

#[test]
fn whoever_forges_a_figure_of_a_picture_is_found_out_and_the_cell_is_named() {
    let scene = Scene::set();
    // The coordinator itself lies about a figure, open or pooled.
    let at = |picture: &region::Picture, area: &str| {
        let found = picture.cells.iter().position(|c| c.crime_area == area && c.period == "2016");
        found.unwrap()
    };
    let error = scene.refused(|_, picture| {
        let at = at(picture, "ICCS0101");
        picture.cells[at].value += 1;
    });
    assert_eq!(error.reason, Reason::PictureFalse);
    assert!(error.field.contains("PUB.OFF.N ICCS0101 2016"), "{error}");
    // A figure that does not lie where it is said to, with the error that it is said to have.
    let error = scene.refused(|_, picture| {
        let at = at(picture, "DRG.COC");
        picture.cells[at].value += 1;
    });
    assert!(error.detail.contains("interval"), "{error}");
    let pooled = scene.forged(|_, picture| {
        let at = at(picture, "DRG.COC");
        let cell = &mut picture.cells[at];
        cell.value += 1;
        for bound in
            [&mut cell.lower, &mut cell.upper, &mut cell.whole_lower, &mut cell.whole_upper]
        {
            *bound = bound.map(|bound| bound + 1);
        }
    });
    // A digest says nothing of a sum …
    let report = scene.verified(&pooled, &[]).unwrap();
    assert_eq!(report.count(Proof::ByDigest), 2);
    // … and the nodes' own answers do.
    let error = scene.verified(&pooled, &scene.answer_files()).unwrap_err();
    assert!(error.field.contains("DRG.SEIZ.N DRG.COC 2016"), "{error}");
    let error = scene.refused(|_, picture| {
        let at = at(picture, "DRG.COC");
        picture.cells[at].contributors.pop();
    });
    assert_eq!(error.reason, Reason::PictureFalse, "{error}");
    for contributors in [["AL", "AL", "AL"], ["AL", "BA", "XK"], ["BA", "AL", "RS"]] {
        let error = scene.refused(|_, picture| {
            let at = at(picture, "DRG.COC");
            picture.cells[at].contributors = contributors.map(str::to_owned).to_vec();
        });
        assert_eq!(error.reason, Reason::PictureFalse, "{contributors:?}: {error}");
    }
    // Nobody declared that.
    let error = scene.refused(|_, picture| {
        let codes = vec!["MOMENT".to_owned()];
        let node = picture.members[0].node.clone();
        picture.deviations.push(region::Deviation { node, codes, ..Default::default() });
    });
    assert_eq!(error.field, "picture.deviations", "{error}");
    // A public figure is hidden behind the gate's word.
    let error = scene.refused(|_, picture| {
        let at = at(picture, "ICCS0101");
        let withheld = &mut picture.cells[at];
        withheld.status = region::PictureStatus::NotShown.into();
        withheld.value = 0;
        withheld.contributors.clear();
    });
    assert_eq!(error.reason, Reason::PictureFalse, "{error}");
}

#[test]
fn tables_that_are_swapped_replayed_or_left_out_are_found_out_and_the_member_is_named() {
    let scene = Scene::set();
    let running = &scene.running;
    // Members' tables change places.
    let error = scene.refused(|parts, _| parts.tables.swap(0, 2));
    assert!(error.field.contains("al-police"), "{error}");
    let error = scene.refused(|parts, picture| {
        parts.tables.swap(0, 2);
        let (first, last) = (picture.members[0].clone(), picture.members[2].clone());
        picture.members[0].seal = last.seal;
        picture.members[0].table_sha256 = last.table_sha256;
        picture.members[2].seal = first.seal;
        picture.members[2].table_sha256 = first.table_sha256;
    });
    assert_eq!(error.reason, Reason::AnswerSeal, "{error}");
    assert!(error.field.contains("al-police"), "{error}");

    // A member's seal over the very same table, made for another requirement.
    let other = running.issue(&[SEIZURES, QUESTION]).unwrap();
    running.gather(&other).unwrap();
    let replayed = evidence::read_answer(&fs::read(export(running, "al-police", &other)).unwrap());
    let replayed = replayed.unwrap().seal;
    let error = scene.refused(|parts, picture| {
        parts.tables[0].seal = replayed.clone();
        picture.members[0].seal = replayed;
    });
    assert_eq!(error.reason, Reason::AnswerStale, "{error}");
    let other = fs::read(running.dir.join(format!("al-police.{other}.answer"))).unwrap();
    assert!(scene.verified(&scene.file(), &[other]).is_ok(), "the very same table");

    // A public block left out, a table left out, a member silenced.
    let error = scene.refused(|parts, _| parts.tables[0].cells[1].clear());
    assert!(error.field.contains("blocks[1] (PUB.OFF.N)"), "{error}");
    let error = scene.refused(|parts, _| drop(parts.tables.pop()));
    assert!(error.field.contains("rs-police"), "{error}");
    let error = scene.refused(|parts, picture| {
        parts.tables.remove(0);
        picture.members[0] = region::MemberState {
            node: "al-police".to_owned(),
            jurisdiction: "AL".to_owned(),
            state: region::State::Late.into(),
            reason: "LATE".to_owned(),
            ..region::MemberState::default()
        };
        picture.coverage = Some(region::Coverage { answered: 2, members: 3 });
    });
    assert_eq!(error.reason, Reason::PictureFalse, "{error}");
}

#[test]
fn a_figure_made_of_nothing_or_of_who_knows_what_does_not_verify() {
    let scene = Scene::set();
    let at = |picture: &region::Picture, area: &str| {
        picture.cells.iter().position(|cell| cell.crime_area == area).unwrap()
    };
    // Nobody shows heroin: every block is known by its digest, and no figure rests on it.
    let error = scene.refused(|_, picture| {
        let at = at(picture, "DRG.HER");
        let cell = &mut picture.cells[at];
        cell.status = region::PictureStatus::Partial.into();
        cell.method = region::Method::Sum.into();
        cell.value = 3_000;
        (cell.lower, cell.upper, cell.whole_lower) = (Some(3_000), Some(3_000), Some(3_000));
    });
    assert_eq!(
        error.detail.split(" (").next(),
        Some("is not what the sealed tables say"),
        "{error}"
    );
    // Nor does anybody's name stand in a cell without how exact its figure is.
    let error = scene.refused(|_, picture| {
        let at = at(picture, "DRG.COC");
        picture.cells[at].basis.clear();
    });
    assert!(error.detail.contains("how exact"), "{error}");
}

#[test]
fn an_honest_picture_of_what_nobody_shows_or_nobody_combines_verifies() {
    let scene = Scene::set();
    let running = &scene.running;
    let asked = [("OCN.CORR.SH", "OCN"), ("OCN.ACT.N", "OCN"), ("DRG.LAB.N", "DRG")];
    let blocks = asked.map(|(indicator, area)| {
        format!("indicator = \"{indicator}\"\ncrime_areas = \"{area}\"\nperiods = \"2016\"\n")
    });
    let requirement = running.issue(&blocks.each_ref().map(String::as_str)).unwrap();
    running.gather(&requirement).unwrap();
    let out = running.dir.join("nothing.evidence");
    write_evidence(running, &requirement, &out);
    let report = scene.verified(&fs::read(&out).unwrap(), &[]).unwrap();
    assert_eq!(report.cells.len(), 3);
}

#[test]
fn who_declined_and_who_was_by_one_hand_is_the_members_own_word() {
    let scene = Scene::set();
    let asked = evidence::read(&scene.file()).unwrap().requirement;
    let roster = peers::roster(&scene.running).unwrap();
    let asked = SignedRequirement::open(asked, &roster, Lists::builtin()).unwrap();
    let decline = |node: &str, digest: Digest| {
        let member = roster.members.iter().find(|member| member.node.as_str() == node).unwrap();
        Decline {
            node: member.node.clone(),
            jurisdiction: member.jurisdiction,
            requirement: asked.requirement().id,
            requirement_digest: digest,
        }
    };
    let declined = |word: Option<wire::Envelope>| {
        scene.refused(|parts, picture| {
            parts.tables.remove(0);
            picture.members[0] = region::MemberState {
                node: "al-police".to_owned(),
                jurisdiction: "AL".to_owned(),
                state: region::State::Declined.into(),
                reason: "DECLINED".to_owned(),
                decline: word,
                ..region::MemberState::default()
            };
            picture.coverage = Some(region::Coverage { answered: 2, members: 3 });
        })
    };
    let albania = scene.key("al-police/keys/seal.key");
    let own = decline("al-police", asked.digest());
    let by_coordinator = own.sign(&scene.key("coordinator/keys/sign.key"));
    let of_neighbour = decline("ba-police", asked.digest());
    let of_other = decline("al-police", Digest([7; 32])).sign(&albania);
    for (word, reason) in [
        (None, Reason::PictureFalse),
        (Some(by_coordinator), Reason::AnswerSeal),
        (Some(of_neighbour.sign(&scene.key("ba-police/keys/seal.key"))), Reason::AnswerSeal),
        (Some(of_neighbour.sign(&albania)), Reason::AnswerIdentity),
        (Some(of_other), Reason::AnswerStale),
    ] {
        let error = declined(word);
        assert_eq!(error.reason, reason, "{error}");
        assert!(error.field.starts_with("picture.members[0].decline"), "{error}");
    }
    // Its word alone does not make the figures others.
    assert_eq!(declined(Some(own.sign(&albania))).reason, Reason::PictureFalse);

    let error = scene.refused(|_, picture| picture.members[0].single_handed = true);
    assert_eq!(
        (error.reason, &*error.field),
        (Reason::PictureFalse, "table of al-police.single_handed")
    );
}

#[test]
fn what_a_member_has_taken_back_since_stands_in_the_evidence_by_its_own_word() {
    let scene = Scene::set();
    let running = &scene.running;
    let report = scene.verified(&scene.file(), &[]).unwrap();
    assert!(report.members.iter().all(|member| member.standing.is_none()));
    let certificate = running.dir.join("left.pb").display().to_string();
    let left = ["leave", "--out", &certificate, "--confirm", "--why", "a test"];
    running.desk("al-police", "releaser", &left).unwrap().json(&[0]).unwrap();
    running.region("analyst", "json", &["standing"]).unwrap().json(&[0]).unwrap();
    let out = running.dir.join("after.evidence");
    write_evidence(running, &scene.requirement, &out);
    let file = fs::read(&out).unwrap();
    let report = scene.verified(&file, &[]).unwrap();
    let said: Vec<_> = report.members.iter().map(|member| member.standing).collect();
    assert_eq!(said, [Some(Standing::Withdrawn), None, None]);

    let parts = || evidence::read(&file).unwrap();
    let with = |notices: Vec<wire::Envelope>| {
        let Evidence { roster, requirement, picture, tables, .. } = parts();
        scene.verified(&evidence::write(roster, requirement, picture, tables, notices), &[])
    };
    assert!(with(parts().notices).is_ok());
    let mut forged = parts().notices;
    forged[0].payload[0] ^= 1;
    assert_eq!(with(forged).unwrap_err().reason, Reason::AnswerSeal);
    let signed =
        scene.key("ba-police/keys/seal.key").sign(Kind::Notice, parts().notices[0].payload.clone());
    assert_eq!(with(vec![signed]).unwrap_err().reason, Reason::AnswerSeal, "a neighbour's word");
}

#[test]
fn evidence_under_another_roster_or_root_proves_nothing() {
    let scene = Scene::set();
    let stranger = scene.key("al-police/keys/seal.key");
    // A roster that somebody else has signed, in the file.
    let error = scene.refused(|parts, _| {
        parts.roster = stranger.sign(Kind::Roster, parts.roster.payload.clone());
    });
    assert_eq!(error.reason, Reason::RosterInvalid, "{error}");
    assert!(error.detail.contains("bytes "), "{error}");
    // The root itself has signed two under one version.
    let root = scene.key("federation/root.key");
    let error = scene.refused(|parts, _| {
        let mut roster = wire::Roster::decode(parts.roster.payload.as_slice()).unwrap();
        roster.expires_at_s += 1;
        parts.roster = root.sign(Kind::Roster, roster.encode_to_vec());
    });
    assert!(error.detail.contains("under the same version"), "{error}");
    // Somebody else's root.
    let parts = evidence::read(&scene.file()).unwrap();
    let other = Trust { roster: &parts.roster, root: &stranger.public(), lists: Lists::builtin() };
    let error = verify(&scene.file(), &[], other).unwrap_err();
    assert!(error.field.starts_with("--roster"), "{error}");
}

/// Does any file below a folder hold these bytes?
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        evidence::place_of(bytes, &fs::read(&path).unwrap()).is_some()
    })
}

#[test]
fn the_coordinator_keeps_no_cell_that_is_not_public() {
    let scene = Scene::set();
    scene.running.kill_all();
    let data = scene.running.dir.join("coordinator/data");
    for file in scene.answer_files() {
        let sealed = evidence::read_answer(&file).unwrap();
        let (tree, _) = Tree::from_wire(sealed);
        let [pooled, open] = tree.cells() else { panic!("two blocks were asked") };
        assert!(holds(&data, open), "what is public is kept: looking for it finds it");
        assert!(evidence::place_of(open, &scene.file()).is_some());
        let cells = wire::Cells::decode(pooled.as_slice()).unwrap();
        let value: Vec<u8> = cells.value.iter().flat_map(|value| value.to_le_bytes()).collect();
        for secret in [pooled, &cells.salt, &value] {
            assert!(!holds(&data, secret), "in the coordinator's data");
            assert!(evidence::place_of(secret, &scene.file()).is_none(), "in the evidence");
        }
    }
}

#[test]
fn every_release_has_a_receipt_that_stays_at_home() {
    let scene = Scene::set();
    let running = &scene.running;
    let list = |role: &str| {
        let command = ["receipt", "list", "--requirement", &scene.requirement];
        running.desk("al-police", role, &command).unwrap()
    };
    let receipts = list("auditor").json(&[0]).unwrap();
    assert_eq!(receipts, list("releaser").json(&[0]).unwrap());
    for role in ["analyst", "operator"] {
        assert_eq!(list(role).code, Some(7), "{role}");
    }
    let [receipt] = receipts.as_array().unwrap().as_slice() else { panic!("{receipts}") };
    let number = receipt["sequence"].to_string();
    let shown = running.desk("al-police", "auditor", &["receipt", "show", &number]).unwrap();
    assert!(shown.stderr.contains("proven to be part of the journal"), "{}", shown.stderr);
    let shown = shown.json(&[0]).unwrap();
    assert!(!shown["inclusion"].as_array().unwrap().is_empty(), "{shown}");
    assert_eq!(shown["rules"], json!(["DRG.SEIZ.N protected tier A", "PUB.OFF.N open tier A"]));
    assert!(shown["nano_rho"].as_u64().unwrap() > 0, "{shown}");
    let grants = shown["grants"].as_array().unwrap();
    assert_eq!(grants.len(), 2, "{shown}");

    // It says what the seal says.
    let parts = evidence::read(&scene.file()).unwrap();
    let key = scene.key("al-police/keys/seal.key").public();
    let seal = Seal::open(parts.tables[0].seal.as_ref().unwrap(), &[key], Lists::builtin());
    let seal = seal.unwrap();
    for (name, digest) in [
        ("requirement_sha256", seal.requirement_digest),
        ("consent_sha256", seal.consent_digest),
        ("policy_sha256", seal.policy_digest),
        ("secret_policy_sha256", seal.policy_commitment),
        ("table_sha256", seal.table_digest),
    ] {
        assert_eq!(shown[name], digest.to_string(), "{name}");
    }
    for grant in grants {
        let grant = grant.as_str().unwrap();
        assert!(evidence::place_of(grant.as_bytes(), &scene.file()).is_none());
        assert!(!holds(&running.dir.join("coordinator"), grant.as_bytes()), "{grant}");
    }

    // Asked again, nothing is released anew; another requirement costs nothing more.
    running.gather(&scene.requirement).unwrap();
    assert_eq!(list("auditor").json(&[0]).unwrap(), receipts);
    running.gather(&running.issue(&[SEIZURES]).unwrap()).unwrap();
    let all = running.desk("al-police", "auditor", &["receipt", "list"]).unwrap();
    let all = all.json(&[0]).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["nano_rho"], 0, "newest first: {all}");
    let missing = running.desk("al-police", "auditor", &["receipt", "show", "999"]).unwrap();
    assert_eq!(missing.code, Some(5));
}

#[test]
fn a_released_answer_is_handed_out_by_a_releaser_only_and_never_over_a_file() {
    let scene = Scene::set();
    let running = &scene.running;
    let out = running.dir.join("again.answer").display().to_string();
    let export = |role: &str, requirement: &str| {
        let command = ["answer", "export", requirement, "--out", &out];
        running.desk("al-police", role, &command).unwrap()
    };
    for role in ["analyst", "auditor", "operator"] {
        assert_eq!(export(role, &scene.requirement).code, Some(7), "{role}");
    }
    assert_eq!(export("releaser", "01900000-0000-7000-8000-000000000003").code, Some(5));
    let size = || {
        let status = running.desk("al-police", "auditor", &["status"]).unwrap();
        status.json(&[0]).unwrap()["journal_size"].as_u64().unwrap()
    };
    let before = size();
    export("releaser", &scene.requirement).json(&[0]).unwrap();
    assert_eq!(size(), before + 1, "it stands in the journal");
    assert_eq!(fs::read(&out).unwrap(), scene.answer_files()[0], "the bytes that were released");
    assert_eq!(export("releaser", &scene.requirement).code, Some(4), "never over a file");
}

#[test]
fn a_third_party_verifies_every_figure_of_the_demo_from_the_files_that_it_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("demo");
    let mut demo = Command::new(program());
    demo.args(["demo", "--once", "--format", "json", "--keep"]).arg(&kept);
    let demo = Finished::run(demo).unwrap();
    assert_eq!(demo.code, Some(0), "{}", demo.stderr);
    assert!(demo.stderr.contains(" -- verify "), "it says how: {}", demo.stderr);
    // Nothing but the archive is left, and nobody runs.
    let archive = dir.path().join("archive");
    fs::rename(kept.join("archive"), &archive).unwrap();
    fs::remove_dir_all(&kept).unwrap();
    for role in [roles::COORDINATOR, roles::NODE] {
        let mut verify = Command::new(program());
        verify.arg(role).arg("verify").arg(archive.join("picture.evidence"));
        verify.arg("--roster").arg(archive.join("roster.signed"));
        verify.arg("--root").arg(archive.join("root.pub")).args(["-o", "json"]);
        let proven = Finished::run(verify).unwrap().json(&[0]).unwrap();
        let cells = proven["cells"].as_array().unwrap();
        assert!(cells.len() >= 30 && cells.iter().all(|cell| cell["proof"] == "recomputed"));
        let homicide = proof_of(&proven, "ICCS0101");
        assert_eq!(homicide["value"], "289", "{homicide}");
    }
}
