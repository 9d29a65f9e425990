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

    /// Whether a consumer runs, or is about to, though a pause of it is wanted.
    pub fn leaves_running(self) -> bool {
        matches!(self, Self::Releasing | Self::Released | Self::LossNear)
    }

    /// What the row says.
    pub fn row(self) -> RuleRow {
        let (name, want, have, verdict) = match self {
            Self::Unknown => (
                "unknown",
                "any",
                "unknown (offline, not observed)",
                "Unknown: send nothing",
            ),
            Self::Missing => (
                "missing",
                "any",
                "no such consumer (named exactly)",
                "Missing",
            ),
            Self::Unconfirmed => (
                "unconfirmed",
                "any",
                "a write of recess's accepted under 5 s ago, not observed yet, no contrary advisory",
                "Settled (unconfirmed)",
            ),
            Self::ClockUnknown => (
                "clock-unknown",
                "any",
                "the verdict would write, and the server's clock is not known yet",
                "Settled",
            ),
            Self::ClockLost => (
                "clock-lost",
                "any",
                "the verdict would write, and the clock is off by more than 10 minutes",
                "Settled (clock lost)",
            ),
            Self::ClockGuard => (
                "clock-guard",
                "any",
                "the verdict would shorten or end a pause, and the clock is off by more than 30 s",
                "Settled (guard)",
            ),
            Self::OverridesAwaited => (
                "overrides-awaited",
                "any",
                "the verdict would write, and overrides were not read in the 10 s since the start",
                "Settled",
            ),
            Self::OverridesUnread => (
                "overrides-unread",
                "any",
                "the verdict would shorten or end a pause, and overrides were never read",
                "Settled (guard)",
            ),
            Self::LabelsLost => (
                "labels-lost",
                "run, tail u, or pause until u",
                "paused, recess's, later than u, as a window wants that names it and whose `where` \
                 does not hold for it",
                "Settled: it ends at its deadline",
            ),
            Self::OrphanUnnamed => (
                "orphan-unnamed",
                "no window names it",
                "paused, recess's, found by the sweep, `instance` not set",
                "Settled (orphan): only shown",
            ),
            Self::OrphanWaiting => (
                "orphan-waiting",
                "no window names it",
                "paused, recess's, found by the sweep less than one resync ago",
                "Settled (orphan)",
            ),
            Self::Orphan => (
                "orphan",
                "no window names it",
                "paused, recess's, found by the sweep",
                "Resume",
            ),
            Self::Running => ("running", "run", "running", "Settled"),
            Self::Clear => (
                "clear",
                "run",
                "lapsed, recess's; in a cluster, 60 s after the lapse, no opening within 60 s",
                "Clear",
            ),
            Self::Lapsed => ("lapsed", "run", "lapsed, recess's, otherwise", "Settled"),
            Self::LapsedForeign => ("lapsed-foreign", "run", "lapsed, foreign", "Settled"),
            Self::Ending => (
                "ending",
                "run",
                "paused, recess's, ending within 7 s",
                "Settled",
            ),
            Self::Overdue => (
                "overdue",
                "run, or tail u",
                "paused, recess's, until an instant the time has passed by recess's clock",
                "Settled: the server's clock ends it",
            ),
            Self::Early => (
                "early",
                "run, tail u, or pause until u",
                "paused, recess's, until exactly what a change within the next 30 s will want",
                "Settled (another copy whose clock is ahead did it)",
            ),
            Self::EndsItself => (
                "ends-itself",
                "tail u, or pause until u",
                "paused, recess's, later than u and ending within 7 s; u is at most 5 s ahead",
                "Settled",
            ),
            Self::GiveBack => (
                "give-back",
                "run, tail u, or pause until u",
                "paused, recess's, later than u, and it had extended a foreign deadline t later \
                 than u",
                "Retime(t), as it was",
            ),
            Self::Exempt => (
                "exempt",
                "run",
                "paused, recess's; its metadata makes it exempt",
                "Resume",
            ),
            Self::Resume => ("resume", "run", "paused, recess's", "Resume"),
            Self::ShortenNear => (
                "shorten-near",
                "tail u, or pause until u",
                "paused, recess's, later than u; u is at most 5 s ahead",
                "Resume",
            ),
            Self::Foreign => ("foreign", "run", "paused, foreign", "Foreign: leave it"),
            Self::TailRunning => ("tail-running", "tail u", "running or lapsed", "Settled"),
            Self::Tail => (
                "tail",
                "tail u",
                "paused, recess's, until u or sooner",
                "Settled",
            ),
            Self::TailRetime => (
                "tail-retime",
                "tail u",
                "paused, recess's, later than u",
                "Retime(u)",
            ),
            Self::TailForeign => ("tail-foreign", "tail u", "paused, foreign", "Foreign"),
            Self::Releasing => (
                "releasing",
                "pause until u",
                "paused, ours, until a release from this pause",
                "Settled: it runs until the pause would end",
            ),
            Self::Released => (
                "released",
                "pause until u",
                "lapsed, ours, a release from this pause",
                "Settled: it runs until the pause would end",
            ),
            Self::LossNear => (
                "loss-near",
                "pause until u",
                "running or lapsed, `on_loss = \"release\"`, a loss nearer than `loss_margin`",
                "Settled: it runs until its backlog allows a pause",
            ),
            Self::LossPause => (
                "loss-pause",
                "pause until u",
                "running or lapsed, `on_loss = \"release\"`, a loss by `max_age` at t; \
                 t - `loss_margin` is sooner than u",
                "Pause(t - `loss_margin`), which is a release",
            ),
            Self::LossPaused => (
                "loss-paused",
                "pause until u",
                "paused, recess's, the same, until about t - `loss_margin`",
                "Settled",
            ),
            Self::LossRetime => (
                "loss-retime",
                "pause until u",
                "paused, recess's, the same, until another instant",
                "Retime(t - `loss_margin`), which is a release",
            ),
            Self::LossRelease => (
                "loss-release",
                "pause until u",
                "paused, recess's, `on_loss = \"release\"`, a loss nearer than `loss_margin`",
                "Resume, which is a release",
            ),
            Self::TooNear => (
                "too-near",
                "pause until u",
                "running, lapsed, or paused until sooner; u is at most 5 s ahead",
                "Settled",
            ),
            Self::Pause => ("pause", "pause until u", "running or lapsed", "Pause(u)"),
            Self::Paused => (
                "paused",
                "pause until u",
                "paused until u, recess's",
                "Settled",
            ),
            Self::Retime => (
                "retime",
                "pause until u",
                "paused until t, recess's",
                "Retime(u)",
            ),
            Self::Covered => (
                "covered",
                "pause until u",
                "paused until t >= u, foreign",
                "Foreign: leave it, it covers the window",
            ),
            Self::Extend => (
                "extend",
                "pause until u",
                "paused until t < u, foreign",
                "Pause(u): never shortened, only extended; t is remembered while recess runs",
            ),
        };
        RuleRow {
            name,
            want,
            have,
            verdict,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
