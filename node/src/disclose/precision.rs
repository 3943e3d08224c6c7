//! How exact a protected figure is. Comes in: variance, cap and rounding, which are all published. Goes out: standard error
//! and interval. Must never take anything that is held as an argument: then nothing of it can show.

/// Standard error of a figure, in thousandths: sqrt(σ² U² + (b² − 1) / 12), rounded up (disclosure.md §3.5). `variance` is for a
/// cap of one; `cap` and `rounding` are in the figure's own unit.
pub fn standard_error_milli(variance: u64, cap: i64, rounding: i64) -> u64 {
    let square = |value: i64| {
        let value = u128::from(value.unsigned_abs());
        value.saturating_mul(value)
    };
    // Twelve times the variance, in millionths: exact until the root.
    let noise = u128::from(variance).saturating_mul(square(cap)).saturating_mul(12);
    let rounded = square(rounding).saturating_sub(1);
    let scaled = noise.saturating_add(rounded).saturating_mul(1_000_000) / 12;
    let root = scaled.isqrt();
    let up = u128::from(root.saturating_mul(root) < scaled);
    u64::try_from(root + up).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_error_is_the_one_of_the_shipped_tiers() {
        assert_eq!(standard_error_milli(3, 1, 1), 1_733); // √3
        assert_eq!(standard_error_milli(9, 1, 5), 3_317); // √(9 + 24/12)
        assert_eq!(standard_error_milli(36, 1, 10), 6_653); // √(36 + 99/12)
        assert_eq!(standard_error_milli(3, 500, 1), 866_026);
    }
}
