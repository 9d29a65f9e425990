//! The fields of a cron line: the one place where a line of five fields, or of six with the seconds
//! first, is read.
//!
//! Each field is read into the values that it names, by the rules of its own: names count in their
//! own field only, a range may wrap (`FRI-MON`, `22-2`), an empty list item is a mistake. What is
//! read is written again in the cron crate's notation, so that the crate meets numbers only, and
//! days match as in Vixie cron and cronie: a day field that *begins* with `*` restricts nothing by
//! itself, so both must match; if neither does, either is enough.

use std::fmt::Write as _;

mod unit;

use Unit::{Day, Hour, Minute, Month, Second, Weekday};
pub use unit::{MONTHS, Unit, WEEKDAYS, named};

/// What a day field can name beside plain days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Special {
    /// `L`: the last day of the month.
    LastDay,
    /// `LW`: the last day from Monday to Friday of the month.
    LastWorkday,
    /// `15W`: of Monday to Friday the one nearest that day of the month.
    NearestWorkday(u16),
    /// `FRI#2`: the second Friday of the month.
    Nth(u16, u16),
    /// `5L`, `FRIL`: the last Friday of the month.
    LastOf(u16),
}

/// One field, as it was read.
#[derive(Clone, Debug)]
pub struct Field {
    pub unit: Unit,
    /// As it was written, in capitals.
    pub text: String,
    /// It begins with `*`, or is `?`.
    pub starred: bool,
    /// It is `*` (1) or a step over all values (`*/15`, and `0/15` in Quartz' way).
    pub step: Option<u16>,
    /// In order, each once; Sunday is 0.
    pub values: Vec<u16>,
    pub specials: Vec<Special>,
    /// The order in which a range names them goes over the end of the field (`22-2`).
    pub wraps: bool,
}

impl Field {
    fn read(unit: Unit, text: &str) -> Result<Self, String> {
        let mut field = Self {
            unit,
            text: text.to_owned(),
            starred: text.starts_with(['*', '?']),
            step: None,
            values: Vec::new(),
            specials: Vec::new(),
            wraps: false,
        };
        let list = if text == "?" {
            if !unit.is_day() {
                return Err(format!("`?` is not allowed as the {}", unit.name()));
            }
            "*"
        } else {
            text
        };
        for item in list.split(',') {
            if item.is_empty() {
                return Err(format!("`{text}` has an empty list item"));
            }
            field.item(item)?;
        }
        field.values.sort_unstable();
        field.values.dedup();
        field.specials.sort_unstable();
        field.specials.dedup();
        let last = |special| field.specials.contains(&special);
        if last(Special::LastDay) && last(Special::LastWorkday) {
            return Err("`L` and `LW` cannot be in one field".to_owned());
        }
        if list.contains(',') {
            field.step = None;
        }
        Ok(field)
    }

    fn item(&mut self, item: &str) -> Result<(), String> {
        if let Some(specials) = self.special(item)? {
            self.specials.extend(specials);
            return Ok(());
        }
        if self.unit == Day && item.starts_with("L-") {
            return Err(format!(
                "`{item}` counts back from the last day of the month, which recess does not support"
            ));
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step_of(item, step)?)),
            None => (item, None),
        };
        let (low, last) = (self.unit.bounds().0, self.unit.last());
        let values: Vec<u16> = if range == "*" {
            self.step = Some(step.unwrap_or(1));
            (low..=last).collect()
        } else if let Some((from, to)) = range.split_once('-') {
            let (from, to) = (self.value(from)?, self.value(to)?);
            self.range(from, to)
        } else {
            let value = self.value(range)?;
            match step {
                None => vec![if value > last { low } else { value }],
                // Cron proper has no such step; where there is one, it goes on to the end of the
                // field.
                Some(_) if self.unit == Weekday => {
                    return Err(format!("`{item}` has no weekday at its end"));
                }
                Some(step) => {
                    self.step = (value == low).then_some(step);
                    (value..=last).collect()
                }
            }
        };
        let step = usize::from(step.unwrap_or(1));
        self.values.extend(values.into_iter().step_by(step));
        Ok(())
    }

    /// The values from one to another, over the end of the field if need be.
    fn range(&mut self, from: u16, to: u16) -> Vec<u16> {
        let (low, last) = (self.unit.bounds().0, self.unit.last());
        if from <= to {
            // Up to 7 only where it is Sunday, which has come already where the range began with
            // it.
            let values = (from..=to).map(|value| if value > last { low } else { value });
            let mut values: Vec<u16> = values.collect();
            if from == low && to > last {
                values.pop();
            }
            return values;
        }
        let from = if from > last { low } else { from };
        if from <= to {
            return (from..=to).collect();
        }
        self.wraps = true;
        (from..=last).chain(low..=to).collect()
    }

    fn step_of(&self, item: &str, text: &str) -> Result<u16, String> {
        match number(text) {
            Some(0) => Err(format!("`{item}` has a step of 0")),
            Some(step) => Ok(step),
            None => Err(format!("`{item}` has a step that is not a number")),
        }
    }

    /// `L`, `LW`, `15W`; `FRI#2`, `5L`.
    fn special(&self, item: &str) -> Result<Option<Vec<Special>>, String> {
        match self.unit {
            Day => Ok(match (item, item.strip_suffix('W')) {
                ("L", _) => Some(vec![Special::LastDay]),
                ("LW", _) => Some(vec![Special::LastWorkday]),
                (_, Some(day)) => Some(vec![Special::NearestWorkday(self.value(day)?)]),
                _ => None,
            }),
            Weekday => {
                let (days, special): (&str, fn(u16, u16) -> Special) =
                    match (item.split_once('#'), item.strip_suffix('L')) {
                        (Some((_, "L")), _) | (None, Some(_)) => (
                            item.trim_end_matches('L').trim_end_matches('#'),
                            |day, _| Special::LastOf(day),
                        ),
                        (Some((days, _)), _) => (days, Special::Nth),
                        (None, None) => return Ok(None),
                    };
                if days.is_empty() {
                    return Err(format!("`{item}` names no weekday"));
                }
                let nth = match item.split_once('#') {
                    Some((_, nth)) if nth != "L" => number(nth)
                        .filter(|nth| (1..=5).contains(nth))
                        .ok_or_else(|| {
                            format!("`{item}`: a weekday's number in the month is #1 to #5")
                        })?,
                    _ => 0,
                };
                let days = match days.split_once('-') {
                    Some((from, to)) => {
                        let (from, to) = (self.value(from)?, self.value(to)?);
                        self.clone().range(from, to)
                    }
                    None => vec![self.value(days)? % 7],
                };
                Ok(Some(
                    days.into_iter().map(|day| special(day, nth)).collect(),
                ))
            }
            Second | Minute | Hour | Month => Ok(None),
        }
    }

    fn value(&self, word: &str) -> Result<u16, String> {
        let (low, high) = self.unit.bounds();
        let here = self.unit.name();
        if let Some(number) = number(word) {
            return match (low..=high).contains(&number) {
                true => Ok(number),
                false => Err(format!("`{word}` is not a valid {here} ({low}-{high})")),
            };
        }
        match named(word) {
            Some((unit, number)) if unit == self.unit => Ok(number),
            Some((unit, _)) => Err(format!(
                "`{word}` is a {}, but is in the {here} field",
                unit.name()
            )),
            None if word.is_empty() => Err(format!("`{}` is not complete", self.text)),
            None => Err(format!("`{word}` is not a valid {here}")),
        }
    }

    /// Whether every value of the field is in it.
    pub fn is_all(&self) -> bool {
        self.values.len() == usize::from(self.unit.count())
    }

    /// In the cron crate's notation.
    fn written(&self) -> String {
        // Days that are all named by numbers are restricted, as far as the other day field is
        // concerned.
        if self.is_all() && (self.starred || !self.unit.is_day()) {
            return "*".to_owned();
        }
        let values = self.values.iter().map(u16::to_string);
        let specials = self.specials.iter().map(|special| match special {
            Special::LastDay => "L".to_owned(),
            Special::LastWorkday => "LW".to_owned(),
            Special::NearestWorkday(day) => format!("{day}W"),
            Special::Nth(day, nth) => format!("{day}#{nth}"),
            Special::LastOf(day) => format!("{day}L"),
        });
        values.chain(specials).collect::<Vec<_>>().join(",")
    }
}

/// All fields of a line.
#[derive(Clone, Debug)]
pub struct Fields {
    /// In the order of a line, the seconds first.
    pub all: [Field; 6],
    /// The weekday field begins with `+`: both day fields must match.
    pub plus: bool,
    /// The seconds were written.
    pub has_seconds: bool,
}

impl Fields {
    /// Reads five or six fields, in capitals.
    pub fn read(words: &[&str]) -> Result<Self, String> {
        let (second, rest) = match words {
            [second, rest @ ..] if rest.len() == 5 => (Some(*second), rest),
            rest if rest.len() == 5 => (None, rest),
            [] => return Err("it is empty".to_owned()),
            [_] => return Err("it has 1 field, not 5 or 6".to_owned()),
            words => return Err(format!("it has {} fields, not 5 or 6", words.len())),
        };
        let [minute, hour, day, month, weekday] = rest else {
            return Err("it does not have 5 or 6 fields".to_owned());
        };
        let plain = weekday.strip_prefix('+').unwrap_or(weekday);
        Ok(Self {
            all: [
                Field::read(Second, second.unwrap_or("0"))?,
                Field::read(Minute, minute)?,
                Field::read(Hour, hour)?,
                Field::read(Day, day)?,
                Field::read(Month, month)?,
                Field::read(Weekday, plain)?,
            ],
            plus: weekday.starts_with('+'),
            has_seconds: second.is_some(),
        })
    }

    pub fn of(&self, unit: Unit) -> &Field {
        let [second, minute, hour, day, month, weekday] = &self.all;
        match unit {
            Second => second,
            Minute => minute,
            Hour => hour,
            Day => day,
            Month => month,
            Weekday => weekday,
        }
    }

    /// Whether a day must match both day fields.
    pub fn needs_both(&self) -> bool {
        self.plus || self.of(Day).starred || self.of(Weekday).starred
    }

    /// Whether a day field leaves out days, by itself.
    pub fn restricts(&self, unit: Unit) -> bool {
        let field = self.of(unit);
        !(field.starred && field.is_all())
    }

    /// The six fields in the cron crate's notation, which knows `+` and takes nothing but `*`
    /// itself for unrestricted.
    pub fn written(&self) -> String {
        let mut text = String::new();
        for field in &self.all {
            let both = field.unit == Weekday
                && self.needs_both()
                && self.restricts(Day)
                && self.restricts(Weekday);
            let (blank, plus) = (
                if text.is_empty() { "" } else { " " },
                if both { "+" } else { "" },
            );
            // A string takes all that is written to it.
            let _ = write!(text, "{blank}{plus}{}", field.written());
        }
        text
    }
}

fn number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
