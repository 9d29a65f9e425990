//! `fetch-calendar` and its unit: a new calendar takes effect, and a bad one changes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{Timestamp, ToSpan};

use crate::support::config::Span;
use crate::support::recess::{Recess, secs, until};
use crate::world::{World, ended, folder};

/// What the unit runs, with the test's own files.
fn fetch(world: &World, recess: &Recess, url: &Path, file: &Path) -> Command {
    let unit = fs::read_to_string(folder().join("recess-calendar.service")).unwrap();
    let line = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let words: Vec<&str> = line.unwrap().split(' ').collect();
    let [program, "${URL}", "/etc/recess/holidays.ics"] = words[..] else {
        panic!("{words:?}");
    };
    assert_eq!(program, "/usr/local/bin/fetch-calendar");
    let config = recess.config_path();
    let mut command = world.command(folder().join("fetch-calendar"), &config);
    command
        .arg(format!("file://{}", url.display()))
        .arg(file)
        .arg(config);
    command
}

/// A calendar of one event, as long as that.
fn write(path: &Path, from: Timestamp, until: Timestamp) {
    let time = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let event = format!("DTSTART:{}\nDTEND:{}", time(from), time(until));
    let event = format!("BEGIN:VEVENT\nSUMMARY:Freeze\n{event}\nEND:VEVENT");
    fs::write(path, format!("BEGIN:VCALENDAR\n{event}\nEND:VCALENDAR\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl: tests/automation/run"]
async fn a_new_calendar_takes_effect_and_a_bad_one_changes_nothing() {
    let world = World::new().await;
    let span = Span::open_for(300);
    let path = |name: &str| -> PathBuf { world.files.path().join(name) };
    let (file, source) = (path("holidays.ics"), path("source.ics"));
    write(&file, span.opens + 8760.hours(), span.closes + 8760.hours());
    let exclusion = format!("[[exclusion]]\nname = \"holidays\"\ncalendar = {file:?}");
    let config = world.config().window("db-upgrade", &["BILLING/*"], span);
    let recess = Recess::start(&config.also(&exclusion)).await;
    until("it is paused", secs(10), async || {
        world.is_paused().await.then_some(())
    })
    .await;

    let before = fs::read(&file).unwrap();
    let bad = [
        ("not there", None),
        (
            "a page to log in",
            Some("<!doctype html>\n<p>Please log in\n"),
        ),
        ("half a download", Some("BEGIN:VCALENDAR\nBEGIN:VEVENT\n")),
    ];
    for (what, text) in bad {
        let _ = fs::remove_file(&source);
        if let Some(text) = text {
            fs::write(&source, text).unwrap();
        }
        let output = fetch(&world, &recess, &source, &file).output().unwrap();
        let (exit, told) = ended(&output);
        assert_eq!(exit, Some(1), "{what}: {told}");
        assert!(told.contains("is as before"), "{what}: {told}");
        assert_eq!(fs::read(&file).unwrap(), before, "{what}");
    }

    write(&source, span.opens - 1.hour(), span.closes + 1.hour());
    for told_before in ["holidays.ics is new", ""] {
        let output = fetch(&world, &recess, &source, &file).output().unwrap();
        let (exit, told) = ended(&output);
        assert_eq!(exit, Some(0), "{told}");
        assert!(told.contains(told_before), "{told}");
        assert_eq!(fs::read(&file).unwrap(), fs::read(&source).unwrap());
    }
    let left: Vec<_> = fs::read_dir(world.files.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    recess.signal("HUP");
    until("it runs, as it is a holiday", secs(10), async || {
        (!world.is_paused().await).then_some(())
    })
    .await;
}
