//! Asking the server once, for the commands that need no daemon.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::overrides::store;
use super::{Exit, connection};
use crate::clock::Clock;
use crate::config::Config;
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::JetStream;
use crate::jetstream::nats::Nats;
use crate::observe::Scope;
use crate::reconcile::{Heartbeat, Reconciler};
use crate::report::{Pass, Report, Wake};

/// One observation and the decisions that follow from it. Nothing is sent that changes anything.
pub fn look(config: Config, wall: fn() -> Timestamp) -> Result<Report, Exit> {
    ask(config, wall, async |_, report| report)
}

/// The same, and what more there is to ask.
pub fn ask<T>(
    config: Config,
    wall: fn() -> Timestamp,
    then: impl AsyncFnOnce(Nats, Report) -> T,
) -> Result<T, Exit> {
    ask_about(None, config, wall, then)
}

/// What was seen of one consumer.
pub struct SeenAlone {
    pub report: Report,
    /// What was found of it, whether it has a row or not.
    pub found: Found,
}

/// One observation of one consumer, and the decision that follows from it. It has no row where no
/// window pauses it and it carries no pause of recess's: then what was found of it comes apart.
pub fn look_at(
    id: &ConsumerId,
    config: Config,
    wall: fn() -> Timestamp,
) -> Result<SeenAlone, Exit> {
    let only = Some([id.clone()].into());
    ask_about(only, config, wall, async |nats, report| {
        let found = match report.rows.get(id) {
            Some(row) => row.found.clone(),
            None => match nats.info(id, report.policy.label_keys()).await {
                Ok(sample) => sample.found,
                // It cannot be observed, which the report has as a failure already.
                Err(_) => Found::Unknown,
            },
        };
        SeenAlone { report, found }
    })
}

fn ask_about<T>(
    only: Option<BTreeSet<ConsumerId>>,
    config: Config,
    wall: fn() -> Timestamp,
    then: impl AsyncFnOnce(Nats, Report) -> T,
) -> Result<T, Exit> {
    super::block_on(async {
        let (nats, mut reconciler, pass) = observe_once(only, config, wall).await?;
        reconciler.read_limits(None).await;
        Ok(then(nats, reconciler.report(Some(pass), None)).await)
    })
}

/// One observation of everything, and the limits of the streams whose consumers a window pauses
/// before `until`. What could not be learned is reported.
pub fn ask_with<T>(
    config: Config,
    until: Timestamp,
    wall: fn() -> Timestamp,
    then: impl FnOnce(&Reconciler<Nats>) -> T,
) -> Result<T, Exit> {
    super::block_on(async {
        let (_nats, mut reconciler, pass) = observe_once(None, config, wall).await?;
        reconciler.read_limits(Some(until)).await;
        let report = reconciler.report(Some(pass), None);
        let failures = report.pass.iter().flat_map(|pass| &pass.failures);
        for failure in failures.chain(report.limits_unread.iter()) {
            super::complain(format!("warning: {failure}"));
        }
        Ok(then(&reconciler))
    })
}

async fn observe_once(
    only: Option<BTreeSet<ConsumerId>>,
    mut config: Config,
    wall: fn() -> Timestamp,
) -> Result<(Nats, Reconciler<Nats>, Pass), Exit> {
    config.settings.controller.dry_run = true;
    let (nats, _advisories) = connection::connect(&config).await?;
    let read = store::read_to_show(&config, &nats).await;
    let clock = Clock::new(wall);
    let config = Arc::new(config);
    let reconciler = Reconciler::new(nats.clone(), clock, config, Heartbeat::default());
    let mut reconciler = match read {
        Some(read) => reconciler.knowing(read),
        None => reconciler,
    };
    let scope = only.clone().map_or(Scope::All, Scope::Only);
    let mut pass = reconciler.pass(Wake::Connected, scope).await;
    // What has a row is known already: its whole stream need not be listed for it.
    let has_rows =
        |ids: &BTreeSet<ConsumerId>| ids.iter().all(|id| reconciler.rows().contains_key(id));
    let mut orphans = match &only {
        Some(only) if has_rows(only) => BTreeSet::new(),
        only => reconciler.sweep_once(only.as_ref()).await,
    };
    if let Some(only) = only {
        orphans.retain(|id| only.contains(id));
    }
    if !orphans.is_empty() {
        let more = reconciler.pass(Wake::Resync, Scope::Only(orphans)).await;
        pass.failures.extend(more.failures);
    }
    Ok((nats, reconciler, pass))
}
