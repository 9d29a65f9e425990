use jiff::civil::{DateTime, date};

use super::read;
use crate::calendar::{Pattern, PatternError};

/// The times of a few years by which lines are told apart.
fn times(line: &str) -> Vec<DateTime> {
    let pattern = Pattern::parse(line).unwrap_or_else(|error| panic!("`{line}`: {error}"));
    let second = jiff::SignedDuration::from_secs(1);
    let first = pattern.next(date(2027, 1, 1).at(0, 0, 0, 0));
    let all = std::iter::successors(first, |last| pattern.next(*last + second));
    all.take(300).collect()
}

fn refused(line: &str) -> (String, Option<String>) {
    match Pattern::parse(line) {
        Err(PatternError::Unreadable { reason, instead }) => (reason, instead),
        other => panic!("`{line}`: {other:?}"),
    }
}

#[test]
fn what_has_one_true_reading_is_read() {
    for (line, plain) in [
        ("@midnight", "0 0 * * *"),
        ("@Daily", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@annually", "0 0 1 1 *"),
        ("0 22 * * FRI-MON", "0 22 * * 0,1,5,6"),
        ("0 22 * * SAT-SUN", "0 22 * * 0,6"),
        ("0 22 * * 6-0", "0 22 * * 0,6"),
        ("0 22 * * 7-1", "0 22 * * 0,1"),
        ("0 22 * * SUN-SUN", "0 22 * * 0"),
        ("0 22 * * 7-7", "0 22 * * 0"),
        ("0 22 * * FRI-MON/2", "0 22 * * 5,0"),
        ("0 22 * * SUN-SAT", "0 22 * * *"),
        ("0 22-2 * * *", "0 22,23,0,1,2 * * *"),
        ("0 20-2/2 * * *", "0 20,22,0,2 * * *"),
        ("50-10/10 3 * * *", "50,0,10 3 * * *"),
        ("0 3 * NOV-FEB *", "0 3 * 1,2,11,12 *"),
        ("0 3 25-5 * *", "0 3 25-31,1-5 * *"),
        ("0 3 * January,sept Monday", "0 3 * 1,9 1"),
        ("0 3 ? * MON", "0 3 * * 1"),
        ("0 0 3 ? * MON-FRI", "0 0 3 * * 1-5"),
        ("0 3 1 * ?", "0 3 1 * *"),
        ("0 3 ? * 0", "0 3 * * 0"),
        ("5/15 * * * *", "5,20,35,50 * * * *"),
        ("0 3 * * FRIL", "0 3 * * 5L"),
        ("0 3 * * 5#L", "0 3 * * 5L"),
        ("0 3 * * 1-2#1", "0 3 * * 1#1,2#1"),
        ("00 03 01 01 *", "0 3 1 1 *"),
        ("0 0 */2 * 1", "0 0 */2 * +1"),
        ("0 0 1-7 * */7", "0 0 1-7 * +0"),
        ("0 0 *,13 * 5", "0 0 * * 5"),
        ("0 0 1-31 * 5", "0 0 * * *"),
        ("0\t3\u{a0}* * *", "0 3 * * *"),
    ] {
        assert_eq!(times(line), times(plain), "`{line}` is `{plain}`");
    }
}

#[test]
fn the_line_to_write_instead_is_named_and_can_be_read() {
    for (line, instead) in [
        // An empty list item, and a list split by a blank.
        ("0 8, 20 * * *", "0 8,20 * * *"),
        ("0, 30 2 * * *", "0,30 2 * * *"),
        ("0 8 ,20 * * *", "0 8,20 * * *"),
        ("0 8,,20 * * *", "0 8,20 * * *"),
        ("0 8, * * *", "0 8 * * *"),
        ("0 ,8 * * *", "0 8 * * *"),
        ("0 3 1,2, * * *", "0 3 1,2 * * *"),
        ("0 3 * * MON, WED, FRI", "0 3 * * MON,WED,FRI"),
        ("0 3 * * MON - FRI", "0 3 * * MON-FRI"),
        ("*/ 5 * * * *", "*/5 * * * *"),
        ("/10 * * * *", "*/10 * * * *"),
        // A name in the field of another unit.
        ("0 22 FRI * *", "0 22 * * FRI"),
        ("0 22 * FRI *", "0 22 * * FRI"),
        ("0 22 * mon-fri *", "0 22 * * MON-FRI"),
        ("0 0 * * JAN", "0 0 * JAN *"),
        ("0 0 JAN * *", "0 0 * JAN *"),
        ("0 0 22 FRI * *", "0 0 22 * * FRI"),
        // Seconds, years, users and commands at the end.
        ("30 2 * * * 30", "30 30 2 * * *"),
        ("* * * * * */15", "*/15 * * * * *"),
        ("0 3 * * MON *", "0 3 * * MON"),
        ("0 0 3 * * MON *", "0 0 3 * * MON"),
        ("30 1 * * * * *", "30 1 * * * *"),
        ("30 2 * * * root", "30 2 * * *"),
        ("30 2 * * * /usr/bin/vacuum --all", "30 2 * * *"),
        ("@daily /usr/bin/vacuum", "@daily"),
        ("@every 2h", "0 */2 * * *"),
        // AWS: the year stands last, and 1 is Sunday.
        ("0 3 ? * 2 *", "0 3 * * MON"),
        ("cron(0 3 ? * 2-6 *)", "0 3 * * MON-FRI"),
        ("cron(15 10 * * ? *)", "15 10 * * *"),
        ("cron(0 9 ? * 2#1 *)", "0 9 * * MON#1"),
        // Others.
        ("H 3 * * *", "0 3 * * *"),
        ("H/15 * * * *", "*/15 * * * *"),
        ("0 24 * * *", "0 0 * * *"),
        ("'30 2 * * *'", "30 2 * * *"),
        ("0 3 * * MON\u{2013}FRI", "0 3 * * MON-FRI"),
        ("daily", "0 0 * * *"),
        ("@noon", "0 12 * * *"),
        ("weekdays", "0 0 * * MON-FRI"),
        ("0 3 * * MON WED FRI", "0 3 * * MON,WED,FRI"),
        ("0 3 * jan feb *", "0 3 * JAN,FEB *"),
        ("0 3 * * MO-FR", "0 3 * * MON-FRI"),
        ("0 3 * * mo,we", "0 3 * * MON,WED"),
        ("weekly", "0 0 * * MON"),
        ("@quarterly", "0 0 1 1,4,7,10 *"),
        // systemd's OnCalendar.
        ("*-*-* 02:30:00", "30 2 * * *"),
        ("02:30", "30 2 * * *"),
        ("Mon..Fri 22:00", "0 22 * * Mon-Fri"),
        ("Mon,Wed *-*-* 22:00", "0 22 * * Mon,Wed"),
        ("Sat *-*-1..7 18:00:00", "0 18 1-7 * +Sat"),
        ("*-*-01 00:00:00", "0 0 1 * *"),
        ("*-*~1 03:00", "0 3 L * *"),
        ("*-12-24 03:00:15", "15 0 3 24 12 *"),
        ("*:0/15", "*/15 * * * *"),
        ("OnCalendar=Sun 03:00", "0 3 * * Sun"),
    ] {
        let (reason, found) = refused(line);
        assert_eq!(
            found.as_deref(),
            Some(format!("write \"{instead}\"").as_str()),
            "`{line}`: {reason}"
        );
        assert!(read(instead).is_ok(), "{instead}");
    }
}

#[test]
fn where_more_than_a_line_is_to_be_written_it_is_said() {
    for (line, instead) in [
        (
            "CRON_TZ=Europe/Zurich 30 2 * * *",
            "write schedule = \"30 2 * * *\" and timezone = \"Europe/Zurich\"",
        ),
        (
            "TZ=UTC @daily",
            "write schedule = \"@daily\" and timezone = \"UTC\"",
        ),
        (
            "*-*-* 02:30 Europe/Berlin",
            "write schedule = \"30 2 * * *\" and timezone = \"Europe/Berlin\"",
        ),
        (
            "0 0 3 ? * MON 2027",
            "write \"0 0 3 ? * MON\", with valid_from = 2027-01-01 and valid_until = 2027-12-31",
        ),
        (
            "0 3 * * MON 2027-2030",
            "write \"0 0 3 * * MON\", and set the years with valid_from and valid_until",
        ),
        (
            "0 3 L-3 * ?",
            "write three windows: \"0 3 28 1,3,5,7,8,10,12 *\", \"0 3 27 4,6,9,11 *\" and \"0 3 25 2 *\" (a day too early in a \
             leap year)",
        ),
        // Two readings: the one that is meant is to be written.
        (
            "35 10 * * * 3",
            "if the seconds are last, write \"3 35 10 * * *\"; if they are first, name the \
             weekday: \"35 10 * * * WED\"",
        ),
        (
            "0 0 3 ? * 2",
            "write \"0 0 3 * * MON\" for Quartz and AWS, or \"0 0 3 * * TUE\" for cron",
        ),
        (
            "0 3 ? * 6#3",
            "write \"0 3 * * FRI#3\" for Quartz and AWS, or \"0 3 * * SAT#3\" for cron",
        ),
        (
            "0 22-2 * * FRI",
            "for a night, write one opening that lasts until the morning: \"0 22 * * FRI\"; for \
             those hours of one day: \"0 0,1,2,22,23 * * FRI\"",
        ),
    ] {
        let (reason, found) = refused(line);
        assert_eq!(found.as_deref(), Some(instead), "`{line}`: {reason}");
    }
}

#[test]
fn the_reason_names_the_field_and_what_stands_in_it() {
    for (line, reason) in [
        ("0 8, 20 * * *", "`8,` has an empty list item"),
        (
            "0 22 FRI * *",
            "`FRI` is a weekday, but is in the day of the month field",
        ),
        (
            "0 0 * * JAN",
            "`JAN` is a month, but is in the weekday field",
        ),
        ("30 24 * * *", "`24` is not a valid hour (0-23)"),
        ("30 1 0 * *", "`0` is not a valid day of the month (1-31)"),
        ("30 1 * * 8", "`8` is not a valid weekday (0-7)"),
        ("30 1 * * FOO", "`FOO` is not a valid weekday"),
        ("JAN0 1 * * *", "`JAN0` is not a valid minute"),
        ("0 0 * JAN0 *", "`JAN0` is not a valid month"),
        ("5- * * * *", "`5-` is not complete"),
        ("*/0 * * * *", "`*/0` has a step of 0"),
        ("*/x * * * *", "`*/x` has a step that is not a number"),
        ("0 3 * * MON/2", "`MON/2` has no weekday at its end"),
        (
            "0 3 * * MON#6",
            "`MON#6`: a weekday's number in the month is #1 to #5",
        ),
        ("0 3 * * L", "`L` names no weekday"),
        ("0 3 * * #2", "`#2` names no weekday"),
        (
            "0 3 L-3 * *",
            "`L-3` counts back from the last day of the month, which recess does not support",
        ),
        ("0 ? * * *", "`?` is not allowed as the hour"),
        ("30 1 *", "it has 3 fields, not 5 or 6"),
        ("30", "it has 1 field, not 5 or 6"),
        ("", "it is empty"),
        ("@reboot", "it is not a known nickname such as @daily"),
        (
            "35 10 * * * 3",
            "its six fields can be read with the seconds first or last",
        ),
        (
            "0 3 ? * 2",
            "with `?`, weekday 2 is ambiguous: in Quartz 1 is Sunday, in cron 1 is Monday",
        ),
    ] {
        assert_eq!(refused(line).0, reason, "`{line}`");
    }
}

#[test]
fn a_suggestion_is_not_made_where_nothing_can_be_told() {
    for line in [
        "every night",
        "a b c d e",
        "60 1 * * *",
        "@reboot",
        "rate(5 minutes)",
        "2026-12-25 02:00:00",
        ",",
    ] {
        assert_eq!(refused(line).1, None, "`{line}`");
    }
    let long = "0 ".repeat(100_000);
    assert_eq!(refused(&long).1, None);
}

/// Whatever is written: no panic, and a suggestion holds.
#[test]
fn every_suggested_line_can_be_read() {
    let pieces = [
        "*", "?", "0", "1", "8", "24", "59", "99", "MON", "JAN", "L", "W", "#", "/", "-", ",", " ",
        " ", " ", "@daily", "+", "TZ=X", "H", ":", "..", "2027", "\u{e9}", "*/2", "cron(", ")",
        "~",
    ];
    let whole = [
        "*", "0", "3", "?", "MON", "JAN", "8,", "1-5", "*/2", "FRI-MON", "2027", "30",
    ];
    let mut state = 0x5eed_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut suggested = 0;
    for _ in 0..40_000 {
        let words = (0..3 + random(6)).map(|_| match random(5) {
            0 => (0..random(4))
                .map(|_| pieces[random(pieces.len())])
                .collect(),
            _ => whole[random(whole.len())].to_owned(),
        });
        let line = words.collect::<Vec<String>>().join(" ");
        let Err(refusal) = read(&line) else { continue };
        let Some(instead) = refusal.instead else {
            continue;
        };
        suggested += 1;
        if let Some(line) = instead
            .strip_prefix("write \"")
            .and_then(|rest| rest.strip_suffix('"'))
            && !line.contains('"')
        {
            assert!(read(line).is_ok(), "{instead}");
        }
    }
    assert!(suggested > 100, "{suggested}");
}

#[test]
fn where_every_field_steps_too_far_there_is_nothing_to_write_instead() {
    for line in [
        "*/70 */70 */70 */70 */70 */70",
        "*/140 */70 */368 */9 */90 */55",
        "*/7 */869 */908 */57 */596 */9",
    ] {
        let refusal = read(line).unwrap_err();
        assert!(
            refusal
                .reason
                .ends_with("is not a weekday: the seconds come first"),
            "{line}"
        );
        assert_eq!(refusal.instead, None, "{line}");
    }
    // One that does not is a weekday once it is last.
    let refusal = read("0 */5 * * */2 */10").unwrap_err();
    assert_eq!(
        refusal.instead.as_deref(),
        Some("write \"*/10 0 */5 * * */2\"")
    );
}
