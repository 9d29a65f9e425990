//! The files that hold secrets: the one variable that their paths may begin with, and what editors
//! put at their start.

use std::env;
use std::path::{Path, PathBuf};

/// systemd sets it for a service that has `LoadCredential=`.
pub const CREDENTIALS_DIRECTORY: &str = "$CREDENTIALS_DIRECTORY";

/// There is no folder of credentials.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read {}: {CREDENTIALS_DIRECTORY} is not set; systemd sets it for a service with LoadCredential=; in \
     a shell, set it to the folder that holds the secret, such as /etc/recess",
    .path.display()
)]
pub struct NoCredentials {
    /// The path as it was written.
    pub path: PathBuf,
}

/// The path with systemd's folder in the place of the variable. At the moment of use, not of
/// loading: `recess check` has to work where there is no service.
pub fn resolve(path: &Path) -> Result<PathBuf, NoCredentials> {
    let Ok(rest) = path.strip_prefix(CREDENTIALS_DIRECTORY) else {
        return Ok(path.to_owned());
    };
    match env::var_os(CREDENTIALS_DIRECTORY.trim_start_matches('$')) {
        Some(folder) => Ok(PathBuf::from(folder).join(rest)),
        None => Err(NoCredentials {
            path: path.to_owned(),
        }),
    }
}

/// A text without the byte order mark that some editors put at its start.
pub(crate) fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
