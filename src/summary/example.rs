//! What tests of the summary and of the page begin with: a deployment at an instant.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Facts;
use crate::changes::Lately;
use crate::config::{self, Config};
use crate::consumer::example::observation;
use crate::consumer::{Candidate, ConsumerId, Found, Labels, Mark, Observation, PauseState};
use crate::jetstream::{Link, Server};
use crate::plan::{Case, Guard, Orphan, OverridesKnown, Rule, Verdict, decide};
use crate::policy::{
    Desired, Override, OverrideId, Selection, Selector, Target, Terms, Verb, WindowSet,
};
use crate::report::example::{bucket, full_pass};
use crate::report::{Report, Row, Rows, WindowState};
use crate::retention::{Cause, Loss};

/// The deployment of the documents.
pub const PROD_EU: &str = r#"
instance = "prod-eu"
defaults.timezone = "Europe/Zurich"

[overrides]
bucket = "recess"

[[window]]
name      = "nightly-vacuum"
consumers = ["ORDERS/*", "!ORDERS/audit"]
schedule  = "30 1 * * *"
duration  = "2h"

[[window]]
name      = "partner-weekend"
consumers = ["PARTNER/*"]
schedule  = "0 22 * * FRI"
duration  = "56h"
timezone  = "America/New_York"

[[window]]
name      = "db-upgrade"
consumers = ["BILLING/*"]
from      = 2027-03-30T22:00:00
until     = 2027-03-31T04:00:00

[[exclusion]]
name    = "easter-monday"
dates   = [2027-03-29]
windows = ["nightly-vacuum"]
"#;

/// A consumer of each of its windows, at least.
pub const PROD_EU_CONSUMERS: [&str; 6] = [
    "ORDERS/billing",
    "ORDERS/export",
    "ORDERS/invoice",
    "ORDERS/shipping",
    "PARTNER/sync",
    "BILLING/ledger",
];

/// The same, where metadata narrows the window of the night, and keeps consumers out of all.
pub fn by_metadata() -> String {
    let narrowed = "duration  = \"2h\"\nwhere     = { team = \"billing\" }\n";
    let zone = "defaults.timezone";
    (PROD_EU.replace("duration  = \"2h\"\n", narrowed)).replace(
        zone,
        &format!("defaults.exempt = \"recess.exempt\"\n{zone}"),
    )
}

/// 02:41 in Zurich, nightly-vacuum is open.
pub const IN_THE_NIGHT: &str = "2027-03-26T01:41:00Z";

/// The afternoon before, nothing is open.
pub const IN_THE_AFTERNOON: &str = "2027-03-25T14:20:00Z";

/// Everything that a summary or a page is made of.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The newest report.
    pub report: Report,
    /// The config in force.
    pub config: Config,
    /// What is wrong with a newer one.
    pub refused: Option<String>,
    /// What went wrong lately.
    pub lately: Lately,
    /// The time.
    pub now: Timestamp,
}

/// An instant.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Scene {
    /// A deployment that is connected and has these consumers, each as it is wanted.
    pub fn new(toml: &str, now: &str, consumers: &[&str]) -> Self {
        let mut config = config::parse(Path::new(config::DEFAULT_PATH), toml).expect("a config");
        // Whatever copy this host has.
        config.zone_data.version = "2026a".to_owned();
        let now = at(now);
        let report = Report {
            link: Link::Up(Server {
                version: "2.15.1".to_owned(),
                address: "nats://nats-1:4222".to_owned(),
                connects: 1,
                crash_prone: false,
                denied: Default::default(),
            }),
            skew: Some(SignedDuration::ZERO),
            smooth_skew: Some(SignedDuration::ZERO),
            pass: Some(full_pass()),
            overrides: config
                .settings
                .overrides
                .bucket
                .as_ref()
                .map(|_| bucket(Vec::new())),
            ..Report::blind(now, config.policy.clone())
        };
        let mut scene = Self {
            report,
            config,
            refused: None,
            lately: Lately::default(),
            now,
        };
        for path in consumers {
            scene.add(path);
        }
        scene.refresh();
        scene
    }

    /// `prod-eu` with a consumer of each window, at least.
    pub fn prod_eu(now: &str) -> Self {
        Self::new(PROD_EU, now, &PROD_EU_CONSUMERS)
    }

    /// What a summary rests on.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            report: &self.report,
            config: &self.config,
            refused: self.refused.as_deref(),
            lately: &self.lately,
            now: self.now,
        }
    }

    /// The mark on recess's deadlines.
    pub fn mark(&self) -> Mark {
        self.report.mark()
    }

    /// All rows, to change them.
    pub fn rows(&mut self) -> &mut Rows {
        &mut self.report.rows
    }

    /// One row, to change it.
    pub fn row(&mut self, path: &str) -> &mut Row {
        let id: ConsumerId = path.parse().unwrap();
        self.rows().get_mut(&id).expect("a row")
    }

    fn windows_of(&self, id: &ConsumerId) -> WindowSet {
        let seen = (self.report.rows.get(id)).and_then(|row| row.found.observation());
        let labels = seen.map_or(&Labels::UNKNOWN, |seen| &seen.labels);
        let candidate = Candidate::with_labels(id, labels);
        self.report.policy.windows_of(&candidate)
    }

    /// A consumer that is as it is wanted, if anything is.
    pub fn add(&mut self, path: &str) {
        let id: ConsumerId = path.parse().unwrap();
        let windows = self.windows_of(&id);
        let desired = self.report.policy.desired(&id, &windows, self.now);
        let state = match desired.until() {
            None => PauseState::Running,
            Some(until) => self.paused(self.mark().stamp(until)),
        };
        let seen = Observation {
            pending: 12,
            ack_pending: u64::from(desired.until().is_none()),
            ..observation(state)
        };
        let row = Row::undecided(windows, Found::Present(seen), Duration::ZERO);
        self.rows().insert(id.clone(), row);
        self.decide(&id, None);
    }

    fn paused(&self, until: Timestamp) -> PauseState {
        PauseState::Paused {
            until,
            remaining: until.duration_since(self.now),
        }
    }

    /// What is found of a consumer.
    pub fn found(&mut self, path: &str, found: Found) {
        let id: ConsumerId = path.parse().unwrap();
        self.row(path).found = found;
        self.decide(&id, None);
    }

    /// It delivers, whatever is wanted.
    pub fn runs(&mut self, path: &str) {
        self.found(path, Found::Present(observation(PauseState::Running)));
    }

    /// Its deadline is a foreign one.
    pub fn is_paused_by_another(&mut self, path: &str, until: &str) {
        let state = self.paused(at(until));
        self.found(path, Found::Present(observation(state)));
    }

    /// Its deadline is one of recess's.
    pub fn is_paused_by_recess(&mut self, path: &str, until: &str) {
        let state = self.paused(self.mark().stamp(at(until)));
        self.found(path, Found::Present(observation(state)));
    }

    /// Its metadata says that; it is as that makes it wanted.
    pub fn is_tagged(&mut self, path: &str, metadata: &[(&str, &str)]) {
        let labels = Labels::of(self.report.policy.label_keys(), metadata.iter().copied());
        let state = |state| {
            Found::Present(Observation {
                labels: labels.clone(),
                ..observation(state)
            })
        };
        self.found(path, state(PauseState::Running));
        if let Some(until) = self.row(path).desired.until() {
            let until = self.mark().stamp(until);
            let paused = self.paused(until);
            self.found(path, state(paused));
        }
        self.refresh();
    }

    /// It has lost its metadata, and its pause is kept.
    pub fn loses_its_labels(&mut self, path: &str) {
        let (until, paused) = (self.row(path).desired, self.row(path).found.clone());
        self.is_tagged(path, &[]);
        let row = self.row(path);
        row.desired = Desired::Tail(until.until().expect("a pause"));
        row.found = paused;
        (row.verdict, row.rule) = (Verdict::Settled, Rule::LabelsLost);
        self.refresh();
    }

    /// Its pause loses messages, or publishers are refused, at that time.
    pub fn loses(&mut self, path: &str, at: &str, cause: Cause) {
        let loss = Loss {
            at: self::at(at),
            cause,
            exact: cause == Cause::MaxAge,
        };
        (self.row(path).backlog).change_losses(|losses| losses.to_come = Some(loss));
    }

    /// A consumer that no window names, with a pause of recess's.
    pub fn is_orphaned(&mut self, path: &str, until: &str, orphan: Orphan) {
        self.add(path);
        self.is_paused_by_recess(path, until);
        self.decide(&path.parse().unwrap(), Some(orphan));
    }

    /// Decides by the real table, as for a daemon that has read overrides and is not in the midst
    /// of anything.
    fn decide(&mut self, id: &ConsumerId, orphan: Option<Orphan>) {
        let (policy, now) = (self.report.policy.clone(), self.now);
        let windows = self.windows_of(id);
        let case = Case {
            mark: policy.mark(),
            server_now: now,
            skew: self.report.skew,
            furthest: policy.furthest_deadline(now),
            since_observed: SignedDuration::ZERO,
            settling: false,
            remembered_foreign: None,
            next_pause: None,
            wanted_soon: false,
            orphan,
            released: false,
            resumed_on_purpose: false,
            exempt: windows.is_exempt(now),
            labels_lost: false,
            guard: Guard::Off,
            overrides: OverridesKnown::Read,
        };
        let desired = policy.desired(id, &windows, now);
        let row = self.rows().get_mut(id).expect("a row");
        let decision = decide(desired, &row.found, &case);
        (row.windows, row.desired) = (windows, desired);
        (row.verdict, row.rule) = (decision.verdict, decision.rule);
    }

    /// What people decided, in the order in which they did; consumers are as wanted then.
    pub fn overridden(&mut self, overrides: Vec<Override>) {
        let live: Vec<Arc<Override>> = overrides.iter().cloned().map(Arc::new).collect();
        let policy = self.config.policy.with_overrides(&live, self.now);
        self.report.policy = policy.into();
        self.report.overrides = Some(bucket(overrides));
        let ids: Vec<String> = self.report.rows.keys().map(ConsumerId::path).collect();
        ids.iter().for_each(|path| self.add(path));
        self.refresh();
    }

    /// The windows by the calendar and the rows.
    pub fn refresh(&mut self) {
        let mut counts: HashMap<&str, [usize; 2]> = HashMap::new();
        for row in self.report.rows.values() {
            let kind = usize::from(row.windows.is_exempt(self.now));
            for name in row.windows.names() {
                counts.entry(name).or_default()[kind] += 1;
            }
        }
        let count = |name: &str, kind| counts.get(name).map_or(0, |counts| counts[kind]);
        let policy = self.report.policy.clone();
        let windows = policy.windows().iter().map(|window| WindowState {
            name: window.name.clone(),
            open: window.open_at(self.now),
            next: window.next_opening(self.now),
            consumers: count(&window.name, 0),
            exempt: count(&window.name, 1),
            unmatched: Some([].into()),
            blank: None,
        });
        self.report.windows = windows.collect();
    }

    /// One window's state, to change it.
    pub fn window(&mut self, name: &str) -> &mut WindowState {
        let mut windows = self.report.windows.iter_mut();
        windows
            .find(|window| *window.name == *name)
            .expect("a window")
    }
}

/// An override, made as it begins.
pub fn decision(
    (author, token): (&str, &str),
    verb: Verb,
    target: Target,
    (made, from, until): (&str, &str, &str),
    reason: &str,
) -> Override {
    let (made, from, until) = (at(made), at(from), at(until));
    Override {
        id: OverrideId::new(author, token),
        sequence: u64::try_from(made.as_second()).unwrap(),
        made,
        terms: Terms {
            effect: verb.effect(),
            target,
            from,
            until,
            verb,
            reason: Some(reason.into()),
            host: None,
        },
    }
}

/// A window as an override names it.
pub fn window(name: &str) -> Target {
    Target::Window(name.into())
}

/// Consumers as an override names them.
pub fn consumers(selectors: &[&str]) -> Target {
    let selectors = selectors.iter().map(|text| Selector::parse(text).unwrap());
    Target::Consumers(Selection::new(selectors.collect()))
}

/// The three of the prototype: one that extends what is open, one that pauses a consumer, one that
/// skips a night.
pub fn three_decisions() -> Vec<Override> {
    vec![
        decision(
            ("bob", "b9w3z"),
            Verb::Skip,
            window("nightly-vacuum"),
            (
                "2027-03-25T16:03:00Z",
                "2027-03-30T23:30:00Z",
                "2027-03-31T01:30:00Z",
            ),
            "db-upgrade runs that night",
        ),
        decision(
            ("carol", "m2x8e"),
            Verb::Pause,
            consumers(&["EVENTS/mail"]),
            (
                "2027-03-25T23:12:00Z",
                "2027-03-25T23:12:00Z",
                "2027-03-26T05:00:00Z",
            ),
            "replay bug, INC-4211",
        ),
        decision(
            ("alice", "k7f2q"),
            Verb::Extend,
            window("nightly-vacuum"),
            (
                "2027-03-26T01:20:00Z",
                "2027-03-26T02:30:00Z",
                "2027-03-26T03:00:00Z",
            ),
            "index rebuild runs late",
        ),
    ]
}

/// A text is what the file says; `RECESS_BLESS=1` writes the file.
#[track_caller]
pub fn assert_golden(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("RECESS_BLESS").is_some() {
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    for (line, (wanted, found)) in golden.lines().zip(text.lines()).enumerate() {
        assert_eq!(found, wanted, "{path}, line {}", line + 1);
    }
    assert_eq!(text, golden, "{path}");
}
