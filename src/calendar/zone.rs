//! A time zone whose spans are worked out once: finding one in the zone's rules costs a hundred
//! times as much as finding it in a table, and thousands of windows share a handful of zones.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::span::Span;

#[cfg(test)]
mod tests;

/// The years that the table holds, in seconds since 1970: 2020 to 2069. What lies outside is worked
/// out each time.
const FROM: i64 = 1_577_836_800;
const UNTIL: i64 = 3_155_760_000;

/// A time zone. Clones share its table, so all rules of one zone are made from clones of one.
///
/// ```
/// use jiff::tz::TimeZone;
/// use recess::calendar::Zone;
///
/// let zone = Zone::from(TimeZone::UTC);
/// assert_eq!(zone.time_zone(), &TimeZone::UTC);
/// ```
#[derive(Clone)]
pub struct Zone {
    zone: TimeZone,
    table: Arc<OnceLock<Box<[Span]>>>,
}

impl Zone {
    /// The zone itself.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The span that an instant lies in.
    pub(super) fn span(&self, instant: Timestamp) -> Span {
        let table = self.table.get_or_init(|| table(&self.zone));
        let index = table.partition_point(|span| span.start <= instant);
        let found = index.checked_sub(1).and_then(|index| table.get(index));
        match found.filter(|span| instant < span.end) {
            Some(span) => *span,
            None => Span::at(&self.zone, instant),
        }
    }
}

fn table(zone: &TimeZone) -> Box<[Span]> {
    let (Ok(from), Ok(until)) = (Timestamp::from_second(FROM), Timestamp::from_second(UNTIL))
    else {
        return Box::default();
    };
    let following = |span: &Span| (span.end < until).then(|| Span::at(zone, span.end));
    std::iter::successors(Some(Span::at(zone, from)), following).collect()
}

impl From<TimeZone> for Zone {
    fn from(zone: TimeZone) -> Self {
        Self {
            zone,
            table: Arc::default(),
        }
    }
}

impl From<Zone> for TimeZone {
    fn from(zone: Zone) -> Self {
        zone.zone
    }
}

/// What the table holds follows from the zone.
impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.zone == other.zone
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.zone.fmt(f)
    }
}
