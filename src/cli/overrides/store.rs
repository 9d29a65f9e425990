//! The bucket of a config file: where it is, and what it has.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::{ConfigArgs, Exit, complain, connection};
use crate::config::{Config, Reason};
use crate::jetstream::bucket::{BucketError, BucketRead};
use crate::jetstream::nats::Nats;
use crate::jetstream::{JetStream, Link};
use crate::overrides::Bucket;
use crate::policy::Policy;

/// So long does a command wait for overrides that only shows something.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// Where overrides are kept.
pub struct Store {
    /// The bucket.
    pub bucket: Bucket,
    /// How long one that has ended is kept.
    pub keep: Duration,
}

impl Store {
    /// That of the config file, if it has one.
    pub fn of(config: &Config) -> Option<Self> {
        let overrides = &config.settings.overrides;
        let name = overrides.bucket.as_ref()?;
        Some(Self {
            bucket: Bucket::new(name, config.policy.instance()),
            keep: overrides.keep,
        })
    }

    /// A config file and its bucket; where it has none, says how to add it.
    pub fn load(args: &ConfigArgs) -> Result<(Config, Self), Exit> {
        let config = crate::cli::load(args)?;
        let Some(store) = Self::of(&config) else {
            complain(format!(
                "error: overrides have no bucket: add the lines\n\n    [overrides]\n    bucket = \"recess\"\n\nto {}, run \
                 `recess overrides create`, and reload recess",
                args.config.display()
            ));
            return Err(Exit::Config);
        };
        Ok((config, store))
    }

    /// Everything that it has, or says why that is not known.
    pub async fn read(&self, nats: &Nats) -> Result<BucketRead, Exit> {
        nats.overrides(&self.bucket).await.map_err(failed)
    }
}

/// Says why the bucket was not read or written.
pub fn failed(error: BucketError) -> Exit {
    complain(format!("error: {error}"));
    Exit::Failed
}

/// The reason to write down, or says that there must be one.
pub fn reason(given: Option<&str>, config: &Config, file: &Path) -> Result<Option<Arc<str>>, Exit> {
    let given = given.map(str::trim).filter(|text| !text.is_empty());
    match (given, config.settings.overrides.reason) {
        (Some(text), _) => Ok(Some(text.into())),
        (None, Reason::Optional) => Ok(None),
        (None, Reason::Required) => {
            complain(format!(
                "error: a reason is missing: add --reason 'TEXT' (or set reason = \"optional\" in [overrides] of {})",
                file.display()
            ));
            Err(Exit::Usage)
        }
    }
}

/// Whose name an override carries.
pub async fn author(given: Option<&str>, nats: &Nats) -> Result<String, Exit> {
    if let Some(name) = given {
        return Ok(name.to_owned());
    }
    let of_login = || std::env::var("USER").ok().filter(|name| !name.is_empty());
    (nats.user().await).or_else(of_login).ok_or_else(|| {
        complain("error: the server does not report the NATS user, and $USER is not set: add --author NAME");
        Exit::Usage
    })
}

/// The policy with what the bucket has.
pub fn overridden(policy: &Policy, read: &BucketRead, now: Timestamp) -> Policy {
    policy
        .with_overrides(&read.live, now)
        .after_withdrawing(&read.withdrawn(), now)
}

/// A config for a command that only shows something, with the overrides that there are. Where they
/// cannot be read soon it goes on without them, and says so.
pub fn shown(mut config: Config, offline: bool, wall: fn() -> Timestamp) -> Result<Config, Exit> {
    if offline || config.settings.overrides.bucket.is_none() {
        return Ok(config);
    }
    let read = crate::cli::block_on(async {
        let settings = &config.settings;
        let (nats, _advisories) = Nats::start(&settings.nats, settings.controller.request_timeout);
        Ok(read_to_show(&config, &nats).await)
    })?;
    if let Some(read) = read {
        config.policy = Arc::new(overridden(&config.policy, &read, wall()));
    }
    Ok(config)
}

/// What the bucket has, by a connection that is there or is being made; `None` where the config file
/// names none, or it cannot be read soon.
pub async fn read_to_show(config: &Config, nats: &Nats) -> Option<BucketRead> {
    let store = Store::of(config)?;
    let read = async {
        match connection::settled(nats).await {
            Link::Up(_) => {}
            Link::Down { reason } => return Err(reason),
            Link::Unsuitable(unsuitable) => return Err(unsuitable.to_string()),
        }
        let read = nats.overrides(&store.bucket).await;
        read.map_err(|error| error.to_string())
    };
    let why = match tokio::time::timeout(SHOWN_WITHIN, read).await {
        Ok(Ok(read)) => return Some(read),
        Ok(Err(why)) => why,
        Err(_) => format!("no reply within {} s", SHOWN_WITHIN.as_secs()),
    };
    crate::cli::print_error(&format!("without overrides: {why}"));
    None
}
