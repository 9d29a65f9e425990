//! What windows and a policy of them answer, against all their pieces.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use recess::calendar::Occurrence;
use recess::consumer::ConsumerId;
use recess::policy::{Desired, Exclusion, Policy, Selection, Window, WindowSet};

use super::clock::{Clock, Zone};
use super::made::{Made, second};
use super::schedules::instant;
use super::{HOUR, LONGEST, NEAR, Tally};
use crate::support::random::Random;

/// Questions a round, each put to the windows and to the policy of them.
const QUESTIONS: u64 = 8;

/// An opening before it closes within the known days, whatever it is.
const SURE: i64 = 16 * HOUR;

/// What covers an instant before it without a break is known to its end.
const SURE_END: i64 = 40 * HOUR;

/// A window and all its pieces.
struct Known {
    window: Window,
    text: String,
    pieces: Vec<Piece>,
    /// When exclusions hold, put together.
    excluded: Vec<Range<Timestamp>>,
    spread: i64,
}

/// What is left of an occurrence between two exclusions.
#[derive(Clone, Copy)]
struct Piece {
    part: Occurrence,
    /// The last instants of the occurrence are in it: no exclusion ended it.
    whole_end: bool,
    /// Where the whole occurrence closes and opens.
    whole: (Timestamp, Timestamp),
}

impl Known {
    fn make_up(clock: &Clock, zone: &Zone, random: &mut Random) -> Self {
        let near = clock.centre - NEAR..clock.centre + NEAR;
        let longest = *random.pick(&[HOUR, 3 * HOUR, LONGEST]);
        let made = Made::up(clock, &zone.ours, longest, random);
        let mut instants: Vec<i64> = made.edges(&near).collect();
        let mut exclusions = Vec::new();
        for _ in 0..*random.pick(&[0, 0, 1, 1, 2, 3]) {
            let exclusion = Made::exclusion(clock, &zone.ours, &instants, random);
            instants.extend(exclusion.edges(&near));
            exclusions.push(exclusion);
        }
        let spread = *random.pick(&[0, 1, 600, 7_200, 20_000]);

        let mut text = format!("{}, spread {spread}", made.text);
        for exclusion in &exclusions {
            text = format!("{text}, but not {}", exclusion.text);
        }
        let holds = exclusions.iter().flat_map(|one| &one.all);
        let excluded = put_together(holds.map(|one| one.opens..one.closes).collect());
        let pieces = (made.all.iter())
            .flat_map(|whole| cut(*whole, &excluded))
            .collect();
        let mut window = Window::new("w", made.schedule, Selection::new(Vec::new()));
        window.resume_spread = SignedDuration::from_secs(spread);
        window.exclusions = (exclusions.into_iter())
            .map(|made| {
                Exclusion {
                    name: "x".into(),
                    schedule: made.schedule,
                    events: None,
                }
                .into()
            })
            .collect();
        Self {
            window,
            text,
            pieces,
            excluded,
            spread,
        }
    }

    fn open_at(&self, at: Timestamp) -> Option<Piece> {
        let open = self.pieces.iter().filter(|piece| piece.part.covers(at));
        open.max_by_key(|piece| piece.whole).copied()
    }

    /// Where a close with a tail was, and how far that reaches at most.
    fn tails(&self) -> impl Iterator<Item = Range<Timestamp>> {
        (self.pieces.iter())
            .filter(|piece| piece.whole_end)
            .map(|piece| {
                let closes = piece.part.closes;
                let end = closes + SignedDuration::from_secs(self.spread);
                let cut = self.excluded.iter().find(|held| held.end > closes);
                closes..cut.map_or(end, |held| held.start.clamp(closes, end))
            })
    }

    /// When that consumer comes back from each close.
    fn returns(&self, id: &ConsumerId) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let own = match u64::try_from(self.spread).unwrap() {
            0 => 0,
            spread => i64::try_from(hash(&id.path()) % spread).unwrap(),
        };
        let own = SignedDuration::from_secs(own);
        (self.tails()).map(move |tail| (tail.start, (tail.start + own).min(tail.end)))
    }
}

/// FNV-1a, 64 bit, as its authors describe it.
fn hash(text: &str) -> u64 {
    text.bytes().fold(14_695_981_039_346_656_037, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211)
    })
}

/// Ranges that overlap or touch become one.
fn put_together(mut ranges: Vec<Range<Timestamp>>) -> Vec<Range<Timestamp>> {
    ranges.sort_by_key(|range| range.start);
    let mut blocks: Vec<Range<Timestamp>> = Vec::new();
    for range in ranges {
        match blocks.last_mut() {
            Some(block) if range.start <= block.end => block.end = block.end.max(range.end),
            _ => blocks.push(range),
        }
    }
    blocks
}

/// The end of the block that holds at `at`.
fn end_of(blocks: &[Range<Timestamp>], at: Timestamp) -> Option<Timestamp> {
    let block = blocks.iter().find(|block| block.contains(&at));
    block.map(|block| block.end)
}

fn cut(whole: Occurrence, excluded: &[Range<Timestamp>]) -> Vec<Piece> {
    let mut left = vec![whole.opens..whole.closes];
    for held in excluded {
        let halves = |part: Range<Timestamp>| {
            let before = part.start..part.end.min(held.start);
            let after = part.start.max(held.end)..part.end;
            [before, after].into_iter().filter(|half| !half.is_empty())
        };
        left = left.into_iter().flat_map(halves).collect();
    }
    (left.into_iter())
        .map(|part| Piece {
            whole_end: part.end == whole.closes,
            whole: (whole.closes, whole.opens),
            part: Occurrence {
                opens: part.start,
                closes: part.end,
                shift: whole.shift.filter(|_| part.start == whole.opens),
            },
        })
        .collect()
}

/// Makes up some windows and asks about them around the centre.
pub fn round(zone: &Zone, clock: &Clock, random: &mut Random, tally: &mut Tally) {
    let count = 1 + random.below(3);
    let known: Vec<Known> = (0..count)
        .map(|_| Known::make_up(clock, zone, random))
        .collect();
    let max_pause = *random.pick(&[20, 61, 3_600, 7 * HOUR, 20 * HOUR]);
    let windows = known.iter().map(|known| known.window.clone()).collect();
    let policy = Policy::new("default", SignedDuration::from_secs(max_pause), windows);
    let policy = Checked {
        policy,
        max_pause,
        known,
        id: (*random.pick(&["ORDERS/billing", "EVENTS/mail"]))
            .parse()
            .unwrap(),
        end: second(clock.centre + SURE_END),
        sure: second(clock.centre + SURE),
    };
    let edges = policy.edges(clock);
    for _ in 0..QUESTIONS {
        let [at, until] = [(); 2].map(|()| instant(clock, &edges, random));
        let some: Vec<usize> = (0..policy.known.len())
            .filter(|_| !random.once_in(4))
            .collect();
        let context = |what: &str| {
            let texts = policy.known.iter().map(|known| known.text.as_str());
            let (name, texts) = (zone.theirs.name(), texts.collect::<Vec<_>>());
            format!(
                "{what} in {name} at {at}, until {until}, of {some:?} of {texts:#?}, at most {max_pause} s for {}",
                policy.id
            )
        };
        for known in &policy.known {
            check_window(known, at, until, &policy, tally, &context);
        }
        policy.check_desired(&some, at, tally, &context);
        policy.check_next_change(&some, at, tally, &context);
    }
}

fn check_window(
    known: &Known,
    at: Timestamp,
    until: Timestamp,
    policy: &Checked,
    tally: &mut Tally,
    context: &impl Fn(&str) -> String,
) {
    let context = |what: &str| format!("{} of {}", context(what), known.text);
    let open = known.open_at(at).map(|piece| piece.part);
    assert_eq!(known.window.open_at(at), open, "{}", context("open_at"));
    tally.count(open);

    let parts = known.pieces.iter().map(|piece| piece.part);
    let opens = parts.clone().map(|part| part.opens);
    let opens = opens
        .filter(|opens| *opens > at && *opens < policy.sure)
        .min();
    let first = (known.pieces.iter()).filter(|piece| Some(piece.part.opens) == opens);
    let next = first
        .max_by_key(|piece| piece.whole)
        .map(|piece| piece.part);
    let answer = known.window.next_opening(at);
    let answer = answer.filter(|one| next.is_some() || one.opens < policy.sure);
    assert_eq!(answer, next, "{}", context("next_opening"));
    tally.count(next);

    let mut rows: Vec<Occurrence> = (parts.filter(|_| at < until))
        .filter(|part| part.opens < until && at < part.closes)
        .collect();
    rows.sort();
    let answer = known.window.intersecting(at, until);
    assert_eq!(answer, rows, "{}", context("intersecting"));
    tally.count(rows);

    let end = end_of(&known.excluded, at);
    if end.is_none_or(|end| end < policy.end) {
        assert_eq!(
            known.window.by_file().excluded_until(at),
            end,
            "{}",
            context("excluded_until")
        );
        tally.comparisons += 1;
        tally.excluded += u64::from(end.is_some());
    }
}

/// A policy and what it is made of.
struct Checked {
    policy: Policy,
    max_pause: i64,
    known: Vec<Known>,
    id: ConsumerId,
    end: Timestamp,
    sure: Timestamp,
}

impl Checked {
    /// Whatever happens near the centre.
    fn edges(&self, clock: &Clock) -> Vec<i64> {
        let near = clock.centre - NEAR..clock.centre + NEAR;
        let mut edges = Vec::new();
        for known in &self.known {
            let parts = known.pieces.iter().map(|piece| piece.part);
            edges.extend(parts.flat_map(|part| [part.opens, part.closes]));
            edges.extend(
                known
                    .excluded
                    .iter()
                    .flat_map(|held| [held.start, held.end]),
            );
            let tails = known.returns(&self.id);
            edges.extend(tails.flat_map(|(closes, returns)| [closes, returns]));
        }
        let mut edges: Vec<i64> = edges.into_iter().map(Timestamp::as_second).collect();
        edges.retain(|edge| near.contains(edge));
        edges
    }

    fn furthest(&self, at: Timestamp) -> Timestamp {
        let step = self.max_pause / 2;
        second((at.as_second() + self.max_pause) / step * step)
    }

    fn set(&self, windows: &[usize]) -> WindowSet {
        let windows = windows
            .iter()
            .map(|&place| self.policy.windows()[place].clone());
        windows.collect()
    }

    fn some(&self, windows: &[usize]) -> impl Iterator<Item = &Known> {
        windows.iter().map(|&index| &self.known[index])
    }

    /// When one of the windows is open, put together.
    fn blocks(&self, windows: &[usize]) -> Vec<Range<Timestamp>> {
        let pieces = self.some(windows).flat_map(|known| &known.pieces);
        put_together(
            pieces
                .map(|piece| piece.part.opens..piece.part.closes)
                .collect(),
        )
    }

    fn desired(&self, windows: &[usize], blocks: &[Range<Timestamp>], at: Timestamp) -> Desired {
        let open = end_of(blocks, at);
        let end = open.unwrap_or(at);
        let returns = self.some(windows).flat_map(|known| known.returns(&self.id));
        let of_this_pause = returns.filter(|(closes, _)| *closes <= end);
        let until = of_this_pause.fold(end, |until, (_, returns)| until.max(returns));
        let until = until.min(self.furthest(at));
        match open {
            Some(_) => Desired::Paused(until),
            None if at < until => Desired::Tail(until),
            None => Desired::Running,
        }
    }

    fn check_desired(
        &self,
        windows: &[usize],
        at: Timestamp,
        tally: &mut Tally,
        context: &impl Fn(&str) -> String,
    ) {
        let expected = self.desired(windows, &self.blocks(windows), at);
        let answer = self.policy.desired(&self.id, &self.set(windows), at);
        assert_eq!(answer, expected, "{}", context("desired"));
        tally.comparisons += 1;
        match expected {
            Desired::Running => {}
            Desired::Tail(_) => tally.tails += 1,
            Desired::Paused(_) => tally.paused += 1,
        }
    }

    fn check_next_change(
        &self,
        windows: &[usize],
        at: Timestamp,
        tally: &mut Tally,
        context: &impl Fn(&str) -> String,
    ) {
        // What the documentation names: an opening, the close of what is open, the end of the tail, a step.
        let opens = (self.some(windows).flat_map(|known| &known.pieces))
            .map(|piece| piece.part.opens)
            .filter(|opens| *opens > at);
        let closes = (self.some(windows))
            .filter_map(|known| known.open_at(at))
            .map(|piece| piece.part.closes);
        let blocks = self.blocks(windows);
        let now = self.desired(windows, &blocks, at);
        let tail = match now {
            Desired::Tail(until) => Some(until),
            Desired::Running | Desired::Paused(_) => None,
        };
        let lasts = |known: &Known| {
            known.open_at(at).is_some() || known.tails().any(|tail| tail.contains(&at))
        };
        let step = self.max_pause / 2;
        let next = (at.as_second() + self.max_pause) / step * step + step - self.max_pause;
        let step = self.some(windows).any(lasts).then(|| second(next));
        let change = opens.chain(closes).chain(tail).chain(step).min();
        let change = change.filter(|change| *change < self.sure);
        let answer = self.policy.next_change_of(&self.id, &self.set(windows), at);
        let answer = answer.filter(|answer| change.is_some() || *answer < self.sure);
        assert_eq!(answer, change, "{}", context("next_change_of"));
        tally.comparisons += 1;

        // Until then nothing changes, at whatever a second of it one looks.
        let end = change.unwrap_or(self.sure);
        let mut moments = vec![at, end - SignedDuration::from_nanos(1)];
        let edges = self.some(windows).flat_map(|known| {
            let parts = known.pieces.iter().map(|piece| piece.part);
            let tails = known.returns(&self.id).map(|(_, returns)| returns);
            parts
                .flat_map(|part| [part.opens, part.closes])
                .chain(tails)
        });
        moments.extend(edges);
        moments.retain(|moment| at < *moment && *moment < end);
        let few = moments.len() / 16 + 1;
        for moment in moments.into_iter().step_by(few) {
            let then = self.desired(windows, &blocks, moment);
            assert_eq!(
                then,
                now,
                "{} though at {moment}",
                context("next_change_of")
            );
        }
        tally.comparisons += 1;
    }
}
