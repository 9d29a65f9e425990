//! The real recess, for one burst: started before a window opens, watched from the wire, its log and its pages.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::nats_server::{signal, terminate};
use crate::raw::Raw;

/// Time for recess to start and look around before the window opens.
const BEFORE: SignedDuration = SignedDuration::from_secs(5);

/// The executable of this build.
pub const OURS: &str = env!("CARGO_BIN_EXE_recess");

/// How many requests are under way at once: recess's default, and the floor's.
pub const IN_FLIGHT: usize = 8;

/// `resync` where only edges are of interest.
const REST: &str = "5m";

/// `max_in_flight` and `resync`.
type Controller = (usize, &'static str);

const PATIENCE: Duration = Duration::from_secs(120);

pub struct Daemon {
    child: Child,
    files: tempfile::TempDir,
    http: u16,
    pub opens: Timestamp,
    /// Its file, with these windows.
    config: Box<dyn Fn(&str) -> String>,
}

/// Variables, in addition to this process's own.
pub type Environment = Vec<(&'static str, OsString)>;

/// What one burst took.
pub struct Burst {
    /// From the opening to the first request on the wire.
    pub late: Duration,
    /// From the first request on the wire to the last answer.
    pub sending: Duration,
    /// From the opening until all were seen paused.
    pub confirmed: Duration,
}

impl Daemon {
    /// Starts it, with a window for everybody that opens in a few seconds, and so many requests under way at once.
    pub fn start(port: u16, instance: &str, in_flight: usize) -> io::Result<Self> {
        let (opens, window) = window_for_all(BEFORE)?;
        Self::spawn(
            port,
            instance,
            (in_flight, REST),
            &window,
            opens,
            Vec::new(),
        )
    }

    /// Starts it with these windows, the first of which opens then.
    pub fn with(port: u16, instance: &str, windows: &str, opens: Timestamp) -> io::Result<Self> {
        Self::of(Path::new(OURS), port, instance, windows, opens)
    }

    /// The same, with a full pass every second.
    pub fn observing(
        port: u16,
        instance: &str,
        windows: &str,
        opens: Timestamp,
    ) -> io::Result<Self> {
        Self::spawn(
            port,
            instance,
            (IN_FLIGHT, "1s"),
            windows,
            opens,
            Vec::new(),
        )
    }

    /// The same, with these variables.
    pub fn in_environment(
        port: u16,
        instance: &str,
        windows: &str,
        opens: Timestamp,
        environment: Environment,
    ) -> io::Result<Self> {
        Self::spawn(
            port,
            instance,
            (IN_FLIGHT, REST),
            windows,
            opens,
            environment,
        )
    }

    /// Another executable of recess with these windows.
    pub fn of(
        executable: &Path,
        port: u16,
        instance: &str,
        windows: &str,
        opens: Timestamp,
    ) -> io::Result<Self> {
        Self::spawn_of(
            executable,
            port,
            instance,
            (IN_FLIGHT, REST),
            windows,
            opens,
            Vec::new(),
        )
    }

    /// Starts it with these windows and with what is done in its folder before, the file there already.
    pub fn with_files(
        port: u16,
        instance: &str,
        windows: &str,
        prepare: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        let prepared = Prepared::make(port, instance, (IN_FLIGHT, REST), windows)?;
        prepare(prepared.files.path())?;
        prepared.start(Path::new(OURS), Timestamp::now(), Vec::new())
    }

    fn spawn(
        port: u16,
        instance: &str,
        controller: Controller,
        windows: &str,
        opens: Timestamp,
        environment: Environment,
    ) -> io::Result<Self> {
        Self::spawn_of(
            Path::new(OURS),
            port,
            instance,
            controller,
            windows,
            opens,
            environment,
        )
    }

    fn spawn_of(
        executable: &Path,
        port: u16,
        instance: &str,
        controller: Controller,
        windows: &str,
        opens: Timestamp,
        environment: Environment,
    ) -> io::Result<Self> {
        Prepared::make(port, instance, controller, windows)?.start(executable, opens, environment)
    }

    /// Puts other windows into its file, and has it load them.
    pub fn reload(&self, windows: &str) -> io::Result<()> {
        std::fs::write(
            self.files.path().join("recess.toml"),
            (self.config)(windows),
        )?;
        signal(self.child.id(), "HUP");
        Ok(())
    }

    /// Where its pages are.
    pub fn http(&self) -> u16 {
        self.http
    }

    /// Where its file is.
    pub fn folder(&self) -> &Path {
        self.files.path()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// On a processor, all threads together. /proc/PID/stat counts in hundredths of a second, which is too coarse.
    pub fn processor_seconds(&self) -> io::Result<f64> {
        let mut nanoseconds = 0.0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let spent = text.split_whitespace().next().unwrap_or_default();
            nanoseconds += spent.parse::<f64>().map_err(io::Error::other)?;
        }
        Ok(nanoseconds / 1e9)
    }

    fn log(&self) -> String {
        let path: PathBuf = self.files.path().join("log");
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Waits for the burst over `count` consumers to be confirmed. `tap` hears the first request.
    pub fn burst(&self, count: usize, tap: &mut Raw) -> io::Result<Burst> {
        self.burst_and(count, tap, || ())
    }

    /// The same, and does that between the last answer and the first question about it.
    pub fn burst_and(&self, count: usize, tap: &mut Raw, then: impl FnOnce()) -> io::Result<Burst> {
        tap.next()?;
        let first = Timestamp::now();
        let last = loop {
            if let Some(last) = last_answer(&self.log(), count) {
                break last;
            }
            self.in_time()?;
            std::thread::sleep(Duration::from_millis(200));
        };
        then();
        let confirmed = loop {
            if let Some(mean) = self.confirmed(count)? {
                break mean;
            }
            self.in_time()?;
            std::thread::sleep(Duration::from_millis(200));
        };
        let duration = |from: Timestamp, to: Timestamp| {
            Duration::try_from(to.duration_since(from)).unwrap_or_default()
        };
        let late = duration(self.opens, first);
        Ok(Burst {
            late,
            sending: last.saturating_sub(late),
            confirmed,
        })
    }

    fn in_time(&self) -> io::Result<()> {
        let waited = Timestamp::now().duration_since(self.opens);
        if Duration::try_from(waited).unwrap_or_default() < PATIENCE {
            return Ok(());
        }
        Err(io::Error::other(format!("no end of it:\n{}", self.log())))
    }

    /// The mean from the opening to the observation: all are seen in one look, so it is that of each.
    fn confirmed(&self, count: usize) -> io::Result<Option<Duration>> {
        Ok(match self.histogram("recess_pause_confirm_seconds")? {
            Some((sum, seen)) if seen as usize == count => {
                Some(Duration::from_secs_f64(sum / seen))
            }
            _ => None,
        })
    }

    /// Sum and count of a histogram.
    pub fn histogram(&self, name: &str) -> io::Result<Option<(f64, f64)>> {
        let page = self.page("/metrics")?;
        let value = |part: &str| -> Option<f64> {
            let key = format!("{name}_{part} ");
            let line = page.lines().find_map(|line| line.strip_prefix(&key))?;
            line.trim().parse().ok()
        };
        Ok(value("sum").zip(value("count")))
    }

    pub fn page(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: recess\r\nConnection: close\r\n\r\n"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    }

    /// Waits until it is ready; returns how long that took.
    pub fn ready(&self) -> io::Result<Duration> {
        let start = Instant::now();
        while !self
            .page("/readyz")
            .is_ok_and(|page| page.starts_with("HTTP/1.1 200"))
        {
            if start.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("not ready:\n{}", self.log())));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(start.elapsed())
    }
}

/// A folder with a daemon's file.
struct Prepared {
    files: tempfile::TempDir,
    http: u16,
    config: Box<dyn Fn(&str) -> String>,
}

impl Prepared {
    fn make(port: u16, instance: &str, controller: Controller, windows: &str) -> io::Result<Self> {
        let files = tempfile::tempdir()?;
        let http = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let instance = instance.to_owned();
        let config =
            Box::new(move |windows: &str| config(port, &instance, http, controller, windows));
        std::fs::write(files.path().join("recess.toml"), config(windows))?;
        Ok(Self {
            files,
            http,
            config,
        })
    }

    fn start(
        self,
        executable: &Path,
        opens: Timestamp,
        environment: Environment,
    ) -> io::Result<Daemon> {
        let Self {
            files,
            http,
            config,
        } = self;
        let log = std::fs::File::create(files.path().join("log"))?;
        let child = Command::new(executable)
            .args(["run", "--config"])
            .arg(files.path().join("recess.toml"))
            .envs(environment)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Daemon {
            child,
            files,
            http,
            opens,
            config,
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        terminate(&mut self.child, Duration::from_secs(5));
    }
}

/// A window for everybody that opens after that time, and when that is.
pub fn window_for_all(before: SignedDuration) -> io::Result<(Timestamp, String)> {
    let now = Timestamp::now();
    let opens = Timestamp::from_second(now.as_second() + 1 + before.as_secs());
    let opens = opens.map_err(io::Error::other)?;
    let closes = opens + SignedDuration::from_mins(30);
    let window = format!(
        "[[window]]\nname = \"burst\"\nconsumers = [\"*/*\"]\nfrom = {opens}\nuntil = {closes}\n"
    );
    Ok((opens, window))
}

/// `paused 1000 consumers in 231 ms, the first 1 ms after the opening, the last 231 ms`: the last number.
fn last_answer(log: &str, count: usize) -> Option<Duration> {
    let line = log
        .lines()
        .find(|line| line.contains(&format!("paused {count} consumers")))?;
    let (_, last) = line.split_once("the last ")?;
    let milliseconds = last.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_millis(milliseconds))
}

fn config(
    port: u16,
    instance: &str,
    http: u16,
    (in_flight, resync): Controller,
    windows: &str,
) -> String {
    format!(
        "instance = \"{instance}\"\n[nats]\nservers = [\"nats://127.0.0.1:{port}\"]\n[http]\nlisten = \
         \"127.0.0.1:{http}\"\n[controller]\nresync = \"{resync}\"\nmax_in_flight = {in_flight}\n{windows}"
    )
}
