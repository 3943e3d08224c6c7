//! The contract of an Accord federation: everything that two organisations must agree on.
//!
//! In reading order: bounds and words first, then the data flow from question to sealed answer,
//! then how the bytes travel. Generated types stay fenced in [`wire`]; everybody else sees
//! validated types that only their checked constructors can make.
//!
//! This crate must never depend on a node or the coordinator, and never hold data of its own.

pub mod limits;
pub mod reason;
pub mod clock;
pub mod current;
pub mod expiry;
pub mod maintenance;
pub mod protocol;
pub mod id;
pub mod taxonomy;
pub mod identity;
pub mod seal;
pub mod roster;
pub mod question;
pub mod rules;
pub mod table;
pub mod tree;
pub mod answer;
pub mod standing;
pub mod regional;
pub mod lattice;
pub mod combine;
pub mod picture;
pub mod compare;
pub mod audience;
pub mod rate;
mod rounding;
pub mod ratio;
pub mod plain;
pub mod guard;
pub mod threat;
pub mod cycle;
pub mod product;
pub mod journal;
pub mod backup;
pub mod evidence;
pub mod delivery;
pub mod verify;
pub mod wire;
pub mod strict;

#[cfg(feature = "suppress")]
pub mod suppress;

#[cfg(feature = "chart")]
pub mod chart;

#[cfg(feature = "transport")]
pub mod status;
#[cfg(feature = "transport")]
pub mod transport;
#[cfg(feature = "transport")]
pub mod client;
#[cfg(feature = "transport")]
pub mod audit;
#[cfg(feature = "transport")]
pub mod upkeep;
#[cfg(feature = "transport")]
pub mod busy;
#[cfg(feature = "transport")]
pub mod at_rest;
#[cfg(feature = "transport")]
pub mod durable;
#[cfg(feature = "transport")]
pub mod own_lists;
#[cfg(feature = "transport")]
pub mod offline;
#[cfg(feature = "transport")]
pub mod print;
#[cfg(feature = "transport")]
pub mod pki;
#[cfg(feature = "transport")]
pub mod operate;
