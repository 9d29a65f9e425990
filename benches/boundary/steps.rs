//! How late an opening is when the clock is stepped over it. libfaketime steps the daemon's clock; nobody else's.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::daemon::{Daemon, Environment};
use crate::{next_pause, tapped, whole_second};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// So many steps forward, and then as many back.
pub const STEPS: i32 = 8;

/// The daemon's clock is ahead of the server's by so much more than the whole takes: a pause that has passed by the server's
/// clock would not be asked for.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// From one opening to the next of the same kind.
const APART: SignedDuration = SignedDuration::from_secs(30);

/// From an opening that a step forward reaches to the one that a step back reaches, which steps forward leap over.
const LEAPT_OVER: SignedDuration = SignedDuration::from_secs(15);

const LENGTH: SignedDuration = SignedDuration::from_secs(10);

/// A step ends so long after an opening.
const INTO: SignedDuration = SignedDuration::from_millis(50);

/// How late each pause was after a step forward, and after a step back.
pub struct Late {
    pub forward: Vec<Duration>,
    pub back: Vec<Duration>,
}

/// The clock that the daemon is given.
struct Stepped {
    library: PathBuf,
    file: PathBuf,
}

impl Stepped {
    fn new(directory: &Path) -> Result<Self> {
        let stepped = Self {
            library: library()?,
            file: directory.join("offset"),
        };
        stepped.set(SignedDuration::ZERO)?;
        Ok(stepped)
    }

    /// Puts it so far ahead of the real one.
    fn set(&self, ahead: SignedDuration) -> Result<()> {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{:+.3}\n", ahead.as_secs_f64()))?;
        // At once: it reads the file whenever the clock is read.
        Ok(fs::rename(new, &self.file)?)
    }

    fn environment(&self) -> Environment {
        vec![
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }
}

/// libfaketime for programs of several threads, where Debian and others put it.
fn library() -> Result<PathBuf> {
    for directory in fs::read_dir("/usr/lib")? {
        let library = directory?.path().join("faketime/libfaketimeMT.so.1");
        if library.is_file() {
            return Ok(library);
        }
    }
    Err("there is no libfaketime to step the clock with: apt-get install faketime".into())
}

pub fn measure(port: u16) -> Result<Late> {
    let mut tap = tapped(port, "$JS.API.CONSUMER.PAUSE.>")?;
    let files = tempfile::tempdir()?;
    let clock = Stepped::new(files.path())?;
    let begin = whole_second(0)?;
    let forward = |number: i32| begin + AHEAD + APART * number;
    let back = |number: i32| forward(number) + LEAPT_OVER;
    let mut windows = String::new();
    for number in 0..STEPS {
        for (name, opens) in [("f", forward(number)), ("b", back(number))] {
            let closes = opens + LENGTH;
            windows += &format!(
                "[[window]]\nname = \"{name}{number}\"\nconsumers = [\"S/{name}{number}\"]\nfrom = {opens}\nuntil = {closes}\n"
            );
        }
    }
    let daemon = Daemon::in_environment(port, "steps", &windows, begin, clock.environment())?;
    daemon.ready()?;
    let mut step = |number: i32, name: &str, opens: Timestamp| -> Result<Duration> {
        // At another moment of the daemon's own seconds each time.
        let rest = Duration::from_millis(2_000 + 137 * u64::try_from(number)?);
        std::thread::sleep(rest);
        clock.set((opens + INTO).duration_since(Timestamp::now()))?;
        let stepped = Instant::now();
        let (consumer, _) = next_pause(&mut tap)?;
        if consumer != format!("{name}{number}") {
            return Err(format!("{consumer} was paused in place of {name}{number}").into());
        }
        Ok(stepped.elapsed())
    };
    let mut late = Late {
        forward: Vec::new(),
        back: Vec::new(),
    };
    for number in 0..STEPS {
        late.forward.push(step(number, "f", forward(number))?);
    }
    for number in (0..STEPS).rev() {
        late.back.push(step(number, "b", back(number))?);
    }
    Ok(late)
}
