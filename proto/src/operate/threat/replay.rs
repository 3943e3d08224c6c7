//! Working a ranking out again from files. Comes in: a ranking, evidence of its pictures, parameters. Goes out: that it is equal bit
//! for bit, or which of them is another. No network, no store. Must never pass over a signature in silence.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::{
    evidence, offline,
    operate::cli::Outcome,
    own_lists,
    print::{self, Format},
    reason::{Invalid, Reason},
    roster::Roster,
    seal::{self, Envelope, Kind, PublicKey},
    strict,
    taxonomy::Lists,
    threat::{self, Dissent, Method, Methods, Order, Ranking, Rules},
};

/// What to work out again, and from what.
#[derive(Clone, Debug, Args)]
pub struct Replay {
    /// The ranking, as the coordinator has signed it.
    pub file: PathBuf,
    /// Evidence of a picture that it rests on; once for each.
    #[arg(long, required = true, value_name = "EVIDENCE")]
    pub picture: Vec<PathBuf>,
    /// Rules of the order, as JSON; those of this version if left out.
    #[arg(long)]
    pub rules: Option<PathBuf>,
    /// Parameters of the scoring method, as JSON; the one of this version that the ranking names if left out.
    #[arg(long)]
    pub method: Option<PathBuf>,
    /// The roster, as the federation root signed it: signatures are checked with it.
    #[arg(long, requires = "root")]
    pub roster: Option<PathBuf>,
    /// The federation root's public key.
    #[arg(long, requires = "roster")]
    pub root: Option<PathBuf>,
    /// Folder of the federation's own code lists.
    #[arg(long)]
    pub lists: Option<PathBuf>,
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    pub format: Format,
}

impl Replay {
    /// Works it out again.
    ///
    /// # Errors
    /// `RANKING_FALSE` names what differs; `SIGNATURE_INVALID` who has not signed.
    pub fn run(self) -> Result<Outcome, Invalid> {
        let lists = own_lists::load(self.lists.as_deref())?;
        let ranking: Envelope = strict::decode("ranking", &offline::read(&self.file)?)?;
        let picture = |path: &PathBuf| Ok(evidence::read(&offline::read(path)?)?.picture);
        let pictures = self.picture.iter().map(picture).collect::<Result<Vec<_>, Invalid>>()?;
        let told = Ranking::read(&ranking.payload, lists)?;
        if let (Some(roster), Some(root)) = (&self.roster, &self.root) {
            signed(&trusted(roster, root, lists)?, (&ranking, &told), &pictures, lists)?;
        }
        let rules = self.rules.as_deref().map(rules).transpose()?;
        let order = Order::from_wire("ranking.order.ordered_by", told.order().ordered_by())?;
        let rules = rules.as_ref().unwrap_or(Rules::builtin(order));
        let method = self.method.as_deref().map(method).transpose()?;
        let method = match &method {
            Some(method) => Some(method),
            None => known(&told)?,
        };
        let payloads: Vec<_> = pictures.iter().map(|picture| picture.payload.as_slice()).collect();
        threat::replay(&ranking.payload, &payloads, (rules, method), lists)?;
        let checked = self.roster.is_some();
        let row = json!({
            "ranking": told.digest().to_string(),
            "result": "equal, bit for bit",
            "audience": told.audience(),
            "pictures": pictures.len(),
            "rules_sha256": rules.digest().to_string(),
            "method_sha256": method.map(|method| method.digest().to_string()),
            "dissents": told.dissents().len(),
            "signatures": if checked { "checked" } else { "not checked" },
        });
        let remark = "no signature was checked: give --roster and --root";
        let remarks = if checked { Vec::new() } else { vec![remark.to_owned()] };
        Ok(Outcome { data: print::rows(self.format, &row), remarks, ..Outcome::default() })
    }
}

fn trusted(roster: &Path, root: &Path, lists: &Lists) -> Result<Roster, Invalid> {
    let root = String::from_utf8(offline::read(root)?)
        .map_err(|_| Invalid::new(Reason::FieldInvalid, "--root", "is not text"))?;
    let root = PublicKey::from_hex("--root", &root)?;
    let read = Roster::read_of_any_time(("--roster", &offline::read(roster)?), &root, lists);
    read.map(|(roster, _)| roster)
}

/// The coordinator has signed ranking and pictures, and each dissent its node.
fn signed(
    roster: &Roster,
    (envelope, ranking): (&Envelope, &Ranking),
    pictures: &[Envelope],
    lists: &Lists,
) -> Result<(), Invalid> {
    let keys: Vec<_> = roster.centres.iter().flat_map(|centre| centre.keys.clone()).collect();
    Ranking::open(envelope, &keys, lists)?;
    for (at, picture) in pictures.iter().enumerate() {
        seal::open(picture, Kind::Picture, &keys, &format!("pictures[{at}]"))?;
    }
    for (said, envelope) in ranking.dissent_in_words(lists)?.iter().zip(ranking.dissents()) {
        let member = roster.member(&said.node).ok_or_else(|| {
            let detail = format!("{} is not in the roster", said.node);
            Invalid::new(Reason::NotFound, "dissent.node", detail)
        })?;
        Dissent::open(envelope, member, ranking.digest(), lists)?;
    }
    Ok(())
}

fn rules(path: &Path) -> Result<Rules, Invalid> {
    Rules::read("--rules", &offline::read(path)?)
}

fn method(path: &Path) -> Result<Method, Invalid> {
    Method::read("--method", &offline::read(path)?)
}

/// The method of this version whose parameters a ranking names.
fn known(told: &Ranking) -> Result<Option<&'static Method>, Invalid> {
    let named = &told.order().method_sha256;
    if named.is_empty() {
        return Ok(None);
    }
    let mut methods = Methods::builtin().iter();
    let found = methods.find(|method| method.digest().0.as_slice() == named);
    found.map(Some).ok_or_else(|| {
        let detail = "rests on parameters that are not of this version: give them with --method";
        Invalid::new(Reason::RankingFalse, "order.method_sha256", detail)
    })
}
