//! The coordinator: asks, verifies, combines. It does not depend on the node, so it cannot even name a
//! true count; what it holds of a member's figures lives in memory while they are combined.
//!
//! ```text
//! requirement ─► gather ─► verify ─► gate ─► combine ─► picture ─► rank ─► product
//! ```
//!
//! Modules stand in the order of the data flow. Read [`survey`] first.

mod forget;
pub mod config;
pub mod requirement;
pub mod heads;
pub mod look;
pub mod gather;
pub mod verify;
pub mod gate;
pub mod combine;
pub mod picture;
pub mod export;
pub mod rounds;
pub mod pinned;
pub mod archive;
pub mod standing;
pub mod evidence;
pub mod custody;
pub mod deliver;
pub mod collection;
pub mod collect;
pub mod circulate;
pub mod survey;
pub mod rank;
pub mod products;
pub mod service;
pub mod vitals;
pub mod run;
pub mod examine;
pub mod commands;
pub mod cli;
