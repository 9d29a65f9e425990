//! The gauges, as one report fills them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use prometheus::core::Collector;
use prometheus::{CounterVec, GaugeVec, Opts};

use crate::consumer::{ConsumerId, Found, Owner, PauseState};
use crate::jetstream::Link;
use crate::policy::Desired;
use crate::report::{Report, Row};

mod metadata;
mod overrides;

use metadata::MetadataGauges;
use overrides::OverrideGauges;

pub(super) struct Gauges {
    build_info: GaugeVec,
    connected: GaugeVec,
    skew: GaugeVec,
    dry_run: GaugeVec,
    standby: GaugeVec,
    window_active: GaugeVec,
    window_opens: GaugeVec,
    window_closes: GaugeVec,
    window_consumers: GaugeVec,
    window_unmatched: GaugeVec,
    paused: GaugeVec,
    desired_paused: GaugeVec,
    desired_until: GaugeVec,
    pause_until: GaugeVec,
    foreign: GaugeVec,
    released: GaugeVec,
    loss: GaugeVec,
    lost: CounterVec,
    missing: GaugeVec,
    unconfirmed: GaugeVec,
    contested: GaugeVec,
    orphaned: GaugeVec,
    pending: GaugeVec,
    ack_pending: GaugeVec,
    passed_over: GaugeVec,
    unreadable: GaugeVec,
    metadata: MetadataGauges,
    overrides: OverrideGauges,
}

impl Gauges {
    pub fn new() -> Result<Self, prometheus::Error> {
        let plain = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &[]);
        let window = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["window"]);
        let consumer = |name: &str, help: &str| {
            GaugeVec::new(Opts::new(name, help), &["stream_name", "consumer_name"])
        };
        let stream =
            |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["stream_name"]);
        Ok(Self {
            build_info: GaugeVec::new(
                Opts::new("build_info", "The version of recess; always 1."),
                &["version"],
            )?,
            connected: plain(
                "nats_connected",
                "Whether recess is connected to a usable JetStream.",
            )?,
            skew: plain(
                "clock_skew_seconds",
                "The server's clock minus this host's, mean of the last few replies.",
            )?,
            dry_run: plain(
                "dry_run",
                "Whether recess only observes and logs, and sends nothing.",
            )?,
            standby: plain(
                "standby_seconds",
                "How long this copy leaves a request to the primary; 0 if it is a primary.",
            )?,
            window_active: window("window_active", "Whether the window is open.")?,
            window_opens: window(
                "window_opens_timestamp_seconds",
                "When the window opens next.",
            )?,
            window_closes: window(
                "window_closes_timestamp_seconds",
                "When the window closes, now or next.",
            )?,
            window_consumers: window(
                "window_consumers",
                "How many existing consumers the window matches.",
            )?,
            window_unmatched: window(
                "window_unmatched_selectors",
                "How many wildcard selectors match no existing consumer; absent until known.",
            )?,
            paused: consumer(
                "consumer_paused",
                "Whether the server holds the consumer's delivery; absent while unknown.",
            )?,
            desired_paused: consumer(
                "consumer_desired_paused",
                "Whether a window wants the consumer paused.",
            )?,
            desired_until: consumer(
                "consumer_desired_until_timestamp_seconds",
                "Until when a pause is wanted or, by resume_spread, may last; absent while the \
                 consumer should run.",
            )?,
            pause_until: consumer(
                "consumer_pause_until_timestamp_seconds",
                "Until when the consumer is paused; absent while it is not.",
            )?,
            foreign: consumer(
                "consumer_foreign_pause",
                "Whether another client's pause holds the consumer.",
            )?,
            released: consumer(
                "consumer_released",
                "Whether it was released from the pause that a window wants, until that has closed.",
            )?,
            loss: GaugeVec::new(
                Opts::new(
                    "consumer_loss_timestamp_seconds",
                    "When the paused consumer's stream drops the first message that waits for it, \
                     or refuses publishers; absent if its pause ends before.",
                ),
                &["stream_name", "consumer_name", "cause"],
            )?,
            lost: CounterVec::new(
                Opts::new(
                    "consumer_lost_messages_total",
                    "Messages that the stream dropped while the consumer was paused and they waited \
                     for it; at most so many if it has a filter.",
                ),
                &["stream_name", "consumer_name"],
            )?,
            missing: consumer(
                "consumer_missing",
                "Whether a window names the consumer exactly and it does not exist.",
            )?,
            unconfirmed: consumer(
                "consumer_unconfirmed",
                "Whether a write for the consumer was accepted but is not visible yet.",
            )?,
            contested: consumer(
                "consumer_contested",
                "Whether recess has stopped, as another client keeps overriding its pauses.",
            )?,
            orphaned: consumer(
                "consumer_orphaned",
                "Whether the consumer has recess's pause and no window names it.",
            )?,
            pending: consumer(
                "consumer_pending_messages",
                "Messages waiting for delivery.",
            )?,
            ack_pending: consumer(
                "consumer_ack_pending_messages",
                "Messages in flight: delivered and not acknowledged.",
            )?,
            passed_over: stream(
                "consumer_passed_over",
                "How many consumers of the stream a wildcard matches and leaves out: not durable, \
                 or serving another stream.",
            )?,
            unreadable: stream(
                "list_entries_unreadable",
                "How many consumers of the stream are left out, as their name or entry is \
                 unreadable; without a stream: how many streams.",
            )?,
            metadata: MetadataGauges::new()?,
            overrides: OverrideGauges::new()?,
        })
    }

    pub fn all(&self) -> Vec<&dyn Collector> {
        let mut all: Vec<&dyn Collector> = vec![
            &self.build_info,
            &self.connected,
            &self.skew,
            &self.dry_run,
            &self.standby,
            &self.window_active,
            &self.window_opens,
            &self.window_closes,
            &self.window_consumers,
            &self.window_unmatched,
            &self.paused,
            &self.desired_paused,
            &self.desired_until,
            &self.pause_until,
            &self.foreign,
            &self.released,
            &self.loss,
            &self.lost,
            &self.missing,
            &self.unconfirmed,
            &self.contested,
            &self.orphaned,
            &self.pending,
            &self.ack_pending,
            &self.passed_over,
            &self.unreadable,
        ];
        let others = (self.metadata.all().into_iter()).chain(self.overrides.all());
        all.extend(others.map(|gauge| -> &dyn Collector { gauge }));
        all
    }

    pub fn fill(&self, report: Option<&Report>) {
        self.build_info
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1.0);
        let connected = report.is_some_and(|report| matches!(report.link, Link::Up(_)));
        self.connected
            .with_label_values::<&str>(&[])
            .set(flag(connected));
        let Some(report) = report else { return };
        if let Some(skew) = report.smooth_skew {
            self.skew
                .with_label_values::<&str>(&[])
                .set(skew.as_secs_f64());
        }
        self.dry_run
            .with_label_values::<&str>(&[])
            .set(flag(report.dry_run));
        let delay = report.standby.map(|standby| standby.delay);
        self.standby
            .with_label_values::<&str>(&[])
            .set(delay.unwrap_or_default().as_secs_f64());
        for window in &report.windows {
            let name = [&*window.name];
            self.window_active
                .with_label_values(&name)
                .set(flag(window.open.is_some()));
            self.window_consumers
                .with_label_values(&name)
                .set(size(window.consumers));
            if let Some(unmatched) = &window.unmatched {
                self.window_unmatched
                    .with_label_values(&name)
                    .set(size(unmatched.len()));
            }
            if let Some(next) = window.next {
                self.window_opens
                    .with_label_values(&name)
                    .set(seconds(next.opens));
            }
            if let Some(shown) = window.open.or(window.next) {
                self.window_closes
                    .with_label_values(&name)
                    .set(seconds(shown.closes));
            }
        }
        self.fill_left_out(report);
        if let Some(overrides) = &report.overrides {
            self.overrides.fill(report, overrides);
        }
        self.metadata.fill(report);
        for (id, row) in report.rows.iter() {
            let labels = [id.stream(), id.consumer()];
            self.fill_row(labels, row, row.found.paused_by(report.mark()));
        }
    }

    /// A stream with nothing left out has a zero, so that a graph of it does not end.
    fn fill_left_out(&self, report: &Report) {
        let streams: BTreeSet<&str> = report.rows.keys().map(ConsumerId::stream).collect();
        for stream in streams {
            for gauge in [&self.passed_over, &self.unreadable] {
                gauge.with_label_values(&[stream]).set(0.0);
            }
        }
        for (stream, count) in report.left_out.passed_over_by_stream() {
            self.passed_over
                .with_label_values(&[stream])
                .set(size(count));
        }
        for (stream, _) in &report.left_out.unreadable {
            self.unreadable
                .with_label_values(&[stream.as_deref().unwrap_or_default()])
                .inc();
        }
    }

    fn fill_row(&self, labels: [&str; 2], row: &Row, paused_by: Option<Owner>) {
        for (gauge, holds) in [
            (
                &self.desired_paused,
                matches!(row.desired, Desired::Paused(_)),
            ),
            (&self.released, row.is_released()),
            (&self.missing, row.found == Found::Missing),
            (&self.unconfirmed, row.unconfirmed.is_some()),
            (&self.contested, row.contested),
            (&self.orphaned, row.is_orphan()),
        ] {
            gauge.with_label_values(&labels).set(flag(holds));
        }
        let [stream, consumer] = labels;
        if let Some(loss) = row.loss_while_paused() {
            self.loss
                .with_label_values(&[stream, consumer, loss.cause.as_str()])
                .set(seconds(loss.at));
        }
        (self.lost.with_label_values(&labels)).inc_by(number(row.backlog.lost));
        if let Some(until) = row.desired.until() {
            self.desired_until
                .with_label_values(&labels)
                .set(seconds(until));
        }
        if row.found != Found::Unknown {
            let paused = paused_by.is_some();
            let foreign = paused_by == Some(Owner::Foreign);
            self.paused.with_label_values(&labels).set(flag(paused));
            self.foreign.with_label_values(&labels).set(flag(foreign));
        }
        if let Some(seen) = row.found.observation() {
            self.pending
                .with_label_values(&labels)
                .set(number(seen.pending));
            self.ack_pending
                .with_label_values(&labels)
                .set(number(seen.ack_pending));
            if let PauseState::Paused { until, .. } = seen.state {
                self.pause_until
                    .with_label_values(&labels)
                    .set(seconds(until));
            }
        }
    }
}

fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// Whole seconds: the mark concerns recess alone.
fn seconds(instant: Timestamp) -> f64 {
    SignedDuration::from_secs(instant.as_second()).as_secs_f64()
}

fn size(count: usize) -> f64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

#[expect(
    clippy::as_conversions,
    reason = "counts beyond 2^53 lose their last digits in Prometheus anyway"
)]
fn number(count: u64) -> f64 {
    count as f64
}
