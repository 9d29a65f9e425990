//! The plan: what to do about many consumers at one instant, as a value.
//!
//! [`Situation::plan`] is pure. It says what is to be sent, in which order, what must wait and
//! until when, and what each decision is; it sends nothing and notes nothing down. The executor has
//! no choices left.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::guard::{Held, Streams};
use super::orphans::{Orphan, Orphans};
use super::planned::{Plan, Planned, Sending};
use super::skew::Skew;
use super::standby::Standby;
use super::{CLEAR_DISTANCE, Case, Decision, EARLY, OverridesKnown, Rule, Verdict, decide};
use crate::consumer::{ConsumerId, Found, Observation, PauseState};
use crate::ledger::Ledger;
use crate::now::Now;
use crate::policy::{Desired, Policy, WindowSet};

mod messages;
mod metadata;
mod sending;
#[cfg(test)]
mod tests;

/// How long after the server's clock allows a further deadline that is written: it is not known to
/// the millisecond.
const AFTER_STEP: Duration = Duration::from_millis(100);

/// How long after a pause's end the server is asked whether it really ended: it resumes 0.5 to 2 ms
/// late.
const AFTER_LAPSE: Duration = Duration::from_millis(100);

/// How soon a consumer is observed again of which nothing could be learned.
const UNKNOWN: Duration = Duration::from_secs(2);

/// How soon paused consumers are observed again that have messages in flight: no advisory says when
/// they have none. So much longer for each that many, as an observation of thousands is not free.
const DRAINING: Duration = Duration::from_secs(5);
const DRAINING_AT_ONCE: usize = 1000;

/// What a plan rests on besides the consumers.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'s> {
    /// What is wanted.
    pub policy: &'s Policy,
    /// What was written before, and what came of it.
    pub ledger: &'s Ledger,
    /// What is left to the primary, where this is a standby.
    pub standby: &'s Standby,
    /// Pauses of recess's that no window names.
    pub orphans: &'s Orphans,
    /// How far the server's clock is from ours.
    pub skew: Skew,
    /// How long an orphan waits.
    pub resync: Duration,
    /// Whether it matters when a paused consumer has no message in flight any more.
    pub watches_draining: bool,
    /// What is known of overrides, which the policy has.
    pub overrides: OverridesKnown,
    /// What is known of the streams of consumers that are held.
    pub streams: &'s Streams,
    /// Our clocks.
    pub now: Now,
}

/// One consumer, as it was observed last.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// Which.
    pub id: &'k ConsumerId,
    /// The windows it follows.
    pub windows: &'k WindowSet,
    /// What was found.
    pub found: &'k Found,
    /// When, in uptime.
    pub seen: Duration,
    /// The server's clock when it was last observed with nothing to wait for.
    pub idle_at: Option<Timestamp>,
}

impl<'k> Known<'k> {
    fn held(&self, seen: &'k Observation) -> Held<'k> {
        Held {
            windows: self.windows,
            seen,
            idle_at: self.idle_at,
        }
    }

    /// When the pause that was seen will have ended, in uptime.
    pub fn lapse(&self) -> Option<Duration> {
        match self.found.observation()?.state {
            PauseState::Paused { remaining, .. } => {
                let remaining = Duration::try_from(remaining).unwrap_or_default();
                self.seen.checked_add(remaining)?.checked_add(AFTER_LAPSE)
            }
            PauseState::Running | PauseState::Lapsed { .. } => None,
        }
    }
}

impl Situation<'_> {
    /// What to do at `at`, which is now or a little ahead.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use jiff::{SignedDuration, Timestamp};
    /// use recess::consumer::{Candidate, ConsumerId, Found, Kind, Labels, Observation, PauseState};
    /// use recess::ledger::Ledger;
    /// use recess::now::Now;
    /// use recess::plan::{OverridesKnown, Known, Orphans, Rule, Situation, Skew, Standby, Streams};
    ///
    /// let toml = "[[window]]\nname = 'w'\nconsumers = ['ORDERS/*']\nschedule = '0 2 * * *'\nduration = '1h'\n";
    /// let policy = recess::config::parse("recess.toml".as_ref(), toml)?.policy;
    /// let wall: Timestamp = "2026-12-01T02:30:00Z".parse()?;
    /// let now = Now { wall, uptime: Duration::from_secs(60) };
    /// let mut skew = Skew::default();
    /// skew.set(SignedDuration::ZERO);
    /// let situation = Situation {
    ///     policy: &policy,
    ///     ledger: &Ledger::default(),
    ///     standby: &Standby::default(),
    ///     orphans: &Orphans::default(),
    ///     skew,
    ///     resync: Duration::from_secs(60),
    ///     watches_draining: false,
    ///     overrides: OverridesKnown::NoBucket,
    ///     streams: &Streams::default(),
    ///     now,
    /// };
    /// let id: ConsumerId = "ORDERS/billing".parse()?;
    /// let found = Found::Present(Observation {
    ///     state: PauseState::Running,
    ///     created: wall,
    ///     kind: Kind::Durable,
    ///     clustered: false,
    ///     pending: 0,
    ///     ack_pending: 0,
    ///     counted: true,
    ///     labels: Labels::UNKNOWN,
    ///     floor: 0,
    /// });
    /// let windows = policy.windows_of(&Candidate::found(&id, &found));
    /// let known = Known { id: &id, windows: &windows, found: &found, seen: now.uptime, idle_at: None };
    /// let plan = situation.plan([known].into_iter(), wall);
    /// assert_eq!(plan.writes.len(), 1);
    /// assert_eq!(plan.decisions[0].decision.rule, Rule::Pause);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan<'k>(&self, consumers: impl Iterator<Item = Known<'k>>, at: Timestamp) -> Plan {
        let mut moment = self.policy.desired_at(at);
        // All at once: a list that grows is copied, and leaves holes in memory behind.
        let (least, most) = consumers.size_hint();
        let mut plan = Plan {
            decisions: Vec::with_capacity(most.unwrap_or(least)),
            ..Plan::default()
        };
        let mut turns: HashMap<&WindowSet, usize> = HashMap::new();
        let mut writes = Vec::new();
        let mut draining = Vec::new();
        for known in consumers {
            let desired = moment.desired(known.id, known.windows);
            let decision = self.decide(&known, desired, at);
            let desired = self.with_what_may_last(&known, desired, decision.rule);
            let sending = self.sending(&known, decision.verdict, at);
            if sending == Sending::Now {
                if decision.verdict == Verdict::Clear {
                    plan.clears.push(known.id.clone());
                } else {
                    let turn = turns.entry(known.windows).or_default();
                    *turn += 1;
                    writes.push((*turn, known.id.clone(), decision.verdict));
                }
            }
            if self.watches_draining && is_draining(known.found, desired) {
                draining.push(plan.decisions.len());
            }
            let waits_until = self.waits_until(known.id, decision.rule, sending);
            plan.decisions.push(Planned {
                id: known.id.clone(),
                desired,
                decision,
                sending,
                waits_until,
                look: self.look(&known, desired, waits_until.or(sending.left_until()), at),
                loss: self.loss(&known, desired, at),
            });
        }
        let steps = u32::try_from(draining.len() / DRAINING_AT_ONCE + 1).unwrap_or(u32::MAX);
        let look = self.now.uptime + DRAINING * steps;
        for index in draining {
            if let Some(planned) = plan.decisions.get_mut(index) {
                planned.look = Some(planned.look.map_or(look, |sooner| sooner.min(look)));
            }
        }
        writes.sort_by_key(|(turn, ..)| *turn);
        plan.writes = (writes.into_iter())
            .map(|(_, id, verdict)| (id, verdict))
            .collect();
        plan
    }

    /// The decision about one consumer at `at`, which is now or a little ahead.
    pub fn decide(&self, known: &Known<'_>, want: Desired, at: Timestamp) -> Decision {
        let Known {
            id, windows, found, ..
        } = *known;
        let seen = found.observation();
        let age = self.now.uptime.saturating_sub(known.seen);
        let ahead = at.duration_since(self.now.wall);
        let server_now = self.skew.server_time(at);
        let case = Case {
            mark: self.policy.mark(),
            server_now,
            skew: self.skew.newest,
            furthest: self.policy.furthest_deadline(server_now),
            since_observed: SignedDuration::try_from(age).unwrap_or_default() + ahead,
            settling: self.ledger.is_settling(id, self.now),
            remembered_foreign: self.ledger.remembered_foreign(id),
            next_pause: seen
                .filter(|seen| is_lapsed_in_a_cluster(seen))
                .and_then(|_| {
                    let off = server_now.duration_since(at).abs();
                    (self.policy).may_pause_soon(id, windows, at, CLEAR_DISTANCE + off)
                }),
            wanted_soon: seen.is_some_and(|seen| self.is_wanted_soon(known, seen, want, at)),
            orphan: self.orphan(id),
            released: seen.is_some_and(|seen| self.is_released(known, seen, at)),
            resumed_on_purpose: windows.is_resumed(at),
            exempt: windows.is_exempt(at),
            labels_lost: seen.is_some_and(|seen| self.lost_its_labels(known, seen, want, at)),
            guard: self.guard(known, want, at),
            overrides: self.overrides,
        };
        decide(want, found, &case)
    }

    /// Whether what is stored, and lasts longer than wanted, is what a change within [`EARLY`] will
    /// want.
    fn is_wanted_soon(
        &self,
        known: &Known<'_>,
        seen: &Observation,
        want: Desired,
        at: Timestamp,
    ) -> bool {
        let stored = match seen.state {
            PauseState::Paused { until, .. } => self.policy.mark().unstamp(until),
            PauseState::Running | PauseState::Lapsed { .. } => None,
        };
        // One that ends before messages are lost may be of a pause that lasts longer.
        let is_guarded =
            (seen.state.deadline()).is_some_and(|until| self.policy.mark().is_for_retention(until));
        let wants = if is_guarded {
            Policy::wants_more_soon
        } else {
            Policy::wants_soon
        };
        stored.is_some_and(|stored| {
            want.until().is_none_or(|until| until < stored)
                && wants(self.policy, known.id, known.windows, stored, at, EARLY)
        })
    }

    /// Whether what is stored is a release from the pause that its windows want: they have held
    /// without a break between it and the moment that is decided for. So a release ends with its
    /// pause, and the next one begins as ever.
    ///
    /// Once overrides are read, those who resume write one, which counts as long as it lives: so it
    /// can be undone.
    ///
    /// One that ends before messages are lost counts always, but a pause that a person orders later
    /// ends it.
    fn is_released(&self, known: &Known<'_>, seen: &Observation, at: Timestamp) -> bool {
        let mark = self.policy.mark();
        if let Some(until) = (seen.state.deadline()).filter(|&until| mark.is_for_retention(until)) {
            return known.windows.hold_throughout(until, at)
                && !known.windows.is_paused_since(until, at);
        }
        if self.overrides == OverridesKnown::Read {
            return false;
        }
        let release = (seen.state.deadline()).filter(|&until| mark.is_release(until));
        release.is_some_and(|release| known.windows.hold_throughout(release, at))
    }

    fn orphan(&self, id: &ConsumerId) -> Option<Orphan> {
        let due = self.orphans.due(id, self.resync)?;
        Some(if !self.policy.is_named() {
            Orphan::Unnamed
        } else if self.now.uptime < due {
            Orphan::Waiting
        } else {
            Orphan::Due
        })
    }

    fn waits_until(&self, id: &ConsumerId, rule: Rule, sending: Sending) -> Option<Duration> {
        match sending {
            Sending::Waits(until) => Some(until),
            Sending::Nothing if rule == Rule::OrphanWaiting => self.orphans.due(id, self.resync),
            Sending::Nothing | Sending::Now | Sending::LeftToPrimary(_) | Sending::Contested => {
                None
            }
        }
    }

    /// When something may be news of a consumer, in uptime, that neither the calendar nor an
    /// advisory shows.
    fn look(
        &self,
        known: &Known<'_>,
        desired: Desired,
        waits_until: Option<Duration>,
        at: Timestamp,
    ) -> Option<Duration> {
        let nothing_known = (*known.found == Found::Unknown).then(|| self.now.uptime + UNKNOWN);
        let looks = [
            waits_until,
            nothing_known,
            self.further_deadline(desired),
            self.ledger.look(known.id),
            known.lapse(),
            self.exemption_end(known.windows),
            self.guard_look(known, desired, at),
        ];
        looks.into_iter().flatten().min()
    }

    /// When the server's clock allows a deadline that ours allows already.
    fn further_deadline(&self, desired: Desired) -> Option<Duration> {
        let server_now = self.skew.server_time(self.now.wall);
        if desired.until()? <= self.policy.furthest_deadline(server_now) {
            return None;
        }
        let allowed = self.policy.next_step(server_now)?;
        let wait = Duration::try_from(allowed.duration_since(server_now)).unwrap_or_default();
        Some(self.now.uptime + wait + AFTER_STEP)
    }
}

/// Whether a window holds it and it still has messages in flight.
fn is_draining(found: &Found, desired: Desired) -> bool {
    let held = desired.until().is_some();
    held && (found.observation()).is_some_and(|seen| seen.state.is_paused() && seen.ack_pending > 0)
}

/// Only a Clear asks when its consumer is paused next, and a search for that in every row
/// would cost more than the rest of the decision.
fn is_lapsed_in_a_cluster(seen: &Observation) -> bool {
    seen.clustered && matches!(seen.state, PauseState::Lapsed { .. })
}
