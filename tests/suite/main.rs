//! What Accord promises, executed. Modules stand in the order of the data flow; `tests/README.md` maps each
//! promise to its test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::{cell::Cell, ops::Deref, path::PathBuf};

use accord_tests::federation::{Dialling, Federation};

mod exchange;
mod dialled;
mod dial;
mod protocol;
mod consent;
mod inbox;
mod gates;
mod matrix;
mod categories;
mod analyst;
mod upload;
mod london;
mod published;
mod summary;
mod feasible;
mod pooled;
mod forgotten;
mod threads;
mod protected;
mod evidence;
mod custody;
mod collect;
mod faulty;
mod expected;
mod exports;
mod threat;
mod readers;
mod deliveries;
mod products;
mod bulletin;
mod bulletins;
mod history;
mod journal;
mod adversary;
mod fuzz;
mod attacks;
mod budget;
mod partition;
mod simulation;
mod standing;
mod preview;
mod rollup;
mod listener;
mod hostile;
mod rotation;
mod crash;
mod store;
mod backup;
mod at_rest;
mod formats;
mod golden;
mod deploy;
mod doctor;
mod watched;
mod handshakes;
mod rolling;
mod maintenance;
mod monitoring;
mod operate;
mod commands;
mod reasons;
mod house;

/// A federation in a folder that goes with it.
struct Running {
    federation: Federation,
    // Dropped after the federation: processes first, files then.
    _dir: tempfile::TempDir,
}

impl Deref for Running {
    type Target = Federation;

    fn deref(&self) -> &Federation {
        &self.federation
    }
}

/// The binary that plays every role.
fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_accord-tests"))
}

thread_local! {
    /// Which nodes dial in the federations that the test on this thread prepares.
    static DIALLING: Cell<Dialling> = const { Cell::new(Dialling::Nobody) };
}

/// The very same test with nodes that dial.
fn with_dialling(dialling: Dialling, test: fn()) {
    DIALLING.set(dialling);
    test();
}

/// Keys, roster and configs; nothing runs.
fn prepared(jurisdictions: &[&str]) -> Running {
    prepared_with(jurisdictions, DIALLING.get())
}

/// The same, and some of the nodes dial.
fn prepared_with(jurisdictions: &[&str], dialling: Dialling) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("federation");
    let federation =
        Federation::prepare_with(program(), &folder, jurisdictions, (None, dialling)).unwrap();
    Running { federation, _dir: dir }
}

/// A federation that runs and holds nothing.
fn started(jurisdictions: &[&str]) -> Running {
    let mut running = prepared(jurisdictions);
    running.federation.start().unwrap();
    running
}

/// A federation that holds the sample, frozen and consented to.
fn with_sample(jurisdictions: &[&str]) -> Running {
    let running = started(jurisdictions);
    running.with_sample().unwrap();
    running
}
