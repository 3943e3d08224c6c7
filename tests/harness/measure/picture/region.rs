//! A region made up for a measurement. Comes in: how many members and years, and whether members withhold cells. Goes out:
//! verified answers of all of them to one requirement, truly signed and sealed. Nothing of it is anybody's figure, and
//! figures add up along every axis.
//!
//! Each member is a jurisdiction of its own, of code lists that are the contract's and as many made-up rows. Of eight
//! members seven bring exact figures and one noisy ones; indicators that are public are open with four members of
//! five. Where members withhold cells, those with noise have a floor, and one of eight withholds one exact cell of fifty.

use accord_coordinator::{
    gather::Reply,
    picture::MemberState,
    verify::{Seen, VerifiedAnswer, verify},
};
use accord_proto::{
    answer::{Answer, Seal},
    clock::{Clock as _, SystemClock, SystemEntropy, Timestamp},
    id::{EditionId, RequirementId},
    limits::SEAL_VALID_S,
    question::{Block, Requirement, SignedRequirement},
    roster::{Member, Paper, PaperCentre, PaperMember, Roster},
    seal::{Digest, SecretKey},
    table::{Cell, Contribution, EditionRef, Mode, Table, TableBlock},
    taxonomy::{Categories, CategoryCode, CrimeAreaCode, Indicator, Lists, Period},
    tree::{Salting, Tree},
    wire,
};
use anyhow::{Result, anyhow, ensure};
use prost::Message as _;

const AUTHORITY: &str = "analysis-unit";
const FIRST_YEAR: u16 = 2010;
const DAY_S: i64 = 86_400;
/// Of a noisy figure.
const STANDARD_ERROR_MILLI: u64 = 2_500;
const FLOOR: i64 = 5;

/// Which parts of a year are asked: halves, quarters, months, the year itself.
const YEAR: &[&str] = &[""];
const HALVES: &[&str] = &["", "-H1", "-H2"];
const QUARTERS: &[&str] = &["", "-H1", "-H2", "-Q1", "-Q2", "-Q3", "-Q4"];
const MONTHS: &[&str] = &[
    "", "-H1", "-H2", "-Q1", "-Q2", "-Q3", "-Q4", "-01", "-02", "-03", "-04", "-05", "-06", "-07",
    "-08", "-09", "-10", "-11", "-12",
];

/// What is asked: indicator, parts of a year, dimensions that are crossed, by their number. 505 cells a year.
const ASKED: [(&str, &[&str], &[usize]); 14] = [
    ("ARM.SEIZ.N", HALVES, &[0]),
    ("DRG.PRICE.COC.WHL", YEAR, &[]),
    ("DRG.SEIZ.N", HALVES, &[0]),
    ("ENV.CASE.N", YEAR, &[]),
    ("MIG.DEATH.N", YEAR, &[0, 1]),
    ("MIG.FAC.N", QUARTERS, &[0]),
    ("MIG.IBC.N", MONTHS, &[1]),
    ("OCN.ACT.N", YEAR, &[]),
    ("OFS.CASE.N", HALVES, &[]),
    ("OPC.VEH.N", HALVES, &[]),
    ("PUB.OFF.N", YEAR, &[]),
    ("PUB.SEIZ.KG", YEAR, &[]),
    ("SCO.THREAT", YEAR, &[]),
    ("THB.VIC.N", YEAR, &[0, 1]),
];

/// Which edition a member's figures of a year rest on.
pub(super) type Editions<'a> = &'a dyn Fn(usize, u16) -> u32;

/// Members with their keys, and the requirement that all of them answer.
pub(super) struct Region {
    pub(super) lists: &'static Lists,
    pub(super) roster: Roster,
    pub(super) asked: SignedRequirement,
    /// The coordinator's.
    pub(super) sign_key: SecretKey,
    pub(super) last_year: u16,
    withholds: bool,
    keys: Vec<SecretKey>,
    now: Timestamp,
}

impl Region {
    /// A region of so many members that is asked for so many years. Does anybody withhold a cell?
    pub(super) fn new(members: usize, years: u16, withholds: bool) -> Result<Self> {
        ensure!((1..=999).contains(&members) && (1..=60).contains(&years), "too many to be named");
        let (lists, now) = (lists(members)?, SystemClock.now());
        let key = || SecretKey::generate(&SystemEntropy);
        let [root, authority, sign_key] = [key()?, key()?, key()?];
        let keys = (0..members).map(|_| key()).collect::<Result<Vec<_>, _>>()?;
        let named = [&authority, &sign_key].map(|key| key.public().to_bytes().to_vec());
        let file = Roster::sign(&paper(&keys, named, now), lists, &root, &SystemEntropy)?;
        let (file, root) = (file.encode_to_vec(), root.public());
        let (roster, _) = Roster::read(("roster", &file), &root, lists, 0, now)?;
        let last_year = FIRST_YEAR + years - 1;
        let asked = Requirement::sign(&requirement(&roster, last_year, lists)?, lists, &authority)?;
        let asked = SignedRequirement::open(asked, &roster, lists)?;
        Ok(Self { lists, roster, asked, sign_key, last_year, withholds, keys, now })
    }

    pub(super) fn cells(&self) -> usize {
        self.asked.requirement().question.cells()
    }

    /// What each member answers, and how it stands in the picture.
    pub(super) fn answers(
        &self,
        editions: Editions<'_>,
    ) -> Result<(Vec<VerifiedAnswer>, Vec<MemberState>)> {
        let (mut answers, mut states) = (Vec::new(), Vec::new());
        for (at, member) in self.roster.members.iter().enumerate() {
            let said = Ok(Answer::Sealed(self.seal(at, member, editions)?));
            let reply = Reply { member: member.clone(), said };
            let verified = verify(reply, &self.asked, Seen::default(), self.lists, self.now);
            states.push(MemberState::of(member.clone(), &verified));
            answers.push(verified.map_err(|silence| anyhow!("{}: {silence:?}", member.node))?);
        }
        Ok((answers, states))
    }

    fn seal(&self, at: usize, of: &Member, editions: Editions<'_>) -> Result<wire::SealedTable> {
        let requirement = self.asked.requirement();
        let blocks = &requirement.question.blocks;
        let mut periods: Vec<_> = blocks.iter().flat_map(|block| block.periods.clone()).collect();
        periods.sort_unstable();
        periods.dedup();
        let edition = |period: Period| {
            let (edition, number) =
                (EditionId::mint(&SystemClock, &SystemEntropy)?, editions(at, period.year()));
            Ok::<_, anyhow::Error>(EditionRef { period, edition, number })
        };
        let table = Table {
            node: of.node.clone(),
            jurisdiction: of.jurisdiction,
            lists: self.lists.name().to_owned(),
            editions: periods.into_iter().map(edition).collect::<Result<_>>()?,
            blocks: blocks.iter().map(|block| self.block(at, of, block, editions)).collect(),
        };
        let salting = Salting { secret: &[0; 32], tier: self.lists.tier(requirement.audience) };
        let tree = Tree::of(&table, salting, self.lists);
        let seal = Seal {
            node: of.node.clone(),
            jurisdiction: of.jurisdiction,
            requirement: requirement.id,
            requirement_digest: self.asked.digest(),
            authority: requirement.authority.clone(),
            audience: requirement.audience,
            table_digest: tree.digest(),
            snapshot: table.snapshot(),
            question_digest: self.asked.question_digest(),
            consent_epoch: 1,
            consent_digest: Digest([0; 32]),
            policy_digest: Digest([0; 32]),
            policy_commitment: Digest([0; 32]),
            issued_at: self.now,
            expires_at: self.now.plus_s(SEAL_VALID_S),
            supersedes: None,
            previous: None,
            sequence: 1,
            single_handed: false,
        };
        let key = self.keys.get(at).ok_or_else(|| anyhow!("no key"))?;
        Ok(tree.to_wire(seal.sign(key)))
    }

    fn block(&self, at: usize, of: &Member, block: &Block, editions: Editions<'_>) -> TableBlock {
        let Block { indicator, region_level, crime_areas, periods, categories } = block.clone();
        let public = self.lists.indicator_of(indicator).is_some_and(|of| of.public);
        let mode = match (public && at % 5 != 2, at % 8) {
            (true, _) => Mode::Open,
            (false, 7) => Mode::Protected,
            (false, _) => Mode::Bulletin,
        };
        let regions = self.lists.regions_of(of.jurisdiction, region_level);
        let member = at as u64;
        let counted =
            self.lists.indicator_of(indicator).map(|of| Counted { of, lists: self.lists, member });
        let value_of = |counted: &Counted<'_>| counted.values(block, &|year| editions(at, year));
        let values = counted.as_ref().map(value_of).unwrap_or_default();
        let cell = |(value, place): (i64, u64)| match (mode, at % 8) {
            (Mode::Protected, _) => {
                let noise = i64::try_from(hashed([member, place]) % 7).unwrap_or(0) - 3;
                let value = (value + noise).max(0);
                let shown = !self.withholds || value >= FLOOR;
                if shown { Cell::Value(value) } else { Cell::NotShown }
            }
            (Mode::Bulletin, 3) if self.withholds && hashed([member, place]) % 50 == 0 => {
                Cell::NotShown
            }
            _ => Cell::Value(value),
        };
        let errors = if mode == Mode::Protected { periods.len() } else { 0 };
        TableBlock {
            indicator,
            mode,
            cells: values.into_iter().zip(0..).map(cell).collect(),
            standard_error_milli: vec![STANDARD_ERROR_MILLI; errors],
            contribution: Contribution::Pooled,
            minimum_contributors: 0,
            deviations: Vec::new(),
            crime_areas,
            regions,
            periods,
            categories,
        }
    }
}

/// The contract's lists, and so many jurisdictions more.
fn lists(members: usize) -> Result<&'static Lists> {
    let rows = |row: fn(&str) -> String| (0..members).map(move |at| row(&code(at)));
    let jurisdictions: String = rows(|of| format!("{of},{of},Made up {of},\n")).collect();
    let regions: String = rows(|of| format!("{of},,0,{of},Made up {of}\n")).collect();
    let own = [
        ("jurisdictions".to_owned(), format!("code,iso3,label,footnote\n{jurisdictions}")),
        ("regions".to_owned(), format!("code,parent,level,jurisdiction,label\n{regions}")),
    ];
    Ok(Box::leak(Box::new(Lists::with_own(&own)?)))
}

fn code(at: usize) -> String {
    format!("X{at:03}")
}

fn paper(keys: &[SecretKey], named: [Vec<u8>; 2], now: Timestamp) -> Paper {
    let [authority, sign_key] = named;
    let member = |(at, key): (usize, &SecretKey)| PaperMember {
        node: format!("{}-police", code(at).to_lowercase()),
        jurisdiction: code(at),
        address: "127.0.0.1:7101".to_owned(),
        tls_spki_sha256: Vec::new(),
        seal_keys: vec![key.public().to_bytes().to_vec()],
        since_s: now.as_s(),
    };
    Paper {
        federation: "measured.example".to_owned(),
        version: 1,
        issued_at_s: now.as_s(),
        expires_at_s: now.plus_s(DAY_S).as_s(),
        members: keys.iter().enumerate().map(member).collect(),
        authorities: vec![wire::Authority {
            authority: AUTHORITY.to_owned(),
            title: "Measurements".to_owned(),
            keys: vec![authority],
            since_s: now.as_s(),
        }],
        centres: vec![PaperCentre {
            name: "coordinator".to_owned(),
            tls_spki_sha256: vec![vec![0; 32]],
            keys: vec![sign_key],
        }],
    }
}

fn requirement(roster: &Roster, last_year: u16, lists: &Lists) -> Result<wire::Requirement> {
    let (now, blocks) = (roster.issued_at, ASKED.iter());
    let blocks = blocks.map(|(indicator, parts, dimensions)| {
        let indicator = lists.indicator("indicator", indicator)?;
        let years = FIRST_YEAR..=last_year;
        let periods = years.flat_map(|year| parts.iter().map(move |part| format!("{year}{part}")));
        let periods = periods.map(|text| Period::parse("period", &text));
        let mut periods = periods.collect::<Result<Vec<_>, _>>()?;
        periods.sort_unstable();
        Ok(wire::Block {
            indicator: indicator.code.to_string(),
            region_level: 0,
            crime_areas: lists.crime_areas_of(indicator).map(|area| area.to_string()).collect(),
            periods: periods.iter().map(ToString::to_string).collect(),
            categories: categories(indicator, dimensions, lists),
        })
    });
    Ok(wire::Requirement {
        requirement: RequirementId::mint(&SystemClock, &SystemEntropy)?.to_string(),
        authority: AUTHORITY.to_owned(),
        why: "Generated for a measurement".to_owned(),
        purpose: "THREAT-ASSESSMENT".to_owned(),
        legal_basis: "None, a measurement".to_owned(),
        audience: "POLICE".to_owned(),
        members: roster.members.iter().map(|member| member.node.to_string()).collect(),
        minimum_contributors: 3,
        issued_at_s: now.as_s(),
        opens_at_s: now.as_s(),
        closes_at_s: now.plus_s(DAY_S).as_s(),
        question: Some(wire::Question { blocks: blocks.collect::<Result<_>>()? }),
        requester_role: "ANALYST".to_owned(),
        tier: "A".to_owned(),
        valid_until_s: now.plus_s(DAY_S).as_s(),
    })
}

/// Every category of some dimensions, and their totals, crossed; ascending by text.
fn categories(indicator: &Indicator, dimensions: &[usize], lists: &Lists) -> Vec<String> {
    let mut all = vec![Categories::default()];
    for at in dimensions {
        let Some(dimension) = indicator.dimensions.get(*at) else { continue };
        let codes: Vec<_> = lists.categories(*dimension).map(|category| category.code).collect();
        let with = |base: &Categories, code: CategoryCode| {
            let mut with = *base;
            with[*at] = Some(code);
            with
        };
        let crossed: Vec<_> =
            all.iter().flat_map(|base| codes.iter().map(|code| with(base, *code))).collect();
        all.extend(crossed);
    }
    let mut texts: Vec<_> =
        all.iter().map(|of| lists.write_categories(indicator.code, of)).collect();
    texts.sort_unstable();
    if texts.len() == 1 { Vec::new() } else { texts }
}

/// What a member counts: along each axis a weight, of a whole the sum of its parts' and a rest. Their product adds up
/// along every axis.
struct Counted<'a> {
    of: &'a Indicator,
    lists: &'a Lists,
    member: u64,
}

impl Counted<'_> {
    /// Its figures, in the order of a table of one region.
    fn values(&self, block: &Block, edition: &dyn Fn(u16) -> u32) -> Vec<i64> {
        let areas: Vec<_> = block.crime_areas.iter().map(|area| self.area(*area)).collect();
        let times = block.periods.iter().map(|period| {
            let edition = u64::from(edition(period.year()));
            let month =
                |of: &Period| 1 + hashed([self.member, edition, text_seed(&of.to_string())]) % 2;
            period.months().iter().map(month).sum::<u64>()
        });
        let times: Vec<_> = times.collect();
        let broken_down = 0..self.of.dimensions.len();
        let of_categories = block.categories.iter().map(|categories| {
            let places = broken_down.clone().zip(categories);
            places.map(|(at, category)| self.category(at, *category)).product::<u64>()
        });
        let categories: Vec<_> = of_categories.collect();
        let cells = areas.iter().flat_map(|area| times.iter().map(move |time| area * time));
        let cells = cells.flat_map(|place| categories.iter().map(move |category| place * category));
        let value = |cell| i64::try_from(cell).unwrap_or(i64::MAX).min(self.of.value_max);
        cells.map(value).collect()
    }

    fn area(&self, area: CrimeAreaCode) -> u64 {
        let below = self.lists.areas_below(self.of.code, area).into_iter();
        let within: u64 = below.map(|below| self.area(below)).sum();
        within + 1 + hashed([self.member, text_seed(area.as_str())]) % 4
    }

    fn category(&self, at: usize, of: Option<CategoryCode>) -> u64 {
        let below = self.lists.categories_below(self.of.code, at, of).into_iter();
        let within: u64 = below.map(|below| self.category(at, Some(below))).sum();
        let seed = of.map_or(0, |of| text_seed(of.as_str()));
        within + hashed([self.member, at as u64, seed]) % 3
    }
}

fn text_seed(text: &str) -> u64 {
    text.bytes().fold(0, |seed, byte| hashed([seed, u64::from(byte)]))
}

/// The same everywhere: a measurement is of the same figures each time.
fn hashed<const N: usize>(parts: [u64; N]) -> u64 {
    parts.into_iter().fold(0x9e37_79b9_7f4a_7c15, |mixed, part| {
        let mut mixed = mixed ^ part.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
