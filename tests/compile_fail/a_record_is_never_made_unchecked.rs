// The lie: a figure is put beside a cell, and nobody has looked at its codes.
use accord_node::record::{CellKey, Context, Declared, Kind, Observed, Quality, Record};

fn unchecked(cell: CellKey, observed: Observed) -> Record {
    let (kind, quality) = (Kind::Total(Declared::default()), Quality::Normal);
    Record { id: 1, cell, kind, observed, quality, source: None, context: Context::default() }
}
