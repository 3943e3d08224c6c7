//! A certificate authority whose key is at hand. Comes in: its files, a request, or a certificate that is to count no
//! more. Goes out: certificates. Must never sign anything of a request but its key and the identity that was expected.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber,
    SubjectPublicKeyInfo,
};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

use super::request::Request;
use crate::{
    clock::{Entropy, Timestamp},
    identity::Identity,
    limits::{AUTHORITY_DAYS_MAX, CERTIFICATE_DAYS_MAX},
    operate::{Around, files, pem},
    reason::{Invalid, Reason},
    seal::Digest,
    transport::{Peer, read_secret},
};

/// A certificate counts from so long before it was made: the clock of whoever reads it may be behind.
const BACKDATED_S: i64 = 3_600;
/// Longest common name of a certificate, in characters (RFC 5280, ub-common-name).
const NAME_CHARS_MAX: usize = 64;

/// A certificate authority.
pub struct Ca {
    pub(super) issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(super) der: Vec<u8>,
    ends: Timestamp,
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ca")
    }
}

/// A certificate that was made.
#[derive(Clone, Debug)]
pub struct Issued {
    /// PEM.
    pub certificate_pem: String,
    /// Who it is for, and the digest of the key.
    pub peer: Peer,
    /// Its last moment.
    pub ends: Timestamp,
}

impl Ca {
    /// A new one: its certificate and its key, PEM.
    pub fn make(name: &str, days: i64, around: Around<'_>) -> Result<(String, String), Invalid> {
        let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
        if !fits || name.chars().any(char::is_control) {
            let detail = format!("must have 1 to {NAME_CHARS_MAX} characters");
            return Err(Invalid::new(Reason::FieldInvalid, "--name", detail));
        }
        let now = around.clock.now();
        let ends = after(now, days, AUTHORITY_DAYS_MAX)?;
        let mut params = params(name, (now, ends), around.entropy)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// Reads its key and, of a file of authorities, the certificate of that key.
    pub fn load(certificates: &Path, key: &Path, now: Timestamp) -> Result<Self, Invalid> {
        let own = KeyPair::from_pem(&read_secret(key)?)
            // The library's error may say something of what it read.
            .map_err(|_| files::unusable(key, "holds no private key in PEM form"))?;
        let wrong = |what: &str| files::unusable(certificates, what);
        let public = own.subject_public_key_info();
        for der in pem::certificates(&files::read(certificates)?).map_err(wrong)? {
            let (_, read) = X509Certificate::from_der(&der)
                .map_err(|_| wrong("holds what is no certificate"))?;
            if read.public_key().raw != public {
                continue;
            }
            let begins = read.validity().not_before.timestamp();
            let ends = read.validity().not_after.timestamp();
            if !read.is_ca() {
                return Err(wrong("the certificate of this key is no authority's"));
            }
            if now.as_s() < begins || now.as_s() > ends {
                return Err(wrong("the authority's certificate is not valid now"));
            }
            // The library takes names whose parts have one attribute each.
            if read.subject().iter().any(|part| part.iter().count() != 1) {
                return Err(wrong("the authority's name has several attributes in one part"));
            }
            let issuer = Issuer::from_ca_cert_der(&der.as_slice().into(), own)
                .map_err(|error| wrong(&error.to_string()))?;
            let ends = Timestamp::near(ends);
            return Ok(Self { issuer, der, ends });
        }
        Err(wrong(&format!("holds no certificate of the key {}", key.display())))
    }

    /// Its certificate, read.
    pub(super) fn certificate(&self) -> Result<X509Certificate<'_>, Invalid> {
        X509Certificate::from_der(&self.der).map(|(_, read)| read).map_err(failed)
    }

    /// A certificate for whoever asks, who must be the one that is expected.
    pub fn sign(
        &self,
        request: &Request,
        expected: &Identity,
        days: i64,
        around: Around<'_>,
    ) -> Result<Issued, Invalid> {
        if request.identity != *expected {
            let detail = format!("asks for {}, and {expected} was expected", request.identity);
            return Err(Invalid::new(Reason::CertificateIdentity, "request", detail));
        }
        let now = around.clock.now();
        let ends = after(now, days, CERTIFICATE_DAYS_MAX)?;
        if ends > self.ends {
            let detail = format!(
                "{days} days would outlive the authority, which ends at {}; give fewer days or renew it",
                self.ends
            );
            return Err(Invalid::new(Reason::FieldInvalid, "--days", detail));
        }
        let mut params = params(expected.name.as_str(), (now, ends), around.entropy)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        for_identity(&mut params, expected)?;
        let key = SubjectPublicKeyInfo::from_der(&request.spki)
            .map_err(|_| Invalid::new(Reason::FieldInvalid, "request", "has an unknown key"))?;
        let made = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let peer = self.check(made.der(), request)?;
        Ok(Issued { certificate_pem: made.pem(), peer, ends })
    }

    /// What was made says what it was to say, and names this authority as others read its name.
    fn check(&self, made: &[u8], request: &Request) -> Result<Peer, Invalid> {
        let meant = Peer { identity: request.identity.clone(), spki: Digest::of(&request.spki) };
        let (_, read) = X509Certificate::from_der(made).map_err(failed)?;
        let own = self.certificate()?;
        let same_name = read.issuer().as_raw() == own.subject().as_raw();
        if same_name && Peer::from_certificate(made)? == meant {
            return Ok(meant);
        }
        let detail = "cannot be written by this program as it stands in the authority's certificate; use openssl";
        Err(Invalid::new(Reason::FieldInvalid, "authority's name", detail))
    }
}

/// What somebody's certificate must say, and his request says: the identity, and what the key is for.
pub(super) fn for_identity(
    params: &mut CertificateParams,
    identity: &Identity,
) -> Result<(), Invalid> {
    let uri = identity.to_string().try_into().map_err(failed)?;
    params.subject_alt_names = vec![SanType::URI(uri)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let server = (!identity.role.is_staff()).then_some(ExtendedKeyUsagePurpose::ServerAuth);
    params.extended_key_usages =
        server.into_iter().chain([ExtendedKeyUsagePurpose::ClientAuth]).collect();
    Ok(())
}

/// Name, time and serial number of a certificate.
fn params(
    name: &str,
    (now, ends): (Timestamp, Timestamp),
    entropy: &dyn Entropy,
) -> Result<CertificateParams, Invalid> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.not_before = moment(now.plus_s(-BACKDATED_S))?.to_datetime();
    params.not_after = moment(ends)?.to_datetime();
    let mut serial = [0; 16];
    entropy.fill(&mut serial)?;
    // Positive, and never shorter for a byte that happens to be zero.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

/// A name of one part.
pub(super) fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// The end of so many days, within a bound.
pub(super) fn after(now: Timestamp, days: i64, most: i64) -> Result<Timestamp, Invalid> {
    if (1..=most).contains(&days) {
        return Ok(now.plus_s(days * 86_400));
    }
    let detail = format!("{days} where 1 to {most} may be");
    Err(Invalid::new(Reason::LimitExceeded, "days", detail))
}

/// A moment, as certificates have it.
pub(super) fn moment(at: Timestamp) -> Result<ASN1Time, Invalid> {
    ASN1Time::from_timestamp(at.as_s()).map_err(failed)
}

/// An error of this program.
pub(super) fn failed(error: impl std::fmt::Display) -> Invalid {
    Invalid::new(Reason::Internal, "pki", error.to_string())
}
