//! Which of several overrides has the last word at an instant.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Effect, Override};

/// Overrides of one target as spans of time that do not overlap, in order: where two meet, the
/// later one counts.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    spans: Vec<Span>,
}

/// A stretch of time in which one override has the last word.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// Whose word counts.
    pub by: Arc<Override>,
}

impl Span {
    /// What counts.
    pub fn effect(&self) -> Effect {
        self.by.terms.effect
    }
}

impl Overlay {
    /// No override.
    pub const NONE: Self = Self { spans: Vec::new() };

    /// Puts overrides together, in any order.
    pub fn of<'o>(overrides: impl IntoIterator<Item = &'o Arc<Override>>) -> Self {
        let mut in_order: Vec<&Arc<Override>> = overrides.into_iter().collect();
        in_order.sort_by_key(|one| one.sequence);
        let mut spans: Vec<Span> = Vec::new();
        for one in in_order {
            let mut kept = Vec::with_capacity(spans.len() + 2);
            for span in spans {
                if span.from < one.terms.from {
                    kept.push(Span {
                        until: span.until.min(one.terms.from),
                        ..span.clone()
                    });
                }
                if span.until > one.terms.until {
                    kept.push(Span {
                        from: span.from.max(one.terms.until),
                        ..span
                    });
                }
            }
            kept.push(Span {
                from: one.terms.from,
                until: one.terms.until,
                by: one.clone(),
            });
            spans = kept;
        }
        spans.sort_by_key(|span| span.from);
        Self { spans }
    }

    /// Whether there is no override.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The spans, in order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The span that holds at `at`.
    pub fn at(&self, at: Timestamp) -> Option<&Span> {
        self.latest(at).filter(|span| at < span.until)
    }

    /// The last span that begins at or before `at`.
    pub fn latest(&self, at: Timestamp) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.from <= at);
        self.spans.get(after.checked_sub(1)?)
    }

    /// The spans that begin after `at`, in order.
    pub fn after(&self, at: Timestamp) -> impl Iterator<Item = &Span> {
        let after = self.spans.partition_point(|span| span.from <= at);
        self.spans.iter().skip(after)
    }

    /// The first begin or end of a span after `after`.
    pub fn next_edge(&self, after: Timestamp) -> Option<Timestamp> {
        let end = self.at(after).map(|span| span.until);
        let begin = self.after(after).next().map(|span| span.from);
        end.into_iter().chain(begin).min()
    }

    /// The last begin or end of a span at or before `at`.
    pub fn last_edge(&self, at: Timestamp) -> Option<Timestamp> {
        let latest = self.latest(at)?;
        Some(if latest.until <= at {
            latest.until
        } else {
            latest.from
        })
    }

    /// The first instant of a span of that effect that holds in `[from, ..]`.
    pub fn next_of(&self, effect: Effect, from: Timestamp) -> Option<Timestamp> {
        let now = self.at(from).into_iter();
        let mut spans = now.chain(self.after(from));
        let span = spans.find(|span| span.effect() == effect)?;
        Some(span.from.max(from))
    }

    /// The spans that touch `[from, until]`.
    pub fn touching(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = &Span> {
        let first = self.spans.partition_point(|span| span.until < from);
        (self.spans.iter().skip(first)).take_while(move |span| span.from <= until)
    }
}
