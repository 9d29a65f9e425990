//! The table of nights of `config/WINDOWS.md`, row by row.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use recess::config;
use recess::consumer::{Candidate, ConsumerId};

/// The cells of a row, without their backticks.
struct Night {
    schedule: String,
    length: String,
    zone: String,
    day: Date,
    /// `None`: not held at all.
    pause: Option<(Timestamp, Timestamp)>,
}

impl Night {
    fn read(row: &str) -> Self {
        let cells: Vec<String> = (row.split('|').skip(1))
            .map(|cell| cell.trim().replace('`', ""))
            .collect();
        let [schedule, length, zone, day, pause, ..] = cells.as_slice() else {
            panic!("{row}")
        };
        let instant = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text:?} in {row}"));
        Self {
            schedule: schedule.clone(),
            length: length.clone(),
            zone: zone.clone(),
            day: day.parse().unwrap_or_else(|_| panic!("{day:?} in {row}")),
            pause: (pause.split_once(" to ")).map(|(from, until)| (instant(from), instant(until))),
        }
    }

    fn config(&self) -> String {
        let key = if self.length.contains(':') {
            "until"
        } else {
            "duration"
        };
        format!(
            "instance = \"test\"\n[[window]]\nname = \"w\"\nconsumers = [\"ORDERS/billing\"]\n\
             schedule = {:?}\n{key} = {:?}\ntimezone = {:?}\n",
            self.schedule, self.length, self.zone
        )
    }
}

#[test]
fn every_night_in_the_table_is_held_as_it_says() {
    let document = include_str!("../../../config/WINDOWS.md");
    let (_, table) = document
        .split_once("| schedule | length |")
        .expect("the document has the table");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let nights: Vec<Night> = rows.map(Night::read).collect();
    assert!(nights.len() >= 14, "{}", nights.len());
    assert!(nights.iter().any(|night| night.pause.is_none()));
    for night in nights {
        let config = config::parse(Path::new("WINDOWS.md"), &night.config());
        let policy = config.unwrap_or_else(|error| panic!("{error}")).policy;
        let id = ConsumerId::new("ORDERS", "billing");
        let windows = policy.windows_of(&Candidate::named(&id));
        let zone = policy.windows()[0].schedule.zone().clone();
        let midnight = |day: Date| day.to_zoned(zone.clone()).unwrap().timestamp();
        let span = midnight(night.day)..midnight(night.day.tomorrow().unwrap());
        let pauses = policy.pauses(&id, &windows, span.start, span.end);
        let begun: Vec<_> = pauses
            .filter(|pause| span.contains(&pause.from))
            .map(|pause| (pause.from, pause.until))
            .collect();
        assert_eq!(begun, Vec::from_iter(night.pause), "{}", night.config());
    }
}
