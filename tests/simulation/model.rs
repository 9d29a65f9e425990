//! What the model server keeps: consumers with one deadline each, and the rules by which nats-server treats it.
//!
//! It knows nothing of windows, marks or verdicts. What it does follows from experiments with nats-server 2.11 to 2.15:
//! a deadline is kept to the nanosecond and stays stored when it has passed; only a deadline that passes wakes a
//! consumer, an explicit resume leaves it asleep; a cluster accepts first and applies later; advisories may be lost.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use recess::consumer::{ConsumerId, Found, Kind, LabelKeys, Labels, Observation, PauseState};
use recess::jetstream::{Advisory, Listed, Sample};
use recess::retention::StreamDetails;
use tokio::sync::mpsc;

use crate::bucket::Overrides;
use crate::client::{Fate, Mishap, Request, Weather, What};
use crate::stream::Stream;
use crate::world::Chance;

/// Who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The recess of that number.
    Recess(usize),
    /// A person or another program.
    Somebody,
}

pub struct State {
    pub clustered: bool,
    pub weather: Weather,
    pub chance: Chance,
    /// What happens to the next writes of recess, whatever the weather; `None`: nothing.
    pub mishaps: VecDeque<Option<Mishap>>,
    pub loses_this_one: bool,
    pub under_way: usize,
    pub most_under_way: usize,
    /// Every request of every recess, in the order of sending.
    pub requests: Vec<Request>,
    /// How many requests were taken out of the record.
    pub forgotten: usize,
    /// Every change of a deadline, with the deadline before it, in the order of applying.
    pub changes: Vec<Change>,
    /// Whether advisories get through.
    pub connected: bool,
    streams: BTreeMap<String, BTreeMap<ConsumerId, Consumer>>,
    due: BTreeMap<(Timestamp, u64), Event>,
    events: u64,
    listeners: Vec<mpsc::Sender<Advisory>>,
    /// What people decide at run time.
    pub bucket: Overrides,
    /// The streams whose messages are modelled; all others have no limits.
    pub modelled: BTreeMap<String, Stream>,
    /// No request about a stream is answered.
    pub streams_are_silent: bool,
    /// What was dropped before a consumer had it: when, whose, and its sequence.
    pub lost: Vec<(Timestamp, ConsumerId, u64)>,
}

#[derive(Clone, Debug)]
pub struct Consumer {
    pub deadline: Option<Timestamp>,
    pub created: Timestamp,
    pub kind: Kind,
    /// What its owners wrote into it.
    pub metadata: BTreeMap<String, String>,
    pub pending: u64,
    pub ack_pending: u64,
    /// How far it has come in a stream that is modelled: all before is acknowledged.
    pub floor: u64,
    /// Its node is away: writes are accepted, nothing is told, nothing is applied.
    pub offline: bool,
    /// Its node died without a word, so the others wait for it: nothing that asks about it is answered.
    pub silent: bool,
    /// Who resumed it in a way that woke nobody.
    pub left_asleep_by: Option<Author>,
    /// When the newest proposal of a cluster will be applied: they keep their order.
    applied_by: Timestamp,
}

#[derive(Clone, Debug)]
#[expect(dead_code, reason = "all of it is printed when a test fails")]
pub struct Change {
    pub at: Timestamp,
    pub id: ConsumerId,
    pub by: Author,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

enum Event {
    /// A write that lay in a queue reaches the server.
    Arrive(Write),
    /// A write that a cluster accepted takes effect, if the consumer is still the one of that time of creation.
    Apply(Write, Timestamp),
    /// A deadline passes, if it is still stored.
    Expire(ConsumerId, Timestamp),
    /// A message is published to a stream, and another after that time, and so on.
    Publish(String, SignedDuration),
    /// An advisory reaches a listener.
    Deliver(usize, Advisory),
}

#[derive(Clone, Debug)]
pub struct Write {
    pub id: ConsumerId,
    pub deadline: Option<Timestamp>,
    pub by: Author,
}

impl State {
    pub fn new(clustered: bool) -> Self {
        Self {
            clustered,
            weather: Weather::calm(),
            chance: Chance::seeded(1),
            mishaps: VecDeque::new(),
            loses_this_one: false,
            under_way: 0,
            most_under_way: 0,
            requests: Vec::new(),
            forgotten: 0,
            changes: Vec::new(),
            connected: true,
            streams: BTreeMap::new(),
            due: BTreeMap::new(),
            events: 0,
            listeners: Vec::new(),
            bucket: Overrides::default(),
            modelled: BTreeMap::new(),
            streams_are_silent: false,
            lost: Vec::new(),
        }
    }

    pub fn create(&mut self, id: ConsumerId, kind: Kind, now: Timestamp) {
        let consumer = Consumer {
            deadline: None,
            created: now,
            kind,
            metadata: BTreeMap::new(),
            pending: 3,
            ack_pending: 1,
            floor: 0,
            offline: false,
            silent: false,
            left_asleep_by: None,
            applied_by: now,
        };
        let stream = self.streams.entry(id.stream().to_owned()).or_default();
        stream.insert(id.clone(), consumer);
        self.advise(now, Advisory::Created(id));
    }

    pub fn delete(&mut self, id: &ConsumerId, now: Timestamp) {
        let stream = self.streams.get_mut(id.stream());
        if stream.is_some_and(|stream| stream.remove(id).is_some()) {
            self.advise(now, Advisory::Deleted(id.clone()));
        }
    }

    pub fn delete_stream(&mut self, stream: &str, now: Timestamp) {
        for id in self.streams.remove(stream).unwrap_or_default().into_keys() {
            self.advise(now, Advisory::Deleted(id));
        }
    }

    pub fn next_event(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    pub fn consumer(&self, id: &ConsumerId) -> Option<&Consumer> {
        self.streams.get(id.stream())?.get(id)
    }

    pub fn consumer_mut(&mut self, id: &ConsumerId) -> Option<&mut Consumer> {
        self.streams.get_mut(id.stream())?.get_mut(id)
    }

    /// Empties the record.
    pub fn take_requests(&mut self) -> Vec<Request> {
        self.forgotten += self.requests.len();
        std::mem::take(&mut self.requests)
    }

    pub fn note_fate(&mut self, number: usize, fate: Fate) {
        let place = number.checked_sub(self.forgotten);
        if let Some(request) = place.and_then(|place| self.requests.get_mut(place)) {
            request.fate = fate;
        }
    }

    pub fn stream_names(&self) -> Vec<String> {
        self.streams.keys().cloned().collect()
    }

    pub fn list(&self, stream: &str, keys: &LabelKeys, now: Timestamp) -> Option<Vec<Listed>> {
        let Some(consumers) = self.streams.get(stream) else {
            // A cluster's list of an unknown stream is empty.
            return self.clustered.then(Vec::new);
        };
        let listed = consumers.keys().map(|id| Listed {
            id: id.clone(),
            sample: self.info(id, keys, now),
        });
        Some(listed.collect())
    }

    pub fn info(&self, id: &ConsumerId, keys: &LabelKeys, now: Timestamp) -> Sample {
        let found = match self.consumer(id) {
            None => Found::Missing,
            Some(consumer) if consumer.offline => Found::Unknown,
            Some(consumer) => {
                let modelled = self.modelled.get(id.stream());
                let after = modelled.map(|stream| stream.after(consumer.floor));
                Found::Present(Observation {
                    state: pause_state(consumer.deadline, now),
                    created: consumer.created,
                    kind: consumer.kind,
                    clustered: self.clustered,
                    pending: after.unwrap_or(consumer.pending),
                    ack_pending: after.map_or(consumer.ack_pending, |_| 0),
                    counted: true,
                    labels: Labels::of(
                        keys,
                        (consumer.metadata.iter()).map(|(key, value)| (&**key, &**value)),
                    ),
                    floor: consumer.floor,
                })
            }
        };
        let server_time = found.observation().map(|_| now);
        Sample {
            found,
            server_time,
            in_flight: None,
        }
    }

    /// A stream's limits and contents.
    pub fn details(&self, name: &str, now: Timestamp) -> Option<StreamDetails> {
        self.streams.get(name)?;
        let unlimited = || Stream::default().details(now);
        let modelled = self.modelled.get(name);
        Some(modelled.map_or_else(unlimited, |stream| stream.details(now)))
    }

    /// Messages come to a stream from now on, one in that time.
    pub fn produce(&mut self, name: &str, every: SignedDuration, from: Timestamp) {
        self.schedule(from, Event::Publish(name.to_owned(), every));
    }

    /// Consumers that are not held have had everything.
    fn consume(&mut self, name: &str, now: Timestamp) {
        let Some(stream) = self.modelled.get_mut(name) else {
            return;
        };
        let consumers = self.streams.entry(name.to_owned()).or_default();
        for consumer in consumers.values_mut() {
            if consumer.deadline.is_none_or(|until| until <= now) {
                consumer.floor = stream.last();
            }
        }
        if let Some(floor) = consumers.values().map(|it| it.floor).min() {
            stream.acknowledge(floor);
        }
    }

    fn drop_messages(&mut self, name: &str, dropped: Vec<u64>, now: Timestamp) {
        let consumers = self.streams.get(name).into_iter().flatten();
        for (id, consumer) in consumers {
            let lost = dropped.iter().filter(|seq| **seq > consumer.floor);
            self.lost.extend(lost.map(|seq| (now, id.clone(), *seq)));
        }
    }

    fn expire_messages(&mut self, now: Timestamp) {
        let names: Vec<String> = self.modelled.keys().cloned().collect();
        for name in names {
            let dropped = (self.modelled.get_mut(&name)).map(|stream| stream.expire(now));
            self.drop_messages(&name, dropped.unwrap_or_default(), now);
        }
    }

    fn publish(&mut self, name: &str, now: Timestamp) {
        let dropped = (self.modelled.get_mut(name)).map(|stream| stream.publish(now));
        self.consume(name, now);
        self.drop_messages(name, dropped.unwrap_or_default(), now);
    }

    /// Whether a question waits in vain for a consumer's node.
    pub fn is_silent(&self, what: &What) -> bool {
        match what {
            What::List(stream) => {
                let consumers = self.streams.get(stream).into_iter().flatten();
                consumers.into_iter().any(|(_, consumer)| consumer.silent)
            }
            What::Info(id) => self.consumer(id).is_some_and(|consumer| consumer.silent),
            What::Overrides => self.bucket.is_silent,
            What::Limits(_) => self.streams_are_silent,
            What::Names | What::Pause(..) | What::Clear(_) => false,
        }
    }

    /// A write arrives: the error code of a refusal, or it is accepted.
    pub fn take(&mut self, write: Write, now: Timestamp) -> Result<(), u64> {
        let clustered = self.clustered;
        let lost = std::mem::take(&mut self.loses_this_one);
        let delay = self.chance.milliseconds(10..800);
        if !self.streams.contains_key(write.id.stream()) {
            return Err(10059);
        }
        let Some(consumer) = self.consumer_mut(&write.id) else {
            return Err(10014);
        };
        if !clustered {
            self.apply(write, now);
        } else if !lost && !consumer.offline && !consumer.silent {
            let at = (now + delay).max(consumer.applied_by);
            consumer.applied_by = at;
            let created = consumer.created;
            self.schedule(at, Event::Apply(write, created));
        }
        Ok(())
    }

    /// What goes wrong with the request that leaves now.
    pub fn mishap(&mut self, write: bool) -> Option<Mishap> {
        if write && let Some(planned) = self.mishaps.pop_front() {
            return planned;
        }
        let (chance, weather) = (&mut self.chance, &self.weather);
        if chance.percent(weather.times_out) {
            let arrives = write && chance.percent(50);
            let after = chance.within(0..4_900);
            Some(if arrives {
                Mishap::Unanswered(after)
            } else {
                Mishap::Dropped
            })
        } else if write && chance.percent(weather.refuses) {
            Some(Mishap::Refused)
        } else if write && chance.percent(weather.loses) {
            Some(Mishap::Lost)
        } else {
            None
        }
    }

    /// A write that was sent lies in a queue until then.
    pub fn take_later(&mut self, write: Write, at: Timestamp) {
        self.schedule(at, Event::Arrive(write));
    }

    fn apply(&mut self, write: Write, now: Timestamp) {
        let Write { id, deadline, by } = write;
        let Some(consumer) = self.consumer_mut(&id) else {
            return;
        };
        let before = std::mem::replace(&mut consumer.deadline, deadline);
        let was_paused = before.is_some_and(|until| until > now);
        let is_paused = deadline.is_some_and(|until| until > now);
        // A Clear that is applied right after a pause which was not applied yet when it was sent is its stated race. What it
        // rested on is judged where it was sent.
        let stated_race = deadline.is_none() && matches!(by, Author::Recess(_));
        if was_paused && !is_paused && !stated_race {
            consumer.left_asleep_by = Some(by);
        }
        if before == deadline {
            return;
        }
        if let Some(until) = deadline.filter(|_| is_paused) {
            self.schedule(until, Event::Expire(id.clone(), until));
        }
        self.changes.push(Change {
            at: now,
            id: id.clone(),
            by,
            from: before,
            to: deadline,
        });
        let advisory = Advisory::Pause {
            id: id.clone(),
            until: deadline,
        };
        if self.weather.false_created {
            // Consumers with one replica in a cluster.
            self.advise(now, Advisory::Created(id));
            self.advise(now, advisory.clone());
        }
        self.advise(now, advisory);
    }

    fn schedule(&mut self, at: Timestamp, event: Event) {
        self.events += 1;
        self.due.insert((at, self.events), event);
    }

    /// Lets everything happen that is due.
    pub fn settle(&mut self, now: Timestamp) {
        while let Some(next) = self.due.first_entry()
            && next.key().0 <= now
        {
            let ((at, _), event) = next.remove_entry();
            self.expire_messages(at);
            match event {
                // A refusal that nobody waits for any more.
                Event::Arrive(write) => drop(self.take(write, at)),
                Event::Apply(write, created) => {
                    if (self.consumer(&write.id)).is_some_and(|it| it.created == created) {
                        self.apply(write, at);
                    }
                }
                Event::Expire(id, until) => {
                    let Some(it) = (self.consumer_mut(&id)).filter(|it| it.deadline == Some(until))
                    else {
                        continue;
                    };
                    it.left_asleep_by = None;
                    let until = Some(until);
                    self.consume(id.stream(), at);
                    self.advise(at, Advisory::Pause { id, until });
                }
                Event::Publish(name, every) => {
                    self.publish(&name, at);
                    self.produce(&name, every, at + every);
                }
                Event::Deliver(listener, advisory) => self.deliver(listener, advisory),
            }
        }
        self.expire_messages(now);
    }

    /// The advisories of everything that changes, for one more recess.
    pub fn listen(&mut self) -> mpsc::Receiver<Advisory> {
        let (sender, receiver) = mpsc::channel(4096);
        self.listeners.push(sender);
        receiver
    }

    pub fn advise(&mut self, now: Timestamp, advisory: Advisory) {
        for listener in 0..self.listeners.len() {
            if self.chance.percent(self.weather.advisories_lost) {
                continue;
            }
            let delay = (self.chance).milliseconds(self.weather.advisory_delay.clone());
            if delay.is_zero() {
                self.deliver(listener, advisory.clone());
            } else {
                self.schedule(now + delay, Event::Deliver(listener, advisory.clone()));
            }
        }
    }

    fn deliver(&self, listener: usize, advisory: Advisory) {
        if self.connected {
            // A full backlog drops hints, as in reality.
            let _ = self.listeners[listener].try_send(advisory);
        }
    }
}

pub fn pause_state(deadline: Option<Timestamp>, now: Timestamp) -> PauseState {
    match deadline {
        None => PauseState::Running,
        Some(until) if until > now => PauseState::Paused {
            until,
            remaining: until.duration_since(now),
        },
        Some(until) => PauseState::Lapsed { until },
    }
}

pub fn id(path: &str) -> ConsumerId {
    path.parse().expect("STREAM/CONSUMER")
}
