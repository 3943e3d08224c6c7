//! Unsafe settings, each refused with its reason.

use super::*;

fn parse(text: &str) -> Result<Policy, Invalid> {
    with_secret(text, "")
}

fn with_secret(public: &str, secret: &str) -> Result<Policy, Invalid> {
    let lists = Lists::builtin();
    let jurisdiction = lists.jurisdiction("", "AL").unwrap().code;
    Policy::parse(Files { public, secret, salt: &[0; 32] }, jurisdiction, lists)
}

fn one(code: &str, mode: &str, more: &str) -> Result<Policy, Invalid> {
    parse(&format!("[[indicator]]\ncode = \"{code}\"\nmode = \"{mode}\"\n{more}"))
}

fn reason(of: Result<Policy, Invalid>) -> Reason {
    of.unwrap_err().reason
}

#[test]
fn only_figures_that_are_already_public_may_be_open() {
    assert!(one("PUB.OFF.N", "open", "").is_ok());
    assert_eq!(reason(one("THB.VIC.N", "open", "")), Reason::ModeUnavailable);
}

#[test]
fn what_is_not_named_is_closed() {
    let policy = parse("").unwrap();
    assert_eq!(policy.mode(IndicatorCode::parse("PUB.OFF.N").unwrap()), Mode::Closed);
}

#[test]
fn prices_ratios_and_scores_are_never_made_noisy_nor_added_up() {
    for mode in ["protected", "bulletin"] {
        for code in ["DRG.PRICE.COC.WHL", "OCN.VIOL.SH", "SCO.THREAT"] {
            assert_eq!(reason(one(code, mode, "")), Reason::ModeUnavailable, "{code} {mode}");
        }
    }
}

#[test]
fn a_lattice_from_which_a_figure_could_be_averaged_out_is_refused() {
    assert!(
        one(
            "MIG.IBC.N",
            "protected",
            "granularity = [\"year\", \"quarter\", \"month\"]\nregion_levels = [0, 3]\n"
        )
        .is_ok()
    );
    // Three regions at level 2, over months, quarters and years.
    let fine = "granularity = [\"year\", \"quarter\", \"month\"]\nregion_levels = [0, 2]\n";
    let policy = one("MIG.IBC.N", "protected", fine).unwrap();
    let Terms::Protected(terms) = policy.terms(IndicatorCode::parse("MIG.IBC.N").unwrap()) else {
        panic!("protected");
    };
    assert_eq!(terms.draws_max(Tier::A), 1, "a second draw would leave too little");
    let error = one("MIG.IBC.N", "protected", &format!("{fine}draws = 2\n")).unwrap_err();
    assert_eq!(error.reason, Reason::PolicyUnsafe);
    assert!(error.detail.contains("averaged"), "{error}");
}

#[test]
fn a_unit_that_would_count_in_too_many_cells_is_refused() {
    let many = "region_levels = [0, 1, 2, 3]\ndimensions = [\"BORDER_TYPE\", \"CITIZENSHIP\"]\n";
    let error = one("MIG.IBC.N", "protected", many).unwrap_err();
    assert_eq!(error.reason, Reason::PolicyUnsafe);
    assert!(error.detail.contains("cells where 18"), "{error}");
}

#[test]
fn an_amount_whose_typical_error_is_too_large_is_refused_with_the_figure() {
    assert_eq!(reason(one("DRG.SEIZ.COC.KG", "protected", "")), Reason::PolicyUnsafe);
    let error = one("DRG.SEIZ.COC.KG", "protected", "cap = 500\ntypical = 1000\n").unwrap_err();
    assert_eq!(error.reason, Reason::PolicyUnsafe);
    assert!(error.detail.contains("86 %"), "{error}");
    let policy = one("DRG.SEIZ.COC.KG", "protected", "cap = 110\ntypical = 1000\n").unwrap();
    let Terms::Protected(terms) = policy.terms(IndicatorCode::parse("DRG.SEIZ.COC.KG").unwrap())
    else {
        panic!("protected");
    };
    assert!(terms.lattice(Tier::A).is_some());
    assert!(terms.lattice(Tier::B).is_none(), "30 % is exceeded there: not offered");
}

#[test]
fn published_terms_are_made_stricter_and_never_weaker() {
    for tier in ["variance = 2", "threshold = 9", "draws = 3", "budget = 12.5", "rounding = 0"] {
        assert_eq!(reason(parse(&format!("[tier.A]\n{tier}\n"))), Reason::PolicyUnsafe, "{tier}");
    }
    assert!(parse("[tier.A]\nvariance = 4\nthreshold = 14\nbudget = 8.0\nrounding = 3\n").is_ok());
    assert_eq!(reason(parse("[tier.A]\nvariance = 9\nthreshold = 40\n")), Reason::PolicyUnsafe);
}

#[test]
fn a_threshold_near_the_secret_floor_is_refused_without_telling_the_floor() {
    let error = with_secret("", "[tier.A]\nunits = 9\n").unwrap_err();
    assert_eq!(error.reason, Reason::PolicyUnsafe);
    assert!(!error.to_string().contains('9'), "{error}");
    assert!(with_secret("[tier.A]\nthreshold = 16\n", "[tier.A]\nunits = 9\n").is_ok());
}

#[test]
fn a_wider_tier_has_no_level_that_the_narrower_has_not() {
    let wider = "region_levels = [0]\n[indicator.tier.B]\nregion_levels = [0, 3]\n";
    assert_eq!(reason(one("DRG.SEIZ.N", "protected", wider)), Reason::PolicyUnsafe);
    let narrower = "region_levels = [0, 3]\n[indicator.tier.B]\nregion_levels = [0]\n";
    assert!(one("DRG.SEIZ.N", "protected", narrower).is_ok());
}

#[test]
fn a_deviation_is_a_published_term_of_a_closed_list_and_takes_no_period_back() {
    let of = |more: &str| one("THB.VIC.N", "protected", more);
    let (plain, declared) = (of("").unwrap(), of("deviations = [\"MOMENT\", \"LAW\"]").unwrap());
    let indicator = Lists::builtin().indicator("", "THB.VIC.N").unwrap().code;
    let codes: Vec<_> = declared.deviations(indicator).iter().map(ToString::to_string).collect();
    assert_eq!(codes, ["LAW", "MOMENT"]);
    assert_ne!(plain.published(), declared.published());
    assert_eq!(plain.frozen_terms(), declared.frozen_terms(), "figures are what they were");
    let error = of("deviations = [\"SLOPPY\"]").unwrap_err();
    assert!(error.field.contains("THB.VIC.N") && error.detail.contains("NARROWER"), "{error}");
}

#[test]
fn every_term_counts_in_the_digest() {
    let plain = one("DRG.SEIZ.N", "protected", "").unwrap().digest();
    for more in [
        "region_levels = [0, 3]\n",
        "cap = 2\n",
        "leaves = 2\n",
        "[tier.A]\nvariance = 4\nthreshold = 14\n",
    ] {
        assert_ne!(one("DRG.SEIZ.N", "protected", more).unwrap().digest(), plain, "{more}");
    }
    let text = "[[indicator]]\ncode = \"DRG.SEIZ.N\"\nmode = \"protected\"\n";
    assert_ne!(with_secret(text, "[tier.B]\nsources = 4\n").unwrap().digest(), plain);
}
