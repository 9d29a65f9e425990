//! What a person asks for, worked out to the second: what is overridden, from when and until when.
//!
//! The command does that, with the policy that the daemon has too, and writes the instants down. So
//! no daemon ever has to find out which opening is "the next one": a copy that reads the override
//! late does the same as all others.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::consumer::{Candidate, ConsumerId, Observation};
use crate::policy::{Pause, Policy, Selection, Target, Terms, Verb, Window};

mod refusal;
#[cfg(test)]
mod tests;

pub use refusal::{Local, Refusal};

/// A command that overrides something.
#[derive(Clone, Debug)]
pub enum Command {
    /// Opens a window now.
    Open {
        /// Its name.
        window: Arc<str>,
        /// Until when.
        end: End,
    },
    /// Closes a window that is open.
    Close {
        /// Its name.
        window: Arc<str>,
    },
    /// Lets a window that is open close later.
    Extend {
        /// Its name.
        window: Arc<str>,
        /// Until when; a length counts from its close.
        end: End,
    },
    /// Leaves out openings of a window that are still ahead.
    Skip {
        /// Its name.
        window: Arc<str>,
        /// Those of this day, by the clocks of the window; without a day the next one.
        on: Option<Date>,
    },
    /// Pauses consumers now.
    Pause {
        /// Which.
        consumers: Selection,
        /// Until when.
        end: End,
    },
    /// Lets consumers run, for as long as something would hold one of them.
    Resume {
        /// Which.
        consumers: Selection,
        /// Those of them that exist.
        matched: Vec<(ConsumerId, Observation)>,
    },
}

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// After so much time.
    In(SignedDuration),
    /// At an instant.
    At(Timestamp),
}

impl End {
    /// The instant, in whole seconds, where a length counts from `from`.
    pub fn counted_from(self, from: Timestamp) -> Timestamp {
        let end = match self {
            Self::In(length) => from.checked_add(length).unwrap_or(Timestamp::MAX),
            Self::At(instant) => instant,
        };
        whole_second(end)
    }
}

impl Command {
    /// Which command it is.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Open { .. } => Verb::Open,
            Self::Close { .. } => Verb::Close,
            Self::Extend { .. } => Verb::Extend,
            Self::Skip { .. } => Verb::Skip,
            Self::Pause { .. } => Verb::Pause,
            Self::Resume { .. } => Verb::Resume,
        }
    }

    /// What is overridden.
    pub fn target(&self) -> Target {
        match self {
            Self::Open { window, .. }
            | Self::Close { window }
            | Self::Extend { window, .. }
            | Self::Skip { window, .. } => Target::Window(window.clone()),
            Self::Pause { consumers, .. } | Self::Resume { consumers, .. } => {
                Target::Consumers(consumers.clone())
            }
        }
    }

    /// The override that it makes at `now`, where `policy` has the overrides that there are by
    /// then. Reason and host are left open.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub fn terms(&self, policy: &Policy, now: Timestamp) -> Result<Terms, Refusal> {
        let (from, until) = self.interval(policy, now)?;
        let verb = self.verb();
        Ok(Terms {
            effect: verb.effect(),
            target: self.target(),
            from,
            until,
            verb,
            reason: None,
            host: None,
        })
    }

    fn interval(&self, policy: &Policy, now: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
        let from = whole_second(now);
        match self {
            Self::Open { window, end } => {
                named(policy, window)?;
                held(policy, from, from, end.counted_from(from), now)
            }
            Self::Pause { end, .. } => held(policy, from, from, end.counted_from(from), now),
            Self::Close { window } => {
                let (_, closes) = open(named(policy, window)?, now)?;
                Ok((from, closes))
            }
            Self::Extend { window, end } => {
                let window = named(policy, window)?;
                let (piece, closes) = open(window, now)?;
                let until = end.counted_from(closes);
                if until <= closes {
                    return Err(Refusal::NoLater {
                        window: window.name.clone(),
                        closes: Local::of(closes, window.schedule.zone()),
                    });
                }
                held(policy, piece.opens, closes, until, now)
            }
            Self::Skip { window, on: None } => {
                let window = named(policy, window)?;
                if let Ok((_, closes)) = open(window, now) {
                    return Err(already_open(window, closes));
                }
                let next = window.next_opening(now);
                let next = next.ok_or_else(|| Refusal::NeverOpens {
                    window: window.name.clone(),
                })?;
                Ok((next.opens, next.closes))
            }
            Self::Skip {
                window,
                on: Some(day),
            } => openings_on(named(policy, window)?, *day, now),
            Self::Resume { matched, .. } => {
                let ends = matched
                    .iter()
                    .filter_map(|(id, seen)| held_until(policy, id, seen, from));
                let until = ends.max().filter(|until| *until > from);
                Ok((from, until.ok_or(Refusal::NothingHolds)?))
            }
        }
    }
}

/// The second that an instant lies in.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn named<'p>(policy: &'p Policy, name: &Arc<str>) -> Result<&'p Window, Refusal> {
    let found = policy.window(name);
    found
        .map(|window| &**window)
        .ok_or_else(|| Refusal::NoWindow {
            window: name.clone(),
        })
}

/// What is open of a window, and the first instant at which nothing of it is.
fn open(window: &Window, now: Timestamp) -> Result<(Occurrence, Timestamp), Refusal> {
    let Some(piece) = window.open_at(now) else {
        return Err(Refusal::NotOpen {
            window: window.name.clone(),
            next: next_of(window, now),
        });
    };
    let horizon = now.checked_add(Pause::FOLLOWED).unwrap_or(Timestamp::MAX);
    Ok((piece, window.covered_until(now, horizon)))
}

fn already_open(window: &Window, closes: Timestamp) -> Refusal {
    Refusal::Open {
        window: window.name.clone(),
        until: Local::of(closes, window.schedule.zone()),
    }
}

fn next_of(window: &Window, now: Timestamp) -> Option<Local> {
    let next = window.next_opening(now)?;
    Some(Local::of(next.opens, window.schedule.zone()))
}

/// A pause by an override of `[from, until)` that begins, with what it joins, at `since`.
fn held(
    policy: &Policy,
    since: Timestamp,
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Refusal> {
    if until <= now || until <= from {
        return Err(Refusal::Past { end: until });
    }
    let (length, longest) = (until.duration_since(since), policy.max_pause());
    match length > longest {
        true => Err(Refusal::TooLong { length, longest }),
        false => Ok((from, until)),
    }
}

/// The openings of a day that are still ahead, as one stretch.
fn openings_on(
    window: &Window,
    day: Date,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let zone = window.schedule.zone();
    let begin = |day: Date| day.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    let first = begin(day).unwrap_or(Timestamp::MAX);
    let end = day.tomorrow().ok().and_then(begin);
    let end = end.unwrap_or(Timestamp::MAX);
    let is_ahead = |one: &Occurrence| one.opens >= first && one.opens < end && one.opens > now;
    let ahead = window.walk(first, end).filter(is_ahead);
    let joined = ahead.fold(None, |joined: Option<(Timestamp, Timestamp)>, one| {
        let (opens, closes) = joined.unwrap_or((one.opens, one.closes));
        Some((opens.min(one.opens), closes.max(one.closes)))
    });
    if let Some(joined) = joined {
        return Ok(joined);
    }
    if let Ok((piece, closes)) = open(window, now)
        && piece.opens >= first
        && piece.opens < end
    {
        return Err(already_open(window, closes));
    }
    let by_file = window.by_file().walk(first, end).find(is_ahead);
    let left_out = by_file.and_then(|one| {
        let mut overlay = window.overlay().touching(one.opens, one.opens);
        let span = overlay.find(|span| span.by.terms.covers(one.opens))?;
        Some(span.by.id.clone())
    });
    let name = window.name.clone();
    Err(match left_out {
        Some(by) => Refusal::LeftOut {
            window: name,
            day,
            by,
        },
        None => Refusal::NotThatDay {
            window: name,
            day,
            is_today: now.to_zoned(zone.clone()).date() == day,
            next: next_of(window, now),
        },
    })
}

/// Until when something would hold a consumer that something holds at `at`.
fn held_until(
    policy: &Policy,
    id: &ConsumerId,
    seen: &Observation,
    at: Timestamp,
) -> Option<Timestamp> {
    let windows = policy.windows_of(&Candidate::seen(id, seen));
    let next = at.checked_add(SignedDuration::from_nanos(1)).ok()?;
    let pauses = policy.pauses(id, &windows, at, next);
    pauses.map(|pause| pause.until).max()
}
