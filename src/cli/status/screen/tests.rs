use super::*;
use crate::consumer::example::observation;
use crate::consumer::{Found, PauseState};
use crate::plan::{Rule, Verdict};
use crate::summary::example::{
    IN_THE_AFTERNOON, IN_THE_NIGHT, PROD_EU, Scene, assert_golden, three_decisions,
};

const WIDE: Size = Size {
    width: 120,
    height: 30,
};
const USUAL: Size = Size {
    width: 80,
    height: 24,
};
const NARROW: Size = Size {
    width: 46,
    height: 20,
};

fn shown(scene: &Scene, size: Size, charset: Charset) -> Vec<Line> {
    let view = View {
        facts: scene.facts(),
        uptime: Duration::ZERO,
        charset,
    };
    let lines = screen(&view, size).into_iter();
    lines.map(|line| line.fitted(size.width, charset)).collect()
}

fn text(lines: &[Line]) -> String {
    let lines: Vec<String> = lines.iter().map(Line::text).collect();
    lines
        .iter()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// Extended, one paused by a person, one by another client, one not paused.
fn busy_night() -> Scene {
    let mut scene = Scene::prod_eu(IN_THE_NIGHT);
    scene.add("EVENTS/mail");
    scene.overridden(three_decisions());
    scene.is_paused_by_another("ORDERS/shipping", "2027-03-26T11:00:00Z");
    scene.runs("ORDERS/export");
    scene
}

fn thousands() -> Scene {
    let paths: Vec<String> = (0..10_000)
        .map(|number| format!("ORDERS/c{number:04}"))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut scene = Scene::new(PROD_EU, IN_THE_NIGHT, &paths);
    scene.runs("ORDERS/c7777");
    scene
}

fn not_connected() -> Scene {
    let mut scene = Scene::prod_eu(IN_THE_NIGHT);
    scene.report.link = Link::Down {
        reason: "connection refused".to_owned(),
    };
    for (_, row) in scene.rows().iter_mut(|_| true) {
        (row.found, row.verdict, row.rule) = (Found::Unknown, Verdict::Unknown, Rule::Unknown);
    }
    scene
}

#[test]
fn it_shows_what_matters_first_at_each_size() {
    let scenes = [
        ("a busy night", busy_night(), WIDE, Charset::Unicode),
        ("a busy night", busy_night(), USUAL, Charset::Ascii),
        ("a busy night", busy_night(), NARROW, Charset::Unicode),
        (
            "a quiet afternoon",
            Scene::prod_eu(IN_THE_AFTERNOON),
            USUAL,
            Charset::Unicode,
        ),
        ("10,000 consumers", thousands(), USUAL, Charset::Unicode),
        ("not connected", not_connected(), USUAL, Charset::Unicode),
        (
            "no windows",
            Scene::new("instance = 'a'", IN_THE_NIGHT, &[]),
            USUAL,
            Charset::Unicode,
        ),
    ];
    let pictures = scenes.map(|(name, scene, size, charset)| {
        let Size { width, height } = size;
        let lines = shown(&scene, size, charset);
        assert_eq!(lines.len(), height, "{name}");
        format!(
            "# {name}: {width} x {height}, {charset:?}\n{}\n",
            text(&lines)
        )
    });
    assert_golden("src/cli/status/screen/tests/shown.txt", &pictures.concat());
}

#[test]
fn no_line_is_longer_and_no_screen_higher_than_the_terminal() {
    let scenes = [busy_night(), thousands(), not_connected()];
    for scene in &scenes {
        for (width, height) in [
            (1, 1),
            (1, 30),
            (7, 3),
            (30, 2),
            (59, 10),
            (200, 5),
            (500, 80),
        ] {
            for charset in [Charset::Unicode, Charset::Ascii] {
                let lines = shown(scene, Size { width, height }, charset);
                assert_eq!(lines.len(), height);
                let widest = lines.iter().map(Line::width).max();
                assert!(
                    widest <= Some(width),
                    "{width} x {height}: {}",
                    text(&lines)
                );
            }
        }
    }
    assert_eq!(
        shown(
            &scenes[0],
            Size {
                width: 0,
                height: 0
            },
            Charset::Ascii
        )
        .len(),
        1
    );
}

#[test]
fn colours_say_what_the_words_say() {
    let lines = shown(&busy_night(), WIDE, Charset::Unicode);
    let style_of = |words: &str| {
        let mut pieces = lines.iter().flat_map(Line::pieces);
        let piece = pieces.find(|piece| piece.text.contains(words));
        piece.unwrap_or_else(|| panic!("{words}")).style
    };
    assert_eq!(style_of("runs and should"), Style::Bad);
    assert_eq!(style_of("ORDERS > export  "), Style::Bad);
    assert_eq!(style_of("ORDERS > billing"), Style::Plain);
    let lines = shown(&Scene::prod_eu(IN_THE_NIGHT), WIDE, Charset::Unicode);
    let piece = lines[2].pieces().first().unwrap();
    assert_eq!(
        (piece.style, &*piece.text),
        (Style::Good, "✓ 4 consumers are paused, as scheduled.")
    );
}

#[test]
fn what_is_left_of_a_pause_goes_on_while_nothing_is_observed() {
    let mut scene = Scene::prod_eu(IN_THE_NIGHT);
    let state = PauseState::Paused {
        until: scene.mark().stamp("2027-03-26T02:30:00Z".parse().unwrap()),
        remaining: jiff::SignedDuration::from_secs(90),
    };
    scene.found("ORDERS/billing", Found::Present(observation(state)));
    let left = |uptime| {
        let view = View {
            facts: scene.facts(),
            uptime: Duration::from_secs(uptime),
            charset: Charset::Ascii,
        };
        let lines = screen(&view, WIDE);
        let line = lines
            .iter()
            .map(Line::text)
            .find(|line| line.contains("> billing"));
        line.unwrap()
    };
    assert!(left(0).contains("  1m 30s  "), "{}", left(0));
    assert!(left(60).contains("  30s  "), "{}", left(60));
    assert!(left(600).contains("  0s  "), "{}", left(600));
}

#[test]
fn of_thousands_those_that_are_wrong_come_first() {
    let scene = thousands();
    let lines = shown(&scene, USUAL, Charset::Unicode);
    let consumers: Vec<String> = (lines.iter().map(Line::text))
        .filter(|line| line.starts_with("ORDERS > "))
        .collect();
    assert!(
        consumers[0].contains("c7777") && consumers[1].contains("c0000"),
        "{consumers:#?}"
    );
}
