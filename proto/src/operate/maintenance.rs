//! Command lines of maintenance, the same in both programs. Comes in: what somebody typed. Goes out: what is announced, and how it is
//! printed; and what `status` says of it. Must never believe a peer's text: of peers it knows names of the roster and moments.

use std::{collections::BTreeMap, path::Path};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::cli::{Client, Outcome};
use crate::{
    clock::Timestamp,
    print::Format,
    reason::{Invalid, Reason, quoted},
    upkeep,
    wire::maintenance as wire,
};

/// Announced maintenance: others are refused for a while, and told until when.
#[derive(Debug, Subcommand)]
pub enum Maintenance {
    /// Refuse others from now on; the same again takes another end (operator).
    Begin {
        /// Until when.
        #[command(flatten)]
        end: End,
        /// For the journal; others are not told.
        #[arg(long, default_value = "", hide_default_value = true)]
        why: String,
        /// As whom, and how to print.
        #[command(flatten)]
        client: Client,
    },
    /// Serve others again; without it, maintenance ends at its time (operator).
    End {
        /// As whom, and how to print.
        #[command(flatten)]
        client: Client,
    },
    /// What is announced here, who has heard of it, and what peers have announced.
    Show {
        /// As whom, and how to print.
        #[command(flatten)]
        client: Client,
    },
}

/// When it ends by itself, at most a week from now.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct End {
    /// A moment, like 2026-12-01T18:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How long from now: 90m, 2h, 3d.
    #[arg(long = "for", value_name = "LENGTH")]
    pub lasts: Option<String>,
}

/// Runs one of them; `print` is how this program prints.
pub async fn run(
    command: Maintenance,
    print: impl Fn(Format, &Value) -> String,
) -> Result<Outcome, Invalid> {
    match command {
        Maintenance::Begin { end, why, client } => {
            let until = upkeep::begin(&client.client, end.asked(why)?).await?;
            let data = print(client.format, &json!({"until": until.to_string()}));
            let remark = "peers are told when they call next, or are called: `maintenance show` says who knows";
            Ok(Outcome { data, remarks: vec![remark.to_owned()], ..Outcome::default() })
        }
        Maintenance::End { client } => {
            upkeep::finish(&client.client).await?;
            let data = print(client.format, &json!({"state": "serving"}));
            Ok(Outcome { data, ..Outcome::default() })
        }
        Maintenance::Show { client } => {
            let shown = upkeep::look(&client.client).await?;
            Ok(Outcome { data: print(client.format, &described(&shown)), ..Outcome::default() })
        }
    }
}

impl End {
    fn asked(self, why: String) -> Result<wire::BeginRequest, Invalid> {
        let until_s = match self.until {
            Some(until) => Timestamp::parse("--until", &until)?.as_s(),
            None => 0,
        };
        let seconds = self.lasts.map_or(Ok(0), |lasts| length("--for", &lasts))?;
        Ok(wire::BeginRequest { until_s, seconds, why })
    }
}

/// A whole number above 0 of minutes, hours or days, in seconds.
fn length(field: &str, text: &str) -> Result<i64, Invalid> {
    let read = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let unit = match unit {
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
        i64::from(number).checked_mul(unit)
    };
    read().ok_or_else(|| {
        let detail = format!("{} is no length; write 90m, 2h or 3d", quoted(text));
        Invalid::new(Reason::FieldInvalid, field, detail)
    })
}

fn described(shown: &wire::ShowResponse) -> Value {
    let own = shown.own.clone().unwrap_or_default();
    let peer = |peer: &wire::Peer| {
        let until = moment(peer.until_s);
        let told = if peer.told { "knows" } else { "not told yet" };
        match (until.as_str(), shown.own.is_some()) {
            ("", false) => format!("{} (serving)", peer.name),
            ("", true) => format!("{} ({told})", peer.name),
            (until, _) => format!("{} (in maintenance until {until})", peer.name),
        }
    };
    json!({
        "state": if shown.own.is_some() { "maintenance" } else { "serving" },
        "since": moment(own.since_s),
        "until": moment(own.until_s),
        "by": own.by,
        "why": own.why,
        "not_taken_in": shown.not_taken_in,
        "peers": shown.peers.iter().map(peer).collect::<Vec<_>>(),
    })
}

fn moment(seconds: i64) -> String {
    let at = Timestamp::from_s("time", seconds).ok();
    at.filter(|_| seconds != 0).map_or_else(String::new, |at| at.to_string())
}

/// What `status` says beside everything else: until when others are refused here, and who is in maintenance elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Here; empty: they are served.
    pub until: String,
    /// Peers, and until when.
    pub peers: BTreeMap<String, String>,
    /// What was replaced here and is not taken in, with the code why.
    pub untaken: Vec<String>,
}

impl Announced {
    /// As the person whose client file is given.
    pub async fn look(client: &Path) -> Result<Self, Invalid> {
        let wire::ShowResponse { own, peers, not_taken_in } = upkeep::look(client).await?;
        let away = peers.into_iter().filter(|peer| peer.until_s != 0);
        Ok(Self {
            until: own.map_or_else(String::new, |own| moment(own.until_s)),
            peers: away.map(|peer| (peer.name, moment(peer.until_s))).collect(),
            untaken: not_taken_in,
        })
    }

    /// One line for each.
    pub fn remarks(&self) -> Vec<String> {
        let own = Some(&self.until).filter(|until| !until.is_empty());
        let own = own.map(|until| format!("MAINTENANCE: others are refused until {until}"));
        let peers = self
            .peers
            .iter()
            .map(|(name, until)| format!("{name} is in maintenance until {until}"));
        let untaken = self.untaken.iter().map(|what| {
            format!(
                "NOT TAKEN IN: {what}: what was there goes on counting; the log says what is wrong"
            )
        });
        own.into_iter().chain(peers).chain(untaken).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_minutes_hours_or_days_and_nothing_else() {
        let read = |text| length("--for", text).ok();
        for (text, seconds) in [("90m", 5_400), ("2h", 7_200), ("3d", 259_200)] {
            assert_eq!(read(text), Some(seconds), "{text}");
        }
        for strange in ["", "h", "2", "0h", "-1h", "+1x", "2 h", "1.5h", "2H", "5000000000d", "2ж"]
        {
            assert_eq!(read(strange), None, "{strange}");
        }
    }
}
