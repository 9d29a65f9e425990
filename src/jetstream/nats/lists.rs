//! The lists of streams' names and of a stream's consumers, page by page.

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Nats;
use super::pagination::{self, Page};
use super::wire::{self, Entry, Slot};
use crate::consumer::{ConsumerId, LabelKeys};
use crate::jetstream::{Listed, Listing, RequestError, Sample};

/// How many streams' names, and how many consumers, nats-server puts on one page.
const NAMES_PAGE: usize = 1024;
pub(super) const LIST_PAGE: usize = 256;

/// How long a list is waited for at least: a cluster gives each consumer 4 s to answer (a constant
/// in 2.11.0 to 2.15.1) before it sends the list without those that did not, and that list must not
/// come too late.
const LIST_TIMEOUT: Duration = Duration::from_secs(5);

/// The server's clock is not read from a page that took longer: while a cluster waits for the last
/// to answer, what the first answered grows old, and a Resume's deadline by a clock 4 s behind
/// would have passed when it is applied.
const FRESH: Duration = Duration::from_secs(1);

impl Nats {
    /// The names of all streams of the account.
    pub(super) async fn all_names(&self) -> Result<Listing<String>, RequestError> {
        let fetch = |offset| self.names_page(offset);
        let names = pagination::read(NAMES_PAGE, fetch).await?;
        Ok(wire::listing(names.unwrap_or_default(), |name, ()| name))
    }

    /// All consumers of a stream, with their labels of these keys; `None` when it does not exist.
    pub(super) async fn all_of(
        &self,
        stream: &str,
        keys: &LabelKeys,
    ) -> Result<Option<Listing<Listed>>, RequestError> {
        let fetch = |offset| self.list_page(stream, keys, offset);
        let places = pagination::read(LIST_PAGE, fetch).await?;
        Ok(places.map(|places| {
            wire::listing(places, |name, sample| Listed {
                id: ConsumerId::new(stream, name),
                sample,
            })
        }))
    }

    /// The page of the streams' names at an offset.
    async fn names_page(
        &self,
        offset: usize,
    ) -> Result<Option<Page<Slot, Entry<()>>>, RequestError> {
        let body = Bytes::from(format!(r#"{{"offset":{offset}}}"#));
        let answer = self.ask("STREAM.NAMES", body, self.timeout).await?;
        let reply: wire::NamesReply<'_> = answer.read()?;
        Ok(Some(reply.into_page()))
    }

    /// The page of a stream's list of consumers at an offset; `None` when the stream does not
    /// exist.
    async fn list_page(
        &self,
        stream: &str,
        keys: &LabelKeys,
        offset: usize,
    ) -> Result<Option<Page<Slot, Entry<Sample>>>, RequestError> {
        let subject = format!("CONSUMER.LIST.{stream}");
        let body = Bytes::from(format!(r#"{{"offset":{offset}}}"#));
        let timeout = self.timeout.max(LIST_TIMEOUT);
        let asked = Instant::now();
        let answer = self.ask(&subject, body, timeout).await?;
        let reply: wire::ListReply<'_> = match answer.read() {
            Err(RequestError::Refused {
                code: wire::STREAM_NOT_FOUND,
                ..
            }) => return Ok(None),
            reply => reply?,
        };
        let mut page = {
            let mut known = self
                .known_labels
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            reply.into_page(keys, &mut known)
        };
        if asked.elapsed() > FRESH {
            for entry in page.entries.values_mut() {
                entry.content.server_time = None;
            }
        }
        Ok(Some(page))
    }
}
