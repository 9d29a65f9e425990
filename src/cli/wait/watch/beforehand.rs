//! What a wait waits for before it can observe: a connection, and the opening of the window.

use std::time::Duration;

use jiff::SignedDuration;

use super::Wait;
use crate::cli::Exit;
use crate::cli::wait::outcome::End;
use crate::drain::Goal;
use crate::jetstream::nats::Nats;
use crate::jetstream::{JetStream, Link};
use crate::now::Now;

/// The longest sleep, so that a stepped clock is noticed and progress shown.
const SLICE: Duration = Duration::from_secs(1);

impl Wait {
    /// Waits for a connection, as for the rest: a server that restarts is no reason to stop before
    /// the time is over.
    pub(super) async fn until_connected(&mut self, nats: &Nats) -> Result<Option<End>, Exit> {
        let mut link = nats.link();
        loop {
            let state = link.borrow_and_update().clone();
            match state {
                Link::Up(_) => {
                    self.trouble = None;
                    return Ok(None);
                }
                Link::Unsuitable(unsuitable) => {
                    self.progress.clear();
                    crate::cli::complain(format!("error: {unsuitable}"));
                    self.trouble = Some(unsuitable.to_string());
                    return Err(Exit::Config);
                }
                Link::Down { reason } if reason.is_empty() => {}
                Link::Down { reason } => {
                    if self.trouble.is_none() {
                        self.progress.clear();
                        crate::cli::print_error(&format!(
                            "note: {reason}; retrying until the timeout"
                        ));
                    }
                    self.trouble = Some(reason);
                }
            }
            let left = (self.deadline).saturating_sub(self.clock.now().uptime);
            if left.is_zero() {
                (self.trouble).get_or_insert_with(|| "no reply from JetStream yet".to_owned());
                return Ok(Some(End::TimedOut));
            }
            self.progress
                .show(self.goal, &self.rows, self.trouble.as_deref(), left);
            // Cancel-safe: a change of the link stays marked until it is seen. A link that is gone
            // changes no more, and the loop ends with the time.
            tokio::select! {
                () = tokio::time::sleep(left.min(SLICE)) => {}
                Ok(()) = link.changed() => {}
            }
        }
    }

    /// Sleeps until the window is open.
    pub(super) async fn until_open(&mut self) -> Option<End> {
        loop {
            let now = self.clock.now();
            self.open = (self.window.as_ref()).and_then(|window| window.open_at(now.wall));
            if !self.is_closed(now) {
                return None;
            }
            if let Some(end) = self.too_late(now) {
                return Some(end);
            }
            let next = self
                .window
                .as_ref()
                .and_then(|one| one.next_opening(now.wall));
            let wait = next.map_or(SignedDuration::ZERO, |next| {
                next.opens.duration_since(now.wall)
            });
            self.progress
                .show_opening(self.window.as_ref().map_or("", |window| &window.name), wait);
            let wait = Duration::try_from(wait).unwrap_or_default();
            tokio::time::sleep(wait.min(SLICE).max(Duration::from_millis(1))).await;
        }
    }

    /// The end, where the window is closed and does not open in time.
    pub(super) fn too_late(&self, now: Now) -> Option<End> {
        let window = self.window.as_ref().filter(|_| self.is_closed(now))?;
        let next = window.next_opening(now.wall);
        let last = self.last(now);
        let in_time = next.is_some_and(|next| next.opens <= last);
        (!in_time).then_some(End::NotOpen(next))
    }

    /// Whether the window is closed, and a pause is waited for.
    pub(super) fn is_closed(&self, now: Now) -> bool {
        self.goal != Goal::Running
            && (self.window.as_ref()).is_some_and(|window| window.open_at(now.wall).is_none())
    }
}
