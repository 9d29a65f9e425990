//! What a process of recess may know of the bucket: what it was told of it, read anew from the bytes, and which of that
//! counts.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::known::LATE;
use crate::overrides::Override;
use crate::rules::Rules;
use crate::sweeps::{Answered, Life};
use crate::wire::Frame;

/// Before its first read it begins and ends nothing for so long; after that it ends nothing.
const PATIENCE: SignedDuration = SignedDuration::from_millis(9_900);

/// What was read so long ago is read again before a pause is ended, and that is waited for no longer than as long again.
const FRESH: SignedDuration = SignedDuration::from_secs(2);

/// What it may take for the truth about the bucket.
#[derive(Clone, Debug)]
pub enum Taken {
    Set(Arc<Vec<Override>>),
    /// There is no bucket.
    Missing,
}

/// An answer that counts where it was taken.
struct Reading {
    taken: Taken,
    answered: Answered,
}

/// An answer that seems older than one before, with the highest sequence of that.
struct Doubtful {
    reading: Reading,
    up_to: u64,
    is_empty: bool,
}

/// What decisions may rest on, and what they may not do then.
pub struct Belief {
    pub rules: Arc<Rules>,
    /// Whether a release counts that is not an override.
    pub releases_count: bool,
    /// Whether pauses may be ended or shortened.
    pub may_end: bool,
}

#[derive(Default)]
pub struct Readings {
    /// The messages of answers that are not complete.
    coming: HashMap<String, Vec<Override>>,
    readings: Vec<Reading>,
    doubtful: Option<Doubtful>,
    /// Up to which sequence the newest that surely counts has come.
    reached: u64,
    /// When it asked, in order.
    asked: Vec<Timestamp>,
    /// Every override that it was ever told of.
    pub ever: Vec<Override>,
    overridden: HashMap<(*const Rules, *const Vec<Override>), Arc<Rules>>,
}

impl Readings {
    pub fn ask(&mut self, at: Timestamp) {
        self.asked.push(at);
    }

    /// Takes one message of an answer. Returns whether it was the last.
    pub fn hear(&mut self, frame: &Frame, answered: Answered) -> bool {
        let entries = self.coming.entry(frame.subject.clone()).or_default();
        let Some(status) = frame.status() else {
            let sequence = frame
                .header("Nats-Sequence")
                .and_then(|text| text.parse().ok());
            let Some(sequence) = sequence else {
                return false;
            };
            if frame.header("KV-Operation").is_none() {
                entries.extend(Override::read(sequence, &frame.payload));
            } else {
                // What one may have paused that was undone stays in sight until its end.
                let was = Override::was(sequence, &frame.payload);
                self.ever.extend(was.filter(|was| !self.ever.contains(was)));
            }
            return false;
        };
        let mut set = self.coming.remove(&frame.subject).unwrap_or_default();
        let up_to = frame
            .header("Nats-UpTo-Sequence")
            .and_then(|text| text.parse().ok());
        match (status, up_to) {
            (204, Some(up_to)) => {
                set.sort_by_key(|one| one.sequence);
                self.take(set, up_to, false, answered);
            }
            (404, _) => self.take(Vec::new(), 0, true, answered),
            // A bucket that is made anew begins at 1.
            (503, _) => self.reached = 0,
            _ => {}
        }
        true
    }

    fn take(&mut self, set: Vec<Override>, up_to: u64, is_empty: bool, answered: Answered) {
        for one in &set {
            if !self.ever.contains(one) {
                self.ever.push(one.clone());
            }
        }
        let same = self
            .readings
            .iter()
            .rev()
            .find_map(|known| match &known.taken {
                Taken::Set(known) if **known == set => Some(known.clone()),
                Taken::Set(_) | Taken::Missing => None,
            });
        let reading = Reading {
            taken: Taken::Set(same.unwrap_or_else(|| Arc::new(set))),
            answered,
        };
        if up_to < self.reached {
            self.doubtful = Some(Doubtful {
                reading,
                up_to,
                is_empty,
            });
            return;
        }
        self.doubtful = None;
        self.readings.push(reading);
        if answered.at <= answered.asked + LATE {
            self.reached = up_to;
        }
    }

    /// What the leader of its stream says, which is asked about an answer that seems old, or where there was none.
    pub fn leader_says(&mut self, info: &Value, answered: Answered) {
        if info["error"]["err_code"] == 10059 {
            self.reached = 0;
            self.doubtful = None;
            self.readings.push(Reading {
                taken: Taken::Missing,
                answered,
            });
        } else if let Some(last) = info["state"]["last_seq"].as_u64()
            && let Some(doubtful) = self.doubtful.take()
        {
            let is_remade = last < self.reached;
            let is_nothing = doubtful.is_empty && info["state"]["subjects"].is_null();
            if is_remade || is_nothing {
                self.reached = if is_remade { doubtful.up_to } else { last };
                let answered = Answered {
                    at: answered.at,
                    ..doubtful.reading.answered
                };
                self.readings.push(Reading {
                    answered,
                    ..doubtful.reading
                });
            }
        }
    }

    /// What it may have taken for true since then.
    fn taken(&self, since: Timestamp, life: Life) -> (Vec<&Taken>, bool) {
        let mut taken = Vec::new();
        for reading in self.readings.iter().rev() {
            taken.push(&reading.taken);
            if reading.answered.at < since && life.surely_took(reading.answered) {
                return (taken, false);
            }
        }
        (taken, true)
    }

    /// By what it may have decided since then, where the config has such rules.
    pub fn beliefs(
        &mut self,
        rules: &[Arc<Rules>],
        since: Timestamp,
        at: Timestamp,
        life: Life,
    ) -> Vec<Belief> {
        let mut beliefs = Vec::new();
        let (taken, may_be_unread) = self.taken(since, life);
        let taken: Vec<Taken> = taken.into_iter().cloned().collect();
        let mut known = Vec::new();
        for rules in rules {
            for taken in &taken {
                let (set, rules) = match taken {
                    Taken::Set(set) => {
                        let key = (Arc::as_ptr(rules), Arc::as_ptr(set));
                        let overridden = self.overridden.entry(key);
                        let overridden =
                            overridden.or_insert_with(|| Arc::new(rules.overridden(set)));
                        (Arc::as_ptr(overridden), overridden.clone())
                    }
                    Taken::Missing => (Arc::as_ptr(rules), rules.clone()),
                };
                if !known.contains(&set) {
                    known.push(set);
                    let releases_count = matches!(taken, Taken::Missing);
                    beliefs.push(Belief {
                        rules,
                        releases_count,
                        may_end: true,
                    });
                }
            }
            let first = self.asked.first();
            if may_be_unread && first.is_some_and(|first| at.duration_since(*first) > PATIENCE) {
                let rules = rules.clone();
                beliefs.push(Belief {
                    rules,
                    releases_count: true,
                    may_end: false,
                });
            }
        }
        beliefs
    }

    /// Whether it has asked so late that it may end a pause which it decided to end after `since`.
    pub fn is_fresh(&self, since: Timestamp) -> bool {
        self.asked
            .last()
            .is_some_and(|asked| *asked >= since - FRESH)
    }
}
