//! Overrides that were made, undone or have ended, as events: `PREFIX.INSTANCE.override.KIND`.

use serde::Serialize;

use super::{CloudEvent, Event, seconds, source, token};
use crate::changes::OverrideChange;
use crate::policy::{Override, OverrideId, Terms};
use crate::report::Report;

#[derive(Serialize)]
struct Data<'e> {
    id: String,
    by: Option<&'e str>,
    reason: Option<&'e str>,
    #[serde(flatten)]
    terms: Option<TermsData<'e>>,
}

/// What was decided.
#[derive(Serialize)]
struct TermsData<'e> {
    verb: &'static str,
    effect: &'static str,
    window: Option<&'e str>,
    consumers: Option<Vec<&'e str>>,
    from: String,
    until: String,
}

impl<'e> TermsData<'e> {
    fn of(terms: &'e Terms) -> Self {
        Self {
            verb: terms.verb.as_str(),
            effect: terms.effect.as_str(),
            window: terms.target.window(),
            consumers: terms.target.selectors(),
            from: seconds(terms.from),
            until: seconds(terms.until),
        }
    }
}

/// The event of what happened to an override.
pub(super) fn of(report: &Report, change: &OverrideChange, prefix: &str) -> Option<Event> {
    let whole = |one: &Override| (one.id.clone(), Some(one.terms.clone()));
    let (kind, (id, terms), by, reason) = match change {
        OverrideChange::Made(made) => {
            let by = Some(made.id.author().to_owned());
            let reason = made.terms.reason.as_deref().map(str::to_owned);
            ("made", whole(made), by, reason)
        }
        OverrideChange::Undone(undone) => {
            let was = undone.was.as_ref().map(|was| was.terms.clone());
            let undoing = undone.undoing.clone();
            let of = (undone.id.clone(), was);
            ("undone", of, undoing.by, undoing.reason)
        }
        OverrideChange::Gone(gone) => ("undone", whole(gone), None, None),
        OverrideChange::Ended(ended) => {
            let by = Some(ended.id.author().to_owned());
            ("ended", whole(ended), by, None)
        }
        OverrideChange::Found(_)
        | OverrideChange::Unreadable(_)
        | OverrideChange::BucketMissing(_)
        | OverrideChange::BucketUnread { .. }
        | OverrideChange::BucketRead(_) => return None,
    };
    let instance = report.policy.instance();
    let of_event = event_id(instance, &id, kind);
    let event = CloudEvent {
        specversion: "1.0",
        id: of_event.clone(),
        source: source(instance),
        kind: format!("recess.override.{kind}"),
        subject: &id.to_string(),
        time: format!("{:.3}", report.at),
        datacontenttype: "application/json",
        data: Data {
            id: id.to_string(),
            by: by.as_deref(),
            reason: reason.as_deref(),
            terms: terms.as_ref().map(TermsData::of),
        },
    };
    Some(Event {
        id: of_event,
        subject: format!("{prefix}.{}.override.{kind}", token(instance)),
        // Nothing in it can fail to be JSON.
        payload: serde_json::to_vec(&event).unwrap_or_default(),
    })
}

/// The same for every copy of recess that reports it.
fn event_id(instance: &str, id: &OverrideId, kind: &str) -> String {
    format!("{instance}/override/{id}/{kind}")
}
