//! The harness: starts real federations from code. Every node and the coordinator is a process of its own,
//! with its own folder, keys and config (the very files of `deploy/`, edited only in addresses), over real
//! TLS and a real store.

pub mod attack;
pub mod callers;
pub mod canaries;
pub mod crash;
pub mod damage;
pub mod federation;
pub mod london;
pub mod fulldisk;
pub mod fuzz;
pub mod gathers;
pub mod hostile;
pub mod measure;
pub mod peers;
pub mod process;
pub mod proxy;
pub mod report;
pub mod resident;
pub mod review;
pub mod ring;
pub mod roles;
pub mod rotation;
pub mod simulation;
pub mod stand_in;
pub mod torn;
pub mod vitals;
pub mod yardstick;

#[doc(hidden)]
pub mod compile_fail;
