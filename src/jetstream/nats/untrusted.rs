//! The readers of everything that a server or another program writes, for `tests/fuzz`. Public for
//! it only: no release build has this module.

use std::path::Path;

use super::connection_task::{Denial, denial};
use super::secrets::Credentials;
use super::wire;
use crate::config::{Auth, Connection, Redacted, Secret, context};
use crate::consumer::{ConsumerId, LabelKeys};
use crate::jetstream::{Advisory, Listing, RequestError, Sample};

/// The API level in an account's INFO.
pub fn account_info(payload: &[u8]) -> Result<Option<u64>, RequestError> {
    wire::read(payload, "INFO").map(|info: wire::AccountInfo| info.api.level)
}

/// The streams on a page of names.
pub fn names(payload: &[u8]) -> Result<Listing<String>, RequestError> {
    let reply: wire::NamesReply = wire::read(payload, "STREAM.NAMES")?;
    let page = reply.into_page();
    Ok(wire::listing(page.entries, |name, ()| name))
}

/// The consumers on a page of the list of stream `ORDERS`.
pub fn list(payload: &[u8]) -> Result<Listing<(ConsumerId, Sample)>, RequestError> {
    let reply: wire::ListReply = wire::read(payload, "CONSUMER.LIST.ORDERS")?;
    let page = reply.into_page(&keys(), &mut wire::KnownLabels::default());
    let listed = |name, sample| (ConsumerId::new("ORDERS", name), sample);
    Ok(wire::listing(page.entries, listed))
}

/// What of their metadata a policy names.
fn keys() -> LabelKeys {
    LabelKeys::new(["team".into(), "".into()])
}

/// One consumer.
pub fn info(payload: &[u8]) -> Result<Sample, RequestError> {
    let subject = "CONSUMER.INFO.ORDERS.billing";
    wire::read::<wire::Info>(payload, subject)?.into_sample(subject, &keys())
}

/// The answer to a write.
pub fn written(payload: &[u8]) -> Result<(), RequestError> {
    wire::read(payload, "CONSUMER.PAUSE.ORDERS.billing").map(|wire::Done {}| ())
}

/// An advisory.
pub fn advisory(subject: &str, payload: &[u8]) -> Option<Advisory> {
    wire::advisory(subject, payload)
}

/// The subject that an error of the server's says is not allowed.
pub fn denied(words: &str) -> Option<String> {
    denial(words).map(|denial| match denial {
        Denial::Publish(subject) | Denial::Subscribe(subject) => subject,
    })
}

/// Whether a text is a credentials file.
pub fn credentials(text: &str) -> Result<(), String> {
    let secret = Secret::Text(Redacted(text.to_owned()));
    let credentials = Credentials::read(&Connection {
        auth: Auth::Credentials(secret),
        ..Connection::default()
    })?;
    credentials.expires();
    credentials
        .answer(b"nonce")
        .map(drop)
        .map_err(|error| error.to_string())
}

/// What a natscli context says.
pub fn natscli_context(text: &str) -> Result<Connection, String> {
    context::parse(Path::new("context.json"), text).map_err(|error| error.to_string())
}
