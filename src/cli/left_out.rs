//! What the commands say of those who are left out: on standard error, as the output may be for
//! programs.

use std::collections::BTreeSet;

use crate::consumer::ConsumerId;
use crate::policy::Selector;
use crate::report::LeftOut;
use crate::text::first_few;
use crate::visible::visible;

/// So many lines are printed, or names in one.
const SHOWN: usize = 5;

/// Says who is left out, and how to include them.
pub fn print(left_out: &LeftOut) {
    let (sentences, more) = first_few(left_out.sentences(), SHOWN);
    for sentence in sentences {
        super::print_error(&format!("note: {}", sentence.text));
    }
    if more > 0 {
        super::print_error(&format!("note: and {more} more like these"));
    }
}

/// Says which consumers belong to MQTT, key-value buckets or object stores, where none of those was
/// asked for.
pub fn print_strays<'a>(selectors: &[Selector], ids: impl Iterator<Item = &'a ConsumerId>) {
    let is_stray = |id: &&ConsumerId| {
        let mut matching = (selectors.iter())
            .filter(|selector| !selector.is_negated() && selector.matches(id))
            .peekable();
        matching.peek().is_some() && matching.all(|selector| selector.strays_into(id.stream()))
    };
    let strays: Vec<&ConsumerId> = ids.filter(is_stray).collect();
    let streams: BTreeSet<&str> = strays.iter().map(|id| id.stream()).collect();
    if streams.is_empty() {
        return;
    }
    let (mut names, more) = first_few(streams.into_iter().map(visible), SHOWN);
    if more > 0 {
        names.push(format!("{more} more").into());
    }
    let consumers = match strays.len() {
        1 => "1 consumer".to_owned(),
        count => format!("{count} consumers"),
    };
    super::print_error(&format!(
        "note: the selectors match {consumers} of MQTT, key-value buckets or object stores ({}); \
         to exclude them, add {}",
        names.join(", "),
        WITHOUT_STRAYS
    ));
}

/// What takes such streams away.
const WITHOUT_STRAYS: &str = "'!KV_*/*' '!OBJ_*/*' '!$MQTT_*/*'";
