//! Certificate requests. Comes in: bytes that somebody has sent. Goes out: who asks, with which key. Must never believe a
//! request that the key in it has not signed, or that names anybody beside the one.

use rcgen::{CertificateParams, IsCa, KeyPair};
use x509_parser::prelude::{
    FromDer as _, GeneralName, ParsedCriAttribute, ParsedExtension, X509CertificationRequest,
};

use super::authority::{failed, for_identity, named};
use crate::{
    identity::Identity,
    limits::REQUEST_BYTES_MAX,
    operate::pem,
    reason::{Invalid, Reason},
};

/// A request that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks, in his own words.
    pub identity: Identity,
    /// His public key, DER.
    pub spki: Vec<u8>,
}

impl Request {
    /// Writes one, PEM.
    pub fn write(identity: &Identity, key: &KeyPair) -> Result<String, Invalid> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(identity.name.as_str());
        params.is_ca = IsCa::ExplicitNoCa;
        for_identity(&mut params, identity)?;
        params.serialize_request(key).and_then(|request| request.pem()).map_err(failed)
    }

    /// Reads PEM.
    pub fn read(text: &[u8]) -> Result<Self, Invalid> {
        let wrong = |what: &str| Invalid::new(Reason::FieldInvalid, "request", what);
        let blocks = pem::blocks(text).map_err(wrong)?;
        match blocks.as_slice() {
            [one] if pem::REQUESTS.contains(&one.label.as_str()) => Self::from_der(&one.der),
            _ => Err(wrong("must hold one certificate request and nothing else")),
        }
    }

    /// Reads the bytes behind the PEM.
    pub fn from_der(der: &[u8]) -> Result<Self, Invalid> {
        let wrong = |what: &str| Invalid::new(Reason::FieldInvalid, "request", what);
        if der.len() > REQUEST_BYTES_MAX {
            let detail = format!("is larger than {REQUEST_BYTES_MAX} bytes");
            return Err(Invalid::new(Reason::LimitExceeded, "request", detail));
        }
        let (rest, read) = X509CertificationRequest::from_der(der)
            .map_err(|_| wrong("is no certificate request"))?;
        if !rest.is_empty() {
            return Err(wrong("has bytes behind its end"));
        }
        read.verify_signature().map_err(|_| {
            let detail = "is not signed by the key that it holds";
            Invalid::new(Reason::SignatureInvalid, "request", detail)
        })?;
        let info = &read.certification_request_info;
        let mut uris = Vec::new();
        for attribute in info.iter_attributes() {
            let ParsedCriAttribute::ExtensionRequest(asked) = attribute.parsed_attribute() else {
                continue;
            };
            for extension in &asked.extensions {
                if let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension()
                {
                    uris.extend(names.general_names.iter().filter_map(|name| {
                        if let GeneralName::URI(uri) = name { Some(*uri) } else { None }
                    }));
                }
            }
        }
        let [uri] = uris.as_slice() else {
            let detail = format!(
                "has {} URIs as subject alternative name, where exactly one must be",
                uris.len()
            );
            return Err(Invalid::new(Reason::CertificateIdentity, "request", detail));
        };
        let identity = Identity::parse(uri)
            .map_err(|error| Invalid { field: "request".to_owned(), ..error })?;
        Ok(Self { identity, spki: info.subject_pki.raw.to_vec() })
    }
}
