//! When a consumer counts as paused, drained or running, for those who wait for it.
//!
//! Knows what one observation showed of a consumer and its messages in flight; must not know what
//! waits, or for how long. The invariant: nothing is called reached, stalled or unknown that a
//! single honest observation does not show. What is not known yet counts as in flight.
//!
//! A message in flight keeps a consumer from being drained for as long as a worker may still
//! process it. The server reports when it last delivered or received word that work goes on
//! (`delivered.last_active`, which an in-progress ack moves too), and when the last acknowledgement
//! arrived (`ack_floor.last_active`, which every ack moves and not only those at the floor): seen
//! on 2.12.8 and 2.15.1. While a consumer is paused nothing is delivered again, so what is left
//! after `ack_wait` without any of these belongs to a worker that is gone. A message that a worker
//! has handed back (a nak) is the same: no worker processes it either.

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{Found, PauseState};

#[cfg(test)]
mod tests;

/// The server's own timer for `ack_wait` may be a little late, and an ack that it has not read yet
/// is on its way.
const GRACE: SignedDuration = SignedDuration::from_millis(500);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The server holds delivery.
    Paused,
    /// The server holds delivery, and no message is in flight.
    Drained,
    /// The server delivers.
    Running,
}

impl Goal {
    /// As the command line and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Drained => "drained",
            Self::Running => "running",
        }
    }
}

/// What an observation shows of a consumer's messages in flight, beside their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// The longest time that a message may stay without an answer: `ack_wait`, or the longest step
    /// of its `backoff`.
    pub ack_wait: SignedDuration,
    /// The newest sign of life, by the server's clock. None since the server, or the consumer's
    /// leader, was started.
    pub sign: Option<Timestamp>,
}

/// How far a consumer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainState {
    /// It is what is waited for.
    Reached,
    /// It delivers, and a pause is waited for.
    Running,
    /// It is paused, and its end is waited for.
    Paused,
    /// It is paused, and so many messages are being worked on.
    Draining(u64),
    /// It is paused, and so many messages have outlived their `ack_wait`: their worker will not
    /// finish.
    Stalled(u64),
    /// It is paused, and it does not count its messages in flight.
    Uncounted,
    /// There is no such consumer.
    Missing,
    /// Nothing can be learned of it at the moment.
    Unknown,
}

impl DrainState {
    /// Whether waiting on does not change it, as far as is known.
    pub fn is_final(self) -> bool {
        match self {
            Self::Reached | Self::Stalled(_) | Self::Uncounted | Self::Missing => true,
            Self::Running | Self::Paused | Self::Draining(_) | Self::Unknown => false,
        }
    }

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Draining(_) => "draining",
            Self::Stalled(_) => "stalled",
            Self::Uncounted => "unknown",
            Self::Missing => "missing",
            Self::Unknown => "unreachable",
        }
    }
}

/// What was seen of one consumer so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    /// Since when so many messages are in flight without a sign of life, by the server's clock: for
    /// a server that has been started since the last one.
    since: Option<(Timestamp, u64)>,
}

impl Watch {
    /// Takes in an observation and judges it. `server_now` is the server's clock at that moment,
    /// where it is known.
    pub fn judge(
        &mut self,
        goal: Goal,
        found: &Found,
        flight: Option<InFlight>,
        server_now: Option<Timestamp>,
    ) -> DrainState {
        let seen = match found {
            Found::Unknown => return DrainState::Unknown,
            Found::Missing => return DrainState::Missing,
            Found::Present(seen) => seen,
        };
        let paused = matches!(seen.state, PauseState::Paused { .. });
        if !paused || seen.ack_pending == 0 {
            self.since = None;
        }
        match (goal, paused) {
            (Goal::Running, false) | (Goal::Paused, true) => DrainState::Reached,
            (Goal::Running, true) => DrainState::Paused,
            (Goal::Paused | Goal::Drained, false) => DrainState::Running,
            (Goal::Drained, true) if !seen.counted => DrainState::Uncounted,
            (Goal::Drained, true) if seen.ack_pending == 0 => DrainState::Reached,
            (Goal::Drained, true) => {
                let in_flight = seen.ack_pending;
                match (flight, server_now) {
                    (Some(flight), Some(now)) if self.is_stalled(in_flight, flight, now) => {
                        DrainState::Stalled(in_flight)
                    }
                    _ => DrainState::Draining(in_flight),
                }
            }
        }
    }

    fn is_stalled(&mut self, in_flight: u64, flight: InFlight, now: Timestamp) -> bool {
        let since = match self.since {
            Some((since, before)) if before == in_flight => since,
            _ => now,
        };
        self.since = Some((since, in_flight));
        let sign = flight.sign.unwrap_or(since);
        now.duration_since(sign) > flight.ack_wait.saturating_add(GRACE)
    }
}
