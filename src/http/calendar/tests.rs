use super::*;

#[test]
fn what_has_too_many_openings_names_the_window_that_has_most_and_the_fix() {
    let window = |name, schedule| {
        format!(
            "[[window]]\nname = \"{name}\"\nconsumers = [\"ORDERS/*\"]\nschedule = \"{schedule}\"\nduration = \"6s\"\n"
        )
    };
    let toml = window("nightly", "0 1 * * *") + &window("often", "*/20 * * * * *");
    let policy = crate::config::parse("recess.toml".as_ref(), &toml)
        .unwrap()
        .policy;
    let span = agenda::span("2026-12-01T12:00:00Z".parse().unwrap());
    let often = ["often".to_owned()];
    assert_eq!(
        number_of_openings(&policy, &["nightly".to_owned()], span),
        68
    );
    assert_eq!(number_of_openings(&policy, &often, span), MOST_OPENINGS + 1);
    for (windows, expected) in [
        (&[][..], "most of them of `often`: name other windows"),
        (
            &often,
            "too many for a page: `recess plan --format ics --window often --until TIME` prints them",
        ),
    ] {
        let expected = format!("the calendar has more than 10000 openings, {expected}");
        assert_eq!(too_many(&policy, windows, span), expected);
    }
}
