//! When consumers should be paused, computed a second time: by brute force, with chrono-tz, and without recess.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;
use jiff::Timestamp;

/// A window, in the few forms that the simulation uses. Its config is made from it too.
#[derive(Clone)]
pub struct Window {
    pub name: &'static str,
    pub consumers: &'static [&'static str],
    pub zone: Tz,
    pub weekday: Option<Weekday>,
    /// `None`: every hour, an interval rule.
    pub hour: Option<u32>,
    pub minute: u32,
    pub minutes: i64,
}

/// One merged pause: `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pause {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    pub fn toml(&self) -> String {
        let hour = self.hour.map_or("*".to_owned(), |hour| hour.to_string());
        let weekday =
            (self.weekday).map_or("*".to_owned(), |day| day.num_days_from_sunday().to_string());
        format!(
            "[[window]]\nname = {:?}\nconsumers = {:?}\nschedule = \"{} {hour} * * {weekday}\"\n\
             duration = \"{}m\"\ntimezone = \"{}\"\n",
            self.name, self.consumers, self.minute, self.minutes, self.zone,
        )
    }

    fn openings(&self, day: NaiveDate) -> Vec<DateTime<Tz>> {
        if self.weekday.is_some_and(|weekday| weekday != day.weekday()) {
            return Vec::new();
        }
        let hours = match self.hour {
            Some(hour) => hour..hour + 1,
            None => 0..24,
        };
        let interval = self.hour.is_none();
        hours
            .flat_map(|hour| {
                let mut civil = day
                    .and_hms_opt(hour, self.minute, 0)
                    .expect("a time of day");
                let local = self.zone.from_local_datetime(&civil);
                match (local.earliest(), local.latest()) {
                    (Some(first), Some(last)) if interval && first != last => vec![first, last],
                    (Some(first), _) => vec![first],
                    _ if interval => Vec::new(),
                    _ => loop {
                        civil += TimeDelta::minutes(1);
                        if let Some(first) = self.zone.from_local_datetime(&civil).earliest() {
                            break vec![first];
                        }
                    },
                }
            })
            .collect()
    }
}

/// The merged pauses that begin in `[from, until)`, of a consumer that follows `windows`.
pub fn pauses(windows: &[&Window], from: Timestamp, until: Timestamp) -> Vec<Pause> {
    let day = |at: Timestamp| {
        let at = DateTime::from_timestamp(at.as_second(), 0).expect("a year of four digits");
        at.date_naive()
    };
    let mut single = Vec::new();
    for window in windows {
        let mut today = day(from) - Days::new(3);
        while today <= day(until) + Days::new(3) {
            single.extend(window.openings(today).into_iter().map(|opens| Pause {
                from: instant(opens),
                until: instant(opens + TimeDelta::minutes(window.minutes)),
            }));
            today = today + Days::new(1);
        }
    }
    single.sort();
    let mut merged: Vec<Pause> = Vec::new();
    for pause in single {
        match merged.last_mut() {
            Some(last) if pause.from <= last.until => last.until = last.until.max(pause.until),
            _ => merged.push(pause),
        }
    }
    merged.retain(|pause| from <= pause.from && pause.from < until);
    merged
}

fn instant(at: DateTime<Tz>) -> Timestamp {
    Timestamp::new(at.timestamp(), 0).expect("a year of four digits")
}
