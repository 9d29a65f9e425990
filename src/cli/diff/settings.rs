//! What is not a matter of times: which consumers a window names, and the settings that decide who
//! is paused until when.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Both;
use super::row::Row;
use crate::config::{self, Config};
use crate::policy::Window;
use crate::text;

pub const CONSUMERS: &str = "consumers";

pub const SETTINGS: &str = "settings";

/// A row for each setting of the file that differs.
pub fn of_file(old: &Config, new: &Config) -> Vec<Row> {
    let (old, new) = (config::effects(old), config::effects(new));
    let keys: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let side = |effects: &BTreeMap<&str, Value>, key: &str| match effects.get(key) {
        Some(value) => json!({ key: value }),
        None => Value::Null,
    };
    (keys.into_iter())
        .filter(|key| old.get(key) != new.get(key))
        .map(|key| Row {
            window: None,
            change: SETTINGS,
            old: side(&old, key),
            new: side(&new, key),
        })
        .collect()
}

/// What differs in a window beside its times. One that no longer pauses anything pauses no
/// consumer.
pub fn of_window(both: &Both<'_>, from: Timestamp) -> Vec<Row> {
    let live = |window: Option<&Window>| window.is_some_and(|window| holds_from(window, from));
    if !live(both.old) && !live(both.new) {
        return Vec::new();
    }
    let row = |change, old, new| Row {
        window: Some(both.name.to_owned()),
        change,
        old,
        new,
    };
    let mut rows = Vec::new();
    let selected = |window: &Window| -> BTreeSet<String> {
        let selectors = window.selection.selectors().iter();
        selectors.map(|one| one.as_str().to_owned()).collect()
    };
    // Neither their order nor how often one is named decides anything.
    if both.old.map(selected) != both.new.map(selected) {
        let side = |window: Option<&Window>| window.map_or(Value::Null, consumers);
        rows.push(row(CONSUMERS, side(both.old), side(both.new)));
    }
    if let (Some(old), Some(new)) = (both.old, both.new) {
        let settings = |window: &Window| {
            [
                ("resume_spread", text::span(window.resume_spread)),
                ("on_loss", window.on_loss.as_str().to_owned()),
            ]
        };
        let both = settings(old).into_iter().zip(settings(new));
        let differing = both.filter(|(old, new)| old != new);
        rows.extend(
            differing.map(|((key, old), (_, new))| {
                row(SETTINGS, json!({ key: old }), json!({ key: new }))
            }),
        );
        if old.selection.condition() != new.selection.condition() {
            rows.push(row(SETTINGS, condition(old), condition(new)));
        }
    }
    rows
}

/// A window's `where` as the file has it; null for none.
fn condition(window: &Window) -> Value {
    let condition = window.selection.some_condition();
    condition.map_or(Value::Null, |condition| json!({ "where": condition }))
}

fn consumers(window: &Window) -> Value {
    let selectors = window.selection.selectors().iter();
    let texts: Vec<&str> = selectors.map(|one| one.as_str()).collect();
    json!({ "consumers": texts })
}

/// Whether a window holds anybody at `from` or later.
fn holds_from(window: &Window, from: Timestamp) -> bool {
    window.open_at(from).is_some()
        || window.next_opening(from).is_some()
        || window.returning(from).is_some()
}
