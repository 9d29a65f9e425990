use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Window night, two hours long.
fn night() -> LongestPause {
    LongestPause {
        by: "window night".to_owned(),
        length: SignedDuration::from_hours(2),
    }
}

/// One that a pause does no harm, as `nats consumer add` makes it.
fn consumer() -> ConsumerDetails {
    ConsumerDetails {
        ack_wait: Some(secs(30)),
        max_deliver: None,
        inactive_threshold: None,
        pending: 0,
        ack_pending: 0,
        redelivered: 0,
        delivered: 1_000,
    }
}

/// A stream of a thousand messages of 100 bytes, which came within the last thousand seconds.
fn stream() -> StreamDetails {
    StreamDetails {
        max_age: None,
        max_messages: None,
        max_bytes: None,
        discard: Discard::Old,
        empties: false,
        replicas: 1,
        messages: 1_000,
        bytes: 100_000,
        first: (1, Some(now() - SignedDuration::from_secs(999))),
        last: (1_000, Some(now())),
        at: Some(now()),
    }
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Looked at once.
fn once(first: StreamDetails) -> StreamSeen {
    StreamSeen {
        first,
        second: None,
    }
}

/// Looked at again a second later, with so many messages more.
fn again(first: StreamDetails, more: u64) -> StreamSeen {
    let later = now() + SignedDuration::from_secs(1);
    let second = StreamDetails {
        last: (first.last.0 + more, Some(later)),
        at: Some(later),
        ..first.clone()
    };
    StreamSeen {
        first,
        second: Some(second),
    }
}

fn codes(
    pause: &LongestPause,
    consumer: &ConsumerDetails,
    stream: Option<&StreamSeen>,
) -> Vec<&'static str> {
    let hazards = of_consumer(pause, consumer, stream);
    hazards.iter().map(|hazard| hazard.code).collect()
}

/// What is told of a consumer alone.
#[track_caller]
fn tells(consumer: &ConsumerDetails, expected: &[&str]) {
    assert_eq!(codes(&night(), consumer, None), expected, "{consumer:?}");
}

/// What is told of a consumer and its stream.
#[track_caller]
fn tells_with(consumer: &ConsumerDetails, stream: &StreamSeen, expected: &[&str]) {
    assert_eq!(
        codes(&night(), consumer, Some(stream)),
        expected,
        "{consumer:?} {stream:?}"
    );
}

#[test]
fn a_plain_consumer_of_a_plain_stream_has_nothing_to_fear() {
    tells_with(&consumer(), &again(stream(), 1_000_000), &[]);
}

#[test]
fn a_threshold_of_inactivity_counts_where_it_is_shorter_than_the_window() {
    let with = |threshold| ConsumerDetails {
        inactive_threshold: Some(threshold),
        ..consumer()
    };
    tells(&with(secs(5 * MINUTE)), &["inactive-threshold"]);
    tells(&with(secs(2 * HOUR - 1)), &["inactive-threshold"]);
    tells(&with(secs(2 * HOUR)), &[]);
    tells(&with(secs(3 * HOUR)), &[]);
}

#[test]
fn a_wait_for_acknowledgements_counts_where_something_is_in_work() {
    let with = |ack_wait, ack_pending| ConsumerDetails {
        ack_wait,
        ack_pending,
        ..consumer()
    };
    tells(&with(Some(secs(30)), 0), &[]);
    tells(&with(Some(secs(30)), 1), &["ack-wait"]);
    tells(&with(Some(secs(2 * HOUR)), 1), &[]);
    tells(&with(None, 1), &[]);
}

#[test]
fn a_last_delivery_counts_where_a_message_in_work_can_be_at_it() {
    let with = |max_deliver, redelivered| ConsumerDetails {
        max_deliver,
        redelivered,
        ..consumer()
    };
    tells(&with(Some(1), 0), &["max-deliver"]);
    tells(&with(Some(5), 0), &[]);
    tells(&with(Some(5), 1), &["max-deliver"]);
    tells(&with(None, 1), &[]);
    let patient = ConsumerDetails {
        ack_wait: Some(secs(2 * HOUR)),
        ..with(Some(1), 0)
    };
    tells(&patient, &[]);
    let unacknowledged = ConsumerDetails {
        ack_wait: None,
        ..with(Some(1), 0)
    };
    tells(&unacknowledged, &[]);
}

#[test]
fn an_age_counts_where_it_is_shorter_than_the_window_and_the_lag_together() {
    let aged = |max_age| {
        once(StreamDetails {
            max_age: Some(max_age),
            ..stream()
        })
    };
    tells_with(&consumer(), &aged(secs(2 * HOUR - 1)), &["messages-expire"]);
    tells_with(&consumer(), &aged(secs(2 * HOUR)), &[]);
    // Half of a thousand messages, which came evenly: 499 s behind.
    let behind = ConsumerDetails {
        pending: 500,
        delivered: 500,
        ..consumer()
    };
    tells_with(&behind, &aged(secs(2 * HOUR + 498)), &["messages-expire"]);
    tells_with(&behind, &aged(secs(2 * HOUR + 500)), &[]);
    // One that has had nothing yet is as far behind as the oldest message.
    let fresh = ConsumerDetails {
        pending: 1_000,
        delivered: 0,
        ..consumer()
    };
    tells_with(&fresh, &aged(secs(2 * HOUR + 998)), &["messages-expire"]);
    tells_with(&fresh, &aged(secs(2 * HOUR + 999)), &[]);
}

#[test]
fn a_full_stream_counts_where_the_backlog_and_the_inflow_are_more_than_it_holds() {
    let limited = |max_messages| StreamDetails {
        max_messages: Some(max_messages),
        ..stream()
    };
    // The mean of the thousand seconds is one a second: 7,200 in the window.
    tells_with(&consumer(), &once(limited(7_199)), &["messages-dropped"]);
    tells_with(&consumer(), &once(limited(7_201)), &[]);
    // Just now it is two a second.
    tells_with(
        &consumer(),
        &again(limited(14_399), 2),
        &["messages-dropped"],
    );
    tells_with(&consumer(), &again(limited(14_401), 2), &[]);
    // What waits already counts as well.
    let behind = ConsumerDetails {
        pending: 500,
        delivered: 500,
        ..consumer()
    };
    tells_with(&behind, &once(limited(7_699)), &["messages-dropped"]);
    tells_with(&behind, &once(limited(7_701)), &[]);
}

#[test]
fn a_stream_that_is_always_full_and_whose_consumer_keeps_up_is_no_matter() {
    let quiet = StreamDetails {
        max_messages: Some(1_000),
        first: (1, Some(now())),
        ..stream()
    };
    tells_with(&consumer(), &again(quiet.clone(), 0), &[]);
    // One whose consumer has had nothing of a full stream loses the next message.
    let behind = ConsumerDetails {
        pending: 1_000,
        delivered: 0,
        ..consumer()
    };
    tells_with(&behind, &again(quiet, 0), &["messages-dropped"]);
}

#[test]
fn a_limit_in_bytes_counts_like_one_in_messages() {
    let limited = |max_bytes| {
        once(StreamDetails {
            max_bytes: Some(max_bytes),
            ..stream()
        })
    };
    tells_with(&consumer(), &limited(719_900), &["messages-dropped"]);
    tells_with(&consumer(), &limited(720_100), &[]);
}

#[test]
fn a_limit_for_messages_of_other_consumers_counts_too() {
    // Nine of ten messages are not its own, and the limit counts all.
    let filtered = ConsumerDetails {
        pending: 90,
        delivered: 100,
        ..consumer()
    };
    let full = StreamDetails {
        max_messages: Some(999),
        first: (1, Some(now())),
        ..stream()
    };
    tells_with(&filtered, &once(full), &["messages-dropped"]);
}

#[test]
fn a_stream_that_refuses_when_it_is_full_counts_where_a_pause_fills_it() {
    let refuses = |empties, max_messages| StreamDetails {
        discard: Discard::New,
        empties,
        max_messages: Some(max_messages),
        ..stream()
    };
    let told = |stream| publishers_refused(&night(), &once(stream)).map(|hazard| hazard.code);
    assert_eq!(told(refuses(true, 8_199)), Some("publishers-refused"));
    assert_eq!(told(refuses(true, 8_201)), None);
    // It is as full without the pause.
    assert_eq!(told(refuses(false, 8_199)), None);
    let drops = StreamDetails {
        discard: Discard::Old,
        ..refuses(true, 8_199)
    };
    assert_eq!(told(drops.clone()), None);
    tells_with(&consumer(), &once(drops), &["messages-dropped"]);
    tells_with(&consumer(), &once(refuses(true, 8_199)), &[]);
}

#[test]
fn a_margin_that_leaves_no_time_for_a_pause_is_reported() {
    let aged = |seconds| StreamDetails {
        max_age: Some(secs(seconds)),
        ..stream()
    };
    let margin = SignedDuration::from_mins(15);
    let code_of = |stream| never_paused(margin, &stream).map(|hazard| hazard.code);
    assert_eq!(code_of(aged(15 * MINUTE)), Some("loss-margin"));
    assert_eq!(code_of(aged(15 * MINUTE + 1)), None);
    assert_eq!(code_of(stream()), None);
}

#[test]
fn the_words_have_the_numbers() {
    let consumer = ConsumerDetails {
        max_deliver: Some(3),
        inactive_threshold: Some(secs(5 * MINUTE)),
        pending: 500,
        ack_pending: 7,
        redelivered: 2,
        delivered: 500,
        ..consumer()
    };
    let stream = again(
        StreamDetails {
            max_age: Some(secs(HOUR)),
            max_bytes: Some(1_500_000),
            ..stream()
        },
        20,
    );
    let hazards = of_consumer(&night(), &consumer, Some(&stream));
    let words: Vec<_> = hazards.iter().map(|hazard| &*hazard.message).collect();
    assert_eq!(
        words,
        [
            "its inactive_threshold is 5m, and window night pauses it for 2h: if its clients stop \
             pulling for that long, the server deletes it and its position in the stream",
            "2 of the messages in flight were delivered before, and max_deliver is 3, and window \
             night pauses it for 2h, longer than its ack_wait of 30s: a message in flight at the \
             opening, in its last delivery and not acknowledged in time, is never delivered again",
            "7 messages are in flight now, and window night pauses it for 2h, longer than its \
             ack_wait of 30s: a message in flight at the opening and not acknowledged in time is \
             delivered again after the window",
            "its stream drops messages after 1h (max_age), its lag is about 8m 30s now, and window \
             night pauses it for 2h: messages that wait longer are lost",
            "520 messages are waiting for it, about 144000 more arrive at 20 per second (as \
             measured now) in window night (2h), and its stream keeps 1.5 MB (max_bytes), about \
             15000 messages: the oldest are lost",
        ]
    );
    assert!(hazards.iter().all(|hazard| !hazard.hint.is_empty()));
}
