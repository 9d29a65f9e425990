//! `recess open`, `close`, `extend` and `skip`: an override of one window.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::record::Recorder;
use super::store::{self, Store};
use super::{Follow, Followed, WayArgs, timeline};
use crate::bulk::{Bulk, BulkResult};
use crate::cli::arguments::too_short;
use crate::cli::{
    Exit, Format, complain, connection, no_such_window, print, print_error, print_json, terminal,
};
use crate::clock::Clock;
use crate::config::Config;
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::RequestError;
use crate::jetstream::nats::Nats;
use crate::observe::Observed;
use crate::overrides::command::{Command, Refusal};
use crate::overrides::listed::Listed;
use crate::plan::TOO_NEAR;
use crate::policy::{Effect, Interest, Override, Policy, Target, Verb};
use crate::text::{self, utc};

pub fn execute(way: &WayArgs, command: Command, wall: fn() -> Timestamp) -> Exit {
    prepare(way, command, wall).unwrap_or_else(|exit| exit)
}

/// What can be refused without a server, and then the rest.
fn prepare(way: &WayArgs, command: Command, wall: fn() -> Timestamp) -> Result<Exit, Exit> {
    let file = &way.config.config;
    let (config, store) = Store::load(&way.config)?;
    let reason = store::reason(way.note.reason.as_deref(), &config, file)?;
    if let Err(refusal) = command.terms(&config.policy, wall())
        && !refusal.may_be_overridden()
    {
        return Err(refused(&refusal, way, &config));
    }
    crate::cli::block_on(async {
        let (nats, _advisories) = connection::connect(&config).await?;
        let recorder = Recorder::open(store, &way.note, reason, &nats).await?;
        carry_out(way, &command, &config, &recorder, &nats, wall).await
    })
}

async fn carry_out(
    way: &WayArgs,
    command: &Command,
    config: &Config,
    recorder: &Recorder,
    nats: &Nats,
    wall: fn() -> Timestamp,
) -> Result<Exit, Exit> {
    let targets = [command.target()];
    let survey = Survey::of(&targets, config, nats, wall).await;
    let now = survey.server_now;
    let before = recorder.before(config, now);
    let terms = command.terms(&before, now);
    let terms = terms.map_err(|refusal| refused(&refusal, way, config))?;
    if terms.verb == Verb::Open && terms.until.duration_since(now) <= TOO_NEAR {
        complain(format!("error: {}", too_short()));
        return Err(Exit::Usage);
    }
    if way.dry_run {
        let draft = recorder.draft(terms, now);
        let after = store::overridden(&config.policy, &recorder.with(&draft), now);
        return Ok(preview(way, &draft, (&before, &after), &survey, now));
    }
    let count = survey.consumers.len();
    let question = format!(
        "`recess {} {}` concerns {count} consumers. Go on?",
        terms.verb.as_str(),
        terms.target
    );
    let asked = wall();
    if !terminal::is_agreed(&question, count, way.yes) {
        complain("nothing was written");
        return Err(Exit::Failed);
    }
    // The question may have been answered long after it was asked.
    let now = now.checked_add(wall().duration_since(asked)).unwrap_or(now);
    let terms = command.terms(&before, now);
    let terms = terms.map_err(|refusal| refused(&refusal, way, config))?;
    let one = recorder.write(nats, terms, now).await?;
    let read = recorder.with(&one);
    let after = store::overridden(&config.policy, &read, now);
    let what = format!("{} {}", done(one.terms.verb), one.terms.target);
    let follow = Follow {
        nats,
        config,
        read,
        wall,
    };
    let followed = follow_to_the_end(&follow, &survey, &what, &one.id.to_string()).await?;
    let listed = Listed::live(one.clone(), &config.policy, now);
    let shown = match way.format.format {
        Format::Json => print_json(&listed.row()),
        Format::Text => {
            let mut text = format!("{what} ({}).\n", one.id);
            text += &timeline::lines(&before, &after, &one, now).unwrap_or_default();
            text += &consumers(&followed);
            text += &format!(
                "{} To undo it: recess undo {}\n",
                ends(&one, &after),
                one.id
            );
            print(&text)
        }
    };
    Ok(match (shown, report(&followed)) {
        (Exit::Done, false) => Exit::Failed,
        (exit, _) => exit,
    })
}

/// Says why a command cannot be carried out, and what to do instead.
fn refused(refusal: &Refusal, way: &WayArgs, config: &Config) -> Exit {
    let hint = match refusal {
        Refusal::NoWindow { window } => {
            complain(format!(
                "error: {}",
                no_such_window(window, &way.config, config)
            ));
            return Exit::Usage;
        }
        Refusal::TooLong { .. } => format!(
            ": pause for less, or raise max_pause in [controller] of {}",
            way.config.config.display()
        ),
        Refusal::NotOpen { window, .. } => format!(
            ": `recess open {window} --for LENGTH` opens it now, `recess skip {window}` leaves out its next opening"
        ),
        Refusal::LeftOut { by, .. } => format!(": `recess undo {by}` takes that back"),
        Refusal::Open { .. }
        | Refusal::NeverOpens { .. }
        | Refusal::NotThatDay { .. }
        | Refusal::Past { .. }
        | Refusal::NoLater { .. }
        | Refusal::NothingHolds => String::new(),
    };
    complain(format!("error: {refusal}{hint}"));
    match refusal.lacks_an_opening() {
        true => Exit::Reported,
        false => Exit::Usage,
    }
}

fn preview(
    way: &WayArgs,
    draft: &Arc<Override>,
    (before, after): (&Policy, &Policy),
    survey: &Survey,
    now: Timestamp,
) -> Exit {
    if way.format.format == Format::Json {
        let listed = Listed::live(draft.clone(), before, now);
        return print_json(&listed.would());
    }
    let mut text = format!(
        "Nothing was written. `recess {} {}` would {} from {} until {}:\n",
        draft.terms.verb.as_str(),
        draft.terms.target,
        match draft.terms.effect {
            Effect::Pause => "hold its consumers",
            Effect::Run => "let its consumers run",
        },
        utc(draft.terms.from),
        utc(draft.terms.until)
    );
    text += &timeline::lines(before, after, draft, now).unwrap_or_default();
    text += &format!(
        "{}.\n",
        counted(survey.consumers.len(), "is", "are") + " concerned"
    );
    print(&text)
}

/// `3 consumers are`.
fn counted(count: usize, one: &str, more: &str) -> String {
    match count {
        1 => format!("1 consumer {one}"),
        count => format!("{count} consumers {more}"),
    }
}

fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Open => "Opened",
        Verb::Close => "Closed",
        Verb::Extend => "Extended",
        Verb::Skip => "Skipped",
        Verb::Pause => "Paused",
        Verb::Resume => "Resumed",
    }
}

/// When the override ends, by the clocks of its window.
fn ends(one: &Override, policy: &Policy) -> String {
    let window = one.terms.target.window();
    let until = match window.and_then(|name| policy.window(name)) {
        Some(window) => text::local(one.terms.until, window.schedule.zone()),
        None => utc(one.terms.until),
    };
    format!("The override ends by itself: {until}.")
}

/// The consumers that an override is about, as far as they can be observed.
pub(super) struct Survey {
    /// Those that exist.
    pub consumers: BTreeSet<ConsumerId>,
    /// The server's clock.
    pub server_now: Timestamp,
    /// Why not all are known.
    failures: Vec<(String, RequestError)>,
}

impl Survey {
    pub async fn of(
        targets: &[Target],
        config: &Config,
        nats: &Nats,
        wall: fn() -> Timestamp,
    ) -> Self {
        let mut survey = Self {
            consumers: BTreeSet::new(),
            server_now: Clock::new(wall).now().wall,
            failures: Vec::new(),
        };
        let interests =
            (targets.iter()).filter_map(|target| interest(target, &config.policy, wall()));
        for interest in interests {
            let most = config.settings.controller.max_in_flight;
            let clock = Clock::new(wall);
            let mut bulk = Bulk::new(nats.clone(), clock, interest, config.policy.clone(), most);
            let Observed { failures, .. } = bulk.survey().await;
            survey.server_now = bulk.server_now();
            let present = (bulk.rows().iter()).filter(|(_, row)| row.found != Found::Missing);
            survey.consumers.extend(present.map(|(id, _)| id.clone()));
            let failures = failures.into_iter();
            survey
                .failures
                .extend(failures.map(|one| (one.subject, one.error)));
        }
        survey
    }
}

/// Which consumers a target names; none for a window that the config file does not have.
fn interest(target: &Target, policy: &Policy, now: Timestamp) -> Option<Interest> {
    Some(match target {
        Target::Consumers(selection) => Interest::of(selection.clone()).pausable(policy, now),
        Target::Window(name) => {
            let selection = policy.window(name)?.selection.clone();
            Interest::of(selection).without_exempt(policy, now)
        }
    })
}

/// Sees it through, or until a person has enough; what was written stays.
pub(super) async fn follow_to_the_end(
    follow: &Follow<'_>,
    survey: &Survey,
    what: &str,
    ids: &str,
) -> Result<Followed, Exit> {
    for (subject, error) in &survey.failures {
        print_error(&format!(
            "note: cannot observe {subject}: {error}; whether its consumers follow is not known"
        ));
    }
    let mut followed = Followed::default();
    let finished =
        terminal::until_interrupted(follow.through(survey.consumers.clone(), &mut followed))
            .await?;
    if !finished {
        complain(format!(
            "interrupted: {what} ({ids}) is written and counts; not all consumers were seen to follow"
        ));
        return Err(Exit::Interrupted);
    }
    Ok(followed)
}

/// What the consumers do now, in a line.
pub(super) fn consumers(followed: &Followed) -> String {
    let paused = (followed.rows.values())
        .filter(|row| row.found.is_paused())
        .count();
    let all = followed.rows.len();
    match all {
        0 => String::new(),
        _ if paused == 0 => format!("  {} delivering.\n", counted(all, "is", "are")),
        _ if paused == all => format!("  {} paused.\n", counted(all, "is", "are")),
        _ => format!("  {paused} of {all} consumers are paused.\n"),
    }
}

/// Complains of those that are not as wanted; true where there is none.
pub(super) fn report(followed: &Followed) -> bool {
    let wrong = (followed.results.iter()).filter_map(|(id, result)| {
        let why = match result {
            BulkResult::Done | BulkResult::Untouched | BulkResult::Missing => return None,
            BulkResult::Failed(error) => {
                format!("no daemon acted on it within 1 s, and this command cannot: {error}")
            }
            BulkResult::Unconfirmed => {
                "the server accepted the request and does not show it".to_owned()
            }
            BulkResult::Waiting
            | BulkResult::Undone
            | BulkResult::TooLate
            | BulkResult::Unknown => "it could not be observed".to_owned(),
        };
        Some(format!("error: {id} is not as wanted: {why}"))
    });
    let (wrong, more) = text::first_few(wrong, 5);
    for line in &wrong {
        complain(line);
    }
    if more > 0 {
        complain(format!("error: and {more} more"));
    }
    wrong.is_empty()
}
