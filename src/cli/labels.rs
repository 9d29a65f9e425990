//! Consumers' metadata on the command line: given with `--with`, and how it is shown.

use clap::Args;

use crate::consumer::{Candidate, Label, Labels};
use crate::policy::{Policy, WindowSet};
use crate::visible::visible;

#[derive(Debug, Args)]
pub struct WithArgs {
    /// Take the consumer's metadata to be this, and no more (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse, requires = "consumer")]
    with: Vec<(String, String)>,
}

/// The first `=` ends the key.
fn parse(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write it as KEY=VALUE, as in team=billing".to_owned()),
    }
}

impl WithArgs {
    /// The metadata that was given; unknown if none was.
    pub fn labels(&self, policy: &Policy) -> Labels {
        if self.with.is_empty() {
            return Labels::UNKNOWN;
        }
        let given = (self.with.iter()).map(|(key, value)| (&**key, &**value));
        for (key, _) in given.clone() {
            if !policy.label_keys().iter().any(|known| known == key) {
                super::print_error(&format!(
                    "note: the config file has no condition on the metadata key {:?}",
                    visible(key)
                ));
            }
        }
        Labels::of(policy.label_keys(), given)
    }
}

/// The metadata keys on which it depends whether these windows hold a consumer, and that are not
/// known.
pub fn open_keys<'p>(
    policy: &'p Policy,
    windows: &'p WindowSet,
    candidate: &Candidate<'_>,
) -> Vec<&'p str> {
    let conditions = (windows.iter()).flat_map(|window| window.selection.condition().conditions());
    let exempt = policy.exempt().filter(|_| !windows.is_empty());
    let mut keys: Vec<&str> = (conditions.map(|condition| &*condition.key))
        .chain(exempt.map(|key| key.as_str()))
        .filter(|key| candidate.labels.get(key) == Label::Unknown)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What to do about that, as a line; none where everything is known.
pub fn open_sentence(keys: &[&str], live: &str) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let keys: Vec<_> = keys.iter().map(|key| visible(key)).collect();
    format!(
        "This depends on the consumer's metadata ({}): give it with --with KEY=VALUE{live}.\n",
        keys.join(", ")
    )
}

/// What is known of the metadata that the policy asks for, as a line; none where it asks for none.
pub fn known_sentence(policy: &Policy, labels: &Labels) -> String {
    let known: Vec<String> = (policy.label_keys().iter())
        .filter_map(|key| {
            let value = match labels.get(key) {
                Label::Unknown => return None,
                Label::Absent => "absent".to_owned(),
                Label::Text(value) => format!("{:?}", visible(value)),
                Label::TooLong => "too long to match".to_owned(),
            };
            Some(format!("{} {value}", visible(key)))
        })
        .collect();
    match known.is_empty() {
        true => String::new(),
        false => format!("Metadata: {}.\n", known.join(", ")),
    }
}
