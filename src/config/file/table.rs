//! Reading TOML tables key by key: the one module that knows the TOML crate. `table/value.rs` reads
//! the values.
//!
//! Each key is asked for by name and type; what is left in a table when all have been asked for is
//! an unknown key. So there is no list of known keys that could fall behind the code.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::code;
use super::findings::{Finding, Place, Severity};
use super::raw::{Entry, Placed};
use crate::config::suggest;

mod value;

use value::{Value, name_of};

/// A place where the text is not TOML.
pub struct SyntaxError {
    pub message: String,
    pub span: Range<usize>,
}

/// Parses a text as far as possible and has `read` ask for what it holds.
pub fn parse<R>(text: &str, read: fn(&mut Table<'_>) -> R) -> (R, Vec<Finding>, Vec<SyntaxError>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let errors = errors.iter().map(|error| SyntaxError {
        message: error.message().to_owned(),
        span: error.span().unwrap_or(0..0),
    });
    let place = Place {
        subject: String::new(),
        key: None,
        span: 0..0,
    };
    let mut findings = Vec::new();
    let file = Table::read(document.get_ref(), Kind::Top, place, &mut findings, read);
    (file, findings, errors.collect())
}

/// A table that is being read.
pub struct Table<'t> {
    entries: &'t DeTable<'t>,
    kind: Kind,
    place: Place,
    asked: Vec<&'static str>,
    /// What each key that the table has and recess does not know most likely means, if it is known.
    unknown: Vec<(&'t Spanned<DeString<'t>>, Option<&'static str>)>,
    findings: &'t mut Vec<Finding>,
}

/// What a table is called, and what its keys are called.
enum Kind {
    Top,
    /// With its whole name, as in `nats.tls`.
    Section(String),
    Element(&'static str),
}

impl<'t> Table<'t> {
    fn new(
        entries: &'t DeTable<'t>,
        kind: Kind,
        place: Place,
        findings: &'t mut Vec<Finding>,
    ) -> Self {
        Self {
            entries,
            kind,
            place,
            asked: Vec::new(),
            unknown: Vec::new(),
            findings,
        }
    }

    /// Reads a table, and reports its keys that recess does not know.
    fn read<R>(
        entries: &'t DeTable<'t>,
        kind: Kind,
        place: Place,
        findings: &'t mut Vec<Finding>,
        read: fn(&mut Table<'_>) -> R,
    ) -> R {
        let known = keys_of(read);
        let (there, absent): (Vec<_>, Vec<_>) =
            known.iter().partition(|key| entries.contains_key(**key));
        let meant = |word: &str| {
            suggest::closest_key(word, &absent).or_else(|| suggest::closest_key(word, &there))
        };
        let mut table = Table::new(entries, kind, place, findings);
        table.unknown = (entries.keys())
            .filter(|key| !known.contains(&&**key.get_ref()))
            .map(|key| (key, meant(key.get_ref())))
            .collect();
        let value = read(&mut table);
        table.report_unknown();
        value
    }

    /// Where the table itself stands.
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// A key that may be left out.
    pub fn optional<T: Value>(&mut self, key: &'static str, example: &str) -> Entry<T> {
        let Some(value) = self.ask(key) else {
            return self.absent(key);
        };
        let place = self.place_of(key, value.span());
        if is_unreadable(value) {
            return Entry::Broken;
        }
        match T::read(value, &place) {
            Ok(value) => Entry::Given(Placed { value, place }),
            Err(wrong) => {
                let message = format!("expected {}, found {}", wrong.expected, wrong.found);
                let place = self.place_of(key, wrong.span);
                self.findings.push(
                    place
                        .error(code::WRONG_TYPE, message)
                        .hint(format!("for example: {key} = {example}")),
                );
                Entry::Broken
            }
        }
    }

    /// A key that must be there.
    pub fn required<T: Value>(&mut self, key: &'static str, example: &str) -> Entry<T> {
        if !self.entries.contains_key(key) && !self.is_misspelt(key) {
            self.findings.push(
                self.place
                    .error(code::MISSING_KEY, format!("`{key}` is missing"))
                    .hint(format!("add a line such as: {key} = {example}")),
            );
        }
        self.optional(key, example)
    }

    /// A table within this one, `[key]`. One that is not there reads as an empty one.
    pub fn section<R>(&mut self, key: &'static str, read: fn(&mut Table<'_>) -> R) -> R {
        let empty = DeTable::new();
        let (entries, place) = self.open(key).unwrap_or_else(|| {
            let place = self.place_of(key, 0..0);
            (&empty, place)
        });
        self.walk(key, entries, place, read)
    }

    /// A table within this one that means something by being there.
    pub fn optional_section<R>(
        &mut self,
        key: &'static str,
        read: fn(&mut Table<'_>) -> R,
    ) -> Entry<R> {
        if !self.entries.contains_key(key) {
            self.asked.push(key);
            return self.absent(key);
        }
        let Some((entries, place)) = self.open(key) else {
            return Entry::Broken;
        };
        Entry::Given(Placed {
            value: self.walk(key, entries, place.clone(), read),
            place,
        })
    }

    /// The entries of a table within this one, if it is there and a table.
    fn open(&mut self, key: &'static str) -> Option<(&'t DeTable<'t>, Place)> {
        let value = self.ask(key)?;
        let place = self.place_of(key, value.span());
        if let DeValue::Table(entries) = value.get_ref() {
            return Some((entries, place));
        }
        let message = format!("expected a table, found {}", name_of(value.get_ref()));
        let hint = format!(
            "write its header as [{}], in single brackets",
            place.subject
        );
        (self.findings).push(place.error(code::WRONG_TYPE, message).hint(hint));
        None
    }

    fn walk<R>(
        &mut self,
        key: &str,
        entries: &DeTable<'_>,
        place: Place,
        read: fn(&mut Table<'_>) -> R,
    ) -> R {
        let name = match &self.kind {
            Kind::Top | Kind::Element(_) => key.to_owned(),
            Kind::Section(section) => format!("{section}.{key}"),
        };
        Table::read(entries, Kind::Section(name), place, self.findings, read)
    }

    /// A list of tables within this one, `[[key]]`.
    pub fn list<R>(&mut self, key: &'static str, read: fn(&mut Table<'_>) -> R) -> Entry<Vec<R>> {
        let Some(value) = self.ask(key) else {
            return self.absent(key);
        };
        let place = self.place_of(key, value.span());
        let hint = format!("write the header of each as [[{key}]], in double brackets");
        let DeValue::Array(elements) = value.get_ref() else {
            let found = name_of(value.get_ref());
            let message = format!("expected a list of tables, found {found}");
            (self.findings).push(place.error(code::WRONG_TYPE, message).hint(hint));
            return Entry::Broken;
        };
        let mut list = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            let DeValue::Table(entries) = element.get_ref() else {
                let message = format!("expected a table, found {}", name_of(element.get_ref()));
                let place = self.place_of(key, element.span());
                (self.findings).push(place.error(code::WRONG_TYPE, message).hint(&hint));
                continue;
            };
            let place = Place {
                subject: subject_of(key, index, entries),
                key: None,
                span: element.span(),
            };
            let kind = Kind::Element(key);
            list.push(Table::read(entries, kind, place, self.findings, read));
        }
        Entry::Given(Placed { value: list, place })
    }

    /// What there is to say about a key that the table does not have: another word in its place is
    /// reported by itself.
    fn absent<T>(&self, key: &str) -> Entry<T> {
        match self.is_misspelt(key) {
            true => Entry::Broken,
            false => Entry::Absent,
        }
    }

    fn is_misspelt(&self, key: &str) -> bool {
        (self.unknown.iter()).any(|(_, meant)| *meant == Some(key))
    }

    /// Reports the keys that recess does not know.
    fn report_unknown(self) {
        for (key, meant) in self.unknown {
            let name = shown(key.get_ref());
            let (subject, message) = match &self.kind {
                Kind::Top => (name.clone(), "there is no such key".to_owned()),
                Kind::Section(section) => (
                    format!("{section}.{name}"),
                    format!("there is no such key in [{section}]"),
                ),
                Kind::Element(list) => (
                    self.place.subject.clone(),
                    format!("there is no key `{name}` in [[{list}]]"),
                ),
            };
            let hint = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it can be one of: {}", self.asked.join(", ")),
            };
            self.findings.push(
                Finding::new(Severity::Error, code::UNKNOWN_KEY, &subject, &message)
                    .at(key.span())
                    .hint(hint),
            );
        }
    }

    fn ask(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.entries.get(key)
    }

    fn place_of(&self, key: &'static str, span: Range<usize>) -> Place {
        let (subject, key) = match &self.kind {
            Kind::Top => (key.to_owned(), None),
            Kind::Section(section) => (format!("{section}.{key}"), None),
            Kind::Element(_) => (self.place.subject.clone(), Some(key)),
        };
        Place { subject, key, span }
    }
}

/// The keys that `read` asks a table for.
fn keys_of<R>(read: fn(&mut Table<'_>) -> R) -> Vec<&'static str> {
    let place = Place {
        subject: String::new(),
        key: None,
        span: 0..0,
    };
    let (nothing, mut findings) = (DeTable::new(), Vec::new());
    let mut table = Table::new(&nothing, Kind::Top, place, &mut findings);
    read(&mut table);
    table.asked
}

/// Whether the parser could make nothing of a value, which it has reported, and puts another into
/// its place, which stands nowhere.
fn is_unreadable(value: &Spanned<DeValue<'_>>) -> bool {
    value.span().is_empty()
}

/// What an operator calls an element of a list: by its name, else by its number.
fn subject_of(list: &str, index: usize, entries: &DeTable<'_>) -> String {
    match entries.get("name").and_then(|name| name.get_ref().as_str()) {
        Some(name) if !name.trim().is_empty() => format!("{list} {}", shown(name)),
        _ => format!("{list} #{}", index + 1),
    }
}

/// A text of the file, fit for one line of a message.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
