//! Prometheus' text format 0.0.4, as the prometheus crate's own encoder writes it
//! (`exposition/tests.rs` compares the two).

use std::io::Write;

use super::family::Family;

/// What all names begin with.
pub const PREFIX: &str = "recess_";

/// The series of one family, written one after the other.
pub struct Series<'o> {
    out: &'o mut Vec<u8>,
    family: &'static Family,
    is_headed: bool,
}

impl<'o> Series<'o> {
    /// Writes series of that family; it is headed already where some of them were written before.
    pub fn of(out: &'o mut Vec<u8>, family: &'static Family, is_headed: bool) -> Self {
        Self {
            out,
            family,
            is_headed,
        }
    }

    /// Whether there were any: a family without series has no head either.
    pub fn is_headed(&self) -> bool {
        self.is_headed
    }

    /// How much there is to be sent.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Writes a series; its labels are in the order of their names.
    pub fn add<L: AsRef<str>>(&mut self, labels: &[L], value: f64) {
        if !self.is_headed {
            self.head();
        }
        self.text(PREFIX);
        self.text(self.family.name);
        let mut separator = "{";
        for (name, label) in self.family.labels.iter().zip(labels) {
            self.text(separator);
            self.text(name);
            self.text("=\"");
            self.escaped(label.as_ref(), true);
            self.text("\"");
            separator = ",";
        }
        if !self.family.labels.is_empty() {
            self.text("}");
        }
        self.value(value);
    }

    fn head(&mut self) {
        self.is_headed = true;
        let Family {
            name, help, kind, ..
        } = *self.family;
        for part in ["# HELP ", PREFIX, name, " "] {
            self.text(part);
        }
        self.escaped(help, false);
        for part in ["\n# TYPE ", PREFIX, name, " ", kind.as_str(), "\n"] {
            self.text(part);
        }
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Most names have nothing to escape, and are copied whole.
    fn escaped(&mut self, text: &str, quotes_too: bool) {
        let is_special = |byte: &u8| matches!(byte, b'\\' | b'\n') || (quotes_too && *byte == b'"');
        let mut rest = text.as_bytes();
        while let Some((plain, [special, after @ ..])) =
            (rest.iter().position(is_special)).and_then(|place| rest.split_at_checked(place))
        {
            self.out.extend_from_slice(plain);
            let letter = if *special == b'\n' { b'n' } else { *special };
            self.out.extend_from_slice(&[b'\\', letter]);
            rest = after;
        }
        self.out.extend_from_slice(rest);
    }

    /// Most values are zero or one.
    fn value(&mut self, value: f64) {
        match value.to_bits() {
            ZERO => self.text(" 0\n"),
            ONE => self.text(" 1\n"),
            // Writing to memory does not fail.
            _ => drop(writeln!(self.out, " {value}")),
        }
    }
}

const ZERO: u64 = 0.0_f64.to_bits();

const ONE: u64 = 1.0_f64.to_bits();
