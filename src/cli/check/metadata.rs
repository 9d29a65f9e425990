//! What consumers' metadata decides, as findings: which are exempt, and which stay paused although
//! they have lost the metadata that selected them.

use super::collect::Seen;
use super::live_finding::LiveFinding;
use crate::config::Severity;
use crate::consumer::ConsumerId;
use crate::plan::Rule;
use crate::policy::{ExemptKey, Selection};
use crate::text::{self, utc};
use crate::visible::visible;

/// So many consumers are named in a note.
const SHOWN: usize = 5;

/// What is doubtful about metadata.
pub fn findings(seen: &Seen) -> Vec<LiveFinding> {
    let report = &seen.report;
    let key = report.policy.exempt().map_or("", ExemptKey::as_str);
    let odd = (report.rows.iter())
        .filter(|(_, row)| row.windows.exempt().is_some_and(|exempt| exempt.is_odd))
        .map(|(id, _)| {
            let message = format!(
                "its metadata value of {} is not true, false or an RFC 3339 time, and counts as \
                 true: no window pauses it",
                visible(key)
            );
            LiveFinding::consumer(Severity::Warning, "odd-exempt", id, &message)
                .hint("correct the value, or remove the key to let windows pause it")
        });
    let lost = (report.rows.iter())
        .filter(|(_, row)| row.rule == Rule::LabelsLost)
        .map(|(id, row)| {
            let until = row.desired.until().map_or_else(String::new, utc);
            let windows: Vec<&str> = (row.windows.unmatched().iter())
                .map(|window| &*window.name)
                .collect();
            let message = format!(
                "its metadata does not match `where` of window {}, and it is paused by recess \
                 until {until}: it stays so until then",
                windows.join(", ")
            );
            let hint = format!(
                "restore its metadata; `recess resume {}` resumes it now",
                visible(&id.path())
            );
            LiveFinding::consumer(Severity::Warning, "labels-lost", id, &message).hint(&hint)
        });
    odd.chain(lost).collect()
}

/// Who is exempt, which its owner wants: no finding.
pub fn note(seen: &Seen) -> String {
    let report = &seen.report;
    let exempt: Vec<&ConsumerId> = (report.rows.iter())
        .filter(|(_, row)| row.windows.is_exempt(report.at))
        .map(|(id, _)| id)
        .collect();
    if exempt.is_empty() {
        return String::new();
    }
    format!(
        "note: exempt by metadata, so no window pauses them ({}): {}\n",
        exempt.len(),
        text::names(&exempt, SHOWN)
    )
}

/// What to do about a window that seems to name no consumer.
pub fn hint(selection: &Selection) -> Option<String> {
    selection.is_narrowed().then(|| {
        "check the spelling, and `where`: `recess explain STREAM/CONSUMER --live` shows the \
         metadata of one"
            .to_owned()
    })
}
