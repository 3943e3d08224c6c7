// The lie: a table leaves without a seal.
use accord_node::disclose::SafeTable;
use accord_proto::wire;

fn unsealed(safe: SafeTable) -> wire::AnswerResponse {
    safe.into()
}
