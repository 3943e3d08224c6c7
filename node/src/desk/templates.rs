//! A file to fill in, for one indicator: its columns, the codes to choose from, and the mapping that reads
//! it back. Comes in: an indicator. Goes out: a workbook or CSV, and TOML. Holds no figure.

use accord_proto::{
    reason::{Invalid, Reason},
    taxonomy::{Indicator, Semantics},
};

use crate::{
    answer::Node,
    ingest::template::{self, Template, TemplateColumn},
};

/// Makes a file and its mapping.
pub fn template(
    node: &Node,
    indicator: &str,
    events: bool,
    csv: bool,
) -> Result<(Vec<u8>, String), Invalid> {
    let indicator = node.lists.indicator("indicator", indicator)?;
    let additive =
        matches!(indicator.semantics, Semantics::Flow | Semantics::Stock | Semantics::Magnitude);
    if events && !additive {
        let detail = format!("{} is not counted event by event", indicator.code);
        return Err(Invalid::new(Reason::FieldInvalid, "events", detail));
    }
    let columns = columns(node, indicator, events);
    let mapping = mapping(indicator, &columns, events);
    let file = if csv {
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        template::csv(&names).into_bytes()
    } else {
        let notes = vec![
            format!("{} ({}): {}", indicator.label, indicator.code, indicator.definition),
            format!("Unit: {}. Write plain numbers, without thousands separators.", indicator.unit),
            "Leave the value empty and write missing as its status where a figure is not available; \
             never write 0 for it."
                .to_owned(),
            "No names, identity numbers or other personal data: such rows are refused.".to_owned(),
        ];
        template::workbook(&Template { columns, notes })?
    };
    Ok((file, mapping))
}

fn columns(node: &Node, indicator: &Indicator, events: bool) -> Vec<TemplateColumn> {
    let lists = node.lists;
    let column = |name: &str, explanation: &str, allowed: Vec<(String, String)>| TemplateColumn {
        name: name.to_owned(),
        explanation: explanation.to_owned(),
        as_text: name != "value",
        allowed,
    };
    let areas = lists.crime_areas_of(indicator);
    let areas = areas.map(|code| (code.to_string(), lists.crime_area_label(code).to_owned()));
    let levels = indicator.levels.iter();
    let regions = levels.flat_map(|level| lists.regions_of(node.jurisdiction, *level));
    let regions = regions.filter_map(|code| lists.region_of(code));
    let regions = regions.map(|region| (region.code.to_string(), region.label.clone()));
    let lengths: Vec<_> = indicator.granularity.iter().map(ToString::to_string).collect();
    let periods = format!("By {}. Written 2024, 2024-H1, 2024-Q3 or 2024-05.", lengths.join(", "));
    let statuses = ["value", "estimated", "provisional", "break", "low_reliability", "missing"];
    let statuses = statuses.map(|status| (status.to_owned(), String::new()));
    let mut columns = vec![
        column("crime_area", "What it is about.", areas.collect()),
        column("region", "Where.", regions.collect()),
        column("period", &periods, Vec::new()),
        column("value", &format!("In {}.", indicator.unit), Vec::new()),
        column("status", "How the figure is meant.", statuses.to_vec()),
    ];
    for dimension in &indicator.dimensions {
        let categories = lists.categories(*dimension);
        let categories = categories.map(|of| (of.code.to_string(), of.label.clone())).collect();
        let explanation = "Leave empty if it is not told apart.";
        columns.push(column(&format!("dimension.{dimension}"), explanation, categories));
    }
    if events {
        let unit = format!(
            "Your own number of the {}; it is kept as a pseudonym only.",
            indicator.unit_at_risk
        );
        columns.push(column("unit", &unit, Vec::new()));
        columns.push(column("source", "Number of the source or report, if any.", Vec::new()));
    } else {
        let units =
            format!("How many ({}) are behind the figure, if known.", indicator.unit_at_risk);
        columns.push(column("units", &units, Vec::new()));
        columns.push(column("largest", "What the largest of them brings, if known.", Vec::new()));
        columns.push(column("second", "What the second largest brings.", Vec::new()));
    }
    columns.push(column("handling", "Handling codes such as H1 or TLP:AMBER.", Vec::new()));
    columns
}

/// The mapping that reads the columns as they are called.
fn mapping(indicator: &Indicator, columns: &[TemplateColumn], events: bool) -> String {
    let rows = if events { "events" } else { "totals" };
    let columns = columns.iter().map(|column| format!("\"{0}\" = \"{0}\"\n", column.name));
    format!(
        "# Reads the template of {code} when it is filled in.\n\
         source = \"own figures, template of {code}\"\n\
         rows = \"{rows}\"\n\n\
         [columns]\n{columns}\n\
         [constants]\nindicator = \"{code}\"\n\n\
         # An empty status is a figure; write missing where there is none.\n\
         [codes.status]\n\"\" = \"value\"\n",
        code = indicator.code,
        columns = columns.collect::<String>(),
    )
}
