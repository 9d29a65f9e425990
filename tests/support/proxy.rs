//! A TCP proxy that breaks connections on demand.
//!
//! What it does to bytes is all it knows. It goes with its owner.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// They carry bytes.
    Fine,
    /// They stand and carry nothing, and the bytes wait: a network that loses everything.
    Silent,
    /// They are ended, and new ones too.
    Cut,
}

pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Before a server on a loopback port.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (weather, receiver) = watch::channel(Weather::Fine);
        Self {
            address: listener.local_addr().unwrap(),
            weather,
            task: tokio::spawn(serve(listener, port, receiver)),
        }
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    pub fn cut(&self) {
        self.weather.send_replace(Weather::Cut);
    }

    pub fn silence(&self) {
        self.weather.send_replace(Weather::Silent);
    }

    pub fn restore(&self) {
        self.weather.send_replace(Weather::Fine);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn serve(listener: TcpListener, port: u16, weather: watch::Receiver<Weather>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        let weather = weather.clone();
        tokio::spawn(async move {
            if *weather.borrow() == Weather::Cut {
                return;
            }
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
                return;
            };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                () = carry(from_client, to_server, weather.clone()) => {}
                () = carry(from_server, to_client, weather) => {}
            }
        });
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let now = *weather.borrow_and_update();
        tokio::select! {
            changed = weather.changed() => if changed.is_err() { return },
            read = from.read(&mut bytes), if now == Weather::Fine => match read {
                Ok(1..) if to.write_all(&bytes[..read.unwrap_or(0)]).await.is_ok() => {}
                _ => return,
            },
            () = std::future::ready(()), if now == Weather::Cut => return,
        }
    }
}
