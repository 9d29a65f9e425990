//! The decision table as a document shows it.

use super::Rule;

/// The words of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// The rule's stable name.
    pub name: &'static str,
    /// What is wanted.
    pub want: &'static str,
    /// What was found.
    pub have: &'static str,
    /// What follows; it begins with the verdict's name.
    pub verdict: &'static str,
}

impl Rule {
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

    /// The whole table as Markdown, the first row that fits counts: `config/WINDOWS.md` shows
    /// exactly this.
    pub fn table() -> String {
        let mut table = "| want | have | verdict | rule |\n| --- | --- | --- | --- |\n".to_owned();
        for RuleRow {
            name,
            want,
            have,
            verdict,
        } in Self::ALL.map(Self::row)
        {
            table += &format!("| {want} | {have} | {verdict} | `{name}` |\n");
        }
        table
    }
}
