//! What the mapping promises: exact priorities of each cycle, and no partial match passes for a whole one.

use super::*;
use crate::taxonomy::{AreaList, CrimeAreaCode, PriorityCode};

fn areas(codes: &[&str]) -> Vec<CrimeAreaCode> {
    codes.iter().map(|code| CrimeAreaCode::parse(code).unwrap()).collect()
}

fn mapped(codes: &[&str], cycle: &str) -> Mapping {
    mapping(&areas(codes), cycle, Lists::builtin()).unwrap()
}

#[test]
fn every_cycle_of_empact_has_its_exact_priorities_and_operational_plans() {
    let lists = Lists::builtin();
    for (cycle, priorities, plans, horizontal) in [
        ("2014-2017", 9, 9, 0),
        ("2018-2021", 10, 13, 0),
        ("2022-2025", 10, 15, 1),
        ("2026-2029", 7, 7, 0),
    ] {
        let eu = EuCycle::find("cycle", cycle, lists).unwrap();
        let found = (eu.priorities.len(), eu.operational_plans(), eu.horizontal.len());
        assert_eq!(found, (priorities, plans, horizontal), "{cycle}");
        let numbers: Vec<_> = eu.priorities.iter().filter_map(|of| of.priority.number).collect();
        let wanted: Vec<_> = (1..).take(priorities).collect();
        assert_eq!(numbers, wanted, "{cycle}: in order, and none left out");
    }
    let refused = EuCycle::find("cycle", "2030-2033", lists).unwrap_err();
    assert_eq!(refused.reason, Reason::CodeUnknown);
    assert!(refused.detail.contains("2026-2029"), "{refused}");
}

#[test]
fn names_of_priorities_are_the_published_ones() {
    let name = |cycle: &str, at: usize| {
        EuCycle::find("", cycle, Lists::builtin()).unwrap().priorities[at].priority.label.clone()
    };
    assert_eq!(name("2014-2017", 0), "Facilitation of illegal immigration");
    assert_eq!(name("2018-2021", 9), "Document fraud");
    assert_eq!(name("2022-2025", 0), "High-risk criminal networks");
    assert_eq!(name("2026-2029", 3), "Tackling migrant smuggling and trafficking in human beings");
}

/// Area, priority, how much of the area, how much of the priority.
fn told(mapping: &Mapping) -> Vec<(String, String, Extent, Extent)> {
    let told =
        |of: &Common| (of.area.to_string(), of.priority.to_string(), of.of_area, of.of_priority);
    mapping.common.iter().map(told).collect()
}

#[test]
fn a_partial_match_never_passes_for_a_whole_one() {
    use Extent::{Part, Whole};
    let is = |area: &str, priority: &str, a, b| (area.to_owned(), priority.to_owned(), a, b);
    // Drugs were two priorities in 2014, of three drugs: neither is all of drugs.
    assert_eq!(
        told(&mapped(&["DRG"], "2014-2017")),
        [is("DRG", "2014-2017.5", Part, Whole), is("DRG", "2014-2017.6", Part, Whole)]
    );
    // Cocaine is a part of the priority for drugs.
    assert_eq!(
        told(&mapped(&["DRG.COC"], "2026-2029")),
        [is("DRG.COC", "2026-2029.3", Whole, Part)]
    );
    // Trafficking and smuggling were merged in 2026: with one of them the region has half.
    assert_eq!(told(&mapped(&["THB"], "2026-2029")), [is("THB", "2026-2029.4", Whole, Part)]);
    assert_eq!(
        told(&mapped(&["THB", "MIG"], "2026-2029")),
        [is("THB", "2026-2029.4", Whole, Whole), is("MIG", "2026-2029.4", Whole, Whole)]
    );
    assert_eq!(told(&mapped(&["THB"], "2022-2025")), [is("THB", "2022-2025.3", Whole, Whole)]);
}

#[test]
fn what_only_one_has_is_said_for_every_cycle() {
    let own = ["OPC.VEH", "THB", "DOC", "VIO"];
    let only = |cycle: &str| {
        let mapping = mapped(&own, cycle);
        let ours: Vec<_> =
            mapping.region_only.iter().map(|(at, of)| format!("{at} {of}")).collect();
        (ours.join(","), mapping.eu_only.len())
    };
    assert_eq!(only("2014-2017"), ("3 DOC,4 VIO".to_owned(), 7));
    assert_eq!(only("2018-2021"), ("4 VIO".to_owned(), 7));
    assert_eq!(only("2022-2025"), ("4 VIO".to_owned(), 8));
    assert_eq!(only("2026-2029"), ("1 OPC.VEH,3 DOC,4 VIO".to_owned(), 6));
    let horizontal = mapped(&["DOC"], "2022-2025");
    assert!(horizontal.common[0].horizontal, "a goal, no priority");
}

#[test]
fn nothing_is_lost_between_region_and_eu() {
    let lists = Lists::builtin();
    let all: Vec<_> = lists.crime_areas(AreaList::CRIME_AREAS).collect();
    for cycle in ["2014-2017", "2018-2021", "2022-2025", "2026-2029"] {
        let eu = EuCycle::find("", cycle, lists).unwrap();
        for some in [&all[..], &all[..7], &all[20..], &[]] {
            let mapping = mapping(some, cycle, lists).unwrap();
            for area in some {
                let common = mapping.common.iter().any(|of| of.area == *area);
                let own = mapping.region_only.iter().any(|(_, of)| of == area);
                assert!(common != own, "{cycle} {area}");
            }
            for of in eu.priorities.iter().chain(&eu.horizontal) {
                let code = of.priority.code;
                let common = mapping.common.iter().any(|of| of.priority == code);
                assert!(common != mapping.eu_only.contains(&code), "{cycle} {code}");
            }
        }
        assert!(mapping(&all, cycle, lists).unwrap().eu_only.is_empty(), "{cycle}: all are mapped");
    }
}

#[test]
fn areas_are_of_the_list_and_stand_once() {
    let refused = |codes: &[&str]| {
        let refused = mapping(&areas(codes), "2026-2029", Lists::builtin()).unwrap_err();
        (refused.reason, refused.field)
    };
    assert_eq!(refused(&["THB", "ICCS0101"]), (Reason::CodeUnknown, "areas[1]".to_owned()));
    assert_eq!(refused(&["THB", "THB"]), (Reason::FieldInvalid, "areas[1]".to_owned()));
}

#[test]
fn the_annex_holds_every_match_in_the_order_of_the_eu_with_its_remark() {
    let lists = Lists::builtin();
    let plan = Plan::from_toml("template.toml", TEMPLATE, lists).unwrap();
    let mapping = mapped(&["OPC.VEH", "DRG.COC", "THB", "OFS"], "2022-2025");
    let rows = annex(&mapping, Some(&plan), lists);
    let said: Vec<_> = rows
        .iter()
        .map(|row| {
            (row.which, row.eu_priority.as_str(), row.area.as_str(), row.own_priorities.as_str())
        })
        .collect();
    let (first, second) =
        ("1 Trafficking in human beings and migrant smuggling", "2 Drug trafficking");
    assert_eq!(
        said[..4],
        [
            ("common", "2022-2025.3", "THB", first),
            ("common", "2022-2025.6", "DRG.COC", second),
            ("common", "2022-2025.7", "OFS", ""),
            ("common", "2022-2025.8", "OPC.VEH", "4 Vehicle crime"),
        ]
    );
    assert_eq!(rows[1].eu_parts, ["2022-2025.6A"]);
    assert_eq!(rows[2].eu_parts, ["2022-2025.7A"]);
    assert!(rows[1].remark.contains("a part of the EU's priority only"), "{:?}", rows[1]);
    // The plan's makers see migrant smuggling in it, and the list does not say so of these areas.
    let code = PriorityCode::parse("2022-2025.5").unwrap().to_string();
    let smuggling = rows.iter().find(|row| row.eu_priority == code).unwrap();
    assert_eq!(smuggling.which, "eu_only");
    assert!(smuggling.remark.contains("priority 1 of the plan"), "{}", smuggling.remark);

    let csv = crate::print::cycle::annex(crate::print::Format::Csv, &rows, "2022-2025");
    assert!(csv.starts_with(
        "eu_priority,eu_name,eu_parts,area,area_name,place,own_priorities,which,remark\n"
    ));
    assert_eq!(csv.lines().count(), rows.len() + 1);
}
