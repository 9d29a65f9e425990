//! One property of an event: `DTSTART;TZID=Europe/Zurich:20261224T180000`. The one file that speaks
//! icalendar. Whole calendars are not left to it: it drops the lines' numbers, and adds a random
//! identifier and the time of day where there are none.

use icalendar::parser;

use super::Remark;
use super::lines::Line;

/// A property, its names in capitals.
pub struct Property {
    pub line: usize,
    pub name: String,
    parameters: Vec<(String, String)>,
    pub value: String,
}

impl Property {
    pub fn read(line: &Line) -> Result<Self, Remark> {
        let wrong = || {
            let hint = "a line is NAME:VALUE, or NAME;PARAMETER=VALUE:VALUE";
            Remark::new(line.number, "it cannot be read").hint(hint)
        };
        // The parser knows the values of names in capitals, and takes a name without a colon for a
        // property without a value.
        let text = with_name_in_capitals(&line.text).ok_or_else(wrong)?;
        let parsed = parser::Property::try_from(text.as_str()).map_err(|_| wrong())?;
        let parameters = parsed.params.iter().map(|parameter| {
            let value = parameter
                .val
                .as_ref()
                .map_or("", parser::ParseString::as_str);
            (
                parameter.key.as_str().to_ascii_uppercase(),
                value.to_owned(),
            )
        });
        Ok(Self {
            line: line.number,
            name: parsed.name.as_str().to_owned(),
            parameters: parameters.collect(),
            value: parsed.val.as_str().to_owned(),
        })
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.iter();
        let (_, value) = all.find(|(key, _)| key == name)?;
        Some(value)
    }

    pub fn mistake(&self, message: impl AsRef<str>) -> Remark {
        let message = format!("{}: {}", self.name, message.as_ref());
        Remark::new(self.line, message)
    }
}

/// A property of text as a line, folded where it is long, and with the end of the line.
pub fn write(name: &str, value: &str) -> String {
    let property = icalendar::Property::new(name, value);
    // It writes to a String, which cannot fail.
    property.try_into().unwrap_or_default()
}

/// The name that a line begins with, before `:` or the first `;`.
pub fn name(line: &str) -> Option<&str> {
    let (name, _) = line.split_at_checked(line.find([':', ';'])?)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!name.is_empty() && name.bytes().all(fits)).then_some(name)
}

/// `None` if it does not begin with a name, or has no value.
fn with_name_in_capitals(line: &str) -> Option<String> {
    let name = name(line)?;
    let rest = line.get(name.len()..)?;
    // A colon within quotes is none.
    rest.split('"')
        .step_by(2)
        .any(|part| part.contains(':'))
        .then(|| {
            let mut text = name.to_ascii_uppercase();
            text.push_str(rest);
            text
        })
}
