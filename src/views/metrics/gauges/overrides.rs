//! The gauges about overrides.

use prometheus::{GaugeVec, Opts};

use super::{flag, seconds, size};
use crate::overrides::listed::State;
use crate::report::{BucketState, OverridesReport, Report};

pub(super) struct OverrideGauges {
    readable: GaugeVec,
    read_at: GaugeVec,
    states: GaugeVec,
    unreadable: GaugeVec,
    until: GaugeVec,
}

impl OverrideGauges {
    pub fn new() -> Result<Self, prometheus::Error> {
        let plain = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &[]);
        Ok(Self {
            readable: plain(
                "overrides_readable",
                "Whether the newest attempt to read the bucket of overrides succeeded; absent without one.",
            )?,
            read_at: plain(
                "overrides_read_timestamp_seconds",
                "When the bucket of overrides was last read.",
            )?,
            states: GaugeVec::new(
                Opts::new("overrides", "Overrides that have not ended."),
                &["state"],
            )?,
            unreadable: plain(
                "overrides_unreadable",
                "Keys of the bucket that hold no override that recess can read.",
            )?,
            until: GaugeVec::new(
                Opts::new(
                    "override_until_timestamp_seconds",
                    "When an override that applies now ends.",
                ),
                &["id", "by", "target", "effect"],
            )?,
        })
    }

    pub fn all(&self) -> [&GaugeVec; 5] {
        [
            &self.readable,
            &self.read_at,
            &self.states,
            &self.unreadable,
            &self.until,
        ]
    }

    /// Shows what is known of overrides.
    pub fn fill(&self, report: &Report, overrides: &OverridesReport) {
        const NONE: [&str; 0] = [];
        let readable = overrides.state == BucketState::Read;
        (self.readable.with_label_values(&NONE)).set(flag(readable));
        if let Some(read_at) = overrides.read_at {
            (self.read_at.with_label_values(&NONE)).set(seconds(read_at));
        }
        let unreadable = size(overrides.read.unreadable.len());
        (self.unreadable.with_label_values(&NONE)).set(unreadable);
        for state in State::COUNTED {
            self.states.with_label_values(&[state.as_str()]);
        }
        for one in &overrides.read.live {
            let state = State::of(one, &report.policy, report.at);
            if state == State::Ended {
                continue;
            }
            self.states.with_label_values(&[state.as_str()]).inc();
            if state == State::Active {
                let (id, target) = (one.id.to_string(), one.terms.target.to_string());
                let effect = one.terms.effect.as_str();
                let labels = [&*id, one.id.author(), &*target, effect];
                let until = self.until.with_label_values(&labels);
                until.set(seconds(one.terms.until));
            }
        }
    }
}
