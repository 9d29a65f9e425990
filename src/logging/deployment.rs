//! What is said of a reload that changes the deployment as a whole.

use std::sync::Arc;

use tracing::{info, warn};

use crate::consumer::Owner;
use crate::report::Report;

/// What the report before was made by.
#[derive(Debug, Default)]
pub(super) struct DeploymentTold(Option<Deployment>);

#[derive(Clone, Debug)]
struct Deployment {
    instance: Arc<str>,
    dry_run: bool,
}

impl DeploymentTold {
    pub fn tell(&mut self, report: &Report) {
        let now = Deployment {
            instance: report.policy.instance().into(),
            dry_run: report.dry_run,
        };
        let Some(before) = self.0.replace(now.clone()) else {
            return;
        };
        match (before.dry_run, now.dry_run) {
            (false, true) => warn!(
                "dry run switched on: recess sends nothing from now on; what it would send is logged"
            ),
            (true, false) => info!("dry run switched off: recess pauses and resumes from now on"),
            (false, false) | (true, true) => {}
        }
        if before.instance != now.instance {
            let paused = (report.rows.values()).filter(|row| {
                row.found.is_paused() && row.owner(report.mark()) == Some(Owner::Recess)
            });
            warn!(
                "instance renamed from {} to {}: consumers paused under the old name ({}) stay recess's until those pauses \
                 end; after a restart they would be foreign",
                before.instance,
                now.instance,
                paused.count()
            );
        }
    }
}
