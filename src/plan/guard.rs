//! The retention guard: how long a consumer may be held before it loses messages.
//!
//! Works out of what is known of streams a [`Guard`] for one consumer, which the decision table
//! takes like any other fact. Invariant: what is not known, or only estimated, never makes a pause
//! shorter that rests on what was known.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::consumer::Observation;
use crate::policy::{OnLoss, Policy, WindowSet};
use crate::retention::{Cause, Loss, Progress, StreamHistory, loss, own_loss};

/// What two copies of recess may know differently of when a message came: each has its own ladder,
/// of a rung a minute.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// What is known of the streams with limits whose consumers are held, or are about to be.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    known: BTreeMap<Arc<str>, StreamKnown>,
}

/// What is known of one stream.
#[derive(Clone, Debug)]
pub enum StreamKnown {
    /// It drops and refuses nothing.
    Unlimited,
    /// Its limits and contents.
    Limited(Box<StreamHistory>),
}

impl Streams {
    /// What is known of a stream.
    pub fn get(&self, name: &str) -> Option<&StreamKnown> {
        self.known.get(name)
    }

    /// The stream, where it has limits.
    pub fn limited(&self, name: &str) -> Option<&StreamHistory> {
        match self.get(name)? {
            StreamKnown::Limited(history) => Some(history),
            StreamKnown::Unlimited => None,
        }
    }

    /// Notes what was learned of a stream.
    pub fn set(&mut self, name: Arc<str>, known: StreamKnown) {
        self.known.insert(name, known);
    }

    /// Takes out what is known of a stream.
    pub fn take(&mut self, name: &str) -> Option<StreamKnown> {
        self.known.remove(name)
    }

    /// Forgets the others.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.known.retain(|name, _| keep(name));
    }
}

/// How long a consumer may be held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// As long as is wanted.
    #[default]
    Off,
    /// What its stream drops is not known yet: nothing that rests on it is begun, and what does
    /// stays.
    Unread,
    /// Until then: `loss_margin` before the first loss by age, in whole seconds.
    Until {
        /// When.
        at: Timestamp,
        /// How much later a deadline may be that another copy has written.
        slack: SignedDuration,
        /// Not an estimate.
        exact: bool,
    },
    /// Until about then, as far as the inflow of the last minutes shows: `loss_margin` before the
    /// stream drops its oldest message for a new one.
    Forecast(Timestamp),
}

/// A consumer whose loss is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Held<'h> {
    /// The windows it follows.
    pub windows: &'h WindowSet,
    /// What was observed of it.
    pub seen: &'h Observation,
    /// The server's clock when it was last observed with nothing to wait for.
    pub idle_at: Option<Timestamp>,
}

impl Held<'_> {
    fn progress(&self) -> Progress {
        Progress {
            floor: self.seen.floor,
            waits: self.seen.has_waiting(),
            idle_at: self.idle_at,
        }
    }

    /// Its first loss, if it is held from `server_now` on; publishers that are refused count too.
    pub fn loss(&self, stream: &StreamHistory, server_now: Timestamp) -> Option<Loss> {
        loss(stream, &self.progress(), server_now)
    }

    /// Its first loss, if it is held from `opens` on and goes on until then as it does now: as far
    /// behind as it is. One that is paused until then has nothing to wait for any more.
    pub fn loss_from(
        &self,
        stream: &StreamHistory,
        server_now: Timestamp,
        opens: Timestamp,
    ) -> Option<Loss> {
        let progress = match self.seen.state.is_paused() {
            false => self.progress(),
            true => Progress {
                waits: false,
                idle_at: Some(server_now),
                ..self.progress()
            },
        };
        let loss = loss(stream, &progress, server_now)?;
        let wait = opens.duration_since(server_now);
        Some(Loss {
            at: loss.at.checked_add(wait).ok()?,
            exact: false,
            ..loss
        })
    }

    /// How long it may be held, where a window wants it held at `at`.
    pub fn guard(
        &self,
        policy: &Policy,
        stream: Option<&StreamKnown>,
        at: Timestamp,
        server_now: Timestamp,
    ) -> Guard {
        if matches!(stream, Some(StreamKnown::Unlimited))
            || policy.on_loss(self.windows, at) == OnLoss::Warn
        {
            return Guard::Off;
        }
        let Some(StreamKnown::Limited(stream)) = stream else {
            return Guard::Unread;
        };
        let Some(loss) = own_loss(stream, &self.progress(), server_now) else {
            return Guard::Off;
        };
        let margin = policy.loss_defaults().margin;
        let until = loss.at.checked_sub(margin).unwrap_or(Timestamp::MIN);
        match loss.cause {
            Cause::MaxAge => Guard::Until {
                at: Timestamp::new(until.as_second(), 0).unwrap_or(until),
                slack: SLACK.min(margin / 2),
                exact: loss.exact,
            },
            Cause::MaxMessages | Cause::MaxBytes => Guard::Forecast(until),
            Cause::Refused => Guard::Off,
        }
    }
}
