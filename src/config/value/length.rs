//! Lengths of time as the config file writes them: `2h`, `1h 30m`, `90s`. The one file that knows
//! humantime.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;

use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::Placed;
use crate::text;

/// The hint that belongs to most mistakes here.
const FORM: &str = r#"write whole units, as in "2h", "1h 30m" or "90s""#;

/// Every length in the file has a limit of its own; none is above this.
const LONGEST: &str = "no length can exceed 366d";

/// Why a text is not a length of whole seconds above zero.
#[derive(Debug, PartialEq, Eq)]
pub struct NotALength {
    /// A fragment that fits behind the text.
    pub reason: String,
    /// The fix.
    pub hint: String,
}

impl NotALength {
    fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: hint.into(),
        }
    }
}

/// Reads a length of time.
pub fn parse(text: &str) -> Result<Duration, NotALength> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let digits = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    if words.is_empty() {
        return Err(NotALength::new("is not a length of time", FORM));
    }
    if let [number] = words.as_slice()
        && digits(number)
        && number.contains(|c| c != '0')
    {
        let hint = format!(r#"write "{number}s", "{number}m" or "{number}h""#);
        return Err(NotALength::new("has no unit", hint));
    }
    if text.contains(['.', ',']) {
        return Err(NotALength::new("has a fraction", FORM));
    }
    if units(text).any(|unit| matches!(unit, "M") || unit.starts_with("mon") || is_year(unit)) {
        let reason = "is in months or years, whose lengths vary";
        return Err(NotALength::new(
            reason,
            r#"write days, as in "30d"; m is minutes"#,
        ));
    }
    // humantime reads "1 30m" as 130 minutes.
    if (words.iter().zip(words.iter().skip(1)))
        .any(|(word, next)| digits(word) && next.starts_with(|c: char| c.is_ascii_digit()))
    {
        return Err(NotALength::new("contains a number without a unit", FORM));
    }
    // And it panics where seconds and milliseconds together overflow. No window needs 30,000 years.
    if text.len() > 100 || numbers(text).any(|number| number.len() > 9) {
        return Err(NotALength::new("is too long", LONGEST));
    }
    let length = humantime::parse_duration(text)
        .map_err(|error| NotALength::new(reason(&error), instead(text)))?;
    if length.is_zero() {
        return Err(NotALength::new("is zero", FORM));
    }
    if length.subsec_nanos() != 0 {
        let reason = "is not a whole number of seconds";
        return Err(NotALength::new(reason, r#"write it as in "1s" or "90s""#));
    }
    Ok(length)
}

/// A length of time of whole seconds.
pub fn duration(text: &Placed<String>, findings: &mut Vec<Finding>) -> Option<Duration> {
    parse(&text.value)
        .map_err(|wrong| {
            let message = format!("{:?} {}", text.value, wrong.reason);
            let finding = text.place.error(code::BAD_DURATION, message);
            findings.push(finding.hint(wrong.hint));
        })
        .ok()
}

/// The same, within limits.
pub fn duration_in(
    text: &Placed<String>,
    range: &RangeInclusive<Duration>,
    findings: &mut Vec<Finding>,
) -> Option<Duration> {
    let length = duration(text, findings)?;
    if range.contains(&length) {
        return Some(length);
    }
    let side = if length < *range.start() {
        "short"
    } else {
        "long"
    };
    let message = format!("{:?} is too {side}", text.value);
    let (shortest, longest) = (text::length(*range.start()), text::length(*range.end()));
    let hint = format!("it can be from {shortest} to {longest}");
    findings.push(text.place.error(code::OUT_OF_RANGE, message).hint(hint));
    None
}

fn reason(error: &humantime::DurationError) -> String {
    match error {
        humantime::DurationError::UnknownUnit { unit, .. } if !unit.is_empty() => {
            format!("is not a length of time: `{unit}` is not a unit")
        }
        humantime::DurationError::UnknownUnit { .. } => {
            "contains a number without a unit".to_owned()
        }
        humantime::DurationError::NumberOverflow => "is too long".to_owned(),
        humantime::DurationError::InvalidCharacter(_)
        | humantime::DurationError::NumberExpected(_)
        | humantime::DurationError::Empty => "is not a length of time".to_owned(),
    }
}

/// What to write for a length that is written in another way: in capitals, by the clock, or as ISO
/// 8601 has it.
fn instead(text: &str) -> String {
    let small = text.to_ascii_lowercase();
    if small != text && humantime::parse_duration(&small).is_ok() {
        return format!(r#"write units in lower case, as in "{small}""#);
    }
    let by_clock = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60)
    };
    if let Some(seconds) = by_clock(text).filter(|seconds| *seconds > 0) {
        let length = text::length(Duration::from_secs(seconds));
        return format!(
            r#"write "{length}" for this length; for a time of day, until = "{text:0>5}""#
        );
    }
    match text.parse::<SignedDuration>().map(Duration::try_from) {
        Ok(Ok(length)) if text.starts_with(['P', 'p']) && length.subsec_nanos() == 0 => {
            format!(r#"write "{}""#, text::length(length))
        }
        _ => FORM.to_owned(),
    }
}

fn is_year(unit: &str) -> bool {
    matches!(unit, "y" | "yr" | "yrs" | "year" | "years")
}

fn units(text: &str) -> impl Iterator<Item = &str> {
    (text.split(|c: char| !c.is_alphabetic())).filter(|unit| !unit.is_empty())
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit())
}
