use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;

use super::*;
use crate::config;

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// A config of so many windows.
fn text(windows: usize) -> String {
    let mut text = "instance = \"a\"\ncontroller.watch = true\n".to_owned();
    for number in 0..windows {
        let _ = write!(
            text,
            "[[window]]\nname = \"w{number}\"\nconsumers = [\"A/b\"]\nschedule = \"@daily\"\nduration = \"1h\"\n"
        );
    }
    text
}

struct Files(tempfile::TempDir);

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

struct World {
    files: Files,
    watch: ConfigWatch,
}

impl World {
    /// With one window.
    fn new() -> Self {
        Self::at("recess.toml")
    }

    /// The same, with the file there.
    fn at(name: &str) -> Self {
        let files = Files(tempfile::tempdir().unwrap());
        let path = files.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text(1)).unwrap();
        Self {
            watch: ConfigWatch::before_load(&path),
            files,
        }
    }

    /// How many windows the next version has, or what is wrong with it.
    async fn next(&mut self) -> Result<usize, String> {
        self.next_after(|_| ()).await
    }

    /// The same of one that comes while it is waited for.
    async fn next_after(&mut self, change: impl FnOnce(&Files)) -> Result<usize, String> {
        let path = self.watch.path.clone();
        let next = timeout(TEN_SECONDS, self.watch.next(|| config::load(&path)));
        let change = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            change(&self.files);
        };
        let (loaded, ()) = tokio::join!(next, change);
        let loaded = loaded.expect("a new version");
        loaded
            .map(|config| config.policy.windows().len())
            .map_err(|error| error.first())
    }

    async fn finds_nothing(&mut self, within: Duration) {
        let path = self.watch.path.clone();
        let next = self.watch.next(|| config::load(&path));
        let next = timeout(within, next).await;
        assert!(next.is_err(), "{next:?}");
    }
}

/// Puts a version of so many windows in place.
type Way = fn(&Files, usize);

/// Whatever is done to the files while they are watched leads to the version that stands there in the
/// end, once.
async fn follows(world: &mut World, ways: &[(&str, Way)]) {
    for (number, (name, way)) in ways.iter().enumerate() {
        let windows = number + 2;
        let found = world.next_after(|files| way(files, windows)).await;
        assert_eq!(found, Ok(windows), "{name}");
    }
    world.finds_nothing(SETTLED * 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_put_a_version_in_place_is_followed() {
    follows(
        &mut World::new(),
        &[
            ("in place", |files, windows| {
                fs::write(files.path("recess.toml"), text(windows)).unwrap();
            }),
            ("under another name", |files, windows| {
                fs::write(files.path("new"), text(windows)).unwrap();
                fs::rename(files.path("new"), files.path("recess.toml")).unwrap();
            }),
            ("the old one put aside", |files, windows| {
                fs::rename(files.path("recess.toml"), files.path("recess.toml~")).unwrap();
                fs::write(files.path("recess.toml"), text(windows)).unwrap();
            }),
            ("a hard link", |files, windows| {
                fs::write(files.path("linked"), text(windows)).unwrap();
                fs::remove_file(files.path("recess.toml")).unwrap();
                fs::hard_link(files.path("linked"), files.path("recess.toml")).unwrap();
            }),
            ("several times in a row", |files, windows| {
                for less in [2, 1, 0] {
                    fs::write(files.path("recess.toml"), text(windows - less)).unwrap();
                }
            }),
        ],
    )
    .await;
}

/// As the kubelet does.
fn swap(files: &Files, windows: usize) {
    let version = files.path(&format!("..{windows}"));
    fs::create_dir(&version).unwrap();
    fs::write(version.join("recess.toml"), text(windows)).unwrap();
    symlink(&version, files.path("..data_tmp")).unwrap();
    let old = fs::read_link(files.path("..data"));
    fs::rename(files.path("..data_tmp"), files.path("..data")).unwrap();
    if let Ok(old) = old {
        fs::remove_dir_all(old).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_behind_links_are_followed() {
    follows(
        &mut World::new(),
        &[
            ("the file becomes a link", |files, windows| {
                swap(files, windows);
                symlink("..data/recess.toml", files.path("link")).unwrap();
                fs::rename(files.path("link"), files.path("recess.toml")).unwrap();
            }),
            ("another version", swap),
            ("and another", swap),
            ("written behind the links", |files, windows| {
                fs::write(files.path("recess.toml"), text(windows)).unwrap();
            }),
        ],
    )
    .await;
}

/// Puts another folder in the place of that one.
fn replace(files: &Files, windows: usize, aside: impl FnOnce(&Path)) {
    fs::create_dir(files.path("new")).unwrap();
    fs::write(files.path("new/recess.toml"), text(windows)).unwrap();
    aside(&files.path("live"));
    fs::rename(files.path("new"), files.path("live")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_replaced_is_followed() {
    let mut world = World::at("live/recess.toml");
    follows(
        &mut world,
        &[
            ("it gets another name", |files, windows| {
                replace(files, windows, |live| {
                    fs::rename(live, files.path("old")).unwrap();
                });
            }),
            ("the old one is removed later", |files, windows| {
                fs::remove_dir_all(files.path("old")).unwrap();
                fs::write(files.path("live/recess.toml"), text(windows)).unwrap();
            }),
            ("it is removed", |files, windows| {
                replace(files, windows, |live| fs::remove_dir_all(live).unwrap());
            }),
            ("and again", |files, windows| {
                replace(files, windows, |live| fs::remove_dir_all(live).unwrap());
            }),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_being_written_is_not_loaded() {
    let mut world = World::new();
    world.finds_nothing(Duration::from_millis(50)).await;
    let path = world.files.path("recess.toml");
    let whole = text(4);
    // Half of it is a config, too.
    let (half, rest) = whole.split_at(text(2).len());
    let mut file = File::create(path).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    world.finds_nothing(SETTLED * 4).await;
    file.write_all(rest.as_bytes()).unwrap();
    world.finds_nothing(SETTLED * 2).await;
    drop(file);
    assert_eq!(world.next().await, Ok(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_writes_in_a_row_only_the_last_is_a_version() {
    let mut world = World::new();
    let path = world.files.path("recess.toml");
    let in_a_row = |mut windows: usize| {
        let path = path.clone();
        std::thread::spawn(move || {
            let mut latest = Duration::ZERO;
            for _ in 0..5 {
                let before = tokio::time::Instant::now();
                windows += 1;
                fs::write(&path, text(windows)).unwrap();
                std::thread::sleep(Duration::from_millis(100));
                latest = latest.max(before.elapsed());
            }
            latest
        })
    };
    for round in 0..20 {
        let windows = round * 5 + 1;
        let writer = in_a_row(windows);
        let found = world.next().await;
        // A busy machine may stretch a pause to what ends a row.
        if writer.join().unwrap() < SETTLED / 2 {
            assert_eq!(found, Ok(windows + 5));
            return;
        }
        world.watch.note();
    }
    panic!("no row was written without a long pause");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_an_error_and_a_missing_one_too() {
    let mut empty = World::new();
    fs::write(empty.files.path("recess.toml"), "\n").unwrap();
    let mut missing = World::new();
    fs::remove_file(missing.files.path("recess.toml")).unwrap();
    let mut late = World::new();
    fs::remove_file(late.files.path("recess.toml")).unwrap();
    let (path, more) = (late.files.path("recess.toml"), text(3));
    let late = async move {
        late.finds_nothing(SETTLED * 2).await;
        fs::write(path, more).unwrap();
        late.next().await
    };
    let (empty_is, missing_is, late_is) = tokio::join!(empty.next(), missing.next(), late);
    for (error, why) in [(empty_is, "it is empty"), (missing_is, "No such file")] {
        let error = error.unwrap_err();
        let start = format!("config file: cannot read it: {why}");
        assert!(error.starts_with(&start), "{error}");
    }
    assert_eq!(late_is, Ok(3));
    // It is not reported twice, and what comes after it is followed.
    empty.finds_nothing(SETTLED).await;
    fs::write(empty.files.path("recess.toml"), text(1)).unwrap();
    assert_eq!(empty.next().await, Ok(1));
}

/// A holiday of that day.
fn calendar(day: u32) -> String {
    format!(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:208802{day:02}\nEND:VEVENT\nEND:VCALENDAR\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn calendars_are_followed_once_they_are_named() {
    let mut world = World::new();
    fs::write(world.files.path("days.ics"), calendar(1)).unwrap();
    world.finds_nothing(Duration::from_millis(50)).await;
    fs::write(world.files.path("days.ics"), calendar(2)).unwrap();
    world.finds_nothing(SETTLED * 2).await;

    let named = "[[exclusion]]\nname = \"days\"\ncalendar = \"more/days.ics\"\n";
    let missing = world.next_after(|files| {
        fs::write(files.path("recess.toml"), text(2) + named).unwrap();
    });
    let missing = missing.await.unwrap_err();
    assert!(missing.contains("No such file"), "{missing}");
    // The file that is at fault is watched, too.
    let found = world.next_after(|files| {
        fs::create_dir(files.path("more")).unwrap();
        fs::rename(files.path("days.ics"), files.path("more/days.ics")).unwrap();
    });
    assert_eq!(found.await, Ok(2));
    let changed = world.next_after(|files| {
        fs::write(files.path("more/days.ics"), calendar(3)).unwrap();
    });
    assert_eq!(changed.await, Ok(2));
    let broken = world.next_after(|files| {
        fs::write(files.path("more/days.ics"), "BEGIN:VCALENDAR\n").unwrap();
    });
    assert!(broken.await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_loaded_for_another_reason_is_not_loaded_again() {
    let mut world = World::new();
    world.finds_nothing(Duration::from_millis(50)).await;
    fs::write(world.files.path("recess.toml"), text(2)).unwrap();
    world.watch.note();
    world.finds_nothing(SETTLED * 2).await;
    // Nor is a file with a new date.
    fs::write(world.files.path("recess.toml"), text(2)).unwrap();
    world.finds_nothing(SETTLED * 2).await;
}
