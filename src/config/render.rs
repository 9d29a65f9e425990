//! Findings as text for people, in the manner of a compiler: the one file that knows annotate-snippets.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::findings::{Finding, Severity, Source};

/// Draws every finding under the line that it speaks of, and counts them at the end. Empty where there are none.
pub fn render(source: &Source, findings: &[Finding], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let path = source.path.display().to_string();
    let mut text = String::new();
    for finding in findings {
        text += &renderer.render(&[group(finding, &path, &source.text)]);
        text += "\n\n";
    }
    match count(findings) {
        Some(count) => text + &format!("{path}: {count}\n"),
        None => text,
    }
}

fn group<'a>(finding: &'a Finding, path: &'a str, source: &'a str) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(format!("{}: {}", finding.subject, finding.message))
        .id(finding.code);
    let group = match &finding.span {
        Some(span) => {
            let mark = AnnotationKind::Primary.span(span.clone());
            let also = finding.also.as_ref().map(|(span, label)| {
                AnnotationKind::Context
                    .span(span.clone())
                    .label(label.as_str())
            });
            title.element(
                Snippet::source(source)
                    .path(path)
                    .annotation(mark)
                    .annotations(also),
            )
        }
        None => title.element(Origin::path(path)),
    };
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.message(hint.as_str())),
        None => group,
    }
}

/// `3 mistakes, 1 warning`.
fn count(findings: &[Finding]) -> Option<String> {
    let of = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let counted = [
        (of(Severity::Error), "mistake"),
        (of(Severity::Warning), "warning"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }));
    Some(counted.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
}
