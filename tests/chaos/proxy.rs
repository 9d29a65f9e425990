//! A TCP proxy between one copy of recess and one node: it notes what passes, and delays, holds, drops and cuts it.
//!
//! It reads what recess sends as soon as it comes, whatever becomes of it afterwards, so that the note has the time of the
//! sending.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::record::{Process, Record, What};
use crate::wire::{Frame, Frames};

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Fine,
    /// Everything takes so many milliseconds longer.
    Slow(u64),
    /// They stand and carry nothing; what is sent meanwhile comes later.
    BlackHole,
    /// The server hears nothing.
    Deaf,
    /// The server is not heard.
    Mute,
    /// They are ended, and new ones too.
    Cut,
}

/// What ends the connections that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    Reset,
    /// recess is told that the server says no more.
    AnswersEnd,
    /// The server is told that recess says no more.
    RequestsEnd,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToRecess,
}

/// Everything a connection needs to know.
#[derive(Clone)]
struct Ties {
    weather: watch::Receiver<Weather>,
    broken: watch::Receiver<Option<Break>>,
    record: Record,
    process: Process,
    connection: usize,
}

pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    broken: watch::Sender<Option<Break>>,
    task: JoinHandle<()>,
}

static CONNECTIONS: AtomicUsize = AtomicUsize::new(1);

impl Proxy {
    /// Before a node on a loopback port. `process` says which process of recess connects now.
    pub async fn before(port: u16, record: &Record, process: Arc<AtomicUsize>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (weather, sky) = watch::channel(Weather::Fine);
        let (broken, breaks) = watch::channel(None);
        let address = listener.local_addr().unwrap();
        let record = record.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let ties = Ties {
                    weather: sky.clone(),
                    broken: breaks.clone(),
                    record: record.clone(),
                    process: process.load(SeqCst),
                    connection: CONNECTIONS.fetch_add(1, SeqCst),
                };
                tokio::spawn(connect(client, port, ties));
            }
        });
        Self {
            address,
            weather,
            broken,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    pub fn becomes(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    pub fn breaks(&self, how: Break) {
        self.broken.send_replace(Some(how));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.becomes(Weather::Cut);
    }
}

async fn connect(client: TcpStream, port: u16, mut ties: Ties) {
    if *ties.weather.borrow() == Weather::Cut {
        return;
    }
    ties.broken.mark_unchanged();
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = carry(from_client, to_server, Way::ToServer, ties.clone()) => {}
        () = carry(from_server, to_client, Way::ToRecess, ties.clone()) => {}
        () = ended(ties) => {}
    }
}

/// Ends when all connections do.
async fn ended(mut ties: Ties) {
    loop {
        let over = tokio::select! {
            changed = ties.weather.changed() => {
                changed.is_err() || *ties.weather.borrow() == Weather::Cut
            }
            changed = ties.broken.changed() => {
                changed.is_err() || *ties.broken.borrow() == Some(Break::Reset)
            }
        };
        if over {
            return;
        }
    }
}

/// One direction, until nothing more comes and all of it has been passed on.
async fn carry(from: OwnedReadHalf, to: OwnedWriteHalf, way: Way, ties: Ties) {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::join!(
        take(from, sender, way, &ties),
        give(receiver, to, way, ties.clone())
    );
}

async fn take(
    mut from: OwnedReadHalf,
    queue: mpsc::UnboundedSender<(Instant, Vec<u8>)>,
    way: Way,
    ties: &Ties,
) {
    let mut bytes = vec![0; 64 * 1024];
    let mut frames = Frames::default();
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if way == Way::ToServer {
            note(frames.feed(&bytes[..count]), way, ties);
        }
        if queue
            .send((Instant::now(), bytes[..count].to_vec()))
            .is_err()
        {
            return;
        }
    }
}

async fn give(
    mut queue: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>,
    mut to: OwnedWriteHalf,
    way: Way,
    mut ties: Ties,
) {
    let mut frames = Frames::default();
    let ends = match way {
        Way::ToServer => Break::RequestsEnd,
        Way::ToRecess => Break::AnswersEnd,
    };
    loop {
        let next = tokio::select! {
            next = queue.recv() => next,
            changed = ties.broken.changed() => {
                if changed.is_err() { return }
                if *ties.broken.borrow_and_update() == Some(ends) {
                    let _ = to.shutdown().await;
                    // The other side finds out, and ends the rest of it.
                    while queue.recv().await.is_some() {}
                    return;
                }
                continue;
            }
        };
        let Some((came, bytes)) = next else { return };
        let weather = *ties.weather.borrow();
        if let Weather::Slow(milliseconds) = weather {
            tokio::time::sleep_until(came + Duration::from_millis(milliseconds)).await;
        }
        let passes = |now: &Weather| match now {
            Weather::BlackHole | Weather::Cut => false,
            Weather::Deaf => way == Way::ToRecess,
            Weather::Mute => way == Way::ToServer,
            Weather::Fine | Weather::Slow(_) => true,
        };
        if ties.weather.wait_for(passes).await.is_err() {
            return;
        }
        if way == Way::ToRecess {
            note(frames.feed(&bytes), way, &ties);
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

fn note(frames: Vec<Frame>, way: Way, ties: &Ties) {
    let connection = ties.connection;
    for frame in frames {
        if !matches!(frame.verb.as_str(), "PUB" | "MSG" | "-ERR") {
            continue;
        }
        let what = match way {
            Way::ToServer => What::Sent { connection, frame },
            Way::ToRecess => What::Delivered { connection, frame },
        };
        ties.record.push(ties.process, what);
    }
}
