//! What a cron line means: lines with one true reading are read, and all others are refused with
//! the line to write instead.
//!
//! There are many dialects: seconds last (croniter), Quartz and AWS (`?`, 1 = Sunday, years),
//! `CRON_TZ=`, systemd's `OnCalendar`, users and commands of a crontab. A line of another dialect
//! that recess would take for something else must not pass.

use super::fields::{Fields, Unit, WEEKDAYS, named};

mod events;
mod rewrites;
#[cfg(test)]
mod tests;

/// Longer texts are no slip of a cron line, so nothing is guessed about them.
const LONGEST: usize = 200;

/// A suggestion may take so many rewrites, one upon the other.
const DEPTH: usize = 2;

/// The nicknames of crontab(5).
const NICKNAMES: [(&str, &str); 7] = [
    ("HOURLY", "0 * * * *"),
    ("DAILY", "0 0 * * *"),
    ("MIDNIGHT", "0 0 * * *"),
    ("WEEKLY", "0 0 * * 0"),
    ("MONTHLY", "0 0 1 * *"),
    ("YEARLY", "0 0 1 1 *"),
    ("ANNUALLY", "0 0 1 1 *"),
];

/// Why a line is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A fragment that fits behind a colon.
    pub reason: String,
    /// What to write instead, if it is known.
    pub instead: Option<String>,
}

/// Reads a line.
pub fn read(text: &str) -> Result<Fields, Refusal> {
    strictly(&text.to_ascii_uppercase()).map_err(|refusal| Refusal {
        reason: match zone_in_front(text.trim()) {
            Some(_) => "it begins with a time zone".to_owned(),
            None => as_written(&refusal.reason, text),
        },
        instead: match refusal.instead {
            None if text.len() <= LONGEST => suggestion(text.trim()),
            known => known,
        },
    })
}

/// A reason that quotes the text in capitals, with the quote as it was written.
fn as_written(reason: &str, text: &str) -> String {
    let quote = reason.split('`').nth(1).unwrap_or_default();
    let place = text.to_ascii_uppercase().find(quote);
    match place.and_then(|place| text.get(place..place + quote.len())) {
        Some(written) => reason.replacen(quote, written, 1),
        None => reason.to_owned(),
    }
}

/// Reads a line in capitals, without a guess at what else it could be.
fn strictly(line: &str) -> Result<Fields, Refusal> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if let [nickname] = words.as_slice()
        && let Some(nickname) = nickname.strip_prefix('@')
    {
        let known = NICKNAMES.iter().find(|(name, _)| *name == nickname);
        let Some((_, meaning)) = known else {
            return Err(no_line("it is not a known nickname such as @daily"));
        };
        words = meaning.split_whitespace().collect();
    }
    let fields = Fields::read(&words).map_err(|reason| no_line(&reason))?;
    match doubt(&fields, &words) {
        Some(refusal) => Err(refusal),
        None => Ok(fields),
    }
}

fn no_line(reason: &str) -> Refusal {
    Refusal {
        reason: reason.to_owned(),
        instead: None,
    }
}

/// What can be read, but in two ways.
fn doubt(fields: &Fields, words: &[&str]) -> Option<Refusal> {
    numbers_beside_question_mark(words)
        .or_else(|| night_of_restricted_days(fields, words))
        .or_else(|| seconds_last(fields, words))
}

/// `?` is of Quartz and AWS, where 1 is Sunday; others have taken over `?` alone.
fn numbers_beside_question_mark(words: &[&str]) -> Option<Refusal> {
    if !words.contains(&"?") {
        return None;
    }
    let (weekday, others) = words.split_last()?;
    let of_quartz = with_names(weekday, |number| number.checked_sub(1))?;
    let of_cron = with_names(weekday, |number| Some(number % 7))?;
    // Only cron has a weekday 0.
    let has_zero = weekday.split([',', '-']).any(|number| number == "0");
    if of_quartz == *weekday || has_zero {
        return None;
    }
    let line = |weekday: &str| format!("\"{} {weekday}\"", others.join(" ").replace('?', "*"));
    Some(Refusal {
        reason: format!(
            "with `?`, weekday {weekday} is ambiguous: in Quartz 1 is Sunday, in cron 1 is Monday"
        ),
        instead: Some(format!(
            "write {} for Quartz and AWS, or {} for cron",
            line(&of_quartz),
            line(&of_cron)
        )),
    })
}

/// A weekday field with names in place of its numbers. `None` where a number has no name.
fn with_names(field: &str, index: impl Fn(usize) -> Option<usize>) -> Option<String> {
    let mut text = String::new();
    let mut rest = field;
    while let Some(first) = rest.chars().next() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        if digits == 0 {
            text.push(first);
            rest = rest.get(first.len_utf8()..)?;
            continue;
        }
        let (number, after) = rest.split_at(digits);
        if text.ends_with(['#', '/']) {
            text.push_str(number);
        } else {
            text.push_str(WEEKDAYS.get(index(number.parse().ok()?)?)?.get(..3)?);
        }
        rest = after;
    }
    Some(text)
}

/// Hours over midnight on some days only: whose morning is it?
fn night_of_restricted_days(fields: &Fields, words: &[&str]) -> Option<Refusal> {
    let hour = fields.of(Unit::Hour);
    if !hour.wraps || !(fields.restricts(Unit::Day) || fields.restricts(Unit::Weekday)) {
        return None;
    }
    let at = words.len().checked_sub(4)?;
    let with_hours = |hours: &str| {
        let words =
            (words.iter().enumerate()).map(|(index, word)| if index == at { hours } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    let hours: Vec<String> = hour.values.iter().map(u16::to_string).collect();
    let evening = hour.text.split(['-', ',', '/']).next().unwrap_or_default();
    Some(Refusal {
        reason: format!(
            "`{}` wraps over midnight and the rule restricts the days: the hours after midnight \
             would be on the same day",
            hour.text
        ),
        instead: Some(format!(
            "for a night, write one opening that lasts until the morning: \"{}\"; for those hours \
             of one day: \"{}\"",
            with_hours(evening),
            with_hours(&hours.join(","))
        )),
    })
}

/// Six fields of which the last may be seconds: every hour on a weekday, or once a day?
fn seconds_last(fields: &Fields, words: &[&str]) -> Option<Refusal> {
    let (last, others) = words.split_last().filter(|_| fields.has_seconds)?;
    let rotated = format!("{last} {}", others.join(" "));
    if ends_in_no_weekday(fields) {
        // Where every field steps too far, each line would lead to the next one for ever.
        let words: Vec<&str> = rotated.split(' ').collect();
        let is_better = Fields::read(&words).is_ok_and(|fields| !ends_in_no_weekday(&fields));
        return Some(Refusal {
            reason: format!("`{last}` is not a weekday: the seconds come first"),
            instead: (is_better && strictly(&rotated).is_ok())
                .then(|| format!("write \"{rotated}\"")),
        });
    }
    let plain = |unit: Unit| is_list_of_numbers(&fields.of(unit).text);
    let month = fields.of(Unit::Month);
    let as_day_rule = plain(Unit::Second)
        && plain(Unit::Minute)
        && fields
            .of(Unit::Minute)
            .values
            .iter()
            .all(|minute| *minute < 24)
        && fields.of(Unit::Hour).text == "*"
        && fields.of(Unit::Day).text == "*"
        && (month.text == "*" || month.values.iter().all(|month| *month < 8));
    let number = last
        .parse()
        .ok()
        .and_then(|number: usize| WEEKDAYS.get(number % 7));
    let name = number
        .and_then(|name| name.get(..3))
        .filter(|_| as_day_rule)?;
    Some(Refusal {
        reason: "its six fields can be read with the seconds first or last".to_owned(),
        instead: Some(format!(
            "if the seconds are last, write \"{rotated}\"; if they are first, name the weekday: \
             \"{} {name}\"",
            others.join(" ")
        )),
    })
}

/// Whether the last field steps over more days than a week has.
fn ends_in_no_weekday(fields: &Fields) -> bool {
    let weekday = fields.of(Unit::Weekday);
    (weekday.step).is_some_and(|step| step >= weekday.unit.count())
}

pub fn is_list_of_numbers(text: &str) -> bool {
    let digits = |item: &str| !item.is_empty() && item.bytes().all(|byte| byte.is_ascii_digit());
    text.split(',').all(digits)
}

/// The line that was probably meant, as a sentence.
fn suggestion(text: &str) -> Option<String> {
    if let Some((zone, rest)) = zone_in_front(text) {
        let line = match strictly(&rest.to_ascii_uppercase()) {
            Ok(_) => format!("write schedule = \"{rest}\""),
            Err(_) => suggestion(rest)?,
        };
        return Some(format!("{line} and timezone = \"{zone}\""));
    }
    if let Some(event) = events::line(text) {
        strictly(&event.line.to_ascii_uppercase()).ok()?;
        return Some(match event.zone {
            Some(zone) => format!(
                "write schedule = \"{}\" and timezone = \"{zone}\"",
                event.line
            ),
            None => format!("write \"{}\"", event.line),
        });
    }
    rewritten(&text.to_ascii_uppercase(), DEPTH)
}

/// `CRON_TZ=Europe/Zurich 30 2 * * *`.
fn zone_in_front(text: &str) -> Option<(&str, &str)> {
    let (assignment, rest) = text.split_once(char::is_whitespace)?;
    let (name, zone) = assignment.split_once('=')?;
    let is_zone = ["CRON_TZ", "TZ"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known));
    let zone = zone.trim_matches(['"', '\'']);
    is_zone.then_some((zone, rest.trim()))
}

fn rewritten(line: &str, depth: usize) -> Option<String> {
    if let Some(sentence) = in_a_year(line).or_else(|| before_the_last_day(line)) {
        return Some(sentence);
    }
    rewrites::ALL.iter().find_map(|rewrite| {
        let candidate = rewrite(line).filter(|candidate| candidate != line)?;
        match strictly(&candidate.to_ascii_uppercase()) {
            Ok(_) => Some(format!("write \"{candidate}\"")),
            Err(refusal) => {
                (refusal.instead).or_else(|| rewritten(&candidate, depth.checked_sub(1)?))
            }
        }
    })
}

/// Seven fields of which the last is a year.
fn in_a_year(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (year, others) = words.split_last().filter(|(_, others)| others.len() == 6)?;
    let line = others.join(" ");
    if !year.starts_with("20") || strictly(&line).is_err() {
        return None;
    }
    Some(match is_list_of_numbers(year) && year.len() == 4 {
        true => format!(
            "write \"{line}\", with valid_from = {year}-01-01 and valid_until = {year}-12-31"
        ),
        false => {
            format!("write \"{line}\", and set the years with valid_from and valid_until")
        }
    })
}

/// Quartz' `L-3`, three days before the last one: a window for each length of month.
fn before_the_last_day(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (place, before) = (words.iter().enumerate())
        .find_map(|(place, word)| Some((place, word.strip_prefix("L-")?.parse::<u16>().ok()?)))?;
    if !matches!(words.get(place + 1..), Some(["*", "*" | "?"])) {
        return None;
    }
    let window = |length: u16, months: &str| {
        let day = length
            .checked_sub(before)
            .filter(|day| *day > 0)?
            .to_string();
        let mut words = words.clone();
        words.splice(place.., [day.as_str(), months, "*"]);
        let line = words.join(" ");
        strictly(&line).is_ok().then_some(line)
    };
    Some(format!(
        "write three windows: \"{}\", \"{}\" and \"{}\" (a day too early in a leap year)",
        window(31, "1,3,5,7,8,10,12")?,
        window(30, "4,6,9,11")?,
        window(28, "2")?,
    ))
}

/// The unit whose names alone a word is made of.
fn unit_of_names(word: &str) -> Option<Unit> {
    let names = word.split(['#', '/']).next()?;
    let mut units = names
        .split([',', '-'])
        .map(|name| named(name).map(|(unit, _)| unit));
    let first = units.next()??;
    units.all(|unit| unit == Some(first)).then_some(first)
}
