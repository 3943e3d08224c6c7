//! Random records, lattices and policies: what may be shown is never under its floor, never outside the lattice, the same
//! for every spelling and order, and never more under a stricter policy.

use std::collections::BTreeMap;

use accord_proto::taxonomy::{RegionCode, Tier};

use super::*;
use crate::{
    cube::Bounds,
    policy::{Files, Terms},
    record::{
        RawRecord, Record,
        tests::{albania, event, read as record},
    },
};

const SEEDS: u64 = 40;

/// A small generator; every test prints its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

const AREAS: [&str; 4] = ["DRG", "DRG.CAN", "DRG.COC", "DRG.HER"];
const REGIONS: [&str; 5] = ["AL", "AL0", "AL01", "AL011", "AL022"];
const GROUPS: [&str; 4] = ["", "CAN", "CAN_HERB", "COC"];
const HANDLING: [&str; 4] = ["", "", "H1", "TLP:GREEN"];

fn records(dice: &mut Dice) -> Vec<Record> {
    let cases = 20 + dice.below(300);
    (0..cases)
        .map(|_| {
            let cell = [
                "DRG.SEIZ.N",
                dice.of(&AREAS),
                dice.of(&REGIONS),
                dice.of(&["2016-H1", "2016-H2"]),
            ];
            // Some cases have several events, in several places.
            let unit = format!("case {}", dice.below(cases));
            let number = format!("event {}", dice.below(1 << 40));
            let group = dice.of(&GROUPS);
            let categories = [("DRUG_GROUP", group)];
            let mut raw = RawRecord { handling: dice.of(&HANDLING), ..event(cell, &unit, "1") };
            raw.kind = crate::record::RawKind::Event { unit: &unit, event: Some(&number) };
            if !group.is_empty() {
                raw.categories = &categories;
            }
            record(&raw).unwrap()
        })
        .collect()
}

fn cube(records: &[Record]) -> Cube {
    let mut cube = Cube::default();
    records.iter().for_each(|record| cube.put(record));
    cube
}

const HANDLING_RULES: &str = "[[handling]]\ncode = \"H1\"\naudiences = [\"POLICE\"]\n[[handling]]\ncode = \"TLP:GREEN\"\naudiences = [\"POLICE\", \"PARTNERS\"]\n";

fn levels(dice: &mut Dice) -> String {
    let regions = dice.of(&["[0]", "[0, 3]", "[3]"]);
    let areas = dice.of(&["[0]", "[1]", "[0, 1]"]);
    let dimensions = dice.of(&["[]", "[\"DRUG_GROUP\"]"]);
    let granularity = dice.of(&["[\"year\"]", "[\"half\"]"]);
    format!(
        "granularity = {granularity}\nregion_levels = {regions}\narea_levels = {areas}\ndimensions = {dimensions}\n"
    )
}

/// A policy, or none where the levels drawn are refused.
fn policy(levels: &str, tier: &str, secret: &str) -> Option<Policy> {
    let public = format!(
        "[[indicator]]\ncode = \"DRG.SEIZ.N\"\nmode = \"protected\"\n{levels}{HANDLING_RULES}{tier}"
    );
    let files = Files { public: &public, secret, salt: &[0; 32] };
    Policy::parse(files, albania(), Lists::builtin()).ok()
}

fn frozen(live: &Cube, policy: &Policy, period: &str) -> Option<Edition> {
    let freezing = Freezing {
        live,
        editions: &Editions::default(),
        ledger: &Ledger::default(),
        policy,
        lists: Lists::builtin(),
        root: &Root::new([5; 32]),
        secret: &[6; 32],
    };
    let id = EditionId::parse("", "01a20b74-b718-7a08-a333-9c5c982785a0").unwrap();
    let at = Timestamp::from_s("", 1_800_000_000).unwrap();
    let by = Identity::parse("spiffe://wb6.example/AL/staff/test/releaser").unwrap();
    let origin = Origin { edition: id, now: at, by, imports: 1 };
    freezing.edition(Period::parse("", period).unwrap(), origin).ok().flatten()
}

/// Everything that is shown: tier, cell, figure.
fn shown(edition: &Edition) -> BTreeMap<(Tier, CellKey), i64> {
    let mut all = BTreeMap::new();
    for class in &edition.classes {
        for audience in &class.audiences {
            let tier = Lists::builtin().tier(*audience);
            for drawn in class.drawn.values() {
                for cell in drawn.cells.keys() {
                    if let Some(value) = drawn.shown(cell, tier) {
                        all.insert((tier, *cell), value);
                    }
                }
            }
        }
    }
    all
}

fn each(mut check: impl FnMut(u64, &mut Dice, &[Record], &Policy, &str)) {
    let mut checked = 0;
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let records = records(&mut dice);
        let levels = levels(&mut dice);
        let Some(policy) = policy(&levels, "", "") else { continue };
        let period = if levels.contains("year") { "2016" } else { "2016-H1" };
        check(seed, &mut dice, &records, &policy, period);
        checked += 1;
    }
    assert!(checked > SEEDS / 2, "only {checked} policies were accepted");
}

#[test]
fn no_cell_is_shown_under_its_floor_nor_outside_its_lattice() {
    let mut seen = 0;
    each(|seed, _, records, policy, period| {
        let live = cube(records);
        let Some(edition) = frozen(&live, policy, period) else { return };
        let indicator = Lists::builtin().indicator("", "DRG.SEIZ.N").unwrap();
        let Terms::Protected(terms) = policy.terms(indicator.code) else { panic!("protected") };
        for audience in Lists::builtin().audiences() {
            let tier = Lists::builtin().tier(audience);
            let lattice = terms.lattice(tier).unwrap();
            let bounds = Bounds { cap: Some(1), leaves: Some(1), secret: &[6; 32] };
            let counts = |context: &_| policy.counts(context, audience);
            let of = (indicator, Period::parse("", period).unwrap());
            let cells = live.bounded(of, terms.lattice(Tier::A).unwrap(), bounds, &counts);
            for ((_, cell), _) in shown(&edition).iter().filter(|((of, _), _)| *of == tier) {
                assert_eq!(lattice.canonical(cell), Some(*cell), "seed {seed}: {cell:?}");
                let units = cells[cell].contributions.units.unwrap();
                let floor = policy.floor(tier).units_min;
                assert!(units >= floor, "seed {seed}: {cell:?} at {tier}");
                seen += 1;
            }
        }
    });
    assert!(seen > 100, "only {seen} cells were shown: nothing was checked");
}

#[test]
fn the_same_records_give_the_same_figures_in_whatever_order_they_came() {
    each(|seed, dice, records, policy, period| {
        let first = frozen(&cube(records), policy, period).map(|edition| shown(&edition));
        let mut shuffled = records.to_vec();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, usize::try_from(dice.below(at as u64 + 1)).unwrap());
        }
        let again = frozen(&cube(&shuffled), policy, period).map(|edition| shown(&edition));
        assert!(first == again, "seed {seed}");
    });
}

#[test]
fn every_spelling_of_a_territory_has_one_figure() {
    each(|seed, _, records, policy, period| {
        let Terms::Protected(terms) = policy.terms(IndicatorCode::parse("DRG.SEIZ.N").unwrap())
        else {
            panic!("protected")
        };
        let Some(edition) = frozen(&cube(records), policy, period) else { return };
        for ((tier, cell), _) in shown(&edition) {
            let spelt = CellKey { region: RegionCode::parse("AL0").unwrap(), ..cell };
            if let Some(named) = terms.lattice(tier).unwrap().canonical(&spelt) {
                assert_eq!(named.region.as_str(), "AL", "seed {seed}");
            }
        }
    });
}

#[test]
fn a_stricter_policy_never_shows_more() {
    let stricter = [
        ("[tier.A]\nthreshold = 25\n[tier.B]\nthreshold = 30\n", ""),
        ("", "[tier.A]\nsources = 9\np_percent = 400.0\n"),
        ("[tier.A]\nthreshold = 15\n", "[tier.A]\nunits = 8\n"),
    ];
    let mut fewer = 0;
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let live = cube(&records(&mut dice));
        let levels = levels(&mut dice);
        let period = if levels.contains("year") { "2016" } else { "2016-H1" };
        let Some(usual) = policy(&levels, "", "").and_then(|policy| frozen(&live, &policy, period))
        else {
            continue;
        };
        let usual = shown(&usual);
        for (tier, secret) in stricter {
            let strict = policy(&levels, tier, secret).unwrap();
            let strict = shown(&frozen(&live, &strict, period).unwrap());
            for (cell, value) in &strict {
                assert_eq!(usual.get(cell), Some(value), "seed {seed}: {tier}{secret}");
            }
            fewer += usize::from(strict.len() < usual.len());
        }
    }
    assert!(fewer > 10, "the stricter policies changed nothing");
}

#[test]
fn one_unit_more_changes_no_more_cells_than_the_levels_and_each_by_the_cap() {
    each(|seed, dice, records, policy, period| {
        let indicator = Lists::builtin().indicator("", "DRG.SEIZ.N").unwrap();
        let Terms::Protected(terms) = policy.terms(indicator.code) else { panic!("protected") };
        let lattice = terms.lattice(Tier::A).unwrap();
        let bounds = Bounds { cap: Some(1), leaves: Some(1), secret: &[6; 32] };
        let bounded = |records: &[Record]| {
            let of = (indicator, Period::parse("", period).unwrap());
            let cells = cube(records).bounded(of, lattice, bounds, &|_| true);
            cells
                .into_iter()
                .map(|(cell, b)| (cell, b.contributions.total))
                .collect::<BTreeMap<_, _>>()
        };
        // A victim with many events, everywhere.
        let mut with = records.to_vec();
        for number in 0..30 {
            let cell = ["DRG.SEIZ.N", dice.of(&AREAS), dice.of(&REGIONS), "2016-H1"];
            let number = format!("victim {number}");
            let mut raw = event(cell, "victim", "1");
            raw.kind = crate::record::RawKind::Event { unit: "victim", event: Some(&number) };
            with.push(record(&raw).unwrap());
        }
        let (without, with) = (bounded(records), bounded(&with));
        let changed: Vec<_> = with
            .iter()
            .map(|(cell, value)| value - without.get(cell).copied().unwrap_or(0))
            .filter(|change| *change != 0)
            .collect();
        assert!(changed.iter().all(|change| *change == 1), "seed {seed}: {changed:?}");
        let most = usize::try_from(lattice.levels_of_one_period()).unwrap();
        assert!(changed.len() <= most, "seed {seed}: {} of {most}", changed.len());
    });
}
