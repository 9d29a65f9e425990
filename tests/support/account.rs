//! The applications of a NATS account.
//!
//! Speaks with JetStream in its own words (raw requests, so that what recess makes of an answer is not what a test sees)
//! and listens to everything that anybody asks. Must not know recess.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::{self, Message, stream};
use async_nats::{Client, ConnectOptions, HeaderMap, RequestErrorKind, Subscriber};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Where answers to the tests' own requests go: it tells them from recess's.
const INBOX: &str = "_TEST";

/// nats-server's `err_code` while a cluster has no leader.
const NO_LEADER: u64 = 10008;

/// A cluster that cannot answer yet is asked again so soon.
const AGAIN: Duration = Duration::from_millis(250);

/// A connection of an application.
#[derive(Clone)]
pub struct Account {
    pub client: Client,
    pub jetstream: jetstream::Context,
}

/// What the server says of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub paused: bool,
    /// `config.pause_until`, which stays after it has passed.
    pub until: Option<Timestamp>,
}

impl Account {
    pub async fn connect(url: &str) -> Self {
        Self::connect_with(url, ConnectOptions::new()).await
    }

    pub async fn connect_with(url: &str, options: ConnectOptions) -> Self {
        let options = options
            .custom_inbox_prefix(INBOX)
            .request_timeout(Some(Duration::from_secs(2)));
        let client = options.connect(url).await.unwrap();
        let jetstream = jetstream::new(client.clone());
        Self { client, jetstream }
    }

    /// A stream `NAME` on subjects `NAME.>`.
    pub async fn stream(&self, name: &str) {
        self.create_stream(name, 1, stream::StorageType::File).await;
    }

    /// The same with these settings.
    pub async fn stream_with(&self, name: &str, settings: Value) {
        let mut config = json!({ "name": name, "subjects": [format!("{name}.>")] });
        add(&mut config, settings);
        let subject = format!("$JS.API.STREAM.CREATE.{name}");
        self.request(&subject, &config.to_string()).await;
    }

    /// One with replicas. It is kept in memory: a thousand consumers on disk, three times over, are 40,000 files,
    /// and to remove them takes a minute where the test itself takes 20 s.
    pub async fn memory_stream(&self, name: &str, replicas: usize) {
        self.create_stream(name, replicas, stream::StorageType::Memory)
            .await;
    }

    /// So many of these, with so many consumers each: their paths. `at_once` of them are made at a time.
    pub async fn crowd(&self, streams: usize, consumers: usize, at_once: usize) -> Vec<String> {
        let mut paths = Vec::new();
        for number in 0..streams {
            let stream = format!("S{number}");
            self.memory_stream(&stream, 3).await;
            paths.extend((0..consumers).map(|number| format!("{stream}/c{number}")));
        }
        futures_util::stream::iter(&paths)
            .for_each_concurrent(at_once, |path| self.consumer(path))
            .await;
        paths
    }

    /// One with a single replica, on the cluster's node of that name.
    pub async fn memory_stream_on(&self, node: &str, name: &str) {
        let config = stream::Config {
            placement: Some(stream::Placement {
                tags: vec![node.to_owned()],
                ..Default::default()
            }),
            ..stream_config(name, 1, stream::StorageType::Memory)
        };
        self.create(config).await;
    }

    /// A cluster that has just come up on a busy machine may not have all its nodes in sight yet, so it is asked again for a
    /// while.
    async fn create(&self, config: stream::Config) {
        for _ in 0..60 {
            if self.jetstream.create_stream(config.clone()).await.is_ok() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
        self.jetstream.create_stream(config).await.unwrap();
    }

    async fn create_stream(&self, name: &str, replicas: usize, storage: stream::StorageType) {
        let config = stream_config(name, replicas, storage);
        self.create(config).await;
    }

    /// A durable pull consumer, its stream too where there is none.
    pub async fn durable(&self, path: &str) {
        let (stream, _) = split(path);
        if self.jetstream.get_stream(stream).await.is_err() {
            self.stream(stream).await;
        }
        self.consumer(path).await;
    }

    /// A durable pull consumer on a stream that is there.
    pub async fn consumer(&self, path: &str) {
        self.consumer_with(path, json!({})).await;
    }

    /// The same with these settings beside the usual ones.
    pub async fn consumer_with(&self, path: &str, settings: Value) {
        let (stream, consumer) = split(path);
        let mut config = json!({ "durable_name": consumer, "ack_policy": "explicit" });
        add(&mut config, settings);
        let body = json!({ "stream_name": stream, "config": config });
        self.request(&api("DURABLE.CREATE", path), &body.to_string())
            .await;
    }

    pub async fn durables(&self, paths: &[&str]) {
        for path in paths {
            self.durable(path).await;
        }
    }

    /// A consumer that is not durable, such as KV watchers and ordered consumers have.
    pub async fn ephemeral(&self, path: &str) {
        let (stream, consumer) = split(path);
        let config = pull::Config {
            name: Some(consumer.into()),
            inactive_threshold: Duration::from_secs(300),
            ..Default::default()
        };
        self.jetstream
            .create_consumer_on_stream(config, stream)
            .await
            .unwrap();
    }

    /// A durable consumer that serves another stream as its source (nats-server 2.14).
    pub async fn sourcing(&self, path: &str) {
        let (stream, consumer) = split(path);
        let config = json!({
            "durable_name": consumer, "ack_policy": "flow_control", "deliver_subject": "copies",
            "flow_control": true, "idle_heartbeat": 1_000_000_000, "max_deliver": -1,
        });
        let body = json!({ "stream_name": stream, "config": config });
        self.request(&api("DURABLE.CREATE", path), &body.to_string())
            .await;
        let source = json!({
            "name": stream, "consumer": { "name": consumer, "deliver_subject": "copies" },
        });
        let copy = json!({ "name": "COPY", "sources": [source] });
        self.request("$JS.API.STREAM.CREATE.COPY", &copy.to_string())
            .await;
    }

    /// Publishes so many messages and waits for them to be stored.
    pub async fn publish(&self, stream: &str, count: usize) {
        for number in 0..count {
            let body = number.to_string().into();
            let stored = self.jetstream.publish(format!("{stream}.new"), body);
            stored.await.unwrap().await.unwrap();
        }
    }

    /// Stores a message, as a `nats kv put` does.
    pub async fn store(&self, subject: &str, value: &str) {
        let answer = self.put(subject, HeaderMap::new(), value).await;
        assert_eq!(answer["error"], Value::Null, "{subject}");
    }

    /// What `nats kv del` (`DEL`) or `nats kv purge` (`PURGE`) does to a key.
    pub async fn erase(&self, subject: &str, operation: &str) {
        let mut headers = HeaderMap::new();
        headers.insert("KV-Operation", operation);
        if operation == "PURGE" {
            headers.insert("Nats-Rollup", "sub");
        }
        let answer = self.put(subject, headers, "").await;
        assert_eq!(answer["error"], Value::Null, "{subject}");
    }

    /// A message for a stream; its answer, a refusal too.
    pub async fn put(&self, subject: &str, headers: HeaderMap, value: &str) -> Value {
        let value = value.to_owned().into();
        let answer = (self.client).request_with_headers(subject.to_owned(), headers, value);
        serde_json::from_slice(&answer.await.unwrap().payload).unwrap()
    }

    /// A request to the JetStream API. Panics where the server refuses. A cluster that elects a leader has no answer, so
    /// it is asked again for a while.
    pub async fn request(&self, subject: &str, body: &str) -> Value {
        for _ in 0..60 {
            let answer = self.ask(subject, body).await;
            let error = &answer["error"];
            if error["err_code"] != NO_LEADER {
                assert_eq!(*error, Value::Null, "{subject}");
                return answer;
            }
            tokio::time::sleep(AGAIN).await;
        }
        panic!("no reply to {subject}");
    }

    /// An application's strict create of the same consumer, as at each of its starts: the server's `err_code` where it
    /// is refused.
    pub async fn strict_create(&self, path: &str) -> Option<u64> {
        let (stream, consumer) = split(path);
        let config = json!({ "durable_name": consumer, "ack_policy": "explicit" });
        let body = json!({ "stream_name": stream, "config": config, "action": "create" });
        let answer = self.ask(&api("CREATE", path), &body.to_string()).await;
        answer["error"]["err_code"].as_u64()
    }

    /// A request to the JetStream API; a refusal is an answer too. A cluster that elects a leader has none, so it is asked
    /// again for a while.
    pub async fn ask(&self, subject: &str, body: &str) -> Value {
        for _ in 0..15 {
            let answer = self
                .client
                .request(subject.to_owned(), body.to_owned().into());
            match answer.await {
                Ok(answer) => return serde_json::from_slice(&answer.payload).unwrap(),
                Err(error) if error.kind() == RequestErrorKind::TimedOut => {}
                Err(error) => panic!("{subject}: {error}"),
            }
        }
        panic!("no reply to {subject}");
    }

    /// The node that serves a consumer; `None` where nobody can tell at once.
    pub async fn leader(&self, path: &str) -> Option<String> {
        let soon = async_nats::Request::new().timeout(Some(Duration::from_millis(200)));
        let answer = self.client.send_request(api("INFO", path), soon).await;
        let info: Value = serde_json::from_slice(&answer.ok()?.payload).unwrap();
        Some(info["cluster"]["leader"].as_str()?.to_owned())
    }

    /// A consumer of a cluster that has lost its leader is asked again for a while: the cluster's own leader answers for it,
    /// and knows its config only.
    pub async fn look(&self, path: &str) -> Look {
        for _ in 0..100 {
            let info = self.request(&api("INFO", path), "").await;
            let time = |value: &Value| -> Option<Timestamp> { value.as_str()?.parse().ok() };
            let until = time(&info["config"]["pause_until"]);
            let paused = info["paused"] == true;
            if paused || until <= time(&info["ts"]) {
                return Look { paused, until };
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} has no leader");
    }

    /// Whether it is paused until exactly then.
    pub async fn is_paused_until(&self, path: &str, deadline: Timestamp) -> bool {
        let wanted = Look {
            paused: true,
            until: Some(deadline),
        };
        self.look(path).await == wanted
    }

    /// What an operator does by hand.
    pub async fn pause(&self, path: &str, deadline: Timestamp) {
        let body = json!({ "pause_until": deadline.to_string() });
        self.request(&api("PAUSE", path), &body.to_string()).await;
    }

    pub async fn resume(&self, path: &str) {
        self.request(&api("PAUSE", path), "").await;
    }

    pub async fn delete(&self, path: &str) {
        self.request(&api("DELETE", path), "").await;
    }

    /// Hears what any connection to this server sends to a subject from now on. A flush would not wait for that: it hands the
    /// subscription to the network, and the server may read other connections first.
    pub async fn listen(&self, subject: &str) -> Subscriber {
        let heard = self.client.subscribe(subject.to_owned()).await.unwrap();
        let inbox = self.client.new_inbox();
        let mut echo = self.client.subscribe(inbox.clone()).await.unwrap();
        self.client
            .publish(inbox, Default::default())
            .await
            .unwrap();
        next_of(&mut echo).await;
        heard
    }

    /// A pull that waits a minute for one message, without heartbeats: nothing but a delivery wakes it.
    pub async fn pull(&self, path: &str) -> Subscriber {
        let inbox = self.client.new_inbox();
        let answers = self.client.subscribe(inbox.clone()).await.unwrap();
        let body = json!({ "batch": 1, "expires": 60_000_000_000_u64 });
        let subject = api("MSG.NEXT", path);
        self.client
            .publish_with_reply(subject, inbox, body.to_string().into())
            .await
            .unwrap();
        self.client.flush().await.unwrap();
        answers
    }

    /// One such pull for each of these.
    pub async fn pulls(&self, paths: &[String]) -> Vec<Subscriber> {
        futures_util::stream::iter(paths)
            .map(|path| self.pull(path))
            .buffer_unordered(32)
            .collect()
            .await
    }

    async fn puller(&self, path: &str) -> PullConsumer {
        let (stream, consumer) = split(path);
        let found = self.jetstream.get_consumer_from_stream(consumer, stream);
        found.await.unwrap()
    }

    /// Pulls all the time and acknowledges. Notes when each message came.
    pub async fn work(&self, path: &str) -> Arrivals {
        let mut messages = self.puller(path).await.messages().await.unwrap();
        let arrivals = Arrivals::default();
        let noted = arrivals.clone();
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let Ok(message) = message else { continue };
                noted.0.lock().unwrap().push(Timestamp::now());
                let _ = message.ack().await;
            }
        });
        arrivals
    }

    /// A worker takes so many messages and is at work on them.
    pub async fn take(&self, path: &str, count: usize) -> Vec<Message> {
        let consumer = self.puller(path).await;
        let messages = consumer.fetch().max_messages(count).messages();
        let messages: Vec<_> = messages.await.unwrap().collect().await;
        assert_eq!(messages.len(), count, "{path} has fewer messages");
        messages.into_iter().map(Result::unwrap).collect()
    }

    /// Pulls so many messages and acknowledges them.
    pub async fn drain(&self, path: &str, count: usize) {
        let mut messages = self
            .puller(path)
            .await
            .fetch()
            .max_messages(count)
            .messages()
            .await
            .unwrap();
        let mut left = count;
        while let Some(message) = messages.next().await {
            message.unwrap().ack().await.unwrap();
            left -= 1;
        }
        assert_eq!(left, 0, "{path} has fewer messages");
    }

    /// Listens to every request about consumers that does not come from a test.
    pub async fn tap(&self) -> Tap {
        let mut requests = self.listen("$JS.API.CONSUMER.>").await;
        let tap = Tap::default();
        let heard = tap.0.clone();
        tokio::spawn(async move {
            while let Some(message) = requests.next().await {
                let reply = message.reply.as_deref().unwrap_or_default();
                if reply.starts_with(INBOX) {
                    continue;
                }
                heard.lock().unwrap().push(Request {
                    at: Timestamp::now(),
                    subject: message.subject.to_string(),
                    body: String::from_utf8_lossy(&message.payload).into_owned(),
                });
            }
        });
        tap
    }
}

/// The next message. One that does not come within a minute was missed.
pub async fn next_of(heard: &mut Subscriber) -> async_nats::Message {
    let next = tokio::time::timeout(Duration::from_secs(60), heard.next()).await;
    next.expect("no message within a minute")
        .expect("the connection stands")
}

/// When messages came to a worker.
#[derive(Clone, Default)]
pub struct Arrivals(Arc<Mutex<Vec<Timestamp>>>);

impl Arrivals {
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub fn between(&self, from: Timestamp, until: Timestamp) -> usize {
        let arrivals = self.0.lock().unwrap();
        arrivals
            .iter()
            .filter(|at| (from..until).contains(*at))
            .count()
    }
}

/// A request that somebody sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it was heard.
    pub at: Timestamp,
    pub subject: String,
    pub body: String,
}

/// Requests as they are heard.
#[derive(Clone, Default)]
pub struct Tap(Arc<Mutex<Vec<Request>>>);

impl Tap {
    pub fn all(&self) -> Vec<Request> {
        self.0.lock().unwrap().clone()
    }

    /// Those that change something.
    pub fn writes(&self) -> Vec<Request> {
        let mut requests = self.all();
        requests.retain(|request| {
            let verb = request.subject.trim_start_matches("$JS.API.CONSUMER.");
            !["INFO.", "LIST.", "NAMES."]
                .iter()
                .any(|question| verb.starts_with(question))
        });
        requests
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// Puts settings into a JSON object.
fn add(config: &mut Value, settings: Value) {
    let Value::Object(settings) = settings else {
        panic!("no settings: {settings}");
    };
    config.as_object_mut().unwrap().extend(settings);
}

fn stream_config(name: &str, replicas: usize, storage: stream::StorageType) -> stream::Config {
    stream::Config {
        name: name.into(),
        subjects: vec![format!("{name}.>")],
        num_replicas: replicas,
        storage,
        ..Default::default()
    }
}

/// How many of these pulls are served, each within that time.
pub async fn served(pulls: Vec<Subscriber>, within: Duration) -> usize {
    let all = pulls.len();
    futures_util::stream::iter(pulls)
        .map(async |mut pull| {
            let message = tokio::time::timeout(within, pull.next()).await;
            message.is_ok_and(|message| message.is_some_and(|message| message.status.is_none()))
        })
        .buffer_unordered(all)
        .filter(|served| std::future::ready(*served))
        .count()
        .await
}

fn split(path: &str) -> (&str, &str) {
    path.split_once('/').expect("STREAM/CONSUMER")
}

fn api(verb: &str, path: &str) -> String {
    let (stream, consumer) = split(path);
    format!("$JS.API.CONSUMER.{verb}.{stream}.{consumer}")
}
