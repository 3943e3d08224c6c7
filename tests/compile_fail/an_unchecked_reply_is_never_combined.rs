// The lie: what a member said is believed as it came.
use std::collections::BTreeMap;

use accord_coordinator::{
    gate::{self, RegionalKey, Verdict},
    gather::Reply,
};

fn unverified(reply: Reply) -> BTreeMap<RegionalKey, Verdict> {
    gate::judge(&[reply])
}
