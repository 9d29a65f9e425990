//! Time as a length on the page, and where its hours and days stand.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

use crate::text;

/// How wide a chart is, in its own units.
pub(super) const WIDTH: f64 = 1120.0;

/// Where names end and time begins.
pub(super) const LEFT: f64 = 190.0;

/// A stretch of time between [`LEFT`] and [`WIDTH`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Scale {
    /// Where an instant stands; one that is not shown stands at the edge.
    pub fn x(self, at: Timestamp) -> f64 {
        let whole = self.until.duration_since(self.from).as_secs_f64();
        let part = at.duration_since(self.from).as_secs_f64();
        LEFT + (WIDTH - LEFT) * (part / whole.max(1.0)).clamp(0.0, 1.0)
    }

    /// Whether an instant is shown.
    pub fn shows(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether some of a stretch of time is shown.
    pub fn shows_some(self, from: Timestamp, until: Timestamp) -> bool {
        from < self.until && self.from < until
    }

    /// How much time so many units are.
    pub fn time(self, units: f64) -> SignedDuration {
        let whole = self.until.duration_since(self.from).as_secs_f64();
        SignedDuration::try_from_secs_f64(whole * units / (WIDTH - LEFT)).unwrap_or_default()
    }
}

/// An hour of the clock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub at: Timestamp,
    pub label: String,
    /// A day begins.
    pub is_day: bool,
}

/// A day from edge to edge, by the clocks of the zone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Day {
    pub date: Date,
    pub from: Timestamp,
    pub until: Timestamp,
    /// What is to be said of one that has not 24 hours: `23 h: daylight saving begins`
    pub note: Option<String>,
}

/// So many hours lie between two ticks.
const TICK: i8 = 2;

/// From four hours ago or some more, at an even hour, a day on.
pub(super) fn around(now: Timestamp, zone: &TimeZone) -> Scale {
    let before = (now.checked_sub(SignedDuration::from_hours(4))).unwrap_or(Timestamp::MIN);
    let before = before.to_zoned(zone.clone()).datetime();
    let even = before.date().at(before.hour() / TICK * TICK, 0, 0, 0);
    // The clocks may skip that hour.
    let mut earlier =
        (0..=4).filter_map(|steps| even.checked_sub((steps * i64::from(TICK)).hours()).ok());
    let from = earlier
        .find_map(|civil| instant(civil, zone))
        .unwrap_or(now);
    Scale {
        from,
        until: (from.checked_add(SignedDuration::from_hours(24))).unwrap_or(Timestamp::MAX),
    }
}

/// Every second hour that the clocks show, once each.
pub(super) fn ticks(scale: Scale, zone: &TimeZone) -> Vec<Tick> {
    let first = scale.from.to_zoned(zone.clone()).datetime();
    let mut ticks: Vec<Tick> = Vec::new();
    // One more than a day without daylight saving has.
    for hours in 0..=26 {
        let Ok(civil) = first.checked_add((hours * i64::from(TICK)).hours()) else {
            break;
        };
        // A time that does not exist that day has no place.
        let Some(at) = instant(civil, zone).filter(|at| scale.shows(*at)) else {
            continue;
        };
        let is_day = civil.hour() == 0;
        ticks.push(Tick {
            at,
            label: match is_day {
                true => text::weekday(civil.date()),
                false => text::time_of_day(civil.time()),
            },
            is_day,
        });
    }
    ticks
}

/// When the clocks first show that time, if they do.
fn instant(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    // The earlier one of two; in a gap another time would be shown.
    let at = zone.to_ambiguous_timestamp(civil).earlier().ok()?;
    (at.to_zoned(zone.clone()).datetime() == civil).then_some(at)
}

/// Yesterday, today, and the days of the week after.
pub(super) fn week(now: Timestamp, zone: &TimeZone) -> Vec<Day> {
    let today = now.to_zoned(zone.clone()).date();
    let edge = |days: i64| -> Option<(Date, Zoned)> {
        let date = today.checked_add(days.days()).ok()?;
        Some((date, date.to_zoned(zone.clone()).ok()?))
    };
    let edges: Vec<(Date, Zoned)> = (-1..=7).filter_map(edge).collect();
    // A zone that changes sides of the date line skips a day.
    let days = edges.iter().zip(edges.iter().skip(1));
    let days = days.filter(|((_, from), (_, until))| from < until);
    days.map(|((date, from), (_, until))| Day {
        date: *date,
        from: from.timestamp(),
        until: until.timestamp(),
        note: note(from, until),
    })
    .collect()
}

/// From the first day to the last.
pub(super) fn whole(days: &[Day], now: Timestamp) -> Scale {
    let day = SignedDuration::from_hours(24);
    let from = days.first().map_or(now, |day| day.from);
    let until = days.last().map(|day| day.until);
    Scale {
        from,
        until: until.unwrap_or_else(|| now.checked_add(day).unwrap_or(Timestamp::MAX)),
    }
}

fn note(from: &Zoned, until: &Zoned) -> Option<String> {
    let length = until.timestamp().duration_since(from.timestamp());
    if length == SignedDuration::from_hours(24) {
        return None;
    }
    let is_saving = |at: &Zoned| at.time_zone().to_offset_info(at.timestamp()).dst().is_dst();
    let what = match (is_saving(from), is_saving(until)) {
        (false, true) => "daylight saving begins",
        (true, false) => "daylight saving ends",
        _ => "the zone's offset changes",
    };
    let minutes = match length.as_mins() % 60 {
        0 => String::new(),
        minutes => format!(" {minutes} m"),
    };
    Some(format!("{} h{minutes}: {what}", length.as_hours()))
}

#[cfg(test)]
mod tests;
