//! The vectors of domain.md §2.9, and the rules that hold of every method.

use super::*;
use crate::{
    clock::SystemEntropy,
    reason::Reason,
    seal::{Digest, SecretKey},
};

const IMPACTS: [&str; 5] = ["PHYS", "PSYCH_SOCIAL", "ECON", "INSTITUTIONAL", "ENVIRON"];

fn risk<'a>(likelihood: &'a str, impacts: [&'a str; 5]) -> Vec<(&'static str, &'a str)> {
    let impacts = IMPACTS.into_iter().zip(impacts);
    [("LIKELIHOOD", likelihood)].into_iter().chain(impacts).collect()
}

/// A method with something else in its file.
fn changed(id: &str, from: &str, to: &str) -> Result<Method, Invalid> {
    let text = String::from_utf8(method(id).bytes()).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    Method::read("method", text.replace(from, to).as_bytes())
}

#[test]
fn risk_is_probability_times_the_gravest_impact() {
    let grave = outcome("RISK-5X5-C", &risk("4", ["2", "3", "5", "4", "1"]));
    assert_eq!((span(&grave), &grave.verdict), (["20"; 3].map(str::to_owned), &band("EXTREME")));
    assert_eq!(grave.normalised.unwrap().point, number("80"));
    let mild = outcome("RISK-5X5-C", &risk("2", ["2"; 5]));
    assert_eq!((span(&mild)[0].as_str(), &mild.verdict), ("4", &band("LOW")));

    let mean = changed("RISK-5X5-C", "\"MAX\"", "\"MEAN\"").unwrap();
    let of = |impacts| scored(&mean, &written("RISK-5X5-C", &risk("3", impacts))).unwrap();
    let mid = of(["2", "3", "5", "4", "1"]);
    assert_eq!((span(&mid)[0].as_str(), &mid.verdict), ("9", &band("MODERATE")));
    // 12 / 5 = 2.4 and 13 / 5 = 2.6; of four, 10 / 4 = 2.5 is rounded up.
    assert_eq!(
        [of(["2", "3", "4", "2", "1"]), of(["2", "3", "5", "2", "1"])].map(|of| span(&of)),
        { ["6", "9"].map(|of| [of; 3].map(str::to_owned)) }
    );
    assert_eq!(span(&of(["2", "3", "UNKNOWN", "4", "1"]))[0], "9");
}

#[test]
fn an_impact_that_nobody_knows_is_an_interval_and_not_a_low_one() {
    let unknown = outcome("RISK-5X5-C", &risk("4", ["2", "3", "UNKNOWN", "4", "1"]));
    assert_eq!(span(&unknown), ["16", "16", "20"].map(str::to_owned));
    assert_eq!(unknown.verdict_range, Some(["VERY_HIGH", "EXTREME"].map(str::to_owned)));
    assert_eq!(unknown.unknown_share, number("0.2"));
    // A product is as unknown as its least known part.
    let blind = outcome("RISK-5X5-C", &risk("UNKNOWN", ["2"; 5]));
    assert_eq!(
        (span(&blind), blind.verdict.clone()),
        (["6", "2", "10"].map(str::to_owned), Verdict::WhiteSpot)
    );
}

#[test]
fn a_high_risk_on_weak_grounds_suggests_an_intelligence_requirement() {
    let with = |confidence, likelihood| {
        let levels = risk(likelihood, ["2", "3", "UNKNOWN", "3", "1"]);
        let written = AssessmentWritten { confidence, ..written("RISK-5X5-C", &levels) };
        scored(method("RISK-5X5-C"), &written).unwrap().suggestion.clone()
    };
    let suggested = with(Confidence::Low, "4").unwrap();
    assert_eq!(suggested.unknown, ["ECON"]);
    assert!(suggested.why.contains("HIGH"), "{}", suggested.why);
    assert_eq!((with(Confidence::Moderate, "4"), with(Confidence::Low, "3")), (None, None));
}

fn sleipnir(level: &str) -> Vec<(String, String)> {
    let inputs = method("SLEIPNIR-19").inputs();
    inputs.map(|(input, _)| (input.code.clone(), level.to_owned())).collect()
}

#[test]
fn sleipnir_adds_its_weighted_attributes_as_published() {
    let of = |base: &str, known: &[(&str, &str)]| {
        let mut levels = sleipnir(base);
        for (code, level) in known {
            let found = levels.iter_mut().find(|(of, _)| of == code).unwrap();
            *found = ((*code).to_owned(), (*level).to_owned());
        }
        let levels: Vec<_> = levels.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        outcome("SLEIPNIR-19", &levels)
    };
    let some = [("MONOPOLY", "HIGH"), ("INTELLIGENCE_USE", "MEDIUM"), ("VIOLENCE", "LOW")];
    let some = of("NIL", &some);
    assert_eq!((span(&some)[0].as_str(), &some.verdict), ("58", &band("LOW")));
    let partial = |code| some.trace.iter().find(|step| step.input == code).unwrap().partial;
    let partials = ["MONOPOLY", "INTELLIGENCE_USE", "VIOLENCE"].map(|code| partial(code).unwrap());
    assert_eq!(partials, ["20", "20", "18"].map(number));
    let all = of("HIGH", &[]);
    assert_eq!((span(&all)[0].as_str(), all.max), ("760", Some(number("760"))));
    let none = of("UNKNOWN", &[]);
    assert_eq!(span(&none), ["380", "0", "760"].map(str::to_owned));
    assert_eq!((&none.verdict, none.unknown_share), (&Verdict::WhiteSpot, number("1")));
}

const HLO: [(&str, &str); 12] = [
    ("PHYSICAL", "8"),
    ("PSYCHOLOGICAL", "4"),
    ("FINANCIAL", "2"),
    ("COMMUNITY", "4"),
    ("PUBLIC_EXPECTATION", "2"),
    ("ENVIRONMENTAL", "0"),
    ("FREQUENCY", "3"),
    ("VOLUME", "2"),
    ("FORECAST_12M", "4"),
    ("CAPACITY_GAP", "2"),
    ("CAPABILITY_GAP", "2"),
    ("REPUTATION", "2"),
];

#[test]
fn harm_times_likelihood_leaves_the_organisation_beside_it() {
    let of = outcome("HLO", &HLO);
    assert_eq!((span(&of)[0].as_str(), of.max), ("180", Some(number("576"))));
    assert_eq!(of.normalised.unwrap().point, number("31.25"));
    assert_eq!(beside(&of, "POSITION").as_deref(), Some("6"));
    assert_eq!(beside(&of, "PRIORITY").as_deref(), Some("35.15625"));
    let without = outcome("HLO", &HLO[..9]);
    assert_eq!((without.score, beside(&without, "PRIORITY")), (of.score, None));
    let range = without.beside.iter().find(|of| of.code == "PRIORITY").unwrap();
    assert_eq!((range.lo, range.hi), (Some(number("31.25")), Some(number("39.0625"))));
}

#[test]
fn the_index_is_a_mean_of_two_means_with_resilience_beside_it_and_never_taken_off() {
    let of = |resilience: &str| {
        let inputs = method("OCINDEX-STYLE").inputs();
        let levels: Vec<_> = inputs
            .map(|(input, _)| match input.group.as_str() {
                "MARKET" if input.code == "THB" => (input.code.as_str(), "8.5"),
                "MARKET" => (input.code.as_str(), "4"),
                "ACTOR" => (input.code.as_str(), "6.5"),
                _ => (input.code.as_str(), resilience),
            })
            .collect();
        outcome("OCINDEX-STYLE", &levels)
    };
    // ((14 · 4 + 8.5) / 15 + 6.5) / 2 = (4.3 + 6.5) / 2.
    let (weak, strong) = (of("2.5"), of("9.5"));
    assert_eq!((span(&weak)[0].as_str(), weak.score), ("5.4", strong.score));
    assert_eq!(beside(&weak, "RESILIENCE").as_deref(), Some("2.5"));
    assert_eq!(weak.verdict, Verdict::None);
}

#[test]
fn crime_harm_counts_only_what_victims_and_witnesses_reported() {
    let of = outcome("CHI-R", &[("ICCS0101", "2"), ("ICCS0401", "10"), ("INHABITANTS", "500000")]);
    // 2 · 3650 + 10 · 365, of half a million.
    assert_eq!(span(&of), ["10950", "10950", "none"].map(str::to_owned));
    assert_eq!(beside(&of, "PER_100000").as_deref(), Some("2190"));
    assert_eq!((of.max, &of.verdict), (None, &Verdict::None));
    let petty = outcome("CHI-R", &[("ICCS0401", "10")]);
    assert_eq!((span(&petty)[0].as_str(), &petty.verdict), ("3650", &Verdict::WhiteSpot));

    for by in [Some(ReportedBy::Police), Some(ReportedBy::Company), None] {
        let mut proactive = written("CHI-R", &[("ICCS0101", "2")]);
        proactive.inputs[0].reported_by = by;
        let refused = scored(method("CHI-R"), &proactive).unwrap_err();
        assert_eq!(refused.reason, Reason::MethodUnfit);
        assert_eq!(refused.field, "inputs[ICCS0101].reported_by");
    }
    let mut other = written("RISK-5X5-C", &risk("4", ["2"; 5]));
    other.inputs[0].reported_by = Some(ReportedBy::VictimWitness);
    assert_eq!(scored(method("RISK-5X5-C"), &other).unwrap_err().reason, Reason::MethodUnfit);
}

fn ciram(levels: [&str; 4]) -> Vec<(&'static str, &str)> {
    ["MAGNITUDE", "LIKELIHOOD", "VULNERABILITY", "IMPACT"].into_iter().zip(levels).collect()
}

#[test]
fn border_risk_is_the_cube_root_of_three_parts_to_two_decimals() {
    for (levels, point, word) in [
        (["1", "1", "1", "1"], "1", "LOW"),
        (["5", "5", "5", "5"], "5", "VERY_HIGH"),
        // T = ⌈(2 + 3) / 2⌉ = 3; (3 · 4 · 5)^(1/3) = 3.9149 → 3.91.
        (["2", "3", "4", "5"], "3.91", "HIGH"),
        (["2", "2", "2", "2"], "2", "MEDIUM"),
        (["1", "2", "2", "1"], "1.59", "LOW"),
    ] {
        let of = outcome("CIRAM-3", &ciram(levels));
        assert_eq!((span(&of)[0].as_str(), &of.verdict), (point, &band(word)), "{levels:?}");
    }
    let unknown = outcome("CIRAM-3", &ciram(["2", "3", "UNKNOWN", "5"]));
    assert_eq!((span(&unknown)[1].as_str(), span(&unknown)[2].as_str()), ("2.47", "4.22"));
    assert_eq!(unknown.verdict, Verdict::WhiteSpot);
}

#[test]
fn a_forecast_moves_with_its_factors_and_the_present_does_not() {
    let of = |level: &str, effect: &str, factors: Option<&str>| {
        let inputs = method("SOCTA-ALIGNED").inputs();
        let levels: Vec<_> = inputs
            .filter_map(|(input, _)| match input.group.as_str() {
                "INDICATOR" => Some((input.code.as_str(), level)),
                "EFFECT" => Some((input.code.as_str(), effect)),
                "FACTOR" => factors.map(|factor| (input.code.as_str(), factor)),
                _ => None,
            })
            .collect();
        outcome("SOCTA-ALIGNED", &levels)
    };
    let (worse, better, unsaid) =
        (of("2", "3", Some("HELPS")), of("2", "3", Some("HINDERS")), of("2", "3", None));
    assert_eq!((worse.score, &worse.verdict), (better.score, &better.verdict));
    assert_eq!((span(&worse)[0].as_str(), &worse.verdict), ("2", &band("KEY_THREAT")));
    let forecast = |of: &Outcome| of.forecast.as_ref().and_then(|of| of.point);
    assert_eq!(forecast(&worse), Some(number("2.5")));
    assert_eq!(forecast(&better), Some(number("1.5")));
    assert_eq!((forecast(&unsaid), unsaid.score), (None, worse.score));
    assert_eq!(of("1", "1", None).verdict, band("MONITOR"));
    assert_eq!(of("1", "2", None).verdict, band("THREAT"));
    assert_eq!(of("UNKNOWN", "3", None).verdict, Verdict::WhiteSpot);
    assert_eq!(forecast(&of("3", "3", Some("HELPS"))), Some(number("3")), "never off the scale");
}

#[test]
fn confidence_is_in_no_figure() {
    let with = |confidence| {
        let written = AssessmentWritten { confidence, ..written("HLO", &HLO) };
        scored(method("HLO"), &written).unwrap()
    };
    let (low, high) = (with(Confidence::Low), with(Confidence::High));
    assert_eq!(Told { confidence: Confidence::High, ..Told::clone(&low) }, *high);
    assert_ne!(low, high);
}

#[test]
fn a_score_without_a_written_reason_is_refused() {
    for text in ["", "   ", "\n\t", "\u{200b}", "\u{a0}"] {
        let blank = AssessmentWritten { justification: text.to_owned(), ..written("HLO", &HLO) };
        let refused = scored(method("HLO"), &blank).unwrap_err();
        assert_eq!(
            (refused.reason, refused.field.as_str()),
            (Reason::FieldMissing, "justification")
        );
    }
    for text in ["x\u{1b}[2A", "x\rDissent of somebody else", "x\u{202e}y", "x\u{7}"] {
        let moving = AssessmentWritten { justification: text.to_owned(), ..written("HLO", &HLO) };
        assert_eq!(scored(method("HLO"), &moving).unwrap_err().reason, Reason::FieldInvalid);
    }
    let long = AssessmentWritten { justification: "ч".repeat(2_001), ..written("HLO", &HLO) };
    assert_eq!(scored(method("HLO"), &long).unwrap_err().reason, Reason::LimitExceeded);
}

#[test]
fn what_is_not_said_is_refused_by_name_and_never_taken_for_a_zero() {
    let refuse = |levels: &[(&str, &str)]| {
        let refused = scored(method("RISK-5X5-C"), &written("RISK-5X5-C", levels)).unwrap_err();
        (refused.reason, refused.field)
    };
    let mut levels = risk("4", ["2"; 5]);
    levels.pop();
    assert_eq!(refuse(&levels), (Reason::FieldMissing, "inputs[ENVIRON]".to_owned()));
    for wrong in ["0", "6", "2.5", "", "high", "1e0"] {
        let field = "inputs[ENVIRON].level".to_owned();
        levels.push(("ENVIRON", wrong));
        assert_eq!(refuse(&levels), (Reason::FieldInvalid, field), "{wrong:?}");
        levels.pop();
    }
    levels.extend([("ENVIRON", "1"), ("ENVIRON", "2")]);
    assert_eq!(refuse(&levels), (Reason::FieldInvalid, "inputs[ENVIRON]".to_owned()));
    levels.pop();
    levels.push(("HONOUR", "2"));
    assert_eq!(refuse(&levels), (Reason::CodeUnknown, "inputs".to_owned()));
    let document = serde_json::to_string(&written("RISK-5X5-C", &risk("4", ["2"; 5]))).unwrap();
    assert!(AssessmentWritten::parse("assessment", document.as_bytes()).is_ok());
    let strange = document.replace("\"subject\"", "\"jurisdiction\":\"AL\",\"subject\"");
    let refused = AssessmentWritten::parse("assessment", strange.as_bytes()).unwrap_err();
    assert_eq!(refused.reason, Reason::FieldUnknown);
    assert!(refused.detail.contains("jurisdiction"), "{refused}");
}

#[test]
fn outcomes_of_unlike_methods_or_parameters_are_never_put_together() {
    let mild = changed("RISK-5X5-C", "1.0.0", "1.0.1").unwrap();
    let levels = risk("4", ["2"; 5]);
    let other = AssessmentWritten { version: "1.0.1".to_owned(), ..written("RISK-5X5-C", &levels) };
    let other = scored(&mild, &other).unwrap();
    let own = [outcome("RISK-5X5-C", &levels), outcome("RISK-5X5-C", &risk("2", ["2"; 5]))];
    assert_eq!(Alike::of(&own).unwrap().mean().unwrap().point, number("6"));
    let hlo = outcome("HLO", &HLO);
    for unlike in [[own[0].clone(), other], [own[0].clone(), hlo]] {
        assert_eq!(Alike::of(&unlike).unwrap_err().reason, Reason::MethodUnfit);
    }
    assert!(Alike::of(&[]).is_err());
    // An assessment for another version is not scored by this one.
    let stale = AssessmentWritten { version: "0.9.0".to_owned(), ..written("HLO", &HLO) };
    assert_eq!(scored(method("HLO"), &stale).unwrap_err().reason, Reason::MethodUnfit);
}

#[test]
fn the_registry_holds_these_methods_with_these_parameters() {
    let methods: Vec<_> = Methods::builtin().iter().collect();
    assert_eq!(methods.len(), 7);
    for method in &methods {
        assert_eq!(method.digest(), Digest::of(&method.bytes()));
        let again = Method::read("method", &method.bytes()).unwrap();
        assert_eq!(again.bytes(), method.bytes(), "{}", method.id());
        assert!(!method.citation().is_empty() && !method.note().is_empty());
    }
    let published = methods.iter().filter(|method| method.basis() == Basis::Published);
    let published: Vec<_> = published.map(|method| method.id()).collect();
    assert_eq!(published, ["RISK-5X5-C", "SLEIPNIR-19"]);
    let refused = Methods::builtin().find("method", "SOCTA", None).unwrap_err();
    assert_eq!(refused.reason, Reason::CodeUnknown);
    for order in [Order::Figure, Order::Borda] {
        let rules = Rules::builtin(order);
        assert_eq!((rules.order(), rules.weights_percent()), (order, 20));
        assert_eq!(Rules::read("rules", &rules.bytes()).unwrap().digest(), rules.digest());
    }
}

#[test]
fn parameters_that_do_not_fit_are_refused_by_name() {
    for (id, from, to, says) in [
        ("RISK-5X5-C", "{\"id\"", "{\"fudge\":1,\"id\"", "fudge"),
        ("RISK-5X5-C", "{\"code\":\"LOW\"", "{\"colour\":1,\"code\":\"LOW\"", "colour"),
        ("RISK-5X5-C", "\"impact\":\"MAX\"", "\"impact\":\"MAX\",\"luck\":1", "luck"),
        ("RISK-5X5-C", "\"from\":\"5\",\"to\":\"9\"", "\"from\":\"4\",\"to\":\"9\"", "both hold 4"),
        ("RISK-5X5-C", "\"to\":\"25\"", "\"to\":\"24\"", "from 1 to 25"),
        ("RISK-5X5-C", "\"1.0.0\"", "\"1.0\"", "version"),
        ("RISK-5X5-C", "\"0.4\"", "\"1.5\"", "white_spot_above"),
        ("RISK-5X5-C", "\"ask_more_from\":\"HIGH\"", "\"ask_more_from\":\"TALL\"", "TALL"),
        ("RISK-5X5-C", "\"group\":\"LIKELIHOOD\"", "\"group\":\"CONFIDENCE\"", "CONFIDENCE"),
        ("RISK-5X5-C", "\"weight\":\"1\"", "\"weight\":\"-1\"", "weight below 0"),
        (
            "RISK-5X5-C",
            "\"from\":\"1\",\"to\":\"5\",\"step\"",
            "\"from\":\"-1\",\"to\":\"5\",\"step\"",
            "below 0",
        ),
        ("SLEIPNIR-19", "\"unknown\":\"2\"", "\"unknown\":\"5\"", "off its scale"),
        ("SLEIPNIR-19", "\"code\":\"SCOPE\"", "\"code\":\"MONOPOLY\"", "twice"),
        ("SLEIPNIR-19", "\"2\",\"4\"]", "\"4\",\"2\"]", "ascend"),
        (
            "SOCTA-ALIGNED",
            "[\"MONITOR\",\"MONITOR\",\"THREAT\"]",
            "[\"KEY_THREAT\",\"MONITOR\",\"THREAT\"]",
            "milder",
        ),
        ("SOCTA-ALIGNED", "\"KEY_THREAT\",\"KEY_THREAT\"", "\"KEY_THREAT\"", "each step"),
        ("HLO", "\"priority_gain\":\"0.25\"", "\"priority_gain\":\"-0.25\"", "priority_gain"),
        ("HLO", "\"0.25\"", "\"0.250\"", "0.250"),
        ("HLO", "\"0.25\"", "0.25", "string"),
    ] {
        let refused = changed(id, from, to).unwrap_err().to_string();
        assert!(refused.contains(says), "{id}, {to}: {refused}");
    }
    let rules = String::from_utf8(Rules::builtin(Order::Figure).bytes()).unwrap();
    for (from, to) in [
        ("\"raters_min\":3", "\"raters_min\":2"),
        ("\"left_min\":3", "\"left_min\":1"),
        ("\"median_of_min\":5", "\"median_of_min\":3"),
        ("percent\":20", "percent\":90"),
    ] {
        assert!(
            rules.contains(from)
                && Rules::read("rules", rules.replace(from, to).as_bytes()).is_err()
        );
    }
}

#[test]
fn other_parameters_are_another_version_signed_by_the_owner() {
    let [owner, stranger] = [(); 2].map(|()| SecretKey::generate(&SystemEntropy).unwrap());
    let keys = [owner.public()];
    let add = |method: &Method, key: &SecretKey| {
        Methods::builtin().clone().with(&method.sign(key), &keys, "method")
    };
    let silent = changed("HLO", "\"0.25\"", "\"0.5\"").unwrap();
    let refused = add(&silent, &owner).unwrap_err();
    assert_eq!(refused.reason, Reason::MethodUnfit);
    assert!(refused.detail.contains("new version"), "{refused}");
    let text = String::from_utf8(silent.bytes()).unwrap();
    let new = Method::read("", text.replace("1.0.0", "1.10.0").as_bytes()).unwrap();
    let methods = add(&new, &owner).unwrap();
    assert_eq!(methods.find("", "HLO", None).unwrap().digest(), new.digest());
    assert_eq!(methods.find("", "HLO", Some("1.0.0")).unwrap().digest(), method("HLO").digest());
    assert_eq!(add(&new, &stranger).unwrap_err().reason, Reason::SignatureInvalid);
    let strange = changed("HLO", "\"id\":\"HLO\"", "\"id\":\"OURS\"").unwrap();
    assert!(add(&strange, &owner).unwrap_err().detail.contains("registry"));
    // The same document with a blank in it is not the one that is signed.
    let spaced =
        owner.sign(crate::seal::Kind::Method, text.replace(",\"version\"", ", \"version\"").into());
    assert!(Method::open(&spaced, &keys, "method").unwrap_err().detail.contains("one spelling"));
    let rules = Rules::builtin(Order::Borda);
    assert_eq!(Rules::open(&rules.sign(&owner), &keys, "rules").unwrap().digest(), rules.digest());
    assert!(Rules::open(&rules.sign(&stranger), &keys, "rules").is_err());
}

#[test]
fn more_of_anything_never_lowers_a_score_and_the_point_lies_within() {
    const SEED: u64 = 0x005c_04e5;
    println!("seed {SEED:#x}");
    let mut below = dice(SEED);
    for round in 0..300 {
        for method in Methods::builtin().iter().filter(|method| method.id() != "CHI-R") {
            let inputs: Vec<_> = method.inputs().collect();
            let mut levels = Vec::new();
            for (input, scale) in &inputs {
                let span = scale.most().unwrap().millionths() - scale.least().millionths();
                let step = scale.step.map_or(1_000_000, Fixed::millionths);
                let up = below(u64::try_from(span / step + 1).unwrap()) * step;
                let level = Fixed::of_millionths(scale.least().millionths() + up).unwrap();
                let on_scale = scale.value(&level.to_string()).is_some();
                let known = on_scale && below(4) > 0;
                let text = if known { level.to_string() } else { "UNKNOWN".to_owned() };
                levels.push((input.code.clone(), text));
            }
            let of = |levels: &[(String, String)]| {
                let levels: Vec<_> = levels.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                outcome(method.id(), &levels)
            };
            let first = of(&levels);
            let what = format!("seed {SEED:#x}, round {round}, {}: {levels:?}", method.id());
            let within =
                |span: Span| span.lo <= span.point && span.hi.is_none_or(|hi| span.point <= hi);
            assert!(within(first.score) && within(first.normalised.unwrap()), "{what}");
            // One input at its most.
            let at = usize::try_from(below(u64::try_from(inputs.len()).unwrap())).unwrap();
            levels[at].1 = inputs[at].1.most().unwrap().to_string();
            let raised = of(&levels);
            assert!(raised.score.lo >= first.score.lo, "{what}");
            assert_eq!(of(&levels), raised, "{what}");
        }
    }
}
