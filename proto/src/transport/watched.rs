//! Open connections, so that they can be closed. Comes in: the certificate chain of whoever is at the other end. Goes out: a
//! [`Watched`] that is over once nobody believes that chain any more.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use rustls::pki_types::CertificateDer;
use tokio::sync::oneshot;

/// Those of one party.
#[derive(Debug, Default)]
pub(super) struct Open(Mutex<Vec<Connection>>);

#[derive(Debug)]
struct Connection {
    chain: Vec<CertificateDer<'static>>,
    close: oneshot::Sender<()>,
}

/// Held by a connection.
#[derive(Debug)]
pub(super) struct Watched(Option<oneshot::Receiver<()>>);

impl Open {
    pub(super) fn watch(&self, chain: &[CertificateDer<'_>]) -> Watched {
        let (close, closed) = oneshot::channel();
        let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have ended by themselves make room: there are never more than the listener's places, and one.
        open.retain(|connection| !connection.close.is_closed());
        open.push(Connection { chain, close });
        Watched(Some(closed))
    }

    /// Closes every connection whose chain is not `believed`.
    pub(super) fn close_unless<T>(
        &self,
        believed: impl Fn(&[CertificateDer<'static>]) -> Option<T>,
    ) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (keep, close): (Vec<_>, Vec<_>) = open
            .drain(..)
            .filter(|connection| !connection.close.is_closed())
            .partition(|connection| believed(&connection.chain).is_some());
        *open = keep;
        // Whoever has gone meanwhile needs no word.
        for connection in close {
            let _ = connection.close.send(());
        }
    }
}

impl Watched {
    /// Is it over? Wakes the task when it is.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(closed) = &mut self.0 else { return false };
        match Pin::new(closed).poll(cx) {
            Poll::Pending => false,
            Poll::Ready(told) => {
                // Without a word, whoever could have said it is gone, and the connection ends with its service.
                self.0 = None;
                told.is_ok()
            }
        }
    }
}
