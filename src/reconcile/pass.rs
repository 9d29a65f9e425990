//! One pass: observe, decide, act. What it keeps between passes is in [`Reconciler`]; when a pass is due is the loop's
//! business.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Heart;
use super::former::Former;
use super::observe::{Observed, Patience, Scope, observe};
use super::overview::{Attendance, IdleGlobs};
use crate::clock::Clock;
use crate::config::Config;
use crate::consumer::{ConsumerId, Found, Kind, Mark, PauseState};
use crate::jetstream::{JetStream, Link};
use crate::ledger::{Ledger, Now};
use crate::plan::{Decision, Orphans, Planned, Rule, Sending, Situation, Skew, Verdict};
use crate::policy::{Policy, Window, WindowSet};
use crate::report::{Burst, Failure, LeftOut, Pass, Row, Wake};

/// How long after a pause's end the server is asked whether it really ended: it resumes 0.5 to 2 ms late.
const AFTER_LAPSE: Duration = Duration::from_millis(100);

/// What the passes share.
pub struct Reconciler<J> {
    pub(super) jetstream: J,
    pub(super) clock: Clock,
    pub(super) heart: Heart,
    pub(super) config: Arc<Config>,
    pub(super) ledger: Ledger,
    pub(super) rows: Arc<BTreeMap<ConsumerId, Row>>,
    /// The server's clock less ours.
    pub(super) skew: Skew,
    /// Writes that must wait, and until which uptime.
    pub(super) held_back: BTreeMap<ConsumerId, Duration>,
    /// Those with a deadline of ours to be cleared when there is time.
    pub(super) to_clear: BTreeSet<ConsumerId>,
    /// When this policy came into force.
    pub(super) since: Timestamp,
    /// The windows of a consumer, remembered because matching thousands of names against many globs is the dearest part
    /// of a pass.
    pub(super) memberships: HashMap<ConsumerId, (Option<Kind>, WindowSet)>,
    /// How many writes were sent and not answered.
    pub(super) under_way: usize,
    /// Whom globs leave alone, and what could not be read.
    pub(super) left_out: Arc<LeftOut>,
    /// Each window's globs that match nobody, once everything was looked at.
    pub(super) idle: Option<IdleGlobs>,
    /// Pauses of recess's that no window names.
    pub(super) orphans: Orphans,
    /// The streams that could not be listed for them.
    pub(super) unlisted: Arc<[Failure]>,
    /// What recess wrote under another instance name.
    pub(super) former: Former,
    /// Who was paused in which window.
    pub(super) attendance: HashMap<Arc<str>, Attendance>,
}

impl<J: JetStream> Reconciler<J> {
    /// A reconciler that has seen nothing yet.
    pub fn new(jetstream: J, clock: Clock, config: Arc<Config>, heart: Heart) -> Self {
        let since = clock.now().wall;
        Self {
            jetstream,
            clock,
            heart,
            attendance: HashMap::new(),
            config,
            ledger: Ledger::default(),
            rows: Arc::default(),
            skew: Skew::default(),
            held_back: BTreeMap::new(),
            to_clear: BTreeSet::new(),
            since,
            memberships: HashMap::new(),
            under_way: 0,
            left_out: Arc::default(),
            idle: None,
            orphans: Orphans::default(),
            unlisted: Arc::default(),
            former: Former::default(),
        }
    }

    /// Puts another config in force.
    pub(super) fn reload(&mut self, config: Arc<Config>) {
        if config.policy.mark() != self.policy().mark() {
            self.rename(config.policy.mark());
        }
        self.config = config;
        self.keep_attendance();
        self.held_back.clear();
        self.to_clear.clear();
        self.orphans.restart(self.clock.now());
        // They are the windows' of before.
        self.idle = None;
        self.left_out = Arc::default();
        self.ledger.forgive();
        self.since = self.clock.now().wall;
        // A row names its windows by their places in the policy, and the next pass may be far away.
        let mut rows = std::mem::take(&mut self.rows);
        let config = self.config.clone();
        let mut moment = config.policy.desired_at(self.since);
        let kinds: Vec<_> = (rows.iter())
            .map(|(id, row)| self.kind_of(id, &row.found))
            .collect();
        self.memberships.clear();
        let table = Arc::make_mut(&mut rows);
        for ((id, row), kind) in table.iter_mut().zip(kinds) {
            row.windows = self.windows_of(id, kind);
            row.desired = moment.desired(id, &row.windows);
        }
        // Who is nobody's business any more is not asked about either, also where the next passes learn nothing.
        let ours = self.beyond_the_policy(self.clock.now());
        table.retain(|id, row| !row.windows.is_empty() || ours.contains(id));
        self.rows = rows;
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.config.policy
    }

    pub(super) fn dry_run(&self) -> bool {
        self.config.settings.controller.dry_run
    }

    /// How many requests may be under way at once.
    pub(super) fn in_flight(&self) -> usize {
        match &*self.jetstream.link().borrow() {
            Link::Up(server) if server.crash_prone => 1,
            _ => self.config.settings.controller.max_in_flight,
        }
    }

    /// Forgets what every consumer's state is: there is no connection. What is wanted goes on by the calendar.
    pub(super) fn lose_sight(&mut self) {
        let now = self.clock.now();
        let config = self.config.clone();
        let mut moment = config.policy.desired_at(now.wall);
        for (id, row) in Arc::make_mut(&mut self.rows) {
            row.desired = moment.desired(id, &row.windows);
            row.found = Found::Unknown;
            row.verdict = Verdict::Unknown;
            row.rule = Rule::Unknown;
            row.seen = now.uptime;
        }
    }

    /// Observes `scope`, decides for the present, and acts on it (unless this is a dry run).
    pub async fn pass(&mut self, wake: Wake, scope: Scope) -> Pass {
        let began = self.clock.now();
        let observed = self.look(&scope, began, Patience::WITHOUT_END).await;
        let quiet = &mut |_: &mut Self, _| {};
        self.conclude(wake, scope, began, observed, quiet).await
    }

    /// The first half of a pass. It changes nothing, so it may be given up.
    pub(super) async fn look(&self, scope: &Scope, began: Now, patience: Patience) -> Observed {
        observe(
            &self.jetstream,
            self.policy(),
            scope,
            &self.beyond_the_policy(began),
            self.in_flight(),
            &self.clock,
            patience,
        )
        .await
    }

    /// The instance has another name from now on. What was written under the name of before stays recess's until it ends.
    fn rename(&mut self, mark: Mark) {
        let (rows, ledger) = (Arc::make_mut(&mut self.rows), &mut self.ledger);
        let before = self.config.policy.mark();
        let seen = rows.iter_mut().filter_map(|(id, row)| {
            let until = row.found.observation()?.state.deadline()?;
            before.owns(until).then(|| (id.clone(), until))
        });
        self.former
            .remember(seen.chain(ledger.restamp(before, mark)));
        for (id, row) in rows {
            self.former.translate_found(id, &mut row.found, mark);
        }
    }

    /// The consumers that may carry a pause of ours, the policy aside.
    pub(super) fn beyond_the_policy(&self, began: Now) -> BTreeSet<ConsumerId> {
        (self.ledger.in_scope(began))
            .chain(self.orphans.ids())
            .cloned()
            .collect()
    }

    /// The second half of a pass that began at `began`: takes in what was observed, decides, and acts.
    pub(super) async fn conclude(
        &mut self,
        wake: Wake,
        scope: Scope,
        began: Now,
        observed: Observed,
        tell: &mut impl FnMut(&mut Self, Burst),
    ) -> Pass {
        let now = self.clock.now();
        let mut pass = Pass {
            full: scope == Scope::All,
            failures: observed.failures.clone(),
            ..Pass::of(wake)
        };
        match &scope {
            Scope::All => {
                self.held_back.clear();
                self.to_clear.clear();
            }
            Scope::Only(ids) => {
                self.held_back.retain(|id, _| !ids.contains(id));
                self.to_clear.retain(|id| !ids.contains(id));
            }
        }
        let ours = self.beyond_the_policy(began);
        let touched = self.take_in(observed, &scope, &ours, now, &mut pass);
        self.ledger.looked(
            |id| match &scope {
                Scope::All => true,
                Scope::Only(ids) => ids.contains(id),
            },
            now,
        );
        let writes = self.decide_rows(&touched, now);
        self.look_again_at_the_busy(now);
        // A stream that could not be asked may hold what a glob seems to miss.
        if pass.full && pass.is_ok() {
            self.idle = Some(self.idle_globs());
        }
        let may_be_undone = self.ledger.in_scope(now).next().is_some();
        self.jetstream.watch_writers(may_be_undone);
        self.tidy(now);
        if !self.dry_run() {
            // They rest on nothing older than `began`.
            self.act(writes, began, &mut pass, tell).await;
        }
        pass.took = self.clock.now().uptime.saturating_sub(began.uptime);
        pass
    }

    /// What decisions rest on now.
    fn situation(&self, now: Now) -> Situation<'_> {
        Situation {
            policy: self.policy(),
            ledger: &self.ledger,
            orphans: &self.orphans,
            skew: self.skew,
            resync: self.config.settings.controller.resync,
            now,
        }
    }

    /// Plans for the present, writes the decisions into the rows, and returns what should be sent now.
    fn decide_rows(&mut self, touched: &[ConsumerId], now: Now) -> Vec<(ConsumerId, Verdict)> {
        let known = (touched.iter()).filter_map(|id| self.rows.get_key_value(id));
        let plan = (self.situation(now)).plan(known.map(|(id, row)| row.known(id)), now.wall);
        let mut rows = std::mem::take(&mut self.rows);
        let table = Arc::make_mut(&mut rows);
        for planned in plan.decisions {
            if let Some(row) = table.get_mut(&planned.id) {
                self.note_down(row, planned, now);
            }
        }
        self.rows = rows;
        self.to_clear.extend(plan.clears);
        plan.writes
    }

    /// Writes what was planned for one consumer into its row and into the books.
    fn note_down(&mut self, row: &mut Row, planned: Planned, now: Now) {
        let Planned {
            id,
            desired,
            decision,
            sending,
            again,
        } = planned;
        row.desired = desired;
        (row.verdict, row.rule) = (decision.verdict, decision.rule);
        row.unconfirmed = self.ledger.unseen_for(&id, now);
        row.held_back = None;
        row.contested = sending == Sending::Contested;
        if let (Rule::Paused | Rule::Tail, Some(seen)) = (row.rule, row.found.observation()) {
            self.ledger.keep(&id, seen);
        }
        if let Some(again) = again {
            let again = *self.held_back.entry(id.clone()).or_insert(again);
            if row.rule == Rule::OrphanWaiting {
                row.held_back = Some(again.saturating_sub(now.uptime));
            }
        }
        match sending {
            Sending::Nothing => {
                row.problem = None;
                self.ledger.settle(&id, now);
            }
            Sending::Now => {}
            Sending::Waits(until) => {
                row.held_back = Some(until.saturating_sub(now.uptime));
                self.held_back.insert(id, until);
            }
            Sending::Contested => self.ledger.contest(&id, row.verdict.deadline()),
        }
    }

    /// What should be sent at `edge`, by what is known now. Nothing is written down: at the edge it is sent, or thrown
    /// away. (A Clear has time, and would stand in the way of the pauses.)
    pub(super) fn plan_for(&self, edge: Timestamp) -> Vec<(ConsumerId, Verdict)> {
        let known = self.rows.iter().map(|(id, row)| row.known(id));
        let situation = self.situation(self.clock.now());
        situation.plan(known, edge).writes
    }

    /// The decision about one consumer now, as its row shows it.
    pub(super) fn judge(&self, id: &ConsumerId, row: &Row, now: Now) -> Decision {
        let situation = self.situation(now);
        situation.decide(&row.known(id), row.desired, now.wall)
    }

    /// When the newest open window of a set opened, if both this policy and the consumer were there then: only so can
    /// a pause be late.
    pub(super) fn opening(
        &self,
        windows: &[Arc<Window>],
        found: &Found,
        at: Timestamp,
    ) -> Option<Timestamp> {
        let created = found.observation()?.created;
        (windows.iter())
            .filter_map(|window| window.open_at(at))
            .map(|occurrence| occurrence.opens)
            .max()
            .filter(|opens| *opens >= self.since && *opens >= created)
    }

    /// When the next pause that was seen will have ended, in uptime.
    pub(super) fn next_lapse(&self) -> Option<Duration> {
        self.rows.values().filter_map(lapse).min()
    }

    /// The consumers whose pause has ended since they were seen.
    pub(super) fn lapsed(&self, now: Now) -> impl Iterator<Item = &ConsumerId> {
        (self.rows.iter())
            .filter(move |(_, row)| lapse(row).is_some_and(|at| at <= now.uptime))
            .map(|(id, _)| id)
    }
}

/// When a paused row's pause will have ended, in uptime.
fn lapse(row: &Row) -> Option<Duration> {
    match row.found.observation()?.state {
        PauseState::Paused { remaining, .. } => {
            let remaining = Duration::try_from(remaining).unwrap_or_default();
            row.seen.checked_add(remaining)?.checked_add(AFTER_LAPSE)
        }
        PauseState::Running | PauseState::Lapsed { .. } => None,
    }
}
