//! Who may do what (domain.md §1.4). Comes in: a role and a deed, or a plan and a party. Goes out: yes or no; the roles that the plan
//! gives. A total function: no pair is left open. Must never let whoever carries a plan out adopt or evaluate it.

use serde::{Serialize, Serializer};

use super::{
    party::Party,
    plan::{Action, OperationalPlan, Plan},
    refs::ActionCode,
};
use crate::taxonomy::TermCode;

macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($variant:ident = $text:literal, $meaning:literal;)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $meaning] $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// One word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// A part that somebody has in the cycle. Each has one counterpart in EMPACT, so that a plan can be exported.
    Role {
        Driver = "driver", "Leads an operational action plan.";
        CoDriver = "co_driver", "Supports or replaces the driver.";
        ActionLeader = "action_leader", "Runs an operational action.";
        CoActionLeader = "co_action_leader", "Runs it too.";
        Participant = "participant", "Contributes to an operational action.";
        Nec = "nec", "Speaks for a jurisdiction: mobilises its services, aligns its plans, commits it.";
        Secretariat = "secretariat", "Keeps the plan, reminds of reports, draws up the evaluation sheet.";
        Steering = "steering", "Steers and adopts.";
        Observer = "observer", "Reads what is released to it.";
    }
}

words! {
    /// Something that is done with a plan.
    Deed {
        ReadPlan = "read_plan", "Read the plan, its lights and reports.";
        DraftPlan = "draft_plan", "Write or amend an operational action plan.";
        ReportPlan = "report_plan", "Report on an operational action plan as a whole.";
        DraftAction = "draft_action", "Write or amend an operational action.";
        ReportAction = "report_action", "Say how an operational action stands.";
        Contribute = "contribute", "Report the own part in an operational action.";
        CommitJurisdiction = "commit_jurisdiction", "Say that a jurisdiction takes part.";
        ReadNational = "read_national", "Read all that a jurisdiction has taken on.";
        KeepPlan = "keep_plan", "Enter what was decided, set dates, remind.";
        Adopt = "adopt", "Adopt priorities, goals and plans.";
        Evaluate = "evaluate", "Draw up or debate the evaluation.";
    }
}

impl Role {
    /// What EMPACT calls it.
    pub fn empact(self) -> &'static str {
        match self {
            Self::Driver => "Driver",
            Self::CoDriver => "Co-driver",
            Self::ActionLeader => "Action Leader",
            Self::CoActionLeader => "Co-Action Leader",
            Self::Participant => "Participant",
            Self::Nec => "National EMPACT Coordinator",
            Self::Secretariat => "EMPACT Support Team",
            Self::Steering => "COSI",
            Self::Observer => "Observer",
        }
    }

    /// The part that a party has in an action; none: it has none.
    pub fn in_action(action: &Action, party: Party) -> Option<Self> {
        if action.leader == party {
            Some(Self::ActionLeader)
        } else if action.co_leaders.contains(&party) {
            Some(Self::CoActionLeader)
        } else if action.participants.contains(&party) || action.agencies.contains(&party) {
            Some(Self::Participant)
        } else {
            None
        }
    }

    /// The part that a party has in an operational plan as a whole; none: it has none.
    pub fn in_plan(plan: &OperationalPlan, party: Party) -> Option<Self> {
        if plan.driver == party {
            Some(Self::Driver)
        } else if plan.co_drivers.contains(&party) {
            Some(Self::CoDriver)
        } else {
            None
        }
    }
}

/// May whoever has this role do this, within what the role is for: its own plan, action or jurisdiction?
pub fn may(role: Role, deed: Deed) -> bool {
    use Deed::{
        Adopt, CommitJurisdiction, Contribute, DraftAction, DraftPlan, Evaluate, KeepPlan,
        ReadNational, ReadPlan, ReportAction, ReportPlan,
    };
    match deed {
        ReadPlan => true,
        DraftPlan | ReportPlan => matches!(role, Role::Driver | Role::CoDriver),
        DraftAction => matches!(
            role,
            Role::Driver | Role::CoDriver | Role::ActionLeader | Role::CoActionLeader
        ),
        ReportAction => matches!(role, Role::ActionLeader | Role::CoActionLeader),
        Contribute => {
            matches!(role, Role::ActionLeader | Role::CoActionLeader | Role::Participant)
        }
        CommitJurisdiction | ReadNational => role == Role::Nec,
        KeepPlan => role == Role::Secretariat,
        Adopt => role == Role::Steering,
        Evaluate => matches!(role, Role::Secretariat | Role::Steering),
    }
}

/// A role, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Of the cycle as a whole.
    Whole(Role),
    /// Of an operational plan.
    Plan(Role, TermCode),
    /// Of an action.
    Action(Role, ActionCode),
}

impl Held {
    /// The role.
    pub fn role(self) -> Role {
        match self {
            Self::Whole(role) | Self::Plan(role, _) | Self::Action(role, _) => role,
        }
    }
}

/// The roles that a plan gives a party, in the order of the plan. Whoever has no part in it observes. That a jurisdiction has a
/// coordinator follows from its being one; secretariat and steering are no party's: their holders stand in the certificates.
pub fn roles_of(plan: &Plan, party: Party) -> Vec<Held> {
    let mut held: Vec<_> =
        party.jurisdiction().map(|_| Held::Whole(Role::Nec)).into_iter().collect();
    for operational in &plan.plans {
        let of_plan = Role::in_plan(operational, party);
        held.extend(of_plan.map(|role| Held::Plan(role, operational.code)));
        for action in &operational.actions {
            let of_action = Role::in_action(action, party);
            held.extend(of_action.map(|role| Held::Action(role, action.code)));
        }
    }
    if held.is_empty() {
        held.push(Held::Whole(Role::Observer));
    }
    held
}
