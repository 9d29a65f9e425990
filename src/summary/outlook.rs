//! Until when, and what then?

use jiff::Timestamp;

use super::{Facts, Prose};
use crate::policy::{Effect, Override};
use crate::text;
use crate::visible::visible;

/// The windows that are open, until when, and what opens next.
pub(super) fn outlook(facts: &Facts<'_>) -> Prose {
    let open = facts.open_windows();
    let next = facts.next_openings();
    let next = (next.first()).map(|(next, window)| (next.opens, &*window.name));
    let prose = keeps(facts);
    match open.last() {
        Some((last, _)) => {
            let names: Vec<String> = (open.iter())
                .map(|(_, window)| visible(&window.name).into_owned())
                .collect();
            let prose = open_now(facts, prose, &names, last.closes);
            then(facts, prose, next, last.closes)
        }
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

/// The windows of these names are open, the last of them until then.
fn open_now(facts: &Facts<'_>, prose: Prose, names: &[String], last: Timestamp) -> Prose {
    let zone = &facts.config.zone;
    let prose = match names {
        [] => prose,
        [one] => prose.strong(one).plain(" is open until "),
        [one, other] => (prose.strong(one).plain(" and "))
            .strong(other)
            .plain(" are open, the last until "),
        [one, other, more @ ..] => prose.strong(one).plain(", ").strong(other).plain(format!(
            " and {} more are open, the last until ",
            more.len()
        )),
    };
    let left = text::countdown(last, facts.now);
    prose
        .strong(text::beside(last, facts.now, zone))
        .plain(format!(" {}, in {left}.", text::abbreviation(last, zone)))
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
        Some((opens, name)) => prose.plain(" Next, ").strong(visible(name)).plain(format!(
            " opens {}{}.",
            preposition(opens, facts),
            text::beside(opens, facts.now, zone)
        )),
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
                .plain(format!(" opens {}", preposition(opens, facts)))
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
    match lasting.max_by_key(|one| one.terms.until) {
        Some(last) => paused(facts, prose, last),
        None => prose,
    }
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

/// What stands before an instant: `at 04:00`, `Sat 27 Mar 01:30`
fn preposition(at: Timestamp, facts: &Facts<'_>) -> &'static str {
    if is_today(at, facts) { "at " } else { "" }
}

fn is_today(at: Timestamp, facts: &Facts<'_>) -> bool {
    let date = |at: Timestamp| at.to_zoned(facts.config.zone.clone()).date();
    date(at) == date(facts.now)
}
