//! Slips of a cron line, each with the line that was probably meant. None of them is used unless
//! what comes out can be read.

use super::super::fields::{Fields, Unit, WEEKDAYS};
use super::{unit_of_names, with_names};

/// In the order in which they are tried.
pub const ALL: [fn(&str) -> Option<String>; 15] = [
    typography,
    aws,
    joined,
    without_empty_items,
    step_without_start,
    without_year,
    listed_by_blanks,
    two_letters,
    moved_names,
    seconds_first,
    jenkins,
    midnight,
    first_five,
    nickname,
    word,
];

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Quotes around it, and dashes that are no hyphens.
fn typography(line: &str) -> Option<String> {
    let line = line.trim_matches(['"', '\'', '`', '\u{201c}', '\u{201d}']);
    Some(line.replace(
        ['\u{2013}', '\u{2014}', '\u{2212}', '\u{2010}', '\u{2011}'],
        "-",
    ))
}

/// `cron(0 3 ? * 2 *)`: minute first, year last, and 1 is Sunday.
fn aws(line: &str) -> Option<String> {
    let inner = line
        .strip_prefix("CRON(")
        .and_then(|rest| rest.strip_suffix(')'));
    let words = words(inner.unwrap_or(line));
    let &[minute, hour, day, month, weekday, year] = words.as_slice() else {
        return inner.map(str::to_owned);
    };
    // Where the seconds stand first, these two are hour and month, for which no `?` can stand.
    if inner.is_none() && day != "?" && weekday != "?" {
        return None;
    }
    let weekday = with_names(weekday, |number| number.checked_sub(1))?;
    let plain =
        [minute, hour, day, month, &weekday].map(|word| if word == "?" { "*" } else { word });
    let line = plain.join(" ");
    Some(match year {
        "*" | "?" => line,
        year => format!("0 {line} {year}"),
    })
}

/// A list, a range or a step that a blank has split.
fn joined(line: &str) -> Option<String> {
    const SIGNS: [char; 3] = [',', '-', '/'];
    let mut fields: Vec<String> = Vec::new();
    for word in words(line) {
        match fields.last_mut() {
            Some(last)
                if !word.starts_with(['*', '?'])
                    && (last.ends_with(SIGNS) || word.starts_with(SIGNS)) =>
            {
                last.push_str(word);
            }
            _ => fields.push(word.to_owned()),
        }
    }
    without_empty_items(&fields.join(" "))
}

fn without_empty_items(line: &str) -> Option<String> {
    let fields = words(line).into_iter().map(|word| {
        let items = word.split(',').filter(|item| !item.is_empty());
        items.collect::<Vec<_>>().join(",")
    });
    Some(fields.collect::<Vec<_>>().join(" "))
}

/// `/10` for `*/10`.
fn step_without_start(line: &str) -> Option<String> {
    let fields = words(line)
        .into_iter()
        .map(|word| match word.starts_with('/') {
            true => format!("*{word}"),
            false => word.to_owned(),
        });
    Some(fields.collect::<Vec<_>>().join(" "))
}

/// `MON TUE` for `MON,TUE`.
fn listed_by_blanks(line: &str) -> Option<String> {
    let mut fields: Vec<String> = Vec::new();
    for word in words(line) {
        let unit = unit_of_names(word);
        match fields.last_mut() {
            Some(last) if unit.is_some() && unit_of_names(last) == unit => {
                last.push(',');
                last.push_str(word);
            }
            _ => fields.push(word.to_owned()),
        }
    }
    Some(fields.join(" "))
}

/// The weekdays of iCalendar: `MO`, `TU`.
fn two_letters(line: &str) -> Option<String> {
    let mut words = words(line);
    let last = words.pop()?;
    let mut weekdays = String::new();
    for part in last.split_inclusive([',', '-']) {
        let (name, sign) = part.split_at(part.find([',', '-']).unwrap_or(part.len()));
        let day = (WEEKDAYS.iter()).find(|day| name.len() == 2 && day.starts_with(name))?;
        weekdays += day.get(..3)?;
        weekdays += sign;
    }
    Some(format!("{} {weekdays}", words.join(" ")))
}

/// A name in the field of another unit, whose own field is free.
fn moved_names(line: &str) -> Option<String> {
    let mut fields = words(line);
    let first_day = fields.len().checked_sub(3).filter(|_| fields.len() < 7)?;
    let units = [Unit::Day, Unit::Month, Unit::Weekday];
    let place = |unit: Unit| {
        units
            .iter()
            .position(|one| *one == unit)
            .map(|index| first_day + index)
    };
    for index in first_day..fields.len() {
        let word = *fields.get(index)?;
        let Some(own) = unit_of_names(word).and_then(place) else {
            continue;
        };
        if own != index && matches!(fields.get(own), Some(&("*" | "?"))) {
            *fields.get_mut(own)? = word;
            *fields.get_mut(index)? = "*";
        }
    }
    Some(fields.join(" "))
}

/// Six fields whose last is no weekday, but could be seconds.
fn seconds_first(line: &str) -> Option<String> {
    let words = words(line);
    let (last, others) = words.split_last().filter(|(_, others)| others.len() == 5)?;
    Fields::read(others).ok()?;
    last.starts_with(|c: char| c.is_ascii_digit())
        .then(|| format!("{last} {}", others.join(" ")))
}

/// A year behind five fields or six.
fn without_year(line: &str) -> Option<String> {
    let words = words(line);
    let (last, others) = words.split_last()?;
    match (*last, others.len()) {
        ("*" | "?", 5 | 6) if Fields::read(others).is_ok() => Some(others.join(" ")),
        (year, 5) if year.len() >= 4 && year.starts_with("20") => Some(format!("0 {line}")),
        _ => None,
    }
}

/// Jenkins' `H`: any value, the same for each job.
fn jenkins(line: &str) -> Option<String> {
    let fields = words(line)
        .into_iter()
        .map(|word| match word.strip_prefix('H') {
            Some("") => "0".to_owned(),
            Some(step) if step.starts_with('/') => format!("*{step}"),
            _ => word.to_owned(),
        });
    Some(fields.collect::<Vec<_>>().join(" "))
}

/// Hour 24 of every day is hour 0.
fn midnight(line: &str) -> Option<String> {
    match words(line).as_slice() {
        [minute, "24", "*", month, "*"] => Some(format!("{minute} 0 * {month} *")),
        [second, minute, "24", "*", month, "*"] => Some(format!("{second} {minute} 0 * {month} *")),
        _ => None,
    }
}

/// A line of a crontab, with a user or a command.
fn first_five(line: &str) -> Option<String> {
    let words = words(line);
    let behind = words.get(5)?;
    let is_text =
        behind.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '.' | '~' | '$'));
    is_text.then(|| words.get(..5).unwrap_or_default().join(" "))
}

/// A nickname with something behind it, or an interval.
fn nickname(line: &str) -> Option<String> {
    let words = words(line);
    let (first, rest) = words.split_first()?;
    if *first != "@EVERY" {
        return first.starts_with('@').then(|| first.to_ascii_lowercase());
    }
    let span = rest.first()?;
    let (number, unit) = span.split_at(span.find(|c: char| !c.is_ascii_digit())?);
    let number: u16 = number.parse().ok()?;
    match unit {
        "M" if number > 0 && 60 % number == 0 => Some(format!("*/{number} * * * *")),
        "H" if number == 1 => Some("0 * * * *".to_owned()),
        "H" if number > 0 && 24 % number == 0 => Some(format!("0 */{number} * * *")),
        _ => None,
    }
}

/// systemd's words, and those of English.
fn word(line: &str) -> Option<String> {
    let line = match line.trim_start_matches('@') {
        "MINUTELY" => "* * * * *",
        "HOURLY" => "0 * * * *",
        "DAILY" | "MIDNIGHT" | "NIGHTLY" => "0 0 * * *",
        "NOON" | "MIDDAY" => "0 12 * * *",
        "WEEKDAY" | "WEEKDAYS" | "WORKDAYS" => "0 0 * * MON-FRI",
        "WEEKEND" | "WEEKENDS" => "0 0 * * SAT,SUN",
        // systemd's week begins on Monday, cron's @weekly on Sunday.
        "WEEKLY" => "0 0 * * MON",
        "MONTHLY" => "0 0 1 * *",
        "QUARTERLY" => "0 0 1 1,4,7,10 *",
        "SEMIANNUALLY" | "SEMI-ANNUALLY" => "0 0 1 1,7 *",
        "YEARLY" | "ANNUALLY" => "0 0 1 1 *",
        _ => return None,
    };
    Some(line.to_owned())
}
