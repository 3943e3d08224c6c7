//! The generated types, fenced in. Only this crate's `TryFrom`s and the service adapters name them.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    clippy::allow_attributes_without_reason,
    clippy::disallowed_methods,
    reason = "generated from proto/schema, where the documentation stands"
)]
mod generated {
    pub mod accord {
        pub mod exchange {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.exchange.v1.rs"));
            }
        }
        pub mod cycle {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.cycle.v1.rs"));
            }
        }
        pub mod desk {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.desk.v1.rs"));
            }
        }
        pub mod journal {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.journal.v1.rs"));
            }
        }
        pub mod maintenance {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.maintenance.v1.rs"));
            }
        }
        pub mod product {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.product.v1.rs"));
            }
        }
        pub mod proof {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.proof.v1.rs"));
            }
        }
        pub mod region {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.region.v1.rs"));
            }
        }
        pub mod threat {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/accord.threat.v1.rs"));
            }
        }
    }
}

pub use generated::accord::{
    cycle::v1 as cycle, desk::v1 as desk, exchange::v1::*, journal::v1 as journal,
    maintenance::v1 as maintenance, product::v1 as product, proof::v1 as proof,
    region::v1 as region, threat::v1 as threat,
};

/// The compiled schema: for gRPC reflection, and to name a field that nobody knows.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
