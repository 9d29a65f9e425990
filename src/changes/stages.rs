//! The stages of a window's occurrence, as far as they were observed.
//!
//! Two invariants. A stage's identity follows from the deployment, the window, the occurrence and
//! the stage, so that two copies, or one before and after a restart, give the same stage the same
//! identity. And a stage is true: none is reached before the window's consumers were observed, and
//! nothing closes under a name under which it was never open.
//!
//! While there is no connection nothing is observed: what happened meanwhile is reached with the
//! first observation after it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Change;
use super::window_consumers::WindowConsumers;
use crate::calendar::Occurrence;
use crate::consumer::ConsumerId;
use crate::jetstream::Link;
use crate::report::{Blank, Report, WindowState};
use crate::retention::Loss;

/// Which stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageKind {
    /// The window has opened.
    Opened,
    /// All of its consumers have been seen paused.
    Paused,
    /// All of them have been seen paused and without a message in flight.
    Drained,
    /// The window has closed.
    Closed,
    /// It has closed, and none of its consumers was paused during it.
    Missed,
    /// It has closed, and whether one was paused during it is not known.
    Unobserved,
    /// recess leaves a consumer alone, as another client overrides its pauses.
    Contested,
    /// Messages of a consumer that is held are lost before its pause ends, or publishers refused.
    AtRisk,
    /// A consumer was released before messages were lost.
    Released,
}

impl StageKind {
    /// Its word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Paused => "paused",
            Self::Drained => "drained",
            Self::Closed => "closed",
            Self::Missed => "missed",
            Self::Unobserved => "unobserved",
            Self::Contested => "contested",
            Self::AtRisk => "at_risk",
            Self::Released => "released",
        }
    }
}

/// A stage that was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name of the deployment.
    pub instance: Arc<str>,
    /// Which it is.
    pub kind: StageKind,
    /// The window's name.
    pub window: Arc<str>,
    /// The occurrence.
    pub occurrence: Occurrence,
    /// When it was observed.
    pub at: Timestamp,
    /// The window's consumers then.
    pub consumers: WindowConsumers,
    /// The one that it is about, if it is about one alone.
    pub consumer: Option<ConsumerId>,
    /// What that one loses, if it is about that.
    pub loss: Option<Loss>,
}

impl Stage {
    /// How long after the instant of the calendar that it is about.
    pub fn late(&self) -> SignedDuration {
        let since = match self.kind {
            StageKind::Closed | StageKind::Missed | StageKind::Unobserved => self.occurrence.closes,
            StageKind::Opened
            | StageKind::Paused
            | StageKind::Drained
            | StageKind::Contested
            | StageKind::AtRisk
            | StageKind::Released => self.occurrence.opens,
        };
        // A window that is taken out of the file closes before its time.
        self.at.duration_since(since).max(SignedDuration::ZERO)
    }
}

/// The stages of all windows.
#[derive(Debug, Default)]
pub(super) struct Stages {
    /// The name of the deployment under which they were reached.
    instance: Arc<str>,
    windows: BTreeMap<Arc<str>, WindowStages>,
}

/// How far a window has come.
#[derive(Debug, Default)]
struct WindowStages {
    /// How often everything was observed since this window or the connection is there.
    full_passes: u8,
    /// Each question was answered in one of them.
    observed: bool,
    /// The occurrence that was seen open.
    open: Option<Occurrence>,
    is_paused: bool,
    is_drained: bool,
    contested: BTreeSet<ConsumerId>,
    at_risk: BTreeSet<ConsumerId>,
    released: BTreeSet<ConsumerId>,
    /// Its consumers when they were last observed.
    consumers: WindowConsumers,
    /// Occurrences in which nothing was seen paused, and that wait for an observation.
    blank: Vec<(StageKind, Occurrence)>,
}

impl Stages {
    /// The stages reached since the report before, in the order in which they were reached.
    pub fn follow(&mut self, report: &Report, news: &[Change]) -> Vec<Stage> {
        if report.dry_run {
            return Vec::new();
        }
        let is_up = matches!(report.link, Link::Up(_));
        let mut reached = Reached {
            instance: self.instance.clone(),
            at: report.at,
            stages: Vec::new(),
        };
        let instance = report.policy.instance();
        if is_up && *self.instance != *instance {
            // Under the name of before nothing more is reached.
            if !self.instance.is_empty() {
                for (name, mut window) in std::mem::take(&mut self.windows) {
                    window.end(&name, &mut reached);
                }
            }
            self.instance = instance.into();
            reached.instance = self.instance.clone();
        }
        self.take_blanks(news);
        let mut consumers = if is_up && self.concerns_consumers(report) {
            WindowConsumers::of_all(report)
        } else {
            HashMap::new()
        };
        for window in &report.windows {
            let consumers = consumers.remove(&window.name).unwrap_or_default();
            let stages = self.windows.entry(window.name.clone()).or_default();
            stages.count_passes(report, is_up);
            if is_up && stages.is_observed() {
                stages.go_on(window, consumers, &mut reached);
            }
        }
        if is_up {
            let names: BTreeSet<&Arc<str>> =
                report.windows.iter().map(|window| &window.name).collect();
            self.windows.retain(|name, window| {
                let stays = names.contains(name);
                if !stays {
                    window.end(name, &mut reached);
                }
                stays
            });
        }
        reached.stages
    }

    fn take_blanks(&mut self, news: &[Change]) {
        for change in news {
            if let Change::Blank {
                window,
                occurrence: Some(occurrence),
                blank,
            } = change
            {
                let kind = match blank {
                    Blank::Missed => StageKind::Missed,
                    Blank::Unobserved => StageKind::Unobserved,
                };
                let stages = self.windows.entry(window.clone()).or_default();
                stages.blank.push((kind, *occurrence));
            }
        }
    }

    /// Counting the consumers of each window is for nothing while no window is open and none has
    /// just closed.
    fn concerns_consumers(&self, report: &Report) -> bool {
        let is_underway = |stages: &WindowStages| stages.open.is_some() || !stages.blank.is_empty();
        report.windows.iter().any(|window| window.open.is_some())
            || self.windows.values().any(is_underway)
    }
}

impl WindowStages {
    /// What a report shows whether or not a stage can be reached.
    fn count_passes(&mut self, report: &Report, is_up: bool) {
        if !is_up {
            (self.full_passes, self.observed) = (0, false);
        } else if let Some(pass) = report.pass.as_ref().filter(|pass| pass.full) {
            self.full_passes = self.full_passes.saturating_add(1);
            self.observed |= pass.is_ok();
        }
    }

    /// Whether what the reports show of the consumers was observed. If some question stays without
    /// an answer, the second pass shows all that there is to see.
    fn is_observed(&self) -> bool {
        self.observed || self.full_passes > 1
    }

    fn go_on(&mut self, window: &WindowState, consumers: WindowConsumers, reached: &mut Reached) {
        let name = &window.name;
        let opens = |occurrence: Option<Occurrence>| occurrence.map(|one| one.opens);
        if opens(self.open) != opens(window.open) {
            if let Some(over) = self.open {
                reached.add(StageKind::Closed, name, over, &consumers);
            }
            self.add_blank(name, &consumers, reached);
            if let Some(open) = window.open {
                reached.add(StageKind::Opened, name, open, &consumers);
            }
            (self.is_paused, self.is_drained) = (false, false);
            for reported in [&mut self.contested, &mut self.at_risk, &mut self.released] {
                reported.clear();
            }
        }
        self.add_blank(name, &consumers, reached);
        self.open = window.open;
        if let Some(open) = window.open {
            if !self.is_paused && consumers.is_paused() {
                self.is_paused = true;
                reached.add(StageKind::Paused, name, open, &consumers);
            }
            if self.is_paused && !self.is_drained && consumers.is_drained() {
                self.is_drained = true;
                reached.add(StageKind::Drained, name, open, &consumers);
            }
            for id in consumers.contested() {
                if self.contested.insert(id.clone()) {
                    reached.add_of(id, StageKind::Contested, name, open, &consumers);
                }
            }
            for (id, loss) in consumers.at_risk() {
                if self.at_risk.insert(id.clone()) {
                    reached.add_of(id, StageKind::AtRisk, name, open, &consumers);
                    reached.set_loss(*loss);
                }
            }
            for id in consumers.released_before_loss() {
                if self.released.insert(id.clone()) {
                    reached.add_of(id, StageKind::Released, name, open, &consumers);
                }
            }
            // One that gives in and begins again is contested again.
            (self.contested).retain(|id| consumers.contested().contains(id));
        }
        self.consumers = consumers;
    }

    fn add_blank(&mut self, name: &Arc<str>, consumers: &WindowConsumers, reached: &mut Reached) {
        for (kind, occurrence) in self.blank.drain(..) {
            reached.add(kind, name, occurrence, consumers);
        }
    }

    /// The window is there no more, under this name.
    fn end(&mut self, name: &Arc<str>, reached: &mut Reached) {
        let consumers = std::mem::take(&mut self.consumers);
        if let Some(open) = self.open {
            reached.add(StageKind::Closed, name, open, &consumers);
        }
        self.add_blank(name, &consumers, reached);
    }
}

/// The stages reached with one report.
struct Reached {
    instance: Arc<str>,
    at: Timestamp,
    stages: Vec<Stage>,
}

impl Reached {
    fn add(
        &mut self,
        kind: StageKind,
        window: &Arc<str>,
        occurrence: Occurrence,
        consumers: &WindowConsumers,
    ) {
        self.stages.push(Stage {
            instance: self.instance.clone(),
            kind,
            window: window.clone(),
            occurrence,
            at: self.at,
            consumers: consumers.clone(),
            consumer: None,
            loss: None,
        });
    }

    /// Of the stage that was added last.
    fn set_loss(&mut self, loss: Loss) {
        if let Some(stage) = self.stages.last_mut() {
            stage.loss = Some(loss);
        }
    }

    fn add_of(
        &mut self,
        consumer: &ConsumerId,
        kind: StageKind,
        window: &Arc<str>,
        occurrence: Occurrence,
        consumers: &WindowConsumers,
    ) {
        self.add(kind, window, occurrence, consumers);
        if let Some(stage) = self.stages.last_mut() {
            stage.consumer = Some(consumer.clone());
        }
    }
}
