//! Lines about what people decide at run time.

use jiff::Timestamp;
use tracing::{info, warn};

use super::words::local;
use crate::changes::OverrideChange;
use crate::jetstream::bucket::BucketError;
use crate::overrides::entry::{Undone, Unreadable};
use crate::policy::{Effect, Override, Target};
use crate::report::Report;
use crate::text::utc;
use crate::visible::visible;

pub(super) fn line(report: &Report, change: &OverrideChange) {
    match change {
        OverrideChange::Made(one) => made(report, one),
        OverrideChange::Found(one) => found(report, one),
        OverrideChange::Undone(one) => undone(report, one),
        OverrideChange::Gone(one) => gone(report, one),
        OverrideChange::Ended(one) => ended(report, one),
        OverrideChange::Unreadable(one) => unreadable(one),
        OverrideChange::BucketMissing(bucket) => bucket_missing(bucket),
        OverrideChange::BucketUnread {
            bucket,
            error,
            read_before,
        } => bucket_unread(bucket, error, *read_before),
        OverrideChange::BucketRead(bucket) => bucket_read(bucket),
    }
}

fn made(report: &Report, one: &Override) {
    info!(
        r#override = %one.id,
        by = one.id.author(),
        reason = one.terms.reason.as_deref(),
        window = window(one),
        "override {} made: {}{}",
        one.id,
        what(report, one),
        because(one)
    );
}

fn found(report: &Report, one: &Override) {
    info!(
        r#override = %one.id,
        by = one.id.author(),
        reason = one.terms.reason.as_deref(),
        window = window(one),
        "override {} in force: {}{}",
        one.id,
        what(report, one),
        because(one)
    );
}

fn undone(report: &Report, undone: &Undone) {
    let by = undone.undoing.by.as_deref();
    let reason = undone.undoing.reason.as_deref();
    let who = by.map_or_else(String::new, |by| format!(" by {}", visible(by)));
    let why = reason.map_or_else(String::new, |why| format!(": {}", visible(why)));
    let was = undone.was.as_ref();
    info!(
        r#override = %undone.id,
        by,
        reason,
        window = was.and_then(window),
        "override {} undone{who}{why}{}",
        undone.id,
        was.map_or_else(String::new, |was| format!("; it was: {}", what(report, was)))
    );
}

fn gone(report: &Report, one: &Override) {
    warn!(
        r#override = %one.id,
        by = one.id.author(),
        window = window(one),
        "override {} deleted from the bucket: it no longer applies; it was: {}",
        one.id,
        what(report, one)
    );
}

fn ended(report: &Report, one: &Override) {
    info!(
        r#override = %one.id,
        by = one.id.author(),
        window = window(one),
        "override {} ended; it was: {}",
        one.id,
        what(report, one)
    );
}

fn unreadable(unreadable: &Unreadable) {
    warn!(
        "override {} ignored: {}; `recess undo` or `nats kv purge` removes it",
        visible(&unreadable.id),
        visible(&unreadable.reason)
    );
}

fn bucket_missing(bucket: &str) {
    warn!(
        "overrides: bucket {bucket} does not exist, so there are none; `recess overrides create` creates it"
    );
}

fn bucket_unread(bucket: &str, error: &BucketError, read_before: bool) {
    let meanwhile = if read_before {
        "those read before stay in force"
    } else {
        "no pause is ended until they are read, none is begun for 10 s"
    };
    warn!("overrides: bucket {bucket} not read: {error}; {meanwhile}; retrying in 5 s");
}

fn bucket_read(bucket: &str) {
    info!("overrides: bucket {bucket} read again");
}

fn window(one: &Override) -> Option<&str> {
    one.terms.target.window()
}

/// Of which target it says what, from when until when.
fn what(report: &Report, one: &Override) -> String {
    let terms = &one.terms;
    let time = |at: Timestamp| match window(one) {
        Some(window) => local(report, window, at),
        None => utc(at),
    };
    let target = match (&terms.target, terms.effect) {
        (Target::Window(name), Effect::Pause) => format!("window {} open", visible(name)),
        (Target::Window(name), Effect::Run) => format!("window {} closed", visible(name)),
        (Target::Consumers(selection), effect) => {
            let selectors = selection.selectors().iter();
            let list: Vec<_> = selectors.map(|one| visible(one.as_str())).collect();
            let done = match effect {
                Effect::Pause => "paused",
                Effect::Run => "running",
            };
            format!("{} {done}", list.join(", "))
        }
    };
    let from = match terms.from > report.at {
        true => format!(" from {}", time(terms.from)),
        false => String::new(),
    };
    format!("{target}{from} until {}", time(terms.until))
}

fn because(one: &Override) -> String {
    let reason = one.terms.reason.as_deref();
    reason.map_or_else(String::new, |reason| format!("; {}", visible(reason)))
}
