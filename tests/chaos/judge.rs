//! What must never be seen on the wire, whatever happens: I1, I3 and I4.
//!
//! It follows each process of recess through the record: which rules it may have loaded, what it was told and when, what it
//! sent. A write is right when some state of affairs that the process may have had before it calls for it; where the judge
//! cannot know (an answer that came late, a process that stood still), the process is given the benefit of the doubt.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::record::{Event, Process, What};
use crate::rules::{Rules, Want};
use crate::table::Case;
use crate::told::{Advice, Question, Sight, State, advice, deadline, is_ours, sights};
use crate::wire::Frame;

/// An answer that takes longer may not have been waited for.
const LATE: SignedDuration = SignedDuration::from_millis(250);

/// What is looked at is prepared so long before an edge, and an answer that comes at the edge itself is not waited for.
const PREPARED: SignedDuration = SignedDuration::from_millis(2_700);

/// How long an accepted write may take to show, and how long one that has timed out may still lie in the server's queue.
const SETTLING: SignedDuration = SignedDuration::from_millis(4_700);

/// How long a reload waits for a look at most that is under way, and for what it leads to. A list is waited for so long.
const RELOAD: SignedDuration = SignedDuration::from_secs(7);

/// So many of one consumer are kept.
const MOST_SIGHTS: usize = 400;

/// A write, and what became of it.
struct Write {
    at: Timestamp,
    connection: usize,
    deadline: Option<Timestamp>,
    /// It was refused, so that what was known before is known still.
    refused: bool,
    /// It was seen, refused or contradicted: nothing waits for it any more.
    over: bool,
}

/// A write that is to be judged.
struct Sending {
    deadline: Option<Timestamp>,
    connection: usize,
    at: Timestamp,
    since: Timestamp,
    blur: SignedDuration,
}

impl Write {
    fn is_contradicted_by(&self, advice: &Advice) -> bool {
        *advice != Advice::Deadline(self.deadline) && *advice != Advice::Created
    }
}

#[derive(Default)]
struct Known {
    sights: Vec<Sight>,
    write: Option<Write>,
    /// The newest advisories.
    advised: Vec<(Timestamp, Advice)>,
    /// Deadlines of others that it was shown.
    foreign: BTreeSet<Timestamp>,
    /// One that it has extended, and nothing has happened since that would make it forget that.
    extended: Option<Timestamp>,
    /// Until when a pause of its own may last.
    held: Option<Timestamp>,
}

#[derive(Default)]
struct Mind {
    /// Rules, and from when and until when they may have been in force.
    rules: Vec<(Arc<Rules>, Timestamp, Timestamp)>,
    /// When it stood still.
    stops: Vec<(Timestamp, Timestamp)>,
    /// How far its clock was ahead, from then on.
    clock: Vec<(Timestamp, i64)>,
    questions: HashMap<String, (Question, Timestamp, usize)>,
    consumers: BTreeMap<String, Known>,
}

/// What is wrong, with the place in the record.
#[derive(Debug)]
pub struct Violation {
    pub event: usize,
    pub what: String,
}

pub struct Judge {
    minds: BTreeMap<Process, Mind>,
    /// How far off the server's clock may be guessed: it is read in the middle between a question and its answer.
    blur: SignedDuration,
    /// How long a write may rest on a decision, on a machine that is not stopped.
    slack: SignedDuration,
    pub writes: usize,
    pub questions: usize,
    pub violations: Vec<Violation>,
}

impl Judge {
    /// `patience` is recess's `request_timeout`; `lag` how late this process itself was at worst.
    pub fn new(patience: SignedDuration, lag: SignedDuration) -> Self {
        Self {
            minds: BTreeMap::new(),
            blur: patience / 2,
            // Some are sent only when others have timed out.
            slack: 2 * patience + lag + SignedDuration::from_millis(1_000),
            writes: 0,
            questions: 0,
            violations: Vec::new(),
        }
    }

    pub fn hear(&mut self, events: &[Event]) {
        for (index, event) in events.iter().enumerate() {
            for what in self.take(event) {
                self.violations.push(Violation { event: index, what });
            }
        }
    }

    fn take(&mut self, event: &Event) -> Vec<String> {
        let at = event.at;
        let slack = self.slack;
        let mind = self.minds.entry(event.process).or_default();
        match &event.what {
            What::Started(rules) => {
                mind.rules.push((rules.clone(), at, Timestamp::MAX));
                mind.clock.push((at, 0));
            }
            What::File(rules) => {
                if let Some(before) = mind.rules.last_mut() {
                    before.2 = at + RELOAD + slack;
                }
                mind.rules.push((rules.clone(), at, Timestamp::MAX));
            }
            What::Stopped => mind.stops.push((at, Timestamp::MAX)),
            What::Continued => {
                if let Some(stop) = mind.stops.last_mut() {
                    stop.1 = at;
                }
            }
            What::Clock(ahead) => mind.clock.push((at, *ahead)),
            What::Delivered { connection, frame } => mind.told(*connection, frame, at),
            What::Sent { connection, frame } => {
                let question = Question::of(frame);
                let answer = (question.clone(), at, *connection);
                mind.questions.insert(frame.reply.clone(), answer);
                let since = mind.since(at - slack, slack);
                if let Question::Pause(path) = &question {
                    self.writes += 1;
                    let sent = Sending {
                        deadline: deadline(frame),
                        connection: *connection,
                        at,
                        since,
                        blur: self.blur,
                    };
                    return mind.judge_write(path, &sent);
                }
                self.questions += 1;
                return mind.judge_question(&question, frame, at, since);
            }
            What::Ended | What::Note(_) => {}
        }
        Vec::new()
    }
}

impl Mind {
    /// So far back a decision may lie that is acted on after `since`: a process that stood still meanwhile decided before.
    fn since(&self, since: Timestamp, slack: SignedDuration) -> Timestamp {
        self.stops.iter().rev().fold(since, |since, (from, until)| {
            if *until >= since {
                since.min(*from - slack)
            } else {
                since
            }
        })
    }

    fn rules_in(&self, since: Timestamp, at: Timestamp) -> Vec<Arc<Rules>> {
        (self.rules.iter())
            .filter(|(_, from, until)| *from <= at && *until >= since)
            .map(|(rules, ..)| rules.clone())
            .collect()
    }

    /// The whole seconds that its clock may have shown.
    fn seconds(&self, since: Timestamp, at: Timestamp) -> BTreeSet<i64> {
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
    fn skew(&self, since: Timestamp) -> SignedDuration {
        let newer = self.clock.iter().skip_while(|(from, _)| *from < since);
        let before = self.clock.iter().rev().find(|(from, _)| *from < since);
        let ahead = newer.chain(before).map(|(_, ahead)| ahead.abs()).max();
        // From one side to the other.
        SignedDuration::from_millis(2 * ahead.unwrap_or(0))
    }

    fn told(&mut self, connection: usize, frame: &Frame, at: Timestamp) {
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
        if let Question::Pause(path) = &question {
            let known = self.consumers.entry(path.clone()).or_default();
            if let Some(write) = &mut known.write {
                write.refused = !frame.json()["error"].is_null();
                write.over |= write.refused;
            }
            return;
        }
        let of_stream = |path: &&String| match &question {
            Question::List(stream) => path.starts_with(&format!("{stream}/")),
            _ => false,
        };
        let told = sights(&question, frame, self.consumers.keys().filter(of_stream));
        for (path, (state, info)) in told {
            let known = self.consumers.entry(path).or_default();
            known.see(Sight {
                state,
                durable: !info["config"]["durable_name"].is_null(),
                clustered: !info["cluster"].is_null(),
                created: info["created"].as_str().unwrap_or_default().to_owned(),
                asked,
                connection,
                told: at,
            });
        }
    }

    fn is_in_scope(&self, path: &str, rules: &[Arc<Rules>], since: Timestamp) -> bool {
        let own = self.consumers.get(path).and_then(|known| known.held);
        own.is_some_and(|until| until >= since)
            || rules.iter().any(|rules| rules.follows(path, true))
    }

    fn judge_question(
        &self,
        question: &Question,
        frame: &Frame,
        at: Timestamp,
        since: Timestamp,
    ) -> Vec<String> {
        // A look may wait for other answers, so it is planned a while before.
        let since = since - SignedDuration::from_secs(5);
        let rules = self.rules_in(since, at);
        let allowed = match question {
            Question::Account | Question::Streams => true,
            Question::List(stream) => {
                let own = (self.consumers.iter()).any(|(path, known)| {
                    let of = path.starts_with(&format!("{stream}/"));
                    of && known.held.is_some_and(|until| until >= since)
                });
                own || rules.iter().any(|rules| rules.may_list(stream))
            }
            Question::Info(path) => self.is_in_scope(path, &rules, since),
            Question::Pause(_) | Question::Other => false,
        };
        if allowed {
            return Vec::new();
        }
        vec![format!("I4: it has no business to ask {}", frame.subject)]
    }

    fn judge_write(&mut self, path: &str, sent: &Sending) -> Vec<String> {
        let Sending {
            deadline,
            connection,
            at,
            since,
            blur,
        } = *sent;
        let rules = self.rules_in(since, at);
        let seconds = self.seconds(since, at);
        let skew = self.skew(since);
        let in_scope = self.is_in_scope(path, &rules, since);
        let stopped = self.stops.iter().any(|stop| stop.1 >= since);
        let known = self.consumers.entry(path.to_owned()).or_default();
        let mut wrong = Vec::new();
        let said = deadline.map_or_else(|| "nothing".to_owned(), |until| until.to_string());

        if !in_scope {
            wrong.push(format!("I4: {path} is out of its scope"));
        }
        let rested = known.rests_on(connection, since - PREPARED);
        if rested.is_empty() {
            wrong.push(format!(
                "I4: {said} for {path} rests on no look in this connection since the write before"
            ));
        }
        if let Some(write) = &known.write {
            let waits = at.duration_since(write.at) < SETTLING;
            // One that a lost connection has cut is over.
            // What came while it was sending is read after that, and may be older than its write.
            let mut advised = known.advised.iter();
            let doubtful = advised.any(|(told, advice)| {
                *told >= write.at - at.duration_since(since) && write.is_contradicted_by(advice)
            });
            if waits && !write.over && !doubtful && write.connection == connection {
                wrong.push(format!(
                    "I4: {said} for {path}, {:#} after another write that may still show",
                    at.duration_since(write.at)
                ));
            }
        }
        let wants: BTreeSet<_> = (rules.iter())
            .flat_map(|rules| seconds.iter().map(move |second| (rules, *second)))
            .flat_map(|(rules, second)| {
                let wants = [true, false].map(|durable| {
                    let near = rules.opens_within(path, durable, second, 55);
                    (durable, rules.want(path, durable, second), near)
                });
                wants.map(Wanted::from)
            })
            .collect();
        let case = Case {
            deadline,
            at,
            since,
            skew,
            blur,
            stopped,
            foreign: &known.foreign,
        };
        let permitted = rested.iter().any(|sight| {
            (wants.iter())
                .filter(|want| want.durable == sight.durable)
                .any(|want| case.permits(want.want, want.opens_soon, sight))
        });
        if !permitted && !rested.is_empty() {
            let states: Vec<_> = rested.iter().map(|sight| sight.state).collect();
            let law = case.broken_law(&states, wants.iter().map(|want| want.want));
            let wants: BTreeSet<String> = (wants.iter())
                .map(|want| format!("{:?}", want.want))
                .collect();
            wrong.push(format!(
                "{law}: {said} for {path}, where {wants:?} may be wanted and it was told {states:?}"
            ));
        }
        if let Some(theirs) = known.extended
            && theirs > at + SignedDuration::from_secs(8)
            && deadline.is_none_or(|until| until < theirs)
        {
            wrong.push(format!(
                "I3: {said} for {path}, which it had extended beyond somebody's {theirs}"
            ));
        }
        known.wrote(deadline, connection, at, &rested);
        wrong
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    durable: bool,
    want: Want,
    opens_soon: bool,
}

impl From<(bool, Want, bool)> for Wanted {
    fn from((durable, want, opens_soon): (bool, Want, bool)) -> Self {
        Self {
            durable,
            want,
            opens_soon,
        }
    }
}

impl Known {
    fn see(&mut self, sight: Sight) {
        let stored = sight.state.deadline();
        if let Some(write) = &mut self.write {
            write.over |= stored == write.deadline || sight.state == State::Missing;
        }
        let recreated = (self.sights.iter().rev())
            .find(|before| !before.created.is_empty())
            .is_some_and(|before| before.created != sight.created);
        if recreated || stored.is_none_or(|until| !is_ours(until)) {
            self.extended = None;
        }
        if let State::Paused { until, .. } = sight.state {
            if is_ours(until) {
                self.held = self.held.max(Some(until));
            } else {
                self.foreign.insert(until);
            }
        }
        self.sights.push(sight);
        if self.sights.len() > MOST_SIGHTS {
            self.sights.drain(..MOST_SIGHTS / 2);
        }
    }

    /// What a write may rest on: what was asked for in its connection after the write before.
    fn rests_on(&self, connection: usize, recent: Timestamp) -> Vec<Sight> {
        let after = (self.write.as_ref())
            .filter(|write| !write.refused)
            .map(|write| write.at);
        let mut rested = Vec::new();
        for sight in self.sights.iter().rev() {
            if sight.connection != connection || after.is_some_and(|after| sight.asked < after) {
                continue;
            }
            rested.push(sight.clone());
            // It may have been passed over only where it came late, or right before an edge.
            let late = sight.told.duration_since(sight.asked) > LATE;
            if sight.told < recent && !late {
                break;
            }
        }
        rested
    }

    fn wrote(
        &mut self,
        deadline: Option<Timestamp>,
        connection: usize,
        at: Timestamp,
        rested: &[Sight],
    ) {
        if deadline.is_some_and(is_ours) {
            self.held = self.held.max(deadline);
        }
        let newest = rested.first().map(|sight| sight.state);
        self.extended = match newest {
            // Without doubt about what it rests on.
            Some(State::Paused { until, .. }) if !is_ours(until) && rested.len() == 1 => {
                deadline.filter(|ours| *ours > until).map(|_| until)
            }
            _ => self.extended.filter(|_| deadline.is_some_and(is_ours)),
        };
        self.write = Some(Write {
            at,
            connection,
            deadline,
            refused: false,
            over: false,
        });
    }
}
