//! natscli contexts: the files in which the `nats` command keeps how to connect.
//!
//! Knows their JSON (natscli 0.1 to 0.4 write the same keys) and where they are. What recess cannot
//! do for a context, such as asking a password manager, is refused by name: a context must connect
//! in the same way in both programs.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use percent_encoding::percent_decode_str;

use super::credentials::{self, NoCredentials};
use super::{Api, Auth, Connection, Identity, Secret, Tls, server};

mod values;

use values::{after_scheme, expand, secret, text};

/// Why a context cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The folder of contexts is unknown.
    #[error(
        "cannot find natscli context `{name}`: neither XDG_CONFIG_HOME nor HOME is set; write the \
         path of its file instead"
    )]
    NoHome {
        /// The context.
        name: String,
    },
    /// Its file cannot be read.
    #[error("cannot read natscli context {}: {}", .path.display(), reason(.source))]
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Its file is something else.
    #[error("{} is not a natscli context: line {line}, column {column} is not valid", .path.display())]
    NotAContext {
        /// Its file.
        path: PathBuf,
        /// Where it ceases to be one. (What stands there may be a secret.)
        line: usize,
        /// The same.
        column: usize,
    },
    /// Its path begins with a variable that is not set.
    #[error(transparent)]
    NoCredentials(#[from] NoCredentials),
    /// It asks for something that recess does not do.
    #[error("natscli context {} has {key}, which recess does not support: {hint}", .path.display())]
    Unsupported {
        /// Its file.
        path: PathBuf,
        /// The key, perhaps with the start of its value.
        key: String,
        /// The fix.
        hint: &'static str,
    },
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`std::io::ErrorKind` is non-exhaustive; every other kind has its own words"
)]
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "there is no such file; `nats context ls` lists the contexts".to_owned()
        }
        io::ErrorKind::PermissionDenied => "recess's user has no permission to read it".to_owned(),
        _ => error.to_string(),
    }
}

/// The keys of natscli's context files, empty where not set. Those that only concern its display
/// are left out.
#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    #[serde(deserialize_with = "absent")]
    url: String,
    #[serde(deserialize_with = "absent")]
    socks_proxy: String,
    #[serde(deserialize_with = "absent")]
    token: String,
    #[serde(deserialize_with = "absent")]
    user: String,
    #[serde(deserialize_with = "absent")]
    password: String,
    #[serde(deserialize_with = "absent")]
    creds: String,
    #[serde(deserialize_with = "absent")]
    nkey: String,
    #[serde(deserialize_with = "absent")]
    cert: String,
    #[serde(deserialize_with = "absent")]
    key: String,
    #[serde(deserialize_with = "absent")]
    ca: String,
    #[serde(deserialize_with = "absent")]
    nsc: String,
    #[serde(deserialize_with = "absent")]
    jetstream_domain: String,
    #[serde(deserialize_with = "absent")]
    jetstream_api_prefix: String,
    #[serde(deserialize_with = "absent")]
    inbox_prefix: String,
    #[serde(deserialize_with = "absent")]
    user_jwt: String,
    #[serde(deserialize_with = "absent")]
    user_seed: String,
    #[serde(deserialize_with = "absent")]
    tls_first: bool,
    #[serde(deserialize_with = "absent")]
    windows_cert_store: String,
}

/// What is `null` is not set.
fn absent<'de, D, T>(value: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(value).map(Option::unwrap_or_default)
}

/// Reads the context of that name, or at that path if there is a slash in it.
pub fn load(name: &str) -> Result<Connection, ContextError> {
    let path = path_of(name)?;
    let text = fs::read_to_string(&path).map_err(|source| ContextError::Unreadable {
        path: path.clone(),
        source,
    })?;
    parse(&path, &text)
}

/// Where natscli keeps a context.
fn path_of(name: &str) -> Result<PathBuf, ContextError> {
    if name.contains('/') {
        return Ok(credentials::resolve(Path::new(name))?);
    }
    let set = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    let home = set("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(set("HOME")?).join(".config")));
    let home = home.ok_or_else(|| ContextError::NoHome {
        name: name.to_owned(),
    })?;
    Ok(home.join("nats/context").join(format!("{name}.json")))
}

pub(crate) fn parse(path: &Path, text: &str) -> Result<Connection, ContextError> {
    let file: File = serde_json::from_str(credentials::without_bom(text)).map_err(|error| {
        ContextError::NotAContext {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
        }
    })?;
    let unsupported = |key: String, hint| {
        Err(ContextError::Unsupported {
            path: path.to_owned(),
            key,
            hint,
        })
    };
    let elsewhere = "define the connection in [nats] instead of the context";
    for (key, value) in [
        ("nsc", &file.nsc),
        ("socks_proxy", &file.socks_proxy),
        ("windows_cert_store", &file.windows_cert_store),
    ] {
        if !value.is_empty() {
            return unsupported(key.to_owned(), elsewhere);
        }
    }
    // natscli hands `op://..`, `env://..` and the like to programs; a file is all that recess
    // reads.
    for (key, value) in [
        ("creds", &file.creds),
        ("nkey", &file.nkey),
        ("password", &file.password),
        ("token", &file.token),
        ("user_jwt", &file.user_jwt),
        ("user_seed", &file.user_seed),
    ] {
        let refused = ["op://", "env://", "nsc://", "data:"];
        if let Some(scheme) = (refused.into_iter()).find(|one| after_scheme(value, one).is_some()) {
            return unsupported(
                format!("{key} = {scheme}.."),
                "name a file in the context, as in file:///etc/nats/secret",
            );
        }
    }
    if file.user_jwt.is_empty() != file.user_seed.is_empty() {
        let (there, missing) = match file.user_jwt.is_empty() {
            true => ("user_seed", "a user_jwt"),
            false => ("user_jwt", "a user_seed"),
        };
        let hint = "set both, or neither";
        return unsupported(format!("{there} without {missing}"), hint);
    }
    let addresses: Vec<Address> = (file.url.split(',').map(str::trim))
        .filter(|address| !address.is_empty())
        .map(Address::parse)
        .collect();
    for address in &addresses {
        if let Err(wrong) = server::check(&address.url) {
            return unsupported(
                format!("url = {} ({})", address.url, wrong.reason),
                wrong.hint,
            );
        }
    }
    let mut users = addresses.iter().filter_map(|address| address.auth.clone());
    let user = users.next();
    if users.any(|other| Some(&other) != user.as_ref()) {
        let hint = "set it as user and password, once for all servers";
        return unsupported("different users in its url".to_owned(), hint);
    }
    let mut servers: Vec<String> = addresses.into_iter().map(|address| address.url).collect();
    if servers.is_empty() {
        servers = Connection::default().servers;
    }
    let mut ways = auth(&file, user).into_iter();
    Ok(Connection {
        servers,
        auth: ways.next().unwrap_or(Auth::Nothing),
        beside: ways.collect(),
        tls: tls(&file),
        api: match (&*file.jetstream_api_prefix, &*file.jetstream_domain) {
            ("", "") => Api::Default,
            ("", domain) => Api::Domain(domain.to_owned()),
            (prefix, _) => Api::Prefix(prefix.trim_end_matches('.').to_owned()),
        },
        inbox_prefix: match &*file.inbox_prefix {
            "" => Connection::DEFAULT_INBOX_PREFIX.to_owned(),
            prefix => prefix.trim_end_matches('.').to_owned(),
        },
    })
}

/// An entry of a context's `url`, which may hold a user and password, or a token.
struct Address {
    url: String,
    auth: Option<Auth>,
}

impl Address {
    fn parse(address: &str) -> Self {
        let (scheme, rest) = match address.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, address),
        };
        let (secret, host) = match rest.rsplit_once('@') {
            Some((secret, host)) => (Some(secret), host),
            None => (None, rest),
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Self {
            url: scheme.map_or_else(|| host.to_owned(), |scheme| format!("{scheme}://{host}")),
            auth: secret.map(|secret| match secret.split_once(':') {
                Some((user, password)) => Auth::UserPassword {
                    username: decoded(user),
                    password: text(&decoded(password)),
                },
                None => Auth::Token(text(&decoded(secret))),
            }),
        }
    }
}

/// What natscli would send, and what it would not choose beside credentials: a service behind an
/// auth callout may want a user or a token with them. A user or token in the address goes before
/// those beside it, and instead of an nkey.
fn auth(file: &File, in_url: Option<Auth>) -> Vec<Auth> {
    let user = (!file.user.is_empty()).then(|| Auth::UserPassword {
        username: file.user.clone(),
        password: secret(&file.password),
    });
    let token = (!file.token.is_empty()).then(|| Auth::Token(secret(&file.token)));
    let beside: Vec<Auth> = match in_url {
        Some(in_url) => vec![in_url],
        None => user.into_iter().chain(token).collect(),
    };
    let has_user = (beside.iter()).any(|way| matches!(way, Auth::UserPassword { .. }));
    let key = if !file.creds.is_empty() {
        Some(Auth::Credentials(Secret::File(expand(&file.creds))))
    } else if !file.nkey.is_empty() {
        let nkey = Auth::Nkey(Secret::File(expand(&file.nkey)));
        Some(nkey).filter(|_| !has_user)
    } else if !file.user_jwt.is_empty() {
        Some(Auth::Jwt {
            jwt: secret(&file.user_jwt),
            seed: secret(&file.user_seed),
        })
    } else {
        None
    };
    key.into_iter().chain(beside).collect()
}

fn tls(file: &File) -> Option<Tls> {
    let path = |text: &str| (!text.is_empty()).then(|| expand(text));
    let tls = Tls {
        ca: path(&file.ca),
        identity: path(&file.cert)
            .zip(path(&file.key))
            .map(|(cert, key)| Identity { cert, key }),
        handshake_first: file.tls_first,
    };
    (tls != Tls::default()).then_some(tls)
}

#[cfg(test)]
mod tests;
