//! A window of seven days. Comes in: a seed. Goes out: that everybody's answer is in the last picture, though everybody was restarted
//! now and then, people took days, some of them only when they were reminded, and one member came back on the last day.
//!
//! Clocks go eighty times as fast as everything else, until an hour before the window ends.

use std::{sync::Arc, time::Duration};

use anyhow::Result;

use super::{Broken, Fault, Kept, Length, MEMBERS, Scenario, Template, member::People, play_out};
use crate::crash::Dice;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// So much faster do clocks go.
const RATE: u32 = 80;
/// Passed on clocks when they go on as everything else does.
const ALMOST: Duration = Duration::from_secs(7 * 86_400 - 3_600);
/// Restarts of members and of the centre.
const RESTARTS: u64 = 20;
/// Who decides on the third day, who only when reminded, who is away.
const SLOW: usize = 1;
const REMINDED: usize = 4;
const AWAY: usize = 5;

const WEEK: Length = Length {
    tick: Duration::from_millis(500),
    window_s: 7 * 86_400,
    over: Duration::from_secs((7 * 86_400 - 3_600) / RATE as u64 + 2 * 3_600),
    // Every message takes a tick, or two.
    call_deadline: Duration::from_secs(15),
    shows: |passed| {
        let fast = ALMOST / RATE;
        if passed <= fast { passed * RATE } else { ALMOST + (passed - fast) }
    },
};

/// Plays a week.
pub fn week(template: &Arc<Template>, seed: u64) -> Result<Kept, Broken> {
    let mut people = [People::HaveConsented; MEMBERS];
    people[SLOW] = People::ByHand;
    people[REMINDED] = People::WhenReminded;
    let plan = plan(&mut Dice(seed));
    let scenario = Scenario { length: WEEK, plan, people, weakness: None };
    play_out(template, seed, scenario, |found| found.judge_a_week())
}

fn plan(dice: &mut Dice) -> Vec<(Duration, Fault)> {
    let mut plan = vec![
        (HOUR, Fault::Issued(0)),
        (HOUR, Fault::Issued(1)),
        (HOUR * 2, Fault::MemberDown(AWAY)),
        (HOUR * 3, Fault::Gathered(0)),
        (HOUR * 3, Fault::Gathered(1)),
        (DAY * 3, Fault::PeopleDecide),
        (DAY * 6 + HOUR * 20, Fault::MemberUp(AWAY)),
    ];
    // Each in an eighth of a day of its own: nobody is restarted twice at once.
    for restart in 0..RESTARTS {
        let begins = HOUR * 4 + Duration::from_secs(7 * 3_600 * restart + dice.below(3_600));
        let lasts = Duration::from_secs(600 + dice.below(3 * 3_600));
        let member = usize::try_from(dice.below(MEMBERS as u64)).unwrap_or(0);
        let (down, up) = match member {
            AWAY => (Fault::CentreDown, Fault::CentreUp),
            member => (Fault::MemberDown(member), Fault::MemberUp(member)),
        };
        plan.extend([(begins, down), (begins + lasts, up)]);
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}
