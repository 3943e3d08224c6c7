//! Gathers under way. Comes in: a requirement, and whether somebody waits for it. Goes out: a place, given back when it is dropped.
//! Must never gather a requirement twice at a time, nor more of them than the machine bears.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use accord_proto::{
    id::RequirementId,
    limits::{CALL_TIMEOUT, GATHERS_MAX},
    operate::measures::{Reading, count},
    reason::{Invalid, Reason},
};
use tokio::sync::Notify;

use crate::archive::Drawn;

/// What is being gathered right now, and whether somebody has asked for it.
#[derive(Debug, Default)]
pub struct Rounds {
    under_way: Mutex<BTreeMap<RequirementId, bool>>,
    over: Notify,
    /// By what came of them: how many have ended, and how long they took together.
    ended: Mutex<BTreeMap<&'static str, (u64, Duration)>>,
}

/// A gather under way; over when dropped.
#[derive(Debug)]
pub struct Round<'a> {
    rounds: &'a Rounds,
    requirement: RequirementId,
}

impl Rounds {
    /// Counts a gather when it has ended.
    pub async fn counted(
        &self,
        gather: impl Future<Output = Result<Option<Drawn>, Invalid>>,
    ) -> Result<Option<Drawn>, Invalid> {
        let begun = Instant::now();
        let drawn = gather.await;
        let result = match &drawn {
            Ok(Some(_)) => "drawn",
            Ok(None) => "waiting",
            Err(_) => "failed",
        };
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, took) = ended.entry(result).or_default();
        (*number, *took) = (*number + 1, took.saturating_add(begun.elapsed()));
        drop(ended);
        drawn
    }

    /// What can be measured of them.
    pub fn readings(&self) -> Vec<Reading> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let mut readings = Vec::new();
        for (result, (number, took)) in &*ended {
            let mut read =
                |name, value| readings.push(Reading::with(name, "result", *result, value));
            read("accord_gathers_total", count(*number));
            read("accord_gather_seconds_total", took.as_secs_f64());
        }
        readings
    }

    /// For a collection that goes on by itself; where there is no place it comes again.
    pub fn by_itself(&self, requirement: RequirementId) -> Result<Round<'_>, Invalid> {
        self.begin(requirement, false)
    }

    /// For somebody: what goes on by itself is waited for, so that nobody is refused for what they cannot see. Another one who
    /// gathers the same is not.
    pub async fn by_somebody(&self, requirement: RequirementId) -> Result<Round<'_>, Invalid> {
        let waiting = async {
            loop {
                let over = self.over.notified();
                tokio::pin!(over);
                // From here on no end is missed.
                over.as_mut().enable();
                match self.begin(requirement, true) {
                    Err(_) if self.goes_on_by_itself(requirement) => over.await,
                    begun => return begun,
                }
            }
        };
        match tokio::time::timeout(CALL_TIMEOUT, waiting).await {
            Ok(begun) => begun,
            Err(_) => self.begin(requirement, true),
        }
    }

    fn goes_on_by_itself(&self, requirement: RequirementId) -> bool {
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.get(&requirement) == Some(&false)
    }

    fn begin(&self, requirement: RequirementId, somebody: bool) -> Result<Round<'_>, Invalid> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.len() >= GATHERS_MAX || under_way.contains_key(&requirement) {
            let detail = "a gather of it, or too many others, are under way; try again shortly";
            return Err(Invalid::new(Reason::Overloaded, "requirement", detail));
        }
        under_way.insert(requirement, somebody);
        Ok(Round { rounds: self, requirement })
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let under_way = &self.rounds.under_way;
        under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.requirement);
        self.rounds.over.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use accord_proto::clock::{FixedClock, SystemEntropy, Timestamp};

    use super::*;

    fn id() -> RequirementId {
        let now = Timestamp::parse("now", "2026-12-01").unwrap();
        RequirementId::mint(&FixedClock(now), &SystemEntropy).unwrap()
    }

    #[tokio::test]
    async fn what_goes_on_by_itself_is_waited_for_and_what_somebody_gathers_is_not_gathered_twice()
    {
        let (rounds, requirement) = (Rounds::default(), id());
        let itself = rounds.by_itself(requirement).unwrap();
        assert!(rounds.by_itself(requirement).is_err());
        let (begun, ()) = tokio::join!(rounds.by_somebody(requirement), async {
            tokio::task::yield_now().await;
            drop(itself);
        });
        let begun = begun.unwrap();
        let refused = rounds.by_somebody(requirement).await.unwrap_err();
        assert_eq!(refused.reason, Reason::Overloaded);
        drop(begun);
        rounds.by_itself(requirement).unwrap();
    }

    #[tokio::test]
    async fn there_are_never_more_than_the_machine_bears() {
        let rounds = Rounds::default();
        let begun: Vec<_> = (0..GATHERS_MAX).map(|_| rounds.by_itself(id()).unwrap()).collect();
        assert!(rounds.by_somebody(id()).await.is_err());
        drop(begun);
        rounds.by_somebody(id()).await.unwrap();
    }
}
