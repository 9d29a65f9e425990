//! What is wanted of a consumer, by what is painted of its windows and by the overrides that name it.

use crate::overrides::Override;
use crate::painting::{Paint, Painting};

/// What is wanted of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    Running,
    /// A pause of recess's own may last until then; none is begun.
    Tail(i64),
    Paused(i64),
}

/// What concerns one consumer.
pub struct Concerned<'r> {
    /// By which it has its place in a spread.
    pub own: u64,
    /// From when on windows count: before that it is exempt.
    pub from: i64,
    /// With how long the returns from it are spread over.
    pub windows: Vec<(i64, &'r Painting)>,
    /// In their order.
    pub by_hand: Vec<Override>,
}

impl Concerned<'_> {
    pub fn want(&self, at: i64) -> Want {
        let mut covered = at;
        while self.is_held(covered) {
            covered += 1;
        }
        let returns = self.windows.iter();
        let until = returns
            .filter_map(|(spread, painting)| self.returns(*spread, painting, covered))
            .fold(covered, i64::max);
        if covered > at {
            Want::Paused(until)
        } else if until > at {
            Want::Tail(until)
        } else {
            Want::Running
        }
    }

    fn by_hand(&self, at: i64) -> Paint {
        let covers = |one: &&Override| (one.from..one.until).contains(&at);
        let last = self.by_hand.iter().rev().find(covers);
        last.map_or(Paint::Bare, Paint::by)
    }

    pub fn is_held(&self, at: i64) -> bool {
        let holds_since = |by: Option<u64>| {
            let mut windows = self.windows.iter().filter(|_| at >= self.from);
            windows.any(|(_, painting)| match painting.at(at) {
                Paint::Holds(since) => by.is_none_or(|by| since > by),
                Paint::Cut(_) | Paint::Bare => false,
            })
        };
        match self.by_hand(at) {
            Paint::Holds(_) => true,
            // A window that was opened after the consumer was resumed holds it.
            Paint::Cut(by) => holds_since(Some(by)),
            Paint::Bare => holds_since(None),
        }
    }

    /// When the consumer comes back from a window, if that is after `end`, at which nothing holds it.
    fn returns(&self, spread: i64, painting: &Painting, end: i64) -> Option<i64> {
        let own = i64::try_from(self.own.checked_rem(u64::try_from(spread).ok()?)?).ok()?;
        // The window's last second that is not bare. What closed sooner is over.
        let mut recent = (end - spread - 1..end).rev();
        let last = recent.find(|at| painting.at(*at) != Paint::Bare)?;
        let Paint::Holds(_) = painting.at(last) else {
            return None;
        };
        let closes = last + 1;
        if closes <= self.from {
            return None;
        }
        let cuts = |at: &i64| {
            matches!(self.by_hand(*at), Paint::Cut(_))
                || *at >= closes && matches!(painting.at(*at), Paint::Cut(_))
        };
        let cut = (last..closes + spread)
            .find(cuts)
            .unwrap_or(closes + spread);
        (cut > end).then_some((closes + own).min(cut))
    }
}
