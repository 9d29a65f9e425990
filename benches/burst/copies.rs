//! Two copies, one of which stands by: what they ask of the server together, and how soon all are paused if the primary dies.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::Result;
use crate::daemon::Daemon;
use crate::nats_server::signal;
use crate::raw::Raw;
use crate::world::World;

const STANDBY: &str = "5s";

/// From the start of the copies to the opening, for all of them to have observed everything.
const BEFORE: SignedDuration = SignedDuration::from_secs(15);

/// How long the window is open: more than the longest burst.
const OPEN: SignedDuration = SignedDuration::from_secs(40);

const STREAM: &str = "EVENTS";
const END: &str = "bench.end";

/// Who runs, and what befalls the primary a second before the opening.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copies {
    One,
    Two,
    PrimaryKilled,
}

/// What was asked of the server from two seconds before the opening to two after the close.
struct Asked {
    pauses: usize,
    lists: usize,
    /// From the opening to the last PAUSE.
    took: SignedDuration,
}

pub fn measure(world: &mut World) -> Result<Vec<String>> {
    let one = round(world, Copies::One)?;
    let two = round(world, Copies::Two)?;
    let killed = round(world, Copies::PrimaryKilled)?;
    let count = world.len();
    for asked in [&one, &two, &killed] {
        if asked.pauses != count {
            return Err(format!("{} PAUSE for {count} consumers", asked.pauses).into());
        }
    }
    if two.lists > 2 * one.lists {
        return Err(format!("{} LIST, by one copy {}", two.lists, one.lists).into());
    }
    let line = |what: &str, asked: &Asked| {
        format!(
            "{what:<38} {} PAUSE, {} LIST, the last PAUSE {:.2} s after the opening",
            asked.pauses,
            asked.lists,
            asked.took.as_secs_f64()
        )
    };
    Ok(vec![
        line("one copy", &one),
        line("two copies, one with --standby 5s", &two),
        line("the same, primary killed 1 s before", &killed),
    ])
}

fn round(world: &mut World, copies: Copies) -> Result<Asked> {
    let now = Timestamp::now().as_second();
    let opens = Timestamp::from_second(now + 1 + BEFORE.as_secs())?;
    let closes = opens + OPEN;
    let config = format!(
        "[events]\nsubject = \"events\"\n[[window]]\nname = \"burst\"\nconsumers = [\"S*/*\"]\nfrom = \
         {opens}\nuntil = {closes}\n"
    );
    capture_events(world.port)?;
    let primary = Daemon::with(world.port, "bench", &config, opens)?;
    let mut standby = None;
    if copies != Copies::One {
        let variable = vec![("RECESS_STANDBY", STANDBY.into())];
        let copy = Daemon::in_environment(world.port, "bench", &config, opens, variable)?;
        copy.ready()?;
        standby = Some(copy);
    }
    primary.ready()?;
    // What both do at their start is over by then.
    until(opens - SignedDuration::from_secs(3));
    let tap = Tap::listen(world.port)?;
    until(opens - SignedDuration::from_secs(1));
    if copies == Copies::PrimaryKilled {
        signal(primary.pid(), "KILL");
    }
    until(closes - SignedDuration::from_secs(10));
    if !world.all_show(Some(closes))? {
        return Err("not all are paused".into());
    }
    // The lists of that are not theirs.
    let own_lists = world.lists();
    until(closes + SignedDuration::from_secs(8));
    let mut asked = tap.end(opens)?;
    asked.lists -= own_lists;
    let alive = (copies != Copies::PrimaryKilled).then_some(&primary);
    for copy in alive.into_iter().chain(&standby) {
        let page = copy.page("/metrics")?;
        let missed = "recess_windows_missed_total{window=\"burst\"} 0\n";
        if !page.contains(missed) {
            return Err("the window was missed".into());
        }
    }
    each_event_once(world.port)?;
    Ok(asked)
}

fn until(instant: Timestamp) {
    let wait = instant.duration_since(Timestamp::now());
    thread::sleep(Duration::try_from(wait).unwrap_or_default());
}

/// A new stream of all events.
fn capture_events(port: u16) -> Result<()> {
    let mut raw = Raw::connect(port, "events")?;
    // There is none in the first round.
    raw.ask(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "")?;
    let config = json!({ "name": STREAM, "subjects": ["events.>"], "num_replicas": 1 });
    let answer = raw.ask(
        &format!("$JS.API.STREAM.CREATE.{STREAM}"),
        &config.to_string(),
    )?;
    let answer: Value = serde_json::from_slice(&answer)?;
    match answer["error"] {
        Value::Null => Ok(()),
        _ => Err(answer.to_string().into()),
    }
}

fn each_event_once(port: u16) -> Result<()> {
    let mut raw = Raw::connect(port, "events")?;
    let body = json!({ "subjects_filter": ">" }).to_string();
    let answer = raw.ask(&format!("$JS.API.STREAM.INFO.{STREAM}"), &body)?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let expected = json!({
        "events.bench.burst.opened": 1, "events.bench.burst.paused": 1, "events.bench.burst.drained": 1,
        "events.bench.burst.closed": 1,
    });
    match &answer["state"]["subjects"] {
        subjects if *subjects == expected => Ok(()),
        other => Err(format!("events: {other}").into()),
    }
}

/// Counts requests, in a thread of its own.
struct Tap {
    port: u16,
    counting: JoinHandle<std::io::Result<Vec<(Timestamp, String)>>>,
}

impl Tap {
    fn listen(port: u16) -> Result<Self> {
        let mut raw = Raw::connect(port, "tap")?;
        for subject in ["$JS.API.CONSUMER.PAUSE.>", "$JS.API.CONSUMER.LIST.>", END] {
            raw.subscribe(subject)?;
        }
        let counting = thread::spawn(move || {
            let mut heard = Vec::new();
            loop {
                match raw.next() {
                    Ok(message) if message.subject == END => return Ok(heard),
                    Ok(message) => heard.push((Timestamp::now(), message.subject)),
                    // Nothing for half a minute, as while a window is open.
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        });
        Ok(Self { port, counting })
    }

    fn end(self, opens: Timestamp) -> Result<Asked> {
        Raw::connect(self.port, "end")?.request(END, 0, "")?;
        let heard = self.counting.join().map_err(|_| "the tap panicked")??;
        let of = |kind: &str| {
            let kind = format!("$JS.API.CONSUMER.{kind}.");
            let its = heard
                .iter()
                .filter(move |(_, subject)| subject.starts_with(&kind));
            its.map(|(at, _)| *at).collect::<Vec<Timestamp>>()
        };
        let pauses = of("PAUSE");
        let last = pauses.last().ok_or("no PAUSE at all")?;
        Ok(Asked {
            took: last.duration_since(opens),
            pauses: pauses.len(),
            lists: of("LIST").len(),
        })
    }
}
