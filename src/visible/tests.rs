use super::*;

#[test]
fn what_would_not_be_seen_is_escaped_and_all_else_stays() {
    for (text, shown) in [
        ("billing", "billing"),
        ("Füllung-日本", "Füllung-日本"),
        ("two words", "two words"),
        ("no\u{a0}break", r"no\u{a0}break"),
        ("\x1b[31mred", r"\u{1b}[31mred"),
        ("be\x07ll", r"be\u{7}ll"),
        ("del\x7fete", r"del\u{7f}ete"),
        ("a\r\n\tb", r"a\r\n\tb"),
        ("line\u{2028}line", r"line\u{2028}line"),
        ("evil\u{202e}txt.exe", r"evil\u{202e}txt.exe"),
        ("\u{2066}a\u{2069}", r"\u{2066}a\u{2069}"),
        ("zero\u{200b}width", r"zero\u{200b}width"),
        ("\u{feff}bom", r"\u{feff}bom"),
        ("wide\u{3000}blank", r"wide\u{3000}blank"),
    ] {
        assert_eq!(visible(text), shown);
        assert_eq!(sanitize(text), shown);
    }
}

#[test]
fn what_shows_needs_no_copy() {
    assert!(matches!(visible("billing"), Cow::Borrowed("billing")));
}

#[test]
fn line_breaks_stay_between_lines_only() {
    assert_eq!(visible_lines("a\nb\u{202e}c\n"), "a\nb\\u{202e}c\n");
    assert!(matches!(visible_lines("a\nb"), Cow::Borrowed("a\nb")));
}

#[test]
fn words_without_end_are_cut() {
    let long = "ä".repeat(LONGEST);
    assert_eq!(sanitize(&long), long);
    assert_eq!(sanitize(&format!("{long}ä")), format!("{long}…"));
}
