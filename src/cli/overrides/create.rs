//! `recess overrides create`: makes the bucket.

use super::CreateArgs;
use super::store::{Store, failed};
use crate::cli::{Exit, complain, connection, print};
use crate::config::Severity;
use crate::jetstream::bucket::judge::judge;
use crate::jetstream::nats::Made;

pub fn execute(args: &CreateArgs) -> Exit {
    let (config, store) = match Store::load(&args.config) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let replicas = usize::from(args.replicas);
    let made = crate::cli::block_on(async {
        let (nats, _advisories) = connection::connect(&config).await?;
        let made = nats.create_bucket(&store.bucket, replicas).await;
        made.map_err(failed)
    });
    let name = store.bucket.name();
    let settings = match made {
        Ok(Made::Created) => {
            return print(&format!(
                "Bucket {name} was created ({}).\n",
                match replicas {
                    1 => "1 replica".to_owned(),
                    count => format!("{count} replicas"),
                }
            ));
        }
        Ok(Made::Exists(settings)) => settings,
        Err(exit) => return exit,
    };
    let faults = judge(Some(&settings), &store.bucket, replicas);
    if faults.is_empty() {
        return print(&format!("Bucket {name} exists and is as it should be.\n"));
    }
    for fault in &faults {
        let severity = fault.severity.as_str();
        complain(format!(
            "{severity}: bucket {name}: {}; {}",
            fault.message, fault.hint
        ));
    }
    let is_unfit = faults.iter().any(|fault| fault.severity == Severity::Error);
    match is_unfit {
        true => Exit::Failed,
        false => Exit::Done,
    }
}
