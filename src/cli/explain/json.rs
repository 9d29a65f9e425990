//! What `explain` prints for programs.

use serde::Serialize;

use crate::policy::Override;
use crate::text::utc;
use crate::views::json::{LossRow, StateRow};

#[derive(Debug, Serialize)]
pub struct Explanation<'a> {
    pub consumer: String,
    pub at: String,
    pub desired: State,
    pub because: Vec<BecauseRow<'a>>,
    pub next_change: Option<String>,
    /// The metadata keys that decide and are not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on_metadata: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
}

/// What the server says of it, and what follows from that.
#[derive(Debug, Serialize)]
pub struct Live {
    pub observed: StateRow,
    pub owner: Option<&'static str>,
    pub verdict: &'static str,
    pub rule: &'static str,
    pub clock_skew_seconds: Option<f64>,
    pub loss: Option<LossRow>,
}

#[derive(Debug, Serialize)]
pub struct State {
    pub state: &'static str,
    pub until: Option<String>,
}

/// One reason.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum BecauseRow<'a> {
    File(Because<'a>),
    Override(BecauseOverride<'a>),
}

/// What a person has decided.
#[derive(Debug, Serialize)]
pub struct BecauseOverride<'a> {
    #[serde(rename = "override")]
    pub id: String,
    pub effect: &'static str,
    pub from: String,
    pub until: String,
    pub by: &'a str,
    pub reason: Option<&'a str>,
}

/// What the config file says. Exactly one of the two names is there.
#[derive(Debug, Serialize)]
pub struct Because<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusion: Option<&'a str>,
    /// What the exclusion's calendar calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    pub opens: Option<String>,
    pub closes: Option<String>,
    pub effect: &'static str,
}

impl<'a> From<&'a Override> for BecauseRow<'a> {
    fn from(one: &'a Override) -> Self {
        Self::Override(BecauseOverride {
            id: one.id.to_string(),
            effect: one.terms.effect.as_str(),
            from: utc(one.terms.from),
            until: utc(one.terms.until),
            by: one.id.author(),
            reason: one.terms.reason.as_deref(),
        })
    }
}
