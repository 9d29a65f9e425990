//! The files that connecting needs: secrets, and certificates in PEM.
//!
//! Every file is read again at each attempt to connect, so that a corrected or rotated one is
//! found. An error names the file and what is wrong with it, never what is in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{self, CertificateError, ClientConfig, RootCertStore};
use async_nats::{Auth, AuthError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use nkeys::KeyPair;
use serde::Deserialize;

use super::connect_error::{is_of_version_1, name};
use crate::config::{self, Connection, Redacted, Secret, credentials};

/// Who we are, as far as the server asks: each way to authenticate, and what is sent beside it.
#[derive(Clone)]
pub struct Credentials(Vec<Part>);

#[derive(Clone)]
enum Part {
    Nothing,
    Password {
        username: String,
        password: String,
    },
    Token(String),
    Key {
        pair: Arc<KeyPair>,
        jwt: Option<String>,
    },
}

impl Credentials {
    /// Reads what the settings name.
    pub fn read(connection: &Connection) -> Result<Self, String> {
        let ways = std::iter::once(&connection.auth).chain(&connection.beside);
        ways.map(Part::read).collect::<Result<_, _>>().map(Self)
    }

    /// What recess sends when it connects.
    pub fn answer(&self, nonce: &[u8]) -> Result<Auth, AuthError> {
        let mut auth = Auth::new();
        for part in &self.0 {
            part.add_to(&mut auth, nonce)?;
        }
        Ok(auth)
    }

    /// Until when the credentials are valid, where they say so themselves.
    pub fn expires(&self) -> Option<Timestamp> {
        self.0.iter().find_map(Part::expires)
    }
}

impl Part {
    fn read(auth: &config::Auth) -> Result<Self, String> {
        Ok(match auth {
            config::Auth::Nothing => Self::Nothing,
            config::Auth::UserPassword { username, password } => Self::Password {
                username: username.clone(),
                password: content(password)?,
            },
            config::Auth::Token(token) => Self::Token(content(token)?),
            config::Auth::Nkey(seed) => Self::Key {
                pair: key_pair(seed, &content(seed)?)?,
                jwt: None,
            },
            config::Auth::Credentials(secret) => {
                let text = content(secret)?;
                let jwt = decorated(&text, "JWT").ok_or_else(|| {
                    format!(
                        "{} is not a credentials file: it contains no user JWT",
                        name(secret)
                    )
                })?;
                Self::Key {
                    pair: key_pair(secret, &text)?,
                    jwt: Some(jwt.to_owned()),
                }
            }
            config::Auth::Jwt { jwt, seed } => {
                let text = content(jwt)?;
                let jwt = decorated(&text, "JWT").unwrap_or(text.trim());
                Self::Key {
                    pair: key_pair(seed, &content(seed)?)?,
                    jwt: Some(jwt.to_owned()),
                }
            }
        })
    }

    fn add_to(&self, auth: &mut Auth, nonce: &[u8]) -> Result<(), AuthError> {
        match self {
            Self::Nothing => {}
            Self::Password { username, password } => {
                auth.username = Some(username.clone());
                auth.password = Some(password.clone());
            }
            Self::Token(token) => auth.token = Some(token.clone()),
            Self::Key { pair, jwt } => {
                auth.signature = Some(pair.sign(nonce).map_err(AuthError::new)?);
                auth.jwt = jwt.clone();
                if jwt.is_none() {
                    auth.nkey = Some(pair.public_key());
                }
            }
        }
        Ok(())
    }

    fn expires(&self) -> Option<Timestamp> {
        #[derive(Deserialize)]
        struct Claims {
            exp: Option<i64>,
        }
        let Self::Key { jwt: Some(jwt), .. } = self else {
            return None;
        };
        let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        Timestamp::from_second(claims.exp.filter(|exp| *exp > 0)?).ok()
    }
}

/// What an empty file means: our units make systemd's credentials optional, so that a missing one
/// is an empty file.
fn empty(path: &Path) -> String {
    let path_shown = path.display();
    match path.strip_prefix(config::CREDENTIALS_DIRECTORY) {
        Ok(_) => format!(
            "{path_shown} is empty: write the secret to the file that LoadCredential= of the unit \
             names, and restart the service"
        ),
        Err(_) => format!("{path_shown} is empty: write the secret to it"),
    }
}

/// The secret itself, without the line break that editors put at the end of a file.
fn content(secret: &Secret) -> Result<String, String> {
    match secret {
        Secret::Text(Redacted(text)) => Ok(text.clone()),
        Secret::File(path) => {
            let bytes = read(&resolved(path)?)?;
            let text = String::from_utf8(bytes)
                .map_err(|_| format!("{} is not a text file", path.display()))?;
            let text = credentials::without_bom(&text).trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                return Err(empty(path));
            }
            Ok(text.to_owned())
        }
    }
}

/// The key of an nkey's seed: decorated as `nsc` writes it, else the first line that is a seed, as
/// `nk` writes it beside the public key.
fn key_pair(secret: &Secret, text: &str) -> Result<Arc<KeyPair>, String> {
    let seeds = match decorated(text, "NKEY SEED") {
        Some(seed) => vec![seed],
        None => text.lines().map(str::trim).collect(),
    };
    let pair = (seeds.into_iter()).find_map(|line| KeyPair::from_seed(line).ok());
    pair.map(Arc::new).ok_or_else(|| {
        format!(
            "{} contains no nkey seed (a line that begins with SU)",
            name(secret)
        )
    })
}

/// The line after `-----BEGIN .. what-----`.
fn decorated<'t>(text: &'t str, what: &str) -> Option<&'t str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| {
        line.starts_with("---")
            && line.contains("BEGIN")
            && line.trim_end_matches('-').ends_with(what)
    })?;
    lines.find(|line| !line.is_empty())
}

/// What async-nats is to read itself, seen to be readable and right: it does not say which file it
/// could not use.
pub fn check_tls(tls: &config::Tls) -> Result<Certificates, String> {
    let mut roots = RootCertStore::empty();
    let ca = tls.ca.as_ref().map(resolved).transpose()?;
    if let Some(path) = &ca {
        for certificate in certificates(path)? {
            let not_ca = |_| {
                format!(
                    "{} contains something that is not a CA certificate",
                    path.display()
                )
            };
            roots.add(certificate).map_err(not_ca)?;
        }
    }
    let identity = match &tls.identity {
        None => None,
        Some(identity) => {
            let (cert, key) = (resolved(&identity.cert)?, resolved(&identity.key)?);
            let pair = (certificates(&cert)?, private_key(&key)?);
            let config = ClientConfig::builder().with_root_certificates(roots);
            config
                .with_client_auth_cert(pair.0, pair.1)
                .map_err(|error| unusable(&error, &cert, &key))?;
            Some((cert, key))
        }
    };
    Ok(Certificates { ca, identity })
}

/// Why a client certificate cannot be used.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls' errors are non-exhaustive; every other has its own words"
)]
fn unusable(error: &rustls::Error, cert: &Path, key: &Path) -> String {
    let (cert, key) = (cert.display(), key.display());
    match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("the key in {key} does not belong to the certificate in {cert}")
        }
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if is_of_version_1(other) =>
        {
            format!(
                "the certificate in {cert} is of X.509 version 1; it needs one of version 3, as \
                 `openssl x509 -req -extfile FILE` makes it"
            )
        }
        error => format!("the certificate in {cert} is not usable: {error}"),
    }
}

/// The paths of files that are right, resolved.
#[derive(Clone, Default)]
pub struct Certificates {
    pub ca: Option<PathBuf>,
    /// Certificate and key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read_pem(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{} contains no certificate in PEM", path.display())),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let bytes = read_pem(path)?;
    // In PKCS #8, and as OpenSSL wrote keys before.
    let marks = [&b"ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"];
    let contains = |mark: &&[u8]| bytes.windows(mark.len()).any(|window| window == *mark);
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        let path = path.display();
        match marks.iter().any(contains) {
            true => format!(
                "the key in {path} is encrypted, and recess cannot ask for a passphrase: store it \
                 decrypted, as `openssl pkey -in {path}` prints it"
            ),
            false => format!("{path} contains no private key in PEM"),
        }
    })
}

/// A file in PEM. The TLS library reads it again by itself, and does not see the first line behind
/// a byte order mark: of several certificates it would miss one without a word.
fn read_pem(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = read(path)?;
    if bytes.starts_with(&[0x30, 0x82]) {
        return Err(format!(
            "{} is in DER, and recess reads PEM: convert it with `openssl x509 -inform der` or \
             `openssl pkey -inform der`",
            path.display()
        ));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(format!(
            "{} begins with a byte order mark, so its first line is not readable: save it as UTF-8 \
             without BOM",
            path.display()
        ));
    }
    Ok(bytes)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`std::io::ErrorKind` is non-exhaustive; every other kind has its own words"
)]
fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::PermissionDenied => {
                "recess's user has no permission to read it".to_owned()
            }
            io::ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
            _ => error.to_string(),
        };
        format!("cannot read {}: {why}", path.display())
    })
}

fn resolved(path: impl AsRef<Path>) -> Result<PathBuf, String> {
    credentials::resolve(path.as_ref()).map_err(|error| error.to_string())
}
