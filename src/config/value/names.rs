//! The names that the file gives to things.

use std::collections::HashMap;

use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::{Entry, Placed};

/// A name that people and metric labels will carry.
pub fn name<'n>(name: &'n Placed<String>, findings: &mut Vec<Finding>) -> Option<&'n str> {
    let message = if name.value.trim().is_empty() {
        "it is empty"
    } else if name.value.contains(char::is_control) {
        "it contains a control character"
    } else {
        return Some(&name.value);
    };
    let hint = "choose a name of visible characters";
    findings.push(name.place.error(code::BAD_NAME, message).hint(hint));
    None
}

/// Finds those that another thing of the same kind already has.
pub fn unique<'n>(
    names: impl Iterator<Item = &'n Entry<String>>,
    kind: &str,
    findings: &mut Vec<Finding>,
) {
    let mut seen: HashMap<&str, &Placed<String>> = HashMap::new();
    for name in names.filter_map(Entry::given) {
        match seen.get(name.value.as_str()) {
            Some(first) => {
                let message = format!("another {kind} has this name");
                let hint = format!("choose another: logs and commands identify {kind}s by name");
                let finding = name.place.error(code::DUPLICATE_NAME, message).hint(hint);
                findings.push(finding.also(first.place.span.clone(), "first used here"));
            }
            None => drop(seen.insert(&name.value, name)),
        }
    }
}
