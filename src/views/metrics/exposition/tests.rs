//! The prometheus crate's own encoder says what the text must be.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use prometheus::{Counter, CounterVec, Gauge, Opts, Registry};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::super::family::{Few, Kind};
use super::*;
use crate::calendar::Occurrence;
use crate::consumer::example::observation;
use crate::consumer::{Found, Mark, Observation, PauseState};
use crate::jetstream::Unreadable;
use crate::plan::{Rule, Verdict};
use crate::policy::{Desired, WindowSet};
use crate::report::{LeftOut, PassedOver, Row, Why, WindowState, example};
use crate::retention::{Cause, Loss};

/// Every series of a family, whichever way the report has it.
fn series(family: &Family, report: Option<&Report>, shown: ConsumerMetrics) -> Few {
    if report.is_some_and(|report| !(family.applies)(report)) {
        return Few::new();
    }
    let all = || {
        report.into_iter().flat_map(|report| {
            let rows = report.rows.iter();
            rows.map(move |(id, row)| Seen { report, id, row })
        })
    };
    let seen = || {
        all().filter(|seen| match shown {
            ConsumerMetrics::All => true,
            ConsumerMetrics::Notable => seen.is_notable(),
            ConsumerMetrics::None => false,
        })
    };
    let of_consumer = |seen: &Seen<'_>| [seen.id.consumer(), seen.id.stream()].map(str::to_owned);
    match family.values {
        Values::Recess(value) => value(report)
            .map(|value| (vec![], value))
            .into_iter()
            .collect(),
        Values::Few(values) => values(report),
        Values::Count(_) if report.is_none() => Few::new(),
        Values::Count(states) => {
            let count = |is_in: &fn(&Seen<'_>) -> bool| families::size(all().filter(is_in).count());
            let states = states.iter();
            states
                .map(|(state, is_in)| (vec![(*state).to_owned()], count(is_in)))
                .collect()
        }
        Values::Window(value) => {
            let windows = report.into_iter().flat_map(|report| {
                let windows = report.windows.iter();
                windows.filter_map(move |window| Some((window, value(report, window)?)))
            });
            windows
                .map(|(window, value)| (vec![window.name.to_string()], value))
                .collect()
        }
        Values::Consumer(value) => seen()
            .filter_map(|seen| Some((of_consumer(&seen).to_vec(), value(&seen)?)))
            .collect(),
        Values::Cause(value) => seen()
            .filter_map(|seen| {
                let (cause, value) = value(&seen)?;
                let labels = [&[cause.to_owned()][..], &of_consumer(&seen)].concat();
                Some((labels, value))
            })
            .collect(),
    }
}

/// The text by the crate's registry and encoder.
///
/// Each series is a metric of its own: a `GaugeVec` of prometheus 0.14 distinguishes label values by a hash
/// of one after the other, and `["a", "bc"]` is then the same series as `["ab", "c"]`.
fn by_the_crate(report: Option<&Report>, shown: ConsumerMetrics) -> String {
    let registry = Registry::new_custom(Some("recess".to_owned()), None).unwrap();
    for family in families::all() {
        for (values, value) in series(family, report, shown) {
            let labels = family.labels.iter().zip(&values);
            let opts = labels.fold(
                Opts::new(family.name, family.help),
                |opts, (label, value)| opts.const_label(*label, value),
            );
            match family.kind {
                Kind::Gauge => {
                    let gauge = Gauge::with_opts(opts).unwrap();
                    gauge.set(value);
                    registry.register(Box::new(gauge)).unwrap();
                }
                Kind::Counter => {
                    let counter = Counter::with_opts(opts).unwrap();
                    counter.inc_by(value);
                    registry.register(Box::new(counter)).unwrap();
                }
            }
        }
    }
    TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap()
}

/// The text as it is written turn by turn, each of which ends soon.
fn by_turns(report: Option<Arc<Report>>, shown: ConsumerMetrics) -> String {
    let mut exposition = Exposition::new(&[], report, shown, &[]).unwrap();
    let mut text = Vec::new();
    loop {
        let mut turn = Vec::new();
        let goes_on = exposition.turn(&mut turn);
        assert!(turn.len() < CHUNK + 4_096, "a turn of {} bytes", turn.len());
        text.append(&mut turn);
        if !goes_on {
            return String::from_utf8(text).unwrap();
        }
    }
}

/// The lines, those of each family in one order: the crate sorts series by consumer before stream.
fn ordered(text: &str) -> Vec<Vec<&str>> {
    let mut families: Vec<Vec<&str>> = Vec::new();
    // What `lines` ends at stands in names too.
    for line in text.split('\n') {
        if line.starts_with("# HELP") || families.is_empty() {
            families.push(Vec::new());
        }
        families.last_mut().unwrap().push(line);
    }
    for family in &mut families {
        family.sort_unstable();
    }
    families
}

/// Text that has to be escaped, or looks as if it had, or is none at all.
fn name() -> impl Strategy<Value = String> {
    let letters = prop::sample::select(vec![
        "a", "\\", "\"", "\n", "\\n", "{", "}", ",", "=", " ", "\r", "\u{2028}", "\0", "\u{1b}",
        "é", "日", "🛑", "# HELP ",
    ]);
    vec(letters, 0..6).prop_map(|letters| letters.concat())
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (-1_000_i64..4_000_000_000, 0..3_i32).prop_map(|(second, mark)| {
        let marks = [
            0,
            1,
            Mark::of_instance("default")
                .stamp(Timestamp::UNIX_EPOCH)
                .subsec_nanosecond(),
        ];
        Timestamp::new(second, marks[usize::try_from(mark).unwrap()].abs()).unwrap_or_default()
    })
}

fn found() -> impl Strategy<Value = Found> {
    let count = || prop_oneof![Just(0), Just(1), any::<u64>()];
    let state = prop_oneof![
        Just(PauseState::Running),
        instant().prop_map(|until| PauseState::Lapsed { until }),
        instant().prop_map(|until| PauseState::Paused {
            until,
            remaining: SignedDuration::from_secs(60),
        }),
    ];
    prop_oneof![
        Just(Found::Unknown),
        Just(Found::Missing),
        (state, count(), count()).prop_map(|(state, pending, ack_pending)| {
            Found::Present(Observation {
                pending,
                ack_pending,
                ..observation(state)
            })
        }),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let desired = prop_oneof![
        Just(Desired::Running),
        instant().prop_map(Desired::Tail),
        instant().prop_map(Desired::Paused),
    ];
    let loss =
        (instant(), prop::sample::select(Cause::ALL.to_vec())).prop_map(|(at, cause)| Loss {
            at,
            cause,
            exact: true,
        });
    let decided = (
        prop::sample::select(Rule::ALL.to_vec()),
        prop_oneof![Just(Verdict::Settled), Just(Verdict::Resume)],
        option::of(Just(Duration::from_secs(1))),
        any::<bool>(),
    );
    (
        desired,
        found(),
        decided,
        option::of(loss),
        prop_oneof![Just(0), any::<u64>()],
    )
        .prop_map(
            |(desired, found, (rule, verdict, unconfirmed, contested), loss, lost)| {
                let mut row = Row {
                    desired,
                    rule,
                    verdict,
                    unconfirmed,
                    contested,
                    ..Row::undecided(WindowSet::default(), found, Duration::ZERO)
                };
                row.backlog.change_losses(|losses| {
                    (losses.to_come, losses.lost) = (loss, lost);
                });
                row
            },
        )
}

fn window() -> impl Strategy<Value = WindowState> {
    let occurrence = || {
        option::of(
            (instant(), instant()).prop_map(|(opens, closes)| Occurrence {
                opens,
                closes,
                shift: None,
            }),
        )
    };
    (
        occurrence(),
        occurrence(),
        any::<usize>(),
        option::of(0..3_usize),
    )
        .prop_map(|(open, next, consumers, unmatched)| WindowState {
            name: "".into(),
            open,
            next,
            consumers,
            exempt: consumers / 2,
            unmatched: unmatched.map(|count| (0..count).map(|_| "*/*".into()).collect()),
            blank: None,
        })
}

fn left_out() -> impl Strategy<Value = LeftOut> {
    let id = (name(), name()).prop_map(|(stream, consumer)| ConsumerId::new(stream, consumer));
    let passed_over = btree_map(
        id,
        Just(PassedOver {
            why: Why::NotDurable,
            works: true,
        }),
        0..4,
    );
    let unreadable = prop::collection::btree_set(
        (option::of(name()), name()).prop_map(|(stream, name)| {
            let reason = String::new();
            (stream, Unreadable { name, reason })
        }),
        0..4,
    );
    (passed_over, unreadable).prop_map(|(passed_over, unreadable)| LeftOut {
        passed_over,
        unreadable,
    })
}

fn report() -> impl Strategy<Value = Report> {
    let rows = btree_map((name(), name()), row(), 0..8).prop_map(|rows| {
        let rows = rows.into_iter();
        rows.map(|((stream, consumer), row)| (ConsumerId::new(stream, consumer), row))
            .collect::<BTreeMap<_, _>>()
    });
    let windows = btree_map(name(), window(), 0..4).prop_map(|windows| {
        let windows = windows.into_iter().map(|(name, window)| WindowState {
            name: name.into(),
            ..window
        });
        windows.collect::<Vec<_>>()
    });
    let skew = option::of((-5_000_000_000_i64..5_000_000_000).prop_map(SignedDuration::from_nanos));
    (rows, windows, left_out(), skew, any::<bool>()).prop_map(
        |(rows, windows, left_out, smooth_skew, has_overrides)| Report {
            rows: rows.into_iter().collect(),
            windows,
            left_out: Arc::new(left_out),
            smooth_skew,
            overrides: has_overrides
                .then(|| example::bucket(vec![example::close_of_night(1, -10, 10)])),
            ..example::report("default")
        },
    )
}

fn shown() -> impl Strategy<Value = ConsumerMetrics> {
    use ConsumerMetrics::{All, None, Notable};
    prop_oneof![4 => Just(All), 2 => Just(Notable), 1 => Just(None)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn the_text_is_that_of_the_crates_encoder(report in option::weighted(0.95, report()), shown in shown()) {
        let expected = by_the_crate(report.as_ref(), shown);
        let text = by_turns(report.map(Arc::new), shown);
        prop_assert_eq!(ordered(&text), ordered(&expected));
    }
}

#[test]
fn consumers_whose_names_read_alike_one_after_the_other_have_a_series_each() {
    let row = |found| Row::undecided(WindowSet::default(), found, Duration::ZERO);
    let running = Found::Present(observation(PauseState::Running));
    let rows = [
        (ConsumerId::new("A", "AA"), row(Found::Missing)),
        (ConsumerId::new("AA", "A"), row(running)),
    ];
    let report = Report {
        rows: rows.into_iter().collect(),
        ..example::report("default")
    };
    let text = by_turns(Some(Arc::new(report)), ConsumerMetrics::All);
    let missing: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("recess_consumer_missing{"))
        .collect();
    assert_eq!(
        missing,
        [
            "recess_consumer_missing{consumer_name=\"AA\",stream_name=\"A\"} 1",
            "recess_consumer_missing{consumer_name=\"A\",stream_name=\"AA\"} 0",
        ]
    );
}

/// So many consumers, of which every thousandth is missing, and windows.
fn many(consumers: u32, windows: u32) -> Report {
    let row = |number: u32| {
        let found = match number % 1_000 {
            999 => Found::Missing,
            _ => Found::Present(observation(PauseState::Running)),
        };
        Row::undecided(WindowSet::default(), found, Duration::ZERO)
    };
    let id = |number: u32| ConsumerId::new(format!("S{}", number % 20), format!("c{number}"));
    Report {
        rows: (0..consumers)
            .map(|number| (id(number), row(number)))
            .collect(),
        windows: (0..windows)
            .map(|number| WindowState {
                name: format!("w{number}").into(),
                open: None,
                next: None,
                consumers: 1,
                exempt: 0,
                unmatched: None,
                blank: None,
            })
            .collect(),
        ..example::report("default")
    }
}

#[test]
fn a_text_of_many_turns_leaves_out_and_repeats_nothing() {
    for shown in [ConsumerMetrics::All, ConsumerMetrics::Notable] {
        let report = many(5_000, 2_000);
        let expected = by_the_crate(Some(&report), shown);
        let text = by_turns(Some(Arc::new(report)), shown);
        assert!(ordered(&text) == ordered(&expected), "{shown:?}");
        assert!(text.len() > CHUNK, "it is of one turn");
    }
}

#[test]
fn a_turn_ends_where_nothing_is_written_too() {
    let mut exposition = Exposition::new(
        &[],
        Some(Arc::new(many(10 * 512, 0))),
        ConsumerMetrics::Notable,
        &[],
    )
    .unwrap();
    let mut turns = 0;
    while exposition.turn(&mut Vec::new()) {
        turns += 1;
    }
    assert!(turns >= 10 * 10, "only {turns} turns over ten families");
}

#[test]
fn no_two_families_have_one_name_and_their_labels_are_in_order() {
    let mut names: Vec<&str> = families::all().map(|family| family.name).collect();
    let kept = super::super::Metrics::new().unwrap().registry.gather();
    let kept: Vec<String> = kept
        .iter()
        .map(|family| family.name().replace(PREFIX, ""))
        .collect();
    assert!(kept.len() > 10, "only {kept:?} are kept");
    names.extend(kept.iter().map(String::as_str));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for family in families::all() {
        assert!(family.labels.is_sorted(), "{}", family.name);
    }
}

#[test]
fn what_the_crate_keeps_is_written_in_turns_too() {
    let registry = Registry::new_custom(Some("recess".to_owned()), None).unwrap();
    let opts = Opts::new("windows_missed_total", "Much.");
    let missed = CounterVec::new(opts, &["window"]).unwrap();
    registry.register(Box::new(missed.clone())).unwrap();
    for number in 0..5_000 {
        missed.with_label_values(&[number.to_string()]);
    }
    let kept = registry.gather();
    let expected = TextEncoder::new().encode_to_string(&kept).unwrap();
    let mut exposition = Exposition::new(&kept, None, ConsumerMetrics::All, &[]).unwrap();
    let (mut text, mut turns) = (Vec::new(), 0);
    loop {
        let mut turn = Vec::new();
        let goes_on = exposition.turn(&mut turn);
        assert!(turn.len() <= CHUNK, "a turn of {} bytes", turn.len());
        text.append(&mut turn);
        turns += 1;
        if !goes_on {
            break;
        }
    }
    assert!(turns > 3, "only {turns} turns");
    assert!(String::from_utf8(text).unwrap().contains(&expected));
}
