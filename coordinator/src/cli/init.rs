//! `accord-coordinator init`: a folder that becomes a coordinator. Comes in: flags, or answers of somebody at a terminal.
//! Goes out: config, secret parameters, keys, a certificate request, and what is still missing. Overwrites nothing.

use std::path::PathBuf;

use accord_proto::{
    clock::{SystemClock, SystemEntropy},
    identity::Role,
    operate::{
        Around,
        init::{Asking, Folder, STORE_KEY, asking, check_listen, set},
    },
    reason::Invalid,
};
use clap::Args;

use crate::config::Config;

pub(crate) const EXAMPLES: &str = "Examples:\n  accord-coordinator init /etc/accord\n  accord-coordinator init centre --uri spiffe://wb6.example/REGION/node/coordinator/coordinator --region-listen 0.0.0.0:7100 --dial-listen 0.0.0.0:7102";

/// What the folder is to hold.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder; created if it is not there.
    dir: PathBuf,
    /// Who the coordinator is: spiffe://<federation>/REGION/node/<name>/coordinator. Makes keys/tls.key and keys/tls.csr.
    #[arg(long)]
    uri: Option<String>,
    /// Where regional staff call, address:port.
    #[arg(long)]
    region_listen: Option<String>,
    /// Where nodes connect that have no inbound port, address:port; left out, no port is opened.
    #[arg(long)]
    dial_listen: Option<String>,
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
    let Init { dir, uri, region_listen, dial_listen, .. } = wanted;
    let identity = asking.identity(uri.as_deref(), Role::Coordinator)?;
    let shipped = include_str!("../../../deploy/coordinator.toml");
    // Secret parameters that are there are used.
    let mut config = set(shipped, ("gate", "policy"), Some("gate.secret.toml"));
    config = set(&config, ("store", "key"), Some(STORE_KEY));
    let question = ("Where regional staff call", "127.0.0.1:7100");
    let region = asking.text(region_listen, question, check_listen)?;
    let nobody = "-";
    let question = ("Where nodes connect that have no inbound port; - for nobody", nobody);
    let check = |word: &str| if word == nobody { Ok(()) } else { check_listen(word) };
    let dial = asking.text(dial_listen, question, check)?.filter(|dial| dial != nobody);
    let asked = identity.is_some() || region.is_some() || dial.is_some();
    for (place, value) in [(("region", "listen"), region), (("dial", "listen"), dial)] {
        if let Some(value) = value {
            config = set(&config, place, Some(&value));
        }
    }
    // Found wrong before anything is written.
    Config::parse(&config, &dir)?;

    let mut folder = Folder::prepare(&dir)?;
    folder.text("coordinator.toml", &config, asked)?;
    let parameters = include_str!("../../../deploy/gate.secret.toml");
    folder.secret("gate.secret.toml", parameters, "secret: for the custodian only")?;
    folder.signing_key("keys/sign.key", "sign", around)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_writes_what_it_was_told_and_its_keys_are_for_nobody_else() {
        use std::os::unix::fs::PermissionsExt as _;

        let home = tempfile::tempdir().unwrap();
        let wanted = || Init {
            dir: home.path().to_owned(),
            uri: Some("spiffe://wb6.example/REGION/node/coordinator/coordinator".to_owned()),
            region_listen: Some("10.0.0.5:7100".to_owned()),
            dial_listen: Some("10.0.0.5:7102".to_owned()),
            no_input: true,
        };
        let said = prepare(wanted(), &mut Asking::nobody()).unwrap();
        for expected in ["sign key ", "request ", "missing  "] {
            assert!(said.contains(expected), "{said}");
        }
        let read = |name: &str| std::fs::read(home.path().join(name)).unwrap();
        let text = String::from_utf8(read("coordinator.toml")).unwrap();
        let config = Config::parse(&text, home.path()).unwrap();
        assert_eq!(config.listen, "10.0.0.5:7100");
        assert_eq!(config.dial.as_deref(), Some("10.0.0.5:7102"));
        assert_eq!(config.gate, Some(home.path().join("gate.secret.toml")));
        assert_eq!(config.store_key, Some(home.path().join("keys/store.key")));
        let secrets = ["gate.secret.toml", "keys/sign.key", "keys/tls.key", "keys/store.key"];
        for name in secrets {
            let mode = std::fs::metadata(home.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }

        // Again: the same keys, nothing overwritten.
        let before = secrets.map(read);
        let again = prepare(wanted(), &mut Asking::nobody()).unwrap();
        assert!(again.contains("kept     "), "{again}");
        assert_eq!(secrets.map(read), before);
    }
}
