//! The cells of a block as they travel. Comes in: marks and numbers of the wire. Goes out: the block with its cells, checked by the
//! rules that both ends check. Must never take a figure under a mode that has none, nor a number that cannot be.

use super::{Cell, Mode, Placed, TableBlock};
use crate::{
    limits::MEMBERS_MAX,
    reason::{Invalid, Reason},
    roster::bounded,
    taxonomy::Indicator,
    wire,
};

/// Puts its cells into a block that has room for `count`.
pub(super) fn fill(
    block: TableBlock,
    cells: wire::Cells,
    count: usize,
    indicator: &Indicator,
) -> Result<TableBlock, Invalid> {
    // The salt is of no use but to the digest.
    let wire::Cells { salt: _, status, value, standard_error_milli, upper, minimum_contributors } =
        cells;
    bounded("minimum_contributors", minimum_contributors as usize, MEMBERS_MAX)?;
    if status.len() != count || value.len() != count {
        let detail = format!("{} marks and {} values for {count} cells", status.len(), value.len());
        return Err(Invalid::new(Reason::FieldInvalid, "status", detail));
    }
    let mut upper = upper.into_iter();
    let marks = status
        .into_iter()
        .zip(value)
        .map(|(status, value)| cell(status, (value, &mut upper), indicator, block.mode));
    let cells = marks.collect::<Result<_, _>>()?;
    if upper.next().is_some() {
        let detail = "more upper ends than intervals";
        return Err(Invalid::new(Reason::FieldInvalid, "upper", detail));
    }
    let block = TableBlock { cells, standard_error_milli, minimum_contributors, ..block };
    check_standard_errors(&block, indicator)?;
    Ok(block)
}

/// A figure under mode protected never looks exact, and a figure that is exact has no error.
fn check_standard_errors(block: &TableBlock, indicator: &Indicator) -> Result<(), Invalid> {
    let wrong =
        |detail: &str| Err(Invalid::new(Reason::FieldInvalid, "standard_error_milli", detail));
    let errors = &block.standard_error_milli;
    if block.mode != Mode::Protected {
        return if errors.is_empty() {
            Ok(())
        } else {
            wrong("the figures of this mode are exact")
        };
    }
    if errors.len() != block.periods.len() {
        return wrong("one is needed for each period");
    }
    let most = u64::try_from(indicator.value_max).unwrap_or(0).saturating_mul(1_000);
    if errors.iter().any(|error| *error > most) {
        return wrong("outside the plausible range of the indicator");
    }
    let exact =
        |placed: &Placed| matches!(placed.cell, Cell::Value(_)) && placed.standard_error_milli == 0;
    if block.placed().any(|placed| exact(&placed)) {
        return wrong("a protected figure is never exact");
    }
    Ok(())
}

/// The rules that both ends check, before sealing and after verifying.
fn cell(
    status: i32,
    (value, upper): (i64, &mut impl Iterator<Item = i64>),
    indicator: &Indicator,
    mode: Mode,
) -> Result<Cell, Invalid> {
    let refuse = |what: &str| Err(Invalid::new(Reason::FieldInvalid, "value", what));
    let cell = match wire::CellStatus::try_from(status) {
        Ok(wire::CellStatus::Value) => Cell::Value(value),
        Ok(wire::CellStatus::NotShown) => Cell::NotShown,
        Ok(wire::CellStatus::NotApplicable) => Cell::NotApplicable,
        Ok(wire::CellStatus::Missing) => Cell::Missing,
        Ok(wire::CellStatus::Between) => match upper.next() {
            Some(upper) => Cell::Between(value, upper),
            None => return refuse("an interval without an upper end"),
        },
        Ok(wire::CellStatus::Unspecified) | Err(_) => {
            return Err(Invalid::new(
                Reason::CodeUnknown,
                "status",
                format!("{status} is not a mark"),
            ));
        }
    };
    match cell {
        Cell::Value(_) if mode == Mode::Closed => refuse("a value under mode closed"),
        Cell::Value(_) | Cell::Missing | Cell::Between(..)
            if mode == Mode::Open && !indicator.public =>
        {
            refuse("open, but the registry does not say that it is public")
        }
        Cell::Between(..) if mode != Mode::Open => {
            refuse("an interval is told for open indicators only")
        }
        Cell::Between(least, most)
            if !(0 <= least && least < most && most <= indicator.value_max) =>
        {
            refuse("an interval that is none, or outside the plausible range of the indicator")
        }
        // A figure that is added up may be more than the largest plausible observation.
        Cell::Value(value) if mode != Mode::Open && (0..=SUM_MAX).contains(&value) => Ok(cell),
        Cell::Value(value) if !(0..=indicator.value_max).contains(&value) => {
            refuse("outside the plausible range of the indicator")
        }
        Cell::Missing if mode != Mode::Open => refuse("missing is told for open indicators only"),
        Cell::NotShown | Cell::NotApplicable | Cell::Missing if value != 0 => {
            refuse("a value beside another mark")
        }
        Cell::Value(_)
        | Cell::NotShown
        | Cell::NotApplicable
        | Cell::Missing
        | Cell::Between(..) => Ok(cell),
    }
}

/// The largest sum of one member: so many of them still add up in 64 bits.
const SUM_MAX: i64 = i64::MAX / 1024;

pub(super) fn status_of(cell: Cell) -> wire::CellStatus {
    match cell {
        Cell::Value(_) => wire::CellStatus::Value,
        Cell::NotShown => wire::CellStatus::NotShown,
        Cell::NotApplicable => wire::CellStatus::NotApplicable,
        Cell::Missing => wire::CellStatus::Missing,
        Cell::Between(..) => wire::CellStatus::Between,
    }
}
