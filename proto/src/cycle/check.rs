//! A plan, field by field. Comes in: what was sent or written. Goes out: a [`Plan`] whose every reference leads somewhere. Must never
//! put anything right but the order of a list.

use std::collections::BTreeSet;

use super::{
    action::action,
    party::Party,
    plan::{Cycle, Goal, OperationalPlan, Plan, Priority, Reporting, SubItem},
    refs::{ActionCode, GoalId, PriorityRef, ordinal, part_letter},
    words,
};
use crate::{
    identity::{Name, Place},
    limits::{
        ACTION_PARTIES_MAX, CYCLE_MONTHS_MAX, OPERATIONAL_PLANS_MAX, PLAN_ACTIONS_MAX,
        PLAN_BYTES_MAX, PLAN_CODES_MAX, PLAN_GOALS_MAX, PLAN_PRIORITIES_MAX,
        REPORT_WITHIN_DAYS_MAX,
    },
    reason::{Invalid, Reason, quoted},
    roster::{bounded, each},
    strict,
    taxonomy::{AreaList, CrimeAreaCode, Granularity, Lists, Period, TermCode, WHOLE_REGION},
    wire::cycle as wire,
};

/// Letters of parts of a priority.
const SUB_ITEMS_MAX: usize = 26;

/// A contradiction.
pub(super) fn inconsistent(field: impl Into<String>, detail: impl Into<String>) -> Invalid {
    Invalid::new(Reason::PlanInconsistent, field, detail)
}

/// Sorts by what may not stand twice.
pub(super) fn by_key<T, K: Ord + ToString>(
    field: &str,
    mut list: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, Invalid> {
    list.sort_by_key(&key);
    let twice = list.windows(2).find_map(|pair| match pair {
        [a, b] if key(a) == key(b) => Some(key(a)),
        _ => None,
    });
    match twice {
        Some(twice) => {
            Err(inconsistent(field, format!("{} stands there twice", twice.to_string())))
        }
        None => Ok(list),
    }
}

/// Reads a bounded set of codes.
pub(super) fn set<A, T: Ord + Clone + ToString>(
    field: &str,
    list: Vec<A>,
    most: usize,
    read: impl Fn(&str, A) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    bounded(field, list.len(), most)?;
    let place = |at: usize| format!("{field}[{at}]");
    let read = |(at, entry)| read(&place(at), entry);
    let list = list.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    by_key(field, list, T::clone)
}

impl Plan {
    /// Reads the bytes of a plan: one plan has one spelling.
    ///
    /// # Errors
    /// `FIELD_*`, `CODE_UNKNOWN`, `PERIOD_INVALID`, `LATTICE_UNKNOWN_CELL`, `LIMIT_EXCEEDED` of a field by its path;
    /// `PLAN_INCONSISTENT` of what does not fit together.
    pub fn read(bytes: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        bounded("plan", bytes.len(), PLAN_BYTES_MAX)?;
        let plan = Self::check(strict::decode_signed("plan", bytes)?, lists)
            .map_err(|error| error.within("plan"))?;
        if plan.encode(lists) != bytes {
            let detail = "is not in its one spelling: lists stand in the order of their codes";
            return Err(Invalid::new(Reason::FieldInvalid, "plan", detail));
        }
        Ok(plan)
    }

    /// Checks a plan whose lists may stand in any order. Fields are named from the plan on.
    ///
    /// # Errors
    /// As [`Plan::read`].
    pub fn check(plan: wire::Plan, lists: &Lists) -> Result<Self, Invalid> {
        let wire::Plan { plan, title, cycle, reporting, region_plan, priorities, goals, plans } =
            plan;
        bounded("priorities", priorities.len(), PLAN_PRIORITIES_MAX)?;
        bounded("goals", goals.len(), PLAN_GOALS_MAX)?;
        bounded("plans", plans.len(), OPERATIONAL_PLANS_MAX)?;
        let actions = plans.iter().map(|plan| plan.actions.len()).sum();
        bounded("plans.actions", actions, PLAN_ACTIONS_MAX)?;
        let cycle = self::cycle(cycle.unwrap_or_default(), lists).map_err(|e| e.within("cycle"))?;
        let region_plan = match region_plan.as_str() {
            "" => None,
            name => Some(Name::parse("region_plan", name)?),
        };
        if region_plan.is_some() && cycle.of == Place::Region {
            return Err(inconsistent("region_plan", "the region's own plan serves no other one"));
        }
        let priorities = each("priorities", priorities, |of| priority(of, lists))?;
        let goals = each("goals", goals, goal)?;
        let plans = each("plans", plans, |of| operational(of, &cycle, lists))?;
        let plan = Self {
            id: Name::parse("plan", &plan)?,
            title: words::title("title", &title)?,
            reporting: self::reporting(reporting.unwrap_or_default())?,
            cycle,
            region_plan,
            priorities: by_key("priorities", priorities, |of| of.ordinal)?,
            goals: by_key("goals", goals, |of| of.id)?,
            plans: by_key("plans", plans, |of| of.code)?,
        };
        plan.fits_together()?;
        Ok(plan)
    }

    /// What its parts say of each other.
    fn fits_together(&self) -> Result<(), Invalid> {
        let known = |ordinal: &u32| self.priority(*ordinal).is_some();
        for priority in self.priorities.iter().filter(|of| !of.region_link.is_empty()) {
            if self.region_plan.is_none() {
                let field = format!("priorities[{}].region_link", priority.ordinal);
                return Err(inconsistent(field, "name the region's plan in region_plan"));
            }
        }
        for goal in &self.goals {
            let field = || format!("goals[{}].priorities", goal.id);
            if let Some(strange) = goal.priorities.iter().find(|ordinal| !known(ordinal)) {
                return Err(inconsistent(field(), format!("there is no priority {strange}")));
            }
            if goal.priorities.is_empty() && !goal.id.is_horizontal() {
                let detail = "only a horizontal goal (CHSG) serves all priorities: name its own";
                return Err(inconsistent(field(), detail));
            }
        }
        let mut codes = BTreeSet::<ActionCode>::new();
        for plan in &self.plans {
            self.has(plan.priority)
                .map_err(|error| error.within(format!("plans[{}]", plan.code)))?;
            for action in &plan.actions {
                let place = format!("plans[{}].actions[{}]", plan.code, action.code);
                if !codes.insert(action.code) {
                    let detail = "another operational plan has an action with this code";
                    return Err(inconsistent(format!("{place}.code"), detail));
                }
                let Some(goal) = self.goals.iter().find(|goal| goal.id == action.goal) else {
                    let detail = format!("there is no goal {}", action.goal);
                    return Err(inconsistent(format!("{place}.goal"), detail));
                };
                let serves =
                    goal.priorities.is_empty() || goal.priorities.contains(&plan.priority.ordinal);
                if !serves {
                    let detail =
                        format!("{} does not serve priority {}", goal.id, plan.priority.ordinal);
                    return Err(inconsistent(format!("{place}.goal"), detail));
                }
            }
        }
        Ok(())
    }

    /// There is such a priority, and such a part of it.
    fn has(&self, of: PriorityRef) -> Result<(), Invalid> {
        let Some(priority) = self.priority(of.ordinal) else {
            return Err(inconsistent("priority", format!("there is no priority {}", of.ordinal)));
        };
        let part = |letter| priority.sub_items.iter().any(|item| item.letter == letter);
        if of.part.is_some_and(|letter| !part(letter)) {
            let detail = format!("priority {} has no part {of}", of.ordinal);
            return Err(inconsistent("priority", detail));
        }
        Ok(())
    }
}

fn cycle(cycle: wire::Cycle, lists: &Lists) -> Result<Cycle, Invalid> {
    let wire::Cycle { code, name, from, to, of } = cycle;
    let of = if of == WHOLE_REGION {
        Place::Region
    } else {
        Place::Jurisdiction(lists.jurisdiction("of", &of)?.code)
    };
    let cycle = Cycle {
        code: self::code("code", &code)?,
        name: words::title("name", &name)?,
        from: Period::parse("from", &from)?,
        to: Period::parse("to", &to)?,
        of,
    };
    let (first, last) = (cycle.first_day(), cycle.last_day());
    if last < first {
        return Err(inconsistent("to", format!("{to} ends before {from} begins")));
    }
    let months = last.month_number() - first.month_number() + 1;
    if months > CYCLE_MONTHS_MAX {
        let detail = format!("{months} months where {CYCLE_MONTHS_MAX} are the most");
        return Err(Invalid::new(Reason::LimitExceeded, "to", detail));
    }
    Ok(cycle)
}

/// A code that the plan's makers give.
fn code(field: &str, text: &str) -> Result<TermCode, Invalid> {
    TermCode::parse(text).ok_or_else(|| {
        let detail =
            format!("{} is no code: letters, digits, . _ - +, at most 24 of them", quoted(text));
        Invalid::new(Reason::FieldInvalid, field, detail)
    })
}

fn reporting(reporting: wire::Reporting) -> Result<Reporting, Invalid> {
    let wire::Reporting { every, within_days } = reporting;
    let known = Granularity::parse(&every).filter(|every| *every != Granularity::Month);
    let every = known.ok_or_else(|| {
        let detail = format!("{} is none of year, half, quarter", quoted(&every));
        Invalid::new(Reason::FieldInvalid, "reporting.every", detail)
    })?;
    if !(1..=REPORT_WITHIN_DAYS_MAX).contains(&within_days) {
        let detail = format!("{within_days} where 1 to {REPORT_WITHIN_DAYS_MAX} days are meant");
        return Err(Invalid::new(Reason::LimitExceeded, "reporting.within_days", detail));
    }
    Ok(Reporting { every, within_days })
}

fn priority(priority: wire::Priority, lists: &Lists) -> Result<Priority, Invalid> {
    let wire::Priority { ordinal: number, name, sub_items, crime_areas, eu, region_link } =
        priority;
    bounded("sub_items", sub_items.len(), SUB_ITEMS_MAX)?;
    let sub_items = each("sub_items", sub_items, |item| {
        let wire::SubItem { letter, name } = item;
        let letter = part_letter("letter", &letter)?;
        Ok(SubItem { letter, name: words::title("name", &name)? })
    })?;
    let area = |field: &str, text: String| {
        let known = CrimeAreaCode::parse(&text)
            .filter(|code| lists.crime_area_list(*code) == Some(AreaList::CRIME_AREAS));
        known.ok_or_else(|| {
            let detail = format!("{} is not in the list crime_areas", quoted(&text));
            Invalid::new(Reason::CodeUnknown, field, detail)
        })
    };
    let eu_code = |field: &str, text: String| Ok(lists.priority(field, &text)?.code);
    let crime_areas = set("crime_areas", crime_areas, PLAN_CODES_MAX, area)?;
    if crime_areas.is_empty() {
        let detail = "name at least one area of the list crime_areas";
        return Err(Invalid::new(Reason::FieldMissing, "crime_areas", detail));
    }
    Ok(Priority {
        ordinal: ordinal("ordinal", number)?,
        name: words::title("name", &name)?,
        sub_items: by_key("sub_items", sub_items, |item| item.letter)?,
        crime_areas,
        eu: set("eu", eu, PLAN_CODES_MAX, eu_code)?,
        region_link: set("region_link", region_link, PLAN_CODES_MAX, ordinal)?,
    })
}

fn goal(goal: wire::Goal) -> Result<Goal, Invalid> {
    let wire::Goal { goal, text, priorities } = goal;
    Ok(Goal {
        id: GoalId::parse("goal", &goal)?,
        text: words::needed("text", &text)?,
        priorities: set("priorities", priorities, PLAN_CODES_MAX, ordinal)?,
    })
}

fn operational(
    plan: wire::OperationalPlan,
    cycle: &Cycle,
    lists: &Lists,
) -> Result<OperationalPlan, Invalid> {
    let wire::OperationalPlan { code, priority, driver, co_drivers, actions } = plan;
    let party = |field: &str, text: String| Party::parse(field, &text, lists);
    let driver = party("driver", driver)?;
    let co_drivers = set("co_drivers", co_drivers, ACTION_PARTIES_MAX, party)?;
    if co_drivers.contains(&driver) {
        return Err(inconsistent("co_drivers", format!("{driver} is the driver already")));
    }
    let actions = each("actions", actions, |of| action(of, cycle, lists))?;
    Ok(OperationalPlan {
        code: self::code("code", &code)?,
        priority: PriorityRef::parse("priority", &priority)?,
        driver,
        co_drivers,
        actions: by_key("actions", actions, |of| of.code)?,
    })
}
