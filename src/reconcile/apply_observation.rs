//! Applying an observation: it becomes rows, one for each consumer of interest, and entries in the
//! books.

use std::sync::Arc;

use jiff::Timestamp;

use super::nature::Nature;
use super::reconciler::Reconciler;
use crate::consumer::{Candidate, ConsumerId, Found, Owner};
use crate::jetstream::JetStream;
use crate::now::Now;
use crate::observe::Observed;
use crate::policy::{Interest, WindowSet};
use crate::report::{Pass, Row};
use crate::write::Action;

impl<J: JetStream> Reconciler<J> {
    /// What is of interest: what the windows select, and what else may carry a pause of recess's.
    pub(super) fn interest(&self, began: Now) -> Interest {
        self.policy.interest().and(self.beyond_the_policy(began))
    }

    /// Turns an observation into rows, and keeps the books by it. Returns the consumers whose rows
    /// are new.
    pub(super) fn apply_observation(
        &mut self,
        observed: Observed,
        (began, now): (Now, Now),
        pass: &mut Pass,
    ) -> Vec<ConsumerId> {
        let interest = &self.interest(began);
        if let Some(sample) = observed.clock {
            self.skew.take(sample);
        }
        // No later than the answers were given.
        let observed_at = self.skew.server_time(began.wall);
        let mut rows = std::mem::take(&mut self.rows);
        let mut left_out = std::mem::take(&mut self.left_out);
        let updated = observed.apply(
            interest,
            rows.table(),
            Arc::make_mut(&mut left_out),
            |id, sample, before| {
                let server_now = sample.server_time.unwrap_or(observed_at);
                let before = before.map(Arc::as_ref);
                let row =
                    self.row_of(id, sample.found, before, interest, (now, server_now), pass)?;
                Some(Arc::new(row))
            },
        );
        (self.rows, self.left_out) = (rows, left_out);
        updated
    }

    /// A consumer's row by what is known of it now. None where it is not of interest.
    fn row_of(
        &mut self,
        id: &ConsumerId,
        mut found: Found,
        before: Option<&Row>,
        interest: &Interest,
        (now, server_now): (Now, Timestamp),
        pass: &mut Pass,
    ) -> Option<Row> {
        if let (Found::Unknown, Some(before)) = (&found, before) {
            return Some(before.unknown_since(now.uptime));
        }
        let mark = self.policy().mark();
        self.former.translate_found(id, &mut found, mark);
        let nature = self.nature_of(id, &found);
        let windows = self.windows_of(id, nature);
        let selected = !windows.is_empty();
        self.check_orphan(id, &found, selected);
        match found {
            // Of no interest, also where it carries our mark: from before a restart, or by another
            // copy.
            Found::Present(_) if !selected && !interest.is_beyond(id) => return None,
            Found::Unknown if !selected => return None,
            // What was refused to one that is missing must not hold back the pause of the next one
            // of its name.
            Found::Present(_) | Found::Missing | Found::Unknown => {}
        }
        let confirmed = self.ledger.observe(id, &found, mark, now);
        if !selected && found == Found::Missing {
            return None;
        }
        if confirmed == Some(Action::Pause)
            && let Some(opening) = self.opening(&windows, &found, now.wall)
        {
            pass.confirmed.push(now.wall.duration_since(opening));
        }
        let seen = (now.uptime, server_now);
        Some(Row::observed(before, windows, found, seen))
    }

    /// Whether windows want a consumer that was observed, or a pause of recess's may still last on
    /// it. A row or a ledger entry alone may be left from a pause that is over.
    pub(super) fn is_in_scope(&self, id: &ConsumerId, now: Now) -> bool {
        let mark = self.policy().mark();
        let is_shown = self.rows.get(id).is_some_and(|row| {
            !row.windows.is_empty() || row.found.paused_by(mark) == Some(Owner::Recess)
        });
        is_shown || self.orphans.contains(id) || self.ledger.is_in_scope(id, now)
    }

    /// Whether a window may want a consumer of which no more than the name is known.
    pub(super) fn may_want(&self, id: &ConsumerId) -> bool {
        self.policy.interest().includes(&Candidate::named(id))
    }

    /// One that was left out is gone.
    pub(super) fn forget_left_out(&mut self, id: &ConsumerId) {
        if self.left_out.passed_over.contains_key(id) {
            Arc::make_mut(&mut self.left_out).passed_over.remove(id);
        }
    }

    /// Forgets what was remembered of consumers that are gone.
    pub(super) fn tidy(&mut self, now: Now) {
        self.ledger.prune(now);
        let rows = &self.rows;
        self.standby.keep(|id| rows.contains_key(id));
        self.former.prune(now.wall);
        // Also those that no window wants are remembered; ephemeral ones come and go under ever new
        // names.
        if self.memberships.len() > 2 * self.rows.len() + 10_000 {
            self.forget_memberships();
        }
    }

    /// Forgets which windows each consumer follows: each is asked for again.
    pub(super) fn forget_memberships(&mut self) {
        self.memberships.clear();
        self.window_sets.clear();
    }

    /// What decides which windows a consumer follows, besides its name. One of which nothing can be
    /// learned now is what it was.
    pub(super) fn nature_of(&self, id: &ConsumerId, found: &Found) -> Nature {
        let known = || self.memberships.get(id).map(|(nature, _)| nature.clone());
        let of_before = (*found == Found::Unknown).then(known).flatten();
        of_before.unwrap_or_else(|| Nature::of(&Candidate::found(id, found)))
    }

    pub(super) fn windows_of(&mut self, id: &ConsumerId, nature: Nature) -> WindowSet {
        match self.memberships.get(id) {
            Some((known, windows)) if *known == nature => windows.clone(),
            _ => {
                let asked = self.policy.windows_of(&nature.candidate(id));
                let known = self.window_sets.get(&asked).cloned();
                let windows = known.unwrap_or_else(|| {
                    self.window_sets.insert(asked.clone());
                    asked
                });
                self.memberships
                    .insert(id.clone(), (nature, windows.clone()));
                windows
            }
        }
    }
}
