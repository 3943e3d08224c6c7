//! Lies that a member may tell about its answer, each with the reason that it must be refused for.

use std::sync::Arc;

use accord_proto::{
    answer::Seal,
    clock::Timestamp,
    reason::Reason,
    seal::{Digest, SecretKey},
    table::{Cell, Table},
    taxonomy::{CrimeAreaCode, Lists, Tier},
    tree::{Salting, Tree},
    wire,
};

pub(super) type Lie = Box<dyn Fn(&wire::SealedTable) -> wire::SealedTable>;

/// The same table under a seal that was changed and signed anew with `key`.
pub(super) fn resealed(
    sealed: &wire::SealedTable,
    key: &SecretKey,
    own: &SecretKey,
    change: impl FnOnce(&mut Seal),
) -> wire::SealedTable {
    let lists = Lists::builtin();
    let mut seal = Seal::open(sealed.seal.as_ref().unwrap(), &[own.public()], lists).unwrap();
    change(&mut seal);
    wire::SealedTable { seal: Some(seal.sign(key)), ..sealed.clone() }
}

/// Another table under a true seal of its own.
pub(super) fn retabled(
    sealed: &wire::SealedTable,
    own: &SecretKey,
    change: impl FnOnce(&mut Table),
) -> wire::SealedTable {
    let lists = Lists::builtin();
    let (mut table, _) = Tree::from_wire(sealed.clone()).0.read(lists).unwrap();
    change(&mut table);
    let tree = Tree::of(&table, Salting { secret: &[0; 32], tier: Tier::B }, lists);
    let sealed = resealed(sealed, own, own, |seal| {
        seal.table_digest = tree.digest();
        seal.snapshot = table.snapshot();
    });
    tree.to_wire(sealed.seal.unwrap())
}

/// Altered, unsealed, sealed by another, or somebody else's answer altogether.
pub(super) fn lies_of_bytes(
    own: SecretKey,
    stranger: SecretKey,
    neighbours: wire::SealedTable,
    other_answer: wire::SealedTable,
) -> Vec<(&'static str, Reason, Lie)> {
    let altered = |truth: &wire::SealedTable| {
        let mut lie = truth.clone();
        *lie.table.last_mut().unwrap() ^= 1;
        lie
    };
    let other_cells = |truth: &wire::SealedTable| {
        let mut lie = truth.clone();
        *lie.cells[0].last_mut().unwrap() ^= 1;
        lie
    };
    let left_out = |truth: &wire::SealedTable| {
        let mut lie = truth.clone();
        lie.cells[0].clear();
        lie
    };
    let unsealed = |truth: &wire::SealedTable| wire::SealedTable { seal: None, ..truth.clone() };
    vec![
        ("an altered table", Reason::AnswerSeal, Box::new(altered)),
        ("other cells than the sealed ones", Reason::AnswerSeal, Box::new(other_cells)),
        ("cells left out", Reason::AnswerMalformed, Box::new(left_out)),
        ("no seal", Reason::AnswerSeal, Box::new(unsealed)),
        (
            "someone else's seal",
            Reason::AnswerSeal,
            Box::new(move |truth| resealed(truth, &stranger, &own, |_| ())),
        ),
        ("a neighbour's answer", Reason::AnswerSeal, Box::new(move |_| neighbours.clone())),
        (
            "another requirement's answer",
            Reason::AnswerStale,
            Box::new(move |_| other_answer.clone()),
        ),
    ]
}

/// True signatures by the node's own key, over something that does not belong here.
pub(super) fn lies_of_seals(
    own: SecretKey,
    yesterday: Timestamp,
) -> Vec<(&'static str, Reason, Lie)> {
    let own = Arc::new(own);
    let seal = |change: fn(&mut Seal, Timestamp)| -> Lie {
        let own = Arc::clone(&own);
        Box::new(move |truth| resealed(truth, &own, &own, |seal| change(seal, yesterday)))
    };
    vec![
        (
            "an expired seal",
            Reason::AnswerStale,
            seal(|seal, yesterday| seal.expires_at = yesterday),
        ),
        (
            "another authority",
            Reason::AnswerStale,
            seal(|seal, _| seal.authority = seal.node.clone()),
        ),
        (
            "another question's seal",
            Reason::AnswerStale,
            seal(|seal, _| seal.question_digest = Digest([7; 32])),
        ),
        (
            "another edition's seal",
            Reason::AnswerSeal,
            seal(|seal, _| seal.snapshot = Digest([7; 32])),
        ),
        (
            "a seal from the future",
            Reason::ClockSkew,
            seal(|seal, _| seal.issued_at = seal.expires_at.plus_s(-1)),
        ),
        (
            "another jurisdiction",
            Reason::AnswerIdentity,
            seal(|seal, _| {
                seal.jurisdiction = Lists::builtin().jurisdiction("", "RS").unwrap().code
            }),
        ),
    ]
}

/// Tables that no honest node makes, truly sealed.
pub(super) fn lies_of_tables(own: SecretKey) -> Vec<(&'static str, Reason, Lie)> {
    let own = Arc::new(own);
    let table = |change: fn(&mut Table)| -> Lie {
        let own = Arc::clone(&own);
        Box::new(move |truth| retabled(truth, &own, change))
    };
    let robbery = |table: &mut Table| {
        table.blocks[0].crime_areas = vec![CrimeAreaCode::parse("ICCS0401").unwrap()];
    };
    vec![
        ("another question", Reason::AnswerQuestion, table(robbery)),
        (
            "a negative figure",
            Reason::FieldInvalid,
            table(|table| table.blocks[0].cells[0] = Cell::Value(-1)),
        ),
        (
            "an implausible figure",
            Reason::FieldInvalid,
            table(|table| table.blocks[0].cells[0] = Cell::Value(i64::MAX)),
        ),
        (
            "cells too many",
            Reason::FieldInvalid,
            table(|table| table.blocks[0].cells.push(Cell::Value(1))),
        ),
    ]
}
