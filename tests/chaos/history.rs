//! One history: a world made up by a seed, some seconds of faults, healing, judgement.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::crowd::{Crowd, People};
use crate::daemon_under_test::DaemonUnderTest;
use crate::healed::{all_becomes_right, is_well, usage};
use crate::judge::Judge;
use crate::network::weather;
use crate::operators::Operators;
use crate::record::{Event, Record, What};
use crate::rules::Rules;
use crate::servers::{DEAF, Servers};
use crate::support::random::Random;

/// What a history is about, besides its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Standalone,
    Cluster,
    /// The clock of recess is stepped, before one server.
    Clock,
}

/// Every fourth has no bucket.
pub fn has_overrides(seed: u64) -> bool {
    !seed.is_multiple_of(4)
}

/// Which of up to two copies stand by: neither, the second, the first (or the only one), or both.
pub fn standbys(seed: u64) -> [bool; 2] {
    match seed % 5 {
        0 => [false, false],
        1 | 2 => [false, true],
        3 => [true, false],
        _ => [true, true],
    }
}

/// What came of one.
pub struct Outcome {
    pub seed: u64,
    pub kind: Kind,
    pub has_standby: bool,
    pub writes: usize,
    pub questions: usize,
    /// From the healing until all was right.
    pub right_after: Option<Duration>,
    pub violations: Vec<String>,
    /// All that happened, for those who look for the cause.
    pub story: String,
}

/// Notices how late this process is at worst.
struct Lag(tokio::task::JoinHandle<()>, Arc<std::sync::Mutex<Duration>>);

impl Lag {
    fn watch() -> Self {
        let worst = Arc::new(std::sync::Mutex::new(Duration::ZERO));
        let noted = worst.clone();
        let task = tokio::spawn(async move {
            let step = Duration::from_millis(50);
            loop {
                let began = Instant::now();
                tokio::time::sleep(step).await;
                let late = began.elapsed().saturating_sub(step);
                let mut worst = noted.lock().unwrap();
                *worst = worst.max(late);
            }
        });
        Self(task, worst)
    }

    fn end(self) -> SignedDuration {
        self.0.abort();
        SignedDuration::try_from(*self.1.lock().unwrap()).unwrap()
    }
}

/// `told` says whether its story is wanted where nothing was wrong, too.
pub async fn live(seed: u64, kind: Kind, told: bool) -> Outcome {
    let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x9e37);
    let record = Record::default();
    let clustered = kind == Kind::Cluster;
    let mut servers = Servers::start(clustered, &record);
    let crowd = Crowd::make_up(&mut random, clustered);
    let people = People::connect(&servers.urls(), &record).await;
    people.settle(&crowd).await;
    let has_bucket = has_overrides(seed);
    let lag = Lag::watch();

    let base = Timestamp::now().as_second() + 1;
    let length = 8 + random.below(7);
    let version = |rules: Rules| {
        Arc::new(match has_bucket {
            true => rules.with_bucket(),
            false => rules,
        })
    };
    let versions: Vec<Arc<Rules>> = (0..3)
        .map(|_| version(Rules::make_up(&mut random, base, &crowd)))
        .collect();
    let last = version(Rules::make_up_last(&mut random, base, &crowd, base + 3));
    let operators = has_bucket.then(|| {
        let rules = random.pick(&versions);
        Arc::new(Operators::of(&people, &crowd, &record, &servers, rules))
    });
    if let Some(operators) = &operators {
        operators.make_bucket().await;
    }
    let patience = *random.pick(&[1, 1, 3]);
    let settings = vec![
        format!("controller.request_timeout = \"{patience}s\""),
        format!("controller.resync = \"{}\"", random.pick(&["2s", "1m"])),
        format!("controller.max_in_flight = {}", random.pick(&[1, 3, 8])),
    ];
    let mut copies = Vec::new();
    for _ in 0..1 + random.below(2) {
        let rules = random.pick(&versions).clone();
        let has_clock = kind == Kind::Clock;
        copies.push(
            DaemonUnderTest::new(&servers, &record, rules, settings.clone(), has_clock).await,
        );
    }
    if let Some(second) = copies.get_mut(1)
        && random.once_in(2)
    {
        second.user = DEAF;
    }
    for (copy, is_standby) in copies.iter_mut().zip(standbys(seed)) {
        copy.is_standby = is_standby;
    }
    for copy in &mut copies {
        copy.start().await;
    }

    // Others do what they do at the same time.
    let end = Instant::now() + Duration::from_secs(length as u64);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..1 + random.below(3) {
        let mut random = Random(seed ^ (number as u64 + 1) << 32);
        let (people, crowd) = (people.clone(), crowd.clone());
        tasks.spawn(async move {
            while Instant::now() < end {
                people.meddle(&mut random, &crowd).await;
                let wait = Duration::from_millis(50 + random.below(900) as u64);
                tokio::time::sleep(wait).await;
            }
        });
    }
    let (publisher, streams) = (people.clone(), crowd.clone());
    let mut chance = Random(seed ^ 31 << 32);
    tasks.spawn(async move {
        while Instant::now() < end {
            publisher.publish(&mut chance, &streams).await;
            let wait = Duration::from_millis(20 + chance.below(400) as u64);
            tokio::time::sleep(wait).await;
        }
    });
    if let Some(operators) = operators.clone() {
        let mut random = Random(seed ^ 21 << 32);
        tasks.spawn(async move {
            while Instant::now() < end {
                operators.operate(&mut random).await;
                let wait = Duration::from_millis(50 + random.below(900) as u64);
                tokio::time::sleep(wait).await;
            }
        });
    }
    for (number, copy) in copies.iter().enumerate() {
        let mut random = Random(seed ^ (number as u64 + 11) << 32);
        let (proxies, record) = (copy.proxies.clone(), record.clone());
        tasks.spawn(async move {
            while Instant::now() < end {
                let wait = Duration::from_millis(200 + random.below(2_500) as u64);
                tokio::time::sleep(wait).await;
                let name = format!("network of copy {number}");
                weather(&proxies, &mut random, &record, &name).await;
            }
        });
    }
    while Instant::now() < end {
        let copy = random.below(copies.len() as i64) as usize;
        match random.below(5) {
            0 | 1 => copies[copy].suffer(&mut random, &versions).await,
            2 | 3 => servers.suffer(&mut random).await,
            _ => {
                if clustered
                    && let Some(operators) = &operators
                    && let Some(leader) = operators.leader().await
                {
                    servers.lose_the_bucket(&leader, &mut random).await;
                }
            }
        }
        let wait = Duration::from_millis(100 + random.below(1_500) as u64);
        tokio::time::sleep(wait).await;
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    servers.heal();
    // What was deleted, or kept in memory by a server that was killed, is created again.
    people.settle(&crowd).await;
    let mut overrides = Vec::new();
    if let Some(operators) = &operators {
        operators.make_bucket().await;
        overrides = operators.overrides().await;
    }
    for copy in &mut copies {
        copy.heal(last.clone()).await;
    }
    record.note(format!(
        "everything is healed; what counts is {overrides:?}"
    ));

    let healed = Instant::now();
    let used = |copy: &DaemonUnderTest| copy.recess().map(|recess| usage(recess.pid()));
    let before: Vec<_> = copies
        .iter()
        .map(|copy| used(copy).unwrap_or_default())
        .collect();
    let mut violations = Vec::new();
    let right_after = match all_becomes_right(&people, &crowd, &last.overridden(&overrides)).await {
        Ok(took) => Some(took),
        Err(wrong) => {
            violations.push(wrong);
            None
        }
    };
    for (copy, before) in copies.iter_mut().zip(before) {
        violations.extend(is_well(copy, before, healed.elapsed()).await);
        copy.terminate().await;
        violations.append(&mut copy.faults);
    }

    if let Some(operators) = &operators {
        violations.append(&mut operators.faults.lock().unwrap());
    }
    let lag = lag.end();
    let mut judge = Judge::new(SignedDuration::from_secs(patience), lag);
    let events = record.take();
    judge.hear(&events);
    for violation in &judge.violations {
        let at = events[violation.event].at;
        violations.push(format!("at {at}: {}", violation.what));
    }
    let mut story = String::new();
    if told || !violations.is_empty() {
        story = tell(&events, &versions, &last);
        for copy in &copies {
            story += &copy.log();
        }
        story += &format!("lag {lag:#}; settings {settings:?}\n");
    }
    Outcome {
        seed,
        kind,
        has_standby: copies.iter().any(|copy| copy.is_standby),
        writes: judge.writes,
        questions: judge.questions,
        right_after,
        violations,
        story,
    }
}

/// The record as text, lists left out.
fn tell(events: &[Event], versions: &[Arc<Rules>], last: &Arc<Rules>) -> String {
    let mut story = String::new();
    for (number, rules) in versions.iter().chain([last]).enumerate() {
        story += &format!("-- rules {number} --\n{}", rules.toml);
    }
    let number = |rules: &Arc<Rules>| {
        let all = versions.iter().chain([last]);
        all.into_iter().position(|known| Arc::ptr_eq(known, rules))
    };
    for Event { at, process, what } in events {
        let text = match what {
            What::Started(rules) => format!("starts by rules {:?}", number(rules)),
            What::File(rules) => format!("is given rules {:?}", number(rules)),
            What::Ended => "ends".to_owned(),
            What::Stopped => "stands still".to_owned(),
            What::Continued => "goes on".to_owned(),
            What::Clock(ahead) => format!("its clock is {ahead} ms ahead"),
            What::Sent { connection, frame } => {
                format!("{connection} > {} {}", frame.subject, frame.payload)
            }
            What::Delivered { connection, frame } => {
                let payload: String = frame.payload.chars().take(20_000).collect();
                let headers = frame.headers.replace("\r\n", " ");
                format!(
                    "{connection} < {} {} {headers}{payload}",
                    frame.verb, frame.subject
                )
            }
            What::Note(text) => text.clone(),
        };
        story += &format!("{at} [{process}] {text}\n");
    }
    story
}
