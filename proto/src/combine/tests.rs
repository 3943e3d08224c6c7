//! Sums, means and medians by hand; what is told of them, and what is not.

use super::*;
use crate::taxonomy::Lists;

fn exact(value: i64) -> Figure {
    Figure { value, upper: value, standard_error_milli: 0, exact_and_hidden: false }
}

fn noisy(value: i64, standard_error_milli: u64) -> Figure {
    Figure { standard_error_milli, ..exact(value) }
}

fn of(code: &str) -> &'static Indicator {
    Lists::builtin().indicator("", code).unwrap()
}

fn figures(values: &[i64]) -> Vec<Figure> {
    values.iter().map(|value| exact(*value)).collect()
}

fn figure(combined: Combined) -> (i64, u64, i64, i64) {
    let Combined::Figure { value, standard_error_milli, within, .. } = combined else {
        panic!("{combined:?}");
    };
    (value, standard_error_milli, within.lower, within.upper)
}

fn between(combined: Combined) -> (i64, i64) {
    let Combined::Between { within, .. } = combined else { panic!("{combined:?}") };
    (within.lower, within.upper)
}

#[test]
fn a_mean_is_exact_up_to_its_last_decimal() {
    for (values, expected, lower, upper) in [
        (&[640, 640, 640, 640, 640][..], 640, 640, 640),
        (&[0, 0, 0, 0, 1], 0, 0, 1),
        (&[0, 0, 1, 1, 1], 1, 0, 1),
        (&[0, 0, 0, 1, 1, 1], 0, 0, 1), // 0.5, half to even
        (&[1, 1, 1, 2, 2, 2], 2, 1, 2), // 1.5
    ] {
        let combined = combine(&figures(values), of("PUB.OCI.SCORE"));
        assert_eq!(figure(combined), (expected, 0, lower, upper), "{values:?}");
        assert!(is_plausible(combined, values.len(), of("PUB.OCI.SCORE")), "{values:?}");
    }
    let mean = combine(&figures(&[640; 5]), of("PUB.OCI.SCORE"));
    let Combined::Figure { value, within, .. } = mean else { panic!("{mean:?}") };
    for lower in [within.lower - 2, within.lower + 1] {
        let within = Within { lower, ..within };
        let forged =
            Combined::Figure { value, standard_error_milli: 0, within, method: Method::Mean };
        assert!(!is_plausible(forged, 5, of("PUB.OCI.SCORE")), "{lower}");
    }
    let few = combine(&figures(&[640; 4]), of("PUB.OCI.SCORE"));
    assert_eq!(few, Combined::TooFew);
}

#[test]
fn a_sum_that_does_not_fit_is_no_sum() {
    assert_eq!(combine(&figures(&[i64::MAX, 1]), of("PUB.OFF.N")), Combined::NotApplicable);
}

#[test]
fn a_standard_error_is_exact_and_rounded_up() {
    let of = |errors: &[u64]| {
        standard_error(&errors.iter().map(|error| noisy(1, *error)).collect::<Vec<_>>())
    };
    assert_eq!(of(&[]), Some(0));
    assert_eq!(of(&[0, 0]), Some(0));
    assert_eq!(of(&[3_000, 4_000]), Some(5_000));
    assert_eq!(of(&[1, 1]), Some(2)); // 1.41…
    assert_eq!(of(&[2_500, 3_000, 4_000]), Some(5_591)); // 5,590.17…
    assert_eq!(of(&[u64::MAX]), Some(u64::MAX));
    assert_eq!(of(&[u64::MAX, u64::MAX]), None);
}

#[test]
fn a_sum_says_how_far_its_noise_reaches_and_never_below_what_can_be() {
    let sum = |figures: &[Figure]| figure(combine(figures, of("PUB.OFF.N")));
    assert_eq!(sum(&[exact(40), exact(2)]), (42, 0, 42, 42));
    // 1.96 × 5 = 9.8, rounded up.
    assert_eq!(sum(&[noisy(40, 3_000), noisy(2, 4_000)]), (42, 5_000, 32, 52));
    assert_eq!(sum(&[noisy(3, 3_000), noisy(2, 4_000)]), (5, 5_000, 0, 15));
}

#[test]
fn what_was_published_masked_is_never_one_number() {
    let masked = Figure { upper: 4, ..exact(0) };
    let victims = [exact(95), exact(48), masked, exact(6), exact(31)];
    assert_eq!(between(combine(&victims, of("PUB.THB.VIC.N"))), (180, 184));
}

#[test]
fn a_median_is_told_of_five_or_more_only_and_never_of_exact_hidden_figures() {
    let price = of("DRG.PRICE.HER.WHL");
    let protected: Vec<_> = [2_100_000, 2_300_000, 2_500_000, 2_600_000, 9_000_000]
        .map(|value| noisy(value, 1_000_000))
        .to_vec();
    assert_eq!(figure(combine(&protected, price)), (2_500_000, 1_000_000, 2_498_040, 2_501_960));
    // Of an even number, between the two in the middle.
    let six = [protected.clone(), vec![noisy(2_550_000, 1_000_000)]].concat();
    assert_eq!(figure(combine(&six, price)).0, 2_525_000);
    // 21,000 to 26,000 euros: the band from 20,000 to under 50,000.
    assert_eq!(between(combine(&protected[..4], price)), (2_000_000, 4_999_999));
    // Two far apart in the middle: the band of the median, not from the band of one to the band of the other.
    let apart = [1_000, 100_000, 900_000, 7_000_000].map(exact);
    assert_eq!(between(combine(&apart, price)), (500_000, 999_999));
    let mut one_exact = protected.clone();
    one_exact[0] = Figure { exact_and_hidden: true, ..exact(2_100_000) };
    assert_eq!(between(combine(&one_exact, price)), (2_000_000, 4_999_999));
    assert_eq!(combine(&protected[..2], price), Combined::TooFew);
}

#[test]
fn the_interval_of_a_median_tells_of_nobody_but_the_one_in_the_middle() {
    // Whose noise is how wide changes nothing: else the ends would be other members' figures.
    let price = of("DRG.PRICE.HER.WHL");
    let prices = [2_000_000, 2_300_000, 2_500_000, 2_600_000, 9_000_000];
    let mut errors = [500_000, 1_000_000, 2_000_000, 4_000_000, 100_000_000];
    let told = |errors: [u64; 5]| {
        let figures: Vec<_> =
            prices.into_iter().zip(errors).map(|(of, se)| noisy(of, se)).collect();
        figure(combine(&figures, price))
    };
    assert_eq!(told(errors), (2_500_000, 100_000_000, 2_304_000, 2_696_000));
    for _ in 0..5 {
        errors.rotate_left(1);
        assert_eq!(told(errors), (2_500_000, 100_000_000, 2_304_000, 2_696_000));
    }
}

#[test]
fn a_ratio_is_not_combined_without_its_parts() {
    assert_eq!(combine(&figures(&[1, 2, 3, 4, 5]), of("OCN.CORR.SH")), Combined::NotApplicable);
    assert_eq!(combine(&[], of("OCN.CORR.SH")), Combined::NotApplicable);
    assert_eq!(combine(&[], of("PUB.OFF.N")), Combined::Nothing);
}

#[test]
fn what_absent_members_may_bring_is_said_as_far_as_it_is_known() {
    let offences = of("PUB.OFF.N");
    let sum = combine(&figures(&[40, 2]), offences);
    assert_eq!(of_all(sum, (2, 0), offences), (Some(42), Some(42)));
    assert_eq!(of_all(sum, (2, 1), offences), (Some(42), None));
    // Scores from 0 to 10, as the registry has it: five with 6.40, one unknown.
    let score = of("PUB.OCI.SCORE");
    let mean = combine(&figures(&[640; 5]), score);
    assert_eq!(of_all(mean, (5, 1), score), (Some(533), Some(700)));
    assert_eq!(of_all(Combined::TooFew, (2, 1), score), (None, None));
}
