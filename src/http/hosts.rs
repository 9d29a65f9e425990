//! The names under which a page is served.
//!
//! A site on the internet can give its own name the address of this host and have a visitor's
//! browser ask here (DNS rebinding): the answer would be that site's to read. The browser says
//! under which name it asks, so a name that may be such a site's is refused. What no site can have
//! passes: addresses, `localhost`, names without a dot, this host's own name, and those that
//! `[http] hosts` lists.
//!
//! Metrics and health are served under any name: they hold no page, and a scraper asks by whatever
//! name it was given.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::request::Parts;
use axum::http::{StatusCode, Version, header};

use super::refusal::Refusal;

/// Where Linux keeps the name of the host.
const OWN_NAME: &str = "/proc/sys/kernel/hostname";

/// The names with a dot that pass, as [`canonical`] writes them.
#[derive(Debug)]
pub struct Hosts(BTreeSet<String>);

impl Hosts {
    /// This host's own name, and those that the config lists.
    pub fn of(listed: &[String]) -> Self {
        // Without it, the own name is one more to list.
        let own = std::fs::read_to_string(OWN_NAME).unwrap_or_default();
        Self::named(listed.iter().map(String::as_str).chain([own.trim()]))
    }

    fn named<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.map(canonical).collect())
    }

    /// Whether a request may see a page.
    ///
    /// # Errors
    /// The status to answer with, and why.
    pub fn admit(&self, request: &Parts) -> Result<(), Refusal> {
        let bad = |why: &str| Err(Refusal::bad_request(why));
        let mut given = request.headers.get_all(header::HOST).iter();
        let (first, second) = (given.next(), given.next());
        if second.is_some() {
            return bad("the request has more than one Host");
        }
        // A request that names its whole address means that, whatever its Host says (RFC 9112,
        // 3.2.2).
        let asked = match (request.uri.authority(), first) {
            (Some(authority), _) => authority.as_str(),
            (None, Some(host)) => match host.to_str() {
                Ok(host) => host,
                Err(_) => return bad("the request's Host is not a name or an address"),
            },
            // Clients so old, or so simple, are no browsers.
            (None, None) if request.version <= Version::HTTP_10 => return Ok(()),
            (None, None) => return bad("the request has no Host"),
        };
        match name_of(asked) {
            None => bad("the request's Host is not a name or an address"),
            Some(Name::Address) => Ok(()),
            Some(Name::Text(name)) => {
                let name = canonical(name);
                if !name.contains('.') || self.0.contains(&name) {
                    return Ok(());
                }
                let why = format!(
                    "host {name}: recess serves no page under this name; to allow it, add it to \
                     `hosts` in [http]"
                );
                Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, why))
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Name<'h> {
    /// An address, which no site can take away.
    Address,
    Text(&'h str),
}

/// What a `Host` names, its port aside. `None` for what is neither a name nor an address.
fn name_of(host: &str) -> Option<Name<'_>> {
    let end = match host.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at_checked(end)?;
    let port = port.strip_prefix(':').unwrap_or(port);
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Some(inner) = name.strip_prefix('[') {
        let address = inner.strip_suffix(']')?.parse::<Ipv6Addr>();
        return address.is_ok().then_some(Name::Address);
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return Some(Name::Address);
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let labels = name.strip_suffix('.').unwrap_or(name);
    let is_name = labels.split('.').all(|label| !label.is_empty());
    (is_name && labels.bytes().all(fits)).then_some(Name::Text(name))
}

/// Names are the same in large and small letters, and with a dot at the end.
fn canonical(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
