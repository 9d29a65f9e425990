//! What `check --live` asks beyond one observation of the daemon's. It changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::bucket::BucketSeen;
use crate::cli::overrides::store::Store;
use crate::cli::{Exit, live, selected};
use crate::config::Config;
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::nats::Nats;
use crate::jetstream::{Link, RequestError};
use crate::policy::{Policy, Selector};
use crate::report::Report;
use crate::retention::{ConsumerDetails, StreamSeen};

/// The time between two observations of a stream: what arrives meanwhile is its inflow.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// For so many selectors is it asked what may have been meant: each costs up to two lists.
const MOST_SUGGESTIONS: usize = 20;

/// All that the server reported.
pub struct Seen {
    /// What the daemon would see.
    pub report: Report,
    /// Who may not be paused.
    pub closed: Vec<(ConsumerId, RequestError)>,
    /// The consumers that windows match, as they are configured.
    pub consumers: BTreeMap<ConsumerId, Result<ConsumerDetails, RequestError>>,
    /// What may have been meant by selectors that match no consumer, by their text.
    pub meant: BTreeMap<String, String>,
    /// The streams of the consumers.
    pub streams: BTreeMap<String, Result<StreamSeen, RequestError>>,
    /// The bucket of overrides, if the file names one.
    pub bucket: Option<BucketSeen>,
}

pub fn collect(config: Config, wall: fn() -> Timestamp) -> Result<Seen, Exit> {
    let most = config.settings.controller.max_in_flight;
    let policy = config.policy.clone();
    let store = Store::of(&config);
    live::ask(config, wall, async move |nats, report| {
        let in_flight = report.link.in_flight(most);
        let there: BTreeSet<ConsumerId> = (report.rows.iter())
            .filter(|(_, row)| !row.windows.is_empty() && row.found.observation().is_some())
            .map(|(id, _)| id.clone())
            .collect();
        // There even a pause that is refused can crash the server.
        let crash_prone = matches!(&report.link, Link::Up(server) if server.crash_prone);
        let closed = match crash_prone {
            true => Vec::new(),
            false => probe_permission(&nats, &there, in_flight).await,
        };
        Seen {
            closed,
            consumers: consumers(&nats, &there, in_flight).await,
            meant: meant(&nats, &unmatched(&policy, &report)).await,
            streams: streams(&nats, &there, in_flight).await,
            bucket: match store {
                Some(store) => Some(BucketSeen::of(store, &nats).await),
                None => None,
            },
            report,
        }
    })
}

/// Asks about each of these, so many at a time.
async fn ask_each<T: Clone + Ord, A>(
    subjects: &BTreeSet<T>,
    in_flight: usize,
    ask: impl AsyncFn(&T) -> A,
) -> BTreeMap<T, A> {
    stream::iter(subjects)
        .map(async |subject| (subject.clone(), ask(subject).await))
        .buffer_unordered(in_flight)
        .collect()
        .await
}

/// The selectors that match no consumer, the first few. None if not all could be observed.
fn unmatched<'p>(policy: &'p Policy, report: &Report) -> Vec<&'p Selector> {
    if report.pass.as_ref().is_none_or(|pass| !pass.is_ok()) {
        return Vec::new();
    }
    let matches_one = |selector: &Selector| {
        let mut rows = report.rows.iter();
        rows.any(|(id, row)| row.found != Found::Missing && selector.matches(id))
    };
    let all = policy
        .windows()
        .iter()
        .flat_map(|window| window.selection.selectors());
    let unmatched = all.filter(|selector| !selector.is_negated() && !matches_one(selector));
    unmatched.take(MOST_SUGGESTIONS).collect()
}

async fn meant(nats: &Nats, unmatched: &[&Selector]) -> BTreeMap<String, String> {
    let mut meant = BTreeMap::new();
    for selector in unmatched {
        if let Some(hint) = selected::hint(nats, selector).await {
            meant.insert(selector.as_str().to_owned(), hint);
        }
    }
    meant
}

/// Which consumers may not be paused: the server judges a request that it cannot read, and so
/// pauses nothing.
async fn probe_permission(
    nats: &Nats,
    there: &BTreeSet<ConsumerId>,
    in_flight: usize,
) -> Vec<(ConsumerId, RequestError)> {
    let answers = ask_each(there, in_flight, async |id| nats.may_pause(id).await).await;
    (answers.into_iter())
        .filter_map(|(id, answer)| Some((id, answer.err()?)))
        .collect()
}

/// A consumer that was deleted meanwhile is left out.
async fn consumers(
    nats: &Nats,
    there: &BTreeSet<ConsumerId>,
    in_flight: usize,
) -> BTreeMap<ConsumerId, Result<ConsumerDetails, RequestError>> {
    let answers = ask_each(there, in_flight, async |id| nats.consumer_details(id).await).await;
    (answers.into_iter())
        .filter_map(|(id, answer)| Some((id, answer.transpose()?)))
        .collect()
}

/// The consumers' streams, those with limits twice.
async fn streams(
    nats: &Nats,
    there: &BTreeSet<ConsumerId>,
    in_flight: usize,
) -> BTreeMap<String, Result<StreamSeen, RequestError>> {
    let ask = async |names: &BTreeSet<String>| {
        let details = async |name: &String| nats.stream_details(name).await;
        ask_each(names, in_flight, details).await
    };
    let names = there.iter().map(|id| id.stream().to_owned()).collect();
    let seen_first = |first| StreamSeen {
        first,
        second: None,
    };
    let mut seen: BTreeMap<_, _> = (ask(&names).await.into_iter())
        .filter_map(|(name, answer)| Some((name, answer.transpose()?.map(seen_first))))
        .collect();
    let limited: BTreeSet<String> = (seen.iter())
        .filter(|(_, stream)| stream.as_ref().is_ok_and(|seen| seen.first.is_limited()))
        .map(|(name, _)| name.clone())
        .collect();
    if limited.is_empty() {
        return seen;
    }
    tokio::time::sleep(BETWEEN_LOOKS).await;
    for (name, answer) in ask(&limited).await {
        if let (Some(Ok(stream)), Ok(second)) = (seen.get_mut(&name), answer) {
            stream.second = second;
        }
    }
    seen
}
