//! Notices at home: somebody should look. Comes in: what happened to a requirement, a grant, the node. Goes out: a line in the log, always;
//! a program that is run, a letter that is sent, if they are configured. Must never hold content: ids, authority, purpose and times
//! only; nor keep anybody waiting: what nobody could deliver stands in the log.

use std::{sync::Arc, time::Duration};

use accord_proto::{
    clock::Timestamp,
    limits::{NOTICES_AT_ONCE_MAX, NOTICES_WAITING_MAX},
    reason::Invalid,
};
use tokio::sync::{Semaphore, mpsc};
use tracing::{info, warn};

use crate::inbox::Asked;

mod hook;
mod mail;
mod settings;
mod watch;

pub use hook::Hook;
pub use mail::{Mail, Security};
pub(crate) use settings::RawNotify;
pub use watch::watch;

/// What is worth looking at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A requirement came, and a person has to decide.
    Received,
    /// A requirement's window ends soon, and nobody has decided.
    DeadlineNear,
    /// A consent ends soon.
    GrantEnding,
    /// One person may decide and release.
    BreakGlass,
    /// What was proposed would not leave any more as it was seen.
    ReleaseChanged,
    /// A certificate, a revocation list or the roster ends soon.
    Ending,
    /// A product was circulated, is to be endorsed, or was published, corrected or recalled.
    Product,
    /// A round of comments or an endorsement ends soon, and nothing was said here.
    ProductNear,
    /// Two chains of a product were delivered, or words of this node are missing in it.
    ProductDisputed,
}

impl Kind {
    /// Stable: programs may rely on it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "requirement_received",
            Self::DeadlineNear => "deadline_near",
            Self::GrantEnding => "grant_ending",
            Self::BreakGlass => "break_glass",
            Self::ReleaseChanged => "release_changed",
            Self::Ending => "ending",
            Self::Product => "product",
            Self::ProductNear => "product_near",
            Self::ProductDisputed => "product_disputed",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Received => "A requirement was received; a person has to decide.",
            Self::DeadlineNear => "The window of a requirement ends soon, and nobody has decided.",
            Self::GrantEnding => "A consent ends soon.",
            Self::BreakGlass => "BREAK-GLASS: one person may decide and release alone.",
            Self::ReleaseChanged => {
                "What was proposed for a requirement has changed; it must be previewed again."
            }
            Self::Ending => {
                "A certificate, a revocation list or the roster ends soon; it must be replaced."
            }
            Self::Product => {
                "A product was circulated, is to be endorsed, or was published, corrected or recalled."
            }
            Self::ProductNear => {
                "A round of comments or an endorsement ends soon, and nothing was said here."
            }
            Self::ProductDisputed => {
                "Two chains of a product were delivered, or words of this node are missing in it."
            }
        }
    }
}

/// One notice. There is no room in it for a figure or a person's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub kind: Kind,
    /// Id of the requirement, grant or product, or what ends; empty: none of them.
    pub subject: String,
    /// Who asks; empty: nobody does.
    pub authority: String,
    /// What for; empty: nothing.
    pub purpose: String,
    /// When it ends.
    pub deadline: Timestamp,
}

impl Notice {
    /// About a requirement.
    pub fn of(kind: Kind, asked: &Asked) -> Self {
        Self {
            kind,
            subject: asked.id.to_string(),
            authority: asked.authority.to_string(),
            purpose: asked.purpose.to_string(),
            deadline: asked.closes_at,
        }
    }

    /// About a product, by its id; the end of what is open, or now.
    pub fn of_product(kind: Kind, product: String, deadline: Timestamp) -> Self {
        let (authority, purpose) = (String::new(), String::new());
        Self { kind, subject: product, authority, purpose, deadline }
    }

    /// For programs.
    pub fn to_json(&self) -> String {
        let Self { kind, subject, authority, purpose, deadline } = self;
        serde_json::json!({
            "kind": kind.name(),
            "subject": subject,
            "authority": authority,
            "purpose": purpose,
            "deadline": deadline.to_string(),
        })
        .to_string()
    }

    /// For people: what a letter says.
    pub fn to_text(&self) -> String {
        let Self { kind, subject, authority, purpose, deadline } = self;
        let mut text = format!("{}\n", kind.sentence());
        for (name, value) in [("Subject", subject), ("Authority", authority), ("Purpose", purpose)]
        {
            if !value.is_empty() {
                text += &format!("{name}: {value}\n");
            }
        }
        text + &format!("Until: {deadline}\n")
    }
}

/// Who is told, as configured.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A program.
    pub hook: Option<Hook>,
    /// A mailbox.
    pub mail: Option<Mail>,
    /// How long before its end a requirement or a grant is near it.
    pub warnings: Warnings,
}

/// How long before its end something is near it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warnings {
    /// A requirement's window, in seconds.
    pub deadline_s: i64,
    /// A grant, in seconds.
    pub grant_s: i64,
}

impl Default for Warnings {
    fn default() -> Self {
        Self { deadline_s: 86_400, grant_s: 14 * 86_400 }
    }
}

/// Where notices are given. The default logs them only.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    waiting: Option<mpsc::Sender<Notice>>,
}

impl Notices {
    /// Tells whoever is configured, behind the back of the caller. Must be called within a runtime.
    pub fn open(settings: &Settings) -> Result<Self, Invalid> {
        let (hook, mail) = (settings.hook.clone(), settings.mail.clone());
        let letters = mail.as_ref().map(Mail::open).transpose()?;
        if hook.is_none() && letters.is_none() {
            return Ok(Self::default());
        }
        let (waiting, mut notices) = mpsc::channel::<Notice>(NOTICES_WAITING_MAX);
        let places = Arc::new(Semaphore::new(NOTICES_AT_ONCE_MAX));
        tokio::spawn(async move {
            while let Some(notice) = notices.recv().await {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let (hook, letters) = (hook.clone(), letters.clone());
                tokio::spawn(async move {
                    if let Some(hook) = hook {
                        note(&notice, "hook", hook.run(&notice.to_json()).await);
                    }
                    if let Some(letters) = letters {
                        note(&notice, "mail", letters.send(&notice).await);
                    }
                    drop(place);
                });
            }
        });
        Ok(Self::to(waiting))
    }

    /// Hands them to whoever holds the other end, who tells in a way of their own.
    pub fn to(waiting: mpsc::Sender<Notice>) -> Self {
        Self { waiting: Some(waiting) }
    }

    /// Never waits: when too many are waiting, this one stands in the log only.
    pub fn tell(&self, notice: Notice) {
        let Notice { kind, subject, authority, purpose, deadline } = &notice;
        let kind = kind.name();
        info!(kind, subject, authority, purpose, %deadline, "notice");
        if let Some(waiting) = &self.waiting
            && waiting.try_send(notice).is_err()
        {
            warn!(kind, "notice is in the log only: too many are waiting");
        }
    }
}

fn note(notice: &Notice, way: &'static str, told: Result<(), String>) {
    if let Err(error) = told {
        warn!(
            kind = notice.kind.name(),
            subject = notice.subject,
            way,
            error,
            "notice not delivered"
        );
    }
}

/// One attempt to tell somebody.
const TOLD_WITHIN_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
