//! When windows open and close, from the words of the file to instants.

use jiff::civil::time;

use super::*;

#[test]
fn times_of_day() {
    let table = [
        ("00:00", time(0, 0, 0, 0)),
        ("03:30", time(3, 30, 0, 0)),
        ("23:59:59", time(23, 59, 59, 0)),
    ];
    for (text, expected) in table {
        assert_eq!(date_time::parse_time(text), Ok(expected), "{text}");
    }
    let hint = |text| date_time::parse_time(text).expect_err(text);
    let table = [
        ("3:30", "write \"03:30\""),
        ("3:5", "write \"03:05\""),
        (" 03:30 ", "write \"03:30\""),
        ("24:00", "midnight is"),
        ("24:00:00", "midnight is"),
        ("03:30:00.5", "recess uses whole seconds"),
        ("2h", "for a length, write"),
    ];
    for (text, expected) in table {
        assert!(hint(text).starts_with(expected), "{text}: {}", hint(text));
    }
    for text in [
        "",
        ":",
        "::",
        "03",
        "0330",
        "25:00",
        "03:60",
        "03:30:60",
        "24:01",
        "+3:30",
        "-3:30",
        "03:30:15:00",
        "3:30pm",
        "٠٣:٣٠",
        "00:00Z",
    ] {
        assert!(
            hint(text).starts_with("write hours"),
            "{text}: {}",
            hint(text)
        );
    }
}

/// A good file with one window, of these lines.
fn with(lines: &str) -> String {
    format!(
        "instance = 'a'\n[defaults]\ntimezone = 'Europe/Zurich'\n[[window]]\nname = 'w'\nconsumers = ['A/b']\n{lines}\n"
    )
}

/// What a window opens and closes between two instants, in UTC.
fn plan(lines: &str, from: &str, until: &str) -> Vec<(String, String)> {
    let config = good(&with(lines));
    let instant = |text: &str| text.parse().expect("an instant");
    (config.policy.windows()[0]
        .intersecting(instant(from), instant(until))
        .iter())
    .map(|piece| (piece.opens.to_string(), piece.closes.to_string()))
    .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(opens, closes): &(&str, &str)| ((*opens).to_owned(), (*closes).to_owned());
    expected.iter().map(pair).collect()
}

#[test]
fn until_is_a_time_of_day_in_text_or_not() {
    // From winter time into summer time, at 01:00 UTC: seven hours long.
    let night = ("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z");
    for until in ["'06:00'", "'06:00:00'", "06:00:00", "06:00"] {
        let lines = format!("schedule = '0 22 * * 6'\nuntil = {until}");
        let found = plan(&lines, "2026-03-27T00:00:00Z", "2026-03-30T00:00:00Z");
        assert_eq!(found, pairs(&[night]), "{until}");
    }
}

#[test]
fn a_rule_is_valid_from_its_first_day_to_its_last() {
    let daily = |valid: &str| {
        let lines = format!("schedule = '0 12 * * *'\nduration = '1h'\n{valid}");
        let openings = plan(&lines, "2026-12-01T00:00:00Z", "2026-12-08T00:00:00Z");
        (openings.iter())
            .map(|(opens, _)| opens[8..10].to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(daily(""), "01 02 03 04 05 06 07");
    assert_eq!(daily("valid_from = 2026-12-03"), "03 04 05 06 07");
    assert_eq!(daily("valid_from = 2026-12-03T12:00:00"), "03 04 05 06 07");
    assert_eq!(daily("valid_from = 2026-12-03T12:00:01"), "04 05 06 07");
    assert_eq!(daily("valid_until = 2026-12-03"), "01 02 03");
    assert_eq!(daily("valid_until = 2026-12-03T12:00:00"), "01 02");
    assert_eq!(daily("valid_until = 2026-12-03T12:00:01"), "01 02 03");
    assert_eq!(
        daily("valid_from = 2026-12-03\nvalid_until = 2026-12-03"),
        "03"
    );
    assert_eq!(
        daily("valid_from = 0000-01-01\nvalid_until = 9999-12-31"),
        "01 02 03 04 05 06 07"
    );
}

#[test]
fn gaps_and_repeats_are_as_the_file_says() {
    let count = |lines: &str, day: &str| {
        let lines = format!("schedule = '30 2 * * *'\nduration = '10m'\n{lines}");
        plan(
            &lines,
            &format!("2026-{day}T00:00:00Z"),
            &format!("2026-{day}T03:00:00Z"),
        )
        .len()
    };
    let (spring, autumn) = ("03-29", "10-25");
    assert_eq!(count("", spring), 1);
    assert_eq!(count("gap = 'shift'", spring), 1);
    assert_eq!(count("gap = 'skip'", spring), 0);
    assert_eq!(count("", autumn), 1);
    assert_eq!(count("repeat = 'first'", autumn), 1);
    assert_eq!(count("repeat = 'both'", autumn), 2);
    let once = |repeat: &str| {
        let lines = format!("schedule = '30 2 * * *'\nduration = '10m'\nrepeat = '{repeat}'");
        plan(&lines, "2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z")
            .remove(0)
            .0
    };
    assert_eq!(once("first"), "2026-10-25T00:30:00Z");
    assert_eq!(once("last"), "2026-10-25T01:30:00Z");
}

#[test]
fn a_rule_is_endless_when_no_break_is_met_in_five_years() {
    let table = [
        ("* * * * *", "1m", "UTC", true),
        ("* * * * *", "59s", "UTC", false),
        ("0 * * * *", "1h", "Europe/Zurich", true),
        ("0 0 * * *", "24h", "UTC", true),
        ("0 0 * * *", "23h 59m 59s", "UTC", false),
        // A break of one hour, once a year, on the day of 25 hours.
        ("0 0 * * *", "24h", "Europe/Zurich", false),
        ("0 0 * * *", "25h", "Europe/Zurich", true),
        // The longest walk there is: it ends by the limit of steps, after two days and a bit.
        ("* * * * * *", "6s", "UTC", true),
        // Weekends break it; the walk over a week of minutes meets that.
        ("* * * * 1-5", "1m", "Europe/Zurich", false),
        // December breaks it, after 96,000 openings.
        ("*/5 * * 1-11 *", "5m", "UTC", false),
        // From Sunday to Sunday, over both changes of the clock.
        ("0 0 * * 0", "7d", "Europe/Zurich", false),
        ("0 0 * * 0", "169h", "Europe/Zurich", true),
        ("0 0 1 1 *", "366d", "UTC", true),
        ("0 0 1 1 *", "365d", "UTC", false),
        ("0 0 29 2 *", "366d", "UTC", false),
        // The fifth Tuesday of February: once in these years, in 2028, and open beyond them.
        ("0 0 * 2 2#5", "366d", "UTC", false),
    ];
    for (schedule, duration, zone, endless) in table {
        let expected: &[_] = if endless { &[code::NEVER_CLOSES] } else { &[] };
        assert_eq!(
            codes(&window(schedule, duration, zone)),
            expected,
            "{schedule} {duration} {zone}"
        );
    }
}

#[test]
fn a_rule_that_ends_by_the_clock_is_endless_when_it_opens_again_before() {
    let table = [
        ("0 18 * * *", "18:00", true),
        ("0 18 * * *", "17:59:59", false),
        ("0 8,18 * * *", "08:00", true),
        ("0 8,18 * * 1-5", "08:00", false),
        ("*/5 * * * *", "06:00", true),
        ("*/5 1-5 * * *", "06:00", false),
        // Even where it ends after a year, or begins after the years that are looked at in other
        // rules.
        ("0 18 * * *", "18:00\"\nvalid_until = 2027-06-30 #\"", false),
        ("0 18 * * *", "18:00\"\nvalid_from = 2040-06-30 #\"", true),
    ];
    for (schedule, until, endless) in table {
        let text = with(&format!("schedule = \"{schedule}\"\nuntil = \"{until}\""));
        let expected: &[_] = if endless { &[code::NEVER_CLOSES] } else { &[] };
        assert_eq!(codes(&text), expected, "{schedule} {until}");
    }
}

#[test]
fn a_rule_that_ends_by_the_clock_is_measured_on_its_longest_night() {
    let found = |until: &str, max_pause: &str, valid: &str| {
        let lines = format!("schedule = '0 20 * * *'\nuntil = '{until}'\n{valid}");
        codes(&with(&lines).replace(
            "[defaults]",
            &format!("[controller]\nmax_pause = '{max_pause}'\n[defaults]"),
        ))
    };
    assert_eq!(found("06:00", "10h", ""), [code::TOO_LONG]);
    assert_eq!(found("06:00", "11h", ""), [""; 0]);
    // A summer has no such night.
    let summer = "valid_from = 2030-05-01\nvalid_until = 2030-09-30";
    assert_eq!(found("06:00", "10h", summer), [""; 0]);
    assert_eq!(found("06:00", "9h", summer), [code::TOO_LONG]);
}

#[test]
fn a_one_off_is_of_its_own_zone_or_offset() {
    let expected = [("2026-12-05T21:00:00Z", "2026-12-06T03:00:00Z")];
    for (from, until) in [
        ("2026-12-05T22:00:00", "2026-12-06T04:00:00"),
        ("2026-12-05 22:00", "2026-12-06 04:00"),
        ("2026-12-05T21:00:00Z", "2026-12-06T04:00:00"),
        ("2026-12-05T22:00:00", "2026-12-05T22:00:00-05:00"),
        ("2026-12-06T02:45:00+05:45", "2026-12-06T03:00:00.000Z"),
    ] {
        let lines = format!("from = {from}\nuntil = {until}");
        let found = plan(&lines, "2026-12-01T00:00:00Z", "2026-12-31T00:00:00Z");
        assert_eq!(found, pairs(&expected), "{from} {until}");
    }
}

#[test]
fn a_one_off_takes_the_longest_that_changing_clocks_allow() {
    let once = |from: &str, until: &str| {
        let lines = format!("from = {from}\nuntil = {until}");
        plan(&lines, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    };
    // 02:30 comes twice, at 00:30 and at 01:30 UTC.
    assert_eq!(
        once("2026-10-25T02:30:00", "2026-10-25T02:30:01"),
        pairs(&[("2026-10-25T00:30:00Z", "2026-10-25T01:30:01Z")])
    );
    // 02:30 does not come; 03:00 is 01:00 UTC.
    assert_eq!(
        once("2026-03-29T02:30:00", "2026-03-29T03:10:00"),
        pairs(&[("2026-03-29T01:00:00Z", "2026-03-29T01:10:00Z")])
    );
    assert_eq!(
        once("2026-03-29T01:30:00", "2026-03-29T02:30:00"),
        pairs(&[("2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z")])
    );
}

#[test]
fn a_one_off_over_a_day_that_a_zone_skipped() {
    let lines =
        "from = 2011-12-30T08:00:00\nuntil = 2011-12-31T01:00:00\ntimezone = 'Pacific/Apia'";
    let found = plan(lines, "2011-12-01T00:00:00Z", "2012-01-01T00:00:00Z");
    assert_eq!(
        found,
        pairs(&[("2011-12-30T10:00:00Z", "2011-12-30T11:00:00Z")])
    );
}

#[test]
fn the_far_ends_of_time_are_no_trouble() {
    for (lines, code) in [
        (
            "from = 0000-01-01T00:00:00\nuntil = 9999-12-31T23:59:59",
            code::TOO_LONG,
        ),
        (
            "from = 9999-12-31T23:59:59\nuntil = 0000-01-01T00:00:00",
            code::ENDS_BEFORE_START,
        ),
        (
            "from = 9999-12-31T23:59:58\nuntil = 9999-12-31T23:59:59",
            code::ENDS_BEFORE_START,
        ),
        (
            "from = 9999-12-31T23:59:59-23:59\nuntil = 9999-12-31T23:59:59",
            code::WRONG_TYPE,
        ),
        (
            "schedule = '@daily'\nduration = '1h'\nvalid_from = 9999-12-31",
            code::NEVER_OPENS,
        ),
    ] {
        assert_eq!(codes(&with(lines)), [code], "{lines}");
    }
}

#[test]
fn exclusions_cut_the_windows_that_they_concern() {
    let days = |exclusion: &str| {
        let lines = format!(
            "schedule = '0 22 * * *'\nuntil = '04:00'\n[[exclusion]]\nname = 'e'\n{exclusion}"
        );
        plan(&lines, "2026-12-24T00:00:00Z", "2026-12-27T12:00:00Z")
    };
    let whole = pairs(&[
        ("2026-12-23T21:00:00Z", "2026-12-24T03:00:00Z"),
        ("2026-12-24T21:00:00Z", "2026-12-25T03:00:00Z"),
        ("2026-12-25T21:00:00Z", "2026-12-26T03:00:00Z"),
        ("2026-12-26T21:00:00Z", "2026-12-27T03:00:00Z"),
    ]);
    let cut = pairs(&[
        ("2026-12-23T21:00:00Z", "2026-12-24T03:00:00Z"),
        ("2026-12-24T21:00:00Z", "2026-12-24T23:00:00Z"),
        ("2026-12-26T23:00:00Z", "2026-12-27T03:00:00Z"),
    ]);
    assert_eq!(days("dates = [2026-12-26, 2026-12-25]"), cut);
    assert_eq!(
        days("dates = [2026-12-25, 2026-12-26]\nwindows = ['w']"),
        cut
    );
    assert_eq!(
        days("from = 2026-12-25T00:00:00\nuntil = 2026-12-26T23:00:00Z"),
        cut
    );
    assert_eq!(days("schedule = '0 0 25 12 *'\nduration = '2d'"), cut);
    assert_eq!(days("schedule = '0 0 25,26 12 *'\nuntil = '00:00'"), cut);
    let other = "dates = [2026-12-25, 2026-12-26]\nwindows = ['other']\n[[window]]\nname = 'other'\n\
                 consumers = ['A/b']\nschedule = '@daily'\nduration = '1h'";
    assert_eq!(days(other), whole);
}

#[test]
fn a_holiday_is_as_long_as_the_clocks_make_it() {
    let lines = "schedule = '@daily'\nduration = '1h'\n[[exclusion]]\nname = 'e'\ndates = [2026-10-25, 2026-03-29]";
    let config = good(&with(lines));
    let exclusion = &config.policy.windows()[0].exclusions[0];
    let all = exclusion
        .schedule
        .intersecting(Timestamp::MIN, Timestamp::MAX);
    let hours: Vec<i64> = all.map(|day| day.length().as_hours()).collect();
    assert_eq!(hours, [23, 25]);
}

#[test]
fn exclusions_are_not_judged_by_windows_that_cannot_be_read() {
    let exclusion = "[[exclusion]]\nname = 'e'\ndates = [2026-12-25]\nwindows = ['w']\n";
    assert_eq!(
        codes(&format!("instance = 'a'\nwindow = 1\n{exclusion}")),
        [code::WRONG_TYPE]
    );
    assert_eq!(
        codes(&format!("instance = 'a'\n{exclusion}")),
        [code::UNKNOWN_WINDOW, code::NO_WINDOWS]
    );
}

#[test]
fn mistakes_of_one_window_are_told_together() {
    let lines = "schedule = '30 25 * * *'\nduration = '8d'\ngap = 'jump'\nvalid_from = 2026-12-01T00:00:00Z\n\
                 resume_spread = '2d'\ntimezone = 'Zurich'";
    let mut found = codes(&with(lines));
    found.sort_unstable();
    let expected = [
        code::BAD_CHOICE,
        code::BAD_SCHEDULE,
        code::BAD_ZONE,
        code::OUT_OF_RANGE,
        code::TOO_LONG,
        code::WRONG_TYPE,
    ];
    assert_eq!(found, expected);
}
