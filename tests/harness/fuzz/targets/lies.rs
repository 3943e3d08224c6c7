//! Parties that sign whatever they like. A member seals any table: the coordinator refuses it, or draws a picture that everybody can
//! prove. A coordinator signs any picture: it is refused, or its figures are those of the tables. Evidence that somebody changed on
//! its way proves the same, or nothing.

use std::{collections::BTreeMap, rc::Rc};

use accord_coordinator::{custody, gate::GatePolicy};
use accord_proto::{
    evidence,
    seal::{Digest, Kind},
    taxonomy::Lists,
    verify::{self, Proof, Report, Trust},
    wire::{self, region},
};
use anyhow::{Context as _, Result, ensure};
use prost::Message as _;

use super::{accepted, refused, target};
use crate::fuzz::{
    Form, Target, Verdict,
    scene::{Made, Scene},
};

/// The member that lies.
const LIAR: usize = 0;

/// Evidence with all that it rests on.
struct Honest {
    scene: Rc<Scene>,
    kept: Vec<wire::SealedTable>,
    file: Vec<u8>,
    answers: Vec<Vec<u8>>,
    figures: BTreeMap<[String; 4], String>,
    picture: Digest,
}

pub(super) fn targets(scene: &Rc<Scene>) -> Result<Vec<Target>> {
    let honest = Rc::new(Honest::of(scene)?);
    let tables = scene
        .answers
        .iter()
        .map(|(_, sealed)| wire::SealedTable { seal: None, ..sealed.clone() }.encode_to_vec());
    let liar = Rc::clone(scene);
    let member = target("member-lies", Form::Wire, tables.take(1).collect(), move |bytes| {
        member_lies(&liar, bytes)
    });
    let here = Rc::clone(&honest);
    let signed = vec![scene.picture.payload.clone()];
    let coordinator =
        target("coordinator-lies", Form::Wire, signed, move |bytes| coordinator_lies(&here, bytes));
    let here = Rc::clone(&honest);
    let came = target("evidence", Form::Wire, vec![honest.file.clone()], move |bytes| {
        match here.verified(bytes, &here.answers) {
            Ok(report) => {
                let same = report.picture == here.picture && figures(&report) == here.figures;
                accepted(same, "evidence was changed, and proves something else")
            }
            Err(why) => refused(why),
        }
    });
    let memory = memory(&honest)?;
    Ok(vec![
        Target { rounds: 60, ..member },
        Target { rounds: 120, ..coordinator },
        Target { rounds: 120, ..came },
        memory,
    ])
}

impl Honest {
    fn of(scene: &Rc<Scene>) -> Result<Self> {
        let made = scene.draw(&scene.answers)?;
        let kept = made.kept.clone();
        let file = scene.evidence(made, vec![scene.notice.clone()]);
        let handed_out =
            scene.answers.iter().map(|(_, sealed)| evidence::write_answer(sealed.clone()));
        let mut honest = Self {
            scene: Rc::clone(scene),
            kept,
            file,
            answers: handed_out.collect(),
            figures: BTreeMap::new(),
            picture: Digest::of(&scene.picture.payload),
        };
        let report = honest.verified(&honest.file, &honest.answers).map_err(anyhow::Error::msg)?;
        let recomputed = report.count(Proof::Recomputed);
        ensure!(recomputed >= 4, "the scene proves {recomputed} figures");
        honest.figures = figures(&report);
        Ok(honest)
    }

    fn verified(&self, file: &[u8], answers: &[Vec<u8>]) -> Result<Report, String> {
        let root = self.scene.root.public();
        let roster = &self.scene.roster_envelope;
        let trust = Trust { roster, root: &root, lists: Lists::builtin() };
        verify::verify(file, answers, trust).map_err(|error| error.to_string())
    }
}

/// What is proven of every cell that was worked out again.
fn figures(report: &Report) -> BTreeMap<[String; 4], String> {
    let recomputed = report.cells.iter().filter(|cell| cell.proof == Proof::Recomputed);
    let cell = |cell: &region::PictureCell| {
        let at = [&cell.indicator, &cell.crime_area, &cell.period, &cell.categories];
        (at.map(Clone::clone), format!("{cell:?}"))
    };
    recomputed.map(|proven| cell(&proven.cell)).collect()
}

/// Seals a table, whatever it says, gives it to the coordinator, and proves what comes of it.
fn member_lies(scene: &Scene, bytes: &[u8]) -> Verdict {
    let Ok(mut table) = wire::SealedTable::decode(bytes) else { return refused("no table") };
    let mut snapshot = Digest::of_parts([&b"accord.snapshot.v1"[..]]);
    if let Ok(mut head) = wire::Table::decode(table.table.as_slice()) {
        for (block, cells) in head.blocks.iter_mut().zip(&table.cells) {
            let digest = Digest::of_parts([&b"accord.cells.v1"[..], cells]);
            block.cells_sha256 = digest.0.to_vec();
        }
        let editions: Vec<_> = head.editions.iter().map(prost::Message::encode_to_vec).collect();
        let parts = editions.iter().map(Vec::as_slice);
        snapshot = Digest::of_parts(std::iter::once(&b"accord.snapshot.v1"[..]).chain(parts));
        table.table = head.encode_to_vec();
    }
    let mut drawn = || -> Result<(Vec<String>, Vec<u8>)> {
        table.seal = Some(scene.seal(LIAR, &table.table, snapshot)?);
        let mut answers = scene.answers.clone();
        answers
            .iter_mut()
            .filter(|(at, _)| *at == LIAR)
            .for_each(|(_, sealed)| *sealed = table.clone());
        let made = scene.draw(&answers)?;
        let not_believed = made.not_believed.clone();
        Ok((not_believed, scene.evidence(made, Vec::new())))
    };
    let (not_believed, file) = drawn().map_err(|error| error.to_string())?;
    let root = scene.root.public();
    let trust = Trust { roster: &scene.roster_envelope, root: &root, lists: Lists::builtin() };
    match verify::verify(&file, &[], trust) {
        Err(error) => Err(format!("the picture that was drawn of it is not believed: {error}")),
        Ok(_) if not_believed.is_empty() => accepted(true, ""),
        Ok(_) => refused(not_believed.join("; ")),
    }
}

/// Signs a picture, whatever it says, and puts it into evidence with everybody's true answers.
fn coordinator_lies(honest: &Honest, payload: &[u8]) -> Verdict {
    let picture = honest.scene.centre.sign(Kind::Picture, payload.to_vec());
    let file = honest.scene.evidence(
        Made { picture, kept: honest.kept.clone(), not_believed: Vec::new() },
        Vec::new(),
    );
    let without = honest.verified(&file, &[]);
    match honest.verified(&file, &honest.answers) {
        Err(why) => refused(why),
        Ok(_) if without.is_err() => {
            Err("it is believed only with the answers beside it".to_owned())
        }
        Ok(report) => {
            let said = figures(&report);
            let same = said.iter().all(|(cell, says)| honest.figures.get(cell) == Some(says));
            accepted(same, "a figure is proven that the tables do not give")
        }
    }
}

/// What the gate remembers of cells, as a custodian hands it in.
fn memory(honest: &Rc<Honest>) -> Result<Target> {
    let report = honest.verified(&honest.file, &honest.answers).map_err(anyhow::Error::msg)?;
    let atom = |members: &[[&str; 2]]| region::PooledAtom {
        contributors: members.iter().flatten().map(|of| (*of).to_owned()).collect(),
        editions: vec![2; members.len()],
        shown: true,
    };
    let cell = |indicator: &str, crime_area: &str| region::PooledCell {
        indicator: indicator.to_owned(),
        crime_area: crime_area.to_owned(),
        period: "2016".to_owned(),
        categories: "_T".to_owned(),
        atoms: vec![
            atom(&[["AL", "al-police"], ["BA", "ba-police"]]),
            atom(&[["RS", "rs-police"]]),
        ],
    };
    let specimen = region::GateMemory {
        picture_sha256: report.picture.0.to_vec(),
        cells: vec![cell("DRG.SEIZ.N", "DRG.COC"), cell("PUB.OFF.N", "ICCS0101")],
        in_doubt: false,
    };
    let policy = GatePolicy::parse("").ok().context("no policy")?;
    let judge =
        move |bytes: &[u8]| match custody::judge_again(&report, bytes, &policy, Lists::builtin()) {
            Ok(again) => accepted(again.len() <= report.cells.len(), "more verdicts than cells"),
            Err(error) => refused(error),
        };
    let memory = target("gate-memory", Form::Wire, vec![specimen.encode_to_vec()], judge);
    Ok(Target { rounds: 400, ..memory })
}
