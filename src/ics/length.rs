//! How long an event lasts: `P1D`, `PT2H30M`, `P1W` (RFC 5545, 3.3.6).

use jiff::SignedDuration;

/// Days of the calendar, and elapsed time after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    pub days: i64,
    pub time: SignedDuration,
}

impl Length {
    pub const NONE: Self = Self {
        days: 0,
        time: SignedDuration::ZERO,
    };

    /// `None` if it is no such text. Files have `P1DT` too, for `P1D`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let (days, time) = match text.strip_prefix('P')?.split_once('T') {
            Some((days, time)) => (days, time),
            None => (text.strip_prefix('P')?, ""),
        };
        let days = sum(days, &[('W', 7), ('D', 1)])?;
        let time = sum(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
        let is_empty = !text.contains(|c: char| c.is_ascii_digit());
        (!is_empty).then_some(Self {
            days,
            time: SignedDuration::from_secs(time),
        })
    }
}

/// The sum of numbers, each with its unit behind it, in that order.
fn sum(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut rest = text;
    let mut sum: i64 = 0;
    for (unit, worth) in units {
        if let Some((number, behind)) = rest.split_once(*unit) {
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*worth)?)?;
            rest = behind;
        }
    }
    rest.is_empty().then_some(sum)
}
