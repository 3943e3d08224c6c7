// The lie: true figures are sealed, past disclosure.
use accord_node::{cube::Slice, seal::SealedAnswer};
use accord_proto::{
    answer::Seal,
    seal::{Digest, SecretKey},
    taxonomy::Lists,
    tree::Salting,
};

fn undisclosed(
    slice: Slice,
    lists: &Lists,
    key: &SecretKey,
    bind: impl FnOnce(Digest, Digest) -> Seal,
    salting: Salting<'_>,
) -> SealedAnswer {
    SealedAnswer::seal(&slice, salting, lists, key, bind)
}
