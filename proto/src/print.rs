//! How things look, for both programs: tables for people, JSON for programs, CSV for spreadsheets. Comes in: what a call
//! returned. Goes out: text. A picture never prints without its coverage, a node's own share never without its mark.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::{
    clock::Timestamp,
    ratio, regional, strict,
    taxonomy::{CrimeAreaCode, Lists, TOTAL, decimal},
    wire::{self as exchange, region as wire},
};

pub mod cycle;
mod json;
mod own;
mod ranking;
mod shown;

pub use crate::regional::COUNTED_TWICE;
pub use own::{OwnCell, OwnFigure};
pub use ranking::{OwnPlace, RankingShown, ranking};
pub use shown::Shown;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For programs that read line by line: one object each.
    Jsonl,
    /// For spreadsheets.
    Csv,
}

/// A list of objects; one object is a list of one, and a line for each of its keys in a table.
pub fn rows(format: impl Into<Format>, rows: &Value) -> String {
    let format = format.into();
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
        Format::Jsonl => list.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"),
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

/// How far a clock is off, like `+0.3 s`; empty: unknown.
pub fn clock(offset_ms: Option<i64>) -> String {
    let Some(offset_ms) = offset_ms else { return String::new() };
    let sign = if offset_ms < 0 { '-' } else { '+' };
    let tenths = offset_ms.unsigned_abs().saturating_add(50) / 100;
    format!("{sign}{}.{} s", tenths / 10, tenths % 10)
}

/// One member's state, in one line.
pub fn member(state: &wire::MemberState) -> String {
    let reason =
        if state.reason.is_empty() { String::new() } else { format!(" ({})", state.reason) };
    let alone = if state.single_handed { ", released by one person under break-glass" } else { "" };
    let name = state_name(state.state());
    format!("{} {}: {name}{alone}{reason}", state.jurisdiction, state.node)
}

/// What a member says of its answer since, in one line.
pub fn notice(notice: &exchange::Notice) -> String {
    let standing = match notice.standing() {
        exchange::Standing::Withdrawn => "has withdrawn its answer",
        exchange::Standing::Narrowed => "has withdrawn a part of its answer",
        exchange::Standing::Unspecified => "says nothing clear of its answer",
    };
    let at = Timestamp::from_s("notice", notice.at_s).map_or(String::new(), |at| at.to_string());
    format!("{} {}: {standing} ({at})", notice.jurisdiction, notice.node)
}

/// A picture, with the ratios of its figures, and with what is said of its answers since.
pub fn picture(format: impl Into<Format>, shown: &Shown, lists: &Lists) -> String {
    let mut shown = shown.clone();
    shown.picture.cells.extend(ratio::of(&shown.picture, lists));
    match format.into() {
        // A picture is one thing.
        Format::Json | Format::Jsonl => json::document(&shown, lists).to_string(),
        Format::Csv => as_csv(&shown),
        Format::Table => as_table(&shown, lists),
    }
}

fn as_csv(shown: &Shown) -> String {
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
    const OWN_HEADER: [&str; 2] = ["own", "own_marking"];
    let Shown { picture, version, own, .. } = shown;
    let coverage = picture.coverage.unwrap_or_default();
    let row = |(cell, of_own): (&wire::PictureCell, &[OwnFigure])| {
        let mut row = vec![
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
        ];
        if own.is_some() {
            row.extend([own::text(of_own, cell.decimals), own::MARK.to_owned()]);
        }
        row
    };
    let own_header = OWN_HEADER.iter().filter(|_| own.is_some());
    let header = HEADER.iter().chain(own_header).map(|name| (*name).to_owned()).collect();
    csv(std::iter::once(header).chain(shown.cells().map(row)))
}

/// When a member sealed its answer: how fresh it is. Empty: it has not.
fn sealed_at(state: &wire::MemberState) -> String {
    let seal = state.seal.as_ref();
    let seal = seal.and_then(|seal| strict::decode_signed("seal", &seal.payload).ok());
    let at = seal.and_then(|seal: exchange::Seal| {
        Timestamp::from_s("seal.issued_at_s", seal.issued_at_s).ok()
    });
    at.map_or_else(String::new, |at| at.to_string())
}

fn as_table(shown: &Shown, lists: &Lists) -> String {
    let Shown { picture, version, drawn_at, own, .. } = shown;
    let coverage = picture.coverage.unwrap_or_default();
    let mut text = format!(
        "Regional picture {} version {version}, {drawn_at}\nCoverage {}/{}\n",
        picture.requirement, coverage.answered, coverage.members
    );
    if picture.contributors_min > 0 {
        let least = picture.contributors_min;
        text += &format!("A figure that is not public rests on {least} jurisdictions or more\n");
    }
    let mut members = plain(["JURISDICTION", "NODE", "STATE", "SEALED", "REASON"]);
    for state in &picture.members {
        let (label, sealed) = (label(lists, &state.jurisdiction), sealed_at(state));
        let (name, day) = (state_name(state.state()), sealed.get(..10).unwrap_or_default());
        members.add_row([label.as_str(), &state.node, name, day, &state.reason]);
    }
    text += &format!("\n{members}\n");

    // One table for each indicator: crime areas down, periods across.
    let mut indicators: Vec<_> = picture.cells.iter().map(|cell| &cell.indicator).collect();
    indicators.dedup();
    for code in indicators {
        let cells: Vec<_> = shown.cells().filter(|(cell, _)| cell.indicator == *code).collect();
        text += &format!("\n{}\n", grid(code, &cells, own.is_some(), lists));
        let declared = picture.deviations.iter().filter(|of| of.indicator == *code);
        for deviation in declared {
            text += &format!("Counted otherwise: {}\n", regional::in_words(deviation, lists));
        }
        if lists.indicator("indicator", code).is_ok_and(|indicator| indicator.counted_twice) {
            text += &format!("{COUNTED_TWICE}\n");
        }
    }
    text += "\n† rests on some of the members asked: not the whole region.  : not available.  c not shown.  / not combined.\n";
    if picture.cells.iter().any(|cell| cell.standard_error_milli != 0) {
        text += "± standard error: the figure is not exact.\n";
    }
    if own.is_some() {
        text += &format!("own: what this node has released of it; {}.\n", own::MARK);
    }
    for footnote in footnotes(picture, lists) {
        text += &format!("{footnote}\n");
    }
    text.trim_end().to_owned()
}

/// A cell and the node's own share of it.
type Beside<'a> = (&'a wire::PictureCell, &'a [OwnFigure]);

fn grid(code: &str, cells: &[Beside<'_>], with_own: bool, lists: &Lists) -> String {
    let indicator = lists.indicator("indicator", code).ok();
    let name = indicator.map_or(code, |indicator| &indicator.label);
    let unit = indicator.map_or("", |indicator| &indicator.unit);
    let mut periods: Vec<_> = cells.iter().map(|(cell, _)| cell.period.as_str()).collect();
    periods.sort_unstable();
    periods.dedup();
    let row_of = |cell: &wire::PictureCell| (cell.crime_area.clone(), cell.categories.clone());
    let mut rows: Vec<_> = cells.iter().map(|(cell, _)| row_of(cell)).collect();
    rows.sort_unstable();
    rows.dedup();
    // Categories have a column where somebody asked for them.
    let broken_down = rows.iter().any(|(_, categories)| categories != TOTAL);
    let head = if broken_down { 3 } else { 2 };
    let columns = periods
        .iter()
        .flat_map(|period| [*period, "own"].into_iter().take(if with_own { 2 } else { 1 }));
    let mut table = plain(vec![""; head].into_iter().chain(columns));
    for row in rows {
        let figures = periods.iter().flat_map(|period| {
            let of_row = |(cell, _): &&Beside<'_>| cell.period == *period && row_of(cell) == row;
            let found = cells.iter().find(of_row);
            let figure = found.map_or_else(String::new, |(cell, _)| marked(cell));
            let own = found.map_or_else(String::new, |(cell, own)| own::text(own, cell.decimals));
            std::iter::once(figure).chain(with_own.then_some(own))
        });
        let (area, categories) = &row;
        let label = CrimeAreaCode::parse(area).map_or("", |code| lists.crime_area_label(code));
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
        (wire::PictureStatus::Between, _) => {
            let end = |bound| scaled(bound, cell).unwrap_or_default();
            format!("{}..{}", end(cell.lower), end(cell.upper))
        }
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

/// A number of JSON, with every digit.
fn number(text: Option<String>) -> Option<serde_json::Number> {
    text.and_then(|text| text.parse().ok())
}

/// A bound, in the figure's unit.
fn scaled(bound: Option<i64>, cell: &wire::PictureCell) -> Option<String> {
    bound.map(|bound| decimal(bound, cell.decimals))
}

fn method_name(method: wire::Method) -> &'static str {
    match method {
        wire::Method::Sum => "sum",
        wire::Method::Mean => "mean",
        wire::Method::Median => "median",
        wire::Method::Ratio => "ratio",
        wire::Method::Unspecified => "",
    }
}

/// Its standard error, in the figure's unit; 0: it is exact.
fn standard_error(cell: &wire::PictureCell) -> Option<String> {
    figure(cell).map(|_| error_text(cell.standard_error_milli, cell.decimals))
}

fn error_text(milli: u64, decimals: u32) -> String {
    match i64::try_from(milli).unwrap_or(i64::MAX) {
        0 => "0".to_owned(),
        error => decimal(error, decimals.saturating_add(3)),
    }
}

fn label(lists: &Lists, code: &str) -> String {
    lists
        .jurisdiction("jurisdiction", code)
        .map_or_else(|_| code.to_owned(), |known| format!("{code} {}", known.label))
}

/// Footnotes that belong to the names in this picture; they cannot be switched off.
fn footnotes(picture: &wire::Picture, lists: &Lists) -> Vec<String> {
    footnotes_of(picture.members.iter().map(|state| &state.jurisdiction), lists)
}

fn footnotes_of<'a>(codes: impl Iterator<Item = &'a String>, lists: &Lists) -> Vec<String> {
    let mut notes: Vec<_> = codes
        .filter_map(|code| lists.jurisdiction("jurisdiction", code).ok())
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
        wire::PictureStatus::Between => "between",
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
