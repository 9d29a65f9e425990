//! A nats-server with an application on it: where most tests begin.

use async_nats::ConnectOptions;

use super::account::Account;
use super::config::Config;
use super::nats_server::{Options, Server};

pub struct World {
    pub server: Server,
    pub account: Account,
}

impl World {
    /// Without a stream.
    pub async fn new() -> Self {
        Self::start(Options::default(), ConnectOptions::new()).await
    }

    /// The same for a test that keeps a processor busy.
    pub async fn busy() -> Self {
        let options = Options {
            busy: true,
            ..Options::default()
        };
        Self::start(options, ConnectOptions::new()).await
    }

    /// With these durable consumers and their streams.
    pub async fn with(paths: &[&str]) -> Self {
        let world = Self::new().await;
        world.account.durables(paths).await;
        world
    }

    /// On a server of that kind, which lets the application in as it connects.
    pub async fn start(server: Options, application: ConnectOptions) -> Self {
        let server = Server::start(server).unwrap();
        let account = Account::connect_with(&server.url(), application).await;
        Self { server, account }
    }

    /// A config that names the server.
    pub fn config(&self) -> Config {
        Config::new([self.server.url()])
    }
}
