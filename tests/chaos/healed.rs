//! What must be seen once the last fault is over: I2 and I5.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::crowd::{Crowd, People};
use crate::daemon_under_test::DaemonUnderTest;
use crate::natures::Nature;
use crate::rules::{Rules, second};
use crate::told::{MARK, State, is_ours, keeps_messages, state};
use crate::wants::Want;

/// Within so long everything is as it should be.
const WITHIN: Duration = Duration::from_secs(30);

/// So long it must stay so.
const STAYS: Duration = Duration::from_secs(4);

/// So long after a change by the calendar nothing is judged: an opening takes a moment on a busy machine.
const SEAM: i64 = 4;

/// What takes more than this has leaked.
const MOST_FILES: usize = 60;
const MOST_MEMORY: u64 = 150 << 20;

/// Looks until everything is right and stays so. Returns how long that took.
pub async fn all_becomes_right(
    people: &People,
    crowd: &Crowd,
    rules: &Rules,
) -> Result<Duration, String> {
    let healed = Instant::now();
    let mut right_since: Option<Instant> = None;
    let mut judged = 0;
    loop {
        let mut wrong = BTreeMap::new();
        for (path, durable) in crowd.paths() {
            if let Some(problem) = look(people, rules, &path, durable, &mut judged).await {
                wrong.insert(path, problem);
            }
        }
        let took = healed.elapsed();
        if took > WITHIN && right_since.is_none_or(|since| since > healed + WITHIN) {
            return Err(format!("I2: after {took:?}: {wrong:#?}"));
        }
        if !wrong.is_empty() {
            // Those who are near a change by the calendar are not judged, so that what is right may be so by chance.
            right_since = None;
        } else if right_since.is_none() {
            right_since = Some(Instant::now());
        }
        if let Some(since) = right_since
            && since.elapsed() >= STAYS
        {
            if judged > 0 {
                return Ok(since.duration_since(healed));
            }
            if took > 2 * WITHIN {
                return Err("I2: nobody could be judged".to_owned());
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What is wrong with one of them, where that can be said.
async fn look(
    people: &People,
    rules: &Rules,
    path: &str,
    durable: bool,
    judged: &mut usize,
) -> Option<String> {
    if !rules.names(path, durable) {
        return None;
    }
    let before = Timestamp::now();
    let Some(info) = people.info(path).await else {
        return Some("no answer".to_owned());
    };
    let now = Timestamp::now();
    let code = info["error"]["err_code"].as_u64();
    if matches!(code, Some(10014 | 10059)) {
        return None; // it was deleted
    }
    if code.is_some() {
        return Some(info["error"].to_string());
    }
    let nature = Nature::of(&info);
    if !rules.follows(path, &nature) {
        return None;
    }
    let want = rules.want(path, &nature, now.as_second());
    let seam = before.as_second() - SEAM..=now.as_second();
    if seam
        .into_iter()
        .any(|at| rules.want(path, &nature, at) != want)
    {
        return None;
    }
    let span = rules.holds(path, &nature, now.as_second());
    let found = state(&info);
    let kept = rules.kept(path, &nature, now.as_second());
    let right = match (want, found) {
        (_, State::Unknown | State::Missing) => return Some(format!("{found:?}")),
        _ if found.is_kept(want, kept) => true,
        // In the last seconds of a window none is begun.
        (Want::Paused(end), _) if second(end).duration_since(now).as_secs() < 6 => return None,
        // Somebody has released it. Where there is a bucket, that takes an override.
        (Want::Paused(_), found)
            if !rules.has_bucket && span.is_some_and(|span| found.is_released(span)) =>
        {
            true
        }
        // It was let go before messages were lost: that lasts as long as what holds it, whatever the rules say since.
        (Want::Paused(_), found) if span.is_some_and(|span| found.keeps_messages(span)) => true,
        // It runs where its messages allow no pause, and until they do its pause ends early.
        (Want::Paused(end), found) if rules.guards(path) => match found {
            State::Paused { until, .. } => {
                let exact = Timestamp::new(end, MARK).unwrap();
                // A foreign pause is not extended while messages are lost in it.
                until == exact || (keeps_messages(until) && until < second(end)) || !is_ours(until)
            }
            _ => true,
        },
        (Want::Paused(end), State::Paused { until, .. }) => {
            let exact = Timestamp::new(end, MARK).unwrap();
            until == exact || (!is_ours(until) && until >= second(end))
        }
        (Want::Paused(_), _) => false,
        (Want::Tail(end), State::Paused { until, .. }) => {
            let exact = Timestamp::new(end, MARK).unwrap();
            !is_ours(until) || until <= exact || until.duration_since(now).as_secs() <= 7
        }
        (Want::Running, State::Paused { until, remaining }) => {
            !is_ours(until) || remaining.as_secs() <= 7
        }
        (Want::Tail(_) | Want::Running, _) => true,
    };
    *judged += 1;
    (!right).then(|| format!("wanted {want:?}, found {found:?} at {now}"))
}

/// It lives, answers, holds no more than it should, and has rested: `before` is what it had used so long ago.
pub async fn is_well(copy: &DaemonUnderTest, before: Usage, ago: Duration) -> Vec<String> {
    let Some(recess) = copy.recess() else {
        return vec!["I5: it is gone".to_owned()];
    };
    let mut wrong = Vec::new();
    match recess.get("/healthz").await {
        Ok((200, _)) => {}
        answer => wrong.push(format!("I5: /healthz answers {answer:?}")),
    }
    let Usage {
        worked,
        memory,
        files,
        threads,
    } = usage(recess.pid());
    let worked = worked.saturating_sub(before.worked);
    if worked > ago / 2 {
        wrong.push(format!("I5: it worked for {worked:?} of {ago:?}"));
    }
    if files > MOST_FILES || memory > MOST_MEMORY || threads > 64 {
        wrong.push(format!(
            "I5: {files} files, {memory} bytes, {threads} threads"
        ));
    }
    wrong
}

/// What a process holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Of processor time, since it began.
    pub worked: Duration,
    pub memory: u64,
    pub files: usize,
    pub threads: usize,
}

pub fn usage(pid: u32) -> Usage {
    let home = format!("/proc/{pid}");
    let status = fs::read_to_string(format!("{home}/status")).unwrap_or_default();
    let field = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_ascii_whitespace().next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    let times = fs::read_to_string(format!("{home}/stat")).unwrap_or_default();
    // After the name, which may hold spaces: user and system time, in hundredths of a second.
    let times = times.rsplit(')').next().unwrap_or_default();
    let hundredths = times.split_ascii_whitespace().skip(11).take(2);
    let hundredths: u64 = hundredths.filter_map(|text| text.parse::<u64>().ok()).sum();
    Usage {
        worked: Duration::from_millis(hundredths * 10),
        memory: field("VmRSS:") * 1024,
        files: fs::read_dir(format!("{home}/fd")).map_or(0, Iterator::count),
        threads: field("Threads:") as usize,
    }
}
