//! Sending writes: in their order, a bounded number at a time.
//!
//! Used by the loop and by `recess pause` and `recess resume`, each with its own [`Books`]. Sending
//! stops when the link breaks, the clock is stepped, or as many requests as may be in flight have
//! timed out: what the writes rest on must be observed again first.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use crate::clock::{Clock, was_stepped};
use crate::consumer::{ConsumerId, Mark, Observation, PauseState};
use crate::jetstream::{JetStream, Link, RequestError};
use crate::now::Now;
use crate::plan::{Verdict, resume_deadline};
use crate::report::{Act, Burst, Pass};
use crate::write::Action;

#[cfg(test)]
mod tests;

/// How often a long burst's progress is reported.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Between two reports lies at least so many times what one takes: with a hundred thousand consumers
/// that is a tenth of a second, in which nothing is sent.
const REPORT_SHARE: u32 = 30;

/// What is written down of each write.
pub trait Books {
    /// Notes a write that leaves now. None where it must not leave any more.
    fn begin(&mut self, id: ConsumerId, verdict: Verdict) -> Option<Act>;

    /// Notes what became of it.
    fn end(&mut self, act: Act) -> Act;

    /// Notes how many are in flight: it may all be stopped in the middle.
    fn in_flight(&mut self, _count: usize) {}

    /// Reports how far a burst has come that takes longer than a second.
    fn report(&mut self, burst: Burst);
}

/// Sends `writes`, which were decided at `since`, at most `limit` at a time. What became of each is
/// in `pass.acts`, in the order of the answers. Returns what was not sent.
pub async fn send<J: JetStream>(
    jetstream: &J,
    clock: &Clock,
    limit: usize,
    (writes, since): (Vec<(ConsumerId, Verdict)>, Now),
    pass: &mut Pass,
    books: &mut impl Books,
) -> Vec<(ConsumerId, Verdict)> {
    let began = clock.now().uptime;
    let mut pace = Pace::begin(began);
    let mut queue = writes.into_iter();
    pass.acts.reserve(queue.len());
    let mut in_flight = FuturesUnordered::new();
    let mut unanswered = 0;
    let mut broken = false;
    loop {
        while in_flight.len() < limit && unanswered < limit && !broken {
            // The link is down, or the host slept: a decision of `since` may rest on what is true
            // no more.
            let is_up = matches!(*jetstream.link().borrow(), Link::Up(_));
            if !is_up || was_stepped(since, clock.now()) {
                broken = true;
                break;
            }
            let Some((id, verdict)) = queue.next() else {
                break;
            };
            let Some(mut act) = books.begin(id, verdict) else {
                continue;
            };
            in_flight.push(async move {
                act.result = match act.deadline {
                    Some(until) => jetstream.pause(&act.id, until).await,
                    None => jetstream.clear(&act.id).await,
                }
                .map_err(Box::new);
                act
            });
        }
        books.in_flight(in_flight.len());
        let Some(act) = in_flight.next().await else {
            break;
        };
        books.in_flight(in_flight.len());
        match act.error() {
            Some(RequestError::NotConnected | RequestError::Cut) => broken = true,
            Some(RequestError::TimedOut { .. }) => unanswered += 1,
            _ => {}
        }
        pass.acts.push(books.end(act));
        let now = clock.now().uptime;
        let left = queue.len() + in_flight.len();
        if pace.is_due(now) && left > 0 && !broken {
            let burst = Burst {
                acts: pass.unreported().to_vec(),
                done: pass.acts.len(),
                left,
                took: now.saturating_sub(began),
            };
            pass.reported = pass.acts.len();
            books.report(burst);
            pace.reported(now, clock.now().uptime);
        }
    }
    queue.collect()
}

/// When a long burst's progress is reported, in uptime.
struct Pace {
    next: Duration,
}

impl Pace {
    fn begin(now: Duration) -> Self {
        Self {
            next: now + REPORT_EVERY,
        }
    }

    fn is_due(&self, now: Duration) -> bool {
        now >= self.next
    }

    /// Notes a report, which took from then to then.
    fn reported(&mut self, from: Duration, to: Duration) {
        let took = to.saturating_sub(from);
        self.next = (from + REPORT_EVERY).max(to + took * REPORT_SHARE);
    }
}

/// A write as it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// What kind.
    pub action: Action,
    /// The deadline to write; none for a Clear.
    pub deadline: Option<Timestamp>,
    /// The foreign deadline that it extends.
    pub extends: Option<Timestamp>,
}

impl Leaving {
    /// What a verdict about a consumer that was observed so comes to at that time of the server's
    /// clock. None where it asks for no write, or where its deadline has passed: a long burst may
    /// last beyond it, and such a deadline ends whatever pause there is.
    pub fn of(
        verdict: Verdict,
        seen: &Observation,
        mark: Mark,
        server_now: Timestamp,
    ) -> Option<Self> {
        let action = verdict.action()?;
        let deadline = match verdict {
            Verdict::Resume => Some(resume_deadline(mark, server_now, seen.clustered)),
            Verdict::Release => {
                let resume = resume_deadline(mark, server_now, seen.clustered);
                Some(mark.stamp_release(resume))
            }
            Verdict::ReleaseBeforeLoss => {
                let resume = resume_deadline(mark, server_now, seen.clustered);
                Some(mark.stamp_retention(resume))
            }
            Verdict::Pause(_)
            | Verdict::Retime(_)
            | Verdict::Clear
            | Verdict::Settled
            | Verdict::Unknown
            | Verdict::Missing
            | Verdict::Foreign => verdict.deadline(),
        };
        if matches!(action, Action::Pause | Action::Retime) && deadline <= Some(server_now) {
            return None;
        }
        let extends = match seen.state {
            PauseState::Paused { until, .. } if !mark.owns(until) => Some(until),
            PauseState::Paused { .. } | PauseState::Lapsed { .. } | PauseState::Running => None,
        };
        Some(Self {
            action,
            deadline,
            extends,
        })
    }
}
