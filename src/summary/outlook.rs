//! Until when, and what then?

use jiff::Timestamp;

use super::{Facts, Prose};
use crate::policy::{Effect, Override};
use crate::text;
use crate::visible::visible;

/// The windows that are open, until when, and what opens next.
pub(super) fn outlook(facts: &Facts<'_>) -> Prose {
    let windows = &facts.report.windows;
    let mut open: Vec<(Timestamp, &str)> = (windows.iter())
        .filter_map(|window| Some((facts.open(window)?.closes, &*window.name)))
        .collect();
    open.sort();
    let next = (windows.iter())
        .filter_map(|window| Some((facts.next(window)?.opens, &*window.name)))
        .min();
    let prose = keeps(facts);
    match open.last() {
        Some((last, _)) => then(facts, open_now(facts, prose, &open), next, *last),
        None => closed(facts, by_hand(facts, prose), next),
    }
}

/// What becomes of pauses while recess cannot do anything about them.
fn keeps(facts: &Facts<'_>) -> Prose {
    match facts.is_connected() {
        true => Prose::default(),
        false => Prose::default().plain("Existing pauses end at their deadlines. "),
    }
}

fn open_now(facts: &Facts<'_>, prose: Prose, open: &[(Timestamp, &str)]) -> Prose {
    let Some((last, _)) = open.last() else {
        return prose;
    };
    let zone = &facts.config.zone;
    let until = text::beside(*last, facts.now, zone);
    let abbreviation = last.to_zoned(zone.clone()).strftime("%Z").to_string();
    let name = |(_, name): &(Timestamp, &str)| visible(name).into_owned();
    let prose = match open {
        [one] => prose.strong(name(one)).plain(" is open until "),
        [one, other] => (prose.strong(name(one)).plain(" and "))
            .strong(name(other))
            .plain(" are open, the last until "),
        [one, other, more @ ..] => (prose.strong(name(one)).plain(", "))
            .strong(name(other))
            .plain(format!(
                " and {} more are open, the last until ",
                more.len()
            )),
        [] => prose,
    };
    let left = text::countdown(*last, facts.now);
    prose
        .strong(until)
        .plain(format!(" {abbreviation}, in {left}."))
}

/// What comes after that.
fn then(
    facts: &Facts<'_>,
    prose: Prose,
    next: Option<(Timestamp, &str)>,
    last: Timestamp,
) -> Prose {
    let zone = &facts.config.zone;
    match next {
        None => prose.plain(" Then nothing is scheduled."),
        Some((opens, _)) if opens > last => prose.plain(format!(
            " Then nothing before {}.",
            text::beside(opens, facts.now, zone)
        )),
        Some((opens, name)) => prose
            .plain(" Next, ")
            .strong(visible(name))
            .plain(format!(" opens {}.", at(opens, facts))),
    }
}

/// Nothing is open.
fn closed(facts: &Facts<'_>, prose: Prose, next: Option<(Timestamp, &str)>) -> Prose {
    match next {
        None => prose.plain("No opening is ahead."),
        Some((opens, name)) => {
            let left = text::countdown(opens, facts.now);
            let zone = &facts.config.zone;
            let when = text::beside_with_zone(opens, facts.now, zone);
            prose
                .plain("Next, ")
                .strong(visible(name))
                .plain(" opens ")
                .plain(if is_today(opens, facts) { "at " } else { "" })
                .strong(when)
                .plain(format!(", in {left}."))
        }
    }
}

/// A pause that a person ordered, where no window is open.
fn by_hand(facts: &Facts<'_>, prose: Prose) -> Prose {
    let overrides = facts.report.policy.overrides().iter();
    let lasting = overrides.filter(|one| {
        let terms = &one.terms;
        terms.covers(facts.now) && terms.effect == Effect::Pause && terms.target.window().is_none()
    });
    let last = lasting.max_by_key(|one| one.terms.until);
    last.map_or_else(|| prose.clone(), |one| paused(facts, prose.clone(), one))
}

fn paused(facts: &Facts<'_>, prose: Prose, one: &Override) -> Prose {
    let until = one.terms.until;
    let when = text::beside_with_zone(until, facts.now, &facts.config.zone);
    let left = text::countdown(until, facts.now);
    prose
        .strong(visible(&one.terms.target.to_string()))
        .plain(" stays paused until ")
        .strong(when)
        .plain(format!(", in {left}, by {}. ", visible(one.id.author())))
}

/// `at 04:00`, `Sat 27 Mar 01:30`
fn at(at: Timestamp, facts: &Facts<'_>) -> String {
    let preposition = if is_today(at, facts) { "at " } else { "" };
    let when = text::beside(at, facts.now, &facts.config.zone);
    format!("{preposition}{when}")
}

fn is_today(at: Timestamp, facts: &Facts<'_>) -> bool {
    let date = |at: Timestamp| at.to_zoned(facts.config.zone.clone()).date();
    date(at) == date(facts.now)
}
