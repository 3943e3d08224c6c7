//! Numbers as analysts write them. Comes in: text. Goes out: whole units of 10^-decimals, exactly. No
//! exponent, no thousands separator, no rounding: what is not plain is refused. A minus sign only where the
//! indicator goes below zero.

use accord_proto::{
    reason::{Invalid, Reason, quoted},
    taxonomy::Indicator,
};

fn wrong(field: &str, detail: String) -> Invalid {
    Invalid::new(Reason::FieldInvalid, field, detail)
}

/// Reads a plain decimal number within the indicator's plausible range.
pub(crate) fn number(field: &str, text: &str, indicator: &Indicator) -> Result<i64, Invalid> {
    let unsigned = text.strip_prefix('-').filter(|_| indicator.value_min < 0);
    let absolute = unsigned.unwrap_or(text);
    let (whole, fraction) = absolute.split_once('.').unwrap_or((absolute, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        let detail = format!("{} is not a plain number like 12 or 12.5", quoted(text));
        return Err(wrong(field, detail));
    }
    let decimals = usize::try_from(indicator.decimals).unwrap_or(0);
    // Nothing is trimmed but what a spreadsheet adds to a whole number: 1.000 may mean a thousand.
    let fraction = if fraction == "0" { "" } else { fraction };
    if fraction.len() > decimals {
        let (found, of) = (quoted(text), indicator.code);
        let detail =
            format!("{found} has more than the {decimals} decimals that {of} is kept with");
        return Err(wrong(field, detail));
    }
    let padding = std::iter::repeat_n(b'0', decimals - fraction.len());
    let scaled = whole.bytes().chain(fraction.bytes()).chain(padding);
    let value = scaled
        .map(|digit| i64::from(digit - b'0'))
        .try_fold(0_i64, |value, digit| value.checked_mul(10)?.checked_add(digit));
    let value = value.map(|value| if unsigned.is_some() { -value } else { value });
    let plausible = indicator.value_min..=indicator.value_max;
    value.filter(|value| plausible.contains(value)).ok_or_else(|| {
        wrong(
            field,
            format!("{} is outside the plausible range of {}", quoted(text), indicator.code),
        )
    })
}

/// Reads a plain whole number.
pub(super) fn whole(field: &str, text: &str) -> Result<u64, Invalid> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| wrong(field, format!("{} is not a plain whole number", quoted(text))))
}
