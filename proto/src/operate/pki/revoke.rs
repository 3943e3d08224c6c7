//! What an authority has revoked. Comes in: the list that is there, and certificates. Goes out: a list with all of its
//! entries and these. Must never lose an entry, go back in number or time, or take another authority's list for its own.

use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};
use x509_parser::prelude::{
    CertificateRevocationList, FromDer as _, ParsedExtension, RevokedCertificate, X509Certificate,
};

use super::authority::{Ca, after, failed, moment};
use crate::{
    clock::Timestamp,
    limits::{CRL_DAYS_MAX, RENEWED_BYTES_MAX},
    operate::pem::{self, Block},
    reason::{Invalid, Reason},
};

/// A list that was made.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// PEM, beside the lists of other authorities that the file held.
    pub pem: String,
    /// How many certificates stand in it.
    pub entries: usize,
    /// How many of them are new.
    pub added: usize,
    /// Its number.
    pub number: u64,
    /// When the next one is due.
    pub next: Timestamp,
}

/// What is known of the list before.
#[derive(Default)]
struct Known {
    entries: Vec<RevokedCertParams>,
    number: u64,
    made_s: i64,
}

impl Ca {
    /// A list with the entries of the one that is there, and with these certificates (DER).
    pub fn revoke(
        &self,
        file: Option<&[u8]>,
        certificates: &[Vec<u8>],
        next_days: i64,
        now: Timestamp,
    ) -> Result<Revoked, Invalid> {
        let wrong = |what: &str| Invalid::new(Reason::FieldInvalid, "--crl", what);
        let mut blocks = file.map_or(Ok(Vec::new()), pem::blocks).map_err(wrong)?;
        if blocks.iter().any(|block| block.label != pem::CRL) {
            return Err(wrong("holds something else than revocation lists"));
        }
        let place = self.place(&blocks)?;
        let known = match place.and_then(|at| blocks.get(at)) {
            Some(block) => known(&block.der)?,
            None if blocks.is_empty() => Known::default(),
            None => {
                let detail =
                    "holds no list of this authority; give a new file, and join both afterwards";
                return Err(wrong(detail));
            }
        };
        let Known { entries: mut revoked_certs, number, made_s } = known;
        let before = revoked_certs.len();
        for der in certificates {
            let serial_number = self.serial_of(der)?;
            if revoked_certs.iter().any(|known| same(&known.serial_number, &serial_number)) {
                continue;
            }
            revoked_certs.push(RevokedCertParams {
                serial_number,
                revocation_time: moment(now)?.to_datetime(),
                reason_code: None,
                invalidity_date: None,
            });
        }
        let (entries, number) = (revoked_certs.len(), number.saturating_add(1));
        let next = after(now, next_days, CRL_DAYS_MAX)?;
        let list = CertificateRevocationListParams {
            // Services refuse a list that is older than the one that they have.
            this_update: moment(now.max(Timestamp::near(made_s)))?.to_datetime(),
            next_update: moment(next)?.to_datetime(),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let der = list.signed_by(&self.issuer).map_err(failed)?.der().to_vec();
        self.check_list(&der)?;
        match place.and_then(|at| blocks.get_mut(at)) {
            Some(block) => block.der = der,
            None => blocks.push(Block { label: pem::CRL.to_owned(), der }),
        }
        let pem: String = blocks.iter().map(|block| pem::write(&block.label, &block.der)).collect();
        if pem.len() as u64 > RENEWED_BYTES_MAX {
            let detail = format!("would be larger than {RENEWED_BYTES_MAX} bytes");
            return Err(Invalid::new(Reason::LimitExceeded, "--crl", detail));
        }
        Ok(Revoked { pem, entries, added: entries - before, number, next })
    }

    /// Where this authority's list stands.
    fn place(&self, blocks: &[Block]) -> Result<Option<usize>, Invalid> {
        for (at, block) in blocks.iter().enumerate() {
            if self.check_list(&block.der).is_ok() {
                return Ok(Some(at));
            }
            let (_, read) = CertificateRevocationList::from_der(&block.der).map_err(|_| {
                Invalid::new(Reason::FieldInvalid, "--crl", "holds what is no revocation list")
            })?;
            if read.issuer().as_raw() == self.certificate()?.subject().as_raw() {
                let detail = "names this authority and is not signed by its key";
                return Err(Invalid::new(Reason::SignatureInvalid, "--crl", detail));
            }
        }
        Ok(None)
    }

    /// It is signed by this authority, under its name as others read it.
    fn check_list(&self, der: &[u8]) -> Result<(), Invalid> {
        let own = self.certificate()?;
        let (_, read) = CertificateRevocationList::from_der(der).map_err(failed)?;
        if read.issuer().as_raw() != own.subject().as_raw() {
            return Err(failed("the authority's name cannot be written; use openssl"));
        }
        read.verify_signature(own.public_key()).map_err(failed)
    }

    /// The number of a certificate that this authority has signed.
    fn serial_of(&self, der: &[u8]) -> Result<SerialNumber, Invalid> {
        let wrong = |what: &str| Invalid::new(Reason::FieldInvalid, "certificate", what);
        let (_, read) = X509Certificate::from_der(der).map_err(|_| wrong("is no certificate"))?;
        let own = self.certificate()?;
        let signed = read.issuer().as_raw() == own.subject().as_raw()
            && read.verify_signature(Some(own.public_key())).is_ok();
        match (signed, read.is_ca()) {
            (false, _) => Err(wrong("was not signed by this authority, which cannot revoke it")),
            (true, true) => Err(wrong("is an authority's own")),
            (true, false) => Ok(SerialNumber::from_slice(read.raw_serial())),
        }
    }
}

/// Is it the same number? Zeros before it do not count.
fn same(a: &SerialNumber, b: &SerialNumber) -> bool {
    let significant = |number: &SerialNumber| {
        number.to_bytes().into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>()
    };
    significant(a) == significant(b)
}

/// Reads a list that is this authority's own.
fn known(der: &[u8]) -> Result<Known, Invalid> {
    let strange = |what: &str| {
        let detail = format!("{what}: made by another program, go on with that one");
        Invalid::new(Reason::FieldInvalid, "--crl", detail)
    };
    let (_, read) = CertificateRevocationList::from_der(der).map_err(failed)?;
    // A list of a part of its certificates, or of changes only.
    if read.extensions().iter().any(|extension| extension.critical) {
        return Err(strange("is no whole list"));
    }
    let number = read.crl_number().map_or(Vec::new(), |number| number.to_u64_digits());
    let number = match number.as_slice() {
        [] => 0,
        [number] => *number,
        _ => return Err(strange("has a number beyond 64 bits")),
    };
    let entries = read
        .iter_revoked_certificates()
        .map(|entry| kept(entry).ok_or_else(|| strange("has an entry with what cannot be kept")));
    let entries = entries.collect::<Result<_, _>>()?;
    Ok(Known { entries, number, made_s: read.last_update().timestamp() })
}

/// An entry as it was; none if it says more than this program can write.
fn kept(entry: &RevokedCertificate<'_>) -> Option<RevokedCertParams> {
    let (mut reason_code, mut invalidity_date) = (None, None);
    for extension in entry.iter_extensions() {
        if let ParsedExtension::ReasonCode(code) = extension.parsed_extension() {
            reason_code = Some(reason(code.0)?);
        } else if let ParsedExtension::InvalidityDate(date) = extension.parsed_extension() {
            invalidity_date = Some(date.to_datetime());
        } else {
            return None;
        }
    }
    Some(RevokedCertParams {
        serial_number: SerialNumber::from_slice(entry.raw_serial()),
        revocation_time: entry.revocation_date.to_datetime(),
        reason_code,
        invalidity_date,
    })
}

fn reason(code: u8) -> Option<RevocationReason> {
    use RevocationReason as R;
    Some(match code {
        0 => R::Unspecified,
        1 => R::KeyCompromise,
        2 => R::CaCompromise,
        3 => R::AffiliationChanged,
        4 => R::Superseded,
        5 => R::CessationOfOperation,
        6 => R::CertificateHold,
        8 => R::RemoveFromCrl,
        9 => R::PrivilegeWithdrawn,
        10 => R::AaCompromise,
        _ => return None,
    })
}
