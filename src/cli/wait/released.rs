//! Consumers that will not be paused while they are waited for: a person has released them, or recess
//! has before their stream drops messages.

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
    /// What released it.
    pub by: ReleasedBy,
}

/// What released a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleasedBy {
    /// A person: the override that says so; none where no bucket has it, and the consumer alone shows
    /// it.
    Person(Option<OverrideId>),
    /// recess, as `on_loss` is "release".
    Loss,
}

impl Release {
    /// What it means for the wait, and the fix.
    pub fn sentence(&self) -> String {
        let Self { id, until, by } = self;
        let fix = match by {
            ReleasedBy::Person(Some(by)) => format!("recess undo {by}"),
            ReleasedBy::Person(None) => {
                format!("recess pause {} --until {}", id.path(), utc(*until))
            }
            ReleasedBy::Loss => {
                return format!(
                    "{id} was released before its stream drops messages and runs until {}; a higher \
                     limit of the stream avoids that",
                    utc(*until)
                );
            }
        };
        format!(
            "{id} was released by `recess resume` and runs until {}; to pause it again: {fix}",
            utc(*until)
        )
    }
}

/// The deadline with a mark of a release that a consumer still has though it has passed.
pub fn mark_of(policy: &Policy, seen: &Observation) -> Option<Timestamp> {
    let mark = policy.mark();
    let is_release = |at: &Timestamp| mark.is_release(*at) || mark.is_for_retention(*at);
    match seen.state {
        PauseState::Lapsed { until } => Some(until).filter(is_release),
        PauseState::Running | PauseState::Paused { .. } => None,
    }
}

/// The first of those with the mark of a release that is not paused again until `last`.
///
/// Where there is a bucket the override in it counts, as for the daemon; the mark does where recess
/// has released one before a loss.
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
        let (until, by) = if policy.mark().is_for_retention(release) {
            let until = by_mark(policy, &windows, release, now)?;
            if windows.is_paused_since(release, now) {
                return None;
            }
            (until, ReleasedBy::Loss)
        } else if read.is_some() {
            let (until, by) = by_override(&windows, now)?;
            (until, ReleasedBy::Person(by))
        } else {
            let until = by_mark(policy, &windows, release, now)?;
            (until, ReleasedBy::Person(None))
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
