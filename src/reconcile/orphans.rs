//! Orphans: pauses with recess's mark that no window of the policy names.
//!
//! The file is the truth after a restart too. A consumer that was taken out of an open window while
//! recess was down carries a pause that nothing in memory knows of, and no selector leads to it. So
//! at the start, and after a reload, every stream that may be listed is listed once: the sweep. It
//! is the least urgent of all steps, and what it cannot list fails no pass.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::reconciler::Reconciler;
use crate::consumer::{ConsumerId, Found, Owner};
use crate::jetstream::{JetStream, Listed, RequestError};
use crate::now::Now;
use crate::report::{Failure, Row};

/// Which streams to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Streams {
    /// Every one of the account.
    All,
    /// These, which did not answer before.
    Only(Vec<String>),
}

/// What one sweep saw.
#[derive(Default)]
pub(super) struct Sweep {
    listed: Vec<Listed>,
    /// What could not be listed.
    failures: Vec<Failure>,
}

impl Sweep {
    /// The streams to ask again: not those that recess may not list.
    pub fn unanswered(&self) -> Option<Streams> {
        let mut open = Vec::new();
        for failure in &self.failures {
            match (&failure.stream, &failure.error) {
                (_, RequestError::Denied { .. }) => {}
                (Some(stream), _) => open.push(stream.clone()),
                (None, _) => return Some(Streams::All),
            }
        }
        (!open.is_empty()).then_some(Streams::Only(open))
    }
}

impl<J: JetStream> Reconciler<J> {
    /// Lists streams and keeps what carries a pause of recess's. It changes nothing, so it may be
    /// dropped.
    pub(super) async fn sweep(&self, streams: &Streams) -> Sweep {
        let mut sweep = Sweep::default();
        let streams = match streams {
            Streams::Only(streams) => streams.clone(),
            Streams::All => match self.jetstream.stream_names().await {
                Ok(streams) => streams.entries,
                Err(error) => {
                    sweep.failures.push(Failure::of_names(error));
                    return sweep;
                }
            },
        };
        let mark = self.policy().mark();
        let (former, keys) = (&self.former, self.policy().label_keys());
        let mut answers = stream::iter(streams)
            .map(|stream| async move { (self.jetstream.list(&stream, keys).await, stream) })
            .buffer_unordered(self.in_flight());
        while let Some((answer, stream)) = answers.next().await {
            match answer {
                Ok(listed) => {
                    let entries = listed.into_iter().flat_map(|listed| listed.entries);
                    sweep.listed.extend(entries.filter_map(|mut entry| {
                        former.translate_found(&entry.id, &mut entry.sample.found, mark);
                        let paused_by = entry.sample.found.paused_by(mark);
                        (paused_by == Some(Owner::Recess)).then_some(entry)
                    }));
                }
                Err(error) => sweep.failures.push(Failure::of_stream(stream, error)),
            }
        }
        sweep
    }

    /// Takes in a sweep. Returns the orphans that are new: they are observed and decided like any
    /// other consumer.
    pub(super) fn take_sweep(&mut self, sweep: Sweep, now: Now) -> BTreeSet<ConsumerId> {
        let known = self.beyond_the_policy(now);
        let mut fresh = BTreeSet::new();
        for Listed { id, sample } in sweep.listed {
            let nature = self.nature_of(&id, &sample.found);
            let windows = self.windows_of(&id, nature);
            if windows.is_empty() && !known.contains(&id) {
                let row = Row::undecided(windows, sample.found, now.uptime);
                self.rows.insert(id.clone(), row);
                self.orphans.add(id.clone(), now);
                fresh.insert(id);
            }
        }
        self.unlisted = sweep.failures.into();
        fresh
    }

    /// Sweeps at once, for those who ask only once: every stream, or those of these consumers.
    pub async fn sweep_once(
        &mut self,
        only: Option<&BTreeSet<ConsumerId>>,
    ) -> BTreeSet<ConsumerId> {
        let streams = match only {
            None => Streams::All,
            Some(ids) => {
                let streams: BTreeSet<&str> = ids.iter().map(ConsumerId::stream).collect();
                Streams::Only(streams.into_iter().map(str::to_owned).collect())
            }
        };
        let sweep = self.sweep(&streams).await;
        let now = self.clock.now();
        self.take_sweep(sweep, now)
    }

    /// One that is paused by recess no more, or that a window names again, is an orphan no more.
    pub(super) fn check_orphan(&mut self, id: &ConsumerId, found: &Found, has_windows: bool) {
        if !self.orphans.contains(id) {
            return;
        }
        let may_be_ours = match found {
            Found::Present(seen) => {
                seen.state.paused_by(self.policy().mark()) == Some(Owner::Recess)
            }
            Found::Missing => false,
            Found::Unknown => true,
        };
        if has_windows || !may_be_ours {
            self.orphans.forget(id);
        }
    }
}
