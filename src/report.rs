//! What one pass saw, decided and did. Log lines, metrics, `/readyz` and `status` are views of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::consumer::{ConsumerId, Mark};
use crate::jetstream::{Link, RequestError, Writer};
use crate::ledger::Repair;
use crate::plan::{LOST_SKEW, StandbyState};
use crate::policy::Policy;
use crate::visible::visible;
use crate::write::Action;

mod backlog;
#[cfg(test)]
pub mod example;
mod left_out;
mod overrides;
mod row;
mod rows;

pub use backlog::{Backlog, Losses};
pub use left_out::{LeftOut, PassedOver, Sentence, Topic, Why};
pub use overrides::{BucketState, OverridesReport};
pub use row::Row;
pub use rows::Rows;

/// What started a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// A window opened or closed, or a write or a deadline of ours came due.
    Edge,
    /// The regular observation.
    Resync,
    /// A connection was made, or made again.
    Connected,
    /// An advisory of the server.
    Advisory,
    /// The config was loaded again.
    Reload,
    /// The wall clock was stepped, or the host slept.
    Clock,
}

impl Wake {
    /// All of them, in the order of the metrics.
    pub const ALL: [Self; 6] = [
        Self::Edge,
        Self::Resync,
        Self::Connected,
        Self::Advisory,
        Self::Reload,
        Self::Clock,
    ];

    /// The word in the metrics' label `source`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Resync => "resync",
            Self::Connected => "connected",
            Self::Advisory => "advisory",
            Self::Reload => "reload",
            Self::Clock => "clock",
        }
    }
}

/// The state of the whole after a pass, and what the pass did.
#[derive(Clone, Debug)]
pub struct Report {
    /// When the pass ended, on our clock.
    pub at: Timestamp,
    /// The connection.
    pub link: Link,
    /// The server's clock less ours, at the newest reply that showed it.
    pub skew: Option<SignedDuration>,
    /// The same, as the mean of the last few: for those who watch.
    pub smooth_skew: Option<SignedDuration>,
    /// Nothing is sent.
    pub dry_run: bool,
    /// What is left to the primary; `None` where this copy is one.
    pub standby: Option<StandbyState>,
    /// The policy that it was decided by: its windows are those of the rows.
    pub policy: Arc<Policy>,
    /// The pass itself; `None` where only the connection's state or the calendar is news.
    pub pass: Option<Pass>,
    /// How far a pass has come that sends for longer than a second.
    pub burst: Option<Burst>,
    /// Every consumer in scope.
    pub rows: Rows,
    /// Streams that could not be listed for orphans: pauses with recess's mark that no window
    /// names.
    pub unlisted: Arc<[Failure]>,
    /// Streams whose limits could not be read, though consumers of theirs are held.
    pub limits_unread: Arc<[Failure]>,
    /// What wildcards leave out, and what could not be read.
    pub left_out: Arc<LeftOut>,
    /// Every window, in the order of the file.
    pub windows: Vec<WindowState>,
    /// What is known of overrides; `None` where the config has no bucket.
    pub overrides: Option<OverridesReport>,
    /// When something changes next by the calendar.
    pub next_change: Option<Timestamp>,
}

impl Report {
    /// What there is to report before anything was observed.
    pub fn blind(at: Timestamp, policy: Arc<Policy>) -> Self {
        Self {
            at,
            link: Link::Down {
                reason: String::new(),
            },
            skew: None,
            smooth_skew: None,
            dry_run: false,
            standby: None,
            policy,
            pass: None,
            burst: None,
            rows: Rows::default(),
            unlisted: Arc::default(),
            limits_unread: Arc::default(),
            left_out: Arc::default(),
            windows: Vec::new(),
            overrides: None,
            next_change: None,
        }
    }

    /// The mark on recess's deadlines.
    pub fn mark(&self) -> Mark {
        self.policy.mark()
    }

    /// How far off the clock is, where it is too far off to begin or end anything.
    pub fn lost_clock(&self) -> Option<SignedDuration> {
        self.skew.filter(|skew| skew.abs() > LOST_SKEW)
    }

    /// Whether every consumer was observed since this policy is in force: before, that there are
    /// none means nothing.
    pub fn is_observed(&self) -> bool {
        let mut windows = self.windows.iter();
        self.policy.windows().is_empty() || windows.any(|window| window.unmatched.is_some())
    }

    /// The names of the windows that a consumer of this report follows.
    pub fn windows_of(&self, id: &ConsumerId) -> Vec<&str> {
        let row = self.rows.get(id);
        row.into_iter()
            .flat_map(|row| row.windows.names())
            .collect()
    }

    /// What is kept of it until the next one: the state alone. What the pass did is not shown, and
    /// may be a write of each consumer.
    pub fn kept(self: &Arc<Self>) -> Arc<Self> {
        match (&self.pass, &self.burst) {
            (None, None) => self.clone(),
            (Some(_), _) | (_, Some(_)) => Arc::new(self.state()),
        }
    }

    /// The state that it shows, without what the pass did.
    pub fn state(&self) -> Self {
        Self {
            at: self.at,
            link: self.link.clone(),
            skew: self.skew,
            smooth_skew: self.smooth_skew,
            dry_run: self.dry_run,
            standby: self.standby,
            policy: self.policy.clone(),
            pass: None,
            burst: None,
            rows: self.rows.clone(),
            unlisted: self.unlisted.clone(),
            limits_unread: self.limits_unread.clone(),
            left_out: self.left_out.clone(),
            windows: self.windows.clone(),
            overrides: self.overrides.clone(),
            next_change: self.next_change,
        }
    }
}

/// One pass.
#[derive(Clone, Debug)]
pub struct Pass {
    /// What woke the loop for it.
    pub wake: Wake,
    /// Whether it observed everything, or some consumers only.
    pub full: bool,
    /// How long it took.
    pub took: Duration,
    /// What could not be observed.
    pub failures: Vec<Failure>,
    /// What was sent.
    pub acts: Vec<Act>,
    /// How many of them were reported while it was sending.
    pub reported: usize,
    /// Writes that an observation showed for the first time: time from the opening.
    pub confirmed: Vec<SignedDuration>,
}

impl Pass {
    /// One that has done nothing yet.
    pub fn of(wake: Wake) -> Self {
        Self {
            wake,
            full: false,
            took: Duration::ZERO,
            failures: Vec::new(),
            acts: Vec::new(),
            reported: 0,
            confirmed: Vec::new(),
        }
    }
}

/// A part of what a pass sends. The pass itself has all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// What was answered since the part before.
    pub acts: Vec<Act>,
    /// How many writes were answered so far.
    pub done: usize,
    /// How many are still to be answered.
    pub left: usize,
    /// How long it has been sending.
    pub took: Duration,
}

impl Burst {
    /// How long the rest will take, if it goes on like that.
    pub fn left_to_wait(&self) -> Duration {
        let number = |count| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.took
            .mul_f64(number(self.left) / number(self.done.max(1)))
    }
}

impl Pass {
    /// What was sent, less what was reported by a [`Burst`].
    pub fn unreported(&self) -> &[Act] {
        self.acts.get(self.reported..).unwrap_or_default()
    }

    /// Whether every question was answered. What one consumer's state is, or one write's fate, does
    /// not count.
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }
}

/// A question that the server did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was asked about: a stream, a consumer, or `the streams`.
    pub subject: String,
    /// The stream, where it was about one.
    pub stream: Option<String>,
    /// Why there is no answer.
    pub error: RequestError,
}

/// `cannot observe stream ORDERS: timed out after 3 s`
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot observe {}: {}", self.subject, self.error)
    }
}

impl Failure {
    /// The streams' names could not be had.
    pub fn of_names(error: RequestError) -> Self {
        Self {
            subject: "the streams".to_owned(),
            stream: None,
            error,
        }
    }

    /// The consumers of a stream could not be listed.
    pub fn of_stream(stream: String, error: RequestError) -> Self {
        Self {
            subject: format!("stream {}", visible(&stream)),
            stream: Some(stream),
            error,
        }
    }

    /// A consumer could not be asked about.
    pub fn of_consumer(id: &ConsumerId, error: RequestError) -> Self {
        Self {
            subject: id.to_string(),
            stream: Some(id.stream().to_owned()),
            error,
        }
    }
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// To which consumer.
    pub id: ConsumerId,
    /// What kind.
    pub action: Action,
    /// The deadline written; `None` for a Clear.
    pub deadline: Option<Timestamp>,
    /// What became of it. In a box, as most have no error and there may be a hundred thousand.
    pub result: Result<(), Box<RequestError>>,
    /// Why it had to be done again, where it was in place before.
    pub repair: Option<Repair>,
    /// Who made that necessary, where it is known.
    pub undone_by: Option<Box<Writer>>,
    /// What it undid carried this instance's mark: another recess of the same name wrote it.
    pub by_same_instance: bool,
    /// For the first pause of an opening that recess was there for: from the opening to the
    /// acceptance.
    pub lateness: Option<SignedDuration>,
}

impl Act {
    /// Why it was not accepted, if it was not.
    pub fn error(&self) -> Option<&RequestError> {
        self.result.as_ref().err().map(|error| &**error)
    }
}

/// One window.
#[derive(Clone, Debug)]
pub struct WindowState {
    /// Its name.
    pub name: Arc<str>,
    /// The occurrence that is open.
    pub open: Option<Occurrence>,
    /// The next one after that.
    pub next: Option<Occurrence>,
    /// How many consumers it has.
    pub consumers: usize,
    /// How many more it would have if their metadata did not make them exempt.
    pub exempt: usize,
    /// Its globs that match no consumer that exists; `None` before everything was observed. A name
    /// without one is missing by itself.
    pub unmatched: Option<Arc<[Arc<str>]>>,
    /// An occurrence closed just now, and none of its consumers was seen paused in it.
    pub blank: Option<Blank>,
}

impl WindowState {
    /// Whether it means no consumer that exists. One whose consumers are all exempt does mean some.
    pub fn is_without_consumers(&self) -> bool {
        self.consumers == 0 && self.exempt == 0
    }
}

/// An occurrence in which no consumer was seen paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    /// None was paused: recess observed it from the opening to the close.
    Missed,
    /// Whether one was is not known: recess was started or connected in the midst of it, or did not
    /// observe it at all.
    Unobserved,
}
