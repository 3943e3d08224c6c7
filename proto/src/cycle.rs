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
mod day;
mod due;
mod encode;
mod party;
mod plan;
mod refs;
mod report;
mod roles;
mod words;

pub use closed::{ActionType, Counter, Direction, Funding, ReportState};
pub use day::Day;
pub use party::{Agency, Party};
pub use plan::{
    Action, ActionIndicator, Baseline, Cycle, Goal, OperationalPlan, Plan, Priority, Reporting,
    SubItem, Target,
};
pub use refs::{ActionCode, GoalId, PriorityRef};
pub use report::{Counted, Report};
pub use roles::{Deed, Held, Role, may, roles_of};

#[cfg(test)]
mod tests;
