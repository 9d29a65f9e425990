//! What a run of the checker begins with, and how much may go wrong in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use recess::consumer::{Candidate, ConsumerId, Mark};
use recess::now::Now;
use recess::policy::{
    Effect, Override, OverrideId, Policy, Selection, Selector, Target, Terms, Verb, WindowSet,
};

use crate::breaks::Break;

/// The grain of time in seconds: as long as a request is waited for.
pub const TICK: i64 = 3;

/// When the first of the two windows opens, where they touch, and when the second one closes.
pub const OPENS: i64 = 0;
pub const SEAM: i64 = 150;
pub const CLOSES: i64 = 300;

/// The windows of the file as it is at first, and once it is edited.
pub const FILES: [&[(&str, i64, i64)]; 2] = [
    &[("first", OPENS, SEAM), ("second", SEAM, CLOSES)],
    &[("first", OPENS, SEAM)],
];

/// A foreign pause that ends within the windows' pause, and one that outlasts it.
pub const SHORTER: i64 = 60;
pub const LONGER: i64 = 600;

/// That many seconds after the first window opens.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_796_090_400 + seconds).expect("a time")
}

/// The other way about, without the fraction.
pub fn seconds(at_: Timestamp) -> i64 {
    at_.as_second() - at(0).as_second()
}

/// Monotonic time at that second.
pub fn uptime(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(3_600 + seconds).expect("a time"))
}

/// Both clocks of a host whose wall clock is `ahead` of the server's.
pub fn clocks(now: i64, ahead: i64) -> Now {
    Now {
        wall: at(now + ahead),
        uptime: uptime(now),
    }
}

/// What is stored of a consumer at the start.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    Running,
    /// A pause of recess's until then.
    Ours(i64),
    /// Somebody else's until then.
    Foreign(i64),
}

/// How much may happen in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// What is lost, late or doubled.
    pub faults: u8,
    /// Restarts of the first copy.
    pub restarts: u8,
    /// What another client does.
    pub acts: u8,
    /// Edits of the file.
    pub edits: u8,
}

/// A run of the checker.
#[derive(Clone)]
pub struct Scenario {
    pub name: &'static str,
    /// The first second and how many ticks follow.
    pub from: i64,
    pub ticks: i64,
    /// One of these is stored of each consumer at the start.
    pub starts: Vec<Start>,
    pub consumers: u8,
    /// The copies of recess: how far each one's clock is ahead, and how long it leaves a write to
    /// the primary.
    pub copies: Vec<(i64, Option<i64>)>,
    pub clustered: bool,
    /// The override that a person may make, and undo.
    pub verb: Option<Verb>,
    pub budget: Budget,
    /// What must be seen to happen in it, or it shows nothing: see the properties.
    pub shows: &'static [&'static str],
    pub broken: Option<Break>,
}

impl Scenario {
    /// One copy with a right clock before the first window, on one server, where nothing happens.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            from: OPENS - TICK,
            ticks: 4,
            starts: vec![Start::Running],
            consumers: 1,
            copies: vec![(0, None)],
            clustered: false,
            verb: None,
            budget: Budget::default(),
            shows: &[],
            broken: None,
        }
    }
}

/// What follows from a file and what is known of overrides.
pub struct Desk {
    pub policy: Policy,
    pub windows: Vec<WindowSet>,
}

/// The scenario, with every policy that can come up in it.
pub struct World {
    pub scenario: Scenario,
    pub ids: Vec<ConsumerId>,
    pub mark: Mark,
    desks: BTreeMap<(usize, Option<i64>), Desk>,
}

impl World {
    pub fn new(scenario: Scenario) -> Self {
        let names = ["billing", "mail"].into_iter();
        let ids: Vec<ConsumerId> = names
            .take(scenario.consumers.into())
            .map(|name| ConsumerId::new("ORDERS", name))
            .collect();
        let mut desks = BTreeMap::new();
        for (file, windows) in FILES.iter().enumerate() {
            let by_file = policy(windows);
            let ticks = (0..=scenario.ticks).map(|tick| scenario.from + tick * TICK);
            let made = ticks.filter(|_| scenario.verb.is_some()).map(Some);
            for made in made.chain([None]) {
                let overrides = made
                    .zip(scenario.verb)
                    .map(|(made, verb)| spoken(verb, made));
                let live: Vec<_> = overrides.into_iter().map(Arc::new).collect();
                let policy = by_file.with_overrides(&live, at(made.unwrap_or(scenario.from)));
                let windows = (ids.iter())
                    .map(|id| policy.windows_of(&Candidate::named(id)))
                    .collect();
                desks.insert((file, made), Desk { policy, windows });
            }
        }
        Self {
            mark: policy(FILES[0]).mark(),
            scenario,
            ids,
            desks,
        }
    }

    pub fn desk(&self, file: usize, made: Option<i64>) -> &Desk {
        &self.desks[&(file, made)]
    }

    pub fn ahead(&self, copy: usize) -> i64 {
        self.scenario.copies[copy].0
    }
}

fn policy(windows: &[(&str, i64, i64)]) -> Policy {
    let windows: String = (windows.iter())
        .map(|(name, from, until)| {
            let (from, until) = (at(*from), at(*until));
            format!("[[window]]\nname = '{name}'\nconsumers = ['ORDERS/*']\nfrom = {from}\nuntil = {until}\n")
        })
        .collect();
    let toml = format!("instance = 'prod-eu'\n[overrides]\nbucket = 'recess'\n{windows}");
    let config = recess::config::parse(Path::new("recess.toml"), &toml).expect("a config");
    Policy::clone(&config.policy)
}

/// Until when an override of that kind lasts.
pub fn word_ends(verb: Verb, made: i64) -> i64 {
    match verb {
        Verb::Pause | Verb::Open | Verb::Extend => CLOSES + 60,
        Verb::Close | Verb::Skip if made < SEAM => SEAM,
        Verb::Close | Verb::Skip | Verb::Resume => CLOSES,
    }
}

fn spoken(verb: Verb, made: i64) -> Override {
    let target = match verb.effect() {
        Effect::Run if verb == Verb::Close => {
            Target::Window(if made < SEAM { "first" } else { "second" }.into())
        }
        Effect::Run | Effect::Pause => {
            let selector = Selector::parse("ORDERS/*").expect("a selector");
            Target::Consumers(Selection::new(vec![selector]))
        }
    };
    Override {
        id: OverrideId::new("alice", "k7f2q"),
        sequence: 1,
        made: at(made),
        terms: Terms {
            effect: verb.effect(),
            target,
            from: at(made),
            until: at(word_ends(verb, made)),
            verb,
            reason: None,
            host: None,
        },
    }
}

/// A length of time in whole seconds.
pub fn span(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}
