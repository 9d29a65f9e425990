//! The container: one static program and nothing else, run by crun, by itself and as
//! the pods of `examples/kubernetes` would run it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use async_nats::ConnectOptions;
use jiff::ToSpan;
use serde_json::{Value, json};

use crate::package::{in_target, printed};
use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::configmap;
use crate::support::manifests;
use crate::support::nats_server::{self, Options, Server, Watchdog};
use crate::support::recess::{secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";

/// Stores and containers in a folder of their own, so that nobody else's are in sight.
struct Workshop(tempfile::TempDir);

impl Workshop {
    fn new() -> Self {
        Self(
            tempfile::Builder::new()
                .prefix("recess-container-")
                .tempdir()
                .unwrap(),
        )
    }

    /// What the image says, and its files.
    fn image(&self) -> (Value, String) {
        let archive = in_target("operations/image.oci.tar");
        let container = self.buildah(&["from", &format!("oci-archive:{}", archive.display())]);
        let image: Value = serde_json::from_str(&self.buildah(&["inspect", &container])).unwrap();
        let rootfs = self.buildah(&["mount", &container]);
        (image["OCIv1"]["config"].clone(), rootfs)
    }

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
    let world = World::with(&[BILLING]).await;
    let span = Span::open_for(120);

    let workshop = Workshop::new();
    let (image, rootfs) = workshop.image();
    assert_eq!(image["User"], "65532:65532");
    let files = printed("find", &[&rootfs, "-type", "f", "-printf", "%P %m\n"]);
    assert_eq!(files, "recess 755\n");

    let bundle = workshop.path("bundle");
    fs::create_dir_all(bundle.join("config")).unwrap();
    let config = world.config().window("night", &[BILLING], span);
    config.write(&bundle.join("config"));
    let spec = spec(
        &bundle,
        &image,
        &rootfs,
        &[("/etc/recess", bundle.join("config"))],
    );
    fs::write(bundle.join("config.json"), spec.to_string()).unwrap();
    let mut recess = Contained::start(&bundle, &workshop.path("crun"));
    until("the container pauses", secs(10), async || {
        assert_eq!(recess.child.try_wait().unwrap(), None, "{}", recess.log());
        let paused = world.account.is_paused_until(BILLING, span.deadline());
        paused.await.then_some(())
    })
    .await;
    assert_eq!(recess.status("Uid"), "65532");
    let asked = Instant::now();
    nats_server::signal(recess.pid(), "TERM");
    until("it ends", secs(5), async || {
        recess.child.try_wait().unwrap()
    })
    .await;
    assert!(asked.elapsed() < secs(1), "{:?}", asked.elapsed());
    assert!(
        recess.log().contains("paused consumers stay paused"),
        "{}",
        recess.log()
    );
}

/// What crun makes by itself, with what the image says, folders at these places, and the test's own network.
fn spec(bundle: &Path, image: &Value, rootfs: &str, folders: &[(&str, PathBuf)]) -> Value {
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
    // Processes and mounts are its own; the network is ours, and cgroups are not what is tested.
    let mounts = spec["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| ["/proc", "/dev"].contains(&mount["destination"].as_str().unwrap()));
    mounts.extend(folders.iter().map(|(destination, source)| {
        json!({ "destination": destination, "source": source, "type": "bind", "options": ["bind", "ro"] })
    }));
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

    /// The first value that the kernel shows for the process under a name.
    fn status(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let values = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let mut values = values.unwrap().split_whitespace();
        values.next().unwrap_or_default().to_owned()
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

/// The security of a pod and its container, in the words of a runtime.
fn secured(mut spec: Value, pod: &Value) -> Value {
    let (of_pod, of_container) = (
        &pod["securityContext"],
        &pod["containers"][0]["securityContext"],
    );
    let process = &mut spec["process"];
    process["user"] = json!({
        "uid": of_pod["runAsUser"],
        "gid": of_pod["runAsGroup"],
        "additionalGids": [of_pod["fsGroup"]],
    });
    process["noNewPrivileges"] = json!(of_container["allowPrivilegeEscalation"] == false);
    assert_eq!(of_container["capabilities"], json!({ "drop": ["ALL"] }));
    process["capabilities"] = json!({});
    spec["root"]["readonly"] = of_container["readOnlyRootFilesystem"].clone();
    assert_eq!(of_pod["seccompProfile"]["type"], "RuntimeDefault");
    spec["linux"]["seccomp"] = seccomp_of_runtimes();
    spec
}

/// What container runtimes allow by default to a process without capabilities, from Debian's file for them.
fn seccomp_of_runtimes() -> Value {
    let file = fs::read("/usr/share/containers/seccomp.json").unwrap();
    let profile: Value = serde_json::from_slice(&file).unwrap();
    let has = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    let is_here = |arches: &Value| !has(arches) || arches.to_string().contains("\"amd64\"");
    let rules = profile["syscalls"].as_array().unwrap().iter();
    let rules = rules
        .filter(|rule| !has(&rule["includes"]["caps"]) && is_here(&rule["includes"]["arches"]));
    let rules: Vec<Value> = rules
        .map(|rule| {
            let mut rule = rule.clone();
            let rule = rule.as_object_mut().unwrap();
            let known = ["names", "action", "args", "errnoRet"];
            rule.retain(|key, value| known.contains(&key.as_str()) && !value.is_null());
            json!(rule)
        })
        .collect();
    assert!(rules.len() > 5);
    json!({
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile["defaultErrnoRet"],
        "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": rules,
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and Debian packages: tests/operations/run"]
async fn the_container_runs_as_kubernetes_runs_it_and_follows_its_configmap() {
    let options = Options {
        config: "authorization { token: t0ken }".to_owned(),
        ..Options::default()
    };
    let server = Server::start(options).unwrap();
    let token = ConnectOptions::with_token("t0ken".to_owned());
    let account = Account::connect_with(&server.url(), token).await;
    account.durable(BILLING).await;
    let span = Span::open_for(120);

    let [deployment, _] = manifests::deployments();
    let pod = &deployment["spec"]["template"]["spec"];
    let workshop = Workshop::new();
    let (image, rootfs) = workshop.image();
    let bundle = workshop.path("bundle");
    let [config_map, secret] = ["config", "secret"].map(|name| bundle.join(name));
    for folder in [&config_map, &secret] {
        fs::create_dir_all(folder).unwrap();
    }
    // With the mode and the group that the pod's volume has.
    let file = secret.join("nats.token");
    fs::write(&file, "t0ken").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o440)).unwrap();
    let group = pod["securityContext"]["fsGroup"].as_u64().unwrap();
    chown(&file, Some(0), Some(group.try_into().unwrap())).unwrap();
    let config = |span| {
        let config = Config::new([server.url()])
            .set("controller.watch = true")
            .file("nats.token_file", Path::new("/etc/recess-nats/nats.token"))
            .window("night", &[BILLING], span);
        config.text("127.0.0.1:0")
    };
    configmap::swap(&config_map, "..1", &config(span));

    let volumes = [
        ("/etc/recess", config_map.clone()),
        ("/etc/recess-nats", secret),
    ];
    let mut spec = secured(spec(&bundle, &image, &rootfs, &volumes), pod);
    let words = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let arguments = words(&pod["containers"][0]["args"]);
    spec["process"]["args"] = json!([words(&image["Entrypoint"]), arguments].concat());
    fs::write(bundle.join("config.json"), spec.to_string()).unwrap();
    let mut recess = Contained::start(&bundle, &workshop.path("crun"));
    let mut paused_until = async |span: Span| {
        until("the container pauses", secs(15), async || {
            assert_eq!(recess.child.try_wait().unwrap(), None, "{}", recess.log());
            let paused = account.is_paused_until(BILLING, span.deadline());
            paused.await.then_some(())
        })
        .await;
    };
    paused_until(span).await;
    let longer = span.closing(span.closes + 60.seconds());
    configmap::swap(&config_map, "..2", &config(longer));
    paused_until(longer).await;
    for (name, value) in [
        ("Uid", "65532"),
        ("Groups", "65532"),
        ("NoNewPrivs", "1"),
        // Filtered.
        ("Seccomp", "2"),
        ("CapEff", "0000000000000000"),
        ("CapBnd", "0000000000000000"),
    ] {
        assert_eq!(recess.status(name), value, "{name}");
    }
    assert!(!recess.log().contains("WARN"), "{}", recess.log());
}
