//! The file as written: its tables and keys, each value with its place. No defaults, no checks, no
//! logic.
//!
//! [`super::read`] fills it in, the rooms beside this one make sense of it. A key that is added to
//! recess begins here.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use super::findings::Place;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    pub value: T,
    pub place: Place,
}

/// What the file says about one key.
#[derive(Clone, Debug)]
pub enum Entry<T> {
    /// Nothing.
    Absent,
    /// Something that is not of the key's type; that has been reported.
    Broken,
    /// A value of the right type.
    Given(Placed<T>),
}

impl<T> Entry<T> {
    pub fn given(&self) -> Option<&Placed<T>> {
        match self {
            Self::Given(placed) => Some(placed),
            Self::Absent | Self::Broken => None,
        }
    }

    /// Where it stands, if the file has it.
    pub fn place(&self) -> Option<&Place> {
        self.given().map(|placed| &placed.place)
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A list of texts, each with its own place.
pub type Texts = Vec<Placed<String>>;

/// Conditions on metadata, each with its own place.
#[derive(Clone, Debug)]
pub struct Conditions(pub Vec<Condition>);

/// A condition on one key: any of these. One text alone is a list of it.
#[derive(Clone, Debug)]
pub struct Condition {
    pub key: Placed<String>,
    pub any_of: Placed<Texts>,
}

/// A date or a time, in one of the ways to write it.
#[derive(Clone, Debug)]
pub enum DateTimeValue {
    /// Text in quotes, whatever it says.
    Text(String),
    Time(Time),
    Date(Date),
    /// A date and a time without an offset.
    Local(DateTime),
    /// A date and a time with an offset.
    Instant(Timestamp),
}

impl DateTimeValue {
    pub fn has_date(&self) -> bool {
        matches!(self, Self::Date(_) | Self::Local(_) | Self::Instant(_))
    }
}

#[derive(Debug)]
pub struct File {
    pub instance: Entry<String>,
    pub nats: Nats,
    pub http: Http,
    pub controller: Controller,
    pub events: Events,
    pub overrides: Overrides,
    pub defaults: Defaults,
    pub windows: Entry<Vec<Window>>,
    pub exclusions: Entry<Vec<Exclusion>>,
}

#[derive(Debug)]
pub struct Nats {
    pub servers: Entry<Texts>,
    pub context: Entry<String>,
    pub credentials: Entry<String>,
    pub nkey_seed_file: Entry<String>,
    pub username: Entry<String>,
    pub password_file: Entry<String>,
    pub token_file: Entry<String>,
    pub tls: Entry<Tls>,
    pub domain: Entry<String>,
    pub api_prefix: Entry<String>,
    pub inbox_prefix: Entry<String>,
    pub allow_crash_prone: Entry<bool>,
}

#[derive(Debug)]
pub struct Tls {
    pub ca: Entry<String>,
    pub cert: Entry<String>,
    pub key: Entry<String>,
    pub handshake_first: Entry<bool>,
}

#[derive(Debug)]
pub struct Http {
    pub listen: Entry<String>,
    pub hosts: Entry<Texts>,
    pub consumer_metrics: Entry<String>,
}

#[derive(Debug)]
pub struct Controller {
    pub resync: Entry<String>,
    pub max_in_flight: Entry<i64>,
    pub request_timeout: Entry<String>,
    pub max_pause: Entry<String>,
    pub dry_run: Entry<bool>,
    pub watch: Entry<bool>,
}

#[derive(Debug)]
pub struct Events {
    pub subject: Entry<String>,
}

#[derive(Debug)]
pub struct Overrides {
    pub bucket: Entry<String>,
    pub keep: Entry<String>,
    pub reason: Entry<String>,
}

#[derive(Debug)]
pub struct Defaults {
    pub timezone: Entry<String>,
    pub exempt: Entry<String>,
    pub on_loss: Entry<String>,
    pub loss_margin: Entry<String>,
}

#[derive(Debug)]
pub struct Window {
    pub name: Entry<String>,
    pub consumers: Entry<Texts>,
    pub timing: Timing,
    pub gap: Entry<String>,
    pub repeat: Entry<String>,
    pub valid_from: Entry<DateTimeValue>,
    pub valid_until: Entry<DateTimeValue>,
    pub resume_spread: Entry<String>,
    pub conditions: Entry<Conditions>,
    pub on_loss: Entry<String>,
}

#[derive(Debug)]
pub struct Exclusion {
    pub name: Entry<String>,
    pub timing: Timing,
    pub dates: Entry<Vec<Placed<DateTimeValue>>>,
    pub calendar: Entry<String>,
    pub events: Entry<Texts>,
    pub windows: Entry<Texts>,
}

/// When something begins and ends.
#[derive(Debug)]
pub struct Timing {
    /// Where the table stands that has these keys.
    pub place: Place,
    pub schedule: Entry<String>,
    pub duration: Entry<String>,
    pub from: Entry<DateTimeValue>,
    pub until: Entry<DateTimeValue>,
    pub timezone: Entry<String>,
}
