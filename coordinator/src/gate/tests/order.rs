//! The same answers give the same bytes. Comes in: random rounds, their parts in every order in which members may answer.
//! Goes out: the cells of the picture, judged, combined and written on one thread and on four.

use accord_proto::picture::{Written, write_cell};
use prost::Message as _;

use super::{
    attack::{Dice, Says, publish},
    *,
};

const OF: [&str; 8] = ["AL", "BA", "BG", "HR", "ME", "MK", "RS", "XK"];

/// A seizure count by area and half-year, and a price; from one node of each jurisdiction, or two.
fn said(dice: &mut Dice, edition: u32) -> Vec<Says> {
    let lists = Lists::builtin();
    let price = lists.indicator("", "DRG.PRICE.HER.WHL").unwrap();
    let mut keys = vec![RegionalKey {
        indicator: price.code,
        crime_area: lists.crime_area("", price, "DRG.HER").unwrap(),
        period: Period::parse("", "2016").unwrap(),
        categories: lists.parse_categories("", price, "_T").unwrap(),
    }];
    for area in ["DRG", "DRG.COC", "DRG.HER"] {
        keys.extend(["2016", "2016-H1"].map(|period| key(area, period, "_T")));
    }
    let (mut all, twins) = (Vec::new(), dice.one_in(2));
    for (at, of) in OF.iter().enumerate() {
        for twin in 0..if twins && at == 0 { 2 } else { 1 } {
            let mode = if dice.one_in(8) { OPEN } else { [EXACT, NOISY][dice.place(2)] };
            for key in keys.iter().filter(|key| key.indicator != price.code || twin == 0) {
                let value = i64::try_from(dice.below(1_000)).unwrap();
                let says = if dice.one_in(30) { Cell::NotShown } else { Cell::Value(value) };
                all.push(Says {
                    key: *key,
                    node: Name::parse("", &format!("{}-{twin}", of.to_lowercase())).unwrap(),
                    jurisdiction: JurisdictionCode::parse(of).unwrap(),
                    mode,
                    consent: Consent::Pooled,
                    cell: says,
                    standard_error_milli: if mode == NOISY { 500 << at } else { 0 },
                    edition,
                });
            }
        }
    }
    all
}

/// Every cell of the rounds as it is signed, in the order of the question.
fn written(rounds: &[Vec<Says>]) -> Vec<u8> {
    let (lists, mut before, mut bytes) = (Lists::builtin(), PooledBefore::new(), Vec::new());
    for round in rounds {
        let verdicts = publish(round, 1, &mut before);
        for (key, cell) in crate::combine::combine(&verdicts, lists) {
            let silent = BTreeSet::new();
            let (combined, standing) = (cell.combined, &cell.standing);
            let cell = Written { combined, standing, shares: &[], silent: &silent };
            bytes.extend(write_cell(key, cell, lists).encode_length_delimited_to_vec());
        }
    }
    bytes
}

#[test]
fn in_whichever_order_members_answer_and_on_however_many_threads_a_picture_has_the_same_bytes() {
    const SEED: u64 = 4_104;
    let (mut shown, mut dice) = (0, Dice(SEED));
    for number in 0..6 {
        let rounds =
            |dice: &mut Dice| vec![said(&mut Dice(number), 1), said(dice, 1), said(dice, 2)];
        let drawn = Dice(SEED + number);
        let expected = written(&rounds(&mut Dice(drawn.0)));
        shown += expected.len();
        for threads in [1, 4] {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(threads)
                .build()
                .unwrap();
            let pictures: Vec<_> = (0..3)
                .map(|_| {
                    let mut shuffled = rounds(&mut Dice(drawn.0));
                    for round in &mut shuffled {
                        (1..round.len()).for_each(|at| round.swap(at, dice.place(at + 1)));
                    }
                    runtime.spawn(async move { written(&shuffled) })
                })
                .collect();
            for picture in pictures {
                let picture = runtime.block_on(picture).unwrap();
                assert!(picture == expected, "seed {SEED}, rounds {number}, {threads} threads");
            }
        }
    }
    println!("seed {SEED}: {shown} bytes, each drawn seven times");
}
