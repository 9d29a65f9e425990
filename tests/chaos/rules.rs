//! Windows made up by chance, as a config file and as plain intervals.
//!
//! What recess should want of a consumer is worked out here from the intervals alone: the windows are one-offs in UTC, or
//! recur within the minute, so that it takes no calendar.

use std::fmt::Write;

use jiff::Timestamp;

use crate::crowd::Crowd;
use crate::support::random::Random;

/// Half-open, in whole seconds since the epoch.
pub type Span = (i64, i64);

/// What is wanted of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    Running,
    /// A pause of recess's own may last until then; none is begun.
    Tail(i64),
    Paused(i64),
}

#[derive(Clone, Debug)]
struct Window {
    name: String,
    selectors: Vec<String>,
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
        }
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
            spans,
            spread,
        });
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

    fn excluded(&self, window: &Window) -> impl Iterator<Item = Span> {
        (self.exclusions.iter())
            .filter(|one| (one.windows.as_ref()).is_none_or(|names| names.contains(&window.name)))
            .map(|one| one.span)
    }

    fn following(&self, path: &str, durable: bool) -> impl Iterator<Item = &Window> {
        (self.windows.iter()).filter(move |window| selects(&window.selectors, path, durable))
    }

    /// Whether any window names that consumer.
    pub fn follows(&self, path: &str, durable: bool) -> bool {
        self.following(path, durable).next().is_some()
    }

    /// Whether a list of that stream is of use.
    pub fn may_list(&self, stream: &str) -> bool {
        let mut selectors = self.windows.iter().flat_map(|window| &window.selectors);
        selectors.any(|text| {
            let (of, _) = text.split_once('/').unwrap();
            !of.starts_with('!') && matches(of, stream)
        })
    }

    /// Whether the streams' names are of use: a pattern may mean any of them.
    pub fn ask_for_streams(&self) -> bool {
        let mut selectors = self.windows.iter().flat_map(|window| &window.selectors);
        selectors.any(|text| {
            let (of, _) = text.split_once('/').unwrap();
            !of.starts_with('!') && of.contains('*')
        })
    }

    /// What is wanted at an instant.
    pub fn want(&self, path: &str, durable: bool, at: i64) -> Want {
        let windows: Vec<&Window> = self.following(path, durable).collect();
        let mut covered = at;
        while windows.iter().any(|window| self.is_open(window, covered)) {
            covered += 1;
        }
        let until = (windows.iter())
            .flat_map(|window| self.returns(window, path, covered))
            .fold(covered, i64::max);
        if covered > at {
            Want::Paused(until)
        } else if until > at {
            Want::Tail(until)
        } else {
            Want::Running
        }
    }

    /// From when until when the windows of that consumer hold it that are open then, as one.
    pub fn holds(&self, path: &str, durable: bool, at: i64) -> Option<Span> {
        let windows: Vec<&Window> = self.following(path, durable).collect();
        let is_held = |at: i64| windows.iter().any(|window| self.is_open(window, at));
        let from = (0..).map(|back| at - back).find(|at| !is_held(*at))?;
        let until = (0..).map(|on| at + on).find(|at| !is_held(*at))?;
        (from < until).then_some((from + 1, until))
    }

    /// Whether a window of that consumer opens from then on, before long.
    pub fn opens_within(&self, path: &str, durable: bool, at: i64, seconds: i64) -> bool {
        let mut windows = self.following(path, durable);
        windows.any(|window| (at..at + seconds).any(|at| self.is_open(window, at)))
    }

    fn is_open(&self, window: &Window, at: i64) -> bool {
        let holds = |(from, until): &Span| (*from..*until).contains(&at);
        window.spans.iter().any(holds) && !self.excluded(window).any(|span| holds(&span))
    }

    /// When a consumer comes back from what has closed by `at`.
    fn returns(&self, window: &Window, path: &str, at: i64) -> Vec<i64> {
        let Ok(spread) = u64::try_from(window.spread) else {
            return Vec::new();
        };
        if spread == 0 {
            return Vec::new();
        }
        let own = i64::try_from(hash(path) % spread).unwrap();
        let closed = window.spans.iter().map(|span| span.1);
        (closed.filter(|closes| *closes <= at))
            .filter_map(|closes| {
                let cuts: Vec<Span> = self.excluded(window).collect();
                // One that holds right before the close has cut the window itself.
                if cuts.iter().any(|cut| cut.0 < closes && closes <= cut.1) {
                    return None;
                }
                let next = cuts
                    .iter()
                    .map(|cut| cut.0)
                    .filter(|cut| *cut >= closes)
                    .min();
                Some((closes + own).min(next.unwrap_or(i64::MAX)))
            })
            .collect()
    }
}

/// FNV-1a of 64 bits, as the README's contract has it.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn selects(selectors: &[String], path: &str, durable: bool) -> bool {
    let hits = |text: &str| {
        let ((stream, consumer), (s, c)) =
            (text.split_once('/').unwrap(), path.split_once('/').unwrap());
        matches(stream, s) && matches(consumer, c)
    };
    let mut taken = selectors.iter().filter_map(|text| text.strip_prefix('!'));
    let mut plain = selectors.iter().filter(|text| !text.starts_with('!'));
    !taken.any(hits) && plain.any(|text| hits(text) && (durable || !text.contains('*')))
}

/// A pattern with a star at its end at most.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
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
    let want = |path, at| rules.want(path, true, at);
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
    let holds = |at| rules.holds("S0/c1", true, at);
    assert_eq!(
        [99, 100, 114].map(holds),
        [None, Some((100, 115)), Some((100, 115))]
    );
    assert_eq!([116, 117, 120].map(holds), [None, Some((117, 120)), None]);
    assert_eq!(rules.want("S0/c1", false, 105), Want::Running);
    // The numbers of the contract.
    assert_eq!(hash("ORDERS/billing") % 600, 288);
    assert_eq!(hash("EVENTS/mail") % 600, 194);
}
