//! Windows made up by chance, as a config file and as plain intervals.
//!
//! What recess should want of a consumer is worked out here from the intervals alone: the windows are one-offs in UTC, or
//! recur within the minute, so that it takes no calendar.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::OnceLock;

use jiff::Timestamp;

use crate::crowd::Crowd;
use crate::natures::{Condition, EXEMPT, Nature};
use crate::overrides::{Override, Target};
use crate::painting::{Paint, Painting};
use crate::selectors::{ask_for_streams, may_list, selects};
use crate::support::random::Random;
use crate::wants::{Concerned, Want};

/// Half-open, in whole seconds since the epoch.
pub type Span = (i64, i64);

#[derive(Clone, Debug)]
struct Window {
    name: String,
    selectors: Vec<String>,
    condition: Condition,
    spans: Vec<Span>,
    spread: i64,
}

#[derive(Clone, Debug)]
struct Exclusion {
    span: Span,
    windows: Option<Vec<String>>,
}

/// A version of the config.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    windows: Vec<Window>,
    exclusions: Vec<Exclusion>,
    /// In the order of their sequence.
    overrides: Vec<Override>,
    painted: OnceLock<Vec<Painting>>,
    /// Whether the config names the bucket.
    pub has_bucket: bool,
    /// Whether it names the key by which consumers are exempt.
    exempts: bool,
    /// The streams that drop messages, where pauses are to end before that.
    guarded: BTreeSet<String>,
    pub toml: String,
}

/// How far around the beginning windows that recur are worked out.
const BEFORE: i64 = 120;
const AFTER: i64 = 900;

impl Rules {
    /// Windows around `base`.
    pub fn make_up(random: &mut Random, base: i64, crowd: &Crowd) -> Self {
        Self::around(base, random, crowd, true)
    }

    /// The same, where some consumers are surely paused, and some surely not, from `opens` on.
    pub fn make_up_last(random: &mut Random, base: i64, crowd: &Crowd, opens: i64) -> Self {
        // No exclusion concerns a window that is added afterwards.
        let mut rules = Self::around(base, random, crowd, false);
        rules.once(crowd.steady(), (opens, opens + 500), 0);
        rules
    }

    fn around(base: i64, random: &mut Random, crowd: &Crowd, excludes_all: bool) -> Self {
        let mut rules = Self::default();
        for _ in 0..3 + random.below(5) {
            let selectors = crowd.selectors(random);
            let spread = *random.pick(&[0, 0, 4, 12, 30]);
            match random.below(20) {
                0..=4 => {
                    let period = *random.pick(&[15, 20, 30]);
                    let length = 7 + random.below(period - 9);
                    rules.recurring(selectors, period, length, base, spread);
                }
                5..=7 => {
                    let opens = base + random.below(12);
                    rules.once(selectors, (opens, opens + 200), spread);
                }
                _ => {
                    let opens = base + random.below(24) - 6;
                    let length = 6 + random.below(15);
                    rules.once(selectors, (opens, opens + length), spread);
                }
            }
            rules.narrow(Condition::make_up(random));
        }
        let exempts = !random.once_in(3);
        let guarded = if random.once_in(2) {
            crowd.limited()
        } else {
            BTreeSet::new()
        };
        rules.defaults(exempts, guarded);
        for _ in 0..[0, 0, 1, 2][random.below(4) as usize] {
            let begins = base + random.below(14);
            let one = random.once_in(2) || !excludes_all;
            let of = one.then(|| random.pick(&rules.windows).name.clone());
            rules.exclude((begins, begins + 3 + random.below(8)), of);
        }
        rules
    }

    /// Windows that open one after the other, for a long time: each is open for some seconds.
    pub fn in_turns(base: i64, count: i64, apart: i64, length: i64, selectors: &[&str]) -> Self {
        let mut rules = Self::default();
        for turn in 0..count {
            let opens = base + turn * apart;
            let selectors = selectors.iter().map(|&text| text.to_owned()).collect();
            rules.once(selectors, (opens, opens + length), 0);
        }
        rules
    }

    /// A single window.
    pub fn one(selectors: &[&str], span: Span, spread: i64) -> Self {
        let mut rules = Self::default();
        let selectors = selectors.iter().map(|&text| text.to_owned()).collect();
        rules.once(selectors, span, spread);
        rules
    }

    fn add(&mut self, selectors: Vec<String>, spans: Vec<Span>, spread: i64) {
        let name = format!("w{}", self.windows.len());
        let _ = write!(
            self.toml,
            "[[window]]\nname = {name:?}\nconsumers = {selectors:?}\n"
        );
        if spread > 0 {
            let _ = writeln!(self.toml, "resume_spread = \"{spread}s\"");
        }
        self.windows.push(Window {
            name,
            selectors,
            condition: Condition::default(),
            spans,
            spread,
        });
    }

    /// The window that was added last is for those consumers only for which that holds.
    fn narrow(&mut self, condition: Condition) {
        self.toml += &condition.toml().unwrap_or_default();
        self.windows.last_mut().unwrap().condition = condition;
    }

    fn defaults(&mut self, exempts: bool, guarded: BTreeSet<String>) {
        self.toml += "[defaults]\nloss_margin = \"5s\"\n";
        if exempts {
            let _ = writeln!(self.toml, "exempt = {EXEMPT:?}");
        }
        if !guarded.is_empty() {
            self.toml += "on_loss = \"release\"\n";
        }
        (self.exempts, self.guarded) = (exempts, guarded);
    }

    /// The same for a stream that drops messages, whose pauses end before.
    pub fn guarding(mut self, stream: &str) -> Self {
        self.defaults(false, [stream.to_owned()].into());
        self
    }

    /// Whether a pause of that consumer may end early, for its messages.
    pub fn guards(&self, path: &str) -> bool {
        let stream = path.split_once('/').map(|(stream, _)| stream);
        stream.is_some_and(|stream| self.guarded.contains(stream))
    }

    /// Whether somebody has ordered a pause.
    pub fn are_overridden_by_pauses(&self) -> bool {
        self.overrides.iter().any(|one| one.pauses)
    }

    /// The same for consumers of one team, less those that are exempt.
    pub fn of_team(mut self, team: usize) -> Self {
        self.narrow(Condition::of_team(team));
        self.defaults(true, BTreeSet::new());
        self
    }

    fn once(&mut self, selectors: Vec<String>, span: Span, spread: i64) {
        self.add(selectors, vec![span], spread);
        self.write_span(span);
    }

    fn write_span(&mut self, (from, until): Span) {
        let (from, until) = (second(from), second(until));
        let _ = writeln!(self.toml, "from = {from}\nuntil = {until}");
    }

    fn recurring(
        &mut self,
        selectors: Vec<String>,
        period: i64,
        length: i64,
        base: i64,
        spread: i64,
    ) {
        // It divides the minute, and the epoch began with one.
        let first = (base - BEFORE) / period;
        let last = (base + AFTER) / period;
        let spans = (first..=last).map(|n| (n * period, n * period + length));
        self.add(selectors, spans.collect(), spread);
        let _ = writeln!(
            self.toml,
            "schedule = \"*/{period} * * * * *\"\nduration = \"{length}s\""
        );
    }

    fn exclude(&mut self, span: Span, of: Option<String>) {
        let _ = writeln!(
            self.toml,
            "[[exclusion]]\nname = \"x{}\"",
            self.exclusions.len()
        );
        self.write_span(span);
        let windows = of.map(|name| vec![name]);
        if let Some(names) = &windows {
            let _ = writeln!(self.toml, "windows = {names:?}");
        }
        self.exclusions.push(Exclusion { span, windows });
    }

    /// The same, with these overrides in the place of those that it has.
    pub fn overridden(&self, overrides: &[Override]) -> Self {
        let mut overrides = overrides.to_vec();
        overrides.sort_by_key(|one| one.sequence);
        Self {
            overrides,
            painted: OnceLock::new(),
            ..self.clone()
        }
    }

    /// Every window, painted.
    fn painted(&self) -> &[Painting] {
        self.painted.get_or_init(|| {
            let paint = |window: &Window| {
                let mut painting = Painting::default();
                for span in &window.spans {
                    painting.fill(*span, Paint::Holds(0));
                }
                for one in &self.exclusions {
                    let named = one.windows.as_ref();
                    if named.is_none_or(|names| names.contains(&window.name)) {
                        painting.fill(one.span, Paint::Cut(0));
                    }
                }
                painting.overrides(&window.name, self.overrides.iter());
                painting
            };
            self.windows.iter().map(paint).collect()
        })
    }

    /// What concerns one consumer.
    fn of(&self, path: &str, nature: &Nature) -> Concerned<'_> {
        self.of_those(path, nature, |window| window.condition.holds(nature))
    }

    /// The same, if only some of the windows that name it counted.
    fn of_those(
        &self,
        path: &str,
        nature: &Nature,
        counts: impl Fn(&Window) -> bool,
    ) -> Concerned<'_> {
        let from = self.exempt_until(nature);
        let windows = self.windows.iter().zip(self.painted());
        let by_hand = self.overrides.iter().filter_map(|one| match &one.target {
            Target::Consumers(selectors) if selects(selectors, path, nature.durable) => {
                // By a pattern nobody means one that is exempt.
                let is_meant = selectors.iter().any(|text| text == path);
                let from = if is_meant {
                    one.from
                } else {
                    one.from.max(from)
                };
                (from < one.until).then(|| Override {
                    from,
                    ..one.clone()
                })
            }
            Target::Consumers(_) | Target::Window(_) => None,
        });
        let names = |window: &Window| selects(&window.selectors, path, nature.durable);
        Concerned {
            own: hash(path),
            from,
            windows: (windows.filter(|(window, _)| names(window) && counts(window)))
                .map(|(window, painting)| (window.spread, painting))
                .collect(),
            by_hand: by_hand.collect(),
        }
    }

    fn exempt_until(&self, nature: &Nature) -> i64 {
        match self.exempts {
            true => nature.exempt_until(),
            false => i64::MIN,
        }
    }

    /// Until when a pause is kept that windows want which name the consumer, if for one of them its metadata is not, or no
    /// longer, as it must be.
    pub fn kept(&self, path: &str, nature: &Nature, at: i64) -> Option<i64> {
        let names = |window: &Window| selects(&window.selectors, path, nature.durable);
        let mut windows = self.windows.iter();
        let has_lost = windows.any(|window| names(window) && !window.condition.holds(nature));
        if !has_lost || at < self.exempt_until(nature) {
            return None;
        }
        match self.of_those(path, nature, |_| true).want(at) {
            Want::Running => None,
            Want::Tail(until) | Want::Paused(until) => Some(until),
        }
    }

    /// Whether an override is among them.
    pub fn has(&self, one: &Override) -> bool {
        self.overrides.contains(one)
    }

    /// Whether any window may name that consumer, or an override that pauses.
    pub fn names(&self, path: &str, durable: bool) -> bool {
        (self.selectors()).any(|selectors| selects(selectors, path, durable))
    }

    /// Whether one does, as its metadata is.
    pub fn follows(&self, path: &str, nature: &Nature) -> bool {
        let concerned = self.of(path, nature);
        !concerned.windows.is_empty() || concerned.by_hand.iter().any(|one| one.pauses)
    }

    /// Of all that may pause.
    fn selectors(&self) -> impl Iterator<Item = &Vec<String>> {
        let windows = self.windows.iter().map(|window| &window.selectors);
        let overrides = self.overrides.iter().filter(|one| one.pauses);
        windows.chain(overrides.filter_map(|one| match &one.target {
            Target::Consumers(selectors) => Some(selectors),
            Target::Window(_) => None,
        }))
    }

    /// Whether a list of that stream is of use.
    pub fn may_list(&self, stream: &str) -> bool {
        self.selectors()
            .any(|selectors| may_list(selectors, stream))
    }

    /// Whether the streams' names are of use: a pattern may mean any of them.
    pub fn ask_for_streams(&self) -> bool {
        self.selectors().any(|selectors| ask_for_streams(selectors))
    }

    /// The same rules for a config that names the bucket.
    pub fn with_bucket(mut self) -> Self {
        self.has_bucket = true;
        self
    }

    /// A window's name, as the operators know it. They often mean the same one, and contradict each other.
    pub fn window(random: &mut Random) -> String {
        format!("w{}", random.pick(&[0, 0, 0, 1, 1, 2, 3, 5]))
    }

    /// What is wanted at an instant.
    pub fn want(&self, path: &str, nature: &Nature, at: i64) -> Want {
        self.of(path, nature).want(at)
    }

    /// From when until when what is open then, or was ordered by hand, holds that consumer as one.
    pub fn holds(&self, path: &str, nature: &Nature, at: i64) -> Option<Span> {
        let concerned = self.of(path, nature);
        let from = (0..)
            .map(|back| at - back)
            .find(|at| !concerned.is_held(*at))?;
        let until = (0..).map(|on| at + on).find(|at| !concerned.is_held(*at))?;
        (from < until).then_some((from + 1, until))
    }

    /// Whether a window of that consumer opens from then on, before long.
    pub fn opens_within(&self, path: &str, nature: &Nature, at: i64, seconds: i64) -> bool {
        let concerned = self.of(path, nature);
        let mut windows = concerned.windows.iter();
        let holds = |at: i64, painting: &Painting| matches!(painting.at(at), Paint::Holds(_));
        let within = at.max(concerned.from)..at + seconds;
        windows.any(|(_, painting)| within.clone().any(|at| holds(at, painting)))
    }
}

/// FNV-1a of 64 bits, as the README's contract has it.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

pub fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap()
}

#[test]
fn what_is_wanted_follows_from_the_intervals() {
    let mut rules = Rules::default();
    let all = || vec!["S0/*".to_owned(), "!S0/c3".to_owned()];
    rules.once(all(), (100, 110), 0);
    rules.once(all(), (110, 120), 600);
    rules.exclude((115, 117), Some("w1".to_owned()));
    rules.exclude((300, 301), None);
    let durable = Nature::durable(true);
    let want = |path, at| rules.want(path, &durable, at);
    assert_eq!(want("S0/c1", 99), Want::Running);
    assert_eq!(want("S0/c1", 100), Want::Paused(115));
    assert_eq!(want("S0/c1", 115), Want::Running);
    let Want::Paused(until) = want("S0/c1", 117) else {
        panic!("{:?}", want("S0/c1", 117));
    };
    assert_eq!(until, (120 + (hash("S0/c1") % 600) as i64).min(300));
    assert_eq!(want("S0/c1", 121), Want::Tail(until));
    assert_eq!(want("S0/c1", until), Want::Running);
    assert_eq!(want("S0/c3", 105), Want::Running);
    let holds = |at| rules.holds("S0/c1", &durable, at);
    assert_eq!(
        [99, 100, 114].map(holds),
        [None, Some((100, 115)), Some((100, 115))]
    );
    assert_eq!([116, 117, 120].map(holds), [None, Some((117, 120)), None]);
    assert_eq!(
        rules.want("S0/c1", &Nature::durable(false), 105),
        Want::Running
    );
    // The numbers of the contract.
    assert_eq!(hash("ORDERS/billing") % 600, 288);
    assert_eq!(hash("EVENTS/mail") % 600, 194);
}
