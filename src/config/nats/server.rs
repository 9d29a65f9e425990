//! Addresses of NATS servers, as the config file writes them.

use std::net::Ipv6Addr;

/// The hint that belongs to most mistakes here.
const FORM: &str = "write nats://HOST:PORT or tls://HOST:PORT";

/// Why a text is not a server's address.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAServer {
    /// A fragment that fits behind the text and a colon.
    pub reason: &'static str,
    /// The fix.
    pub hint: &'static str,
}

/// Checks one entry of `nats.servers`: `nats://host:port`, `tls://host:port`, and either without
/// scheme or port.
pub fn check(address: &str) -> Result<(), NotAServer> {
    let refuse = |reason, hint| Err(NotAServer { reason, hint });
    if address.contains('@') {
        let hint = "remove it, and set username + password_file or token_file in [nats]";
        return refuse("a secret does not belong in an address", hint);
    }
    let rest = match address.split_once("://") {
        None => address,
        Some(("nats" | "tls", rest)) => rest,
        Some(_) => return refuse("recess supports only nats:// and tls://", FORM),
    };
    if rest.contains(',') {
        let hint = r#"put each in its own quotes: ["nats://a:4222", "nats://b:4222"]"#;
        return refuse("one text contains several addresses", hint);
    }
    let Some((host, port)) = split(rest.strip_suffix('/').unwrap_or(rest)) else {
        return refuse(
            "an IPv6 address must be in brackets",
            "write it as in nats://[::1]:4222",
        );
    };
    if host.is_empty() {
        return refuse("it has no host", FORM);
    }
    if !is_host(host) {
        return refuse("it is not a host name or an IP address", FORM);
    }
    match port.map(str::parse::<u16>) {
        None | Some(Ok(1..)) => Ok(()),
        Some(_) => refuse("the port is not a number from 1 to 65535", FORM),
    }
}

/// Host and port; `None` for an IPv6 address without its brackets.
fn split(rest: &str) -> Option<(&str, Option<&str>)> {
    if rest.starts_with('[')
        && let Some(end) = rest.find(']')
    {
        let (host, after) = rest.split_at(end + 1);
        return Some((
            host,
            after
                .strip_prefix(':')
                .or((!after.is_empty()).then_some(after)),
        ));
    }
    match rest.split_once(':') {
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((host, Some(port))),
        None => Some((rest, None)),
    }
}

fn is_host(host: &str) -> bool {
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')),
    }
}
