//! `recess overrides`: which there are.

use jiff::Timestamp;

use super::OverridesArgs;
use super::store::Store;
use crate::cli::table::{render, table_without};
use crate::cli::{Exit, Format, connection};
use crate::config::Config;
use crate::jetstream::bucket::BucketRead;
use crate::overrides::entry::Undoing;
use crate::overrides::listed::{Listed, State};
use crate::text;

pub fn execute(args: &OverridesArgs, wall: fn() -> Timestamp) -> Exit {
    let (config, store) = match Store::load(&args.config) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let read = match read(&config, &store) {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    let all = read.listed(&config.policy, wall());
    let is_over = |one: &Listed| one.state.is_over();
    let over = all.iter().filter(|one| is_over(one)).count();
    let shown: Vec<&Listed> = all.iter().filter(|one| args.all || !is_over(one)).collect();
    match args.format.format {
        Format::Json => crate::cli::print_json_rows(shown.iter().map(|one| one.row())).0,
        Format::Text => crate::cli::print(&text(&shown, over, args.all)),
    }
}

fn read(config: &Config, store: &Store) -> Result<BucketRead, Exit> {
    crate::cli::block_on(async {
        let (nats, _advisories) = connection::connect(config).await?;
        store.read(&nats).await
    })
}

fn text(shown: &[&Listed], over: usize, all: bool) -> String {
    let left_out = match over {
        _ if all => String::new(),
        0 => String::new(),
        1 => "1 that has ended or was undone: `recess overrides --all` lists it too.\n".to_owned(),
        count => format!(
            "{count} that have ended or were undone: `recess overrides --all` lists them too.\n"
        ),
    };
    if shown.is_empty() {
        let none = match all {
            true => "There is no override.\n",
            false => "No override is active or ahead.\n",
        };
        return none.to_owned() + &left_out;
    }
    let headings = [
        "ID",
        "STATE",
        "COMMAND",
        "ABOUT",
        "FROM (UTC)",
        "UNTIL (UTC)",
        "REASON",
    ];
    let mut rows = table_without(&headings, &["FROM (UTC)"]);
    for one in shown {
        let terms = one.one.as_ref().map(|one| &one.terms);
        let cell = |at: Option<Timestamp>| at.map_or_else(String::new, text::utc_cell);
        rows.add_row([
            one.id.clone(),
            one.state.as_str().to_owned(),
            terms.map_or("", |terms| terms.verb.as_str()).to_owned(),
            terms.map_or_else(String::new, |terms| terms.target.to_string()),
            cell(terms.map(|terms| terms.from)),
            cell(terms.map(|terms| terms.until)),
            why(one),
        ]);
    }
    let mut text = render(rows);
    if !left_out.is_empty() {
        text += &format!("\n{left_out}");
    }
    text
}

/// The author's reason, and what became of it since.
fn why(one: &Listed) -> String {
    if let Some(problem) = &one.problem {
        return problem.clone();
    }
    let reason = one.one.as_ref().and_then(|one| one.terms.reason.as_deref());
    let mut text = reason.unwrap_or_default().to_owned();
    if one.state == State::Idle {
        text += " (the config file has no such window)";
    }
    if let Some(Undoing { by, reason, at }) = &one.undone {
        let by = by.as_deref().map_or_else(
            || "its key was deleted".to_owned(),
            |by| format!("undone by {by}"),
        );
        let reason = reason
            .as_deref()
            .map_or_else(String::new, |reason| format!(": {reason}"));
        text += &format!(" ({by} {}{reason})", text::utc(*at));
    }
    text.trim_start().to_owned()
}
