//! What must never be seen in the record, whatever happens, and what must be seen when nothing happens any more.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::{Europe::Berlin, UTC};
use jiff::{SignedDuration, Timestamp};
use recess::consumer::PauseState;

use crate::client::{Fate, Request};
use crate::daemon::Recess;
use crate::model::Author;
use crate::oracle::{Pause, Window, pauses};
use crate::scene::{MARK, RELEASE, seconds};
use crate::server::Server;

/// The windows of the storms.
pub const WINDOWS: [Window; 3] = [
    Window {
        name: "hourly",
        consumers: &["ORDERS/*", "!ORDERS/audit"],
        zone: Berlin,
        weekday: None,
        hour: None,
        minute: 5,
        minutes: 20,
    },
    Window {
        name: "often",
        consumers: &["ORDERS/billing", "EVENTS/mail"],
        zone: UTC,
        weekday: None,
        hour: None,
        minute: 15,
        minutes: 25,
    },
    Window {
        name: "nightly",
        consumers: &["*/*", "!OTHER/*", "!ORDERS/audit"],
        zone: Berlin,
        weekday: None,
        hour: Some(2),
        minute: 30,
        minutes: 90,
    },
];

/// Which of them a consumer follows.
const FOLLOWS: [(&str, &[usize]); 4] = [
    ("ORDERS/billing", &[0, 1, 2]),
    ("ORDERS/shipping", &[0, 2]),
    ("EVENTS/mail", &[1, 2]),
    ("EVENTS/search", &[2]),
];

/// How close to a change by the calendar the state is not judged.
const SEAM: SignedDuration = SignedDuration::from_secs(7);

/// The most requests that an hour may see of each copy, all faults included.
const BUSY: usize = 1_000;

pub struct Judge {
    server: Server,
    expected: BTreeMap<&'static str, Vec<Pause>>,
    /// Every deadline that people wrote.
    pub foreign: BTreeSet<(String, Timestamp)>,
    looks: usize,
    /// Of those, how many saw a consumer that somebody had released.
    released: usize,
    writes: usize,
    per_hour: BTreeMap<i64, usize>,
    /// The newest requests, to be shown when something is wrong.
    heard: Vec<Request>,
}

impl Judge {
    pub fn new(server: &Server, from: Timestamp) -> Self {
        let until = from + SignedDuration::from_hours(24 * 120);
        let expected = FOLLOWS.map(|(path, windows)| {
            let windows: Vec<&Window> = windows.iter().map(|&index| &WINDOWS[index]).collect();
            (
                path,
                pauses(&windows, from - SignedDuration::from_hours(24), until),
            )
        });
        Self {
            server: server.clone(),
            expected: expected.into(),
            foreign: BTreeSet::new(),
            looks: 0,
            released: 0,
            writes: 0,
            per_hour: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    /// The pause that the windows of a consumer want at an instant.
    pub fn pause_at(&self, path: &str, at: Timestamp) -> Option<Pause> {
        let pauses = self.expected.get(path)?;
        let next = pauses.partition_point(|pause| pause.from <= at);
        let pause = *pauses.get(next.checked_sub(1)?)?;
        (at < pause.until).then_some(pause)
    }

    /// Judges the requests since the last time.
    pub fn hear(&mut self) {
        let requests = self.server.state().take_requests();
        for request in &requests {
            let hour = request.at.as_second() / 3600;
            *self.per_hour.entry(hour).or_default() += 1;
            self.judge(request);
        }
        self.heard.extend(requests);
        let old = self.heard.len().saturating_sub(1_000);
        self.heard.drain(..old);
    }

    fn judge(&mut self, request: &Request) {
        let Some((id, deadline)) = request.what.written() else {
            return;
        };
        self.writes += 1;
        let path = id.path();
        assert_ne!(
            request.fate,
            Fate::NotSent,
            "written while the link was down: {request:?}"
        );
        assert!(
            self.expected.contains_key(path.as_str()),
            "outside the policy: {request:?}"
        );
        let Some(until) = deadline else {
            let ours_lapsed = |state: &PauseState| match *state {
                PauseState::Lapsed { until } => {
                    is_ours(until) && request.at.duration_since(until) >= seconds(60)
                }
                PauseState::Running | PauseState::Paused { .. } => false,
            };
            assert!(
                request.rests_on.as_ref().is_some_and(ours_lapsed),
                "cleared: {request:?}"
            );
            assert_eq!(
                self.pause_at(&path, request.host),
                None,
                "cleared: {request:?}"
            );
            return;
        };
        let seen = match request.rests_on {
            Some(PauseState::Paused { until, .. }) if until > request.at => Some(until),
            _ => None,
        };
        if let Some(theirs) = seen.filter(|until| !is_ours(*until)) {
            assert!(
                until >= theirs,
                "a foreign pause was shortened: {request:?}"
            );
        }
        let pause = self.pause_at(&path, request.host);
        let shown = request.rests_on.as_ref().and_then(PauseState::deadline);
        assert!(
            !pause.is_some_and(|pause| releases(shown, pause)),
            "released from {pause:?}: {request:?}"
        );
        let ends = pause.is_some_and(|pause| {
            until.subsec_nanosecond() == MARK && until.as_second() == pause.until.as_second()
        });
        let ahead = until.duration_since(request.at);
        let of_ours = seen.is_some_and(is_ours);
        let resumes =
            is_ours(until) && of_ours && SignedDuration::ZERO < ahead && ahead <= seconds(7);
        let gives_back = of_ours && self.foreign.contains(&(path, until));
        assert!(
            ends || resumes || gives_back,
            "wanted {pause:?}: {request:?}"
        );
    }

    /// Judges a consumer's state, some time after the last fault.
    pub fn look(&mut self, path: &str, recess: &Recess) {
        let now = self.server.world.now();
        let want = self.pause_at(path, now);
        if self.pause_at(path, now - SEAM) != want || self.pause_at(path, now + SEAM) != want {
            return;
        }
        self.looks += 1;
        let consumer = self.server.consumer(path);
        let held = consumer.deadline.filter(|until| *until > now);
        let theirs = held.filter(|until| !is_ours(*until));
        let right = match want {
            None => held == theirs,
            Some(pause) if releases(consumer.deadline, pause) => {
                self.released += 1;
                held.is_none()
            }
            Some(pause) => match theirs {
                Some(until) => until >= pause.until,
                None => held.is_some_and(|until| until.as_second() == pause.until.as_second()),
            },
        };
        if !right {
            let state = self.server.state();
            let its = |r: &&Request| r.what.written().is_some_and(|(id, _)| id.path() == path);
            for request in self.heard.iter().chain(&state.requests).filter(its) {
                println!("{request:?}");
            }
            for change in state
                .changes
                .iter()
                .rev()
                .filter(|c| c.id.path() == path)
                .take(9)
            {
                println!("{change:?}");
            }
            println!("{:?}", recess.find_row(path));
            panic!("{now}: {path} should be {want:?} and is {consumer:?}");
        }
        let by_recess = matches!(consumer.left_asleep_by, Some(Author::Recess(_)));
        assert!(!by_recess, "{now}: {path} was left asleep: {consumer:?}");
    }

    pub fn finish(self, copies: usize) {
        let busiest = self.per_hour.iter().max_by_key(|(_, count)| **count);
        println!(
            "{} looks, {} of consumers that were released, {} writes, busiest {busiest:?}",
            self.looks, self.released, self.writes
        );
        assert!(self.looks > 5_000, "{} looks", self.looks);
        assert!(self.writes > 200, "{} writes", self.writes);
        assert!(self.released > 500, "{} were released", self.released);
        assert!(
            busiest.is_some_and(|(_, count)| *count < copies * BUSY),
            "{busiest:?}"
        );
    }
}

fn is_ours(deadline: Timestamp) -> bool {
    [MARK, MARK + RELEASE].contains(&deadline.subsec_nanosecond())
}

/// Whether a stored deadline releases a consumer from that pause.
fn releases(deadline: Option<Timestamp>, pause: Pause) -> bool {
    deadline.is_some_and(|at| {
        at.subsec_nanosecond() == MARK + RELEASE && pause.from <= at && at < pause.until
    })
}
