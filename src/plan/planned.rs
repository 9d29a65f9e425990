//! A plan as a value: what is to be sent, and what was decided about each consumer.

use std::time::Duration;

use super::{Decision, Need, Rule, Standby, Verdict};
use crate::consumer::{ConsumerId, Found};
use crate::ledger::Ledger;
use crate::now::Now;
use crate::policy::Desired;
use crate::retention::Loss;

/// What to do about many consumers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be sent, in this order: consumers with other windows take turns, so that a window
    /// of few does not wait for one of thousands.
    pub writes: Vec<(ConsumerId, Verdict)>,
    /// Deadlines to be cleared when nothing else is due.
    pub clears: Vec<ConsumerId>,
    /// Every decision.
    pub decisions: Vec<Planned>,
}

impl Plan {
    /// Notes that the calendar calls for it from now on: what is left to the primary is waited for.
    /// Returns whether something is.
    pub fn leave_to_primary(&self, standby: &mut Standby, now: Now) -> bool {
        let mut is_left = false;
        for planned in &self.decisions {
            let need = Need::of(planned.decision.verdict);
            if let (Some(need), Sending::LeftToPrimary(_)) = (need, planned.sending) {
                standby.expect(&planned.id, need, now.uptime);
                is_left = true;
            }
        }
        is_left
    }
}

/// What is planned for one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Which.
    pub id: ConsumerId,
    /// What is wanted of it.
    pub desired: Desired,
    /// What follows.
    pub decision: Decision,
    /// When it is sent, if it asks for a write.
    pub sending: Sending,
    /// Until when a write waits, in uptime: one that was overridden or failed before, or the Resume
    /// of an orphan. What is left to the primary does not count.
    pub waits_until: Option<Duration>,
    /// When it is observed again, in uptime, if neither the calendar nor an advisory asks for it
    /// before.
    pub look: Option<Duration>,
    /// The loss that it comes to before its pause ends.
    pub loss: Option<Loss>,
}

impl Planned {
    /// Writes what was decided about a consumer that was found so into the books.
    pub fn note_down(&self, found: &Found, ledger: &mut Ledger, standby: &mut Standby, now: Now) {
        let Decision { verdict, rule } = self.decision;
        if let (Rule::Paused | Rule::LossPaused | Rule::Tail, Some(seen)) =
            (rule, found.observation())
        {
            ledger.keep(&self.id, seen);
        }
        if rule.is_release() {
            ledger.release(&self.id);
        }
        if verdict != Verdict::Unknown {
            let need = Need::of(verdict).filter(|_| self.sending != Sending::Contested);
            standby.decided(&self.id, need, now.uptime);
        }
        match self.sending {
            Sending::Nothing => ledger.settle(&self.id, now),
            Sending::Now | Sending::Waits(_) | Sending::LeftToPrimary(_) => {}
            Sending::Contested => ledger.contest(&self.id, verdict.deadline()),
        }
    }
}

/// What becomes of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It asks for no write.
    Nothing,
    /// Now.
    Now,
    /// The same write was overridden or failed before: not before this uptime.
    Waits(Duration),
    /// A standby leaves it to the primary until this uptime.
    LeftToPrimary(Duration),
    /// Another client overrides it every time: never.
    Contested,
}

impl Sending {
    /// Until when it is left to the primary, in uptime.
    pub fn left_until(self) -> Option<Duration> {
        match self {
            Self::LeftToPrimary(until) => Some(until),
            Self::Nothing | Self::Now | Self::Waits(_) | Self::Contested => None,
        }
    }
}
