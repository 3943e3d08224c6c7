//! How the node is doing, for whoever operates it. Comes in: the running node. Goes out: checks and readings for
//! [`accord_proto::operate::health`]. Must never tell content: counts of grants and requirements, never of what they are about.

use std::sync::{Arc, PoisonError};

use accord_proto::{
    clock::Timestamp,
    expiry,
    limits::SETTLES_WITHIN,
    operate::{
        backup,
        doctor::free_bytes,
        health::{Check, Vital},
        measures::{Reading, Tally, count, moment},
    },
    transport::renewal,
};

use crate::{answer::Node, desk};

/// A node that is looked at.
pub struct Vitals {
    /// Which one.
    pub node: Arc<Node>,
    /// What its ports have answered.
    pub tally: Tally,
}

impl Vital for Vitals {
    async fn checks(&self) -> Vec<Check> {
        let node = &self.node;
        let (now, roster) = (node.clock.now(), node.roster());
        let settled = tokio::time::timeout(SETTLES_WITHIN, node.store.settled()).await;
        let journal = match settled {
            Ok(settled) => settled.map_err(|error| error.to_string()),
            Err(_) => Err("a write is not durable in time".to_owned()),
        };
        let sound = if node.store.head().in_doubt() {
            Err("in doubt after a restore: a releaser has to run confirm-restore".to_owned())
        } else {
            Ok(())
        };
        vec![
            Check::told("store", sound),
            Check::needed("journal", journal),
            Check::needed("disk", node.store.has_room().map_err(|error| error.to_string())),
            Check::needed("keys", expiry::check_needed(&node.endings.get(), now)),
            Check::told("authorities", expiry::check_others(&node.endings.get(), now)),
            Check::told("renewal", renewal::check_taken(&node.untaken.get())),
            Check::told("clock", node.coordinators.check_clocks()),
            Check::told(
                "peers",
                node.coordinators.check_heard(roster.centres.iter().map(|centre| &centre.name)),
            ),
        ]
    }

    fn maintenance(&self) -> Option<Timestamp> {
        self.node.coordinators.own_maintenance().map(|own| own.until)
    }

    fn readings(&self) -> Vec<Reading> {
        let node = &self.node;
        let now = node.clock.now();
        let mut readings = vec![
            Reading {
                name: "accord_build_info",
                labels: vec![
                    ("program", "accord-node".to_owned()),
                    ("version", env!("CARGO_PKG_VERSION").to_owned()),
                ],
                value: 1.0,
            },
            Reading::of("accord_journal_entries", count(node.store.head().journal().size())),
            Reading::of("accord_in_doubt", f64::from(u8::from(node.store.head().in_doubt()))),
            Reading::of("accord_answers_released", count(node.store.answers())),
        ];
        let mut known = |name, value: Option<f64>| {
            readings.extend(value.map(|value| Reading::of(name, value)));
        };
        known("accord_store_bytes", node.store.bytes().ok().map(count));
        known("accord_store_free_bytes", free_bytes(node.store.path()).map(count));
        let open = desk::inbox::overview(node).ok().map(|inbox| f64::from(inbox.open));
        known("accord_inbox_open", open);
        let backed_up = backup::last(node.store.path()).map(|at| moment(at.as_s()));
        known("accord_backup_last_success_timestamp_seconds", backed_up);
        let held = node.held.read().unwrap_or_else(PoisonError::into_inner);
        let in_force = held.grants.iter().filter(|grant| grant.in_force(now)).count() as u64;
        let other = held.grants.len() as u64 - in_force;
        drop(held);
        for (state, number) in [("in_force", in_force), ("other", other)] {
            readings.push(Reading::with("accord_grants", "state", state, count(number)));
        }
        let endings = node.endings.get();
        readings.extend(expiry::first_of_kinds(&endings).into_iter().map(|(kind, ends)| {
            let ends = moment(ends.as_s());
            Reading::with("accord_ends_timestamp_seconds", "what", kind, ends)
        }));
        readings.extend(renewal::readings(&node.untaken.get()));
        let roster = node.roster();
        let centres = roster.centres.iter().map(|centre| &centre.name);
        readings.extend(node.coordinators.readings(centres));
        readings.extend(self.tally.readings());
        readings
    }
}
