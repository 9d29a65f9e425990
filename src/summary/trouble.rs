//! What is wrong with one consumer.

use jiff::{SignedDuration, Timestamp};

use super::{Facts, Level};
use crate::changes::CONFIRMATION_LIMIT;
use crate::consumer::{ConsumerId, Found, Observation, Owner};
use crate::plan::{Rule, Verdict};
use crate::policy::Desired;
use crate::report::Row;
use crate::retention::Cause;
use crate::text;

/// So many windows are named in a sentence.
const WINDOWS_NAMED: usize = 3;

/// A loss that is nearer than this is urgent, as its alert is.
const SOON: SignedDuration = SignedDuration::from_mins(10);

/// What is wrong with a consumer, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Its stream drops messages that wait for it.
    Losing,
    /// Its stream will within minutes, or refuse publishers.
    LosesSoon,
    /// It should be paused, and delivers.
    NotPaused,
    /// Another client overrides its pauses, and recess has stopped.
    Contested,
    /// A pause of recess's lasts that is not wanted any more.
    StillPaused,
    /// What its state is was not observed.
    Unknown,
    /// Its stream drops messages that wait for it before its pause ends, or refuses publishers.
    LosesLater,
    /// It was released before its stream drops messages, and acknowledges none of them.
    StillWaits,
    /// It should be paused, and its stream would drop messages too soon.
    NotPausable,
    /// A pause of recess's ends at another time than wanted.
    WrongDeadline,
    /// A write was accepted and does not show.
    Unconfirmed,
    /// A pause of recess's that no window names.
    Orphaned,
    /// A pause of recess's is kept though its consumer has lost the metadata that selected it.
    LabelsLost,
    /// A foreign pause ends before its window closes.
    ForeignEarly,
    /// A foreign pause outlasts what is wanted, or nothing is.
    ForeignLate,
    /// A window names it, and it does not exist.
    Missing,
}

impl Trouble {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 16] = [
        Self::Losing,
        Self::LosesSoon,
        Self::NotPaused,
        Self::Contested,
        Self::StillPaused,
        Self::Unknown,
        Self::LosesLater,
        Self::StillWaits,
        Self::NotPausable,
        Self::WrongDeadline,
        Self::Unconfirmed,
        Self::Orphaned,
        Self::LabelsLost,
        Self::ForeignEarly,
        Self::ForeignLate,
        Self::Missing,
    ];

    /// What is wrong with a consumer. Without a connection nothing is known that could be wrong; in
    /// a dry run nothing is that recess would change.
    pub fn of(row: &Row, facts: &Facts<'_>) -> Option<Self> {
        if !facts.is_connected() {
            return None;
        }
        let seen = match &row.found {
            Found::Unknown => return Some(Self::Unknown),
            Found::Missing => return (row.rule == Rule::Missing).then_some(Self::Missing),
            Found::Present(seen) => seen,
        };
        let of_messages = Self::of_messages(row, facts);
        let is_urgent = |trouble: &Self| trouble.level() == Level::Bad;
        if of_messages.as_ref().is_some_and(is_urgent) {
            of_messages
        } else {
            Self::of_pause(row, seen, facts).or(of_messages)
        }
    }

    /// Of the messages that wait for one.
    fn of_messages(row: &Row, facts: &Facts<'_>) -> Option<Self> {
        let losses = row.backlog.losses();
        if losses.goes_on {
            return Some(Self::Losing);
        }
        match row.loss_while_paused() {
            Some(loss) if loss.at.duration_since(facts.now) < SOON => Some(Self::LosesSoon),
            Some(_) => Some(Self::LosesLater),
            None if losses.still_waits => Some(Self::StillWaits),
            None => (row.rule == Rule::LossNear).then_some(Self::NotPausable),
        }
    }

    /// Of the pause of one that was observed.
    fn of_pause(row: &Row, seen: &Observation, facts: &Facts<'_>) -> Option<Self> {
        if row.contested {
            Some(Self::Contested)
        } else if row
            .unconfirmed
            .is_some_and(|since| since >= CONFIRMATION_LIMIT)
        {
            Some(Self::Unconfirmed)
        } else if row.is_orphan() {
            Some(Self::Orphaned)
        } else if row.rule == Rule::LabelsLost {
            Some(Self::LabelsLost)
        } else if row.verdict == Verdict::Foreign {
            (outlasts(row, seen)).then_some(Self::ForeignLate)
        } else if facts.is_dry_run() || !is_unmet(row) {
            None
        } else {
            Self::of_unmet(row, seen, facts)
        }
    }

    /// Of one that is not as wanted.
    fn of_unmet(row: &Row, seen: &Observation, facts: &Facts<'_>) -> Option<Self> {
        match (row.desired, seen.state.paused_by(facts.report.mark())) {
            (Desired::Paused(_), None) => Some(Self::NotPaused),
            (Desired::Paused(_), Some(Owner::Foreign)) => Some(Self::ForeignEarly),
            (Desired::Paused(_) | Desired::Tail(_), Some(Owner::Recess)) => {
                Some(Self::WrongDeadline)
            }
            (Desired::Running, Some(Owner::Recess)) => Some(Self::StillPaused),
            (Desired::Running | Desired::Tail(_), Some(Owner::Foreign) | None) => None,
        }
    }

    /// How bad that is: as bad as its alert.
    pub fn level(self) -> Level {
        match self {
            Self::Losing
            | Self::LosesSoon
            | Self::NotPaused
            | Self::Contested
            | Self::StillPaused
            | Self::Unknown => Level::Bad,
            Self::LosesLater
            | Self::StillWaits
            | Self::NotPausable
            | Self::WrongDeadline
            | Self::Unconfirmed
            | Self::Orphaned
            | Self::LabelsLost
            | Self::ForeignEarly
            | Self::ForeignLate
            | Self::Missing => Level::Look,
        }
    }

    /// What a sentence says of one such consumer, behind its name.
    pub fn of_one(self, row: &Row, facts: &Facts<'_>) -> String {
        let at = |at: Timestamp| text::beside(at, facts.now, &facts.config.zone);
        let deadline = (row.found.observation()).and_then(|seen| seen.state.deadline());
        let until = deadline.map_or_else(String::new, |until| format!(" until {}", at(until)));
        let wanted = row.desired.until();
        match self {
            Self::LosesSoon | Self::LosesLater => loses(row, facts),
            Self::NotPaused => {
                let wanted = wanted.map_or_else(String::new, |u| format!(" until {}", at(u)));
                format!("should be paused{wanted} and is running{}", why(row))
            }
            Self::StillPaused => {
                format!("is paused{until}, and no window wants that{}", why(row))
            }
            Self::WrongDeadline => {
                let wanted = wanted.map_or_else(String::new, |u| format!(" instead of {}", at(u)));
                format!("is paused{until}{wanted}{}", why(row))
            }
            Self::ForeignEarly => {
                let wanted = wanted.map_or_else(String::new, |u| format!(", not {}", at(u)));
                format!("is paused by another client{until}{wanted}{}", why(row))
            }
            Self::ForeignLate => {
                let wanted = match wanted {
                    Some(u) => format!("; its pause should end at {}", at(u)),
                    None => ", and no window wants that".to_owned(),
                };
                format!("is paused by another client{until}{wanted}")
            }
            Self::Orphaned => {
                let next = match facts.report.policy.is_named() {
                    true => "recess resumes it",
                    false => "recess leaves it unchanged, as `instance` is not set",
                };
                format!("is paused by recess{until}, but no window names it; {next}")
            }
            Self::LabelsLost => {
                let windows = row.windows.unmatched().iter();
                let windows = text::names(windows.map(|window| &window.name), WINDOWS_NAMED);
                format!(
                    "stays paused{until}, but its metadata no longer matches `where` of {windows}"
                )
            }
            Self::Losing
            | Self::StillWaits
            | Self::NotPausable
            | Self::Contested
            | Self::Unknown
            | Self::Unconfirmed
            | Self::Missing => self.of_many(1).to_owned(),
        }
    }

    /// What a sentence says of so many such consumers, behind their names.
    pub fn of_many(self, count: usize) -> &'static str {
        let by_count = |one, many| if count == 1 { one } else { many };
        match self {
            Self::Losing => by_count(
                "loses messages: its stream drops those that wait for it",
                "lose messages: their streams drop those that wait for them",
            ),
            Self::LosesSoon => "are paused, and within 10 m their streams reach their limits",
            Self::LosesLater => {
                "are paused, and their streams reach their limits before their pauses end"
            }
            Self::StillWaits => by_count(
                "was released before its stream drops messages, and has acknowledged none since",
                "were released before their streams drop messages, and have acknowledged none since",
            ),
            Self::NotPausable => by_count(
                "is not paused: its stream would drop messages too soon",
                "are not paused: their streams would drop messages too soon",
            ),
            Self::NotPaused => "should be paused and are running",
            Self::Contested => by_count(
                "is contested: another client overrides its pause, and recess leaves it unchanged",
                "are contested: another client overrides their pauses, and recess leaves them \
                 unchanged",
            ),
            Self::StillPaused => "are paused, and no window wants that",
            Self::Unknown => by_count(
                "could not be observed; recess leaves it unchanged",
                "could not be observed; recess leaves them unchanged",
            ),
            Self::WrongDeadline => "are paused until another time than scheduled",
            Self::Unconfirmed => by_count(
                "has a write accepted over 10 s ago that is not visible in CONSUMER.INFO",
                "have writes accepted over 10 s ago that are not visible in CONSUMER.INFO",
            ),
            Self::Orphaned => "are paused by recess, but no window names them",
            Self::LabelsLost => {
                "stay paused until their deadlines, but their metadata no longer matches `where` \
                 of their windows"
            }
            Self::ForeignEarly => "are paused by another client, for less long than scheduled",
            Self::ForeignLate => "are paused by another client, for longer than scheduled",
            Self::Missing => by_count(
                "does not exist, but a window names it",
                "do not exist, but windows name them",
            ),
        }
    }

    /// The command to type about these consumers.
    pub fn command(self, ids: &[&ConsumerId]) -> String {
        let path = |id: &ConsumerId| text::shell_argument(&id.path());
        match (self, ids) {
            (Self::Missing, _) => "recess check --live".to_owned(),
            (Self::Orphaned, [id]) => format!("recess resume {}", path(id)),
            (_, [id]) => format!("recess explain {} --live", path(id)),
            (_, _) => "recess status".to_owned(),
        }
    }
}

/// What is lost of one, and when.
fn loses(row: &Row, facts: &Facts<'_>) -> String {
    let Some(loss) = row.loss_while_paused() else {
        return String::new();
    };
    let about = if loss.exact { "" } else { "about " };
    let at = text::beside(loss.at, facts.now, &facts.config.zone);
    match loss.cause {
        Cause::Refused => {
            format!("is paused, and its stream is full at {about}{at} and refuses publishers then")
        }
        cause @ (Cause::MaxAge | Cause::MaxMessages | Cause::MaxBytes) => format!(
            "is paused, and its stream drops messages that wait for it from {about}{at} on ({})",
            cause.as_str()
        ),
    }
}

/// Whether something else is wanted than was found, and recess will not have seen to it in a
/// moment.
fn is_unmet(row: &Row) -> bool {
    match row.verdict {
        Verdict::Pause(_)
        | Verdict::Retime(_)
        | Verdict::Resume
        | Verdict::Release
        | Verdict::ReleaseBeforeLoss => true,
        // The guards, which keep recess from what it would do.
        Verdict::Settled => matches!(
            row.rule,
            Rule::ClockLost | Rule::ClockGuard | Rule::OverridesUnread
        ),
        Verdict::Clear | Verdict::Unknown | Verdict::Missing | Verdict::Foreign => false,
    }
}

/// Whether a pause that is left alone ends later than wanted.
fn outlasts(row: &Row, seen: &Observation) -> bool {
    let second = |at: Timestamp| at.as_second();
    let wanted = row.desired.until().map(second);
    let deadline = seen.state.deadline().map(second);
    deadline.is_some_and(|deadline| wanted.is_none_or(|wanted| deadline > wanted))
}

fn why(row: &Row) -> String {
    (row.problem.as_ref()).map_or_else(String::new, |problem| format!(": {problem}"))
}
