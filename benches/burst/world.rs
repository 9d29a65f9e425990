//! Streams and consumers by the thousand, paused by the floor program and let go again.

use std::io;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::daemon::IN_FLIGHT;
use crate::raw::Raw;

pub struct World {
    /// Of the server that is asked.
    pub port: u16,
    raw: Raw,
    streams: Vec<String>,
    lists: usize,
    consumers: Vec<(String, String)>,
}

fn is_good(answer: &[u8]) -> bool {
    !answer.windows(8).any(|part| part == b"\"error\":")
}

fn is_paused(answer: &[u8]) -> bool {
    is_good(answer) && answer.windows(13).any(|part| part == b"\"paused\":true")
}

impl World {
    /// So many consumers over that many streams, with one or three replicas by turns.
    pub fn make(
        port: u16,
        streams: usize,
        consumers: usize,
        replicas: &[usize],
    ) -> io::Result<Self> {
        Self::with(port, (streams, consumers), "file", replicas, |_| {
            Value::Null
        })
    }

    /// The same on one node that keeps them in memory: what a disk takes is no part of it.
    pub fn in_memory(port: u16, streams: usize, consumers: usize) -> io::Result<Self> {
        Self::with(port, (streams, consumers), "memory", &[1], |_| Value::Null)
    }

    /// The same on one node, where the consumer of each number has that metadata.
    pub fn tagged(
        port: u16,
        streams: usize,
        consumers: usize,
        metadata: fn(usize) -> Value,
    ) -> io::Result<Self> {
        Self::with(port, (streams, consumers), "file", &[1], metadata)
    }

    fn with(
        port: u16,
        (streams, consumers): (usize, usize),
        storage: &str,
        replicas: &[usize],
        metadata: impl Fn(usize) -> Value,
    ) -> io::Result<Self> {
        let mut world = Self {
            port,
            raw: Raw::connect(port, "floor")?,
            streams: (0..streams).map(|number| format!("S{number}")).collect(),
            lists: 0,
            consumers: Vec::new(),
        };
        let mut requests = Vec::new();
        for (number, stream) in world.streams.iter().enumerate() {
            let replicas = replicas[number % replicas.len()];
            let body = json!({
                "name": stream, "subjects": [format!("{stream}.>")], "storage": storage, "num_replicas": replicas,
            });
            requests.push((format!("$JS.API.STREAM.CREATE.{stream}"), body.to_string()));
        }
        world.raw.pipeline(&requests, 1, is_good)?;
        requests.clear();
        for number in 0..consumers {
            let stream = &world.streams[number % streams];
            let consumer = format!("c{number}");
            let config = json!({ "durable_name": consumer, "ack_policy": "explicit", "metadata": metadata(number) });
            let body = json!({ "stream_name": stream, "config": config });
            let subject = format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{consumer}");
            requests.push((subject, body.to_string()));
            world.consumers.push((stream.clone(), consumer));
        }
        world.raw.pipeline(&requests, IN_FLIGHT, is_good)?;
        Ok(world)
    }

    pub fn len(&self) -> usize {
        self.consumers.len()
    }

    fn pauses(&self, body: &str) -> Vec<(String, String)> {
        let to = |(stream, consumer)| format!("$JS.API.CONSUMER.PAUSE.{stream}.{consumer}");
        let named = self
            .consumers
            .iter()
            .map(|(stream, consumer)| (stream, consumer));
        named.map(|one| (to(one), body.to_owned())).collect()
    }

    /// Pauses all of them as fast as the protocol allows with [`IN_FLIGHT`] under way: from the first request to the last
    /// answer.
    pub fn pause_all(&mut self, until: Timestamp) -> io::Result<Duration> {
        let body = json!({ "pause_until": until.to_string() }).to_string();
        let requests = self.pauses(&body);
        let start = Instant::now();
        self.raw.pipeline(&requests, IN_FLIGHT, is_paused)?;
        Ok(start.elapsed())
    }

    /// The same until lists show all of them paused until then.
    pub fn pause_all_until_shown(&mut self, until: Timestamp) -> io::Result<Duration> {
        let start = Instant::now();
        self.pause_all(until)?;
        while !self.all_show(Some(until))? {
            // Lists slow down what they wait for.
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(start.elapsed())
    }

    /// Lets go of all of them, and waits until it shows.
    pub fn release(&mut self) -> io::Result<()> {
        let requests = self.pauses("");
        self.raw.pipeline(&requests, IN_FLIGHT, is_good)?;
        while !self.all_show(None)? {
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Whether lists show every consumer with that deadline, or none paused.
    pub fn all_show(&mut self, until: Option<Timestamp>) -> io::Result<bool> {
        let mut right = 0;
        for stream in self.streams.clone() {
            let mut offset = 0;
            loop {
                let subject = format!("$JS.API.CONSUMER.LIST.{stream}");
                let body = json!({ "offset": offset }).to_string();
                self.lists += 1;
                let page: Value = serde_json::from_slice(&self.raw.ask(&subject, &body)?)?;
                let consumers = page["consumers"].as_array().map_or(&[][..], Vec::as_slice);
                right += consumers.iter().filter(|one| shows(one, until)).count();
                offset += consumers.len();
                if consumers.is_empty() || Some(offset as u64) >= page["total"].as_u64() {
                    break;
                }
            }
        }
        Ok(right == self.consumers.len())
    }

    /// How many pages of lists it asked for since the last time.
    pub fn lists(&mut self) -> usize {
        std::mem::take(&mut self.lists)
    }

    /// The consumer that a bystander asks about.
    pub fn somebody(&self) -> String {
        let (stream, consumer) = &self.consumers[0];
        format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}")
    }
}

fn shows(consumer: &Value, until: Option<Timestamp>) -> bool {
    let deadline = consumer["config"]["pause_until"].as_str();
    let deadline: Option<Timestamp> = deadline.and_then(|text| text.parse().ok());
    let paused = consumer["paused"] == true;
    match until {
        Some(until) => paused && deadline.map(|at| at.as_second()) == Some(until.as_second()),
        None => !paused,
    }
}
