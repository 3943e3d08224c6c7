//! A plan in bytes. Comes in: a plan. Goes out: its one spelling, the same for the same plan.

use prost::Message as _;

use super::plan::{Action, ActionIndicator, OperationalPlan, Plan, Priority};
use crate::{seal::Digest, taxonomy::Lists, wire::cycle as wire};

/// The text form of each.
fn texts<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

impl Plan {
    /// Its bytes.
    pub fn encode(&self, lists: &Lists) -> Vec<u8> {
        self.to_wire(lists).encode_to_vec()
    }

    /// SHA-256 of its bytes.
    pub fn digest(&self, lists: &Lists) -> Digest {
        Digest::of(&self.encode(lists))
    }

    /// For the wire.
    pub fn to_wire(&self, lists: &Lists) -> wire::Plan {
        let Self { id, title, cycle, reporting, region_plan, priorities, goals, plans } = self;
        let goal = |goal: &super::Goal| wire::Goal {
            goal: goal.id.to_string(),
            text: goal.text.clone(),
            priorities: goal.priorities.clone(),
        };
        wire::Plan {
            plan: id.to_string(),
            title: title.clone(),
            cycle: Some(wire::Cycle {
                code: cycle.code.to_string(),
                name: cycle.name.clone(),
                from: cycle.from.to_string(),
                to: cycle.to.to_string(),
                of: cycle.of.to_string(),
            }),
            reporting: Some(wire::Reporting {
                every: reporting.every.to_string(),
                within_days: reporting.within_days,
            }),
            region_plan: region_plan.as_ref().map_or_else(String::new, ToString::to_string),
            priorities: priorities.iter().map(priority).collect(),
            goals: goals.iter().map(goal).collect(),
            plans: plans.iter().map(|plan| operational(plan, lists)).collect(),
        }
    }
}

fn priority(priority: &Priority) -> wire::Priority {
    let item = |item: &super::SubItem| wire::SubItem {
        letter: item.letter.to_string(),
        name: item.name.clone(),
    };
    wire::Priority {
        ordinal: priority.ordinal,
        name: priority.name.clone(),
        sub_items: priority.sub_items.iter().map(item).collect(),
        crime_areas: texts(&priority.crime_areas),
        eu: texts(&priority.eu),
        region_link: priority.region_link.clone(),
    }
}

fn operational(plan: &OperationalPlan, lists: &Lists) -> wire::OperationalPlan {
    wire::OperationalPlan {
        code: plan.code.to_string(),
        priority: plan.priority.to_string(),
        driver: plan.driver.to_string(),
        co_drivers: texts(&plan.co_drivers),
        actions: plan.actions.iter().map(|of| action(of, lists)).collect(),
    }
}

fn action(action: &Action, lists: &Lists) -> wire::Action {
    wire::Action {
        code: action.code.to_string(),
        title: action.title.clone(),
        goal: action.goal.to_string(),
        description: action.description.clone(),
        r#type: action.kind.to_wire(),
        leader: action.leader.to_string(),
        co_leaders: texts(&action.co_leaders),
        participants: texts(&action.participants),
        agencies: texts(&action.agencies),
        start: action.start.to_string(),
        end: action.end.to_string(),
        expected_result: action.expected_result.clone(),
        funding: action.funding.iter().map(|of| of.to_wire()).collect(),
        indicators: action.indicators.iter().map(|of| indicator(of, lists)).collect(),
    }
}

fn indicator(of: &ActionIndicator, lists: &Lists) -> wire::ActionIndicator {
    let (indicator, crime_area, categories) = of.series(lists);
    wire::ActionIndicator {
        indicator,
        crime_area,
        categories,
        baseline: Some(wire::Baseline {
            period: of.baseline.period.to_string(),
            value: of.baseline.value,
        }),
        target: Some(wire::Target {
            period: of.target.period.to_string(),
            value: of.target.value,
            direction: of.target.direction.to_wire(),
        }),
        requirements: texts(&of.requirements),
    }
}
