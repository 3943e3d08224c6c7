//! Plans and reports as people write them: TOML, or JSON for programs. Comes in: a text. Goes out: a [`Plan`] or a [`Report`], or which
//! place is wrong. Must never take a field that nobody knows, nor a number with a point for a whole one.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};

use super::{
    closed::{ActionType, Counter, Direction, Funding, ReportState},
    plan::Plan,
    report::Report,
};
use crate::{
    limits::{PLAN_BYTES_MAX, REPORT_BYTES_MAX},
    reason::{Invalid, Reason, quoted},
    roster::{bounded, each},
    taxonomy::{Indicator, Lists, TOTAL},
    wire::cycle as wire,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanWritten {
    plan: String,
    title: String,
    #[serde(default)]
    region_plan: String,
    cycle: CycleWritten,
    reporting: ReportingWritten,
    priorities: Vec<PriorityWritten>,
    goals: Vec<GoalWritten>,
    #[serde(default)]
    plans: Vec<OperationalWritten>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CycleWritten {
    code: String,
    name: String,
    from: String,
    to: String,
    of: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportingWritten {
    every: String,
    within_days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriorityWritten {
    ordinal: u32,
    name: String,
    #[serde(default)]
    sub_items: Vec<SubItemWritten>,
    crime_areas: Vec<String>,
    #[serde(default)]
    eu: Vec<String>,
    #[serde(default)]
    region_link: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubItemWritten {
    letter: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoalWritten {
    goal: String,
    text: String,
    #[serde(default)]
    priorities: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationalWritten {
    code: String,
    priority: String,
    driver: String,
    #[serde(default)]
    co_drivers: Vec<String>,
    #[serde(default)]
    actions: Vec<ActionWritten>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionWritten {
    code: String,
    title: String,
    goal: String,
    description: String,
    r#type: String,
    leader: String,
    #[serde(default)]
    co_leaders: Vec<String>,
    #[serde(default)]
    participants: Vec<String>,
    #[serde(default)]
    agencies: Vec<String>,
    start: String,
    end: String,
    expected_result: String,
    #[serde(default)]
    funding: Vec<String>,
    #[serde(default)]
    indicators: Vec<IndicatorWritten>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndicatorWritten {
    indicator: String,
    crime_area: String,
    #[serde(default = "total")]
    categories: String,
    baseline: BaselineWritten,
    target: TargetWritten,
    #[serde(default)]
    requirements: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineWritten {
    period: String,
    value: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetWritten {
    period: String,
    value: Number,
    direction: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportWritten {
    plan: String,
    action: String,
    party: String,
    period: String,
    state: String,
    progress: String,
    #[serde(default)]
    results: Vec<CountedWritten>,
    #[serde(default)]
    obstacles: String,
    #[serde(default)]
    lessons: String,
    #[serde(default)]
    next_steps: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountedWritten {
    counter: String,
    #[serde(default)]
    drug: String,
    value: i64,
}

fn total() -> String {
    TOTAL.to_owned()
}

/// A number of an indicator: whole, or a text with decimals. A floating-point number would not be the one that was written.
struct Number(String);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or a text like \"12.5\"")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Number {
    /// In units of 10^-decimals of the indicator.
    fn units(&self, field: &str, indicator: &Indicator) -> Result<i64, Invalid> {
        let text = self.0.as_str();
        let read = || {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let decimals = usize::try_from(indicator.decimals).ok()?;
            let unsigned = whole.strip_prefix('-').unwrap_or(whole);
            let fits = !unsigned.is_empty() && digits(unsigned) && digits(fraction);
            let whole_point = text.contains('.') && fraction.is_empty();
            if !fits || whole_point || fraction.len() > decimals {
                return None;
            }
            format!("{whole}{fraction:0<decimals$}").parse().ok()
        };
        read().ok_or_else(|| {
            let (found, code, decimals) = (quoted(text), indicator.code, indicator.decimals);
            let detail = format!("{found} is no number of {code}, which has {decimals} decimals");
            Invalid::new(Reason::FieldInvalid, field, detail)
        })
    }
}

impl Plan {
    /// Reads a plan of a TOML file. `name`: how the file is called in refusals.
    ///
    /// # Errors
    /// As [`Plan::read`], by line where the text itself is wrong, by path where what it says is.
    #[cfg(feature = "transport")]
    pub fn from_toml(name: &str, text: &str, lists: &Lists) -> Result<Self, Invalid> {
        Self::written(toml(name, text, PLAN_BYTES_MAX)?, lists).map_err(|e| e.within(name))
    }

    /// The same of JSON.
    ///
    /// # Errors
    /// As [`Plan::from_toml`].
    pub fn from_json(name: &str, text: &str, lists: &Lists) -> Result<Self, Invalid> {
        Self::written(json(name, text, PLAN_BYTES_MAX)?, lists).map_err(|e| e.within(name))
    }

    fn written(written: PlanWritten, lists: &Lists) -> Result<Self, Invalid> {
        let PlanWritten { plan, title, region_plan, cycle, reporting, priorities, goals, plans } =
            written;
        let CycleWritten { code, name, from, to, of } = cycle;
        let ReportingWritten { every, within_days } = reporting;
        let goal = |GoalWritten { goal, text, priorities }| wire::Goal { goal, text, priorities };
        let sent = wire::Plan {
            plan,
            title,
            cycle: Some(wire::Cycle { code, name, from, to, of }),
            reporting: Some(wire::Reporting { every, within_days }),
            region_plan,
            priorities: priorities.into_iter().map(priority).collect(),
            goals: goals.into_iter().map(goal).collect(),
            plans: each("plans", plans, |of| operational(of, lists))?,
        };
        Self::check(sent, lists)
    }
}

impl Report {
    /// Reads a report of a TOML file. `name`: how the file is called in refusals.
    ///
    /// # Errors
    /// As [`Report::read`], by line where the text itself is wrong, by path where what it says is.
    #[cfg(feature = "transport")]
    pub fn from_toml(name: &str, text: &str, lists: &Lists) -> Result<Self, Invalid> {
        Self::written(toml(name, text, REPORT_BYTES_MAX)?, lists).map_err(|e| e.within(name))
    }

    /// The same of JSON.
    ///
    /// # Errors
    /// As [`Report::from_toml`].
    pub fn from_json(name: &str, text: &str, lists: &Lists) -> Result<Self, Invalid> {
        Self::written(json(name, text, REPORT_BYTES_MAX)?, lists).map_err(|e| e.within(name))
    }

    fn written(written: ReportWritten, lists: &Lists) -> Result<Self, Invalid> {
        let ReportWritten {
            plan,
            action,
            party,
            period,
            state,
            progress,
            results,
            obstacles,
            lessons,
            next_steps,
        } = written;
        let counted = |CountedWritten { counter, drug, value }| {
            let value = u64::try_from(value).map_err(|_| {
                let detail = format!("{value} is below zero: count what there was");
                Invalid::new(Reason::FieldInvalid, "value", detail)
            })?;
            let counter = Counter::parse("counter", &counter)?.to_wire();
            Ok(wire::Counted { counter, drug, value })
        };
        let sent = wire::Report {
            plan,
            action,
            party,
            period,
            state: ReportState::parse("state", &state)?.to_wire(),
            progress,
            results: each("results", results, counted)?,
            obstacles,
            lessons,
            next_steps,
        };
        Self::check(sent, lists)
    }
}

#[cfg(feature = "transport")]
fn toml<T: DeserializeOwned>(name: &str, text: &str, most: usize) -> Result<T, Invalid> {
    bounded(name, text.len(), most)?;
    toml::from_str(text).map_err(|error| refused(name, error.message(), &error))
}

fn json<T: DeserializeOwned>(name: &str, text: &str, most: usize) -> Result<T, Invalid> {
    bounded(name, text.len(), most)?;
    serde_json::from_str(text).map_err(|error| refused(name, &error.to_string(), &error))
}

fn refused(name: &str, message: &str, error: &dyn fmt::Display) -> Invalid {
    let reason = if message.starts_with("unknown field") {
        Reason::FieldUnknown
    } else if message.starts_with("missing field") {
        Reason::FieldMissing
    } else {
        Reason::FieldInvalid
    };
    Invalid::new(reason, name, error.to_string())
}

fn priority(written: PriorityWritten) -> wire::Priority {
    let PriorityWritten { ordinal, name, sub_items, crime_areas, eu, region_link } = written;
    let item = |SubItemWritten { letter, name }| wire::SubItem { letter, name };
    let sub_items = sub_items.into_iter().map(item).collect();
    wire::Priority { ordinal, name, sub_items, crime_areas, eu, region_link }
}

fn operational(
    written: OperationalWritten,
    lists: &Lists,
) -> Result<wire::OperationalPlan, Invalid> {
    let OperationalWritten { code, priority, driver, co_drivers, actions } = written;
    let actions = each("actions", actions, |of| action(of, lists))?;
    Ok(wire::OperationalPlan { code, priority, driver, co_drivers, actions })
}

fn action(written: ActionWritten, lists: &Lists) -> Result<wire::Action, Invalid> {
    let funding = |text: String| Ok(Funding::parse("", &text)?.to_wire());
    Ok(wire::Action {
        code: written.code,
        title: written.title,
        goal: written.goal,
        description: written.description,
        r#type: ActionType::parse("type", &written.r#type)?.to_wire(),
        leader: written.leader,
        co_leaders: written.co_leaders,
        participants: written.participants,
        agencies: written.agencies,
        start: written.start,
        end: written.end,
        expected_result: written.expected_result,
        funding: each("funding", written.funding, funding)?,
        indicators: each("indicators", written.indicators, |of| indicator(of, lists))?,
    })
}

fn indicator(written: IndicatorWritten, lists: &Lists) -> Result<wire::ActionIndicator, Invalid> {
    let IndicatorWritten { indicator, crime_area, categories, baseline, target, requirements } =
        written;
    let known = lists.indicator("indicator", &indicator)?;
    let baseline = wire::Baseline {
        period: baseline.period,
        value: baseline.value.units("baseline.value", known)?,
    };
    let target = wire::Target {
        period: target.period,
        value: target.value.units("target.value", known)?,
        direction: Direction::parse("target.direction", &target.direction)?.to_wire(),
    };
    Ok(wire::ActionIndicator {
        indicator,
        crime_area,
        categories,
        baseline: Some(baseline),
        target: Some(target),
        requirements,
    })
}
