//! What a party says of an action and a period. Comes in: a message, or a file. Goes out: a [`Report`]. Its counters are the party's own
//! public results: whole numbers, and never what a node holds. Whether it fits a plan, [`Report::fits`] says. Must never say
//! that an action is late or blocked without saying why.

use prost::Message as _;
use serde::Serialize;

use super::{
    check::{by_key, inconsistent},
    closed::{Counter, ReportState},
    day::Day,
    party::Party,
    plan::Plan,
    refs::ActionCode,
    roles::Role,
    words,
};
use crate::{
    identity::Name,
    limits::{REPORT_BYTES_MAX, REPORT_RESULT_MAX, REPORT_RESULTS_MAX},
    reason::{Invalid, Reason, quoted},
    roster::{bounded, each},
    strict,
    taxonomy::{AreaList, CrimeAreaCode, Lists, Period},
    wire::cycle as wire,
};

/// What all drugs are below.
const DRUGS: &str = "DRG";

/// A report, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Of which plan.
    pub plan: Name,
    /// Of which action.
    pub action: ActionCode,
    /// Who says so.
    pub party: Party,
    /// Of which time.
    pub period: Period,
    /// How it stands.
    pub state: ReportState,
    /// What was done.
    pub progress: String,
    /// What was counted, ascending by counter and drug.
    pub results: Vec<Counted>,
    /// What stands in the way, or nothing.
    pub obstacles: String,
    /// What was learnt, or nothing.
    pub lessons: String,
    /// What comes next, or nothing.
    pub next_steps: String,
}

/// One counted result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counted {
    /// What is counted.
    pub counter: Counter,
    /// Which drug, where drugs are counted.
    #[serde(skip)]
    pub drug: Option<CrimeAreaCode>,
    /// So many of the counter's unit.
    pub value: u64,
}

impl Report {
    /// Reads the bytes of a report: one report has one spelling.
    ///
    /// # Errors
    /// `FIELD_*`, `CODE_UNKNOWN`, `PERIOD_INVALID`, `LIMIT_EXCEEDED` of a field by its path; `PLAN_INCONSISTENT` of what does
    /// not fit together.
    pub fn read(bytes: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        bounded("report", bytes.len(), REPORT_BYTES_MAX)?;
        let report = Self::check(strict::decode_signed("report", bytes)?, lists)
            .map_err(|error| error.within("report"))?;
        if report.encode() != bytes {
            let detail = "is not in its one spelling: results stand in the order of the counters";
            return Err(Invalid::new(Reason::FieldInvalid, "report", detail));
        }
        Ok(report)
    }

    /// Checks a report whose results may stand in any order.
    ///
    /// # Errors
    /// As [`Report::read`].
    pub fn check(report: wire::Report, lists: &Lists) -> Result<Self, Invalid> {
        let wire::Report {
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
        } = report;
        bounded("results", results.len(), REPORT_RESULTS_MAX)?;
        let results = each("results", results, |of| counted(of, lists))?;
        let report = Self {
            plan: Name::parse("plan", &plan)?,
            action: ActionCode::parse("action", &action)?,
            party: Party::parse("party", &party, lists)?,
            period: Period::parse("period", &period)?,
            state: ReportState::from_wire("state", state)?,
            progress: words::needed("progress", &progress)?,
            results: by_key("results", results, Counted::name)?,
            obstacles: words::optional("obstacles", &obstacles)?,
            lessons: words::optional("lessons", &lessons)?,
            next_steps: words::optional("next_steps", &next_steps)?,
        };
        report.is_whole()?;
        Ok(report)
    }

    fn is_whole(&self) -> Result<(), Invalid> {
        let why = match self.state {
            ReportState::Delayed | ReportState::Blocked => true,
            ReportState::OnTrack | ReportState::Done => false,
        };
        if why && self.obstacles.is_empty() {
            let detail =
                format!("say what stands in the way: the state is {}", self.state.as_str());
            return Err(Invalid::new(Reason::FieldMissing, "obstacles", detail));
        }
        let of = |counter| self.results.iter().find(|of| of.counter == counter).map(|of| of.value);
        let (all, minors) = (of(Counter::Victims), of(Counter::MinorVictims));
        if minors > all {
            let detail = "minors are among the victims: there cannot be more of them";
            return Err(inconsistent("results", detail));
        }
        Ok(())
    }

    /// Is it of this plan, of one of its actions, by somebody who has a part in it, and of a period that it reports by?
    ///
    /// # Errors
    /// `PLAN_INCONSISTENT` names what does not fit.
    pub fn fits(&self, plan: &Plan) -> Result<(), Invalid> {
        if self.plan != plan.id {
            let detail = format!("{} is another plan than {}", self.plan, plan.id);
            return Err(inconsistent("report.plan", detail));
        }
        let Some((_, action)) = plan.action(self.action) else {
            let detail = format!("{} has no action {}", plan.id, self.action);
            return Err(inconsistent("report.action", detail));
        };
        let has_part = Role::in_action(action, self.party).is_some();
        if !has_part {
            let detail = format!("{} has no part in {}", self.party, self.action);
            return Err(inconsistent("report.party", detail));
        }
        if self.period.granularity() != plan.reporting.every {
            let detail = format!("{} is no {}", self.period, plan.reporting.every);
            return Err(inconsistent("report.period", detail));
        }
        let periods = super::due::periods(plan, action);
        if !periods.contains(&self.period) {
            let detail = format!(
                "{} is reported of {} to {}, not of {}",
                self.action, action.start, action.end, self.period
            );
            return Err(inconsistent("report.period", detail));
        }
        Ok(())
    }

    /// Has its period begun?
    pub(super) fn has_begun(&self, today: Day) -> Result<(), Invalid> {
        if Day::first_of(self.period) <= today {
            return Ok(());
        }
        let detail = format!("{} has not begun: it is {today}", self.period);
        Err(inconsistent("report.period", detail))
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    /// For the wire.
    pub fn to_wire(&self) -> wire::Report {
        let counted = |of: &Counted| wire::Counted {
            counter: of.counter.to_wire(),
            drug: of.drug.map_or_else(String::new, |drug| drug.to_string()),
            value: of.value,
        };
        wire::Report {
            plan: self.plan.to_string(),
            action: self.action.to_string(),
            party: self.party.to_string(),
            period: self.period.to_string(),
            state: self.state.to_wire(),
            progress: self.progress.clone(),
            results: self.results.iter().map(counted).collect(),
            obstacles: self.obstacles.clone(),
            lessons: self.lessons.clone(),
            next_steps: self.next_steps.clone(),
        }
    }
}

impl Counted {
    /// What it counts, in the order of the schema.
    pub(super) fn key(&self) -> (Counter, Option<CrimeAreaCode>) {
        (self.counter, self.drug)
    }

    fn name(&self) -> Named {
        Named(self.key())
    }
}

/// How a counter is called where it stands twice.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Named((Counter, Option<CrimeAreaCode>));

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (counter, drug) = self.0;
        f.write_str(counter.as_str())?;
        drug.map_or(Ok(()), |drug| write!(f, " {drug}"))
    }
}

fn counted(counted: wire::Counted, lists: &Lists) -> Result<Counted, Invalid> {
    let wire::Counted { counter, drug, value } = counted;
    let counter = Counter::from_wire("counter", counter)?;
    if value > REPORT_RESULT_MAX {
        let detail = format!("{value} where {REPORT_RESULT_MAX} is the most");
        return Err(Invalid::new(Reason::LimitExceeded, "value", detail));
    }
    let drug = match (counter, drug.as_str()) {
        (Counter::DrugsKg, text) => Some(self::drug(text, lists)?),
        (_, "") => None,
        (_, text) => {
            let detail =
                format!("{} counts no drugs: leave out {}", counter.as_str(), quoted(text));
            return Err(inconsistent("drug", detail));
        }
    };
    Ok(Counted { counter, drug, value })
}

fn drug(text: &str, lists: &Lists) -> Result<CrimeAreaCode, Invalid> {
    let below = |code: &CrimeAreaCode| {
        let above = lists.crime_area_parent(*code);
        lists.crime_area_list(*code) == Some(AreaList::CRIME_AREAS)
            && above.is_some_and(|above| above.as_str() == DRUGS)
    };
    CrimeAreaCode::parse(text).filter(below).ok_or_else(|| {
        let drugs: Vec<_> = lists
            .crime_areas(AreaList::CRIME_AREAS)
            .filter(below)
            .map(|of| of.to_string())
            .collect();
        let detail = format!("{} is no drug: {}", quoted(text), drugs.join(", "));
        Invalid::new(Reason::CodeUnknown, "drug", detail)
    })
}
