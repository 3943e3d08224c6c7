//! `accord-node init`: a folder that becomes a node. Comes in: flags, or answers of somebody at a terminal. Goes out: config,
//! policy, keys, a certificate request, and what is still missing. Overwrites nothing.

use std::path::PathBuf;

use accord_proto::{
    clock::{SystemClock, SystemEntropy},
    identity::Role,
    operate::{
        Around,
        init::{Asking, Folder, STORE_KEY, asking, check_listen, set},
    },
    reason::{Invalid, Reason},
    roster::is_address,
};
use clap::Args;

use crate::config::Config;

pub(crate) const EXAMPLES: &str = "Examples:\n  accord-node init /etc/accord\n  accord-node init mk --uri spiffe://wb6.example/MK/node/mk-police/node --listen 0.0.0.0:7101 --desk-listen 10.0.0.5:7201\n  accord-node init mk --uri spiffe://wb6.example/MK/node/mk-police/node --dial coordinator.example:7102 --no-input";

/// What the folder is to hold.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder; created if it is not there.
    dir: PathBuf,
    /// Who the node is: spiffe://<federation>/<jurisdiction>/node/<name>/node. Makes keys/tls.key and keys/tls.csr.
    #[arg(long)]
    uri: Option<String>,
    /// Where the coordinator calls, address:port.
    #[arg(long, conflicts_with = "dial")]
    listen: Option<String>,
    /// Where national staff call, address:port.
    #[arg(long)]
    desk_listen: Option<String>,
    /// No inbound port: host:port of the coordinator, to connect to.
    #[arg(long)]
    dial: Option<String>,
    /// Ask nothing, also at a terminal.
    #[arg(long)]
    no_input: bool,
}

/// Prepares the folder; says what was written, kept and is missing.
pub(crate) fn run(wanted: Init) -> Result<String, Invalid> {
    asking(wanted.no_input, |asking| prepare(wanted, asking))
}

fn prepare(wanted: Init, asking: &mut Asking<'_>) -> Result<String, Invalid> {
    let around = Around { clock: &SystemClock, entropy: &SystemEntropy };
    let dir = wanted.dir.clone();
    let identity = asking.identity(wanted.uri.as_deref(), Role::Node)?;
    let shipped = sealed(include_str!("../../../deploy/node.toml"));
    let config = configured(&shipped, wanted, asking)?;
    // Found wrong before anything is written.
    Config::parse(&config, &dir)?;

    let mut folder = Folder::prepare(&dir)?;
    folder.text("node.toml", &config, config != shipped)?;
    folder.text("policy.toml", include_str!("../../../deploy/policy.toml"), false)?;
    let floors = include_str!("../../../deploy/policy.secret.toml");
    folder.secret("policy.secret.toml", floors, "secret: choose floors of your own")?;
    folder.signing_key("keys/seal.key", "seal", around)?;
    folder.store_key(around)?;
    if let Some(identity) = identity {
        folder.request(&identity)?;
    }
    folder.missing(&[
        "keys/tls.crt",
        "keys/tls.key",
        "keys/ca.crt",
        "keys/staff-ca.crt",
        "roster.signed",
        "root.pub",
    ]);
    Ok(folder.said())
}

/// The configuration that is shipped, with a key for the store.
fn sealed(shipped: &str) -> String {
    set(shipped, ("store", "key"), Some(STORE_KEY))
}

/// The same with what was asked for.
fn configured(shipped: &str, wanted: Init, asking: &mut Asking<'_>) -> Result<String, Invalid> {
    const DIALS: &str = "dial";
    let Init { listen, desk_listen, dial, .. } = wanted;
    let mut text = shipped.to_owned();
    let listens = if dial.is_some() {
        Some(DIALS.to_owned())
    } else {
        let question = "Where the coordinator calls; \"dial\" where no inbound port is allowed";
        let check = |word: &str| if word == DIALS { Ok(()) } else { check_listen(word) };
        asking.text(listen, (question, "127.0.0.1:7101"), check)?
    };
    if listens.as_deref() == Some(DIALS) {
        let question = "host:port of the coordinator's dial.listen";
        let dial = asking.text(dial, (question, "coordinator.example:7102"), check_dial)?;
        text = set(&text, ("exchange", "listen"), None);
        text = set(&text, ("dial", "coordinator"), dial.as_deref());
    } else if let Some(listen) = &listens {
        text = set(&text, ("exchange", "listen"), Some(listen));
    }
    let question = ("Where national staff call", "127.0.0.1:7201");
    if let Some(desk) = asking.text(desk_listen, question, check_listen)? {
        text = set(&text, ("desk", "listen"), Some(&desk));
    }
    Ok(text)
}

fn check_dial(word: &str) -> Result<(), Invalid> {
    if is_address(word) {
        return Ok(());
    }
    Err(Invalid::new(Reason::FieldInvalid, "--dial", "is not host:port"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use accord_proto::at_rest::Keys;

    use super::*;

    fn init(dir: &Path) -> Init {
        let (uri, listen, desk_listen, dial) = (None, None, None, None);
        Init { dir: dir.to_owned(), uri, listen, desk_listen, dial, no_input: false }
    }

    fn answered(dir: &Path, answers: &str) -> (String, String) {
        let mut asked = Vec::new();
        let mut answers = answers.as_bytes();
        let mut asking = Asking::somebody(&mut answers, &mut asked);
        let said = prepare(init(dir), &mut asking).unwrap();
        (said, String::from_utf8(asked).unwrap())
    }

    #[test]
    fn what_somebody_answers_stands_in_the_config_and_every_comment_stays() {
        let home = tempfile::tempdir().unwrap();
        let answers = "wb6.example\nxx\nMK\n\nnowhere\n10.0.0.5:7101\n\n";
        let (said, asked) = answered(home.path(), answers);
        assert!(asked.contains("[mk-police]") && asked.contains("nowhere"), "{asked}");
        assert!(said.contains("spiffe://wb6.example/MK/node/mk-police/node"), "{said}");
        let shipped = sealed(include_str!("../../../deploy/node.toml"));
        let written = std::fs::read_to_string(home.path().join("node.toml")).unwrap();
        assert_eq!(written, shipped.replace("127.0.0.1:7101", "10.0.0.5:7101"));
        assert!(home.path().join("keys/tls.csr").exists());

        // Asked again, nothing is overwritten, and that is said.
        let (said, _) = answered(home.path(), "-\n10.0.0.6:7101\n\n");
        assert!(said.contains("nothing of what you gave"), "{said}");
        let kept = std::fs::read_to_string(home.path().join("node.toml")).unwrap();
        assert_eq!(kept, written);
    }

    #[test]
    fn whoever_dials_has_no_port_and_nobody_is_asked_where_nobody_sits() {
        let home = tempfile::tempdir().unwrap();
        answered(home.path(), "-\ndial\ncentre.example:7102\n\n");
        let text = std::fs::read_to_string(home.path().join("node.toml")).unwrap();
        let config = Config::parse(&text, home.path()).unwrap();
        assert!(matches!(config.exchange, crate::port::Reached::Dialling(_)), "{config:?}");

        let silent = home.path().join("silent");
        prepare(init(&silent), &mut Asking::nobody()).unwrap();
        let text = std::fs::read_to_string(silent.join("node.toml")).unwrap();
        assert_eq!(text, sealed(include_str!("../../../deploy/node.toml")));
        let config = Config::parse(&text, &silent).unwrap();
        Keys::load(config.store_key.as_deref()).unwrap();
    }

    #[test]
    fn a_wrong_flag_is_refused_before_anything_is_written() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("mk");
        let person = "spiffe://wb6.example/MK/staff/ana/analyst".to_owned();
        let listen = "localhost:7101".to_owned();
        for wrong in [
            Init { uri: Some(person), ..init(&dir) },
            Init { listen: Some(listen), ..init(&dir) },
            Init { desk_listen: Some("127.0.0.1:7101".to_owned()), ..init(&dir) },
        ] {
            prepare(wrong, &mut Asking::nobody()).unwrap_err();
            assert!(!dir.exists());
        }
    }
}
