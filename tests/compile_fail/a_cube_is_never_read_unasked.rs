// The lie: that something is asked is taken for consent to it.
use accord_node::{
    cube::{self, Slice},
    freeze::Editions,
};
use accord_proto::question::Requirement;

fn unconsented(editions: &Editions, asked: &Requirement) -> Slice {
    cube::slice(editions, asked)
}
