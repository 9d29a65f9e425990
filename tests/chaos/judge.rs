//! What must never be seen on the wire, whatever happens: I1, I3 and I4.
//!
//! It follows each process of recess through the record: which rules it may have loaded, what it was told and when, what it
//! sent. A write is right when some state of affairs that the process may have had before it calls for it; where the judge
//! cannot know (an answer that came late, a process that stood still), the process is given the benefit of the doubt.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::mind::Mind;
use crate::record::{Event, Process, What};
use crate::told::{Question, deadline};
use crate::writes::Sending;

/// How long a reload waits for a look at most that is under way, and for what it leads to. A list is waited for so long.
const RELOAD: SignedDuration = SignedDuration::from_secs(7);

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
                mind.sweeps.owe();
                mind.clock.push((at, 0));
            }
            What::File(rules) => {
                if let Some(before) = mind.rules.last_mut() {
                    before.2 = at + RELOAD + slack;
                }
                mind.rules.push((rules.clone(), at, Timestamp::MAX));
                mind.sweeps.owe();
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
                mind.sent.insert(*connection, at);
                let since = mind.since(at - slack, slack);
                match &question {
                    Question::Bucket => mind.readings.ask(at),
                    Question::List(stream) => mind.sweeps.asks(stream, at),
                    _ => {}
                }
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
