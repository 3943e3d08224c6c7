//! Bands of a fixed scale: below 5, then from 5, 10, 20, 50, 100 … whole units: none is one number. Comes in: a figure. Goes out: the band that it lies in.
//! The scale is the same for everybody and for ever, so that nobody can draw narrower bands by asking again.

use super::Within;

/// The band of a figure that is not below zero: both ends included, in the figure's own unit of 10^-decimals. None below zero or past
/// the last band.
pub fn band_of(value: i64, decimals: u32) -> Option<Within> {
    let unit = 10_i64.checked_pow(decimals)?;
    if value < 0 {
        return None;
    }
    let mut lower = 0_i64;
    for step in steps() {
        let next = step.checked_mul(unit)?;
        if value < next {
            return Some(Within { lower, upper: next - 1 });
        }
        lower = next;
    }
    None
}

/// 5, 10, 20, 50 …
fn steps() -> impl Iterator<Item = i64> {
    (0..17_u32).flat_map(|power| [5, 10, 20].map(|step| step * 10_i64.pow(power)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_touch_and_do_not_overlap() {
        for decimals in [0, 1, 3] {
            let (mut next, mut bands) = (0, 0);
            while bands < 30 {
                let band = band_of(next, decimals).unwrap();
                assert_eq!(band.lower, next);
                assert_eq!(band_of(band.upper, decimals), Some(band));
                (next, bands) = (band.upper + 1, bands + 1);
            }
        }
        assert_eq!(band_of(-1, 0), None);
        assert_eq!(band_of(i64::MAX, 3), None);
    }

    #[test]
    fn the_scale_is_the_one_written_down() {
        let ends = |value, decimals| band_of(value, decimals).map(|band| (band.lower, band.upper));
        assert_eq!(ends(0, 0), Some((0, 4)));
        assert_eq!(ends(7, 0), Some((5, 9)));
        assert_eq!(ends(42_000, 0), Some((20_000, 49_999)));
        assert_eq!(ends(641, 1), Some((500, 999)), "64.1 %");
    }
}
