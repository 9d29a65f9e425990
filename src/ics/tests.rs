use super::*;

const HEAD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n";
const TAIL: &str = "END:VCALENDAR\r\n";

/// A calendar of one event, of these lines with a summary.
fn of_one(lines: &str) -> Vec<u8> {
    let lines = lines.replace('|', "\r\n");
    format!("{HEAD}BEGIN:VEVENT\r\nSUMMARY:x\r\n{lines}\r\nEND:VEVENT\r\n{TAIL}").into_bytes()
}

/// A zone by the few names that these tests use. Its clocks go forward on 2027-03-28 and back on
/// 2027-10-31.
fn find_zone(name: &str) -> Result<TimeZone, String> {
    match name {
        "Europe/Zurich" => Ok(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()),
        "Asia/Tokyo" => Ok(TimeZone::posix("JST-9").unwrap()),
        _ => Err("name another".to_owned()),
    }
}

fn read_all(bytes: &[u8]) -> Contents {
    let zone = find_zone("Europe/Zurich").unwrap();
    read(
        bytes,
        &Reader {
            zone: &zone,
            find_zone: &find_zone,
            counts: &|_| true,
        },
    )
}

/// When the one event takes place, in UTC.
fn times(lines: &str) -> Vec<String> {
    let contents = read_all(&of_one(lines));
    assert_eq!(contents.mistakes, [], "{lines}");
    let times = contents.events.iter().flat_map(|event| &event.times);
    let minute = |at: &Timestamp| at.to_string()[..16].to_owned();
    times
        .map(|[begins, ends]| format!("{} {}", minute(begins), minute(ends)))
        .collect()
}

fn mistake(bytes: &[u8]) -> (usize, String) {
    let contents = read_all(bytes);
    let mut mistakes = contents.mistakes.into_iter();
    let first = mistakes.next().expect("a mistake");
    assert_eq!(mistakes.next(), None);
    (first.line, first.message)
}

#[test]
fn an_event_takes_place_when_it_says() {
    let table: &[(&str, &[&str])] = &[
        // Days: those of the exclusion, in winter and in summer, and over a change of the clocks.
        (
            "DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261227",
            &["2026-12-24T23:00 2026-12-26T23:00"],
        ),
        (
            "DTSTART;VALUE=DATE:20261225",
            &["2026-12-24T23:00 2026-12-25T23:00"],
        ),
        ("DTSTART:20270701", &["2027-06-30T22:00 2027-07-01T22:00"]),
        (
            "DTSTART;VALUE=DATE:20270328",
            &["2027-03-27T23:00 2027-03-28T22:00"],
        ),
        (
            "DTSTART;VALUE=DATE;TZID=Nowhere/None:20261225",
            &["2026-12-24T23:00 2026-12-25T23:00"],
        ),
        (
            "dtstart;value=date:20261225",
            &["2026-12-24T23:00 2026-12-25T23:00"],
        ),
        (
            "DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261225",
            &["2026-12-24T23:00 2026-12-25T23:00"],
        ),
        // Lengths.
        (
            "DTSTART;VALUE=DATE:20261225|DURATION:P1D",
            &["2026-12-24T23:00 2026-12-25T23:00"],
        ),
        (
            "DTSTART;VALUE=DATE:20261225|DURATION:P1DT",
            &["2026-12-24T23:00 2026-12-25T23:00"],
        ),
        (
            "DTSTART;VALUE=DATE:20261225|DURATION:P1W",
            &["2026-12-24T23:00 2026-12-31T23:00"],
        ),
        (
            "DTSTART:20270327T120000Z|DURATION:PT2H30M",
            &["2027-03-27T12:00 2027-03-27T14:30"],
        ),
        // A day of the calendar is 23 hours long that night, elapsed time is not.
        (
            "DTSTART;TZID=Europe/Zurich:20270327T120000|DURATION:P1D",
            &["2027-03-27T11:00 2027-03-28T10:00"],
        ),
        (
            "DTSTART;TZID=Europe/Zurich:20270327T120000|DURATION:PT24H",
            &["2027-03-27T11:00 2027-03-28T11:00"],
        ),
        // Zones: the exclusion's, another one, UTC.
        (
            "DTSTART:20261224T180000|DTEND:20261224T200000",
            &["2026-12-24T17:00 2026-12-24T19:00"],
        ),
        (
            "DTSTART;TZID=Asia/Tokyo:20261224T180000|DTEND;TZID=Europe/Zurich:20261224T180000",
            &["2026-12-24T09:00 2026-12-24T17:00"],
        ),
        (
            "DTSTART;TZID=\"Asia/Tokyo\":20261224T180000|DTEND:20261224T100000Z",
            &["2026-12-24T09:00 2026-12-24T10:00"],
        ),
        // In the gap by the offset before it; in the fold the first.
        (
            "DTSTART:20270328T023000|DURATION:PT1H",
            &["2027-03-28T01:30 2027-03-28T02:30"],
        ),
        (
            "DTSTART:20271031T023000|DURATION:PT1H",
            &["2027-10-31T00:30 2027-10-31T01:30"],
        ),
        // Recurrences keep the wall clock of their zone, and the length of the first.
        (
            "DTSTART:20270327T230000|DTEND:20270328T050000|RRULE:FREQ=DAILY;COUNT=2",
            &[
                "2027-03-27T22:00 2027-03-28T03:00",
                "2027-03-28T21:00 2027-03-29T02:00",
            ],
        ),
        (
            "DTSTART;VALUE=DATE:20260525|RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;UNTIL=20281231",
            &[
                "2026-05-24T22:00 2026-05-25T22:00",
                "2027-05-30T22:00 2027-05-31T22:00",
                "2028-05-28T22:00 2028-05-29T22:00",
            ],
        ),
        // UNTIL is in UTC beside a zone, and its instant counts.
        (
            "DTSTART:20261224T000000|DURATION:PT1H|RRULE:FREQ=DAILY;UNTIL=20261224T230000Z",
            &[
                "2026-12-23T23:00 2026-12-24T00:00",
                "2026-12-24T23:00 2026-12-25T00:00",
            ],
        ),
        (
            "DTSTART:20261224T000000|DURATION:PT1H|RRULE:FREQ=DAILY;UNTIL=20261224T225959Z",
            &["2026-12-23T23:00 2026-12-24T00:00"],
        ),
        (
            "DTSTART;VALUE=DATE:20261224|RRULE:FREQ=DAILY;COUNT=4;|EXDATE;VALUE=DATE:20261225,20261226",
            &[
                "2026-12-23T23:00 2026-12-24T23:00",
                "2026-12-26T23:00 2026-12-27T23:00",
            ],
        ),
        (
            "DTSTART:20261224T180000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2|EXDATE:20261225T170000Z",
            &["2026-12-24T17:00 2026-12-24T18:00"],
        ),
        (
            "DTSTART;VALUE=DATE:20261224|RDATE;VALUE=DATE:20270101,20270106|RDATE;VALUE=DATE:20270501",
            &[
                "2026-12-23T23:00 2026-12-24T23:00",
                "2026-12-31T23:00 2027-01-01T23:00",
                "2027-01-05T23:00 2027-01-06T23:00",
                "2027-04-30T22:00 2027-05-01T22:00",
            ],
        ),
        // It does not take place, whatever else it says.
        ("STATUS:CANCELLED|DTSTART:nonsense", &[]),
        (
            "STATUS:TENTATIVE|DTSTART:20261225",
            &["2026-12-24T23:00 2026-12-25T23:00"],
        ),
        // What is nested in it is another thing.
        (
            "DTSTART:20261225|BEGIN:VALARM|DTSTART:20200101|DURATION:PT5M|RRULE:0|END:VALARM",
            &["2026-12-24T23:00 2026-12-25T23:00"],
        ),
    ];
    for (lines, expected) in table {
        assert_eq!(times(lines), *expected, "{lines}");
    }
}

#[test]
fn a_rule_without_an_end_goes_on_to_the_horizon() {
    let contents = read_all(&of_one("DTSTART:20261225|RRULE:FREQ=YEARLY"));
    let event = &contents.events[0];
    assert!(event.goes_on);
    assert_eq!(event.times.len(), 2100 - 2026);
    let last = event.times.last().unwrap();
    assert_eq!(last[1].to_string(), "2099-12-25T23:00:00Z");
    for ended in ["COUNT=3", "UNTIL=20301231"] {
        let contents = read_all(&of_one(&format!(
            "DTSTART:20261225|RRULE:FREQ=YEARLY;{ended}"
        )));
        assert!(!contents.events[0].goes_on, "{ended}");
    }
}

#[test]
fn what_is_not_followed_is_refused_with_its_line() {
    // The first line of the event's own is line 6.
    let table = [
        ("DESCRIPTION:x", 4, "the event has no DTSTART"),
        (
            "DTSTART:20261225|DTSTART:20261226",
            7,
            "DTSTART: the event has two of it",
        ),
        (
            "DTSTART:20260230",
            6,
            "DTSTART: \"20260230\" is not a date or a time",
        ),
        (
            "DTSTART:20261224T240000",
            6,
            "DTSTART: \"20261224T240000\" is not a date or a time",
        ),
        (
            "DTSTART:2026-12-24",
            6,
            "DTSTART: \"2026-12-24\" is not a date or a time",
        ),
        (
            "DTSTART:+2026122",
            6,
            "DTSTART: \"+2026122\" is not a date or a time",
        ),
        (
            "DTSTART;VALUE=DATE:20261224T000000",
            6,
            "DTSTART: \"20261224T000000\" is not a date or a time",
        ),
        (
            "DTSTART;VALUE=DATE-TIME:20261224",
            6,
            "DTSTART: \"20261224\" is not a date or a time",
        ),
        (
            "DTSTART;TZID=W. Europe Standard Time:20261224T180000",
            6,
            "DTSTART: TZID \"W. Europe Standard Time\" is not a time zone",
        ),
        (
            "DTSTART;TZID=Asia/Tokyo:20261224T180000Z",
            6,
            "DTSTART: \"20261224T180000Z\" is in UTC, and TZID names \"Asia/Tokyo\"",
        ),
        ("DTSTART:20261224T180000", 4, "the event lasts no time"),
        (
            "DTSTART:20261224T180000|DTEND:20261224T180000",
            4,
            "the event lasts no time",
        ),
        (
            "DTSTART:20261224|DTEND:20261223",
            7,
            "DTEND: it is before DTSTART",
        ),
        (
            "DTSTART:20261224T180000|DTEND:20261224T170000",
            7,
            "DTEND: it is before DTSTART",
        ),
        (
            "DTSTART:20261224|DTEND:20261224T170000",
            7,
            "DTEND: it has a time, and DTSTART is a whole day",
        ),
        (
            "DTSTART:20261224T170000|DTEND:20261225",
            7,
            "DTEND: it is a whole day, and DTSTART has a time",
        ),
        (
            "DTSTART:20261224|DTEND:20261225|DURATION:P1D",
            8,
            "DURATION: DTEND already defines the end",
        ),
        (
            "DTSTART:20261224|DURATION:-P1D",
            7,
            "DURATION: \"-P1D\" is not a length of time",
        ),
        (
            "DTSTART:20261224|DURATION:PT24H",
            7,
            "DURATION: \"PT24H\" has hours, and DTSTART is a whole day",
        ),
        (
            "DTSTART:20261224|DURATION:1 day",
            7,
            "DURATION: \"1 DAY\" is not a length of time",
        ),
        (
            "DTSTART:20261224|DURATION:P",
            7,
            "DURATION: \"P\" is not a length of time",
        ),
        (
            "DTSTART:20261224|DURATION:P1M",
            7,
            "DURATION: \"P1M\" is not a length of time",
        ),
        (
            "DTSTART:20261224|DURATION:P99999999999999999999D",
            7,
            "DURATION: \"P99999999999999999999D\" is not a length of time",
        ),
        (
            "DTSTART:20261224|RRULE:0",
            7,
            "RRULE: \"0\" is not a recurrence rule",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=HOURLY",
            7,
            "RRULE: FREQ=HOURLY is not supported",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=YEARLY;BYHOUR=3",
            7,
            "RRULE: BYHOUR is not supported",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=YEARLY;BYEASTER=3",
            7,
            "RRULE: BYEASTER is not supported",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=YEARLY;INTERVAL=0",
            7,
            "RRULE: INTERVAL must be 1 or more",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=YEARLY;COUNT=0",
            7,
            "RRULE: COUNT must be 1 or more",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=YEARLY;UNTIL=20271231T000000Z",
            7,
            "RRULE: UNTIL=20271231T000000Z does not fit DTSTART",
        ),
        (
            "DTSTART:20261224T000000Z|DURATION:PT1H|RRULE:FREQ=YEARLY;UNTIL=20271231",
            8,
            "RRULE: UNTIL=20271231 does not fit DTSTART",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=YEARLY;UNTIL=soon",
            7,
            "RRULE: UNTIL=SOON is not a date or a time",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=YEARLY|RRULE:FREQ=DAILY",
            8,
            "RRULE: the event has two of it",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=YEARLY;BYMONTH=5",
            6,
            "DTSTART: the rule does not name the day of DTSTART",
        ),
        (
            "DTSTART:20261224|RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            6,
            "DTSTART: the rule does not name the day of DTSTART",
        ),
        (
            "DTSTART:21000101|RRULE:FREQ=DAILY",
            7,
            "RRULE: a rule is followed to the end of 2099, and this one begins later",
        ),
        (
            "DTSTART:20261224|EXRULE:FREQ=YEARLY",
            7,
            "EXRULE: it is not supported",
        ),
        (
            "DTSTART:20261224|RECURRENCE-ID:20261224",
            7,
            "RECURRENCE-ID: it is not supported",
        ),
        (
            "STATUS:CANCELLED|DTSTART:20261224|RECURRENCE-ID:20261224",
            8,
            "RECURRENCE-ID: it is not supported",
        ),
        (
            "DTSTART:20261224|EXDATE:20261224T000000",
            7,
            "EXDATE: it has a time, and DTSTART is a whole day",
        ),
        (
            "DTSTART:20261224|RDATE;VALUE=PERIOD:20261224T000000/PT1H",
            7,
            "RDATE: PERIOD is not supported",
        ),
        ("DTSTART", 6, "it cannot be read"),
        ("DTSTART;TZID=\"a:b\"", 6, "it cannot be read"),
        ("<html>:", 6, "it cannot be read"),
    ];
    for (lines, line, message) in table {
        assert_eq!(
            mistake(&of_one(lines)),
            (line, message.to_owned()),
            "{lines}"
        );
    }
}

#[test]
fn a_file_that_is_no_whole_calendar_is_refused() {
    let table: &[(&[u8], usize, &str)] = &[
        (
            b"<!doctype html>\n<p>Please log in",
            1,
            "it is not an iCalendar file",
        ),
        (b"\n\nBEGIN:VCARD\n", 3, "it is not an iCalendar file"),
        (b"VERSION:2.0\n", 1, "it is not an iCalendar file"),
        (b"END:VCALENDAR\n", 1, "it is not an iCalendar file"),
        (
            b"BEGIN:VCALENDAR\nEND:VEVENT\n",
            2,
            "END:VEVENT closes VCALENDAR, which begins in line 1",
        ),
        (
            b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\n",
            2,
            "VEVENT has no END: the file is cut off",
        ),
        (
            b"BEGIN:VCALENDAR\n",
            1,
            "VCALENDAR has no END: the file is cut off",
        ),
        (
            b"BEGIN:VCALENDAR\nSUMMARY:Fronleichnam f\xfcr alle\n",
            2,
            "it is not valid UTF-8",
        ),
        (b"\xff\xfeB\0E\0", 1, "it is not valid UTF-8"),
    ];
    for (bytes, line, message) in table {
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(mistake(bytes), (*line, (*message).to_owned()), "{shown}");
    }
}

#[test]
fn a_fold_may_split_a_letter_and_a_mark_may_begin_the_file() {
    let mut bytes =
        b"\xEF\xBB\xBFBEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Z\xC3\n \xBCrich\\, fol\n\tded\n\n"
            .to_vec();
    bytes.extend(b"DTSTART;VALUE=DA\r\n TE:2026\r\n 1225\r\nEND:VEVENT\nEND:VCALENDAR");
    let contents = read_all(&bytes);
    assert_eq!(contents.mistakes, []);
    assert_eq!(&*contents.events[0].summary, "Zürich, folded");
    assert_eq!(contents.events[0].times.len(), 1);
}

#[test]
fn an_event_that_does_not_count_is_asked_nothing() {
    let zone = TimeZone::UTC;
    let reader = Reader {
        zone: &zone,
        find_zone: &find_zone,
        counts: &|summary| summary != "x",
    };
    let contents = read(&of_one("DTSTART:nonsense|RRULE:0"), &reader);
    assert_eq!((contents.mistakes, contents.events), (vec![], vec![]));
    assert_eq!(contents.summaries, ["x".into()]);
}

#[test]
fn of_many_mistakes_the_first_are_reported() {
    let event = "BEGIN:VEVENT\nDTSTART:soon\nEND:VEVENT\n";
    let text = format!("{HEAD}{}{TAIL}", event.repeat(100));
    assert_eq!(read_all(text.as_bytes()).mistakes.len(), MOST_MISTAKES);
}

#[test]
fn a_calendar_has_so_many_events_and_no_more() {
    let calendar = |events: usize, lines: &str| {
        let event = format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n");
        read_all(format!("{HEAD}{}{TAIL}", event.repeat(events)).as_bytes())
    };
    let full = calendar(MOST_EVENTS, "DTSTART:20261225");
    assert_eq!(full.mistakes, []);
    assert_eq!(full.events.len(), MOST_EVENTS);
    let more = calendar(MOST_EVENTS + 1, "DTSTART:20261225");
    assert_eq!(more.mistakes[0].message, "it has more than 10000 events");
    let endless = calendar(5, "DTSTART:20000101\nRRULE:FREQ=DAILY");
    assert_eq!(endless.mistakes.len(), 1);
    assert_eq!(
        endless.mistakes[0].message,
        "RRULE: the events take place more than 100000 times"
    );
}

#[test]
fn a_calendar_is_written_as_it_is_read_again() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let summary =
        "night; \"half\", a \\ and Z\u{fc}rich ".to_owned() + &"\u{8001}\u{864e}".repeat(60);
    let entry = |is_cancelled| Entry {
        uid: "night/2026-12-01T00:30:00Z@prod,eu.recess".to_owned(),
        stamp: at("2026-11-27T14:00:00.5Z"),
        begins: at("2026-12-01T00:30:00Z"),
        ends: at("2026-12-01T02:30:00Z"),
        summary: summary.clone(),
        description: "Pauses ORDERS/*\nskip by alice: \u{7}\r\nEND:VEVENT".to_owned(),
        is_cancelled,
    };
    let text = write("recess prod-eu", [entry(false), entry(true)]);
    assert_eq!(text, write("recess prod-eu", [entry(false), entry(true)]));
    assert!(
        text.split("\r\n")
            .all(|line| line.len() <= 75 && !line.contains(['\r', '\n']))
    );
    assert_eq!(text.matches("\r\nEND:VEVENT\r\n").count(), 2, "{text}");
    assert!(text.contains("DTSTAMP:20261127T140000Z\r\n"), "{text}");

    let contents = read_all(text.as_bytes());
    assert_eq!((contents.mistakes, contents.oddities), (vec![], vec![]));
    assert_eq!(contents.summaries, [&*summary, &*summary].map(Into::into));
    // The cancelled one does not take place.
    assert_eq!(contents.events.len(), 1);
    let times = [entry(false).begins, entry(false).ends];
    assert_eq!(contents.events[0].times, [times]);
}
