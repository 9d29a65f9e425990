//! Cron patterns that are made up together with what they mean, and a matcher that shares nothing with the cron crate.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::{DateTime, Datelike};

use super::clock::Clock;
use super::{DAY, HOUR, MINUTE};
use crate::support::random::Random;

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A cron pattern as it was made up: the text, and the values that the text means.
pub struct Cron {
    second: Option<Field>,
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

struct Field {
    text: String,
    values: BTreeSet<i64>,
}

impl Field {
    fn star(values: Range<i64>) -> Self {
        Self {
            text: "*".to_owned(),
            values: values.collect(),
        }
    }

    fn has(&self, value: i64) -> bool {
        self.values.contains(&value)
    }

    /// As Vixie cron and cronie see a day field: it may name some days and still restrict nothing by itself.
    fn begins_with_star(&self) -> bool {
        self.text.starts_with('*')
    }

    /// A list, a range, a step or a single value, often with one of `likely` in it.
    fn make_up(all: Range<i64>, likely: &[i64], names: &[&str], random: &mut Random) -> Self {
        let value = |random: &mut Random| {
            if random.below(3) > 0 {
                *random.pick(likely)
            } else {
                all.start + random.below(all.end - all.start)
            }
        };
        let name = |value: i64, random: &mut Random| {
            let index = usize::try_from(value - all.start).unwrap();
            match names.get(index) {
                Some(name) if random.below(2) == 0 => (*name).to_owned(),
                _ => value.to_string(),
            }
        };
        let (a, b) = (value(random), value(random));
        let (low, high) = (a.min(b), a.max(b));
        let step = 1 + random.below(4);
        let stepped = |from: i64, to: i64| (from..=to).step_by(usize::try_from(step).unwrap());
        match random.below(5) {
            0 => Self {
                text: name(a, random),
                values: BTreeSet::from([a]),
            },
            1 => Self {
                text: format!("{},{}", name(a, random), name(b, random)),
                values: BTreeSet::from([a, b]),
            },
            2 if low < high => Self {
                text: format!("{}-{}", name(low, random), name(high, random)),
                values: (low..=high).collect(),
            },
            3 if low < high => Self {
                text: format!("{low}-{high}/{step}"),
                values: stepped(low, high).collect(),
            },
            _ => Self {
                text: format!("{low},{}", name(high, random)),
                values: BTreeSet::from([low, high]),
            },
        }
    }

    fn every(step: i64, all: Range<i64>) -> Self {
        Self {
            text: format!("*/{step}"),
            values: all.step_by(usize::try_from(step).unwrap()).collect(),
        }
    }
}

impl std::fmt::Display for Cron {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(second) = &self.second {
            write!(f, "{} ", second.text)?;
        }
        let fields = [
            &self.minute,
            &self.hour,
            &self.day,
            &self.month,
            &self.weekday,
        ];
        let texts = fields.map(|field| field.text.as_str());
        f.write_str(&texts.join(" "))
    }
}

impl Cron {
    /// A rule that is likely to open near `centre`, and in its gap or fold if it has one.
    pub fn make_up(clock: &Clock, random: &mut Random) -> Self {
        let moments = clock.moments();
        let likely = |of: fn(i64) -> i64| moments.map(of);
        let minute = |civil: i64| civil.rem_euclid(HOUR) / MINUTE;
        let hour = |civil: i64| civil.rem_euclid(DAY) / HOUR;
        let date = |civil: i64| DateTime::from_timestamp(civil, 0).unwrap();

        let second = (random.below(4) == 0).then(|| match random.below(3) {
            0 => Field::every(20, 0..60),
            _ => Field::make_up(0..60, &[0, 30, 59], &[], random),
        });
        let minute = match random.below(6) {
            0 => Field::every(*random.pick(&[7, 15, 20, 30]), 0..60),
            1 => Field::make_up(0..60, &[0], &[], random),
            _ => Field::make_up(0..60, &likely(minute), &[], random),
        };
        let hour = match random.below(6) {
            0 => Field::star(0..24),
            1 => Field::every(*random.pick(&[2, 3, 5]), 0..24),
            _ => Field::make_up(0..24, &likely(hour), &[], random),
        };
        let day = match random.below(3) {
            0 => {
                let days = likely_days(&moments, |civil| i64::from(date(civil).day()));
                Field::make_up(1..32, &days, &[], random)
            }
            1 if random.below(4) == 0 => Field::every(*random.pick(&[2, 3, 5]), 1..32),
            _ => Field::star(1..32),
        };
        let month = match random.below(6) {
            0 => {
                let names = [
                    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV",
                    "DEC",
                ];
                let months = likely_days(&moments, |civil| i64::from(date(civil).month()));
                Field::make_up(1..13, &months, &names, random)
            }
            1 => Field::every(2, 1..13),
            _ => Field::star(1..13),
        };
        let mut weekday = match random.below(3) {
            0 => {
                let days = likely_days(&moments, |civil| {
                    i64::from(date(civil).weekday().num_days_from_sunday())
                });
                Field::make_up(0..7, &days, &WEEKDAYS, random)
            }
            1 if random.below(4) == 0 => Field {
                text: (*random.pick(&["5-7", "FRI-SUN", "5-0"])).to_owned(),
                values: BTreeSet::from([5, 6, 0]),
            },
            1 if random.below(3) == 0 => Field::every(*random.pick(&[2, 3, 5]), 0..7),
            _ => Field::star(0..7),
        };
        // Behind seconds, a weekday that stands alone has a name: a number could be seconds that stand last.
        if second.is_some()
            && let Ok(number) = weekday.text.parse::<usize>()
        {
            weekday.text = WEEKDAYS[number].to_owned();
        }
        // `30 FEB` and the like is refused as never matching, which is not what this test is about.
        let day = if weekday.begins_with_star() && day.values.iter().all(|day| *day > 28) {
            Field::star(1..32)
        } else {
            day
        };
        Self {
            second,
            minute,
            hour,
            day,
            month,
            weekday,
        }
    }

    /// Whether its hour field makes it an interval rule.
    pub fn is_interval(&self) -> bool {
        self.hour.begins_with_star()
    }

    /// The seconds of a minute at which it opens.
    pub fn seconds(&self) -> Vec<i64> {
        match &self.second {
            Some(field) => field.values.iter().copied().collect(),
            None => vec![0],
        }
    }
}

fn likely_days(moments: &[i64], of: impl Fn(i64) -> i64) -> Vec<i64> {
    moments.iter().map(|civil| of(*civil)).collect()
}

/// Whether a date matches, remembered while the date stays the same.
#[derive(Default)]
pub struct Day {
    number: Option<i64>,
    matches: bool,
}

impl Day {
    /// Whether a minute of the wall clock matches.
    pub fn matches(&mut self, cron: &Cron, civil: i64) -> bool {
        let number = civil.div_euclid(DAY);
        if self.number != Some(number) {
            self.number = Some(number);
            let date = DateTime::from_timestamp(civil, 0).unwrap();
            let day = cron.day.has(i64::from(date.day()));
            let weekday = (cron.weekday).has(i64::from(date.weekday().num_days_from_sunday()));
            let either = !cron.day.begins_with_star() && !cron.weekday.begins_with_star();
            let days = if either {
                day || weekday
            } else {
                day && weekday
            };
            self.matches = days && cron.month.has(i64::from(date.month()));
        }
        let (hour, minute) = (
            civil.rem_euclid(DAY) / HOUR,
            civil.rem_euclid(HOUR) / MINUTE,
        );
        self.matches && cron.hour.has(hour) && cron.minute.has(minute)
    }
}
