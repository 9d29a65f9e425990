//! The connection, and the clock as far as one pass shows it.

use super::Change;
use crate::jetstream::{Link, Server};
use crate::report::{Pass, Report, Wake};

pub(super) fn compare(before: Option<&Report>, after: &Report, changes: &mut Vec<Change>) {
    let before = before.map(|before| &before.link);
    if before == Some(&after.link) {
        return;
    }
    match &after.link {
        Link::Down { reason } if reason.is_empty() => {}
        Link::Down { reason } => changes.push(Change::Disconnected(reason.clone())),
        Link::Unsuitable(server) => changes.push(Change::Unsupported {
            server: server.clone(),
            was_connected: matches!(before, Some(Link::Up(_))),
        }),
        Link::Up(server) => connected(before, server, changes),
    }
}

/// The server reports one denied subject at a time, and again with each connection.
fn connected(before: Option<&Link>, server: &Server, changes: &mut Vec<Change>) {
    let same = match before {
        Some(Link::Up(known)) if known.connects == server.connects => Some(known),
        _ => None,
    };
    if same.is_none() {
        changes.push(Change::Connected(Box::new(server.clone())));
    }
    let is_news = |subject: &&String| same.is_none_or(|known| !known.denied.contains(*subject));
    let denied: Vec<String> = server.denied.iter().filter(is_news).cloned().collect();
    if !denied.is_empty() {
        changes.push(Change::Denied(denied));
    }
}

pub(super) fn clock_stepped(pass: &Pass, changes: &mut Vec<Change>) {
    if pass.wake == Wake::Clock {
        changes.push(Change::ClockStepped);
    }
}
