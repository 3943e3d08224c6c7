//! How replies look: tables for people, JSON for programs, CSV for spreadsheets. Comes in: what a call
//! returned. Goes out: text; empty if there is nothing.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::cli::Format;

/// A list of objects becomes a table with a column for each key, one object a list of its keys.
pub(crate) fn print(format: Format, data: &Value) -> String {
    match format {
        Format::Json | Format::Jsonl => accord_proto::print::rows(format, data),
        Format::Csv => comma_separated(data),
        Format::Table => table(data),
    }
}

fn table(data: &Value) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Only a terminal has a width; what goes to a file or a pipe is never wrapped.
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout())
        && size.ws_col > 0
    {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(size.ws_col);
    }
    match data {
        Value::Array(rows) => {
            let columns = columns(rows);
            table.set_header(columns.iter().map(|column| column.to_uppercase()));
            for row in rows {
                table.add_row(columns.iter().map(|column| text(&row[column.as_str()])));
            }
            for (at, name) in columns.iter().enumerate() {
                let column = table.column_mut(at).filter(|_| holds_numbers(rows, name));
                if let Some(column) = column {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                table.add_row([name.clone(), text(value)]);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return text(data),
    }
    table.to_string()
}

fn columns(rows: &[Value]) -> Vec<&String> {
    rows.first().and_then(Value::as_object).into_iter().flat_map(|row| row.keys()).collect()
}

/// Figures and counts stand under each other; years are names.
fn holds_numbers(rows: &[Value], column: &str) -> bool {
    let number = |value: &Value| match value {
        Value::Number(_) | Value::Null => true,
        Value::String(text) => text.is_empty() || text.parse::<f64>().is_ok(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    };
    column != "period" && rows.iter().all(|row| number(&row[column]))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(compact).collect::<Vec<_>>().join("\n"),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// A line for each row; one object is one row.
fn comma_separated(data: &Value) -> String {
    let rows = data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice);
    if rows.is_empty() {
        return String::new();
    }
    let columns = columns(rows);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer.write_record(&columns).and_then(|()| {
        rows.iter().try_for_each(|row| {
            writer.write_record(columns.iter().map(|column| match &row[column.as_str()] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Array(list) => list.iter().map(compact).collect::<Vec<_>>().join(" "),
                other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => other.to_string(),
            }))
        })
    });
    // Writing to memory does not fail; were it to, nothing is better than half.
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

/// One entry of a list in one line.
fn compact(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .values()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            fields.collect::<Vec<_>>().join("  ")
        }
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_stand_right_years_left_and_nothing_is_blank() {
        let rows = json!([
            {"period": "2016", "value": "8", "records": 12, "high": null},
            {"period": "2017", "value": "1250.5", "records": 3, "high": ""},
        ]);
        let lines: Vec<_> = table(&rows).lines().map(str::to_owned).collect();
        assert!(lines[1].contains("2016         8") && lines[1].contains("12"), "{lines:?}");
        assert!(lines[2].contains("2017    1250.5"), "{lines:?}");
        assert!(!lines[1].contains("null"), "{lines:?}");
        for format in [Format::Table, Format::Csv] {
            assert_eq!(print(format, &json!([])), "");
        }
    }
}
