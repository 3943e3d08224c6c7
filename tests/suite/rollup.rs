//! Roll-up: what may not be answered is in no cell that contains it, whatever the hierarchy, and in no difference of two
//! answers. For consent that is taken back, for a rule that forbids, and for a record whose handling is tightened.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use accord_node::consent::RawGrant;
use accord_proto::{answer::SealedTable, reason::Reason, table::Cell, taxonomy::Lists};
use accord_tests::attack::world::{World, WorldSpec};

const INDICATOR: &str = "DRG.PERS.TRAF.N";
const MAPPING: &str = "source = \"made up\"\nrows = \"events\"\n[columns]\nregion = \"region\"\n\
    period = \"period\"\nunit = \"unit\"\ncrime_area = \"area\"\nhandling = \"mark\"\n\
    [constants]\nindicator = \"DRG.PERS.TRAF.N\"\n";
const POLICY: &str = "[[indicator]]\ncode = \"DRG.PERS.TRAF.N\"\nmode = \"protected\"\n\
    granularity = [\"year\", \"half\"]\nregion_levels = [0, 3]\n\
    [[handling]]\ncode = \"H1\"\naudiences = [\"POLICE\", \"PARTNERS\", \"PUBLIC\"]\n";
const HEADER: &str = "region,period,area,unit,mark\n";
/// The leaf, its sister, and what contains both.
const LEAF: &str = "DRG.COC";
const SISTER: &str = "DRG.HER";
const WHOLE: &str = "DRG";
const HALVES: [&str; 2] = ["2016-H1", "2016-H2"];

/// Persons proceeded against: many of each area in two regions and both halves of a year.
fn world(dir: &Path) -> World {
    world_with(dir, POLICY)
}

fn world_with(dir: &Path, policy: &str) -> World {
    let mut rows = HEADER.to_owned();
    for area in [LEAF, SISTER] {
        for region in ["AL011", "AL022"] {
            for half in HALVES {
                for unit in 0..90 {
                    let _ = writeln!(rows, "{region},{half},{area},{area}-{region}-{half}-{unit},");
                }
            }
        }
    }
    let spec = WorldSpec {
        jurisdiction: "AL".to_owned(),
        lists: Lists::builtin(),
        mapping: MAPPING.to_owned(),
        rows,
        policy: policy.to_owned(),
        secret: None,
        seed: 12,
    };
    let world = World::build(dir, spec).unwrap();
    freeze(&world);
    world
}

fn freeze(world: &World) {
    world.freeze("2016-H1", "2016-H2").unwrap();
    world.freeze("2016", "2016").unwrap();
}

/// Consent to areas, at both levels, for an audience.
fn consent_to(areas: &[&str], audience: &str, world: &World) -> RawGrant {
    let text = |text: &str| text.to_owned();
    RawGrant {
        effect: text("permit"),
        indicator: text(INDICATOR),
        crime_areas: areas.iter().copied().map(text).collect(),
        region_levels: vec![0, 3],
        purpose: text("THREAT-ASSESSMENT"),
        audience: text(audience),
        precision: text("tier-a"),
        contribution: text("pooled"),
        release: text("automatic"),
        from_s: world.now().plus_s(-1).as_s(),
        until_s: world.now().plus_s(86_400).as_s(),
        ..RawGrant::default()
    }
}

fn rule(areas: &[&str], world: &World) -> RawGrant {
    RawGrant {
        effect: "forbid".to_owned(),
        region_levels: Vec::new(),
        purpose: "ALL".to_owned(),
        audience: "ALL".to_owned(),
        precision: String::new(),
        contribution: String::new(),
        release: String::new(),
        ..consent_to(areas, "POLICE", world)
    }
}

/// Everything that can be asked.
fn blocks() -> String {
    let block = |level: u32| {
        format!(
            "[[question]]\nindicator = \"{INDICATOR}\"\nregion_level = {level}\n\
             crime_areas = [\"{WHOLE}\", \"{LEAF}\", \"{SISTER}\"]\n\
             periods = [\"2016\", \"2016-H1\", \"2016-H2\"]\n"
        )
    };
    block(0) + &block(3)
}

/// Area, region, period → figure, where there is one.
type Shown = BTreeMap<(String, String, String), i64>;

fn shown(answer: &SealedTable) -> Shown {
    let placed = answer.table().blocks.iter().flat_map(|block| block.placed());
    let value = placed.filter_map(|at| match at.cell {
        Cell::Value(value) => {
            Some(((at.crime_area.to_string(), at.region.to_string(), at.period.to_string()), value))
        }
        Cell::NotShown | Cell::NotApplicable | Cell::Missing | Cell::Between(..) => None,
    });
    value.collect()
}

fn asked(world: &World) -> Shown {
    shown(&world.ask("POLICE", &blocks()).unwrap())
}

fn without(all: &Shown, is_gone: impl Fn(&str, &str) -> bool) -> Shown {
    let stays = all.iter().filter(|((area, _, period), _)| !is_gone(area, period));
    stays.map(|(at, value)| (at.clone(), *value)).collect()
}

/// Three areas, the whole and two regions, the year and its halves.
const ALL_CELLS: usize = 27;

/// How a leaf is taken back, after consent to everything.
enum Way {
    Withdraw(String),
    Narrow(RawGrant),
    Forbid(RawGrant),
}

impl Way {
    fn prepare(name: &str, world: &World) -> Self {
        let resident = world.resident().unwrap();
        match name {
            "withdrawn" => {
                resident.consent(consent_to(&[WHOLE, SISTER], "POLICE", world)).unwrap();
                Self::Withdraw(resident.consent(consent_to(&[LEAF], "POLICE", world)).unwrap())
            }
            "narrowed" => {
                let grant = consent_to(&[WHOLE, LEAF, SISTER], "POLICE", world);
                let id = resident.consent(grant.clone()).unwrap();
                let crime_areas = vec![WHOLE.to_owned(), SISTER.to_owned()];
                Self::Narrow(RawGrant { grant: id, crime_areas, ..grant })
            }
            _ => {
                resident.consent(consent_to(&["ALL"], "POLICE", world)).unwrap();
                Self::Forbid(rule(&[LEAF], world))
            }
        }
    }

    fn take(self, world: &World) {
        let resident = world.resident().unwrap();
        match self {
            Self::Withdraw(leaf) => drop(resident.withdraw(&leaf).unwrap()),
            Self::Narrow(less) => drop(resident.narrow(less).unwrap()),
            Self::Forbid(rule) => drop(resident.consent(rule).unwrap()),
        }
    }
}

#[test]
fn a_leaf_that_is_taken_back_or_forbidden_is_in_no_cell_that_contains_it() {
    for name in ["withdrawn", "narrowed", "forbidden"] {
        let dir = tempfile::tempdir().unwrap();
        let mut world = world(dir.path());
        let way = Way::prepare(name, &world);
        let all = asked(&world);
        assert_eq!(all.len(), ALL_CELLS, "{name}: {all:?}");
        let asked_before = world.resident().unwrap().signed("POLICE", &blocks()).unwrap();
        let before = world.resident().unwrap().answer(asked_before.clone()).unwrap();
        assert_eq!(shown(&before), all, "{name}: the same cells, the same figures");
        let epoch = world.resident().unwrap().node.store.head().consent_epoch();

        way.take(&world);
        assert!(world.resident().unwrap().node.store.head().consent_epoch() > epoch, "{name}");
        let left = without(&all, |area, _| area != SISTER);
        assert_eq!(left.len(), ALL_CELLS / 3);
        // At once, for a new question and for the one that was answered; after a restart, and after the next freeze.
        assert_eq!(asked(&world), left, "{name}");
        let again = world.resident().unwrap().answer(asked_before.clone()).unwrap();
        assert_eq!(shown(&again), left, "{name}: the old statement");
        world.restart().unwrap();
        assert_eq!(asked(&world), left, "{name}: after a restart");
        freeze(&world);
        assert_eq!(asked(&world), left, "{name}: after the next freeze");
    }
}

#[test]
fn a_rule_for_one_period_leaves_the_neighbouring_one_alone() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path());
    let resident = world.resident().unwrap();
    resident.consent(consent_to(&["ALL"], "POLICE", &world)).unwrap();
    let all = asked(&world);
    let half = RawGrant {
        first_period: HALVES[0].to_owned(),
        last_period: HALVES[0].to_owned(),
        ..rule(&[LEAF], &world)
    };
    resident.consent(half).unwrap();
    let gone = |area: &str, period: &str| area != SISTER && period != HALVES[1];
    assert_eq!(asked(&world), without(&all, gone));
}

#[test]
fn a_record_whose_handling_is_tightened_is_in_no_cell_that_contains_it_and_never_again_in_an_old_answer()
 {
    let dir = tempfile::tempdir().unwrap();
    let mut world = world(dir.path());
    world.resident().unwrap().consent(consent_to(&["ALL"], "POLICE", &world)).unwrap();
    let all = asked(&world);
    assert_eq!(all.len(), ALL_CELLS);
    let asked_before = world.resident().unwrap().signed("POLICE", &blocks()).unwrap();
    world.resident().unwrap().answer(asked_before.clone()).unwrap();

    // One record of the leaf in the first half may not count for anybody any more.
    let tightened = format!("{HEADER}AL011,2016-H1,{LEAF},{LEAF}-AL011-2016-H1-7,H2\n");
    world.correct(&tightened).unwrap();
    let left = without(&all, |_, period| period != HALVES[1]);
    assert_eq!(left.len(), ALL_CELLS / 3);
    for restarted in [false, true] {
        if restarted {
            world.restart().unwrap();
        }
        assert_eq!(asked(&world), left, "restarted: {restarted}");
    }
    // Frozen anew without it: the answer that rested on the old editions stays taken back, though nobody asked for it in between,
    // and nothing is carried over: what is shown was drawn anew, so no difference of old and new is one record.
    freeze(&world);
    let old = world.resident().unwrap().answer(asked_before).unwrap();
    assert_eq!(shown(&old), left, "what rested on the record is not shown again");
    let anew = without(&asked(&world), |_, period| period == HALVES[1]);
    let same = anew.iter().filter(|(at, value)| all.get(*at) == Some(value)).count();
    assert!(anew.is_empty() || same < anew.len(), "{anew:?}");
}

#[test]
fn consent_to_a_wider_tier_gives_that_tiers_very_figures_and_costs_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path());
    let resident = world.resident().unwrap();
    resident.consent(consent_to(&["ALL"], "PARTNERS", &world)).unwrap();
    let coarser =
        RawGrant { precision: "tier-b".to_owned(), ..consent_to(&["ALL"], "POLICE", &world) };
    let police = resident.consent(coarser).unwrap();
    let charges = || resident.held().ledger.lock().unwrap().size();

    let partners = world.ask("PARTNERS", &blocks()).unwrap();
    let paid = charges();
    assert!(paid > 0);
    let to_police = world.ask("POLICE", &blocks()).unwrap();
    assert_eq!(to_police.table(), partners.table(), "the same cells, the same bytes");
    assert_eq!(charges(), paid, "no new draw, no new cost");

    // The police's own figures are others, and only for a consent that says so.
    resident.withdraw(&police).unwrap();
    resident.consent(consent_to(&["ALL"], "POLICE", &world)).unwrap();
    let own = world.ask("POLICE", &blocks()).unwrap();
    assert_ne!(own.table(), partners.table());
    assert!(charges() > paid);
}

#[test]
fn an_answer_at_a_finer_tier_is_taken_back_when_consent_is_narrowed_to_a_wider_one() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path());
    let resident = world.resident().unwrap();
    let grant = consent_to(&["ALL"], "POLICE", &world);
    let id = resident.consent(grant.clone()).unwrap();
    let requirement = resident.signed("POLICE", &blocks()).unwrap();
    assert_eq!(shown(&resident.answer(requirement.clone()).unwrap()).len(), ALL_CELLS);
    let coarser = RawGrant { grant: id.clone(), precision: "tier-c".to_owned(), ..grant };
    resident.narrow(coarser.clone()).unwrap();
    assert_eq!(shown(&resident.answer(requirement).unwrap()).len(), 0);
    let public = asked(&world);
    assert!(!public.is_empty(), "a new question gets the wider tier's figures");

    // By hand: nothing leaves until a person lets it go, nor before an embargo is over.
    let later = world.now().plus_s(3_600).as_s();
    for held_back in [
        RawGrant { not_before_s: later, ..coarser.clone() },
        RawGrant { not_before_s: later, release: "by-hand".to_owned(), ..coarser },
    ] {
        resident.narrow(held_back).unwrap();
        let pending = world.ask("POLICE", &blocks()).unwrap_err();
        let reason = pending.downcast_ref::<accord_proto::reason::Invalid>().unwrap().reason;
        assert_eq!(reason, Reason::AnswerMalformed, "there is no table");
    }
}

#[test]
fn a_wider_audiences_table_is_not_given_to_whoever_may_not_see_all_of_its_records() {
    let dir = tempfile::tempdir().unwrap();
    // No record bears the mark: that there is such a rule is enough.
    let odd = format!("{POLICY}[[handling]]\ncode = \"H3\"\naudiences = [\"PUBLIC\"]\n");
    let world = world_with(dir.path(), &odd);
    let resident = world.resident().unwrap();
    let wider = |tier: &str| RawGrant {
        precision: tier.to_owned(),
        ..consent_to(&["ALL"], "POLICE", &world)
    };
    let id = resident.consent(wider("tier-b")).unwrap();
    assert!(!asked(&world).is_empty());
    let charges = || resident.held().ledger.lock().unwrap().size();
    let paid = charges();
    resident.narrow(RawGrant { grant: id, ..wider("tier-c") }).unwrap();
    assert_eq!(asked(&world).len(), 0);
    assert_eq!(charges(), paid, "what is not shown is not paid for");
}
