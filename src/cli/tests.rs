use clap::CommandFactory;

use super::*;

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_narrow_terminal_gets_the_columns_that_fit() {
    let shown = |width| {
        let headings = ["CONSUMER", "FOUND", "UNTIL", "LEFT", "WINDOWS"];
        let mut rows = table::table_for(&headings, &["UNTIL", "LEFT"], width);
        let cells = [
            "ORDERS > billing",
            "paused",
            "Tue 2026-12-01 03:30:00",
            "1h 30m",
            "nightly-vacuum",
        ];
        rows.add_row(cells.map(str::to_owned));
        table::render(rows)
    };
    let whole = "\
CONSUMER          FOUND   UNTIL                    LEFT    WINDOWS
ORDERS > billing  paused  Tue 2026-12-01 03:30:00  1h 30m  nightly-vacuum
";
    assert_eq!(shown(None), whole);
    assert_eq!(shown(Some(80)), whole);
    assert_eq!(
        shown(Some(72)),
        "\
CONSUMER          FOUND   LEFT    WINDOWS
ORDERS > billing  paused  1h 30m  nightly-vacuum
(1 column left out: a wider terminal, a pipe or --format json shows all)
"
    );
    assert_eq!(
        shown(Some(46)),
        "\
CONSUMER          FOUND   WINDOWS
ORDERS > billing  paused  nightly-vacuum
(2 columns left out: a wider terminal, a pipe or --format json shows all)
"
    );
}

#[test]
fn a_selector_may_be_written_as_consumers_are_shown() {
    for (text, path) in [
        ("ORDERS > billing", "ORDERS/billing"),
        ("!ORDERS > audit", "!ORDERS/audit"),
        ("ORDERS > *", "ORDERS/*"),
        ("ORDERS/billing", "ORDERS/billing"),
    ] {
        let selector = selected::parse(text).map(|selector| selector.as_str().to_owned());
        assert_eq!(selector.as_deref(), Ok(path));
    }
    assert!(selected::parse("ORDERS >billing").is_err());
    assert!(selected::parse("ORDERS > a/b").is_err());
}
