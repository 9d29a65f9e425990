//! What the passes share, and what a new policy or config changes of it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Heartbeat;
use super::limits::Limits;
use super::nature::Nature;
use super::override_book::{BucketAnswer, OverrideBook};
use super::window_coverage::{UnmatchedGlobs, WindowCoverage};
use crate::clock::Clock;
use crate::config::Config;
use crate::consumer::{ConsumerId, Found, Mark};
use crate::jetstream::JetStream;
use crate::jetstream::bucket::BucketRead;
use crate::ledger::{Former, Ledger};
use crate::now::Now;
use crate::overrides::Bucket;
use crate::plan::{Agenda, Orphans, Rule, Skew, Standby, Verdict};
use crate::policy::{Effect, Policy, Selector, Target, WindowSet};
use crate::report::{Failure, LeftOut, Rows};

/// What the passes share.
pub struct Reconciler<J> {
    pub(super) jetstream: J,
    pub(super) clock: Clock,
    pub(super) heartbeat: Heartbeat,
    pub(super) config: Arc<Config>,
    /// The policy in force.
    pub(super) policy: Arc<Policy>,
    pub(super) ledger: Ledger,
    /// What is left to the primary.
    pub(super) standby: Standby,
    pub(super) rows: Rows,
    /// The server's clock less ours.
    pub(super) skew: Skew,
    /// When each consumer is observed again.
    pub(super) agenda: Agenda,
    /// Those with a deadline of ours to be cleared when there is time.
    pub(super) to_clear: BTreeSet<ConsumerId>,
    /// When this policy came into force.
    pub(super) since: Timestamp,
    /// The windows of a consumer, remembered because matching thousands of names against many globs
    /// is the dearest part of a pass.
    pub(super) memberships: HashMap<ConsumerId, (Nature, WindowSet)>,
    /// The sets of windows among those, each once: consumers that follow the same share one.
    pub(super) window_sets: HashSet<WindowSet>,
    /// What wildcards leave out, and what could not be read.
    pub(super) left_out: Arc<LeftOut>,
    /// Each window's globs that match no consumer, once everything was observed.
    pub(super) unmatched: Option<UnmatchedGlobs>,
    /// Pauses of recess's that no window names.
    pub(super) orphans: Orphans,
    /// The streams that could not be listed for them.
    pub(super) unlisted: Arc<[Failure]>,
    /// The limits of streams.
    pub(super) limits: Limits,
    /// What recess wrote under another instance name.
    pub(super) former: Former,
    /// Who was paused in which window.
    pub(super) coverage: HashMap<Arc<str>, WindowCoverage>,
    /// What people decided at run time.
    pub(super) overrides: OverrideBook,
    /// Whom what was decided since the last step concerns.
    pub(super) affected: Affected,
}

impl<J: JetStream> Reconciler<J> {
    /// A reconciler that has seen nothing yet.
    pub fn new(jetstream: J, clock: Clock, config: Arc<Config>, heartbeat: Heartbeat) -> Self {
        let since = clock.now().wall;
        let overrides = OverrideBook::of(bucket_of(&config), &jetstream);
        Self {
            overrides,
            affected: Affected::default(),
            jetstream,
            clock,
            heartbeat,
            coverage: HashMap::new(),
            policy: config.policy.clone(),
            config,
            ledger: Ledger::default(),
            standby: Standby::default(),
            rows: Rows::default(),
            skew: Skew::default(),
            agenda: Agenda::default(),
            to_clear: BTreeSet::new(),
            since,
            memberships: HashMap::new(),
            window_sets: HashSet::new(),
            left_out: Arc::default(),
            unmatched: None,
            orphans: Orphans::default(),
            unlisted: Arc::default(),
            limits: Limits::default(),
            former: Former::default(),
        }
    }

    /// The same as a standby, which leaves each write to the primary for so long.
    pub fn standing_by(mut self, delay: Duration) -> Self {
        self.standby = Standby::new(Some(delay));
        self
    }

    /// The same where the bucket was read just now, for a command.
    pub fn knowing(mut self, read: BucketRead) -> Self {
        let now = self.clock.now();
        self.overrides.know(read, now);
        let policy = self.overrides.applied(&self.config.policy, now);
        // Nothing is observed yet.
        let _ = self.adopt(policy, now);
        self
    }

    /// Puts another config in force: the operator has spoken, so contests are forgotten, and
    /// openings from before are not measured by it.
    pub(super) fn reload(&mut self, config: Arc<Config>) {
        if config.policy.mark() != self.policy.mark() {
            self.rename(config.policy.mark());
        }
        self.config = config;
        let now = self.clock.now();
        self.orphans.restart(now);
        self.ledger.forgive();
        self.since = now.wall;
        // They are the windows' of before.
        self.unmatched = None;
        self.left_out = Arc::default();
        self.overrides
            .follow(bucket_of(&self.config), &self.jetstream);
        let policy = self.overrides.applied(&self.config.policy, now);
        // Everything is looked at after a reload.
        let _ = self.adopt(policy, now);
    }

    /// Puts another policy in force. What was seen and written before holds on.
    ///
    /// Returns the consumers of which something else is wanted now than before.
    fn adopt(&mut self, policy: Arc<Policy>, now: Now) -> BTreeSet<ConsumerId> {
        self.policy = policy;
        self.keep_coverage();
        let mut rows = std::mem::take(&mut self.rows);
        let natures: Vec<_> = (rows.iter())
            .map(|(id, row)| self.nature_of(id, &row.found))
            .collect();
        self.forget_memberships();
        // A row names its windows, and the next pass may be far away.
        let mut changed = BTreeSet::new();
        let policy = self.policy.clone();
        let mut moment = policy.desired_at(now.wall);
        for ((id, row), nature) in rows.iter_mut(|_| true).zip(natures) {
            row.windows = self.windows_of(id, nature);
            let desired = moment.desired(id, &row.windows);
            if desired != row.desired {
                changed.insert(id.clone());
            }
            row.desired = desired;
        }
        // Consumers that no window names any more are not asked about either, also if the next
        // passes learn nothing.
        let ours = self.beyond_the_policy(now);
        rows.retain(|id, row| !row.windows.is_empty() || ours.contains(id));
        self.rows = rows;
        changed
    }

    /// Takes in what the bucket answered: the fights and the coverage of before go on. Returns
    /// whether other overrides count now.
    pub(super) fn take_overrides(&mut self, answer: BucketAnswer) -> bool {
        let now = self.clock.now();
        let (before, known) = (self.policy.clone(), self.overrides.known(now));
        let differs = self.overrides.take(answer, now);
        // What a guard held up before may be done now.
        self.affected.and_others |= self.overrides.known(now) != known;
        if !differs && !self.overrides.is_outlived(now) {
            return false;
        }
        let policy = self.overrides.applied(&self.config.policy, now);
        let consumers = self.adopt(policy, now);
        self.affected.add(consumers, &before, &self.policy);
        true
    }

    /// Asks the bucket, where there is one.
    pub(super) fn read_overrides(
        &mut self,
    ) -> Option<impl Future<Output = BucketAnswer> + Send + use<J>> {
        let now = self.clock.now();
        self.overrides.ask(self.jetstream.clone(), now)
    }

    /// The policy in force: the file's, and what was overridden.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn dry_run(&self) -> bool {
        self.config.settings.controller.dry_run
    }

    /// How many requests may be in flight at once.
    pub(super) fn in_flight(&self) -> usize {
        let most = self.config.settings.controller.max_in_flight;
        self.jetstream.link().borrow().in_flight(most)
    }

    /// Every consumer of interest, as it was observed last.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The server's clock.
    pub(super) fn server_now(&self) -> Timestamp {
        self.skew.server_time(self.clock.now().wall)
    }

    /// Forgets what every consumer's state is: there is no connection. What is wanted goes on by
    /// the calendar.
    pub(super) fn lose_sight(&mut self) {
        let now = self.clock.now();
        self.standby.forget();
        let policy = self.policy.clone();
        let mut moment = policy.desired_at(now.wall);
        for (id, row) in self.rows.iter_mut(|_| true) {
            row.desired = moment.desired(id, &row.windows);
            row.found = Found::Unknown;
            row.verdict = Verdict::Unknown;
            row.rule = Rule::Unknown;
            row.seen = now.uptime;
        }
    }

    /// The instance has another name from now on. What was written under the name of before stays
    /// recess's until it ends.
    fn rename(&mut self, mark: Mark) {
        let (rows, ledger) = (&mut self.rows, &mut self.ledger);
        let before = self.policy.mark();
        let seen = rows.iter().filter_map(|(id, row)| {
            let until = row.found.observation()?.state.deadline()?;
            before.owns(until).then(|| (id.clone(), until))
        });
        self.former
            .remember(seen.chain(ledger.restamp(before, mark)));
        for (id, row) in rows.iter_mut(|_| true) {
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
}

fn bucket_of(config: &Config) -> Option<Bucket> {
    let name = config.settings.overrides.bucket.as_ref()?;
    Some(Bucket::new(name, config.policy.instance()))
}

/// Whom other overrides concern.
#[derive(Default)]
pub(super) struct Affected {
    /// Those of whom something else is wanted now, and those who are named and may not be known.
    pub consumers: BTreeSet<ConsumerId>,
    /// There may be others, which only a look at everything finds.
    pub and_others: bool,
}

impl Affected {
    fn add(&mut self, consumers: BTreeSet<ConsumerId>, before: &Policy, after: &Policy) {
        self.consumers.extend(consumers);
        for one in after.overrides() {
            let is_known = before
                .overrides()
                .iter()
                .any(|known| Arc::ptr_eq(known, one));
            let Target::Consumers(selection) = &one.terms.target else {
                continue;
            };
            if is_known || one.terms.effect == Effect::Run {
                continue;
            }
            for selector in selection.selectors().iter().filter(|one| !one.is_negated()) {
                match Selector::exact(selector) {
                    Some(id) => drop(self.consumers.insert(id)),
                    None => self.and_others = true,
                }
            }
        }
    }
}
