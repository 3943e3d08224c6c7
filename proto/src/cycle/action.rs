//! An operational action, field by field. Comes in: what was sent or written, and the cycle that it belongs to. Goes out: an [`Action`]
//! whose days lie in the cycle and whose indicators exist. Must never take a target that the baseline has already passed.

use super::{
    check::{by_key, inconsistent, set},
    closed::{ActionType, Direction, Funding},
    day::Day,
    party::Party,
    plan::{Action, ActionIndicator, Baseline, Cycle, Target},
    refs::{ActionCode, GoalId},
    words,
};
use crate::{
    id::RequirementId,
    limits::{ACTION_INDICATORS_MAX, ACTION_PARTIES_MAX, ACTION_REQUIREMENTS_MAX},
    reason::{Invalid, Reason},
    roster::{bounded, each},
    taxonomy::{Indicator, Lists, decimal},
    wire::cycle as wire,
};

/// Who may stand in one list of an action, at most once each.
struct Parties {
    leader: Party,
    co_leaders: Vec<Party>,
    participants: Vec<Party>,
    agencies: Vec<Party>,
}

pub(super) fn action(
    action: wire::Action,
    cycle: &Cycle,
    lists: &Lists,
) -> Result<Action, Invalid> {
    let parties = parties(&action, lists)?;
    let wire::Action {
        code,
        title,
        goal,
        description,
        r#type,
        start,
        end,
        expected_result,
        funding,
        indicators,
        leader: _,
        co_leaders: _,
        participants: _,
        agencies: _,
    } = action;
    let (start, end) = days((&start, &end), cycle)?;
    bounded("indicators", indicators.len(), ACTION_INDICATORS_MAX)?;
    let indicators = each("indicators", indicators, |of| indicator(of, cycle, lists))?;
    Ok(Action {
        code: ActionCode::parse("code", &code)?,
        title: words::title("title", &title)?,
        goal: GoalId::parse("goal", &goal)?,
        description: words::needed("description", &description)?,
        kind: ActionType::from_wire("type", r#type)?,
        leader: parties.leader,
        co_leaders: parties.co_leaders,
        participants: parties.participants,
        agencies: parties.agencies,
        start,
        end,
        expected_result: words::needed("expected_result", &expected_result)?,
        funding: set("funding", funding, Funding::ALL.len(), Funding::from_wire)?,
        indicators: by_key("indicators", indicators, |of| of.name(lists))?,
    })
}

fn parties(action: &wire::Action, lists: &Lists) -> Result<Parties, Invalid> {
    let party = |field: &str, text: String| Party::parse(field, &text, lists);
    let some = |field, list: &Vec<String>| set(field, list.clone(), ACTION_PARTIES_MAX, party);
    let parties = Parties {
        leader: party("leader", action.leader.clone())?,
        co_leaders: some("co_leaders", &action.co_leaders)?,
        participants: some("participants", &action.participants)?,
        agencies: some("agencies", &action.agencies)?,
    };
    if let Some(of) = parties.agencies.iter().find(|party| party.jurisdiction().is_some()) {
        let detail = format!("{of} is a jurisdiction: name it in participants");
        return Err(inconsistent("agencies", detail));
    }
    let Parties { leader, co_leaders, participants, agencies } = &parties;
    let mut before = vec![*leader];
    for (field, list) in
        [("co_leaders", co_leaders), ("participants", participants), ("agencies", agencies)]
    {
        if let Some(twice) = list.iter().find(|party| before.contains(party)) {
            return Err(inconsistent(field, format!("{twice} has a part in this action already")));
        }
        before.extend(list);
    }
    Ok(parties)
}

fn days((start, end): (&str, &str), cycle: &Cycle) -> Result<(Day, Day), Invalid> {
    let (first, last) = (cycle.first_day(), cycle.last_day());
    let read = |field: &str, text: &str| {
        let day = Day::parse(field, text)?;
        if day < first || last < day {
            let detail = format!("{day} is not within the cycle, from {first} to {last}");
            return Err(inconsistent(field, detail));
        }
        Ok(day)
    };
    let (start, end) = (read("start", start)?, read("end", end)?);
    if end < start {
        return Err(inconsistent("end", format!("{end} is before it starts, on {start}")));
    }
    Ok((start, end))
}

fn indicator(
    of: wire::ActionIndicator,
    cycle: &Cycle,
    lists: &Lists,
) -> Result<ActionIndicator, Invalid> {
    let wire::ActionIndicator { indicator, crime_area, categories, baseline, target, requirements } =
        of;
    let known = lists.indicator("indicator", &indicator)?;
    let (baseline, target) = (baseline.unwrap_or_default(), target.unwrap_or_default());
    let baseline = Baseline {
        period: lists.period("baseline.period", known, &baseline.period)?,
        value: value("baseline.value", baseline.value, known)?,
    };
    let target = Target {
        period: lists.period("target.period", known, &target.period)?,
        value: value("target.value", target.value, known)?,
        direction: Direction::from_wire("target.direction", target.direction)?,
    };
    way(&baseline, &target, known)?;
    if Day::last_of(target.period) > cycle.last_day() {
        let detail = format!("{} ends after the cycle, on {}", target.period, cycle.last_day());
        return Err(inconsistent("target.period", detail));
    }
    let requirement = |field: &str, text: String| RequirementId::parse(field, &text);
    Ok(ActionIndicator {
        indicator: known.code,
        crime_area: lists.crime_area("crime_area", known, &crime_area)?,
        categories: lists.parse_categories("categories", known, &categories)?,
        baseline,
        target,
        requirements: set("requirements", requirements, ACTION_REQUIREMENTS_MAX, requirement)?,
    })
}

/// The sum of a region may be larger than one observation; below the least of one it never is.
fn value(field: &str, value: i64, indicator: &Indicator) -> Result<i64, Invalid> {
    if value >= indicator.value_min.min(0) {
        return Ok(value);
    }
    let (found, code) = (decimal(value, indicator.decimals), indicator.code);
    let detail = format!("{found} is less than {code} can be");
    Err(Invalid::new(Reason::FieldInvalid, field, detail))
}

/// From the baseline to the target it goes forward in time, and the way that the direction says.
fn way(baseline: &Baseline, target: &Target, indicator: &Indicator) -> Result<(), Invalid> {
    let (from, to) = (baseline.period, target.period);
    if from.granularity() != to.granularity() {
        let detail = format!("{to} is not as long as the baseline's {from}: they do not compare");
        return Err(inconsistent("target.period", detail));
    }
    if to <= from {
        let detail = format!("{to} is not after the baseline's {from}");
        return Err(inconsistent("target.period", detail));
    }
    let goes = match target.direction {
        Direction::Fall => target.value < baseline.value,
        Direction::Rise => target.value > baseline.value,
        Direction::Reach => true,
    };
    if goes {
        return Ok(());
    }
    let [from, to] = [baseline.value, target.value].map(|of| decimal(of, indicator.decimals));
    let direction = target.direction.as_str();
    Err(inconsistent("target.value", format!("from {from} to {to} is no {direction}")))
}
