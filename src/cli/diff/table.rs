//! Changes as people read them: what changes alike is one line and a count.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::row::Row;
use super::settings::CONSUMERS;
use super::times::{Both, Change, Held};
use crate::cli::table::{render, table};
use crate::cli::{Exit, table_rows};
use crate::text;

/// Of what changes alike, so many are shown one by one, if other occurrences of the window do not
/// change like that.
const MAX_LINES_ALIKE: usize = 20;

/// The table, or that nothing changes, and whether anything does.
pub fn show(
    rows: &[Row],
    windows: &[Both<'_>],
    (from, until): (Timestamp, Timestamp),
) -> Result<(String, bool), Exit> {
    let lines = (windows.iter()).flat_map(|both| lines(*both, from, until));
    let fix = "compare a file with fewer occurrences that change";
    let mut lines = table_rows(lines, fix)?;
    lines.sort_by_key(|line| (line.first.at(), line.first.name));
    if rows.is_empty() && lines.is_empty() {
        let text = format!(
            "No change: the same consumers are paused at the same times from {from:.0} until \
             {until:.0}.\n"
        );
        return Ok((text, false));
    }
    let mut shown = table(&["CHANGE", "WINDOW", "OLD", "NEW", "COUNT"]);
    for row in rows {
        shown.add_row([
            row.change.to_owned(),
            row.window.clone().unwrap_or("-".to_owned()),
            side(row, &row.old, &row.new),
            side(row, &row.new, &row.old),
            String::new(),
        ]);
    }
    for line in &lines {
        shown.add_row([
            line.first.kind().to_owned(),
            line.first.name.to_owned(),
            line.span(line.first.old),
            line.span(line.first.new),
            line.count(),
        ]);
    }
    Ok((render(shown), true))
}

/// What one side of a change has and the other has not.
fn side(row: &Row, of: &Value, other: &Value) -> String {
    let Some(keys) = of.as_object() else {
        let nothing = match row.change {
            CONSUMERS => "(no such window)",
            _ => "(not set)",
        };
        return nothing.to_owned();
    };
    let values = keys.iter().map(|(key, value)| {
        let list = |value: &Value| -> Vec<String> {
            let list = value.as_array().map_or(&[][..], Vec::as_slice);
            list.iter().map(text).collect()
        };
        if !value.is_array() {
            return format!("{key} = {}", text(value));
        }
        let known = list(&other[key]);
        let mut own = list(value);
        own.retain(|one| !known.contains(one));
        own.join(" ")
    });
    values.collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// One change, or several that are alike.
struct Line<'c> {
    both: Both<'c>,
    first: Change<'c>,
    count: usize,
    last: Option<Timestamp>,
    is_later: bool,
}

/// By how much an occurrence opens and closes later; `None` where there is none to compare with.
type Shift = Option<(SignedDuration, SignedDuration)>;

/// Changes that are alike.
#[derive(Default)]
struct Group<'c> {
    few: Vec<Change<'c>>,
    count: usize,
    last: Option<Timestamp>,
}

/// The changes of a window, by how they are.
#[derive(Default)]
struct Groups<'c>(BTreeMap<(&'static str, Shift), Group<'c>>);

impl<'c> Groups<'c> {
    fn add(&mut self, shift: Shift, change: Change<'c>) {
        let group = self.0.entry((change.kind(), shift)).or_default();
        group.count += 1;
        group.last = change.at();
        if group.few.len() < MAX_LINES_ALIKE {
            group.few.push(change);
        }
    }
}

/// The changes of a window, those that are alike in one line if all are, or if they are many.
fn lines<'c>(both: Both<'c>, from: Timestamp, until: Timestamp) -> Vec<Line<'c>> {
    let mut walk = both.walk(from, until, usize::MAX);
    // A longer duration moves a close by as much in elapsed time, another time of day by as much on
    // the wall clock; on nights when clocks change the two differ.
    let (mut elapsed, mut on_the_wall) = (Groups::default(), Groups::default());
    let zone = both.window.schedule.zone();
    for change in walk.by_ref() {
        let pair = change.old.zip(change.new);
        let civil = |at| zone.to_datetime(at);
        elapsed.add(
            pair.map(|(old, new)| {
                (
                    new.opens.duration_since(old.opens),
                    new.closes.duration_since(old.closes),
                )
            }),
            change,
        );
        on_the_wall.add(
            pair.map(|(old, new)| {
                (
                    civil(new.opens).duration_since(civil(old.opens)),
                    civil(new.closes).duration_since(civil(old.closes)),
                )
            }),
            change,
        );
    }
    let Groups(groups) = if on_the_wall.0.len() < elapsed.0.len() {
        on_the_wall
    } else {
        elapsed
    };
    if groups.is_empty() {
        let later = both.first_later(until);
        return (later.into_iter())
            .map(|first| Line {
                both,
                first,
                count: 1,
                last: None,
                is_later: true,
            })
            .collect();
    }
    let all_alike = groups.len() == 1 && walk.alike == 0;
    (groups.into_values())
        .flat_map(|Group { few, count, last }| {
            let one_line = all_alike || count > MAX_LINES_ALIKE;
            let shown = if one_line { 1 } else { few.len() };
            (few.into_iter().take(shown)).map(move |first| Line {
                both,
                first,
                count: if one_line { count } else { 1 },
                last,
                is_later: false,
            })
        })
        .collect()
}

impl Line<'_> {
    fn span(&self, one: Option<Held>) -> String {
        let Some(one) = one else {
            return String::new();
        };
        let zone = self.both.window.schedule.zone();
        let opens = one.opens.to_zoned(zone.clone());
        let closes = one.closes.to_zoned(zone.clone());
        let end = if opens.date() == closes.date() {
            text::time(&closes)
        } else {
            text::local(one.closes, zone)
        };
        let span = format!("{} to {end}", text::date_time(opens.datetime()));
        match one.back.filter(|_| self.first.is_of_return()) {
            Some(back) => {
                let back = back.to_zoned(zone.clone());
                format!("{span}, all resumed by {}", text::time(&back))
            }
            None => span,
        }
    }

    /// How many are alike, and until when.
    fn count(&self) -> String {
        if self.is_later {
            return "the first change, later than 400 days ahead".to_owned();
        }
        match self.last {
            Some(last) if self.count > 1 => {
                let last = last.to_zoned(self.both.window.schedule.zone().clone());
                let day = text::day(last.date());
                format!("{} times, the last on {day}", self.count)
            }
            _ => String::new(),
        }
    }
}
