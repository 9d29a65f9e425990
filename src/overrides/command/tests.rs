use proptest::prelude::*;

use super::*;
use crate::consumer::PauseState;
use crate::consumer::example::observation;
use crate::policy::{Desired, Effect, Override, OverrideId, Selector};
use crate::text;

/// A durable consumer that exists.
fn seen() -> Observation {
    observation(PauseState::Running)
}

const WINDOWS: &str = r#"
    [controller]
    max_pause = "12h"

    [[window]]
    name      = "nightly-vacuum"
    consumers = ["ORDERS/*"]
    schedule  = "30 2 * * *"
    duration  = "2h"
    timezone  = "Europe/Zurich"
    resume_spread = "10m"

    [[window]]
    name      = "hourly"
    consumers = ["EVENTS/*"]
    schedule  = "0 * * * *"
    duration  = "10m"

    [[window]]
    name      = "once"
    consumers = ["ORDERS/billing"]
    from      = 2026-11-27T03:00:00Z
    until     = 2026-11-27T05:00:00Z

    [[exclusion]]
    name      = "sales"
    dates     = [2026-11-30]
    windows   = ["nightly-vacuum"]
    timezone  = "Europe/Zurich"
"#;

fn policy() -> Policy {
    let parsed = crate::config::parse("recess.toml".as_ref(), WINDOWS);
    Policy::clone(&parsed.expect("a good config").policy)
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn made(sequence: u64, terms: Terms) -> Arc<Override> {
    Arc::new(Override {
        id: OverrideId::new("alice", format!("{sequence:05}")),
        sequence,
        made: terms.from,
        terms,
    })
}

fn minutes(count: i64) -> End {
    End::In(SignedDuration::from_mins(count))
}

fn selection(text: &str) -> Selection {
    Selection::new(vec![Selector::parse(text).expect("a selector")])
}

/// A command line without `recess`.
fn command(line: &str) -> Command {
    let words: Vec<&str> = line.split(' ').collect();
    let value = |option: &str| {
        let place = words.iter().position(|word| *word == option)?;
        Some(words[place + 1])
    };
    let length = value("--for").map(|text| minutes(text.parse().expect("minutes")));
    let end = length.or(value("--until").map(|text| End::At(at(text))));
    let (window, consumers) = (words[1].into(), || selection(words[1]));
    match words[0] {
        "open" => Command::Open {
            window,
            end: end.expect("an end"),
        },
        "close" => Command::Close { window },
        "extend" => Command::Extend {
            window,
            end: end.expect("an end"),
        },
        "skip" => Command::Skip {
            window,
            on: value("--on").map(|day| day.parse().expect("a day")),
        },
        "pause" => Command::Pause {
            consumers: consumers(),
            end: end.expect("an end"),
        },
        "resume" => Command::Resume {
            consumers: consumers(),
            matched: vec![(words[1].parse().expect("a consumer"), seen())],
        },
        other => panic!("{other}"),
    }
}

#[test]
fn a_command_becomes_an_override_of_whole_seconds() {
    // Windows in Zurich, whose clocks are an hour ahead.
    for (now, line, from, until) in [
        // From now, rounded down, for as long as was asked.
        (
            "10:00:00.9",
            "open nightly-vacuum --for 60",
            "10:00:00",
            "11:00:00",
        ),
        (
            "10:00:00",
            "open nightly-vacuum --until 2026-11-27T11:30:00Z",
            "10:00:00",
            "11:30:00",
        ),
        (
            "10:00:00.9",
            "pause ORDERS/* --for 60",
            "10:00:00",
            "11:00:00",
        ),
        // Until it would have closed, however far it is open already.
        ("02:00:00.5", "close nightly-vacuum", "02:00:00", "03:30:00"),
        ("03:29:59.9", "close nightly-vacuum", "03:29:59", "03:30:00"),
        // From its close on.
        (
            "02:00:00.5",
            "extend nightly-vacuum --for 30",
            "03:30:00",
            "04:00:00",
        ),
        (
            "02:00:00.5",
            "extend nightly-vacuum --until 2026-11-27T04:15:00Z",
            "03:30:00",
            "04:15:00",
        ),
        // The next opening; in the window's tail too.
        ("00:00:00", "skip nightly-vacuum", "01:30:00", "03:30:00"),
        ("10:30:00", "skip hourly", "11:00:00", "11:10:00"),
        (
            "01:29:59.9",
            "skip nightly-vacuum --on 2026-11-27",
            "01:30:00",
            "03:30:00",
        ),
        // Every opening of the day that is still ahead.
        (
            "10:05:00",
            "skip hourly --on 2026-11-27",
            "11:00:00",
            "23:10:00",
        ),
        // Until nothing would hold it: both windows, and its own moment of return.
        ("02:00:00", "resume ORDERS/billing", "02:00:00", "05:00:00"),
        ("02:00:00", "resume ORDERS/mail", "02:00:00", "03:30:00"),
        ("04:59:59", "resume ORDERS/billing", "04:59:59", "05:00:00"),
    ] {
        let now = at(&format!("2026-11-27T{now}Z"));
        let terms = command(line).terms(&policy(), now);
        let terms = terms.unwrap_or_else(|refusal| panic!("{line}: {refusal}"));
        assert_eq!(
            text::utc(terms.from),
            format!("2026-11-27T{from}Z"),
            "{line}"
        );
        let spread = terms.until.as_second() % 60;
        let until_minute = terms.until.checked_sub(SignedDuration::from_secs(spread));
        if line == "resume ORDERS/mail" {
            // Its own moment of return lies within the ten minutes after the close.
            let close = at(&format!("2026-11-27T{until}Z"));
            let tail = terms.until.duration_since(close);
            assert!(tail > SignedDuration::ZERO && tail < SignedDuration::from_mins(10));
            continue;
        }
        assert_eq!(
            until_minute.map(text::utc).ok(),
            Some(format!("2026-11-27T{until}Z")),
            "{line}"
        );
        assert_eq!(terms.effect, command(line).verb().effect());
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    for (now, line, lacks, words) in [
        (
            "10:00:00",
            "close nightly-vacuum",
            true,
            "nightly-vacuum is not open; it opens next Sat 2026-11-28 02:30:00 CET",
        ),
        (
            "10:00:00",
            "extend nightly-vacuum --for 30",
            true,
            "nightly-vacuum is not open; it opens next Sat",
        ),
        (
            "10:00:00",
            "close once",
            true,
            "once is not open; it has no further opening",
        ),
        ("10:00:00", "skip once", true, "once has no further opening"),
        (
            "02:00:00",
            "skip nightly-vacuum",
            true,
            "nightly-vacuum is open until Fri 2026-11-27 04:30:00 CET: `recess close nightly-vacuum` closes it; to leave out a later opening, add --on DATE",
        ),
        (
            "02:00:00",
            "skip nightly-vacuum --on 2026-11-27",
            true,
            "nightly-vacuum is open until",
        ),
        (
            "10:00:00",
            "skip nightly-vacuum --on 2026-11-27",
            true,
            "nightly-vacuum does not open on Fri 2026-11-27 any more; it opens next Sat 2026-11-28",
        ),
        // An exclusion leaves it out.
        (
            "10:00:00",
            "skip nightly-vacuum --on 2026-11-30",
            true,
            "nightly-vacuum does not open on Mon 2026-11-30; it opens next Sat 2026-11-28",
        ),
        (
            "10:00:00",
            "open lunch --for 30",
            false,
            "there is no window `lunch`",
        ),
        (
            "10:00:00",
            "open nightly-vacuum --until 2026-11-27T09:00:00Z",
            false,
            "2026-11-27T09:00:00Z is past",
        ),
        (
            "10:00:00",
            "open nightly-vacuum --for 721",
            false,
            "consumers would be paused for 12h 1m, and max_pause allows 12h",
        ),
        (
            "10:00:00",
            "pause ORDERS/* --for 721",
            false,
            "consumers would be paused for 12h 1m, and max_pause allows 12h",
        ),
        // From the opening on: two hours are over by then.
        (
            "02:00:00",
            "extend nightly-vacuum --for 601",
            false,
            "consumers would be paused for 12h 1m, and max_pause allows 12h",
        ),
        (
            "02:00:00",
            "extend nightly-vacuum --until 2026-11-27T03:30:00Z",
            false,
            "nightly-vacuum is open until Fri 2026-11-27 04:30:00 CET already: give a later --until, or `recess close nightly-vacuum` closes it now",
        ),
        (
            "10:00:00",
            "resume ORDERS/billing",
            false,
            "no window and no override holds them",
        ),
    ] {
        let now = at(&format!("2026-11-27T{now}Z"));
        let refusal = command(line).terms(&policy(), now).expect_err(line);
        let said = refusal.to_string();
        assert!(said.starts_with(words), "{line}: {said}");
        assert_eq!(refusal.lacks_an_opening(), lacks, "{line}");
    }
}

#[test]
fn what_is_overridden_already_counts() {
    let now = at("2026-11-27T00:00:00Z");
    let skip = |policy: &Policy, line: &str| command(line).terms(policy, now);
    let first = skip(&policy(), "skip nightly-vacuum").expect("tonight");
    let skipped = policy().with_overrides(&[made(1, first)], now);
    // Once more is the night after.
    let second = skip(&skipped, "skip nightly-vacuum").expect("tomorrow");
    assert_eq!(second.from, at("2026-11-28T01:30:00Z"));
    let refusal = skip(&skipped, "skip nightly-vacuum --on 2026-11-27").expect_err("left out");
    let words = "nightly-vacuum does not open on Fri 2026-11-27: override alice.00001 leaves that opening out already";
    assert_eq!(refusal.to_string(), words);
    // What was opened can be extended and closed.
    let opened = command("open nightly-vacuum --for 30").terms(&policy(), now);
    let opened = policy().with_overrides(&[made(1, opened.expect("now"))], now);
    let later = at("2026-11-27T00:10:00Z");
    for (line, from, until) in [
        ("extend nightly-vacuum --for 5", "00:30:00", "00:35:00"),
        ("close nightly-vacuum", "00:10:00", "00:30:00"),
    ] {
        let terms = command(line).terms(&opened, later).expect(line);
        let found = (text::utc(terms.from), text::utc(terms.until));
        assert_eq!(
            found,
            (
                format!("2026-11-27T{from}Z"),
                format!("2026-11-27T{until}Z")
            )
        );
    }
}

prop_compose! {
    /// Windows that open every few minutes, some of them spread, some cut by an exclusion.
    fn any_policy()(
        windows in prop::collection::vec((2..15_u32, 30..400_u32, prop::sample::select(vec![0, 90])), 1..4),
        excluded in prop::option::of((0..60_u32, 1..20_u32)),
    ) -> Policy {
        let mut toml = "[controller]\nmax_pause = \"2d\"\n".to_owned();
        for (place, (every, length, spread)) in windows.into_iter().enumerate() {
            let length = length.min(every * 60 - 10);
            toml += &format!(
                "[[window]]\nname = \"w{place}\"\nconsumers = [\"ORDERS/*\"]\nschedule = \"*/{every} * * * *\"\nduration = \"{length}s\"\n"
            );
            if spread > 0 {
                toml += &format!("resume_spread = \"{spread}s\"\n");
            }
        }
        if let Some((from, minutes)) = excluded {
            let until = from + minutes;
            let time = |minute: u32| format!("2026-11-27T{:02}:{:02}:00Z", 10 + minute / 60, minute % 60);
            toml += &format!(
                "[[exclusion]]\nname = \"x\"\nfrom = {}\nuntil = {}\n", time(from), time(until)
            );
        }
        let parsed = crate::config::parse("recess.toml".as_ref(), &toml);
        Policy::clone(&parsed.expect("a good config").policy)
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    let window = (0..3_usize).prop_map(|place| Arc::from(format!("w{place}")));
    let end = (1..2_000_i64).prop_map(|seconds| End::In(SignedDuration::from_secs(seconds)));
    let consumers = || selection("ORDERS/billing");
    let matched = || vec![(ConsumerId::new("ORDERS", "billing"), seen())];
    (window, end, 0..6_u8).prop_map(move |(window, end, which)| match which {
        0 => Command::Open { window, end },
        1 => Command::Close { window },
        2 => Command::Extend { window, end },
        3 => Command::Skip { window, on: None },
        4 => Command::Pause {
            consumers: consumers(),
            end,
        },
        _ => Command::Resume {
            consumers: consumers(),
            matched: matched(),
        },
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What a command says is what the policy does with the override that it makes, whatever was
    /// overridden before.
    #[test]
    fn what_a_command_says_is_what_comes_of_it(
        policy in any_policy(),
        commands in prop::collection::vec((any_command(), 0..3_000_000_i64), 1..6),
    ) {
        let id = ConsumerId::new("ORDERS", "billing");
        let mut overrides = Vec::new();
        let mut policy = policy;
        for (sequence, (command, after)) in (1..).zip(commands) {
            let now = at("2026-11-27T10:00:00Z") + SignedDuration::from_millis(after);
            policy = policy.with_overrides(&overrides, now);
            let Ok(terms) = command.terms(&policy, now) else {
                continue;
            };
            prop_assert!(terms.from < terms.until);
            let whole = [terms.from, terms.until].map(|at| at.subsec_nanosecond());
            prop_assert_eq!(whole, [0, 0]);
            let before = policy.clone();
            overrides.push(made(sequence, terms.clone()));
            policy = policy.with_overrides(&overrides, now);
            let middle = terms.from + terms.until.duration_since(terms.from) / 2;
            let within = [now.max(terms.from), middle.max(now), terms.until - SignedDuration::from_nanos(1)];
            let set = policy.windows_of(&Candidate::named(&id));
            let window = match &terms.target {
                Target::Window(name) => policy.windows().iter().find(|window| window.name == *name),
                Target::Consumers(_) => None,
            };
            for at in within {
                match (window, terms.effect) {
                    (Some(window), Effect::Pause) => prop_assert!(window.open_at(at).is_some()),
                    (Some(window), Effect::Run) => prop_assert!(window.open_at(at).is_none()),
                    (None, Effect::Pause) => {
                        prop_assert!(matches!(policy.desired(&id, &set, at), Desired::Paused(_)));
                    }
                    (None, Effect::Run) => prop_assert_eq!(policy.desired(&id, &set, at), Desired::Running),
                }
            }
            match (&command, window) {
                (Command::Open { .. } | Command::Extend { .. }, Some(window)) => {
                    let covered = window.covered_until(now, terms.until + SignedDuration::from_hours(1));
                    prop_assert!(covered >= terms.until);
                    // Any longer only for what was to be open anyway.
                    let own = before.windows().iter().find(|one| one.name == window.name);
                    prop_assert!(covered == terms.until || own.is_some_and(|own| own.open_at(terms.until).is_some()));
                }
                (Command::Close { .. }, Some(window)) => {
                    let next = window.next_opening(now);
                    prop_assert!(next.is_none_or(|next| next.opens >= terms.until));
                }
                (Command::Skip { .. }, Some(window)) => {
                    let own = before.windows().iter().find(|one| one.name == window.name);
                    let own = own.and_then(|own| own.next_opening(now)).expect("what is skipped");
                    prop_assert_eq!((own.opens, own.closes), (terms.from, terms.until));
                    let next = window.next_opening(now);
                    prop_assert!(next.is_none_or(|next| next.opens >= terms.until));
                }
                (Command::Resume { .. }, _) => {
                    let set = before.windows_of(&Candidate::named(&id));
                    prop_assert!(!matches!(before.desired(&id, &set, terms.from), Desired::Running));
                }
                _ => {}
            }
        }
    }
}
