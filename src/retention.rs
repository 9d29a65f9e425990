//! What a pause does to the messages that wait for a consumer meanwhile: the judgement behind
//! `check --live` (a pause of a given length, and the consumer as it is configured), and the
//! forecast of the daemon (when a consumer that is held loses messages: [`loss()`]).
//!
//! Pure: what was observed goes in, what is worth a warning comes out. Must not know how it was
//! asked for. The invariant: a hazard is reported only if the pause makes the difference, and with
//! the numbers that make it one.

use std::time::Duration;

use jiff::SignedDuration;

use crate::text;

mod details;
mod ladder;
mod limits;
mod longest_pause;
mod loss;
#[cfg(test)]
mod tests;

pub use details::{ConsumerDetails, Discard, StreamDetails};
pub use limits::{never_paused, publishers_refused};
pub use longest_pause::{LongestPause, longest_pause};
pub use loss::{Cause, Loss, Progress, StreamHistory, loss, own_loss};

/// Something that goes wrong in a pause, or right after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// A stable word for scripts.
    pub code: &'static str,
    /// Why it matters, as a fragment that fits behind the name of a consumer or stream.
    pub message: String,
    /// The fix.
    pub hint: String,
}

/// A stream, observed twice a moment apart, or once if nothing depends on what comes in.
#[derive(Clone, Debug)]
pub struct StreamSeen {
    /// As it was first seen.
    pub first: StreamDetails,
    /// A moment later.
    pub second: Option<StreamDetails>,
}

impl StreamSeen {
    /// As it was last seen.
    pub fn newest(&self) -> &StreamDetails {
        self.second.as_ref().unwrap_or(&self.first)
    }
}

/// What a pause does to one consumer. `stream` is `None` where it could not be asked about.
pub fn of_consumer(
    pause: &LongestPause,
    consumer: &ConsumerDetails,
    stream: Option<&StreamSeen>,
) -> Vec<Hazard> {
    let of_stream = stream.into_iter().flat_map(|stream| {
        [limits::expiry(pause, consumer, stream.newest())]
            .into_iter()
            .chain([limits::overflow(pause, consumer, stream)])
            .flatten()
    });
    [
        inactivity(pause, consumer),
        last_delivery(pause, consumer),
        redelivery(pause, consumer),
    ]
    .into_iter()
    .flatten()
    .chain(of_stream)
    .collect()
}

/// `inactive_threshold` goes on in a pause (measured on 2.11.0 to 2.15.1).
fn inactivity(pause: &LongestPause, consumer: &ConsumerDetails) -> Option<Hazard> {
    let threshold = consumer.inactive_threshold?;
    is_shorter(threshold, pause).then(|| Hazard {
        code: "inactive-threshold",
        message: format!(
            "its inactive_threshold is {}, and {} pauses it for {}: if its clients stop pulling \
             for that long, the server deletes it and its position in the stream",
            show(threshold),
            pause.by,
            length(pause.length)
        ),
        hint: format!(
            "raise inactive_threshold above {}, or let its clients pull during the window",
            length(pause.length)
        ),
    })
}

/// What is delivered and not acknowledged when a pause begins takes one more delivery after it: the
/// wait for the acknowledgement ends during the pause, and the message comes again at the end
/// (measured on 2.15.1).
fn last_delivery(pause: &LongestPause, consumer: &ConsumerDetails) -> Option<Hazard> {
    let (most, wait) = (consumer.max_deliver?, consumer.ack_wait?);
    if !is_shorter(wait, pause) || (most > 1 && consumer.redelivered == 0) {
        return None;
    }
    let why = match most {
        1 => "each message is delivered only once (max_deliver is 1)".to_owned(),
        _ => format!(
            "{} of the messages in flight were delivered before, and max_deliver is {most}",
            consumer.redelivered
        ),
    };
    Some(Hazard {
        code: "max-deliver",
        message: format!(
            "{why}, and {} pauses it for {}, longer than its ack_wait of {}: a message in flight \
             at the opening, in its last delivery and not acknowledged in time, is never delivered \
             again",
            pause.by,
            length(pause.length),
            show(wait)
        ),
        hint: "raise max_deliver, or let its workers acknowledge their messages in time (they can \
               during a pause)"
            .to_owned(),
    })
}

/// A wait for acknowledgements that is shorter than a window is the rule, so it is reported only if
/// something is in flight.
fn redelivery(pause: &LongestPause, consumer: &ConsumerDetails) -> Option<Hazard> {
    let wait = consumer.ack_wait?;
    (consumer.ack_pending > 0 && is_shorter(wait, pause)).then(|| Hazard {
        code: "ack-wait",
        message: format!(
            "{} in flight now, and {} pauses it for {}, longer than its ack_wait of {}: a message \
             in flight at the opening and not acknowledged in time is delivered again after the \
             window",
            are(consumer.ack_pending),
            pause.by,
            length(pause.length),
            show(wait)
        ),
        hint: "let its workers acknowledge their messages in time (they can during a pause), or \
               make sure that they can process a message twice"
            .to_owned(),
    })
}

fn is_shorter(limit: Duration, pause: &LongestPause) -> bool {
    SignedDuration::try_from(limit).is_ok_and(|limit| limit < pause.length)
}

fn are(count: u64) -> String {
    match count {
        1 => "1 message is".to_owned(),
        count => format!("{count} messages are"),
    }
}

/// A length of time, in the words of the config file.
fn length(length: SignedDuration) -> String {
    show(length.unsigned_abs())
}

fn show(length: Duration) -> String {
    if length < Duration::from_secs(1) {
        return format!("{} ms", length.as_millis());
    }
    text::length(length)
}

#[expect(
    clippy::as_conversions,
    reason = "an estimate: the last digits of counts beyond 2^53 change nothing"
)]
fn number(count: u64) -> f64 {
    count as f64
}
