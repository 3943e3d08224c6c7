// The lie: any table is declared safe.
use accord_node::disclose::SafeTable;
use accord_proto::table::Table;

fn by_hand(table: Table) -> SafeTable {
    SafeTable(table)
}
