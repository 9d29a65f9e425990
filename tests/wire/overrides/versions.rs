//! Each command on each line of servers that recess works with: without a daemon, beside one, and beside one that stands
//! still.

use jiff::{SignedDuration, ToSpan};
use tokio::runtime::Runtime;

use super::*;
use crate::support::recess::{Recess, secs};

const VERSIONS: [&str; 3] = ["2.12.8", "2.14.6", "2.15.1"];

/// No window names it.
const MAIL: &str = "EVENTS/mail";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Daemon {
    None,
    Running,
    Stopped,
}

#[test]
fn each_command_takes_effect_and_is_undone_without_a_daemon() {
    on_each_version(Daemon::None);
}

#[test]
fn each_command_takes_effect_and_is_undone_beside_a_daemon() {
    on_each_version(Daemon::Running);
}

#[test]
fn each_command_takes_effect_and_is_undone_beside_a_daemon_that_stands_still() {
    on_each_version(Daemon::Stopped);
}

/// All at once: a command mostly waits.
fn on_each_version(daemon: Daemon) {
    let play = |version| move || Runtime::new().unwrap().block_on(story(version, daemon));
    let stories = VERSIONS.map(|version| std::thread::spawn(play(version)));
    for story in stories {
        story.join().unwrap();
    }
}

async fn story(version: &'static str, daemon: Daemon) {
    let (world, config) = world_on(Some(version)).await;
    assert_eq!(world.account.client.server_info().version, version);
    world.account.durable(MAIL).await;
    let span = Span::opening_in(7200, 600);
    let config = night(config, span);
    let recess = match daemon {
        Daemon::None => None,
        Daemon::Running | Daemon::Stopped => Some(Recess::start(&config).await),
    };
    if let Some(recess) = &recess {
        recess.until_ready().await;
    }
    if let (Daemon::Stopped, Some(recess)) = (daemon, &recess) {
        recess.signal("STOP");
    }
    let took = commands(&world.account, &config, span).await;
    for (command, took) in &took {
        println!("{version}, {daemon:?}: {command} {} ms", took.as_millis());
        // The bound is 1 s, and this machine may be busy.
        assert!(
            *took < SignedDuration::from_secs(4),
            "{version}, {daemon:?}: {command} {took}"
        );
    }
    if let Some(recess) = recess {
        recess.signal("CONT");
        tokio::time::sleep(secs(2)).await;
        let requests = recess.total("requests_total").await;
        // Beside one that runs the commands send nothing themselves; one that stood still finds nothing to do.
        assert_eq!(
            requests > 0.0,
            daemon == Daemon::Running,
            "{version}: {requests}"
        );
        assert_eq!(recess.complaints(), [""; 0], "{version}");
    }
}

/// Each command once, and how long after it was stored the server had what it calls for.
async fn commands(
    account: &Account,
    config: &Config,
    span: Span,
) -> Vec<(&'static str, SignedDuration)> {
    use Follows::{Paused, Resumed, Until};
    let mut took = Vec::new();
    let mut step = async |name, arguments: &[&str], path, follows: Follows| {
        let (answer, after) = followed(account, config, arguments, path, follows).await;
        took.push((name, after));
        answer
    };
    let words = ["open", "night", "--for", "10m"];
    let opened = step("open", &words, BILLING, Paused).await;
    let ends = instant(&opened["until"]);
    for path in [BILLING, SHIPPING] {
        assert_eq!(held(account, path).await, Some((ends, MARK)));
    }
    assert_eq!(held(account, MAIL).await, None);

    let words = ["extend", "night", "--for", "5m"];
    let extended = step("extend", &words, BILLING, Until(ends + 5.minutes())).await;
    let words = ["undo", id(&extended)];
    step("undo extend", &words, BILLING, Until(ends)).await;
    let closed = step("close", &["close", "night"], BILLING, Resumed).await;
    assert_eq!(instant(&closed["until"]), ends);
    let words = ["undo", id(&closed)];
    step("undo close", &words, BILLING, Until(ends)).await;

    let resumed = step("resume", &["resume", BILLING], BILLING, Resumed).await;
    assert_eq!(held(account, SHIPPING).await, Some((ends, MARK)));
    let words = ["undo", id(&resumed)];
    step("undo resume", &words, BILLING, Until(ends)).await;

    let words = ["pause", MAIL, "--for", "10m"];
    let paused = step("pause", &words, MAIL, Paused).await;
    let until_paused = instant(&paused[0]["until"]);
    assert_eq!(held(account, MAIL).await, Some((until_paused, MARK)));
    step("undo pause", &["undo", id(&paused)], MAIL, Resumed).await;
    step("undo open", &["undo", id(&opened)], BILLING, Resumed).await;
    assert_eq!(held(account, SHIPPING).await, None);

    // What is skipped lies ahead, and nothing is to be done about it.
    let plan = || ask(config, &["plan", "--format", "json"]).1;
    let skipped = done(config, &["skip", "night"]);
    let interval = (instant(&skipped["from"]), instant(&skipped["until"]));
    assert_eq!(interval, (span.opens, span.closes));
    assert_eq!(plan().trim(), "[]");
    done(config, &["undo", id(&skipped)]);
    assert!(plan().contains("night"));
    took
}
