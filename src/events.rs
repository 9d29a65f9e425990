//! What happens to windows, told to programs: successive reports become events, each a CloudEvent in JSON.
//!
//! Pure: who sends them, and whether they arrive, is somebody else's business. The invariant: an event's id follows from the
//! deployment, the window, the occurrence and what has happened, so two copies, or one before and after a restart, give the
//! same event the same id, and who hears it twice can tell.
//!
//! While there is no connection nothing could be sent, so what happened meanwhile is told by the first report after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::consumer::ConsumerId;
use crate::jetstream::Link;
use crate::report::{Report, WindowState};

mod crowd;
mod json;
#[cfg(test)]
mod tests;

use crowd::Crowd;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The window has opened.
    Opened,
    /// All of its consumers have been seen paused.
    Paused,
    /// All of them have been seen paused and without a message in flight.
    Drained,
    /// The window has closed.
    Closed,
    /// It has closed, and none of its consumers was ever paused in it.
    Missed,
    /// recess leaves a consumer alone, as somebody undoes its pauses.
    Contested,
}

impl Kind {
    /// The last word of the subject and of the type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Paused => "paused",
            Self::Drained => "drained",
            Self::Closed => "closed",
            Self::Missed => "missed",
            Self::Contested => "contested",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What has happened.
    pub kind: Kind,
    /// To which window.
    pub window: Arc<str>,
    /// In which of its occurrences.
    pub occurrence: Occurrence,
    /// When it was noticed.
    pub at: Timestamp,
    /// The consumers of the window, or the one that it is about.
    crowd: Crowd,
    /// Of one that is about a single consumer.
    consumer: Option<ConsumerId>,
}

impl Event {
    /// How long after the instant of the calendar that it is about.
    pub fn late(&self) -> SignedDuration {
        let since = match self.kind {
            Kind::Closed | Kind::Missed => self.occurrence.closes,
            Kind::Opened | Kind::Paused | Kind::Drained | Kind::Contested => self.occurrence.opens,
        };
        // A window that is taken out of the file closes before its time.
        self.at.duration_since(since).max(SignedDuration::ZERO)
    }
}

/// What was told of each window.
#[derive(Debug, Default)]
pub struct Chronicle {
    windows: BTreeMap<Arc<str>, Course>,
}

/// How far a window has come.
#[derive(Debug, Default)]
struct Course {
    open: Option<Occurrence>,
    next: Option<Occurrence>,
    is_paused: bool,
    is_drained: bool,
    contested: BTreeSet<ConsumerId>,
    /// Occurrences that held nothing, and were not told yet.
    missed: Vec<Occurrence>,
}

impl Chronicle {
    /// What is new in a report, in the order in which it happened.
    pub fn note(&mut self, report: &Report) -> Vec<Event> {
        if report.dry_run {
            return Vec::new();
        }
        let is_up = matches!(report.link, Link::Up(_));
        let mut crowds = if is_up {
            Crowd::of_all(report)
        } else {
            Vec::new()
        };
        crowds.resize(report.windows.len(), Crowd::default());
        let mut events = Vec::new();
        for (window, crowd) in report.windows.iter().zip(crowds) {
            let course = self.windows.entry(window.name.clone()).or_default();
            course.note_missed(window);
            if is_up {
                course.go_on(window, crowd, report.at, &mut events);
            }
        }
        let names: BTreeSet<&Arc<str>> = report.windows.iter().map(|window| &window.name).collect();
        if is_up {
            self.windows.retain(|name, course| {
                let stays = names.contains(name);
                if let Some(open) = course.open.filter(|_| !stays) {
                    let crowd = Crowd::default();
                    events.push(event(Kind::Closed, name, open, report.at, crowd));
                }
                stays
            });
        }
        events
    }
}

impl Course {
    fn note_missed(&mut self, window: &WindowState) {
        if !window.missed {
            return;
        }
        // Either it was open when it was last seen, or the host slept through it.
        if let Some(missed) = self.open.or(self.next) {
            self.missed.push(missed);
        }
        self.next = window.next;
    }

    fn go_on(
        &mut self,
        window: &WindowState,
        crowd: Crowd,
        at: Timestamp,
        events: &mut Vec<Event>,
    ) {
        let name = &window.name;
        let mut tell = |kind, occurrence, crowd| {
            events.push(event(kind, name, occurrence, at, crowd));
        };
        let opens = |occurrence: Option<Occurrence>| occurrence.map(|one| one.opens);
        if opens(self.open) != opens(window.open) {
            if let Some(over) = self.open {
                tell(Kind::Closed, over, crowd.clone());
            }
            for missed in self.missed.drain(..) {
                tell(Kind::Missed, missed, crowd.clone());
            }
            if let Some(open) = window.open {
                tell(Kind::Opened, open, crowd.clone());
            }
            (self.is_paused, self.is_drained) = (false, false);
            self.contested.clear();
        }
        for missed in self.missed.drain(..) {
            tell(Kind::Missed, missed, crowd.clone());
        }
        self.open = window.open;
        self.next = window.next;
        let Some(open) = window.open else { return };
        if !self.is_paused && crowd.is_paused() {
            self.is_paused = true;
            tell(Kind::Paused, open, crowd.clone());
        }
        if self.is_paused && !self.is_drained && crowd.is_drained() {
            self.is_drained = true;
            tell(Kind::Drained, open, crowd.clone());
        }
        for id in crowd.contested() {
            if self.contested.insert(id.clone()) {
                events.push(Event {
                    consumer: Some(id.clone()),
                    ..event(Kind::Contested, name, open, at, crowd.clone())
                });
            }
        }
        // One that gives in and begins again is told again.
        self.contested.retain(|id| crowd.contested().contains(id));
    }
}

fn event(
    kind: Kind,
    window: &Arc<str>,
    occurrence: Occurrence,
    at: Timestamp,
    crowd: Crowd,
) -> Event {
    Event {
        kind,
        window: window.clone(),
        occurrence,
        at,
        crowd,
        consumer: None,
    }
}
