//! The consumers of a window, counted.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::consumer::{ConsumerId, Found, Owner};
use crate::report::{Report, Row};
use crate::retention::Loss;

/// So many are named: an event must fit into a message, and a window may have thousands.
pub const MAX_NAMES_IN_EVENT: usize = 100;

/// The consumers of a window: their names, and how many are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowConsumers {
    /// The first of them.
    pub names: Vec<ConsumerId>,
    /// How many of them are in which state.
    pub counts: Counts,
    contested: Vec<ConsumerId>,
    at_risk: Vec<(ConsumerId, Loss)>,
    released_before_loss: Vec<ConsumerId>,
}

/// How many there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All that exist, as far as is known.
    pub consumers: usize,
    /// Paused, whichever client did it.
    pub paused: usize,
    /// Paused by another client.
    pub foreign: usize,
    /// Released from the pause that their windows want.
    pub released: usize,
    /// Named, and not there.
    pub missing: usize,
    /// Those of which nothing can be learned.
    pub unknown: usize,
    /// Those that do not count their messages in flight.
    pub uncounted: usize,
    /// Messages in flight.
    pub in_flight: u64,
    /// Messages that wait.
    pub pending: u64,
}

impl WindowConsumers {
    /// Those of each window that has any, by its name. Who is exempt is none of them.
    pub fn of_all(report: &Report) -> HashMap<Arc<str>, Self> {
        let mut windows: HashMap<Arc<str>, Self> = HashMap::new();
        let rows = report.rows.iter();
        for (id, row) in rows.filter(|(_, row)| !row.windows.is_exempt(report.at)) {
            for window in row.windows.iter() {
                let consumers = windows.entry(window.name.clone()).or_default();
                consumers.add(id, row, report);
            }
        }
        windows
    }

    fn add(&mut self, id: &ConsumerId, row: &Row, report: &Report) {
        if self.names.len() < MAX_NAMES_IN_EVENT {
            self.names.push(id.clone());
        }
        if row.contested {
            self.contested.push(id.clone());
        }
        if let Some(loss) = row.backlog.losses().to_come {
            self.at_risk.push((id.clone(), loss));
        }
        if row.is_released_before_loss(report.mark()) {
            self.released_before_loss.push(id.clone());
        }
        let counts = &mut self.counts;
        counts.released += usize::from(row.is_released());
        counts.consumers += usize::from(row.found != Found::Missing);
        match &row.found {
            Found::Missing => counts.missing += 1,
            Found::Unknown => counts.unknown += 1,
            Found::Present(seen) => {
                let paused_by = seen.state.paused_by(report.mark());
                counts.paused += usize::from(paused_by.is_some());
                counts.foreign += usize::from(paused_by == Some(Owner::Foreign));
                counts.uncounted += usize::from(!seen.counted);
                counts.in_flight += seen.ack_pending;
                counts.pending += seen.pending;
            }
        }
    }

    /// Whether there are any, and all were seen paused.
    pub fn is_paused(&self) -> bool {
        self.counts.consumers > 0 && self.counts.paused == self.counts.consumers
    }

    /// Whether all are paused, and no message is in flight, as far as that can be known of all of
    /// them.
    pub fn is_drained(&self) -> bool {
        self.is_paused() && self.counts.uncounted == 0 && self.counts.in_flight == 0
    }

    /// Those that recess leaves alone, as another client overrides its pauses.
    pub fn contested(&self) -> &[ConsumerId] {
        &self.contested
    }

    /// Those that come to a loss before their pause should end, and which.
    pub fn at_risk(&self) -> &[(ConsumerId, Loss)] {
        &self.at_risk
    }

    /// Those that were released before messages were lost.
    pub fn released_before_loss(&self) -> &[ConsumerId] {
        &self.released_before_loss
    }
}
