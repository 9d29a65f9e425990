//! When a consumer that is held loses messages, or its stream refuses publishers.
//!
//! Of messages that wait, the server reports no times. What is known of them is in the [`Ladder`],
//! and in when the consumer was last observed with nothing to wait for. Both are bounds from below:
//! a loss by age is forecast early, by no more than the time between two observations.

use jiff::{SignedDuration, Timestamp};

use super::details::{Discard, StreamDetails};
use super::ladder::{Ladder, Rung};
use super::number;

#[cfg(test)]
mod tests;

/// A loss further away than this is none.
const FURTHEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// A history that is shorter says nothing of what comes in on average.
const HISTORY: SignedDuration = SignedDuration::from_mins(1);

/// A stream over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamHistory {
    /// As it was observed last.
    newest: StreamDetails,
    ladder: Ladder,
}

impl StreamHistory {
    /// A stream that was observed for the first time. `now` is the server's clock, for a reply that
    /// does not show it.
    pub fn of(details: StreamDetails, now: Timestamp) -> Self {
        let mut ladder = Ladder::default();
        ladder.add(rung(&details, now));
        Self {
            newest: details,
            ladder,
        }
    }

    /// It was observed again.
    pub fn add(&mut self, details: StreamDetails, now: Timestamp) {
        let (was, is) = (&self.newest, &details);
        // Another stream of that name starts at the beginning.
        if is.last.0 < was.last.0 || is.first.0 < was.first.0 {
            self.ladder = Ladder::default();
        }
        self.ladder.add(rung(&details, now));
        self.newest = details;
    }

    /// How many messages after `floor` the stream has dropped since it was observed before.
    pub fn dropped_since(&self, before: &Self, floor: u64) -> u64 {
        let from = before.newest.first.0.max(floor.saturating_add(1));
        self.newest.first.0.saturating_sub(from)
    }

    /// As it was observed last.
    pub fn newest(&self) -> &StreamDetails {
        &self.newest
    }
}

fn rung(details: &StreamDetails, now: Timestamp) -> Rung {
    Rung {
        at: details.at.unwrap_or(now),
        last: details.last.0,
    }
}

/// How far a consumer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The sequence up to which every message is acknowledged.
    pub floor: u64,
    /// Whether any message waits: to be delivered, or to be acknowledged.
    pub waits: bool,
    /// The server's clock when none did, the newest time of which that is known.
    pub idle_at: Option<Timestamp>,
}

/// What a loss comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The stream drops messages of that age.
    MaxAge,
    /// The stream drops the oldest of so many.
    MaxMessages,
    /// The stream drops the oldest of so much.
    MaxBytes,
    /// The stream is full and refuses new ones: the consumer loses none.
    Refused,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::MaxAge,
        Self::MaxMessages,
        Self::MaxBytes,
        Self::Refused,
    ];

    /// The word in metrics, JSON and logs: the server's own where it has one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaxAge => "max_age",
            Self::MaxMessages => "max_msgs",
            Self::MaxBytes => "max_bytes",
            Self::Refused => "refused",
        }
    }
}

/// A loss to come, if the consumer stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// When, by the server's clock.
    pub at: Timestamp,
    /// What it comes from.
    pub cause: Cause,
    /// Known, and not an estimate: at the earliest then, and at most the time between two
    /// observations later.
    pub exact: bool,
}

/// The first loss of a consumer that is held from `now` on (the server's clock), whatever it comes
/// from.
///
/// ```
/// use std::time::Duration;
/// use recess::retention::{Cause, Discard, Progress, StreamDetails, StreamHistory, loss};
///
/// let now: jiff::Timestamp = "2026-12-01T02:00:00Z".parse()?;
/// let stream = StreamHistory::of(StreamDetails {
///     max_age: Some(Duration::from_secs(3600)),
///     max_messages: None,
///     max_bytes: None,
///     discard: Discard::Old,
///     empties: false,
///     replicas: 1,
///     messages: 100,
///     bytes: 10_000,
///     first: (1, Some("2026-12-01T01:30:00Z".parse()?)),
///     last: (100, Some(now)),
///     at: Some(now),
/// }, now);
/// // It has had nothing yet, so the stream's first message is the first that it loses.
/// let consumer = Progress { floor: 0, waits: true, idle_at: None };
/// let first = loss(&stream, &consumer, now).unwrap();
/// assert_eq!(first.at.to_string(), "2026-12-01T02:30:00Z");
/// assert_eq!((first.cause, first.exact), (Cause::MaxAge, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn loss(stream: &StreamHistory, consumer: &Progress, now: Timestamp) -> Option<Loss> {
    losses(stream, consumer, now).min_by_key(|loss| loss.at)
}

/// The same, but for publishers that are refused: the consumer loses nothing by that.
pub fn own_loss(stream: &StreamHistory, consumer: &Progress, now: Timestamp) -> Option<Loss> {
    losses(stream, consumer, now)
        .filter(|loss| loss.cause != Cause::Refused)
        .min_by_key(|loss| loss.at)
}

fn losses(
    stream: &StreamHistory,
    consumer: &Progress,
    now: Timestamp,
) -> impl Iterator<Item = Loss> {
    [
        by_age(stream, consumer, now),
        by_count(stream, consumer, now),
        by_size(stream, consumer, now),
        refused(stream, now),
    ]
    .into_iter()
    .flatten()
}

/// The stream drops the first message that waits when it is `max_age` old.
fn by_age(stream: &StreamHistory, consumer: &Progress, now: Timestamp) -> Option<Loss> {
    let max_age = SignedDuration::try_from(stream.newest.max_age?).ok()?;
    let (came, exact) = came(stream, consumer, now);
    Some(Loss {
        at: came.checked_add(max_age).ok()?,
        cause: Cause::MaxAge,
        exact,
    })
}

/// When the first message came that waits for a consumer, at the earliest, and whether that is
/// known.
pub(super) fn came(
    stream: &StreamHistory,
    consumer: &Progress,
    now: Timestamp,
) -> (Timestamp, bool) {
    if !consumer.waits {
        // None does, and the first that will comes later.
        return (consumer.idle_at.map_or(now, |at| at.min(now)), true);
    }
    let StreamDetails { first, last, .. } = stream.newest;
    let next = consumer.floor.saturating_add(1).max(first.0);
    // What the consumer has not had came after all was well.
    let since = |at: Timestamp| consumer.idle_at.map_or(at, |idle| idle.max(at));
    match (first, last) {
        ((place, Some(at)), _) if place == next => (since(at), true),
        (_, (place, Some(at))) if place == next => (since(at), true),
        ((place, first_at), _) => {
            if let Some(at) = stream.ladder.came_after(next) {
                let at = first_at.map_or(at, |first_at| first_at.max(at));
                return (since(at), true);
            }
            let lowest = stream.ladder.lowest();
            let (Some(first_at), Some(lowest)) = (first_at, lowest) else {
                return (since(now), consumer.idle_at.is_some());
            };
            // Older than what was observed: an even inflow is assumed before.
            let share =
                number(next - place) / number(lowest.last.saturating_sub(place).max(1)).max(1.0);
            let span = lowest.at.duration_since(first_at).as_secs_f64() * share.min(1.0);
            let span = SignedDuration::try_from_secs_f64(span).unwrap_or_default();
            let at = first_at.checked_add(span).unwrap_or(first_at);
            match consumer.idle_at {
                Some(idle) if idle >= at => (idle, true),
                _ => (at, false),
            }
        }
    }
}

/// The stream drops its oldest message for a new one when it holds `max_msgs`.
fn by_count(stream: &StreamHistory, consumer: &Progress, now: Timestamp) -> Option<Loss> {
    let limit = stream.newest.max_messages?;
    if stream.newest.discard != Discard::Old {
        return None;
    }
    let room = limit.saturating_sub(waiting(stream, consumer));
    when_full(stream, number(room), Cause::MaxMessages, now)
}

/// The stream drops its oldest messages for a new one when it holds `max_bytes`.
fn by_size(stream: &StreamHistory, consumer: &Progress, now: Timestamp) -> Option<Loss> {
    let limit = stream.newest.max_bytes?;
    if stream.newest.discard != Discard::Old {
        return None;
    }
    let size = stream.newest.mean_size()?;
    let room = number(limit) / size - number(waiting(stream, consumer));
    when_full(stream, room.max(0.0), Cause::MaxBytes, now)
}

/// A stream that drops what was acknowledged, and nothing else, is full when a consumer acknowledges
/// nothing.
fn refused(stream: &StreamHistory, now: Timestamp) -> Option<Loss> {
    let newest = &stream.newest;
    if newest.discard != Discard::New || !newest.empties {
        return None;
    }
    let by_count = newest
        .max_messages
        .map(|limit| number(limit.saturating_sub(newest.messages)));
    let by_size = newest.max_bytes.zip(newest.mean_size());
    let by_size = by_size.map(|(limit, size)| number(limit.saturating_sub(newest.bytes)) / size);
    let room = by_count
        .into_iter()
        .chain(by_size)
        .min_by(|one, other| one.total_cmp(other))?;
    when_full(stream, room, Cause::Refused, now)
}

/// How many of the stream's messages a consumer has not had, other consumers' among them: the
/// limits count those too.
fn waiting(stream: &StreamHistory, consumer: &Progress) -> u64 {
    match consumer.waits {
        true => stream.newest.after(consumer.floor),
        false => 0,
    }
}

/// Messages a second since the oldest one that is still there; `None` where that was a moment ago.
pub(super) fn mean_inflow(stream: &StreamDetails) -> Option<f64> {
    let span = stream.at?.duration_since(stream.first.1?);
    let came = stream.last.0.saturating_sub(stream.first.0);
    (span >= HISTORY).then(|| number(came) / span.as_secs_f64())
}

/// When so many messages will have come, if they come as in the last minutes; where it was observed
/// once, as they came on average.
fn when_full(stream: &StreamHistory, room: f64, cause: Cause, now: Timestamp) -> Option<Loss> {
    let inflow = match stream.ladder.lowest() == stream.ladder.top() {
        true => mean_inflow(&stream.newest),
        false => stream.ladder.inflow(),
    };
    let rate = inflow.filter(|rate| *rate > 0.0)?;
    let wait = SignedDuration::try_from_secs_f64(room / rate).ok()?;
    let from = stream.ladder.top().map_or(now, |top| top.at.min(now));
    (wait <= FURTHEST).then(|| Loss {
        at: from.checked_add(wait).unwrap_or(Timestamp::MAX),
        cause,
        exact: false,
    })
}
