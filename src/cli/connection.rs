//! A connection for a command, or why there is none.

use std::time::Duration;

use tokio::sync::mpsc;

use super::{Exit, complain};
use crate::config::Config;
use crate::jetstream::nats::Nats;
use crate::jetstream::{Advisory, JetStream, Link};

/// How long a command waits for a connection before it reports that there is none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(6);

/// A connection, or says why there is none.
pub async fn connect(config: &Config) -> Result<(Nats, mpsc::Receiver<Advisory>), Exit> {
    let settings = &config.settings;
    let timeout = settings.controller.request_timeout;
    let (nats, advisories) = Nats::start(&settings.nats, timeout);
    connected(&nats, CONNECT_TIMEOUT + timeout).await?;
    Ok((nats, advisories))
}

async fn connected(nats: &Nats, timeout: Duration) -> Result<(), Exit> {
    let state = match tokio::time::timeout(timeout, settled(nats)).await {
        Ok(state) => state,
        Err(_) => no_answer(timeout),
    };
    match state {
        Link::Up(_) => Ok(()),
        Link::Down { reason } => {
            complain(format!("error: {reason}"));
            Err(Exit::Failed)
        }
        Link::Unsuitable(unsuitable) => {
            complain(format!("error: {unsuitable}"));
            Err(Exit::Config)
        }
    }
}

/// The link, once it is known how it is.
pub async fn settled(nats: &Nats) -> Link {
    let mut link = nats.link();
    let settled = link.wait_for(|link| !matches!(link, Link::Down { reason } if reason.is_empty()));
    match settled.await {
        Ok(state) => state.clone(),
        Err(_) => no_answer(Duration::ZERO),
    }
}

fn no_answer(timeout: Duration) -> Link {
    Link::Down {
        reason: format!("no reply from JetStream within {} s", timeout.as_secs()),
    }
}
