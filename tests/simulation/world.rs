//! Time and chance in a simulation: the true time, the clock of the host that recess runs on, and seeded random numbers.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use jiff::{SignedDuration, Timestamp};
use recess::clock::Clock;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

/// The true time, which the server's clock shows: tokio's (paused) clock, and what was slept through on top of it.
#[derive(Clone)]
pub struct World(Arc<Time>);

struct Time {
    started: Instant,
    base: Timestamp,
    slept: AtomicI64,
    jumped: Notify,
}

impl World {
    pub fn starting_at(base: &str) -> Self {
        Self(Arc::new(Time {
            started: Instant::now(),
            base: base.parse().expect("an instant"),
            slept: AtomicI64::new(0),
            jumped: Notify::new(),
        }))
    }

    pub fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.0.started.elapsed().as_nanos()).expect("under 292 years");
        self.0.base + SignedDuration::from_nanos(elapsed + self.0.slept.load(Relaxed))
    }

    /// Time passes, and the monotonic clock stands still: the host that recess runs on is suspended.
    pub fn suspend(&self, lasts: SignedDuration) {
        let nanoseconds = i64::try_from(lasts.as_nanos()).expect("under 292 years");
        self.0.slept.fetch_add(nanoseconds, Relaxed);
        self.0.jumped.notify_waiters();
    }

    pub async fn until(&self, at: Timestamp) {
        loop {
            let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = self.0.jumped.notified() => {}
            }
        }
    }

    pub async fn pass(&self, time: SignedDuration) {
        self.until(self.now() + time).await;
    }
}

/// The wall clock of a host: the true time, and how wrong it is.
#[derive(Clone)]
pub struct Host {
    world: World,
    wrong_by: Arc<AtomicI64>,
}

impl Host {
    pub fn of(world: &World) -> Self {
        Self {
            world: world.clone(),
            wrong_by: Arc::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.world.now() + SignedDuration::from_nanos(self.wrong_by.load(Relaxed))
    }

    /// Somebody sets the clock.
    pub fn step(&self, by: SignedDuration) {
        let nanoseconds = i64::try_from(by.as_nanos()).expect("under 292 years");
        self.wrong_by.fetch_add(nanoseconds, Relaxed);
    }

    pub fn clock(&self) -> Clock {
        let host = self.clone();
        Clock::new(move || host.now())
    }
}

/// SplitMix64: the same seed, the same story.
pub struct Chance(u64);

impl Chance {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, likely: u64) -> bool {
        likely > 0 && self.number() % 100 < likely
    }

    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.number() % (range.end - range.start).max(1)
    }

    pub fn milliseconds(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[usize::try_from(self.number()).unwrap_or(0) % choices.len()]
    }
}
