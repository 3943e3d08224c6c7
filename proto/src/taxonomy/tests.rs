//! What the lists hold and what they refuse.

use super::*;
use crate::limits::{LIST_BYTES_MAX, OWN_LISTS_MAX};

#[test]
fn the_lists_of_the_contract_load() {
    let lists = Lists::load(&FILES, &[]).unwrap();
    for code in ["AL", "BA", "XK", "ME", "MK", "RS"] {
        let jurisdiction = lists.jurisdiction("jurisdiction", code).unwrap();
        assert_eq!(lists.regions_of(jurisdiction.code, 0).len(), 1, "{code} has itself as region");
    }
    assert_eq!(lists.regions_of(JurisdictionCode::parse("RS").unwrap(), 3).len(), 25);
}

#[test]
fn a_number_is_written_as_it_was_read() {
    for (value, decimals, text) in
        [(71, 0, "71"), (12_500, 3, "12.500"), (5, 3, "0.005"), (0, 2, "0.00")]
    {
        assert_eq!(decimal(value, decimals), text);
    }
}

#[test]
fn kosovo_carries_its_footnote() {
    let kosovo = Lists::builtin().jurisdiction("jurisdiction", "XK").unwrap();
    assert_eq!(kosovo.label, "Kosovo*");
    assert!(
        kosovo
            .footnote
            .starts_with("* This designation is without prejudice to positions on status")
    );
}

#[test]
fn an_unknown_code_is_refused_by_name() {
    let lists = Lists::builtin();
    let offences = lists.indicator("indicator", "PUB.OFF.N").unwrap();
    let error = lists.crime_area("crime_area", offences, "ICCS9999").unwrap_err();
    assert_eq!(error.reason, Reason::CodeUnknown);
    assert!(error.detail.contains("ICCS9999") && error.detail.contains("iccs"), "{error}");
    // A code of the other list is not a code of this one.
    assert!(lists.crime_area("crime_area", offences, "DRG.COC").is_err());
    assert!(lists.period("period", offences, "2016-Q1").is_err());
}

#[test]
fn a_list_with_a_code_twice_does_not_load() {
    let twice = [("purposes", "code,label\nA,x\nA,y\n")];
    assert!(Lists::load(&twice, &[]).unwrap_err().to_string().contains("twice"));
}

/// One file of a federation's own.
fn own(list: &str, text: &str) -> (String, String) {
    (list.to_owned(), text.to_owned())
}

/// Why these own files are not taken.
fn refused(files: &[(String, String)]) -> String {
    Lists::with_own(files).unwrap_err().to_string()
}

fn area(code: &str) -> CrimeAreaCode {
    CrimeAreaCode::parse(code).unwrap()
}

#[test]
fn the_catalogue_of_indicators_is_there() {
    let lists = Lists::builtin();
    let catalogue: Vec<_> =
        lists.indicators().filter(|i| !i.code.as_str().starts_with("PUB.")).collect();
    let magnitudes = catalogue.iter().filter(|i| i.semantics == Semantics::Magnitude).count();
    assert_eq!((catalogue.len(), magnitudes), (75, 23));
    assert!(catalogue.iter().all(|indicator| !indicator.public), "only PUB.* is public");

    let of = |code| lists.indicator("indicator", code).unwrap();
    for (code, semantics) in [
        ("DRG.SEIZ.N", Semantics::Flow),
        ("EXC.CIG.N", Semantics::Magnitude),
        ("OCN.ACT.N", Semantics::Stock),
        ("OCN.LINK.SH", Semantics::Ratio),
        ("DRG.PURITY.COC", Semantics::Price),
        ("MIG.FEE.EUR", Semantics::Price),
        ("SCO.CAPGAP", Semantics::Score),
    ] {
        assert_eq!(of(code).semantics, semantics, "{code}");
    }
    assert_eq!(of("OCN.ACT.N").unit_life, UnitLife::Lasting);
    assert!(of("OCN.ACT.N").human_sources && !of("DRG.SEIZ.N").human_sources);
    assert_eq!(of("FIN.CONF.EUR").moment, Moment::Judgement);
    assert_eq!(of("FIN.CONF.EUR").value_max, 1_000_000_000_000);
    assert_eq!(of("MIG.DOC.N").unit_at_risk, "person");
    assert_eq!(of("MIG.DOC.N").counting_unit, "document");
    assert_eq!(of("MIG.IBC.N").granularity.last(), Some(&Granularity::Month));
    assert_eq!((of("SCO.TREND").value_min, of("SCO.TREND").value_max), (-2, 2));
}

#[test]
fn an_indicator_is_collected_for_its_areas_and_what_is_below() {
    let lists = Lists::builtin();
    let cocaine = lists.indicator("indicator", "DRG.SEIZ.COC.KG").unwrap();
    assert_eq!(lists.crime_areas_of(cocaine).collect::<Vec<_>>(), [area("DRG.COC")]);
    let error = lists.crime_area("crime_area", cocaine, "DRG.HER").unwrap_err();
    assert_eq!(error.reason, Reason::LatticeUnknownCell);
    assert!(error.detail.contains("DRG.COC") && error.detail.contains("DRG.HER"), "{error}");

    let seizures = lists.indicator("indicator", "DRG.SEIZ.N").unwrap();
    let areas: Vec<_> = lists.crime_areas_of(seizures).map(|code| code.to_string()).collect();
    assert_eq!(areas, ["DRG", "DRG.CAN", "DRG.COC", "DRG.HER", "DRG.PRE", "DRG.SYN"]);
    assert_eq!(lists.crime_area_parent(area("DRG.SYN")), Some(area("DRG")));

    // What Eurostat and UNODC publish, and offences finer than that, but no whole section.
    let offences = lists.indicator("indicator", "PUB.OFF.N").unwrap();
    for code in [
        "0101", "0102", "020111", "020221", "0204", "0301", "03011", "03012", "0302", "030221",
        "0401", "0501", "05012", "0502", "05021", "0601", "0701", "0703", "07031", "07041",
        "08051", "0903", "09051", "1001", "1002", "1003", "1004",
    ] {
        lists.crime_area("crime_area", offences, &format!("ICCS{code}")).unwrap();
    }
    assert!(lists.crime_area("crime_area", offences, "ICCS01").is_err());

    let score = lists.indicator("indicator", "SCO.THREAT").unwrap();
    assert_eq!(
        lists.crime_areas_of(score).count(),
        lists.crime_areas(AreaList::CRIME_AREAS).count()
    );
    for indicator in lists.indicators() {
        assert!(lists.crime_areas_of(indicator).count() > 0, "{}", indicator.code);
    }
}

#[test]
fn a_dimension_that_an_indicator_does_not_have_is_refused_by_name() {
    let lists = Lists::builtin();
    let victims = lists.indicator("indicator", "THB.VIC.N").unwrap();
    let sex = lists.dimension("dimension", victims, "SEX").unwrap();
    assert_eq!(lists.category("category", sex, "F").unwrap().as_str(), "F");
    let error = lists.dimension("dimension", victims, "WEAPON_TYPE").unwrap_err();
    assert_eq!(error.reason, Reason::LatticeUnknownCell);
    assert!(error.detail.contains("EXPLOITATION or SEX or AGE, not by WEAPON_TYPE"), "{error}");
    for wrong in ["X", "f", "CHILD"] {
        let error = lists.category("category", sex, wrong).unwrap_err();
        assert_eq!(error.reason, Reason::CodeUnknown, "{wrong}");
        assert!(error.detail.contains("F, M, U"), "{error}");
    }
    assert!(lists.dimension("dimension", victims, "COLOUR").is_err());
}

#[test]
fn regions_know_what_contains_them() {
    let lists = Lists::builtin();
    let belgrade = lists.region("region", "RS110").unwrap();
    let line = std::iter::successors(Some(belgrade), |region| lists.region_of(region.parent?));
    let line: Vec<_> = line.map(|region| (region.code.to_string(), region.level)).collect();
    let wanted = [("RS110", 3), ("RS11", 2), ("RS1", 1), ("RS", 0)];
    assert_eq!(line, wanted.map(|(code, level)| (code.to_owned(), level)));
}

#[test]
fn vocabularies_keep_their_terms_apart() {
    let lists = Lists::builtin();
    let term = |vocabulary, code| lists.term("term", vocabulary, code);
    let strict = term("TLP", "AMBER+STRICT").unwrap();
    assert!(strict.rank > term("TLP", "AMBER").unwrap().rank);
    let likely = |scale| {
        let term = term(scale, "LIKELY").unwrap();
        (term.low_percent, term.high_percent)
    };
    assert_eq!(likely("LIKELIHOOD.PHIA"), (Some(55), Some(75)));
    assert_eq!(likely("LIKELIHOOD.ICD203"), (Some(55), Some(80)));
    assert_eq!(term("SOURCE.4X4", "X").unwrap().group, "UNASSESSED");
    // 4x4 has no D, and a term has one spelling.
    assert!(term("SOURCE.4X4", "D").unwrap_err().detail.contains("A, B, C, X"));
    assert!(term("LANGUAGE", "sr-Cyrl").is_ok() && term("LANGUAGE", "sr-cyrl").is_err());
    assert!(term("MOOD", "A").unwrap_err().detail.contains("no vocabulary"));
    let counts = [
        ("LIKELIHOOD.PHIA", 7),
        ("FACTOR", 14),
        ("ENABLER", 10),
        ("OBS_STATUS", 8),
        ("DEVIATION", 8),
    ];
    for (vocabulary, count) in counts {
        assert_eq!(lists.terms(vocabulary).count(), count, "{vocabulary}");
    }
}

#[test]
fn priorities_and_the_mandate_of_europol_lead_to_areas() {
    let lists = Lists::builtin();
    let numbered = |cycle: &str| {
        let of = lists.priorities().filter(|priority| priority.cycle == cycle);
        of.filter_map(|priority| priority.number).max()
    };
    let cycles = ["2014-2017", "2018-2021", "2022-2025", "2026-2029"];
    assert_eq!(cycles.map(numbered), [Some(9), Some(10), Some(10), Some(7)]);
    assert_eq!(lists.europol_areas().count(), 30);
    assert_eq!(lists.areas_mapped("EMPACT", "2026-2029.4"), [area("MIG"), area("THB")]);
    assert_eq!(lists.areas_mapped("ICCS", "ICCS0204"), [area("THB")]);
    let areas = lists.areas_mapped("EUROPOL", "E04");
    assert_eq!(areas, [area("FIN"), area("ICCS07041")]);
    let of: Vec<_> = areas.iter().map(|code| lists.crime_area_list(*code)).collect();
    assert_eq!(of, [Some(AreaList::CRIME_AREAS), Some(AreaList::ICCS)]);
    assert!(lists.areas_mapped("EMPACT", "2030-2033.1").is_empty());
    let common: Vec<_> = lists.codes_mapped("EMPACT", area("EXT")).collect();
    assert!(common.is_empty(), "extortion is the region's own: {common:?}");
    for priority in lists.priorities() {
        let areas = lists.areas_mapped("EMPACT", priority.code.as_str());
        assert!(!areas.is_empty(), "{} covers nothing", priority.code);
    }
    assert!(lists.priority("priority", "2022-2025.CHSG.DOC").unwrap().number.is_none());
}

#[test]
fn a_federation_adds_rows_and_lists_and_never_replaces_one() {
    let row = |text: &str| own("crime_areas", &format!("# ours\ncode,label,parent\n{text}\n"));
    let lists = Lists::with_own(&[
        row("DRG.NIT,Nitazenes,DRG.SYN"),
        own("customs", "code,parent,label\nCUS,,Customs offences\nCUS.TAR,CUS,Wrong tariff\n"),
        own("indicators", &indicator_row("CUS.CASE.N", "customs", "CUS")),
    ])
    .unwrap();
    let seizures = lists.indicator("indicator", "DRG.SEIZ.N").unwrap();
    assert!(lists.crime_area("crime_area", seizures, "DRG.NIT").is_ok());
    let cases = lists.indicator("indicator", "CUS.CASE.N").unwrap();
    assert!(lists.crime_area("crime_area", cases, "CUS.TAR").is_ok());
    let error = lists.crime_area("crime_area", cases, "DRG").unwrap_err();
    assert!(error.detail.contains("customs (the federation's own)"), "{error}");

    let error = refused(&[row("DRG.COC,Crack,DRG")]);
    assert_eq!(
        error,
        "the federation's own crime_areas.csv, line 3, \"DRG.COC\": the code stands twice; \
         rows are added and never replaced, so take another"
    );
    // Also from another list of areas: a figure's area would have two meanings.
    assert!(refused(&[own("customs", "code,parent,label\nDRG,,Drugs\n")]).contains("twice"));
}

/// A file with one indicator, with the columns of the contract.
fn indicator_row(code: &str, list: &str, areas: &str) -> String {
    let header = FILES.iter().find(|(name, _)| *name == "indicators").unwrap().1;
    let header = header.lines().find(|line| !line.starts_with('#')).unwrap();
    format!(
        "{header}\n{code},Cases,Recorded cases.,cases,0,flow,{list},{areas},,,0,year,no,case,,\
         detection,event,no,no,,0,1000,2020,2024,ours\n"
    )
}

#[test]
fn an_own_file_that_cannot_be_read_says_what_to_do() {
    let cases = [
        (own("Customs", "code,parent,label\n"), "rename it"),
        (own("../iccs", "code,parent,label\n"), "rename it"),
        (own("customs", "code,label\nA,b\n"), "code,label,parent"),
        (own("regions", "code,parent,level,label\n"), "code,jurisdiction,label,level,parent"),
        (own("aliases", "list,alias,code,colour\n"), "alias,code,list"),
        (own("purposes", "code,label,label\n"), "code,label"),
        (own("purposes", "code,label\nA\n"), "line"),
        (own("purposes", "code,label\nA,\n"), "line 2, \"A\": label"),
        (own("purposes", "code,label\na b,c\n"), "line 2, \"a b\": code"),
        (own("purposes", ""), "code,label"),
        (own("purposes", &"#".repeat(LIST_BYTES_MAX + 1)), "bytes"),
    ];
    for (file, wanted) in cases {
        let error = refused(std::slice::from_ref(&file));
        assert!(error.contains(wanted), "{}: {error}", file.0);
        assert!(error.contains(&file.0), "{error}");
    }
    let many: Vec<_> = (0..=OWN_LISTS_MAX).map(|_| own("purposes", "code,label\n")).collect();
    assert!(refused(&many).contains("more than 32"));
}

#[test]
fn a_reference_that_leads_nowhere_is_named_with_its_line() {
    let region =
        |row: &str| own("regions", &format!("code,parent,level,jurisdiction,label\n{row}"));
    let cases = [
        (region("AL4,AL9,2,AL,x"), "line 2, \"AL4\": parent AL9 is not in the list regions"),
        (region("AL4,AL,2,AL,x"), "level 2 under level 0"),
        (region("AL4,RS,1,AL,x"), "parent RS belongs to RS"),
        (region("AL4,,1,AL,x"), "has no parent"),
        (region("ZZ1,AL,1,ZZ,x"), "jurisdiction ZZ is not in the list jurisdictions"),
        (own("jurisdictions", "code,iso3,label,footnote\nZZ,ZZZ,Z,\n"), "needs ZZ"),
        (own("crime_areas", "code,parent,label\nX,ICCS01,x\n"), "parent ICCS01"),
        (own("crime_areas", "code,parent,label\nX,Y,x\nY,X,y\n"), "circle"),
        (own("dimensions", "dimension,code,parent,label\nSEX,X,CHILD,x\n"), "parent CHILD"),
        (own("indicators", &indicator_row("X.N", "colours", "")), "area_list is colours"),
        (own("indicators", &indicator_row("X.N", "iccs", "DRG")), "areas DRG is not in the list"),
        (
            own(
                "indicators",
                &indicator_row("X.N", "crime_areas", "DRG").replace("no,no,,", "no,no,A.N;B.N,"),
            ),
            "is no ratio",
        ),
        (own("area_map", "scheme,code,area\nEMPACT,2030-2033.1,DRG\n"), "the list priorities"),
        (own("area_map", "scheme,code,area\nEUROPOL,E01,X\n"), "area X"),
        (own("area_map", "scheme,code,area\nGITOC,E01,DRG\n"), "scheme \"GITOC\""),
        (own("aliases", "list,alias,code\nregions,FYROM,MKD\n"), "\"MKD\" is not in \"regions\""),
        (own("aliases", "list,alias,code\nregions,AL,MK\n"), "is a code of regions itself"),
        (own("aliases", "list,alias,code\njurisdictions,GR,EL\n"), "is not in"),
    ];
    for (file, wanted) in cases {
        let error = refused(std::slice::from_ref(&file));
        assert!(error.contains(wanted) && error.contains("line 2"), "{wanted}: {error}");
    }
}

#[test]
fn an_alias_is_read_as_its_code() {
    let lists = Lists::with_own(&[own(
        "aliases",
        "list,alias,code\ncrime_areas,Kokain,DRG.COC\nindicators,SEIZURES,DRG.SEIZ.N\n",
    )])
    .unwrap();
    assert_eq!(lists.region("region", "GR").unwrap().code.as_str(), "EL");
    let seizures = lists.indicator("indicator", "SEIZURES").unwrap();
    assert_eq!(seizures.code.as_str(), "DRG.SEIZ.N");
    assert_eq!(lists.crime_area("crime_area", seizures, "Kokain").unwrap(), area("DRG.COC"));
    // A jurisdiction has one spelling, and an alias belongs to one list.
    assert!(lists.jurisdiction("jurisdiction", "GR").is_err());
    assert!(lists.region("region", "Kokain").is_err());
}

#[test]
fn the_name_follows_every_row_and_not_the_order_of_files() {
    let a = [own("purposes", "code,label\nA,a\n")];
    let b = [own("audiences", "code,tier,label\nB,A,b\n")];
    let both = [&a[..], &b[..]].concat();
    let turned = [&b[..], &a[..]].concat();
    let name = |files: &[_]| Lists::with_own(files).unwrap().name().to_owned();
    assert_eq!(name(&[]), Lists::builtin().name());
    assert_eq!(name(&both), name(&turned));
    let names = [name(&[]), name(&a), name(&b), name(&both)];
    let different: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len());
}

#[test]
fn an_indicator_is_collected_in_its_years_only() {
    let row = indicator_row("X.N", "crime_areas", "DRG");
    let lists = Lists::with_own(&[own("indicators", &row)]).unwrap();
    let indicator = lists.indicator("indicator", "X.N").unwrap();
    assert!(lists.period("period", indicator, "2020").is_ok());
    for outside in ["2019", "2025"] {
        let error = lists.period("period", indicator, outside).unwrap_err();
        assert!(error.detail.contains("2020..2024"), "{error}");
    }
}
