//! The calendar and the policy against an oracle that shares nothing with them: no time library, no cron crate, no
//! cleverness.
//!
//! The oracle walks a few days minute by minute, asks chrono-tz for the wall clock of each instant, and matches it
//! against the fields with a matcher of its own (`clock.rs`, `cron.rs`). A minute of the wall clock that comes twice is a
//! fold, one that is left out is a gap; the stated policies are applied to what it sees, which gives every occurrence of a
//! schedule on those days (`made.rs`). What a schedule, a window and a policy answer is compared with those lists
//! (`schedules.rs`, `windows.rs`). chrono-tz carries older zone tables than jiff, so only days are compared on which both
//! agree.
//!
//! `RECESS_ORACLE_ROUNDS=50 cargo test --release --test calendar oracle` looks harder.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono_tz::TZ_VARIANTS;
use jiff::tz::TimeZoneDatabase;
use recess::calendar::{Occurrence, Shift};

mod clock;
mod cron;
mod crontabs;
mod made;
mod schedules;
mod windows;

use crate::support::random::Random;
use clock::{Clock, Zone};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Every transition of these years is looked at.
const YEARS: Range<i64> = 2024..2033;

/// All occurrences that open so far around the centre of a walk are known.
const KNOWN: Range<i64> = -52 * HOUR..44 * HOUR;

/// Questions are asked so near to the centre.
const NEAR: i64 = 8 * HOUR;

/// The longest window. An opening that lasts into a question must be known.
const LONGEST: i64 = 26 * HOUR;

fn rounds() -> u64 {
    std::env::var("RECESS_ORACLE_ROUNDS").map_or(1, |text| {
        text.parse().expect("RECESS_ORACLE_ROUNDS is a number")
    })
}

/// Every zone that both libraries know, with the instants to look at.
fn zones(random: &mut Random) -> Vec<(Zone, Vec<i64>)> {
    let database = TimeZoneDatabase::bundled();
    let mut zones = Vec::new();
    let mut seen = BTreeSet::new();
    for &theirs in &TZ_VARIANTS {
        let Ok(ours) = database.get(theirs.name()) else {
            continue;
        };
        let zone = Zone { theirs, ours };
        let mut centres = zone.transitions();
        if centres.is_empty() {
            // One look is enough, at any time.
            centres.push((1_704_067_200 + random.below(9 * 365 * DAY)) / MINUTE * MINUTE);
        }
        // Under another name of a zone, or in one that changes with it, a few looks are enough.
        if !seen.insert(zone.behaviour()) && centres.len() > 5 && rounds() == 1 {
            centres = [(); 5].map(|()| *random.pick(&centres)).to_vec();
        }
        zones.push((zone, centres));
    }
    zones
}

#[test]
fn the_calendar_agrees_with_the_oracle() {
    let mut random = Random(0x5eed);
    let mut tally = Tally::default();
    let zones = zones(&mut random);
    for _ in 0..rounds() {
        for (zone, centres) in &zones {
            for &centre in centres {
                match Clock::watch(zone, centre) {
                    Some(clock) => schedules::round(zone, &clock, &mut random, &mut tally),
                    None => tally.disagreements += 1,
                }
                tally.zones.insert(zone.theirs.name());
            }
        }
    }
    tally.check(60_000);
}

#[test]
fn windows_and_policies_agree_with_the_oracle() {
    let mut random = Random(0xfeed);
    let mut tally = Tally::default();
    let zones = zones(&mut random);
    for _ in 0..rounds() {
        for (zone, centres) in &zones {
            // Some of the transitions of each zone: what a window does depends on the zone through its schedules only.
            for _ in 0..centres.len().min(2) {
                match Clock::watch(zone, *random.pick(centres)) {
                    Some(clock) => windows::round(zone, &clock, &mut random, &mut tally),
                    None => tally.disagreements += 1,
                }
                tally.zones.insert(zone.theirs.name());
            }
        }
    }
    tally.check(45_000);
    for count in [tally.paused, tally.tails, tally.excluded] {
        assert!(count >= 200 * rounds(), "only {count} of a kind");
    }
}

/// What was compared, so that a test that looks at nothing does not pass.
#[derive(Default)]
struct Tally {
    zones: BTreeSet<&'static str>,
    disagreements: u64,
    comparisons: u64,
    found: u64,
    gap: u64,
    first: u64,
    last: u64,
    excluded: u64,
    paused: u64,
    tails: u64,
}

impl Tally {
    fn count(&mut self, found: impl IntoIterator<Item = Occurrence>) {
        self.comparisons += 1;
        for occurrence in found {
            self.found += 1;
            match occurrence.shift {
                Some(Shift::Gap) => self.gap += 1,
                Some(Shift::First) => self.first += 1,
                Some(Shift::Last) => self.last += 1,
                None => {}
            }
        }
    }

    fn check(&self, at_least: u64) {
        let Self {
            comparisons,
            disagreements,
            found,
            gap,
            first,
            last,
            ..
        } = self;
        let zones = self.zones.len();
        println!(
            "{comparisons} comparisons in {zones} zones ({disagreements} times the zone tables differed): {found} \
             occurrences, {gap} opened out of a gap, {first} and {last} in folds"
        );
        if self.paused > 0 {
            let Self {
                paused,
                tails,
                excluded,
                ..
            } = self;
            println!("{paused} times paused, {tails} times in a tail, {excluded} times excluded");
        }
        assert!(zones >= 550, "{zones} zones");
        assert!(
            *comparisons >= at_least * rounds(),
            "{comparisons} comparisons"
        );
        for count in [gap, first, last] {
            assert!(*count >= 200 * rounds(), "only {count} of a kind");
        }
    }
}
