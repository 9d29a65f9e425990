//! Making a bucket, and asking how one is made.

use bytes::Bytes;
use serde::Deserialize;

use crate::jetstream::RequestError;
use crate::jetstream::bucket::BucketError;
use crate::jetstream::bucket::judge::BucketSettings;
use crate::jetstream::nats::{Nats, wire};
use crate::overrides::Bucket;

/// What came of making a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// There is one now.
    Created,
    /// There was one already, with these settings, and it was left as it is.
    Exists(BucketSettings),
}

impl Nats {
    /// Makes a bucket, unless there is one of that name.
    pub async fn create_bucket(
        &self,
        bucket: &Bucket,
        replicas: usize,
    ) -> Result<Made, BucketError> {
        if let Some(settings) = self.bucket_settings(bucket).await? {
            return Ok(Made::Exists(settings));
        }
        let settings = BucketSettings::ours(replicas);
        let body = settings.to_json(bucket).to_string();
        let verb = format!("STREAM.CREATE.{}", bucket.stream());
        match self.request::<wire::Done>(&verb, body.into()).await {
            Ok(_) => Ok(Made::Created),
            Err(error) => Err(self.explain(error, bucket).await),
        }
    }

    /// How a bucket is made; `None` if there is none.
    pub async fn bucket_settings(
        &self,
        bucket: &Bucket,
    ) -> Result<Option<BucketSettings>, BucketError> {
        let verb = format!("STREAM.INFO.{}", bucket.stream());
        match self.request::<Info>(&verb, Bytes::new()).await {
            Err(RequestError::Refused {
                code: wire::STREAM_NOT_FOUND,
                ..
            }) => Ok(None),
            Ok(info) => Ok(Some(info.config)),
            Err(error) => Err(self.explain(error, bucket).await),
        }
    }
}

#[derive(Deserialize)]
struct Info {
    config: BucketSettings,
}
