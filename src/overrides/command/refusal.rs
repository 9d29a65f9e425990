//! Why a command that overrides cannot be carried out.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::policy::OverrideId;
use crate::text;

/// Why a command cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The policy has no window of that name.
    #[error("there is no window `{window}`")]
    NoWindow {
        /// The name.
        window: Arc<str>,
    },
    /// There is nothing open that could be closed or extended.
    #[error("{window} is not open{}", opens_next(.next))]
    NotOpen {
        /// The window.
        window: Arc<str>,
        /// When it opens next.
        next: Option<Local>,
    },
    /// What is open is closed, not left out.
    #[error(
        "{window} is open until {until}: `recess close {window}` closes it; to leave out a later opening, add --on DATE"
    )]
    Open {
        /// The window.
        window: Arc<str>,
        /// When it closes.
        until: Local,
    },
    /// It opens no more, or not within ten years.
    #[error("{window} has no further opening")]
    NeverOpens {
        /// The window.
        window: Arc<str>,
    },
    /// It does not open on that day, or no more.
    #[error("{window} does not open on {}{}{}", text::day(*.day), if *.is_today { " any more" } else { "" }, opens_next(.next))]
    NotThatDay {
        /// The window.
        window: Arc<str>,
        /// The day, by its clocks.
        day: Date,
        /// Whether that is today.
        is_today: bool,
        /// When it opens next.
        next: Option<Local>,
    },
    /// Another override leaves that opening out already.
    #[error("{window} does not open on {}: override {by} leaves that opening out already", text::day(*.day))]
    LeftOut {
        /// The window.
        window: Arc<str>,
        /// The day, by its clocks.
        day: Date,
        /// The override.
        by: OverrideId,
    },
    /// The end is past.
    #[error("{} is past", text::utc(*.end))]
    Past {
        /// The end.
        end: Timestamp,
    },
    /// An extension that would not extend.
    #[error(
        "{window} is open until {closes} already: give a later --until, or `recess close {window}` closes it now"
    )]
    NoLater {
        /// The window.
        window: Arc<str>,
        /// When it closes.
        closes: Local,
    },
    /// It would hold consumers for longer than is allowed.
    #[error("consumers would be paused for {}, and max_pause allows {}", text::span(*.length), text::span(*.longest))]
    TooLong {
        /// For how long.
        length: SignedDuration,
        /// `max_pause`.
        longest: SignedDuration,
    },
    /// Nothing holds any of the consumers: there is nothing to override.
    #[error("no window and no override holds them")]
    NothingHolds,
}

/// An instant by the clocks of a window's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local(String);

impl Local {
    pub(super) fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self(text::local(at, zone))
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn opens_next(next: &Option<Local>) -> String {
    match next {
        Some(next) => format!("; it opens next {next}"),
        None => "; it has no further opening".to_owned(),
    }
}

impl Refusal {
    /// Whether the command makes sense, and the window just has no such opening.
    pub fn lacks_an_opening(&self) -> bool {
        match self {
            Self::NotOpen { .. }
            | Self::Open { .. }
            | Self::NeverOpens { .. }
            | Self::NotThatDay { .. }
            | Self::LeftOut { .. } => true,
            Self::NoWindow { .. }
            | Self::Past { .. }
            | Self::NoLater { .. }
            | Self::TooLong { .. }
            | Self::NothingHolds => false,
        }
    }

    /// Whether overrides can make it come out otherwise than the config file alone does.
    pub fn may_be_overridden(&self) -> bool {
        match self {
            Self::NoWindow { .. } | Self::Past { .. } => false,
            Self::NotOpen { .. }
            | Self::Open { .. }
            | Self::NeverOpens { .. }
            | Self::NotThatDay { .. }
            | Self::LeftOut { .. }
            | Self::NoLater { .. }
            | Self::TooLong { .. }
            | Self::NothingHolds => true,
        }
    }
}
