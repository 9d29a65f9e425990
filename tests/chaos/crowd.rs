//! The streams and consumers of a history, made up by chance, and the people who use them.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Request, ServerAddr};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::natures::metadata;
use crate::record::Record;
use crate::support::random::Random;
use crate::told::{MARK, RELEASE_MARK};

/// A stream, with what it was created with.
#[derive(Clone, Debug)]
struct Stream {
    name: String,
    config: Value,
    consumers: usize,
}

#[derive(Clone, Debug)]
pub struct Crowd {
    streams: Vec<Stream>,
    /// Of each stream: not durable, so that globs must not touch them.
    ephemeral: usize,
    /// By which their metadata is made up, where they have any.
    tags: Option<u64>,
}

/// Whose windows are steady in the end.
const STEADY: &str = "S0/c1*";

impl Crowd {
    pub fn make_up(random: &mut Random, clustered: bool) -> Self {
        let count = 2 + random.below(3);
        let streams = (0..count).map(|number| {
            let name = format!("S{number}");
            let replicas = if clustered { *random.pick(&[1, 3, 3]) } else { 1 };
            // What is kept in memory on a single node is lost with it.
            let storage = *random.pick(&["file", "file", "memory"]);
            let mut config = json!({
                "name": name, "subjects": [format!("{name}.>")], "num_replicas": replicas, "storage": storage,
            });
            // Not those whose windows are steady in the end.
            if number >= 2 && !random.once_in(3) {
                match random.below(3) {
                    0 => config["max_msgs"] = json!(40),
                    _ => config["max_age"] = json!(random.pick(&[8, 15, 40]) * 1_000_000_000_i64),
                }
            }
            let consumers = 3 + random.below(10) as usize;
            Stream {
                name,
                config,
                consumers,
            }
        });
        Self {
            streams: streams.collect(),
            ephemeral: random.below(3) as usize,
            tags: Some(random.0),
        }
    }

    /// One of few consumers, for the soak.
    pub fn of(names: &[&str], replicas: usize, consumers: usize) -> Self {
        let stream = |name: &&str| Stream {
            name: (*name).to_owned(),
            config: json!({ "name": name, "subjects": [format!("{name}.>")], "num_replicas": replicas }),
            consumers,
        };
        Self {
            streams: names.iter().map(stream).collect(),
            ephemeral: 1,
            tags: None,
        }
    }

    /// The streams that drop messages.
    pub fn limited(&self) -> BTreeSet<String> {
        let has = |stream: &Stream, key: &str| !stream.config[key].is_null();
        let limited = self.streams.iter();
        (limited.filter(|stream| has(stream, "max_msgs") || has(stream, "max_age")))
            .map(|stream| stream.name.clone())
            .collect()
    }

    /// Those of a window.
    pub fn selectors(&self, random: &mut Random) -> Vec<String> {
        let mut selectors = BTreeSet::new();
        for _ in 0..1 + random.below(3) {
            let stream = &random.pick(&self.streams).name;
            let number = random.below(12);
            selectors.insert(match random.below(10) {
                0..=3 => format!("{stream}/*"),
                4 => format!("{stream}/c1*"),
                5 => format!("*/c{number}"),
                6 => format!("S*/c{}", random.below(4)),
                7 => format!("{stream}/e0"),
                _ => format!("{stream}/c{number}"),
            });
        }
        if random.once_in(3) {
            let stream = &random.pick(&self.streams).name;
            let taken = format!("{stream}/c{}", random.below(6));
            // A file with a `!` that leaves nothing is refused.
            if selectors.iter().any(|selector| *selector != taken) {
                selectors.insert(format!("!{taken}"));
            }
        }
        selectors.into_iter().collect()
    }

    pub fn steady(&self) -> Vec<String> {
        vec![STEADY.to_owned(), "S1/c0".to_owned()]
    }

    /// With which metadata a consumer begins, and ends.
    fn metadata(&self, path: &str) -> Value {
        self.tags.map_or(Value::Null, |tags| {
            let of_it = path
                .bytes()
                .fold(tags, |seed, byte| seed.rotate_left(7) ^ u64::from(byte));
            metadata(&mut Random(of_it))
        })
    }

    /// What somebody makes of it meanwhile.
    fn other_metadata(&self, random: &mut Random) -> Value {
        self.tags.map_or(Value::Null, |_| metadata(random))
    }

    /// Every consumer there may be, and whether it is durable.
    pub fn paths(&self) -> Vec<(String, bool)> {
        let of = |stream: &Stream| {
            let (name, ephemeral) = (stream.name.clone(), self.ephemeral);
            let durable = (0..stream.consumers).map(move |n| (format!("S/c{n}"), true));
            let others = (0..ephemeral).map(|n| (format!("S/e{n}"), false));
            let all: Vec<_> = durable.chain(others).collect();
            all.into_iter()
                .map(move |(path, durable)| (path.replacen('S', &name, 1), durable))
        };
        self.streams.iter().flat_map(of).collect()
    }
}

/// Somebody who uses the account, past every proxy. Whatever fails, fails.
#[derive(Clone)]
pub struct People {
    pub client: Client,
    record: Record,
}

impl People {
    pub async fn connect(urls: &[String], record: &Record) -> Self {
        let addresses: Vec<ServerAddr> = urls.iter().map(|url| url.parse().unwrap()).collect();
        let options = ConnectOptions::with_user_and_password("app".into(), "app".into())
            .custom_inbox_prefix("_TEST")
            .reconnect_delay_callback(|_| Duration::from_millis(100));
        Self {
            client: options.connect(&addresses[..]).await.unwrap(),
            record: record.clone(),
        }
    }

    /// What the server answers, an error too.
    pub async fn ask(&self, verb: &str, body: &Value) -> Option<Value> {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let request = Request::new()
            .payload(body.into())
            .timeout(Some(Duration::from_secs(2)));
        let answer = self.client.send_request(format!("$JS.API.{verb}"), request);
        serde_json::from_slice(&answer.await.ok()?.payload).ok()
    }

    /// Asks until it is done, for a while.
    pub async fn insist(&self, verb: &str, body: &Value) -> Result<(), String> {
        let mut said = None;
        for _ in 0..20 {
            said = self.ask(verb, body).await;
            if (said.as_ref()).is_some_and(|answer| answer["error"].is_null()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Err(format!("{verb} is never done: {said:?}"))
    }

    /// Everybody is there.
    pub async fn settle(&self, crowd: &Crowd) {
        for stream in &crowd.streams {
            let mut tries = 0;
            while let Err(said) = self.settle_one(stream, crowd).await {
                // A server that was killed while it removed a stream can be left with half of it (2.15.1).
                tries += 1;
                assert!(tries < 4, "{said}");
                self.record
                    .note(format!("{said}; {} is made anew", stream.name));
                let verb = format!("STREAM.DELETE.{}", stream.name);
                self.ask(&verb, &Value::Null).await;
            }
        }
    }

    async fn settle_one(&self, stream: &Stream, crowd: &Crowd) -> Result<(), String> {
        let verb = format!("STREAM.CREATE.{}", stream.name);
        self.insist(&verb, &stream.config).await?;
        let start = format!("{}/", stream.name);
        for (path, durable) in crowd.paths() {
            if path.starts_with(&start) {
                let (verb, mut body) = creation(&path, durable, "as ever", crowd.metadata(&path));
                if path.ends_with('3') {
                    // It was paused by recess a while ago, and in a cluster that is to be cleared.
                    let lapsed = Timestamp::now().as_second() - 90;
                    let lapsed = Timestamp::new(lapsed, MARK).unwrap();
                    body["config"]["pause_until"] = json!(lapsed.to_string());
                }
                self.insist(&verb, &body).await?;
            }
        }
        Ok(())
    }

    pub async fn info(&self, path: &str) -> Option<Value> {
        let verb = format!("CONSUMER.INFO.{}", path.replace('/', "."));
        self.ask(&verb, &Value::Null).await
    }

    pub async fn pause(&self, path: &str, until: Timestamp) {
        let verb = format!("CONSUMER.PAUSE.{}", path.replace('/', "."));
        let body = json!({ "pause_until": until.to_string() });
        self.ask(&verb, &body).await;
    }

    /// A message for one of the streams, which nobody processes.
    pub async fn publish(&self, random: &mut Random, crowd: &Crowd) {
        let subject = format!("{}.new", random.pick(&crowd.streams).name);
        let _ = self.client.publish(subject, "x".into()).await;
    }

    /// One thing that somebody does.
    pub async fn meddle(&self, random: &mut Random, crowd: &Crowd) {
        let paths = crowd.paths();
        let (path, durable) = random.pick(&paths).clone();
        let dotted = path.replace('/', ".");
        let stream = random.pick(&crowd.streams).clone();
        let delete = format!("CONSUMER.DELETE.{dotted}");
        let what = random.below(if crowd.tags.is_some() { 36 } else { 28 });
        let metadata = crowd.other_metadata(random);
        let length = *random.pick(&[1, 3, 6, 15, 40, 300]);
        let fraction = *random.pick(&[0, 0, 123_456_789, 999_999_999]);
        let nothing = &Value::Null;
        let done = match what {
            0..=7 => {
                let until = Timestamp::now() + SignedDuration::from_secs(length);
                let until = Timestamp::new(until.as_second(), fraction).unwrap();
                self.record
                    .note(format!("somebody pauses {path} until {until}"));
                self.pause(&path, until).await;
                return;
            }
            26 | 27 => {
                // As `recess resume` does in a cluster.
                let at = Timestamp::now().as_second() + 6;
                let until = Timestamp::new(at, RELEASE_MARK).unwrap();
                self.record
                    .note(format!("somebody releases {path} as of {until}"));
                self.pause(&path, until).await;
                return;
            }
            8..=12 => self.ask(&format!("CONSUMER.PAUSE.{dotted}"), nothing).await,
            13 | 14 => self.ask(&delete, nothing).await,
            15..=18 => {
                self.ask(&delete, nothing).await;
                let (verb, body) = creation(&path, durable, "anew", metadata.clone());
                self.ask(&verb, &body).await
            }
            19..=22 | 28.. => {
                let description = format!("number {what}");
                let (verb, body) = creation(&path, durable, &description, metadata.clone());
                self.ask(&verb, &body).await
            }
            23 => {
                let verb = format!("CONSUMER.LEADER.STEPDOWN.{dotted}");
                self.ask(&verb, nothing).await
            }
            24 => {
                let verb = format!("STREAM.LEADER.STEPDOWN.{}", stream.name);
                self.ask(&verb, nothing).await
            }
            _ => {
                let verb = format!("STREAM.DELETE.{}", stream.name);
                self.ask(&verb, nothing).await;
                let verb = format!("STREAM.CREATE.{}", stream.name);
                self.ask(&verb, &stream.config).await;
                for (path, durable) in paths {
                    if path.starts_with(&format!("{}/", stream.name)) {
                        let (verb, body) = creation(
                            &path,
                            durable,
                            "with its stream",
                            crowd.other_metadata(random),
                        );
                        self.ask(&verb, &body).await;
                    }
                }
                None
            }
        };
        let word = match what {
            8..=12 => "resumes",
            13 | 14 => "deletes",
            15..=18 => "recreates",
            19..=22 | 28.. => "upserts",
            23 => "moves",
            24 => "moves the stream, not",
            _ => "recreates the stream, not",
        };
        let failed = done.is_none_or(|answer| !answer["error"].is_null());
        self.record.note(format!(
            "somebody {word} {path}{} ({}; {:.120})",
            if failed { ", in vain" } else { "" },
            stream.name,
            metadata.to_string()
        ));
    }
}

fn creation(path: &str, durable: bool, description: &str, metadata: Value) -> (String, Value) {
    let (stream, name) = path.split_once('/').unwrap();
    let mut config = json!({ "name": name, "ack_policy": "explicit", "description": description });
    if durable {
        config["durable_name"] = json!(name);
    } else {
        config["inactive_threshold"] = json!(300_000_000_000_u64);
    }
    if !metadata.is_null() {
        config["metadata"] = metadata;
    }
    let verb = format!("CONSUMER.CREATE.{stream}.{name}");
    (verb, json!({ "stream_name": stream, "config": config }))
}
