//! What windows that are open have to do with consumers that are to be resumed.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Bulk;
use crate::jetstream::JetStream;
use crate::plan::{ENDING, Hold};
use crate::policy::WindowSet;
use crate::report::Row;

impl<J: JetStream> Bulk<J> {
    /// What the windows have to do with each consumer now. A window counts if it is still open when
    /// a Release's deadline has passed. Thousands follow the same windows: they are asked once.
    pub fn holds(&self) -> impl FnMut(&Row) -> Hold {
        let (now, mark) = (self.server_now(), self.policy.mark());
        let released_by = now.checked_add(ENDING).unwrap_or(Timestamp::MAX);
        let mut open: HashMap<WindowSet, bool> = HashMap::new();
        move |row| {
            let windows = &row.windows;
            let is_open = (open.entry(windows.clone()))
                .or_insert_with(|| windows.hold_throughout(now, released_by));
            let stored = row
                .found
                .observation()
                .and_then(|seen| seen.state.deadline());
            // One that keeps messages may lie far ahead: then it is a pause still.
            let is_release = |until: Timestamp| {
                mark.is_release(until) || (mark.is_for_retention(until) && until <= released_by)
            };
            match stored.filter(|&until| is_release(until)) {
                _ if !*is_open => Hold::None,
                Some(until) if windows.hold_throughout(until, now) => Hold::Released,
                _ => Hold::Window,
            }
        }
    }
}
