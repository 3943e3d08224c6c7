//! What a root types, with all that others have sent beside it, and what it must not sign.

use std::{fs, path::PathBuf};

use clap::Parser as _;

use super::*;
use crate::{
    clock::{Clock as _, SystemClock, SystemEntropy},
    operate::pki,
    reason::Reason,
};

#[derive(clap::Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Parser)]
struct Pki {
    #[command(subcommand)]
    command: pki::Command,
}

const AROUND: Around<'_> = Around { clock: &SystemClock, entropy: &SystemEntropy };

/// A root with what others have sent.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        let root = Self(tempfile::tempdir().unwrap());
        root.pki("authority --name federation --out @ca");
        root.pki("keys --out @root.key");
        for key in
            ["mk-police/seal", "al-police/seal", "analysis-unit/authority", "coordinator/sign"]
        {
            root.pki(&format!("keys --out @{key}.key"));
        }
        for (home, uri) in [
            ("mk-police", "MK/node/mk-police/node"),
            ("al-police", "AL/node/al-police/node"),
            ("coordinator", "REGION/node/coordinator/coordinator"),
        ] {
            let uri = format!("spiffe://wb6.example/{uri}");
            root.pki(&format!("request --uri {uri} --out @{home}"));
            root.pki(&format!(
                "sign @{home}/tls.csr --uri {uri} --ca @ca/ca.crt --ca-key @ca/ca.key --out @{home}/tls.crt"
            ));
        }
        root
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn words(&self, words: &str) -> Vec<String> {
        let word = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.path(name).display().to_string(),
            None => word.to_owned(),
        };
        std::iter::once("x".to_owned()).chain(words.split(' ').map(word)).collect()
    }

    fn pki(&self, words: &str) -> String {
        self.pki_or(words).unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    fn pki_or(&self, words: &str) -> Result<String, Invalid> {
        let Pki { command } = Pki::try_parse_from(self.words(words)).unwrap();
        pki::run(command, AROUND).map(|done| done.data)
    }

    fn typed(&self, words: &str) -> Result<Done, Invalid> {
        let Cli { command } = Cli::try_parse_from(self.words(words)).unwrap();
        run(command, AROUND)
    }

    fn sign(&self, text: &str) -> Result<Done, Invalid> {
        fs::write(self.path("roster.toml"), text).unwrap();
        self.typed("sign @roster.toml --root-key @root.key --out @roster.signed -o json")
    }

    fn refused(&self, text: &str) -> String {
        let before = fs::read(self.path("roster.signed")).ok();
        let error = self.sign(text).expect_err(text).to_string();
        assert_eq!(fs::read(self.path("roster.signed")).ok(), before);
        error
    }

    fn opened(&self) -> Roster {
        let key =
            PublicKey::from_hex("", &fs::read_to_string(self.path("root.pub")).unwrap()).unwrap();
        let bytes = fs::read(self.path("roster.signed")).unwrap();
        let now = SystemClock.now();
        Roster::read(("roster", &bytes), &key, Lists::builtin(), 0, now).unwrap().0
    }
}

#[test]
fn a_roster_for_readers_is_the_one_that_was_signed_and_reaches_nobody() {
    let root = Root::new();
    root.sign(TEXT).unwrap();
    root.typed("for-readers @roster.signed --root @root.pub --out @roster.readers").unwrap();
    let bytes = fs::read(root.path("roster.readers")).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("node.example"));
    let shown = root.typed("show @roster.readers --root @root.pub -o csv").unwrap();
    assert!(shown.data.contains("mk-police") && !shown.data.contains("node.example"));
    // No service runs with it: it would let nobody in, and reach nobody.
    let key = PublicKey::from_hex("", &fs::read_to_string(root.path("root.pub")).unwrap()).unwrap();
    let now = SystemClock.now();
    let refused = Roster::read(("roster", &bytes), &key, Lists::builtin(), 0, now).unwrap_err();
    assert_eq!((refused.reason, &*refused.field), (Reason::RosterInvalid, "roster.contacts"));
}

const TEXT: &str = r#"federation = "wb6.example"
version = 1
days = 90

[[member]]
node = "mk-police"
jurisdiction = "MK"
address = "node.example:7101"
certificate = "mk-police/tls.crt"
seal_keys = ["mk-police/seal.pub"]

[[member]]
node = "al-police"
jurisdiction = "AL"
address = "dials-in"
certificate = "al-police/tls.crt"
seal_keys = ["al-police/seal.pub"]

[[authority]]
name = "analysis-unit"
title = "Regional analysis unit"
keys = ["analysis-unit/authority.pub"]

[[centre]]
name = "coordinator"
certificate = "coordinator/tls.crt"
keys = ["coordinator/sign.pub"]
"#;

#[test]
fn what_the_root_writes_is_a_roster_that_everybody_opens() {
    let root = Root::new();
    let done = root.sign(TEXT).unwrap();
    assert_eq!(done.remarks, ["version 1, the first"]);
    let roster = root.opened();
    let names: Vec<_> = roster.members.iter().map(|member| member.node.as_str()).collect();
    assert_eq!(names, ["al-police", "mk-police"], "in the order that a roster has");
    assert!(roster.members[0].dials_in());

    let shown = root.typed("show @roster.signed --root @root.pub -o csv").unwrap();
    assert_eq!(shown.data.lines().count(), 5, "{shown:?}");
    assert!(shown.remarks[0].contains("version 1"), "{shown:?}");

    // As a text again it means the same.
    root.typed("edit @roster.signed --root @root.pub --out @again.toml").unwrap();
    let text = fs::read_to_string(root.path("again.toml")).unwrap();
    let done = root.sign(&text).unwrap();
    let same = "nobody and nothing else has changed";
    assert_eq!(done.remarks, ["version 2 after 1", same], "{text}");
    assert_eq!(root.opened().members[1].since, roster.members[1].since);
    // Of another root nothing is shown.
    root.pki("keys --out @other.key");
    let error = root.typed("show @roster.signed --root @other.pub").unwrap_err();
    assert_eq!(error.reason, Reason::RosterInvalid);
    let mixed = "sign @roster.toml --root-key @other.key --out @roster.signed";
    assert_eq!(root.typed(mixed).unwrap_err().reason, Reason::RosterInvalid);
}

#[test]
fn a_root_sees_what_is_new_before_anybody_else_does() {
    let root = Root::new();
    root.sign(TEXT).unwrap();
    let (mk, rest) = (TEXT.find("[[member]]").unwrap(), TEXT.find("[[authority]]").unwrap());
    let digest = "ab".repeat(32);
    let text = format!(
        "{}[[member]]\nnode = \"mk-police\"\njurisdiction = \"MK\"\naddress = \"other.example:7101\"\n\
         certificate = \"mk-police/tls.crt\"\ntls_keys = [\"{digest}\"]\nseal_keys = [\"mk-police/seal.pub\"]\n\n{}",
        &TEXT[..mk].replace("version = 1", "version = 5"),
        &TEXT[rest..],
    );
    let said = root.sign(&text).unwrap().remarks;
    assert_eq!(
        said,
        [
            "version 5 after 1".to_owned(),
            format!("member mk-police: TLS key {digest} new"),
            "member mk-police: address node.example:7101 taken out".to_owned(),
            "member mk-police: address other.example:7101 new".to_owned(),
            "member al-police: not in it any more".to_owned(),
        ]
    );
}

#[test]
fn no_roster_goes_back_in_version() {
    let root = Root::new();
    root.sign(&TEXT.replace("version = 1", "version = 3")).unwrap();
    for version in ["1", "2", "3"] {
        let error = root.refused(&TEXT.replace("version = 1", &format!("version = {version}")));
        assert!(error.contains("is not above 3"), "{error}");
    }
    // Also where it is written elsewhere.
    fs::write(root.path("roster.toml"), TEXT).unwrap();
    let elsewhere =
        "sign @roster.toml --root-key @root.key --out @new.signed --previous @roster.signed";
    assert!(root.typed(elsewhere).unwrap_err().detail.contains("is not above 3"));
    assert!(!root.path("new.signed").exists());
    let other = TEXT.replace("version = 1", "version = 4").replace("wb6.example", "wb7.example");
    assert!(root.refused(&other).contains("the roster before is of wb6.example"));
}

#[test]
fn every_mistake_is_said_at_once_with_its_line() {
    let root = Root::new();
    let wrong = TEXT
        .replace("days = 90", "days = 9000\ncolour = \"red\"")
        .replace("\"MK\"", "\"QQ\"")
        .replace("dials-in", "nowhere")
        .replace("title = \"Regional analysis unit\"\n", "")
        .replace("coordinator/sign.pub", "coordinator/lost.pub");
    let error = root.refused(&wrong);
    for expected in [
        "line 3: days: must be a whole number from 1 to 366",
        "line 4: \"colour\" is not known here",
        "line 8: jurisdiction",
        "line 16: address: \"nowhere\"",
        "authority[0].title: is missing",
        "lost.pub",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(root.refused("federation = ").contains("line 1"));
    assert!(root.refused("").contains("federation: is missing"));
}

#[test]
fn a_key_stands_once_and_a_certificate_where_it_belongs() {
    let root = Root::new();
    let twice = TEXT.replace("al-police/seal.pub", "mk-police/seal.pub");
    assert!(root.refused(&twice).contains("stands at mk-police already"));
    let across = TEXT.replace("coordinator/sign.pub", "analysis-unit/authority.pub");
    assert!(root.refused(&across).contains("stands at analysis-unit already"));
    let other =
        TEXT.replace("certificate = \"al-police/tls.crt\"", "certificate = \"mk-police/tls.crt\"");
    let error = root.refused(&other);
    assert!(error.contains("is of spiffe://wb6.example/MK/node/mk-police/node, and"), "{error}");
    let request = TEXT.replace("al-police/tls.crt", "al-police/tls.csr");
    assert!(root.refused(&request).contains("holds something else than certificates"));
    let named_twice = TEXT.replace("node = \"al-police\"", "node = \"mk-police\"");
    assert!(root.refused(&named_twice).contains("mk-police stands twice"));
    let like_a_member = TEXT.replace("name = \"coordinator\"", "name = \"mk-police\"");
    assert!(root.refused(&like_a_member).contains("mk-police stands twice"));
    let none = TEXT.replace("certificate = \"al-police/tls.crt\"\n", "");
    assert!(root.refused(&none).contains("certificate or tls_keys: 0"));
    let digests: Vec<_> =
        (0..5).map(|at| format!("\"{}\"", format!("{at:02x}").repeat(32))).collect();
    let five = TEXT.replace(
        "certificate = \"al-police/tls.crt\"",
        &format!("tls_keys = [{}]", digests.join(", ")),
    );
    assert!(root.refused(&five).contains("5 where 1 to 4 must be"));
}

#[test]
fn a_service_takes_a_new_key_once_the_roster_lists_it_and_not_before() {
    let root = Root::new();
    root.sign(TEXT).unwrap();
    fs::copy(root.path("ca/ca.crt"), root.path("mk-police/ca.crt")).unwrap();
    let begun: Value = serde_json::from_str(&root.pki("rotate @mk-police -o json")).unwrap();
    let new = begun["key_sha256"].as_str().unwrap();
    root.pki(
        "sign @mk-police/tls.csr.next --uri spiffe://wb6.example/MK/node/mk-police/node --ca @ca/ca.crt --ca-key @ca/ca.key --out @mk-police/tls.crt.next",
    );
    let finish = "rotate @mk-police --finish --roster @roster.signed --root @root.pub";
    let error = root.pki_or(finish).unwrap_err();
    assert_eq!(error.reason, Reason::CertificateUnregistered);

    let mine = "certificate = \"mk-police/tls.crt\"\n";
    let both = TEXT
        .replace("version = 1", "version = 2")
        .replace(mine, &format!("{mine}tls_keys = [\"{new}\"]\n"));
    root.sign(&both).unwrap();
    root.pki(finish);
    // Its certificate is now the new one: the next roster can leave the old one out.
    root.sign(&TEXT.replace("version = 1", "version = 3")).unwrap();
    let roster = root.opened();
    let mk = &roster.members[1];
    assert_eq!(
        mk.contact.tls_spki_sha256.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [new]
    );
}
