//! The policy cycle (domain.md §1). Comes in: a plan that an editor wrote, pictures that are published, what parties report of actions.
//! Goes out: the plan, checked; how it stands, with a light and the reason for it; what is common with the EU's cycle; what an
//! evaluation can and cannot say. Pure: today is an argument; no clock, no dice, no files, no floating point. Must never
//! set jurisdictions against each other, call a figure better than its interval allows, or invent what nobody measured.
//!
//! ```text
//! file or bytes ─► check ─► Plan ─┬─► measure (figures of pictures, reports, today) ─► Measured ─► national, sheet, rows
//!                                 ├─► roles_of, may
//!                                 └─► mapping (area_map) ─► annex
//! ```

mod action;
mod check;
mod closed;
mod criteria;
mod day;
mod due;
mod encode;
mod figures;
mod history;
mod light;
mod line;
mod mapping;
mod measure;
mod national;
mod party;
mod plan;
mod progress;
mod refs;
mod report;
mod roles;
mod rows;
mod sheet;
mod words;
mod written;

pub use closed::{ActionType, Counter, Direction, Funding, ReportState};
pub use criteria::Criterion;
pub use day::Day;
pub use figures::{Figure, Figures, Told, Untold};
pub use light::{Light, Lit, Source};
pub use mapping::{AnnexRow, Common, EuCycle, EuPriority, Extent, Mapping, annex, mapping};
pub use measure::{ActionMeasured, Due, Measured, measure};
pub use national::{National, Owed, Part, national};
pub use party::{Agency, Party};
pub use plan::{
    Action, ActionIndicator, Baseline, Cycle, Goal, OperationalPlan, Plan, Priority, Reporting,
    SubItem, Target,
};
pub use progress::{Caveat, Point, Progress};
pub use refs::{ActionCode, GoalId, PriorityRef};
pub use report::{Counted, Report};
pub use roles::{Deed, Held, Role, may, roles_of};
pub use rows::{
    IndicatorRow, LightRow, PlanRow, ReportRow, indicator_rows, light_rows, plan_rows, report_rows,
};
pub use sheet::{ActionSheet, IndicatorSheet, Said, Sheet, Total, sheet};

/// A commented sample of a plan, as an editor writes it. Everything in it is made up.
pub const TEMPLATE: &str = include_str!("cycle/template.toml");

/// The same of a report, which fits the sample plan.
pub const REPORT_TEMPLATE: &str = include_str!("cycle/report.toml");

#[cfg(test)]
mod tests;
