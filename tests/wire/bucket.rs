//! Overrides in a key-value bucket of a real server: read, written, heard of, refused.

use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use recess::config::{self, Api, Auth, Connection, ConnectionSource, Redacted, Secret};
use recess::jetstream::bucket::BucketRead;
use recess::jetstream::nats::Nats;
use recess::jetstream::{JetStream, Link};
use recess::overrides::Bucket;
use recess::policy::{Effect, Override, OverrideId, Target, Terms, Verb};

use crate::support::nats_server::{Options, Server};
use crate::support::recess::secs;
use crate::surprises::{VERSIONS, version};

mod clustered;
mod hints;
mod made;
mod places;
mod read;
mod refused;
mod surprises;
mod written;

/// How long an entry is kept in most of these tests.
const KEEP: Duration = Duration::from_secs(3600);

fn server_of(binary: Option<&str>) -> Server {
    Server::start(version(binary)).unwrap()
}

fn bucket() -> Bucket {
    Bucket::new("recess", "default")
}

/// recess's connection.
async fn connect(url: &str) -> Nats {
    connect_as(Connection {
        servers: vec![url.to_owned()],
        ..Connection::default()
    })
    .await
}

async fn connect_as(connection: Connection) -> Nats {
    let settings = config::Nats {
        source: ConnectionSource::Here(connection),
        allow_crash_prone: false,
    };
    let (nats, _) = Nats::start(&settings, secs(2));
    let mut link = nats.link();
    let up = link.wait_for(|link| matches!(link, Link::Up(_)));
    tokio::time::timeout(secs(10), up).await.unwrap().unwrap();
    nats
}

/// The same as a user with a password that is the name.
async fn connect_as_user(url: &str, user: &str) -> Nats {
    connect_as(Connection {
        servers: vec![url.to_owned()],
        auth: Auth::UserPassword {
            username: user.to_owned(),
            password: Secret::Text(Redacted(user.to_owned())),
        },
        inbox_prefix: format!("_INBOX_{user}"),
        ..Connection::default()
    })
    .await
}

/// With the API in that domain.
async fn connect_to_domain(url: &str, domain: &str) -> Nats {
    connect_as(Connection {
        servers: vec![url.to_owned()],
        api: Api::Domain(domain.to_owned()),
        ..Connection::default()
    })
    .await
}

/// A window is held for an hour.
fn terms(window: &str) -> Terms {
    let from = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    Terms {
        effect: Effect::Pause,
        verb: Verb::Open,
        target: Target::Window(window.into()),
        from,
        until: from + 1.hour(),
        reason: Some("tests".into()),
        host: Some("here".into()),
    }
}

async fn create(nats: &Nats, author: &str, window: &str) -> (OverrideId, u64) {
    let terms = terms(window);
    let created = nats.create_override(&bucket(), author, &terms, KEEP).await;
    created.unwrap()
}

async fn read(nats: &Nats) -> BucketRead {
    nats.overrides(&bucket()).await.unwrap()
}

/// The windows of what counts, in the order of the bucket.
fn windows<'r>(read: &'r BucketRead) -> Vec<&'r str> {
    assert_eq!(read.unreadable, []);
    let name = |one: &'r Arc<Override>| match &one.terms.target {
        Target::Window(name) => &**name,
        Target::Consumers(_) => panic!("{one:?}"),
    };
    read.live.iter().map(name).collect()
}
