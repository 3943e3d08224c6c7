//! What the policy cycle promises: helpers of all.

mod lights;
mod mapping;
mod plan;
mod report;
mod roles;
mod views;

use prost::Message as _;

use super::*;
use crate::{
    reason::{Invalid, Reason},
    taxonomy::Lists,
    wire::{
        cycle as wire,
        region::{self, PictureCell, PictureStatus},
    },
};

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// A small plan of the region, as it travels.
fn sent() -> wire::Plan {
    wire::Plan {
        plan: "plan-of-the-region".to_owned(),
        title: "A plan".to_owned(),
        cycle: Some(wire::Cycle {
            code: "2026-2029".to_owned(),
            name: "A cycle".to_owned(),
            from: "2026".to_owned(),
            to: "2029".to_owned(),
            of: "REGION".to_owned(),
        }),
        reporting: Some(wire::Reporting { every: "half".to_owned(), within_days: 30 }),
        region_plan: String::new(),
        priorities: vec![
            wire::Priority {
                ordinal: 1,
                name: "Trafficking in human beings".to_owned(),
                crime_areas: texts(&["THB"]),
                eu: texts(&["2026-2029.4"]),
                ..wire::Priority::default()
            },
            wire::Priority {
                ordinal: 2,
                name: "Drugs".to_owned(),
                sub_items: vec![wire::SubItem {
                    letter: "A".to_owned(),
                    name: "Cocaine".to_owned(),
                }],
                crime_areas: texts(&["DRG", "DRG.COC"]),
                ..wire::Priority::default()
            },
        ],
        goals: vec![
            wire::Goal {
                goal: "CHSG-1".to_owned(),
                text: "Learn together".to_owned(),
                priorities: Vec::new(),
            },
            wire::Goal {
                goal: "SG-1".to_owned(),
                text: "Find more victims".to_owned(),
                priorities: vec![1],
            },
        ],
        plans: vec![wire::OperationalPlan {
            code: "OAP-THB".to_owned(),
            priority: "1".to_owned(),
            driver: "MK".to_owned(),
            co_drivers: texts(&["AL", "EUROPOL"]),
            actions: vec![action()],
        }],
    }
}

/// Its one action: 40 victims in 2025 are to become 60 in 2029.
fn action() -> wire::Action {
    wire::Action {
        code: "OA 1.1".to_owned(),
        title: "Find victims at borders".to_owned(),
        goal: "SG-1".to_owned(),
        description: "Train the first line".to_owned(),
        r#type: wire::ActionType::Operational.into(),
        leader: "RS".to_owned(),
        co_leaders: texts(&["XK"]),
        participants: texts(&["AL", "BA"]),
        agencies: texts(&["FRONTEX"]),
        start: "2026-03-01".to_owned(),
        end: "2029-10-31".to_owned(),
        expected_result: "More victims are found".to_owned(),
        funding: vec![wire::Funding::Own.into()],
        indicators: vec![wire::ActionIndicator {
            indicator: "THB.VIC.N".to_owned(),
            crime_area: "THB".to_owned(),
            categories: "_T".to_owned(),
            baseline: Some(wire::Baseline { period: "2025".to_owned(), value: 40 }),
            target: Some(wire::Target {
                period: "2029".to_owned(),
                value: 60,
                direction: wire::Direction::Rise.into(),
            }),
            requirements: Vec::new(),
        }],
    }
}

fn checked(plan: wire::Plan) -> Result<Plan, Invalid> {
    Plan::check(plan, Lists::builtin())
}

/// An id of a requirement, the later the larger the number.
fn id(number: u32) -> String {
    format!("019b7a00-0000-7000-8000-{number:012}")
}

/// A cell of the action's figure that every jurisdiction brings its part to.
fn cell(period: &str, value: i64, within: (i64, i64)) -> PictureCell {
    PictureCell {
        indicator: "THB.VIC.N".to_owned(),
        crime_area: "THB".to_owned(),
        region: "REGION".to_owned(),
        period: period.to_owned(),
        categories: "_T".to_owned(),
        status: PictureStatus::Value.into(),
        value,
        method: region::Method::Sum.into(),
        lower: Some(within.0),
        upper: Some(within.1),
        whole_lower: Some(within.0),
        whole_upper: Some(within.1),
        contributors: texts(&["AL", "BA", "RS"]),
        ..PictureCell::default()
    }
}

fn exact(period: &str, value: i64) -> PictureCell {
    cell(period, value, (value, value))
}

fn untold(period: &str, status: PictureStatus) -> PictureCell {
    let nothing = PictureCell { contributors: Vec::new(), ..exact(period, 0) };
    let (lower, upper) = (None, None);
    let whole = PictureCell { whole_lower: None, whole_upper: None, ..nothing };
    PictureCell { status: status.into(), lower, upper, ..whole }
}

/// The picture of a requirement by its number.
fn drawn(number: u32, cells: Vec<PictureCell>) -> Vec<u8> {
    let picture = region::Picture {
        federation: "wb6.example".to_owned(),
        requirement: id(number),
        lists: "1-a".to_owned(),
        cells,
        ..region::Picture::default()
    };
    picture.encode_to_vec()
}

fn figures(plan: &Plan, pictures: &[Vec<u8>]) -> Figures {
    let pictures: Vec<_> = pictures.iter().map(|bytes| (1, bytes.as_slice())).collect();
    Figures::read(plan, &pictures, Lists::builtin()).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse("day", text).unwrap()
}

/// A report of the action as it travels.
fn told(party: &str, period: &str, state: wire::ReportState) -> wire::Report {
    wire::Report {
        plan: "plan-of-the-region".to_owned(),
        action: "OA 1.1".to_owned(),
        party: party.to_owned(),
        period: period.to_owned(),
        state: state.into(),
        progress: "Lessons were given".to_owned(),
        obstacles: "Nobody came".to_owned(),
        ..wire::Report::default()
    }
}

fn report(party: &str, period: &str, state: wire::ReportState) -> Report {
    Report::check(told(party, period, state), Lists::builtin()).unwrap()
}

/// How the small plan stands on a day.
fn stands(plan: &Plan, pictures: &[Vec<u8>], reports: &[Report], today: &str) -> Measured {
    let figures = figures(plan, pictures);
    measure(plan, &figures, reports, day(today), Lists::builtin()).unwrap()
}

/// Numbers below what is asked, the same ones for a seed.
fn dice(seed: u64) -> impl FnMut(u64) -> i64 {
    let mut state = seed;
    move |most| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((state >> 33) % most).unwrap()
    }
}
