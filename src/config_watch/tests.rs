use std::fmt::Write as _;
use std::fs::{self, File};
use std::future::Future;
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

struct World {
    folder: tempfile::TempDir,
    watch: ConfigWatch,
}

impl World {
    /// With one window.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recess.toml");
        fs::write(&path, text(1)).unwrap();
        Self {
            watch: ConfigWatch::before_load(&path),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How many windows the next version has, or what is wrong with it.
    fn next(&mut self) -> impl Future<Output = Result<usize, String>> {
        let path = self.path("recess.toml");
        async {
            let next = self.watch.next(move || config::load(&path));
            let loaded = timeout(TEN_SECONDS, next).await.expect("a new version");
            loaded
                .map(|config| config.policy.windows().len())
                .map_err(|error| error.first())
        }
    }

    async fn finds_nothing(&mut self, within: Duration) {
        let path = self.path("recess.toml");
        let next = self.watch.next(move || config::load(&path));
        let next = timeout(within, next).await;
        assert!(next.is_err(), "{next:?}");
    }
}

/// Puts a version of so many windows in place.
type Way = fn(&World, usize);

/// Whatever is done to the files while they are watched leads to the version that stands there in the
/// end, once.
async fn follows(ways: &[(&str, Way)]) {
    let mut world = World::new();
    for (number, (name, way)) in ways.iter().enumerate() {
        let windows = number + 2;
        // It is under way when the file changes.
        world.finds_nothing(Duration::from_millis(50)).await;
        way(&world, windows);
        assert_eq!(world.next().await, Ok(windows), "{name}");
    }
    world.finds_nothing(SETTLED * 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_put_a_version_in_place_is_followed() {
    follows(&[
        ("in place", |world, windows| {
            fs::write(world.path("recess.toml"), text(windows)).unwrap();
        }),
        ("under another name", |world, windows| {
            fs::write(world.path("new"), text(windows)).unwrap();
            fs::rename(world.path("new"), world.path("recess.toml")).unwrap();
        }),
        ("the old one put aside", |world, windows| {
            fs::rename(world.path("recess.toml"), world.path("recess.toml~")).unwrap();
            fs::write(world.path("recess.toml"), text(windows)).unwrap();
        }),
        ("a hard link", |world, windows| {
            fs::write(world.path("linked"), text(windows)).unwrap();
            fs::remove_file(world.path("recess.toml")).unwrap();
            fs::hard_link(world.path("linked"), world.path("recess.toml")).unwrap();
        }),
        ("several times in a row", |world, windows| {
            for less in [2, 1, 0] {
                fs::write(world.path("recess.toml"), text(windows - less)).unwrap();
            }
        }),
    ])
    .await;
}

/// As the kubelet does.
fn swap(world: &World, windows: usize) {
    let version = world.path(&format!("..{windows}"));
    fs::create_dir(&version).unwrap();
    fs::write(version.join("recess.toml"), text(windows)).unwrap();
    symlink(&version, world.path("..data_tmp")).unwrap();
    let old = fs::read_link(world.path("..data"));
    fs::rename(world.path("..data_tmp"), world.path("..data")).unwrap();
    if let Ok(old) = old {
        fs::remove_dir_all(old).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_behind_links_are_followed() {
    follows(&[
        ("the file becomes a link", |world, windows| {
            swap(world, windows);
            symlink("..data/recess.toml", world.path("link")).unwrap();
            fs::rename(world.path("link"), world.path("recess.toml")).unwrap();
        }),
        ("another version", swap),
        ("and another", swap),
        ("written behind the links", |world, windows| {
            fs::write(world.path("recess.toml"), text(windows)).unwrap();
        }),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_replaced_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let fill = |name: &str, windows: usize| {
        fs::create_dir_all(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("recess.toml"), text(windows)).unwrap();
    };
    fill("live", 1);
    let path = folder.path().join("live/recess.toml");
    let mut watch = ConfigWatch::before_load(&path);
    for windows in 2..5 {
        let early = watch.next(|| config::load(&path));
        assert!(timeout(Duration::from_millis(50), early).await.is_err());
        fill("new", windows);
        match windows {
            2 => fs::rename(folder.path().join("live"), folder.path().join("old")).unwrap(),
            _ => fs::remove_dir_all(folder.path().join("live")).unwrap(),
        }
        fs::rename(folder.path().join("new"), folder.path().join("live")).unwrap();
        let next = timeout(TEN_SECONDS, watch.next(|| config::load(&path))).await;
        assert_eq!(next.unwrap().unwrap().policy.windows().len(), windows);
        if windows == 2 {
            // What happens to the folder that was there before is of no interest.
            fs::remove_dir_all(folder.path().join("old")).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_being_written_is_not_loaded() {
    let mut world = World::new();
    world.finds_nothing(Duration::from_millis(50)).await;
    let path = world.path("recess.toml");
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
    let path = world.path("recess.toml");
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
    fs::write(empty.path("recess.toml"), "\n").unwrap();
    let mut missing = World::new();
    fs::remove_file(missing.path("recess.toml")).unwrap();
    let mut late = World::new();
    fs::remove_file(late.path("recess.toml")).unwrap();
    let (path, more) = (late.path("recess.toml"), text(3));
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
    fs::write(empty.path("recess.toml"), text(1)).unwrap();
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
    fs::write(world.path("days.ics"), calendar(1)).unwrap();
    world.finds_nothing(Duration::from_millis(50)).await;
    fs::write(world.path("days.ics"), calendar(2)).unwrap();
    world.finds_nothing(SETTLED * 2).await;

    let named = "[[exclusion]]\nname = \"days\"\ncalendar = \"more/days.ics\"\n";
    fs::write(world.path("recess.toml"), text(2) + named).unwrap();
    let missing = world.next().await.unwrap_err();
    assert!(missing.contains("No such file"), "{missing}");
    // The file that is at fault is watched, too.
    world.finds_nothing(Duration::from_millis(50)).await;
    fs::create_dir(world.path("more")).unwrap();
    fs::rename(world.path("days.ics"), world.path("more/days.ics")).unwrap();
    assert_eq!(world.next().await, Ok(2));
    world.finds_nothing(Duration::from_millis(50)).await;
    fs::write(world.path("more/days.ics"), calendar(3)).unwrap();
    assert_eq!(world.next().await, Ok(2));
    fs::write(world.path("more/days.ics"), "BEGIN:VCALENDAR\n").unwrap();
    assert!(world.next().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_loaded_for_another_reason_is_not_loaded_again() {
    let mut world = World::new();
    world.finds_nothing(Duration::from_millis(50)).await;
    fs::write(world.path("recess.toml"), text(2)).unwrap();
    world.watch.note();
    world.finds_nothing(SETTLED * 2).await;
    // Nor is a file with a new date.
    fs::write(world.path("recess.toml"), text(2)).unwrap();
    world.finds_nothing(SETTLED * 2).await;
}
