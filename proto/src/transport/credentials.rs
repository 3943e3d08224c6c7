//! A party's own certificate and whom it trusts. Comes in: files. Goes out: configurations of TLS for its listeners and its
//! connections, always by what the files held last that could be used. Must never go back to a certificate of somebody
//! else, nor leave a connection open whose certificate is not believed any more.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    server::danger::ClientCertVerifier,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{
    Expected, Peer, Protocol, certificates, read_renewed, read_secret,
    revocation::{Freshness, Revocation},
    store, tls_invalid, unusable,
    verifier::{Admission, ExpectedPeer},
    watched::{Open, Watched},
};
use crate::{
    clock::Timestamp,
    current::Current,
    expiry::Ending,
    reason::{Invalid, quoted},
    seal::{Digest, Hasher},
};

/// Where a party's certificate, key and trusted CAs lie.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// PEM, the party's certificate first, then intermediates.
    pub certificate: PathBuf,
    /// PEM; readable by its owner only.
    pub key: PathBuf,
    /// PEM; two entries while a CA is replaced.
    pub ca: PathBuf,
    /// PEM, a revocation list of each of them; none: revocation is not looked at.
    pub crl: Option<PathBuf>,
}

/// Whose clients a listener admits.
#[derive(Clone, Debug)]
struct Admitted {
    ca: PathBuf,
    crl: Option<PathBuf>,
}

/// A party's own certificate and whom it trusts. Copies are one party: what one of them takes in counts for all.
#[derive(Clone)]
pub struct Credentials(Arc<Party>);

struct Party {
    provider: Arc<CryptoProvider>,
    files: TlsFiles,
    admitted: Admitted,
    loaded: Current<Loaded>,
    open: Open,
    /// When open connections were last looked at, in seconds since 1970.
    looked_s: AtomicU64,
}

/// So often open connections are looked at where nothing was replaced.
const LOOK_EVERY_S: u64 = 30;

/// All that the files held at one moment.
struct Loaded {
    digest: Digest,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    trusted: Arc<Trusted>,
    admission: Arc<Admission>,
    server: Arc<ServerConfig>,
    own: Peer,
    endings: Vec<Ending>,
}

/// Own certificates, and who is believed.
pub(super) struct Parts {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) trusted: Arc<Trusted>,
    pub(super) admission: Arc<Admission>,
    pub(super) provider: Arc<CryptoProvider>,
}

/// Authorities, and what they have revoked.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) roots: Arc<RootCertStore>,
    pub(super) revocation: Option<Revocation>,
}

impl Trusted {
    fn load(ca: &Path, crl: Option<&Path>) -> Result<Self, Invalid> {
        let revocation = crl.map(|crl| Revocation::load(crl, &certificates(ca)?)).transpose()?;
        Ok(Self { roots: Arc::new(store(ca)?), revocation })
    }

    fn freshness(&self, now: UnixTime) -> Freshness {
        self.revocation.as_ref().map_or(Freshness::Fresh, |revocation| revocation.freshness(now))
    }

    /// An error once the grace of a list is over.
    pub(super) fn check_fresh(&self, now: UnixTime) -> Result<(), rustls::Error> {
        match self.freshness(now) {
            Freshness::Fresh | Freshness::Stale(_) => Ok(()),
            Freshness::Over => {
                let what = "a revocation list is out of date: nobody is believed by it";
                Err(rustls::Error::General(what.to_owned()))
            }
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.own().identity)
    }
}

impl Credentials {
    /// Reads the files; the party's own identity is checked like any other's.
    pub fn load(files: &TlsFiles) -> Result<Self, Invalid> {
        let admitted = Admitted { ca: files.ca.clone(), crl: files.crl.clone() };
        Self::of(files.clone(), admitted)
    }

    /// The same party, whose listener admits clients of another CA only: an organisation's own staff.
    pub fn admitting(&self, ca: &Path, crl: Option<&Path>) -> Result<Self, Invalid> {
        let admitted = Admitted { ca: ca.to_owned(), crl: crl.map(Path::to_owned) };
        Self::of(self.0.files.clone(), admitted)
    }

    fn of(files: TlsFiles, admitted: Admitted) -> Result<Self, Invalid> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let digest = digest(&files, &admitted)?;
        let loaded = Current::of(Loaded::read(&files, &admitted, &provider, digest)?);
        Ok(Self(Arc::new(Party {
            provider,
            files,
            admitted,
            loaded,
            open: Open::default(),
            looked_s: AtomicU64::new(0),
        })))
    }

    /// Where its certificate lies.
    pub(super) fn certificate(&self) -> &Path {
        &self.0.files.certificate
    }

    /// Who this party is, by its certificate of now.
    pub fn own(&self) -> Peer {
        self.0.loaded.get().own.clone()
    }

    /// Takes in what the files hold now, if that is something else; says whether it was. Closes every connection whose
    /// certificate is not believed any more, also where only time has passed. What cannot be used is an error, and
    /// everything goes on with what was there.
    /// A certificate of its own that `may_be` refuses is such.
    pub fn renew(&self, may_be: impl Fn(&Peer) -> Result<(), Invalid>) -> Result<bool, Invalid> {
        let renewed = self.take_in(may_be);
        let now = UnixTime::now();
        // Where nothing was replaced, only time can have ended somebody's certificate.
        let looked = self.0.looked_s.load(Ordering::Relaxed);
        let due = now.as_secs().abs_diff(looked) >= LOOK_EVERY_S;
        if !due && !matches!(renewed, Ok(true)) {
            return renewed;
        }
        self.0.looked_s.store(now.as_secs(), Ordering::Relaxed);
        let admission = Arc::clone(&self.0.loaded.get().admission);
        self.0.open.close_unless(|chain| {
            let (own, above) = chain.split_first()?;
            admission.verify_client_cert(own, above, now).ok()
        });
        renewed
    }

    fn take_in(&self, may_be: impl Fn(&Peer) -> Result<(), Invalid>) -> Result<bool, Invalid> {
        let Party { provider, files, admitted, loaded, .. } = &*self.0;
        let (known, digest) = (loaded.get(), digest(files, admitted)?);
        if digest == known.digest {
            return Ok(false);
        }
        let next = Loaded::read(files, admitted, provider, digest)?;
        if next.own.identity != known.own.identity {
            let detail = format!("is of {}; restart to be somebody else", next.own.identity);
            return Err(unusable(&files.certificate, &detail));
        }
        may_be(&next.own)?;
        for (next, known) in
            [(&next.trusted, &known.trusted), (&next.admission.trusted, &known.admission.trusted)]
        {
            if let (Some(next), Some(known)) = (&next.revocation, &known.revocation) {
                next.check_follows(known)?;
            }
        }
        loaded.replace(next);
        Ok(true)
    }

    /// What somebody has to know of the revocation lists; nothing, where they are fresh or there are none.
    pub fn warning(&self) -> Option<String> {
        let loaded = self.0.loaded.get();
        let now = UnixTime::now();
        let of = [loaded.trusted.freshness(now), loaded.admission.trusted.freshness(now)];
        let least = of.into_iter().filter_map(|freshness| match freshness {
            Freshness::Fresh => None,
            Freshness::Stale(seconds) => Some(seconds),
            Freshness::Over => Some(0),
        });
        Some(match least.min()? {
            0 => "a revocation list is out of date: nobody is admitted until there is a new one"
                .to_owned(),
            seconds => {
                let hours = seconds.div_ceil(3_600);
                format!(
                    "a revocation list was to be replaced; in {hours} h nobody is admitted any more"
                )
            }
        })
    }

    /// What of it ends when: the certificate, those of authorities, revocation lists.
    pub fn endings(&self) -> Vec<Ending> {
        self.0.loaded.get().endings.clone()
    }

    /// For a listener: every client must show a certificate of an admitted CA.
    pub(super) fn server_config(&self, protocol: Protocol) -> Arc<ServerConfig> {
        let server = Arc::clone(&self.0.loaded.get().server);
        match protocol {
            Protocol::Calls => server,
            Protocol::Serves => {
                let mut server = ServerConfig::clone(&server);
                server.alpn_protocols = vec![protocol.id().to_vec()];
                Arc::new(server)
            }
        }
    }

    /// What its files hold, for whoever examines it.
    pub(super) fn parts(&self) -> Parts {
        let loaded = self.0.loaded.get();
        Parts {
            chain: loaded.chain.clone(),
            trusted: Arc::clone(&loaded.trusted),
            admission: Arc::clone(&loaded.admission),
            provider: Arc::clone(&self.0.provider),
        }
    }

    /// A connection that was made with this certificate chain: closed once that is not believed any more.
    pub(super) fn watch(&self, chain: &[CertificateDer<'_>]) -> Watched {
        self.0.open.watch(chain)
    }

    /// For a connection to exactly one of these peers.
    pub(super) fn client_config(
        &self,
        expected: Vec<Expected>,
        protocol: Protocol,
    ) -> Result<Arc<ClientConfig>, Invalid> {
        let loaded = self.0.loaded.get();
        let provider = Arc::clone(&self.0.provider);
        let trusted = Arc::clone(&loaded.trusted);
        let verifier = ExpectedPeer { expected, trusted, provider: Arc::clone(&provider) };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| tls_invalid(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(loaded.chain.clone(), loaded.key.clone_key())
            .map_err(|error| tls_invalid(&error))?;
        config.alpn_protocols = vec![protocol.id().to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Arc::new(config))
    }
}

impl Loaded {
    fn read(
        files: &TlsFiles,
        admitted: &Admitted,
        provider: &Arc<CryptoProvider>,
        digest: Digest,
    ) -> Result<Self, Invalid> {
        let chain: Vec<_> = certificates(&files.certificate)?;
        let pem = read_secret(&files.key)?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| unusable(&files.key, "holds no private key in PEM form"))?;
        let own = chain.first().ok_or_else(|| unusable(&files.certificate, "is empty"))?;
        let own = Peer::from_certificate(own)?;
        let endings = endings(&chain, files, admitted)?;
        let trusted = Trusted::load(&files.ca, files.crl.as_deref())?;
        let admitted = Trusted::load(&admitted.ca, admitted.crl.as_deref())?;
        let lists = [&trusted, &admitted].map(|trusted| trusted.revocation.as_ref());
        let endings = endings.chain(lists.into_iter().flatten().map(Revocation::ending)).collect();
        let trusted = Arc::new(trusted);
        let admission = Arc::new(Admission::of(Arc::new(admitted), provider)?);
        let verifier: Arc<dyn ClientCertVerifier> = Arc::<Admission>::clone(&admission);
        let mut server = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| tls_invalid(&error))?
            .with_client_cert_verifier(verifier)
            // Refuses a key that is not the certificate's, as where only one of both files has been replaced.
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(|error| tls_invalid(&error))?;
        server.alpn_protocols = vec![Protocol::Calls.id().to_vec()];
        // A resumed session would skip the client's certificate, and with it expiry and revocation.
        server.send_tls13_tickets = 0;
        let server = Arc::new(server);
        Ok(Self { digest, chain, key, trusted, admission, server, own, endings })
    }
}

/// When the own certificate ends, with all that it is shown with, and those of the authorities.
fn endings(
    chain: &[CertificateDer<'_>],
    files: &TlsFiles,
    admitted: &Admitted,
) -> Result<impl Iterator<Item = Ending> + use<>, Invalid> {
    let mut own = Vec::new();
    for der in chain {
        own.push(ending(der).map_err(|what| unusable(&files.certificate, what))?);
    }
    let own = own.into_iter().min_by_key(|ending| ending.ends);
    let own = own.map(|ending| Ending { what: "certificate".to_owned(), ..ending });
    let mut all: Vec<_> = own.into_iter().collect();
    for ca in [&files.ca, &admitted.ca] {
        for der in certificates(ca)? {
            all.push(ending(&der).map_err(|what| unusable(ca, what))?);
        }
    }
    Ok(all.into_iter())
}

fn ending(der: &[u8]) -> Result<Ending, &'static str> {
    let (_, read) = X509Certificate::from_der(der).map_err(|_| "holds what is no certificate")?;
    let what = format!("authority {}", quoted(&read.subject().to_string()));
    let ends = Timestamp::near(read.validity().not_after.timestamp());
    Ok(Ending { what, since: None, ends })
}

/// Of all that the files hold.
fn digest(files: &TlsFiles, admitted: &Admitted) -> Result<Digest, Invalid> {
    let TlsFiles { certificate, key, ca, crl } = files;
    let all = [Some(certificate), Some(key), Some(ca), crl.as_ref()];
    let all = all.into_iter().chain([Some(&admitted.ca), admitted.crl.as_ref()]).flatten();
    let mut hasher = Hasher::default();
    for path in all {
        let bytes = read_renewed(path)?;
        hasher.update(&(bytes.len() as u64).to_be_bytes());
        hasher.update(&bytes);
    }
    Ok(hasher.finish())
}
