//! A policy with what people decided at run time.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::on_consumers::OnConsumers;
use super::{Override, Policy, Selection, Target};

impl Policy {
    /// The same policy with these overrides, in any order, and no others. For questions about `now`
    /// or later: what named consumers and is over by then is left out, so that recess need not
    /// observe them for its sake.
    pub fn with_overrides(&self, overrides: &[Arc<Override>], now: Timestamp) -> Self {
        // One that let a consumer run may still be what cut its tail.
        let spreads = self.by_file.iter().map(|window| window.resume_spread);
        let memory = spreads.max().unwrap_or_default();
        let is_over = |one: &Override| {
            one.terms
                .until
                .checked_add(memory)
                .is_ok_and(|over| over <= now)
        };
        let mut of_windows: HashMap<&str, Vec<&Arc<Override>>> = HashMap::new();
        let mut on_consumers: Vec<(&Arc<Override>, &Selection)> = Vec::new();
        for one in overrides {
            match &one.terms.target {
                Target::Window(name) => of_windows.entry(name).or_default().push(one),
                Target::Consumers(_) if is_over(one) => {}
                Target::Consumers(selection) => on_consumers.push((one, selection)),
            }
        }
        on_consumers.sort_by_key(|(one, _)| one.sequence);
        let windows = (self.by_file.iter().zip(&self.windows)).map(|(by_file, current)| {
            match of_windows.get(&*by_file.name) {
                None => by_file.clone(),
                Some(overrides) if current.is_overridden_by(overrides) => current.clone(),
                Some(overrides) => Arc::new(by_file.overridden(overrides.iter().copied())),
            }
        });
        Self {
            windows: windows.collect(),
            overrides: overrides.into(),
            on_consumers: OnConsumers::of(&on_consumers, now),
            ..self.clone()
        }
    }

    /// The same policy where these overrides, which count no more, may have paused consumers that
    /// nothing else names.
    pub fn after_withdrawing(self, withdrawn: &[Arc<Override>], now: Timestamp) -> Self {
        Self {
            on_consumers: self.on_consumers.after_withdrawing(withdrawn, now),
            ..self
        }
    }

    /// The overrides that count, in any order.
    pub fn overrides(&self) -> &[Arc<Override>] {
        &self.overrides
    }
}
