//! What most scenarios share: a first of June, a window at noon, and words for what was asked of the server.

use jiff::{SignedDuration, Timestamp};
use recess::jetstream::Advisory;

use crate::client::{Request, What};
use crate::daemon::Recess;
use crate::server::Server;
use crate::world::{Host, World};

/// The mark of the instance `prod-eu`, from the README.
pub const MARK: i32 = 245_944;

/// What the mark of a release is more.
pub const RELEASE: i32 = 1_000_000;

/// A world, a server and a host, five minutes before noon.
pub struct Scene {
    pub world: World,
    pub server: Server,
    pub host: Host,
}

impl Scene {
    pub fn standalone(consumers: &[&str]) -> Self {
        Self::of(consumers, Server::standalone)
    }

    pub fn cluster(consumers: &[&str]) -> Self {
        Self::of(consumers, Server::cluster)
    }

    fn of(consumers: &[&str], server: fn(&World) -> Server) -> Self {
        let world = World::starting_at("2026-06-01T11:55:00Z");
        let (server, host) = (server(&world), Host::of(&world));
        server.create(consumers);
        Self {
            world,
            server,
            host,
        }
    }

    /// Starts recess with windows like `("noon", "ORDERS/*", "0 12 * * *", "1h")`.
    pub fn recess(&self, windows: &[Noon]) -> Recess {
        Recess::start(&self.server, &self.host, &config(windows))
    }

    /// Until `11:59:58.5` of that day (or of the next with a `+`).
    pub async fn until(&self, time: &str) {
        self.world.until(at(time)).await;
    }

    /// Forgets what was asked of the server so far.
    pub fn forget(&self) {
        self.server.state().take_requests();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.server.state().requests.clone()
    }

    /// The writes so far: when they left by the true time, to whom, with what deadline.
    pub fn writes(&self) -> Vec<(Timestamp, String, Option<Timestamp>)> {
        let requests = self.requests();
        let written = requests.iter().filter_map(|request| {
            let (id, deadline) = request.what.written()?;
            Some((request.at, id.path(), deadline))
        });
        written.collect()
    }

    /// The deadlines written to one consumer.
    pub fn deadlines(&self, path: &str) -> Vec<Option<Timestamp>> {
        let its = self.writes().into_iter().filter(|(_, to, _)| to == path);
        its.map(|(.., deadline)| deadline).collect()
    }

    /// Sends an advisory that nothing has caused.
    pub fn tell(&self, advisory: Advisory) {
        let now = self.world.now();
        self.server.state().advise(now, advisory);
    }

    /// How many requests only asked.
    pub fn questions(&self) -> usize {
        let requests = self.requests();
        requests
            .iter()
            .filter(|request| request.what.written().is_none())
            .count()
    }

    pub fn infos(&self) -> usize {
        let requests = self.requests();
        let is_info = |request: &&Request| matches!(request.what, What::Info(_));
        requests.iter().filter(is_info).count()
    }
}

/// Name, consumers, schedule (UTC) and duration of a window.
pub type Noon = (&'static str, &'static str, &'static str, &'static str);

/// The window of most scenarios.
pub const NOON: Noon = ("noon", "ORDERS/*", "0 12 * * *", "1h");

pub fn config(windows: &[Noon]) -> String {
    config_with("", windows)
}

/// With lines for `[controller]`.
pub fn config_with(controller: &str, windows: &[Noon]) -> String {
    let mut toml = format!("instance = \"prod-eu\"\n[controller]\n{controller}\n");
    for (name, consumers, schedule, duration) in windows {
        toml += &format!(
            "[[window]]\nname = \"{name}\"\nconsumers = [\"{consumers}\"]\n\
             schedule = \"{schedule}\"\nduration = \"{duration}\"\n"
        );
    }
    toml
}

/// A time of the first of June, or with `+` in front of the second.
pub fn at(time: &str) -> Timestamp {
    let (day, time) = time.strip_prefix('+').map_or((1, time), |time| (2, time));
    format!("2026-06-{day:02}T{time}Z")
        .parse()
        .expect("an instant")
}

/// A deadline of ours.
pub fn ours(time: &str) -> Option<Timestamp> {
    Some(Timestamp::new(at(time).as_second(), MARK).expect("an instant"))
}

/// What `recess resume` writes.
pub fn release(time: &str) -> Option<Timestamp> {
    Some(Timestamp::new(at(time).as_second(), MARK + RELEASE).expect("an instant"))
}

pub fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub fn milliseconds(milliseconds: i64) -> SignedDuration {
    SignedDuration::from_millis(milliseconds)
}

/// Asserts that `sent` is `due` or up to 50 ms later.
#[track_caller]
pub fn assert_on_time(sent: Timestamp, due: Timestamp) {
    let late = sent.duration_since(due);
    assert!(
        (SignedDuration::ZERO..=milliseconds(50)).contains(&late),
        "due {due}, sent {sent}"
    );
}
