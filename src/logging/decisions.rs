//! Why what is done is done, or not: each new decision of each consumer, at debug level.

use std::collections::HashMap;

use tracing::{Level, debug, enabled};

use crate::consumer::ConsumerId;
use crate::plan::Rule;
use crate::report::Report;

/// The rule of each consumer's newest decision. Empty where nobody listens.
#[derive(Debug, Default)]
pub(super) struct DecisionsTold(HashMap<ConsumerId, Rule>);

impl DecisionsTold {
    pub fn tell(&mut self, report: &Report) {
        if !enabled!(Level::DEBUG) {
            return;
        }
        self.0.retain(|id, _| report.rows.contains_key(id));
        for (id, row) in report.rows.iter() {
            if self.0.insert(id.clone(), row.rule) != Some(row.rule) {
                debug!(
                    stream = id.stream(),
                    consumer = id.consumer(),
                    rule = row.rule.as_str(),
                    "{id}: {} by rule {}",
                    row.verdict,
                    row.rule
                );
            }
        }
    }
}
