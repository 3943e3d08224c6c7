//! How things look: tables for people, JSON for programs, CSV for spreadsheets. Comes in: what a call
//! returned. Goes out: text. A picture never prints without its coverage.

use accord_proto::{
    clock::Timestamp,
    taxonomy::{CrimeAreaCode, Lists, TOTAL, decimal},
    wire::{self as exchange, region as wire},
};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::cli::Format;

/// A list of objects; one object is a list of one, and a line for each of its keys in a table.
pub(super) fn rows(format: Format, rows: &Value) -> String {
    if let (Format::Table, Value::Object(fields)) = (format, rows) {
        let lines = fields.iter().map(|(name, value)| json!({"field": name, "value": value}));
        return self::rows(format, &Value::Array(lines.collect()));
    }
    let list = rows.as_array().map_or(std::slice::from_ref(rows), Vec::as_slice);
    let columns: Vec<_> =
        list.first().and_then(Value::as_object).into_iter().flat_map(|row| row.keys()).collect();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    let cells =
        |row: &Value| columns.iter().map(|column| text(&row[column.as_str()])).collect::<Vec<_>>();
    match format {
        Format::Json => rows.to_string(),
        Format::Csv if list.is_empty() => String::new(),
        Format::Csv => {
            let header = columns.iter().map(ToString::to_string).collect();
            csv(std::iter::once(header).chain(list.iter().map(cells)))
        }
        Format::Table => {
            let mut table = plain(columns.iter().map(|column| column.to_uppercase()));
            list.iter().for_each(|row| {
                table.add_row(cells(row));
            });
            table.to_string()
        }
    }
}

/// One member's state, in one line.
pub(super) fn member(state: &wire::MemberState) -> String {
    let reason =
        if state.reason.is_empty() { String::new() } else { format!(" ({})", state.reason) };
    let alone = if state.single_handed { ", released by one person under break-glass" } else { "" };
    let name = state_name(state.state());
    format!("{} {}: {name}{alone}{reason}", state.jurisdiction, state.node)
}

/// What a member says of its answer since, in one line.
pub(super) fn notice(notice: &exchange::Notice) -> String {
    let standing = match notice.standing() {
        exchange::Standing::Withdrawn => "has withdrawn its answer",
        exchange::Standing::Narrowed => "has withdrawn a part of its answer",
        exchange::Standing::Unspecified => "says nothing clear of its answer",
    };
    let at = Timestamp::from_s("notice", notice.at_s).map_or(String::new(), |at| at.to_string());
    format!("{} {}: {standing} ({at})", notice.jurisdiction, notice.node)
}

/// A picture, with what is said of its answers since.
pub(super) fn picture(
    format: Format,
    (picture, notices): (&wire::Picture, &[exchange::Notice]),
    version: u32,
    drawn_at: &str,
    lists: &Lists,
) -> String {
    match format {
        Format::Json => as_json((picture, notices), version, drawn_at, lists).to_string(),
        Format::Csv => {
            const HEADER: [&str; 14] = [
                "requirement",
                "version",
                "indicator",
                "crime_area",
                "region",
                "period",
                "value",
                "unit",
                "status",
                "contributors",
                "answered",
                "members",
                "categories",
                "standard_error",
            ];
            let coverage = picture.coverage.unwrap_or_default();
            let row = |cell: &wire::PictureCell| {
                vec![
                    picture.requirement.clone(),
                    version.to_string(),
                    cell.indicator.clone(),
                    cell.crime_area.clone(),
                    cell.region.clone(),
                    cell.period.clone(),
                    figure(cell).unwrap_or_default(),
                    cell.unit.clone(),
                    status_name(cell.status()).to_owned(),
                    cell.contributors.join(" "),
                    coverage.answered.to_string(),
                    coverage.members.to_string(),
                    cell.categories.clone(),
                    standard_error(cell).unwrap_or_default(),
                ]
            };
            let header = HEADER.map(str::to_owned).to_vec();
            csv(std::iter::once(header).chain(picture.cells.iter().map(row)))
        }
        Format::Table => as_table(picture, version, drawn_at, lists),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn as_json(
    (picture, notices): (&wire::Picture, &[exchange::Notice]),
    version: u32,
    drawn_at: &str,
    lists: &Lists,
) -> Value {
    let coverage = picture.coverage.unwrap_or_default();
    let number =
        |text: Option<String>| text.and_then(|text| text.parse::<serde_json::Number>().ok());
    let cell = |cell: &wire::PictureCell| {
        json!({
            "indicator": cell.indicator,
            "crime_area": cell.crime_area,
            "region": cell.region,
            "period": cell.period,
            "categories": cell.categories,
            "value": number(figure(cell)),
            "standard_error": number(standard_error(cell)),
            "unit": cell.unit,
            "status": status_name(cell.status()),
            "contributors": cell.contributors,
            "missing": cell.missing,
            "not_shown": cell.not_shown,
            "silent": cell.silent,
        })
    };
    let member = |state: &wire::MemberState| {
        json!({
            "jurisdiction": state.jurisdiction,
            "node": state.node,
            "state": state_name(state.state()),
            "reason": if state.reason.is_empty() { Value::Null } else { json!(state.reason) },
            "single_handed": state.single_handed,
            "table_sha256": hex(&state.table_sha256),
        })
    };
    let notice = |notice: &exchange::Notice| {
        json!({
            "jurisdiction": notice.jurisdiction,
            "node": notice.node,
            "standing": match notice.standing() {
                exchange::Standing::Withdrawn => "withdrawn",
                exchange::Standing::Narrowed => "narrowed",
                exchange::Standing::Unspecified => "",
            },
            "table_sha256": hex(&notice.table_sha256),
            "at_s": notice.at_s,
        })
    };
    json!({
        "notices": notices.iter().map(notice).collect::<Vec<_>>(),
        "picture": {
            "federation": picture.federation,
            "requirement": picture.requirement,
            "version": version,
            "drawn_at": drawn_at,
            "lists": picture.lists,
            "coverage": {"answered": coverage.answered, "members": coverage.members},
            "cells": picture.cells.iter().map(cell).collect::<Vec<_>>(),
            "footnotes": footnotes(picture, lists),
        },
        "members": picture.members.iter().map(member).collect::<Vec<_>>(),
    })
}

fn as_table(picture: &wire::Picture, version: u32, drawn_at: &str, lists: &Lists) -> String {
    let coverage = picture.coverage.unwrap_or_default();
    let mut text = format!(
        "Regional picture {} version {version}, {drawn_at}\nCoverage {}/{}\n",
        picture.requirement, coverage.answered, coverage.members
    );
    let mut members = plain(["JURISDICTION", "NODE", "STATE", "REASON"]);
    for state in &picture.members {
        let label = label(lists, &state.jurisdiction);
        members.add_row([label.as_str(), &state.node, state_name(state.state()), &state.reason]);
    }
    text += &format!("\n{members}\n");

    // One table for each indicator: crime areas down, periods across.
    let mut indicators: Vec<_> = picture.cells.iter().map(|cell| &cell.indicator).collect();
    indicators.dedup();
    for code in indicators {
        let cells: Vec<_> = picture.cells.iter().filter(|cell| cell.indicator == *code).collect();
        text += &format!("\n{}\n", grid(code, &cells, lists));
    }
    text += "\n† rests on some of the members asked: not the whole region.  : not available.  c not shown.  / not combined.\n";
    if picture.cells.iter().any(|cell| cell.standard_error_milli != 0) {
        text += "± standard error: the figure is not exact.\n";
    }
    for footnote in footnotes(picture, lists) {
        text += &format!("{footnote}\n");
    }
    text.trim_end().to_owned()
}

fn grid(code: &str, cells: &[&wire::PictureCell], lists: &Lists) -> String {
    let indicator = lists.indicator("indicator", code).ok();
    let name = indicator.map_or(code, |indicator| &indicator.label);
    let unit = indicator.map_or("", |indicator| &indicator.unit);
    let mut periods: Vec<_> = cells.iter().map(|cell| cell.period.as_str()).collect();
    periods.sort_unstable();
    periods.dedup();
    let mut rows: Vec<_> =
        cells.iter().map(|cell| (cell.crime_area.as_str(), cell.categories.as_str())).collect();
    rows.sort_unstable();
    rows.dedup();
    // Categories have a column where somebody asked for them.
    let broken_down = rows.iter().any(|(_, categories)| *categories != TOTAL);
    let head = if broken_down { 3 } else { 2 };
    let mut table = plain(vec![""; head].into_iter().chain(periods.iter().copied()));
    for row @ (area, categories) in rows {
        let label = CrimeAreaCode::parse(area).map_or("", |code| lists.crime_area_label(code));
        let figures = periods.iter().map(|period| {
            let cell = cells.iter().find(|cell| {
                (cell.crime_area.as_str(), cell.categories.as_str()) == row
                    && cell.period == *period
            });
            cell.map_or_else(String::new, |cell| marked(cell))
        });
        let named = [area, label, categories].into_iter().take(head).map(str::to_owned);
        table.add_row(named.chain(figures));
    }
    for column in table.column_iter_mut().skip(head) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{name} ({code}, {unit}), all members asked\n{table}")
}

/// A cell in a table for people: a gap is never drawn as zero, a part never as the whole.
fn marked(cell: &wire::PictureCell) -> String {
    let figure = figure(cell).map(|figure| match cell.standard_error_milli {
        0 => figure,
        _ => format!("{figure} ±{}", standard_error(cell).unwrap_or_default()),
    });
    match (cell.status(), figure) {
        (wire::PictureStatus::Value, Some(figure)) => format!("{figure} "),
        (wire::PictureStatus::Partial, Some(figure)) => format!("{figure}†"),
        (wire::PictureStatus::Missing, _) => ": ".to_owned(),
        (wire::PictureStatus::NotApplicable, _) => "/ ".to_owned(),
        (
            wire::PictureStatus::NotShown
            | wire::PictureStatus::Unspecified
            | wire::PictureStatus::Value
            | wire::PictureStatus::Partial,
            _,
        ) => "c ".to_owned(),
    }
}

/// The figure, where there is one.
fn figure(cell: &wire::PictureCell) -> Option<String> {
    let shown = matches!(cell.status(), wire::PictureStatus::Value | wire::PictureStatus::Partial);
    shown.then(|| decimal(cell.value, cell.decimals))
}

/// Its standard error, in the figure's unit; 0: it is exact.
fn standard_error(cell: &wire::PictureCell) -> Option<String> {
    let error = i64::try_from(cell.standard_error_milli).unwrap_or(i64::MAX);
    figure(cell).map(|_| match error {
        0 => "0".to_owned(),
        error => decimal(error, cell.decimals.saturating_add(3)),
    })
}

fn label(lists: &Lists, code: &str) -> String {
    lists
        .jurisdiction("jurisdiction", code)
        .map_or_else(|_| code.to_owned(), |known| format!("{code} {}", known.label))
}

/// Footnotes that belong to the names in this picture; they cannot be switched off.
fn footnotes(picture: &wire::Picture, lists: &Lists) -> Vec<String> {
    let mut notes: Vec<_> = picture
        .members
        .iter()
        .filter_map(|state| lists.jurisdiction("jurisdiction", &state.jurisdiction).ok())
        .map(|jurisdiction| jurisdiction.footnote.clone())
        .filter(|footnote| !footnote.is_empty())
        .collect();
    notes.dedup();
    notes
}

fn state_name(state: wire::State) -> &'static str {
    match state {
        wire::State::Answered => "answered",
        wire::State::Pending => "pending",
        wire::State::Declined => "declined",
        wire::State::Late => "late",
        wire::State::Unreachable => "unreachable",
        wire::State::Rejected => "rejected",
        wire::State::Unspecified => "unknown",
    }
}

fn status_name(status: wire::PictureStatus) -> &'static str {
    match status {
        wire::PictureStatus::Value => "value",
        wire::PictureStatus::Partial => "partial",
        wire::PictureStatus::Missing => "missing",
        wire::PictureStatus::NotShown => "not_shown",
        wire::PictureStatus::NotApplicable => "not_applicable",
        wire::PictureStatus::Unspecified => "unknown",
    }
}

fn plain<T: ToString>(header: impl IntoIterator<Item = T>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.into_iter().map(|column| column.to_string()));
    table
}

/// RFC 4180. Text that a spreadsheet might take for a formula is quoted with an apostrophe.
fn csv(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        let harmless = row.into_iter().map(|field| match field.chars().next() {
            Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{field}"),
            Some(_) | None => field,
        });
        // Writing to memory cannot fail.
        let _ = writer.write_record(harmless);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default().trim_end().to_owned()
}
