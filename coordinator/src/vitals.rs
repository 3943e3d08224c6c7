//! How the coordinator is doing, for whoever operates it. Comes in: the running coordinator. Goes out: checks and readings for
//! [`accord_proto::operate::health`]. Must never tell content: who is up and how many collections are open, never what of.

use std::sync::Arc;

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

use crate::survey::Coordinator;

/// A coordinator that is looked at.
pub struct Vitals {
    /// Which one.
    pub coordinator: Arc<Coordinator>,
    /// What its port has answered.
    pub tally: Tally,
}

impl Vital for Vitals {
    async fn checks(&self) -> Vec<Check> {
        let Coordinator { archive, clock, caller, .. } = &*self.coordinator;
        let roster = self.coordinator.roster();
        let settled = tokio::time::timeout(SETTLES_WITHIN, archive.settled()).await;
        let journal = match settled {
            Ok(settled) => settled.map_err(|error| error.to_string()),
            Err(_) => Err("a write is not durable in time".to_owned()),
        };
        let store = match archive.in_doubt() {
            Ok(false) => Check::needed("store", Ok(())),
            Ok(true) => {
                let doubt = "in doubt after a restore: a custodian has to run confirm-restore";
                Check::told("store", Err(doubt.to_owned()))
            }
            Err(error) => Check::needed("store", Err(error.to_string())),
        };
        vec![
            store,
            Check::needed("journal", journal),
            Check::needed("disk", archive.has_room().map_err(|error| error.to_string())),
            Check::needed(
                "keys",
                expiry::check_needed(&self.coordinator.endings.get(), clock.now()),
            ),
            Check::told(
                "authorities",
                expiry::check_others(&self.coordinator.endings.get(), clock.now()),
            ),
            Check::told("renewal", renewal::check_taken(&self.coordinator.untaken.get())),
            Check::told("clock", caller.peers.check_clocks()),
            Check::told(
                "peers",
                caller.peers.check_heard(roster.members.iter().map(|member| &member.node)),
            ),
        ]
    }

    fn maintenance(&self) -> Option<Timestamp> {
        self.coordinator.caller.peers.own_maintenance().map(|own| own.until)
    }

    fn readings(&self) -> Vec<Reading> {
        let Coordinator { archive, caller, rounds, collections, deliveries, circulation, .. } =
            &*self.coordinator;
        let mut readings = vec![
            Reading {
                name: "accord_build_info",
                labels: vec![
                    ("program", "accord-coordinator".to_owned()),
                    ("version", env!("CARGO_PKG_VERSION").to_owned()),
                ],
                value: 1.0,
            },
            Reading::of("accord_journal_entries", count(archive.journal_size())),
            Reading::with("accord_collections", "state", "open", count(collections.number())),
            Reading::of(
                "accord_deliveries_waiting",
                count(deliveries.waiting() + circulation.waiting()),
            ),
        ];
        let mut known = |name, value: Option<f64>| {
            readings.extend(value.map(|value| Reading::of(name, value)));
        };
        known(
            "accord_in_doubt",
            archive.in_doubt().ok().map(|in_doubt| f64::from(u8::from(in_doubt))),
        );
        let backed_up = backup::last(archive.path()).map(|at| moment(at.as_s()));
        known("accord_backup_last_success_timestamp_seconds", backed_up);
        known("accord_store_bytes", archive.bytes().ok().map(count));
        known("accord_store_free_bytes", free_bytes(archive.path()).map(count));
        let endings = self.coordinator.endings.get();
        readings.extend(expiry::first_of_kinds(&endings).into_iter().map(|(kind, ends)| {
            let ends = moment(ends.as_s());
            Reading::with("accord_ends_timestamp_seconds", "what", kind, ends)
        }));
        readings.extend(renewal::readings(&self.coordinator.untaken.get()));
        let roster = self.coordinator.roster();
        let members = roster.members.iter().map(|member| &member.node);
        readings.extend(caller.peers.readings(members));
        readings.extend(rounds.readings());
        readings.extend(self.tally.readings());
        readings
    }
}
