//! `[controller] watch`: the config file is replaced under a running recess in every way that editors, deployments and
//! the kubelet know, while a consumer is held by a window that stands last in the file. Half of the file is a config, too:
//! one that resumes the consumer.
//!
//! `RECESS_WATCH_SEQUENCES` is how many random sequences are tried, with every processor kept busy meanwhile; 12 without it.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::config::{Config, Span};
use crate::support::configmap;
use crate::support::random::Random;
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";
const RELOADED: &str = "config_last_reload_successful";

/// Beside the one that holds the consumer.
const WINDOWS: usize = 30;

/// How a version is put in place.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// `cp`: the file is emptied and written.
    InPlace,
    /// The same, with pauses in between: some longer than what recess takes for an end.
    Slowly,
    /// vim without backups, sed, most libraries: written under another name that takes its place.
    Renamed,
    /// vim and emacs with backups: the old one gets another name first.
    Aside,
    /// Removed and made.
    Removed,
    /// The kubelet: all files of a ConfigMap are links over one, which is replaced.
    Swapped,
    /// A deployment: the file is a link to a release.
    Released,
}

const WAYS: [Way; 7] = [
    Way::InPlace,
    Way::Slowly,
    Way::Renamed,
    Way::Aside,
    Way::Removed,
    Way::Swapped,
    Way::Released,
];

/// The file on disk.
struct Disk {
    folder: PathBuf,
    random: Random,
}

impl Disk {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    async fn put(&mut self, way: Way, version: usize, text: &str) {
        let path = self.path("recess.toml");
        match way {
            Way::InPlace => fs::write(path, text).unwrap(),
            Way::Slowly => {
                let mut file = File::create(path).unwrap();
                let mut rest = text.as_bytes();
                while !rest.is_empty() {
                    let (piece, more) = rest.split_at(rest.len().min(1200));
                    file.write_all(piece).unwrap();
                    let long = if self.random.once_in(4) { 1200 } else { 50 };
                    self.pause(long).await;
                    rest = more;
                }
            }
            Way::Renamed => {
                fs::write(self.path("recess.toml.new"), text).unwrap();
                self.pause(50).await;
                fs::rename(self.path("recess.toml.new"), path).unwrap();
            }
            Way::Aside => {
                fs::rename(&path, self.path("recess.toml~")).unwrap();
                self.pause(50).await;
                fs::write(path, text).unwrap();
            }
            Way::Removed => {
                fs::remove_file(&path).unwrap();
                self.pause(50).await;
                fs::write(path, text).unwrap();
            }
            Way::Swapped => {
                configmap::swap(&self.folder, &format!("..{version}"), text);
            }
            Way::Released => {
                let name = format!("releases/{version}");
                fs::create_dir_all(self.path(&name)).unwrap();
                fs::write(self.path(&name).join("recess.toml"), text).unwrap();
                configmap::link(&self.folder, &format!("{name}/recess.toml"), "recess.toml");
            }
        }
    }

    async fn pause(&mut self, at_most: i64) {
        let milliseconds = self.random.below(at_most);
        tokio::time::sleep(Duration::from_millis(milliseconds.unsigned_abs())).await;
    }
}

/// Keeps every processor busy until dropped.
struct Load(Arc<AtomicBool>);

impl Load {
    fn begin() -> Self {
        let goes_on = Arc::new(AtomicBool::new(true));
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            let goes_on = goes_on.clone();
            std::thread::spawn(move || {
                while goes_on.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(goes_on)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_version_of_the_file_is_lost_and_none_is_read_half() {
    let asked = std::env::var("RECESS_WATCH_SEQUENCES").ok();
    let sequences: usize = asked.as_ref().map_or(12, |text| text.parse().unwrap());
    let _load = asked.map(|_| Load::begin());
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::open_for(3600);
    let config = |version: usize| {
        let mut windows = String::new();
        for number in 0..WINDOWS {
            let _ = write!(
                windows,
                "[[window]]\nname = \"v{version}-{number}\"\nconsumers = [\"ORDERS/none\"]\nschedule = \"@yearly\"\nduration = \"1h\"\n"
            );
        }
        // Windows that are written with `window` come last.
        Config::new([server.url()])
            .set("controller.watch = true")
            .also(&windows)
            .window("night", &["ORDERS/*"], span)
    };
    let recess = Recess::start(&config(0)).await;
    let held = async || {
        let held = account.is_paused_until(BILLING, span.deadline()).await;
        held.then_some(())
    };
    until("the consumer is paused", secs(10), held).await;

    let seed = 20_261_127 + sequences as u64;
    let mut disk = Disk {
        folder: recess.config_path().parent().unwrap().to_owned(),
        random: Random(seed),
    };
    let listen = format!("127.0.0.1:{}", recess.port());
    let mut version = 0;
    let mut rejected = 0;
    for _ in 0..sequences {
        let mut ways = Vec::new();
        for _ in 0..=disk.random.below(3) {
            version += 1;
            let way = *disk.random.pick(&WAYS);
            ways.push(way);
            disk.put(way, version, &config(version).text(&listen)).await;
            disk.pause(300).await;
        }
        if disk.random.once_in(6) {
            // A mistake that stays for a while.
            let way = *disk.random.pick(&WAYS);
            ways.push(way);
            version += 1;
            disk.put(way, version, "[[window]]\nname = \"night\"\n")
                .await;
            recess.until_metric(RELOADED, 0.0, secs(20)).await;
            rejected += 1;
            version += 1;
            disk.put(way, version, &config(version).text(&listen)).await;
        }
        let last = format!("window_active{{window=\"v{version}-{}\"}}", WINDOWS - 1);
        let what = format!("version {version} is active after {ways:?} (seed {seed})");
        until(&what, secs(20), async || {
            recess.metric(&last).await.map(|_| ())
        })
        .await;
        assert_eq!(recess.metric(RELOADED).await, Some(1.0));
    }

    let log = recess.log();
    let count = |text: &str| log.matches(text).count();
    let reloads = count("config reloaded from recess.toml (");
    println!("{sequences} sequences, {version} versions: {reloads} loaded, {rejected} rejected");
    assert!(reloads >= sequences, "{reloads} of {sequences}");
    // Each was a whole one.
    let whole = format!("config reloaded from recess.toml ({} windows", WINDOWS + 1);
    assert_eq!(count(&whole), reloads);
    assert_eq!(count("new config rejected"), rejected);
    let resumes = r#"requests_total{action="resume",result="ok"}"#;
    assert_eq!(recess.metric(resumes).await.unwrap_or(0.0), 0.0);
    assert!(account.is_paused_until(BILLING, span.deadline()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_watch_a_changed_file_waits_for_a_signal_and_watch_itself_is_reloaded() {
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::open_for(600);
    let config = |name: &str, watch: bool| {
        let config = Config::new([server.url()]).set(&format!("controller.watch = {watch}"));
        config.window(name, &["ORDERS/*"], span)
    };
    let recess = Recess::start(&config("a", false)).await;
    let listen = format!("127.0.0.1:{}", recess.port());
    let write = |config: Config| recess.write_config(&config.text(&listen));
    until("the consumer is paused", secs(10), async || {
        let paused = account.is_paused_until(BILLING, span.deadline());
        paused.await.then_some(())
    })
    .await;
    let active = async |name: &str| {
        let window = format!("window_active{{window=\"{name}\"}}");
        recess.until_metric(&window, 1.0, secs(10)).await;
    };
    write(config("b", true));
    tokio::time::sleep(secs(2)).await;
    active("a").await;
    recess.signal("HUP");
    active("b").await;
    write(config("c", true));
    active("c").await;
    // Read by recess itself, and then no longer.
    write(config("d", false));
    active("d").await;
    write(config("e", false));
    tokio::time::sleep(secs(2)).await;
    active("d").await;
    let reloads = recess.log().matches("config reloaded from").count();
    assert_eq!(reloads, 3, "{}", recess.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_watched_are_reported() {
    let World { server, account } = World::with(&[BILLING]).await;
    let config = |watch: bool| {
        let config = Config::new([server.url()]).set(&format!("controller.watch = {watch}"));
        config.window("night", &["ORDERS/*"], Span::open_for(600))
    };
    let recess = Recess::start_unprivileged(&config(false)).await;
    let folder = recess.config_path().parent().unwrap().to_owned();
    // Files in it can be read by those who know their names.
    fs::set_permissions(&folder, Permissions::from_mode(0o311)).unwrap();
    recess.reload(&config(true));
    let reported = format!("config not watched: {}: ", folder.display());
    recess.until_log(&reported).await;
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    recess.reload(&config(true));
    recess.until_log("config watched again").await;
    assert!(account.look(BILLING).await.paused);
}
