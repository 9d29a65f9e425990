//! The page in a real browser, served by the real recess, which speaks with a real nats-server. `tests/web/run` installs what
//! is missing and runs them: they are ignored elsewhere, as most machines that build recess have no browser.
//!
//! What the page must be stands in the programs that drive the browser (`*.mjs`); here stands what they look at.

// It waits for real processes, so on the real clock.
#![allow(clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod places;

use jiff::{SignedDuration, Timestamp};

use browser::{Browser, PICTURE};
use places::{busy_night, hostile};
use support::config::Span;
use support::recess::Recess;
use support::world::World;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Debian's chromium, and npm's playwright-core and axe-core: tests/web/run"]
async fn a_busy_night_is_accessible_silent_and_whole_everywhere() {
    let (_world, recess) = busy_night().await;
    let picture = std::env::var_os("RECESS_BLESS").map(|_| PICTURE);
    let browser = Browser::start("looks.mjs", &recess, &[picture.unwrap_or_default()]);
    browser.ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Debian's chromium, and npm's playwright-core and axe-core: tests/web/run"]
async fn what_others_wrote_is_shown_and_does_nothing() {
    let (_world, recess, letters) = hostile().await;
    let letters: Vec<&str> = letters.iter().map(|letters| &**letters).collect();
    let browser = Browser::start("looks.mjs", &recess, &[&[""], &letters[..]].concat());
    browser.ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Debian's chromium, and npm's playwright-core and axe-core: tests/web/run"]
async fn a_window_that_opens_while_the_page_is_looked_at_is_shown_within_six_seconds() {
    let world = World::with(&["ORDERS/billing", "ORDERS/shipping"]).await;
    let opening = |span| world.config().window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&opening(Span::opening_in(3600, 600))).await;
    recess.until_ready().await;
    let mut browser = Browser::start("follows.mjs", &recess, &[]);
    browser.until_ready("looks").await;
    let span = Span::opening_in(4, 600);
    recess.reload(&opening(span));
    browser.until_ready("sees").await;
    let took = Timestamp::now().duration_since(span.opens);
    println!("shown {} ms after the opening", took.as_millis());
    assert!(
        took.is_positive() && took < SignedDuration::from_secs(6),
        "{took:#}"
    );
    browser.ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Debian's chromium, and npm's playwright-core and axe-core: tests/web/run"]
async fn a_server_that_goes_and_a_recess_that_goes_are_said_within_ten_seconds() {
    let mut world = World::with(&["ORDERS/billing"]).await;
    let config = world.config();
    let config = config.window("night", &["ORDERS/*"], Span::open_for(600));
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let mut browser = Browser::start("misses.mjs", &recess, &[]);
    browser.until_ready("server-goes").await;
    world.server.kill();
    browser.until_ready("server-comes").await;
    world.server.restart().unwrap();
    browser.until_ready("recess-goes").await;
    recess.signal("STOP");
    browser.until_ready("recess-comes").await;
    recess.signal("CONT");
    browser.ends_well().await;
}
