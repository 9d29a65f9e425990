//! Messages wait in the stream while a consumer is paused, within the stream's limits: what those
//! do to them.

use jiff::SignedDuration;

use super::details::{ConsumerDetails, Discard, StreamDetails};
use super::loss::{self, Progress, StreamHistory};
use super::{Hazard, LongestPause, StreamSeen, are, length, number, show};

/// Two observations that are closer than that show nothing of the inflow.
const SHORTEST_MEASURED: SignedDuration = SignedDuration::from_millis(100);

/// A stream that is so full is near full, whatever comes in.
const NEAR_FULL: f64 = 0.9;

/// A consumer that is released so long before a loss that no pause of it can begin.
pub fn never_paused(margin: SignedDuration, stream: &StreamDetails) -> Option<Hazard> {
    let max_age = stream.max_age?;
    let limit = SignedDuration::try_from(max_age).ok()?;
    (limit <= margin).then(|| Hazard {
        code: "loss-margin",
        message: format!(
            "its stream drops messages after {} (max_age), no later than loss_margin ({}) ends a \
             pause before that: with on_loss = \"release\" recess never pauses it",
            show(max_age),
            length(margin)
        ),
        hint: format!(
            "make loss_margin shorter than {}, or raise the stream's max_age",
            show(max_age)
        ),
    })
}

/// `max_age` drops what waits for too long.
pub fn expiry(
    pause: &LongestPause,
    consumer: &ConsumerDetails,
    stream: &StreamDetails,
) -> Option<Hazard> {
    let max_age = stream.max_age?;
    let limit = SignedDuration::try_from(max_age).ok()?;
    let lag = lag(consumer, stream);
    let needed = pause.length.saturating_add(lag);
    if limit >= needed {
        return None;
    }
    let behind = if lag < SignedDuration::from_secs(1) {
        String::new()
    } else {
        format!(", its lag is about {} now", length(whole(lag)))
    };
    Some(Hazard {
        code: "messages-expire",
        message: format!(
            "its stream drops messages after {} (max_age){behind}, and {} pauses it for {}: \
             messages that wait longer are lost",
            show(max_age),
            pause.by,
            length(pause.length),
        ),
        hint: format!(
            "raise the stream's max_age above {}, or shorten the window",
            length(whole(needed))
        ),
    })
}

/// A stream that discards old messages drops what a consumer has not had yet, when more waits than
/// it holds.
pub fn overflow(
    pause: &LongestPause,
    consumer: &ConsumerDetails,
    stream: &StreamSeen,
) -> Option<Hazard> {
    let newest = stream.newest();
    if newest.discard != Discard::Old {
        return None;
    }
    let waiting = if newest.empties {
        newest.messages
    } else {
        backlog(consumer, newest)
    };
    let (what, inflow) = too_much(pause, waiting, stream)?;
    Some(Hazard {
        code: "messages-dropped",
        message: format!(
            "{} waiting for it, {} {}, and its stream keeps {what}: the oldest are lost",
            are(waiting),
            inflow.expected(pause),
            whose(pause),
        ),
        hint: "raise the stream's limit, or shorten the window".to_owned(),
    })
}

/// A stream that refuses new messages when it is full, and that a pause fills.
pub fn publishers_refused(pause: &LongestPause, stream: &StreamSeen) -> Option<Hazard> {
    let newest = stream.newest();
    if newest.discard != Discard::New || !newest.empties {
        return None;
    }
    let (what, inflow) = too_much(pause, newest.messages, stream)?;
    Some(Hazard {
        code: "publishers-refused",
        message: format!(
            "{} in it, {} {}, and it keeps {what}: when it is full, it refuses publishers (error \
             10077)",
            are(newest.messages),
            inflow.expected(pause),
            whose(pause),
        ),
        hint: "raise the stream's limit, shorten the window, or make sure that publishers retry"
            .to_owned(),
    })
}

/// `in window night (2h)`
fn whose(pause: &LongestPause) -> String {
    format!("in {} ({})", pause.by, length(pause.length))
}

/// What a stream keeps, where `waiting` messages and what comes in during a pause are more than
/// that, or nearly.
fn too_much(pause: &LongestPause, waiting: u64, stream: &StreamSeen) -> Option<(String, Inflow)> {
    let newest = stream.newest();
    let inflow = inflow(stream);
    let (now, then) = (number(waiting), number(waiting) + inflow.during(pause));
    let is_too_much = |limit: f64, size: f64| {
        then * size > limit || (newest.messages > 0 && now * size >= NEAR_FULL * limit)
    };
    let by_count = (newest.max_messages)
        .filter(|limit| is_too_much(number(*limit), 1.0))
        .map(|limit| format!("{limit} (max_msgs)"));
    let by_size = (newest.max_bytes.zip(newest.mean_size()))
        .filter(|(limit, size)| is_too_much(number(*limit), *size))
        .map(|(limit, size)| {
            format!(
                "{} (max_bytes), about {:.0} messages",
                bytes(limit),
                number(limit) / size
            )
        });
    Some((by_count.or(by_size)?, inflow))
}

/// How many messages come in, each second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Inflow {
    rate: f64,
    /// Measured just now, or the mean of what the stream holds.
    measured: bool,
}

impl Inflow {
    fn during(self, pause: &LongestPause) -> f64 {
        self.rate * pause.length.as_secs_f64()
    }

    fn expected(self, pause: &LongestPause) -> String {
        let source = match self.measured {
            true => "as measured now",
            false => "the mean over the stream's messages",
        };
        match self.during(pause) {
            more if more < 1.0 => "no inflow now, but more may arrive".to_owned(),
            more => format!(
                "about {more:.0} more arrive at {} per second ({source})",
                rate(self.rate)
            ),
        }
    }
}

/// The greater of two: what arrived between two observations, and the mean since the oldest message
/// that is still there. A night may have no inflow at that moment, and a day has bursts.
fn inflow(stream: &StreamSeen) -> Inflow {
    let measured = || {
        let (a, b) = (&stream.first, stream.second.as_ref()?);
        let took = b.at?.duration_since(a.at?);
        let came = b.last.0.saturating_sub(a.last.0);
        (took >= SHORTEST_MEASURED).then(|| number(came) / took.as_secs_f64())
    };
    let mean = loss::mean_inflow(stream.newest()).unwrap_or_default();
    let measured = measured().unwrap_or_default();
    Inflow {
        rate: measured.max(mean),
        measured: measured >= mean,
    }
}

/// How many of the stream's messages a consumer has not had yet, other consumers' among them: the
/// limits count those too.
fn backlog(consumer: &ConsumerDetails, stream: &StreamDetails) -> u64 {
    match consumer.pending {
        0 => 0,
        _ => stream.after(consumer.delivered),
    }
}

/// About how old the oldest message is that waits for a consumer.
fn lag(consumer: &ConsumerDetails, stream: &StreamDetails) -> SignedDuration {
    let Some(now) = stream.at.filter(|_| consumer.pending > 0) else {
        return SignedDuration::ZERO;
    };
    let progress = Progress {
        floor: consumer.delivered,
        waits: true,
        idle_at: None,
    };
    let (came, _) = loss::came(&StreamHistory::of(stream.clone(), now), &progress, now);
    now.duration_since(came).max(SignedDuration::ZERO)
}

/// Whole seconds, rounded up.
fn whole(length: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(length.as_secs() + i64::from(length.subsec_nanos() > 0))
}

fn rate(rate: f64) -> String {
    if rate < 10.0 {
        format!("{rate:.2}")
    } else {
        format!("{rate:.0}")
    }
}

/// `10 MB`, `1.5 GB`, `900 bytes`
fn bytes(count: u64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let count = number(count);
    match units.iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => format!("{} {unit}", (count / size * 10.0).round() / 10.0),
        None => format!("{count} bytes"),
    }
}
