//! A machine with a real systemd, made of namespaces: `boot` beside this file says how.
//!
//! Knows how to start one, run commands in it and end it. Must not know recess. Invariants: it shares the test's network,
//! which must be nothing but loopback; nothing outlives its owner, and nothing it writes leaves memory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::support::recess::{secs, until};

/// What to do about whatever is missing.
pub const RUN: &str =
    "run tests/operations/run, as root: it installs, builds and isolates what these tests need";

/// A systemd that runs.
pub struct Machine {
    /// `unshare`, whose only child is process 1.
    child: Child,
    leader: u32,
    cgroup: PathBuf,
    _folder: tempfile::TempDir,
    /// What it is called when a test fails.
    name: &'static str,
}

impl Machine {
    /// Boots from that tree, with these files laid over it, and returns when it is up.
    pub async fn boot(name: &'static str, tree: &Path, files: &[(&str, &Path)]) -> Self {
        assert_alone();
        let folder = tempfile::Builder::new()
            .prefix("recess-machine-")
            .tempdir()
            .unwrap();
        let (laid, work) = (folder.path().join("files"), folder.path().join("work"));
        fs::create_dir_all(&work).unwrap();
        for (to, from) in files {
            let to = laid.join(to.trim_start_matches('/'));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, &to)
                .unwrap_or_else(|error| panic!("{}: {error}; {RUN}", from.display()));
        }
        let cgroup = cgroups().join(format!("recess-{name}-{}", std::process::id()));
        fs::create_dir(&cgroup)
            .unwrap_or_else(|error| panic!("{}: {error}; {RUN}", cgroup.display()));
        let boot = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/operations/boot");
        let child = Command::new(boot)
            .args([tree, &laid, &work, &cgroup])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut machine = Self {
            leader: child.id(),
            child,
            cgroup,
            _folder: folder,
            name,
        };
        machine.leader = until("process 1 starts", secs(20), async || {
            assert_eq!(
                machine.child.try_wait().unwrap(),
                None,
                "{name} did not boot"
            );
            child_of(machine.child.id())
        })
        .await;
        until("systemd is up", secs(60), async || {
            let state = machine.run("systemctl is-system-running");
            let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
            ["running", "degraded"].contains(&&*state).then_some(())
        })
        .await;
        machine
    }

    /// Runs a line of shell in it to its end.
    pub fn run(&self, line: &str) -> Output {
        Command::new("nsenter")
            .args([
                "-t",
                &self.leader.to_string(),
                "-m",
                "-u",
                "-i",
                "-p",
                "-C",
                "-r",
                "-w",
                "--",
            ])
            .args([
                "env",
                "-i",
                "LANG=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive",
            ])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .args(["sh", "-c", line])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The same, for what must succeed: what it printed.
    pub fn ok(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(
            output.status.success(),
            "{}: {line}\n{}\n{}{}\n{}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            self.journal(),
        );
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// Puts a text into a file, root's own, with that mode.
    pub fn write(&self, path: &str, text: &str, mode: u32) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        // Through a pipe: the machine does not see this file system.
        let status = Command::new("nsenter")
            .args(["-t", &self.leader.to_string(), "-m", "-r", "-w", "--"])
            .args(["sh", "-c", "mkdir -p \"$(dirname \"$0\")\" && rm -f \"$0\" && cat > \"$0\" && chmod \"$1\" \"$0\""])
            .args([path, &format!("{mode:o}")])
            .stdin(fs::File::open(&file).unwrap())
            .status()
            .unwrap();
        assert!(status.success(), "{path} was not written");
    }

    /// One property of a unit.
    pub fn property(&self, unit: &str, name: &str) -> String {
        self.ok(&format!("systemctl show --property={name} --value {unit}"))
    }

    /// The end of the journal, for those who look why a test failed.
    fn journal(&self) -> String {
        let output = self.run("journalctl --no-pager -n 60");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- the journal of {} --\n{}", self.name, self.journal());
        }
        // Process 1 goes with it, and with process 1 all others.
        let _ = self.child.kill();
        let _ = self.child.wait();
        remove_cgroup(&self.cgroup);
    }
}

/// Test machines run host services of any kind, and must not do so in anybody's network.
fn assert_alone() {
    let devices = fs::read_to_string("/proc/net/dev").unwrap();
    let devices: Vec<&str> = (devices.lines().skip(2))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim())
        .collect();
    // Tunnels that some kernels make in every namespace lead nowhere.
    let real = |name: &&&str| {
        ![
            "lo", "tunl0", "sit0", "ip6tnl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0",
            "ip6gre0",
        ]
        .contains(*name)
    };
    let real: Vec<_> = devices.iter().filter(real).collect();
    assert!(
        real.is_empty(),
        "this network has {real:?} beside loopback; {RUN}"
    );
}

/// Where cgroups of version 2 are.
fn cgroups() -> PathBuf {
    let mixed = Path::new("/sys/fs/cgroup/unified");
    let path = if mixed.exists() {
        mixed
    } else {
        Path::new("/sys/fs/cgroup")
    };
    assert!(
        path.join("cgroup.procs").exists(),
        "no cgroup2 at {}",
        path.display()
    );
    path.to_owned()
}

fn child_of(pid: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    let leader = children.split_whitespace().next()?.parse().ok()?;
    let program = fs::read_to_string(format!("/proc/{leader}/comm")).ok()?;
    (program.trim() == "systemd").then_some(leader)
}

/// Its processes need a moment to go.
fn remove_cgroup(path: &Path) {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect()
    };
    for _ in 0..100 {
        for folder in folders(path) {
            remove_cgroup(&folder);
        }
        if fs::remove_dir(path).is_ok() || !path.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
