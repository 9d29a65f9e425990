//! What is said of orphans: pauses with recess's mark that no window names.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::{info, warn};

use super::words::{ONE_BY_ONE, tell_some};
use crate::consumer::ConsumerId;
use crate::plan::Rule;
use crate::report::{Failure, Report};
use crate::text::{self, utc};
use crate::visible::visible;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct OrphansTold {
    orphans: BTreeSet<ConsumerId>,
    /// What could not be listed for them.
    unlisted: Arc<[Failure]>,
}

impl OrphansTold {
    pub fn tell(&mut self, report: &Report) {
        let orphans: BTreeSet<ConsumerId> = (report.rows.iter())
            .filter(|(_, row)| row.is_orphan())
            .map(|(id, _)| id.clone())
            .collect();
        tell_some(orphans.difference(&self.orphans), |id| {
            tell_orphan(id, report)
        });
        self.orphans = orphans;
        if *self.unlisted != *report.unlisted {
            self.unlisted = report.unlisted.clone();
            self.tell_unlisted();
        }
    }

    fn tell_unlisted(&self) {
        let Some(first) = self.unlisted.first() else {
            return;
        };
        let subjects = self.unlisted.iter().map(|failure| &*failure.subject);
        info!(
            "{}: not listed for pauses that no window names: {}",
            text::names(subjects, ONE_BY_ONE),
            first.error
        );
    }
}

fn tell_orphan(id: &ConsumerId, report: &Report) {
    let row = report.rows.get(id);
    let deadline = row.and_then(|row| row.found.observation()?.state.deadline());
    let until = deadline.map_or_else(String::new, utc);
    let path = id.path();
    let path = visible(&path);
    let (stream, consumer) = (id.stream(), id.consumer());
    if row.is_some_and(|row| row.rule == Rule::OrphanUnnamed) {
        warn!(
            stream,
            consumer,
            "{id}: paused by a recess of this name until {until}, but no window names it; left unchanged, as `instance` is \
             not set and another deployment may own it; to resume it: recess resume {path}"
        );
    } else {
        let wait = row.and_then(|row| row.held_back).unwrap_or_default();
        warn!(
            stream,
            consumer,
            "{id}: paused by recess until {until}, but no window names it; resuming in {:.0} s; to keep it paused: recess \
             pause {path} --until {until}",
            wait.as_secs_f64().ceil()
        );
    }
}
