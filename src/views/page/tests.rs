use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::*;
use crate::changes::Change;
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::{RequestError, Server};
use crate::plan::Orphan;
use crate::report::Blank;
use crate::summary::example::{
    self as example, IN_THE_AFTERNOON, IN_THE_NIGHT, PROD_EU, PROD_EU_CONSUMERS, Scene,
    assert_golden, at, three_decisions, window,
};

fn view(scene: &Scene) -> View<'_> {
    View {
        facts: scene.facts(),
        loaded: at("2027-03-22T08:14:00Z"),
        consumer: None,
    }
}

fn shown(scene: &Scene) -> String {
    page(&view(scene))
}

/// The page, a tag a line, so that a change of it can be read.
fn lines(page: &str) -> String {
    let mut page = page.to_owned();
    for (element, content) in [("style", STYLE), ("script", SCRIPT)] {
        let whole = format!("<{element}>{content}</{element}>");
        assert_eq!(page.matches(&whole).count(), 1);
        page = page.replace(&whole, &format!("<{element}></{element}>"));
    }
    let page = page.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let opening = page.replace('<', "\n<").replace("\n</", "</");
    format!("{}\n", opening.trim_start())
}

/// What the prototype shows.
fn night() -> Scene {
    let mut scene = Scene::prod_eu(IN_THE_NIGHT);
    scene.add("EVENTS/mail");
    scene.overridden(three_decisions());
    scene
}

/// What an operator may meet at the worst hour.
fn trouble() -> Scene {
    let mut scene = night();
    scene.runs("ORDERS/billing");
    scene.row("ORDERS/billing").problem = Some(Box::new(RequestError::Denied {
        subject: "$JS.API.CONSUMER.PAUSE.ORDERS.billing".to_owned(),
    }));
    scene.runs("ORDERS/export");
    scene.row("ORDERS/export").contested = true;
    scene.is_paused_by_another("ORDERS/shipping", "2027-03-26T11:00:00Z");
    scene.is_orphaned("OLD/report", "2027-03-26T05:00:00Z", Orphan::Waiting);
    scene.found("PARTNER/sync", Found::Missing);
    scene.found("BILLING/ledger", Found::Unknown);
    scene.refused = Some("line 12: `duratoin` is not an option".to_owned());
    let vacuum = scene.config.policy.window("nightly-vacuum").unwrap();
    let missed = Change::Blank {
        window: vacuum.name.clone(),
        occurrence: vacuum.open_at(at("2027-03-25T01:00:00Z")),
        blank: Blank::Missed,
    };
    scene.lately.follow(&scene.report, &[missed]);
    scene
}

/// Metadata keeps consumers out of the window that is open.
fn by_metadata() -> Scene {
    let mut scene = Scene::new(&example::by_metadata(), IN_THE_NIGHT, &PROD_EU_CONSUMERS);
    let exempt = [("team", "billing"), ("recess.exempt", "true")];
    scene.is_tagged("ORDERS/billing", &exempt);
    scene.loses_its_labels("ORDERS/export");
    scene
}

/// The night in which the clocks show two o'clock twice.
fn autumn() -> Scene {
    let toml = PROD_EU.replace("30 1 * * *", "30 2 * * *");
    Scene::new(
        &toml,
        "2027-10-31T00:40:00Z",
        &["ORDERS/billing", "PARTNER/sync"],
    )
}

fn nothing() -> Scene {
    Scene::new("instance = \"a\"", IN_THE_AFTERNOON, &[])
}

fn offline() -> Scene {
    let mut scene = night();
    scene.report.link = Link::Down {
        reason: "cannot connect to nats://nats-1:4222: connection refused".to_owned(),
    };
    for (_, row) in scene.rows().iter_mut(|_| true) {
        *row = row.unknown_since(row.seen);
    }
    scene
}

static CROWD: LazyLock<Scene> = LazyLock::new(crowd);

/// 1,000 windows, some of each second, and 10,000 consumers of which nothing is as wanted.
fn crowd() -> Scene {
    let mut toml = "instance = 'a'\ndefaults.timezone = 'Europe/Zurich'\n".to_owned();
    for number in 0..1000 {
        let (hour, minute) = (number / 60 % 24, number % 60);
        let schedule = match number {
            0..10 => "*/2 * * * * *".to_owned(),
            _ => format!("{minute} {hour} * * *"),
        };
        let length = if number < 10 { "1s" } else { "3h" };
        toml += &format!(
            "[[window]]\nname = 'window-{number}'\nconsumers = ['S{number}/*']\nschedule = '{schedule}'\n\
             duration = '{length}'\n"
        );
    }
    let names: Vec<String> = (0..10_000)
        .map(|number| format!("S{}/c{number}", number % 1000))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut scene = Scene::new(&toml, IN_THE_NIGHT, &names);
    for (_, row) in scene.rows().iter_mut(|_| true) {
        row.contested = true;
    }
    scene
}

fn scenes() -> Vec<(&'static str, Scene)> {
    vec![
        ("night", night()),
        ("trouble", trouble()),
        ("metadata", by_metadata()),
        ("autumn", autumn()),
        ("nothing", nothing()),
        ("offline", offline()),
    ]
}

#[test]
fn the_pages_are_as_they_were_seen() {
    for (name, scene) in scenes() {
        let file = format!("src/views/page/tests/{name}.html");
        assert_golden(&file, &lines(&shown(&scene)));
    }
}

/// The tags of a page, each with its attributes as written.
fn tags(page: &str) -> Vec<&str> {
    let tags = page.split('<').skip(1);
    tags.filter_map(|tag| Some(tag.split_once('>')?.0))
        .filter(|tag| !tag.starts_with('/'))
        .collect()
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// What the policy of the page forbids is not in it, and what readers go by is.
#[test]
fn every_page_is_fit_to_be_read_and_allowed() {
    let scenes = scenes().into_iter().chain([("crowd", CROWD.clone())]);
    for (name, scene) in scenes {
        let page = shown(&scene);
        let all = tags(&page);
        let count = |start: &str| all.iter().filter(|tag| tag.starts_with(start)).count();
        assert_eq!((count("style"), count("script")), (1, 1), "{name}");
        for tag in &all {
            assert!(attribute(tag, "style").is_none(), "{name}: {tag}");
            assert!(!tag.contains(" on"), "{name}: {tag}");
            let link = attribute(tag, "href").or_else(|| attribute(tag, "src"));
            let is_here = |link: &str| link.starts_with(['/', '#', '?']) && !link.starts_with("//");
            assert!(
                link.is_none_or(|link| is_here(link) || link == ICON),
                "{name}: {tag}"
            );
            if tag.starts_with("th ") || *tag == "th" {
                assert!(attribute(tag, "scope").is_some(), "{name}: {tag}");
            }
        }
        let ids: Vec<&str> = all.iter().filter_map(|tag| attribute(tag, "id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        let labels = all
            .iter()
            .filter_map(|tag| attribute(tag, "aria-labelledby"));
        for id in labels.flat_map(str::split_whitespace) {
            assert!(unique.contains(id), "{name}: nothing has the id {id}");
        }
        let headings: Vec<&str> = (all.iter())
            .filter_map(|tag| {
                ["h1", "h2", "h3"]
                    .into_iter()
                    .find(|one| tag.split(' ').next() == Some(one))
            })
            .collect();
        assert_eq!(
            headings.iter().filter(|one| **one == "h1").count(),
            1,
            "{name}"
        );
        assert_eq!(headings[0], "h1", "{name}");
        for landmark in ["header", "main", "footer"] {
            assert_eq!(
                all.iter().filter(|tag| **tag == landmark).count(),
                1,
                "{name}: {landmark}"
            );
        }
    }
}

/// A name is text: it opens no element, ends no attribute, and moves nothing.
#[test]
fn hostile_names_and_reasons_are_inert() {
    const HOSTILE: &str = "x\"'><img/src=x/onerror=alert(1)>\u{202e}\u{200b}&lt;";
    let toml = PROD_EU
        .replace(
            "\"nightly-vacuum\"",
            &format!("{HOSTILE:?}")
                .replace("\\u{202e}", "\u{202e}")
                .replace("\\u{200b}", "\u{200b}"),
        )
        .replace("\"easter-monday\"", "\"<b>easter</b>\"")
        .replace("\"prod-eu\"", "\"<i>prod\"");
    let mut scene = Scene::new(&toml, IN_THE_NIGHT, &[]);
    let name = "ORDERS/<script src='x'\u{202e}".replace(' ', "&");
    scene.add(&name);
    scene.runs(&name);
    let mut decisions = three_decisions();
    decisions[2].terms.reason = Some("</div><script>alert(1)</script>\u{7}".into());
    decisions[2].terms.target = window(HOSTILE);
    scene.overridden(decisions);
    scene.runs(&name);
    scene.report.link = Link::Up(Server {
        version: "<u>2".to_owned(),
        ..match &scene.report.link {
            Link::Up(server) => server.clone(),
            _ => unreachable!(),
        }
    });
    scene.refused = Some("<script>".to_owned());
    for consumer in [None, Some("</p><script>"), Some("*/<script>")] {
        let page = page(&View {
            consumer,
            ..view(&scene)
        });
        for tag in tags(&page) {
            let name = tag.split([' ', '/']).next().unwrap();
            assert!(
                !["img", "i", "u"].contains(&name) || tag.starts_with("i class=\"k "),
                "{tag}"
            );
        }
        assert_eq!(page.matches("<script>").count(), 1);
        assert_eq!(page.matches("<b>easter").count(), 0);
        for unseen in ['\u{202e}', '\u{200b}', '\u{7}'] {
            assert!(!page.contains(unseen), "{unseen:?}");
        }
        assert!(page.contains("alert(1)"), "they are shown");
    }
}

#[test]
fn a_crowd_fits_on_the_page_what_is_wrong_first() {
    let mut scene = CROWD.clone();
    let first = "S999/c9999";
    scene.runs(first);
    let page = shown(&scene);
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert!(
        page.contains("980 are not:"),
        "windows that are left out are counted"
    );
    assert!(
        page.contains("10\u{a0}000"),
        "consumers that are left out are counted"
    );
    assert_eq!(
        page.matches("<th scope=\"row\"><span class=\"stream\">")
            .count(),
        200
    );
}

#[test]
fn a_glob_chooses_consumers() {
    let scene = night();
    for (consumer, shown) in [
        (None, 7),
        (Some("ORDERS/*"), 4),
        (Some("!ORDERS/*"), 3),
        (Some("*ing"), 2),
        (Some("EVENTS/mail"), 1),
        (Some("none"), 0),
        (Some("a/b/c"), 7),
        (Some("["), 7),
    ] {
        let page = page(&View {
            consumer,
            ..view(&scene)
        });
        let rows = page
            .matches("<th scope=\"row\"><span class=\"stream\">")
            .count();
        assert_eq!(rows, shown, "{consumer:?}");
        let is_refused = page.contains("is not STREAM/CONSUMER");
        assert_eq!(
            is_refused,
            matches!(consumer, Some("a/b/c" | "[")),
            "{consumer:?}"
        );
    }
}

#[test]
fn a_stream_s_link_chooses_that_stream_alone() {
    for stream in ["ORDERS", "a[1]", "x{y}", "!z", "ü&b=c#d"] {
        let link = consumers::link(stream);
        let (_, encoded) = link.split_once('=').unwrap();
        assert!(!encoded.contains(['&', '#', '=', '"']), "{link}");
        let decoded = percent_encoding::percent_decode_str(encoded)
            .decode_utf8()
            .unwrap();
        let selector = crate::policy::Selector::parse(&decoded).unwrap();
        assert!(selector.matches(&ConsumerId::new(stream, "c")), "{decoded}");
        assert!(
            !selector.is_negated() && !selector.matches(&ConsumerId::new("other", "c")),
            "{decoded}"
        );
    }
}

#[test]
fn of_too_many_windows_those_that_open_next_are_drawn() {
    let mut toml = "instance = 'a'\n".to_owned();
    for number in 0..25 {
        let (name, times) = match number {
            0..5 => (
                "past",
                "from = 2020-01-01T00:00:00\nuntil = 2020-01-01T01:00:00",
            ),
            _ => ("next", "schedule = '@daily'\nduration = '1h'"),
        };
        toml +=
            &format!("[[window]]\nname = '{name}-{number}'\nconsumers = ['{name}/*']\n{times}\n");
    }
    let page = shown(&Scene::new(&toml, IN_THE_AFTERNOON, &["next/a"]));
    let drawn = |name: &str| page.contains(&format!("\">{name}-"));
    assert!(drawn("next") && !drawn("past"), "{page}");
}
