//! Seeing that consumers follow an override: by a daemon, or by this command where there is none
//! that does.
//!
//! Each pass is the daemon's own, by the same policy and overrides. For a second it only observes;
//! what is still to be sent then is sent by the same decisions, under the same mark.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::bulk::BulkResult;
use crate::clock::Clock;
use crate::config::Config;
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::bucket::BucketRead;
use crate::jetstream::nats::Nats;
use crate::observe::Scope;
use crate::plan::{Rule, Verdict};
use crate::policy::Desired;
use crate::reconcile::{Heartbeat, Reconciler};
use crate::report::{Row, Wake};

/// So long is a daemon given to act.
pub const DAEMON_ACTS: Duration = Duration::from_secs(1);

/// Without an end after so long, what is left will not come: longer than a Resume takes in a
/// cluster, and a write that timed out may still lie in a queue.
const GIVE_UP: Duration = Duration::from_secs(20);

/// Between two observations, but for the time that one takes.
const SHORTEST_REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_millis(500);

/// What is to be followed.
pub struct Follow<'f> {
    /// The connection.
    pub nats: &'f Nats,
    /// The config file.
    pub config: &'f Config,
    /// The bucket, with what was written to it.
    pub read: BucketRead,
    /// The system's wall clock.
    pub wall: fn() -> Timestamp,
}

/// What became of consumers.
#[derive(Debug, Default)]
pub struct Followed {
    /// As each was observed last.
    pub rows: BTreeMap<ConsumerId, Row>,
    /// Whether that is as wanted.
    pub results: BTreeMap<ConsumerId, BulkResult>,
}

impl Follow<'_> {
    /// Observes these until each is as wanted or cannot be, and sends what no daemon does. What is
    /// known so far is in `followed`, also where this is dropped.
    pub async fn through(&self, consumers: BTreeSet<ConsumerId>, followed: &mut Followed) {
        let clock = Clock::new(self.wall);
        let began = clock.now().uptime;
        let mut reconciler = self.reconciler(&clock, true);
        let mut acts = false;
        let mut waiting = consumers;
        while !waiting.is_empty() {
            let look = clock.now().uptime;
            let scope = Scope::Only(waiting.clone());
            reconciler.pass(Wake::Edge, scope).await;
            waiting.retain(|id| {
                let Some(row) = reconciler.rows().get(id) else {
                    followed.results.insert(id.clone(), BulkResult::Missing);
                    return false;
                };
                followed.rows.insert(id.clone(), row.clone());
                let result = judge(row, acts);
                let waits = result == BulkResult::Waiting;
                followed.results.insert(id.clone(), result);
                waits
            });
            let now = clock.now().uptime;
            if now.saturating_sub(began) > GIVE_UP {
                return give_up(&waiting, followed);
            }
            if !acts && now.saturating_sub(began) >= DAEMON_ACTS {
                acts = true;
                reconciler = self.reconciler(&clock, false);
                continue;
            }
            let rest = (now.saturating_sub(look) * 2).clamp(SHORTEST_REST, LONGEST_REST);
            tokio::time::sleep(rest).await;
        }
    }

    fn reconciler(&self, clock: &Clock, dry_run: bool) -> Reconciler<Nats> {
        let mut config = self.config.clone();
        config.settings.controller.dry_run |= dry_run;
        let config = Arc::new(config);
        let (nats, heartbeat) = (self.nats.clone(), Heartbeat::default());
        Reconciler::new(nats, clock.clone(), config, heartbeat).knowing(self.read.clone())
    }
}

/// Whether a consumer is as wanted, or will not be. `acts`: this command has sent what is to be
/// sent.
fn judge(row: &Row, acts: bool) -> BulkResult {
    if let (true, Some(problem)) = (acts, &row.problem)
        && problem.is_final()
    {
        return BulkResult::Failed((**problem).clone());
    }
    match (row.verdict, row.rule) {
        (Verdict::Missing, _) => BulkResult::Missing,
        // Another client's pause: it is left alone, and lasts no shorter than is wanted, or the
        // consumer is to run and that client says otherwise.
        (Verdict::Foreign, _) => BulkResult::Done,
        (verdict, _) if verdict.action().is_some() => BulkResult::Waiting,
        (Verdict::Unknown, _) | (_, Rule::Unconfirmed) => BulkResult::Waiting,
        (_, Rule::TooNear) => BulkResult::Done,
        _ => match (row.desired, row.found.is_paused()) {
            // It is about to deliver.
            (Desired::Running, true) => BulkResult::Waiting,
            // By a clock that is off nothing is begun.
            (Desired::Paused(_), false) if !row.is_released() => BulkResult::Waiting,
            (Desired::Running | Desired::Tail(_) | Desired::Paused(_), _) => BulkResult::Done,
        },
    }
}

fn give_up(waiting: &BTreeSet<ConsumerId>, followed: &mut Followed) {
    for id in waiting {
        let row = followed.rows.get(id);
        let problem = row.and_then(|row| row.problem.clone());
        let result = match (problem, row.map(|row| &row.found)) {
            (Some(problem), _) => BulkResult::Failed(*problem),
            (None, None | Some(Found::Unknown)) => BulkResult::Unknown,
            (None, Some(_)) => BulkResult::Unconfirmed,
        };
        followed.results.insert(id.clone(), result);
    }
}
