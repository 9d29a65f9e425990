//! One write of ours: from its sending to the observation that shows it, and how often it was sent
//! before.

use std::time::Duration;

use jiff::Timestamp;

use crate::now::Now;
use crate::write::{Action, Outcome};

/// How long a write that was accepted is given to show in an observation. In a cluster, a pause is
/// proposed first and applied later: 0.5 to 1.2 s for 1,000 consumers (measured on three nodes,
/// 2.11.11 to 2.15.1).
pub const SETTLING: Duration = Duration::from_secs(5);

/// How long a request that timed out may still lie in the server's queue; before that it is not
/// sent again.
pub const QUEUED: Duration = Duration::from_secs(5);

/// The wait before the n-th sending of the same write.
const BACKOFF: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(10),
];

/// The wait before every later one.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// The longest wait after writes that failed, rather than were overridden: a fix must show within
/// half a minute.
const FAILURE_BACKOFF_CAP: Duration = Duration::from_secs(10);

/// After as many sendings of one write that was overridden each time, the other client's state is
/// intended.
pub const FIGHT_LIMIT: u32 = 5;

/// How long a write is remembered at least, also where its deadline has passed: as long as the
/// longest wait that rests on it.
const REMEMBERED: Duration = LONGEST_BACKOFF;

/// The first and the longest wait between two checks for a write that was accepted.
const CONFIRM_FIRST: Duration = Duration::from_millis(50);
const CONFIRM_LONGEST: Duration = Duration::from_secs(10);

/// Whether a write may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send it.
    Granted,
    /// Not before this uptime.
    Wait(Duration),
    /// Another client overrides it every time: leave it.
    Contested,
}

/// The newest write to one consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    pub action: Action,
    /// What was written; `None` for a Clear.
    pub deadline: Option<Timestamp>,
    /// When the newest sending left.
    pub sent: Duration,
    /// `None` while it is under way.
    pub outcome: Option<Outcome>,
    /// When it was accepted; the start of the wait for it to show.
    pub accepted: Duration,
    /// An observation showed it.
    pub seen: bool,
    /// Something newer than the write contradicts it, so there is nothing to wait for.
    pub contradicted: bool,
    /// How often it was sent, sendings that the server lost left out. Zero once forgiven.
    pub sendings: u32,
    /// How many of the sendings before the newest were applied and then overridden.
    pub undone: u32,
    /// When to check for it next.
    pub next_look: Duration,
    /// How often it was checked for and did not show.
    vain_looks: u8,
}

impl Write {
    fn is(&self, action: Action, deadline: Option<Timestamp>) -> bool {
        // A Resume's deadline is a moment ahead of each sending: it is the same write all the same.
        self.action == action && (action == Action::Resume || self.deadline == deadline)
    }

    /// Accepted, and nothing shows that it was applied: it will still show, or the server lost it.
    pub fn unseen(&self) -> bool {
        self.outcome == Some(Outcome::Accepted) && !self.seen && !self.contradicted
    }

    /// Accepted, applied, and (if it is wanted again) overridden by another client.
    fn was_undone(&self) -> bool {
        self.outcome == Some(Outcome::Accepted) && !self.unseen() && self.sendings > 0
    }

    /// How often such a write was applied and then overridden by another client, this one included.
    ///
    /// A long pause is extended step by step, which gives it another deadline while it is the same
    /// pause: the contest of it goes on. A Retime that follows another is recess's own, not another
    /// client's.
    fn undone_before(&self, action: Action, deadline: Option<Timestamp>, now: Now) -> u32 {
        let same_pause = self.deadline.is_some_and(|until| until > now.wall);
        if self.is(action, deadline) || (action == Action::Pause && self.is_a(action) && same_pause)
        {
            self.undone + u32::from(self.was_undone())
        } else if self.is_a(action) && same_pause {
            self.undone
        } else {
            0
        }
    }

    fn is_a(&self, action: Action) -> bool {
        self.action == action
    }

    /// A sending that leaves now, after `before`.
    pub fn sending(
        action: Action,
        deadline: Option<Timestamp>,
        before: Option<Self>,
        now: Now,
    ) -> Self {
        let again = before.filter(|before| before.is(action, deadline));
        let sendings = again.map_or(0, |before| {
            before.sendings.saturating_sub(u32::from(before.unseen()))
        });
        let undone = before.map_or(0, |before| before.undone_before(action, deadline, now));
        Self {
            action,
            deadline,
            sent: now.uptime,
            outcome: None,
            accepted: now.uptime,
            seen: false,
            contradicted: false,
            sendings: sendings + 1,
            undone,
            next_look: now.uptime,
            vain_looks: 0,
        }
    }

    /// Forgets how often it was sent and undone.
    pub fn forgive(&mut self) {
        self.sendings = 0;
        self.undone = 0;
    }

    /// Notes what became of it. In a cluster the first observation waits a little, as an earlier
    /// one would show nothing yet.
    pub fn answered(&mut self, outcome: Outcome, clustered: bool, now: Now) {
        self.outcome = Some(outcome);
        self.accepted = now.uptime;
        self.next_look = now.uptime;
        if clustered {
            self.next_look += CONFIRM_FIRST;
        }
    }

    /// Takes in the deadline that an observation shows.
    pub fn compare(&mut self, stored: Option<Timestamp>, now: Now) {
        let shows = stored == self.deadline;
        if shows && self.outcome != Some(Outcome::Accepted) {
            // The answer was lost, the write was not.
            self.outcome = Some(Outcome::Accepted);
            self.accepted = now.uptime;
        }
        self.seen |= shows;
    }

    /// Notes that it was checked: if it still does not show, it is checked again later.
    pub fn looked(&mut self, now: Now) {
        if self.unseen() && self.next_look <= now.uptime {
            self.vain_looks = self.vain_looks.saturating_add(1);
            let wait = CONFIRM_FIRST * 2_u32.saturating_pow(self.vain_looks.into());
            self.next_look = now.uptime + wait.min(CONFIRM_LONGEST);
        }
    }

    /// Accepted a short while ago, and it may still show.
    pub fn is_settling(&self, now: Now) -> bool {
        self.unseen() && now.uptime < self.accepted + SETTLING
    }

    /// Whether something still waits for it, or may rest on it.
    pub fn is_open(&self, now: Now) -> bool {
        self.outcome.is_none() || now.uptime < self.sent + REMEMBERED
    }

    /// Whether a write may be sent after this one.
    pub fn admit(&self, action: Action, deadline: Option<Timestamp>, now: Now) -> Admission {
        if self.outcome == Some(Outcome::TimedOut) && now.uptime < self.sent + QUEUED {
            return Admission::Wait(self.sent + QUEUED);
        }
        if self.undone_before(action, deadline, now) >= FIGHT_LIMIT {
            return Admission::Contested;
        }
        if !self.is(action, deadline) {
            return Admission::Granted;
        }
        let step = usize::try_from(self.sendings)
            .ok()
            .and_then(|sendings| BACKOFF.get(sendings))
            .copied()
            .unwrap_or(LONGEST_BACKOFF);
        let wait = match self.outcome {
            _ if self.unseen() => Duration::ZERO,
            Some(Outcome::Cut) => Duration::ZERO,
            Some(Outcome::Accepted) => step,
            Some(Outcome::Refused | Outcome::TimedOut) | None => step.min(FAILURE_BACKOFF_CAP),
        };
        match self.sent + wait {
            ready if now.uptime >= ready => Admission::Granted,
            ready => Admission::Wait(ready),
        }
    }
}
