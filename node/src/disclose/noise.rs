//! Noise. Comes in: a key and the name of a cell. Goes out: one whole number, always the same for the same key
//! and name, distributed as an exact discrete Gaussian. Must never be drawn on the path of a question, and
//! never with a key that another edition used.
//!
//! ```text
//! root ──HMAC "edition"──► key of an edition ──HMAC cell, measure, step──► seed ──XOF──► sampler ──► draw
//! root ──HMAC "ratchet"──► the next root; the one before is not kept
//! ```
//!
//! # Why this is enough
//! *Claim:* whoever sees every figure of an edition learns of its noise only what the figures themselves show.
//! *Argument:* each cell has a seed of its own by a keyed hash, so draws are independent to everybody without
//! the key; the sampler is exact (Canonne, Kamath, Steinke 2020), so no floating point leaks through the tails;
//! the key is gone after the freeze, so it cannot be asked for later. *Known limit:* sled keeps old pages
//! until it writes them anew, and a backup holds the root of its day: both belong on an encrypted disk. A store that is put back
//! *with its witness* and frozen again with other records that only some may see draws the same noise for them.

use accord_proto::{seal::Digest, taxonomy::Period};
use hmac::{Hmac, KeyInit as _, Mac as _};
use prio::{
    dp::{Rational, distributions::DiscreteGaussian},
    vdaf::xof::SeedStreamTurboShake128,
};
use rand::{SeedableRng as _, distr::Distribution as _};
use sha2::Sha256;

/// Standard deviations are rational: millionths, rounded up, so that the variance is never below the one stated.
const STEPS: u128 = 1_000_000;

/// The key from which the keys of the next editions are made.
#[derive(Clone)]
pub struct Root([u8; 32]);

/// The key of one edition.
pub struct EditionKey([u8; 32]);

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Root(_)")
    }
}

impl std::fmt::Debug for EditionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EditionKey(_)")
    }
}

impl Root {
    /// As it lies in the store.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For the store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of one draw of a period. `content` is a digest of what everybody may see of what was frozen: a store that was
    /// put back and frozen again with the same records draws the same figures, with others others. Records that only
    /// some may see are not in it, or they would show to everybody else.
    pub fn edition(&self, period: Period, number: u32, content: Digest) -> EditionKey {
        let says = format!("accord/noise/1|period={period}|draw={number}|content=");
        EditionKey(keyed_hash(&self.0, &[says.as_bytes(), &content.0]))
    }

    /// The root after a freeze: nothing leads back from it.
    #[must_use]
    pub fn ratchet(&self) -> Self {
        Self(keyed_hash(&self.0, &[b"accord/noise/1|ratchet"]))
    }
}

impl EditionKey {
    /// The draw for a cell with this variance. `step` tells the draws of one cell apart.
    pub fn draw(&self, cell: &[u8], step: &str, variance: u128) -> i64 {
        let seed = keyed_hash(&self.0, &[b"cell=", cell, b"|step=", step.as_bytes()]);
        discrete_gaussian(seed, variance)
    }
}

fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut hash = Hmac::<Sha256>::new_from_slice(key).expect("a key of 32 bytes");
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into_bytes().into()
}

/// One draw with mean 0. The variance is at least the one given.
fn discrete_gaussian(seed: [u8; 32], variance: u128) -> i64 {
    let scaled = variance.saturating_mul(STEPS * STEPS);
    let root = scaled.isqrt();
    let deviation = if root * root < scaled { root + 1 } else { root };
    sample(seed, deviation, STEPS)
}

fn sample(seed: [u8; 32], numerator: u128, denominator: u128) -> i64 {
    #[expect(clippy::expect_used, reason = "fails for a denominator of zero only")]
    let sampler = Rational::from_unsigned(numerator, denominator)
        .and_then(DiscreteGaussian::new)
        .expect("the denominator is not zero");
    let draw = sampler.sample(&mut SeedStreamTurboShake128::from_seed(seed));
    // Beyond 64 bits no draw ever comes: it would be some 10^9 standard deviations away.
    i64::try_from(draw).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of disclosure.md §7.6: one root, one snapshot, cells 0 to 11, two standard deviations.
    #[test]
    fn the_sticky_draws_are_the_ones_written_down() {
        let key =
            keyed_hash(&[0; 32], &[b"fdx/noise/v1|snapshot=00000000000000000000000000000001"]);
        assert_eq!(hex(&key), "9f0ff365f664c38a88b4577ea70f00d89dfab4677ff27ac7eb2f60524698d519");
        let seed = |cell: i32| keyed_hash(&key, &[format!("cell={cell}|measure=count").as_bytes()]);
        assert_eq!(
            hex(&seed(0)),
            "f2c722726c9dff5209654a8470eae921f6ea1a7aa8c879bcb8f63e6e8f9ed46e"
        );
        let draws = |numerator, denominator| -> Vec<i64> {
            (0..12).map(|cell| sample(seed(cell), numerator, denominator)).collect()
        };
        assert_eq!(draws(3, 1), [5, -5, -1, 4, 0, -3, -1, -2, -1, 6, 0, -1]);
        assert_eq!(draws(2342, 1000), [-1, 5, 0, 3, 0, 1, 1, 5, -2, 4, 2, -4]);
    }

    #[test]
    fn draws_are_independent_of_each_other_and_have_the_stated_variance() {
        let key = Root::new([7; 32]).edition(year(2016), 1, Digest([0; 32]));
        let draws: Vec<f64> = (0..20_000_u32)
            .map(|cell| {
                let draw = key.draw(&cell.to_be_bytes(), "A", 3);
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let draw = draw as f64;
                draw
            })
            .collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 20_000.0;
        let pairs = draws.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / 20_000.0;
        // Five standard errors.
        assert!(mean.abs() < 0.062, "mean {mean}");
        assert!((variance - 3.0).abs() < 0.15, "variance {variance}");
        assert!(pairs.abs() < 0.11, "covariance of neighbours {pairs}");
    }

    #[test]
    fn another_cell_step_edition_or_root_is_another_draw_and_the_same_is_the_same() {
        let root = Root::new([7; 32]);
        let draws = |key: &EditionKey, step| -> Vec<i64> {
            (0..64_u8).map(|cell| key.draw(&[cell], step, 36)).collect()
        };
        let (none, some) = (Digest([0; 32]), Digest([1; 32]));
        let first = draws(&root.edition(year(2016), 1, none), "A");
        assert_eq!(first, draws(&root.edition(year(2016), 1, none), "A"));
        assert_ne!(first, draws(&root.edition(year(2016), 1, none), "B"));
        assert_ne!(first, draws(&root.edition(year(2017), 1, none), "A"));
        assert_ne!(first, draws(&root.edition(year(2016), 2, none), "A"));
        assert_ne!(first, draws(&root.edition(year(2016), 1, some), "A"));
        assert_ne!(first, draws(&root.ratchet().edition(year(2016), 1, none), "A"));
    }

    #[test]
    fn a_key_does_not_show() {
        assert_eq!(format!("{:?}", Root::new([7; 32])), "Root(_)");
    }

    fn year(year: u16) -> Period {
        Period::parse("", &year.to_string()).unwrap()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
