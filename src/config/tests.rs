use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::time;

use super::file::findings;
use super::nats::server;
use super::value::{date_time, length};
use super::*;
use crate::calendar::{Length, Rule, Schedule};
use crate::consumer::{Candidate, ConsumerId};
use crate::policy::{Exclusion, Window};

mod mutations;
mod reference;
mod timings;
mod values;

/// A file that says something other than the default about everything.
const GOOD: &str = r#"
instance = "prod-eu"

[nats]
servers = ["nats://a.example.com:4222", "tls://[::1]", "b"]
credentials = "/etc/recess/nats.creds"
domain = "hub"
inbox_prefix = "_INBOX_recess"
allow_crash_prone = true

[nats.tls]
ca = "/etc/recess/ca.crt"
cert = "nats.crt"
key = "$CREDENTIALS_DIRECTORY/nats.key"
handshake_first = true

[http]
listen = "[::]:9000"
hosts = ["recess.example.com"]
consumer_metrics = "notable"

[controller]
resync = "2m 30s"
max_in_flight = 1_000
request_timeout = "10s"
max_pause = "1week"
dry_run = true
watch = true

[overrides]
bucket = "recess_prod-eu"
keep = "30d"
reason = "optional"

[defaults]
timezone = "Europe/Zurich"

[[window]]
name = "nightly-vacuum"
consumers = ["ORDERS/*", "!ORDERS/audit"]
schedule = "30 1 * * *"
duration = "2h"

[[window]]
name = "snapshot"
consumers = ["EVENTS/mail"]
schedule = "*/30 * * * * *"
duration = "10s"
timezone = "America/New_York"

[[window]]
name = "week-night"
consumers = ["REFUNDS/*"]
schedule = "0 18 * * 1-4"
until = "08:00"
gap = "skip"
repeat = "both"
valid_from = 2026-12-01
valid_until = 2027-06-30T12:00:00

[[window]]
name = "db-upgrade"
consumers = ["BILLING/*"]
from = 2026-12-05T22:00:00
until = 2026-12-06T04:00:00Z
resume_spread = "10m"

[[exclusion]]
name = "holidays"
dates = [2026-12-26, 2026-12-25]

[[exclusion]]
name = "black-friday"
from = 2026-11-26T00:00:00
until = 2026-12-01T00:00:00
timezone = "America/New_York"
windows = ["nightly-vacuum", "snapshot"]

[[exclusion]]
name = "pay-day"
schedule = "0 8 25 * *"
until = "20:00"
windows = ["snapshot"]
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    super::parse(Path::new("/etc/recess/recess.toml"), text)
}

fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn codes(text: &str) -> Vec<&'static str> {
    match parse(text) {
        Ok(config) => config.warnings.iter().map(|f| f.code).collect(),
        Err(error) => error.findings().iter().map(|f| f.code).collect(),
    }
}

/// A good file but for one window's schedule, duration and zone.
fn window(schedule: &str, duration: &str, timezone: &str) -> String {
    format!(
        "instance = 'a'\n[controller]\nmax_pause = '366d'\n[[window]]\nname = 'w'\nconsumers = ['A/b']\n\
         schedule = '{schedule}'\nduration = '{duration}'\ntimezone = '{timezone}'\n"
    )
}

fn rule_of(window: &Window) -> &Rule {
    match &window.schedule {
        Schedule::Recurring(rule) => rule,
        Schedule::Fixed(fixed) => panic!("{fixed:?}"),
    }
}

#[test]
fn what_the_file_says_is_what_is_loaded() {
    let config = good(GOOD);
    assert_eq!(codes(GOOD), [code::CRASH_PRONE]);
    assert_eq!(
        config.settings,
        Settings {
            nats: Nats {
                source: ConnectionSource::Here(Connection {
                    servers: ["nats://a.example.com:4222", "tls://[::1]", "b"]
                        .map(str::to_owned)
                        .to_vec(),
                    auth: Auth::Credentials(Secret::File("/etc/recess/nats.creds".into())),
                    beside: Vec::new(),
                    tls: Some(Tls {
                        ca: Some("/etc/recess/ca.crt".into()),
                        identity: Some(Identity {
                            cert: "/etc/recess/nats.crt".into(),
                            key: "$CREDENTIALS_DIRECTORY/nats.key".into(),
                        }),
                        handshake_first: true,
                    }),
                    api: Api::Domain("hub".to_owned()),
                    inbox_prefix: "_INBOX_recess".to_owned(),
                }),
                allow_crash_prone: true,
            },
            http: Http {
                listen: "[::]:9000".parse().unwrap(),
                hosts: vec!["recess.example.com".to_owned()],
                consumer_metrics: ConsumerMetrics::Notable,
            },
            events: Events::default(),
            overrides: Overrides {
                bucket: Some("recess_prod-eu".to_owned()),
                keep: Duration::from_secs(30 * 24 * 60 * 60),
                reason: Reason::Optional,
            },
            controller: Controller {
                resync: Duration::from_secs(150),
                max_in_flight: 1000,
                request_timeout: Duration::from_secs(10),
                max_pause: SignedDuration::from_hours(168),
                dry_run: true,
                watch: true,
            },
        }
    );
    assert_eq!(config.policy.instance(), "prod-eu");
    let [vacuum, snapshot, week_night, upgrade] = config.policy.windows() else {
        panic!("four windows");
    };
    assert_eq!(&*vacuum.name, "nightly-vacuum");
    assert_eq!(rule_of(vacuum).pattern().to_string(), "30 1 * * *");
    assert_eq!(vacuum.schedule.zone().iana_name(), Some("Europe/Zurich"));
    assert_eq!(
        rule_of(vacuum).length(),
        Length::Elapsed(SignedDuration::from_hours(2))
    );
    assert!(
        vacuum
            .selection
            .selects(&Candidate::named(&ConsumerId::new("ORDERS", "billing")))
    );
    assert!(
        !vacuum
            .selection
            .selects(&Candidate::named(&ConsumerId::new("ORDERS", "audit")))
    );
    assert_eq!(&*snapshot.name, "snapshot");
    assert_eq!(
        snapshot.schedule.zone().iana_name(),
        Some("America/New_York")
    );
    assert_eq!(
        rule_of(snapshot).length(),
        Length::Elapsed(SignedDuration::from_secs(10))
    );
    assert_eq!(
        rule_of(week_night).length(),
        Length::Until(time(8, 0, 0, 0))
    );
    // The limits of a rule show in its openings only.
    let openings = |from: &str, until: &str| {
        let instant = |text: &str| text.parse().expect("an instant");
        (week_night.intersecting(instant(from), instant(until))).len()
    };
    assert_eq!(openings("2026-11-26T00:00:00Z", "2026-12-01T06:00:00Z"), 0);
    assert_eq!(openings("2027-06-21T07:00:00Z", "2027-07-30T00:00:00Z"), 6);
    let once: Vec<_> = upgrade
        .intersecting(Timestamp::MIN, Timestamp::MAX)
        .iter()
        .map(|piece| (piece.opens.to_string(), piece.closes.to_string()))
        .collect();
    let expected = ("2026-12-05T21:00:00Z", "2026-12-06T04:00:00Z");
    assert_eq!(once, [(expected.0.to_owned(), expected.1.to_owned())]);
    assert_eq!(upgrade.resume_spread, SignedDuration::from_mins(10));
    assert_eq!(week_night.resume_spread, SignedDuration::ZERO);

    let exclusions = |window: &Window| -> Vec<String> {
        let names = window.exclusions.iter().map(|exclusion| &exclusion.name);
        names.map(|name| name.to_string()).collect()
    };
    assert_eq!(exclusions(vacuum), ["holidays", "black-friday"]);
    assert_eq!(
        exclusions(snapshot),
        ["holidays", "black-friday", "pay-day"]
    );
    assert_eq!(exclusions(week_night), ["holidays"]);
    assert_eq!(exclusions(upgrade), ["holidays"]);
    let [holidays, black_friday, pay_day] = &*snapshot.exclusions else {
        panic!("three exclusions");
    };
    let first = |exclusion: &Exclusion| {
        let opening = exclusion
            .schedule
            .next_opening("2026-10-31T00:00:00Z".parse().expect("an instant"));
        opening.map(|one| (one.opens.to_string(), one.closes.to_string()))
    };
    let pair = |opens: &str, closes: &str| Some((opens.to_owned(), closes.to_owned()));
    assert_eq!(
        first(holidays),
        pair("2026-12-24T23:00:00Z", "2026-12-26T23:00:00Z")
    );
    assert_eq!(
        first(black_friday),
        pair("2026-11-26T05:00:00Z", "2026-12-01T05:00:00Z")
    );
    assert_eq!(
        first(pay_day),
        pair("2026-11-25T07:00:00Z", "2026-11-25T19:00:00Z")
    );
}

#[test]
fn an_empty_file_is_the_defaults_and_two_warnings() {
    let config = good("");
    assert_eq!(config.settings, Settings::default());
    assert_eq!(config.policy.instance(), "default");
    assert!(config.policy.windows().is_empty());
    assert_eq!(codes(""), [code::NO_INSTANCE, code::NO_WINDOWS]);
}

#[test]
fn windows_open_in_utc_when_nobody_names_a_zone() {
    let text = window("30 1 * * *", "2h", "UTC").replace("timezone = 'UTC'\n", "");
    let config = good(&text);
    assert_eq!(
        config.policy.windows()[0].schedule.zone().iana_name(),
        Some("UTC")
    );
}

fn source(lines: &str) -> ConnectionSource {
    let text = format!("instance = 'a'\n[nats]\n{lines}\n");
    good(&text).settings.nats.source
}

fn connection(lines: &str) -> Connection {
    match source(lines) {
        ConnectionSource::Here(connection) => connection,
        ConnectionSource::Context(name) => panic!("context {name}"),
    }
}

#[test]
fn each_way_to_authenticate() {
    let auth = |lines| connection(lines).auth;
    let file = |path: &str| Secret::File(path.into());
    assert_eq!(auth(""), Auth::Nothing);
    assert_eq!(auth("credentials = '/c'"), Auth::Credentials(file("/c")));
    assert_eq!(auth("nkey_seed_file = '/n'"), Auth::Nkey(file("/n")));
    assert_eq!(auth("token_file = '/t'"), Auth::Token(file("/t")));
    let user = Auth::UserPassword {
        username: "u".to_owned(),
        password: file("/p"),
    };
    assert_eq!(auth("username = 'u'\npassword_file = '/p'"), user);

    // Beside credentials, for a service behind an auth callout; and a token beside an nkey.
    let both = |lines: &str| {
        let Connection { auth, beside, .. } = connection(lines);
        (auth, beside)
    };
    let (credentials, nkey) = ("credentials = '/c'\n", "nkey_seed_file = '/n'\n");
    let of_user = "username = 'u'\npassword_file = '/p'";
    assert_eq!(
        both(&format!("{credentials}{of_user}")),
        (Auth::Credentials(file("/c")), vec![user])
    );
    for (first, auth) in [
        (credentials, Auth::Credentials(file("/c"))),
        (nkey, Auth::Nkey(file("/n"))),
    ] {
        let token = Auth::Token(file("/t"));
        assert_eq!(
            both(&format!("{first}token_file = '/t'")),
            (auth, vec![token])
        );
    }
}

#[test]
fn relative_paths_begin_at_the_folder_of_the_config_file() {
    let auth = |lines| connection(lines).auth;
    let at = |path: &str| Auth::Token(Secret::File(path.into()));
    assert_eq!(
        auth("token_file = 'nats.token'"),
        at("/etc/recess/nats.token")
    );
    let credential = "$CREDENTIALS_DIRECTORY/token";
    assert_eq!(
        auth(&format!("token_file = '{credential}'")),
        at(credential)
    );
    let context = |name: &str| ConnectionSource::Context(name.to_owned());
    assert_eq!(source("context = 'prod'"), context("prod"));
    assert_eq!(
        source("context = './p.json'"),
        context("/etc/recess/./p.json")
    );
}

#[test]
fn each_place_where_the_api_can_be() {
    let prefix = |lines| connection(lines).api.prefix();
    assert_eq!(prefix(""), "$JS.API");
    assert_eq!(prefix("domain = 'hub'"), "$JS.hub.API");
    assert_eq!(prefix("api_prefix = 'from.hub'"), "from.hub");
}

#[test]
fn a_mistake_in_half_of_a_pair_is_told_once() {
    let text = window("0 1 * * *", "1h", "UTC") + "[nats]\nusername = 5\npassword_file = '/p'\n";
    assert_eq!(codes(&text), [code::WRONG_TYPE]);
}

#[test]
fn a_value_that_cannot_be_read_is_not_missing_too() {
    let text = window("0 1 * * *", "1h", "UTC").replace("schedule = '0 1 * * *'", "schedule = 7");
    assert_eq!(codes(&text), [code::WRONG_TYPE]);
}

#[test]
fn windows_are_not_measured_against_a_max_pause_that_cannot_be_read() {
    let text = window("0 0 1 1 *", "300d", "UTC").replace("'366d'", "'a lot'");
    assert_eq!(codes(&text), [code::BAD_DURATION]);
}

#[test]
fn findings_stand_in_the_order_of_the_file() {
    let text = include_str!("../../tests/fixtures/config/many-at-once.toml");
    let error = parse(text).expect_err("it is full of mistakes");
    let source = error.source();
    let lines: Vec<_> = error
        .findings()
        .iter()
        .filter_map(|f| f.line(&source))
        .collect();
    assert!(lines.len() > 10);
    assert!(lines.is_sorted(), "{lines:?}");
}

#[test]
fn a_finding_knows_its_line_and_fits_on_one() {
    let error = parse("instance = 'a'\n\n[http]\nlisten = 'x'\n").expect_err("no address");
    let findings = error.findings();
    assert_eq!(findings[0].line(&error.source()), Some(4));
    let log = findings[0].to_string();
    assert!(
        log.starts_with("http.listen: \"x\" is not an IP address and a port (write"),
        "{log}"
    );
    assert!(!log.contains('\n'));

    let warnings = good("").warnings;
    assert_eq!(warnings[0].line(&good("").source), None);
}

#[test]
fn a_secret_in_an_address_is_shown_nowhere() {
    for address in [
        "nats://recess:s3cret@host",
        "recess:s3cret@host",
        "nats://s3cret@host",
        "https://a:s3cr@t@s3cret@host",
        "nats://a:s3cret@h,nats://b:s3cret@h",
    ] {
        let text = format!("[nats]\nservers = [\"{address}\"] # {address}\nnonsense = 1\n");
        let error = parse(&text).expect_err("a secret is refused");
        let shown = format!("{error} {:?} {}", error.findings(), error.source().text);
        assert!(shown.contains("a secret does not belong"), "{shown}");
        assert!(!shown.contains("s3cr"), "{shown}");
        assert_eq!(error.source().text.len(), text.len());
    }
    // Nothing else is hidden.
    assert_eq!(*good(GOOD).source.text, *GOOD);
    let text = "name = \"a@b\" # mail me@example.com\nschedule = \"@daily\"";
    assert_eq!(findings::without_secrets(text), text);
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("recess.toml");
    let error = load(&path).expect_err("it is not there");
    let text = error.to_string();
    assert!(
        text.contains("error[unreadable]: config file: cannot read it: No such file"),
        "{text}"
    );
    assert!(
        text.contains(&format!("{}: 1 error", path.display())),
        "{text}"
    );

    fs::write(&path, [0xff, 0xfe]).expect("a file");
    assert!(
        load(&path)
            .expect_err("not UTF-8")
            .to_string()
            .contains("UTF-8")
    );

    fs::write(&path, GOOD).expect("a file");
    assert_eq!(load(&path).expect("a good file").source.path, path);
}

#[test]
fn colour_only_where_it_is_asked_for() {
    let error = parse("x = 1").expect_err("no such key");
    assert!(error.render(true).contains('\u{1b}'));
    assert!(!error.render(false).contains('\u{1b}'));
    assert_eq!(error.render(false), error.to_string());
}

#[test]
fn nothing_to_say_is_rendered_as_nothing() {
    assert_eq!(render(&good(GOOD).source, &[], false), "");
}
