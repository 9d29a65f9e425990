//! How to reach NATS: what `[nats]` says, or a natscli context in its place.

use std::fmt;
use std::path::PathBuf;

pub mod connection;
pub mod context;
pub mod credentials;
pub mod server;

/// `[nats]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nats {
    /// Where the servers are and how they let us in.
    pub source: ConnectionSource,
    /// Whether to talk to servers that a pause can crash (2.11.x, and 2.12.0 to 2.12.7).
    pub allow_crash_prone: bool,
}

/// Who says how to connect.
#[expect(
    clippy::large_enum_variant,
    reason = "a program has one of it: a box would save nothing that counts"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionSource {
    /// The config file.
    Here(Connection),
    /// A natscli context, by its name or the path of its file. It is read at each connect, by
    /// [`context::load`].
    Context(String),
}

impl ConnectionSource {
    /// Where an operator finds the settings.
    pub fn place(&self) -> &'static str {
        match self {
            Self::Here(_) => "[nats]",
            Self::Context(_) => "the natscli context",
        }
    }
}

impl Default for ConnectionSource {
    fn default() -> Self {
        Self::Here(Connection::default())
    }
}

/// All that it takes to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The addresses, at least one: `nats://host:port`, `tls://host:port`, or without scheme or
    /// port. They are tried in this order.
    pub servers: Vec<String>,
    /// How to authenticate.
    pub auth: Auth,
    /// What is sent beside that: a server with an auth callout hands it to the service that
    /// decides.
    pub beside: Vec<Auth>,
    /// How to speak TLS. Without it TLS is spoken where the server asks for it, and to every server
    /// where one address does.
    pub tls: Option<Tls>,
    /// Where the JetStream API is.
    pub api: Api,
    /// What the subjects begin with on which answers come. It has no wildcards and no dot at its
    /// end.
    pub inbox_prefix: String,
}

impl Connection {
    /// Whether no server may be spoken to in the clear. One address that asks for TLS does so for
    /// the servers that are heard of through it too: their addresses come without a scheme, and a
    /// password goes to whatever answers there.
    pub fn wants_tls(&self) -> bool {
        self.tls.is_some() || (self.servers.iter()).any(|address| address.starts_with("tls://"))
    }

    /// What inboxes begin with unless something else is set, in every NATS client.
    pub const DEFAULT_INBOX_PREFIX: &str = "_INBOX";
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            servers: vec!["nats://127.0.0.1:4222".to_owned()],
            auth: Auth::Nothing,
            beside: Vec::new(),
            tls: None,
            api: Api::Default,
            inbox_prefix: Self::DEFAULT_INBOX_PREFIX.to_owned(),
        }
    }
}

/// Where the JetStream API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Api {
    /// At `$JS.API`, in the account of the connection.
    Default,
    /// In a JetStream domain, at `$JS.<domain>.API`.
    Domain(String),
    /// At a prefix, as an import of another account's API has it.
    Prefix(String),
}

impl Api {
    /// What the subjects of all requests begin with, without a dot at its end.
    pub fn prefix(&self) -> String {
        match self {
            Self::Default => "$JS.API".to_owned(),
            Self::Domain(domain) => format!("$JS.{domain}.API"),
            Self::Prefix(prefix) => prefix.clone(),
        }
    }
}

/// How to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    Nothing,
    /// With credentials as `nsc` makes them: a JWT and the seed of its nkey.
    Credentials(Secret),
    /// With a user's JWT and the seed of its nkey, each by itself, as a natscli context may have
    /// them.
    Jwt {
        /// The JWT.
        jwt: Secret,
        /// The seed.
        seed: Secret,
    },
    /// With the seed of an nkey.
    Nkey(Secret),
    /// With a user's name and password.
    UserPassword {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// With a token.
    Token(Secret),
}

/// A secret, or the file that holds it. The config file names files only, whose content is read at
/// each connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The content of a file. The path may begin with `$CREDENTIALS_DIRECTORY`, which systemd sets
    /// for a service.
    File(PathBuf),
    /// A natscli context may hold the secret itself.
    Text(Redacted),
}

/// A text that no log or error shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted(pub String);

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How to speak TLS. It is a table of its own, so that it being there at all means: never without
/// TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificates of those who may vouch for the server, in PEM; without it those that the
    /// host trusts.
    pub ca: Option<PathBuf>,
    /// Who we are.
    pub identity: Option<Identity>,
    /// Whether the TLS handshake comes before the server's first word (its option
    /// `handshake_first`).
    pub handshake_first: bool,
}

/// A client certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and a CA.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}
