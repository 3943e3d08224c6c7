//! A picture for programs. Comes in: a picture as it is shown. Goes out: one JSON document; every number keeps every digit.

use serde_json::{Value, json};

use super::{
    OwnFigure, Shown, figure, footnotes, method_name, number, own, scaled, sealed_at,
    standard_error, state_name, status_name,
};
use crate::{
    regional,
    taxonomy::{Lists, decimal},
    wire::{self as exchange, region as wire},
};

pub(super) fn document(shown: &Shown, lists: &Lists) -> Value {
    let Shown { picture, notices, version, drawn_at, own } = shown;
    let coverage = picture.coverage.unwrap_or_default();
    let cell = |(cell, figures): (&wire::PictureCell, &[OwnFigure])| {
        let mut shown = json!({
            "indicator": cell.indicator,
            "crime_area": cell.crime_area,
            "region": cell.region,
            "period": cell.period,
            "categories": cell.categories,
            "value": number(figure(cell)),
            "standard_error": number(standard_error(cell)),
            "lower": number(scaled(cell.lower, cell)),
            "upper": number(scaled(cell.upper, cell)),
            "whole_lower": number(scaled(cell.whole_lower, cell)),
            "whole_upper": number(scaled(cell.whole_upper, cell)),
            "method": method_name(cell.method()),
            "basis": basis(cell),
            "shares": cell.shares.iter().map(|share| shown_share(share, cell)).collect::<Vec<_>>(),
            "unit": cell.unit,
            "status": status_name(cell.status()),
            "contributors": cell.contributors,
            "missing": cell.missing,
            "not_shown": cell.not_shown,
            "silent": cell.silent,
        });
        if own.is_some() {
            shown["own"] = own::json(figures, cell.decimals);
        }
        shown
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
    let sealed: serde_json::Map<_, _> =
        picture.members.iter().map(|state| (state.node.clone(), json!(sealed_at(state)))).collect();
    let mut printed = json!({
        "notices": notices.iter().map(as_notice).collect::<Vec<_>>(),
        "picture": {
            "federation": picture.federation,
            "requirement": picture.requirement,
            "version": version,
            "drawn_at": drawn_at,
            "lists": picture.lists,
            "coverage": {"answered": coverage.answered, "members": coverage.members},
            "contributors_min": picture.contributors_min,
            "deviations": picture.deviations.iter().map(|of| deviation(of, lists)).collect::<Vec<_>>(),
            "cells": shown.cells().map(cell).collect::<Vec<_>>(),
            "footnotes": footnotes(picture, lists),
        },
        "members": picture.members.iter().map(member).collect::<Vec<_>>(),
        "sealed_at": sealed,
    });
    if own.is_some() {
        printed["own_marking"] = json!(own::MARK);
    }
    printed
}

fn deviation(of: &wire::Deviation, lists: &Lists) -> Value {
    json!({
        "indicator": of.indicator,
        "jurisdiction": of.jurisdiction,
        "node": of.node,
        "codes": of.codes,
        "text": regional::in_words(of, lists),
    })
}

fn as_notice(notice: &exchange::Notice) -> Value {
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
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who brings how exact a figure.
fn basis(cell: &wire::PictureCell) -> Value {
    let of = |basis: &wire::Basis| {
        (precision_name(basis.precision()).to_owned(), json!(basis.jurisdictions))
    };
    Value::Object(cell.basis.iter().map(of).collect())
}

fn precision_name(precision: wire::Precision) -> &'static str {
    match precision {
        wire::Precision::Open => "open",
        wire::Precision::Masked => "masked",
        wire::Precision::Protected => "protected",
        wire::Precision::Bulletin => "bulletin",
        wire::Precision::Unspecified => "",
    }
}

/// A member's own figure, under its name.
fn shown_share(share: &wire::Share, cell: &wire::PictureCell) -> Value {
    let status = match share.status() {
        wire::ShareStatus::Value => "value",
        wire::ShareStatus::Between => "between",
        wire::ShareStatus::Missing => "missing",
        wire::ShareStatus::NotShown => "not_shown",
        wire::ShareStatus::NotApplicable => "not_applicable",
        wire::ShareStatus::Unspecified => "unknown",
    };
    let has = |wanted| status == wanted;
    let end = |bound: i64, wanted| number(has(wanted).then(|| decimal(bound, cell.decimals)));
    let error = i64::try_from(share.standard_error_milli).unwrap_or(i64::MAX);
    json!({
        "jurisdiction": share.jurisdiction,
        "node": share.node,
        "region": share.region,
        "status": status,
        "value": end(share.value, "value"),
        "lower": end(share.value, "between"),
        "upper": end(share.upper, "between"),
        "standard_error": number(has("value").then(|| match error {
            0 => "0".to_owned(),
            error => decimal(error, cell.decimals.saturating_add(3)),
        })),
        "precision": precision_name(share.precision()),
    })
}
