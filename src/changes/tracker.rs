//! The memory behind the changes that two reports alone do not show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::clock_trust::ClockTrust;
use super::stages::Stages;
use super::{Change, changes};
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::{Link, RequestError};
use crate::report::{Act, Pass, Report, Topic};

/// So many are remembered, as other clients may make ever new ones.
const LEFT_OUT_LIMIT: usize = 10_000;

/// What one pass met of that which goes on from pass to pass.
#[derive(Default)]
struct Met {
    unanswered: BTreeSet<(String, String)>,
    unmatched: BTreeSet<(Arc<str>, Option<Arc<str>>)>,
}

/// Follows the reports, and says of each what happened since the one before.
#[derive(Debug, Default)]
pub struct Tracker {
    /// The report before; of the consumers, what the newest pass showed.
    before: Option<Report>,
    was_connected: bool,
    attempted: bool,
    clock: ClockTrust,
    /// The advisories that recess may not hear.
    denied: BTreeSet<String>,
    /// The questions that were not answered when last asked: their subjects and why.
    unanswered: BTreeSet<(String, String)>,
    /// Writes that failed, and were neither accepted nor abandoned since.
    failed: BTreeMap<ConsumerId, RequestError>,
    /// The newest repair of each consumer of which the cause is known.
    repairs: BTreeMap<ConsumerId, Box<Act>>,
    left_out: BTreeSet<(Option<String>, Topic)>,
    /// By the newest pass that observed everything: windows without consumers, and selectors
    /// without.
    unmatched: BTreeSet<(Arc<str>, Option<Arc<str>>)>,
    stages: Stages,
}

impl Tracker {
    /// What happened since the report before. Every report is to be passed in, once, in the order
    /// in which they were made.
    pub fn follow(&mut self, report: &Report) -> Vec<Change> {
        let mut news = changes(self.before.as_ref(), report);
        if let Some(pass) = &report.pass {
            self.remember_writes(pass, report);
        }
        let mut met = Met::default();
        news.retain_mut(|change| self.is_news(change, &mut met));
        if let Some(pass) = &report.pass {
            self.keep_met(met, pass, report);
            self.forget_failed(report);
            news.extend(self.clock(report));
        }
        news.extend(self.first_attempt(report));
        let stages = self.stages.follow(report, &news);
        news.extend(
            stages
                .into_iter()
                .map(|stage| Change::Stage(Box::new(stage))),
        );
        self.was_connected |= matches!(report.link, Link::Up(_));
        self.keep(report);
        news
    }

    fn remember_writes(&mut self, pass: &Pass, report: &Report) {
        for act in &pass.acts {
            if act.result.is_ok() {
                self.failed.remove(&act.id);
            }
            let is_known = act.undone_by.is_some() || act.by_same_instance;
            if act.repair.is_some() && is_known {
                self.repairs.insert(act.id.clone(), Box::new(act.clone()));
            }
        }
        self.repairs.retain(|id, _| report.rows.contains_key(id));
    }

    /// Whether a change has not been reported before. Adds to it what only a longer memory knows.
    fn is_news(&mut self, change: &mut Change, met: &mut Met) -> bool {
        match change {
            Change::Denied(subjects) => {
                subjects.retain(|subject| self.denied.insert(subject.clone()));
                !subjects.is_empty()
            }
            Change::Unsupported { was_connected, .. } => {
                *was_connected |= self.was_connected;
                true
            }
            Change::Unanswered(failure) => {
                let key = (failure.subject.clone(), failure.error.to_string());
                let is_known = self.unanswered.contains(&key);
                met.unanswered.insert(key) && !is_known
            }
            Change::Vanished(act) | Change::Failed(act) => self.is_new_failure(act),
            Change::Contested { id, repair } => {
                *repair = self.repairs.get(id).cloned();
                true
            }
            Change::Unreadable(sentence) | Change::PassedOver(sentence) => {
                if self.left_out.len() > LEFT_OUT_LIMIT {
                    self.left_out.clear();
                }
                let key = (sentence.stream.clone(), sentence.topic.clone());
                self.left_out.insert(key)
            }
            Change::Empty(window) => self.is_new_unmatched(met, window, None),
            Change::Unmatched { window, selector } => {
                self.is_new_unmatched(met, window, Some(selector.clone()))
            }
            Change::Started
            | Change::DryRun(_)
            | Change::TookOver { .. }
            | Change::Renamed { .. }
            | Change::Connected(_)
            | Change::Disconnected(_)
            | Change::FirstAttempt
            | Change::Clock { .. }
            | Change::ClockStepped
            | Change::Opened { .. }
            | Change::Rescheduled { .. }
            | Change::Closed { .. }
            | Change::Removed { .. }
            | Change::Blank { .. }
            | Change::Burst(_)
            | Change::Wrote(_)
            | Change::Repaired(_)
            | Change::Would { .. }
            | Change::Missing(_)
            | Change::RepairDelayed { .. }
            | Change::Orphaned { .. }
            | Change::Unlisted(_)
            | Change::Unconfirmed(_)
            | Change::Resumed(_)
            | Change::Deleted { .. }
            | Change::Exempt { .. }
            | Change::LabelsLost { .. }
            | Change::Foreign { .. }
            | Change::Released { .. }
            | Change::AtRisk { .. }
            | Change::StillWaiting { .. }
            | Change::Lost(_)
            | Change::LimitsUnread(_)
            | Change::Decided(_)
            | Change::Override(_)
            | Change::Stage(_) => true,
        }
    }

    fn is_new_failure(&mut self, act: &Act) -> bool {
        let Some(error) = act.error() else {
            return false;
        };
        let before = self.failed.insert(act.id.clone(), error.clone());
        before.as_ref() != Some(error)
    }

    fn is_new_unmatched(
        &self,
        met: &mut Met,
        window: &Arc<str>,
        selector: Option<Arc<str>>,
    ) -> bool {
        let key = (window.clone(), selector);
        let is_known = self.unmatched.contains(&key);
        met.unmatched.insert(key);
        !is_known
    }

    /// A pass that observed everything shows what is over, too.
    fn keep_met(&mut self, met: Met, pass: &Pass, report: &Report) {
        if pass.full {
            self.unanswered = met.unanswered;
        } else {
            self.unanswered.extend(met.unanswered);
        }
        if pass.full && pass.is_ok() && matches!(report.link, Link::Up(_)) {
            self.unmatched = met.unmatched;
        }
    }

    /// A failure that is over is reported again if it comes again.
    fn forget_failed(&mut self, report: &Report) {
        self.failed.retain(|id, _| {
            let row = report.rows.get(id);
            row.is_some_and(|row| row.problem.is_some() || row.found == Found::Unknown)
        });
    }

    fn clock(&mut self, report: &Report) -> Option<Change> {
        let (newest, smooth) = (report.skew?, report.smooth_skew?);
        let to = self.clock.next(newest.abs(), smooth.abs());
        let from = std::mem::replace(&mut self.clock, to);
        (from != to).then_some(Change::Clock {
            from,
            to,
            newest,
            smooth,
        })
    }

    fn first_attempt(&mut self, report: &Report) -> Option<Change> {
        let attempted = match &report.link {
            Link::Down { reason } => !reason.is_empty(),
            Link::Up(_) => report.pass.is_some(),
            Link::Unsuitable(_) => false,
        };
        let is_first = attempted && !std::mem::replace(&mut self.attempted, true);
        is_first.then_some(Change::FirstAttempt)
    }

    /// A report without a pass observed no consumer: what was known of them is still the newest
    /// there is.
    fn keep(&mut self, report: &Report) {
        let mut state = report.state();
        if let (None, Some(before)) = (&report.pass, self.before.take()) {
            state.rows = before.rows;
            state.unlisted = before.unlisted;
            state.limits_unread = before.limits_unread;
            state.left_out = before.left_out;
        }
        self.before = Some(state);
    }
}
