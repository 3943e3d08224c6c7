//! Who somebody is, and the small words of the contract: certificates and requests for them, identities, names, ids, periods, times,
//! keys. Each has one spelling.

use accord_proto::{
    clock::{SystemClock, SystemEntropy, Timestamp},
    id::RequirementId,
    identity::{Federation, Identity, Name},
    operate::{init::Folder, pki::Request},
    pki,
    seal::{Digest, PublicKey, SecretKey},
    taxonomy::{Lists, Period},
    transport::Peer,
};
use anyhow::{Context as _, Result};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, pem::PemObject as _};

use super::{accepted, refused, target, text};
use crate::fuzz::{Form, Target, Verdict};

const URIS: [&str; 3] = [
    "spiffe://wb6.example/AL/node/al-police/node",
    "spiffe://wb6.example/REGION/node/coordinator/coordinator",
    "spiffe://wb6.example/RS/staff/test-analyst/analyst",
];

pub(super) fn targets() -> Result<Vec<Target>> {
    let identity = text("identity", &URIS, |uri| match Identity::parse(uri) {
        Ok(identity) => accepted(identity.to_string() == uri, "an identity has two spellings"),
        Err(error) => refused(error),
    });
    let certificate = target("certificate", Form::Raw, certificates()?, certificate);
    Ok(vec![
        request()?,
        identity,
        Target { rounds: 3_000, ..certificate },
        text(
            "words",
            &["2016", "2016-H1", "2016-Q3", "2016-05", "SEX=F;AGE=CHILD", "al-police", "_T"],
            words,
        ),
        text("times", &["2026-11-24", "2026-11-24T08:00:00Z"], |word| {
            match Timestamp::parse("at", word) {
                Ok(at) => {
                    let again = Timestamp::parse("at", &at.to_string());
                    accepted(again == Ok(at), "a time is written as another one")
                }
                Err(error) => refused(error),
            }
        }),
        keys()?,
    ])
}

/// Requests of new keys. One that is believed is of one of these keys, and of one of these names.
fn request() -> Result<Target> {
    let (mut specimens, mut known) = (Vec::new(), Vec::new());
    let dir = tempfile::tempdir()?;
    for (at, uri) in URIS.into_iter().enumerate() {
        let home = dir.path().join(at.to_string());
        Folder::prepare(&home)?.request(&Identity::parse(uri)?)?;
        let made = CertificateSigningRequestDer::from_pem_file(home.join("keys/tls.csr"));
        specimens.push(made.ok().context("no request")?.to_vec());
    }
    for der in &specimens {
        known.push(Request::from_der(der)?);
    }
    let judge = move |der: &[u8]| match Request::from_der(der) {
        Ok(read) => accepted(known.contains(&read), "a request is believed that nobody has signed"),
        Err(error) => refused(error),
    };
    Ok(target("certificate-request", Form::Raw, specimens, judge).slow())
}

/// Certificates of a new CA: the only specimens that differ from run to run.
fn certificates() -> Result<Vec<Vec<u8>>> {
    let ca = pki::Authority::new("fuzz", &SystemClock)?;
    let mut found = Vec::new();
    for uri in URIS {
        found.push(der(&ca.issue_uris(&[uri.to_owned()], 30)?.certificate_pem)?);
    }
    Ok(found)
}

/// The bytes behind a PEM.
fn der(pem: &str) -> Result<Vec<u8>> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
    Ok(certificate.ok().context("no certificate")?.to_vec())
}

fn certificate(der: &[u8]) -> Verdict {
    match Peer::from_certificate(der) {
        Ok(Peer { identity, spki }) => {
            let uri = identity.to_string();
            let stands = der.windows(uri.len()).any(|window| window == uri.as_bytes());
            let same = Identity::parse(&uri) == Ok(identity) && stands && spki != Digest([0; 32]);
            accepted(same, "who it is does not stand in it")
        }
        Err(error) => refused(error),
    }
}

/// A word that may be any of several.
fn words(word: &str) -> Verdict {
    let lists = Lists::builtin();
    let mut spelled = Vec::new();
    spelled.extend(Name::parse("", word).map(|name| name.to_string()));
    spelled.extend(Federation::parse("", word).map(|federation| federation.to_string()));
    spelled.extend(Period::parse("", word).map(|period| period.to_string()));
    spelled.extend(RequirementId::parse("", word).map(|id| id.to_string()));
    spelled.extend(lists.jurisdiction("", word).map(|found| found.code.to_string()));
    spelled.extend(lists.audience("", word).map(|code| code.to_string()));
    if let Ok(indicator) = lists.indicator("", "PUB.THB.VIC.N") {
        let read = lists.parse_categories("", indicator, word);
        spelled.extend(read.map(|read| lists.write_categories(indicator.code, &read)));
    }
    if spelled.is_empty() {
        return refused("no word");
    }
    accepted(spelled.iter().all(|spelled| spelled == word), "a word has two spellings")
}

fn keys() -> Result<Target> {
    let key = SecretKey::generate(&SystemEntropy)?;
    let public: String = key.public().to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let pem = key.to_pem()?;
    Ok(text("keys", &[&public, &pem], |key| {
        if let Ok(key) = SecretKey::from_pem("key", key) {
            let again = key.to_pem().and_then(|pem| SecretKey::from_pem("key", &pem));
            let same = again.is_ok_and(|again| again.public() == key.public());
            return accepted(same, "a key is written as another one");
        }
        match PublicKey::from_hex("key", key) {
            Ok(read) => {
                let same = PublicKey::from_wire("key", &read.to_bytes()) == Ok(read);
                accepted(same, "a public key is written as another one")
            }
            // What was read may be a secret key: it is not repeated whole.
            Err(error) => {
                let told = error.to_string();
                let mut lines = key.lines().map(str::trim);
                let leaks = lines.any(|line| line.len() >= 40 && told.contains(line));
                if leaks {
                    Err("a refusal repeats what may be a key".to_owned())
                } else {
                    refused(told)
                }
            }
        }
    }))
}
