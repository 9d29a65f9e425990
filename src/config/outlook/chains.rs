//! Windows that join into pauses longer than the longest pause: such a pause is renewed in steps by
//! a recess that lives.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::{SOON, later};
use crate::config::Config;
use crate::config::file::findings::{Finding, Place};
use crate::config::file::{code, raw};
use crate::consumer::{Candidate, ConsumerId};
use crate::policy::WindowSet;
use crate::text;

/// So many consumers are tried that two selectors may have in common; beyond, each selector's own
/// only.
const MOST_IN_COMMON: usize = 20_000;

/// So many sets of windows are walked through.
const MOST_SETS: usize = 500;

/// A finding for each set of windows that makes one, at the first of them.
pub(super) fn too_long(config: &Config, raw: &[raw::Window], now: Timestamp) -> Vec<Finding> {
    let policy = &config.policy;
    let limit = config.settings.controller.max_pause;
    let mut sets: HashSet<WindowSet> = HashSet::new();
    let mut reported: HashSet<WindowSet> = HashSet::new();
    let mut findings = Vec::new();
    // Every window of the policy stands in the file, in the same order.
    let places: HashMap<&str, &Place> = (policy.windows().iter().zip(raw))
        .map(|(window, raw)| (&*window.name, &raw.timing.place))
        .collect();
    for id in consumers(config) {
        if sets.len() >= MOST_SETS {
            break;
        }
        let windows = policy.windows_of(&Candidate::named(&id));
        if !sets.insert(windows.clone()) {
            continue;
        }
        let Some(pause) = policy.longer_pause(&id, &windows, limit, now, later(now, SOON)) else {
            continue;
        };
        if !reported.insert(pause.windows.clone()) {
            continue;
        }
        let Some((first, others)) = pause.windows.split_first() else {
            continue;
        };
        let Some(place) = places.get(&*first.name) else {
            continue;
        };
        let others: Vec<&str> = others.iter().map(|window| &*window.name).collect();
        let with = match others.as_slice() {
            [] => "its occurrences join into".to_owned(),
            _ => format!("together with {} it makes", others.join(", ")),
        };
        let long = pause.closes.duration_since(pause.from).unsigned_abs();
        let message = format!(
            "{with} a pause of {} from {}, longer than `max_pause`, {}",
            text::length(long),
            pause.from,
            text::span(limit)
        );
        let hint = "recess extends such a pause in steps, so it ends early if recess is down: \
                    leave a gap between them, or raise `max_pause` in [controller]";
        findings.push(place.warning(code::LONG_CHAIN, message).hint(hint));
    }
    findings
}

/// Consumers such as the file speaks of: for every set of windows that share consumers, most likely
/// one of those.
fn consumers(config: &Config) -> BTreeSet<ConsumerId> {
    let windows = config.policy.windows().iter();
    let examples: BTreeSet<ConsumerId> = (windows.flat_map(|window| window.selection.selectors()))
        .filter(|selector| !selector.is_negated())
        .filter_map(|selector| selector.example())
        .collect();
    let streams: BTreeSet<&str> = examples.iter().map(ConsumerId::stream).collect();
    let names: BTreeSet<&str> = examples.iter().map(ConsumerId::consumer).collect();
    if streams.len() * names.len() > MOST_IN_COMMON {
        return examples;
    }
    let all = streams
        .iter()
        .flat_map(|stream| (names.iter()).map(move |name| ConsumerId::new(stream, name)));
    all.collect()
}
