//! Reading a list that the server hands out in pages by offset, and that changes while it is read.
//!
//! A page is a consistent piece of the list as it is at that moment; between two pages an entry may
//! be created or deleted before the offset, and all later ones shift. So pages overlap: a page
//! counts only if it has an entry that is known already, as then none is missed between the two.
//! Otherwise it is read again from further back.
//!
//! Knows the order of the list and nothing else of the server; must not know what the names stand
//! for. The invariant: everyone who exists during the whole reading is in the result. (Someone who
//! was deleted meanwhile may be too.)
//!
//! It rests on an order that stays: by name, in every list of nats-server 2.11.0 to 2.15.1. There
//! is one exception: in a cluster, consumers whose creator gave them no name (ephemeral ones of old
//! clients; durable ones from before 2.9) stand in front of all others, in an order that is another
//! one in each answer. The others may rely on the invariant beside them too, as it needs no names
//! to be compared; they themselves may where they fit into one page.

use std::collections::BTreeMap;

use crate::jetstream::RequestError;

/// No server has so many streams, and no stream so many consumers (nats-server 2.15 stops at 1,000
/// by default). A server that claims more would be read for hours and into all memory.
const MAX_ENTRIES: usize = 250_000;

/// How many pages may bring no new entry, in all: a list that shifts has some.
const MAX_PAGES_WITHOUT_NEW: usize = 32;

#[cfg(test)]
mod tests;

/// A piece of the list.
pub struct Page<K, V> {
    /// Each entry on it, by name, also those of which only the name is known: each takes a place in
    /// the list.
    pub entries: BTreeMap<K, V>,
    /// How long the whole list is at this moment.
    pub total: usize,
}

/// Reads the whole list: `fetch` asks for the page at an offset, which holds `limit` entries unless
/// the list ends. `None` when `fetch` says that there is no such list.
pub async fn read<K, V, F>(
    limit: usize,
    mut fetch: impl FnMut(usize) -> F,
) -> Result<Option<BTreeMap<K, V>>, RequestError>
where
    K: Ord,
    F: Future<Output = Result<Option<Page<K, V>>, RequestError>>,
{
    let mut read: BTreeMap<K, V> = BTreeMap::new();
    let mut offset = 0;
    // An empty page may say that the whole list is empty (in a cluster), so the longest of all is
    // kept.
    let mut longest = 0;
    // One is enough in a list that rests, and makes it cost hardly more than without.
    let mut overlap = 1;
    let mut fruitless = 0;
    for requests in 1.. {
        let Some(page) = fetch(offset).await? else {
            return Ok(None);
        };
        longest = longest.max(page.total);
        if longest.max(read.len()) > MAX_ENTRIES {
            return Err(RequestError::TooLong { most: MAX_ENTRIES });
        }
        let known = read.len();
        let connects = offset == 0 || page.entries.keys().any(|name| read.contains_key(name));
        if connects {
            let end = offset + page.entries.len();
            read.extend(page.entries);
            if end >= page.total {
                return Ok(Some(read));
            }
            offset = end.saturating_sub(overlap);
        } else {
            // A list that shifts goes on shifting: with half a page, so many may be deleted from
            // one page to the next.
            overlap = limit / 2;
            offset = offset.saturating_sub(overlap);
        }
        if read.len() == known {
            fruitless += 1;
        }
        if fruitless > MAX_PAGES_WITHOUT_NEW || requests >= most_requests(longest, limit) {
            break;
        }
    }
    Err(RequestError::Shifting)
}

/// Twice as many as a list of that length takes by half pages.
fn most_requests(length: usize, limit: usize) -> usize {
    4 * length.div_ceil(limit) + 8
}
