//! The container: one static program and nothing else, built by buildah from the Containerfile and run by crun.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::package::{in_target, printed, root};
use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{self, Server, Watchdog};
use crate::support::recess::{secs, until};

const BILLING: &str = "ORDERS/billing";

/// Stores and containers in a folder of their own, so that nobody else's are in sight.
struct Workshop(tempfile::TempDir);

impl Workshop {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn buildah(&self, arguments: &[&str]) -> String {
        let (store, run) = (self.path("store"), self.path("run"));
        let mut all = vec![
            "--storage-driver",
            "vfs",
            "--root",
            store.to_str().unwrap(),
            "--runroot",
            run.to_str().unwrap(),
        ];
        all.extend(arguments);
        printed("buildah", &all).trim().to_owned()
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // Or its mounts would keep the folder.
        let (store, run) = (self.path("store"), self.path("run"));
        let _ = Command::new("buildah")
            .args(["--storage-driver", "vfs"])
            .args([Path::new("--root"), &store, Path::new("--runroot"), &run])
            .args(["umount", "--all"])
            .output();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and Debian packages: tests/operations/run"]
async fn the_container_pauses_and_holds_nothing_but_recess() {
    let server = Server::start(Default::default()).unwrap();
    let account = Account::connect(&server.url()).await;
    account.durable(BILLING).await;
    let span = Span::open_for(120);

    let workshop = Workshop(
        tempfile::Builder::new()
            .prefix("recess-container-")
            .tempdir()
            .unwrap(),
    );
    let file = root().join("examples/container/Containerfile");
    let context = in_target("operations/container");
    workshop.buildah(&[
        "build",
        "-q",
        "-t",
        "recess",
        "-f",
        file.to_str().unwrap(),
        context.to_str().unwrap(),
    ]);
    let container = workshop.buildah(&["from", "--pull-never", "localhost/recess"]);
    let image: Value = serde_json::from_str(&workshop.buildah(&["inspect", &container])).unwrap();
    let image = &image["OCIv1"]["config"];
    assert_eq!(image["User"], "65532:65532");
    let rootfs = workshop.buildah(&["mount", &container]);
    let files = printed("find", &[&rootfs, "-type", "f", "-printf", "%P %m\n"]);
    assert_eq!(files, "recess 755\n");

    let bundle = workshop.path("bundle");
    fs::create_dir_all(bundle.join("config")).unwrap();
    let config = Config::new([server.url()]).window("night", &[BILLING], span);
    config.write(&bundle.join("config"));
    let spec = spec(&bundle, image, &rootfs);
    fs::write(bundle.join("config.json"), spec.to_string()).unwrap();
    let mut recess = Contained::start(&bundle, &workshop.path("crun"));
    until("the container pauses", secs(10), async || {
        assert_eq!(recess.child.try_wait().unwrap(), None, "{}", recess.log());
        let paused = account.is_paused_until(BILLING, span.deadline());
        paused.await.then_some(())
    })
    .await;
    assert_eq!(recess.user(), 65_532);
    let asked = Instant::now();
    nats_server::signal(recess.pid(), "TERM");
    until("it ends", secs(5), async || {
        recess.child.try_wait().unwrap()
    })
    .await;
    assert!(asked.elapsed() < secs(1), "{:?}", asked.elapsed());
    assert!(
        recess.log().contains("consumers that are paused stay so"),
        "{}",
        recess.log()
    );
}

/// What crun makes by itself, with what the image says, the config, and the test's own network.
fn spec(bundle: &Path, image: &Value, rootfs: &str) -> Value {
    let status = Command::new("crun")
        .arg("spec")
        .current_dir(bundle)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "crun spec fails"
    );
    let mut spec: Value =
        serde_json::from_slice(&fs::read(bundle.join("config.json")).unwrap()).unwrap();
    let words = |key: &str| image[key].as_array().cloned().unwrap_or_default();
    let (user, group) = image["User"].as_str().unwrap().split_once(':').unwrap();
    spec["process"]["terminal"] = json!(false);
    spec["process"]["args"] = json!([words("Entrypoint"), words("Cmd")].concat());
    spec["process"]["user"] =
        json!({ "uid": user.parse::<u32>().unwrap(), "gid": group.parse::<u32>().unwrap() });
    spec["root"] = json!({ "path": rootfs, "readonly": true });
    let shown = json!({ "destination": "/etc/recess", "source": bundle.join("config"), "type": "bind", "options": ["bind", "ro"] });
    // Processes and mounts are its own; the network is ours, and cgroups are not what is tested.
    let mounts = spec["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| ["/proc", "/dev"].contains(&mount["destination"].as_str().unwrap()));
    mounts.push(shown);
    spec["linux"]["namespaces"] =
        json!(["pid", "ipc", "uts", "mount"].map(|kind| json!({ "type": kind })));
    spec["linux"]["resources"] = json!({});
    spec
}

/// crun in the foreground, whose only child is the contained process.
struct Contained {
    child: Child,
    log: PathBuf,
    _watchdog: Watchdog,
}

impl Contained {
    fn start(bundle: &Path, state: &Path) -> Self {
        let log = bundle.join("log");
        let file = fs::File::create(&log).unwrap();
        // crun refuses hosts that mix cgroups of versions 1 and 2, even where it is to leave them alone.
        let alone = "mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec crun \"$@\"";
        let child = Command::new("unshare")
            .args(["--mount", "sh", "-c", alone, "crun"])
            .args([Path::new("--root"), state])
            .args(["--cgroup-manager", "disabled", "run", "--bundle"])
            .arg(bundle)
            .arg(format!("recess-{}", std::process::id()))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self {
            _watchdog: Watchdog::over(child.id(), &bundle.join("none")),
            child,
            log,
        }
    }

    fn pid(&self) -> u32 {
        let crun = self.child.id();
        let children = fs::read_to_string(format!("/proc/{crun}/task/{crun}/children")).unwrap();
        children.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn user(&self) -> u32 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let user = status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .unwrap();
        user.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            nats_server::signal(self.pid(), "KILL");
            let _ = self.child.wait();
        }
    }
}
