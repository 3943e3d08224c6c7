//! gRPC adapters: parse, call, convert. No decision is made here, and nothing is computed.

pub mod desk;
pub mod exchange;
pub mod receipts;
pub mod summaries;
