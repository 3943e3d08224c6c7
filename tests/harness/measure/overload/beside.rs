//! What a hostile peer costs. Comes in: a node that runs. Goes out: for each attack what it takes of the node's memory, how many
//! honest calls beside it are lost, and how long they take; beside the same calls with nobody hostile there.

use std::time::Duration;

use accord_proto::wire::desk::GetImportRequest;
use anyhow::{Result, ensure};
use prost::Message as _;

use super::{Bench, GROWTH_MIB_MAX, NODE, at, plain, said};
use crate::{
    callers::{How, Outcomes, What},
    hostile::{Attack, Spent, Target},
    measure::ratio_row,
    report::Row,
    roles,
    vitals::{Watch, resident_mib},
};

/// Honest calls a second over connections that are open.
const CALM: f64 = 100.0;
/// Honest calls a second, each over a connection of its own.
const ANEW: f64 = 10.0;
/// None of them takes longer than this, but for one in a hundred.
const BESIDE_MS_MAX: f64 = 500.0;
/// People who make either.
const FEW: usize = 8;
/// Rows of a file that are refused: the longest reply that there is names them.
const BAD_ROWS: usize = 10_000;
/// Longer than those whom it is to disturb.
const LONGER: Duration = Duration::from_millis(500);

pub(super) fn rows(bench: &Bench, time: Duration) -> Result<Vec<Row>> {
    let target = target(bench)?;
    let calm = honest(bench, time)?;
    let (calm_ms, lost) = (at(&calm.served_ms, 0.99), lost_of(&calm));
    ensure!(lost == 0, "calls are lost with nobody there: {:?}", calm.failed);
    let before_mib = resident_mib(bench.process)?;
    let mut rows = vec![plain("honest calls with nobody hostile there, p99", calm_ms, "ms")];
    for attack in Attack::ALL {
        let watch = Watch::begin(bench.process);
        let spec = (&target, attack, (time + LONGER).as_millis());
        let hostile = bench.run(roles::HOSTILE, &spec)?;
        let beside = honest(bench, time)?;
        let spent: Spent = hostile.ended()?;
        let grown_mib = watch.most_mib()? - before_mib;
        let (lost, all) = (lost_of(&beside), beside.served_ms.len());
        let what = format!(
            "{} ({} connections tried, {:.1} MiB): +{grown_mib:.1} MiB, {lost} of {} honest calls lost, p99",
            attack.title(),
            spent.connections,
            mib(spent.bytes),
            all + lost,
        );
        let beside_ms = at(&beside.served_ms, 0.99);
        let holds = grown_mib <= GROWTH_MIB_MAX && lost == 0 && beside_ms <= BESIDE_MS_MAX;
        let name = said(&what, holds);
        rows.push(ratio_row(name, beside_ms, "ms", calm_ms, "with nobody hostile there"));
    }
    Ok(rows)
}

/// Honest callers, over connections that are open and over new ones.
fn honest(bench: &Bench, time: Duration) -> Result<Outcomes> {
    let open = bench.callers((0, FEW, What::Mappings), How::PerSecond(CALM), time)?;
    let anew = bench.callers((FEW, FEW, What::Mappings), How::Anew(ANEW), time)?;
    let (mut all, anew): (Outcomes, Outcomes) = (open.ended()?, anew.ended()?);
    all.served_ms.extend(anew.served_ms);
    all.refused_ms.extend(anew.refused_ms);
    all.failed.extend(anew.failed);
    Ok(all)
}

fn lost_of(outcomes: &Outcomes) -> usize {
    outcomes.failed.len() + outcomes.refused_ms.len()
}

/// The node, the certificate of one of its staff, and the call with the longest reply.
fn target(bench: &Bench) -> Result<Target> {
    let (federation, dir) = (&bench.federation, &bench.federation.dir);
    let (file, mapping) = (dir.join("bad.csv"), dir.join("bad.toml"));
    let rows: String = (0..BAD_ROWS).map(|at| format!("none,2016,{at}\n")).collect();
    std::fs::write(&file, format!("area,year,n\n{rows}"))?;
    std::fs::write(&mapping, crate::measure::MAPPING)?;
    federation.import(NODE, &file, &mapping)?;
    Ok(Target {
        address: federation.nodes[NODE].desk.clone(),
        keys: federation.nodes[NODE].home.join("staff/analyst"),
        path: "/accord.desk.v1.Desk/GetImport".to_owned(),
        message: GetImportRequest { import: 1 }.encode_to_vec(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "not that many bytes")]
fn mib(bytes: usize) -> f64 {
    bytes as f64 / (1 << 20) as f64
}
