// The lie: what a member said is believed as it came.
use accord_coordinator::{
    gate::{self, GatePolicy, PooledBefore, Verdicts},
    gather::Reply,
};
use accord_proto::taxonomy::Lists;

fn unverified(reply: Reply, before: &PooledBefore, lists: &Lists) -> Verdicts {
    gate::judge(&[reply], 3, &GatePolicy::default(), before, lists)
}
