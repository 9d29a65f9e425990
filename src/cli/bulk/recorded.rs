//! A bulk operation that is an override, too, where the config file has a bucket.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::TargetArgs;
use crate::bulk::Bulk;
use crate::cli::overrides::DAEMON_ACTS;
use crate::cli::overrides::store::{self, Store};
use crate::cli::{Exit, complain, print_error};
use crate::config::Config;
use crate::jetstream::nats::Nats;
use crate::overrides::command::{Command, Refusal};
use crate::plan::BulkOp;
use crate::policy::{Policy, Terms};

/// Between two observations of what a daemon does.
const LOOK: Duration = Duration::from_millis(100);

/// Where it is recorded, if it is, and why it is done.
pub type Noted = Option<(Store, Option<Arc<str>>)>;

pub fn noted(target: &TargetArgs, config: &Config) -> Result<Noted, Exit> {
    let file = &target.config.config;
    let Some(store) = Store::of(config) else {
        if target.note.reason.is_some() || target.note.author.is_some() {
            print_error(&format!(
                "note: it is not recorded, nor its reason and author: {} has no bucket in [overrides]",
                file.display()
            ));
        }
        return Ok(None);
    };
    let reason = store::reason(target.note.reason.as_deref(), config, file)?;
    Ok(Some((store, reason)))
}

/// The override that it makes; none where nothing would hold the consumers.
pub fn terms(command: &Command, policy: &Policy, now: Timestamp) -> Result<Option<Terms>, Exit> {
    match command.terms(policy, now) {
        Ok(terms) => Ok(Some(terms)),
        Err(Refusal::NothingHolds) => Ok(None),
        Err(refusal) => {
            complain(format!("error: {refusal}"));
            complain("nothing was sent");
            Err(Exit::Failed)
        }
    }
}

/// Observes until nothing is left to be sent, but no longer than a daemon is given to send it.
pub async fn leave_to_a_daemon(bulk: &mut Bulk<Nats>, op: BulkOp) {
    let acts = async {
        while bulk.calls_for_writes(op) {
            tokio::time::sleep(LOOK).await;
            bulk.survey().await;
        }
    };
    // Dropped in the middle, a survey has changed nothing.
    let _ = tokio::time::timeout(DAEMON_ACTS, acts).await;
}
