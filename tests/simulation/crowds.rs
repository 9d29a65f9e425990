//! Many consumers, many messages, long pauses: what it costs.

use crate::client::What;
use crate::daemon::Recess;
use crate::model::id;
use crate::scene::{NOON, Scene, assert_on_time, at, config_with, milliseconds, ours};
use recess::consumer::Kind;
use recess::jetstream::Advisory;

#[tokio::test(start_paused = true)]
async fn an_opening_costs_a_list_before_and_a_list_after() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping", "EVENTS/mail"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:59:57").await;
    scene.forget();
    scene.until("12:00:30").await;
    let asked: Vec<What> = scene
        .requests()
        .into_iter()
        .map(|request| request.what)
        .collect();
    let list = What::List("ORDERS".to_owned());
    let pause = |path| What::Pause(id(path), ours("13:00:00").unwrap());
    let expected = [
        list.clone(),
        pause("ORDERS/billing"),
        pause("ORDERS/shipping"),
        list,
    ];
    assert_eq!(asked, expected);
}

#[tokio::test(start_paused = true)]
async fn a_change_looks_at_whom_it_concerns_newcomers_included_and_at_nobody_else() {
    let scene = Scene::standalone(&["ORDERS/billing", "EVENTS/mail", "PAYMENTS/card"]);
    // Between two resyncs.
    let windows = [
        ("orders", "ORDERS/*", "30 0 12 * * *", "1h"),
        ("events", "EVENTS/*", "30 0 12 * * *", "10m"),
        ("payments", "PAYMENTS/*", "30 12 * * *", "1h"),
    ];
    let _recess = scene.recess(&windows);
    scene.until("12:00:27").await;
    scene.server.state().weather.advisories_lost = 100;
    scene.server.create(&["ORDERS/new", "PAYMENTS/new"]);
    let mut concerned = Vec::new();
    for (from, until) in [("12:00:27", "12:00:33"), ("12:10:27", "12:10:33")] {
        scene.until(from).await;
        scene.forget();
        scene.until(until).await;
        let lists = scene
            .requests()
            .into_iter()
            .filter_map(|request| match request.what {
                What::List(stream) => Some(stream),
                _ => None,
            });
        concerned.push(lists.collect::<Vec<_>>());
    }
    assert!(scene.server.is_paused("ORDERS/new"));
    assert_eq!(
        concerned,
        [
            vec!["EVENTS", "ORDERS", "EVENTS", "ORDERS"],
            vec!["EVENTS"; 2]
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn changes_every_few_seconds_do_not_put_off_a_resync_for_good() {
    let scene = Scene::standalone(&["TICK/tock"]);
    for number in 0..100 {
        scene.server.create(&[&format!("S{number}/c")]);
    }
    // A list of each takes longer than the time between two changes.
    scene.server.state().weather.latency = 200..201;
    let windows = [
        ("noon", "S*/*", "0 12 * * *", "1h"),
        ("tick", "TICK/*", "*/10 * 12 * * *", "5s"),
    ];
    let _recess = scene.recess(&windows);
    scene.until("12:10:00").await;
    scene.server.state().weather.advisories_lost = 100;
    scene.server.somebody_writes("S50/c", None);
    scene.forget();
    scene.until("12:12:10").await;
    assert!(scene.server.is_paused("S50/c"));
    let ticks = scene.deadlines("TICK/tock");
    assert_eq!(ticks.len(), 13, "{ticks:?}");
    let questions = scene.questions();
    assert!(questions < 700, "{questions}");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_consumers_cost_ten_thousand_pauses_and_a_few_lists() {
    let scene = Scene::standalone(&[]);
    for number in 0..10_000 {
        scene
            .server
            .create(&[&format!("S{}/c{number}", number % 10)]);
    }
    let recess = scene.recess(&[("noon", "S*/*", "0 12 * * *", "1h")]);
    scene.until("12:00:30").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 10_000);
    assert!(
        writes
            .iter()
            .all(|(.., deadline)| *deadline == ours("13:00:00"))
    );
    assert_on_time(writes[0].0, at("12:00:00"));
    assert_eq!(scene.infos(), 0);
    let lists = scene.questions();
    assert!(lists <= 11 * 12, "{lists} lists");
    assert_eq!(scene.server.state().most_under_way, 8);
    let paused = recess.story(|story| {
        let rows = &story.last.as_ref().unwrap().rows;
        rows.values().filter(|row| row.found.is_paused()).count()
    });
    assert_eq!(paused, 10_000);
}

#[tokio::test(start_paused = true)]
async fn advisories_about_others_cause_no_request() {
    let scene = Scene::standalone(&["ORDERS/billing", "EVENTS/mail", "EVENTS/search"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("12:10:30").await;
    scene.forget();
    for round in 0..200 {
        for other in ["EVENTS/mail", "EVENTS/search", "NEW/one"].map(id) {
            scene.tell(Advisory::Created(other.clone()));
            let until = Some(at("15:00:00"));
            let id = other.clone();
            scene.tell(Advisory::Pause { id, until });
            scene.tell(Advisory::Deleted(other));
        }
        scene.world.pass(milliseconds(round % 7)).await;
    }
    scene.until("12:10:50").await;
    assert_eq!(scene.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_advisory_storm_about_one_of_ours_costs_a_look_at_a_time() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("12:10:30").await;
    scene.forget();
    for _ in 0..1_000 {
        scene.tell(Advisory::Created(id("ORDERS/billing")));
    }
    scene.until("12:10:50").await;
    assert!(scene.requests().len() <= 2, "{}", scene.requests().len());
}

#[tokio::test(start_paused = true)]
async fn a_slow_list_does_not_delay_the_opening() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    scene.server.state().weather.latency = 400..401;
    let _recess = scene.recess(&[NOON]);
    scene.until("12:00:10").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 2);
    for (sent, ..) in writes {
        assert!(sent < at("12:00:00.003"), "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_beyond_max_pause_is_extended_step_by_step() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let halves = [
        ("afternoon", "ORDERS/*", "0 12-15 * * *", "1h"),
        ("evening", "ORDERS/*", "0 16-20 * * *", "1h"),
    ];
    let toml = config_with("max_pause = \"2h\"", &halves);
    let _recess = Recess::start(&scene.server, &scene.host, &toml);
    scene.until("22:00:00").await;
    let writes = scene.writes();
    // Steps of an hour, since the epoch; the end is 21:00.
    for (index, (sent, _, deadline)) in writes.iter().enumerate() {
        assert_on_time(*sent, at(&format!("{}:00:00", 12 + index)));
        assert_eq!(*deadline, ours(&format!("{}:00:00", 14 + index)));
    }
    assert_eq!(writes.len(), 8, "{writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_sends_nothing() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let toml = config_with("dry_run = true", &[NOON]);
    let recess = Recess::start(&scene.server, &scene.host, &toml);
    scene.until("12:30:00").await;
    assert_eq!(recess.row("ORDERS/billing").verdict.as_str(), "pause");
    scene.until("14:00:00").await;
    assert_eq!(scene.writes(), []);
    assert_eq!(recess.story(|story| story.missed.clone()), []);
    assert_eq!(recess.row("ORDERS/billing").verdict.as_str(), "settled");
}

#[tokio::test(start_paused = true)]
async fn only_durable_consumers_are_meant_by_a_glob() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    scene.server.create_as("ORDERS/watcher", Kind::Ephemeral);
    scene.server.create_as("ORDERS/source", Kind::Sourcing);
    scene.server.create_as("EVENTS/watcher", Kind::Ephemeral);
    let _recess = scene.recess(&[NOON, ("named", "EVENTS/watcher", "0 12 * * *", "1h")]);
    scene.until("12:30:00").await;
    let mut to: Vec<String> = scene.writes().into_iter().map(|(_, to, _)| to).collect();
    to.sort();
    assert_eq!(to, ["EVENTS/watcher", "ORDERS/billing"]);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_few_does_not_wait_for_one_of_hundreds_that_opens_with_it() {
    let scene = Scene::standalone(&[]);
    for number in 0..600 {
        scene.server.create(&[&format!("CROWD/c{number}")]);
    }
    for number in 0..6 {
        scene.server.create(&[&format!("FEW/c{number}")]);
        // In both windows at once.
        scene.server.create(&[&format!("SHARED/c{number}")]);
    }
    let _recess = scene.recess(&[
        ("crowd", "[CS]*/*", "0 12 * * *", "1h"),
        ("few", "[FS]*/*", "0 12 * * *", "1h"),
    ]);
    scene.until("12:00:30").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 612);
    for few in ["FEW/", "SHARED/"] {
        let last = writes.iter().rposition(|(_, to, _)| to.starts_with(few));
        assert!(last < Some(3 * 6), "the last of {few} is number {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_seconds_is_told_every_second_and_each_write_once() {
    let scene = Scene::standalone(&[]);
    for number in 0..600 {
        scene.server.create(&[&format!("ORDERS/c{number}")]);
    }
    let recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    // There and back: eight at a time are done in about 4.5 s.
    scene.server.state().weather.latency = 30..31;
    scene.until("12:00:30").await;
    let (bursts, acts) = recess.story(|story| (story.bursts.clone(), story.acts.len()));
    assert_eq!(acts, 600);
    assert!((3..=4).contains(&bursts.len()), "{bursts:?}");
    let mut told = 0;
    for (done, left, newest) in bursts {
        told += newest;
        assert_eq!((done, done + left), (told, 600));
        assert!(left > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_a_burst_whose_last_answer_came_or_that_broke_off() {
    // Eight at a time, 0.4 s each: the third round ends after the first second.
    let burst = |count: usize, cut: bool| async move {
        let scene = Scene::standalone(&[]);
        for number in 0..count {
            scene.server.create(&[&format!("ORDERS/c{number}")]);
        }
        let recess = scene.recess(&[NOON]);
        scene.until("11:59:59.5").await;
        scene.server.state().weather.latency = 200..201;
        if cut {
            scene.until("12:00:01.1").await;
            scene.server.disconnect();
        }
        scene.until("12:00:05").await;
        recess.story(|story| (story.bursts.len(), story.acts.len()))
    };
    assert_eq!(burst(24, false).await, (1, 24), "seven were left");
    assert_eq!(burst(17, false).await, (0, 17), "none was left");
    assert_eq!(
        burst(40, true).await.0,
        0,
        "the others wait for a connection"
    );
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_less_than_a_second_is_told_at_its_end_only() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:00:30").await;
    assert_eq!(recess.story(|story| story.bursts.len()), 0);
}
