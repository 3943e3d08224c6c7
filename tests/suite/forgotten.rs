//! What members contribute to a pool is gone when the picture is there. The coordinator is the real one; the nodes are
//! played, each with a figure that nothing else in the world looks like.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::Path,
};

use accord_tests::crash::Dice;
use serde_json::json;

use crate::pooled::Played;

const NODES: [&str; 6] =
    ["al-police", "ba-police", "me-police", "mk-police", "rs-police", "xk-police"];
const SEED: u64 = 0x006f_7267_6f74_7465;

/// A figure in every form that it could have: decimal, both byte orders, varint and its zigzag.
fn forms(figure: i64) -> [Vec<u8>; 5] {
    [
        figure.to_string().into_bytes(),
        figure.to_le_bytes().to_vec(),
        figure.to_be_bytes().to_vec(),
        varint(figure.unsigned_abs()),
        varint(figure.unsigned_abs() << 1),
    ]
}

fn varint(mut left: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while left >= 0x80 {
        bytes.push(left.to_le_bytes()[0] | 0x80);
        left >>= 7;
    }
    bytes.push(left.to_le_bytes()[0]);
    bytes
}

/// What is looked for, all at once: whose figure and in which form, by its first two bytes.
struct Search {
    by_start: Vec<Vec<(usize, &'static str, Vec<u8>)>>,
}

impl Search {
    fn of(figures: &[i64]) -> Self {
        let names = ["decimal", "little endian", "big endian", "varint", "zigzag"];
        let mut by_start = vec![Vec::new(); 1 << 16];
        for (whose, figure) in figures.iter().enumerate() {
            for (form, name) in forms(*figure).into_iter().zip(names) {
                by_start[start(&form)].push((whose, name, form));
            }
        }
        Self { by_start }
    }

    /// Whose figure stands in which form somewhere in these bytes.
    fn find(&self, bytes: &[u8]) -> BTreeSet<(usize, &'static str)> {
        let mut found = BTreeSet::new();
        for (page, chunk) in bytes.chunks(PAGE.len()).enumerate() {
            if *chunk == PAGE[..chunk.len()] {
                continue;
            }
            for at in page * PAGE.len()..(page * PAGE.len() + chunk.len()).min(bytes.len() - 1) {
                for (whose, name, form) in &self.by_start[start(&bytes[at..])] {
                    if bytes[at..].starts_with(form) {
                        found.insert((*whose, *name));
                    }
                }
            }
        }
        found
    }
}

/// Most of a process's memory is never written.
const PAGE: [u8; 4096] = [0; 4096];

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// Everything that a core dump of a process could hold, by mapping.
fn memory(process: u32) -> Vec<(String, Vec<u8>)> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut all = Vec::new();
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        // Nobody can write there: program text, the kernel's own pages.
        if !rest.starts_with("rw") {
            continue;
        }
        let (from, until) = range.split_once('-').unwrap();
        let [from, until] = [from, until].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(until - from).unwrap()];
        if !bytes.is_empty() && memory.read_exact_at(&mut bytes, from).is_ok() {
            all.push((line.to_owned(), bytes));
        }
    }
    all
}

/// Every file below a folder.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            all.extend((!bytes.is_empty()).then(|| (path.display().to_string(), bytes)));
        }
    }
    all
}

#[test]
fn what_members_contribute_is_in_no_store_no_log_and_no_memory_after_a_gather() {
    println!("seed {SEED:#x}");
    let mut dice = Dice(SEED);
    let mut played = Played::start(&["AL", "BA", "ME", "MK", "RS", "XK"]);
    let mut figures = Vec::new();
    for node in NODES {
        let figure = (1 << 51) + i64::try_from(dice.below(1 << 51)).unwrap();
        played.joins(node, figure, 2_500);
        figures.push(figure);
    }
    let requirement = played.issue(&NODES, 3, "POLICE");
    let cell = played.cell(&requirement);
    let sum: i64 = figures.iter().sum();
    assert_eq!(cell["value"], json!(sum), "{cell}");

    let coordinator = played.running.coordinator_server().unwrap().id();
    let mut places = memory(coordinator);
    places.extend(files(&played.running.dir.join("coordinator")));
    let public = Search::of(&[sum]);
    let kept = places.iter().filter(|(_, bytes)| !public.find(bytes).is_empty()).count();
    assert!(kept > 0, "the sum is public and kept: whoever looks can see");

    let planted = Search::of(&figures);
    let found = places.iter().map(|(place, bytes)| (place, planted.find(bytes)));
    let found: Vec<_> = found.filter(|(_, found)| !found.is_empty()).collect();
    assert!(found.is_empty(), "{found:#?}");
}
