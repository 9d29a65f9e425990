use super::*;

#[test]
fn a_line_is_cut_to_the_width_and_shows_that_it_was() {
    let line = || Line::of(Style::Strong, "ORDERS > ").and(Style::Plain, "billing");
    let cases = [
        (16, Charset::Unicode, "ORDERS > billing"),
        (15, Charset::Unicode, "ORDERS > billi…"),
        (9, Charset::Ascii, "ORDERS >>"),
        (1, Charset::Ascii, ">"),
        (0, Charset::Unicode, ""),
    ];
    for (width, charset, expected) in cases {
        let fitted = line().fitted(width, charset);
        assert_eq!(fitted.text(), expected, "{width}");
        assert!(fitted.width() <= width);
    }
}

#[test]
fn letters_of_two_columns_are_counted_as_two() {
    let line = || Line::of(Style::Plain, "夜間バッチ");
    assert_eq!(line().width(), 10);
    assert_eq!(line().fitted(10, Charset::Unicode).text(), "夜間バッチ");
    assert_eq!(line().fitted(8, Charset::Unicode).text(), "夜間バ…");
    assert_eq!(line().fitted(5, Charset::Ascii).text(), "?????");
}

#[test]
fn what_would_move_the_cursor_is_shown_instead() {
    let line = Line::of(Style::Plain, "a\u{1b}[2Jb\nc\td");
    assert_eq!(line.text(), "a\\u{1b}[2Jb\\nc\\td");
}

#[test]
fn a_line_is_broken_between_words_and_keeps_its_styles() {
    let line = || Line::of(Style::Strong, "one two").and(Style::Plain, " is three.");
    let cases: [(usize, &[&str]); 3] = [
        (20, &["one two is three."]),
        (8, &["one two", "is", "three."]),
        (2, &["one", "two", "is", "three."]),
    ];
    for (width, expected) in cases {
        let lines = line().wrapped(width);
        let texts: Vec<String> = lines.iter().map(Line::text).collect();
        assert_eq!(texts, expected, "{width}");
    }
    let lines = line().wrapped(8);
    assert_eq!(lines[0].pieces()[0].style, Style::Strong);
    assert_eq!(lines[2].pieces()[0].style, Style::Plain);
    assert_eq!(Line::default().wrapped(8), []);
    // A word that changes its style is one word.
    let line = Line::of(Style::Plain, "until 04:0")
        .and(Style::Strong, "0")
        .and(Style::Plain, ".");
    let lines = line.wrapped(6);
    assert_eq!(
        (lines[0].text(), lines[1].text()),
        ("until".into(), "04:00.".into())
    );
}

#[test]
fn a_bar_fills_from_the_left() {
    assert_eq!(Charset::Ascii.progress_bar(4, 0), "----");
    assert_eq!(Charset::Ascii.progress_bar(4, 500), "##--");
    assert_eq!(Charset::Unicode.progress_bar(4, 999), "███░");
    assert_eq!(Charset::Unicode.progress_bar(4, 1000), "████");
    assert_eq!(Charset::Ascii.progress_bar(4, 2000), "####");
}

#[test]
fn the_locale_decides_about_the_charset() {
    let cases: [(&[(&str, &str)], Charset); 6] = [
        (&[], Charset::Ascii),
        (&[("LANG", "C")], Charset::Ascii),
        (&[("LANG", "C.UTF-8")], Charset::Unicode),
        (&[("LANG", "de_CH.utf8")], Charset::Unicode),
        (&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], Charset::Ascii),
        (&[("LC_ALL", ""), ("LANG", "en_US.UTF-8")], Charset::Unicode),
    ];
    for (set, expected) in cases {
        let of = |name: &str| {
            let found = set.iter().find(|(one, _)| *one == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(Charset::of_locale(of), expected, "{set:?}");
    }
}
