//! The way to the model server: requests that take time, fail in every way a network knows, and are written down.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use recess::consumer::{ConsumerId, LabelKeys, PauseState};
use recess::jetstream::bucket::{BucketEnd, BucketError, BucketRead};
use recess::jetstream::{JetStream, Link, Listed, Listing, RequestError, Sample};
use recess::overrides::Bucket;
use recess::retention::StreamDetails;
use tokio::sync::watch;
use tokio::time::{Duration, sleep};

use crate::model::{Author, State, Write};
use crate::server::Server;
use crate::world::Host;

/// How long recess waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How likely what goes wrong, in percent, and how long what goes well takes.
#[derive(Clone)]
pub struct Weather {
    /// No answer comes in time. Half of such writes arrive nevertheless, at once or late.
    pub times_out: u64,
    pub refuses: u64,
    /// A cluster accepts a write and forgets it.
    pub loses: u64,
    pub advisories_lost: u64,
    pub advisory_delay: Range<u64>,
    /// Milliseconds for each way.
    pub latency: Range<u64>,
    /// Every change is also told as a creation, and twice.
    pub false_created: bool,
}

/// What goes wrong with one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    Refused,
    /// No answer comes; it never arrives.
    Dropped,
    /// No answer comes; it arrives after so many milliseconds.
    Unanswered(u64),
    /// A cluster accepts it and forgets it.
    Lost,
}

impl Weather {
    pub fn calm() -> Self {
        Self {
            times_out: 0,
            refuses: 0,
            loses: 0,
            advisories_lost: 0,
            advisory_delay: 0..1,
            latency: 0..1,
            false_created: false,
        }
    }
}

/// One request, as it left.
#[derive(Clone, Debug)]
pub struct Request {
    /// The true time.
    pub at: Timestamp,
    /// The time by the clock of the host.
    pub host: Timestamp,
    pub client: usize,
    pub what: What,
    pub fate: Fate,
    /// What this client was last told of the consumer.
    pub rests_on: Option<PauseState>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Names,
    Overrides,
    List(String),
    Info(ConsumerId),
    Limits(String),
    Pause(ConsumerId, Timestamp),
    Clear(ConsumerId),
}

impl What {
    pub fn written(&self) -> Option<(&ConsumerId, Option<Timestamp>)> {
        match self {
            Self::Pause(id, until) => Some((id, Some(*until))),
            Self::Clear(id) => Some((id, None)),
            Self::Names | Self::Overrides | Self::List(_) | Self::Info(_) | Self::Limits(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    UnderWay,
    Answered,
    Refused,
    TimedOut,
    Cut,
    /// The link was down: it never left.
    NotSent,
}

/// One recess's connection.
#[derive(Clone)]
pub struct Client {
    number: usize,
    server: Server,
    host: Host,
    told: Arc<Mutex<HashMap<ConsumerId, PauseState>>>,
}

impl Client {
    pub fn new(number: usize, server: &Server, host: &Host) -> Self {
        Self {
            number,
            server: server.clone(),
            host: host.clone(),
            told: Arc::default(),
        }
    }

    /// One request: the way there, what the server does, the way back. A cut ends it anywhere on the way.
    async fn ask<T>(
        &self,
        what: What,
        answer: impl FnOnce(&mut State, Timestamp) -> Result<T, u64>,
    ) -> Result<T, RequestError> {
        let write = what.written().map(|(id, deadline)| Write {
            id: id.clone(),
            deadline,
            by: Author::Recess(self.number),
        });
        let silent = self.server.state().is_silent(&what);
        let number = self.write_down(what);
        let under_way = UnderWay(self.server.clone());
        let mut link = self.server.link();
        let result = if self.server.is_up() {
            tokio::select! {
                biased;
                _ = link.changed() => Err((Fate::Cut, RequestError::Cut)),
                result = self.travel(write.clone(), silent, answer) => result,
            }
        } else {
            Err((Fate::NotSent, RequestError::NotConnected))
        };
        drop(under_way);
        let mut state = self.server.state();
        let fate = result
            .as_ref()
            .err()
            .map_or(Fate::Answered, |(fate, _)| *fate);
        if fate == Fate::Cut
            && state.chance.percent(50)
            && let Some(write) = write
        {
            // It had left before the cut. (Had it arrived already, it changes nothing.)
            let now = self.server.world.now();
            state.take_later(write, now);
        }
        state.note_fate(number, fate);
        result.map_err(|(_, error)| error)
    }

    async fn travel<T>(
        &self,
        write: Option<Write>,
        silent: bool,
        answer: impl FnOnce(&mut State, Timestamp) -> Result<T, u64>,
    ) -> Result<T, (Fate, RequestError)> {
        let (mishap, there, back) = {
            let mut state = self.server.state();
            let latency = state.weather.latency.clone();
            (
                state.mishap(write.is_some()),
                state.chance.milliseconds(latency.clone()),
                state.chance.milliseconds(latency),
            )
        };
        if silent || matches!(mishap, Some(Mishap::Dropped | Mishap::Unanswered(_))) {
            if let (Some(write), Some(Mishap::Unanswered(after))) = (write, mishap) {
                let at = self.server.world.now() + Duration::from_millis(after);
                self.server.state().take_later(write, at);
            }
            sleep(TIMEOUT).await;
            let error = RequestError::TimedOut {
                subject: "the model".to_owned(),
                milliseconds: TIMEOUT.as_millis(),
            };
            return Err((Fate::TimedOut, error));
        }
        sleep(there.max(Duration::from_micros(500))).await;
        let result = {
            let mut state = self.server.state();
            state.loses_this_one = mishap == Some(Mishap::Lost);
            match mishap {
                Some(Mishap::Refused) => Err(10008),
                _ => answer(&mut state, self.server.world.now()),
            }
        };
        self.server.something_is_due();
        if !back.is_zero() {
            sleep(back).await;
        }
        result.map_err(|code| {
            let description = "refused by the model".to_owned();
            let error = match code {
                10014 | 10059 => RequestError::Missing,
                code => RequestError::Refused { code, description },
            };
            (Fate::Refused, error)
        })
    }

    fn write_down(&self, what: What) -> usize {
        let rests_on = (what.written())
            .and_then(|(id, _)| self.told.lock().expect("no panic").get(id).copied());
        let mut state = self.server.state();
        state.requests.push(Request {
            at: self.server.world.now(),
            host: self.host.now(),
            client: self.number,
            what,
            fate: Fate::UnderWay,
            rests_on,
        });
        state.under_way += 1;
        state.most_under_way = state.most_under_way.max(state.under_way);
        state.forgotten + state.requests.len() - 1
    }

    fn remember(&self, id: &ConsumerId, sample: &Sample) {
        let mut told = self.told.lock().expect("no panic");
        match sample.found.observation() {
            Some(seen) => drop(told.insert(id.clone(), seen.state)),
            None => drop(told.remove(id)),
        }
    }
}

/// A request that is under way until its answer comes, or until nobody waits for it any more.
struct UnderWay(Server);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
    }
}

impl JetStream for Client {
    fn link(&self) -> watch::Receiver<Link> {
        self.server.link()
    }

    async fn stream_names(&self) -> Result<Listing<String>, RequestError> {
        self.ask(What::Names, |state, _| Ok(state.stream_names().into()))
            .await
    }

    async fn list(
        &self,
        stream: &str,
        keys: &LabelKeys,
    ) -> Result<Option<Listing<Listed>>, RequestError> {
        let what = What::List(stream.to_owned());
        let listed = self
            .ask(what, |state, now| Ok(state.list(stream, keys, now)))
            .await?;
        for entry in listed.iter().flatten() {
            self.remember(&entry.id, &entry.sample);
        }
        Ok(listed.map(Listing::from))
    }

    async fn info(&self, id: &ConsumerId, keys: &LabelKeys) -> Result<Sample, RequestError> {
        let what = What::Info(id.clone());
        let sample = self
            .ask(what, |state, now| Ok(state.info(id, keys, now)))
            .await?;
        self.remember(id, &sample);
        Ok(sample)
    }

    async fn stream(&self, name: &str) -> Result<Option<StreamDetails>, RequestError> {
        let what = What::Limits(name.to_owned());
        self.ask(what, |state, now| Ok(state.details(name, now)))
            .await
    }

    fn pause(
        &self,
        id: &ConsumerId,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), RequestError>> + Send {
        let what = What::Pause(id.clone(), until);
        self.write(what, id, Some(until))
    }

    fn clear(&self, id: &ConsumerId) -> impl Future<Output = Result<(), RequestError>> + Send {
        self.write(What::Clear(id.clone()), id, None)
    }

    async fn overrides(&self, bucket: &Bucket) -> Result<BucketRead, BucketError> {
        let answer = self.ask(What::Overrides, |state, _| Ok(state.bucket.read()));
        let read = answer.await.map_err(BucketError::Request)?;
        read.ok_or_else(|| BucketError::Missing {
            bucket: bucket.name().to_owned(),
        })
    }

    async fn bucket_end(&self, bucket: &Bucket) -> Result<BucketEnd, BucketError> {
        let answer = self.ask(What::Overrides, |state, _| Ok(state.bucket.end()));
        let end = answer.await.map_err(BucketError::Request)?;
        end.ok_or_else(|| BucketError::Missing {
            bucket: bucket.name().to_owned(),
        })
    }

    fn watch_overrides(&self, _: Option<&Bucket>) {}

    fn override_hints(&self) -> watch::Receiver<u64> {
        self.server.hints()
    }
}

impl Client {
    async fn write(
        &self,
        what: What,
        id: &ConsumerId,
        deadline: Option<Timestamp>,
    ) -> Result<(), RequestError> {
        let write = Write {
            id: id.clone(),
            deadline,
            by: Author::Recess(self.number),
        };
        self.ask(what, |state, now| state.take(write, now)).await
    }
}
