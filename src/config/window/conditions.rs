//! What windows ask of consumers' metadata: `where`, and the key by which consumers are exempt.

use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::{self, Entry, Placed};
use crate::policy::{Condition, ExemptKey, LabelPattern, Where};

/// What nats-server writes into metadata itself begins like that.
const RESERVED: &str = "_nats.";

/// A window's `where`. `None` where the file says something wrong about it.
pub fn conditions(raw: &Entry<raw::Conditions>, findings: &mut Vec<Finding>) -> Option<Where> {
    let written = match raw {
        Entry::Absent => return Some(Where::default()),
        Entry::Broken => return None,
        Entry::Given(written) => written,
    };
    let raw::Conditions(list) = &written.value;
    if list.is_empty() {
        let message = "it is empty, so it narrows nothing";
        let hint = r#"write where = { team = "billing" }, or remove the line"#;
        findings.push(written.place.error(code::BAD_LABEL, message).hint(hint));
        return None;
    }
    let conditions: Vec<Condition> = (list.iter())
        .filter_map(|condition| self::condition(condition, findings))
        .collect();
    (conditions.len() == list.len()).then(|| Where::new(conditions))
}

fn condition(raw: &raw::Condition, findings: &mut Vec<Finding>) -> Option<Condition> {
    let is_key = is_free(&raw.key, findings);
    let list = &raw.any_of.value;
    if list.is_empty() {
        let key = &raw.key.value;
        let message = format!("the list of {key:?} is empty, so the window pauses nothing");
        let hint = "name the values; \"*\" is any, \"!*\" is that the key is absent";
        findings.push(raw.any_of.place.error(code::BAD_LABEL, message).hint(hint));
        return None;
    }
    let any_of: Vec<LabelPattern> = (list.iter())
        .filter_map(|text| pattern(text, list.len() > 1, findings))
        .collect();
    (is_key && any_of.len() == list.len()).then(|| Condition {
        key: raw.key.value.as_str().into(),
        any_of,
    })
}

fn pattern(
    text: &Placed<String>,
    is_one_of_several: bool,
    findings: &mut Vec<Finding>,
) -> Option<LabelPattern> {
    let (message, hint) = match LabelPattern::parse(&text.value) {
        // Any value but one of those would match it, so that the others mean nothing.
        Ok(pattern)
            if is_one_of_several && pattern.is_negated() && !pattern.is_about_presence() =>
        {
            (
                format!(
                    "{:?} in a list: one matching entry is enough, so it lets nearly all through",
                    text.value
                ),
                "write it alone; to exclude several values, as in \"!{bronze,iron}\"",
            )
        }
        Ok(pattern) => return Some(pattern),
        Err(error) => (
            error.to_string(),
            "wildcards are *, ?, [abc] and {one,two}: close every bracket",
        ),
    };
    findings.push(text.place.error(code::BAD_LABEL, message).hint(hint));
    None
}

/// The metadata key by which consumers are exempt, if there is one.
pub fn exempt(raw: &Entry<String>, findings: &mut Vec<Finding>) -> Option<ExemptKey> {
    let key = raw.given()?;
    if key.value.trim().is_empty() {
        let message = "it is empty";
        let hint = "name a metadata key, as in exempt = \"recess.exempt\"";
        findings.push(key.place.error(code::BAD_LABEL, message).hint(hint));
        return None;
    }
    is_free(key, findings).then(|| ExemptKey::new(key.value.as_str()))
}

/// Whether a metadata key is people's to set; else that is reported.
fn is_free(key: &Placed<String>, findings: &mut Vec<Finding>) -> bool {
    let is_free = !key.value.starts_with(RESERVED);
    if !is_free {
        let message = format!(
            "{:?}: metadata keys that begin with {RESERVED} belong to the server",
            key.value
        );
        let hint = "choose a key that your consumers' owners set";
        findings.push(key.place.error(code::BAD_LABEL, message).hint(hint));
    }
    is_free
}
