//! What happens to windows, told to programs: successive reports become events, each a CloudEvent in JSON.
//!
//! Pure: who sends them, and whether they arrive, is somebody else's business. Two invariants. An event's id follows from the
//! deployment, the window, the occurrence and what has happened, so two copies, or one before and after a restart, give the
//! same event the same id, and who hears it twice can tell. And an event is true: nothing is told of a window before its
//! consumers were observed, and nothing closes under a name under which it was never opened.
//!
//! While there is no connection nothing could be sent, so what happened meanwhile is told by the first observation after it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::consumer::ConsumerId;
use crate::jetstream::Link;
use crate::report::{Blank, Report, WindowState};

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
    /// It has closed, and whether one was paused in it is not known.
    Unobserved,
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
            Self::Unobserved => "unobserved",
            Self::Contested => "contested",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The name of the deployment.
    pub instance: Arc<str>,
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
            Kind::Closed | Kind::Missed | Kind::Unobserved => self.occurrence.closes,
            Kind::Opened | Kind::Paused | Kind::Drained | Kind::Contested => self.occurrence.opens,
        };
        // A window that is taken out of the file closes before its time.
        self.at.duration_since(since).max(SignedDuration::ZERO)
    }
}

/// What was told of each window.
#[derive(Debug, Default)]
pub struct Chronicle {
    /// The name of the deployment under which it was told.
    instance: Arc<str>,
    windows: BTreeMap<Arc<str>, Course>,
}

/// How far a window has come.
#[derive(Debug, Default)]
struct Course {
    /// How often everything was looked at since this window or the connection is there.
    looks: u8,
    /// Each question was answered in one of them.
    observed: bool,
    /// The occurrences of the newest report.
    newest: (Option<Occurrence>, Option<Occurrence>),
    /// The occurrence that was told to be open.
    open: Option<Occurrence>,
    is_paused: bool,
    is_drained: bool,
    contested: BTreeSet<ConsumerId>,
    /// Its consumers when they were last seen.
    crowd: Crowd,
    /// Occurrences in which nothing was seen paused, and that were not told yet.
    blank: Vec<(Kind, Occurrence)>,
}

impl Chronicle {
    /// What is new in a report of that deployment, in the order in which it happened.
    pub fn note(&mut self, report: &Report, instance: &str) -> Vec<Event> {
        if report.dry_run {
            return Vec::new();
        }
        let is_up = matches!(report.link, Link::Up(_));
        let mut teller = Teller {
            instance: self.instance.clone(),
            at: report.at,
            events: Vec::new(),
        };
        if is_up && *self.instance != *instance {
            // Under the old name nothing more is told.
            if !self.instance.is_empty() {
                for (name, mut course) in std::mem::take(&mut self.windows) {
                    course.end(&name, &mut teller);
                }
            }
            self.instance = instance.into();
            teller.instance = self.instance.clone();
        }
        let mut crowds = if is_up {
            Crowd::of_all(report)
        } else {
            HashMap::new()
        };
        for window in &report.windows {
            let crowd = crowds.remove(&window.name).unwrap_or_default();
            let course = self.windows.entry(window.name.clone()).or_default();
            course.take_in(window, report, is_up);
            if is_up && course.is_observed() {
                course.go_on(window, crowd, &mut teller);
            }
        }
        if is_up {
            let names: BTreeSet<&Arc<str>> =
                report.windows.iter().map(|window| &window.name).collect();
            self.windows.retain(|name, course| {
                let stays = names.contains(name);
                if !stays {
                    course.end(name, &mut teller);
                }
                stays
            });
        }
        teller.events
    }
}

impl Course {
    /// Notes what a report shows whether or not anything can be told.
    fn take_in(&mut self, window: &WindowState, report: &Report, is_up: bool) {
        if !is_up {
            (self.looks, self.observed) = (0, false);
        } else if let Some(pass) = report.pass.as_ref().filter(|pass| pass.full) {
            self.looks = self.looks.saturating_add(1);
            self.observed |= pass.is_ok();
        }
        let (open, next) = self.newest;
        let kind = window.blank.map(|blank| match blank {
            Blank::Missed => Kind::Missed,
            Blank::Unobserved => Kind::Unobserved,
        });
        // Either it was open when it was last seen, or the host slept through it.
        self.blank.extend(kind.zip(open.or(next)));
        self.newest = (window.open, window.next);
    }

    /// Whether what the reports show of the consumers is what was seen. Where some question stays without an answer, the
    /// second look shows all that there is to see.
    fn is_observed(&self) -> bool {
        self.observed || self.looks > 1
    }

    fn go_on(&mut self, window: &WindowState, crowd: Crowd, teller: &mut Teller) {
        let name = &window.name;
        let opens = |occurrence: Option<Occurrence>| occurrence.map(|one| one.opens);
        if opens(self.open) != opens(window.open) {
            if let Some(over) = self.open {
                teller.tell(Kind::Closed, name, over, &crowd);
            }
            self.tell_blank(name, &crowd, teller);
            if let Some(open) = window.open {
                teller.tell(Kind::Opened, name, open, &crowd);
            }
            (self.is_paused, self.is_drained) = (false, false);
            self.contested.clear();
        }
        self.tell_blank(name, &crowd, teller);
        self.open = window.open;
        if let Some(open) = window.open {
            if !self.is_paused && crowd.is_paused() {
                self.is_paused = true;
                teller.tell(Kind::Paused, name, open, &crowd);
            }
            if self.is_paused && !self.is_drained && crowd.is_drained() {
                self.is_drained = true;
                teller.tell(Kind::Drained, name, open, &crowd);
            }
            for id in crowd.contested() {
                if self.contested.insert(id.clone()) {
                    teller.tell_of(id, Kind::Contested, name, open, &crowd);
                }
            }
            // One that gives in and begins again is told again.
            self.contested.retain(|id| crowd.contested().contains(id));
        }
        self.crowd = crowd;
    }

    fn tell_blank(&mut self, name: &Arc<str>, crowd: &Crowd, teller: &mut Teller) {
        for (kind, occurrence) in self.blank.drain(..) {
            teller.tell(kind, name, occurrence, crowd);
        }
    }

    /// The window is there no more, under this name.
    fn end(&mut self, name: &Arc<str>, teller: &mut Teller) {
        let crowd = std::mem::take(&mut self.crowd);
        if let Some(open) = self.open {
            teller.tell(Kind::Closed, name, open, &crowd);
        }
        self.tell_blank(name, &crowd, teller);
    }
}

/// The events of one report.
struct Teller {
    instance: Arc<str>,
    at: Timestamp,
    events: Vec<Event>,
}

impl Teller {
    fn tell(&mut self, kind: Kind, window: &Arc<str>, occurrence: Occurrence, crowd: &Crowd) {
        self.events.push(Event {
            instance: self.instance.clone(),
            kind,
            window: window.clone(),
            occurrence,
            at: self.at,
            crowd: crowd.clone(),
            consumer: None,
        });
    }

    fn tell_of(
        &mut self,
        consumer: &ConsumerId,
        kind: Kind,
        window: &Arc<str>,
        occurrence: Occurrence,
        crowd: &Crowd,
    ) {
        self.tell(kind, window, occurrence, crowd);
        if let Some(event) = self.events.last_mut() {
            event.consumer = Some(consumer.clone());
        }
    }
}
