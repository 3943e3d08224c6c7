//! A national node. Records live and die here; what leaves is a sealed table, and only [`answer`] makes one.
//!
//! ```text
//! file ─► ingest ─► record ─► store ─► freeze ─► cube ─┐
//! question ─► consent ─► cube.slice ─► disclose ─► journal ─► seal ─► answer
//! ```
//!
//! Modules stand in the order of the data flow. Read [`answer`] first.

pub mod config;
pub mod policy;
pub mod record;
pub mod ingest;
pub mod lattice;
pub mod summary;
pub mod store;
pub mod freeze;
pub mod cube;
pub mod consent;
pub mod inbox;
pub mod disclose;
pub mod preview;
pub mod seal;
pub mod notify;
pub mod receipt;
pub mod pinned;
pub mod answer;
pub mod peers;
pub mod standing;
pub mod pictures;
pub mod products;
pub mod desk;
pub mod service;
pub mod port;
pub mod vitals;
pub mod run;
pub mod examine;
pub mod commands;
pub mod cli;
