//! Two months in which everything goes wrong now and then. Each storm is followed by a calm, in which everything must come
//! right by itself within half a minute, and stay so.
//!
//! `RECESS_SIM_SEEDS=20` plays twenty stories. A failure names its seed; as tokio picks among things that happen at the
//! same instant, the same seed tells nearly the same story, not always the very same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use crate::client::Weather;
use crate::daemon::Recess;
use crate::judge::{Judge, WINDOWS};
use crate::oracle::Window;
use crate::scene::{MARK, RELEASE, seconds};
use crate::server::Server;
use crate::world::{Chance, Host, World};

const STORMS: usize = 30;
const RESYNC: SignedDuration = SignedDuration::from_secs(60);

/// How soon after a storm everything is as it should be.
const RECOVERY: SignedDuration = SignedDuration::from_secs(30);

/// People leave consumers alone so long before a storm ends: recess waits up to a minute before it undoes for the fifth
/// time what people did, and may learn of it at the next resync only.
const HANDS_OFF: Duration = Duration::from_secs(125);

/// More than one of so many undoings in one pause would be the beginning of a fight.
const UNDOINGS: usize = 3;

#[test]
fn after_every_storm_a_standalone_server_comes_right() {
    for seed in seeds(1) {
        play(seed, Server::standalone, false);
    }
}

#[test]
fn after_every_storm_a_cluster_comes_right() {
    for seed in seeds(1_000) {
        play(seed, Server::cluster, false);
    }
}

#[test]
fn after_every_storm_a_primary_and_its_standby_come_right() {
    for seed in seeds(2_000) {
        let server = match seed % 2 {
            0 => Server::standalone,
            _ => Server::cluster,
        };
        play(seed, server, true);
    }
}

fn seeds(first: u64) -> std::ops::Range<u64> {
    let count = std::env::var("RECESS_SIM_SEEDS").ok();
    let count = count.map_or(2, |text| {
        text.parse().expect("RECESS_SIM_SEEDS is a number")
    });
    first..first + count
}

fn play(seed: u64, server: fn(&World) -> Server, has_standby: bool) {
    println!("seed {seed}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let world = World::starting_at("2026-02-20T10:00:00Z");
        let mut story = Story::begin(seed, server(&world), world);
        if has_standby {
            story.standby = Some(story.stand_by());
        }
        for _ in 0..STORMS {
            story.quiet_hours().await;
            story.storm().await;
            story.calm().await;
        }
        story.judge.finish(1 + usize::from(has_standby));
    });
}

struct Story {
    chance: Chance,
    world: World,
    server: Server,
    host: Host,
    toml: String,
    recess: Recess,
    standby: Option<Recess>,
    judge: Judge,
    absent: BTreeSet<&'static str>,
    /// How often people undid a pause, by consumer and the pause's end.
    undone: BTreeMap<(&'static str, Timestamp), usize>,
}

const FOLLOWERS: [&str; 4] = [
    "ORDERS/billing",
    "ORDERS/shipping",
    "EVENTS/mail",
    "EVENTS/search",
];
const OTHERS: [&str; 2] = ["ORDERS/audit", "OTHER/one"];

impl Story {
    fn begin(seed: u64, server: Server, world: World) -> Self {
        let mut toml = format!(
            "instance = \"prod-eu\"\n[controller]\nresync = \"{}s\"\n",
            RESYNC.as_secs()
        );
        toml.extend(WINDOWS.iter().map(Window::toml));
        server.create(&FOLLOWERS);
        server.create(&OTHERS);
        server.state().chance = Chance::seeded(!seed);
        let host = Host::of(&world);
        Self {
            chance: Chance::seeded(seed),
            judge: Judge::new(&server, world.now()),
            recess: Recess::start(&server, &host, &toml),
            standby: None,
            absent: BTreeSet::new(),
            undone: BTreeMap::new(),
            toml,
            world,
            server,
            host,
        }
    }

    fn stand_by(&self) -> Recess {
        let (server, host) = (&self.server, &self.host);
        Recess::stand_by(1, server, host, &self.toml, Duration::from_secs(5))
    }

    /// One of two copies stands still, goes on or is started again.
    fn befall_copies(&mut self) {
        let Some(standby) = &self.standby else { return };
        match self.chance.within(0..6) {
            0 | 1 => self.recess.stop(),
            2 => self.recess.go_on(),
            3 => standby.stop(),
            4 => standby.go_on(),
            _ => self.standby = Some(self.stand_by()),
        }
    }

    /// The host sleeps, at most until a day later.
    async fn quiet_hours(&mut self) {
        let minutes = self.chance.within(60..48 * 60);
        self.world.suspend(SignedDuration::from_secs(
            i64::try_from(minutes * 60).unwrap(),
        ));
        self.world.pass(seconds(10)).await;
    }

    async fn storm(&mut self) {
        // By the clock that recess waits by, on which a sleep of the host does not count.
        let ends = Instant::now() + Duration::from_secs(self.chance.within(240..900));
        while Instant::now() < ends {
            let wait = self.chance.milliseconds(20..5_000);
            tokio::time::sleep_until((Instant::now() + wait).min(ends)).await;
            self.mishap(Instant::now() + HANDS_OFF < ends);
            if self.standby.is_some() && self.chance.percent(20) {
                self.befall_copies();
            }
            self.judge.hear();
        }
        self.server.state().weather = Weather::calm();
        for path in std::mem::take(&mut self.absent) {
            self.server.create(&[path]);
        }
        if !self.server.is_up() {
            self.server.connect();
        }
        for copy in self.copies() {
            copy.go_on();
        }
    }

    fn copies(&self) -> impl Iterator<Item = &Recess> {
        [&self.recess].into_iter().chain(&self.standby)
    }

    fn mishap(&mut self, hands_on: bool) {
        if !self.server.is_up() && self.chance.percent(40) {
            return self.server.connect();
        }
        if self.chance.percent(20) {
            for path in std::mem::take(&mut self.absent) {
                self.server.create(&[path]);
            }
        }
        let follower = *self.chance.one_of(&FOLLOWERS);
        match self.chance.within(0..16) {
            0..4 if hands_on => self.foreign_pause(follower),
            4 if hands_on => self.foreign_pause(OTHERS[0]),
            5..7 if hands_on && self.may_undo(follower) => {
                self.server.somebody_writes(follower, None);
            }
            7 if hands_on && self.may_undo(follower) => {
                self.server.delete(follower);
                self.absent.insert(follower);
            }
            8 if hands_on && FOLLOWERS[..2].iter().all(|path| self.may_undo(path)) => {
                self.server.delete_stream("ORDERS");
                self.absent
                    .extend(["ORDERS/billing", "ORDERS/shipping", "ORDERS/audit"]);
            }
            9 => self.server.disconnect(),
            13 if self.judge.pause_at(follower, self.world.now()).is_some() => {
                self.release(follower);
            }
            10 => {
                let seconds = self.chance.within(1..600);
                self.world
                    .suspend(SignedDuration::from_secs(i64::try_from(seconds).unwrap()));
            }
            11 => self.recess = Recess::start(&self.server, &self.host, &self.toml),
            12 => self.recess.reload(&self.toml),
            _ => self.weather(),
        }
    }

    fn weather(&mut self) {
        let rough = |chance: &mut Chance, most| {
            if chance.percent(50) {
                0
            } else {
                chance.within(1..most)
            }
        };
        let weather = Weather {
            times_out: rough(&mut self.chance, 60),
            refuses: rough(&mut self.chance, 60),
            loses: rough(&mut self.chance, 40),
            advisories_lost: rough(&mut self.chance, 101),
            advisory_delay: 0..rough(&mut self.chance, 300),
            latency: 0..rough(&mut self.chance, 400),
            false_created: self.chance.percent(30),
        };
        self.server.state().weather = weather;
    }

    fn foreign_pause(&mut self, path: &'static str) {
        let lasts =
            SignedDuration::from_millis(i64::try_from(self.chance.within(5_000..900_000)).unwrap());
        let until = self.world.now() + lasts + SignedDuration::from_nanos(7);
        if !self.absent.contains(path) && self.may_undo(path) {
            self.judge.foreign.insert((path.to_owned(), until));
            self.server.somebody_writes(path, Some(until));
        }
    }

    /// Somebody uses `recess resume`.
    fn release(&mut self, path: &'static str) {
        if !self.absent.contains(path) {
            let at = self.world.now().as_second() + 3;
            let until = Timestamp::new(at, MARK + RELEASE).expect("an instant");
            self.server.somebody_writes(path, Some(until));
        }
    }

    /// Whether people may undo what recess did without starting a fight.
    fn may_undo(&mut self, path: &'static str) -> bool {
        let Some(pause) = self.judge.pause_at(path, self.world.now()) else {
            return true;
        };
        let undone = self.undone.entry((path, pause.until)).or_default();
        *undone += 1;
        *undone <= UNDOINGS
    }

    async fn calm(&mut self) {
        self.world.pass(RECOVERY).await;
        assert!(self.copies().all(|copy| !copy.is_over()));
        for _ in 0..90 {
            for path in FOLLOWERS {
                self.judge.look(path, &self.recess);
            }
            self.world.pass(seconds(1)).await;
        }
        self.judge.hear();
    }
}
