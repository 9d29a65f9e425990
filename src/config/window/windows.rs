//! The windows of the file, checked.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;

use super::conditions;
use super::exclusions::Exclusion;
use super::rule;
use super::timing::{self, TableKind};
use super::window_length::{self, MaxPause};
use crate::calendar::Schedule;
use crate::config::file::code;
use crate::config::file::findings::{Finding, Severity};
use crate::config::file::raw::{self, Entry, Placed, Texts};
use crate::config::losses;
use crate::config::value::length::duration_in;
use crate::config::value::names;
use crate::config::zone::ZoneDefaults;
use crate::policy::{OnLoss, Selection, Selector, SelectorError, Window};

/// A spread of less than a second is none; one of days would be a window.
const RESUME_SPREAD: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);

/// What windows take from the rest of the file.
pub struct Context<'c> {
    /// The zones.
    pub zones: &'c ZoneDefaults<'c>,
    /// The longest pause.
    pub max_pause: MaxPause<'c>,
    /// The exclusions.
    pub exclusions: &'c [Exclusion],
    /// What is done before messages are lost, where a window does not say.
    pub on_loss: OnLoss,
}

/// The windows. Those with a mistake are left out.
pub fn windows(
    raw: &Entry<Vec<raw::Window>>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Window> {
    let list = raw.given().map_or(&[][..], |list| &list.value);
    if list.is_empty() && !matches!(raw, Entry::Broken) {
        let message = "there is none, so recess pauses nothing";
        let finding = Finding::new(Severity::Warning, code::NO_WINDOWS, "window", message);
        findings.push(finding.hint("add one, with the header [[window]]"));
    }
    names::unique(list.iter().map(|raw| &raw.name), "window", findings);
    (list.iter().filter_map(|raw| window(raw, context, findings))).collect()
}

/// The window's name whose events would have the subjects of those about overrides.
const RESERVED_NAME: &str = "override";

/// Reports windows of a name that means something else where events are sent.
pub fn without_reserved_names(raw: &raw::File, findings: &mut Vec<Finding>) {
    let Some(subject) = raw.events.subject.given() else {
        return;
    };
    let windows = raw.windows.given().map_or(&[][..], |list| &list.value);
    let names = windows.iter().filter_map(|window| window.name.given());
    for name in names.filter(|name| name.value == RESERVED_NAME) {
        let message = "its events would have the subjects of those about overrides";
        let finding = name.place.error(code::RESERVED_NAME, message);
        let finding = finding.hint("choose another name, or take out subject in [events]");
        findings.push(finding.also(
            subject.place.span.clone(),
            "events are sent because of this",
        ));
    }
}

fn window(raw: &raw::Window, context: &Context<'_>, findings: &mut Vec<Finding>) -> Option<Window> {
    let name = (raw.name.given()).and_then(|text| names::name(text, findings));
    let selection = (raw.consumers.given()).and_then(|list| selection(list, findings));
    let narrowed = conditions::conditions(&raw.conditions, findings);
    let schedule = timing::schedule(&raw.timing, context.zones, TableKind::Window, findings);
    let limits = rule::limits(raw, findings);
    let resume_spread = match &raw.resume_spread {
        Entry::Absent => Some(SignedDuration::ZERO),
        spread @ (Entry::Broken | Entry::Given(_)) => (spread.given())
            .and_then(|text| duration_in(text, &RESUME_SPREAD, findings))
            .and_then(|spread| SignedDuration::try_from(spread).ok()),
    };
    let on_loss = losses::on_loss(&raw.on_loss, context.on_loss, findings);
    let schedule = match schedule {
        Some(Schedule::Recurring(rule)) => {
            limits.map(|limits| Schedule::Recurring(limits.apply(rule)))
        }
        other => other,
    };
    findings.extend(window_length::unusual(
        &raw.timing,
        schedule.as_ref(),
        context.max_pause,
    ));
    let schedule = schedule?;
    findings.extend(rule::never_opens(raw, &schedule));
    findings.extend(timing::endless(&raw.timing, &schedule, TableKind::Window));
    let mut window = Window::new(name?, schedule, selection?.narrowed(narrowed?));
    window.exclusions = (context.exclusions.iter())
        .filter(|exclusion| exclusion.concerns(&window.name))
        .map(|exclusion| exclusion.exclusion.clone())
        .collect();
    window.resume_spread = resume_spread?;
    window.on_loss = on_loss;
    Some(window)
}

fn selection(list: &Placed<Texts>, findings: &mut Vec<Finding>) -> Option<Selection> {
    let written = list.value.len();
    let selectors: Vec<Selector> = (list.value.iter())
        .filter_map(|text| selector(text, findings))
        .collect();
    let all_good = selectors.len() == written;
    let only_taken_away = selectors.iter().all(Selector::is_negated);
    let selection = all_good.then(|| Selection::new(selectors));
    let message = if written == 0 {
        "the list is empty, so the window pauses nothing"
    } else if all_good && only_taken_away {
        "all entries exclude (`!`), so the window pauses nothing"
    } else if selection.as_ref().is_some_and(Selection::leaves_nothing) {
        "the `!` entries exclude all that the others name, so the window pauses nothing"
    } else {
        let unused = selection.iter().flat_map(Selection::without_effect);
        findings.extend(unused.filter_map(|selector| excludes_nothing(selector, list)));
        return selection;
    };
    let hint = r#"name consumers as STREAM/CONSUMER, as in ["ORDERS/*", "!ORDERS/audit"]"#;
    findings.push(list.place.error(code::NO_CONSUMERS, message).hint(hint));
    None
}

/// A warning, as such an entry is probably misspelt: the consumers that it should exclude are
/// paused.
fn excludes_nothing(selector: &Selector, list: &Placed<Texts>) -> Option<Finding> {
    let text = list
        .value
        .iter()
        .find(|text| text.value == selector.as_str())?;
    let message = format!(
        "{:?} excludes nothing: no other entry matches it",
        text.value
    );
    let finding = text.place.warning(code::EXCLUDES_NO_CONSUMER, message);
    Some(finding.hint("check the spelling of stream and consumer, or remove the entry"))
}

fn selector(text: &Placed<String>, findings: &mut Vec<Finding>) -> Option<Selector> {
    let error = match Selector::parse(&text.value) {
        Ok(selector) => return Some(selector),
        Err(error) => error,
    };
    let (message, hint) = match error {
        SelectorError::Form => (
            format!("{:?} is {error}", text.value),
            as_path(&text.value).unwrap_or_else(|| {
                "write it as in ORDERS/billing, ORDERS/* or !ORDERS/audit".to_owned()
            }),
        ),
        SelectorError::Name(_) => (
            error.to_string(),
            "wildcards are *, ?, [abc] and {one,two}; these are streams and consumers, not subjects"
                .to_owned(),
        ),
        SelectorError::Glob { .. } => (
            error.to_string(),
            "wildcards are *, ?, [abc] and {one,two}: close every bracket".to_owned(),
        ),
    };
    findings.push(text.place.error(code::BAD_SELECTOR, message).hint(hint));
    None
}

/// The fix for a consumer as it is shown to people: `ORDERS > billing`.
fn as_path(text: &str) -> Option<String> {
    let path = text
        .split_once(" > ")
        .map(|(stream, consumer)| format!("{stream}/{consumer}"))?;
    Selector::parse(&path)
        .ok()
        .map(|_| format!("write {path:?}"))
}
