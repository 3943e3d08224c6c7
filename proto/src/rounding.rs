//! Rounding, in whole numbers. Comes in: a fraction. Goes out: the nearest whole number; of two, the even one. Must never
//! meet a floating-point number: the same bytes everywhere.

/// `above / below`, half to even. `below` is above zero.
pub(crate) fn half_to_even(above: i128, below: i128) -> i128 {
    let (quotient, rest) = (above.div_euclid(below), above.rem_euclid(below));
    // Twice the rest may not fit where the rest does.
    let up = match rest.cmp(&(below - rest)) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Greater => 1,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2),
    };
    quotient + up
}

#[cfg(test)]
mod tests {
    use super::half_to_even;

    #[test]
    fn halves_go_to_the_even_neighbour_on_both_sides_of_zero() {
        for (above, below, rounded) in
            [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (-1, 3, 0), (-2, 3, -1), (8, 3, 3)]
        {
            assert_eq!(half_to_even(above, below), rounded, "{above}/{below}");
        }
    }
}
