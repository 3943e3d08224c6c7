//! A letter to a mailbox of the agency, by its own relay. Comes in: where the relay is, from whom and to whom. Goes out: whether the
//! relay took it. Must never send in the clear to anything but this very host.

use std::{net::IpAddr, path::PathBuf};

use accord_proto::{
    reason::{Invalid, Reason},
    transport::read_secret,
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};
use tokio::time::timeout;

use super::{Notice, TOLD_WITHIN_MAX};

/// How the connection to the relay is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// In the clear first, then TLS or nothing.
    StartTls,
    /// In the clear: a relay on this host only.
    Loopback,
}

/// A relay and a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Name or address of the relay.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Certificate authorities of the relay, PEM. Needed for TLS.
    pub ca: Option<PathBuf>,
    /// Name, and the file of the password, if the relay asks for them.
    pub login: Option<(String, PathBuf)>,
    /// The sender's address.
    pub from: String,
    /// Where notices go.
    pub to: Vec<String>,
}

/// A relay that is ready.
#[derive(Clone)]
pub(super) struct Letters {
    relay: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mail {
    /// Checks every setting.
    pub(super) fn open(&self) -> Result<Letters, Invalid> {
        let tls = match self.security {
            Security::Loopback => {
                let own = self.host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback());
                if !own {
                    let detail = "in the clear to a loopback address only, like 127.0.0.1";
                    return Err(wrong("notify.mail.security", detail));
                }
                Tls::None
            }
            Security::Tls => Tls::Wrapper(self.parameters()?),
            Security::StartTls => Tls::Required(self.parameters()?),
        };
        let mut relay = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            .timeout(Some(TOLD_WITHIN_MAX));
        if let Some((name, password)) = &self.login {
            let password = read_secret(password)?.trim_end().to_owned();
            relay = relay.credentials(Credentials::new(name.clone(), password));
        }
        let mailbox = |field: &str, text: &String| {
            text.parse::<Mailbox>().map_err(|error| wrong(field, &error.to_string()))
        };
        let to = self.to.iter().map(|to| mailbox("notify.mail.to", to));
        Ok(Letters {
            relay: relay.build(),
            from: mailbox("notify.mail.from", &self.from)?,
            to: to.collect::<Result<_, _>>()?,
        })
    }

    fn parameters(&self) -> Result<TlsParameters, Invalid> {
        let ca = self.ca.as_ref().ok_or_else(|| {
            wrong(
                "notify.mail.ca",
                "names the certificate authorities of the relay; give a PEM file",
            )
        })?;
        let unreadable = |error: &dyn std::fmt::Display| {
            wrong("notify.mail.ca", &format!("{}: {error}", ca.display()))
        };
        let pem = std::fs::read(ca).map_err(|error| unreadable(&error))?;
        let authority = Certificate::from_pem(&pem).map_err(|error| unreadable(&error))?;
        // The relay's own authority and no other: nobody else's word counts here.
        TlsParameters::builder(self.host.clone())
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authority)
            .build()
            .map_err(|error| unreadable(&error))
    }
}

impl Letters {
    /// Hands one letter to the relay.
    pub(super) async fn send(&self, notice: &Notice) -> Result<(), String> {
        let subject = format!("Accord: {}", notice.kind.name().replace('_', " "));
        let mut letter = Message::builder().from(self.from.clone()).subject(subject);
        for to in &self.to {
            letter = letter.to(to.clone());
        }
        let letter = letter.body(notice.to_text()).map_err(|error| error.to_string())?;
        match timeout(TOLD_WITHIN_MAX, self.relay.send(letter)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the relay did not answer in time".to_owned()),
        }
    }
}

fn wrong(field: &str, detail: &str) -> Invalid {
    Invalid::new(Reason::FieldInvalid, field, detail)
}
