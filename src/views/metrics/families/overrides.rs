//! The families about overrides.

use super::super::family::{Family, Few, Values};
use super::{flag, seconds, size};
use crate::overrides::listed::State;
use crate::report::{BucketState, OverridesReport, Report};

pub const FAMILIES: &[Family] = &[
    Family::recess(
        "overrides_readable",
        "Whether the newest attempt to read the bucket of overrides succeeded; absent without one.",
        |report| Some(flag(known(report)?.state == BucketState::Read)),
    ),
    Family::recess(
        "overrides_read_timestamp_seconds",
        "When the bucket of overrides was last read.",
        |report| known(report)?.read_at.map(seconds),
    ),
    Family::recess(
        "overrides_unreadable",
        "Keys of the bucket that hold no override that recess can read.",
        |report| Some(size(known(report)?.read.unreadable.len())),
    ),
    Family::gauge(
        "overrides",
        "Overrides that have not ended.",
        &["state"],
        Values::Few(states),
    ),
    Family::gauge(
        "override_until_timestamp_seconds",
        "When an override that applies now ends.",
        &["by", "effect", "id", "target"],
        Values::Few(until),
    ),
];

/// What is known of overrides, if the config has a bucket.
fn known(report: Option<&Report>) -> Option<&OverridesReport> {
    report?.overrides.as_ref()
}

fn states(report: Option<&Report>) -> Few {
    let Some((report, overrides)) = report.zip(known(report)) else {
        return Few::new();
    };
    let count = |counted: State| {
        let live = overrides.read.live.iter();
        let states = live.map(|one| State::of(one, &report.policy, report.at));
        size(states.filter(|state| *state == counted).count())
    };
    let counted = State::COUNTED.into_iter();
    counted
        .map(|state| (vec![state.as_str().to_owned()], count(state)))
        .collect()
}

fn until(report: Option<&Report>) -> Few {
    let Some((report, overrides)) = report.zip(known(report)) else {
        return Few::new();
    };
    let live = overrides.read.live.iter();
    let active = live.filter(|one| State::of(one, &report.policy, report.at) == State::Active);
    active
        .map(|one| {
            let by = one.id.author().to_owned();
            let effect = one.terms.effect.as_str().to_owned();
            let labels = vec![by, effect, one.id.to_string(), one.terms.target.to_string()];
            (labels, seconds(one.terms.until))
        })
        .collect()
}
