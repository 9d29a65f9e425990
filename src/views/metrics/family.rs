//! What a family of series is that is written from a report.

use crate::consumer::{ConsumerId, Owner};
use crate::report::{Report, Row, WindowState};

/// The labels of a consumer, in the order of their names.
pub const CONSUMER: &[&str] = &["consumer_name", "stream_name"];

/// One metric: its name, and what of a report its series are.
#[derive(Clone, Copy)]
pub struct Family {
    /// Without the prefix.
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    /// In the order of their names, as all labels are written.
    pub labels: &'static [&'static str],
    pub values: Values,
    /// Whether it is there at all.
    pub applies: fn(&Report) -> bool,
}

/// What its values do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They rise and fall.
    Gauge,
    /// They only rise.
    Counter,
}

impl Kind {
    /// The word in the line `# TYPE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

/// Where its values come from.
#[derive(Clone, Copy)]
pub enum Values {
    /// One value, also before the first report.
    Recess(fn(Option<&Report>) -> Option<f64>),
    /// A value for a window.
    Window(fn(&Report, &WindowState) -> Option<f64>),
    /// A value for a consumer.
    Consumer(fn(&Seen<'_>) -> Option<f64>),
    /// A value for a consumer, and its cause.
    Cause(fn(&Seen<'_>) -> Option<(&'static str, f64)>),
    /// How many consumers are in each state, whichever of them have series of their own.
    Count(&'static [State]),
    /// Few values, each with labels of its own.
    Few(fn(Option<&Report>) -> Few),
}

/// A state in which consumers are counted, and whether one is in it.
pub type State = (&'static str, fn(&Seen<'_>) -> bool);

/// The values of a few series, each behind its labels.
pub type Few = Vec<(Vec<String>, f64)>;

/// A consumer of a report.
#[derive(Clone, Copy)]
pub struct Seen<'r> {
    pub report: &'r Report,
    pub id: &'r ConsumerId,
    pub row: &'r Row,
}

impl Seen<'_> {
    /// Whether it is not as it should be, or a person may have to know of it.
    pub fn is_notable(&self) -> bool {
        self.row.is_notable(self.report.mark())
    }

    /// Whose pause holds it, if there is one.
    pub fn paused_by(&self) -> Option<Owner> {
        self.row.found.paused_by(self.report.mark())
    }
}

impl Family {
    /// A gauge of recess itself.
    pub const fn recess(
        name: &'static str,
        help: &'static str,
        values: fn(Option<&Report>) -> Option<f64>,
    ) -> Self {
        Self::gauge(name, help, &[], Values::Recess(values))
    }

    /// A gauge of each window.
    pub const fn window(
        name: &'static str,
        help: &'static str,
        values: fn(&Report, &WindowState) -> Option<f64>,
    ) -> Self {
        Self::gauge(name, help, &["window"], Values::Window(values))
    }

    /// A gauge of each consumer.
    pub const fn consumer(
        name: &'static str,
        help: &'static str,
        values: fn(&Seen<'_>) -> Option<f64>,
    ) -> Self {
        Self::gauge(name, help, CONSUMER, Values::Consumer(values))
    }

    /// Any other gauge.
    pub const fn gauge(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        values: Values,
    ) -> Self {
        Self {
            name,
            help,
            kind: Kind::Gauge,
            labels,
            values,
            applies: |_| true,
        }
    }

    /// The same, but only in such reports.
    pub const fn only_if(self, applies: fn(&Report) -> bool) -> Self {
        Self { applies, ..self }
    }
}
