//! Taking in: an observation becomes rows, one for each consumer that is anybody's business.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::reconciler::Reconciler;
use crate::consumer::{ConsumerId, Found, Kind};
use crate::jetstream::{JetStream, Sample};
use crate::now::Now;
use crate::observe::{Observed, Scope};
use crate::policy::WindowSet;
use crate::report::{Pass, Row};
use crate::write::Action;

impl<J: JetStream> Reconciler<J> {
    /// Turns an observation into rows. Returns the consumers that were looked at.
    pub(super) fn take_in(
        &mut self,
        mut observed: Observed,
        scope: &Scope,
        ours: &BTreeSet<ConsumerId>,
        now: Now,
        pass: &mut Pass,
    ) -> Vec<ConsumerId> {
        if let Some(sample) = observed.clock {
            self.skew.take(sample);
        }
        let mark = self.policy().mark();
        let mut rows = std::mem::take(&mut self.rows);
        // Cloned once a pass, as the newest report still holds the rows of the pass before.
        let table = Arc::make_mut(&mut rows);
        let mut touched = Vec::new();
        observed.note_left_out(&self.policy, scope, Arc::make_mut(&mut self.left_out));

        for (id, Sample { mut found, .. }) in std::mem::take(&mut observed.found) {
            self.former.translate_found(&id, &mut found, mark);
            let kind = self.kind_of(&id, &found);
            let windows = self.windows_of(&id, kind);
            self.check_orphan(&id, &found, !windows.is_empty());
            if windows.is_empty() && !ours.contains(&id) {
                // Nobody's business, also where it carries our mark: from before a restart, or by another copy.
                if found == Found::Missing {
                    // What was refused to it must not hold back the pause of the next one of its name.
                    self.ledger.observe(&id, &found, mark, now);
                }
                table.remove(&id);
                continue;
            }
            let confirmed = self.ledger.observe(&id, &found, mark, now);
            if windows.is_empty() && found == Found::Missing {
                table.remove(&id);
                continue;
            }
            if confirmed == Some(Action::Pause)
                && let Some(opening) = self.opening(&windows, &found, now.wall)
            {
                pass.confirmed.push(now.wall.duration_since(opening));
            }
            table.insert(
                id.clone(),
                Row {
                    problem: table.get(&id).and_then(|row| row.problem.clone()),
                    ..Row::undecided(windows, found, now.uptime)
                },
            );
            touched.push(id);
        }

        let looked_at: BTreeSet<&ConsumerId> = touched.iter().collect();
        let mut lost = Vec::new();
        for (id, row) in table.iter_mut().filter(|(id, _)| !looked_at.contains(id)) {
            if observed.leaves_open(id) {
                row.found = Found::Unknown;
                row.seen = now.uptime;
                lost.push(id.clone());
            }
        }
        if *scope == Scope::All {
            // Who was neither found nor asked for in vain is gone, or no longer anybody's business.
            table.retain(|id, _| looked_at.contains(id) || observed.leaves_open(id));
        }
        for id in observed.unknown().filter(|id| !looked_at.contains(id)) {
            let kind = self.kind_of(id, &Found::Unknown);
            let windows = self.windows_of(id, kind);
            if !table.contains_key(id) && !windows.is_empty() {
                table.insert(
                    id.clone(),
                    Row::undecided(windows, Found::Unknown, now.uptime),
                );
                lost.push(id.clone());
            }
        }
        touched.extend(lost);
        self.rows = rows;
        touched
    }

    /// Whether a window may want a consumer of which no more than the name is known.
    pub(super) fn may_want(&self, id: &ConsumerId) -> bool {
        let windows = self.policy().windows_of(id, Some(Kind::Durable));
        !windows.is_empty()
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
        self.former.prune(now.wall);
        // Also those that no window wants are remembered; ephemeral ones come and go under ever new names.
        if self.memberships.len() > 2 * self.rows.len() + 10_000 {
            self.memberships.clear();
        }
    }

    /// What kind of consumer it is, for selectors. One of which nothing can be learned is what it was, and durable where
    /// it was never seen: a glob that may select it must not lose sight of it. Nothing is sent on this guess.
    pub(super) fn kind_of(&self, id: &ConsumerId, found: &Found) -> Option<Kind> {
        match found {
            Found::Present(seen) => Some(seen.kind),
            Found::Missing => None,
            Found::Unknown => {
                let known = self.memberships.get(id).and_then(|(kind, _)| *kind);
                Some(known.unwrap_or(Kind::Durable))
            }
        }
    }

    pub(super) fn windows_of(&mut self, id: &ConsumerId, kind: Option<Kind>) -> WindowSet {
        match self.memberships.get(id) {
            Some((known, windows)) if *known == kind => windows.clone(),
            _ => {
                let windows = self.policy.windows_of(id, kind);
                self.memberships.insert(id.clone(), (kind, windows.clone()));
                windows
            }
        }
    }
}
