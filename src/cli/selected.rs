//! The consumers of a command that selects them as a window does.
//!
//! A selector that matches nothing is an error of the operator, and nothing is sent until it is
//! correct.

use super::Exit;
use crate::config::closest;
use crate::consumer::{Candidate, ConsumerId, Found, LabelKeys};
use crate::jetstream::{JetStream, Listing};
use crate::observe::Observed;
use crate::policy::{Interest, Selection, Selector};
use crate::report::Why;
use crate::text;
use crate::visible::visible;

/// So many consumers of a stream are named where none is near what was written.
const MAX_CONSUMERS_SUGGESTED: usize = 5;

/// One selector on the command line.
pub fn parse(text: &str) -> Result<Selector, String> {
    // As consumers are shown to people, and as the `nats` command shows them.
    let path = match text.contains('/') {
        true => text.to_owned(),
        false => text.replacen(" > ", "/", 1),
    };
    Selector::parse(&path).map_err(|error| {
        format!("{error}; write it as in ORDERS/billing, 'ORDERS/*' or '!ORDERS/audit'")
    })
}

/// What is said of globs and names in the help of each command that takes selectors.
pub const GLOBS: &str = "Wildcards are *, ?, [abc] and {one,two}. They match durable consumers \
                         only: name any other exactly. The name of an existing consumer is never a \
                         wildcard: 'ORDERS/a[1]' is that consumer if it exists. In brackets a \
                         wildcard is a letter: 'ORDERS/a[[]1]' is ORDERS/a[1].";

/// Reads as a name what is the name of a consumer that exists, though it could be a glob.
pub async fn prefer_names<J: JetStream>(
    jetstream: &J,
    selectors: Vec<Selector>,
) -> Result<Vec<Selector>, Exit> {
    let mut read = Vec::new();
    for selector in selectors {
        let Some(id) = selector.literal() else {
            read.push(selector);
            continue;
        };
        match jetstream.info(&id, &LabelKeys::default()).await {
            Ok(sample) if sample.found == Found::Missing => read.push(selector),
            Ok(_) => read.push(selector.read_as_name()),
            Err(error) => {
                super::complain(format!(
                    "error: cannot find out whether `{}` is a consumer's name or a wildcard: \
                     {error}",
                    visible(selector.as_str())
                ));
                return Err(Exit::Failed);
            }
        }
    }
    Ok(read)
}

/// Interest in the consumers that these select.
pub fn interest(selectors: Vec<Selector>) -> Result<Interest, String> {
    if selectors.iter().all(Selector::is_negated) {
        return Err("all selectors exclude (`!`), so none selects a consumer".to_owned());
    }
    Ok(Interest::of(Selection::new(selectors)))
}

/// Complains of each selector that matches no consumer, with what may have been meant. True where
/// there is one.
pub async fn some_match_nothing<J: JetStream>(
    jetstream: &J,
    interest: &Interest,
    observed: &Observed,
) -> bool {
    let existing: Vec<(&ConsumerId, &Found)> = (observed.found.iter())
        .filter(|(_, sample)| sample.found != Found::Missing)
        .map(|(id, sample)| (id, &sample.found))
        .collect();
    let is_unmatched = |selector: &&Selector| {
        // Of one that could not be asked about nothing is known.
        let open = selector.exact().is_some_and(|id| observed.leaves_open(&id));
        let alone = interest.of_one((*selector).clone());
        let matches = |(id, found): &(&ConsumerId, &Found)| {
            alone.includes(&Candidate::found(id, found))
                || (selector.is_negated() && selector.matches(id))
        };
        !open && !existing.iter().any(matches)
    };
    let unmatched: Vec<&Selector> = interest.selectors().filter(is_unmatched).collect();
    for selector in &unmatched {
        let passed_over: Vec<(&ConsumerId, &Found)> = (existing.iter().copied())
            .filter(|(id, _)| selector.exact().is_none() && selector.matches(id))
            .collect();
        let hint = match passed_over[..] {
            [] => hint(jetstream, selector).await,
            [(id, found)] => Some(format!(
                "{id} is {}, so wildcards leave it out: name it exactly to include it",
                what([found])
            )),
            _ => Some(format!(
                "{} are {}, so wildcards leave them out: name each exactly to include it",
                text::names(passed_over.iter().map(|(id, _)| *id), 1),
                what(passed_over.iter().map(|(_, found)| *found))
            )),
        };
        let hint = hint.map_or_else(String::new, |hint| format!(": {hint}"));
        super::complain(format!(
            "error: no consumer matches {}{hint}",
            visible(selector.as_str())
        ));
    }
    !unmatched.is_empty()
}

/// What globs leave consumers out for.
fn what<'f>(found: impl IntoIterator<Item = &'f Found>) -> &'static str {
    let mut seen = found.into_iter().filter_map(Found::observation);
    match seen.all(|seen| Why::of(seen) == Why::Exempt) {
        true => "exempt by metadata",
        false => "not durable",
    }
}

/// What may have been meant by a selector that matches no consumer.
pub async fn hint<J: JetStream>(jetstream: &J, selector: &Selector) -> Option<String> {
    let (stream, consumer) = selector.as_str().trim_start_matches('!').split_once('/')?;
    let not = if selector.is_negated() { "!" } else { "" };
    let streams = jetstream.stream_names().await.ok()?.entries;
    if selector.exact_stream().is_none() {
        let looked_in = streams.iter().filter(|name| selector.may_match_in(name));
        return Some(match looked_in.count() {
            0 => format!("none of the {} streams matches", streams.len()),
            _ => "wildcards match durable consumers only".to_owned(),
        });
    }
    if !streams.iter().any(|name| name == stream) {
        let near = closest(stream, streams.iter().map(String::as_str));
        return Some(match near {
            Some(near) => {
                let near = visible(near);
                format!("there is no stream {stream}; did you mean {not}{near}/{consumer}?")
            }
            None => format!("there is no stream {stream}"),
        });
    }
    let Listing { entries, .. } = jetstream.list(stream, &LabelKeys::default()).await.ok()??;
    let names: Vec<&str> = entries.iter().map(|entry| entry.id.consumer()).collect();
    if selector.exact().is_some()
        && let Some(near) = closest(consumer, names.iter().copied())
    {
        return Some(format!("did you mean {not}{stream}/{}?", visible(near)));
    }
    let shown: Vec<_> = names
        .iter()
        .take(MAX_CONSUMERS_SUGGESTED)
        .map(|name| visible(name))
        .collect();
    Some(match names.len() {
        0 => format!("stream {stream} has no consumers"),
        count if count <= MAX_CONSUMERS_SUGGESTED => {
            format!("stream {stream} has {}", shown.join(", "))
        }
        count => format!(
            "stream {stream} has {count} consumers, among them {}",
            shown.join(", ")
        ),
    })
}
