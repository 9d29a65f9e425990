//! Reading the limits of streams, between two passes: what is learned of them is judged at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::limits::Answers;
use super::reconciler::Reconciler;
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::JetStream;
use crate::now::Now;
use crate::observe::ReplyDeadline;
use crate::plan::{Streams, Verdict};
use crate::policy::{Desired, OnLoss, Window, WindowSet};
use crate::report::Row;
use crate::retention::Loss;

/// So long before an opening the streams of its consumers are observed: what is learned then says
/// when the messages came that wait.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// How long the answers of all of them are waited for: advisories wait meanwhile.
const LONGEST_WAIT: Duration = Duration::from_millis(750);

impl<J: JetStream> Reconciler<J> {
    /// Follows the streams of which a consumer is held, or will be soon.
    pub(super) fn follow_limits(&mut self, now: Now) {
        let soon = now.wall.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        self.follow_limits_before(soon, now);
    }

    /// The same with those of which one will be before `soon`.
    fn follow_limits_before(&mut self, soon: Timestamp, now: Now) {
        let is_near = |window: &Window| {
            window.open_at(now.wall).is_some()
                || window.next_opening_before(now.wall, soon).is_some()
        };
        let near: Vec<*const Window> = (self.policy.windows().iter())
            .filter(|window| is_near(window))
            .map(Arc::as_ptr)
            .collect();
        let is_followed = |row: &Row| {
            let mut windows = row.windows.iter();
            matches!(row.found, Found::Present(_) | Found::Unknown)
                && (matches!(row.desired, Desired::Paused(_))
                    || windows.any(|window| near.contains(&Arc::as_ptr(window))))
        };
        let rows = self.rows.clone();
        let followed = rows.iter().filter(|(_, row)| is_followed(row));
        self.limits
            .follow(followed.map(|(id, _)| id.stream()).collect());
    }

    /// Asks these streams. It changes nothing, so it may be dropped.
    pub(super) async fn ask_limits(&self, names: &[Arc<str>]) -> Answers {
        let reply_deadline = ReplyDeadline::within(LONGEST_WAIT);
        stream::iter(names.to_vec())
            .map(|name| async move {
                let answer = self.jetstream.stream(&name);
                let answer = reply_deadline.wait("STREAM.INFO", answer).await;
                (name, answer)
            })
            .buffer_unordered(self.in_flight())
            .collect()
            .await
    }

    /// The streams whose limits decide how long these pauses may be, and that were not read yet: the
    /// first pause is right at once, where recess starts within a window or a stream comes to one.
    ///
    /// At an opening this asks for nothing. Streams are read in the hour before; where recess starts
    /// in the last seconds before one, the opening comes first, and what it wrote is shortened a
    /// moment later.
    pub(super) fn unread_before(
        &self,
        writes: &[(ConsumerId, Verdict)],
        now: Now,
    ) -> Vec<Arc<str>> {
        let releases = |row: &Row| self.policy.on_loss(&row.windows, now.wall) == OnLoss::Release;
        let unread = writes.iter().filter_map(|(id, verdict)| {
            let (Verdict::Pause(_) | Verdict::Retime(_)) = verdict else {
                return None;
            };
            let row = self.rows.get(id)?;
            let is_asked = matches!(row.desired, Desired::Paused(_))
                && self.limits.is_unread(id.stream(), now)
                && releases(row);
            is_asked.then(|| id.stream())
        });
        let unread: BTreeSet<&str> = unread.collect();
        unread.into_iter().map(Arc::from).collect()
    }

    /// Takes in what streams answered. Consumers of which something else is decided now are observed
    /// at once, as nothing is sent that rests on an old observation.
    pub(super) fn take_limits(&mut self, answers: Answers) {
        let before = self.take_answers(answers);
        self.note_losses(&before, self.clock.now());
    }

    /// Takes in what streams answered, and returns what was known of them before.
    pub(super) fn take_answers(&mut self, answers: Answers) -> Streams {
        let now = self.clock.now();
        let server_now = self.server_now();
        let resync = self.config.settings.controller.resync;
        let mut before = Streams::default();
        for (name, answer) in answers {
            if let Some(known) = self.limits.known.get(&name) {
                before.set(name.clone(), known.clone());
            }
            self.limits.take(&name, answer, (server_now, now, resync));
        }
        before
    }

    /// Reads the limits at once, for those who ask only once; those of consumers too of which a
    /// window opens before `until`.
    pub async fn read_limits(&mut self, until: Option<Timestamp>) {
        let now = self.clock.now();
        match until {
            Some(until) => self.follow_limits_before(until, now),
            None => self.follow_limits(now),
        }
        let answers = self.ask_limits(&self.limits.due(now)).await;
        self.take_limits(answers);
        let ids: Vec<ConsumerId> = self.rows.keys().cloned().collect();
        // Nothing of it is sent.
        let _ = self.decide_rows(&ids, now);
    }

    /// The consumers of a window that lose messages in the pause that is wanted at `opens`, with their
    /// windows.
    pub fn losses_at(&self, window: &str, opens: Timestamp) -> Vec<(ConsumerId, WindowSet, Loss)> {
        let situation = self.situation(self.clock.now());
        let rows = self.rows.iter();
        let of_window = rows.filter(|(_, row)| row.windows.names().any(|name| name == window));
        let losing = of_window.filter_map(|(id, row)| {
            let loss = situation.loss_at(&row.known(id), opens)?;
            Some((id.clone(), row.windows.clone(), loss))
        });
        losing.collect()
    }

    fn note_losses(&mut self, before: &Streams, now: Now) {
        let mut rows = std::mem::take(&mut self.rows);
        let mut to_observe: Vec<ConsumerId> = Vec::new();
        let is_held = |row: &Row| matches!(row.desired, Desired::Paused(_));
        for (id, row) in rows.iter_mut(is_held) {
            let situation = self.situation(now);
            let known = row.known(id);
            let decision = situation.decide(&known, row.desired, now.wall);
            let loss = (situation.loss(&known, row.desired, now.wall))
                .filter(|_| !decision.rule.leaves_running());
            let mut is_news = decision.rule != row.rule
                || decision.verdict.action().is_some()
                || loss.is_some() != row.backlog.losses().to_come.is_some();
            let dropped = (before.limited(id.stream()))
                .zip(self.limits.known.limited(id.stream()))
                .map(|(was, is)| {
                    is.dropped_since(was, row.found.observation().map_or(0, |seen| seen.floor))
                });
            if let Some(dropped) = dropped {
                row.backlog.note_dropped(dropped, row.found.observation());
                is_news |= row.backlog.losses().goes_on;
            }
            if is_news {
                to_observe.push(id.clone());
            }
            row.backlog.change_losses(|losses| losses.to_come = loss);
        }
        for id in to_observe {
            self.agenda.no_later_than(&id, now.uptime);
        }
        self.rows = rows;
    }
}
