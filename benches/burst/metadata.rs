//! What metadata costs: a full pass over consumers with five tags each, that windows ask for, beside one over as many
//! without, by turns.

use std::error::Error;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::rest::resident;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long each is left alone; there is a full pass every second.
const ALONE: Duration = Duration::from_secs(15);

const ROUNDS: usize = 3;

/// With what recess is asked to do.
const PLAIN: &str = "";
const ASKED_FOR: &str = "where = { team = \"*\", tier = [\"gold\", \"silver\"], owner = \"owner-*\", cost-center = \"!9\", env = \"prod\" }";
const EXEMPT: &str = "[defaults]\nexempt = \"recess.exempt\"\n";

/// Five tags, of which some are alike.
pub fn tags(number: usize) -> Value {
    let team = ["billing", "mail", "audit", "search"][number % 4];
    let tier = ["gold", "silver"][number % 2];
    json!({
        "team": team,
        "tier": tier,
        "owner": format!("owner-{}", number % 50),
        "cost-center": (number % 7).to_string(),
        "env": "prod",
    })
}

/// What was used.
#[derive(Clone, Copy)]
struct Used {
    /// In megabytes, and at most.
    memory: f64,
    peak: f64,
    /// Of one pass, in milliseconds.
    processor: f64,
    time: f64,
}

/// Both servers have as many consumers; those of the second have tags.
pub fn measure(without: u16, with: u16) -> Result<Vec<String>> {
    let mut used: [Vec<Used>; 3] = Default::default();
    for _ in 0..ROUNDS {
        let turns = [(without, PLAIN), (with, PLAIN), (with, ASKED_FOR)];
        for (all, (port, condition)) in used.iter_mut().zip(turns) {
            all.push(one(port, condition)?);
        }
    }
    let [plain, unread, read] = used.map(|all| Used {
        memory: median(&all, |one| one.memory),
        peak: median(&all, |one| one.peak),
        processor: median(&all, |one| one.processor),
        time: median(&all, |one| one.time),
    });
    let line = |what: &str, one: Used| {
        format!(
            "{what:<22} {:5.1} MB {:4.2} x, at most {:5.1} MB {:4.2} x; a pass takes {:6.1} ms {:4.2} x, {:6.1} ms of processor {:4.2} x",
            one.memory,
            one.memory / plain.memory,
            one.peak,
            one.peak / plain.peak,
            one.time,
            one.time / plain.time,
            one.processor,
            one.processor / plain.processor,
        )
    };
    Ok(vec![
        line("no tags", plain),
        line("five, and none read", unread),
        line("five, and all read", read),
    ])
}

fn one(port: u16, condition: &str) -> Result<Used> {
    let far = Timestamp::now() + SignedDuration::from_hours(24 * 30);
    let until = far + SignedDuration::from_hours(1);
    let exempt = if condition == PLAIN { "" } else { EXEMPT };
    let windows = format!(
        "[[window]]\nname = \"w\"\nconsumers = [\"S*/*\"]\n{condition}\nfrom = {far:.0}\nuntil = {until:.0}\n{exempt}"
    );
    let daemon = Daemon::observing(port, "metadata", &windows, far)?;
    daemon.ready()?;
    std::thread::sleep(Duration::from_secs(4));
    let passes = || daemon.histogram("recess_pass_duration_seconds");
    let (sum, count) = passes()?.ok_or("no passes")?;
    let before = processor_seconds(daemon.pid())?;
    std::thread::sleep(ALONE);
    let spent = processor_seconds(daemon.pid())? - before;
    let (memory, peak) = (
        resident(daemon.pid(), "VmRSS")?,
        resident(daemon.pid(), "VmHWM")?,
    );
    let (sum_after, count_after) = passes()?.ok_or("no passes")?;
    let passed = count_after - count;
    Ok(Used {
        memory,
        peak,
        processor: spent / passed * 1_000.0,
        time: (sum_after - sum) / passed * 1_000.0,
    })
}

/// Also of threads that have ended: lists are read by some that end when they are idle. In hundredths of a second.
fn processor_seconds(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // After the name, which may hold blanks: user and system time.
    let (_, fields) = text.rsplit_once(')').ok_or("no name")?;
    let mut hundredths = 0.0;
    for field in fields.split_whitespace().skip(11).take(2) {
        hundredths += field.parse::<f64>()?;
    }
    Ok(hundredths / 100.0)
}

fn median(all: &[Used], of: impl Fn(&Used) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
