//! Tables for people: aligned columns, cut to the terminal's width, nothing to strip in a pipe.

use std::os::fd::AsFd;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use terminal_size::terminal_size_of;

use crate::visible::visible;

/// What is left for a list in the last column, however narrow the terminal is.
const LIST_WIDTH: u16 = 24;

/// The blanks between two columns.
const GAP: u16 = 2;

/// A table in the making. No name in it can hide or move text.
pub struct Rows {
    table: Table,
    /// The terminal's.
    width: Option<u16>,
    /// The columns that a narrow terminal does without, in this order.
    dispensable: Vec<usize>,
}

impl Rows {
    /// One more line.
    pub fn add_row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter();
        (self.table).add_row(cells.map(|cell| visible(&cell).into_owned()));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// How wide the columns are that are shown, with the blanks between them, if the last one is as
    /// narrow as it can be.
    fn needed(&self) -> u16 {
        let widths = self.table.column_max_content_widths();
        let last = widths.len().saturating_sub(1);
        let shown = widths.iter().enumerate().filter(|(index, _)| {
            !(self.table.column(*index)).is_some_and(comfy_table::Column::is_hidden)
        });
        let widths = shown.map(|(index, width)| match index == last {
            true => (*width).min(LIST_WIDTH),
            false => width + GAP,
        });
        widths.sum()
    }

    /// Leaves out what the terminal has no room for. Returns how many columns that were.
    fn narrow(&mut self) -> usize {
        let Some(width) = self.width else {
            return 0;
        };
        let mut left_out = 0;
        for index in self.dispensable.clone() {
            if self.needed() <= width {
                break;
            }
            if let Some(column) = self.table.column_mut(index) {
                column.set_constraint(ColumnConstraint::Hidden);
                left_out += 1;
            }
        }
        left_out
    }
}

/// How many columns a terminal has; `None` if it is none.
pub fn terminal_width(stream: impl AsFd) -> Option<u16> {
    terminal_size_of(stream).map(|(width, _)| width.0)
}

/// A table whose rows stay lines, for a screen of that width: what is too long is the screen's
/// business.
pub fn unwrapped(headings: &[&str], dispensable: &[&str], width: usize) -> Rows {
    Rows {
        width: Some(u16::try_from(width).unwrap_or(u16::MAX)),
        ..table_for(headings, dispensable, None)
    }
}

/// An empty table with these headings.
pub fn table(headings: &[&str]) -> Rows {
    table_without(headings, &[])
}

/// The same; of the columns with those headings a narrow terminal is spared as many as it has no
/// room for, the first first.
pub fn table_without(headings: &[&str], dispensable: &[&str]) -> Rows {
    table_for(headings, dispensable, terminal_width(std::io::stdout()))
}

pub(super) fn table_for(headings: &[&str], dispensable: &[&str], width: Option<u16>) -> Rows {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(headings);
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    let place = |heading: &&str| headings.iter().position(|one| one == heading);
    Rows {
        table,
        width,
        dispensable: dispensable.iter().filter_map(place).collect(),
    }
}

/// The table's lines, from the left margin and without the blanks that fill the last column.
pub fn render(mut rows: Rows) -> String {
    let left_out = rows.narrow();
    let mut text = String::new();
    for line in lines(rows) {
        text.push_str(&line);
        text.push('\n');
    }
    if left_out > 0 {
        let columns = if left_out == 1 { "column" } else { "columns" };
        text += &format!(
            "({left_out} {columns} left out: a wider terminal, a pipe or --format json shows all)\n"
        );
    }
    text
}

/// The same of an [`unwrapped`] table, a line for the headings and for each row.
pub fn render_lines(mut rows: Rows) -> Vec<String> {
    rows.narrow();
    lines(rows)
}

fn lines(rows: Rows) -> Vec<String> {
    let mut table = rows.table;
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP));
        if column.is_hidden() {
            continue;
        }
        // A broken name is worse than a long line: only the last column, a list, is wrapped.
        column.set_constraint(if index < last {
            ColumnConstraint::ContentWidth
        } else {
            ColumnConstraint::LowerBoundary(Width::Fixed(LIST_WIDTH))
        });
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect()
}
