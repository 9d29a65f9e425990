//! A calendar as text, for calendar programs that fetch it again and again.

use std::fmt::Write;

use jiff::Timestamp;

use super::property;
use crate::visible::visible_lines;

/// An event of a calendar that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is identified by, the same whenever it is written.
    pub uid: String,
    /// When what it says was last decided.
    pub stamp: Timestamp,
    /// Its first instant.
    pub begins: Timestamp,
    /// The first instant after it.
    pub ends: Timestamp,
    /// What it is called.
    pub summary: String,
    /// More about it.
    pub description: String,
    /// It does not take place.
    pub is_cancelled: bool,
}

/// Writes a calendar of that name. The same entries make the same bytes.
pub fn write(name: &str, entries: impl IntoIterator<Item = Entry>) -> String {
    let mut text =
        String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//recess//recess//EN\r\n");
    text += "METHOD:PUBLISH\r\n";
    text += &line("X-WR-CALNAME", name);
    // RFC 7986, and what Outlook reads instead.
    text += "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\nX-PUBLISHED-TTL:PT1H\r\n";
    for entry in entries {
        text += "BEGIN:VEVENT\r\n";
        text += &line("UID", &entry.uid);
        for (name, at) in [
            ("DTSTAMP", entry.stamp),
            ("DTSTART", entry.begins),
            ("DTEND", entry.ends),
        ] {
            // Writing to a String cannot fail.
            let _ = write!(text, "{name}:{}\r\n", at.strftime("%Y%m%dT%H%M%SZ"));
        }
        text += &line("SUMMARY", &entry.summary);
        text += &line("DESCRIPTION", &entry.description);
        let status = if entry.is_cancelled {
            "CANCELLED"
        } else {
            "CONFIRMED"
        };
        let _ = write!(text, "STATUS:{status}\r\n");
        // A window makes no person busy.
        text += "TRANSP:TRANSPARENT\r\nEND:VEVENT\r\n";
    }
    text + "END:VCALENDAR\r\n"
}

fn line(name: &str, value: &str) -> String {
    property::write(name, &visible_lines(value))
}
