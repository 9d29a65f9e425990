use super::*;
use crate::summary::example::{IN_THE_NIGHT, Scene, assert_golden, three_decisions};

fn shown(scene: &Scene) -> String {
    page(&View {
        facts: scene.facts(),
        loaded: "2027-03-22T08:14:00Z".parse().unwrap(),
        consumer: None,
    })
}

/// The page, a tag a line, so that a change of it can be read.
fn lines(page: &str) -> String {
    let mut page = page.to_owned();
    for (element, content) in [("style", STYLE), ("script", SCRIPT)] {
        let whole = format!("<{element}>{content}</{element}>");
        assert_eq!(page.matches(&whole).count(), 1);
        page = page.replace(&whole, &format!("<{element}></{element}>"));
    }
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

#[test]
fn the_page_of_a_night_is_as_it_was_seen() {
    assert_golden("src/views/page/tests/night.html", &lines(&shown(&night())));
}
