//! Threat, vulnerability and impact (domain.md §2.9 F). Comes in: magnitude, likelihood, vulnerability, impact, each from 1 to 5.
//! Goes out: the cube root of threat × vulnerability × impact, to two decimals.

use serde::{Deserialize, Serialize};

use super::{Figures, Formulated, Gap, Reading, UNIT, fits, fixed, largest, mean};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Ciram {}

impl Formulated for Ciram {
    fn groups(&self) -> &'static [(&'static str, usize, bool)] {
        &[("THREAT", 2, true), ("VULNERABILITY", 1, true), ("IMPACT", 1, true)]
    }

    fn at(&self, reading: &Reading<'_>) -> Result<Figures, Gap> {
        let (above, below) = mean(&reading.group("THREAT")?)?;
        let below = fits(below.checked_mul(UNIT))?;
        // Rounded up to a whole level.
        let threat = -(-above).div_euclid(below);
        let vulnerability = largest(&reading.group("VULNERABILITY")?)? / UNIT;
        let impact = largest(&reading.group("IMPACT")?)? / UNIT;
        let product = threat.checked_mul(vulnerability).and_then(|of| of.checked_mul(impact));
        let hundredths = fits(root_in_hundredths(fits(product)?))?;
        let point = fixed(fits(hundredths.checked_mul(UNIT / 100))?)?;
        Figures::of(point).beside("THREAT", fixed(fits(threat.checked_mul(UNIT))?))
    }
}

/// The cube root in hundredths, to the nearest: never a tie, since a half hundredth cubed is no whole number.
fn root_in_hundredths(product: i128) -> Option<i128> {
    let scaled = product.checked_mul(1_000_000)?;
    let (mut low, mut high) = (0_i128, 1_i128 << 42);
    // The largest whole number whose cube is not above; cubes stay below 2^127.
    while high - low > 1 {
        let middle = i128::midpoint(low, high);
        if middle.checked_pow(3)? <= scaled { low = middle } else { high = middle }
    }
    // Above low and a half? (2·low + 1)³ against 8·scaled.
    let up = (2 * low + 1).checked_pow(3)? <= scaled.checked_mul(8)?;
    Some(low + i128::from(up))
}

#[cfg(test)]
mod tests {
    use super::root_in_hundredths;

    #[test]
    fn a_cube_root_is_the_nearest_hundredth() {
        for (product, root) in [(0, 0), (1, 100), (8, 200), (125, 500), (2, 126), (60, 391)] {
            assert_eq!(root_in_hundredths(product), Some(root), "{product}");
        }
        for product in 1..=125_i128 {
            let root = root_in_hundredths(product).unwrap();
            let [below, above] = [2 * root - 1, 2 * root + 1].map(|half| half.pow(3));
            assert!(below < 8_000_000 * product && 8_000_000 * product < above, "{product}");
        }
    }
}
