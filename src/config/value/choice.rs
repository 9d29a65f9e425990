//! One of a few words.

use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::Placed;
use crate::config::suggest;

/// The choice that a word stands for.
pub fn choice<T: Copy>(
    word: &Placed<String>,
    choices: &[(&str, T)],
    findings: &mut Vec<Finding>,
) -> Option<T> {
    let found = choices.iter().find(|(name, _)| *name == word.value);
    if found.is_none() {
        let names = choices.iter().map(|(name, _)| *name);
        let hint = match suggest::closest(&word.value, names.clone()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => {
                let quoted: Vec<String> = names.map(|name| format!("{name:?}")).collect();
                format!("choose one of: {}", quoted.join(", "))
            }
        };
        let message = format!("{:?} is not a valid value", word.value);
        findings.push(word.place.error(code::BAD_CHOICE, message).hint(hint));
    }
    found.map(|(_, choice)| *choice)
}
