//! Names in windows that no consumer has, with what may have been meant.

use super::collect::Seen;
use super::live_finding::LiveFinding;
use super::metadata;
use crate::config::{Config, Finding, Severity};
use crate::consumer::Found;

/// Names without a consumer, and requests without a reply.
pub fn names(config: &Config, seen: &Seen) -> Vec<LiveFinding> {
    let report = &seen.report;
    // A stream that could not be asked may hold what seems to be missing.
    let is_incomplete = report.pass.as_ref().is_some_and(|pass| !pass.is_ok());
    let meant = |selector: &str, otherwise: &str| {
        (seen.meant.get(selector)).map_or_else(|| otherwise.to_owned(), Clone::clone)
    };
    let narrowed = |window: &str| metadata::hint(&config.policy.window(window)?.selection);
    let missing = (report.rows.iter())
        .filter(|(_, row)| row.found == Found::Missing)
        .map(|(id, _)| {
            let spelling = meant(&id.path(), "check the spelling");
            LiveFinding::warning(
                "no-such-consumer",
                &format!("consumer {}", id.path()),
                "a window names it, but it does not exist",
                &format!("{spelling}; if it is created while the window is open, recess pauses it"),
            )
        });
    // Of a window that matches some consumer: its other selectors.
    let idle = (config.policy.windows().iter()).flat_map(|window| {
        let is_empty = (report.windows.iter())
            .any(|state| state.name == window.name && state.is_without_consumers());
        (window.selection.selectors().iter())
            .filter(move |selector| !is_empty && !is_incomplete && !selector.is_negated())
            .filter(|selector| selector.exact().is_none())
            .filter(|selector| !report.rows.keys().any(|id| selector.matches(id)))
            .map(|selector| {
                LiveFinding::warning(
                    "matches-nothing",
                    &format!("window {}", window.name),
                    &format!(
                        "its selector {:?} matches no existing consumer",
                        selector.as_str()
                    ),
                    &narrowed(&window.name).unwrap_or_else(|| {
                        meant(
                            selector.as_str(),
                            "check the spelling; `nats consumer ls STREAM` lists the names",
                        )
                    }),
                )
            })
    });
    let of_all = |name: &str| {
        let window = config.policy.window(name)?;
        let mut selectors = window.selection.selectors().iter();
        selectors.find_map(|selector| seen.meant.get(selector.as_str()).cloned())
    };
    let empty = (report.windows.iter())
        .filter(|window| window.is_without_consumers() && !is_incomplete)
        .map(|window| {
            LiveFinding::warning(
                "matches-nothing",
                &format!("window {}", window.name),
                "none of its selectors matches an existing consumer",
                &(narrowed(&window.name).or_else(|| of_all(&window.name))).unwrap_or_else(|| {
                    "wildcards match durable consumers only; `nats consumer ls STREAM` lists the \
                     names"
                        .to_owned()
                }),
            )
        });
    let unasked = (report.pass.iter().flat_map(|pass| &pass.failures)).map(|failure| {
        let message = failure.error.to_string();
        Finding::new(Severity::Error, "not-observed", &failure.subject, &message).into()
    });
    (missing.chain(empty).chain(idle)).chain(unasked).collect()
}
