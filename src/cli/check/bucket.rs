//! What is wrong with the bucket of overrides, and with the permissions to read it.

use super::live_finding::LiveFinding;
use crate::cli::overrides::store::Store;
use crate::config::{Finding, Severity};
use crate::jetstream::JetStream;
use crate::jetstream::bucket::judge::{BucketSettings, judge};
use crate::jetstream::bucket::{BucketError, BucketRead};
use crate::jetstream::nats::Nats;
use crate::overrides::Bucket;
use crate::overrides::entry::Unreadable;

/// What the server says of the bucket.
pub struct BucketSeen {
    bucket: Bucket,
    settings: Result<Option<BucketSettings>, BucketError>,
    read: Result<BucketRead, BucketError>,
}

impl BucketSeen {
    /// Asks for it, and changes nothing.
    pub async fn of(store: Store, nats: &Nats) -> Self {
        Self {
            settings: nats.bucket_settings(&store.bucket).await,
            read: nats.overrides(&store.bucket).await,
            bucket: store.bucket,
        }
    }
}

/// As findings. `replicas` is the most that a stream with consumers to pause has.
pub fn findings(of_bucket: &BucketSeen, replicas: usize) -> Vec<LiveFinding> {
    let subject = format!("bucket {}", of_bucket.bucket.name());
    let finding = |severity, code, message: &str, hint: &str| {
        LiveFinding::from(Finding::new(severity, code, &subject, message).hint(hint))
    };
    let mut findings = Vec::new();
    match &of_bucket.settings {
        Ok(settings) => {
            let faults = judge(settings.as_ref(), &of_bucket.bucket, replicas);
            findings.extend(
                faults
                    .into_iter()
                    .map(|fault| finding(fault.severity, fault.code, &fault.message, &fault.hint)),
            );
        }
        Err(error) => findings.push(finding(
            Severity::Warning,
            "bucket-unknown",
            &format!("cannot read its settings: {error}"),
            "without them a failed read is not explained, and the settings are not checked",
        )),
    }
    match &of_bucket.read {
        Ok(read) => findings.extend(read.unreadable.iter().map(|one| unreadable(one, of_bucket))),
        // Said already.
        Err(_) if matches!(of_bucket.settings, Ok(None)) => {}
        Err(error) => findings.push(finding(
            Severity::Error,
            "bucket-unreadable",
            &format!("cannot read overrides: {error}"),
            "recess needs to publish to $JS.API.DIRECT.GET.KV_<bucket>",
        )),
    }
    findings
}

fn unreadable(one: &Unreadable, of_bucket: &BucketSeen) -> LiveFinding {
    LiveFinding::warning(
        "override-unreadable",
        &format!("bucket {}", of_bucket.bucket.name()),
        &format!("override {one}; it has no effect"),
        "`recess overrides` lists it, `nats kv purge` removes it",
    )
}
