//! The table `[nats]`, checked.

use std::path::{Path, PathBuf};

use super::credentials::CREDENTIALS_DIRECTORY;
use super::{Api, Auth, Connection, ConnectionSource, Identity, Nats, Secret, Tls, server};
use crate::config::file::code;
use crate::config::file::findings::{Finding, Place, without_secrets};
use crate::config::file::raw::{self, Entry, Placed};

/// The table; what is wrong or not said is the default. Relative paths are relative to `folder`.
pub fn nats(raw: &raw::Nats, folder: &Path, findings: &mut Vec<Finding>) -> Nats {
    let allow_crash_prone = raw.allow_crash_prone.given();
    if let Some(allow) = allow_crash_prone
        && allow.value
    {
        let message = "recess pauses consumers on server versions that can crash when a consumer \
                       is paused";
        let hint = "upgrade to nats-server 2.12.8 or newer and remove the line";
        findings.push(allow.place.warning(code::CRASH_PRONE, message).hint(hint));
    }
    let here = connection(raw, folder, findings);
    let source = match context(raw, folder, findings) {
        Some(context) => ConnectionSource::Context(context),
        None => ConnectionSource::Here(here),
    };
    Nats {
        source,
        allow_crash_prone: allow_crash_prone.is_some_and(|allow| allow.value),
    }
}

/// A natscli context stands in the place of every other key that says how to connect.
fn context(raw: &raw::Nats, folder: &Path, findings: &mut Vec<Finding>) -> Option<String> {
    let context = raw.context.given()?;
    let others = [
        raw.servers.place(),
        raw.credentials.place(),
        raw.nkey_seed_file.place(),
        raw.username.place(),
        raw.password_file.place(),
        raw.token_file.place(),
        raw.tls.place(),
        raw.domain.place(),
        raw.api_prefix.place(),
        raw.inbox_prefix.place(),
    ];
    if let Some(other) = others.into_iter().flatten().next() {
        let message = "the context already defines the connection";
        let hint = "keep the context or the other options";
        findings.push(
            (other.error(code::AMBIGUOUS_CONNECTION, message).hint(hint))
                .also(context.place.span.clone(), "the context"),
        );
    }
    if context.value.contains('/') {
        let file = path(&raw.context, folder, findings)?;
        return Some(file.display().to_string());
    }
    if context.value.trim().is_empty() {
        let finding = (context.place).error(code::BAD_NAME, "it is empty");
        findings.push(finding.hint("`nats context ls` lists the names of the contexts"));
    }
    Some(context.value.clone())
}

fn connection(raw: &raw::Nats, folder: &Path, findings: &mut Vec<Finding>) -> Connection {
    let default = Connection::default();
    let servers = servers(&raw.servers, findings).unwrap_or(default.servers);
    let (auth, beside) = auth(raw, folder, findings);
    Connection {
        servers,
        auth,
        beside,
        tls: tls(&raw.tls, folder, findings),
        api: api(raw, findings),
        inbox_prefix: subject(&raw.inbox_prefix, findings).unwrap_or(default.inbox_prefix),
    }
}

fn servers(raw: &Entry<raw::Texts>, findings: &mut Vec<Finding>) -> Option<Vec<String>> {
    let list = raw.given()?;
    if list.value.is_empty() {
        let hint =
            r#"name at least one, or remove the line: the default is "nats://127.0.0.1:4222""#;
        findings.push(
            list.place
                .error(code::BAD_SERVER, "the list is empty")
                .hint(hint),
        );
    }
    for address in &list.value {
        if let Err(wrong) = server::check(&address.value) {
            let message = format!("{:?}: {}", without_secrets(&address.value), wrong.reason);
            findings.push(
                address
                    .place
                    .error(code::BAD_SERVER, message)
                    .hint(wrong.hint),
            );
        }
    }
    Some(
        list.value
            .iter()
            .map(|address| address.value.clone())
            .collect(),
    )
}

/// How to authenticate, and what is sent beside it.
fn auth(raw: &raw::Nats, folder: &Path, findings: &mut Vec<Finding>) -> (Auth, Vec<Auth>) {
    let credentials = path(&raw.credentials, folder, findings);
    let nkey_seed_file = path(&raw.nkey_seed_file, folder, findings);
    let password_file = path(&raw.password_file, folder, findings);
    let token_file = path(&raw.token_file, folder, findings);

    let user = raw.username.given().or(raw.password_file.given());
    let (credentials_key, nkey) = (raw.credentials.given(), raw.nkey_seed_file.given());
    let token = raw.token_file.given();
    for (first, second) in [(credentials_key, nkey), (nkey, user), (user, token)] {
        if let (Some(first), Some(second)) = (first, second) {
            let message = "this is a second way to authenticate";
            let finding = second.place.error(code::AMBIGUOUS_AUTH, message);
            let hint = "keep one of: credentials, nkey_seed_file, username + password_file, \
                        token_file; for an auth callout, credentials may be combined with username \
                        + password_file or token_file";
            let finding = finding.hint(hint);
            findings.push(finding.also(first.place.span.clone(), "the first way"));
            break;
        }
    }
    let password_line = r#"password_file = "/etc/recess/nats.password""#;
    complete(
        (&raw.username, "username", r#"username = "recess""#),
        (&raw.password_file, "password_file", password_line),
        code::INCOMPLETE_AUTH,
        findings,
    );

    let username = raw.username.given().map(|username| username.value.clone());
    let user = (username.zip(password_file)).map(|(username, file)| Auth::UserPassword {
        username,
        password: Secret::File(file),
    });
    let ways = [
        credentials.map(|file| Auth::Credentials(Secret::File(file))),
        nkey_seed_file.map(|file| Auth::Nkey(Secret::File(file))),
        user,
        token_file.map(|file| Auth::Token(Secret::File(file))),
    ];
    let mut ways = ways.into_iter().flatten();
    (ways.next().unwrap_or(Auth::Nothing), ways.collect())
}

fn tls(raw: &Entry<raw::Tls>, folder: &Path, findings: &mut Vec<Finding>) -> Option<Tls> {
    let raw = &raw.given()?.value;
    let ca = path(&raw.ca, folder, findings);
    let cert = path(&raw.cert, folder, findings);
    let key = path(&raw.key, folder, findings);
    complete(
        (&raw.cert, "cert", r#"cert = "/etc/recess/nats.crt""#),
        (&raw.key, "key", r#"key = "/etc/recess/nats.key""#),
        code::INCOMPLETE_TLS,
        findings,
    );
    Some(Tls {
        ca,
        identity: cert.zip(key).map(|(cert, key)| Identity { cert, key }),
        handshake_first: (raw.handshake_first.given()).is_some_and(|first| first.value),
    })
}

/// Of two keys that need each other, with their names and example lines, reports the one that is
/// not there.
fn complete(
    one: (&Entry<String>, &str, &str),
    other: (&Entry<String>, &str, &str),
    code: &'static str,
    findings: &mut Vec<Finding>,
) {
    for ((here, ..), (there, name, line)) in [(one, other), (other, one)] {
        if let (Entry::Given(here), Entry::Absent) = (here, there) {
            let finding = here.place.error(code, format!("there is no {name}"));
            findings.push(finding.hint(format!("add a line such as: {line}")));
        }
    }
}

fn api(raw: &raw::Nats, findings: &mut Vec<Finding>) -> Api {
    if let (Some(domain), Some(prefix)) = (raw.domain.given(), raw.api_prefix.given()) {
        let message = "the domain already defines the API's prefix";
        let finding = prefix.place.error(code::AMBIGUOUS_CONNECTION, message);
        let hint = "keep one of: domain, api_prefix";
        findings.push(
            finding
                .hint(hint)
                .also(domain.place.span.clone(), "the domain"),
        );
    }
    if let Some(domain) = raw.domain.given() {
        if domain.value.contains('.') {
            let message = format!("{:?} contains a dot, so it is not a domain", domain.value);
            let hint =
                "write the domain alone, as in domain = \"hub\"; a whole prefix is api_prefix";
            findings.push(domain.place.error(code::BAD_SUBJECT, message).hint(hint));
        }
        return subject(&raw.domain, findings).map_or(Api::Default, Api::Domain);
    }
    subject(&raw.api_prefix, findings).map_or(Api::Default, Api::Prefix)
}

/// A subject, or what subjects begin with.
pub fn subject(raw: &Entry<String>, findings: &mut Vec<Finding>) -> Option<String> {
    let Placed { value, place } = raw.given()?;
    let bad = |place: &Place, message: String, hint: &str| {
        place.error(code::BAD_SUBJECT, message).hint(hint)
    };
    if value.split('.').any(str::is_empty) {
        let message = format!("{value:?} is not a valid subject prefix");
        let hint = "write tokens separated by single dots, as in \"$JS.hub.API\"";
        findings.push(bad(place, message, hint));
    } else if value.contains(|c: char| c.is_whitespace() || c.is_control() || "*>".contains(c)) {
        let message = format!("{value:?} contains a wildcard or a space");
        findings.push(bad(
            place,
            message,
            "write only the part before the wildcard",
        ));
    } else {
        return Some(value.clone());
    }
    None
}

/// A file's path. Whether the file is there is a question for the moment it is needed.
fn path(raw: &Entry<String>, folder: &Path, findings: &mut Vec<Finding>) -> Option<PathBuf> {
    let Placed { value, place } = raw.given()?;
    if value.trim().is_empty() {
        let finding = place.error(code::BAD_PATH, "the path is empty");
        findings.push(finding.hint("name a file, or remove the line"));
    }
    if let Some((message, hint)) = foreign_path(value) {
        findings.push(place.error(code::BAD_PATH, message).hint(hint));
    }
    if !value.starts_with('$') {
        return Some(folder.join(value));
    }
    if Path::new(value).components().next() != Path::new(CREDENTIALS_DIRECTORY).components().next()
    {
        let message = format!("{value:?} begins with an unknown variable");
        let hint =
            format!("write the path itself; recess resolves only {CREDENTIALS_DIRECTORY}/NAME");
        findings.push(place.error(code::BAD_PATH, message).hint(hint));
    }
    Some(PathBuf::from(value))
}

/// A path that only a shell, systemd or a browser would resolve: why, and what to write.
fn foreign_path(value: &str) -> Option<(String, String)> {
    let whole = || r#"write the whole path, as in "/etc/recess/nats.creds""#.to_owned();
    let by = |what: &str| Some((format!("{value:?} begins with {what}"), whole()));
    match value.chars().next()? {
        '~' => by("~, which only a shell resolves"),
        '%' => by("a specifier, which systemd resolves in unit files only"),
        first if first.is_whitespace() => by("a space"),
        _ => {
            let (scheme, rest) = value.split_once("://")?;
            let hint = match scheme {
                "file" => format!("write \"{rest}\""),
                _ => whole(),
            };
            Some((format!("{value:?} is a URL, not a path"), hint))
        }
    }
}
