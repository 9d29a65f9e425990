//! What a window says of its rule beside schedule and length: daylight saving, and from when until
//! when it is valid.

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::calendar::{Gap, Repeat, Rule, Schedule};
use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::{DateTimeValue, Entry, Placed, Window};
use crate::config::value::choice::choice;
use crate::config::value::date_time::{self, Bound};

const GAPS: &[(&str, Gap)] = &[("shift", Gap::Shift), ("skip", Gap::Skip)];
const REPEATS: &[(&str, Repeat)] = &[
    ("first", Repeat::First),
    ("last", Repeat::Last),
    ("both", Repeat::Both),
];

/// What is not said is the rule's own default.
#[derive(Debug)]
pub struct Limits {
    gap: Option<Gap>,
    repeat: Option<Repeat>,
    valid_from: Option<DateTime>,
    valid_until: Option<DateTime>,
}

impl Limits {
    pub fn apply(&self, rule: Rule) -> Rule {
        rule.with_policies(self.gap, self.repeat)
            .valid(self.valid_from, self.valid_until)
    }
}

/// The limits. `None` where there is a mistake in one of them, and where there is no rule.
pub fn limits(raw: &Window, findings: &mut Vec<Finding>) -> Option<Limits> {
    if raw.timing.schedule.is_absent() && !raw.timing.from.is_absent() {
        findings.extend(misplaced(raw));
        return None;
    }
    let gap = optional(&raw.gap, |word| choice(word, GAPS, findings));
    let repeat = optional(&raw.repeat, |word| choice(word, REPEATS, findings));
    let valid_from = optional(&raw.valid_from, |from| {
        date_time::bound(from, Bound::From, findings)
    });
    let valid_until = optional(&raw.valid_until, |until| {
        date_time::bound(until, Bound::Until, findings)
    });
    let limits = Limits {
        gap: gap?,
        repeat: repeat?,
        valid_from: valid_from?,
        valid_until: valid_until?,
    };
    match reversed(raw, &limits) {
        Some(finding) => {
            findings.push(finding);
            None
        }
        None => Some(limits),
    }
}

/// The limits of a window that has no rule.
fn misplaced(raw: &Window) -> impl Iterator<Item = Finding> {
    let shifts = "remove the line: on a daylight-saving change `from` is the earliest possible \
                  instant, and `until` the latest";
    let bounds = "remove the line: `from` and `until` define when it opens and closes";
    let given = [
        (raw.gap.place(), shifts),
        (raw.repeat.place(), shifts),
        (raw.valid_from.place(), bounds),
        (raw.valid_until.place(), bounds),
    ];
    (given.into_iter()).filter_map(|(place, hint)| {
        let message = "it is only for windows with a `schedule`";
        Some(place?.error(code::MISPLACED_KEY, message).hint(hint))
    })
}

/// What a key says, if it is there: the outer `None` is for a mistake.
fn optional<T, R>(raw: &Entry<T>, read: impl FnOnce(&Placed<T>) -> Option<R>) -> Option<Option<R>> {
    match raw {
        Entry::Absent => Some(None),
        Entry::Broken => None,
        Entry::Given(given) => read(given).map(Some),
    }
}

fn reversed(raw: &Window, limits: &Limits) -> Option<Finding> {
    let (from, until) = (raw.valid_from.place()?, raw.valid_until.given()?);
    if limits.valid_from? < limits.valid_until? {
        return None;
    }
    let finding = (until.place).error(code::ENDS_BEFORE_START, "it is not after `valid_from`");
    let hint = match until.value {
        DateTimeValue::Date(_) => "set it to the last day on which the window opens",
        DateTimeValue::Text(_)
        | DateTimeValue::Time(_)
        | DateTimeValue::Local(_)
        | DateTimeValue::Instant(_) => {
            "set it to the instant from which the window no longer opens"
        }
    };
    Some(
        finding
            .hint(hint)
            .also(from.span.clone(), "the rule is valid from here"),
    )
}

/// That a rule does not open as long as it is valid, if so.
pub fn never_opens(raw: &Window, schedule: &Schedule) -> Option<Finding> {
    let (from, text) = (raw.valid_from.place()?, raw.timing.schedule.given()?);
    // A rule begins with its first valid day, so the search begins there.
    if schedule.next_opening(Timestamp::MIN).is_some() {
        return None;
    }
    let message = if raw.valid_until.is_absent() {
        "it never opens after `valid_from`"
    } else {
        "it never opens between `valid_from` and `valid_until`"
    };
    Some(
        (text.place.error(code::NEVER_OPENS, message))
            .hint("extend the valid period, or change the schedule")
            .also(from.span.clone(), "valid from here"),
    )
}
