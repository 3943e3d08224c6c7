// The lie: true figures are sealed, past disclosure.
use accord_node::{cube::Slice, seal::SealedAnswer};
use accord_proto::{
    answer::Seal,
    seal::{Digest, SecretKey},
};

fn undisclosed(slice: Slice, key: &SecretKey, bind: impl FnOnce(Digest) -> Seal) -> SealedAnswer {
    SealedAnswer::seal(&slice, key, bind)
}
