//! What is typed at a desk with an authority in a folder, and what must be refused there.

use std::{fs, os::unix::fs::PermissionsExt as _};

use clap::Parser as _;
use rcgen::{CertificateParams, SanType};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

use super::*;
use crate::{
    clock::{Clock as _, FixedClock, SystemClock, SystemEntropy},
    reason::Reason,
    transport::{Credentials, Peer, TlsFiles},
};

const NODE: &str = "spiffe://wb6.example/MK/node/mk-police/node";
const OTHER: &str = "spiffe://wb6.example/AL/node/al-police/node";
const PERSON: &str = "spiffe://wb6.example/MK/staff/ana/releaser";

#[derive(clap::Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// A folder in which commands are typed.
struct Desk(tempfile::TempDir);

impl Desk {
    /// With an authority in `ca`.
    fn with_authority() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.ok("authority --name federation --out @ca");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Types a command; words that begin with @ are paths here.
    fn typed(&self, words: &str, clock: &dyn crate::clock::Clock) -> Result<Value, Invalid> {
        let words = words.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => self.path(name).display().to_string(),
            None => word.to_owned(),
        });
        let words = ["pki".to_owned()].into_iter().chain(words).chain(["-o=json".to_owned()]);
        let Cli { command } = Cli::try_parse_from(words).unwrap();
        let around = Around { clock, entropy: &SystemEntropy };
        run(command, around).map(|done| serde_json::from_str(&done.data).unwrap())
    }

    fn ok(&self, words: &str) -> Value {
        self.typed(words, &SystemClock).unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    fn refused(&self, words: &str) -> Invalid {
        self.typed(words, &SystemClock).expect_err(words)
    }

    fn signed(&self, request: &str, uri: &str, out: &str) {
        self.ok(&format!(
            "sign @{request} --uri {uri} --ca @ca/ca.crt --ca-key @ca/ca.key --out @{out}"
        ));
    }

    fn sign_refused(&self, uri: &str) -> Invalid {
        let words =
            format!("sign @x.csr --uri {uri} --ca @ca/ca.crt --ca-key @ca/ca.key --out @x.crt");
        let error = self.refused(&words);
        assert!(!self.path("x.crt").exists());
        error
    }

    fn der(&self, name: &str) -> Vec<u8> {
        pem::blocks(&fs::read(self.path(name)).unwrap()).unwrap().remove(0).der
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }
}

/// A request with any URIs, PEM.
fn request_of(uris: &[&str]) -> String {
    let mut params = CertificateParams::default();
    params.subject_alt_names =
        uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

#[test]
fn a_request_that_is_signed_becomes_a_certificate_that_the_transport_takes() {
    let desk = Desk::with_authority();
    let asked = desk.ok(&format!("request --uri {NODE} --out @keys"));
    desk.signed("keys/tls.csr", NODE, "keys/tls.crt");
    let peer = Peer::from_certificate(&desk.der("keys/tls.crt")).unwrap();
    assert_eq!(peer.identity.to_string(), NODE);
    assert_eq!(asked["key_sha256"], peer.spki.to_string());
    let files = TlsFiles {
        certificate: desk.path("keys/tls.crt"),
        key: desk.path("keys/tls.key"),
        ca: desk.path("ca/ca.crt"),
        crl: None,
    };
    assert_eq!(Credentials::load(&files).unwrap().own(), peer);

    let shown = desk.ok("show @keys/tls.crt @keys/tls.csr @keys/tls.key @ca/ca.crt");
    let column = |name: &str| (0..4).map(|at| shown[at][name].clone()).collect::<Vec<_>>();
    assert_eq!(column("is"), ["certificate", "request", "TLS key", "authority"]);
    assert_eq!(column("allows"), ["node", "node", "", "signs certificates, revocation lists"]);
    assert_eq!(column("key")[..3], vec![asked["key_sha256"].clone(); 3]);
    assert!(shown.as_array().unwrap().iter().all(|row| row["remarks"] == json!([])), "{shown}");
}

#[test]
fn a_request_with_two_uris_another_one_or_a_broken_signature_is_refused_by_name() {
    let desk = Desk::with_authority();
    let write = |text: &str| fs::write(desk.path("x.csr"), text).unwrap();
    write(&request_of(&[NODE, OTHER]));
    let error = desk.sign_refused(NODE);
    assert!(error.detail.contains("2 URIs"), "{error}");
    assert_eq!(error.reason, Reason::CertificateIdentity);

    write(&request_of(&[OTHER]));
    let error = desk.sign_refused(NODE);
    assert!(error.detail.contains(OTHER) && error.detail.contains(NODE), "{error}");
    assert_eq!(error.reason, Reason::CertificateIdentity);

    let mut der = pem::blocks(request_of(&[NODE]).as_bytes()).unwrap().remove(0).der;
    // Another name than the one that the key has signed.
    let at = der.windows(9).position(|window| window == b"mk-police").unwrap();
    der[at] = b'x';
    write(&pem::write(pem::REQUESTS[0], &der));
    let error = desk.sign_refused("spiffe://wb6.example/MK/node/xk-police/node");
    assert_eq!(error.reason, Reason::SignatureInvalid, "{error}");

    let own = fs::read_to_string(desk.path("ca/ca.crt")).unwrap();
    for wrong in ["", "no PEM", &own, &request_of(&[]), &request_of(&[NODE]).repeat(2)] {
        write(wrong);
        desk.sign_refused(NODE);
    }
    write(&request_of(&[NODE]));
    let lasting =
        format!("sign @x.csr --uri {NODE} --ca @ca/ca.crt --ca-key @ca/ca.key --out @x.crt");
    assert_eq!(desk.refused(&format!("{lasting} --days 399")).reason, Reason::LimitExceeded);
    desk.ok("authority --name short --days 30 --out @short");
    let outlives = lasting.replace("@ca/", "@short/");
    assert!(desk.refused(&outlives).detail.contains("outlive"));
    desk.ok("authority --name other --out @other");
    let mixed = lasting.replace("@ca/ca.key", "@other/ca.key");
    assert!(desk.refused(&mixed).detail.contains("holds no certificate of the key"));
    desk.ok(&lasting);
}

#[test]
fn keys_are_for_their_owner_only_and_nothing_is_overwritten() {
    let desk = Desk::with_authority();
    desk.ok(&format!("request --uri {NODE} --out @keys"));
    let made = desk.ok("keys --out @fed/root.key");
    desk.signed("keys/tls.csr", NODE, "tls.crt");
    for key in ["ca/ca.key", "keys/tls.key", "fed/root.key"] {
        assert_eq!(desk.mode(key), 0o600, "{key}");
    }
    let public = fs::read_to_string(desk.path("fed/root.pub")).unwrap();
    assert_eq!(made["public_key"], public.trim());
    assert_eq!(desk.ok("show @fed/root.key @fed/root.pub")[0]["key"], made["public_key"]);

    let all = ["ca/ca.key", "ca/ca.crt", "keys/tls.key", "fed/root.key", "fed/root.pub", "tls.crt"];
    let before = all.map(|name| fs::read(desk.path(name)).unwrap());
    for again in [
        "authority --name other --out @ca".to_owned(),
        "keys --out @fed/root.key".to_owned(),
        format!("request --uri {NODE} --out @keys"),
        format!("request --uri {OTHER} --key @keys/tls.key --out @keys"),
        format!(
            "sign @keys/tls.csr --uri {NODE} --ca @ca/ca.crt --ca-key @ca/ca.key --out @tls.crt"
        ),
    ] {
        assert_eq!(desk.refused(&again).reason, Reason::FileExists, "{again}");
    }
    // The public half alone is enough to stop.
    fs::remove_file(desk.path("fed/root.key")).unwrap();
    assert_eq!(desk.refused("keys --out @fed/root.key").reason, Reason::FileExists);
    fs::write(desk.path("fed/root.key"), &before[3]).unwrap();
    assert_eq!(all.map(|name| fs::read(desk.path(name)).unwrap()), before);
    // A key that others can read is no secret: its public half is not told either.
    assert!(desk.refused("show @fed/root.key").detail.contains("chmod 600"));

    // The same request again is the one that stands there.
    let request = fs::read(desk.path("keys/tls.csr")).unwrap();
    desk.ok(&format!("request --uri {NODE} --key @keys/tls.key --out @keys"));
    assert_eq!(fs::read(desk.path("keys/tls.csr")).unwrap(), request);
}

#[test]
fn a_revocation_list_keeps_its_entries_goes_up_and_the_transport_takes_it() {
    let desk = Desk::with_authority();
    let at = |days: i64| FixedClock(SystemClock.now().plus_s(days * 86_400));
    for who in ["a", "b", "c"] {
        desk.ok(&format!("request --uri {NODE} --out @{who}"));
        desk.signed(&format!("{who}/tls.csr"), NODE, &format!("{who}/tls.crt"));
    }
    let revoke = |more: &str, days: i64| {
        let words = format!("revoke --ca @ca/ca.crt --ca-key @ca/ca.key --crl @ca.crl {more}");
        desk.typed(words.trim_end(), &at(days))
    };
    let serials = || {
        let der = desk.der("ca.crl");
        let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
        list.iter_revoked_certificates()
            .map(|entry| (entry.raw_serial_as_string(), entry.revocation_date.timestamp()))
            .collect::<Vec<_>>()
    };
    let taken = || {
        let files = TlsFiles {
            certificate: desk.path("c/tls.crt"),
            key: desk.path("c/tls.key"),
            ca: desk.path("ca/ca.crt"),
            crl: Some(desk.path("ca.crl")),
        };
        Credentials::load(&files)
    };
    let first = revoke("", 0).unwrap();
    assert_eq!((&first["number"], &first["revoked"]), (&json!(1), &json!(0)));
    let credentials = taken().unwrap();
    revoke("@a/tls.crt", 1).unwrap();
    let one = serials();
    let second = revoke("@a/tls.crt @b/tls.crt", 2).unwrap();
    assert_eq!(second["number"], 3);
    assert_eq!((&second["revoked"], &second["new"]), (&json!(2), &json!(1)));
    assert_eq!(serials()[..1], one[..]);
    // A clock that was put back: not older than the list before, and nothing is lost.
    assert_eq!(revoke("--next-days 30", 0).unwrap()["number"], 4);
    assert_eq!(serials().len(), 2);
    // A service takes it in the place of the first.
    assert!(credentials.renew(|_| Ok(())).unwrap());
    taken().unwrap();

    // The list of another authority beside it stays as it is.
    desk.ok("authority --name other --out @other");
    desk.ok("revoke --ca @other/ca.crt --ca-key @other/ca.key --crl @other.crl");
    let [own, other] = ["ca.crl", "other.crl"].map(|of| fs::read_to_string(desk.path(of)).unwrap());
    fs::write(desk.path("ca.crl"), format!("{other}{own}")).unwrap();
    revoke("@c/tls.crt", 3).unwrap();
    let both = fs::read_to_string(desk.path("ca.crl")).unwrap();
    assert!(both.starts_with(other.trim_end()) && both.len() > other.len() + own.len());
    let shown = desk.typed("show @ca.crl", &at(3)).unwrap();
    assert_eq!(shown[1]["remarks"], json!(["3 revoked", "number 5"]));

    // Refused: somebody else's certificate, its own, and the list of a stranger.
    desk.ok(&format!("request --uri {PERSON} --out @ana"));
    desk.ok(&format!(
        "sign @ana/tls.csr --uri {PERSON} --ca @other/ca.crt --ca-key @other/ca.key --out @ana/tls.crt"
    ));
    let before = fs::read(desk.path("ca.crl")).unwrap();
    for wrong in ["@ana/tls.crt", "@ca/ca.crt", "--next-days 367", "--next-days 0"] {
        revoke(wrong, 4).unwrap_err();
    }
    assert_eq!(fs::read(desk.path("ca.crl")).unwrap(), before);
    let stranger = "revoke --ca @ca/ca.crt --ca-key @ca/ca.key --crl @other.crl";
    assert!(desk.refused(stranger).detail.contains("no list of this authority"));
    // A list in the authority's name that its key has not signed.
    fs::create_dir(desk.path("false")).unwrap();
    desk.ok("authority --name federation --out @false");
    desk.ok("revoke --ca @false/ca.crt --ca-key @false/ca.key --crl @false.crl");
    let forged = "revoke --ca @ca/ca.crt --ca-key @ca/ca.key --crl @false.crl";
    assert_eq!(desk.refused(forged).reason, Reason::SignatureInvalid);
}

#[test]
fn a_persons_client_file_names_the_service_and_only_a_persons_does() {
    let desk = Desk::with_authority();
    desk.ok(&format!(
        "request --uri {PERSON} --out @ana --server {NODE} --address desk.example:7201"
    ));
    let text = fs::read_to_string(desk.path("ana/client.toml")).unwrap();
    assert!(text.contains(NODE) && text.contains("desk.example:7201"), "{text}");
    for wrong in [
        format!("request --uri {NODE} --out @x --server {NODE} --address desk.example:7201"),
        format!("request --uri {PERSON} --out @x --server {PERSON} --address desk.example:7201"),
        format!("request --uri {PERSON} --out @x --server {NODE} --address desk.example"),
    ] {
        desk.refused(&wrong);
        assert!(!desk.path("x").exists());
    }
}

#[test]
fn a_key_is_replaced_only_by_one_that_others_will_believe() {
    let desk = Desk::with_authority();
    desk.ok(&format!("request --uri {PERSON} --out @ana"));
    desk.signed("ana/tls.csr", PERSON, "ana/tls.crt");
    let old = fs::read(desk.path("ana/tls.key")).unwrap();
    let begun = desk.ok("rotate @ana");
    assert_eq!(desk.ok("rotate @ana"), begun, "begun twice is begun once");
    assert_eq!(desk.mode("ana/tls.key.next"), 0o600);
    desk.refused("rotate @ana --finish");

    // Of another person, of another key, of another authority: nothing moves.
    let other = PERSON.replace("ana", "eve");
    desk.ok(&format!("request --uri {other} --key @ana/tls.key.next --out @eve"));
    desk.signed("eve/tls.csr", &other, "eve.crt");
    desk.ok(&format!("request --uri {PERSON} --key @ana/tls.key --out @same"));
    desk.signed("same/tls.csr", PERSON, "same.crt");
    for wrong in ["eve.crt", "same.crt"] {
        fs::copy(desk.path(wrong), desk.path("ana/tls.crt.next")).unwrap();
        desk.refused("rotate @ana --finish");
        fs::remove_file(desk.path("ana/tls.crt.next")).unwrap();
    }
    desk.signed("ana/tls.csr.next", PERSON, "ana/tls.crt.next");
    desk.ok("authority --name other --out @other");
    desk.refused("rotate @ana --finish --ca @other/ca.crt");
    assert_eq!(fs::read(desk.path("ana/tls.key")).unwrap(), old);
    // Cut between the two steps it goes on.
    fs::rename(desk.path("ana/tls.key.next"), desk.path("ana/tls.key")).unwrap();
    let done = desk.ok("rotate @ana --finish --ca @ca/ca.crt");
    assert_eq!(done["key_sha256"], begun["key_sha256"]);
    assert_eq!(desk.ok("show @ana/tls.crt")[0]["key"], begun["key_sha256"]);
    for gone in ["tls.key.next", "tls.crt.next", "tls.csr.next"] {
        assert!(!desk.path("ana").join(gone).exists(), "{gone}");
    }

    // A service's key is asked for in the roster.
    desk.ok(&format!("request --uri {NODE} --out @keys"));
    desk.signed("keys/tls.csr", NODE, "keys/tls.crt");
    fs::copy(desk.path("ca/ca.crt"), desk.path("keys/ca.crt")).unwrap();
    desk.ok("rotate @keys");
    desk.signed("keys/tls.csr.next", NODE, "keys/tls.crt.next");
    assert_eq!(desk.refused("rotate @keys --finish").reason, Reason::FieldMissing);
}

#[test]
fn what_is_over_or_not_valid_yet_is_shown_as_such() {
    let desk = Desk::with_authority();
    for (days, remark) in [(-2, "not valid yet"), (1_826, "is over")] {
        let clock = FixedClock(SystemClock.now().plus_s(days * 86_400));
        let shown = desk.typed("show @ca/ca.crt", &clock).unwrap();
        assert_eq!(shown[0]["remarks"], json!([remark]));
        let error =
            desk.typed("revoke --ca @ca/ca.crt --ca-key @ca/ca.key --crl @x", &clock).unwrap_err();
        assert!(error.detail.contains("not valid now"), "{error}");
    }
}
