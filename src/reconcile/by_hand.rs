//! Orders by hand: many consumers paused or resumed at once, by the same requests, the same limit of requests under way and
//! the same confirmation as the loop's.
//!
//! The books are the loop's too: the ledger knows what was sent, what shows and what somebody else has undone meanwhile. There
//! is no calendar here, and no end but that every consumer is as ordered, or cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::reconciler::Reconciler;
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::{Advisory, JetStream, RequestError};
use crate::ledger::Admission;
use crate::now::Now;
use crate::observe::{Observed, ReplyDeadline, Scope};
use crate::plan::{Order, Verdict};
use crate::report::{Burst, LeftOut, Pass, Row, Wake};
use crate::write::Outcome;

/// Without any progress for so long, what is left will not come: longer than a Resume takes in a cluster, a write is given to
/// show, and a request that timed out may still lie in a queue.
const GIVE_UP: Duration = Duration::from_secs(20);

/// How often those who are waited for are looked at, at least. Between two looks lies twice the time that one takes: a
/// cluster that is asked all the time takes longer to apply what it was told.
const LOOK: Duration = Duration::from_millis(500);
const SHORTEST_REST: Duration = Duration::from_millis(20);

/// What has become of one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is not as ordered yet.
    Waiting,
    /// It was as ordered already.
    Untouched,
    /// It is as ordered, and was seen so.
    Done,
    /// It was, or would have been, and somebody else has undone it.
    Undone,
    /// It is not there.
    Missing,
    /// The deadline came first: it is not written any more.
    TooLate,
    /// The server accepted it, and it does not show.
    Unconfirmed,
    /// Nothing can be learned of it.
    Unknown,
    /// It could not be done.
    Failed(RequestError),
}

/// An order on its way. It can be looked at when the work is given up in the middle.
#[derive(Debug)]
pub struct Errand {
    /// What is ordered.
    pub order: Order,
    /// Whom it concerns, and what has become of each.
    pub fates: BTreeMap<ConsumerId, Fate>,
    /// What was sent and answered.
    pub pass: Pass,
    sent: BTreeSet<ConsumerId>,
}

impl Errand {
    /// How many are as ordered.
    pub fn done(&self) -> usize {
        let done = |fate: &&Fate| matches!(fate, Fate::Done | Fate::Untouched);
        self.fates.values().filter(done).count()
    }

    /// To how many a request was sent that the server accepted.
    pub fn accepted(&self) -> usize {
        let accepted = self.pass.acts.iter().filter(|act| act.result.is_ok());
        accepted.map(|act| &act.id).collect::<BTreeSet<_>>().len()
    }

    /// Of how many it is not known whether the server has done what was sent.
    pub fn in_doubt(&self) -> usize {
        let mut doubts = BTreeSet::new();
        for act in &self.pass.acts {
            match act.result.as_ref().map_err(RequestError::outcome) {
                Err(Outcome::TimedOut | Outcome::Cut) => doubts.insert(&act.id),
                _ => doubts.remove(&act.id),
            };
        }
        doubts.len()
    }

    fn waiting(&self) -> BTreeSet<ConsumerId> {
        let waiting = self
            .fates
            .iter()
            .filter(|(_, fate)| **fate == Fate::Waiting);
        waiting.map(|(id, _)| id.clone()).collect()
    }
}

impl<J: JetStream> Reconciler<J> {
    /// Looks at everybody the policy names. Nothing is decided.
    pub async fn survey(&mut self) -> Observed {
        let began = self.clock.now();
        let observed = self.look(&Scope::All, began, ReplyDeadline::NONE).await;
        let mut pass = Pass::of(Wake::Edge);
        self.note(observed.clone(), &Scope::All, &mut pass);
        observed
    }

    /// Everybody who was looked at.
    pub fn rows(&self) -> &BTreeMap<ConsumerId, Row> {
        &self.rows
    }

    /// Who was left out.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// How many writes were sent and not answered, when the work is given up in the middle.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// The server's clock.
    pub fn server_now(&self) -> Timestamp {
        self.skew.server_time(self.clock.now().wall)
    }

    /// What an order comes to for everybody who was looked at.
    pub fn errand(&self, order: Order) -> Errand {
        let fate = |row: &Row| match row.found {
            Found::Missing => Fate::Missing,
            _ if order.is_done(&row.found) => Fate::Untouched,
            _ => Fate::Waiting,
        };
        let fates = (self.rows.iter()).map(|(id, row)| (id.clone(), fate(row)));
        Errand {
            order,
            fates: fates.collect(),
            pass: Pass::of(Wake::Edge),
            sent: BTreeSet::new(),
        }
    }

    /// Sees to it, until each is as ordered or nothing more comes of it. `advisories` are what the server tells meanwhile.
    pub async fn run_errand(
        &mut self,
        errand: &mut Errand,
        advisories: &mut mpsc::Receiver<Advisory>,
        tell: &mut impl FnMut(&mut Self, Burst),
    ) {
        let mut progress = self.clock.now().uptime;
        let mut left = usize::MAX;
        let mut look_took = Duration::ZERO;
        loop {
            let now = self.clock.now();
            self.settle_fates(errand);
            let waiting = errand.waiting();
            if waiting.is_empty() {
                return;
            }
            if waiting.len() < left {
                left = waiting.len();
                progress = now.uptime;
            }
            if now.uptime.saturating_sub(progress) > GIVE_UP {
                return self.give_up(errand);
            }
            let writes = self.ordered(errand, &waiting, now);
            if !writes.is_empty() {
                let (sent, answered) = (errand.sent.len(), errand.pass.acts.len());
                errand.sent.extend(writes.iter().map(|(id, _)| id.clone()));
                self.act(writes, now, &mut errand.pass, tell).await;
                fail_for_good(errand, answered);
                // What is only sent again is no progress.
                if errand.sent.len() > sent {
                    progress = self.clock.now().uptime;
                }
            }
            self.rest(look_took * 2).await;
            while let Ok(advisory) = advisories.try_recv() {
                self.heed(&advisory);
            }
            let scope = Scope::Only(errand.waiting());
            let began = self.clock.now();
            let observed = self.look(&scope, began, ReplyDeadline::NONE).await;
            self.note(observed, &scope, &mut errand.pass);
            look_took = self.clock.now().uptime.saturating_sub(began.uptime);
        }
    }

    fn note(&mut self, observed: Observed, scope: &Scope, pass: &mut Pass) {
        let now = self.clock.now();
        pass.failures = observed.failures.clone();
        let interest = self.interest(now);
        self.apply_observation(observed, scope, &interest, now, pass);
        self.ledger.looked(|id| scope.includes(id), now);
    }

    fn heed(&mut self, advisory: &Advisory) {
        match advisory {
            Advisory::Pause { id, until } => drop(self.ledger.advised(id, *until)),
            Advisory::Deleted(id) => self.ledger.deleted(id),
            Advisory::Created(_) => {}
        }
    }

    /// Says of each who was waited for whether that is over.
    fn settle_fates(&self, errand: &mut Errand) {
        let too_late = match errand.order {
            Order::Pause(until) => until <= self.server_now(),
            Order::Resume => false,
        };
        for (id, fate) in &mut errand.fates {
            if *fate != Fate::Waiting {
                continue;
            }
            let Some(row) = self.rows.get(id) else {
                *fate = Fate::Missing;
                continue;
            };
            if row.found == Found::Missing {
                *fate = Fate::Missing;
            } else if errand.order.is_done(&row.found) {
                *fate = Fate::Done;
            } else if too_late {
                // What shows no pause now has seen its end, and is nobody's doing.
                *fate = Fate::TooLate;
            } else if errand.sent.contains(id) && self.was_undone(id, row, errand.order) {
                *fate = Fate::Undone;
            }
        }
    }

    /// Whether what was accepted is in force no more. On a single server accepted is applied, so whatever else shows came
    /// later; in a cluster an advisory or an observation must have shown that it was.
    fn was_undone(&self, id: &ConsumerId, row: &Row, order: Order) -> bool {
        let Some(seen) = row.found.observation() else {
            return false;
        };
        let accepted = row.problem.is_none();
        let on_its_way = seen.clustered && self.ledger.is_unconfirmed(id);
        accepted && !on_its_way && order.verdict(&row.found).action().is_some()
    }

    /// What is to be sent now.
    fn ordered(
        &self,
        errand: &Errand,
        waiting: &BTreeSet<ConsumerId>,
        now: Now,
    ) -> Vec<(ConsumerId, Verdict)> {
        let verdict = |id: &ConsumerId| {
            let verdict = errand.order.verdict(&self.rows.get(id)?.found);
            let action = verdict.action()?;
            let admitted = self.ledger.admit(id, action, verdict.deadline(), now);
            let goes = admitted == Admission::Granted && !self.ledger.is_settling(id, now);
            goes.then(|| (id.clone(), verdict))
        };
        waiting.iter().filter_map(verdict).collect()
    }

    /// Sleeps until a write may show or a pause may have ended.
    async fn rest(&self, at_least: Duration) {
        let now = self.clock.now().uptime;
        let looks = self.rows.iter().flat_map(|(id, row)| {
            let lapse = row.known(id).lapse().filter(|at| *at > now);
            self.ledger.look(id).into_iter().chain(lapse)
        });
        let next = looks.fold(now + LOOK, Duration::min);
        let rest = next.saturating_sub(now);
        tokio::time::sleep(rest.max(at_least).max(SHORTEST_REST)).await;
    }

    fn give_up(&self, errand: &mut Errand) {
        for (id, fate) in &mut errand.fates {
            if *fate != Fate::Waiting {
                continue;
            }
            let row = self.rows.get(id);
            *fate = match row.and_then(|row| row.problem.clone()) {
                Some(problem) => Fate::Failed(problem),
                None if errand.sent.contains(id) => Fate::Unconfirmed,
                None => Fate::Unknown,
            };
        }
    }
}

/// What a person must mend is not sent again.
fn fail_for_good(errand: &mut Errand, before: usize) {
    for act in errand.pass.acts.iter().skip(before) {
        let Err(error) = &act.result else { continue };
        let fate = match error {
            RequestError::Missing => Fate::Missing,
            RequestError::Denied { .. }
            | RequestError::Refused { .. }
            | RequestError::NoResponders { .. } => Fate::Failed(error.clone()),
            RequestError::NotConnected
            | RequestError::Cut
            | RequestError::TimedOut { .. }
            | RequestError::Shifting
            | RequestError::TooLong { .. }
            | RequestError::Unreadable { .. } => continue,
        };
        errand.fates.insert(act.id.clone(), fate);
    }
}
