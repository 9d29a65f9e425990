//! How a bucket is made, and what is wrong with one that was made otherwise.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::Severity;
use crate::overrides::Bucket;
use crate::overrides::entry::LONGEST_VALUE;
use crate::text;

/// All overrides of all instances fit: some thousands.
const MOST_BYTES: i64 = 1 << 20;

/// The settings of a bucket's stream that decide about overrides.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BucketSettings {
    /// How many revisions of a key are kept.
    #[serde(default, rename = "max_msgs_per_subject")]
    pub history: i64,
    /// How long messages are kept at most, in nanoseconds; 0 for ever.
    #[serde(default)]
    pub max_age: i64,
    /// How long a value may be; -1 without end.
    #[serde(default = "unlimited")]
    pub max_msg_size: i64,
    /// How much there may be in all; -1 without end.
    #[serde(default = "unlimited")]
    pub max_bytes: i64,
    /// `new`: a full bucket refuses; `old`: it forgets.
    #[serde(default)]
    pub discard: String,
    /// `file` or `memory`.
    #[serde(default)]
    pub storage: String,
    /// On how many servers it is.
    #[serde(default)]
    pub num_replicas: usize,
    /// Whether a purge can hold a value.
    #[serde(default)]
    pub allow_rollup_hdrs: bool,
    /// Whether every replica answers reads.
    #[serde(default)]
    pub allow_direct: bool,
    /// Whether keys can have a time to live.
    #[serde(default)]
    pub allow_msg_ttl: bool,
}

fn unlimited() -> i64 {
    -1
}

impl BucketSettings {
    /// As `overrides create` makes it.
    pub fn ours(replicas: usize) -> Self {
        Self {
            history: 1,
            max_age: 0,
            max_msg_size: i64::try_from(LONGEST_VALUE).unwrap_or(i64::MAX),
            max_bytes: MOST_BYTES,
            discard: "new".to_owned(),
            storage: "file".to_owned(),
            num_replicas: replicas,
            allow_rollup_hdrs: true,
            allow_direct: true,
            allow_msg_ttl: true,
        }
    }

    /// The request that makes it.
    pub fn to_json(&self, bucket: &Bucket) -> Value {
        json!({
            "name": bucket.stream(),
            "description": "recess overrides",
            "subjects": [format!("$KV.{}.>", bucket.name())],
            "retention": "limits",
            "max_msgs_per_subject": self.history,
            "max_age": self.max_age,
            "max_msg_size": self.max_msg_size,
            "max_bytes": self.max_bytes,
            "discard": self.discard,
            "storage": self.storage,
            "num_replicas": self.num_replicas,
            "allow_rollup_hdrs": self.allow_rollup_hdrs,
            "deny_delete": true,
            "allow_direct": self.allow_direct,
            "allow_msg_ttl": self.allow_msg_ttl,
        })
    }
}

/// What is wrong with a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketFault {
    /// Whether overrides can be relied on nevertheless.
    pub severity: Severity,
    /// The kind, as a stable word.
    pub code: &'static str,
    /// What it does to overrides.
    pub message: String,
    /// The fix.
    pub hint: String,
}

/// Judges a bucket by its settings, `None` where there is none. `replicas` is the most that a
/// stream with consumers to pause has.
pub fn judge(
    settings: Option<&BucketSettings>,
    bucket: &Bucket,
    replicas: usize,
) -> Vec<BucketFault> {
    let stream = bucket.stream();
    let fault = |severity, code, message: String, hint: String| BucketFault {
        severity,
        code,
        message,
        hint,
    };
    let error = |code, message: &str, hint| fault(Severity::Error, code, message.to_owned(), hint);
    let warning = |code, message, hint| fault(Severity::Warning, code, message, hint);
    let edit = |flag: &str| format!("run `nats stream edit {stream} {flag}`");
    let recreate = "delete it and run `recess overrides create`";
    let Some(found) = settings else {
        let message = "it does not exist: no override can be made";
        let hint = "run `recess overrides create`".to_owned();
        return vec![error("bucket-missing", message, hint)];
    };
    let mut faults = Vec::new();
    if found.history != 1 {
        let message = "it keeps more than one revision of a key: when the newest expires, an older one counts again";
        faults.push(error(
            "bucket-history",
            message,
            edit("--max-msgs-per-subject 1"),
        ));
    }
    if !found.allow_direct {
        let message = "its stream does not allow direct get: no override can be read";
        faults.push(error("bucket-direct", message, edit("--allow-direct")));
    }
    if !found.allow_msg_ttl {
        let message = "its stream does not allow a time to live: no override can be made";
        faults.push(error(
            "bucket-ttl",
            message,
            format!("set allow_msg_ttl of stream {stream}, or {recreate}"),
        ));
    }
    if !found.allow_rollup_hdrs {
        let message = "its stream does not allow rollups: no override can be undone";
        faults.push(error("bucket-rollup", message, edit("--allow-rollup")));
    }
    if let Ok(age @ 1..) = u64::try_from(found.max_age) {
        let age = text::length(std::time::Duration::from_nanos(age));
        let message =
            format!("it forgets overrides after {age} (max_age), also those that have not ended");
        faults.push(warning("bucket-age", message, edit("--max-age 0")));
    }
    if found.discard != "new" {
        let message =
            "when it is full it forgets the oldest overrides instead of refusing new ones"
                .to_owned();
        faults.push(warning("bucket-discard", message, edit("--discard new")));
    }
    if found.storage != "file" {
        let message =
            "it is kept in memory: a restart of its servers loses all overrides".to_owned();
        faults.push(warning("bucket-memory", message, recreate.to_owned()));
    }
    if found.num_replicas < replicas {
        let message = format!(
            "it has {}, and a stream whose consumers are paused has {replicas}: overrides cannot be made or read while the \
             stream goes on",
            match found.num_replicas {
                1 => "1 replica".to_owned(),
                count => format!("{count} replicas"),
            }
        );
        faults.push(warning(
            "bucket-replicas",
            message,
            edit(&format!("--replicas {replicas}")),
        ));
    }
    faults
}
