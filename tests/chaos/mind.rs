//! What a process of recess may have in mind at an instant, and whether what it asks follows from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::known::{Known, MOST_SIGHTS};
use crate::natures::Nature;
use crate::overrides::{BUCKET_STREAM, Target};
use crate::readings::{Belief, Readings};
use crate::rules::Rules;
use crate::selectors::{ask_for_streams, may_list, selects};
use crate::sweeps::{Answered, Life, Sweeps};
use crate::told::{Question, Sight, advice, sights};
use crate::wire::Frame;

#[derive(Default)]
pub struct Mind {
    /// Rules, and from when and until when they may have been in force.
    pub rules: Vec<(Arc<Rules>, Timestamp, Timestamp)>,
    /// When it stood still.
    pub stops: Vec<(Timestamp, Timestamp)>,
    /// How far its clock was ahead, from then on.
    pub clock: Vec<(Timestamp, i64)>,
    pub questions: HashMap<String, (Question, Timestamp, usize)>,
    pub consumers: BTreeMap<String, Known>,
    pub sweeps: Sweeps,
    /// Of the bucket.
    pub readings: Readings,
    /// When it sent something last, by connection.
    pub sent: HashMap<usize, Timestamp>,
}

impl Mind {
    /// So far back a decision may lie that is acted on after `since`: a process that stood still meanwhile decided before.
    pub fn since(&self, since: Timestamp, slack: SignedDuration) -> Timestamp {
        self.stops.iter().rev().fold(since, |since, (from, until)| {
            if *until >= since {
                since.min(*from - slack)
            } else {
                since
            }
        })
    }

    pub fn rules_in(&self, since: Timestamp, at: Timestamp) -> Vec<Arc<Rules>> {
        (self.rules.iter())
            .filter(|(_, from, until)| *from <= at && *until >= since)
            .map(|(rules, ..)| rules.clone())
            .collect()
    }

    /// The whole seconds that its clock may have shown.
    pub fn seconds(&self, since: Timestamp, at: Timestamp) -> BTreeSet<i64> {
        let mut seconds = BTreeSet::new();
        for (index, (from, ahead)) in self.clock.iter().enumerate() {
            let next = self.clock.get(index + 1);
            // The library that steps it may look at its file a moment later.
            let until = next.map_or(at, |next| next.0 + SignedDuration::from_secs(1));
            if *from <= at && until >= since {
                let shift = SignedDuration::from_millis(*ahead);
                let first = (since.max(*from) + shift).as_second();
                let last = (at.min(until) + shift).as_second();
                seconds.extend(first..=last);
            }
        }
        seconds
    }

    /// How far its clock may have been off since then, to either side.
    pub fn skew(&self, since: Timestamp) -> SignedDuration {
        let newer = self.clock.iter().skip_while(|(from, _)| *from < since);
        let before = self.clock.iter().rev().find(|(from, _)| *from < since);
        let ahead = newer.chain(before).map(|(_, ahead)| ahead.abs()).max();
        // From one side to the other.
        SignedDuration::from_millis(2 * ahead.unwrap_or(0))
    }

    pub fn told(&mut self, connection: usize, frame: &Frame, at: Timestamp) {
        if frame.verb == "-ERR" {
            let subject = frame.payload.split('"').nth(1).unwrap_or_default();
            let denied = Frame {
                subject: subject.to_owned(),
                ..Frame::default()
            };
            if let Question::Pause(path) = Question::of(&denied)
                && let Some(write) = &mut self.consumers.entry(path).or_default().write
            {
                (write.refused, write.over) = (true, true);
            }
            return;
        }
        if let Some((path, advice)) = advice(frame) {
            let known = self.consumers.entry(path).or_default();
            if let Some(write) = &mut known.write
                && write.is_contradicted_by(&advice)
            {
                write.over = true;
                known.extended = None;
            }
            known.advised.push((at, advice));
            if known.advised.len() > MOST_SIGHTS {
                known.advised.drain(..MOST_SIGHTS / 2);
            }
            return;
        }
        let Some((question, asked, of)) = self.questions.remove(&frame.subject) else {
            return;
        };
        debug_assert_eq!(of, connection);
        let answered = Answered {
            connection,
            asked,
            at,
        };
        match question {
            // Many messages answer it.
            Question::Bucket if !self.readings.hear(frame, answered) => {
                let again = (question, asked, of);
                self.questions.insert(frame.subject.clone(), again);
                return;
            }
            Question::BucketEnd => self.readings.leader_says(&frame.json(), answered),
            _ => {}
        }
        if let Question::Pause(path) = &question {
            let known = self.consumers.entry(path.clone()).or_default();
            if let Some(write) = &mut known.write {
                write.refused = !frame.json()["error"].is_null();
                write.over |= write.refused;
            }
            return;
        }
        self.sweep(&question, frame, answered);
        let of_stream = |path: &&String| match &question {
            Question::List(stream) => path.starts_with(&format!("{stream}/")),
            _ => false,
        };
        let told = sights(&question, frame, self.consumers.keys().filter(of_stream));
        for (path, (state, info)) in told {
            let known = self.consumers.entry(path).or_default();
            known.see(Sight {
                state,
                nature: Nature::of(&info),
                clustered: !info["cluster"].is_null(),
                created: info["created"].as_str().unwrap_or_default().to_owned(),
                asked,
                connection,
                told: at,
            });
        }
    }

    /// Takes in what an answer means for sweeps. A list that failed, but for a stream that is gone, is asked for again.
    fn sweep(&mut self, question: &Question, frame: &Frame, answered: Answered) {
        let answer = frame.json();
        let code = answer["error"]["err_code"].as_u64();
        match question {
            Question::Streams if code.is_none() => {
                let streams = answer["streams"].as_array().cloned().unwrap_or_default();
                let names = streams.iter().filter_map(|name| name.as_str());
                // One that is deleted may be there again when the sweep comes: what was listed before was a look.
                let has_bucket = self.rules.iter().any(|(rules, ..)| rules.has_bucket);
                let names = names.chain(has_bucket.then_some(BUCKET_STREAM));
                let life = Life {
                    stops: &self.stops,
                    sent: &self.sent,
                };
                (self.sweeps).named(names.map(str::to_owned), answered, life);
            }
            Question::List(stream) if matches!(code, None | Some(10059)) => {
                let is_called_for = self.may_have_called_for(stream);
                self.sweeps.listed(stream, answered, is_called_for);
            }
            _ => {}
        }
    }

    /// Whether a stream was ever to be listed for what is wanted in it.
    fn may_have_called_for(&self, stream: &str) -> bool {
        let mut overridden = self.were_overridden(Timestamp::MIN);
        overridden.any(|selectors| may_list(selectors, stream))
            || self.rules.iter().any(|(rules, ..)| rules.may_list(stream))
    }

    pub fn is_in_scope(&self, path: &str, rules: &[Arc<Rules>], since: Timestamp) -> bool {
        let own = self.consumers.get(path).and_then(|known| known.held);
        own.is_some_and(|until| until >= since)
            || rules.iter().any(|rules| rules.names(path, true))
            || self
                .were_overridden(since)
                .any(|selectors| selects(selectors, path, true))
    }

    /// Whether an override that may have paused it was taken back, by those rules.
    pub fn was_withdrawn(&self, path: &str, rules: &Rules, since: Timestamp) -> bool {
        let mut ever = self.readings.ever.iter();
        ever.any(|one| {
            let names = match &one.target {
                Target::Consumers(selectors) => selects(selectors, path, true),
                Target::Window(_) => false,
            };
            names && one.pauses && one.until >= since.as_second() && !rules.has(one)
        })
    }

    /// Of overrides that may have paused, and have not ended or had not before long.
    fn were_overridden(&self, since: Timestamp) -> impl Iterator<Item = &Vec<String>> {
        let lasts = move |until: i64| until >= since.as_second();
        let ever = self.readings.ever.iter();
        let pausing = ever.filter(move |one| one.pauses && lasts(one.until));
        pausing.filter_map(|one| match &one.target {
            Target::Consumers(selectors) => Some(selectors),
            Target::Window(_) => None,
        })
    }

    /// Whether a pause of its own may last on a consumer of that stream.
    fn holds_some_of(&self, stream: &str, since: Timestamp) -> bool {
        let start = format!("{stream}/");
        let mut consumers = self.consumers.iter();
        consumers.any(|(path, known)| {
            path.starts_with(&start) && known.held.is_some_and(|until| until >= since)
        })
    }

    pub fn judge_question(
        &self,
        question: &Question,
        frame: &Frame,
        at: Timestamp,
        since: Timestamp,
    ) -> Vec<String> {
        // A look may wait for other answers, so it is planned a while before.
        let since = since - SignedDuration::from_secs(5);
        let rules = self.rules_in(since, at);
        let life = Life {
            stops: &self.stops,
            sent: &self.sent,
        };
        let allowed = match question {
            Question::Account => true,
            Question::Bucket | Question::BucketEnd | Question::Identity => {
                rules.iter().any(|rules| rules.has_bucket)
            }
            Question::Streams => {
                let by_override = (self.were_overridden(since)).any(|one| ask_for_streams(one));
                by_override
                    || self.sweeps.is_owed(life)
                    || rules.iter().any(|rules| rules.ask_for_streams())
            }
            Question::List(stream) => {
                self.holds_some_of(stream, since)
                    || (self.were_overridden(since)).any(|one| may_list(one, stream))
                    || rules.iter().any(|rules| rules.may_list(stream))
                    || self.sweeps.may_list(stream, life)
            }
            // Which streams they are is worked out where everything is observed, once a minute at least.
            Question::Limits(stream) => {
                let since = since - SignedDuration::from_secs(60);
                self.holds_some_of(stream, since)
                    || (self.were_overridden(since)).any(|one| may_list(one, stream))
                    || rules.iter().any(|rules| rules.may_list(stream))
            }
            Question::Info(path) => self.is_in_scope(path, &rules, since),
            Question::Pause(_) | Question::Other => false,
        };
        if allowed {
            return Vec::new();
        }
        vec![format!("I4: it has no business to ask {}", frame.subject)]
    }

    /// By what it may decide at `at`, or may have decided since `since`.
    pub fn beliefs(
        &mut self,
        rules: &[Arc<Rules>],
        since: Timestamp,
        at: Timestamp,
    ) -> Vec<Belief> {
        let (with, without): (Vec<_>, Vec<_>) =
            (rules.iter().cloned()).partition(|rules| rules.has_bucket);
        let life = Life {
            stops: &self.stops,
            sent: &self.sent,
        };
        let mut beliefs = self.readings.beliefs(&with, since, at, life);
        beliefs.extend(without.into_iter().map(|rules| Belief {
            rules,
            releases_count: true,
            may_end: true,
        }));
        beliefs
    }
}
