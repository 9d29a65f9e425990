//! The model server as tests handle it: a running thing with a link that can be cut, and consumers to play with.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use recess::consumer::Kind;
use recess::jetstream::{Link, Server as Version};
use tokio::sync::{Notify, watch};

use crate::bucket::Overrides;
use crate::model::{Author, Consumer, State, Write, id};
use crate::stream::{Limits, Stream};
use crate::world::World;

/// The server, or the cluster of them. Cloning shares it.
#[derive(Clone)]
pub struct Server {
    pub world: World,
    state: Arc<Mutex<State>>,
    link: Arc<watch::Sender<Link>>,
    soon: Arc<Notify>,
    hints: Arc<watch::Sender<u64>>,
}

impl Server {
    pub fn standalone(world: &World) -> Self {
        Self::new(world, false)
    }

    pub fn cluster(world: &World) -> Self {
        Self::new(world, true)
    }

    fn new(world: &World, clustered: bool) -> Self {
        let server = Self {
            world: world.clone(),
            state: Arc::new(Mutex::new(State::new(clustered))),
            link: Arc::new(watch::channel(up(1)).0),
            soon: Arc::default(),
            hints: Arc::new(watch::Sender::new(0)),
        };
        tokio::spawn(live(server.clone()));
        server
    }

    /// The state as of now.
    pub fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("no test has panicked");
        state.settle(self.world.now());
        self.soon.notify_one();
        state
    }

    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    /// Changes when something is written to the bucket of overrides.
    pub fn hints(&self) -> watch::Receiver<u64> {
        self.hints.subscribe()
    }

    /// Writes to the bucket of overrides, which is heard of at once.
    pub fn overrides<T>(&self, write: impl FnOnce(&mut Overrides, Timestamp) -> T) -> T {
        let now = self.world.now();
        let done = write(&mut self.state().bucket, now);
        self.hints.send_modify(|hints| *hints += 1);
        done
    }

    pub fn is_up(&self) -> bool {
        matches!(*self.link.borrow(), Link::Up(_))
    }

    /// The network between recess and the server is cut; what the server keeps goes on.
    pub fn disconnect(&self) {
        self.state().connected = false;
        let reason = "the connection was lost".to_owned();
        self.link.send_replace(Link::Down { reason });
    }

    pub fn connect(&self) {
        self.state().connected = true;
        static CONNECTS: AtomicU64 = AtomicU64::new(2);
        let connects = CONNECTS.fetch_add(1, Relaxed);
        self.link.send_replace(up(connects));
    }

    /// The same server, over a connection of its own that can be cut alone.
    pub fn over_its_own_line(&self) -> Self {
        Self {
            link: Arc::new(watch::channel(up(1)).0),
            ..self.clone()
        }
    }

    /// That connection alone is cut.
    pub fn cut_line(&self) {
        let reason = "the connection was lost".to_owned();
        self.link.send_replace(Link::Down { reason });
    }

    /// The connection is to another server now.
    pub fn becomes(&self, link: Link) {
        self.link.send_replace(link);
    }

    /// Adds durable consumers, and their streams.
    pub fn create(&self, paths: &[&str]) {
        for path in paths {
            self.create_as(path, Kind::Durable);
        }
    }

    pub fn create_as(&self, path: &str, kind: Kind) {
        let (now, id) = (self.world.now(), id(path));
        self.state().create(id, kind, now);
    }

    /// An app's upsert: it writes the whole metadata anew, keeps the pause, and no advisory tells of it.
    pub fn tag(&self, path: &str, metadata: &[(&str, &str)]) {
        let metadata = metadata
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let mut state = self.state();
        let consumer = state.consumer_mut(&id(path)).expect("it exists");
        consumer.metadata = metadata.collect();
    }

    /// The messages of a stream are modelled from now on.
    pub fn limit(&self, stream: &str, limits: Limits) {
        let limited = Stream::of(limits);
        self.state().modelled.insert(stream.to_owned(), limited);
    }

    /// One message comes to a stream every so often, from now on.
    pub fn produces(&self, stream: &str, every: SignedDuration) {
        let now = self.world.now();
        self.state().produce(stream, every, now);
        self.soon.notify_one();
    }

    pub fn delete(&self, path: &str) {
        let now = self.world.now();
        self.state().delete(&id(path), now);
    }

    pub fn delete_stream(&self, stream: &str) {
        let now = self.world.now();
        self.state().delete_stream(stream, now);
    }

    /// Somebody pauses (or with `None` resumes) a consumer by hand.
    pub fn somebody_writes(&self, path: &str, deadline: Option<Timestamp>) {
        let write = Write {
            id: id(path),
            deadline,
            by: Author::Somebody,
        };
        let now = self.world.now();
        let _ = self.state().take(write, now);
        self.soon.notify_one();
    }

    pub fn consumer(&self, path: &str) -> Consumer {
        let state = self.state();
        state.consumer(&id(path)).expect("it exists").clone()
    }

    pub fn deadline(&self, path: &str) -> Option<Timestamp> {
        self.consumer(path).deadline
    }

    pub fn is_paused(&self, path: &str) -> bool {
        let now = self.world.now();
        self.deadline(path).is_some_and(|until| until > now)
    }

    /// Wakes the server at its next event.
    pub fn something_is_due(&self) {
        self.soon.notify_one();
    }
}

/// Time passes at the server.
async fn live(server: Server) {
    loop {
        let next = {
            let mut state = server.state.lock().expect("no test has panicked");
            state.settle(server.world.now());
            state.next_event()
        };
        let far = server.world.now() + SignedDuration::from_hours(24 * 365);
        tokio::select! {
            () = server.world.until(next.unwrap_or(far)) => {}
            () = server.soon.notified() => {}
        }
    }
}

fn up(connects: u64) -> Link {
    Link::Up(Version {
        version: "2.14.6".to_owned(),
        address: "nats://model:4222".to_owned(),
        connects,
        crash_prone: false,
        denied: Default::default(),
    })
}
