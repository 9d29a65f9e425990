//! Which openings lose messages: asked of the server, and judged as the daemon does while a consumer
//! is paused.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::{Exit, live};
use crate::config::Config;
use crate::consumer::ConsumerId;
use crate::policy::{OnLoss, Opening, OpeningRow, Policy, WindowSet};
use crate::retention::{Cause, Loss};
use crate::text::{self, utc};
use crate::visible::visible;

/// Of many consumers, so many are named in a line.
const NAMED: usize = 3;

/// The consumers that lose messages, by window and opening.
#[derive(Debug, Default)]
pub struct Losses(BTreeMap<(Arc<str>, Timestamp), Vec<Losing>>);

/// A consumer that loses messages in an opening.
#[derive(Clone, Debug)]
struct Losing {
    id: ConsumerId,
    loss: Loss,
    /// When recess releases it before.
    released_at: Option<Timestamp>,
}

/// The same as JSON shows it.
#[derive(Debug, Serialize)]
struct LosingRow<'l> {
    stream: &'l str,
    consumer: &'l str,
    at: String,
    cause: &'static str,
    released_at: Option<String>,
}

/// An opening as JSON shows it, with what it loses.
#[derive(Debug, Serialize)]
pub struct LiveRow<'l> {
    #[serde(flatten)]
    opening: OpeningRow<'l>,
    losses: Vec<LosingRow<'l>>,
}

impl Losses {
    /// Asks the server about the consumers of these openings. What could not be learned has been
    /// reported.
    pub fn ask(
        config: Config,
        openings: &[Opening<'_>],
        wall: fn() -> Timestamp,
    ) -> Result<Self, Exit> {
        let until = openings.iter().map(|opening| opening.occurrence.opens);
        let until = until.max().unwrap_or_else(wall);
        live::ask_with(config, until, wall, |reconciler| {
            let mut losses = Self::default();
            for opening in openings {
                let (name, opens) = (&opening.window.name, opening.occurrence.opens);
                let found = reconciler.losses_at(name, opens);
                let losing = found.into_iter().map(|(id, windows, loss)| Losing {
                    id,
                    loss,
                    released_at: released_at(reconciler.policy(), &windows, opens, loss),
                });
                let losing: Vec<Losing> = losing.collect();
                if !losing.is_empty() {
                    losses.0.insert((name.clone(), opens), losing);
                }
            }
            losses
        })
    }

    fn of(&self, opening: &Opening<'_>) -> &[Losing] {
        let key = (opening.window.name.clone(), opening.occurrence.opens);
        self.0.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Whether an opening loses messages.
    pub fn has(&self, opening: &Opening<'_>) -> bool {
        !self.of(opening).is_empty()
    }

    /// An opening as JSON shows it.
    pub fn row<'l>(&'l self, opening: &Opening<'l>) -> LiveRow<'l> {
        let losses = self.of(opening).iter().map(|losing| LosingRow {
            stream: losing.id.stream(),
            consumer: losing.id.consumer(),
            at: utc(losing.loss.at),
            cause: losing.loss.cause.as_str(),
            released_at: losing.released_at.map(utc),
        });
        LiveRow {
            opening: opening.row(),
            losses: losses.collect(),
        }
    }

    /// The openings that lose messages, a line each.
    pub fn text(&self, openings: &[Opening<'_>]) -> String {
        let mut text = String::new();
        for opening in openings {
            let (few, more) = text::first_few(self.of(opening), NAMED);
            let zone = opening.zone();
            let mut lines: Vec<String> = few.into_iter().map(|losing| losing.words(zone)).collect();
            if more > 0 {
                lines.push(format!("{more} more consumers"));
            }
            if lines.is_empty() {
                continue;
            }
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  {} {}: {}",
                text::day(opening.opens().date()),
                opening.window.name,
                lines.join("; ")
            );
        }
        match text.is_empty() {
            true => text,
            false => {
                format!("\n! messages at risk, if consumers and streams go on as now:\n{text}")
            }
        }
    }
}

impl Losing {
    fn words(&self, zone: &TimeZone) -> String {
        let at = text::local(self.loss.at, zone);
        let what = match self.loss.cause {
            Cause::Refused => format!("its stream refuses publishers from about {at} on"),
            cause @ (Cause::MaxAge | Cause::MaxMessages | Cause::MaxBytes) => {
                format!("loses messages from about {at} on ({})", cause.as_str())
            }
        };
        let released = self.released_at.map_or_else(String::new, |at| {
            format!(", released at {}", text::local(at, zone))
        });
        format!("{} {what}{released}", visible(&self.id.to_string()))
    }
}

/// When recess releases a consumer before that loss.
fn released_at(
    policy: &Policy,
    windows: &WindowSet,
    opens: Timestamp,
    loss: Loss,
) -> Option<Timestamp> {
    let releases =
        loss.cause != Cause::Refused && policy.on_loss(windows, opens) == OnLoss::Release;
    let until = loss.at.checked_sub(policy.loss_defaults().margin).ok()?;
    releases.then_some(until.max(opens))
}
