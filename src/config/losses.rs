//! What is done before messages are lost: `on_loss` and `loss_margin`.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;

use super::file::findings::Finding;
use super::file::raw::{self, Entry};
use super::value::choice::choice;
use super::value::length::duration_in;
use crate::policy::{LossDefaults, OnLoss};

const CHOICES: &[(&str, OnLoss)] = &[("warn", OnLoss::Warn), ("release", OnLoss::Release)];

/// What is closer to a loss may be too late: a consumer that is released needs time to resume.
const MARGIN: RangeInclusive<Duration> =
    Duration::from_secs(5)..=Duration::from_secs(7 * 24 * 60 * 60);

/// What `[defaults]` says of losses; what is wrong or not said is the default.
pub fn loss_defaults(raw: &raw::Defaults, findings: &mut Vec<Finding>) -> LossDefaults {
    let default = LossDefaults::default();
    let margin = (raw.loss_margin.given())
        .and_then(|text| duration_in(text, &MARGIN, findings))
        .and_then(|margin| SignedDuration::try_from(margin).ok());
    LossDefaults {
        on_loss: on_loss(&raw.on_loss, default.on_loss, findings),
        margin: margin.unwrap_or(default.margin),
    }
}

/// What a table says of losses.
pub fn on_loss(raw: &Entry<String>, default: OnLoss, findings: &mut Vec<Finding>) -> OnLoss {
    let word = raw.given().and_then(|word| choice(word, CHOICES, findings));
    word.unwrap_or(default)
}
