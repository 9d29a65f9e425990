//! One change, as the JSON shows it.

use serde::Serialize;
use serde_json::Value;

/// A change of an occurrence, of a window's consumers, or of a setting.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The window; `null` for a setting of the whole file.
    pub window: Option<String>,
    pub change: &'static str,
    pub old: Value,
    pub new: Value,
}
