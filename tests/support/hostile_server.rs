//! A server that means no good: it speaks the NATS text protocol, knows one stream `ORDERS` with one consumer `billing`,
//! and answers as nats-server does but where a test says otherwise.
//!
//! The one place where something else stands in for nats-server: what a real one never says is the subject.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it says in place of the right answer.
#[derive(Clone)]
pub enum Say {
    /// This answer.
    Answer(Vec<u8>),
    /// These bytes, which need not be an answer.
    Bytes(Vec<u8>),
    /// This byte, for as long as anybody takes it.
    Flood(u8),
    /// Nothing.
    Nothing,
}

/// A request, by what comes after `$JS.API.`, with its body.
type Twist = dyn Fn(&str, &Value) -> Option<Say> + Send + Sync;

/// How it is bad.
#[derive(Clone)]
pub struct Manners {
    /// The first it says; without it a right `INFO`.
    pub greeting: Option<Vec<u8>>,
    /// What it says once when it has been asked for a subject of advisories.
    pub unasked: Vec<u8>,
    /// What it says in place of right answers.
    pub twist: Arc<Twist>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            greeting: None,
            unasked: Vec::new(),
            twist: Arc::new(|_, _| None),
        }
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub subject: String,
    pub body: String,
}

pub struct Hostile {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    task: JoinHandle<()>,
}

impl Hostile {
    pub async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = heard.clone();
        let task = tokio::spawn(async move {
            let deadline = Arc::new(Mutex::new(None));
            while let Ok((stream, _)) = listener.accept().await {
                let visit = Visit::new(stream, manners.clone(), ear.clone(), deadline.clone());
                tokio::spawn(visit.serve());
            }
        });
        Self {
            address,
            heard,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Every line that a client has sent and that was a request, or none that this server knows.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The writes among them.
    pub fn writes(&self) -> Vec<Heard> {
        let mut heard = self.heard();
        heard.retain(|one| one.subject.starts_with("$JS.API.CONSUMER.PAUSE."));
        heard
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What nats-server says first.
pub fn info(more: &Value) -> Vec<u8> {
    let mut info = json!({
        "server_id": "N", "server_name": "hostile", "version": "2.15.1", "proto": 1, "go": "go1.26", "host": "127.0.0.1",
        "port": 4222, "headers": true, "max_payload": 1_048_576, "jetstream": true, "client_id": 5, "client_ip": "127.0.0.1",
    });
    for (key, value) in more.as_object().unwrap() {
        info[key] = value.clone();
    }
    format!("INFO {info}\r\n").into_bytes()
}

/// A consumer as INFO and LIST show it.
pub fn consumer(name: &str, deadline: Option<&str>) -> Value {
    let mut consumer = json!({
        "stream_name": "ORDERS", "name": name, "created": "2026-11-01T12:00:00.123456789Z",
        "config": { "durable_name": name, "name": name, "ack_policy": "explicit" },
        "num_pending": 3, "num_ack_pending": 0, "ts": jiff::Timestamp::now().to_string(),
    });
    if let Some(deadline) = deadline {
        let until: jiff::Timestamp = deadline.parse().unwrap();
        let left = until.duration_since(jiff::Timestamp::now());
        consumer["config"]["pause_until"] = deadline.into();
        if left.is_positive() {
            consumer["paused"] = true.into();
            consumer["pause_remaining"] = i64::try_from(left.as_nanos()).unwrap().into();
        }
    }
    consumer
}

/// One connection.
struct Visit {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    manners: Manners,
    heard: Arc<Mutex<Vec<Heard>>>,
    deadline: Arc<Mutex<Option<String>>>,
    /// By subject.
    subscriptions: HashMap<String, String>,
}

impl Visit {
    fn new(
        stream: TcpStream,
        manners: Manners,
        heard: Arc<Mutex<Vec<Heard>>>,
        deadline: Arc<Mutex<Option<String>>>,
    ) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            reader: BufReader::new(reader),
            writer,
            manners,
            heard,
            deadline,
            subscriptions: HashMap::new(),
        }
    }

    async fn serve(mut self) -> io::Result<()> {
        let greeting = (self.manners.greeting.clone()).unwrap_or_else(|| info(&json!({})));
        self.writer.write_all(&greeting).await?;
        let mut line = String::new();
        while self.reader.read_line(&mut line).await? > 0 {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words[..] {
                ["CONNECT", ..] | ["UNSUB", ..] | ["PONG"] | [] => {}
                ["PING"] => self.writer.write_all(b"PONG\r\n").await?,
                ["SUB", subject, sid] => {
                    self.subscriptions
                        .insert(subject.to_owned(), sid.to_owned());
                    if subject.contains(".PAUSE.") {
                        let unasked = std::mem::take(&mut self.manners.unasked);
                        self.writer.write_all(&unasked).await?;
                    }
                }
                ["PUB", subject, reply, length] => {
                    let (subject, reply) = (subject.to_owned(), reply.to_owned());
                    let mut body = vec![0; length.parse::<usize>().unwrap() + 2];
                    self.reader.read_exact(&mut body).await?;
                    let body = String::from_utf8_lossy(&body).trim_end().to_owned();
                    self.answer(subject, &reply, body).await?;
                }
                _ => self.note(&line, String::new()),
            }
            line.clear();
        }
        Ok(())
    }

    fn note(&self, subject: &str, body: String) {
        self.heard.lock().unwrap().push(Heard {
            subject: subject.to_owned(),
            body,
        });
    }

    async fn answer(&mut self, subject: String, reply: &str, body: String) -> io::Result<()> {
        let request: Value = serde_json::from_str(&body).unwrap_or_default();
        self.note(&subject, body);
        let verb = subject.trim_start_matches("$JS.API.");
        let answer = match (self.manners.twist)(verb, &request) {
            Some(Say::Nothing) => return Ok(()),
            Some(Say::Bytes(bytes)) => return self.writer.write_all(&bytes).await,
            Some(Say::Flood(byte)) => loop {
                self.writer.write_all(&[byte; 1 << 16]).await?;
            },
            Some(Say::Answer(answer)) => answer,
            None => self.right(verb, &request).to_string().into_bytes(),
        };
        let inbox = reply.rsplit_once('.').unwrap().0;
        let sid = &self.subscriptions[&format!("{inbox}.*")];
        let head = format!("MSG {reply} {sid} {}\r\n", answer.len());
        self.writer.write_all(head.as_bytes()).await?;
        self.writer.write_all(&answer).await?;
        self.writer.write_all(b"\r\n").await
    }

    fn right(&self, verb: &str, request: &Value) -> Value {
        let mut deadline = self.deadline.lock().unwrap();
        let billing = |deadline: &Option<String>| consumer("billing", deadline.as_deref());
        match verb {
            "INFO" => {
                json!({ "type": "account", "streams": 1, "consumers": 1, "api": { "level": 5 } })
            }
            "STREAM.NAMES" => {
                json!({ "total": 1, "offset": 0, "limit": 1024, "streams": ["ORDERS"] })
            }
            "STREAM.INFO.ORDERS" => {
                json!({ "config": { "max_age": 0, "max_msgs": -1, "max_bytes": -1 }, "state": { "messages": 0 } })
            }
            "CONSUMER.LIST.ORDERS" => {
                json!({ "total": 1, "offset": 0, "limit": 256, "consumers": [billing(&deadline)] })
            }
            "CONSUMER.INFO.ORDERS.billing" => billing(&deadline),
            "CONSUMER.PAUSE.ORDERS.billing" => {
                *deadline = request["pause_until"].as_str().map(str::to_owned);
                json!({ "paused": deadline.is_some(), "pause_until": *deadline })
            }
            _ => {
                json!({ "error": { "code": 404, "err_code": 10014, "description": "consumer not found" } })
            }
        }
    }
}
