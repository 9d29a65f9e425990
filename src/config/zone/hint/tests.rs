use super::*;

fn hint(word: &str) -> String {
    zone_hint(word, &TimeZoneDatabase::bundled())
}

/// The zones that a hint names, in order.
fn zones(word: &str) -> Vec<String> {
    let hint = hint(word);
    hint.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn an_abbreviation_gets_the_zones_whose_clocks_go_by_it() {
    for (word, expected) in [
        ("AEST", &["Australia/Sydney", "Australia/Brisbane"][..]),
        ("AEDT", &["Australia/Sydney"]),
        ("ACST", &["Australia/Adelaide", "Australia/Darwin"]),
        ("AWST", &["Australia/Perth"]),
        ("NZST", &["Pacific/Auckland"]),
        ("SAST", &["Africa/Johannesburg"]),
        ("IST", &["Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin"]),
        (
            "CST",
            &["America/Chicago", "Asia/Shanghai", "America/Havana"],
        ),
        ("PST", &["America/Los_Angeles", "Asia/Manila"]),
        ("PDT", &["America/Los_Angeles"]),
        ("EDT", &["America/New_York"]),
        ("AKST", &["America/Anchorage"]),
        ("BST", &["Europe/London"]),
        ("CEST", &["Europe/Berlin", "Europe/Paris"]),
        ("cest", &["Europe/Berlin", "Europe/Paris"]),
        ("EEST", &["Europe/Athens"]),
        ("MSK", &["Europe/Moscow"]),
        ("JST", &["Asia/Tokyo"]),
        ("KST", &["Asia/Seoul"]),
        ("HKT", &["Asia/Hong_Kong"]),
        ("WIB", &["Asia/Jakarta"]),
        ("PKT", &["Asia/Karachi"]),
        ("EAT", &["Africa/Nairobi"]),
        ("SGT", &["Asia/Singapore"]),
        ("BRT", &["America/Sao_Paulo"]),
        ("GST", &["Asia/Dubai"]),
    ] {
        assert_eq!(zones(word), expected, "{word}: {}", hint(word));
    }
}

#[test]
fn a_city_that_is_no_zone_gets_the_zone_that_it_lies_in() {
    for (word, expected) in [
        ("Asia/Mumbai", "Asia/Kolkata"),
        ("Mumbai", "Asia/Kolkata"),
        ("Asia/Beijing", "Asia/Shanghai"),
        ("Europe/Munich", "Europe/Berlin"),
        ("Europe/Geneva", "Europe/Zurich"),
        ("America/San_Francisco", "America/Los_Angeles"),
        ("US/San Francisco", "America/Los_Angeles"),
        ("America/Boston", "America/New_York"),
        ("Africa/Cape_Town", "Africa/Johannesburg"),
        ("Asia/Osaka", "Asia/Tokyo"),
        ("Europe/Milan", "Europe/Rome"),
        ("Eastern Standard Time", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        // A zone, with the wrong continent or without.
        ("Asia/Zurich", "Europe/Zurich"),
        ("new york", "America/New_York"),
        ("America/Port au Prince", "America/Port-au-Prince"),
        ("posix/Europe/Zurich", "Europe/Zurich"),
        ("right/America/New_York", "America/New_York"),
    ] {
        assert_eq!(zones(word), [expected], "{word}: {}", hint(word));
    }
}

#[test]
fn a_place_that_is_nearly_right_is_taken_for_a_misspelt_one_and_others_are_not() {
    for (word, expected) in [
        ("Europe/Zurch", "Europe/Zurich"),
        ("Europe/Zürich", "Europe/Zurich"),
        ("Europe-Zurich", "Europe/Zurich"),
        ("Eurpoe/Berlin", "Europe/Berlin"),
        ("America/New_Yrok", "America/New_York"),
        ("America/Los_Angelos", "America/Los_Angeles"),
        ("Asia/Tokio", "Asia/Tokyo"),
        ("Austraila/Melborne", "Australia/Melbourne"),
    ] {
        assert_eq!(zones(word), [expected], "{word}: {}", hint(word));
    }
    for word in [
        "XST",
        "QQQ",
        "Wubai",
        "East",
        "Middle-earth/Bree",
        "",
        "/",
        "Europe/",
    ] {
        let hint = hint(word);
        assert!(hint.starts_with("name a place"), "{word}: {hint}");
    }
}

/// Each name of the database is its own hint when a letter of it is doubled or left out, or it
/// stands for the same clocks.
#[test]
fn no_hint_for_a_slip_of_the_keys_is_a_zone_with_other_clocks() {
    let database = TimeZoneDatabase::bundled();
    let noon = "2026-07-15T12:00:00Z".parse().unwrap();
    let offset = |name: &str| database.get(name).unwrap().to_offset(noon);
    let mut hinted = 0;
    for name in names(&database).filter(|name| last_part(name).len() > 5) {
        let at = name.len() - 3;
        let slip = format!("{}{}", &name[..at], &name[at + 1..]);
        if database.get(&slip).is_ok() {
            continue;
        }
        let Some(meant) = closest_zone(&slip, &database) else {
            continue;
        };
        hinted += 1;
        assert_eq!(offset(&meant), offset(&name), "{slip}: {meant}, not {name}");
    }
    assert!(hinted > 300, "only {hinted}");
}

#[test]
fn a_name_of_windows_gets_the_zone_that_stands_for_it() {
    let database = TimeZoneDatabase::bundled();
    for (name, zone) in WINDOWS_ZONES {
        assert!(database.get(zone).is_ok(), "{name}: {zone} is no zone");
        if *name != "UTC" {
            assert_eq!(zones(name), [*zone], "{name}: {}", hint(name));
        }
    }
    let text = hint("w. europe standard time");
    assert_eq!(
        text,
        r#"w. europe standard time is a name of Windows; write "Europe/Berlin""#
    );
}
