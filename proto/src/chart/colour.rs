//! Colours. One hue in five steps of lightness: readable in grey, and whatever colours a reader's eyes tell apart. Nothing
//! here means anything without a pattern, a sign or a word beside it.

/// Text, outlines, lines.
pub(super) const INK: &str = "#14202b";
/// Text that explains.
pub(super) const MUTED: &str = "#46535f";
/// Lines that help to read, and outlines of what is not asked.
pub(super) const RULE: &str = "#c4ccd3";
/// What the chart stands on.
pub(super) const PAPER: &str = "#ffffff";
/// Land of whoever was not asked.
pub(super) const CONTEXT: &str = "#f3f4f6";
/// Water.
pub(super) const WATER: &str = "#dde4e9";
/// The line of a trend, and what is filled wholly.
pub(super) const LINE: &str = "#1f5f99";
/// The band of what protection adds.
pub(super) const BAND: &str = "#c9dff1";

/// Five classes, lightest first: about 12 steps of CIE lightness between neighbours.
pub(super) const CLASSES: [&str; 5] = ["#e1eef9", "#abcee9", "#6faedb", "#308ec6", "#1f70ae"];
/// What is written on each.
pub(super) const ON_CLASS: [&str; 5] = [INK, INK, INK, INK, PAPER];

/// Grounds of a risk matrix, faint: the matrix is a reading aid, the table is the record.
pub(super) const GROUNDS: [&str; 5] = ["#ffffff", "#f4f6f8", "#e9edf1", "#dde3e9", "#d0d8e0"];

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue in linear light, 0 to 1 (IEC 61966-2-1).
    fn linear(colour: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn luminance([red, green, blue]: [f64; 3]) -> f64 {
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// WCAG 2.2, contrast ratio.
    fn contrast(a: &str, b: &str) -> f64 {
        let [a, b] = [a, b].map(|colour| luminance(linear(colour)) + 0.05);
        a.max(b) / a.min(b)
    }

    /// CIE lightness of a luminance.
    fn lightness(luminance: f64) -> f64 {
        if luminance > 0.008_856 { 116.0 * luminance.cbrt() - 16.0 } else { 903.3 * luminance }
    }

    /// CIE L*a*b*, white D65.
    fn lab([red, green, blue]: [f64; 3]) -> [f64; 3] {
        let x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505;
        let y = luminance([red, green, blue]);
        let z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089;
        let [fx, fy, fz] =
            [x, y, z].map(|t| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
        [116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)]
    }

    fn apart(a: [f64; 3], b: [f64; 3]) -> f64 {
        lab(a).iter().zip(lab(b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, table
    /// of severity 1.0: protanopia, deuteranopia, tritanopia; applied to linear light.
    const MACHADO: [[[f64; 3]; 3]; 3] = [
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ];

    fn seen(matrix: [[f64; 3]; 3], colour: &str) -> [f64; 3] {
        let of = linear(colour);
        matrix.map(|row| row.iter().zip(of).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0))
    }

    #[test]
    fn every_text_stands_out_from_what_it_is_written_on() {
        for (ground, ink) in CLASSES.into_iter().zip(ON_CLASS) {
            assert!(contrast(ground, ink) >= 4.5, "{ink} on {ground}: {}", contrast(ground, ink));
        }
        for (ground, ink) in [(PAPER, INK), (PAPER, MUTED), (LINE, PAPER), (CONTEXT, MUTED)] {
            assert!(contrast(ground, ink) >= 4.5, "{ink} on {ground}: {}", contrast(ground, ink));
        }
        for ground in GROUNDS {
            assert!(contrast(ground, LINE) >= 4.5, "{LINE} on {ground}");
        }
    }

    #[test]
    fn every_class_stands_out_from_its_outline_and_every_line_from_the_paper() {
        for ground in CLASSES {
            assert!(contrast(ground, INK) >= 3.0, "{ground}: {}", contrast(ground, INK));
        }
        for line in [LINE, INK, MUTED, "#7c8893", "#6b7782", "#5c6873"] {
            assert!(contrast(line, PAPER) >= 3.0, "{line}: {}", contrast(line, PAPER));
        }
    }

    #[test]
    fn neighbouring_classes_differ_in_grey() {
        for pair in CLASSES.windows(2) {
            let [light, dark] = [pair[0], pair[1]].map(|of| lightness(luminance(linear(of))));
            assert!(light - dark >= 10.0, "{pair:?}: {light} and {dark}");
        }
    }

    #[test]
    fn all_classes_differ_for_eyes_that_tell_fewer_colours_apart() {
        for matrix in MACHADO {
            for (at, one) in CLASSES.iter().enumerate() {
                for other in &CLASSES[at + 1..] {
                    let apart = apart(seen(matrix, one), seen(matrix, other));
                    assert!(apart >= 10.0, "{one} and {other}: {apart}");
                }
            }
        }
    }

    #[test]
    fn the_simulation_keeps_grey_and_confuses_what_such_eyes_confuse() {
        for matrix in MACHADO {
            assert!(apart(seen(matrix, "#808080"), linear("#808080")) < 1.0);
        }
        let [protan, deutan, tritan] = MACHADO;
        let red_green = |matrix| apart(seen(matrix, "#b03030"), seen(matrix, "#5a6a20"));
        let plain = apart(linear("#b03030"), linear("#5a6a20"));
        assert!(red_green(deutan) < plain / 2.0 && red_green(protan) < plain);
        assert!(
            apart(seen(tritan, "#0060ff"), seen(tritan, "#008060"))
                < apart(linear("#0060ff"), linear("#008060"))
        );
    }
}
