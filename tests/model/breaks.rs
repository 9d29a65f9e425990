//! Ways in which recess could be broken, so that the checker must find each.
//!
//! Most spoil what the real plan has decided, the others what it is told. All else is recess as it is.

use recess::consumer::Mark;
use recess::plan::{Plan, Planned, Rule, Verdict};

use crate::scenario::{TICK, span};
use crate::state::Copy;

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Every deadline counts as recess's own.
    MarkUnchecked,
    /// A foreign pause that lasts longer than wanted is overwritten all the same.
    ForeignOverwritten,
    /// A foreign deadline that is extended is not remembered.
    ForeignForgotten,
    /// What was sent is not remembered, so it is sent again at once.
    NothingSettles,
    /// A request that was not answered counts as one that never arrived.
    TimeoutsForgotten,
    /// What another copy did a moment early is taken back.
    EarlyTakenBack,
    /// A clock that is far off is trusted.
    ClockTrusted,
    /// A pause is ended by overrides as they were a while ago.
    NoReadBeforeAnEnd,
    /// Overrides that were never read count as read.
    UnreadCountsAsRead,
    /// A deadline that has passed is cleared at once.
    ClearedTooSoon,
    /// Deadlines are a tick too late.
    TooLong,
    /// No pause is ended.
    NeverEnds,
    /// A standby leaves everything to the primary.
    NeverTakesOver,
}

impl Break {
    /// Spoils a plan.
    pub fn spoil(self, plan: &mut Plan, mark: Mark, copy: &Copy) {
        let adds = |plan: &mut Plan, rule, verdict: fn(&Planned, Mark) -> Verdict| {
            let these = (plan.decisions.iter()).filter(|one| one.decision.rule == rule);
            let more = these.map(|one| (one.id.clone(), verdict(one, mark)));
            plan.writes.extend(more.collect::<Vec<_>>());
        };
        match self {
            Self::ForeignOverwritten => adds(plan, Rule::Covered, |one, mark| {
                let end = one.desired.until().expect("a pause is wanted");
                Verdict::Pause(mark.stamp(end))
            }),
            Self::EarlyTakenBack => adds(plan, Rule::Early, |_, _| Verdict::Resume),
            Self::ClearedTooSoon => adds(plan, Rule::Lapsed, |_, _| Verdict::Clear),
            Self::TooLong => {
                for (_, verdict) in &mut plan.writes {
                    if let Verdict::Pause(until) = verdict {
                        *until = mark.stamp(*until + span(TICK));
                    }
                }
            }
            Self::NeverEnds => plan
                .writes
                .retain(|(_, verdict)| *verdict != Verdict::Resume),
            Self::NeverTakesOver if copy.standby.delay().is_some() => plan.writes.clear(),
            Self::MarkUnchecked
            | Self::ForeignForgotten
            | Self::NothingSettles
            | Self::TimeoutsForgotten
            | Self::ClockTrusted
            | Self::NoReadBeforeAnEnd
            | Self::UnreadCountsAsRead
            | Self::NeverTakesOver => {}
        }
    }
}
