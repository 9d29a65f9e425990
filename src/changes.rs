//! What happened between two reports: derived once, for every view.
//!
//! [`changes`] compares a report with the one before and knows nothing else. What takes a longer
//! memory is in [`Tracker`], the one place that has it: what goes on from pass to pass is reported
//! once, an outage forgets nothing, and a window's occurrence has stages. A view is a function of
//! (report, changes) and remembers nothing.
//!
//! Pure: no clock, no I/O, no wording.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::consumer::ConsumerId;
use crate::jetstream::{Server, Unsuitable};
use crate::plan::Verdict;
use crate::report::{Act, Blank, Burst, Failure, Report, Sentence};
use crate::retention::Loss;

mod clock_trust;
mod connection;
mod consumers;
mod deployment;
mod lately;
mod observations;
mod overrides;
mod stages;
#[cfg(test)]
mod tests;
mod tracker;
mod window_consumers;
mod windows;
mod writes;

pub use clock_trust::ClockTrust;
pub use consumers::CONFIRMATION_LIMIT;
pub use lately::{Lapse, Lately};
pub use overrides::OverrideChange;
pub use stages::{Stage, StageKind};
pub use tracker::Tracker;
pub use window_consumers::{Counts, MAX_NAMES_IN_EVENT, WindowConsumers};
pub use writes::Writes;

/// One thing that happened.
///
/// Those that are marked with *each pass* come from [`changes`] with every pass that meets them;
/// [`Tracker`] reports them when they begin, and not again while they go on. Those marked with
/// *tracked* take more than two reports to know and come from [`Tracker`] alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The first report there is.
    Started,
    /// From now on nothing is sent (`true`), or things are sent again.
    DryRun(bool),
    /// A standby has begun to send what the primary has not sent.
    TookOver {
        /// How long it had left that to the primary.
        after: Duration,
    },
    /// The deployment has another name.
    Renamed {
        /// The name of before.
        from: Arc<str>,
        /// The name of now.
        to: Arc<str>,
        /// How many consumers are paused with a mark of recess's.
        paused: usize,
    },
    /// A connection was made to a server that recess can use.
    Connected(Box<Server>),
    /// The server does not let recess hear these advisories. *Each connection.*
    Denied(Vec<String>),
    /// The connection is lost, could not be made, or fails for another reason than before.
    Disconnected(String),
    /// Connected to a server that recess must not use.
    Unsupported {
        /// Why not.
        server: Unsuitable,
        /// recess was connected to another before.
        was_connected: bool,
    },
    /// The first pass has ended, or the first attempt to connect has failed: recess has started.
    /// *Tracked.*
    FirstAttempt,
    /// How far the server's clock and this host's agree. *Tracked.*
    Clock {
        /// What it was before.
        from: ClockTrust,
        /// What it is.
        to: ClockTrust,
        /// The server's clock less this one, by the newest answer.
        newest: SignedDuration,
        /// The same, as the mean of the last few.
        smooth: SignedDuration,
    },
    /// The wall clock was stepped, or the host slept.
    ClockStepped,
    /// A window is open.
    Opened {
        /// Its name.
        window: Arc<str>,
        /// Its occurrence.
        occurrence: Occurrence,
        /// It was open already, in another occurrence.
        goes_on: bool,
    },
    /// The open occurrence of a window closes at another time than before.
    Rescheduled {
        /// The window's name.
        window: Arc<str>,
        /// Its occurrence.
        occurrence: Occurrence,
    },
    /// A window's occurrence is over.
    Closed {
        /// The window's name.
        window: Arc<str>,
        /// What is over.
        occurrence: Occurrence,
        /// When the window opens again.
        next: Option<Occurrence>,
        /// It is open again already, in another occurrence.
        goes_on: bool,
    },
    /// A window is gone from the config while it was open.
    Removed {
        /// Its name.
        window: Arc<str>,
        /// What it was open in.
        occurrence: Occurrence,
    },
    /// An occurrence closed, and no consumer was seen paused in it.
    Blank {
        /// The window's name.
        window: Arc<str>,
        /// Which occurrence; `None` if no report before shows it.
        occurrence: Option<Occurrence>,
        /// Whether it was observed.
        blank: Blank,
    },
    /// A part of a long burst was answered.
    Burst(Burst),
    /// A question was not answered (a lost connection is a change by itself). *Each pass.*
    Unanswered(Failure),
    /// Writes that the server accepted, all of one kind, in one pass; repairs aside.
    Wrote(Box<Writes>),
    /// A write restored what another client had changed.
    Repaired(Box<Act>),
    /// A write was refused as its consumer does not exist any more. *Each pass.*
    Vanished(Box<Act>),
    /// A write failed. *Each pass.*
    Failed(Box<Act>),
    /// In a dry run: what would be sent is different from before.
    Would {
        /// To which consumer.
        id: ConsumerId,
        /// What.
        verdict: Verdict,
    },
    /// A consumer that a window names exactly does not exist.
    Missing(ConsumerId),
    /// recess leaves a consumer alone, as another client overrides its pauses.
    Contested {
        /// The consumer.
        id: ConsumerId,
        /// The newest repair of it of which the cause is known. *Tracked.*
        repair: Option<Box<Act>>,
    },
    /// A repair waits, as another client overrides each at once.
    RepairDelayed {
        /// The consumer.
        id: ConsumerId,
        /// How long it waits.
        wait: Duration,
    },
    /// A consumer carries a pause of recess's, and no window names it.
    Orphaned {
        /// The consumer.
        id: ConsumerId,
        /// Until when it is paused.
        until: Option<Timestamp>,
        /// When it is resumed; `None` if it is left as it is, as the deployment has no name.
        resumes_in: Option<Duration>,
    },
    /// Streams could not be listed for orphans; none of them is left if it is empty.
    Unlisted(Arc<[Failure]>),
    /// A write was accepted 10 s ago and does not show.
    Unconfirmed(ConsumerId),
    /// The deadlines of these consumers passed, and they were seen delivering again: the server
    /// resumed them.
    Resumed(Vec<ConsumerId>),
    /// A consumer that an open window wants paused was deleted. One that a window names exactly is
    /// [`Change::Missing`].
    Deleted {
        /// The consumer.
        id: ConsumerId,
        /// The windows that matched it.
        windows: Vec<Arc<str>>,
    },
    /// A consumer was released from the pause that its windows want.
    Released {
        /// The consumer.
        id: ConsumerId,
        /// Since when it runs, or from when on it will.
        since: Option<Timestamp>,
        /// Before messages were lost, and not by a person.
        before_loss: bool,
    },
    /// Consumers are exempt by their metadata from now on.
    Exempt {
        /// Which.
        ids: Vec<ConsumerId>,
        /// What their metadata says is neither yes, no nor a time.
        is_odd: bool,
    },
    /// The `where` of windows that pause a consumer holds for it no more: it stays paused.
    LabelsLost {
        /// The consumer.
        id: ConsumerId,
        /// Until when.
        until: Option<Timestamp>,
        /// The windows whose selectors name it.
        windows: Vec<Arc<str>>,
    },
    /// A consumer is held, and messages are lost before its pause ends, or publishers refused.
    AtRisk {
        /// The consumer.
        id: ConsumerId,
        /// What is lost, and when.
        loss: Loss,
        /// When its pause ends before that; `None` if it does not.
        released_at: Option<Timestamp>,
    },
    /// A consumer was released before messages were lost, and has acknowledged none of them since.
    StillWaiting {
        /// The consumer.
        id: ConsumerId,
        /// Since when it runs.
        since: Option<Timestamp>,
    },
    /// The stream of a consumer that is held drops messages that wait for it.
    Lost(ConsumerId),
    /// Streams whose limits could not be read; none of them is left if it is empty.
    LimitsUnread(Arc<[Failure]>),
    /// A consumer is paused by another client.
    Foreign {
        /// The consumer.
        id: ConsumerId,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// The decisions about these consumers, which may be all, rest on another rule than before: it
    /// is in their rows.
    Decided(Vec<ConsumerId>),
    /// An entry of a list cannot be used. [`Tracker`] reports it once.
    Unreadable(Sentence),
    /// Consumers of a stream are left out by globs. [`Tracker`] reports each stream once.
    PassedOver(Sentence),
    /// A window has no consumer. *Each pass* that observed everything.
    Empty(Arc<str>),
    /// A selector of a window that has consumers matches none of them. *Each pass* that observed
    /// everything.
    Unmatched {
        /// The window's name.
        window: Arc<str>,
        /// The selector.
        selector: Arc<str>,
    },
    /// People decided something at run time, or what they decided cannot be read.
    Override(OverrideChange),
    /// A window's occurrence has come to its next stage, as far as it was observed. *Tracked.*
    Stage(Box<Stage>),
}

/// What happened between two reports, in the order in which it is to be read.
///
/// ```
/// use recess::changes::{Change, changes};
/// use recess::jetstream::Link;
/// use recess::policy::Policy;
/// use recess::report::Report;
///
/// let instant = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
/// let policy = Policy::new("prod-eu", jiff::SignedDuration::from_hours(168), Vec::new());
/// let before = Report::blind(instant("2026-12-01T00:00:00Z"), policy.into());
/// let after = Report {
///     at: instant("2026-12-01T00:00:09Z"),
///     link: Link::Down { reason: "connection refused".to_owned() },
///     ..before.clone()
/// };
/// assert_eq!(changes(None, &before), [Change::Started]);
/// assert_eq!(changes(Some(&before), &after), [Change::Disconnected("connection refused".to_owned())]);
/// assert_eq!(changes(Some(&after), &after), []);
/// ```
pub fn changes(before: Option<&Report>, after: &Report) -> Vec<Change> {
    let mut changes = Vec::new();
    deployment::compare(before, after, &mut changes);
    connection::compare(before, after, &mut changes);
    overrides::compare(before, after, &mut changes);
    windows::compare(before, after, &mut changes);
    changes.extend(after.burst.clone().map(Change::Burst));
    // A report without a pass shows the calendar and the connection. What it shows of consumers was
    // not observed by it.
    if let Some(pass) = &after.pass {
        observations::unanswered(pass, &mut changes);
        writes::of_pass(pass, &mut changes);
        consumers::compare(before, after, &mut changes);
        observations::left_out(before, after, &mut changes);
        connection::clock_stepped(pass, &mut changes);
        observations::selectors(pass, after, &mut changes);
    }
    changes
}
