//! Tables for people: aligned columns, cut to the terminal's width, nothing to strip in a pipe.

use std::os::fd::AsFd;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use terminal_size::terminal_size_of;

use crate::visible::visible;

/// What is left for a list in the last column, however narrow the terminal is.
const LIST_WIDTH: u16 = 24;

/// A table in the making. What is in it can hide or move nothing, whoever has named it.
pub struct Rows(Table);

impl Rows {
    /// One more line.
    pub fn add_row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter();
        self.0
            .add_row(cells.map(|cell| visible(&cell).into_owned()));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How many columns a terminal has; `None` if it is none.
pub fn terminal_width(stream: impl AsFd) -> Option<u16> {
    terminal_size_of(stream).map(|(width, _)| width.0)
}

/// An empty table with these headings.
pub fn table(headings: &[&str]) -> Rows {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(headings);
    if let Some(width) = terminal_width(std::io::stdout()) {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    Rows(table)
}

/// The table's lines, from the left margin and without the blanks that fill the last column.
pub fn render(Rows(mut table): Rows) -> String {
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        // A broken name is worse than a long line: only the last column, a list, is wrapped.
        column.set_constraint(if index < last {
            ColumnConstraint::ContentWidth
        } else {
            ColumnConstraint::LowerBoundary(Width::Fixed(LIST_WIDTH))
        });
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
