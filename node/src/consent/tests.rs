//! Consent, case by case: what is granted, to whom, how exactly, by whose hand; and what holds for every grant there can be.

use accord_proto::{
    clock::Timestamp,
    id::GrantId,
    identity::Name,
    question::{Block, Question},
    reason::{Invalid, Reason},
    table::Contribution,
    taxonomy::{JurisdictionCode, Lists, Period},
};

use super::*;

mod always;
mod life;
mod table;

/// Figures with areas below areas, two breakdowns, four levels, years and halves.
const INDICATOR: &str = "DRG.PERS.TRAF.N";
/// Now, in seconds since 1970.
const NOW: i64 = 1_795_500_000;
const DAY: i64 = 86_400;

fn now() -> Timestamp {
    Timestamp::from_s("now", NOW).unwrap()
}

/// Consent to totals of the jurisdiction for the police, ten days before and after.
fn grant() -> RawGrant {
    RawGrant {
        effect: "permit".to_owned(),
        indicator: INDICATOR.to_owned(),
        crime_areas: vec![ALL.to_owned()],
        region_levels: vec![0],
        purpose: "THREAT-ASSESSMENT".to_owned(),
        audience: "POLICE".to_owned(),
        precision: "tier-a".to_owned(),
        contribution: "pooled".to_owned(),
        release: "automatic".to_owned(),
        from_s: NOW - 10 * DAY,
        until_s: NOW + 10 * DAY,
        ..RawGrant::default()
    }
}

/// A rule that forbids everything of the indicator to everybody.
fn rule() -> RawGrant {
    RawGrant {
        effect: "forbid".to_owned(),
        region_levels: Vec::new(),
        purpose: ALL.to_owned(),
        audience: ALL.to_owned(),
        precision: String::new(),
        contribution: String::new(),
        release: String::new(),
        ..grant()
    }
}

/// What is done to grants, one act after the other; grants have numbers.
#[derive(Clone, Debug)]
enum Act {
    Give(u32, RawGrant),
    Narrow(u32, RawGrant),
    Suspend(u32),
    Resume(u32),
    Withdraw(u32),
}

use Act::{Give, Narrow, Resume, Suspend, Withdraw};

fn id(number: u32) -> GrantId {
    GrantId::parse("grant", &format!("01a00000-0000-7000-8000-{number:012}")).unwrap()
}

/// The grants after these acts, all done yesterday.
fn after(acts: &[Act]) -> Vec<Grant> {
    try_after(acts).unwrap()
}

fn try_after(acts: &[Act]) -> Result<Vec<Grant>, Invalid> {
    let lists = Lists::builtin();
    let mut grants: Vec<Grant> = Vec::new();
    for (epoch, act) in (1..).zip(acts) {
        let at = Timestamp::from_s("at", NOW - DAY).unwrap();
        let deed = Deed { epoch, at, by: None };
        let named =
            |number: u32, raw: &RawGrant| RawGrant { grant: id(number).to_string(), ..raw.clone() };
        let known = |number: u32| grants.iter().position(|grant| grant.id() == id(number)).unwrap();
        let (at, changed) = match act {
            Give(number, raw) => {
                grants.push(Grant::give(&named(*number, raw), deed, lists)?);
                continue;
            }
            Narrow(number, raw) => {
                let at = known(*number);
                (at, grants[at].narrow(&named(*number, raw), deed, lists)?)
            }
            Suspend(number) => (known(*number), grants[known(*number)].suspend(deed)?),
            Resume(number) => (known(*number), grants[known(*number)].resume(deed)?),
            Withdraw(number) => (known(*number), grants[known(*number)].withdraw(deed)),
        };
        if let Some(changed) = changed {
            grants[at] = changed;
        }
    }
    Ok(grants)
}

/// One cell that is asked for.
#[derive(Clone, Copy, Debug)]
struct Ask<'a> {
    area: &'a str,
    level: u32,
    period: &'a str,
    categories: &'a str,
    purpose: &'a str,
    audience: &'a str,
    authority: Option<&'a str>,
    tier: Tier,
    now_s: i64,
}

/// The jurisdiction's total of drugs in 2025, for the police.
const TOTAL: Ask<'_> = Ask {
    area: "DRG",
    level: 0,
    period: "2025",
    categories: "_T",
    purpose: "THREAT-ASSESSMENT",
    audience: "POLICE",
    authority: Some("analysis-unit"),
    tier: Tier::A,
    now_s: NOW,
};

impl Ask<'_> {
    fn of(self, grants: &[Grant]) -> Consented {
        let lists = Lists::builtin();
        let indicator = lists.indicator("", INDICATOR).unwrap();
        let block = Block {
            indicator: indicator.code,
            region_level: self.level,
            crime_areas: vec![lists.crime_area("", indicator, self.area).unwrap()],
            periods: vec![Period::parse("", self.period).unwrap()],
            categories: vec![lists.parse_categories("", indicator, self.categories).unwrap()],
        };
        let authority = self.authority.map(|name| Name::parse("", name).unwrap());
        let for_what = ForWhat {
            purpose: lists.purpose("", self.purpose).unwrap(),
            audience: lists.audience("", self.audience).unwrap(),
            authority: authority.as_ref(),
            tier: self.tier,
        };
        let albania = JurisdictionCode::parse("AL").unwrap();
        let now = Timestamp::from_s("", self.now_s).unwrap();
        let question = Question { blocks: vec![block] };
        decide_for(&question, for_what, grants, (albania, lists), now).unwrap()
    }

    /// "no", or for whom, by whose hand and how it may leave.
    fn decided(self, grants: &[Grant]) -> String {
        said(&self.of(grants), Timestamp::from_s("", self.now_s).unwrap())
    }
}

fn said(consented: &Consented, now: Timestamp) -> String {
    let [block] = consented.blocks() else { panic!("one block was asked for") };
    let first = block.granted.first().copied().unwrap();
    assert!(block.granted.iter().all(|granted| *granted == first), "all regions are alike");
    if !first {
        assert_eq!(consented.release(), Release::Automatic, "nothing waits for nothing");
        assert!(!consented.embargoed(now));
        assert_eq!(block.contribution, Contribution::Pooled);
        return "no".to_owned();
    }
    let mut said = block.audience.to_string();
    if block.open_only {
        said.push_str(" open");
    }
    if block.contribution == Contribution::Named {
        said.push_str(" named");
    }
    if consented.release() == Release::ByHand {
        said.push_str(" by-hand");
    }
    if consented.embargoed(now) {
        said.push_str(" later");
    }
    said
}
