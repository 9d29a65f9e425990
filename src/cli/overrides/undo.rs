//! `recess undo`: overrides are ended early.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::record::Recorder;
use super::store::{self, Store};
use super::window::{self, Survey};
use super::{Follow, UndoArgs, timeline};
use crate::cli::{Exit, Format, complain, connection, print, print_error, print_json, terminal};
use crate::config::{Config, closest};
use crate::jetstream::bucket::{BucketError, BucketRead};
use crate::jetstream::nats::{Nats, Undid};
use crate::overrides::entry::{Undoing, Undone};
use crate::overrides::listed::Listed;
use crate::policy::{Effect, Override, Policy, Target};
use crate::text::{self, utc};
use crate::visible::visible;

pub fn execute(args: &UndoArgs, wall: fn() -> Timestamp) -> Exit {
    prepare(args, wall).unwrap_or_else(|exit| exit)
}

fn prepare(args: &UndoArgs, wall: fn() -> Timestamp) -> Result<Exit, Exit> {
    let (config, store) = Store::load(&args.way.config)?;
    let given = args.way.note.reason.as_deref().map(str::trim);
    let reason = given.filter(|text| !text.is_empty()).map(Arc::from);
    crate::cli::block_on(async {
        let (nats, _advisories) = connection::connect(&config).await?;
        let recorder = Recorder::open(store, &args.way.note, reason, &nats).await?;
        carry_out(args, &config, &recorder, &nats, wall).await
    })
}

async fn carry_out(
    args: &UndoArgs,
    config: &Config,
    recorder: &Recorder,
    nats: &Nats,
    wall: fn() -> Timestamp,
) -> Result<Exit, Exit> {
    let file = &args.way.config.config;
    let read = recorder.read();
    let found: Vec<_> = (args.ids.iter())
        .map(|id| find(id, read, wall(), file))
        .collect();
    // Half of them is worse than none: whoever ordered it believes that it was done.
    for why in found.iter().filter_map(|one| one.as_ref().err()) {
        complain(format!("error: {why}"));
    }
    let found: Result<Vec<Arc<Override>>, String> = found.into_iter().collect();
    let mut overrides = found.map_err(|_| nothing_written())?;
    overrides.dedup_by(|one, other| one.id == other.id);
    let targets: Vec<Target> = (overrides.iter())
        .map(|one| one.terms.target.clone())
        .collect();
    let survey = Survey::of(&targets, config, nats, wall).await;
    let now = survey.server_now;
    let before = recorder.before(config, now);
    let undoing = Undoing {
        by: Some(recorder.author().to_owned()),
        reason: recorder.reason().map(str::to_owned),
        at: now,
    };
    let undone: Vec<Undone> = (overrides.iter())
        .map(|one| Undone {
            id: one.id.clone(),
            was: Some(Override::clone(one)),
            undoing: undoing.clone(),
        })
        .collect();
    let left = without(read, &undone);
    let after = store::overridden(&config.policy, &left, now);
    if args.way.dry_run {
        return Ok(preview(args, &overrides, (&before, &after), now));
    }
    let question = format!("Undo what concerns {} consumers?", survey.consumers.len());
    if !terminal::is_agreed(&question, survey.consumers.len(), args.way.yes) {
        return Err(nothing_written());
    }
    for one in &overrides {
        let kept = recorder.kept(one.terms.until, now);
        let written = nats.undo_override(recorder.bucket(), one, &undoing, kept);
        match written.await.map_err(|error| refused(error, one))? {
            Undid::WithWords => {}
            Undid::WithoutWords => print_error(&format!(
                "note: the bucket is full, so it does not keep the user and the reason of undoing {}",
                one.id
            )),
        }
    }
    let follow = Follow {
        nats,
        config,
        read: left,
        wall,
    };
    let ids: Vec<String> = overrides.iter().map(|one| one.id.to_string()).collect();
    let followed = window::follow_to_the_end(&follow, &survey, "undo", &ids.join(", ")).await?;
    let undone: Vec<Listed> = undone.iter().map(Listed::undone).collect();
    let shown = match args.way.format.format {
        Format::Json => json(&undone),
        Format::Text => {
            let mut text = summary(&overrides, "Undone", (&before, &after), now);
            text += &window::consumers(&followed);
            print(&text)
        }
    };
    Ok(match (shown, window::report(&followed)) {
        (Exit::Done, false) => Exit::Failed,
        (exit, _) => exit,
    })
}

fn nothing_written() -> Exit {
    complain("nothing was undone");
    Exit::Failed
}

/// The override of that name, or why it cannot be undone.
fn find(id: &str, read: &BucketRead, now: Timestamp, file: &Path) -> Result<Arc<Override>, String> {
    let live = |one: &&Arc<Override>| one.id.to_string() == *id;
    if let Some(one) = read.live.iter().find(live) {
        return match one.terms.until <= now {
            true => Err(format!(
                "override {id} has ended at {}",
                utc(one.terms.until)
            )),
            false => Ok(one.clone()),
        };
    }
    if let Some(undone) = read.undone.iter().find(|one| one.id.to_string() == *id) {
        let Undoing { by, at, .. } = &undone.undoing;
        let by = by
            .as_deref()
            .map_or_else(String::new, |by| format!(" by {}", visible(by)));
        return Err(format!("override {id} was undone{by} at {}", utc(*at)));
    }
    if read.unreadable.iter().any(|one| one.id == *id) {
        return Err(format!(
            "override {} cannot be read and does not count; `nats kv purge BUCKET INSTANCE.{0}` removes it",
            visible(id)
        ));
    }
    let lasting: Vec<String> = (read.live.iter())
        .filter(|one| now < one.terms.until)
        .map(|one| one.id.to_string())
        .collect();
    // Without the author, or nearly right.
    let ends = |full: &&String| full.ends_with(&format!(".{id}"));
    let near = lasting.iter().find(ends).map(String::as_str);
    let near = near.or_else(|| closest(id, lasting.iter().map(String::as_str)));
    let hint = match (near, lasting.is_empty()) {
        (Some(near), _) => format!("; did you mean {near}?"),
        (None, true) => "; no override is active or ahead".to_owned(),
        (None, false) => format!(
            "; `recess overrides --config {}` lists them",
            file.display()
        ),
    };
    Err(format!("there is no override {}{hint}", visible(id)))
}

/// What the bucket has once these are undone.
fn without(read: &BucketRead, undone: &[Undone]) -> BucketRead {
    let mut read = read.clone();
    (read.live).retain(|one| !undone.iter().any(|undone| undone.id == one.id));
    read.undone.extend_from_slice(undone);
    // Each of them is written once more.
    let written = u64::try_from(undone.len()).unwrap_or_default();
    read.up_to = read.up_to.map(|up_to| up_to.saturating_add(written));
    read
}

/// Says why it was not undone; of another operator's, what to do instead.
fn refused(error: BucketError, one: &Override) -> Exit {
    let denied = matches!(error, BucketError::Denied { .. });
    complain(format!("error: override {} is not undone: {error}", one.id));
    if denied {
        let what = one.terms.target.to_string();
        let instead = match (&one.terms.target, one.terms.effect) {
            (Target::Window(_), Effect::Pause) => format!("recess close {what}"),
            (Target::Window(_), Effect::Run) => {
                format!("recess open {what} --until {}", utc(one.terms.until))
            }
            (Target::Consumers(_), Effect::Pause) => format!("recess resume {}", quoted(&what)),
            (Target::Consumers(_), Effect::Run) => {
                format!(
                    "recess pause {} --until {}",
                    quoted(&what),
                    utc(one.terms.until)
                )
            }
        };
        complain(format!(
            "only {} may undo it. The last override counts, so write a newer one: `{instead} --reason 'TEXT'`",
            visible(one.id.author())
        ));
    }
    Exit::Failed
}

/// `'ORDERS/*' '!ORDERS/audit'`
fn quoted(selectors: &str) -> String {
    let quoted = selectors.split(' ').map(text::shell_argument);
    quoted.collect::<Vec<_>>().join(" ")
}

fn json(undone: &[Listed]) -> Exit {
    match undone {
        [one] => print_json(&one.row()),
        many => print_json(&many.iter().map(Listed::row).collect::<Vec<_>>()),
    }
}

fn preview(
    args: &UndoArgs,
    overrides: &[Arc<Override>],
    (before, after): (&Policy, &Policy),
    now: Timestamp,
) -> Exit {
    let live = |one: &Arc<Override>| Listed::live(one.clone(), before, now);
    match args.way.format.format {
        Format::Json => json(&overrides.iter().map(live).collect::<Vec<_>>()),
        Format::Text => {
            let text = summary(overrides, "Would undo", (before, after), now);
            print(&format!("Nothing was written.\n{text}"))
        }
    }
}

fn summary(
    overrides: &[Arc<Override>],
    what: &str,
    (before, after): (&Policy, &Policy),
    now: Timestamp,
) -> String {
    let mut text = String::new();
    for one in overrides {
        text += &format!(
            "{what}: {}, {} {}, which lasted until {}.\n",
            one.id,
            one.terms.verb.as_str(),
            one.terms.target,
            utc(one.terms.until)
        );
        text += &timeline::lines(before, after, one, now).unwrap_or_default();
    }
    text
}
