//! Findings as text for people, in the manner of a compiler: the one file that knows
//! annotate-snippets.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::findings::{Elsewhere, Finding, Severity, Source};

/// Two places of one finding that are further apart, in bytes, are drawn one by one: what lies
/// between costs time.
const FAR_APART: usize = 10_000;

/// Draws every finding under the line that it speaks of, and counts them at the end. Empty where
/// there are none.
pub fn render(source: &Source, findings: &[Finding], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let path = source.path.display().to_string();
    let mut text = String::new();
    for finding in findings {
        text += &renderer.render(&[group(finding, source)]);
        text += "\n\n";
    }
    match count(findings) {
        Some(count) => text + &format!("{path}: {count}\n"),
        None => text,
    }
}

fn group<'a>(finding: &'a Finding, source: &'a Source) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(format!("{}: {}", finding.subject, finding.message))
        .id(finding.code);
    let group = Group::with_title(title);
    let group = match &finding.elsewhere {
        None => group,
        Some(Elsewhere { source, line }) => {
            group.element(snippet(source, &[(&source.line(*line), None)]))
        }
    };
    let group = match (&finding.span, &finding.also) {
        (None, _) => group.element(Origin::path(source.path.to_string_lossy())),
        (Some(span), None) => group.element(snippet(source, &[(span, None)])),
        (Some(span), Some((other, label))) => {
            let (mark, context) = ((span, None), (other, Some(label.as_str())));
            if span.start.abs_diff(other.start) > FAR_APART {
                group
                    .element(snippet(source, &[mark]))
                    .element(snippet(source, &[context]))
            } else {
                group.element(snippet(source, &[mark, context]))
            }
        }
    };
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.message(hint.as_str())),
        None => group,
    }
}

/// The lines of some places, with a mark under each; a place with a label is one that belongs to
/// the finding.
fn snippet<'a>(
    source: &'a Source,
    places: &[(&Range<usize>, Option<&'a str>)],
) -> Snippet<'a, Annotation<'a>> {
    let start = places.iter().map(|(span, _)| span.start).min();
    let end = places.iter().map(|(span, _)| span.end).max();
    // The whole text would be walked through for each finding.
    let lines = source.lines_around(&(start.unwrap_or(0)..end.unwrap_or(0)));
    let annotations = places.iter().map(|(span, label)| {
        let within = span.start - lines.start..span.end - lines.start;
        match label {
            None => AnnotationKind::Primary.span(within),
            Some(label) => AnnotationKind::Context.span(within).label(*label),
        }
    });
    Snippet::source(source.text.get(lines.clone()).unwrap_or_default())
        .line_start(source.line_of(lines.start))
        .path(source.path.to_string_lossy())
        .annotations(annotations.collect::<Vec<_>>())
}

/// `3 errors, 1 warning`.
fn count(findings: &[Finding]) -> Option<String> {
    let of = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let counted = [
        (of(Severity::Error), "error"),
        (of(Severity::Warning), "warning"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }));
    Some(counted.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
}
