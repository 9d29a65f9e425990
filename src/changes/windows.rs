//! Windows that open and close, by the calendar.

use std::collections::HashMap;

use super::Change;
use crate::report::{Report, WindowState};

pub(super) fn compare(before: Option<&Report>, after: &Report, changes: &mut Vec<Change>) {
    let mut known: HashMap<&str, &WindowState> = (before.iter())
        .flat_map(|before| &before.windows)
        .map(|window| (&*window.name, window))
        .collect();
    for window in &after.windows {
        compare_one(known.remove(&*window.name), window, changes);
    }
    // Those that are left, in the order of the file of before.
    for window in before.iter().flat_map(|before| &before.windows) {
        if let (true, Some(occurrence)) = (known.contains_key(&*window.name), window.open) {
            changes.push(Change::Removed {
                window: window.name.clone(),
                occurrence,
            });
        }
    }
}

fn compare_one(before: Option<&WindowState>, after: &WindowState, changes: &mut Vec<Change>) {
    let window = &after.name;
    if let Some(blank) = after.blank {
        changes.push(Change::Blank {
            window: window.clone(),
            // Either it was open when it was last seen, or the host slept through it.
            occurrence: before.and_then(|before| before.open.or(before.next)),
            blank,
        });
    }
    let was = before.and_then(|before| before.open);
    match (was, after.open) {
        (Some(was), Some(is)) if was.opens == is.opens => {
            if was.closes != is.closes {
                changes.push(Change::Rescheduled {
                    window: window.clone(),
                    occurrence: is,
                });
            }
        }
        (was, is) => {
            let goes_on = was.is_some() && is.is_some();
            changes.extend(was.map(|occurrence| Change::Closed {
                window: window.clone(),
                occurrence,
                next: after.next,
                goes_on,
            }));
            changes.extend(is.map(|occurrence| Change::Opened {
                window: window.clone(),
                occurrence,
                goes_on,
            }));
        }
    }
}
