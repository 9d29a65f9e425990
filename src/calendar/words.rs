//! A cron line in words. Lines with the same words name the same times.

#[cfg(test)]
mod tests;

use super::fields::{Field, Fields, MONTHS, Special, Unit, WEEKDAYS};

/// So many times of day are named one by one.
const MOST_TIMES: usize = 4;

/// `every day at 02:30`.
pub fn describe(fields: &Fields) -> String {
    let (days, times) = (days(fields), times(fields));
    match (days.as_str(), times) {
        (days, Times::Clock(times)) if chooses(fields) => format!("{days}, at {times}"),
        (days, Times::Clock(times)) => format!("{days} at {times}"),
        ("every day", Times::Interval(times)) => times,
        (days, Times::Interval(times)) => format!("{days}, {times}"),
    }
}

/// Whether days are named by both day fields, in a sentence of two clauses.
fn chooses(fields: &Fields) -> bool {
    fields.restricts(Unit::Day) && fields.restricts(Unit::Weekday)
}

enum Times {
    Clock(String),
    Interval(String),
}

fn times(fields: &Fields) -> Times {
    let [second, minute, hour, ..] = &fields.all;
    let [seconds, minutes, hours] = [second, minute, hour].map(|field| field.values.as_slice());
    let on_the_minute = seconds == [0];
    if hours.len() * minutes.len() * seconds.len() <= MOST_TIMES {
        let mut times = Vec::new();
        for hour in hours {
            for minute in minutes {
                for second in seconds {
                    times.push(match on_the_minute {
                        true => format!("{hour:02}:{minute:02}"),
                        false => format!("{hour:02}:{minute:02}:{second:02}"),
                    });
                }
            }
        }
        return Times::Clock(joined(&times, "and"));
    }
    let minutes_of_an_hour = match (every(minute), minutes) {
        (Some(1), _) => "every minute".to_owned(),
        (Some(step), _) => format!("every {step} minutes"),
        (None, [one]) => format!("at minute {one}"),
        (None, several) => format!("at minutes {}", numbers(several)),
    };
    let times = match (every(hour), minutes) {
        (Some(1), _) if every(minute).is_some() => minutes_of_an_hour,
        (Some(1), _) => format!("every hour {minutes_of_an_hour}"),
        (Some(step), [minute]) => format!("every {step} hours from 00:{minute:02} on"),
        _ => {
            let plural = if hours.len() == 1 { "hour" } else { "hours" };
            format!("{minutes_of_an_hour} of the {plural} {}", numbers(hours))
        }
    };
    Times::Interval(match (every(second), seconds) {
        (_, [0]) => times,
        (Some(1), _) if times == "every minute" => "every second".to_owned(),
        (Some(1), _) => format!("{times}, every second"),
        (Some(step), _) => format!("{times}, every {step} seconds"),
        (None, [one]) => format!("{times}, at second {one}"),
        (None, several) => format!("{times}, at seconds {}", numbers(several)),
    })
}

/// `Some(15)` for 0, 15, 30 and 45: from zero on, and around without a shorter step.
fn every(field: &Field) -> Option<u16> {
    let count = field.unit.count();
    let values = u16::try_from(field.values.len()).ok()?;
    let step = count
        .checked_div(values)
        .filter(|step| step * values == count)?;
    let mut expected = (0..values).map(|index| index * step);
    (values > 1 && (field.values.iter()).all(|value| expected.next() == Some(*value)))
        .then_some(step)
}

fn days(fields: &Fields) -> String {
    let [_, _, _, day, month, weekday] = &fields.all;
    // Days that are named one and all are all days, unless weekdays choose among them.
    let (days, weekdays) = (fields.restricts(Unit::Day), fields.restricts(Unit::Weekday));
    let named = match (days, weekdays) {
        (false, false) => "every day".to_owned(),
        (true, false) => on_days(day),
        (false, true) => on_weekdays(weekday),
        (true, true) if fields.needs_both() => {
            format!("{}, if it is {}", on_days(day), one_of(weekday))
        }
        (true, true) => format!("{}, and also {}", on_days(day), on_weekdays(weekday)),
    };
    if month.is_all() {
        return named;
    }
    let months = runs(&month.values, |number| {
        name(&MONTHS, number.saturating_sub(1))
    });
    let months = joined(&months, "and");
    match chooses(fields) {
        true => format!("in {months}, {named}"),
        false => format!("{named} in {months}"),
    }
}

fn on_days(field: &Field) -> String {
    if field.is_all() {
        return "every day".to_owned();
    }
    if let Some(step) = field.step {
        return format!("every {} day of the month from the 1st on", ordinal(step));
    }
    let mut named = Vec::new();
    if !field.values.is_empty() {
        named.push(format!(
            "the {}",
            joined(&runs(&field.values, ordinal), "and")
        ));
    }
    named.extend(field.specials.iter().map(special));
    format!("on {} of the month", joined(&named, "and"))
}

fn on_weekdays(field: &Field) -> String {
    if field.is_all() {
        return "every day".to_owned();
    }
    let plain = joined(&runs(&from_monday(field), weekday), "and");
    let specials: Vec<String> = field.specials.iter().map(special).collect();
    let specials = format!("on {} of the month", joined(&specials, "and"));
    match (field.values.is_empty(), field.specials.is_empty()) {
        (true, _) => specials,
        (false, true) => format!("every {plain}"),
        (false, false) => format!("every {plain} and {specials}"),
    }
}

/// The weekdays one of which a day must be.
fn one_of(field: &Field) -> String {
    if field.is_all() {
        return "any weekday".to_owned();
    }
    let plain = joined(&runs(&from_monday(field), weekday), "or");
    let specials: Vec<String> = field.specials.iter().map(special).collect();
    let specials = joined(&specials, "or");
    match (field.values.is_empty(), field.specials.is_empty()) {
        (true, _) => specials,
        (false, true) => format!("a {plain}"),
        (false, false) => format!("a {plain} or {specials}"),
    }
}

/// Sunday last, as 7.
fn from_monday(field: &Field) -> Vec<u16> {
    let sunday = field.values.iter().filter(|day| **day == 0).map(|_| 7);
    let others = field.values.iter().copied().filter(|day| *day > 0);
    others.chain(sunday).collect()
}

fn special(special: &Special) -> String {
    match *special {
        Special::LastDay => "the last day".to_owned(),
        Special::LastWorkday => "the last day from Monday to Friday".to_owned(),
        Special::NearestWorkday(day) => {
            format!("the day from Monday to Friday nearest the {}", ordinal(day))
        }
        Special::Nth(day, nth) => format!("the {} {}", ordinal(nth), weekday(day)),
        Special::LastOf(day) => format!("the last {}", weekday(day)),
    }
}

fn weekday(number: u16) -> String {
    name(&WEEKDAYS, number % 7)
}

/// `Monday` for `MONDAY`.
fn name(names: &[&'static str], index: u16) -> String {
    let name = names.get(usize::from(index)).copied().unwrap_or_default();
    let (first, rest) = name.split_at(name.len().min(1));
    format!("{first}{}", rest.to_ascii_lowercase())
}

fn ordinal(number: u16) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn numbers(values: &[u16]) -> String {
    joined(&runs(values, |value| value.to_string()), "and")
}

/// Of three and more that follow each other, the first and the last.
fn runs(values: &[u16], show: impl Fn(u16) -> String) -> Vec<String> {
    let mut texts = Vec::new();
    for run in values.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [first, _, .., last] => texts.push(format!("{} to {}", show(*first), show(*last))),
            few => texts.extend(few.iter().map(|value| show(*value))),
        }
    }
    texts
}

/// `a, b and c`.
fn joined(texts: &[String], word: &str) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} {word} {last}", others.join(", ")),
    }
}
