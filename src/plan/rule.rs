//! The rows of the decision table: each has a stable name and the words that `config/WINDOWS.md`
//! prints.

use std::fmt;

mod table;

pub use table::RuleRow;

/// The rule that a decision follows from: a row of the table, in the table's order. Guards are rows
/// too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Nothing is known of it.
    Unknown,
    /// It does not exist.
    Missing,
    /// A write of recess's was accepted and has not been seen yet.
    Unconfirmed,
    /// No reply has shown the server's clock.
    ClockUnknown,
    /// The clock is so far off that nothing is begun or ended.
    ClockLost,
    /// The clock is so far off that nothing is shortened or ended.
    ClockGuard,
    /// Overrides were not read yet.
    OverridesAwaited,
    /// Overrides could not be read since the start.
    OverridesUnread,
    /// A pause of recess's that windows want by name, and whose `where` does not hold.
    LabelsLost,
    /// An orphan whose instance is not set.
    OrphanUnnamed,
    /// An orphan within its first resync.
    OrphanWaiting,
    /// An orphan after that.
    Orphan,
    /// It runs, as wanted.
    Running,
    /// A lapsed deadline of recess's that is to be removed.
    Clear,
    /// A lapsed deadline of recess's that stays for now.
    Lapsed,
    /// A lapsed foreign deadline.
    LapsedForeign,
    /// A pause of recess's that is about to end.
    Ending,
    /// A pause of recess's that is over by recess's own clock.
    Overdue,
    /// A pause of recess's that will be wanted in a moment.
    Early,
    /// A pause of recess's that ends so soon that no Resume would end it sooner.
    EndsItself,
    /// A foreign deadline that recess had extended is restored.
    GiveBack,
    /// A pause of recess's on a consumer that is exempt.
    Exempt,
    /// A pause of recess's that is wanted no more.
    Resume,
    /// A pause of recess's is to be shortened to an instant that is too near for that.
    ShortenNear,
    /// A foreign pause where none is wanted.
    Foreign,
    /// It delivers within its tail.
    TailRunning,
    /// A pause of recess's may last for its tail.
    Tail,
    /// A pause of recess's outlasts the tail.
    TailRetime,
    /// A foreign pause within the tail.
    TailForeign,
    /// It was released, and is about to run until the windows that are open have closed.
    Releasing,
    /// It was released, and runs until the windows that are open have closed.
    Released,
    /// A loss is so near that no pause is begun.
    LossNear,
    /// It delivers and should not, and messages allow a pause that ends sooner than wanted.
    LossPause,
    /// It is paused for as long as its messages allow.
    LossPaused,
    /// It is paused by recess until another instant than its messages allow.
    LossRetime,
    /// A loss is so near that its pause ends.
    LossRelease,
    /// The wanted end is too near to begin or lengthen a pause.
    TooNear,
    /// It delivers and should not.
    Pause,
    /// It is paused as wanted.
    Paused,
    /// It is paused by recess until another instant than wanted.
    Retime,
    /// A foreign pause lasts at least as long as wanted.
    Covered,
    /// A foreign pause ends sooner than wanted.
    Extend,
}

impl Rule {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 42] = [
        Self::Unknown,
        Self::Missing,
        Self::Unconfirmed,
        Self::ClockUnknown,
        Self::ClockLost,
        Self::ClockGuard,
        Self::OverridesAwaited,
        Self::OverridesUnread,
        Self::LabelsLost,
        Self::OrphanUnnamed,
        Self::OrphanWaiting,
        Self::Orphan,
        Self::Running,
        Self::Clear,
        Self::Lapsed,
        Self::LapsedForeign,
        Self::Ending,
        Self::Overdue,
        Self::Early,
        Self::EndsItself,
        Self::GiveBack,
        Self::Exempt,
        Self::Resume,
        Self::ShortenNear,
        Self::Foreign,
        Self::TailRunning,
        Self::Tail,
        Self::TailRetime,
        Self::TailForeign,
        Self::Releasing,
        Self::Released,
        Self::LossNear,
        Self::LossPause,
        Self::LossPaused,
        Self::LossRetime,
        Self::LossRelease,
        Self::TooNear,
        Self::Pause,
        Self::Paused,
        Self::Retime,
        Self::Covered,
        Self::Extend,
    ];

    /// The stable name, in kebab-case: in JSON, on pages and in debug logs.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Whether a consumer was released from the pause that is wanted.
    pub fn is_release(self) -> bool {
        matches!(self, Self::Releasing | Self::Released)
    }

    /// Whether a consumer runs, or is about to, though a pause of it is wanted.
    pub fn leaves_running(self) -> bool {
        self.is_release() || self == Self::LossNear
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
