//! What a context's values mean: a secret or the file it is in, and paths with variables, as
//! natscli reads them.

use std::env;
use std::path::PathBuf;

use crate::config::{Redacted, Secret};

/// A secret that stands in the context.
pub(super) fn text(secret: &str) -> Secret {
    Secret::Text(Redacted(secret.to_owned()))
}

/// A secret that stands in the context, or in the file that it names.
pub(super) fn secret(written: &str) -> Secret {
    match after_scheme(written, FILE_SCHEME) {
        Some(_) => Secret::File(expand(written)),
        None => text(written),
    }
}

const FILE_SCHEME: &str = "file://";

/// What follows a scheme, in whatever case that is written.
pub(super) fn after_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// A path with its `~` and its variables replaced, as natscli does. An unknown variable stays, so
/// that an error shows the path as it was written.
pub(super) fn expand(path: &str) -> PathBuf {
    let path = after_scheme(path, FILE_SCHEME).unwrap_or(path);
    let variable = |name: &str| env::var(name).ok();
    let mut parts = path.split('$');
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = match part.strip_prefix('{').and_then(|part| part.split_once('}')) {
            Some(braced) => braced,
            None => {
                let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                part.split_at(end.unwrap_or(part.len()))
            }
        };
        match variable(name) {
            Some(value) => expanded.extend([value.as_str(), rest]),
            None => expanded.extend(["$", part]),
        }
    }
    match (expanded.strip_prefix('~'), variable("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home + rest),
        _ => PathBuf::from(expanded),
    }
}
