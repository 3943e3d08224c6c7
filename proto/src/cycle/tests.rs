//! What the policy cycle promises: helpers of all.

mod plan;

use super::*;
use crate::{reason::Invalid, taxonomy::Lists, wire::cycle as wire};

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
