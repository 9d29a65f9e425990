//! Why there is no connection, in words for an operator: the thing, the place, and the fix if one
//! is known.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use async_nats::rustls::{self, AlertDescription, CertificateError, InvalidMessage};
use async_nats::{ConnectError, ConnectErrorKind, ServerError};
use jiff::Timestamp;

use crate::config::{Auth, Connection, Secret, Tls};
use crate::visible::sanitize;

/// How long one address of a server may take to answer.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What each server that was tried has against us.
#[derive(Default)]
pub struct Refusals(BTreeMap<usize, (String, String)>);

impl Refusals {
    /// `place` is the server's in the order of trying, whatever the order of answers.
    pub fn add(&mut self, place: usize, address: &str, why: String) {
        self.0.insert(place, (address.to_owned(), why));
    }
}

/// `nats://a:4222, nats://b:4222: connection refused; nats://c:4222: no answer`
impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
        for (address, why) in self.0.values() {
            match by_reason.iter_mut().find(|(known, _)| known == why) {
                Some((_, addresses)) => addresses.push(address),
                None => by_reason.push((why, vec![address])),
            }
        }
        let all = (by_reason.into_iter())
            .map(|(why, addresses)| format!("{}: {why}", addresses.join(", ")));
        f.write_str(&all.collect::<Vec<_>>().join("; "))
    }
}

/// What a refused authentication means for each way of it. `settings` is where an operator finds
/// them.
pub fn refused(connection: &Connection, expires: Option<Timestamp>, settings: &str) -> String {
    let valid = expires.map_or(String::new(), |until| {
        format!(", which are valid until {until}")
    });
    let identity = connection
        .tls
        .as_ref()
        .and_then(|tls| tls.identity.as_ref());
    match (&connection.auth, identity) {
        (Auth::Nothing, Some(identity)) => format!(
            "the server has no user for the client certificate in {}",
            identity.cert.display()
        ),
        (Auth::Nothing, None) => format!(
            "the server requires authentication: set credentials, nkey_seed_file, username and \
             password_file, or token_file in {settings}"
        ),
        (auth, _) => {
            let all = std::iter::once(auth).chain(&connection.beside);
            let all: Vec<String> = all.map(|auth| sent(auth, &valid)).collect();
            format!("the server rejects {}", all.join(", beside "))
        }
    }
}

/// What was sent, and where it stands.
fn sent(auth: &Auth, valid: &str) -> String {
    match auth {
        Auth::Nothing => "nothing".to_owned(),
        Auth::Credentials(secret) => format!("the credentials in {}{valid}", name(secret)),
        Auth::Jwt { jwt, .. } => format!("the user JWT in {}{valid}", name(jwt)),
        Auth::Nkey(secret) => format!("the nkey in {}", name(secret)),
        Auth::UserPassword { username, password } => {
            format!("user {username} with the password in {}", name(password))
        }
        Auth::Token(secret) => format!("the token in {}", name(secret)),
    }
}

/// Anything but a refused authentication.
pub fn of(error: &ConnectError, address: &str, tls: Option<&Tls>, settings: &str) -> String {
    let source = error.source();
    let words = || source.map_or_else(|| error.to_string(), |source| plain(&source.to_string()));
    match error.kind() {
        ConnectErrorKind::TimedOut => {
            let answer = format!("no reply within {} s", CONNECT_TIMEOUT.as_secs());
            let first = tls.is_some_and(|tls| tls.handshake_first);
            match !first && (tls.is_some() || address.starts_with("tls://")) {
                true => format!(
                    "{answer}; if the server has handshake_first, set tls.handshake_first in \
                     {settings} too"
                ),
                false => answer,
            }
        }
        ConnectErrorKind::Dns => format!("host not found ({})", words()),
        ConnectErrorKind::ServerParse => format!("not a server's address ({})", words()),
        ConnectErrorKind::Authentication
        | ConnectErrorKind::AuthorizationViolation
        | ConnectErrorKind::Tls
        | ConnectErrorKind::Io
        | ConnectErrorKind::MaxReconnects => {
            if let Some(ServerError::Other(words)) = source.and_then(|e| e.downcast_ref()) {
                return format!("the server reports: {}", sanitize(words));
            }
            let Some(io) = source.and_then(|source| source.downcast_ref::<io::Error>()) else {
                // async-nats puts a text there when the connection ends while it is being made.
                return "the server closed the connection at once".to_owned();
            };
            let inner = io
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>());
            inner.map_or_else(|| of_io(io), |error| of_tls(error, address, tls, settings))
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`std::io::ErrorKind` is non-exhaustive; every other kind has its own words"
)]
fn of_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted => "the server closed the connection at once".to_owned(),
        _ => plain(&error.to_string()),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls' errors are non-exhaustive; every other has its own words"
)]
fn of_tls(error: &rustls::Error, address: &str, tls: Option<&Tls>, settings: &str) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => of_certificate(error, address, tls, settings),
        rustls::Error::AlertReceived(alert) => of_alert(*alert, tls, settings),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)
            if tls.is_some_and(|tls| tls.handshake_first) =>
        {
            format!(
                "the server does not start with TLS: remove tls.handshake_first in {settings}, or \
                 set handshake_first on the server"
            )
        }
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!(
                "the server does not use TLS: enable it on the server, or remove tls in {settings} \
                 and tls:// in the address"
            )
        }
        error => format!("TLS failed: {error}"),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls' errors are non-exhaustive; every other has its own words"
)]
fn of_certificate(
    error: &CertificateError,
    address: &str,
    tls: Option<&Tls>,
    settings: &str,
) -> String {
    let second = |time: &rustls::pki_types::UnixTime| {
        let second = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
    };
    match error {
        // The second where another CA of the same name has signed it.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            match tls.and_then(|tls| tls.ca.as_ref()) {
                Some(ca) => format!(
                    "the server's certificate is not signed by a CA in {}",
                    ca.display()
                ),
                None => format!(
                    "the server's certificate is not signed by a CA that this host trusts: set \
                     tls.ca in {settings}"
                ),
            }
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the server's certificate expired on {}", second(not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the server's certificate is not valid before {}; check this host's clock",
            second(not_before)
        ),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            format!(
                "the server's certificate names no host: it needs a subjectAltName for the host of \
                 {address}"
            )
        }
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "the server's certificate is for {}, not for the host of {address}",
            presented
                .iter()
                .map(|name| bare(name))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server's certificate is a CA certificate; the server needs one that a CA has \
             issued for it"
                .to_owned()
        }
        CertificateError::Other(other) if is_of_version_1(other) => format!(
            "the server's certificate is of X.509 version 1; it needs one of version 3, with a \
             subjectAltName for the host of {address}"
        ),
        error => format!("the server's certificate is not valid: {error}"),
    }
}

/// Whether a certificate is of X.509 version 1, as `openssl x509 -req` makes them without an
/// `-extfile`.
pub fn is_of_version_1(error: &rustls::OtherError) -> bool {
    error.to_string().contains("UnsupportedCertVersion")
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "TLS alerts are non-exhaustive; every other has its number"
)]
fn of_alert(alert: AlertDescription, tls: Option<&Tls>, settings: &str) -> String {
    use AlertDescription::{BadCertificate, CertificateRequired};
    let Some(identity) = tls.and_then(|tls| tls.identity.as_ref()) else {
        return match alert {
            CertificateRequired | BadCertificate => format!(
                "the server requires a client certificate: set tls.cert and tls.key in {settings}"
            ),
            alert => format!("the server closed TLS (alert {})", u8::from(alert)),
        };
    };
    let cert = identity.cert.display();
    match alert {
        AlertDescription::CertificateExpired => {
            format!("the server rejects the client certificate in {cert}: it has expired")
        }
        AlertDescription::UnknownCA => {
            format!(
                "the server rejects the client certificate in {cert}: it does not know the CA that \
                 signed it"
            )
        }
        alert => format!(
            "the server rejects the client certificate in {cert} (TLS alert {})",
            u8::from(alert)
        ),
    }
}

/// rustls shows a name as `DnsName("nats.example.com")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_matches(['"', ')'])
}

/// Without the number, which means nothing to people.
fn plain(words: &str) -> String {
    sanitize(words.split(" (os error").next().unwrap_or(words))
}

/// What a secret is called in messages.
pub fn name(secret: &Secret) -> String {
    match secret {
        Secret::File(path) => path.display().to_string(),
        Secret::Text(_) => "the natscli context".to_owned(),
    }
}
