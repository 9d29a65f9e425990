//! The wait itself: observes the consumers until each is what is waited for, or will not become it.
//!
//! A consumer that has reached the goal is not observed again while others have not; in the end all
//! are observed once more, so that the report was true of all of them at one time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::outcome::{End, Outcome, Row};
use super::progress::Progress;
use super::released::{self, Release};
use crate::calendar::Occurrence;
use crate::cli::{Exit, selected};
use crate::clock::Clock;
use crate::config::{Config, Settings};
use crate::consumer::{Candidate, ConsumerId, Found, PauseState};
use crate::drain::{DrainState, Goal, Watch};
use crate::jetstream::nats::Nats;
use crate::jetstream::{Advisory, JetStream, Link, RequestError, Sample};
use crate::now::Now;
use crate::observe::{Observed, ReplyDeadline, Scope, observe};
use crate::plan::Skew;
use crate::policy::{Interest, Selector, Window};
use crate::report::LeftOut;

mod beforehand;

/// The shortest and the longest time between two observations; in between, four times as long as an
/// observation takes.
const MIN_OBSERVATION_INTERVAL: Duration = Duration::from_millis(250);
const MAX_OBSERVATION_INTERVAL: Duration = Duration::from_secs(5);

/// A wait in progress.
pub struct Wait {
    goal: Goal,
    interest: Interest,
    window: Option<Window>,
    clock: Clock,
    began: Duration,
    /// In uptime.
    deadline: Duration,
    progress: Progress,
    rows: BTreeMap<ConsumerId, Row>,
    left_out: LeftOut,
    watches: BTreeMap<ConsumerId, Watch>,
    skew: Skew,
    /// How long the last observation took.
    look_took: Duration,
    /// Why something could not be observed, as last reported.
    trouble: Option<String>,
    open: Option<Occurrence>,
    /// The consumer because of which it ends with [`End::Released`].
    released: Option<Release>,
}

impl Wait {
    pub fn new(
        goal: Goal,
        interest: Interest,
        window: Option<Window>,
        clock: Clock,
        deadline: Duration,
        progress: Progress,
    ) -> Self {
        Self {
            goal,
            interest,
            window,
            began: clock.now().uptime,
            clock,
            deadline,
            progress,
            rows: BTreeMap::new(),
            left_out: LeftOut::default(),
            watches: BTreeMap::new(),
            skew: Skew::default(),
            look_took: Duration::ZERO,
            trouble: None,
            open: None,
            released: None,
        }
    }

    /// What is known by now.
    pub fn outcome(self, end: End) -> Outcome {
        self.progress.clear();
        Outcome {
            goal: self.goal,
            end,
            took: self.clock.now().uptime.saturating_sub(self.began),
            at: self.clock.now().wall,
            open: self.open,
            window: self.window,
            rows: self.rows,
            left_out: self.left_out,
            trouble: self.trouble,
            released: self.released,
        }
    }

    /// Waits for the window, or for those that `selectors` name. An error has been reported
    /// already.
    pub async fn run(&mut self, config: &Config, selectors: &[Selector]) -> Result<End, Exit> {
        let settings = &config.settings;
        // An opening that comes too late needs no server to be known.
        if let Some(end) = self.too_late(self.clock.now()) {
            return Ok(end);
        }
        let request_timeout = settings.controller.request_timeout;
        let (nats, mut advisories) = Nats::start(&settings.nats, request_timeout);
        if let Some(end) = self.until_connected(&nats).await? {
            return Ok(end);
        }
        if self.window.is_none() {
            let selectors = selected::prefer_names(&nats, selectors.to_vec()).await?;
            let interest = selected::interest(selectors).map_err(|why| {
                crate::cli::complain(format!("error: {why}"));
                Exit::Usage
            })?;
            self.interest = match self.goal {
                Goal::Paused | Goal::Drained => {
                    interest.pausable(&config.policy, self.clock.now().wall)
                }
                Goal::Running => interest,
            };
        }
        let mut first = true;
        loop {
            if let Some(end) = self.until_open().await {
                return Ok(end);
            }
            let observed = self.look(&nats, settings, &Scope::All).await?;
            if std::mem::take(&mut first)
                && self.window.is_none()
                && selected::some_match_nothing(&nats, &self.interest, &observed).await
            {
                return Ok(End::Unmatched);
            }
            self.apply_observation(config, observed);
            let mut once = true;
            while let Some(waited_for) = self.waited_for() {
                once = false;
                self.released = self.find_released(config, &nats).await;
                if self.released.is_some() {
                    return Ok(End::Released);
                }
                let now = self.clock.now();
                if now.uptime >= self.deadline {
                    return Ok(End::TimedOut);
                }
                if self.is_closed(now) {
                    break;
                }
                self.rest(&nats, &mut advisories, &waited_for).await;
                let scope = match waited_for {
                    // If a whole stream stays unknown, everything is observed again.
                    ids if ids.is_empty() => Scope::All,
                    ids => Scope::Only(ids),
                };
                let observed = self.look(&nats, settings, &scope).await?;
                self.apply_observation(config, observed);
            }
            let now = self.clock.now();
            if once && !self.is_closed(now) {
                return Ok(self.verdict());
            }
        }
    }

    /// What has become of all, when there is no consumer left to wait for.
    fn verdict(&self) -> End {
        let any = |which: fn(DrainState) -> bool| self.rows.values().any(|row| which(row.state));
        let nobody = self
            .rows
            .values()
            .all(|row| row.state == DrainState::Missing);
        if any(|state| matches!(state, DrainState::Stalled(_))) {
            End::Stalled
        } else if nobody || (self.window.is_none() && any(|one| one == DrainState::Missing)) {
            End::NoConsumer
        } else if any(|state| state == DrainState::Uncounted)
            || (self.goal != Goal::Running && self.left_out.may_work())
        {
            End::Unknown
        } else {
            End::Reached
        }
    }

    /// The consumers that may still come to be what is waited for; `None` when there are none.
    fn waited_for(&self) -> Option<BTreeSet<ConsumerId>> {
        let waited_for: BTreeSet<ConsumerId> = (self.rows.iter())
            .filter(|(_, row)| !row.state.is_final())
            .map(|(id, _)| id.clone())
            .collect();
        // If a whole stream could not be observed, its consumers are not known.
        (!waited_for.is_empty() || self.trouble.is_some()).then_some(waited_for)
    }

    /// A consumer that was released from the pause that is waited for, and stays so for as long as
    /// is waited.
    async fn find_released(&self, config: &Config, nats: &Nats) -> Option<Release> {
        let marked = self.rows.iter().filter_map(|(id, row)| {
            let release = row.release.filter(|_| row.state == DrainState::Running)?;
            Some((id, release))
        });
        let marked: Vec<(&ConsumerId, Timestamp)> = marked.collect();
        if marked.is_empty() {
            return None;
        }
        let now = self.clock.now();
        released::find(&marked, config, nats, now.wall, self.last(now)).await
    }

    /// When the wait is over, by the wall clock.
    fn last(&self, now: Now) -> Timestamp {
        let left = SignedDuration::try_from(self.deadline.saturating_sub(now.uptime));
        let last = now.wall.checked_add(left.unwrap_or(SignedDuration::MAX));
        last.unwrap_or(Timestamp::MAX)
    }

    /// Sleeps until the next observation is due, or until an advisory for one of the consumers.
    async fn rest(
        &mut self,
        nats: &Nats,
        advisories: &mut mpsc::Receiver<Advisory>,
        waited_for: &BTreeSet<ConsumerId>,
    ) {
        let now = self.clock.now().uptime;
        let pause = (self.look_took * 4).clamp(MIN_OBSERVATION_INTERVAL, MAX_OBSERVATION_INTERVAL);
        let left = self.deadline.saturating_sub(now);
        self.progress
            .show(self.goal, &self.rows, self.trouble.as_deref(), left);
        let mut link = nats.link();
        link.mark_unchanged();
        let sleep = tokio::time::sleep(pause.min(left));
        tokio::pin!(sleep);
        loop {
            // Cancel-safe: the sleep is polled in place, a change of the link stays marked until it
            // is seen, and `recv` loses nothing.
            tokio::select! {
                () = &mut sleep => return,
                changed = link.changed() => match changed {
                    Ok(()) if matches!(*link.borrow_and_update(), Link::Up(_)) => return,
                    Ok(()) => {}
                    Err(_) => return sleep.await,
                },
                Some(advisory) = advisories.recv() => {
                    if waited_for.contains(advisory.id()) {
                        // More of a burst is on its way, and one observation serves them all.
                        while advisories.try_recv().is_ok() {}
                        return;
                    }
                }
            }
        }
    }

    async fn look(
        &mut self,
        nats: &Nats,
        settings: &Settings,
        scope: &Scope,
    ) -> Result<Observed, Exit> {
        let most = settings.controller.max_in_flight;
        let in_flight = nats.link().borrow().in_flight(most);
        let began = self.clock.now().uptime;
        let left = self.deadline.saturating_sub(began);
        let observed = observe(
            nats,
            &self.interest,
            scope,
            in_flight,
            &self.clock,
            ReplyDeadline::within(left.max(settings.controller.request_timeout)),
        )
        .await;
        self.look_took = self.clock.now().uptime.saturating_sub(began);
        if let Some(sample) = observed.clock {
            self.skew.take(sample);
        }
        self.trouble = None;
        for failure in &observed.failures {
            let line = failure.to_string();
            // Nothing but a person can mend that.
            if let RequestError::Denied { .. } = failure.error {
                self.progress.clear();
                crate::cli::complain(format!("error: {line}"));
                self.trouble = Some(line);
                return Err(Exit::Failed);
            }
            self.trouble = Some(line);
        }
        Ok(observed)
    }

    fn apply_observation(&mut self, config: &Config, observed: Observed) {
        let server_now = Some(self.skew.server_time(self.clock.now().wall));
        let (goal, interest, watches) = (self.goal, &self.interest, &mut self.watches);
        let asked = observed.asked.clone();
        let row = |id: &ConsumerId, sample: Sample, before: Option<&Row>| {
            let Sample { found, .. } = &sample;
            let seen = found.observation();
            let selected = interest.includes(&Candidate::found(id, found));
            // One that was waited for and is gone stays, until everything is observed again.
            if !selected && (before.is_none() || asked.is_all()) {
                return None;
            }
            let watch = watches.entry(id.clone()).or_default();
            let now = sample.server_time.or(server_now);
            let state = watch.judge(goal, found, sample.in_flight, now);
            if let (Found::Unknown, Some(before)) = (found, before) {
                return Some(Row { state, ..*before });
            }
            let until = seen.and_then(|seen| match seen.state {
                PauseState::Paused { until, .. } => Some(until),
                PauseState::Running | PauseState::Lapsed { .. } => None,
            });
            let ack_pending = seen.map(|seen| seen.ack_pending);
            Some(Row {
                state,
                until,
                release: seen.and_then(|seen| released::mark_of(&config.policy, seen)),
                ack_pending,
            })
        };
        observed.apply(interest, &mut self.rows, &mut self.left_out, row);
    }
}
