//! Files that analysts import: CSV, JSON Lines, workbooks, compressed or not, and mappings for them. Every row ends as exactly one of
//! record, refused, left out, repeated; and what is said of a refused one repeats nothing that looks personal.

use std::io::{Cursor, Write as _};

use accord_node::ingest::{self, Home, Mapping, annotate};
use accord_proto::taxonomy::{JurisdictionCode, Lists};
use anyhow::{Context as _, Result};
use flate2::{Compression, write::GzEncoder};

use super::{accepted, refused, target};
use crate::fuzz::{Form, Target, Verdict};

const MAPPING: &str = "source = \"made up\"\nignore = [\"accord:code\", \"accord:hint\"]\n[columns]\ncrime_area = \"iccs\"\nperiod = \"year\"\n\
    value = \"offences\"\nregion = \"nuts\"\nstatus = \"flag\"\n[constants]\nindicator = \"PUB.OFF.N\"\n\
    [codes.status]\nA = \"value\"\nM = \"missing\"\n[masks]\n\"<5\" = [\"0\", \"4\"]\n";
const EVENTS: &str = "source = \"made up\"\nrows = \"events\"\ndecimal_comma = true\n\
    dates = { format = \"%d.%m.%Y\", granularity = \"month\" }\n[columns]\ncrime_area = \"drug\"\n\
    period = \"day\"\nunit = \"case\"\nvalue = \"kg\"\norigin = \"service\"\nhandling = \"codes\"\n\
    [constants]\nindicator = \"DRG.SEIZ.COC.KG\"\n";
const CSV: &str = "iccs,year,offences,nuts,flag\nICCS0101,2016,42,AL,A\nICCS0401,2017,<5,AL,A\n\
    ICCS0101,2018,,AL,M\n";
const EVENTS_CSV: &str = "drug;day;case;kg;service;codes\nDRG.COC;24.11.2016;K-1;12,5;BORDER;H1\n\
    DRG.COC;25.11.2016;K-2;0,003;BORDER;H1 H2\n";
const LINES: &str = "{\"iccs\":\"ICCS0101\",\"year\":\"2016\",\"offences\":42,\"nuts\":\"AL\",\"flag\":\"A\"}\n\
    {\"iccs\":\"ICCS0401\",\"year\":2017,\"offences\":\"7\",\"nuts\":\"AL\",\"flag\":\"A\"}\n";
/// Between a mapping and its file, where both are changed.
const BETWEEN: &[u8] = b"\n%%%%\n";

pub(super) fn targets() -> Result<Vec<Target>> {
    let albania = JurisdictionCode::parse("AL").context("no Albania")?;
    let (totals, events) = (Mapping::parse(MAPPING)?, Mapping::parse(EVENTS)?);
    let judge = move |mapping: &Mapping, file: &[u8]| imported(mapping, file, albania);
    let with = |mapping: Mapping| move |file: &[u8]| judge(&mapping, file);
    let bytes = |text: &str| text.as_bytes().to_vec();
    let workbook = workbook()?;
    let packed =
        [CSV, LINES].map(|text| gzip(text.as_bytes())).into_iter().collect::<Result<_>>()?;
    let both: Vec<_> = [(MAPPING, CSV), (EVENTS, EVENTS_CSV), (MAPPING, LINES)]
        .map(|(mapping, file)| [mapping.as_bytes(), BETWEEN, file.as_bytes()].concat())
        .into();
    Ok(vec![
        target("import-csv", Form::Text, vec![bytes(CSV)], with(totals.clone())),
        target("import-events", Form::Text, vec![bytes(EVENTS_CSV)], with(events)),
        target("import-lines", Form::Text, vec![bytes(LINES)], with(totals.clone())),
        target("import-gzip", Form::Raw, packed, with(totals.clone())),
        target("import-workbook", Form::Workbook, vec![workbook], with(totals)).slow(),
        target("import-mapped", Form::Text, both, move |input| {
            let at = input.windows(BETWEEN.len()).position(|window| window == BETWEEN);
            let Some((mapping, file)) = at.map(|at| input.split_at(at)) else {
                return refused("no file");
            };
            let Ok(mapping) = std::str::from_utf8(mapping) else { return refused("no UTF-8") };
            match Mapping::parse(mapping) {
                Ok(mapping) => judge(&mapping, &file[BETWEEN.len()..]),
                Err(error) => refused(error),
            }
        }),
    ])
}

fn imported(mapping: &Mapping, file: &[u8], albania: JurisdictionCode) -> Verdict {
    let home = Home { jurisdiction: albania, lists: Lists::builtin(), secret: &[1; 32] };
    match ingest::read(Box::new(Cursor::new(file)), mapping, home) {
        Ok(batch) => {
            let told = batch.quarantined.iter().find_map(|row| {
                accord_proto::guard::in_text(&row.why.detail)
                    .or(accord_proto::guard::in_text(&row.why.field))
            });
            if let Some(personal) = told {
                return Err(format!("a refusal repeats {}", personal.name()));
            }
            let ended = batch.records.len() as u64
                + batch.rows_quarantined
                + batch.rows_left_out
                + batch.rows_repeated;
            accepted(ended == batch.rows_read, "a row ends as none or as two")
        }
        Err(error) => refused(error),
    }
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes)?;
    Ok(packed.finish()?)
}

/// The rows of the CSV file as a workbook, as the node hands rows back.
fn workbook() -> Result<Vec<u8>> {
    let mut lines = CSV.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().context("no header")?;
    let row = |(place, fields)| annotate::Row { place, fields, remark: None };
    Ok(annotate::annotate(&header, (2..).zip(lines).map(row))?)
}
