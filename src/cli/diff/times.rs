//! The occurrences of a window in both files, compared as they come: a rule of seconds has millions
//! of them.

use std::collections::VecDeque;
use std::iter::Peekable;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::row::Row;
use crate::policy::Window;
use crate::text::utc;

/// Where two windows differ only later than what is compared, the search for the first change after
/// it goes this far ahead, and among so many occurrences of each.
const LATER: SignedDuration = SignedDuration::from_hours(24 * 366 * 10);
const MOST_LATER: usize = 20_000;

/// A window in both files, or in one.
#[derive(Clone, Copy, Debug)]
pub struct Both<'c> {
    pub name: &'c str,
    pub old: Option<&'c Window>,
    pub new: Option<&'c Window>,
    /// The zone of its times.
    pub window: &'c Window,
}

/// While an occurrence holds, and its tail where an exclusion can cut that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    pub opens: Timestamp,
    pub closes: Timestamp,
    /// When the last consumer is back.
    pub back: Option<Timestamp>,
}

/// One occurrence that is there no more, is new, or moved.
#[derive(Clone, Copy, Debug)]
pub struct Change<'c> {
    pub name: &'c str,
    pub old: Option<Held>,
    pub new: Option<Held>,
}

impl Change<'_> {
    pub fn at(&self) -> Option<Timestamp> {
        let opens = |one: &Option<Held>| one.map(|one| one.opens);
        opens(&self.old).into_iter().chain(opens(&self.new)).min()
    }

    pub fn kind(&self) -> &'static str {
        match (self.old, self.new) {
            (None, _) => "added",
            (_, None) => "removed",
            (Some(_), Some(_)) => "changed",
        }
    }

    /// Whether only the return of its consumers differs.
    pub fn is_of_return(&self) -> bool {
        let times = |one: Held| (one.opens, one.closes);
        self.old.is_some() && self.old.map(times) == self.new.map(times)
    }

    pub fn row(&self) -> Row {
        let of_return = self.is_of_return();
        let side = |one: Option<Held>| {
            let Some(one) = one else {
                return Value::Null;
            };
            let (opens, closes) = (utc(one.opens), utc(one.closes));
            match one.back.filter(|_| of_return) {
                Some(back) => json!({ "opens": opens, "closes": closes, "all_resumed": utc(back) }),
                None => json!({ "opens": opens, "closes": closes }),
            }
        };
        Row {
            window: Some(self.name.to_owned()),
            change: self.kind(),
            old: side(self.old),
            new: side(self.new),
        }
    }
}

impl<'c> Both<'c> {
    pub fn of(old: Option<&'c Window>, new: Option<&'c Window>) -> Option<Self> {
        let window = new.or(old)?;
        Some(Self {
            name: &window.name,
            old,
            new,
            window,
        })
    }

    /// What differs in `[from, until)`; where nothing does, the first change after it.
    pub fn changes(self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Change<'c>> {
        let mut near = self.walk(from, until, usize::MAX).peekable();
        let far = near.peek().is_none().then(|| self.first_later(until));
        near.chain(far.flatten())
    }

    /// The first change from `from` on.
    pub fn first_later(self, from: Timestamp) -> Option<Change<'c>> {
        let until = from.checked_add(LATER).unwrap_or(Timestamp::MAX);
        let mut walk = self.walk(from, until, MOST_LATER);
        // The last ones have no counterpart where the search ends, which says nothing of them.
        walk.next().filter(|_| walk.seen <= MOST_LATER)
    }

    /// Both windows, occurrence by occurrence; of each `most` at most.
    pub fn walk(
        self,
        from: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Walk<'c, impl Iterator<Item = Held> + use<'c>> {
        let same = (self.old.zip(self.new)).is_some_and(|(old, new)| old.says_when(new));
        let spreads = [self.old, self.new].map(|one| one.map(|one| one.resume_spread));
        let tails = spreads[0] == spreads[1];
        let held = move |window: Option<&'c Window>| {
            let window = window.filter(|_| !same);
            let pieces = window.into_iter().flat_map(move |window| {
                (window.walk(from, until)).map(move |piece| Held {
                    opens: piece.opens,
                    closes: piece.closes,
                    back: (window.returning(piece.closes).filter(|_| tails))
                        .map(|returning| returning.ends()),
                })
            });
            pieces.take(most).peekable()
        };
        Walk {
            name: self.name,
            old: held(self.old),
            new: held(self.new),
            gone: VecDeque::new(),
            come: VecDeque::new(),
            alike: 0,
            seen: 0,
        }
    }
}

/// Occurrences that are the same in both are left out. Of the others, an old and a new one that
/// overlap, or that share an end, are one that changed.
pub struct Walk<'c, I: Iterator<Item = Held>> {
    name: &'c str,
    old: Peekable<I>,
    new: Peekable<I>,
    gone: VecDeque<Held>,
    come: VecDeque<Held>,
    /// So many were the same so far.
    pub alike: usize,
    seen: usize,
}

impl<I: Iterator<Item = Held>> Walk<'_, I> {
    /// Takes in what opens next, in either.
    fn advance(&mut self) -> bool {
        self.seen += 1;
        match (self.old.peek(), self.new.peek()) {
            (None, None) => return false,
            (Some(old), Some(new)) if old == new => {
                self.old.next();
                self.new.next();
                self.alike += 1;
            }
            (Some(old), new) if new.is_none_or(|new| old < new) => {
                self.gone.extend(self.old.next())
            }
            _ => self.come.extend(self.new.next()),
        }
        true
    }

    /// When the next one opens.
    fn next_opens(&mut self) -> Option<Timestamp> {
        let opens = |one: &Held| one.opens;
        let (old, new) = (self.old.peek().map(opens), self.new.peek().map(opens));
        old.into_iter().chain(new).min()
    }
}

impl<'c, I: Iterator<Item = Held>> Iterator for Walk<'c, I> {
    type Item = Change<'c>;

    fn next(&mut self) -> Option<Change<'c>> {
        loop {
            let waits_until = match (self.gone.front(), self.come.front()) {
                (Some(_), Some(_)) => break,
                (Some(one), None) | (None, Some(one)) => Some(one.closes),
                (None, None) => None,
            };
            // What opens later than that can overlap it no more.
            if let (Some(closes), Some(opens)) = (waits_until, self.next_opens())
                && opens > closes
            {
                break;
            }
            if !self.advance() {
                break;
            }
        }
        let (old, new) = match (self.gone.front(), self.come.front()) {
            (None, None) => return None,
            (Some(old), Some(new)) if old.opens <= new.closes && new.opens <= old.closes => {
                (self.gone.pop_front(), self.come.pop_front())
            }
            (Some(old), Some(new)) if new.opens < old.opens => (None, self.come.pop_front()),
            (None, Some(_)) => (None, self.come.pop_front()),
            (Some(_), _) => (self.gone.pop_front(), None),
        };
        Some(Change {
            name: self.name,
            old,
            new,
        })
    }
}
