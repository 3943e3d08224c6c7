//! Whoever asks for more than the budget has, turns the clock back or reads the ledger again.

use super::*;

const BUDGET: [u64; 3] = [12, 3, 1];

fn budget(tier: Tier) -> u64 {
    BUDGET[tier.at()]
}

fn charge(period: &str, draw: u8, tier: Tier, nano_rho: u64) -> Charge {
    let draw = format!("01a20b74-b718-7a08-a333-9c5c982785{draw:02x}");
    Charge {
        indicator: IndicatorCode::parse("MIG.IBC.N").unwrap(),
        period: Period::parse("", period).unwrap(),
        draw: EditionId::parse("", &draw).unwrap(),
        tier,
        nano_rho,
        beside: 0,
        lasting: String::new(),
        at: Timestamp::from_s("", 1_000_000_000).unwrap(),
    }
}

fn group(year: u16, draw: u8, day: i64) -> Charge {
    let at = Timestamp::from_s("", 1_000_000_000 + 86_400 * day).unwrap();
    Charge { lasting: "group".into(), at, ..charge(&year.to_string(), draw, Tier::A, 5) }
}

#[test]
fn disjoint_periods_concern_different_events() {
    let mut ledger = Ledger::default();
    for (draw, month) in (1..=12).zip(1..=12) {
        let month = charge(&format!("2016-{month:02}"), draw, Tier::A, 6);
        assert!(ledger.charge(month, budget).is_ok());
    }
    // A year lies over every month: 6 and 6 fill the budget of each.
    assert!(ledger.charge(charge("2016", 20, Tier::A, 6), budget).is_ok());
    assert_eq!(ledger.charge(charge("2016-Q2", 21, Tier::A, 1), budget), Err(Exhausted));
    assert!(ledger.charge(charge("2017-Q2", 22, Tier::A, 1), budget).is_ok());
    let of = |period| (charge(period, 0, Tier::A, 0).indicator, Period::parse("", period).unwrap());
    let now = Timestamp::from_s("", 1_000_000_000).unwrap();
    assert_eq!(ledger.left(of("2016-05"), "", now, budget), [0, 3, 1]);
    assert_eq!(ledger.left(of("2017"), "", now, budget), [11, 3, 1]);
}

#[test]
fn what_a_refused_charge_would_have_cost_is_not_spent() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.charge(charge("2016", 1, Tier::A, 13), budget), Err(Exhausted));
    assert_eq!(
        (
            ledger.size(),
            ledger.draws(
                charge("2016", 1, Tier::A, 0).indicator,
                Period::parse("", "2016").unwrap(),
                Tier::A
            )
        ),
        (0, 0)
    );
    assert!(ledger.charge(charge("2016", 1, Tier::A, 12), budget).is_ok());
}

#[test]
fn a_wider_tier_adds_nothing_to_what_the_narrower_has_seen_of_the_same_draw() {
    let mut ledger = Ledger::default();
    assert!(ledger.charge(charge("2016", 1, Tier::C, 1), budget).is_ok());
    assert!(ledger.charge(charge("2016", 1, Tier::B, 3), budget).is_ok());
    assert!(ledger.charge(charge("2016", 1, Tier::A, 12), budget).is_ok());
    // Where a record may count for one of them only, the wider figure adds what its own noise leaves.
    let mut split = Ledger::default();
    let wide = Charge { beside: 2, ..charge("2016", 1, Tier::B, 3) };
    assert!(split.charge(charge("2016", 1, Tier::A, 11), budget).is_ok());
    assert_eq!(split.charge(wide, budget), Err(Exhausted));
}

#[test]
fn units_that_last_are_in_every_period_for_twelve_months() {
    let mut ledger = Ledger::default();
    assert!(ledger.charge(group(2014, 1, 1_000), budget).is_ok());
    assert!(ledger.charge(group(2015, 2, 1_010), budget).is_ok());
    assert_eq!(ledger.charge(group(2016, 3, 1_300), budget), Err(Exhausted));
    assert!(ledger.charge(group(2016, 3, 1_367), budget).is_ok());
}

#[test]
fn a_clock_that_is_turned_back_gives_nothing_back() {
    let mut ledger = Ledger::default();
    assert!(ledger.charge(group(2014, 1, 1_000), budget).is_ok());
    assert!(ledger.charge(group(2015, 2, 1_001), budget).is_ok());
    let back = Timestamp::from_s("", 1_000_000_000 + 86_400 * 600).unwrap();
    let charge = Charge { at: ledger.time(back), ..group(2016, 3, 0) };
    assert_eq!(ledger.charge(charge, budget), Err(Exhausted));
}

#[test]
fn draws_are_counted_by_whom_they_were_shown_to() {
    let mut ledger = Ledger::default();
    ledger.charge(charge("2016", 1, Tier::B, 1), budget).unwrap();
    ledger.charge(charge("2016", 1, Tier::A, 1), budget).unwrap();
    ledger.charge(charge("2016", 2, Tier::A, 1), budget).unwrap();
    let of = charge("2016", 1, Tier::A, 0);
    let drawn = |tier| ledger.draws(of.indicator, of.period, tier);
    assert_eq!([drawn(Tier::A), drawn(Tier::B), drawn(Tier::C)], [2, 1, 0]);
}

#[test]
fn what_is_read_back_is_what_was_charged() {
    let mut ledger = Ledger::default();
    let charges =
        [charge("2016", 1, Tier::B, 1), charge("2016", 1, Tier::A, 1), group(2016, 9, 12)];
    let mut again = Ledger::default();
    for charge in charges {
        ledger.charge(charge.clone(), budget).unwrap();
        again.replay(charge);
    }
    assert_eq!((again.head(), again.size()), (ledger.head(), ledger.size()));
    assert_eq!(again.draws, ledger.draws.clone());
}

#[test]
fn what_may_have_been_forgotten_counts_as_drawn_for_what_had_begun() {
    let mut ledger = Ledger::default();
    ledger.charge(charge("2016", 1, Tier::A, 1), budget).unwrap();
    ledger.lose(Timestamp::parse("", "2016-03-20").unwrap());
    let indicator = charge("2016", 1, Tier::A, 0).indicator;
    let drawn = |period| ledger.draws(indicator, Period::parse("", period).unwrap(), Tier::C);
    assert_eq!([drawn("2015"), drawn("2016"), drawn("2016-03")], [1, 1, 1]);
    assert_eq!([drawn("2016-04"), drawn("2016-Q2"), drawn("2017")], [0, 0, 0]);
    let all = ledger.draws(indicator, Period::parse("", "2016").unwrap(), Tier::A);
    assert_eq!(all, 2, "one is known, and one may have been forgotten");
    // An event of December lies in the year, of which a draw may have been forgotten.
    let losses = |period| ledger.losses_of(Period::parse("", period).unwrap());
    assert_eq!([losses("2015-12"), losses("2016-12"), losses("2017-01")], [1, 1, 0]);
    let at = |text| Timestamp::parse("", text).unwrap();
    assert!(ledger.lost_lately(at("2017-03-01")) && !ledger.lost_lately(at("2017-04-01")));
}

#[test]
fn a_loss_is_chained_and_never_before_what_is_known() {
    let mut ledger = Ledger::default();
    let known = charge("2016", 1, Tier::A, 1);
    ledger.charge(known.clone(), budget).unwrap();
    let before = ledger.head();
    ledger.lose(Timestamp::from_s("", 950_000_000).unwrap());
    assert_eq!((ledger.size(), ledger.losses()), (2, 1));
    assert_ne!(ledger.head(), before);
    assert_eq!(ledger.time(Timestamp::from_s("", 950_000_000).unwrap()), known.at);
    let mut again = Ledger::default();
    again.replay(known);
    again.lose(Timestamp::from_s("", 950_000_000).unwrap());
    assert_eq!(again.head(), ledger.head());
}
