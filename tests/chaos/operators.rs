//! People who override what the file says, by writing to the bucket past every proxy. Whatever fails, fails.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use async_nats::{HeaderMap, Request};
use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::crowd::{Crowd, People};
use crate::overrides::{BUCKET, BUCKET_STREAM, Override, subject};
use crate::record::Record;
use crate::rules::{Rules, second};
use crate::servers::Servers;
use crate::support::config::{Config, INSTANCE};
use crate::support::random::Random;
use crate::support::recess::command;

/// How many keys an operator uses.
const KEYS: i64 = 12;

/// Who they are. The order of their names is not that of what they decide.
const AUTHORS: [&str; 3] = ["zoe", "alice", "mara"];

/// With what they do.
const VERBS: [(&str, &str); 6] = [
    ("open", "pause"),
    ("extend", "pause"),
    ("close", "run"),
    ("skip", "run"),
    ("pause", "pause"),
    ("resume", "run"),
];

/// As the README has it made by hand.
fn bucket(replicas: usize) -> Value {
    json!({
        "name": BUCKET_STREAM, "subjects": [format!("$KV.{BUCKET}.>")], "num_replicas": replicas, "storage": "file",
        "max_msgs_per_subject": 1, "max_bytes": 1 << 20, "max_msg_size": 4096, "discard": "new",
        "allow_rollup_hdrs": true, "deny_delete": true, "allow_direct": true, "allow_msg_ttl": true,
    })
}

/// Those who write to the bucket.
pub struct Operators {
    people: People,
    crowd: Crowd,
    record: Record,
    replicas: usize,
    /// By which their commands go: perhaps no longer the daemon's.
    config: PathBuf,
    _files: tempfile::TempDir,
    /// The ids that were written, in order.
    written: Mutex<Vec<String>>,
    /// What went wrong with commands that no fault explains.
    pub faults: Mutex<Vec<String>>,
}

impl Operators {
    pub fn of(
        people: &People,
        crowd: &Crowd,
        record: &Record,
        servers: &Servers,
        rules: &Rules,
    ) -> Self {
        let files = tempfile::tempdir().unwrap();
        fs::write(files.path().join("password"), "app").unwrap();
        let config = Config::new(servers.urls())
            .set(r#"nats.username = "app""#)
            .file("nats.password_file", &files.path().join("password"))
            .set(&format!("overrides.bucket = {BUCKET:?}"))
            .also(&rules.toml)
            .write(files.path());
        Self {
            people: people.clone(),
            crowd: crowd.clone(),
            record: record.clone(),
            replicas: servers.nodes().len(),
            config,
            _files: files,
            written: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// There is a bucket.
    pub async fn make_bucket(&self) {
        let verb = format!("STREAM.CREATE.{BUCKET_STREAM}");
        let body = bucket(self.replicas);
        if let Err(said) = self.people.insist(&verb, &body).await {
            // Lost nodes can be left with half a stream (2.15.1).
            self.record.note(format!("{said}; the bucket is made anew"));
            let delete = format!("STREAM.DELETE.{BUCKET_STREAM}");
            self.people.ask(&delete, &Value::Null).await;
            self.people.insist(&verb, &body).await.unwrap();
        }
    }

    /// The node of a cluster that leads the bucket, where one does.
    pub async fn leader(&self) -> Option<String> {
        let verb = format!("STREAM.INFO.{BUCKET_STREAM}");
        let info = self.people.ask(&verb, &Value::Null).await?;
        let leader = info["cluster"]["leader"].as_str().map(str::to_owned);
        leader.filter(|name| !name.is_empty())
    }

    /// One thing that an operator does.
    pub async fn operate(&self, random: &mut Random) {
        let author = *random.pick(&AUTHORS);
        let id = format!("{author}.k{}", random.below(KEYS));
        let key = subject(&id);
        let known = self.known(random).unwrap_or_else(|| id.clone());
        match random.below(28) {
            0..=13 => {
                let value = entry(random, &self.crowd);
                let stored = self.put(&key, &value).await;
                self.written.lock().unwrap().push(id);
                self.record
                    .note(format!("{author} writes {key} {value} ({stored})"));
            }
            14..=16 => {
                let done = self.undo(&subject(&known), "PURGE").await;
                self.record.note(format!("{known} is undone ({done})"));
            }
            17 => {
                let done = self.undo(&subject(&known), "DEL").await;
                self.record.note(format!("{known} is deleted ({done})"));
            }
            18..=20 => self.command(random, author).await,
            21..=23 => self.run(author, vec!["undo".to_owned(), known]).await,
            24 => {
                let filter = match random.once_in(2) {
                    true => key,
                    false => format!("$KV.{BUCKET}.{INSTANCE}.{author}.>"),
                };
                let verb = format!("STREAM.PURGE.{BUCKET_STREAM}");
                let done = self.people.ask(&verb, &json!({ "filter": filter })).await;
                self.record.note(format!("{filter} is purged: {done:?}"));
            }
            25 => {
                let done = self.put(&key, &json!({ "v": 2 })).await;
                self.record
                    .note(format!("{author} writes rubbish to {key} ({done})"));
            }
            26 => {
                let verb = format!("STREAM.LEADER.STEPDOWN.{BUCKET_STREAM}");
                self.people.ask(&verb, &Value::Null).await;
                self.record.note("the bucket's leader steps down");
            }
            _ => self.remake(random).await,
        }
    }

    /// One of the last that were written: what is older is over.
    fn known(&self, random: &mut Random) -> Option<String> {
        let written = self.written.lock().unwrap();
        let recent = &written[written.len().saturating_sub(6)..];
        (!recent.is_empty()).then(|| random.pick(recent).clone())
    }

    /// The bucket is deleted, and made anew at once or later.
    async fn remake(&self, random: &mut Random) {
        let verb = format!("STREAM.DELETE.{BUCKET_STREAM}");
        let done = self.people.ask(&verb, &Value::Null).await;
        self.record.note(format!("the bucket is deleted: {done:?}"));
        let wait = *random.pick(&[0, 300, 2_500]);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let verb = format!("STREAM.CREATE.{BUCKET_STREAM}");
        let done = self.people.ask(&verb, &bucket(self.replicas)).await;
        self.record
            .note(format!("it is there again: {}", done.is_some()));
    }

    /// One of recess's own commands, which works out what it means and does what no daemon does.
    async fn command(&self, random: &mut Random, author: &str) {
        let window = Rules::window(random);
        let selectors = self.crowd.selectors(random);
        let length = format!("{}s", random.pick(&[3, 10, 25, 60]));
        let verb = *random.pick(&["open", "extend", "close", "skip", "pause", "resume"]);
        let mut arguments = vec![verb.to_owned()];
        match verb {
            "pause" | "resume" => arguments.extend(selectors),
            _ => arguments.push(window),
        }
        if matches!(verb, "open" | "extend" | "pause") {
            arguments.extend(["--for".to_owned(), length]);
        }
        self.run(author, arguments).await;
    }

    /// A command with what all of them take. None fails for a reason that no fault explains.
    async fn run(&self, author: &str, mut arguments: Vec<String>) {
        let config = self.config.to_str().unwrap();
        for text in ["--reason", "chaos", "--author", author, "--config", config] {
            arguments.push(text.to_owned());
        }
        let said = arguments.join(" ");
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            command(&arguments)
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        if !matches!(output.status.code(), Some(0..=3)) || errors.contains("panicked") {
            let fault = format!("I5: recess {said}: {} {errors}", output.status);
            self.faults.lock().unwrap().push(fault);
        }
        self.record
            .note(format!("recess {said}: {} {errors}", output.status));
    }

    async fn publish(&self, subject: &str, headers: HeaderMap, body: String) -> bool {
        let request = (Request::new().headers(headers).payload(body.into()))
            .timeout(Some(Duration::from_secs(2)));
        let answer = self
            .people
            .client
            .send_request(subject.to_owned(), request)
            .await;
        let answer: Option<Value> = answer
            .ok()
            .and_then(|answer| serde_json::from_slice(&answer.payload).ok());
        answer.is_some_and(|answer| answer["error"].is_null())
    }

    pub async fn put(&self, key: &str, value: &Value) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(until) = value["until"].as_str() {
            // The key is gone soon after its end.
            let left = until
                .parse::<Timestamp>()
                .unwrap()
                .duration_since(Timestamp::now());
            headers.insert("Nats-TTL", format!("{}s", left.as_secs() + 5).as_str());
        }
        self.publish(key, headers, value.to_string()).await
    }

    async fn undo(&self, key: &str, operation: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("KV-Operation", operation);
        if operation == "PURGE" {
            headers.insert("Nats-Rollup", "sub");
        }
        self.publish(key, headers, String::new()).await
    }

    /// What counts, by the leader of the bucket's stream.
    pub async fn overrides(&self) -> Vec<Override> {
        let mut overrides = Vec::new();
        let get = format!("STREAM.MSG.GET.{BUCKET_STREAM}");
        let of_instance = format!("$KV.{BUCKET}.{INSTANCE}.>");
        let mut next = 1;
        loop {
            let body = json!({ "seq": next, "next_by_subj": of_instance });
            let answer = self
                .people
                .ask(&get, &body)
                .await
                .expect("the bucket has a leader");
            let message = &answer["message"];
            let Some(sequence) = message["seq"].as_u64() else {
                assert_eq!(answer["error"]["err_code"], 10037, "{answer}");
                return overrides;
            };
            next = sequence + 1;
            // An erased key has headers that say so, and no override for a value.
            let value = BASE64_STANDARD.decode(message["data"].as_str().unwrap_or_default());
            let value = String::from_utf8(value.unwrap()).unwrap();
            overrides.extend(Override::read(sequence, &value));
        }
    }
}

/// What one decides, with the instants worked out.
fn entry(random: &mut Random, crowd: &Crowd) -> Value {
    let (verb, effect) = *random.pick(&VERBS);
    let now = Timestamp::now().as_second();
    let from = match verb {
        "extend" | "skip" => now + 1 + random.below(12),
        _ => now,
    };
    let until = from + *random.pick(&[3, 6, 10, 10, 15, 25, 60, 300]);
    let mut value = json!({
        "v": 1, "instance": INSTANCE, "effect": effect, "verb": verb, "from": second(from).to_string(),
        "until": second(until).to_string(), "reason": "chaos", "host": "here",
    });
    match verb {
        "pause" | "resume" => value["consumers"] = json!(crowd.selectors(random)),
        _ => value["window"] = json!(Rules::window(random)),
    }
    value
}
