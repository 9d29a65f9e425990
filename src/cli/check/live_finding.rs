//! What is findings of a server: one finding for each consumer in JSON, and for people one for all
//! consumers of a stream that have the same.

use crate::config::{Finding, Severity};
use crate::consumer::ConsumerId;
use crate::text;
use crate::visible::visible;

/// Of many, so many are named.
const MAX_CONSUMERS_NAMED: usize = 3;

/// A finding, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFinding {
    finding: Finding,
    about: About,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    Consumer(ConsumerId),
    Stream(String),
    Else,
}

impl LiveFinding {
    /// About something else, and no error.
    pub fn warning(code: &'static str, subject: &str, message: &str, hint: &str) -> Self {
        Finding::new(Severity::Warning, code, subject, message)
            .hint(hint)
            .into()
    }

    /// About a consumer that the server has.
    pub fn consumer(
        severity: Severity,
        code: &'static str,
        id: &ConsumerId,
        message: &str,
    ) -> Self {
        Self {
            finding: Finding::new(severity, code, &id.to_string(), message),
            about: About::Consumer(id.clone()),
        }
    }

    /// About a stream.
    pub fn stream(severity: Severity, code: &'static str, stream: &str, message: &str) -> Self {
        Self {
            finding: Finding::new(severity, code, &format!("stream {stream}"), message),
            about: About::Stream(stream.to_owned()),
        }
    }

    pub fn hint(self, hint: &str) -> Self {
        Self {
            finding: self.finding.hint(hint),
            ..self
        }
    }

    /// Whether the other one is findings together with this one.
    fn goes_with(&self, other: &Self) -> bool {
        let alike = self.finding.code == other.finding.code;
        alike
            && match (&self.about, &other.about) {
                (About::Consumer(one), About::Consumer(other)) => one.stream() == other.stream(),
                (About::Stream(_), About::Stream(_)) => true,
                _ => false,
            }
    }

    fn name(&self) -> &str {
        match &self.about {
            About::Consumer(id) => id.consumer(),
            About::Stream(name) => name,
            About::Else => &self.finding.subject,
        }
    }
}

/// About neither: a window, the connection.
impl From<Finding> for LiveFinding {
    fn from(finding: Finding) -> Self {
        Self {
            finding,
            about: About::Else,
        }
    }
}

/// One by one.
pub fn each(findings: &[LiveFinding]) -> Vec<Finding> {
    findings.iter().map(|one| one.finding.clone()).collect()
}

/// Those together that say the same of several consumers of a stream, or of several streams, in the
/// order of the first of them.
pub fn together(findings: &[LiveFinding]) -> Vec<Finding> {
    let mut groups: Vec<(&LiveFinding, Vec<&LiveFinding>)> = Vec::new();
    for one in findings {
        match groups.iter_mut().find(|(first, _)| first.goes_with(one)) {
            Some((_, group)) => group.push(one),
            None => groups.push((one, vec![one])),
        }
    }
    (groups.iter().map(|(first, group)| joined(first, group))).collect()
}

fn joined(first: &LiveFinding, group: &[&LiveFinding]) -> Finding {
    if group.len() == 1 {
        return first.finding.clone();
    }
    let names = text::names(group.iter().map(|one| one.name()), MAX_CONSUMERS_NAMED);
    let names = visible(&names);
    let mut finding = first.finding.clone();
    finding.subject = match &first.about {
        About::Consumer(id) => format!("{} > {names}", visible(id.stream())),
        About::Stream(_) | About::Else => format!("streams {names}"),
    };
    if group
        .iter()
        .any(|one| one.finding.message != finding.message)
    {
        finding.message += &format!(" (for {}; `--format json` shows each)", first.name());
    }
    finding
}
