//! The kinds of finding, as stable words: scripts may match on them, so none of them changes its
//! meaning.

/// The file cannot be read from disk.
pub const UNREADABLE: &str = "unreadable";
/// The text is not in UTF-8.
pub const ENCODING: &str = "encoding";
/// The text is not TOML.
pub const SYNTAX: &str = "syntax";
/// A key that recess does not know.
pub const UNKNOWN_KEY: &str = "unknown-key";
/// A value of another type than its key takes.
pub const WRONG_TYPE: &str = "wrong-type";
/// A key that must be there is not.
pub const MISSING_KEY: &str = "missing-key";
/// A name that is empty or holds control characters.
pub const BAD_NAME: &str = "bad-name";
/// A window's name that would make its events the same subjects as those of overrides.
pub const RESERVED_NAME: &str = "reserved-name";
/// A window's name that another window has, or an exclusion's that another exclusion has.
pub const DUPLICATE_NAME: &str = "duplicate-name";
/// Not a time zone.
pub const BAD_ZONE: &str = "bad-zone";
/// Not a cron pattern.
pub const BAD_SCHEDULE: &str = "bad-schedule";
/// A cron pattern that no date and time matches, or none as long as its rule is valid.
pub const NEVER_OPENS: &str = "never-opens";
/// Not a length of time, or not one of whole seconds above zero.
pub const BAD_DURATION: &str = "bad-duration";
/// Not a time of day, or one with a fraction of a second.
pub const BAD_TIME: &str = "bad-time";
/// Not one of the few words that a key takes.
pub const BAD_CHOICE: &str = "bad-choice";
/// Keys that each say when something begins or ends.
pub const AMBIGUOUS_TIMING: &str = "ambiguous-timing";
/// A key that means nothing beside the others of its table.
pub const MISPLACED_KEY: &str = "misplaced-key";
/// An end that does not come after its beginning.
pub const ENDS_BEFORE_START: &str = "ends-before-start";
/// A number or a length of time outside its limits.
pub const OUT_OF_RANGE: &str = "out-of-range";
/// A window longer than `controller.max_pause`.
pub const TOO_LONG: &str = "too-long";
/// A window, or an exclusion, whose occurrences touch or overlap without end, so that consumers
/// would never run, or always.
pub const NEVER_CLOSES: &str = "never-closes";
/// A window that names no consumers.
pub const NO_CONSUMERS: &str = "no-consumers";
/// An exclusion that names no window, no day that there is, or no event of its calendar.
pub const EXCLUDES_NOTHING: &str = "excludes-nothing";
/// A calendar that is no iCalendar file, or says what recess does not follow.
pub const BAD_CALENDAR: &str = "bad-calendar";
/// Not a glob on the summaries of events.
pub const BAD_EVENTS: &str = "bad-events";
/// An exclusion that names a window that the file does not have.
pub const UNKNOWN_WINDOW: &str = "unknown-window";
/// Not `STREAM/CONSUMER`.
pub const BAD_SELECTOR: &str = "bad-selector";
/// Not an address to listen on.
pub const BAD_ADDRESS: &str = "bad-address";
/// Not a server's address.
pub const BAD_SERVER: &str = "bad-server";
/// Not a path that can be resolved.
pub const BAD_PATH: &str = "bad-path";
/// More than one way to authenticate.
pub const AMBIGUOUS_AUTH: &str = "ambiguous-auth";
/// Half of a way to authenticate.
pub const INCOMPLETE_AUTH: &str = "incomplete-auth";
/// Two keys that each say how to connect, or where the API is.
pub const AMBIGUOUS_CONNECTION: &str = "ambiguous-connection";
/// A client certificate without its key, or a key without its certificate.
pub const INCOMPLETE_TLS: &str = "incomplete-tls";
/// Not a domain, or not what a subject can begin with.
pub const BAD_SUBJECT: &str = "bad-subject";
/// Not a condition on metadata, or not a key of it that people can set.
pub const BAD_LABEL: &str = "bad-label";
/// Not the name of a key-value bucket.
pub const BAD_BUCKET: &str = "bad-bucket";
/// Warning: `instance` is not set.
pub const NO_INSTANCE: &str = "no-instance";
/// Warning: there is no window.
pub const NO_WINDOWS: &str = "no-windows";
/// Warning: a cron pattern that hardly says what people mean by it.
pub const ODD_SCHEDULE: &str = "odd-schedule";
/// Warning: a time zone that hardly says what people mean by it: the sign of `Etc/GMT+3` is
/// reversed, `EST` has no summer.
pub const ODD_ZONE: &str = "odd-zone";
/// Warning: a window too short for its pause to be sent.
pub const TOO_SHORT: &str = "too-short";
/// Warning: a `!` selector that no other selector of its window overlaps.
pub const EXCLUDES_NO_CONSUMER: &str = "excludes-no-consumer";
/// Warning: a date that is repeated in one list.
pub const DUPLICATE_DATE: &str = "duplicate-date";
/// Warning: an event of a calendar that hardly says what its author meant.
pub const ODD_EVENT: &str = "odd-event";
/// Warning: a glob that matches no event of its calendar.
pub const UNMATCHED_EVENTS: &str = "unmatched-events";
/// Warning: servers that a pause can crash are allowed.
pub const CRASH_PRONE: &str = "crash-prone";
/// Warning of `check`: a glob that also holds for streams of MQTT, key-value buckets and object
/// stores.
pub const STRAYS: &str = "internal-streams";
/// Warning, by the clock: a window or an exclusion that is over for good.
pub const PAST: &str = "past";
/// Warning, by the clock: a rule that does not open in the next 400 days.
pub const NOT_SOON: &str = "not-soon";
/// Warning, by the clock: a calendar has no event in the next 400 days.
pub const CALENDAR_ENDS: &str = "calendar-ends";
/// Warning, by the clock: exclusions leave nothing of a window in the next 400 days.
pub const EXCLUDED: &str = "excluded";
/// Warning, by the clock: openings that a change of the clocks shifts, repeats or swallows in the
/// next year.
pub const CLOCK_CHANGE: &str = "clock-change";
/// Warning, by the clock: windows that together hold for longer than `controller.max_pause`.
pub const LONG_CHAIN: &str = "long-chain";
/// Warning, by the clock: the host's time zone data and ours differ on a zone in the next two
/// years.
pub const ZONES_DIFFER: &str = "zones-differ";

/// Findings that compare places of the file with each other: not to be trusted where parts of it
/// could not be read.
pub(in crate::config) const NEEDS_WHOLE_FILE: &[&str] = &[
    MISSING_KEY,
    TOO_LONG,
    AMBIGUOUS_TIMING,
    MISPLACED_KEY,
    UNKNOWN_WINDOW,
    AMBIGUOUS_AUTH,
    INCOMPLETE_AUTH,
    AMBIGUOUS_CONNECTION,
    INCOMPLETE_TLS,
];
