//! The decision table: what to do about one consumer, from what is wanted and what was found.
//!
//! [`decide`] is the table that `config/WINDOWS.md` prints, row by row ([`Rule::ALL`]). It is pure:
//! it sends nothing and knows no clock but the [`Case`] it is given. It also does not know how
//! often something was tried; holding back repeated writes is the [`crate::ledger`]'s business.

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{Found, Mark, Observation, PauseState};
use crate::ledger::RESUME_AHEAD;
use crate::policy::Desired;

mod agenda;
mod bulk_op;
mod guard;
mod newcomers;
mod orphans;
mod planned;
mod rule;
mod situation;
mod skew;
mod standby;
#[cfg(test)]
mod tests;
mod verdict;

pub use agenda::Agenda;
pub use bulk_op::{BulkOp, Hold};
pub use guard::{Guard, Held, StreamKnown, Streams};
pub use newcomers::{MAX_OBSERVATION_INTERVAL, Newcomers};
pub use orphans::{Orphan, Orphans};
pub use planned::{Plan, Planned, Sending};
pub use rule::{Rule, RuleRow};
pub use situation::{Known, Situation};
pub use skew::{ClockSample, Skew};
pub use standby::{Need, Standby, StandbyState};
pub use verdict::{Decision, Verdict, resume_deadline};

/// A pause that would end within this time is not begun or lengthened: by the time a cluster had
/// applied it, it would be over.
pub const TOO_NEAR: SignedDuration = SignedDuration::from_secs(5);

/// A pause of ours that ends within this time is left to end. It covers a Resume's own deadline (at
/// most 6 s ahead), so that a Resume is not resumed again.
pub const ENDING: SignedDuration = RESUME_AHEAD;

/// How long a deadline of ours must have passed before it is cleared, and how far the next pause
/// must be: there is no compare-and-set, so a Clear keeps away from every moment at which another
/// client might write.
pub const CLEAR_DISTANCE: SignedDuration = SignedDuration::from_secs(60);

/// A clock that is further off than this is reported: windows are that early or late.
pub const DOUBTFUL_SKEW: SignedDuration = SignedDuration::from_secs(1);

/// A clock that is further off than this only begins and lengthens pauses.
pub const TRUSTED_SKEW: SignedDuration = SignedDuration::from_secs(30);

/// A clock that is further off than this begins and ends nothing: it may be off by days, and would
/// hold consumers for as long.
pub const LOST_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// A pause of ours that will be wanted within this time is left as it is. Another copy wrote it
/// whose clock is ahead of ours; ending it here would only have that one write it again. As much as
/// a trusted clock may be off.
pub const EARLY: SignedDuration = TRUSTED_SKEW;

/// What a decision about one consumer rests on, besides what is wanted and found.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The mark on our deadlines.
    pub mark: Mark,
    /// The server's clock at the moment that is decided for.
    pub server_now: Timestamp,
    /// The server's clock less ours; `None` before any reply has shown it.
    pub skew: Option<SignedDuration>,
    /// The furthest deadline that may be written, by the server's clock.
    pub furthest: Timestamp,
    /// Time from the observation to the moment that is decided for.
    pub since_observed: SignedDuration,
    /// A write of ours was accepted under 5 s ago, has not been seen yet, and nothing contradicts
    /// it.
    pub settling: bool,
    /// The foreign deadline that our pause extended.
    pub remembered_foreign: Option<Timestamp>,
    /// When it may be wanted paused next, if that is soon enough to matter to a Clear.
    pub next_pause: Option<Timestamp>,
    /// The stored deadline is what a change within the next [`EARLY`] will want.
    pub wanted_soon: bool,
    /// No window names it, and it carries a pause of ours.
    pub orphan: Option<Orphan>,
    /// The stored deadline is a release, from the very pause that is wanted.
    pub released: bool,
    /// Somebody has ordered that it runs: a pause that is ended for that is released.
    pub resumed_on_purpose: bool,
    /// Its metadata makes it exempt from its windows.
    pub exempt: bool,
    /// The stored deadline is what windows want that name it and whose `where` does not hold for it.
    pub labels_lost: bool,
    /// How long its messages allow it to be held.
    pub guard: Guard,
    /// What is known of overrides.
    pub overrides: OverridesKnown,
}

/// What is known of the decisions that people made at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverridesKnown {
    /// There are none: no bucket holds any.
    NoBucket,
    /// They were read, by this process; the policy has them.
    Read,
    /// They were not read yet, and may be in a moment.
    Awaited,
    /// They could not be read, for longer than is waited for.
    Unread,
}

/// The decision table: the first row that fits counts. [`Rule::ALL`] has the rows.
///
/// ```
/// use jiff::{SignedDuration, Timestamp};
/// use recess::consumer::{Found, Kind, Labels, Mark, Observation, PauseState};
/// use recess::plan::{Case, Guard, OverridesKnown, Rule, Verdict, decide};
/// use recess::policy::Desired;
///
/// let now: Timestamp = "2026-12-01T02:30:00Z".parse()?;
/// let end = now + SignedDuration::from_hours(2);
/// let mark = Mark::of_instance("prod-eu");
/// let case = Case {
///     mark,
///     server_now: now,
///     skew: Some(SignedDuration::ZERO),
///     furthest: now + SignedDuration::from_hours(7 * 24),
///     since_observed: SignedDuration::ZERO,
///     settling: false,
///     remembered_foreign: None,
///     next_pause: None,
///     wanted_soon: false,
///     orphan: None,
///     released: false,
///     resumed_on_purpose: false,
///     exempt: false,
///     labels_lost: false,
///     guard: Guard::Off,
///     overrides: OverridesKnown::NoBucket,
/// };
/// let seen = Observation {
///     state: PauseState::Running,
///     created: now,
///     kind: Kind::Durable,
///     clustered: false,
///     pending: 0,
///     ack_pending: 0,
///     counted: true,
///     labels: Labels::UNKNOWN,
///     floor: 0,
/// };
/// let running = Found::Present(seen.clone());
/// let decision = decide(Desired::Paused(end), &running, &case);
/// assert_eq!(decision.verdict, Verdict::Pause(mark.stamp(end)));
/// // By a clock that is days off nothing is begun.
/// let lost = Case { skew: Some(SignedDuration::from_hours(48)), ..case };
/// let decision = decide(Desired::Paused(end), &running, &lost);
/// assert_eq!((decision.verdict, decision.rule), (Verdict::Settled, Rule::ClockLost));
/// // What was released from this pause is not paused again.
/// let until = mark.stamp_release(now - SignedDuration::from_mins(5));
/// let lapsed = Found::Present(Observation { state: PauseState::Lapsed { until }, ..seen });
/// let released = Case { released: true, ..case };
/// assert_eq!(decide(Desired::Paused(end), &lapsed, &released).rule, Rule::Released);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide(want: Desired, found: &Found, case: &Case) -> Decision {
    let seen = match found {
        Found::Unknown => return Rule::Unknown.says(Verdict::Unknown),
        Found::Missing => return Rule::Missing.says(Verdict::Missing),
        Found::Present(seen) => seen,
    };
    if case.settling {
        return Rule::Unconfirmed.says(Verdict::Settled);
    }
    let state = seen.state.after(case.since_observed);
    let decision = match state {
        PauseState::Running => case.while_delivering(want, Rule::Running),
        PauseState::Lapsed { .. } if case.is_released_from(want) => Rule::Released.settled(),
        PauseState::Lapsed { until } if case.mark.owns(until) => {
            let rule = if case.may_clear(seen, until) {
                Rule::Clear
            } else {
                Rule::Lapsed
            };
            case.while_delivering(want, rule)
        }
        PauseState::Lapsed { .. } => case.while_delivering(want, Rule::LapsedForeign),
        PauseState::Paused { until, remaining }
            if case.is_released_from(want)
                && (remaining <= ENDING || !case.mark.is_for_retention(until)) =>
        {
            Rule::Releasing.settled()
        }
        PauseState::Paused { until, remaining } if case.mark.owns(until) => {
            case.while_ours(want, until, remaining)
        }
        PauseState::Paused { until, .. } => case.while_foreign(want, until),
    };
    case.guard_overrides(case.guard_clock(decision, state), state)
}

/// How long messages allow a consumer to be held.
enum Allowed {
    /// As long as is wanted.
    AsWanted,
    /// Until then, which is sooner.
    Until(Timestamp),
    NoLonger,
}

impl Case {
    fn is_released_from(&self, want: Desired) -> bool {
        self.released && matches!(want, Desired::Paused(_))
    }

    /// It delivers; `at_rest` is the row where nothing else is wanted.
    fn while_delivering(&self, want: Desired, at_rest: Rule) -> Decision {
        match want {
            Desired::Running if at_rest == Rule::Clear => at_rest.says(Verdict::Clear),
            Desired::Running => at_rest.settled(),
            Desired::Tail(_) => Rule::TailRunning.settled(),
            Desired::Paused(end) => match self.allowed_until(end) {
                Allowed::AsWanted => self.unless_too_near(end, Rule::Pause, Verdict::Pause),
                Allowed::Until(at) if !self.is_too_near(at) => {
                    Rule::LossPause.says(Verdict::Pause(self.mark.stamp_retention(at)))
                }
                Allowed::Until(_) | Allowed::NoLonger => Rule::LossNear.settled(),
            },
        }
    }

    fn while_ours(&self, want: Desired, stored: Timestamp, remaining: SignedDuration) -> Decision {
        if self.labels_lost {
            return Rule::LabelsLost.settled();
        }
        // Without its second mark: one that is no release from this pause is ours like any other.
        let until = self.mark.stamp(stored);
        if let Some(orphan) = self.orphan.filter(|_| want == Desired::Running) {
            return match orphan {
                Orphan::Unnamed => Rule::OrphanUnnamed.settled(),
                Orphan::Waiting => Rule::OrphanWaiting.settled(),
                Orphan::Due if remaining <= ENDING => Rule::Ending.settled(),
                Orphan::Due => Rule::Orphan.says(Verdict::Resume),
            };
        }
        match want {
            Desired::Running if remaining <= ENDING => Rule::Ending.settled(),
            // Its end is an instant, and the server's clock says when that is.
            Desired::Running | Desired::Tail(_) if self.is_over_by_ours(until) => {
                Rule::Overdue.settled()
            }
            Desired::Running => self.release(None, Rule::Resume, remaining),
            Desired::Tail(end) if until <= self.stamp(end) => Rule::Tail.settled(),
            Desired::Tail(end) => self.release(Some(end), Rule::TailRetime, remaining),
            Desired::Paused(end) => match self.allowed_until(end) {
                Allowed::Until(at) => self.while_ours_is_guarded(at, end, stored, remaining),
                Allowed::NoLonger => self.release_before_loss(remaining),
                Allowed::AsWanted if self.guard == Guard::Unread && self.is_early(stored, end) => {
                    Rule::LossPaused.settled()
                }
                Allowed::AsWanted => match self.stamp(end) {
                    wanted if until == wanted => Rule::Paused.settled(),
                    wanted if until < wanted => {
                        self.unless_too_near(end, Rule::Retime, Verdict::Retime)
                    }
                    _ => self.release(Some(end), Rule::Retime, remaining),
                },
            },
        }
    }

    /// Its messages allow it to be held until `at` only. As that moves on while nothing waits, the
    /// deadline follows when half of the time is over.
    fn while_ours_is_guarded(
        &self,
        at: Timestamp,
        end: Timestamp,
        stored: Timestamp,
        remaining: SignedDuration,
    ) -> Decision {
        let Guard::Until { slack, exact, .. } = self.guard else {
            return self.release_before_loss(remaining);
        };
        if self.is_early(stored, end) {
            let is_late = stored.duration_since(at) > slack;
            let is_half_over = stored < at && remaining * 2 <= at.duration_since(self.server_now);
            if is_late && !exact || !is_late && !is_half_over {
                return Rule::LossPaused.settled();
            }
        }
        if self.is_too_near(at) || self.remembered_foreign.is_some_and(|theirs| theirs > at) {
            return self.release_before_loss(remaining);
        }
        Rule::LossRetime.says(Verdict::Retime(self.mark.stamp_retention(at)))
    }

    /// Ends our pause as messages would be lost. A foreign pause that we extended is not ours to
    /// end.
    fn release_before_loss(&self, remaining: SignedDuration) -> Decision {
        match self.remembered_foreign {
            Some(theirs) if !self.is_too_near(theirs) => {
                Rule::GiveBack.says(Verdict::Retime(theirs))
            }
            _ if remaining <= ENDING => Rule::EndsItself.settled(),
            _ => Rule::LossRelease.says(Verdict::ReleaseBeforeLoss),
        }
    }

    fn while_foreign(&self, want: Desired, until: Timestamp) -> Decision {
        match want {
            Desired::Running => Rule::Foreign.says(Verdict::Foreign),
            Desired::Tail(_) => Rule::TailForeign.says(Verdict::Foreign),
            Desired::Paused(end) if until >= end => Rule::Covered.says(Verdict::Foreign),
            Desired::Paused(end) => match self.allowed_until(end) {
                Allowed::AsWanted => self.unless_too_near(end, Rule::Extend, Verdict::Pause),
                Allowed::Until(at) if until < at && !self.is_too_near(at) => {
                    Rule::Extend.says(Verdict::Pause(self.mark.stamp_retention(at)))
                }
                Allowed::Until(_) | Allowed::NoLonger => Rule::Foreign.says(Verdict::Foreign),
            },
        }
    }

    /// How long a pause until `end` may last.
    fn allowed_until(&self, end: Timestamp) -> Allowed {
        match self.guard {
            Guard::Until { at, .. } if at < end.min(self.furthest) => Allowed::Until(at),
            Guard::Forecast(at) if at <= self.server_now => Allowed::NoLonger,
            Guard::Off | Guard::Unread | Guard::Until { .. } | Guard::Forecast(_) => {
                Allowed::AsWanted
            }
        }
    }

    /// Whether a stored deadline of ours ends the pause until `end` that is wanted before messages
    /// are lost: in its tail too, which is no part of a chain.
    fn is_early(&self, stored: Timestamp, end: Timestamp) -> bool {
        self.mark.is_for_retention(stored) && stored < end
    }

    /// The deadline to write for a wanted end: never beyond the server's now and `max_pause`,
    /// whatever our clock says.
    fn stamp(&self, end: Timestamp) -> Timestamp {
        self.mark.stamp(end.min(self.furthest))
    }

    /// Whether a deadline of ours has passed by our own clock. The mark aside, as a window closes
    /// at a whole second.
    fn is_over_by_ours(&self, deadline: Timestamp) -> bool {
        let our_now = self.server_now.checked_sub(self.skew.unwrap_or_default());
        let end = self.mark.unstamp(deadline).unwrap_or(deadline);
        our_now.is_ok_and(|our_now| end <= our_now)
    }

    fn unless_too_near(
        &self,
        end: Timestamp,
        rule: Rule,
        write: fn(Timestamp) -> Verdict,
    ) -> Decision {
        if self.is_too_near(end.min(self.furthest)) {
            Rule::TooNear.settled()
        } else {
            rule.says(write(self.stamp(end)))
        }
    }

    /// Ends our pause sooner: at `end`, or now. A foreign deadline that we extended and that lies
    /// beyond is given back as it was, to the nanosecond. One that ends so soon that a Resume would
    /// not end it sooner is left to end.
    fn release(&self, end: Option<Timestamp>, rule: Rule, remaining: SignedDuration) -> Decision {
        if self.wanted_soon {
            return Rule::Early.settled();
        }
        let theirs = self
            .remembered_foreign
            .filter(|&until| end.is_none_or(|end| until > end));
        match (theirs, end) {
            (Some(theirs), _) if !self.is_too_near(theirs) => {
                Rule::GiveBack.says(Verdict::Retime(theirs))
            }
            (None, Some(end)) if !self.is_too_near(end) => {
                rule.says(Verdict::Retime(self.stamp(end)))
            }
            _ if remaining <= ENDING => Rule::EndsItself.settled(),
            (_, Some(_)) => Rule::ShortenNear.says(Verdict::Resume),
            (_, None) if self.resumed_on_purpose => Rule::Resume.says(Verdict::Release),
            (_, None) if self.exempt => Rule::Exempt.says(Verdict::Resume),
            (_, None) => Rule::Resume.says(Verdict::Resume),
        }
    }

    fn is_too_near(&self, deadline: Timestamp) -> bool {
        deadline.duration_since(self.server_now) <= TOO_NEAR
    }

    fn may_clear(&self, seen: &Observation, lapsed: Timestamp) -> bool {
        seen.clustered
            && !self.released
            && self.server_now.duration_since(lapsed) >= CLEAR_DISTANCE
            && self
                .next_pause
                .is_none_or(|pause| pause.duration_since(self.server_now) > CLEAR_DISTANCE)
    }

    /// With a clock that cannot be trusted, only what holds messages back is done: a pause too many
    /// ends by itself, a pause too few lets messages through. With one that is lost, nothing is.
    fn guard_clock(&self, decision: Decision, state: PauseState) -> Decision {
        let ends = decision.verdict.ends(state);
        // What is too near by a clock that is lost may not be near at all.
        let writes = decision.verdict.action().is_some() || decision.rule == Rule::TooNear;
        match self.skew.map(SignedDuration::abs) {
            _ if !writes => decision,
            None => Rule::ClockUnknown.settled(),
            Some(off) if off > LOST_SKEW => Rule::ClockLost.settled(),
            Some(off) if off > TRUSTED_SKEW && ends => Rule::ClockGuard.settled(),
            Some(_) => decision,
        }
    }

    /// A person may have decided otherwise than the file, and only the bucket knows. For a moment
    /// nothing is done; then only what holds messages back, as with a clock that cannot be trusted.
    fn guard_overrides(&self, decision: Decision, state: PauseState) -> Decision {
        let writes = decision.verdict.action().is_some() || decision.rule == Rule::TooNear;
        match self.overrides {
            OverridesKnown::Awaited if writes => Rule::OverridesAwaited.settled(),
            OverridesKnown::Unread if decision.verdict.ends(state) => {
                Rule::OverridesUnread.settled()
            }
            OverridesKnown::NoBucket
            | OverridesKnown::Read
            | OverridesKnown::Awaited
            | OverridesKnown::Unread => decision,
        }
    }
}
