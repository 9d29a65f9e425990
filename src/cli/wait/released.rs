//! Consumers that will not be paused while they are waited for: a person has released them.

use jiff::Timestamp;

use crate::cli::overrides::store::{Store, overridden, read_to_show};
use crate::config::Config;
use crate::consumer::{Candidate, ConsumerId, Observation, PauseState};
use crate::jetstream::nats::Nats;
use crate::policy::{OverrideId, Policy, Verb, WindowSet};
use crate::text::utc;

/// A consumer that is not paused again in the time that is waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Which.
    pub id: ConsumerId,
    /// Until when it runs.
    pub until: Timestamp,
    /// The override that says so; none where no bucket has it, and the consumer alone shows it.
    pub by: Option<OverrideId>,
}

impl Release {
    /// What it means for the wait, and the fix.
    pub fn sentence(&self) -> String {
        let Self { id, until, by } = self;
        let fix = match by {
            Some(by) => format!("recess undo {by}"),
            None => format!("recess pause {} --until {}", id.path(), utc(*until)),
        };
        format!(
            "{id} was released by `recess resume` and runs until {}; to pause it again: {fix}",
            utc(*until)
        )
    }
}

/// The deadline with the release mark that a consumer still has though it has passed.
pub fn mark_of(policy: &Policy, seen: &Observation) -> Option<Timestamp> {
    match seen.state {
        PauseState::Lapsed { until } => Some(until).filter(|at| policy.mark().is_release(*at)),
        PauseState::Running | PauseState::Paused { .. } => None,
    }
}

/// The first of those with the release mark that is not paused again until `last`.
///
/// Where there is a bucket the override in it counts, as for the daemon.
pub async fn find(
    marked: &[(&ConsumerId, Timestamp)],
    config: &Config,
    nats: &Nats,
    now: Timestamp,
    last: Timestamp,
) -> Option<Release> {
    let read = match Store::of(config) {
        None => None,
        // If the bucket cannot be read, whether they stay released is not known.
        Some(_) => Some(read_to_show(config, nats).await?),
    };
    let with_overrides = (read.as_ref()).map(|read| overridden(&config.policy, read, now));
    let policy = with_overrides.as_ref().unwrap_or(&config.policy);
    marked.iter().find_map(|&(id, release)| {
        let windows = policy.windows_of(&Candidate::named(id));
        let (until, by) = match read {
            Some(_) => by_override(&windows, now)?,
            None => (by_mark(policy, &windows, release, now)?, None),
        };
        let mut pauses = policy.pauses(id, &windows, until, last.max(until));
        (pauses.next().is_none()).then(|| Release {
            id: id.clone(),
            until,
            by,
        })
    })
}

/// Until when the override of a `recess resume` lets it run.
fn by_override(windows: &WindowSet, now: Timestamp) -> Option<(Timestamp, Option<OverrideId>)> {
    let overrides = windows.overridden_by(now, now);
    let resume = (overrides.iter()).find(|one| one.terms.verb == Verb::Resume)?;
    Some((resume.terms.until, Some(resume.id.clone())))
}

/// Until when the windows hold that held when it was released: so long the mark counts.
fn by_mark(
    policy: &Policy,
    windows: &WindowSet,
    release: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let counts = windows.hold_throughout(release, now);
    counts.then(|| windows.covered_until(now, policy.furthest_deadline(now)))
}
