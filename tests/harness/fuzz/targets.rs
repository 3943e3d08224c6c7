//! Every reader of bytes from outside, with its promise. Comes in: nothing. Goes out: targets, their specimens made by the program
//! itself.

use anyhow::{Result, bail};

use super::{Form, Judged, ONE_MAX, Target, Verdict, scene::Scene};

mod identity;
mod imports;
mod journal;
mod lies;
mod products;
mod signed;
mod store;
mod texts;
mod wire;

pub use wire::messages;

/// Rounds of the short run, of a reader that is quick.
const ROUNDS: usize = 1_500;
/// The same of one that checks signatures or makes tables.
const ROUNDS_SLOW: usize = 300;
/// Keys of the specimens: the same in every run.
const KEYS: u64 = 20_261_124;

/// All of them.
pub fn all() -> Result<Vec<Target>> {
    let scene = std::rc::Rc::new(Scene::set(KEYS)?);
    let mut targets = wire::targets()?;
    targets.extend(signed::targets(&scene)?);
    targets.extend(lies::targets(&scene)?);
    targets.extend(products::targets(&scene)?);
    targets.extend(journal::targets(&scene)?);
    targets.extend(identity::targets()?);
    targets.extend(texts::targets(&scene)?);
    targets.extend(imports::targets()?);
    targets.extend(store::targets()?);
    Ok(targets)
}

/// The one with this name, or all.
pub fn named(name: Option<&str>) -> Result<Vec<Target>> {
    let mut targets = all()?;
    if let Some(name) = name {
        let names: Vec<_> = targets.iter().map(|target| target.name).collect();
        targets.retain(|target| target.name == name);
        if targets.is_empty() {
            bail!("no target {name}; there are {}", names.join(", "));
        }
    }
    Ok(targets)
}

fn target(
    name: &'static str,
    form: Form,
    specimens: Vec<Vec<u8>>,
    judge: impl Fn(&[u8]) -> Verdict + 'static,
) -> Target {
    Target { name, form, specimens, judge: Box::new(judge), rounds: ROUNDS, one_max: ONE_MAX }
}

impl Target {
    fn slow(self) -> Self {
        Self { rounds: ROUNDS_SLOW, ..self }
    }
}

fn refused(why: impl std::fmt::Display) -> Verdict {
    Ok(Judged::Refused(why.to_string()))
}

/// Accepted, if it is as it was promised.
fn accepted(holds: bool, promise: &str) -> Verdict {
    if holds { Ok(Judged::Accepted) } else { Err(promise.to_owned()) }
}

/// A target whose inputs are text; bytes that are none are refused by whoever reads the file.
fn text(
    name: &'static str,
    specimens: &[&str],
    judge: impl Fn(&str) -> Verdict + 'static,
) -> Target {
    let specimens = specimens.iter().map(|text| text.as_bytes().to_vec()).collect();
    target(name, Form::Text, specimens, move |bytes| match std::str::from_utf8(bytes) {
        Ok(text) => judge(text),
        Err(_) => refused("no UTF-8"),
    })
}
