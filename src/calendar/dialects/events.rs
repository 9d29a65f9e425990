//! systemd's calendar events (`OnCalendar=Mon..Fri *-*-* 02:30:00 Europe/Berlin`), as cron lines.

/// A calendar event.
pub struct Event<'t> {
    pub line: String,
    pub zone: Option<&'t str>,
}

/// The cron line that says the same; `None` where the text is no calendar event, or one that cron
/// cannot say.
pub fn line(text: &str) -> Option<Event<'_>> {
    let text = text.trim().trim_start_matches("OnCalendar=");
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let mut next = |is_one: fn(&str) -> bool| {
        let found = words.first().copied().filter(|word| is_one(word));
        if found.is_some() {
            words.remove(0);
        }
        found
    };
    let weekdays =
        next(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()) && !word.contains('/'));
    let date = next(|word| word.contains('-') && !word.contains(':'));
    let time = next(|word| word.contains(':'));
    if date.is_none() && time.is_none() {
        return None;
    }
    let zone = match words.as_slice() {
        [] => None,
        [zone] if zone.starts_with(|c: char| c.is_ascii_alphabetic()) => Some(*zone),
        _ => return None,
    };
    let (month, day) = match date {
        Some(date) => month_and_day(date)?,
        None => ("*".to_owned(), "*".to_owned()),
    };
    let time: Vec<String> = time.unwrap_or("0:0").split(':').map(field).collect();
    let time = match time.as_slice() {
        [hour, minute] => format!("{minute} {hour}"),
        [hour, minute, second] if second == "0" => format!("{minute} {hour}"),
        [hour, minute, second] => format!("{second} {minute} {hour}"),
        _ => return None,
    };
    let weekday = match weekdays {
        Some(days) if day != "*" => format!("+{}", field(days)),
        Some(days) => field(days),
        None => "*".to_owned(),
    };
    let line = format!("{time} {day} {month} {weekday}");
    Some(Event { line, zone })
}

/// `*-*-01`, `*-12~1`, `12-25`: a rule has no year.
fn month_and_day(date: &str) -> Option<(String, String)> {
    let date = date
        .strip_prefix("*-")
        .filter(|rest| rest.contains(['-', '~']))
        .unwrap_or(date);
    if let Some((month, "1" | "01")) = date.split_once('~') {
        return Some((field(month), "L".to_owned()));
    }
    let (month, day) = date.split_once('-').filter(|(_, day)| !day.contains('-'))?;
    Some((field(month), field(day)))
}

/// A component in cron's notation: `..` for ranges, `0/15` for steps, leading zeros.
fn field(text: &str) -> String {
    let items = text.trim_end_matches(',').split(',').map(|item| {
        let item = item.replace("..", "-");
        let bounds = item
            .split('-')
            .map(without_zeros)
            .collect::<Vec<_>>()
            .join("-");
        match bounds.strip_prefix("0/") {
            Some(step) => format!("*/{step}"),
            None => bounds,
        }
    });
    items.collect::<Vec<_>>().join(",")
}

fn without_zeros(number: &str) -> &str {
    let rest = number.trim_start_matches('0');
    match rest.chars().next() {
        Some(first) if first.is_ascii_digit() => rest,
        _ if number.starts_with('0') => number
            .get(number.len() - rest.len() - 1..)
            .unwrap_or(number),
        _ => number,
    }
}
