//! gRPC adapters: parse, call, convert. No decision is made here, and nothing is computed.

pub mod desk;
pub mod exchange;
pub mod inbox;
pub mod receipts;
pub mod pictures;
pub mod products;
mod circulation;
mod delivery;
pub mod summaries;
pub mod journal;
mod maintenance;
