//! The servers of a history, one or three, and what befalls them.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::record::Record;
use crate::support::nats_server::{Cluster, Options, Server};
use crate::support::random::Random;

pub enum Nats {
    One(Server),
    Three(Cluster),
}

/// A user's permissions are in a file that all nodes read anew at a reload.
pub struct Servers {
    nats: Nats,
    permissions: tempfile::TempDir,
    /// Of this world alone: a recess of another one, which is left behind and finds a port used again, is sent away.
    pub password: String,
    record: Record,
}

/// What recess may ask: the list of `examples/nats/README.md`.
const GIVEN: [&str; 7] = [
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.CONSUMER.LIST.*",
    "$JS.API.CONSUMER.INFO.*.*",
    "$JS.API.CONSUMER.PAUSE.*.*",
    "$JS.API.DIRECT.GET.KV_recess",
    "$JS.API.STREAM.INFO.*",
];

/// By which it hears of writes to the bucket.
const HINTS: &str = "$KV.recess.prod-eu.>";

/// One that hears of no write to the bucket, and reads it late.
pub const DEAF: &str = "late";

/// So many worlds there have been.
static WORLDS: AtomicUsize = AtomicUsize::new(0);

impl Servers {
    pub fn start(clustered: bool, record: &Record) -> Self {
        let permissions = tempfile::Builder::new()
            .prefix("recess-chaos-")
            .tempdir()
            .unwrap();
        let world = WORLDS.fetch_add(1, SeqCst);
        let password = format!("s3cret-{}-{world}", std::process::id());
        let users = users(None, &password);
        fs::write(permissions.path().join("users.conf"), users).unwrap();
        // It is looked for from the server's own folder, which is beside this one.
        let folder = permissions.path().file_name().unwrap();
        let include = Path::new("..").join(folder).join("users.conf");
        let options = Options {
            config: format!("include {:?}", include.to_str().unwrap()),
            unadvertised: true,
            ..Default::default()
        };
        let nats = if clustered {
            Nats::Three(Cluster::start(3, options).unwrap())
        } else {
            Nats::One(Server::start(options).unwrap())
        };
        Self {
            nats,
            permissions,
            password,
            record: record.clone(),
        }
    }

    pub fn nodes(&self) -> &[Server] {
        match &self.nats {
            Nats::One(server) => std::slice::from_ref(server),
            Nats::Three(cluster) => &cluster.nodes,
        }
    }

    fn nodes_mut(&mut self) -> &mut [Server] {
        match &mut self.nats {
            Nats::One(server) => std::slice::from_mut(server),
            Nats::Three(cluster) => &mut cluster.nodes,
        }
    }

    pub fn urls(&self) -> Vec<String> {
        self.nodes().iter().map(Server::url).collect()
    }

    /// Takes one permission away at most, and gives all others.
    fn permit_without(&self, taken: Option<&str>) {
        let file = self.permissions.path().join("users.conf");
        fs::write(file, users(taken, &self.password)).unwrap();
        for node in self.nodes().iter().filter(|node| node.pid().is_some()) {
            node.signal("HUP");
        }
    }

    /// One thing that befalls servers, from its beginning to its end.
    pub async fn suffer(&mut self, random: &mut Random) {
        let count = self.nodes().len();
        let node = random.below(count as i64) as usize;
        let name = format!("node {}", node + 1);
        let milliseconds = 200 + random.below(2_800);
        let wait = Duration::from_millis(milliseconds as u64);
        match random.below(12) {
            0..=2 => self.lose(&[node], wait, &name).await,
            3 => {
                self.record
                    .note(format!("{name} is stopped well, for {wait:?}"));
                self.nodes_mut()[node].stop();
                tokio::time::sleep(wait).await;
                self.restart(node);
            }
            4 | 5 => {
                self.record
                    .note(format!("{name} stands still for {wait:?}"));
                self.nodes()[node].signal("STOP");
                tokio::time::sleep(wait).await;
                self.nodes()[node].signal("CONT");
            }
            6 => {
                self.record
                    .note(format!("{name} is a lame duck, for {wait:?}"));
                self.nodes()[node].signal("USR2");
                tokio::time::sleep(wait).await;
                self.restart(node);
            }
            7 | 8 if count > 1 => {
                let leader = match &self.nats {
                    Nats::Three(cluster) => cluster.meta_leader(),
                    Nats::One(_) => None,
                };
                self.lose(&[leader.unwrap_or(node)], wait, "the leader")
                    .await;
            }
            9 if count > 1 => {
                let others: Vec<usize> = (0..count).filter(|other| *other != node).collect();
                self.lose(&others, wait, "the quorum").await;
            }
            _ => {
                let taken = *random.pick(&[
                    GIVEN[4], GIVEN[4], GIVEN[2], GIVEN[3], GIVEN[1], GIVEN[5], GIVEN[6], HINTS,
                ]);
                self.record.note(format!("{taken} is denied for {wait:?}"));
                self.permit_without(Some(taken));
                tokio::time::sleep(wait).await;
                self.permit_without(None);
                self.record.note("everything is permitted");
            }
        }
    }

    /// The node that leads the bucket is killed, for a while.
    pub async fn lose_the_bucket(&mut self, leader: &str, random: &mut Random) {
        let milliseconds = 200 + random.below(2_800);
        let wait = Duration::from_millis(milliseconds as u64);
        self.lose(&[Cluster::place(leader)], wait, "the bucket's leader")
            .await;
    }

    async fn lose(&mut self, nodes: &[usize], wait: Duration, name: &str) {
        self.record.note(format!("{name} is killed, for {wait:?}"));
        for node in nodes {
            self.nodes_mut()[*node].kill();
        }
        tokio::time::sleep(wait).await;
        for node in nodes {
            self.restart(*node);
        }
    }

    fn restart(&mut self, node: usize) {
        self.nodes_mut()[node].restart().unwrap();
        self.record.note(format!("node {} is back", node + 1));
    }

    /// Waits until they are well.
    pub fn heal(&mut self) {
        let Nats::Three(cluster) = &mut self.nats else {
            return;
        };
        if let Err(ill) = cluster.wait_healthy() {
            // Nodes that were lost again and again can be at odds for good (2.15.1), until they are started once more.
            self.record
                .note(format!("all nodes are started anew: {ill}"));
            for node in &mut cluster.nodes {
                node.restart().unwrap();
            }
            cluster.wait_healthy().unwrap();
        }
    }
}

fn users(taken: Option<&str>, password: &str) -> String {
    let left = |one: &&str| Some(*one) != taken;
    let publish: Vec<&str> = GIVEN.into_iter().filter(left).collect();
    let events = ["PAUSE", "CREATED", "DELETED"]
        .map(|kind| format!("$JS.EVENT.ADVISORY.CONSUMER.{kind}.*.*"));
    let user = |name: &str, heard: &[&str]| {
        let subscribe: Vec<&str> = (events.iter().map(String::as_str))
            .chain(heard.iter().copied())
            .filter(left)
            .collect();
        format!(
            "{{ user: {name}, password: {password}, permissions: {{ publish: {publish:?}, subscribe: {subscribe:?} }} }}\n"
        )
    };
    let (recess, late) = (
        user("recess", &["_INBOX_recess.>", HINTS]),
        user(DEAF, &["_INBOX_late.>"]),
    );
    format!("authorization {{ users: [\n{{ user: app, password: app }}\n{recess}{late}] }}\n")
}
