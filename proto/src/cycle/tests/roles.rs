//! What roles promise: every pair of role and deed has one answer, and nobody judges what they carry out.

use super::*;

/// Rows are roles, columns deeds, both in the order of `ALL`; `x`: may.
const TABLE: [(&str, &str); 9] = [
    ("driver", "xxxx......."),
    ("co_driver", "xxxx......."),
    ("action_leader", "x..xxx....."),
    ("co_action_leader", "x..xxx....."),
    ("participant", "x....x....."),
    ("nec", "x.....xx..."),
    ("secretariat", "x.......x.x"),
    ("steering", "x........xx"),
    ("observer", "x.........."),
];

#[test]
fn every_role_may_do_exactly_what_the_table_says() {
    assert_eq!(Role::ALL.len(), TABLE.len());
    for (role, (name, row)) in Role::ALL.iter().zip(TABLE) {
        assert_eq!(role.as_str(), name);
        assert_eq!(row.len(), Deed::ALL.len());
        for (deed, told) in Deed::ALL.iter().zip(row.chars()) {
            assert_eq!(may(*role, *deed), told == 'x', "{role:?} {deed:?}");
        }
    }
}

#[test]
fn whoever_carries_a_plan_out_neither_adopts_nor_evaluates_it() {
    let carries = |role: &Role| {
        [Deed::DraftPlan, Deed::DraftAction, Deed::Contribute].iter().any(|deed| may(*role, *deed))
    };
    for role in Role::ALL.iter().filter(|role| carries(role)) {
        assert!(!may(*role, Deed::Adopt) && !may(*role, Deed::Evaluate), "{role:?}");
    }
    let commits: Vec<_> =
        Role::ALL.iter().filter(|role| may(**role, Deed::CommitJurisdiction)).collect();
    assert_eq!(commits, [&Role::Nec], "nobody else speaks for a jurisdiction");
}

#[test]
fn every_role_has_one_counterpart_in_empact() {
    let names: std::collections::BTreeSet<_> = Role::ALL.iter().map(|role| role.empact()).collect();
    assert_eq!(names.len(), Role::ALL.len());
    let meant =
        Deed::ALL.iter().map(|deed| deed.meaning()).chain(Role::ALL.iter().map(|of| of.meaning()));
    assert!(meant.into_iter().all(|meaning| meaning.ends_with('.')));
}

#[test]
fn a_plan_gives_everybody_the_roles_that_it_names_and_nobody_else_more_than_to_read() {
    let plan = checked(sent()).unwrap();
    let roles = |text| {
        let held = roles_of(&plan, Party::parse("", text, Lists::builtin()).unwrap());
        held.into_iter().map(Held::role).collect::<Vec<_>>()
    };
    assert_eq!(roles("MK"), [Role::Nec, Role::Driver]);
    assert_eq!(roles("AL"), [Role::Nec, Role::CoDriver, Role::Participant]);
    assert_eq!(roles("RS"), [Role::Nec, Role::ActionLeader]);
    assert_eq!(roles("XK"), [Role::Nec, Role::CoActionLeader]);
    assert_eq!(roles("EUROPOL"), [Role::CoDriver]);
    assert_eq!(roles("FRONTEX"), [Role::Participant]);
    assert_eq!(roles("ME"), [Role::Nec]);
    assert_eq!(roles("CEPOL"), [Role::Observer]);
}
