//! The wait itself: looks at the consumers until each is what is waited for, or will not become it.
//!
//! A consumer that was seen to be there is not looked at again while others are waited for; in the end all are looked at once
//! more, so that what is told was true of all of them at one time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;

use super::outcome::{End, Outcome, Row};
use super::progress::Progress;
use crate::calendar::Occurrence;
use crate::cli::{Exit, selected};
use crate::clock::Clock;
use crate::config::{Config, Settings};
use crate::consumer::{ConsumerId, Found, PauseState};
use crate::drain::{DrainState, Goal, Watch};
use crate::jetstream::nats::Nats;
use crate::jetstream::{Advisory, JetStream, Link, RequestError, Sample};
use crate::now::Now;
use crate::observe::{Observed, ReplyDeadline, Scope, observe};
use crate::plan::Skew;
use crate::policy::{Interest, Selector, Window};
use crate::report::LeftOut;

/// How often those that are waited for are looked at, at most and at least; in between, four times as long as a look takes.
const OFTEN: Duration = Duration::from_millis(250);
const SELDOM: Duration = Duration::from_secs(5);

/// The longest sleep while an opening is waited for, so that a stepped clock is noticed and progress shown.
const SLICE: Duration = Duration::from_secs(1);

/// Somebody who waits.
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
    /// How long the last look took.
    look_took: Duration,
    /// Why something could not be looked at, as last told.
    trouble: Option<String>,
    open: Option<Occurrence>,
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
        }
    }

    /// Waits for the window, or for those that `selectors` name. An error has been reported already.
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
            self.interest = selected::interest(selectors).map_err(|why| {
                crate::cli::complain(format!("error: {why}"));
                Exit::Usage
            })?;
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
            self.apply_observation(observed, &Scope::All);
            let mut once = true;
            while let Some(waited_for) = self.waited_for() {
                once = false;
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
                self.apply_observation(observed, &scope);
            }
            let now = self.clock.now();
            if once && !self.is_closed(now) {
                return Ok(self.verdict());
            }
        }
    }

    /// Waits for a connection, as for the rest: a server that restarts is no reason to stop before the time is over.
    async fn until_connected(&mut self, nats: &Nats) -> Result<Option<End>, Exit> {
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
                            "note: {reason}; trying again until the timeout"
                        ));
                    }
                    self.trouble = Some(reason);
                }
            }
            let left = (self.deadline).saturating_sub(self.clock.now().uptime);
            if left.is_zero() {
                (self.trouble).get_or_insert_with(|| "no JetStream has answered yet".to_owned());
                return Ok(Some(End::TimedOut));
            }
            self.progress
                .show(self.goal, &self.rows, self.trouble.as_deref(), left);
            // Cancel-safe: a change of the link stays marked until it is seen. A link that is gone changes no more, and the loop
            // ends with the time.
            tokio::select! {
                () = tokio::time::sleep(left.min(SLICE)) => {}
                Ok(()) = link.changed() => {}
            }
        }
    }

    /// What has become of all, when there is nobody left to wait for.
    fn verdict(&self) -> End {
        let any = |which: fn(DrainState) -> bool| self.rows.values().any(|row| which(row.state));
        let nobody = self
            .rows
            .values()
            .all(|row| row.state == DrainState::Missing);
        if any(|state| matches!(state, DrainState::Stalled(_))) {
            End::Stalled
        } else if nobody || (self.window.is_none() && any(|one| one == DrainState::Missing)) {
            End::Nobody
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
        // Where a whole stream could not be looked at, nobody is known to be waited for.
        (!waited_for.is_empty() || self.trouble.is_some()).then_some(waited_for)
    }

    /// Sleeps until the next look is due, or until the server tells of a change to somebody who is waited for.
    async fn rest(
        &mut self,
        nats: &Nats,
        advisories: &mut mpsc::Receiver<Advisory>,
        waited_for: &BTreeSet<ConsumerId>,
    ) {
        let now = self.clock.now().uptime;
        let pause = (self.look_took * 4).clamp(OFTEN, SELDOM);
        let left = self.deadline.saturating_sub(now);
        self.progress
            .show(self.goal, &self.rows, self.trouble.as_deref(), left);
        let mut link = nats.link();
        link.mark_unchanged();
        let sleep = tokio::time::sleep(pause.min(left));
        tokio::pin!(sleep);
        loop {
            // Cancel-safe: the sleep is polled in place, a change of the link stays marked until it is seen, and `recv` loses
            // nothing.
            tokio::select! {
                () = &mut sleep => return,
                changed = link.changed() => match changed {
                    Ok(()) if matches!(*link.borrow_and_update(), Link::Up(_)) => return,
                    Ok(()) => {}
                    Err(_) => return sleep.await,
                },
                Some(advisory) = advisories.recv() => {
                    if waited_for.contains(advisory.id()) {
                        // More of a burst is on its way, and one look serves them all.
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
            let line = format!("cannot look at {}: {}", failure.subject, failure.error);
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

    fn apply_observation(&mut self, observed: Observed, scope: &Scope) {
        let server_now = Some(self.skew.server_time(self.clock.now().wall));
        let (goal, interest, watches) = (self.goal, &self.interest, &mut self.watches);
        let row = |id: &ConsumerId, sample: Sample, before: Option<&Row>| {
            let Sample { found, .. } = &sample;
            let seen = found.observation();
            let selected = match (found, seen) {
                (Found::Unknown, _) => interest.may_include(id),
                (_, seen) => interest.includes(id, seen.map(|seen| seen.kind)),
            };
            // One that was waited for and is gone stays, until everything is observed anew.
            if !selected && (before.is_none() || *scope == Scope::All) {
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
                ack_pending,
            })
        };
        observed.apply(interest, scope, &mut self.rows, &mut self.left_out, row);
    }

    /// Whether the window is closed, and a pause is waited for.
    fn is_closed(&self, now: Now) -> bool {
        self.goal != Goal::Running
            && (self.window.as_ref()).is_some_and(|window| window.open_at(now.wall).is_none())
    }

    /// The end, where the window is closed and does not open in time.
    fn too_late(&self, now: Now) -> Option<End> {
        let window = self.window.as_ref().filter(|_| self.is_closed(now))?;
        let next = window.next_opening(now.wall);
        let left = SignedDuration::try_from(self.deadline.saturating_sub(now.uptime));
        let last = now.wall.checked_add(left.unwrap_or(SignedDuration::MAX));
        let in_time = next.is_some_and(|next| last.is_ok_and(|last| next.opens <= last));
        (!in_time).then_some(End::NotOpen(next))
    }

    /// Sleeps until the window is open.
    async fn until_open(&mut self) -> Option<End> {
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
}
