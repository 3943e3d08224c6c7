//! Handshakes that came to nothing. Comes in: what TLS says of one. Goes out: at a port a reason of a closed list, counted, and now and
//! then a line in the log; at whoever was refused, what to do. Must never say anything of a certificate but that reason.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

use rustls::CertificateError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::info;

use crate::{
    limits::REFUSALS_LOGGED_EVERY,
    operate::measures::Tally,
    reason::{Invalid, Reason},
};

/// Why somebody was refused before a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its certificate has ended.
    Expired,
    /// Its certificate does not count yet.
    NotYetValid,
    /// No authority that is admitted here has signed it.
    UnknownAuthority,
    /// It stands on a revocation list.
    Revoked,
    /// The roster lists no such party with this key.
    NotOnRoster,
    /// It shows none.
    NoCertificate,
    /// Whatever else: no TLS at all, too slow, a signature that is wrong.
    Other,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownAuthority,
        Self::Revoked,
        Self::NotOnRoster,
        Self::NoCertificate,
        Self::Other,
    ];

    /// As it is counted and logged.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::UnknownAuthority => "unknown_authority",
            Self::Revoked => "revoked",
            Self::NotOnRoster => "not_on_roster",
            Self::NoCertificate => "no_certificate",
            Self::Other => "other",
        }
    }

    /// Is it about the certificate that was shown, or that none was? Whoever is refused so speaks TLS and is told.
    pub(super) fn is_of_certificate(self) -> bool {
        self != Self::Other
    }

    /// Why a handshake here has failed; nothing: the caller has merely gone.
    #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is one reason")]
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            None if error.kind() == io::ErrorKind::UnexpectedEof => None,
            None if error.kind() == io::ErrorKind::ConnectionReset => None,
            Some(rustls::Error::NoCertificatesPresented) => Some(Self::NoCertificate),
            Some(rustls::Error::InvalidCertificate(why)) => Some(match why {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    Self::Expired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::NotYetValid
                }
                CertificateError::UnknownIssuer => Self::UnknownAuthority,
                CertificateError::Revoked => Self::Revoked,
                _ => Self::Other,
            }),
            _ => Some(Self::Other),
        }
    }
}

/// Those who were refused at one port: all are counted, and not all stand in the log.
#[derive(Debug)]
pub(super) struct Refusals {
    port: &'static str,
    tally: Tally,
    /// When one was logged last, and how many were not since.
    said: Mutex<(Option<Instant>, u64)>,
}

impl Refusals {
    /// Nobody was refused yet.
    pub(super) fn at((port, tally): (&'static str, Tally)) -> Self {
        for refusal in Refusal::ALL {
            tally.handshakes(port, refusal.as_str(), 0);
        }
        Self { port, tally, said: Mutex::default() }
    }

    /// One more.
    pub(super) fn one_more(&self, address: SocketAddr, refusal: Refusal) {
        let reason = refusal.as_str();
        self.tally.handshakes(self.port, reason, 1);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.1 += 1;
        if said.0.is_none_or(|said| said.elapsed() >= REFUSALS_LOGGED_EVERY) {
            info!(port = self.port, %address, reason, handshakes = said.1, "refused: a TLS handshake");
            *said = (Some(Instant::now()), 0);
        }
    }
}

/// What TLS tells whoever is refused, and what that means. Only the first words of it travel, whatever the library that refuses.
const ALERTS: [(&str, &str); 7] = [
    (
        "CertificateExpired",
        "has ended or does not count yet, says the peer: renew it (pki request, pki sign), and look at both clocks",
    ),
    (
        "UnknownCA",
        "is of an authority that the peer does not admit: staff need the service's own staff CA, services the federation's",
    ),
    ("CertificateRevoked", "is revoked, says the peer: ask your authority for another one"),
    ("CertificateRequired", "was not shown, says the peer: it wants one"),
    ("UnsupportedCertificate", "may not be used for this, says the peer: have it signed anew"),
    ("BadCertificate", "is not accepted by the peer, whose log says why"),
    ("CertificateUnknown", "is not accepted by the peer, whose log says why"),
];

/// What to do about a connection that the peer has ended with these words because of the certificate that was shown; nothing, if
/// that is not why.
fn advice(shown: &Path, said: &str) -> Option<Invalid> {
    let (_, advice) = ALERTS.iter().find(|(alert, _)| said.contains(&format!("alert: {alert}")))?;
    Some(Invalid::new(Reason::NoConnection, shown.display().to_string(), *advice))
}

/// A connection on this side, and the words that the peer has ended it with. Whether this side is admitted shows after its own
/// handshake only, at no certain moment, and to whoever reads: nothing of it reaches a call.
pub(super) struct Parting<S> {
    inner: S,
    said: Said,
}

/// The certificate that was shown, and what the peer has said to that.
#[derive(Clone, Debug)]
pub(super) struct Said {
    shown: Arc<Path>,
    words: Arc<OnceLock<String>>,
}

impl Said {
    /// Nothing yet.
    pub(super) fn to(shown: &Path) -> Self {
        Self { shown: shown.into(), words: Arc::default() }
    }

    /// What to do, if the peer does not admit this side.
    pub(super) fn refusal(&self) -> Option<Invalid> {
        advice(&self.shown, self.words.get()?)
    }
}

impl<S> Parting<S> {
    pub(super) fn of(inner: S, said: Said) -> Self {
        Self { inner, said }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Parting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Poll::Ready(Err(error)) = &read {
            // The first words count.
            let _ = self.said.words.set(error.to_string());
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Parting<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription;

    use super::*;

    fn failed(error: rustls::Error) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }

    #[test]
    fn every_failure_of_a_handshake_has_one_reason_and_whoever_has_gone_has_none() {
        let of = |why: CertificateError| Refusal::of(&failed(why.into()));
        for (why, refusal) in [
            (CertificateError::Expired, Refusal::Expired),
            (CertificateError::NotValidYet, Refusal::NotYetValid),
            (CertificateError::UnknownIssuer, Refusal::UnknownAuthority),
            (CertificateError::Revoked, Refusal::Revoked),
            (CertificateError::BadSignature, Refusal::Other),
            (CertificateError::BadEncoding, Refusal::Other),
        ] {
            assert_eq!(of(why), Some(refusal));
        }
        let none = failed(rustls::Error::NoCertificatesPresented);
        assert_eq!(Refusal::of(&none), Some(Refusal::NoCertificate));
        assert_eq!(Refusal::of(&io::ErrorKind::InvalidData.into()), Some(Refusal::Other));
        assert_eq!(Refusal::of(&io::ErrorKind::UnexpectedEof.into()), None);
    }

    #[test]
    fn whoever_is_told_by_an_alert_hears_which_file_it_is_about() {
        let told = |alert| {
            let error = failed(rustls::Error::AlertReceived(alert));
            advice(Path::new("keys/tls.crt"), &error.to_string()).map(|error| error.to_string())
        };
        let ended = told(AlertDescription::CertificateExpired).unwrap();
        assert!(ended.starts_with("NO_CONNECTION: keys/tls.crt: has ended"), "{ended}");
        for alert in [
            AlertDescription::UnknownCA,
            AlertDescription::CertificateRevoked,
            AlertDescription::CertificateRequired,
            AlertDescription::UnsupportedCertificate,
            AlertDescription::BadCertificate,
            AlertDescription::CertificateUnknown,
        ] {
            assert!(told(alert).is_some(), "{alert:?}");
        }
        assert_eq!(told(AlertDescription::CloseNotify), None);
    }
}
