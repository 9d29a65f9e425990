use crate::calendar::Pattern;

#[test]
fn a_line_is_said_in_words() {
    for (line, words) in [
        ("30 2 * * *", "every day at 02:30"),
        ("@daily", "every day at 00:00"),
        ("@midnight", "every day at 00:00"),
        ("@weekly", "every Sunday at 00:00"),
        ("@monthly", "on the 1st of the month at 00:00"),
        ("@yearly", "on the 1st of the month in January at 00:00"),
        ("@hourly", "every hour at minute 0"),
        ("0 8,20 * * *", "every day at 08:00 and 20:00"),
        (
            "0,30 2,3 * * *",
            "every day at 02:00, 02:30, 03:00 and 03:30",
        ),
        ("15 30 1 * * *", "every day at 01:30:15"),
        ("0 22 * * FRI", "every Friday at 22:00"),
        ("0 22 * * 1-5", "every Monday to Friday at 22:00"),
        (
            "0 22 * * FRI-MON",
            "every Monday and Friday to Sunday at 22:00",
        ),
        ("0 22 * * 0,6", "every Saturday and Sunday at 22:00"),
        ("0 22 * * SUN-SUN", "every Sunday at 22:00"),
        ("0 22 * * 1-7", "every day at 22:00"),
        ("0 3 1 * *", "on the 1st of the month at 03:00"),
        (
            "0 3 1,2,15 * *",
            "on the 1st, 2nd and 15th of the month at 03:00",
        ),
        (
            "0 3 1-7,21 * *",
            "on the 1st to 7th and 21st of the month at 03:00",
        ),
        (
            "0 3 */2 * *",
            "every 2nd day of the month from the 1st on at 03:00",
        ),
        ("0 3 L * *", "on the last day of the month at 03:00"),
        (
            "0 3 LW * *",
            "on the last day from Monday to Friday of the month at 03:00",
        ),
        (
            "0 3 15W * *",
            "on the day from Monday to Friday nearest the 15th of the month at 03:00",
        ),
        ("0 3 * * FRI#2", "on the 2nd Friday of the month at 03:00"),
        ("0 3 * * 5L", "on the last Friday of the month at 03:00"),
        (
            "0 3 * * MON,FRI#2",
            "every Monday and on the 2nd Friday of the month at 03:00",
        ),
        (
            "0 3 13 * FRI",
            "on the 13th of the month, and also every Friday, at 03:00",
        ),
        (
            "0 3 1-7 * +MON",
            "on the 1st to 7th of the month, if it is a Monday, at 03:00",
        ),
        (
            "0 0 */2 * 1,4",
            "every 2nd day of the month from the 1st on, if it is a Monday or Thursday, at 00:00",
        ),
        (
            "0 3 13 2 FRI",
            "in February, on the 13th of the month, and also every Friday, at 03:00",
        ),
        ("0 3 * 12 *", "every day in December at 03:00"),
        (
            "0 3 24-26 12 *",
            "on the 24th to 26th of the month in December at 03:00",
        ),
        (
            "0 3 * 6-8,12 *",
            "every day in June to August and December at 03:00",
        ),
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0/15 * * * *", "every 15 minutes"),
        ("0,15,30,45 * * * *", "every 15 minutes"),
        ("*/45 * * * *", "every hour at minutes 0 and 45"),
        ("5 * * * *", "every hour at minute 5"),
        ("0 */2 * * *", "every 2 hours from 00:00 on"),
        ("5 */6 * * *", "every day at 00:05, 06:05, 12:05 and 18:05"),
        (
            "0 */5 * * *",
            "at minute 0 of the hours 0, 5, 10, 15 and 20",
        ),
        ("*/5 2 * * *", "every 5 minutes of the hour 2"),
        (
            "*/15 8-17 * * 1-5",
            "every Monday to Friday, every 15 minutes of the hours 8 to 17",
        ),
        ("* * * * * *", "every second"),
        ("*/20 * * * * *", "every minute, every 20 seconds"),
        ("30 0 * * * *", "every hour at minute 0, at second 30"),
        (
            "*/20 30 1 * * *",
            "every day at 01:30:00, 01:30:20 and 01:30:40",
        ),
    ] {
        let pattern = Pattern::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(pattern.describe(), words, "{line}");
    }
}

/// Reads the words of the common shapes back, with nothing but the words, and asks the pattern.
#[test]
fn what_the_common_words_say_is_when_it_opens() {
    use jiff::SignedDuration;
    use jiff::civil::{DateTime, Weekday, date};

    let (from, until) = (
        date(2027, 1, 1).at(0, 0, 0, 0),
        date(2028, 1, 1).at(0, 0, 0, 0),
    );
    let day = SignedDuration::from_hours(24);
    let all_days: Vec<DateTime> = std::iter::successors(Some(from), |at| Some(*at + day))
        .take_while(|at| *at < until)
        .collect();
    let of_name = |name: &str| {
        let days = std::iter::successors(Some(Weekday::Monday), |day| Some(day.next()));
        let day = days.take(7).find(|day| format!("{day:?}") == name);
        day.unwrap_or_else(|| panic!("{name}"))
    };
    let mut checked = 0;
    for hour in 0..24 {
        for (minute, days) in [(0, "*"), (5, "SUN"), (59, "2"), (30, "6")] {
            let line = format!("{minute} {hour} * * {days}");
            let pattern = Pattern::parse(&line).unwrap();
            let words = pattern.describe();
            let (which, at) = words
                .strip_prefix("every ")
                .unwrap()
                .split_once(" at ")
                .unwrap();
            let at: jiff::civil::Time = at.parse().unwrap();
            let expected: Vec<DateTime> = (all_days.iter())
                .filter(|day| which == "day" || day.weekday() == of_name(which))
                .map(|day| day.date().to_datetime(at))
                .collect();
            let second = SignedDuration::from_secs(1);
            let found =
                std::iter::successors(pattern.next(from), |last| pattern.next(*last + second));
            let found: Vec<DateTime> = found.take_while(|at| *at < until).collect();
            assert_eq!(found, expected, "{line}: {words}");
            checked += 1;
        }
    }
    assert_eq!(checked, 96);
}

#[test]
fn two_lines_that_differ_are_not_said_in_the_same_words() {
    use std::collections::HashMap;

    use jiff::SignedDuration;
    use jiff::civil::{DateTime, date};

    let times = |line: &str| -> Vec<DateTime> {
        let pattern = Pattern::parse(line).unwrap();
        let day = SignedDuration::from_hours(24);
        // The first times of many days tell days apart, all times of some days the times of day.
        let starts = (0..400).map(|index| date(2027, 1, 1).at(0, 0, 0, 0) + day * index);
        let firsts = starts.filter_map(|start| pattern.next(start));
        let second = SignedDuration::from_secs(1);
        let first = pattern.next(DateTime::constant(2027, 1, 1, 0, 0, 0, 0));
        let all = std::iter::successors(first, |last| pattern.next(*last + second));
        firsts.chain(all.take(100)).collect()
    };
    let minutes = [
        "0",
        "5",
        "0,30",
        "*/15",
        "0-59/15",
        "*/20",
        "*/45",
        "0,45",
        "*",
        "10-20",
        "7,9,11,13",
    ];
    let hours = [
        "0", "3", "8,20", "*", "*/2", "0-23/2", "*/5", "*/6", "8-17", "22-2", "1-5",
    ];
    let days = [
        "*", "1", "*/2", "1-31/2", "1-7", "L", "LW", "15W", "1-31", "*/31", "1,L",
    ];
    let weekdays = [
        "*", "1", "1-5", "0,6", "*/2", "+1", "+1-5", "FRI#2", "5L", "1,FRI#2", "0-6", "FRI-MON",
    ];
    let mut lines = Vec::new();
    for minute in minutes {
        lines.extend(hours.map(|hour| format!("{minute} {hour} * * *")));
    }
    for day in days {
        for month in ["*", "2,3"] {
            lines.extend(weekdays.map(|weekday| format!("5 3 {day} {month} {weekday}")));
        }
    }
    let mut said: HashMap<String, String> = HashMap::new();
    let mut alike = 0;
    for line in lines {
        // The first of a month is never its second Friday.
        let Ok(pattern) = Pattern::parse(&line) else {
            continue;
        };
        let words = pattern.describe();
        if let Some(other) = said.get(&words) {
            assert_eq!(times(&line), times(other), "{words}: {line}, {other}");
            alike += 1;
        } else {
            said.insert(words, line);
        }
    }
    assert!(alike > 20 && said.len() > 250, "{alike}, {}", said.len());
}
