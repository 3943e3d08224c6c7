//! Who is told, as `node.toml` says it. Comes in: the sections `[notify]`, `[notify.hook]`, `[notify.mail]`. Goes out: checked settings;
//! passwords stand there as paths, never as values.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use accord_proto::operate::{document::Mistakes, settings::located};
use serde::Deserialize;

use super::{Hook, Mail, Security, Settings, Warnings};

/// `[notify]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawNotify {
    deadline_warning_h: u32,
    grant_warning_days: u32,
    hook: RawHook,
    mail: RawMail,
}

impl Default for RawNotify {
    fn default() -> Self {
        Self {
            deadline_warning_h: 24,
            grant_warning_days: 14,
            hook: RawHook::default(),
            mail: RawMail::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawHook {
    program: PathBuf,
    arguments: Vec<String>,
    timeout_s: u32,
}

impl Default for RawHook {
    fn default() -> Self {
        Self { program: PathBuf::new(), arguments: Vec::new(), timeout_s: 10 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawMail {
    host: String,
    port: u16,
    security: String,
    ca: PathBuf,
    user: String,
    password: PathBuf,
    from: String,
    to: Vec<String>,
}

impl Default for RawMail {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 25,
            security: "starttls".to_owned(),
            ca: PathBuf::new(),
            user: String::new(),
            password: PathBuf::new(),
            from: String::new(),
            to: Vec::new(),
        }
    }
}

impl RawNotify {
    /// Every mistake is added to `mistakes`. Paths are relative to `home`.
    pub(crate) fn checked(self, home: &Path, mistakes: &mut Mistakes) -> Settings {
        let Self { deadline_warning_h, grant_warning_days, hook, mail } = self;
        let warnings = Warnings {
            deadline_s: i64::from(deadline_warning_h) * 3_600,
            grant_s: i64::from(grant_warning_days) * 86_400,
        };
        let mut wrong = |key: &str, detail: &str| mistakes.push(&format!("notify.{key}"), detail);
        if !(1..=60).contains(&hook.timeout_s) {
            wrong("hook.timeout_s", "is not between 1 and 60");
        }
        if !mail.host.is_empty() && mail.to.is_empty() {
            wrong("mail.to", "names nobody");
        }
        let security = match mail.security.as_str() {
            "tls" => Security::Tls,
            "starttls" => Security::StartTls,
            "loopback" => Security::Loopback,
            _ => {
                wrong("mail.security", "is none of tls, starttls, loopback");
                Security::StartTls
            }
        };
        let path = |path: PathBuf| (path != PathBuf::new()).then(|| located(home, &path));
        let hook = path(hook.program).map(|program| Hook {
            program,
            arguments: hook.arguments,
            within: Duration::from_secs(hook.timeout_s.into()),
        });
        let named = !mail.host.is_empty();
        let mail = named.then(|| Mail {
            host: mail.host,
            port: mail.port,
            security,
            ca: path(mail.ca),
            login: path(mail.password).map(|password| (mail.user, password)),
            from: mail.from,
            to: mail.to,
        });
        Settings { hook, mail, warnings }
    }
}
