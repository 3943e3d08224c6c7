//! JSON, and JSON lines. Comes in: header and observations. Goes out: objects with stable names. A figure is a text
//! with every digit: a reader's float would lose some.

use serde_json::{Map, Value, json};

use super::{Exact, Header, Observation, columns, notes};

/// One document.
pub(super) fn document(header: &Header, observations: &[Observation]) -> Vec<u8> {
    let member = |of: &super::Member| {
        json!({
            "jurisdiction": of.jurisdiction.code,
            "name": of.jurisdiction.name,
            "node": of.node,
            "state": of.state,
            "reason": if of.reason.is_empty() { Value::Null } else { json!(of.reason) },
            "single_handed": of.single_handed,
        })
    };
    let notes = notes::notes(header, observations);
    let notes = notes.into_iter().map(|(topic, text)| json!({"topic": topic, "text": text}));
    let document = json!({
        "picture": {
            "federation": header.federation,
            "requirement": header.requirement,
            "version": header.version,
            "drawn_at": header.drawn_at.to_string(),
            "picture_sha256": header.digest.to_string(),
            "lists": header.lists,
            "coverage": {"answered": header.answered, "members": header.asked},
            "population": header.population,
            "cells": header.cells,
            "selection": header.selection,
        },
        "members": header.members.iter().map(member).collect::<Vec<_>>(),
        "observations": observations.iter().map(|of| Value::Object(observation(of))).collect::<Vec<_>>(),
        "notes": notes.collect::<Vec<_>>(),
        "footnotes": notes::footnotes(header, observations),
    });
    format!("{document}\n").into_bytes()
}

/// A line for each cell: torn out of its file it still says which picture it is of, and what that covers.
pub(super) fn lines(header: &Header, observations: &[Observation]) -> Vec<u8> {
    let line = |cell: &Observation| {
        let picture = json!({
            "requirement": header.requirement,
            "version": header.version,
            "drawn_at": header.drawn_at.to_string(),
            "picture_sha256": header.digest.to_string(),
            "answered": header.answered,
            "members": header.asked,
        });
        let fields = observation(cell).into_iter().chain([("picture".to_owned(), picture)]);
        format!("{}\n", Value::Object(fields.collect()))
    };
    observations.iter().map(line).collect::<String>().into_bytes()
}

fn observation(cell: &Observation) -> Map<String, Value> {
    let number = |exact: Option<Exact>| exact.map(|exact| exact.to_string());
    let ([lower, upper], [whole_lower, whole_upper]) = (cell.interval(), cell.whole());
    let categories = cell.categories.iter();
    let categories = categories.map(|of| (of.dimension.clone(), json!(of.category.code)));
    let basis = columns::basis(cell);
    let fields = [
        ("indicator", json!(cell.indicator.code)),
        ("indicator_name", json!(cell.indicator.name)),
        ("crime_area", json!(cell.crime_area.code)),
        ("crime_area_name", json!(cell.crime_area.name)),
        ("region", json!(cell.region.code)),
        ("region_name", json!(cell.region.name)),
        ("period", json!(cell.period.to_string())),
        ("categories", Value::Object(categories.collect())),
        ("state", json!(cell.state.as_str())),
        ("value", json!(number(cell.figure()))),
        ("unit", json!(cell.unit)),
        ("decimals", json!(cell.decimals)),
        ("standard_error", json!(number(cell.standard_error()))),
        ("lower", json!(number(lower))),
        ("upper", json!(number(upper))),
        ("whole_lower", json!(number(whole_lower))),
        ("whole_upper", json!(number(whole_upper))),
        ("basis", if basis.is_empty() { Value::Null } else { json!(basis) }),
        ("contributors", json!(cell.contributors)),
        ("missing", json!(cell.missing)),
        ("not_shown", json!(cell.not_shown)),
        ("silent", json!(cell.silent)),
        ("footnotes", json!(cell.footnotes)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
