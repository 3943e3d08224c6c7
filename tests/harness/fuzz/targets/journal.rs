//! Journals as others show them: checkpoints, keys, entries, proofs, exports. What is accepted is what was signed, in its one spelling.

use std::{io::BufReader, ops::Range, rc::Rc};

use accord_proto::{
    identity::Identity,
    journal::{
        Act, Checkpoint, Class, Entry, Frontier, Logged, Outcome, Proof, Qualified, Tree,
        VerifierKey, leaf, read_export, verify_consistency, verify_inclusion, write_line,
    },
    reason::Invalid,
    seal::Digest,
};
use anyhow::Result;

use super::{accepted, refused, target, text};
use crate::fuzz::{
    Form, Target,
    scene::{Scene, now},
};

const ORIGIN: &str = "wb6.example/AL/al-police";
const ENTRIES: u64 = 7;

/// A journal with all its leaves.
struct Kept {
    entries: Vec<Vec<u8>>,
    tree: Tree,
    nodes: Nodes,
    head: Checkpoint,
}

type Nodes = Vec<Digest>;

fn journal() -> Result<Kept> {
    let by = Identity::parse("spiffe://wb6.example/AL/staff/test-releaser/releaser")?;
    let (mut frontier, mut tree) = (Frontier::default(), Tree::default());
    let (mut entries, mut nodes) = (Vec::new(), Vec::new());
    for number in 0..ENTRIES {
        let entry = Entry {
            at: now().plus_s(i64::try_from(number)?),
            act: if number % 2 == 0 { Act::Disclosure } else { Act::Alteration },
            by: by.clone(),
            to: "POLICE".to_owned(),
            why: "a \"test\" with \\ and \u{e9}".to_owned(),
            subject: format!("entry {number}"),
            digest: Digest([7; 32]),
        };
        let entry: Qualified = if number == 3 {
            entry.ended(Outcome::Refused).class(Class::BreakGlass)
        } else {
            entry.into()
        };
        let bytes = entry.encode(&frontier);
        frontier.append(&bytes);
        tree.append(leaf(&bytes));
        nodes.push(leaf(&bytes));
        entries.push(bytes);
    }
    let head = Checkpoint::of(ORIGIN, &frontier);
    Ok(Kept { entries, tree, nodes, head })
}

pub(super) fn targets(scene: &Rc<Scene>) -> Result<Vec<Target>> {
    let kept = journal()?;
    let (_, key) = scene.member(0)?;
    let (note, keys, head) = (kept.head.sign(key), [key.public()], kept.head.clone());
    let checkpoint = text("checkpoint", &[&note], move |note| {
        match Checkpoint::open("note", note, ORIGIN, &keys) {
            Ok(read) => accepted(read == head, "a checkpoint was changed, and is accepted"),
            Err(error) => refused(error),
        }
    });
    let verifier = VerifierKey::new(ORIGIN, key.public()).to_string();
    let verifier_key =
        text("verifier-key", &[&verifier], |text| match VerifierKey::parse("key", text) {
            Ok(key) => accepted(key.to_string() == text.trim(), "a key has two spellings"),
            Err(error) => refused(error),
        });
    let entry = target("journal-entry", Form::Wire, kept.entries.clone(), |bytes| {
        match Logged::decode(bytes) {
            Ok(logged) => accepted(logged.encode() == bytes, "an entry has two spellings"),
            Err(error) => refused(error),
        }
    });
    let edge =
        target("journal-edge", Form::Raw, edges(&kept), |bytes| {
            match Frontier::from_bytes(bytes) {
                Ok(mut frontier) => {
                    let same = frontier.to_bytes() == bytes;
                    frontier.root();
                    frontier.append(b"one more");
                    accepted(same, "a journal's edge has two spellings")
                }
                Err(error) => refused(error),
            }
        });
    Ok(vec![checkpoint.slow(), verifier_key, entry, edge, proofs(&kept)?, export(kept)?])
}

/// Leaves of a range, hashed.
fn leaves(nodes: &Nodes) -> impl Fn(Range<u64>) -> Result<Vec<Digest>, Invalid> + '_ {
    |range| {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        Ok(nodes.get(at(range.start)..at(range.end)).unwrap_or_default().to_vec())
    }
}

fn edges(kept: &Kept) -> Vec<Vec<u8>> {
    let mut frontier = Frontier::default();
    let mut edges = vec![frontier.to_bytes()];
    for entry in &kept.entries {
        frontier.append(entry);
        edges.push(frontier.to_bytes());
    }
    edges
}

/// The hashes of a proof, 32 bytes each, behind a byte that says of what.
fn proofs(kept: &Kept) -> Result<Target> {
    let (entry, old) = (kept.entries.get(2).cloned().unwrap_or_default(), 3);
    let flat = |tag: u8, proof: &Proof| [&[tag][..], &proof.to_wire().concat()].concat();
    let inclusion = kept.tree.inclusion(2, ENTRIES, leaves(&kept.nodes))?;
    let consistency = kept.tree.consistency(old, ENTRIES, leaves(&kept.nodes))?;
    let specimens = vec![flat(0, &inclusion), flat(1, &consistency)];
    let root = kept.tree.root_at(old, leaves(&kept.nodes))?;
    let (new, old) = (kept.head.clone(), Checkpoint { origin: ORIGIN.to_owned(), size: old, root });
    let honest = specimens.clone();
    Ok(target("journal-proof", Form::Raw, specimens, move |bytes| {
        let Some((tag, hashes)) = bytes.split_first() else { return refused("nothing") };
        let hashes: Vec<_> = hashes.chunks(32).map(<[u8]>::to_vec).collect();
        let holds = |proof: Proof| match tag {
            0 => verify_inclusion(leaf(&entry), 2, &new, &proof),
            _ => verify_consistency(&old, &new, &proof),
        };
        match Proof::from_wire("proof", &hashes).and_then(holds) {
            // Every tag but the first is one of the second.
            Ok(()) => {
                let as_written = [&[(*tag).min(1)][..], &bytes[1..]].concat();
                accepted(honest.contains(&as_written), "another proof of the same is accepted")
            }
            Err(error) => refused(error),
        }
    }))
}

/// Exports: the whole journal, and a part of it with proofs. Every line has one spelling.
fn export(kept: Kept) -> Result<Target> {
    let whole = kept.entries.iter().map(|entry| Ok(write_line(ORIGIN, entry, None)? + "\n"));
    let whole = whole.collect::<Result<Vec<_>, Invalid>>()?;
    let mut proven = Vec::new();
    for (at, entry) in kept.entries.iter().enumerate() {
        let proof = kept.tree.inclusion(at as u64, ENTRIES, leaves(&kept.nodes))?;
        proven.push(write_line(ORIGIN, entry, Some(&proof))? + "\n");
    }
    let part: Vec<_> = proven.iter().skip(2).step_by(2).cloned().collect();
    let specimens = [whole.concat(), part.concat()];
    let known: Vec<_> =
        whole.iter().chain(&proven).map(|line| line.trim_end().to_owned()).collect();
    let head = kept.head;
    let specimens: Vec<_> = specimens.iter().map(String::as_str).collect();
    Ok(text("journal-export", &specimens, move |export| {
        match read_export(BufReader::new(export.as_bytes()), &head) {
            Ok(_) => {
                // What other programs read in a line is what was verified.
                let same = export.lines().all(|line| known.iter().any(|known| known == line));
                accepted(same, "a line was changed, and is accepted")
            }
            Err(error) => refused(error),
        }
    }))
}
