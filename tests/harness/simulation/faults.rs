//! What goes wrong in a simulation, and when. Comes in: dice. Goes out: a plan of faults and of what people do, each at its moment.
//! Nothing is planned after [`HEALED`]: from then on everything works, and what was promised must come true.

use std::time::Duration;

use super::{INDICATORS, MEMBERS};
use crate::crash::Dice;

/// Faults begin after everybody has started.
const FIRST_MS: u64 = 400;
/// From here on everything works.
pub(super) const HEALED: Duration = Duration::from_secs(26);
/// Faults of one simulation.
const FEWEST: u64 = 5;
const MOST: u64 = 14;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing passes between the centre and a member.
    Partition(usize),
    /// What the centre says does not arrive.
    RequestsLost(usize),
    /// What the member says does not arrive: it has answered, and nobody knows.
    ResponsesLost(usize),
    /// Everything between them waits, and comes all at once.
    Hold(usize),
    /// All of that is over.
    Repair(usize),
    /// The power of a member fails.
    MemberDown(usize),
    /// It comes back.
    MemberUp(usize),
    /// The power of the centre fails.
    CentreDown,
    /// It comes back.
    CentreUp,
    /// A member's clock is wrong by so many seconds.
    MemberClock(usize, i64),
    /// The centre's is.
    CentreClock(i64),
    /// A member takes the newer roster and key.
    MemberRotates(usize),
    /// The centre does.
    CentreRotates,
    /// A member takes back consent to an indicator.
    Withdraws(usize, usize),
    /// People at every member decide what waits for them.
    PeopleDecide,
    /// People at the centre take in a requirement.
    Issued(usize),
    /// They gather.
    Gathered(usize),
    /// They take the next steps with a product.
    ProductGoesOn,
    /// People at every member say what they have to say of it.
    MembersSay,
}

/// Faults with their moments, in order of time.
pub(super) fn plan(dice: &mut Dice) -> Vec<(Duration, Fault)> {
    let mut plan = vec![
        (Duration::from_millis(100), Fault::Issued(0)),
        (Duration::from_millis(200), Fault::Issued(1)),
        (Duration::from_millis(300 + dice.below(3_000)), Fault::Gathered(0)),
        (Duration::from_millis(300 + dice.below(6_000)), Fault::Gathered(1)),
    ];
    let rotates = dice.below(3) == 0;
    let mut busy = Busy::default();
    for _ in 0..FEWEST + dice.below(MOST - FEWEST) {
        let from_ms = FIRST_MS + dice.below(ms(HEALED) - 2 * FIRST_MS);
        put(&mut plan, dice, (from_ms, rotates), &mut busy);
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}

/// Who has a fault at which time: no two of the same kind at once.
#[derive(Default)]
struct Busy {
    links: [Vec<(u64, u64)>; MEMBERS],
    powers: [Vec<(u64, u64)>; MEMBERS + 1],
    clocks: [Vec<(u64, u64)>; MEMBERS + 1],
    withdrawn: bool,
}

/// From when until when, if nothing else is then.
fn free(taken: &mut Vec<(u64, u64)>, from_ms: u64, lasts_ms: u64) -> Option<(Duration, Duration)> {
    let until_ms = (from_ms + lasts_ms).min(ms(HEALED));
    if taken.iter().any(|(from, until)| *from <= until_ms && from_ms <= *until) {
        return None;
    }
    taken.push((from_ms, until_ms));
    Some((Duration::from_millis(from_ms), Duration::from_millis(until_ms)))
}

fn put(
    plan: &mut Vec<(Duration, Fault)>,
    dice: &mut Dice,
    (from_ms, rotates): (u64, bool),
    busy: &mut Busy,
) {
    let at = Duration::from_millis(from_ms);
    let who = usize::try_from(dice.below(MEMBERS as u64)).unwrap_or(0);
    let both = match dice.below(18) {
        kind @ 0..=4 => {
            let begins = [
                Fault::Partition(who),
                Fault::RequestsLost(who),
                Fault::ResponsesLost(who),
                Fault::ResponsesLost(who),
                Fault::Hold(who),
            ][usize::try_from(kind).unwrap_or(0)];
            free(&mut busy.links[who], from_ms, 500 + dice.below(7_000))
                .map(|during| (during, begins, Fault::Repair(who)))
        }
        5..=7 => free(&mut busy.powers[who], from_ms, 100 + dice.below(6_000))
            .map(|during| (during, Fault::MemberDown(who), Fault::MemberUp(who))),
        8..=10 => free(&mut busy.powers[MEMBERS], from_ms, 100 + dice.below(4_000))
            .map(|during| (during, Fault::CentreDown, Fault::CentreUp)),
        11 => {
            let wrong = [-3_600, -100, 60, 100, 3_600][usize::try_from(dice.below(5)).unwrap_or(0)];
            free(&mut busy.clocks[who], from_ms, 500 + dice.below(8_000))
                .map(|during| (during, Fault::MemberClock(who, wrong), Fault::MemberClock(who, 0)))
        }
        12 => {
            let wrong = [-90, -5, 5, 15][usize::try_from(dice.below(4)).unwrap_or(0)];
            free(&mut busy.clocks[MEMBERS], from_ms, 500 + dice.below(3_000))
                .map(|during| (during, Fault::CentreClock(wrong), Fault::CentreClock(0)))
        }
        13 if rotates => return plan.push((at, Fault::CentreRotates)),
        14 if rotates => return plan.push((at, Fault::MemberRotates(who))),
        15 if !busy.withdrawn => {
            busy.withdrawn = true;
            let which = usize::try_from(dice.below(INDICATORS as u64)).unwrap_or(0);
            return plan.push((at, Fault::Withdraws(who, which)));
        }
        16 => return plan.push((at, Fault::PeopleDecide)),
        kind => {
            let which = usize::try_from(kind % 2).unwrap_or(0);
            return plan.push((at, Fault::Gathered(which)));
        }
    };
    if let Some(((from, until), begins, ends)) = both {
        plan.extend([(from, begins), (until, ends)]);
    }
}

fn ms(of: Duration) -> u64 {
    u64::try_from(of.as_millis()).unwrap_or(u64::MAX)
}
