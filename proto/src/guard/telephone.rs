//! Telephone numbers: plain text comes in; whether one stands in it goes out. Must never take for one a
//! plain integer, a date, or an amount with separators between its thousands.

use super::number::{Group, Run, runs};

/// Calling codes of the region.
const REGION: [&[u8]; 9] = [b"355", b"359", b"381", b"382", b"383", b"385", b"386", b"387", b"389"];

/// Looks at every place where digits begin.
pub(super) fn anywhere(text: &[u8]) -> bool {
    runs(text).any(|run| is_telephone(&run))
}

fn is_telephone(run: &Run<'_>) -> bool {
    if run.is_fraction() || run.previous().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    if run.previous() == Some(b'+') {
        return is_international(run, 0);
    }
    match first(run) {
        [b'0', b'0', ..] => is_international(run, 2),
        [b'0', ..] => is_national(run),
        _ => false,
    }
}

fn first<'a>(run: &Run<'a>) -> &'a [u8] {
    run.groups().first().map_or(&[], |group| group.digits)
}

/// After a plus or 00: a calling code and a number.
fn is_international(run: &Run<'_>, prefix: usize) -> bool {
    let mut code = run.groups().iter().flat_map(|group| group.digits).skip(prefix).copied();
    let code = [code.next(), code.next(), code.next()].map(Option::unwrap_or_default);
    let region = REGION.contains(&code.as_slice());
    // A number padded with zeros is no telephone number: far from the region it needs its separators and
    // a calling code of Europe.
    let padded =
        prefix > 0 && (run.groups().len() < 2 || !matches!(code.first(), Some(b'3' | b'4')));
    if code.starts_with(b"0") || (!region && padded) {
        return false;
    }
    let mut total = 0;
    let mut thousands = true;
    run.groups().iter().enumerate().any(|(at, group)| {
        total += group.digits.len();
        thousands &= at == 0 || group.digits.len() == 3;
        let digits = total.saturating_sub(prefix);
        ends_here(group)
            && if region {
                (10..=13).contains(&digits)
            } else {
                // +12 345 678 is a rise more often than a telephone number.
                (if thousands && at > 0 { 11..=15 } else { 9..=15 }).contains(&digits)
            }
    })
}

/// An area code that begins with 0, a separator, and six or seven digits more, as in 044 123 456,
/// 011/123-4567, (02) 3123 456.
fn is_national(run: &Run<'_>) -> bool {
    let [area, number @ ..] = run.groups() else {
        return false;
    };
    let Some(next) = number.first() else {
        return false;
    };
    // 5 044 123 456 is an amount, 2016-044-123 the end of a longer code.
    let preceded = match run.before {
        [rest @ .., b' '] => (1..=3).contains(&figures_at_end(rest)),
        [rest @ .., b'-' | b'/'] => figures_at_end(rest) > 0,
        _ => false,
    };
    if preceded || next.digits.starts_with(b"0") {
        return false;
    }
    let marked = matches!(next.gap, b'/' | b')');
    let mut total = area.digits.len();
    for (more, group) in (1..).zip(number) {
        // A year among the groups makes it the number of a case or an act.
        if !(2..=7).contains(&group.digits.len()) || is_year(group.digits) {
            return false;
        }
        total += group.digits.len();
        let fits = match area.digits.len() {
            2 => total == 9 && next.digits.len() > 2 && (marked || more > 1),
            3 | 4 => matches!(total, 9 | 10) || (total == 8 && marked),
            _ => false,
        };
        if fits && ends_here(group) && (more > 1 || next.gap != b'.') {
            return true;
        }
    }
    false
}

fn ends_here(group: &Group<'_>) -> bool {
    !group.rest.first().is_some_and(u8::is_ascii_alphabetic)
}

fn figures_at_end(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count()
}

fn is_year(digits: &[u8]) -> bool {
    matches!(digits, [b'1', b'9', _, _] | [b'2', b'0', _, _])
}
