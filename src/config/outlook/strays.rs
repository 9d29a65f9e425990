//! Globs that hold for streams of all kinds, and so for those in which MQTT, key-value buckets and
//! object stores keep what they have: durable consumers of those are an MQTT client's
//! subscriptions, and are seldom meant.

use crate::config::file::findings::Finding;
use crate::config::file::{code, raw};
use crate::consumer::{Candidate, ConsumerId};
use crate::policy::Window;

/// A stream of each kind, as the servers and clients name them, and what takes it away.
const STRAYS: [(&str, &str); 3] = [
    ("$MQTT_sess", "!$MQTT_*/*"),
    ("KV_settings", "!KV_*/*"),
    ("OBJ_files", "!OBJ_*/*"),
];

/// A finding where a window's globs hold for such a stream, and nothing in it says that this is
/// meant.
pub(super) fn of_window(raw: &raw::Window, window: &Window) -> Option<Finding> {
    let selectors = window.selection.selectors();
    let strays: Vec<(&str, &str)> = (STRAYS.iter().copied())
        .filter(|(stream, _)| {
            let strays = (selectors.iter()).any(|selector| selector.strays_into(stream));
            // Any name: one that is asked for by itself is in no such stream.
            let any = ConsumerId::new(*stream, "any");
            strays && window.selection.selects(&Candidate::named(&any))
        })
        .collect();
    let place = &raw.consumers.given()?.place;
    let (first, _) = strays.first()?;
    let hints: Vec<String> = (strays.iter().map(|(_, without)| format!("{without:?}"))).collect();
    let message = format!(
        "a wildcard for all streams also matches those of MQTT, key-value buckets and object \
         stores, such as {first}"
    );
    let hint = format!("to exclude them, add {}", hints.join(", "));
    Some(place.warning(code::STRAYS, message).hint(hint))
}
