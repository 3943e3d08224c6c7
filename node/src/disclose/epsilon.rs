//! What a budget means to people who think in epsilon. Comes in: rho, and a delta. Goes out: an epsilon such that
//! whoever loses rho of zero-concentrated differential privacy loses no more than (epsilon, delta). Must never decide
//! anything: the ledger counts in rho, this is for reading.
//!
//! # Why this is enough
//! *Claim:* rho-zCDP is (epsilon, delta)-differential privacy for the epsilon returned. *Argument:* by Canonne, Kamath and
//! Steinke 2020, proposition 12, every alpha above 1 gives a valid epsilon = alpha·rho + ln(1 − 1/alpha) − ln(alpha·delta) /
//! (alpha − 1); the search looks for the smallest, and where it stops early, what it returns is too large and still true.
//! It is tighter than rho + 2·√(rho · ln(1/delta)) of Bun and Steinke 2016. *Known limit:* floating point, to 12 digits.

use crate::policy::rho;

/// With which delta an epsilon is shown.
pub const DELTA: f64 = 1e-6;
/// Halvings of the search: past this nothing changes in 53 bits.
const STEPS: u32 = 200;
/// ln(alpha − 1) is looked for between these.
const NEAREST: f64 = -40.0;
const FARTHEST: f64 = 40.0;

/// Epsilon of so many nano-rho, at [`DELTA`].
pub fn epsilon(nano_rho: u64) -> f64 {
    epsilon_at(rho(nano_rho), DELTA)
}

/// The smallest epsilon for a rho and a delta between 0 and 1.
pub fn epsilon_at(rho: f64, delta: f64) -> f64 {
    if rho <= 0.0 {
        return 0.0;
    }
    let of = |log: f64| {
        let above_one = log.exp();
        let alpha = 1.0 + above_one;
        // ln(1 − 1/alpha), without taking one from the other.
        let shrinks = log - above_one.ln_1p();
        alpha * rho + shrinks - (alpha.ln() + delta.ln()) / above_one
    };
    let (mut low, mut high) = (NEAREST, FARTHEST);
    for _ in 0..STEPS {
        let third = (high - low) / 3.0;
        if of(low + third) < of(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    of(low).min(of(high)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `opendp` 0.16.0 from PyPI, Python 3, features "contrib" and "honest-but-curious":
    /// `m = make_user_measurement(atom_domain(T=int), absolute_distance(T=int), zero_concentrated_divergence(),
    /// lambda x: x, lambda d: rho)`, then `combinators.make_zCDP_to_approxDP(m).map(1).epsilon(delta)`.
    const OPENDP: [(f64, f64, f64); 9] = [
        (3.0, 14.947_919_164_492_596, 17.949_061_530_946_473),
        (1.0, 7.766_216_625_311_721_5, 9.521_463_671_792_235),
        (0.25, 3.542_291_300_477_016, 4.436_684_222_232_657),
        (0.11, 2.256_077_327_322_959_3, 2.856_723_366_665_526),
        (12.0, 36.404_611_861_785_98, 42.328_296_138_119_2),
        (2.7, 14.014_892_625_695_092, 16.865_300_781_380_025),
        (0.5, 5.221_534_444_530_17, 6.474_070_020_726_487),
        (0.001, 0.182_895_377_190_076_26, 0.245_119_253_871_951_4),
        (30.0, 69.040_713_903_562_87, 78.344_665_691_264_57),
    ];

    #[test]
    fn epsilon_is_the_one_of_opendp() {
        for (rho, at_6, at_9) in OPENDP {
            for (delta, expected) in [(1e-6, at_6), (1e-9, at_9)] {
                let found = epsilon_at(rho, delta);
                assert!((found - expected).abs() < 1e-9 * expected, "{rho} {delta}: {found}");
            }
        }
        assert!(epsilon(0).abs() < f64::EPSILON);
        assert!((epsilon(3_000_000_000) - 14.947_919_164_492_6).abs() < 1e-9);
    }

    #[test]
    fn it_grows_with_rho_and_stays_below_the_simple_formula() {
        let mut before = 0.0;
        for step in 1..400_u32 {
            let rho = f64::from(step) / 10.0;
            let found = epsilon_at(rho, DELTA);
            assert!(found > before && found < rho + 2.0 * (rho * (1.0 / DELTA).ln()).sqrt());
            before = found;
        }
    }
}
