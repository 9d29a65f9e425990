//! The families about consumers, with up to a dozen series for each of them.

use super::super::family::{Family, Kind, Values};
use super::{flag, number, seconds};
use crate::consumer::{Found, Owner, PauseState};
use crate::plan::Rule;
use crate::policy::Desired;

pub const FAMILIES: &[Family] = &[
    Family::gauge(
        "consumers",
        "How many consumers are in a state, whichever of them have series of their own; one can be \
         in several.",
        &["state"],
        Values::Count(&[
            ("desired_paused", |seen| {
                matches!(seen.row.desired, Desired::Paused(_))
            }),
            ("notable", |seen| seen.is_notable()),
            ("paused", |seen| seen.row.found.is_paused()),
            ("present", |seen| seen.row.found.observation().is_some()),
        ]),
    ),
    Family::consumer(
        "consumer_paused",
        "Whether the server holds the consumer's delivery; absent while unknown.",
        |seen| {
            let is_known = seen.row.found != Found::Unknown;
            is_known.then(|| flag(seen.row.found.is_paused()))
        },
    ),
    Family::consumer(
        "consumer_desired_paused",
        "Whether a window wants the consumer paused.",
        |seen| Some(flag(matches!(seen.row.desired, Desired::Paused(_)))),
    ),
    Family::consumer(
        "consumer_desired_until_timestamp_seconds",
        "Until when a pause is wanted or, by resume_spread, may last; absent while the consumer \
         should run.",
        |seen| seen.row.desired.until().map(seconds),
    ),
    Family::consumer(
        "consumer_pause_until_timestamp_seconds",
        "Until when the consumer is paused; absent while it is not.",
        |seen| match seen.row.found.observation()?.state {
            PauseState::Paused { until, .. } => Some(seconds(until)),
            PauseState::Running | PauseState::Lapsed { .. } => None,
        },
    ),
    Family::consumer(
        "consumer_foreign_pause",
        "Whether another client's pause holds the consumer.",
        |seen| {
            let is_known = seen.row.found != Found::Unknown;
            is_known.then(|| flag(seen.paused_by() == Some(Owner::Foreign)))
        },
    ),
    Family::consumer(
        "consumer_released",
        "Whether it was released from the pause that a window wants, until that has closed.",
        |seen| Some(flag(seen.row.is_released())),
    ),
    Family::gauge(
        "consumer_loss_timestamp_seconds",
        "When the paused consumer's stream drops the first message that waits for it, or refuses \
         publishers; absent if its pause ends before.",
        &["cause", "consumer_name", "stream_name"],
        Values::Cause(|seen| {
            let loss = seen.row.loss_while_paused()?;
            Some((loss.cause.as_str(), seconds(loss.at)))
        }),
    ),
    Family {
        kind: Kind::Counter,
        ..Family::consumer(
            "consumer_lost_messages_total",
            "Messages that the stream dropped while the consumer was paused and they waited for \
             it; at most so many if it has a filter.",
            |seen| Some(number(seen.row.backlog.losses().lost)),
        )
    },
    Family::consumer(
        "consumer_missing",
        "Whether a window names the consumer exactly and it does not exist.",
        |seen| Some(flag(seen.row.found == Found::Missing)),
    ),
    Family::consumer(
        "consumer_unconfirmed",
        "Whether a write for the consumer was accepted but is not visible yet.",
        |seen| Some(flag(seen.row.unconfirmed.is_some())),
    ),
    Family::consumer(
        "consumer_contested",
        "Whether recess has stopped, as another client keeps overriding its pauses.",
        |seen| Some(flag(seen.row.contested)),
    ),
    Family::consumer(
        "consumer_orphaned",
        "Whether the consumer has recess's pause and no window names it.",
        |seen| Some(flag(seen.row.is_orphan())),
    ),
    Family::consumer(
        "consumer_pending_messages",
        "Messages waiting for delivery.",
        |seen| Some(number(seen.row.found.observation()?.pending)),
    ),
    Family::consumer(
        "consumer_ack_pending_messages",
        "Messages in flight: delivered and not acknowledged.",
        |seen| Some(number(seen.row.found.observation()?.ack_pending)),
    ),
    Family::consumer(
        "consumer_exempt",
        "Whether its metadata keeps the consumer out of every window; absent without `exempt` in \
         the config.",
        |seen| Some(flag(seen.row.windows.is_exempt(seen.report.at))),
    )
    .only_if(|report| report.policy.exempt().is_some()),
    Family::consumer(
        "consumer_labels_lost",
        "Whether the consumer stays paused although its metadata no longer matches its window; \
         absent without `where` in the config.",
        |seen| Some(flag(seen.row.rule == Rule::LabelsLost)),
    )
    .only_if(|report| {
        let mut windows = report.policy.windows().iter();
        windows.any(|window| window.selection.is_narrowed())
    }),
];
