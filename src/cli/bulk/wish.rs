//! What is asked for, before it is known what time it is on the server.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::bulk::Bulk;
use crate::jetstream::nats::Nats;
use crate::overrides::command::{Command, End};
use crate::plan::BulkOp;
use crate::policy::{Selection, Selector};

/// What is asked for, before the server's clock is known.
#[derive(Clone, Copy)]
pub enum Wish {
    Until(Timestamp),
    For(Duration),
    Resume,
}

impl Wish {
    pub fn op(self, server_now: Timestamp) -> BulkOp {
        match self {
            Self::Until(until) => BulkOp::Pause(until),
            Self::For(length) => {
                let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
                let until = server_now.checked_add(length).unwrap_or(Timestamp::MAX);
                let up = i64::from(until.subsec_nanosecond() > 0);
                let whole = Timestamp::from_second(until.as_second() + up);
                BulkOp::Pause(whole.unwrap_or(Timestamp::MAX))
            }
            Self::Resume => BulkOp::Resume,
        }
    }

    /// The same as an override of consumers.
    pub fn command(self, selectors: &[Selector], bulk: &Bulk<Nats>) -> Command {
        let consumers = Selection::new(selectors.to_vec());
        let end = match self {
            Self::Until(until) => End::At(until),
            Self::For(length) => {
                End::In(SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX))
            }
            Self::Resume => {
                let matched = bulk.rows().iter().filter_map(|(id, row)| {
                    let seen = row.found.observation()?;
                    Some((id.clone(), seen.clone()))
                });
                let matched = matched.collect();
                return Command::Resume { consumers, matched };
            }
        };
        Command::Pause { consumers, end }
    }

    pub fn length(self, now: Timestamp) -> Option<SignedDuration> {
        match self {
            Self::Until(until) => Some(until.duration_since(now)),
            Self::For(length) => SignedDuration::try_from(length).ok(),
            Self::Resume => None,
        }
    }
}
