//! What decides, besides its name, which windows a consumer follows: whether it is durable, and its metadata.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::support::random::Random;

/// The key by which consumers are exempt.
pub const EXEMPT: &str = "recess.exempt";

const TEAMS: [&str; 3] = ["red", "blue", "teal"];

/// What an answer shows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nature {
    pub durable: bool,
    team: Option<String>,
    tier: Option<String>,
    exempt: Option<String>,
}

impl Nature {
    pub fn durable(durable: bool) -> Self {
        Self {
            durable,
            ..Self::default()
        }
    }

    pub fn of(info: &Value) -> Self {
        let of = |key: &str| info["config"]["metadata"][key].as_str().map(str::to_owned);
        Self {
            durable: !info["config"]["durable_name"].is_null(),
            team: of("team"),
            tier: of("tier"),
            exempt: of(EXEMPT),
        }
    }

    /// Until which second it is exempt, where the config has the key.
    pub fn exempt_until(&self) -> i64 {
        match self.exempt.as_deref() {
            None | Some("false") => i64::MIN,
            Some(text) => (text.parse::<Timestamp>()).map_or(i64::MAX, Timestamp::as_second),
        }
    }
}

/// A window's `where`.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    team: Option<&'static Is>,
    tier: Option<&'static Is>,
}

/// What a value must be, and how a file says it.
#[derive(Debug)]
struct Is {
    toml: &'static str,
    holds: fn(Option<&str>) -> bool,
}

const OF_TEAM: &[Is] = &[
    Is {
        toml: r#""red""#,
        holds: |team| team == Some("red"),
    },
    Is {
        toml: r#"["red", "blue"]"#,
        holds: |team| matches!(team, Some("red" | "blue")),
    },
    Is {
        toml: r#""!red""#,
        holds: |team| team != Some("red"),
    },
    Is {
        toml: r#""t*""#,
        holds: |team| team.is_some_and(|team| team.starts_with('t')),
    },
    Is {
        toml: r#""*""#,
        holds: |team| team.is_some(),
    },
    Is {
        toml: r#""!*""#,
        holds: |team| team.is_none(),
    },
];

const OF_TIER: &[Is] = &[
    Is {
        toml: r#""gold""#,
        holds: |tier| tier == Some("gold"),
    },
    Is {
        toml: r#""!*""#,
        holds: |tier| tier.is_none(),
    },
];

impl Condition {
    /// Most windows have none.
    pub fn make_up(random: &mut Random) -> Self {
        if !random.once_in(3) {
            return Self::default();
        }
        Self {
            team: Some(random.pick(OF_TEAM)),
            tier: random.once_in(4).then(|| random.pick(OF_TIER)),
        }
    }

    pub fn of_team(team: usize) -> Self {
        Self {
            team: OF_TEAM.get(team),
            tier: None,
        }
    }

    pub fn holds(&self, nature: &Nature) -> bool {
        let holds = |is: Option<&Is>, value: &Option<String>| {
            is.is_none_or(|is| (is.holds)(value.as_deref()))
        };
        holds(self.team, &nature.team) && holds(self.tier, &nature.tier)
    }

    /// As a line of a file; none where all consumers do.
    pub fn toml(&self) -> Option<String> {
        let keys = [("team", self.team), ("tier", self.tier)];
        let conditions = keys
            .into_iter()
            .filter_map(|(key, is)| Some(format!("{key} = {}", is?.toml)));
        let conditions: Vec<String> = conditions.collect();
        (!conditions.is_empty()).then(|| format!("where = {{ {} }}\n", conditions.join(", ")))
    }
}

/// What somebody writes into a consumer's metadata: most often a team, and often nothing at all.
pub fn metadata(random: &mut Random) -> Value {
    let mut metadata = Map::new();
    if random.once_in(3) {
        return Value::Null;
    }
    metadata.insert("team".to_owned(), json!(random.pick(&TEAMS)));
    if random.once_in(3) {
        metadata.insert("tier".to_owned(), json!(random.pick(&["gold", "iron"])));
    }
    if random.once_in(4) {
        let near = Timestamp::now() + SignedDuration::from_secs(random.below(40) - 10);
        let near = Timestamp::from_second(near.as_second())
            .unwrap()
            .to_string();
        let said = *random.pick(&["true", "true", "false", "perhaps", &near]);
        metadata.insert(EXEMPT.to_owned(), json!(said));
    }
    if random.once_in(8) {
        metadata.insert("notes".to_owned(), json!("x".repeat(20_000)));
    }
    Value::Object(metadata)
}
