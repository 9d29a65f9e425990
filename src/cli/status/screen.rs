//! The page of a terminal: the sentence of the page in the browser, what is open and for how long,
//! what opens next, and the consumers, those that are not as they should be first.
//!
//! Pure: lines for a terminal of a size. Only as many consumers get a row as it has room for.

use std::time::Duration;

use super::consumers::{self, rank};
use super::stretches::{self, Stretch};
use crate::cli::table;
use crate::cli::terminal::full_screen::Size;
use crate::cli::terminal::line::{Charset, Line, Style};
use crate::consumer::ConsumerId;
use crate::jetstream::Link;
use crate::report::Row;
use crate::summary::{Facts, Level, Problem, Summary};
use crate::text::{self, rounded_span, with_plain_blanks};

#[cfg(test)]
mod tests;

/// So many of a kind are shown at least, if there are so many, however low the terminal is.
const FEWEST: usize = 3;

/// So many openings are shown.
const MOST_OPENINGS: usize = 3;

/// The columns of the longest name that others are aligned with.
const LONGEST_NAME: usize = 30;

/// What is shown.
#[derive(Clone, Copy)]
pub struct View<'v> {
    pub facts: Facts<'v>,
    /// When, on the clock of [`Row::seen`].
    pub uptime: Duration,
    pub charset: Charset,
}

/// The lines from the top. The last row says how to leave.
pub fn screen(view: &View<'_>, size: Size) -> Vec<Line> {
    let facts = &view.facts;
    let summary = Summary::of(facts);
    let mut lines = vec![head(view, size.width), Line::default()];
    lines.extend(verdict(view, &summary, size.width));
    let most = (size.height / 5).max(FEWEST);
    let problems = problems(view, &summary.problems, size.width);
    lines.extend(section("", problems, most));
    let open = stretches::open_windows(facts);
    lines.extend(section("OPEN", bars(view, &open, size.width), most));
    let overrides = stretches::overrides(facts).into_iter().map(|(_, one)| one);
    let overrides: Vec<Stretch> = overrides.collect();
    lines.extend(section(
        "OVERRIDES",
        bars(view, &overrides, size.width),
        most,
    ));
    // The sentence has the next opening as well, so a low terminal rather shows consumers.
    let consumers = (facts.report.rows.len() + 1).min(size.height / 3);
    let next = section("NEXT", openings(facts), MOST_OPENINGS);
    if lines.len() + next.len() + consumers + 2 <= size.height {
        lines.extend(next);
    }
    let left = size.height.saturating_sub(lines.len() + 2);
    if left > 1 {
        lines.push(Line::default());
        lines.extend(table(view, size.width, left));
    }
    lines.truncate(size.height.saturating_sub(1));
    lines.resize(size.height.saturating_sub(1), Line::default());
    lines.push(Line::of(Style::Faint, "q: quit"));
    lines
}

/// Which deployment, by which server, and the time.
fn head(view: &View<'_>, width: usize) -> Line {
    let Facts {
        report,
        config,
        now,
        ..
    } = view.facts;
    let server = match &report.link {
        Link::Up(server) => format!("nats-server {} at {}", server.version, server.address),
        Link::Down { .. } | Link::Unsuitable(_) => "not connected".to_owned(),
    };
    let head = Line::of(
        Style::Strong,
        format!("recess {}", report.policy.instance()),
    );
    let time = text::local(now, &config.zone);
    // The time is what a short line does without last.
    let room = width.saturating_sub(time.len() + 2);
    let head = match head.width() + server.len() + 2 <= room {
        true => head.and(Style::Plain, "  ").and(Style::Faint, server),
        false => head.fitted(room, view.charset),
    };
    let gap = width.saturating_sub(head.width() + time.len());
    head.and(Style::Plain, " ".repeat(gap))
        .and(Style::Plain, time)
}

fn style(level: Level) -> Style {
    match level {
        Level::Ok => Style::Good,
        Level::Look => Style::Warning,
        Level::Bad => Style::Bad,
    }
}

/// What stands in front of a sentence of that level. Colours say the same.
fn sign(level: Level, charset: Charset) -> String {
    match charset {
        Charset::Unicode => format!("{} ", level.glyph()),
        Charset::Ascii => format!("[{}] ", level.as_str()),
    }
}

/// Is all as it should be, until when, and what then.
fn verdict(view: &View<'_>, summary: &Summary, width: usize) -> Vec<Line> {
    let sign = sign(summary.level, view.charset);
    let line = Line::of(
        style(summary.level),
        sign + &with_plain_blanks(&summary.headline),
    );
    let outlook = summary.outlook.pieces().iter();
    let line = outlook.fold(line.and(Style::Plain, " "), |line, piece| {
        let style = match piece.is_strong {
            true => Style::Strong,
            false => Style::Plain,
        };
        line.and(style, with_plain_blanks(&piece.text))
    });
    line.wrapped(width)
}

/// What to check, and the command to type: behind it, or below it.
fn problems(view: &View<'_>, problems: &[Problem], width: usize) -> Vec<Vec<Line>> {
    let items = problems.iter().map(|problem| {
        let text = format!("{} {}.", problem.about, problem.text);
        let sign = sign(problem.level, view.charset);
        let text = Line::of(style(problem.level), sign + &with_plain_blanks(&text));
        let mut lines = text.wrapped(width);
        let last = lines.pop().unwrap_or_default();
        let command = Line::of(Style::Strong, &problem.command);
        lines.extend(beside_or_below(last, "  ", command, width));
        lines
    });
    items.collect()
}

/// One line where both fit into it.
fn beside_or_below(one: Line, gap: &str, other: Line, width: usize) -> Vec<Line> {
    let indented = |line: Line, by: &str, other: Line| {
        let line = line.and(Style::Plain, by);
        let pieces = other.pieces().iter();
        pieces.fold(line, |line, piece| line.and(piece.style, &piece.text))
    };
    match one.width() + gap.len() + other.width() <= width {
        true => vec![indented(one, gap, other)],
        false => vec![one, indented(Line::default(), "  ", other)],
    }
}

/// What is below a heading, less what is too much.
fn section(heading: &str, mut items: Vec<Vec<Line>>, most: usize) -> Vec<Line> {
    if items.is_empty() {
        return Vec::new();
    }
    let more = items.len().saturating_sub(most);
    if more > 0 {
        items.truncate(most);
        items.push(vec![Line::of(Style::Faint, format!("and {more} more"))]);
    }
    let heading = (!heading.is_empty()).then(|| Line::of(Style::Strong, heading));
    let head = [Line::default()].into_iter().chain(heading);
    head.chain(items.into_iter().flatten()).collect()
}

/// For each: how far it is, until when, and who decided so.
fn bars(view: &View<'_>, stretches: &[Stretch], width: usize) -> Vec<Vec<Line>> {
    let Facts { config, now, .. } = view.facts;
    let bar = match width {
        0..60 => 0,
        60..100 => 12,
        _ => 24,
    };
    let names: Vec<Line> = (stretches.iter())
        .map(|one| Line::of(Style::Plain, &one.name).fitted(LONGEST_NAME, view.charset))
        .collect();
    let longest = names.iter().map(Line::width).max().unwrap_or(0);
    let items = stretches.iter().zip(names).map(|(one, name)| {
        let elapsed = one.elapsed(now);
        let gap = " ".repeat(longest - name.width() + 2);
        let line = name.and(Style::Plain, gap);
        let line = match bar {
            0 => line,
            bar => (line.and(Style::Good, view.charset.progress_bar(bar, elapsed)))
                .and(Style::Plain, "  "),
        };
        let until = text::beside_with_zone(one.until, now, &config.zone);
        let left = rounded_span(one.until.duration_since(now));
        let text = format!("{:>3} %, until {until}, {left} left", elapsed / 10);
        let line = line.and(Style::Plain, text);
        match &one.note {
            Some(note) => beside_or_below(line, ", ", Line::of(Style::Plain, note), width),
            None => vec![line],
        }
    });
    items.collect()
}

fn openings(facts: &Facts<'_>) -> Vec<Vec<Line>> {
    let lines = facts.next_openings().into_iter().map(|(next, window)| {
        let name = &window.name;
        let when = text::beside_with_zone(next.opens, facts.now, &facts.config.zone);
        let ahead = rounded_span(next.opens.duration_since(facts.now));
        let lasts = rounded_span(next.closes.duration_since(next.opens));
        let text = format!("{name}  {when}, in {ahead}, for {lasts}");
        vec![Line::of(Style::Plain, text)]
    });
    lines.collect()
}

/// The consumers, the most urgent first, in at most `height` lines.
fn table(view: &View<'_>, width: usize, height: usize) -> Vec<Line> {
    let Facts {
        report,
        config,
        now,
        ..
    } = view.facts;
    let total = report.rows.len();
    // One line is the heading's, one says how many more there are.
    let shown = match total < height {
        true => total,
        false => height.saturating_sub(2),
    };
    let chosen = most_urgent(view, shown);
    if chosen.is_empty() {
        return Vec::new();
    }
    let until = format!("UNTIL ({})", text::abbreviation(now, &config.zone));
    let headings = consumers::headings(&until);
    let mut rows = table::unwrapped(&headings, &consumers::dispensable(&until), width);
    for (id, row) in &chosen {
        let until = |at| text::beside(at, now, &config.zone);
        rows.add_row(consumers::cells(report, id, row, view.uptime, until));
    }
    let mut lines = table::render_lines(rows).into_iter();
    let heading = lines.next().map(|line| Line::of(Style::Strong, line));
    let rows = lines.zip(&chosen).map(|(line, (_, row))| {
        let style = match rank(row, &view.facts) {
            consumers::Rank::Wrong(trouble) => style(trouble.level()),
            consumers::Rank::Unsettled => Style::Warning,
            consumers::Rank::Held | consumers::Rank::Free => Style::Plain,
        };
        Line::of(style, line)
    });
    let mut lines: Vec<Line> = heading.into_iter().chain(rows).collect();
    if total > shown {
        let more = total - shown;
        let fix = "a taller terminal, a pipe or --format json shows all";
        lines.push(Line::of(Style::Faint, format!("and {more} more: {fix}")));
    }
    lines
}

/// So many consumers, those that are wrong first, then those that are paused; of the same kind by
/// name.
fn most_urgent<'v>(view: &View<'v>, most: usize) -> Vec<(&'v ConsumerId, &'v Row)> {
    let mut ranked: Vec<_> = (view.facts.report.rows.iter())
        .map(|(id, row)| (rank(row, &view.facts), id, row))
        .collect();
    // A stable sort: the rows are in the order of names.
    ranked.sort_by_key(|(rank, ..)| *rank);
    ranked.truncate(most);
    ranked.into_iter().map(|(_, id, row)| (id, row)).collect()
}
