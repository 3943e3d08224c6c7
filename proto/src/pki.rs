//! A development CA in one call. Comes in: who takes part. Goes out: a folder with every certificate, key,
//! roster and client file that a federation on one machine needs.
//!
//! For development and tests only: here one machine holds the keys of parties that must never share any.
//! In production each party makes its own keys; only public parts travel.

use std::{fs, path::Path};

use prost::Message as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use crate::{
    at_rest::Keys,
    clock::{Clock, Entropy, Timestamp},
    identity::{Federation, Identity, Name, Place, Role},
    reason::{Invalid, Reason},
    roster::{Paper, PaperCentre, PaperMember, Roster},
    seal::{Digest, SecretKey},
    taxonomy::{JurisdictionCode, Lists},
    transport::{read_secret, write_secret},
    wire,
};

/// Validity of development certificates and of the roster.
const DAYS: i64 = 90;

/// Who takes part in a development federation.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Trust domain.
    pub federation: Federation,
    /// National nodes.
    pub nodes: Vec<PlannedNode>,
    /// host:port of the coordinator's Region service.
    pub region_address: String,
}

/// A node of a development federation.
#[derive(Clone, Debug)]
pub struct PlannedNode {
    /// Its name.
    pub node: Name,
    /// Whom it speaks for.
    pub jurisdiction: JurisdictionCode,
    /// host:port of its Exchange service.
    pub exchange_address: String,
    /// host:port of its Desk service.
    pub desk_address: String,
}

/// A throw-away certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    key_pem: String,
    now: Timestamp,
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Issued {
    /// PEM.
    pub certificate_pem: String,
    /// PEM.
    pub key_pem: String,
    /// SHA-256 of the public key, for the roster.
    pub spki: Digest,
}

impl Authority {
    /// A new CA.
    pub fn new(name: &str, clock: &dyn Clock) -> Result<Self, Invalid> {
        let now = clock.now();
        let mut params = params(now, &format!("{name} development CA, not for production"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate_pem = params.self_signed(&key).map_err(failed)?.pem();
        let key_pem = key.serialize_pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate_pem, key_pem, now })
    }

    /// The CA of a development federation that was written before.
    pub fn load(federation_dir: &Path, clock: &dyn Clock) -> Result<Self, Invalid> {
        let key_pem = read_secret(&federation_dir.join("ca.key"))?;
        let path = federation_dir.join("ca.crt");
        let certificate_pem =
            fs::read_to_string(&path).map_err(|error| unwritable(&path, &error))?;
        let key = KeyPair::from_pem(&key_pem).map_err(failed)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(failed)?;
        Ok(Self { issuer, certificate_pem, key_pem, now: clock.now() })
    }

    /// The CA's own certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate for an identity.
    pub fn issue(&self, identity: &Identity) -> Result<Issued, Invalid> {
        self.issue_uris(&[identity.to_string()], DAYS)
    }

    /// A certificate with any URIs and lifetime (negative: expired): tests need wrong ones.
    pub fn issue_uris(&self, uris: &[String], days: i64) -> Result<Issued, Invalid> {
        self.issue_for(uris, days, KeyPair::generate().map_err(failed)?)
    }

    fn issue_for(&self, uris: &[String], days: i64, key: KeyPair) -> Result<Issued, Invalid> {
        let mut params = params(self.now, uris.first().map_or("nobody", String::as_str));
        let (year, month, day) = ymd(self.now.plus_s(days * 86_400));
        params.not_after = rcgen::date_time_ymd(year, month, day);
        for uri in uris {
            params.subject_alt_names.push(SanType::URI(uri.as_str().try_into().map_err(failed)?));
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            spki: Digest::of(&rcgen::PublicKeyData::subject_public_key_info(&key)),
        })
    }
}

impl Authority {
    /// Another certificate for the same key.
    pub fn issue_again(&self, identity: &Identity, key_pem: &str) -> Result<Issued, Invalid> {
        let key = KeyPair::from_pem(key_pem).map_err(failed)?;
        self.issue_for(&[identity.to_string()], DAYS, key)
    }

    /// Its revocation list, PEM: these certificates of its own, and when the next list is due (whole days; negative: it
    /// is overdue).
    pub fn revoke(&self, certificates_pem: &[&str], next_in_days: i64) -> Result<String, Invalid> {
        let on = |days: i64| {
            let (year, month, day) = ymd(self.now.plus_s(days * 86_400));
            rcgen::date_time_ymd(year, month, day)
        };
        let serial = |pem: &&str| {
            let (_, read) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(failed)?;
            let certificate = read.parse_x509().map_err(failed)?;
            Ok(rcgen::RevokedCertParams {
                serial_number: rcgen::SerialNumber::from_slice(certificate.raw_serial()),
                revocation_time: on(-1),
                reason_code: None,
                invalidity_date: None,
            })
        };
        let list = rcgen::CertificateRevocationListParams {
            this_update: on(-DAYS / 2),
            next_update: on(next_in_days),
            crl_number: rcgen::SerialNumber::from(u64::try_from(self.now.as_s()).unwrap_or(0)),
            issuing_distribution_point: None,
            revoked_certs: certificates_pem.iter().map(serial).collect::<Result<_, Invalid>>()?,
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).and_then(|list| list.pem()).map_err(failed)
    }
}

fn params(now: Timestamp, name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // Long before now, so that tests can have expired ones.
    let (year, month, day) = ymd(now.plus_s(-86_400 * DAYS));
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = ymd(now.plus_s(86_400 * DAYS));
    params.not_after = rcgen::date_time_ymd(year, month, day);
    params
}

/// Year, month and day of a moment, as rcgen wants them.
fn ymd(at: Timestamp) -> (i32, u8, u8) {
    let text = at.to_string();
    let mut parts = text.split(['-', 'T']);
    let mut next = || parts.next().unwrap_or("1");
    (next().parse().unwrap_or(1970), next().parse().unwrap_or(1), next().parse().unwrap_or(1))
}

/// Writes a whole development federation below `dir`, which must not exist yet. Returns what its roster was made of.
pub fn development(
    plan: &Plan,
    dir: &Path,
    lists: &Lists,
    (clock, entropy): (&dyn Clock, &dyn Entropy),
) -> Result<Paper, Invalid> {
    if dir.exists() {
        let detail = "exists already; give a new folder, nothing is overwritten";
        return Err(Invalid::new(Reason::FileExists, dir.display().to_string(), detail));
    }
    let now = clock.now();
    let ca = Authority::new(plan.federation.as_str(), clock)?;
    let staff_ca = Authority::new("regional staff", clock)?;
    let [root, authority, centre] = [keyed(entropy)?, keyed(entropy)?, keyed(entropy)?];
    let identity = |place, name: &str, role| {
        let name = Name::parse("name", name)?;
        Ok::<_, Invalid>(Identity { federation: plan.federation.clone(), place, name, role })
    };

    let coordinator = identity(Place::Region, "coordinator", Role::Coordinator)?;
    let coordinator_tls = ca.issue(&coordinator)?;
    let mut roster = Paper {
        federation: plan.federation.to_string(),
        version: 1,
        issued_at_s: now.as_s(),
        expires_at_s: now.plus_s(DAYS * 86_400).as_s(),
        members: Vec::new(),
        authorities: vec![wire::Authority {
            authority: "analysis-unit".to_owned(),
            title: "Regional analysis unit (development)".to_owned(),
            keys: vec![authority.public().to_bytes().to_vec()],
            since_s: now.as_s(),
        }],
        centres: vec![PaperCentre {
            name: coordinator.name.to_string(),
            tls_spki_sha256: vec![coordinator_tls.spki.0.to_vec()],
            keys: vec![centre.public().to_bytes().to_vec()],
        }],
    };

    let home = dir.join("coordinator");
    write_party(&home.join("keys"), &ca, &coordinator_tls)?;
    write(&home.join("keys/staff-ca.crt"), staff_ca.certificate_pem())?;
    write_secret(&home.join("keys/sign.key"), &centre.to_pem()?)?;
    write_secret(&home.join("keys/store.key"), &Keys::new_line(entropy)?.1)?;
    for role in [
        Role::Analyst,
        Role::Editor,
        Role::Observer,
        Role::Custodian,
        Role::Auditor,
        Role::Operator,
    ] {
        let person = identity(Place::Region, &format!("test-{role}"), role)?;
        let (folder, server) = (role.to_string(), (&coordinator, plan.region_address.as_str()));
        write_staff((&home, &folder), &ca, &staff_ca, &person, server)?;
    }
    // What one of them writes, another has endorsed and published.
    let second = identity(Place::Region, "test-second-editor", Role::Editor)?;
    let server = (&coordinator, plan.region_address.as_str());
    write_staff((&home, "second-editor"), &ca, &staff_ca, &second, server)?;
    for node in &plan.nodes {
        roster.members.push(write_node(plan, node, dir, &ca, (clock, entropy))?);
    }
    roster.members.sort_by(|a, b| a.node.cmp(&b.node));

    let signed = Roster::sign(&roster, lists, &root, entropy)?.encode_to_vec();
    let federation = dir.join("federation");
    write_federation(&federation, &ca, &root, &authority)?;
    let homes = plan.nodes.iter().map(|node| dir.join(node.node.as_str()));
    for home in homes.chain([home, federation]) {
        write(&home.join("root.pub"), hex::encode(root.public().to_bytes()))?;
        write(&home.join("roster.signed"), &signed)?;
    }
    Ok(roster)
}

/// A node's folder: certificate, seal key, staff. Returns its entry of the roster.
fn write_node(
    plan: &Plan,
    node: &PlannedNode,
    dir: &Path,
    ca: &Authority,
    (clock, entropy): (&dyn Clock, &dyn Entropy),
) -> Result<PaperMember, Invalid> {
    let place = Place::Jurisdiction(node.jurisdiction);
    let named = |name, role| Identity { federation: plan.federation.clone(), place, name, role };
    let service = named(node.node.clone(), Role::Node);
    let (tls, seal) = (ca.issue(&service)?, keyed(entropy)?);
    let home = dir.join(node.node.as_str());
    write_party(&home.join("keys"), ca, &tls)?;
    let staff_ca = Authority::new(&format!("{} staff", node.node), clock)?;
    write(&home.join("keys/staff-ca.crt"), staff_ca.certificate_pem())?;
    write_secret(&home.join("keys/seal.key"), &seal.to_pem()?)?;
    write_secret(&home.join("keys/store.key"), &Keys::new_line(entropy)?.1)?;
    for role in [Role::Analyst, Role::Releaser, Role::Auditor, Role::Operator] {
        let person = named(Name::parse("name", &format!("test-{role}"))?, role);
        let (folder, server) = (role.to_string(), (&service, node.desk_address.as_str()));
        write_staff((&home, &folder), ca, &staff_ca, &person, server)?;
    }
    // What one of them freezes, another signs off.
    let second = named(Name::parse("name", "test-second-releaser")?, Role::Releaser);
    write_staff(
        (&home, "second-releaser"),
        ca,
        &staff_ca,
        &second,
        (&service, &node.desk_address),
    )?;
    Ok(PaperMember {
        node: node.node.to_string(),
        jurisdiction: node.jurisdiction.to_string(),
        address: node.exchange_address.clone(),
        tls_spki_sha256: vec![tls.spki.0.to_vec()],
        seal_keys: vec![seal.public().to_bytes().to_vec()],
        since_s: clock.now().as_s(),
    })
}

/// What the federation as a whole holds: its CA, the root, an authority's key.
fn write_federation(
    dir: &Path,
    ca: &Authority,
    root: &SecretKey,
    authority: &SecretKey,
) -> Result<(), Invalid> {
    make_dir(dir)?;
    write(&dir.join("ca.crt"), ca.certificate_pem())?;
    write_secret(&dir.join("ca.key"), &ca.key_pem)?;
    write_secret(&dir.join("root.key"), &root.to_pem()?)?;
    write_secret(&dir.join("authority.key"), &authority.to_pem()?)
}

fn keyed(entropy: &dyn Entropy) -> Result<SecretKey, Invalid> {
    SecretKey::generate(entropy)
}

fn write_party(dir: &Path, ca: &Authority, tls: &Issued) -> Result<(), Invalid> {
    make_dir(dir)?;
    write(&dir.join("ca.crt"), ca.certificate_pem())?;
    write(&dir.join("tls.crt"), &tls.certificate_pem)?;
    write_secret(&dir.join("tls.key"), &tls.key_pem)
}

/// A folder for a person: certificate, key and the client file that names the server.
fn write_staff(
    (home, folder): (&Path, &str),
    ca: &Authority,
    staff_ca: &Authority,
    person: &Identity,
    (server, address): (&Identity, &str),
) -> Result<(), Invalid> {
    let dir = home.join("staff").join(folder);
    // Staff are vouched for by their own organisation, and trust the federation's CA for servers.
    write_party(&dir, ca, &staff_ca.issue(person)?)?;
    let file = format!(
        "# Whom to talk to, and as whom. Paths are relative to this file.\n\
         server = \"{server}\"\naddress = \"{address}\"\n\
         certificate = \"tls.crt\"\nkey = \"tls.key\"\nca = \"ca.crt\"\n"
    );
    write(&dir.join("client.toml"), file)
}

fn make_dir(dir: &Path) -> Result<(), Invalid> {
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Invalid> {
    fs::write(path, bytes).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Invalid {
    Invalid::new(Reason::FieldInvalid, path.display().to_string(), error.to_string())
}

fn failed(error: impl std::fmt::Display) -> Invalid {
    Invalid::new(Reason::Internal, "pki", error.to_string())
}
